"""What a browser fetches before the first page: compressed, kept for good, and nothing else touched."""

import gzip
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import brotli
import httpx
import pytest
import streamlit
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pages.frame.static_files import CompressedStatic
from tests.servers import serve

STATIC = Path(streamlit.__file__).parent / "static" / "static"
SCRIPT = max((STATIC / "js").glob("index.*.js"), key=lambda path: path.stat().st_size)
FONT = next((STATIC / "media").glob("*.woff2"))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with (
        serve(CompressedStatic(Starlette(routes=[Mount("/static", StaticFiles(directory=STATIC))]))) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def _raw(client: httpx.Client, path: Path, encoding: str, **headers: str) -> tuple[httpx.Headers, int, bytes]:
    asked = {"Accept-Encoding": encoding, **headers}
    with client.stream("GET", f"/static/{path.parent.name}/{path.name}", headers=asked) as response:
        return response.headers, response.status_code, b"".join(response.iter_raw())


@pytest.mark.parametrize(
    ("asked", "encoding", "decode"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, deflate", "gzip", gzip.decompress),
        ("br;q=0, gzip", "gzip", gzip.decompress),
    ],
)
def test_a_script_comes_compressed_at_the_first_and_at_every_other_time(
    client: httpx.Client, asked: str, encoding: str, decode: Callable[[bytes], bytes]
) -> None:
    first, again = _raw(client, SCRIPT, asked), _raw(client, SCRIPT, asked)
    assert first[2] == again[2]
    assert decode(first[2]) == SCRIPT.read_bytes()
    for headers, status, body in (first, again):
        assert (status, headers["content-encoding"], headers["vary"]) == (200, encoding, "Accept-Encoding")
        assert int(headers["content-length"]) == len(body) < SCRIPT.stat().st_size / 2


@pytest.mark.parametrize(
    ("path", "asked", "headers"),
    [
        (SCRIPT, "identity", {}),
        (SCRIPT, "br", {"Range": "bytes=0-99"}),
        (FONT, "br", {}),
    ],
)
def test_what_is_asked_for_in_parts_or_plain_or_is_compressed_already_comes_as_it_is(
    client: httpx.Client, path: Path, asked: str, headers: Mapping[str, str]
) -> None:
    answer, status, body = _raw(client, path, asked, **headers)
    assert "content-encoding" not in answer
    assert status == (206 if headers else 200)
    assert body == (path.read_bytes()[:100] if headers else path.read_bytes())


def test_a_missing_file_is_missing(client: httpx.Client) -> None:
    assert client.get("/static/js/nothing.js").status_code == 404
