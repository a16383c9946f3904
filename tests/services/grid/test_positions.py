"""One position or postcode at a time: converted, found, and told what is wrong with it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grid import geography

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
METRES_PER_DEGREE = 111_320
BENTWATERS = (635372.0, 254094.0)


# Coordinates


def test_national_grid_agrees_with_the_positions_that_a_dno_publishes() -> None:
    path = SHARED / "ecr-ukpn-2025-08.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    frame = pl.read_csv(path, infer_schema_length=0)
    names = [next(name for name in frame.columns if word in name) for word in ("Eastings", "Northings")]
    known = frame.select(
        *(pl.col(name).cast(pl.Float64, strict=False) for name in [*names, "Latitude", "Longitude"])
    ).drop_nulls()
    lats, lons = geography.to_wgs84_many(known[names[0]], known[names[1]])
    north = (lats - known["Latitude"].to_numpy()) * METRES_PER_DEGREE
    east = (lons - known["Longitude"].to_numpy()) * METRES_PER_DEGREE * np.cos(np.radians(lats))
    apart = np.hypot(north, east)
    assert len(apart) > 1_200
    assert np.median(apart) < 0.3
    assert apart.max() < 1


def test_national_grid_is_within_metres_of_the_ordnance_survey_worked_example() -> None:
    # Caister water tower, as published in the OS guide to coordinate systems (OSTN15).
    position = geography.to_wgs84(651409.804, 313177.450)
    assert position.lat == pytest.approx(52.658007833, abs=5e-5)
    assert position.lon == pytest.approx(1.716073973, abs=5e-5)


@given(easting=st.floats(100_000, 650_000), northing=st.floats(10_000, 1_200_000))
def test_there_and_back_is_the_same_place(easting: float, northing: float) -> None:
    back = geography.to_national_grid(*geography.to_wgs84(easting, northing))
    assert back.easting == pytest.approx(easting, abs=0.2)
    assert back.northing == pytest.approx(northing, abs=0.2)


def test_what_is_no_position_is_refused_alone_and_empty_among_many() -> None:
    for pair in ((float("nan"), 1.0), (float("inf"), 1.0), (1e12, 1e12)):
        with pytest.raises(ValueError, match="no position"):
            geography.to_wgs84(*pair)
    lats, lons = geography.to_wgs84_many(pl.Series([635372, None]), pl.Series([254094, 254094]))
    assert lats[0] == pytest.approx(52.134977, abs=1e-5)
    assert np.isnan(lats[1])
    assert np.isnan(lons[1])


@pytest.mark.parametrize(
    ("lat", "lon", "inside"),
    [
        (49.8, -8.7, True),
        (61.0, 1.9, True),
        (49.79, 0, False),
        (61.01, 0, False),
        (55, -8.71, False),
        (55, 1.91, False),
    ],
)
def test_the_bounding_box_of_great_britain(lat: float, lon: float, inside: bool) -> None:
    assert geography.in_great_britain(lat, lon) is inside


# Postcodes


@pytest.mark.parametrize("text", ["SW1A 1AA", "sw1a1aa", " SW1A  1aa ", "SW1A"])
def test_a_postcode_in_any_spelling_has_the_position_of_its_outward_code(text: str) -> None:
    position = geography.outcode_position(text)
    assert position is not None
    assert position.lat == pytest.approx(51.505, abs=0.01)
    assert position.lon == pytest.approx(-0.129, abs=0.01)


@pytest.mark.parametrize("text", ["", "BT1 1AA", "C012 5NB", "hello", "SW1A 1AA 2", "ZZ9 9ZZ"])
def test_what_is_no_postcode_of_great_britain_has_no_position(text: str) -> None:
    assert geography.outcode_position(text) is None


def test_a_misplaced_space_does_not_hide_a_postcode() -> None:
    assert geography.outcode_of("IP60 LE") == "IP6"


def test_the_inward_code_is_told_from_the_district() -> None:
    assert geography.outcode_of("M1 1AA") == "M1"
    assert geography.outcode_of("M11AA") == "M1"
    assert geography.outcode_of("M11") == "M11"
    assert geography.outcode_of("RM9") == "RM9"


def test_the_nearest_outward_code_is_that_of_its_own_centre_and_none_abroad() -> None:
    for code in ("AB10", "SW1A", "TR21", "ZE1"):
        position = geography.outcode_position(code)
        assert position is not None
        assert geography.nearest_outcode(*position) == code
    assert geography.nearest_outcode(48.86, 2.35) is None
    assert geography.nearest_outcode(float("nan"), 0) is None


# Positions that look wrong


@pytest.mark.parametrize(
    ("easting", "northing", "cause"),
    [
        (635372, 2540940, "northing is ten times too large"),
        (635372, 25409.4, "northing is ten times too small"),
        (6353720, 254094, "easting is ten times too large"),
        (63537.2, 254094, "easting is ten times too small"),
        (6353720, 2540940, "both coordinates are ten times too large"),
        (254094, 635372, "easting and northing are swapped"),
        (635.372, 254.094, "kilometres"),
        (52.134977, 1.437895, "latitude and longitude are given as easting and northing"),
        (1.437895, 52.134977, "longitude and latitude are given as easting and northing"),
        (160067, 6823630, "Web Mercator"),
        (0, 0, "empty or zero"),
        (float("nan"), 254094, "empty or zero"),
        (530268, 179640, "lies in London (UKPN_LPN)"),
        (530000, 179000, "lies in London (UKPN_LPN)"),
        (690000, 254094, "at sea or abroad"),
        (1e12, 1e12, "at sea or abroad"),
    ],
)
def test_a_position_outside_its_area_is_told_its_likely_cause(easting: float, northing: float, cause: str) -> None:
    assert cause in (geography.likely_position_error(easting, northing, "UKPN_EPN") or "")


def test_the_likely_cause_says_where_the_position_would_be() -> None:
    message = geography.likely_position_error(BENTWATERS[0], BENTWATERS[1] * 10, "UKPN_EPN")
    assert message is not None
    assert "the Eastern area" in message
    assert "easting 635372, northing 254094" in message


def test_a_position_rounded_to_whole_kilometres_is_recognised_near_the_border() -> None:
    east_of_lowestoft = geography.to_national_grid(52.4757, 1.7629).easting
    eastings = [float(round(east_of_lowestoft, -3) + step) for step in range(0, 6_000, 1_000)]
    messages = [geography.likely_position_error(easting, 293_000, "UKPN_EPN") for easting in eastings]
    assert messages[0] is None
    assert any("rounded to 1 km" in (message or "") for message in messages)
    assert "at sea" in (messages[-1] or "")


@pytest.mark.parametrize("code", ["UKPN_EPN", None, "IDNO_ESP", "NOBODY"])
def test_a_position_where_it_should_be_has_nothing_wrong(code: str | None) -> None:
    assert geography.likely_position_error(*BENTWATERS, code) is None


def test_without_a_licence_area_anywhere_in_great_britain_will_do() -> None:
    message = geography.likely_position_error(BENTWATERS[0], BENTWATERS[1] * 10, None)
    assert "Outside Great Britain" in (message or "")
    assert "ten times too large" in (message or "")
