"""New records staged before their transaction begins: another process can do most of the work that writing them is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
from services.core.many import Columns, Same, bound, bound_column, meanwhile, picked, put, put_bound, values_of, written


@dataclass(frozen=True, slots=True)
class StagedRows:
    """New records staged before their transaction begins, by another process maybe, for `insert_staged`.

    `columns` hold the driver's own values, all but the `moments`, which hold when they are written; `told` has those of the
    model for columns that are asked for then, `states` what the ledger says of each. `writer` is the person they name.
    """

    columns: Mapping[str, Same | pl.Series]
    moments: Collection[str]
    told: Columns
    states: pl.Series
    writer: UUID | None

    def picked(self, places: Sequence[int]) -> "StagedRows":
        """The records at these places, of which there is at least one."""
        if len(places) == len(self.states):
            return self
        columns = {name: one if isinstance(one, Same) else one.gather(places) for name, one in self.columns.items()}
        told = {name: picked(one, places) for name, one in self.told.items()}
        return StagedRows(columns, self.moments, told, self.states.gather(places), self.writer)


def stage_rows(
    model: type[Recorded], columns: Columns, count: int, writer: UUID | None, dialect: Dialect, told: Collection[str]
) -> StagedRows:
    """Stage records: `columns` as `insert_columns` takes them, with `AT_WRITING` for moments; `told` names columns."""
    kind, table = model.record_type(), table_of(model)
    complete = completed(kind, columns, count, writer, AT_WRITING)
    moments = {name for name, column in complete.items() if isinstance(column, Same) and column.value == AT_WRITING}
    held: dict[str, Same | pl.Series] = {}
    for name in complete.keys() - moments:
        column = bound_column(table, name, complete[name], dialect)
        held[name] = column if isinstance(column, Same) else written(column, count)
    states = state_texts(kind, {**complete, "id": list(map(str, values_of(complete["id"], count)))}, count)
    return StagedRows(held, moments, {name: complete[name] for name in {"id", *told}}, pl.Series(states), writer)


def insert_staged(session: OrmSession, model: type[Recorded], staged: StagedRows) -> Columns:
    """`insert_columns` for what was staged; answers the columns that are told.

    Raises ValueError when they name another person than the one who writes, NoTransaction outside an operation that writes.
    """
    stamp = begin(session)
    if staged.writer != stamp.actor.user_id:
        raise ValueError("Rows are written by the person for whom they were staged.")
    kind, table, moment, count = model.record_type(), table_of(model), now(), len(staged.states)
    connection = session.connection()
    moments = dict.fromkeys(staged.moments, Same(moment))
    told = {**staged.told, **{name: column for name, column in moments.items() if name in staged.told}}

    def written_down() -> Columns:
        states = staged.states.str.replace_all(GAP, canonical(moment)[1:-1], literal=True)
        which = {"id": told["id"], "version": Same(1), "recorded_at": Same(moment)}
        said = entries(kind, which, count, stamp, Same(GENESIS), states)
        return {**said, "record_id": staged.columns["id"]}

    entered = meanwhile(connection.dialect, written_down)
    put_bound(connection, table, {**staged.columns, **bound(table, moments, connection.dialect)}, count)
    put(connection, table_of(LedgerEntry), entered(), count)
    tell_inserted(session, model, told, count)
    return told
