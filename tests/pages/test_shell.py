"""The page around the portal: our title, style and script in Streamlit's, and addresses that Streamlit can't draw."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit import file_util

from pages.frame.shell import PortalShell, dress_page
from tests.servers import serve

PAGE = f"{file_util.get_static_dir()}/index.html"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A server like Streamlit's: one page at every address, compressed where a browser takes it."""

    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/_stcore/health"):
            return PlainTextResponse("ok")
        with open(PAGE, encoding="utf-8") as page:
            return HTMLResponse(page.read(), headers={"ETag": '"streamlit"'})

    inner = Starlette(routes=[Route("/{path:path}", answer)], middleware=[Middleware(GZipMiddleware)])
    with serve(PortalShell(inner)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("address", ["/", "/assets", "/asset?id=1", "/no-such-page"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_page_has_the_registers_name_style_and_script(client: httpx.Client, address: str, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding, "If-None-Match": '"streamlit"'}
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    assert "<title>FMAR</title>" in answer.text
    assert "Streamlit</title>" not in answer.text
    assert '<html lang="en-GB">' in answer.text
    assert "/frame/frame.css?v=" in answer.text
    assert "/frame/frame.js?v=" in answer.text
    assert "etag" not in answer.headers


def test_style_and_script_are_kept_by_browsers(client: httpx.Client) -> None:
    for name, kind in (("frame.css", "text/css"), ("frame.js", "text/javascript")):
        answer = client.get(f"/frame/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/frame/portal.py").status_code == 404


def test_an_address_in_folders_leads_to_the_page_that_says_so(client: httpx.Client) -> None:
    answer = client.get("/assets/12")
    assert (answer.status_code, answer.headers["location"]) == (307, "/unknown-address")


@pytest.mark.parametrize("probe", ["/assets/_stcore/health", "/_stcore/health"])
def test_what_streamlit_asks_for_is_passed_on(client: httpx.Client, probe: str) -> None:
    assert client.get(probe).text == "ok"


def test_the_page_is_dressed_once() -> None:
    with open(PAGE, "rb") as page:
        body = page.read()
    assert dress_page(body).count(b"frame.js") == 1


def test_the_name_that_streamlit_keeps_for_home_leads_there(client: httpx.Client) -> None:
    assert client.get("/start").headers["location"] == "/"
