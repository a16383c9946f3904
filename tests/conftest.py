"""What all tests share: a register of their own on each database, time that stands where a test puts it, use case marks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from services.core.db import engine as database
from services.core.db.migrate import migrate
from services.core.settings import settings
from services.first_data import begin
from services.wiring import wire
from services.workshop.demo import seed_demo
from tests.databases import DATABASES, fresh_database

SHARED = Path(__file__).resolve().parents[1].parent / "shared"

wire()


class JourneysTogether(LoadScopeScheduling):
    """Hands tests to workers one by one, but all journeys of one file to the same: they share a portal and a register."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0] if nodeid.startswith("tests/browser/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> JourneysTogether:
    """Which worker takes which test."""
    return JourneysTogether(config, log)


def use_database(url: str) -> None:
    """Point this process at a database, and at no anchor file unless a test wants one."""
    database.close()
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("FMAR_ANCHOR_FILE", "")
    settings.cache_clear()


def build_register(url: str) -> None:
    """Make an empty register: migrated, with its first data."""
    use_database(url)
    migrate()
    begin()
    database.close()


def build_demo(url: str) -> None:
    """Make a register with the demo's data."""
    use_database(url)
    migrate()
    begin()
    seed_demo()
    database.close()


@contextmanager
def _opened(tmp_path: Path, kind: str) -> Iterator[str]:
    with fresh_database(tmp_path, "register", build_register, kind) as url:
        use_database(url)
        yield url
        database.close()


@pytest.fixture(params=DATABASES)
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty register (migrated, with its first data) on SQLite and on PostgreSQL; yields its URL."""
    with _opened(tmp_path, request.param) as url:
        yield url


@pytest.fixture
def one_register(tmp_path: Path) -> Iterator[str]:
    """An empty register on the first of the databases, for tests of doors, whose rules are proven on each of them elsewhere."""
    with _opened(tmp_path, DATABASES[0]) as url:
        yield url


@pytest.fixture
def sqlite_register(tmp_path: Path) -> Iterator[str]:
    """An empty register on SQLite, for tests of what only SQLite has."""
    with _opened(tmp_path, "sqlite") as url:
        yield url


@pytest.fixture
def shared() -> Path:
    """The folder with real public registers; the test is skipped where it isn't there."""
    if not SHARED.is_dir():
        pytest.skip("The folder with real public registers is not here.")
    return SHARED
