"""New records staged before their transaction begins: another process can do most of the work that writing them is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.orm import Session as OrmSession

from models.base import Recorded
from models.core import LedgerEntry
from services.core.audit_context import Stamp
from services.core.db.bulk_insert import Puts, Ready, ready_at, ready_rows
from services.core.db.columns import Columns, Same, picked
from services.core.ledger.bulk_insert import begin, completed, entries, tell_inserted
from services.core.ledger.canonical import GENESIS
from services.core.ledger.writer import said_of_all, table_of


@dataclass(frozen=True, slots=True)
class StagedRows:
    """New records and their entries in the ledger, staged before their transaction begins, for `insert_staged`.

    `rows` and `entries` are `count` rows of their tables; `told` has the model's values of columns that are asked for then,
    and of `id`. `said` is what all entries say of who writes them, and when: the `moment` for which they were staged.
    """

    rows: Ready
    entries: Ready
    told: Columns
    count: int
    said: Mapping[str, Any]
    moment: datetime

    def picked(self, places: Sequence[int]) -> "StagedRows":
        """The records at these places, of which there is at least one."""
        if len(places) == self.count:
            return self
        told = {name: picked(one, places) for name, one in self.told.items()}
        rows, chained = ready_at(self.rows, places), ready_at(self.entries, places)
        return replace(self, rows=rows, entries=chained, told=told, count=len(places))


def stage_rows(
    model: type[Recorded],
    columns: Columns,
    count: int,
    stamp: Stamp,
    moment: datetime,
    dialect: Dialect,
    told: Collection[str],
) -> StagedRows:
    """Stage records, `columns` as `insert_columns` takes them, to be written under a stamp; `told` names columns."""
    kind = model.record_type()
    complete = completed(kind, columns, count, stamp.actor.user_id, moment)
    chained = entries(kind, complete, count, stamp, Same(GENESIS))
    return StagedRows(
        ready_rows(table_of(model), complete, count, dialect),
        ready_rows(table_of(LedgerEntry), chained, count, dialect),
        {name: complete[name] for name in {*told, "id"}},
        count,
        said_of_all(stamp, moment),
        moment,
    )


def insert_staged(session: OrmSession, model: type[Recorded], staged: StagedRows, puts: Puts) -> Columns:
    """`insert_columns` for what was staged, once `puts` are sent; answers the columns that are told.

    Raises ValueError when they were staged in another name, NoTransaction outside an operation that writes.
    """
    if staged.said != said_of_all(begin(session), staged.moment):
        raise ValueError("Rows are written in the name under which they were staged.")
    puts.add(table_of(model), lambda: staged.rows, staged.count)
    puts.add(table_of(LedgerEntry), lambda: staged.entries, staged.count)
    puts.meanwhile(lambda: tell_inserted(session, model, staged.told, staged.count))
    return staged.told
