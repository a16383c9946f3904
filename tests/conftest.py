"""What all tests share: a register of their own on each database, time that stands where a test puts it, use case marks."""

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.core.db import engine as database
from services.core.db.migrate import migrate
from services.core.settings import settings
from services.first_data import begin
from services.wiring import wire
from services.workshop.demo import seed_demo
from tests.databases import DATABASES, fresh_database
from tests.thorough import THOROUGH

SHARED = Path(__file__).resolve().parents[1].parent / "shared"

wire()


LONG_FIRST = ("tests/browser/", "tests/test_processes.py", "tests/services/workshop/", "tests/services/governance/")
"""Where the tests are that take longest: begun first, so that no worker is left alone with one at the end."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a register on the first of the databases; marked `both_engines`, or in a thorough run, on each."""
    if "register" in metafunc.fixturenames:
        everywhere = THOROUGH or metafunc.definition.get_closest_marker("both_engines")
        metafunc.parametrize("register", DATABASES if everywhere else DATABASES[:1], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give workers what takes long first, all journeys of a file to one of them, and cases of one name a group each."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_FIRST))
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
        elif not item.nodeid.endswith(item.name):
            # schemathesis names its cases alike, and xdist would run one of them.
            item.add_marker(pytest.mark.xdist_group(item.name))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected, and leave what was imported out of all collections.

    Looking through it took a third of the former, and a fifth of a page test's time.
    """
    gc.disable()
    result = yield
    gc.collect()
    gc.freeze()
    gc.enable()
    return result


def use_database(url: str) -> None:
    """Point this process at a database, and at no anchor file or key unless a test wants one."""
    database.close()
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("FMAR_ANCHOR_FILE", "")
    os.environ.setdefault("FMAR_SEAL_KEY_FILE", "")
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


@pytest.fixture
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty register (migrated, with its first data); yields its URL.

    On SQLite and on PostgreSQL for tests marked `both_engines`, which meet what differs between them; else on the first.
    """
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
