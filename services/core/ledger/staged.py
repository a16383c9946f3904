"""New records staged before their transaction begins: another process can do most of the work that writing them is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import polars as pl
from sqlalchemy import Dialect
from sqlalchemy.orm import Session as OrmSession

from models.base import Recorded
from models.core import LedgerEntry
from services.core.clock import now
from services.core.ledger.bulk import AT_WRITING, GAP, begin, completed, entries, state_texts, tell_inserted
from services.core.ledger.state import GENESIS, canonical
from services.core.ledger.writer import table_of
from services.core.many import Column, Columns, Puts, Same, bound_column, first_of, picked, values_of, written

STATE = ""
"""Under this name, which no column has, rows that are staged bear what the ledger says of them."""


@dataclass(frozen=True, slots=True)
class StagedRows:
    """New records staged before their transaction begins, by another process maybe, for `insert_staged`.

    `rows` has the driver's own values of each, and under `STATE` what the ledger says of it; `same` the values that all have,
    and the names of `moments`, which hold when they are written. `told` has the model's values of columns that are asked for
    then. `writer` is the person they name.
    """

    rows: pl.DataFrame
    same: Mapping[str, Same]
    moments: Collection[str]
    told: Columns
    writer: UUID | None

    def picked(self, places: Sequence[int]) -> "StagedRows":
        """The records at these places, of which there is at least one."""
        if len(places) == self.rows.height:
            return self
        told = {name: picked(one, places) for name, one in self.told.items()}
        return replace(self, rows=self.rows[places], told=told)


def stage_rows(
    model: type[Recorded], columns: Columns, count: int, writer: UUID | None, dialect: Dialect, told: Collection[str]
) -> StagedRows:
    """Stage records: `columns` as `insert_columns` takes them, with `AT_WRITING` for moments; `told` names columns."""
    kind, table = model.record_type(), table_of(model)
    complete = completed(kind, columns, count, writer, AT_WRITING)
    moments = {name for name, column in complete.items() if isinstance(column, Same) and column.value == AT_WRITING}
    held = {name: bound_column(table, name, complete[name], dialect) for name in complete.keys() - moments}
    same = {name: column for name, column in held.items() if isinstance(column, Same)}
    rows = {name: written(column, count) for name, column in held.items() if name not in same}
    states = state_texts(kind, {**complete, "id": list(map(str, values_of(complete["id"], count)))}, count)
    rows[STATE] = pl.Series(states, dtype=pl.String)
    return StagedRows(pl.DataFrame(rows), same, moments, {name: _light(complete[name]) for name in told}, writer)


def _light(column: Column) -> Column:
    """A column that takes little time from one process to the other."""
    numbers = not isinstance(column, Same | pl.Series) and isinstance(first_of(column), Decimal)
    return pl.Series(column, dtype=pl.Decimal(38, 2)) if numbers else column


def insert_staged(session: OrmSession, model: type[Recorded], staged: StagedRows, puts: Puts) -> Columns:
    """`insert_columns` for what was staged, once `puts` are sent; answers the columns that are told.

    Raises ValueError when they name another person than the one who writes, NoTransaction outside an operation that writes.
    """
    stamp = begin(session)
    if staged.writer != stamp.actor.user_id:
        raise ValueError("Rows are written by the person for whom they were staged.")
    kind, moment, count = model.record_type(), now(), staged.rows.height
    moments = dict.fromkeys(staged.moments, Same(moment))
    told = {name: moments.get(name, column) for name, column in staged.told.items()}
    told["id"] = list(map(UUID, staged.rows["id"]))
    values = {name: staged.rows[name] for name in staged.rows.columns if name != STATE}
    same = {name: written(one, count) for name, one in staged.same.items()}

    def entered() -> Columns:
        states = staged.rows[STATE].str.replace_all(GAP, canonical(moment)[1:-1], literal=True)
        which = {"id": told["id"], "version": Same(1), "recorded_at": Same(moment)}
        return {**entries(kind, which, count, stamp, Same(GENESIS), states), "record_id": staged.rows["id"]}

    puts.add(table_of(model), lambda: {**values, **same, **moments}, count)
    puts.add(table_of(LedgerEntry), entered, count)
    tell_inserted(session, model, told, count)
    return told
