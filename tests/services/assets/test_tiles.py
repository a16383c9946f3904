"""Map tiles: who learns what from them, that nothing is counted twice, how large they get, and what a ticket opens."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from math import asinh, pi, radians, tan
from typing import Any

import h3
import pytest
import time_machine
from shapely import Polygon, box
from sqlalchemy import Engine, event

from models.assets import Asset, AssetStatus
from models.base import new_id
from models.participants import Role
from services.assets.filters import AssetFilters
from services.assets.map import tiles
from services.assets.map.features import DRAWN, MOST_BYTES, SIZE, asset_of, points
from services.assets.map.queries import Point, box_of, resolution_at
from services.assets.map.tiles import (
    Colouring,
    Layer,
    TileView,
    group_counts,
    map_summary,
    map_ticket,
    map_tile,
    open_ticket,
)
from services.assets.reading.listing import list_assets
from services.assets.registration.register import register_asset
from services.core import signed_tickets as tickets
from services.core.clock import now
from services.core.errors import Forbidden, Invalid, Unauthenticated
from services.core.identity.actor import Actor
from services.core.transaction import unit_of_work
from services.participants.users import deactivate_user
from tests import factories
from tests.asset_factories import STAMP, battery, make_administrator, make_operator, make_provider, registered

EVERYTHING = TileView(AssetFilters())
CAPACITY = TileView(AssetFilters(), Layer.CAPACITY)
CAMBRIDGE = (52.2053, 0.1218)


def tile_at(zoom: int, latitude: float, longitude: float) -> tuple[int, int, int]:
    """The tile in which a position lies."""
    size = 1 << zoom
    return zoom, int((longitude + 180) / 360 * size), int((1 - asinh(tan(radians(latitude))) / pi) / 2 * size)


def around(zoom: int, latitude: float, longitude: float) -> list[tuple[int, int, int]]:
    """That tile and its eight neighbours."""
    _, x, y = tile_at(zoom, latitude, longitude)
    return [(zoom, x + dx, y + dy) for dx, dy in product((-1, 0, 1), repeat=2)]


def features(actor: Actor, view: TileView, *tile: int) -> list[dict[str, Any]]:
    """What a tile draws."""
    read = json.loads(map_tile(actor, view, *tile))
    assert read["type"] == "FeatureCollection"
    return [one for one in read["features"] if one["geometry"]]


def total(actor: Actor, view: TileView, zoom: int) -> int:
    """The assets in all tiles around Cambridge, by what their hexagons say, and by their points wherever these are drawn."""
    drawn = [one["properties"] for tile in around(zoom, *CAMBRIDGE) for one in features(actor, view, *tile)]
    counted = {one["h"]: int(one["t"].split()[0].replace(",", "")) for one in drawn if "h" in one}
    return sum(counted.values()) + len({one["i"] for one in drawn if "i" in one})


def spread(actor: Actor, count: int) -> list[Asset]:
    """Batteries about Cambridge, some hundred metres to some kilometres apart."""
    return [
        registered(actor, Latitude=f"{52.2053 + 0.004 * (n % 7):.4f}", Longitude=f"{0.1218 + 0.006 * (n % 5):.4f}")
        for n in range(count)
    ]


@pytest.mark.usefixtures("register")
@pytest.mark.use_case("UC-05.01")
def test_everybody_is_told_of_what_they_may_see_and_of_nothing_else() -> None:
    mine, other = make_provider("Northgate Flex"), make_provider("Rival Flex")
    spread(mine, 3), spread(other, 2)
    eastern, northern = make_operator("UKPN_EPN"), make_operator("NPG_NEEB")
    for zoom in (5, 8, 12):
        assert total(mine, CAPACITY, zoom) == 3
        assert total(other, CAPACITY, zoom) == 2
        assert total(eastern, CAPACITY, zoom) == 5
        assert total(northern, CAPACITY, zoom) == 0
        assert total(make_administrator(), CAPACITY, zoom) == 5
    names = {one["properties"]["t"] for one in features(mine, EVERYTHING, *tile_at(9, *CAMBRIDGE))}
    assert names == {asset.asset_name for asset in list_assets(mine).items}
    assert [(one.code, one.assets, one.rated_kw) for one in group_counts(mine, AssetFilters())] == [("_A", 3, 7500)]
    assert group_counts(northern, AssetFilters()) == []


@pytest.mark.usefixtures("register")
@pytest.mark.use_case("UC-05.01")
def test_nothing_is_counted_twice_and_nothing_left_out_at_any_zoom(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_provider()
    spread(actor, 12)
    for zoom in range(3, 14):
        assert total(actor, CAPACITY, zoom) == 12, zoom
        assert total(actor, EVERYTHING, zoom) == 12, zoom
    # One tile draws assets and its neighbour hexagons: what reaches from one into the other may be in both, never in none.
    monkeypatch.setattr(tiles, "MOST_POINTS", 4)
    for zoom in range(9, 14):
        assert total(actor, EVERYTHING, zoom) >= 12, zoom


@pytest.mark.usefixtures("register")
@pytest.mark.use_case("UC-05.01")
def test_every_tile_into_which_a_point_reaches_has_it() -> None:
    """A map asks the tile under the pointer what was clicked: beside an edge, half of a point lies in the next one."""
    actor = make_provider()
    for zoom in (6, 8, 10, 13):
        box = box_of(*tile_at(zoom, *CAMBRIDGE))
        wide, high = (box.east - box.west) / 256, (box.north - box.south) / 256
        _, tile_x, tile_y = tile_at(zoom, *CAMBRIDGE)
        for away, expected in ((1, {-1, 0}), (9, {-1, 0}), (40, {0})):
            place = {"Latitude": f"{box.south + 100 * high:.6f}", "Longitude": f"{box.west + away * wide:.6f}"}
            asset = register_asset(actor, battery(**place, Postcode=None), justification="Where the tiles meet.")
            view = TileView(AssetFilters(text=asset.asset_name), one_by_one=True)
            near = product((-1, 0, 1), (-1, 0, 1))
            having = {(x, y) for x, y in near if features(actor, view, zoom, tile_x + x, tile_y + y)}
            assert having == {(x, 0) for x in expected}, (zoom, away)


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.01")
def test_a_hexagon_on_an_edge_is_drawn_by_each_tile_the_part_that_lies_in_it() -> None:
    """So that it is found wherever it is clicked, no part is drawn twice, and no line shows where the tiles meet."""
    actor = make_provider()
    crossing = 0
    for latitude, longitude in ((52.2, 0.1), (53.5, -1.4), (51.5, -2.6), (55.9, -3.2)):
        place = {"Latitude": f"{latitude}", "Longitude": f"{longitude}", "Postcode": None}
        name = register_asset(actor, battery(**place), justification="Anywhere on the map, to look at it.").asset_name
        view = TileView(AssetFilters(text=name), Layer.CAPACITY)
        for zoom in range(5, 13):
            parts = []
            for tile in around(zoom, latitude, longitude):
                drawn = [Polygon(one["geometry"]["coordinates"][0]) for one in features(actor, view, *tile)]
                south, west, north, east = box_of(*tile)
                assert all(box(west, south, east, north).buffer(2e-3).covers(part) for part in drawn)
                parts += drawn
            cell = h3.latlng_to_cell(latitude, longitude, resolution_at(zoom))
            whole = Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]).area * DRAWN**2
            assert sum(part.area for part in parts) == pytest.approx(whole, rel=0.05), zoom
            crossing += len(parts) > 1
    assert crossing > 3


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.01")
def test_a_hexagon_says_how_many_and_how_much_and_opens_to_what_is_in_it() -> None:
    actor = make_provider()
    made = spread(actor, 5)
    drawn = features(actor, CAPACITY, *tile_at(6, *CAMBRIDGE))
    assert [one["properties"]["t"] for one in drawn] == ["5 assets"]
    assert drawn[0]["properties"]["d"] == "12.50 MW rated"
    ring = drawn[0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    inside = AssetFilters(hexagon=drawn[0]["properties"]["h"])
    assert {one.id for one in list_assets(actor, inside).items} == {one.id for one in made}
    elsewhere = h3.latlng_to_cell(55, -3, 4)
    assert list_assets(actor, AssetFilters(hexagon=elsewhere)).items == []
    for nonsense in ("zz", "8f283082a30e623", "1", "' OR 1=1"):
        with pytest.raises(Invalid):
            list_assets(actor, AssetFilters(hexagon=nonsense))


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.01")
def test_few_assets_are_told_one_by_one_at_every_zoom_many_only_from_near() -> None:
    actor = make_provider()
    spread(actor, 3)
    far = tile_at(6, *CAMBRIDGE)
    assert all("h" in one["properties"] for one in features(actor, EVERYTHING, *far))
    few = features(actor, TileView(AssetFilters(), one_by_one=True), *far)
    assert len(few) == 3
    assert {asset_of(one["properties"]["i"]) for one in few} == {one.id for one in list_assets(actor).items}
    kinds = {tuple(one["properties"]) for one in few}
    assert kinds == {("i", "k", "t", "d")}
    near = features(actor, TileView(AssetFilters(), colouring=Colouring.CATEGORY), *tile_at(12, *CAMBRIDGE))
    assert {one["properties"]["k"] // SIZE for one in near} == {3}, "2.5 MW is the fourth size"
    assert near[0]["properties"]["d"] == "Battery Energy Storage System, 2.50 MW, Pending Validation"


def rename(asset: Asset, name: str) -> None:
    """Give an asset a name that no door lets in, as one that came in before the rule was there."""
    with unit_of_work(STAMP, writes=True) as session:
        session.add(asset)
        asset.asset_name = name


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.01")
def test_what_was_typed_stays_text() -> None:
    actor = make_provider()
    name = '<img src=x onerror="window.__xss=1"> é'
    rename(registered(actor), name)
    drawn = features(actor, TileView(AssetFilters(), one_by_one=True), *tile_at(6, *CAMBRIDGE))
    assert [one["properties"]["t"] for one in drawn] == [name]
    odd = '\\ " {t} \u2028 \t </script>'
    body = points(
        [Point(new_id().hex, odd, 52.2, 0.1, "VERIFIED", odd, 100)], 6, lambda status, category: (0, category)
    )
    assert json.loads(body)["features"][1]["properties"]["t"] == odd


def test_a_crowded_tile_keeps_its_size() -> None:
    statuses = list(AssetStatus)
    crowd = [
        Point(new_id().hex, "Ünïcödé " * 30, 52.2 + n / 1e5, 0.12, str(statuses[n % 8]), "BESS", 123_456 * (n % 900))
        for n in range(2000)
    ]
    for zoom, few in product((6, 12), (1, 400, 1200, 2000)):
        body = points(crowd[:few], zoom, lambda status, category: (1, "Battery"))
        assert len(body) < MOST_BYTES
        assert len(json.loads(body)["features"]) == few + 1


@pytest.mark.usefixtures("one_register")
def test_there_are_no_tiles_off_the_map() -> None:
    actor = make_provider()
    for tile in ((1, 0, 0), (17, 0, 0), (5, 32, 3), (5, -1, 3), (5, 3, 32)):
        with pytest.raises(Invalid):
            map_tile(actor, EVERYTHING, *tile)
    assert features(actor, EVERYTHING, 5, 0, 0) == []


@pytest.mark.usefixtures("register")
@pytest.mark.use_case("UC-05.01")
def test_a_summary_says_where_it_all_is_and_what_has_no_position() -> None:
    actor = make_provider()
    spread(actor, 4)
    registered(actor, Latitude=None, Longitude=None, Postcode=None)
    summary = map_summary(actor, AssetFilters(), 5)
    assert summary.unplaced == 1
    assert summary.extent == pytest.approx((52.2053, 0.1218, 52.2173, 0.1398))
    assert map_summary(actor, AssetFilters(), tiles.MOST_POINTS + 1).extent is None
    assert map_summary(actor, AssetFilters(status=("VERIFIED",)), 0).extent is None


@pytest.mark.usefixtures("register")
@pytest.mark.use_case("UC-05.01")
def test_the_extent_of_many_assets_holds_all_of_them_and_reads_none() -> None:
    provider, administrator = make_provider(), make_administrator()
    spread(provider, 4)
    exact = map_summary(administrator, AssetFilters(), 4).extent
    with statements() as seen:
        south, west, north, east = map_summary(administrator, AssetFilters(), 500).extent or (0, 0, 0, 0)
    assert exact is not None
    assert (south, west) < exact[:2] < exact[2:] < (north, east)
    assert north - south < 1
    assert east - west < 1
    assert not [statement for statement in seen if "max(asset.latitude)" in statement]


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that reaches the database meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen.append(text)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("register")
def test_a_tile_takes_as_many_questions_however_much_is_in_it() -> None:
    actor = make_provider()

    def asked() -> list[int]:
        counts = []
        for zoom, view in ((6, EVERYTHING), (6, CAPACITY), (12, EVERYTHING)):
            map_tile(actor, view, *tile_at(zoom, *CAMBRIDGE))
            with statements() as seen:
                map_tile(actor, view, *tile_at(zoom, *CAMBRIDGE))
            counts.append(len(seen))
        return counts

    spread(actor, 1)
    few = asked()
    spread(actor, 14)
    assert asked() == few
    assert max(few) <= 6


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.01")
def test_a_ticket_holds_what_it_was_made_for_and_stays_the_same_text_for_minutes() -> None:
    actor = factories.make_fsp()
    asset = spread(actor, 1)[0]
    view = TileView(
        AssetFilters(
            asset_category=("BESS",),
            service_provider_id=(asset.service_provider_id,),
            capacity_min=asset.rated_capacity,
        ),
        Layer.CAPACITY,
        Colouring.CATEGORY,
        one_by_one=True,
    )
    with time_machine.travel(now().replace(minute=10, second=0), tick=False) as clock:
        first = map_ticket(actor, view)
        assert open_ticket(first) == (actor, view)
        clock.shift(timedelta(minutes=4))
        assert map_ticket(actor, view) == first
        clock.shift(timedelta(minutes=2))
        later = map_ticket(actor, view)
        assert later != first
        spread(actor, 1)
        assert map_ticket(actor, view) != later, "something happened that the map shows"
        clock.shift(timedelta(minutes=6))
        with pytest.raises(Unauthenticated):
            open_ticket(first)


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.01")
def test_a_ticket_opens_nothing_once_touched_ended_or_carried_elsewhere() -> None:
    actor, other = factories.make_fsp(), factories.make_fsp()
    ticket = map_ticket(actor, EVERYTHING, "cookie")
    assert open_ticket(ticket, "cookie")[0] == actor
    for browser in (None, "another"):
        with pytest.raises(Forbidden):
            open_ticket(ticket, browser)
    head, _, sign = ticket.split(".")
    body = map_ticket(other, EVERYTHING, "cookie").split(".")[1]
    for wrong in ("", "nonsense", f"{head}.{body}.{sign}", ticket[:-3] + "abc", "x" * 9000):
        with pytest.raises(Unauthenticated):
            open_ticket(wrong, "cookie")
    with pytest.raises(Unauthenticated):
        open_ticket(tickets.issue("something else", {"sub": str(actor.user_id)}), "cookie")


@pytest.mark.usefixtures("one_register")
@pytest.mark.use_case("UC-05.04")
def test_tiles_end_with_the_access_of_the_person() -> None:
    organisation = factories.make_organisation("Northgate Flex plc")
    person = factories.make_user(organisation, [Role.FSP_USER, Role.ORGANISATION_ADMIN], email="dan@example.org")
    factories.make_user(organisation, [Role.ORGANISATION_ADMIN], email="boss@example.org")
    actor = factories.actor_of(person)
    ticket = map_ticket(actor, EVERYTHING)
    assert open_ticket(ticket)[0].key == actor.key
    deactivate_user(factories.administrator(), person.membership_id, "Left the company")
    with pytest.raises(Unauthenticated):
        open_ticket(ticket)
