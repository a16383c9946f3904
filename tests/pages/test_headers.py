"""Headers of every page: the narrowest policy under which the portal's maps and charts draw."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pages.frame.headers import PortalHeaders
from services.core.settings import settings
from tests.servers import serve


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    routes = [Route("/{path:path}", lambda _request: PlainTextResponse("A page."))]
    with serve(PortalHeaders(Starlette(routes=routes))) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def _policy(answer: httpx.Response) -> dict[str, list[str]]:
    directives = [directive.split() for directive in answer.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in directives}


def test_no_page_runs_text_as_code_or_speaks_to_another_host(client: httpx.Client) -> None:
    policy = _policy(client.get("/assets"))
    assert not any("'unsafe-eval'" in sources for sources in policy.values())
    assert policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["object-src"] == ["'none'"]
    assert not any("http" in source or source == "*" for sources in policy.values() for source in sources)


def test_online_tiles_open_the_policy_for_their_host_and_nothing_else(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "map_tiles_url", "https://tiles.example.org/{z}/{x}/{y}.png")
    policy = _policy(client.get("/"))
    assert policy["connect-src"] == ["'self'", "https://tiles.example.org"]
    assert [name for name, sources in policy.items() if "https://tiles.example.org" in sources] == [
        "img-src",
        "connect-src",
    ]


def test_pages_carry_the_headers_of_the_api_and_https_is_remembered(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = client.get("/assets").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    monkeypatch.setattr(settings(), "public_url", "https://register.example.org")
    assert "max-age" in client.get("/assets").headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/_stcore/metrics?families=x"])
def test_figures_of_the_process_are_shut(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, "Content-Security-Policy" in answer.headers) == (404, True)
