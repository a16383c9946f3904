"""What the journeys share: the demo register, a portal on it, and one browser for all tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.app import create_app
from services.core import database
from services.core.migrate import migrate
from services.first_data import begin
from services.workshop.demo import seed_demo
from tests.browser.harness import launch_browser, start_portal
from tests.conftest import use_database
from tests.databases import fresh_sqlite, sqlite_template
from tests.servers import serve

KEY = "sandbox"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys of one file share a portal and a register, so one worker takes them all."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@dataclass(frozen=True, slots=True)
class DemoPortal:
    """A portal in demo mode with the demo data, its worker running, and outside systems that can be slowed down."""

    url: str
    sandbox: str

    def at(self, persona: str, page: str = "") -> str:
        """The address of a page as a persona opens it."""
        return f"{self.url}/{page}{'&' if '?' in page else '?'}as={persona}"

    def slow_down(self, milliseconds: int) -> None:
        """Let the MPAN register take its time, so that what happens meanwhile can be watched; 0 ends it."""
        order = {"delay_ms": milliseconds}
        headers = {"X-Api-Key": KEY}
        answer = httpx.put(f"{self.sandbox}/mpan-register/_control", json=order, headers=headers, trust_env=False)
        answer.raise_for_status()


def _lay_down_demo(url: str) -> None:
    use_database(url)
    migrate()
    begin()
    seed_demo()
    database.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortal]:
    """A portal of its own for each module; the demo data are laid down once for the whole test run."""
    folder = tmp_path_factory.mktemp("demo")
    use_database(fresh_sqlite(folder, sqlite_template("demo", _lay_down_demo)))
    outside = Starlette(routes=[Mount("/", create_app(KEY, control=True))])
    with serve(outside) as sandbox:
        env = {
            "FMAR_MODE": "demo",
            "FMAR_ANCHOR_FILE": str(folder / "anchors.jsonl"),
            "FMAR_WORKER_SECONDS": "0.5",
            "FMAR_MPAN_REGISTER_URL": f"{sandbox}/mpan-register",
        }
        with start_portal(env) as url:
            yield DemoPortal(url, sandbox)
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a module; each test opens pages with cookies of their own in it."""
    with sync_playwright() as playwright:
        running = launch_browser(playwright)
        yield running
        running.close()
