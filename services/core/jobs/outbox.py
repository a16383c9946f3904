"""Events are rows: written in the same commit as the change, handed to handlers by the worker."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from models.assets import Asset
from models.base import Recorded, new_id
from models.core import DeliveryStatus, Event, EventDelivery
from models.events import EventType
from services.core.clock import now
from services.core.db.bulk_insert import Columns, insert_rows, reserve_numbers, row_count
from services.core.db.engine import is_sqlite
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.ledger.writer import table_of
from services.core.operation import operation
from services.core.reactions import Handling, reactions
from services.core.transaction import current_session

TOGETHER = 100
"""How many events a handler that takes them together is handed at most: well within the lease of a delivery."""
EVENT_LOCK = 0x464D4556
"""PostgreSQL's advisory lock: who writes events shares it until the commit, so that who follows them can wait for it."""


def _handlers_of(event_type: EventType) -> dict[str, Handling]:
    """The handlers of a type, by name."""
    return {name: handling for name, handling in reactions().handlers.items() if handling.event_type == event_type}


def emit(
    event_type: EventType,
    record: Recorded,
    *,
    organisation_id: UUID | None,
    dno_code: str | None = None,
    payload: dict[str, Any] | None = None,
) -> Event:
    """Write an event about a record, with a delivery for each handler, in the operation's own transaction.

    `organisation_id` is whose event feed shows it, `dno_code` the licence area whose operator sees it too.
    """
    session = current_session()
    _lock("pg_advisory_xact_lock_shared")
    moment = now()
    happened = Event(
        type=str(event_type),
        record_type=record.record_type(),
        record_id=record.id,
        organisation_id=organisation_id,
        dno_code=dno_code,
        payload=payload or {},
        occurred_at=moment,
    )
    session.add(happened)
    session.flush()
    for name in _handlers_of(event_type):
        session.add(EventDelivery(event_seq=happened.seq or 0, handler=name, due_at=moment))
    return happened


def _lock(function: str) -> None:
    """Take the events' lock until the transaction ends; SQLite has one writer at a time anyway."""
    if not is_sqlite():
        current_session().execute(text(f"SELECT {function}(:key)"), {"key": EVENT_LOCK})


def emit_for_asset(event_type: EventType, asset: Asset, payload: dict[str, Any] | None = None) -> Event:
    """Write an event about an asset: its FSP and the operator of its licence area see it."""
    return emit(
        event_type, asset, organisation_id=asset.service_provider_id, dno_code=asset.dno_connection, payload=payload
    )


@operation("UC-05.01", permission="event.read", name="read_events")
def read_events(actor: Actor, after: int = 0, limit: int = 100) -> list[Event]:
    """Events after the one numbered `after` that the actor may see, oldest first; at most `limit`, up to 1,000.

    An event that is written but not yet committed is waited for: its number may be lower than one that is shown, and who
    goes on from there would never see it. Therefore this counts as writing: its view is not that of its first question.
    """
    _lock("pg_advisory_xact_lock")
    query = select(Event).where(col(Event.seq) > after, visible(Event, actor))
    return list(current_session().scalars(query.order_by(col(Event.seq)).limit(max(1, min(limit, 1000)))))


def emit_many(event_type: EventType, model: type[Any], about: Columns) -> None:
    """Write many events of one type at once, with their deliveries: for bulk paths, in the operation's transaction.

    A handler that takes events together has one delivery for up to `TOGETHER` of them. Columns of `about`: ``record_id``,
    ``organisation_id``, ``dno_code`` and ``payload``; `model` is what the records are.
    """
    count = row_count(about)
    if not count:
        return
    session = current_session()
    _lock("pg_advisory_xact_lock_shared")
    session.flush()
    connection = session.connection()
    numbers = reserve_numbers(connection, table_of(Event), "seq", count)
    moment = now()
    events = {
        "seq": numbers,
        "id": [new_id() for _ in range(count)],
        "type": [str(event_type)] * count,
        "record_type": [model.record_type()] * count,
        "occurred_at": [moment] * count,
    }
    insert_rows(connection, table_of(Event), {**events, **about})
    for name, handling in _handlers_of(event_type).items():
        size = TOGETHER if handling.together else 1
        runs = [numbers[start : start + size] for start in range(0, count, size)]
        deliveries = {
            "event_seq": [run[0] for run in runs],
            "further": [run[1:] for run in runs],
            "handler": [name] * len(runs),
            "status": [DeliveryStatus.WAITING] * len(runs),
            "attempts": [0] * len(runs),
            "due_at": [moment] * len(runs),
        }
        insert_rows(connection, table_of(EventDelivery), deliveries)
