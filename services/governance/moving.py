"""Moving a whole register from SQLite to PostgreSQL or back: every row of every table, the ledger with its chains and seals.

All in one transaction of the target, which is committed once the rows are counted on both sides and the ledger is
verified in the target. Whatever happens before, the target is left as it was; the source is only read.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from psycopg import Connection as PsycopgConnection
from psycopg import Error as PsycopgError
from psycopg import sql
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from models import metadata
from services.core.db.exclusive import address_of, alone_with, shown
from services.core.db.maintenance import LOOKED_AT
from services.core.db.migrate import migrate_over, present_schema, schema_of
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import Fault, Verification, verify_ledger
from services.core.transaction import Stamp, reading_over

BATCH = 5_000
"""Rows that are in memory at a time."""

Tell = Callable[[str, int, int], None]
"""Told the table, how many of its rows are there, and of how many."""


@dataclass(frozen=True, slots=True)
class MovedTable:
    """One table: rows in the source, rows in the target, and how long they took, in seconds."""

    name: str
    rows: int
    arrived: int
    seconds: float


@dataclass(slots=True)
class Moved:
    """Outcome of a move: what was moved, and what holding the ledger against the records found in the target."""

    source: str
    target: str
    tables: list[MovedTable] = field(default_factory=list)
    ledger: Verification | None = None
    faults_before: list[Fault] = field(default_factory=list)
    """The same faults, as the ledger had in the source already."""

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(table.arrived for table in self.tables)


def move_register(source: str, target: str, tell: Tell | None = None) -> Moved:
    """Move the register at one URL into an empty database at another, of the other kind.

    Raises Refused, saying what to do, when the target holds anything, a schema isn't the present one, or either is in
    use; and when what arrived is not what was sent. Then the target is as it was.
    """
    source, target = address_of(source), address_of(target)
    _require_different(source, target)
    moved = Moved(shown(source), shown(target))
    with alone_with(source, changes=False) as out, alone_with(target, changes=True) as into:
        _require_register(out, source)
        _make_ready(into, target)
        for table in metadata.sorted_tables:
            moved.tables.append(_move_table(out, into, table, tell or _silently))
        _go_on_after_the_highest(into)
        _require_all_arrived(moved)
        _verify(moved, out, into)
        into.commit()
        _gather_statistics(into)
    return moved


def _silently(_table: str, _there: int, _of: int) -> None:
    """Progress that nobody follows."""


def _require_different(source: str, target: str) -> None:
    if source == target:
        raise Refused(f"{shown(source)} is both source and target. Name the database to move to.")
    if source.partition(":")[0] != target.partition(":")[0]:
        return
    way = (
        "From one SQLite file to another, use: manage.py backup and manage.py restore."
        if source.startswith("sqlite")
        else "From one PostgreSQL to another, use: pg_dump and pg_restore."
    )
    raise Refused(f"Both are databases of one kind. {way}")


def _command(url: str) -> str:
    return f"DATABASE_URL={shown(url)} python manage.py migrate"


def _require_register(out: Connection, source: str) -> None:
    schema = schema_of(out)
    if schema is None:
        raise Refused(f"There is no register at {shown(source)}.")
    if schema != present_schema():
        raise Refused(
            f"The source has schema {schema}, this software schema {present_schema()}. Migrate it first: {_command(source)}"
        )


def _make_ready(into: Connection, target: str) -> None:
    """Give a database without tables the present schema; one that has it has to be empty."""
    present = set(sa.inspect(into).get_table_names())
    if not present:
        migrate_over(into)
        if schema_of(into) != present_schema():
            raise Refused(f"{shown(target)} could not be given the present schema.")
        return
    schema = schema_of(into) if "alembic_version" in present else None
    if schema is None:
        raise Refused(f"{shown(target)} holds tables of something else. Give an empty database.")
    if schema != present_schema():
        raise Refused(
            f"The target has schema {schema}, this software schema {present_schema()}. Give a database without tables: it is "
            f"brought to the present schema by itself. Or migrate it first: {_command(target)}"
        )
    held = [table.name for table in metadata.sorted_tables if _any(into, table)]
    if held:
        raise Refused(
            f"{shown(target)} is not empty: it holds {', '.join(held[:5])}{' and more' if held[5:] else ''}. Nothing is ever "
            "moved over a register that is there, first data included. Give a database without tables."
        )


def _any(connection: Connection, table: Table) -> bool:
    return connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _move_table(out: Connection, into: Connection, table: Table, tell: Tell) -> MovedTable:
    started = time.perf_counter()
    expected, there = _count(out, table), 0
    move = _copy_into_postgres if into.dialect.name == "postgresql" else _insert_into_sqlite
    tell(table.name, 0, expected)
    try:
        for rows in move(out, into, table):
            there += rows
            tell(table.name, there, expected)
    except (DBAPIError, PsycopgError) as error:
        message = str(error.orig if isinstance(error, DBAPIError) else error).strip().replace("\n", " ")
        raise Refused(
            f"A row of {table.name}, after the first {there:,}, can't be kept in the target: {message}. Nothing was moved."
        ) from error
    return MovedTable(table.name, expected, _count(into, table), time.perf_counter() - started)


def _copy_into_postgres(out: Connection, into: Connection, table: Table) -> Iterator[int]:
    """COPY the rows as SQLite stores them: PostgreSQL reads identifiers, moments (UTC), JSON and truth from that text."""
    names = [column.name for column in table.columns]
    rows = out.execute(sa.select(*(sa.type_coerce(column, sa.types.NullType()) for column in table.columns)))
    driver = into.connection.driver_connection
    if not isinstance(driver, PsycopgConnection):
        raise TypeError("PostgreSQL is reached through psycopg.")
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        for batch in rows.partitions(BATCH):
            for row in batch:
                copy.write_row(row)
            yield len(batch)


def _insert_into_sqlite(out: Connection, into: Connection, table: Table) -> Iterator[int]:
    """Insert the rows as the portal would write them, read through a cursor that stays on the server."""
    plain = sa.table(table.name, *(sa.column(column.name, _stored_as(column)) for column in table.columns))
    streamed = out.execute(sa.select(*plain.columns), execution_options={"stream_results": True, "yield_per": BATCH})
    for batch in streamed.mappings().partitions(BATCH):
        into.execute(sa.insert(plain), [dict(row) for row in batch])
        yield len(batch)


def _stored_as(column: sa.Column[object]) -> sa.types.TypeEngine[Any]:
    """The column as it stands in the database, without the meaning that the register reads into it."""
    kind = column.type
    if isinstance(kind, sa.types.TypeDecorator):
        return kind.impl_instance
    if isinstance(kind, sa.Enum):
        return sa.String()
    return sa.JSON(none_as_null=bool(column.nullable)) if isinstance(kind, sa.JSON) else kind


def _go_on_after_the_highest(into: Connection) -> None:
    """Set PostgreSQL's sequences to what arrived; SQLite counts on from the highest by itself."""
    if into.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        numbered = table.autoincrement_column
        if numbered is None:
            continue
        sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', numbered.name)
        highest = sa.select(sa.func.max(numbered)).scalar_subquery()
        into.execute(sa.select(sa.func.setval(sequence, highest)).where(sequence.is_not(None), highest.is_not(None)))


def _require_all_arrived(moved: Moved) -> None:
    short = [
        f"{table.name} {table.arrived:,} of {table.rows:,}" for table in moved.tables if table.arrived != table.rows
    ]
    if short:
        raise Refused(f"Not all rows arrived: {', '.join(short)}. The target was left as it was.")


def _verify(moved: Moved, out: Connection, into: Connection) -> None:
    """Verify the ledger over the rows that arrived. Faults that the source has too are the source's, and are told."""
    moved.ledger = _verified(into)
    if not moved.ledger.faults:
        return
    moved.faults_before = _verified(out).faults
    if moved.ledger.faults != moved.faults_before:
        first = next(fault for fault in moved.ledger.faults if fault not in moved.faults_before)
        raise Refused(f"The ledger did not arrive whole: {first.where}: {first.message} The target was left as it was.")


def _verified(connection: Connection) -> Verification:
    with reading_over(connection, Stamp("move_register", "UC-05.06", system_actor())):
        return verify_ledger(system_actor())


def _gather_statistics(into: Connection) -> None:
    """Tell the planner what is there now, so that the first pages are as quick as the later ones."""
    if into.dialect.name == "sqlite":
        into.exec_driver_sql(f"PRAGMA analysis_limit={LOOKED_AT}")
    into.exec_driver_sql("ANALYZE")
    into.commit()
