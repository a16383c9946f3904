"""Many rows into one table at once, column by column: `executemany` on SQLite, `COPY` on PostgreSQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Connection, Table, func, insert, select, text

from services.core.canonical_json import canonical

Columns = Mapping[str, Sequence[Any]]
"""Rows of one table by column: values as the model has them, the same number in each."""


def as_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows of the same names into columns. Raises ValueError where a row lacks or adds a name."""
    names = rows[0].keys() if rows else ()
    if odd := next((row.keys() ^ names for row in rows if row.keys() != names), None):
        raise ValueError(f"A row lacks or adds {', '.join(sorted(odd))}.")
    return {name: [row[name] for row in rows] for name in names}


def row_count(columns: Columns) -> int:
    """Count the rows that stand in columns."""
    return len(next(iter(columns.values()), ()))


def insert_rows(connection: Connection, table: Table, columns: Columns) -> None:
    """Insert rows past SQLAlchemy's parameters; columns that aren't named take what the database gives them."""
    if not row_count(columns):
        return
    # In the order of the table, as SQLAlchemy names them in the statement.
    names = [column.name for column in table.columns if column.name in columns]
    rows = zip(*(_bound_values(connection, table, name, columns[name]) for name in names), strict=True)
    if connection.dialect.name == "sqlite":
        statement = insert(table).compile(dialect=connection.dialect, column_keys=names)
        connection.exec_driver_sql(str(statement), list(rows))
        return
    from psycopg import sql

    driver: Any = connection.connection.driver_connection
    copied = sql.SQL(", ").join(map(sql.Identifier, names))
    copy_statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), copied)
    with driver.cursor() as cursor, cursor.copy(copy_statement) as copy:
        for row in rows:
            copy.write_row(row)


def _bound_values(connection: Connection, table: Table, name: str, values: Sequence[Any]) -> Iterable[Any]:
    """A column's values as the driver takes them."""
    kind = table.c[name].type.dialect_impl(connection.dialect)
    process = canonical if isinstance(kind, JSON) else kind.bind_processor(connection.dialect)
    return values if process is None else convert_values(process, values)


def convert_values(convert: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Convert each value, the very same object once: most columns have few values for all rows."""
    by_identity = {id(value): value for value in values}
    converted = {identity: convert(value) for identity, value in by_identity.items()}
    return [converted[id(value)] for value in values]


def reserve_numbers(connection: Connection, table: Table, name: str, count: int) -> list[int]:
    """Numbers for the next `count` rows of a table's counting column, in this transaction, which writes."""
    if connection.dialect.name == "postgresql":
        sequence = text(
            "SELECT array_agg(nextval(name)) "
            "FROM (SELECT pg_get_serial_sequence(:t, :c)::regclass AS name OFFSET 0) AS sequence, generate_series(1, :n)"
        )
        return list(connection.scalars(sequence, {"t": table.name, "c": name, "n": count}).one())
    # SQLite has one writer at a time, and numbers rows from the highest there is.
    last = connection.scalar(select(func.max(table.c[name]))) or 0
    return list(range(last + 1, last + 1 + count))
