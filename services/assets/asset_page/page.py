"""An asset's whole page in one reading, as it stands or as it stood at a moment (UC-02.01, UC-05.06)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.assets import Asset, AssetCheck, CheckOutcome
from services.assets.asset_page.ledger_queries import checks_of_asset, entries_of_asset, read_asset_at, read_checks_at
from services.assets.asset_page.provenance import Provenance, build_provenance
from services.assets.checks.differences import Difference, differences_of
from services.assets.checks.records import newest_by_source
from services.assets.conversation.comments import AssetMessageWithFiles, messages_about, names_involved
from services.assets.registration.lifecycle import actions_on
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.lifecycle import Action
from services.core.operation import operation
from services.core.register_settings import setting


@dataclass(frozen=True, slots=True)
class WholeAsset:
    """Everything about an asset that the actor may see. Of the past there is nothing to be done: no actions.

    `present_version` is the version that stands now. `involved` are the names of those who may see the asset,
    `largest_file_mb` is how large a file may be that comes with a message.
    """

    asset: Asset
    present_version: int
    checks: Sequence[AssetCheck]
    provenance: Mapping[str, Provenance]
    differences: Sequence[Difference]
    messages: Sequence[AssetMessageWithFiles]
    actions: Sequence[Action]
    involved: Sequence[str]
    largest_file_mb: int


@operation("UC-02.01", permission="asset.read", writes=False, name="whole_asset")
def whole_asset(actor: Actor, asset_id: UUID) -> WholeAsset:
    """An asset as it stands, with everything that its page tells. NotFound when the actor may not see it."""
    asset = see(Asset, actor, asset_id)
    all_checks = checks_of_asset(asset.id)
    checks, answered = newest_by_source(all_checks), newest_by_source(all_checks, answered=True)
    # Of a source that is asked anew, provenance tells what it said before; as a difference, that counts no more.
    waiting = {check.source for check in checks if check.outcome is CheckOutcome.WAITING}
    differences = differences_of(answered)
    return WholeAsset(
        asset=asset,
        present_version=asset.version,
        checks=checks,
        provenance=build_provenance(asset, entries_of_asset(asset.id), answered, differences),
        differences=[difference for difference in differences if difference.source not in waiting],
        messages=messages_about(actor, asset.id),
        actions=actions_on(actor, asset),
        involved=names_involved(asset),
        largest_file_mb=int(setting("asset.attachment_max_mb")),
    )


@operation("UC-05.06", permission="history.read", writes=False, name="whole_asset_as_of")
def whole_asset_as_of(actor: Actor, asset_id: UUID, moment: datetime) -> WholeAsset:
    """The same as it stood at a moment (aware): facts, checks, query and what had been said until then.

    NotFound when the actor may not see the asset now, or when it wasn't registered yet.
    """
    current = see(Asset, actor, asset_id)
    entries = entries_of_asset(asset_id)
    asset = read_asset_at(entries, moment)
    if asset is None:
        raise NotFound("asset", asset_id)
    checks = newest_by_source(read_checks_at(asset_id, moment))
    answered = [check for check in checks if check.outcome is not CheckOutcome.WAITING]
    differences = differences_of(answered)
    return WholeAsset(
        asset=asset,
        present_version=current.version,
        checks=checks,
        provenance=build_provenance(asset, entries, answered, differences),
        differences=differences,
        messages=messages_about(actor, asset_id, moment),
        actions=[],
        involved=names_involved(asset),
        largest_file_mb=int(setting("asset.attachment_max_mb")),
    )
