"""The register's geography: who distributes where, which area a position is in, the base map, made-up positions."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from services.grid import geography

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "data" / "geography"
SHARED = ROOT.parent / "shared" / "data"

TOWNS = {
    "Norwich": (52.6309, 1.2974, "_A"),
    "Nottingham": (52.9548, -1.1581, "_B"),
    "London": (51.5074, -0.1278, "_C"),
    "Liverpool": (53.4084, -2.9916, "_D"),
    "Birmingham": (52.4862, -1.8904, "_E"),
    "Newcastle": (54.9783, -1.6178, "_F"),
    "Manchester": (53.4808, -2.2426, "_G"),
    "Southampton": (50.9097, -1.4044, "_H"),
    "Brighton": (50.8225, -0.1372, "_J"),
    "Cardiff": (51.4816, -3.1791, "_K"),
    "Plymouth": (50.3755, -4.1427, "_L"),
    "Leeds": (53.8008, -1.5491, "_M"),
    "Glasgow": (55.8642, -4.2518, "_N"),
    "Inverness": (57.4778, -4.2247, "_P"),
    # In GSP regions that two groups share, and on islands.
    "Swansea": (51.6214, -3.9436, "_K"),
    "Aberystwyth": (52.4153, -4.0829, "_D"),
    "Carlisle": (54.8925, -2.9329, "_G"),
    "Lerwick": (60.1530, -1.1493, "_P"),
    "Kirkwall": (58.9809, -2.9605, "_P"),
    "Stornoway": (58.2090, -6.3870, "_P"),
    "Newport, Isle of Wight": (50.7010, -1.2920, "_H"),
    "Holyhead": (53.3090, -4.6330, "_D"),
    "Hugh Town, Scilly": (49.9150, -6.3150, "_L"),
}


def shapes(name: str, key: str) -> dict[str, BaseGeometry]:
    features = json.loads((DATA / name).read_text())["features"]
    return {one["properties"][key]: shapely.from_geojson(json.dumps(one["geometry"])) for one in features}


def features_of(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    return json.loads(path.read_text())["features"]


# Distributors


def test_the_fourteen_areas_and_the_idnos_are_known_by_every_name() -> None:
    assert len(geography.LICENCE_AREAS) == 14
    assert "".join(sorted(str(one.gsp_group)[1] for one in geography.LICENCE_AREAS)) == "ABCDEFGHJKLMNP"
    for area in geography.LICENCE_AREAS:
        assert area.code is not None
        assert area.gsp_group is not None
        assert area.active
        assert geography.distributor_by_id(area.id) == area
        assert geography.distributor_by_dno(area.code) == area
        assert geography.dno_of_gsp_group(area.gsp_group) == area.code
        assert geography.gsp_group_name(area.gsp_group) == area.name
    assert geography.gsp_group_name("_C") == "London"
    assert geography.dno_of_gsp_group("_P") == "SSEN_SHEPD"


def test_an_idno_has_no_gsp_group_and_an_unheld_id_no_distributor() -> None:
    idnos = [one for one in geography.DISTRIBUTORS if one.is_idno]
    assert [one.id for one in idnos] == [str(number) for number in range(24, 39)]
    assert not any(one.active or one.gsp_group for one in idnos)
    last_mile = geography.distributor_by_id("26")
    assert last_mile is not None
    assert (last_mile.name, last_mile.code) == ("Last Mile", "IDNO_LASTMILE")
    assert geography.distributor_by_id("39") is None
    assert geography.distributor_by_dno("NOBODY") is None
    with pytest.raises(KeyError):
        geography.gsp_group_name("_Z")


# Areas


@pytest.mark.parametrize("town", TOWNS)
def test_a_town_is_in_its_gsp_group_and_licence_area(town: str) -> None:
    lat, lon, group = TOWNS[town]
    assert geography.gsp_group_at(lat, lon) == group
    assert geography.inside_area(lat, lon, geography.dno_of_gsp_group(group))


def test_off_the_coast_counts_as_the_nearest_group_for_3_km_only() -> None:
    lowestoft = 52.4757
    assert geography.gsp_group_at(lowestoft, 1.78) == "_A"
    assert geography.gsp_group_at(lowestoft, 1.86) is None
    assert geography.gsp_group_at(53.35, -6.26) is None, "Dublin"
    assert geography.gsp_group_at(54.15, -4.48) is None, "Douglas, Isle of Man"
    assert geography.gsp_group_at(48.86, 2.35) is None, "Paris"
    assert geography.gsp_group_at(float("nan"), 0) is None


def test_many_positions_answer_as_one_by_one() -> None:
    lats = [lat for lat, _, _ in TOWNS.values()]
    lons = [lon for _, lon, _ in TOWNS.values()]
    assert geography.gsp_groups_at(lats, lons) == [group for _, _, group in TOWNS.values()]
    assert geography.gsp_groups_at(pl.Series([51.5, None]), pl.Series([-0.12, -0.12])) == ["_C", None]
    assert geography.gsp_groups_at([], []) == []
    random = np.random.default_rng(0)
    some = random.uniform(49.8, 61, 2_000), random.uniform(-8.7, 1.9, 2_000)
    one_by_one = [geography.gsp_group_at(float(lat), float(lon)) for lat, lon in zip(*some, strict=True)]
    assert geography.gsp_groups_at(*some) == one_by_one


def test_inside_an_area_has_a_tolerance_of_2_km_and_takes_shared_regions_as_both() -> None:
    assert not geography.inside_area(*TOWNS["Norwich"][:2], "UKPN_LPN")
    assert not geography.inside_area(*TOWNS["London"][:2], "UKPN_EPN")
    assert not geography.inside_area(float("nan"), 0, "UKPN_EPN")
    swansea = TOWNS["Swansea"][:2]
    assert geography.inside_area(*swansea, "NGED_WALES")
    assert geography.inside_area(*swansea, "SPEN_SPM"), "its grid supply point feeds both"
    for code in ("IDNO_ESP", "NOBODY"):
        with pytest.raises(KeyError):
            geography.inside_area(51.5, -0.1, code)


def test_many_are_inside_as_one_by_one() -> None:
    codes = [geography.dno_of_gsp_group(group) for _, _, group in TOWNS.values()]
    lats = [lat for lat, _, _ in TOWNS.values()]
    lons = [lon for _, lon, _ in TOWNS.values()]
    assert geography.inside_areas(lats, lons, codes) == [True] * len(TOWNS)
    wrong = ["UKPN_SPN" if code != "UKPN_SPN" else "NPG_NE" for code in codes]
    singly = [geography.inside_area(lat, lon, code) for lat, lon, code in zip(lats, lons, wrong, strict=True)]
    assert geography.inside_areas(lats, lons, wrong) == singly
    given_nothing = geography.inside_areas(
        pl.Series([51.5, 51.5, None]), [-0.1, -0.1, -0.1], ["IDNO_ESP", None, "UKPN_LPN"]
    )
    assert given_nothing == [None, None, None]


# Base map


def test_the_groups_cover_the_land_without_gaps_or_overlaps_and_lie_within_the_coast() -> None:
    groups = shapes("gsp_groups.geojson", "code")
    coast = shapes("coast.geojson", "name")["Great Britain"]
    assert sorted(groups) == sorted(str(area.gsp_group) for area in geography.LICENCE_AREAS)
    assert all(shape.is_valid for shape in [*groups.values(), coast])
    assert shapely.coverage_is_valid(list(groups.values()))
    assert shapely.symmetric_difference(shapely.coverage_union_all(list(groups.values())), coast).area < 1e-6
    assert not any(len(shapely.get_rings(part)) > 1 for part in shapely.get_parts(coast))
    assert min(shapely.area(shapely.get_parts(coast))) > 1e-4, "no specks (about 0.7 km2)"
    assert sum(path.stat().st_size for path in DATA.glob("*.geojson")) < 400_000


def test_the_base_map_says_what_it_is_made_of() -> None:
    base = geography.base_map_features()
    assert geography.base_map_features() is base
    assert len(base.groups["features"]) == 14
    for collection in base:
        assert "NESO" in collection["metadata"]["licence"]


def test_each_label_stands_in_its_own_group() -> None:
    labels = geography.group_labels()
    assert len(labels) == 14
    for label in labels:
        assert geography.gsp_group_at(label.lat, label.lon) == label.code
        assert label.name == geography.gsp_group_name(label.code)
        assert label.dno_code == geography.dno_of_gsp_group(label.code)


def test_the_areas_agree_with_the_published_licence_areas() -> None:
    ours = shapes("gsp_groups.geojson", "code")
    for one in features_of(SHARED / "geo" / "dno_licence_areas_1km.geojson"):
        theirs = shapely.from_geojson(json.dumps(one["geometry"]))
        mine = ours[one["properties"]["Name"]]
        overlap = mine.intersection(theirs).area / mine.union(theirs).area
        assert 0.85 < overlap <= 1, one["properties"]["Name"]


def test_hardly_a_postcode_district_is_outside_its_published_licence_area() -> None:
    published = features_of(SHARED / "geo" / "dno_licence_areas_1km.geojson")
    with (DATA / "outcodes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lats = np.array([float(row["lat"]) for row in rows])
    lons = np.array([float(row["lon"]) for row in rows])
    asked = wrong = 0
    for one in published:
        within = shapely.contains_xy(shapely.from_geojson(json.dumps(one["geometry"])), lons, lats)
        codes = [geography.dno_of_gsp_group(one["properties"]["Name"])] * int(within.sum())
        answers = geography.inside_areas(lats[within], lons[within], codes)
        asked += len(answers)
        wrong += answers.count(False)
    assert asked > 2_800
    assert wrong <= 3


# Demo positions


@pytest.mark.parametrize("area", geography.LICENCE_AREAS, ids=lambda area: area.code)
def test_made_up_positions_are_the_same_every_time_on_land_and_in_their_group(area: geography.Distributor) -> None:
    group = str(area.gsp_group)
    started = time.process_time()
    points = geography.land_points(group, 2_000, seed=7)
    assert time.process_time() - started < 2
    assert points == geography.land_points(group, 2_000, seed=7)
    assert len(set(points)) > 1_990
    assert points != geography.land_points(group, 2_000, seed=8)
    lats, lons = zip(*points, strict=True)
    assert set(geography.gsp_groups_at(lats, lons)) == {group}
    coast = shapes("coast.geojson", "name")["Great Britain"]
    assert shapely.contains_xy(coast, lons, lats).all()


def test_made_up_positions_lie_in_the_published_licence_areas_too() -> None:
    for one in features_of(SHARED / "geo" / "dno_licence_areas_1km.geojson"):
        lats, lons = zip(*geography.land_points(one["properties"]["Name"], 500, seed=1), strict=True)
        shape = shapely.from_geojson(json.dumps(one["geometry"]))
        assert shapely.contains_xy(shape, lons, lats).mean() > 0.99, one["properties"]["Name"]


def test_made_up_positions_gather_where_people_live() -> None:
    points = geography.land_points("_P", 1_000, seed=1)
    near_aberdeen = [lat for lat, lon in points if abs(lat - 57.15) < 0.3 and abs(lon + 2.2) < 0.5]
    assert len(near_aberdeen) > 150


def test_no_made_up_positions_are_none() -> None:
    assert geography.land_points("_A", 0, seed=1) == []
    with pytest.raises(KeyError):
        geography.land_points("_Z", 1, seed=1)
