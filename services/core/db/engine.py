"""The database: one engine per process, SQLite by default, PostgreSQL by `DATABASE_URL`."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError

from services.core.settings import settings

_engines: dict[str, Engine] = {}
_views: dict[tuple[str, bool], Engine] = {}
"""The same engines, told what a unit of work is going to do: by URL, and whether it writes."""
_readers: dict[str, deque[Connection]] = {}
"""Connections to SQLite that only read, kept open between units of work: taking one from a pool costs more than a query."""
KEPT_READERS = 4
_folding = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fmar-folding")
_folds: dict[str, Future[None]] = {}
"""By URL, the folding that began last. What goes wrong with one is left to the next commit that finds the log too long."""
_lock = Lock()
PRAGMAS = (
    "journal_mode=WAL",
    # What was acknowledged is on the disk, also when the machine loses its power: docs/operate.md has what it costs.
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    # Where many rows are written, each touches a page in every index: 64 MB of them are held until they are full.
    "cache_size=-65536",
    # A file of assets commits a hundred megabytes in a few seconds: pages that change again soon are folded in once.
    "wal_autocheckpoint=32000",
)


class _SqliteCompiler(SQLiteCompiler):
    """The SQLite compiler with table hints, which SQLAlchemy leaves out: `with_hint(Asset, "INDEXED BY ...", "sqlite")`."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


SCHEMES = ("sqlite:///", "postgresql+psycopg://")


def _sqlite(url: str) -> Engine:
    path = url.removeprefix("sqlite:///")
    if path and path != ":memory:":
        _make_private(Path(path))
    new_engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30}, hide_parameters=True)
    new_engine.dialect.statement_compiler = _SqliteCompiler

    @event.listens_for(new_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # SQLAlchemy begins transactions below; the driver's own implicit BEGIN would come too late for reads.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(new_engine, "begin")
    def _begin(connection: Any) -> None:
        # A writer takes its lock at once: it waits its turn instead of failing half-way.
        writes = connection.get_execution_options().get("fmar_writes", False)
        driver = connection.connection.driver_connection
        if driver.in_transaction:
            # A kept reader whose unit of work has begun, and which now asks for a session.
            return
        try:
            driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        except new_engine.dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance("BEGIN", None, error, new_engine.dialect.loaded_dbapi.Error) from error

    return new_engine


def _make_private(file: Path) -> None:
    """Make the file of a new register one that its owner alone reads; its log and index beside it follow SQLite's rule,
    which gives them the file's own mode. An existing file keeps its own.
    """
    with suppress(OSError):  # a disk that can't be written to is met by who reads or writes, and told as such
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _postgres(url: str) -> Engine:
    # The name is what the database's own list of connections shows; rows by the thousand are handed over as UTF-8.
    options = {"application_name": "fmar", "client_encoding": "utf8"}
    new_engine = create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=options, hide_parameters=True)
    event.listen(new_engine, "handle_error", _hide_row_values)
    return new_engine


def _hide_row_values(context: ExceptionContext) -> None:
    """Leave out of an error's text what PostgreSQL quotes of rows: "Failing row contains (...)", "Key (email)=(...)"."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            error.args = (error.args[0].partition("\nDETAIL:")[0], *error.args[1:])


def engine(*, writes: bool = False) -> Engine:
    """The engine of this process for the configured database; `writes` for units of work that change something.

    One that only reads sees the register as it stood at one moment, however many questions it asks: SQLite does that by
    itself, PostgreSQL where it is told to.
    """
    url = settings().resolved_database_url()
    return _views.get((url, writes)) or _open(url, writes)


def _open(url: str, writes: bool) -> Engine:
    with _lock:
        opened = _engines.get(url)
        if opened is None:
            if not url.startswith(SCHEMES):
                raise ValueError("DATABASE_URL must start with sqlite:/// or postgresql+psycopg://")
            opened = _sqlite(url) if url.startswith("sqlite") else _postgres(url)
            _engines[url] = opened
        if writes or opened.dialect.name == "sqlite":
            view = opened.execution_options(fmar_writes=writes)
        else:
            view = opened.execution_options(
                fmar_writes=False, isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        _views[url, writes] = view
        return view


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection inside a transaction that only reads, and leaves nothing when it ends."""
    view = engine(writes=False)
    if view.dialect.name != "sqlite":
        with view.connect() as connection, connection.begin():
            yield connection
            return
    readers = _readers.setdefault(settings().resolved_database_url(), deque())
    try:
        connection = readers.pop()
    except IndexError:
        connection = view.connect()
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute("BEGIN")
        yield connection
    finally:
        if connection.in_transaction():
            connection.rollback()
        driver.rollback()
        if len(readers) < KEPT_READERS and _engines:
            readers.append(connection)
        else:
            connection.close()


def fold_in() -> None:
    """Have what was committed to SQLite's log folded into its file meanwhile, so that no commit has to wait for all of it.

    For a job that commits much, one time after the other. It is in nobody's way; PostgreSQL does the like by itself.
    """
    url = settings().resolved_database_url()
    if is_sqlite() and (url not in _folds or _folds[url].done()):
        _folds[url] = _folding.submit(_fold, engine())


def _fold(view: Engine) -> None:
    with view.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(PASSIVE)")


def is_sqlite() -> bool:
    """Tell whether the register is kept in SQLite."""
    return settings().resolved_database_url().startswith("sqlite")


def close() -> None:
    """Let go of all connections: before the database file is replaced, and between tests."""
    for under_way in _folds.values():
        under_way.exception()
    _folds.clear()
    with _lock:
        for readers in _readers.values():
            while readers:
                readers.pop().close()
        _readers.clear()
        for open_engine in _engines.values():
            open_engine.dispose()
        _engines.clear()
        _views.clear()
