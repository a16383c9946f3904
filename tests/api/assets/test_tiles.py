"""Tiles over HTTP: opened by ticket alone, kept by the browser, refused with problem details."""

from datetime import timedelta
from math import asinh, pi, radians, tan

import httpx
import pytest
import time_machine
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from api.http.security import issue_token
from pages.frame.headers import PortalHeaders
from services.assets.filters import AssetFilters
from services.assets.map.tiles import TileView, map_ticket
from services.assets.registration.register import register_asset
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.settings import Settings, settings
from services.participants.identity import actor_for_client
from services.participants.users import deactivate_user
from tests import factories
from tests.asset_factories import battery
from tests.factories import actor_of, make_client, make_organisation, make_user

VIEW = TileView(AssetFilters(), one_by_one=True)
X, Y = int((0.1218 + 180) / 360 * 64), int((1 - asinh(tan(radians(52.2053))) / pi) / 2 * 64)
TILE = f"/tiles/6/{X}/{Y}.geojson"


def get(door: httpx.Client, ticket: str, address: str = TILE, **headers: str) -> httpx.Response:
    """A tile with this ticket."""
    return door.get(address, params={"ticket": ticket} if ticket else {}, headers=headers)


@pytest.fixture
def somebody(door: httpx.Client) -> Actor:
    """Somebody of an FSP that has one asset."""
    actor = factories.make_fsp()
    register_asset(actor, battery(AssetName="Riverside battery"))
    return actor


@pytest.mark.use_case("UC-05.01")
def test_a_ticket_opens_the_tiles_of_its_view_and_the_browser_may_keep_them(
    door: httpx.Client, somebody: Actor
) -> None:
    ticket = map_ticket(somebody, VIEW)
    answer = get(door, ticket)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["cache-control"] == "private, max-age=300"
    shown = [one["properties"]["t"] for one in answer.json()["features"] if one["geometry"]]
    assert shown == ["Riverside battery"]
    again = get(door, ticket, **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    stranger = factories.make_fsp()
    assert [one for one in get(door, map_ticket(stranger, VIEW)).json()["features"] if one["geometry"]] == []


@pytest.mark.use_case("UC-05.01")
def test_nothing_else_opens_a_tile(door: httpx.Client, somebody: Actor) -> None:
    ticket = map_ticket(somebody, VIEW)
    client, _secret = make_client(make_organisation())
    token, _seconds = issue_token(actor_for_client(client.client_id))
    for wrong in ("", ticket[:-4] + "AAAA", token, "null"):
        answer = get(door, wrong)
        assert answer.status_code == 401, wrong
        assert answer.headers["content-type"] == "application/problem+json"
    bound = map_ticket(somebody, VIEW, "the cookie of a sign-in")
    assert get(door, bound).status_code == 403
    assert get(door, bound, Cookie="_streamlit_user=another").status_code == 403
    with time_machine.travel(now() + timedelta(minutes=11), tick=True):
        assert get(door, ticket).status_code == 401
    # And it opens nothing but tiles.
    assert door.get("/v1/assets", headers={"Authorization": f"Bearer {ticket}"}).status_code == 401


@pytest.mark.use_case("UC-05.04")
def test_tiles_stop_once_the_person_is_deactivated(door: httpx.Client) -> None:
    organisation = make_organisation()
    make_user(organisation)
    person = make_user(organisation)
    ticket = map_ticket(actor_of(person), VIEW)
    assert get(door, ticket).status_code == 200
    deactivate_user(factories.administrator(), person.membership_id, "Left the company")
    assert get(door, ticket).status_code == 401


@pytest.mark.parametrize("tile", ["1/0/0", "6/64/0", "6/-1/0", "20/1/1", "a/1/1", "6/1/1e9"])
def test_what_is_no_tile_is_refused(door: httpx.Client, somebody: Actor, tile: str) -> None:
    answer = get(door, map_ticket(somebody, VIEW), f"/tiles/{tile}.geojson")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_online_tiles_are_an_option_and_only_their_host_is_allowed(
    door: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert door.get("/tiles/base.json").json()["sources"] == {}
    monkeypatch.setattr(settings(), "map_tiles_url", "https://tiles.example.org/{z}/{x}/{y}.png")
    monkeypatch.setattr(settings(), "map_tiles_attribution", "Example & sons")
    style = door.get("/tiles/base.json").json()
    assert style["sources"]["base"]["tiles"] == ["https://tiles.example.org/{z}/{x}/{y}.png"]
    assert style["sources"]["base"]["attribution"] == "Example &amp; sons"
    policy = TestClient(PortalHeaders(PlainTextResponse("x"))).get("/").headers["content-security-policy"]
    assert "img-src 'self' https://tiles.example.org data:" in policy
    assert policy.count("example.org") == 2
    for wrong in (
        "tiles.example.org/{z}/{x}/{y}",
        "https://x.example/{z}",
        "https://a.example; script-src */{z}/{x}/{y}",
    ):
        with pytest.raises(ValidationError):
            Settings(map_tiles_url=wrong)
