"""Deadlines of validation (UC-02.01): who waits too long is told of, and a query that nobody answers suspends the asset."""

from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.core import Event
from models.events import EventType
from services.assets.registration.lifecycle import move
from services.core.clock import working_days_ago
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import system_step
from services.core.register_settings import setting
from services.core.transaction import current_session

BATCH = 200


def keep_deadlines() -> None:
    """Look for assets that have waited too long, in batches, each in a commit of its own."""
    for keep in (note_long_pending, suspend_unanswered):
        while keep() == BATCH:
            pass


def _waiting_since(status: AssetStatus, moment: datetime) -> Select[Asset]:
    waits = (col(Asset.status) == status, col(Asset.status_since) < moment)
    return select(Asset).where(*waits).order_by(col(Asset.status_since)).limit(BATCH)


@system_step("UC-02.01", name="note_long_pending")
def note_long_pending() -> int:
    """Raise one event for each asset that has been Pending Validation for more working days than the setting; how many."""
    days = int(setting("asset.pending_notice_days"))
    notified = exists().where(
        col(Event.type) == EventType.ASSET_PENDING_TOO_LONG,
        col(Event.record_id) == col(Asset.id),
        col(Event.occurred_at) >= col(Asset.status_since),
    )
    query = _waiting_since(AssetStatus.PENDING_VALIDATION, working_days_ago(days)).where(~notified)
    assets = list(current_session().scalars(query))
    for asset in assets:
        since = asset.status_since.isoformat() if asset.status_since else None
        emit_for_asset(EventType.ASSET_PENDING_TOO_LONG, asset, {"since": since, "working_days": days})
    return len(assets)


@system_step("UC-02.01", name="suspend_unanswered")
def suspend_unanswered() -> int:
    """Suspend each asset whose query has gone unanswered for more working days than the setting; how many they were."""
    days = int(setting("asset.query_answer_days"))
    query = _waiting_since(AssetStatus.QUERY, working_days_ago(days)).with_for_update(skip_locked=True)
    assets = list(current_session().scalars(query))
    for asset in assets:
        reason = f"The query was not answered within {days} working days. It asked: {asset.status_reason or '–'}"
        move(asset, AssetStatus.SUSPENDED_QUERY_UNANSWERED, "suspend_unanswered", reason[:1000])
    return len(assets)
