"""What the journeys share: the demo register, a portal on it for each module, and one browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.app import create_app
from services.core.db import engine as database
from services.core.settings import settings
from services.governance.sealing import read_register_id, restart_anchors
from tests.browser.harness import launch_browser, start_portal
from tests.conftest import build_demo, use_database
from tests.databases import fresh_database
from tests.servers import serve

KEY = "sandbox"


@dataclass(frozen=True, slots=True)
class DemoPortal:
    """A portal in demo mode with the demo data, its worker running, and outside systems that can be slowed down."""

    url: str
    sandbox: str
    database: str

    def at(self, persona: str, page: str = "") -> str:
        """The address of a page as a persona opens it; `open_page` makes the browser that persona."""
        return f"{self.url}/{page}{'&' if '?' in page else '?'}as={persona}"

    def slow_down(self, milliseconds: int) -> None:
        """Let the MPAN register take its time, so that what happens meanwhile can be watched; 0 ends it."""
        order = {"delay_ms": milliseconds}
        headers = {"X-Api-Key": KEY}
        answer = httpx.put(f"{self.sandbox}/mpan-register/_control", json=order, headers=headers, trust_env=False)
        answer.raise_for_status()


@contextmanager
def _demo_portal(folder: Path) -> Iterator[DemoPortal]:
    outside = Starlette(routes=[Mount("/", create_app(KEY, control=True))])
    with fresh_database(folder, "demo", build_demo) as register, serve(outside) as sandbox:
        use_database(register)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("FMAR_ANCHOR_FILE", str(folder / "anchors.jsonl"))
            settings.cache_clear()
            restart_anchors(read_register_id())
        settings.cache_clear()
        env = {
            "FMAR_MODE": "demo",
            "FMAR_ANCHOR_FILE": str(folder / "anchors.jsonl"),
            "FMAR_WORKER_SECONDS": "0.5",
            "FMAR_MPAN_REGISTER_URL": f"{sandbox}/mpan-register",
        }
        with start_portal(env) as url:
            yield DemoPortal(url, sandbox, register)
        database.close()


@pytest.fixture(scope="module")
def demo_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortal]:
    """A portal of its own for each module; the demo data are laid down once for the whole test run."""
    with _demo_portal(tmp_path_factory.mktemp("demo")) as portal:
        yield portal


@pytest.fixture
def demo(demo_portal: DemoPortal) -> DemoPortal:
    """The module's portal, with this process at its register."""
    use_database(demo_portal.database)
    return demo_portal


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys that a worker walks; each test opens pages with cookies of their own in it."""
    with sync_playwright() as playwright:
        running = launch_browser(playwright)
        yield running
        running.close()
