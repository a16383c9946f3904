"""De-registering an asset (UC-02.02): soft, with a reason, final; refused while other records depend on it."""

from uuid import UUID

from models.assets import Asset, AssetStatus
from models.events import EventType
from services.assets.registration.lifecycle import ASSET_LIFE_CYCLE, blockers_of, move
from services.assets.registration.record import conflict, index_aliases
from services.core.errors import Blocker, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import operation
from services.core.text import clean_line, require_text

SHORTEST_REASON, LONGEST_REASON = 3, 1000


@operation("UC-02.02", permission="asset.read", writes=False, name="deregistration_blockers")
def deregistration_blockers(actor: Actor, asset_id: UUID) -> list[Blocker]:
    """Blockers of a de-registration, each with what to do about it; empty when there are none."""
    return blockers_of(see(Asset, actor, asset_id))


@operation("UC-02.02", permission="asset.deregister", name="deregister_asset")
def deregister_asset(actor: Actor, asset_id: UUID, reason: str, version: int) -> Asset:
    """End an asset for good, from the version the actor read; its MPAN, serial number and aliases are free, its ID never is.

    Raises Conflict when somebody changed it since, Invalid without a reason, Refused with the blockers or when it has ended.
    """
    asset = reach(Asset, actor, asset_id, "asset.deregister")
    if asset.version != version:
        raise conflict(asset, version)
    text = require_text(
        clean_line(reason),
        "Reason",
        code="END-01",
        message="Say why the asset is de-registered.",
        shortest=SHORTEST_REASON,
        longest=LONGEST_REASON,
    )
    ASSET_LIFE_CYCLE.require(asset.status, AssetStatus.DEREGISTERED, "deregister_asset")
    blockers = blockers_of(asset)
    if blockers:
        raise Refused("Other records still depend on this asset. Settle these first.", blockers)
    move(asset, AssetStatus.DEREGISTERED, "deregister_asset", text)
    index_aliases(asset, active=False)
    emit_for_asset(EventType.ASSET_DEREGISTERED, asset, {"version": asset.version, "reason": text})
    return asset
