"""A register that nobody else has open: what moving and restoring ask for, so that nothing is written meanwhile and lost.

SQLite: a connection that has the file open in write-ahead mode, as every portal does, keeps a shared lock on it even while it
rests. Who asks for the whole file alone is therefore refused while a portal runs, and a portal that is started
meanwhile finds it locked. PostgreSQL tells who is connected, and locks on the tables keep writers out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from models import metadata
from services.core.db.engine import SCHEMES
from services.core.errors import Refused
from services.core.settings import settings

WAIT_SECONDS = 2
STOP = "Stop the portal and every command that works on it, and try again."


def address_of(url: str) -> str:
    """The URL of a register as the settings read it: a relative SQLite path is one under the project. Or Refused."""
    if not url.startswith(SCHEMES) or url in ("sqlite:///", "sqlite:///:memory:"):
        raise Refused(f"“{shown(url)}” is no register: give sqlite:///path or postgresql+psycopg://user@host/name.")
    return settings().model_copy(update={"database_url": url}).resolved_database_url()


def shown(url: str) -> str:
    """The URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return url.partition(":")[0]


def sqlite_path(url: str) -> Path:
    """The file of a SQLite register."""
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def alone_with(url: str, *, changes: bool) -> Iterator[Connection]:
    """A connection in one transaction to a register that nobody else has open; rolled back unless it is committed.

    With `changes`, a SQLite file that isn't there is made, and taken away again when the block fails. Raises Refused, saying
    what to stop, while somebody has the register open.
    """
    address = address_of(url)
    is_new = address.startswith("sqlite") and not sqlite_path(address).exists()
    engine = _sqlite(address, changes=changes) if address.startswith("sqlite") else create_engine(address)
    try:
        with _opened(engine, address) as connection:
            if engine.dialect.name == "postgresql":
                _keep_out(connection, address, changes=changes)
            yield connection
    except BaseException:
        engine.dispose()
        if is_new:
            _take_away(sqlite_path(address))
        raise
    finally:
        engine.dispose()


def _take_away(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def _sqlite(address: str, *, changes: bool) -> Engine:
    path = sqlite_path(address)
    if not changes and not path.is_file():
        raise Refused(f"There is no register at {path}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _record: object) -> None:
        connection.isolation_level = None  # pyright: ignore[reportAttributeAccessIssue]
        for pragma in ("locking_mode=EXCLUSIVE", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")  # pyright: ignore[reportAttributeAccessIssue]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    return engine


@contextmanager
def _opened(engine: Engine, address: str) -> Iterator[Connection]:
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql("SELECT 1")
        except OperationalError as error:
            if "locked" not in str(error.orig):
                raise
            raise Refused(f"The register {shown(address)} is in use by another process. {STOP}") from None
        yield connection


_OTHERS = text(
    "SELECT coalesce(nullif(application_name, ''), usename, 'unnamed'), count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL "
    "AND coalesce(backend_type, 'client backend') = 'client backend' GROUP BY 1 ORDER BY 1"
)


def _keep_out(connection: Connection, address: str, *, changes: bool) -> None:
    """Refuse while somebody is connected; from here to the end of the transaction, nobody else writes any table."""
    others = connection.execute(_OTHERS).all()
    if others:
        names = ", ".join(f"{name} ({count})" for name, count in others)
        raise Refused(f"The register {shown(address)} is in use: {names} connected. {STOP}")
    there = set(inspect(connection).get_table_names())
    tables = [table for table in metadata.sorted_tables if table.name in there]
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
    if tables:
        quote = connection.dialect.identifier_preparer.format_table
        mode = "EXCLUSIVE" if changes else "SHARE"
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(map(quote, tables))} IN {mode} MODE")
