"""Many rows into one table at once, column by column: past SQLAlchemy's parameters, by the driver's quickest way."""

import gc
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, NamedTuple

import polars as pl
from sqlalchemy import JSON, Connection, Dialect, Table, func, select, text

from services.core.canonical_json import canonical
from services.core.db.columns import Column, Columns, Ids, Json, Same, each, hundredths_of, values_of, written


class Lines(NamedTuple):
    """Rows as PostgreSQL's COPY takes them: a frame of one column, a line for each row with these columns' values."""

    names: Sequence[str]
    lines: pl.DataFrame


class Bound(NamedTuple):
    """Rows as SQLite's driver takes them: the columns that differ from row to row, and those in which all have the same."""

    differing: pl.DataFrame
    same: Mapping[str, Same]


Ready = Lines | Bound
"""Rows that the database takes as they are."""
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
        self._waiting: list[tuple[Table, Callable[[], Columns | Ready], int]] = []
        self._meanwhile: list[Callable[[], object]] = []

    def add(self, table: Table, make: Callable[[], Columns | Ready], count: int) -> None:
        """Have `count` rows inserted when all is sent. `make` gives their columns, as `put` takes them; it is called by
        another thread maybe, so it must not use the connection.
        """
        if count:
            self._waiting.append((table, make, count))

    def meanwhile(self, act: Callable[[], object]) -> None:
        """Have something done while the rows are inserted: by another thread maybe, so it must not use the connection."""
        self._meanwhile.append(act)

    def send(self) -> None:
        """Insert what was added, and do what is to be done meanwhile."""
        waiting, self._waiting = self._waiting, []
        acts, self._meanwhile = self._meanwhile, []
        if self._connection.dialect.name != "postgresql":
            for table, make, count in waiting:
                self._insert(table, make(), count)
            for act in acts:
                act()
            return
        ready = [_BESIDE.submit(copy_context().run, self._written, *one) for one in waiting]
        done = [_BESIDE.submit(copy_context().run, act) for act in acts]
        try:
            for one in ready:
                self._copy(*one.result())
            for one in done:
                one.result()
        finally:
            # Nothing is still being made for a transaction that has failed.
            wait([*ready, *done])

    def _written(self, table: Table, make: Callable[[], Columns | Ready], count: int) -> tuple[str, bytes]:
        made = make()
        rows = made if isinstance(made, Lines) else lines_of(self._bound(table, made), count)
        buffer = io.BytesIO()
        rows.lines.write_csv(buffer, include_header=False, quote_style="never")
        return f"COPY {self._named(table, rows.names)} FROM STDIN", buffer.getvalue()

    def _bound(self, table: Table, made: Columns | Ready) -> Columns:
        match made:
            case Lines():
                raise TypeError("Lines are what PostgreSQL takes.")
            case Bound():
                return {**made.same, **made.differing.to_dict()}
        return bound(table, made, self._connection.dialect)

    def _copy(self, statement: str, rows: bytes) -> None:
        driver: Any = self._connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(rows)

    def _insert(self, table: Table, made: Columns | Ready, count: int) -> None:
        columns = self._bound(table, made)
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

    def _named(self, table: Table, names: Iterable[str]) -> str:
        quote = self._connection.dialect.identifier_preparer.quote
        return f"{quote(table.name)} ({', '.join(quote(name) for name in names)})"


def _is_plain(column: Column) -> bool:
    """Whether all rows have the same value, and one that SQLite writes in a statement as it is."""
    if not isinstance(column, Same):
        return False
    value = column.value
    text = isinstance(value, str) and len(value) <= LONGEST_PLAIN and "\x00" not in value
    return text or value is None or isinstance(value, int)


def ready_rows(table: Table, columns: Columns, count: int, dialect: Dialect) -> Ready:
    """Rows that need nothing but to be sent, whenever that is; `columns` as `put` takes them."""
    ours = bound(table, columns, dialect)
    if dialect.name == "postgresql":
        return lines_of(ours, count)
    same = {name: one for name, one in ours.items() if isinstance(one, Same)}
    return Bound(pl.DataFrame({name: written(one) for name, one in ours.items() if not isinstance(one, Same)}), same)


def ready_at(rows: Ready, places: Sequence[int]) -> Ready:
    """The rows at these places, of which there is at least one."""
    match rows:
        case Lines():
            return Lines(rows.names, rows.lines[places])
        case Bound():
            return Bound(rows.differing[places], rows.same)


def bound(table: Table, columns: Columns, dialect: Dialect) -> dict[str, Column]:
    """Columns with the values that the database's driver takes; a series holds them already."""
    return {name: _bound_column(table, name, column, dialect) for name, column in columns.items()}


def _bound_column(table: Table, name: str, column: Column, dialect: Dialect) -> Column:
    if isinstance(column, Json):
        return column.texts
    if isinstance(column, Ids):
        texts = written(column)
        return texts if dialect.name == "postgresql" else texts.str.replace_all("-", "", literal=True)
    if isinstance(column, pl.Series):
        return hundredths_of(column) if column.dtype == pl.Decimal else column
    process = _binding(table, name, dialect)
    return column if process is None else each(column, process)


def _binding(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a column's values what the driver takes; None where they are already."""
    kind = table.c[name].type.dialect_impl(dialect)
    if isinstance(kind, JSON):
        return canonical
    return kind.bind_processor(dialect)


_IN_THE_WAY = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
"""Characters that mean something between the values of COPY, and how they are written inside one."""


def lines_of(columns: Columns, count: int) -> Lines:
    """Rows as PostgreSQL's COPY takes them: a line each, a tab between values, ``\\N`` where there is none."""
    same = {name: one for name, one in columns.items() if isinstance(one, Same)}
    values = {name: _plain_text(one) for name, one in columns.items() if not isinstance(one, Same)}
    if same:
        values[""] = pl.repeat("\t".join(_plain_text([one.value])[0] for one in same.values()), count, eager=True)
    lines = pl.DataFrame(values).select(line=pl.concat_str(pl.all(), separator="\t"))
    return Lines([name for name in values if name] + list(same), lines)


def _plain_text(column: Json | Ids | Sequence[Any] | pl.Series) -> pl.Series:
    """Values as they stand in a line of COPY."""
    texts = written(column)
    if texts.dtype == pl.String and _is_marked(column):
        texts = texts.str.replace_many(_IN_THE_WAY)
    return texts.cast(pl.String).fill_null("\\N")


def _is_marked(column: Json | Ids | Sequence[Any] | pl.Series) -> bool:
    if isinstance(column, pl.Series):
        return bool(column.str.contains(r"[\\\t\n\r]").any())
    # In long texts Python finds a character many times as quickly.
    texts = column.texts if isinstance(column, Json | Ids) else column
    return any(mark in text for text in texts if isinstance(text, str) for mark in _IN_THE_WAY)


def numbers_for(connection: Connection, table: Table, name: str, count: int) -> list[int]:
    """Numbers that the next `count` rows of a table get in its counting column, in this transaction, which writes."""
    if connection.dialect.name == "postgresql":
        sequence = text(
            "SELECT array_agg(nextval(name)) "
            "FROM (SELECT pg_get_serial_sequence(:t, :c)::regclass AS name OFFSET 0) AS sequence, generate_series(1, :n)"
        )
        return list(connection.scalars(sequence, {"t": table.name, "c": name, "n": count}).one())
    # SQLite has one writer at a time, and numbers rows from the highest there is.
    last = connection.scalar(select(func.max(table.c[name]))) or 0
    return list(range(last + 1, last + 1 + count))
