"""Many records changed alike at once, each with its ledger entry: the same text, hash and version as one by one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, and_, select, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.util import identity_key

from models.base import Recorded
from models.core import LedgerEntry
from services.core.audit_context import Stamp
from services.core.clock import now
from services.core.db.bulk_insert import insert_rows
from services.core.ledger.bulk_insert import begin_bulk, ledger_entries
from services.core.ledger.canonical import GENESIS, columns_of
from services.core.ledger.writer import table_of
from services.core.reactions import reactions

RUN_LENGTH = 2000
"""Records that one statement takes."""
Changes = Mapping[str, Any]
_SET_BY_LEDGER = frozenset({"id", "version", "recorded_at", "recorded_by"})


def change_columns(session: OrmSession, model: type[Recorded], ids: Collection[UUID], changes: Changes) -> int:
    """Give many records the same new values, by column, each with its entry; return how many there were.

    They are held for writing, in the order of their identifiers, before they are read; objects of them that the session has
    are read anew when they are next asked. Raises ValueError for a column that isn't one of the model's, is set by the ledger,
    or from which another is worked out; NoTransaction outside an operation that writes.
    """
    _require_changeable(model, changes)
    stamp = begin_bulk(session)
    ordered = sorted(ids)
    runs = (ordered[start : start + RUN_LENGTH] for start in range(0, len(ordered), RUN_LENGTH))
    return sum(_change_run(session, stamp, model, run, changes) for run in runs)


def _require_changeable(model: type[Recorded], changes: Changes) -> None:
    kind = model.record_type()
    odd = sorted(set(changes) - set(columns_of(kind)) | set(changes) & _SET_BY_LEDGER)
    if odd or not changes:
        raise ValueError(f"The columns of many a {kind} to change are others than: {', '.join(odd) or 'none'}.")
    for name, derive in reactions().derived_columns.get(kind, {}).items():
        sources: list[str] = []
        derive(lambda column, sources=sources: sources.append(column))
        if touched := sorted(set(sources) & set(changes)):
            raise ValueError(f"{name} is worked out from {', '.join(touched)}: records are changed one by one.")


def _change_run(session: OrmSession, stamp: Stamp, model: type[Recorded], ids: Sequence[UUID], changes: Changes) -> int:
    kind, table, moment = model.record_type(), table_of(model), now()
    connection = session.connection()
    before, previous = _read_current(session, table, kind, ids)
    count = len(previous)
    if not count:
        return 0
    new = {**changes, "recorded_at": moment, "recorded_by": stamp.actor.user_id}
    raised = table.c.version + 1
    connection.execute(update(table).where(table.c.id.in_(before["id"])).values(**new, version=raised))
    after = {**before, **{name: [value] * count for name, value in new.items()}}
    after["version"] = [version + 1 for version in before["version"]]
    insert_rows(connection, table_of(LedgerEntry), ledger_entries(kind, after, stamp, moment, previous))
    _expire_objects(session, model, before["id"])
    for react in reactions().after_bulk_change:
        react(session, model, before, changes)
    return count


def _read_current(
    session: OrmSession, table: Table, kind: str, ids: Sequence[UUID]
) -> tuple[dict[str, Sequence[Any]], Sequence[str]]:
    """Every column of the records as they stand, held for writing, and the hash of the last entry of each."""
    condition = table.c.id.in_(ids)
    connection = session.connection()
    # First of all: what somebody else is writing meanwhile has been written once the rows are read.
    connection.execute(select(table.c.id).where(condition).order_by(table.c.id).with_for_update())
    entry = table_of(LedgerEntry).c
    last = and_(entry.record_type == kind, entry.record_id == table.c.id, entry.version == table.c.version)
    query = select(*table.columns, entry.hash.label("entry_hash")).select_from(table.outerjoin(entry.hash.table, last))
    rows = connection.execute(query.where(condition).order_by(table.c.id)).all()
    *values, hashes = list(zip(*rows, strict=True)) or [()] * (len(table.columns) + 1)
    columns: dict[str, Sequence[Any]] = dict(zip((column.name for column in table.columns), values, strict=True))
    return columns, [text or GENESIS for text in hashes]


def _expire_objects(session: OrmSession, model: type[Recorded], ids: Sequence[UUID]) -> None:
    """Have objects of these records read anew when they are next asked for something."""
    for identifier in ids:
        record = session.identity_map.get(identity_key(model, identifier))
        if record is not None:
            session.expire(record)
