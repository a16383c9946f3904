"""New records staged before their transaction begins: another process can do most of the work that writing them is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import Dialect
from sqlalchemy.orm import Session as OrmSession

from models.base import Recorded
from models.core import LedgerEntry
from services.core.ledger.bulk import begin, completed, entries, tell_inserted
from services.core.ledger.state import GENESIS
from services.core.ledger.writer import said_of_all, table_of
from services.core.many import Column, Columns, Puts, Same, bound_column, first_of, picked, written
from services.core.stamp import Stamp


@dataclass(frozen=True, slots=True)
class StagedRows:
    """New records and their entries in the ledger, staged before their transaction begins, for `insert_staged`.

    `rows` and `entries` have the driver's own values of each, `same` and `same_entries` the model's values that are the same
    for all; `told` has the model's values of columns that are asked for then. `said` is what all entries say of who writes
    them, and when: the `moment` for which they were staged.
    """

    rows: pl.DataFrame
    same: Mapping[str, Same]
    entries: pl.DataFrame
    same_entries: Mapping[str, Same]
    told: Columns
    said: Mapping[str, Any]
    moment: datetime

    def picked(self, places: Sequence[int]) -> "StagedRows":
        """The records at these places, of which there is at least one."""
        if len(places) == self.rows.height:
            return self
        told = {name: picked(one, places) for name, one in self.told.items()}
        return replace(self, rows=self.rows[places], entries=self.entries[places], told=told)


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
    rows, same = _parted(model, complete, count, dialect)
    chained, same_entries = _parted(LedgerEntry, entries(kind, complete, count, stamp, Same(GENESIS)), count, dialect)
    light = {name: _light(complete[name]) for name in told}
    return StagedRows(rows, same, chained, same_entries, light, said_of_all(stamp, moment), moment)


def _parted(model: type[Any], columns: Columns, count: int, dialect: Dialect) -> tuple[pl.DataFrame, dict[str, Same]]:
    """Columns that differ from row to row, as the driver takes them, and those in which all have the same value."""
    table, same = table_of(model), {name: one for name, one in columns.items() if isinstance(one, Same)}
    differing = {name: bound_column(table, name, one, dialect) for name, one in columns.items() if name not in same}
    return pl.DataFrame({name: written(one, count) for name, one in differing.items()}), same


def _light(column: Column) -> Column:
    """A column that takes little time from one process to the other."""
    numbers = not isinstance(column, Same | pl.Series) and isinstance(first_of(column), Decimal)
    return pl.Series(column, dtype=pl.Decimal(38, 2)) if numbers else column


def insert_staged(session: OrmSession, model: type[Recorded], staged: StagedRows, puts: Puts) -> Columns:
    """`insert_columns` for what was staged, once `puts` are sent; answers the columns that are told.

    Raises ValueError when they were staged in another name, NoTransaction outside an operation that writes.
    """
    if staged.said != said_of_all(begin(session), staged.moment):
        raise ValueError("Rows are written in the name under which they were staged.")
    told, count = {**staged.told, "id": list(map(UUID, staged.rows["id"]))}, staged.rows.height
    puts.add(table_of(model), lambda: {**staged.same, **staged.rows.to_dict()}, count)
    puts.add(table_of(LedgerEntry), lambda: {**staged.same_entries, **staged.entries.to_dict()}, count)
    tell_inserted(session, model, told, count)
    return told
