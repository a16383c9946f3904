"""The ledger writes itself: a session listener turns every insert and update of a record into an entry."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Table, event, insert, select, text, tuple_
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import SQLModel, col

from models.base import Recorded
from models.core import LedgerEntry
from services.core.audit_context import WRITES, NoTransaction, Stamp, current_stamp
from services.core.canonical_json import canonical
from services.core.clock import now
from services.core.ledger.canonical import GENESIS, hash_of, state_of
from services.core.reactions import reactions

LEDGER_LOCK = 0x464D4152
"""PostgreSQL's advisory lock: writers share it, sealing takes it alone, so that no entry slips in under a seal."""


def said_of_all(stamp: Stamp, moment: datetime) -> dict[str, Any]:
    """Context that all entries of one stamp share: who, under which use case, when."""
    actor = stamp.actor
    return {
        "operation": stamp.operation,
        "use_case": stamp.use_case,
        "user_id": actor.user_id,
        "client_id": actor.client_id,
        "organisation_id": actor.organisation_id,
        "on_behalf_of": None,
        "recorded_at": moment,
    }


def _entry(
    record_type: str, record_id: UUID, version: int, state: dict[str, Any], stamp: Stamp, moment: datetime, before: str
) -> dict[str, Any]:
    """One row of the ledger. Plain values: a model for each would cost more than all the rest of the writing."""
    record = {"record_type": record_type, "record_id": record_id, "version": version, "state": canonical(state)}
    parts = {**record, **said_of_all(stamp, moment)}
    return {**parts, "previous_hash": before, "hash": hash_of(parts, before)}


def _previous_hashes(session: OrmSession, records: Sequence[Recorded]) -> dict[tuple[str, UUID, int], str]:
    older = [(record.record_type(), record.id, record.version - 1) for record in records if record.version > 1]
    hashes: dict[tuple[str, UUID, int], str] = {}
    key = (col(LedgerEntry.record_type), col(LedgerEntry.record_id), col(LedgerEntry.version))
    for start in range(0, len(older), 500):
        rows = session.execute(
            select(*key, col(LedgerEntry.hash)).where(tuple_(*key).in_(older[start : start + 500])),
            execution_options={"autoflush": False},
        )
        hashes.update({(kind, identifier, version): value for kind, identifier, version, value in rows})
    return hashes


def begin_writing(session: OrmSession) -> Stamp:
    """Find under whose name is written; the ledger is kept open against sealing until the transaction ends."""
    stamp = current_stamp(session)
    if stamp is None:
        raise NoTransaction("Records are written inside operations only.")
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": LEDGER_LOCK})
    return stamp


def append(session: OrmSession, records: Sequence[Recorded]) -> None:
    """Write one entry for each record as it now stands; for the listener below and for bulk paths.

    Raises NoTransaction when no operation is under way: nothing is written without a name under it.
    """
    stamp = begin_writing(session)
    moment = now()
    previous = _previous_hashes(session, records)
    rows = []
    for record in records:
        kind, version = record.record_type(), record.version
        before = previous.get((kind, record.id, version - 1), GENESIS)
        rows.append(_entry(kind, record.id, version, state_of(record), stamp, moment, before))
    session.execute(insert(LedgerEntry), rows)


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    return model.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by SQLModel for every table


def _stamp_records(session: OrmSession, _context: UOWTransaction, _instances: object) -> None:
    if not (session.new or session.dirty or session.deleted):
        return
    stamp = current_stamp(session)
    if stamp is None or not session.info.get(WRITES):
        raise NoTransaction("The register is written inside operations that say they write.")
    for record in session.deleted:
        if isinstance(record, Recorded):
            raise NoTransaction(f"A {record.record_type()} is never deleted; it ends in a final state.")
    moment = now()
    for record in (*session.new, *session.dirty):
        if isinstance(record, Recorded) and (record in session.new or session.is_modified(record)):
            record.recorded_at = moment
            record.recorded_by = stamp.actor.user_id
            for name, derive in reactions().derived_columns.get(record.record_type(), {}).items():
                setattr(record, name, derive(partial(getattr, record)))


def _write_entries(session: OrmSession, _context: UOWTransaction) -> None:
    records = [record for record in session.new if isinstance(record, Recorded)]
    records += [record for record in session.dirty if isinstance(record, Recorded) and session.is_modified(record)]
    if records:
        append(session, records)


def _refuse_unrecorded(state: ORMExecuteState) -> None:
    """A set-wise INSERT, UPDATE or DELETE of records would pass the ledger by."""
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    mapper = state.bind_mapper
    if mapper is not None and issubclass(mapper.class_, Recorded):
        raise NoTransaction("Records are changed one by one or through the ledger's bulk writer, never set-wise.")


def keep_ledger(sessions: type[OrmSession]) -> None:
    """Make every session of this class keep the ledger."""
    event.listen(sessions, "before_flush", _stamp_records)
    event.listen(sessions, "after_flush", _write_entries)
    event.listen(sessions, "do_orm_execute", _refuse_unrecorded)
