"""The databases that tests run on are separate, whole and gone afterwards."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from models import metadata
from services.core.db.engine import engine
from tests.databases import fresh_postgres, fresh_sqlite, postgres_template, sqlite_template

pytestmark = pytest.mark.both_engines


def _build(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY)"))
    engine.dispose()


def _count(url: str) -> int:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO thing DEFAULT VALUES" if "sqlite" in url else "INSERT INTO thing VALUES (1)")
        )
        count = connection.execute(text("SELECT count(*) FROM thing")).scalar_one()
    engine.dispose()
    return int(count)


@pytest.mark.parametrize("attempt", range(3))
def test_each_postgres_database_starts_from_the_template(attempt: int) -> None:
    template = postgres_template("databases_test", _build)
    with fresh_postgres(template) as url:
        assert _count(url) == 1
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace("+psycopg", ""))


@pytest.mark.parametrize("attempt", range(3))
def test_each_sqlite_file_starts_from_the_template(tmp_path: Path, attempt: int) -> None:
    url = fresh_sqlite(tmp_path, sqlite_template("databases_test", _build))
    assert _count(url) == 1
    assert sqlite3.connect(url.removeprefix("sqlite:///")).execute("SELECT count(*) FROM thing").fetchone() == (1,)


def test_migrations_make_the_tables_of_the_models(register: str) -> None:
    with engine(writes=False).connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == [], (
        'models/ and migrations/ differ: make migration NAME="what it adds", then finish it by hand'
    )
