"""Taking back a decision on a query (UC-02.01): by whoever made it, for a minute, while nothing has come of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage, AssetStatus, MessageKind
from models.core import LedgerEntry
from services.assets.checks.guards import reach_at_version
from services.assets.registration.lifecycle import move
from services.core.clock import now
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.ledger.history import entries, restore
from services.core.operation import operation
from services.core.transaction import current_session

TAKE_BACK_FOR = timedelta(seconds=60)
DECISIONS = frozenset({"settle_query", "settle_differences", "query_asset"})
"""Operations that an operator's decision is made by."""
TOGETHER = timedelta(seconds=1)
"""Entries of one decision lie closer together than this."""
TAKEN_BACK = "Taken back: "


@dataclass(frozen=True, slots=True)
class RecentDecision:
    """A decision that the actor made on an asset and may still take back: until when, and the asset's version now."""

    asset_id: UUID
    name: str
    status: AssetStatus
    version: int
    until: datetime


@operation("UC-02.01", permission="asset.settle", writes=False, name="recent_decision")
def recent_decision(actor: Actor, asset_id: UUID) -> RecentDecision | None:
    """Find the decision that the actor may take back; None where it is too late or others acted since. Raises NotFound."""
    asset = see(Asset, actor, asset_id)
    decision = _decision(actor, asset)
    if decision is None:
        return None
    return RecentDecision(
        asset.id, asset.asset_name, asset.status, asset.version, decision[-1].recorded_at + TAKE_BACK_FOR
    )


@operation("UC-02.01", permission="asset.settle", name="take_back_decision")
def take_back_decision(actor: Actor, asset_id: UUID, version: int) -> Asset:
    """Bring an asset back to where it stood before the actor's own decision, with what was said of its differences.

    The decision's message stays and says that it was taken back. Raises Refused a minute after the decision, and where it
    isn't the last thing that happened to the asset; Conflict when stale.
    """
    asset = reach_at_version(actor, asset_id, "asset.settle", version)
    decision = _decision(actor, asset)
    if decision is None:
        raise Refused(
            f"Your last decision on this asset can't be taken back: that is possible for {TAKE_BACK_FOR.seconds} seconds, "
            "while nobody has changed the asset since. Decide anew, or ask the FSP."
        )
    begun, ended = decision[0].recorded_at, decision[-1].recorded_at
    former = restore(entries(Asset.record_type(), asset.id)[-len(decision) - 1])
    assert isinstance(former, Asset)
    _restore_checks(asset, begun, ended)
    _mark_messages(asset, begun, ended)
    if asset.status is not former.status:
        move(asset, former.status, "take_back_decision", former.status_reason)
    asset.status_reason, asset.status_since = former.status_reason, former.status_since
    return asset


def _decision(actor: Actor, asset: Asset) -> list[LedgerEntry] | None:
    """The entries of the actor's own decision, oldest first, where it is the last act on the asset and fresh; else None."""
    history = entries(Asset.record_type(), asset.id)
    last = history[-1] if history else None
    if last is None or last.operation not in DECISIONS or last.user_id is None or last.user_id != actor.user_id:
        return None
    if now() > last.recorded_at + TAKE_BACK_FOR:
        return None
    decision = [last]
    for entry in reversed(history[:-1]):
        if entry.operation != last.operation or decision[0].recorded_at - entry.recorded_at > TOGETHER:
            break
        decision.insert(0, entry)
    return decision if len(decision) < len(history) else None


def _restore_checks(asset: Asset, begun: datetime, ended: datetime) -> None:
    """Give the checks back what was said of their differences before the decision."""
    for check in current_session().scalars(select(AssetCheck).where(col(AssetCheck.asset_id) == asset.id)):
        history = entries(AssetCheck.record_type(), check.id)
        earlier = [entry for entry in history if not _within(entry, begun, ended)]
        if earlier and len(earlier) < len(history):
            former = restore(earlier[-1])
            assert isinstance(former, AssetCheck)
            check.outcome, check.comparisons, check.evidence = former.outcome, former.comparisons, former.evidence


def _within(entry: LedgerEntry, begun: datetime, ended: datetime) -> bool:
    made_with = begun - TOGETHER <= entry.recorded_at <= ended + TOGETHER
    return made_with and entry.operation in DECISIONS


def _mark_messages(asset: Asset, begun: datetime, ended: datetime) -> None:
    """Make remarks of the decision's messages, so that the query is as open as it was."""
    sent = (col(AssetMessage.sent_at) >= begun - TOGETHER, col(AssetMessage.sent_at) <= ended + TOGETHER)
    of_decision = select(AssetMessage).where(
        col(AssetMessage.asset_id) == asset.id, col(AssetMessage.kind) != MessageKind.COMMENT, *sent
    )
    for message in current_session().scalars(of_decision):
        message.kind, message.text = MessageKind.COMMENT, f"{TAKEN_BACK}{message.text}"[:4000]
