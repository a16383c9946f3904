"""Many rows into one table at once, column by column: past SQLAlchemy's parameters, by the driver's quickest way."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import JSON, Connection, Dialect, Table, func, select, text

from services.core.ledger.state import canonical


class Same(NamedTuple):
    """A column in which every row has this one value."""

    value: Any


Column = Same | Sequence[Any]
Columns = Mapping[str, Column]


@contextmanager
def uncollected() -> Iterator[None]:
    """Rows by the thousand are no garbage: while they are made, memory isn't searched for objects that hold each other."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def as_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Rows of the same names as columns. Raises ValueError where a row lacks or adds a name."""
    names = rows[0].keys() if rows else ()
    if odd := next((row.keys() ^ names for row in rows if row.keys() != names), None):
        raise ValueError(f"A row lacks or adds {', '.join(sorted(odd))}.")
    return {name: [row[name] for row in rows] for name in names}


def values_of(column: Column, count: int) -> Iterable[Any]:
    """The values of a column, one for each of `count` rows."""
    return repeat(column.value, count) if isinstance(column, Same) else column


def first_of(column: Sequence[Any]) -> Any:
    """The first value of a column that isn't empty: all values of a column are of its kind."""
    return next((value for value in column if value is not None), None)


def each(column: Column, make: Callable[[Any], Any]) -> Column:
    """A column with something made of each value; of equal values once. `make` must not look at anything else."""
    if isinstance(column, Same):
        return Same(make(column.value))
    kind = type(first_of(column))
    if kind is UUID or kind is float:
        # Hardly any two are equal, and remembering what became of each would cost more than working it out.
        return [make(value) for value in column]
    if kind is list or kind is dict:
        # Known by being the very same one: nobody changes it while it is written.
        by_identity = {id(value): value for value in column}
        made = {key: make(value) for key, value in by_identity.items()}
        return [made[id(value)] for value in column]
    made = {value: make(value) for value in set(column)}
    return [made[value] for value in column]


def put(connection: Connection, table: Table, columns: Columns, count: int) -> None:
    """Insert `count` rows; columns of the table that aren't named take what the database gives them.

    Values are what the model's columns take. PostgreSQL is given them by COPY.
    """
    if count:
        put_bound(connection, table, bound(table, columns, connection.dialect), count)


def bound(table: Table, columns: Columns, dialect: Dialect) -> dict[str, Column]:
    """Columns with the values that the database's driver takes."""
    return {name: bound_column(table, name, column, dialect) for name, column in columns.items()}


def bound_column(table: Table, name: str, column: Column, dialect: Dialect) -> Column:
    """A column with the values that the database's driver takes."""
    process = _binding(table, name, dialect)
    return column if process is None else each(column, process)


def put_bound(connection: Connection, table: Table, columns: Columns, count: int) -> None:
    """`put` for columns that hold the driver's own values already (`bound`)."""
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in columns)
    rows = zip(*(values_of(column, count) for column in columns.values()), strict=True)
    if dialect.name == "postgresql":
        _copy(connection, f"COPY {quote(table.name)} ({names}) FROM STDIN", rows)
    else:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608  # names of our own tables
        connection.exec_driver_sql(statement, list(rows))


def picked(column: Column, places: Sequence[int]) -> Column:
    """The values of a column at these places, of which there is at least one."""
    if isinstance(column, Same):
        return column
    return list(itemgetter(*places)(column)) if len(places) > 1 else [column[places[0]]]


def _binding(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a column's values what the driver takes; None where they are already."""
    kind = table.c[name].type.dialect_impl(dialect)
    if isinstance(kind, JSON) and dialect.name == "sqlite":
        return canonical
    return kind.bind_processor(dialect)


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def numbers_for(connection: Connection, table: Table, name: str, count: int) -> list[int]:
    """Numbers that the next `count` rows of a table get in its counting column, in this transaction, which writes."""
    if connection.dialect.name == "postgresql":
        sequence = text("SELECT nextval(pg_get_serial_sequence(:t, :c)) FROM generate_series(1, :n)")
        return list(connection.scalars(sequence, {"t": table.name, "c": name, "n": count}))
    # SQLite has one writer at a time, and numbers rows from the highest there is.
    last = connection.scalar(select(func.max(table.c[name]))) or 0
    return list(range(last + 1, last + 1 + count))
