"""Uploads at Streamlit's own address: from people who are signed in, bounded, and freed when they have gone."""

import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from pages.frame.session import PERSONA_COOKIE
from pages.frame.uploads import KEPT_S, MOST_FILES
from tests import factories
from tests.browser.harness import start_portal
from tests.conftest import build_register, use_database
from tests.databases import fresh_database
from tests.pages.portal import be
from tests.websocket_pages import OpenPage, open_page, xsrf_headers

MB = 1024 * 1024
AS_PRIYA = f"{PERSONA_COOKIE}=bramble"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A portal in a process of its own, which holds 8 MB in all and 4 MB a page."""
    with fresh_database(tmp_path_factory.mktemp("uploads"), "register", build_register, "sqlite") as url:
        use_database(url)
        factories.administrator()
        be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
        env = {
            "DATABASE_URL": url, "FMAR_WORKER": "false", "FMAR_ANCHOR_FILE": "",
            "FMAR_UPLOAD_SESSION_MB": "4", "FMAR_UPLOAD_TOTAL_MB": "8",
        }  # fmt: skip
        with start_portal(env) as address:
            yield address


@pytest.fixture
def client(portal: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=portal, trust_env=False, timeout=30) as client:
        yield client


def _send(client: httpx.Client, page: OpenPage | str, size: int = 1000, file_id: str | None = None) -> int:
    session_id = page if isinstance(page, str) else page.session_id
    return client.put(
        f"/_stcore/upload_file/{session_id}/{file_id or uuid.uuid4()}",
        files={"file": ("portfolio.csv", b"x" * size, "text/csv")},
        headers=xsrf_headers(client),
    ).status_code


def test_nobody_hands_in_a_file_before_signing_in(portal: str, client: httpx.Client) -> None:
    for session in (str(uuid.uuid4()), "x"):
        assert _send(client, session) in (403, 404)
    with open_page(portal) as page:
        assert page.session_id
        page.run(query="as=bramble")
        assert _send(client, page) == 403
    with open_page(portal, cookie=AS_PRIYA) as page:
        assert _send(client, page) == 204
        headers = xsrf_headers(client)
        chunked = client.put(
            f"/_stcore/upload_file/{page.session_id}/{uuid.uuid4()}", content=iter([b"x"]), headers=headers
        )
        assert chunked.status_code == 411
        page.run()
    with open_page(portal, cookie=AS_PRIYA) as page:
        assert _send(client, page, file_id="a/b") in (403, 404, 405)
    assert _send(client, page) == 403, "the page is closed"


def test_a_page_holds_so_much_and_so_many_files(portal: str, client: httpx.Client) -> None:
    with open_page(portal, cookie=AS_PRIYA) as page:
        assert _send(client, page, 5 * MB) == 413
        file_id = str(uuid.uuid4())
        assert _send(client, page, 3 * MB, file_id) == 204
        assert _send(client, page, 3 * MB, file_id) == 204, "in the place of itself"
        assert _send(client, page, 2 * MB) == 413
        gone = client.delete(f"/_stcore/upload_file/{page.session_id}/{file_id}", headers=xsrf_headers(client))
        assert gone.status_code == 204
        assert [_send(client, page, 1) for _ in range(MOST_FILES + 1)] == [*[204] * MOST_FILES, 413]


def test_all_pages_hold_so_much_together_and_closed_ones_make_room(portal: str, client: httpx.Client) -> None:
    with open_page(portal, cookie=AS_PRIYA) as first, open_page(portal, cookie=AS_PRIYA) as second:
        assert [_send(client, page, 3 * MB) for page in (first, second)] == [204, 204]
        with open_page(portal, cookie=AS_PRIYA) as third:
            refused = client.put(
                f"/_stcore/upload_file/{third.session_id}/{uuid.uuid4()}",
                files={"file": ("portfolio.csv", b"x" * 3 * MB, "text/csv")},
                headers=xsrf_headers(client),
            )
            assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (503, True)
    with open_page(portal, cookie=AS_PRIYA) as page:
        give_up = time.monotonic() + 10
        while (status := _send(client, page, 3 * MB)) == 503 and time.monotonic() < give_up:
            time.sleep(0.1)
        assert status == 204, "what the closed pages held is freed when room is needed"


def test_what_is_held_is_kept_for_a_minute_only_and_no_figures_are_told(client: httpx.Client) -> None:
    assert KEPT_S <= 60
    assert client.get("/_stcore/metrics").status_code == 404
