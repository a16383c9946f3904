"""Files of the map: served by their digest for good, compressed, and nothing beside them."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from pages.frame.map_files import FOLDER, NAMES, map_address, map_route
from pages.frame.static_files import CompressedStatic


@pytest.fixture
def door() -> httpx.Client:
    return TestClient(Starlette(routes=[map_route], middleware=[Middleware(CompressedStatic)]))


def test_each_file_is_kept_for_good_and_sent_compressed(door: httpx.Client) -> None:
    for name in NAMES:
        answer = door.get(map_address(name), headers={"Accept-Encoding": "gzip"})
        assert answer.content == (FOLDER / name).read_bytes()
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
    assert Path(FOLDER / "leaflet.js").stat().st_size < 160_000


def test_other_versions_and_other_files_are_not_there(door: httpx.Client) -> None:
    for address in ("/map/0123456789ab/map.js", map_address("leaflet-LICENSE.txt"), map_address("..%2f..%2fapp.py")):
        assert door.get(address).status_code == 404, address
