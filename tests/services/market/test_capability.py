"""The rules of capability, one by one, over frames of assets: pure, without a register."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.market.units.capability import ASSET_COLUMNS, measure_assets, sum_areas_and_limits, sum_units

pytestmark = pytest.mark.use_case("UC-03.01")
USUAL: dict[str, Any] = {
    **dict.fromkeys(ASSET_COLUMNS),
    "unit_id": "u",
    "status": "VERIFIED",
    "kind": "storage",
    "connection_status": "CONNECTED",
    "rated": 100_00,
    "gen": 100_00,
    "demand": 80_00,
}


def assets(*changes: dict[str, Any]) -> pl.DataFrame:
    """Assets of one unit: usual ones, but for the changes."""
    rows = [{**USUAL, "asset_id": f"a{place}", "import_mpan": f"m{place}", **one} for place, one in enumerate(changes)]
    return pl.DataFrame(rows, schema=ASSET_COLUMNS)


def came_to(*changes: dict[str, Any]) -> dict[str, Any]:
    """What the unit of these assets comes to."""
    return sum_units(measure_assets(assets(*changes))).row(0, named=True)


@pytest.mark.parametrize(
    ("asset", "up", "down"),
    [
        ({}, 100_00, 80_00),
        ({"kind": "gen", "demand": 0}, 100_00, 100_00),
        ({"kind": "gen", "energy_source": "SOLAR"}, 0, 100_00),
        ({"kind": "gen", "energy_source": "WIND", "curtailable": False}, 0, 0),
        ({"kind": "gen", "min_stable": 30_00}, 100_00, 70_00),
        ({"kind": "gen", "min_stable": 130_00}, 100_00, 0),
        ({"kind": "demand", "gen": 0}, 80_00, 80_00),
        ({"kind": "demand", "gen": 0, "share": 25_00}, 20_00, 20_00),
        ({"kind": "demand", "gen": 10_00}, 90_00, 80_00),
        ({"kind": "both"}, 100_00, 80_00),
        ({"kind": "both", "demand": None}, 100_00, 100_00),
        ({"kind": "both", "gen": None}, 80_00, 80_00),
        ({"status": "QUERY"}, 100_00, 80_00),
        ({"status": "SUSPENDED_CONSENT_REVOKED"}, 0, 0),
        ({"connection_status": "PENDING"}, 0, 0),
    ],
)
def test_what_an_asset_can_add_and_take_away(asset: dict[str, Any], up: int, down: int) -> None:
    found = came_to(asset)
    assert (found["up"], found["down"]) == (up, down)


@pytest.mark.parametrize(
    ("given_assets", "energy", "response", "duration"),
    [
        ([{"storage": 200_00, "min_charge": 10_00, "response_s": 1}], 180_00, 1, 108),
        ([{"storage": 200_00, "response_s": 1}, {"response_s": 5}], None, 5, None),
        ([{"kind": "gen", "response_s": None, "start_min": 2}], None, 120, 1440),
        ([{"kind": "demand", "notice_min": 30, "response_s": 4, "interruption_min": 45}], None, 1800, 45),
        ([{"kind": "demand"}], None, None, None),
        ([{"storage": 900_000_00, "response_s": 1}], 900_000_00, 1, 1440),
        # One that adds nothing doesn't count, whatever it says.
        ([{"storage": 200_00, "response_s": 1}, {"connection_status": "PENDING"}], 200_00, 1, 120),
        ([{"status": "DEREGISTERED"}], None, None, None),
    ],
)
def test_energy_response_and_duration(
    given_assets: list[dict[str, Any]], energy: int | None, response: int | None, duration: int | None
) -> None:
    found = came_to(*given_assets)
    assert (found["energy"], found["response_s"], found["duration_min"]) == (energy, response, duration)


@pytest.mark.parametrize(
    ("meters", "points"),
    [
        ([("1", None), ("1", None)], 1),
        ([("1", "2"), (None, "2")], 1),
        ([("1", None), ("2", None)], 2),
        ([(None, "2"), (None, "2")], 1),
        ([(None, None), (None, None)], 2),
    ],
)
def test_accounting_points(meters: list[tuple[str | None, str | None]], points: int) -> None:
    found = came_to(*({"import_mpan": one, "export_mpan": other} for one, other in meters))
    assert found["accounting_points"] == points
    assert found["unit_type"] == ("SPU" if points == 1 else "SPG")


def test_limits_name_the_assets_that_set_each_measure() -> None:
    brought = measure_assets(
        assets({"response_s": 9, "storage": 10_00}, {"response_s": 2}, {"connection_status": "PENDING"})
    )
    _areas, limits = sum_areas_and_limits(brought, sum_units(brought))
    told = limits["u"]
    assert told["response"]["assets"] == ["a0", "a1"]
    assert told["response"]["words"] == "Set by the slowest of 2 assets."
    assert (told["duration"]["missing"], told["duration"]["silent"]) == (1, ["a1"])
    assert told["energy"]["words"] == "Not known: 1 asset with storage doesn't say how much."
    assert told["up"]["words"] == "The sum of 2 assets; 1 asset adds nothing this way."


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["storage", "gen", "demand", "both"]),
                "gen": st.integers(0, 10**7),
                "demand": st.integers(0, 10**7),
                "share": st.none() | st.integers(0, 100_00),
                "unit_id": st.sampled_from(["u", "v"]),
                "gsp_group": st.none() | st.sampled_from(["_A", "_B"]),
                "status": st.sampled_from(["VERIFIED", "QUERY", "DEREGISTERED"]),
            }
        ),
        min_size=1,
        max_size=30,
    )
)
def test_units_counted_together_come_to_what_each_comes_to_alone(changes: list[dict[str, Any]]) -> None:
    frame = assets(*changes)
    brought = measure_assets(frame)
    units = sum_units(brought)
    areas, _limits = sum_areas_and_limits(brought, units)
    for row in units.iter_rows(named=True):
        alone = sum_units(measure_assets(frame.filter(pl.col("unit_id") == row["unit_id"]))).row(0, named=True)
        assert alone == row
        theirs = areas.filter(pl.col("unit_id") == row["unit_id"])
        for name in ("up", "down", "assets"):
            assert theirs[name].sum() == row[name], "the areas add up to the unit"
