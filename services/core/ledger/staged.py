"""New records staged before their transaction begins: another process can do most of the work that writing them is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Dialect
from sqlalchemy.orm import Session as OrmSession

from models.base import Recorded
from models.core import LedgerEntry
from services.core.clock import now
from services.core.ledger.bulk import AT_WRITING, GAP, begin, completed, entries, state_texts, tell_inserted
from services.core.ledger.state import GENESIS, canonical
from services.core.ledger.writer import table_of
from services.core.many import Columns, Same, bound_column, picked, put, put_bound, values_of


@dataclass(frozen=True, slots=True)
class StagedRows:
    """New records staged before their transaction begins, by another process maybe, for `insert_staged`.

    `columns` hold the driver's own values, `told` those of the model for columns that are asked for once the records are
    written, `states` what the ledger says of each; the moment of writing is left open. `writer` is the person they name.
    """

    columns: Columns
    told: Columns
    states: Sequence[str]
    writer: UUID | None

    def picked(self, places: Sequence[int]) -> "StagedRows":
        """The records at these places, of which there is at least one."""
        if len(places) == len(self.states):
            return self
        columns, told = (
            {name: picked(one, places) for name, one in held.items()} for held in (self.columns, self.told)
        )
        return StagedRows(columns, told, [self.states[place] for place in places], self.writer)


def stage_rows(
    model: type[Recorded], columns: Columns, count: int, writer: UUID | None, dialect: Dialect, told: Collection[str]
) -> StagedRows:
    """Stage records: `columns` as `insert_columns` takes them, with `AT_WRITING` for moments; `told` names columns."""
    kind, table = model.record_type(), table_of(model)
    complete = completed(kind, columns, count, writer, AT_WRITING)
    held = {
        name: column if column == Same(AT_WRITING) else bound_column(table, name, column, dialect)
        for name, column in complete.items()
    }
    states = state_texts(kind, {**complete, "id": list(map(str, values_of(complete["id"], count)))}, count)
    return StagedRows(held, {name: complete[name] for name in {"id", *told}}, states, writer)


def insert_staged(session: OrmSession, model: type[Recorded], staged: StagedRows) -> Columns:
    """`insert_columns` for what was staged; answers the columns that are told.

    Raises ValueError when they name another person than the one who writes, NoTransaction outside an operation that writes.
    """
    stamp = begin(session)
    if staged.writer != stamp.actor.user_id:
        raise ValueError("Rows are written by the person for whom they were staged.")
    kind, table, moment, count = model.record_type(), table_of(model), now(), len(staged.states)
    connection = session.connection()
    columns, told = (
        {name: Same(moment) if column == Same(AT_WRITING) else column for name, column in held.items()}
        for held in (staged.columns, staged.told)
    )
    at_writing = [name for name, column in staged.columns.items() if column == Same(AT_WRITING)]
    columns |= {name: bound_column(table, name, columns[name], connection.dialect) for name in at_writing}
    put_bound(connection, table, columns, count)
    said = canonical(moment)[1:-1]
    states = [state.replace(GAP, said) for state in staged.states]
    which = {"id": told["id"], "version": Same(1), "recorded_at": Same(moment)}
    put(connection, table_of(LedgerEntry), entries(kind, which, count, stamp, Same(GENESIS), states), count)
    tell_inserted(session, model, told, count)
    return told
