"""An asset's whole page in one reading, as it stands or as it stood at a moment (UC-02.01, UC-05.06)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset, AssetCheck, CheckOutcome, CheckSource
from models.core import LedgerEntry
from services.assets.check_records import newest_checks
from services.assets.comments import Said, names_involved, said_about
from services.assets.differences import Difference, differences_of
from services.assets.lifecycle import allowed_actions
from services.assets.provenance import Provenance, told_of
from services.core.actor import Actor
from services.core.errors import NotFound
from services.core.ledger.reading import as_of, restore
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.states import Action
from services.core.transaction import current_session
from services.core.visibility import see


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything about an asset that the actor may see. Of the past there is nothing to be done: no actions.

    `present_version` is the version that stands now. `involved` are the names of those who may see the asset,
    `largest_file_mb` is how large a file may be that comes with a message.
    """

    asset: Asset
    present_version: int
    checks: Sequence[AssetCheck]
    provenance: Mapping[str, Provenance]
    differences: Sequence[Difference]
    said: Sequence[Said]
    actions: Sequence[Action]
    involved: Sequence[str]
    largest_file_mb: int


@operation("UC-02.01", permission="asset.read", writes=False)
def asset_standing(actor: Actor, asset_id: UUID) -> Standing:
    """An asset as it stands, with everything that its page tells. NotFound when the actor may not see it."""
    asset = see(Asset, actor, asset_id)
    checks = newest_checks([asset.id]).get(asset.id, [])
    waiting = any(check.outcome is CheckOutcome.WAITING for check in checks)
    answered = newest_checks([asset.id], answered=True).get(asset.id, []) if waiting else checks
    return Standing(
        asset=asset,
        present_version=asset.version,
        checks=checks,
        provenance=told_of(asset, answered),
        differences=differences_of(checks),
        said=said_about(actor, asset.id),
        actions=allowed_actions(actor, asset),
        involved=names_involved(asset),
        largest_file_mb=int(setting("asset.attachment_max_mb")),
    )


@operation("UC-05.06", permission="history.read", writes=False)
def asset_stood(actor: Actor, asset_id: UUID, moment: datetime) -> Standing:
    """The same as it stood at a moment (aware): facts, checks, query and what had been said until then.

    NotFound when the actor may not see the asset now, or when it wasn't registered yet.
    """
    now_stands = see(Asset, actor, asset_id)
    asset = as_of(Asset, asset_id, moment)
    if asset is None:
        raise NotFound("asset", asset_id)
    checks = _checks_then(asset_id, moment)
    return Standing(
        asset=asset,
        present_version=now_stands.version,
        checks=checks,
        provenance=told_of(asset, [check for check in checks if check.outcome is not CheckOutcome.WAITING]),
        differences=differences_of(checks),
        said=said_about(actor, asset_id, moment),
        actions=[],
        involved=names_involved(asset),
        largest_file_mb=int(setting("asset.attachment_max_mb")),
    )


def _checks_then(asset_id: UUID, moment: datetime) -> list[AssetCheck]:
    """The newest check against each source as the ledger tells of it at that moment."""
    kind = AssetCheck.record_type()
    of_asset = select(col(AssetCheck.id)).where(col(AssetCheck.asset_id) == asset_id)
    then = (
        col(LedgerEntry.record_type) == kind,
        col(LedgerEntry.record_id).in_(of_asset),
        col(LedgerEntry.recorded_at) <= moment,
    )
    newest = (
        select(col(LedgerEntry.record_id), func.max(col(LedgerEntry.version)).label("version"))
        .where(*then)
        .group_by(col(LedgerEntry.record_id))
        .subquery()
    )
    chosen = select(LedgerEntry).join(
        newest,
        (col(LedgerEntry.record_id) == newest.c.record_id) & (col(LedgerEntry.version) == newest.c.version),
    )
    by_source: dict[CheckSource, AssetCheck] = {}
    for entry in current_session().scalars(chosen.where(col(LedgerEntry.record_type) == kind)):
        check = restore(entry)
        assert isinstance(check, AssetCheck)
        known = by_source.get(check.source)
        if known is None or check.asset_version > known.asset_version:
            by_source[check.source] = check
    return [by_source[source] for source in CheckSource if source in by_source]
