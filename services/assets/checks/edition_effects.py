"""Effects of a new edition of a public register: assets that were held against it, and those whose status moved (UC-02.01)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetStatus, CheckOutcome, CheckSource
from models.core import DeliveryStatus, Event, EventDelivery
from models.events import EventType
from models.sources import SourceEdition
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session

BY_CHECKS = frozenset({"request_checks", "conclude_checks"})
"""Steps of the life cycle that the answers of sources lead to."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One asset whose status moved once it was held against an edition, and why."""

    asset_id: UUID
    name: str
    before: AssetStatus
    after: AssetStatus
    reason: str


@dataclass(frozen=True, slots=True)
class EditionEffects:
    """Effects of an edition: assets held against it, how many still wait for the answer, and those whose status moved.

    `begun` is false until the worker has found out which assets it concerns.
    """

    begun: bool
    checked: int
    waiting: int
    changes: Sequence[StatusChange]


@operation("UC-02.01", permission="source.read", writes=False, name="edition_effects")
def edition_effects(actor: Actor, edition_id: UUID) -> EditionEffects:
    """List what an edition did to the assets that the actor may see, in the order of their names. Raises NotFound."""
    see(SourceEdition, actor, edition_id)
    session = current_session()
    loaded = session.scalar(
        select(Event).where(col(Event.record_id) == edition_id, col(Event.type) == EventType.SOURCE_LOADED)
    )
    if loaded is None or loaded.seq is None:
        return EditionEffects(True, 0, 0, [])
    unfinished = select(EventDelivery).where(
        col(EventDelivery.event_seq) == loaded.seq, col(EventDelivery.status) == DeliveryStatus.WAITING
    )
    requests = select(col(Event.record_id), func.min(col(Event.seq))).where(
        col(Event.type) == EventType.ASSET_CHECKS_REQUESTED,
        col(Event.seq) > loaded.seq,
        col(Event.payload)["edition"].as_string() == str(edition_id),
    )
    begun_at: dict[UUID, int] = {row[0]: row[1] for row in session.execute(requests.group_by(col(Event.record_id)))}
    moves = dict(_moves(begun_at))
    names = {row[0]: row[1] for part in _chunks(list(begun_at)) for row in session.execute(_seen(actor, part))}
    changes = [
        StatusChange(asset_id, names[asset_id], *moves[asset_id])
        for asset_id in begun_at
        if asset_id in moves and asset_id in names
    ]
    return EditionEffects(
        begun=not session.scalar(select(exists(unfinished))),
        checked=len(names),
        waiting=sum(session.scalar(_waiting(part)) or 0 for part in _chunks(list(names))),
        changes=sorted(changes, key=lambda change: (change.name.casefold(), change.asset_id)),
    )


def _seen(actor: Actor, asset_ids: Sequence[UUID]) -> Any:
    return select(col(Asset.id), col(Asset.asset_name)).where(col(Asset.id).in_(asset_ids), visible(Asset, actor))


def _waiting(asset_ids: Sequence[UUID]) -> Any:
    return select(func.count()).where(
        col(AssetCheck.asset_id).in_(asset_ids),
        col(AssetCheck.source) == CheckSource.CONNECTION_REGISTER,
        col(AssetCheck.outcome) == CheckOutcome.WAITING,
    )


def _moves(begun_at: dict[UUID, int]) -> Iterator[tuple[UUID, tuple[AssetStatus, AssetStatus, str]]]:
    """Each asset whose status moved by the answer to this edition: before, after, why; until the next check of it."""
    kinds = (str(EventType.ASSET_CHECKS_REQUESTED), str(EventType.ASSET_STATUS_CHANGED))
    for part in _chunks(list(begun_at)):
        query = select(Event).where(
            col(Event.record_id).in_(part),
            col(Event.type).in_(kinds),
            col(Event.seq) > min(map(begun_at.__getitem__, part)),
        )
        events: dict[UUID, list[Event]] = {}
        for event in current_session().scalars(query.order_by(col(Event.seq))):
            if (event.seq or 0) > begun_at[event.record_id]:
                events.setdefault(event.record_id, []).append(event)
        for asset_id, later in events.items():
            steps = list(_own_steps(later))
            if steps and steps[0].payload["from"] != steps[-1].payload["to"]:
                before, after = AssetStatus(steps[0].payload["from"]), AssetStatus(steps[-1].payload["to"])
                yield asset_id, (before, after, steps[-1].payload.get("reason") or "")


def _own_steps(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        if event.payload.get("operation") not in BY_CHECKS:
            return
        yield event


def _chunks(items: list[UUID]) -> Iterator[list[UUID]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
