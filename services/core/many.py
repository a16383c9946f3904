"""Many rows into one table at once, column by column: past SQLAlchemy's parameters, by the driver's quickest way."""

import gc
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from datetime import date, datetime
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import JSON, Connection, Dialect, Table, func, select, text

from services.core.ledger.state import canonical


class Same(NamedTuple):
    """A column in which every row has this one value."""

    value: Any


class Json(NamedTuple):
    """A column of JSON values, each as `canonical` writes it."""

    texts: Sequence[str]


Column = Same | Json | Sequence[Any] | pl.Series
"""A series holds the database driver's own values; the others those of the model, unless it is said otherwise."""
Columns = Mapping[str, Column]
LONGEST_PLAIN = 1_000
"""The most characters of a text that is part of a statement: statements have a greatest length."""
_BESIDE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fmar-rows")


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
    match column:
        case Same():
            return repeat(column.value, count)
        case Json():
            return map(json.loads, column.texts)
        case pl.Series():
            return column.to_list()
        case _:
            return column


def first_of(column: Sequence[Any]) -> Any:
    """The first value of a column that isn't empty: all values of a column are of its kind."""
    return next((value for value in column if value is not None), None)


def each(column: Column, make: Callable[[Any], Any]) -> Same | Sequence[Any]:
    """A column with something made of each value; of equal values once. `make` must not look at anything else."""
    if isinstance(column, Same):
        return Same(make(column.value))
    column = list(values_of(column, 0)) if isinstance(column, pl.Series | Json) else column
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
    puts = Puts(connection)
    puts.add(table, lambda: columns, count)
    puts.send()


class Puts:
    """Rows for several tables, inserted one table after the other in the order in which they were added.

    While PostgreSQL takes the rows of one table, which needs nothing of this process, those of the next are made.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Table, Callable[[], Columns], int]] = []

    def add(self, table: Table, make: Callable[[], Columns], count: int) -> None:
        """Have `count` rows inserted when all is sent. `make` gives their columns, as `put` takes them; it is called by
        another thread maybe, so it must not use the connection.
        """
        if count:
            self._waiting.append((table, make, count))

    def send(self) -> None:
        """Insert what was added."""
        waiting, self._waiting = self._waiting, []
        if self._connection.dialect.name != "postgresql":
            for table, make, count in waiting:
                self._insert(table, bound(table, make(), self._connection.dialect), count)
            return
        ready = [_BESIDE.submit(copy_context().run, self._written, *one) for one in waiting]
        try:
            for one in ready:
                self._copy(*one.result())
        finally:
            # Nothing is still being made for a transaction that has failed.
            wait(ready)

    def _written(self, table: Table, make: Callable[[], Columns], count: int) -> tuple[str, bytes]:
        columns = bound(table, make(), self._connection.dialect)
        return f"COPY {self._named(table, columns)} FROM STDIN", copied(columns, count)

    def _copy(self, statement: str, rows: bytes) -> None:
        driver: Any = self._connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(rows)

    def _insert(self, table: Table, columns: Columns, count: int) -> None:
        # A value that all rows have is part of the statement: to hand it over again for each row takes as long as any other.
        same = {name: column.value for name, column in columns.items() if _is_plain(column)}
        differing = [values_of(column, count) for name, column in columns.items() if name not in same]
        rows = list(zip(*differing, strict=True)) if differing else [()] * count
        literal = dict(zip(same, self._quoted(list(same.values())), strict=True))
        values = ", ".join(literal.get(name, "?") for name in columns)
        statement = f"INSERT INTO {self._named(table, columns)} VALUES ({values})"  # noqa: S608  # quoted by SQLite itself
        self._connection.exec_driver_sql(statement, rows)

    def _quoted(self, values: Sequence[Any]) -> Sequence[str]:
        """Values as SQLite itself writes them in a statement."""
        if not values:
            return ()
        driver: Any = self._connection.connection.driver_connection
        return driver.execute(f"SELECT {', '.join(['quote(?)'] * len(values))}", values).fetchone()

    def _named(self, table: Table, columns: Columns) -> str:
        quote = self._connection.dialect.identifier_preparer.quote
        return f"{quote(table.name)} ({', '.join(quote(name) for name in columns)})"


def _is_plain(column: Column) -> bool:
    """Whether all rows have the same value, and one that SQLite writes in a statement as it is."""
    if not isinstance(column, Same):
        return False
    value = column.value
    text = isinstance(value, str) and len(value) <= LONGEST_PLAIN and "\x00" not in value
    return text or value is None or isinstance(value, int)


def bound(table: Table, columns: Columns, dialect: Dialect) -> dict[str, Column]:
    """Columns with the values that the database's driver takes."""
    return {name: bound_column(table, name, column, dialect) for name, column in columns.items()}


def bound_column(table: Table, name: str, column: Column, dialect: Dialect) -> Column:
    """A column with the values that the database's driver takes; a series holds them already."""
    if isinstance(column, Json):
        return column.texts
    process = _binding(table, name, dialect)
    return column if process is None or isinstance(column, pl.Series) else each(column, process)


def picked(column: Column, places: Sequence[int]) -> Column:
    """The values of a column at these places, of which there is at least one."""
    if isinstance(column, Same):
        return column
    if isinstance(column, Json):
        return Json([column.texts[place] for place in places])
    column = column.to_list() if isinstance(column, pl.Series) else column
    return list(itemgetter(*places)(column)) if len(places) > 1 else [column[places[0]]]


def _binding(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a column's values what the driver takes; None where they are already."""
    kind = table.c[name].type.dialect_impl(dialect)
    if isinstance(kind, JSON):
        return canonical
    return kind.bind_processor(dialect)


_WRITTEN: dict[type, Callable[[Any], str]] = {UUID: str, datetime: datetime.isoformat, date: date.isoformat}
"""How values are written for COPY that aren't text, numbers or truth values."""
_IN_THE_WAY = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
"""Characters that mean something between the values of COPY, and how they are written inside one."""


def copied(columns: Columns, count: int) -> bytes:
    """Rows as PostgreSQL's COPY takes them: a line each, a tab between values, ``\\N`` where there is none."""
    lines = pl.DataFrame({name: written(column, count) for name, column in columns.items()})
    texts = [name for name, kind in lines.schema.items() if kind == pl.String]
    met = lines.select(pl.col(texts).str.contains(r"[\\\t\n\r]").any()).row(0) if texts else ()
    lines = lines.with_columns(
        pl.col(name).str.replace_many(_IN_THE_WAY) for name, meets in zip(texts, met, strict=True) if meets
    )
    buffer = io.BytesIO()
    lines.write_csv(buffer, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    return buffer.getvalue()


def written(column: Column, count: int) -> pl.Series:
    """A column's values as numbers, truth values or text. KeyError for those of another kind."""
    match column:
        case Same():
            return written([column.value], 1).new_from_index(0, count)
        case pl.Series():
            return column
    kind = type(first_of(column))
    if issubclass(kind, str | int | float):
        return pl.Series(column)
    if kind is type(None):
        return pl.Series(column, dtype=pl.String)
    write = _WRITTEN[kind]
    return pl.Series([None if value is None else write(value) for value in column], dtype=pl.String)


def numbers_for(connection: Connection, table: Table, name: str, count: int) -> list[int]:
    """Numbers that the next `count` rows of a table get in its counting column, in this transaction, which writes."""
    if connection.dialect.name == "postgresql":
        sequence = text(
            "SELECT nextval(name) FROM (SELECT pg_get_serial_sequence(:t, :c)::regclass AS name OFFSET 0) AS sequence, "
            "generate_series(1, :n)"
        )
        return list(connection.scalars(sequence, {"t": table.name, "c": name, "n": count}))
    # SQLite has one writer at a time, and numbers rows from the highest there is.
    last = connection.scalar(select(func.max(table.c[name]))) or 0
    return list(range(last + 1, last + 1 + count))
