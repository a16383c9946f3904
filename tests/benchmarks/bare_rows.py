"""The baseline of a bulk job: the rows that it left, put by the driver alone into empty tables like those of the register.

They have the same columns, indexes and foreign keys; the organisations that assets refer to are there beforehand.

On SQLite `executemany` of Python's own module, with the settings that the register's connections have; on PostgreSQL
`COPY` by psycopg. The rows are in memory, with the driver's own types, before the clock starts; one transaction.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from services.core.db import engine as database

TABLES = ("asset", "asset_alias", "ledger_entry", "event", "event_delivery")
"""What registering writes: assets, their aliases, ledger and events. Counts and the job aren't asked of the baseline."""
ASSETS_AND_LEDGER = ("asset", "ledger_entry")
REFERRED = "organisation"
PRAGMAS = ("journal_mode", "synchronous", "cache_size", "temp_store", "mmap_size", "wal_autocheckpoint", "foreign_keys")
Rows = dict[str, list[tuple[Any, ...]]]
Act = Callable[[], None]


def counts_of(url: str) -> dict[str, int]:
    """How many rows each table has."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    with _postgres(url) as connection:
        return {table: _one(connection, sql.SQL("SELECT count(*) FROM {}"), table) for table in TABLES}


def prepared(url: str, before: dict[str, int], folder: Path) -> tuple[Act, int]:
    """The inserting, ready to go, and how many assets it inserts.

    `before` says for each table that is to be filled how many rows it had before the job.
    """
    act, rows = _on_sqlite(url, before, folder) if url.startswith("sqlite") else _on_postgres(url, before)
    return act, len(rows["asset"])


def _on_sqlite(url: str, before: dict[str, int], folder: Path) -> tuple[Act, Rows]:
    source = sqlite3.connect(url.removeprefix("sqlite:///"))
    rows = {
        table: source.execute(f"SELECT * FROM {table} ORDER BY rowid LIMIT -1 OFFSET ?", (before[table],)).fetchall()
        for table in before
    }
    made = source.execute(
        f"SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index') "
        f"AND tbl_name IN ({', '.join('?' * len(TABLES))}, ?) ORDER BY type DESC",
        (*TABLES, REFERRED),
    ).fetchall()
    referred = source.execute(f"SELECT * FROM {REFERRED}").fetchall()
    source.close()
    target = _like_ours(folder / "bare.sqlite")
    for (statement,) in made:
        target.execute(statement)
    _insert(target, REFERRED, referred)
    target.commit()

    def act() -> None:
        for table, lines in rows.items():
            if lines:
                _insert(target, table, lines)
        target.commit()

    return act, rows


def _insert(target: sqlite3.Connection, table: str, lines: list[tuple[Any, ...]]) -> None:
    target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(lines[0]))})", lines)


def _like_ours(path: Path) -> sqlite3.Connection:
    """A new file, opened with the settings that a connection of the register has."""
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    target = sqlite3.connect(path)
    with database.engine(writes=True).connect() as ours:
        cursor = ours.connection.cursor()
        for pragma in PRAGMAS:
            found = cursor.execute(f"PRAGMA {pragma}").fetchone()
            if found is not None:
                target.execute(f"PRAGMA {pragma} = {found[0]}")
    return target


def _on_postgres(url: str, before: dict[str, int]) -> tuple[Act, Rows]:
    connection = _postgres(url)
    connection.execute("DROP SCHEMA IF EXISTS bare CASCADE")
    connection.execute("CREATE SCHEMA bare")
    # What a table here refers to is the one here, where there is one.
    connection.execute("SET search_path TO bare, public")
    rows: Rows = {}
    for table in before:
        name = sql.Identifier(table)
        connection.execute(sql.SQL("CREATE TABLE bare.{} (LIKE public.{} INCLUDING ALL)").format(name, name))
        columns = connection.execute(COLUMNS, [table]).fetchall()
        picked = sql.SQL(", ").join(
            sql.SQL("{}::text" if kind in ("json", "jsonb") else "{}").format(sql.Identifier(column))
            for column, kind in columns
        )
        # Rows are only ever added here, so they lie in the order in which they came.
        chosen = sql.SQL("SELECT {} FROM public.{} OFFSET {}").format(picked, name, before[table])
        rows[table] = connection.execute(chosen).fetchall()
    for table, text in connection.execute(FOREIGN_KEYS, [list(before)]).fetchall():
        connection.execute(sql.SQL("ALTER TABLE bare.{} ADD {}").format(sql.Identifier(table), sql.SQL(text)))
    connection.commit()

    def act() -> None:
        with connection.cursor() as cursor:
            for table, lines in rows.items():
                with cursor.copy(sql.SQL("COPY bare.{} FROM STDIN").format(sql.Identifier(table))) as copy:
                    for line in lines:
                        copy.write_row(line)
        connection.commit()

    return act, rows


FOREIGN_KEYS = (
    "SELECT relname, replace(pg_get_constraintdef(pg_constraint.oid), 'public.', '') FROM pg_constraint "
    "JOIN pg_class ON pg_class.oid = conrelid "
    "WHERE contype = 'f' AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)"
)
COLUMNS = (
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s "
    "ORDER BY ordinal_position"
)


def _postgres(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url.replace("+psycopg", "", 1))


def _one(connection: psycopg.Connection[tuple[Any, ...]], statement: sql.SQL, table: str) -> Any:
    row = connection.execute(statement.format(sql.Identifier(table))).fetchone()
    return row[0] if row else None
