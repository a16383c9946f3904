"""Many records changed alike at once, each with its ledger entry: the same text, hash and version as one by one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Table, and_, select, type_coerce, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.util import identity_key
from sqlalchemy.types import NULLTYPE

from models.base import Recorded
from models.core import LedgerEntry
from services.core.audit_context import Stamp
from services.core.clock import now
from services.core.db.bulk_insert import put, uncollected
from services.core.db.columns import Column, Same, each
from services.core.ledger.bulk_insert import begin, entries
from services.core.ledger.canonical import GENESIS, columns_of
from services.core.ledger.writer import table_of
from services.core.reactions import reactions

AT_ONCE = 2000
"""Records that one statement takes."""
Changes = Mapping[str, Any]
_SET_HERE = frozenset({"id", "version", "recorded_at", "recorded_by"})


def change_columns(session: OrmSession, model: type[Recorded], ids: Collection[UUID], changes: Changes) -> int:
    """Give many records the same new values, by column, each with its entry; how many there were.

    They are held for writing, in the order of their identifiers, before they are read; objects of them that the session has
    are read anew when they are next asked. Raises ValueError for a column that isn't one of the model's, is set by the ledger,
    or from which another is worked out; NoTransaction outside an operation that writes.
    """
    _require_plain(model, changes)
    stamp = begin(session)
    listed = sorted(ids)
    runs = (listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE))
    with uncollected():
        return sum(_change(session, stamp, model, some, changes) for some in runs)


def _require_plain(model: type[Recorded], changes: Changes) -> None:
    kind = model.record_type()
    odd = sorted(set(changes) - set(columns_of(kind)) | set(changes) & _SET_HERE)
    if odd or not changes:
        raise ValueError(f"The columns of many a {kind} to change are others than: {', '.join(odd) or 'none'}.")
    for name, derive in reactions().derived_columns.get(kind, {}).items():
        read: list[str] = []
        derive(lambda column, read=read: read.append(column))
        if touched := sorted(set(read) & set(changes)):
            raise ValueError(f"{name} is worked out from {', '.join(touched)}: records are changed one by one.")


def _change(session: OrmSession, stamp: Stamp, model: type[Recorded], ids: Sequence[UUID], changes: Changes) -> int:
    kind, table = model.record_type(), table_of(model)
    connection = session.connection()
    before, previous = _before(session, table, kind, ids)
    count = len(previous)
    if not count:
        return 0
    new = {**changes, "recorded_at": now(), "recorded_by": stamp.actor.user_id}
    raised = table.c.version + 1
    connection.execute(update(table).where(table.c.id.in_(before["id"])).values(**new, version=raised))
    versions = [version + 1 for version in before["version"]]
    after: dict[str, Column] = {**before, **{name: Same(value) for name, value in new.items()}, "version": versions}
    put(connection, table_of(LedgerEntry), entries(kind, after, count, stamp, previous), count)
    _forget(session, model, before["id"])
    for react in reactions().after_bulk_change:
        react(session, model, before, changes, count)
    return count


def _before(
    session: OrmSession, table: Table, kind: str, ids: Sequence[UUID]
) -> tuple[dict[str, Sequence[Any]], Sequence[str]]:
    """Every column of the records as they stand, held for writing, and the hash of the last entry of each."""
    wanted = table.c.id.in_(ids)
    connection = session.connection()
    # First of all: what somebody else is writing meanwhile has been written once the rows are read.
    connection.execute(select(table.c.id).where(wanted).order_by(table.c.id).with_for_update())
    entry = table_of(LedgerEntry).c
    last = and_(entry.record_type == kind, entry.record_id == table.c.id, entry.version == table.c.version)
    raw = [type_coerce(column, _as_read(column, connection.dialect)) for column in table.columns]
    chosen = select(*raw, entry.hash).select_from(table.outerjoin(entry.hash.table, last))
    rows = connection.execute(chosen.where(wanted).order_by(table.c.id)).all()
    *values, hashes = list(zip(*rows, strict=True)) or [()] * (len(raw) + 1)
    read = zip(table.columns, values, strict=True)
    return {one.name: _as_python(one, some, connection.dialect) for one, some in read}, [
        one or GENESIS for one in hashes
    ]


def _as_read(column: Any, dialect: Dialect) -> Any:
    """SQLite's text and numbers are made what the column gives in one go afterwards, PostgreSQL's driver does it itself."""
    return NULLTYPE if dialect.name == "sqlite" else column.type


def _as_python(column: Any, values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    """What was read, as the model's column gives it; of equal values once."""
    if dialect.name != "sqlite":
        return values
    process = column.type.dialect_impl(dialect).result_processor(dialect, None)
    made = values if process is None else each(values, process)
    assert not isinstance(made, Same)
    return made


def _forget(session: OrmSession, model: type[Recorded], ids: Sequence[UUID]) -> None:
    """Objects of these records are read anew when they are next asked for something."""
    for identifier in ids:
        known = session.identity_map.get(identity_key(model, identifier))
        if known is not None:
            session.expire(known)
