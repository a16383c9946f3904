"""Counts kept beside records, in the same commit: what a unit of work adds and takes away, written last.

Last, and in the order of keys: two writers on PostgreSQL then meet only while one of them commits, and never wait for each
other in a circle.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import SessionTransaction
from sqlmodel import SQLModel

Key = tuple[Any, ...]
Counts = dict[Key, list[int]]
"""Sums by key, both in the order of the table's columns."""


def sums_of(table: type[SQLModel]) -> tuple[str, ...]:
    """The columns of a table of counts that are added up: the numbers outside its key that must be there."""
    counts: Table = table.__table__  # pyright: ignore[reportAttributeAccessIssue]
    return tuple(
        column.name
        for column in counts.columns
        if not column.primary_key and column.default is None and not column.nullable
    )


def keys_of(table: type[SQLModel]) -> tuple[str, ...]:
    """The columns that make a row of a table of counts one."""
    counts: Table = table.__table__  # pyright: ignore[reportAttributeAccessIssue]
    return tuple(column.name for column in counts.primary_key.columns)


class Pending:
    """Pending changes of some tables of counts in the unit of work under way, by savepoint: taken back with it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def add(self, session: OrmSession, table: type[Any], key: Key, *sums: int) -> None:
        """Note that a row of counts changes by so much; `table` may be any kind of key that is spread over tables later."""
        change = self._noted(session)[table].setdefault(key, [0] * len(sums))
        for place, addend in enumerate(sums):
            change[place] += addend

    def add_all(self, session: OrmSession, table: type[Any], changes: Counts) -> None:
        """`add` for many keys at once; their sums belong to this from then on."""
        noted = self._noted(session)[table]
        for key, sums in changes.items():
            present = noted.setdefault(key, sums)
            if present is not sums:
                present[:] = map(sum, zip(present, sums, strict=True))

    def touch(self, session: OrmSession, what: object) -> None:
        """Note that something has to be counted anew."""
        self._noted(session)[object][(what,)] = []

    def _noted(self, session: OrmSession) -> dict[type[Any], Counts]:
        pending = session.info.setdefault(self._name, [])
        transaction = session.get_nested_transaction()
        if not pending or pending[-1][0] is not transaction:
            pending.append((transaction, defaultdict(dict)))
        return pending[-1][1]

    def forget(self, session: OrmSession, rolled_back: SessionTransaction) -> None:
        """Forget what was noted inside a savepoint that is taken back."""
        remaining = [
            savepoint for savepoint in session.info.get(self._name, ()) if not _inside(savepoint[0], rolled_back)
        ]
        session.info[self._name] = remaining

    def taken(self, session: OrmSession) -> tuple[dict[type[Any], Counts], set[Any]]:
        """Take what was noted so far, by table, and what has to be counted anew; nothing is noted any more."""
        changes: dict[type[Any], Counts] = defaultdict(dict)
        touched: set[Any] = set()
        for _, noted in session.info.pop(self._name, ()):
            touched.update(what for (what,) in noted.pop(object, {}))
            for table, counts in noted.items():
                for key, sums in counts.items():
                    present = changes[table].setdefault(key, [0] * len(sums))
                    present[:] = map(sum, zip(present, sums, strict=True))
        return changes, touched


def _inside(transaction: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while transaction is not None and transaction is not outer:
        transaction = transaction.parent
    return transaction is outer


def write_counts(session: OrmSession, table: type[SQLModel], changes: Counts) -> list[Key]:
    """Add to the counts; rows in which nothing is left go. The keys of those that changed, in their order."""
    keys, sums = keys_of(table), sums_of(table)
    add, clear = _statements(table, session.get_bind().dialect.name)
    changed = [(key, change) for key, change in sorted(changes.items(), key=_in_order) if any(change)]
    rows = [dict(zip((*keys, *sums), (*key, *change), strict=True)) for key, change in changed]
    if rows:
        session.execute(add, rows)
    if fewer := [row for row in rows if any(row[name] <= 0 for name in sums)]:
        session.execute(clear, [{name: row[name] for name in keys} for row in fewer])
    return [key for key, _ in changed]


def _in_order(item: tuple[Key, Sequence[int]]) -> Key:
    return tuple(map(str, item[0]))


@lru_cache
def _statements(table: type[SQLModel], dialect: str) -> tuple[Any, Any]:
    """Adding to a count, or beginning it; taking it away once nothing is left in it."""
    counts: Table = table.__table__  # pyright: ignore[reportAttributeAccessIssue]
    keys, sums = keys_of(table), sums_of(table)
    begin = (postgresql if dialect == "postgresql" else sqlite).insert(counts)
    adding = {name: counts.c[name] + begin.excluded[name] for name in sums}
    nothing: Iterable[Any] = (counts.c[name] == 0 for name in sums)
    clear = delete(counts).where(*nothing, *(counts.c[name] == bindparam(name) for name in keys))
    return begin.on_conflict_do_update(index_elements=keys, set_=adding), clear
