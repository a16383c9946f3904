"""What a register says, held against what was declared: which record is meant, and field by field what agrees."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.assets.sources import best_match, compare, match_score, read_ecr, read_repd
from services.core.comparison import Comparison, ComparisonOutcome

MADE_UP = Path(__file__).resolve().parents[2] / "data" / "sources"

pytestmark = pytest.mark.use_case("UC-02.01")


@cache
def records() -> list[dict[str, Any]]:
    name = "ecr-other-headings.csv"
    return read_ecr((MADE_UP / name).read_bytes(), name).rows.to_dicts()


def quarry(**changes: Any) -> dict[str, Any]:
    """The record of a solar site; 12,345.68 kW registered, 10 MW export, 250 kW import."""
    return {**records()[0], **changes}


def solar(**changes: Any) -> dict[str, Any]:
    """An asset as its owner would declare that site."""
    return {
        "AssetName": "Example Quarry Solar", "AssetCategory": "SOLAR_PV", "FuelType_EnergySource": "SOLAR",
        "RatedCapacity": Decimal("12345.00"), "GenCapacity": Decimal("10000.00"), "DemandCapacity": Decimal("250.00"),
        "InstalledCapacity": Decimal("15000.00"), "ConnectionStatus": "CONNECTED", "DNOConnection": "NGED_EMID",
        "ImportMPAN": None, "ExportMPAN": "1170000386417", "Latitude": 53.1330, "Longitude": -0.9560,
        "Postcode": "NG22 9XX", "Aliases": [{"scheme": "ECR", "value": "EMID-0001"}], **changes,
    }  # fmt: skip


def said(asset: dict[str, Any], record: dict[str, Any], field: str) -> Comparison:
    return next(line for line in compare(asset, record) if line.field == field)


def outcome(asset: dict[str, Any], record: dict[str, Any], field: str) -> ComparisonOutcome:
    return said(asset, record, field).outcome


def test_an_asset_declared_as_it_stands_in_the_register_agrees_in_every_field_stated() -> None:
    lines = compare(solar(), quarry())
    assert {line.field for line in lines if line.outcome is ComparisonOutcome.DIFFERS} == set()
    assert {line.field for line in lines if line.outcome is ComparisonOutcome.NOT_STATED} == {"ImportMPAN"}
    assert all(line.message for line in lines)


def test_position_gives_the_distance_in_metres() -> None:
    near, far = (
        said(solar(), quarry(), "Latitude, Longitude"),
        said(solar(Latitude=53.20), quarry(), "Latitude, Longitude"),
    )
    assert near.message == "71 m apart."
    assert far.outcome is ComparisonOutcome.DIFFERS
    assert far.message == "7,498 m apart."


def test_a_position_taken_from_the_postcode_is_too_coarse_to_compare() -> None:
    asset = solar(Latitude=53.20, PositionSource="postcode")
    assert outcome(asset, quarry(), "Latitude, Longitude") is ComparisonOutcome.NOT_STATED


def test_a_register_that_rounds_to_the_kilometre_may_be_further_off() -> None:
    asset = solar(Latitude=53.146, Longitude=-0.9552)
    assert outcome(asset, quarry(easting=470_001.0), "Latitude, Longitude") is ComparisonOutcome.DIFFERS
    assert outcome(asset, quarry(), "Latitude, Longitude") is ComparisonOutcome.AGREES


@pytest.mark.parametrize(
    ("declared", "theirs", "expected"),
    [
        ("10500.00", "10000.00", ComparisonOutcome.AGREES),
        ("10500.01", "10000.00", ComparisonOutcome.DIFFERS),
        ("9500.00", "10000.00", ComparisonOutcome.AGREES),
        ("4.60", "3.68", ComparisonOutcome.AGREES),
        ("4.69", "3.68", ComparisonOutcome.DIFFERS),
        ("4.69", "0.00", ComparisonOutcome.NOT_STATED),
        ("4.69", None, ComparisonOutcome.NOT_STATED),
    ],
)
def test_capacities_agree_within_five_per_cent_or_one_kilowatt(
    declared: str, theirs: str | None, expected: ComparisonOutcome
) -> None:
    # A record that comes back from the database holds its numbers as text.
    record = quarry(export_kw=theirs)
    assert outcome(solar(GenCapacity=Decimal(declared)), record, "GenCapacity") is expected


def test_a_smaller_unit_behind_a_shared_connection_contradicts_nothing() -> None:
    shared = quarry(categories=["SOLAR_PV", "BESS"])
    asset = solar(RatedCapacity=Decimal(2_000))
    assert outcome(asset, shared, "RatedCapacity") is ComparisonOutcome.NOT_STATED
    assert outcome(solar(RatedCapacity=Decimal(20_000)), shared, "RatedCapacity") is ComparisonOutcome.DIFFERS
    assert outcome(asset, quarry(), "RatedCapacity") is ComparisonOutcome.DIFFERS


def test_more_may_be_installed_than_is_registered_but_not_less() -> None:
    assert outcome(solar(InstalledCapacity=Decimal(18_000)), quarry(), "InstalledCapacity") is ComparisonOutcome.AGREES
    assert outcome(solar(InstalledCapacity=Decimal(20_000)), quarry(), "InstalledCapacity") is ComparisonOutcome.DIFFERS
    assert outcome(solar(InstalledCapacity=Decimal(10_000)), quarry(), "InstalledCapacity") is ComparisonOutcome.DIFFERS


def test_technology_in_their_words() -> None:
    wrong = said(solar(AssetCategory="BESS", FuelType_EnergySource="GRID"), quarry(), "AssetCategory")
    assert wrong.outcome is ComparisonOutcome.DIFFERS
    assert "solar / Photovoltaic" in wrong.message
    assert outcome(solar(AssetCategory="EV_CHARGER"), quarry(), "AssetCategory") is ComparisonOutcome.NOT_STATED
    engine = quarry(categories=["OTHER"], technology_given="Fossil - Gas / Engine", energy_sources=["NATURAL_GAS"])
    assert outcome(solar(AssetCategory="CHP"), engine, "AssetCategory") is ComparisonOutcome.NOT_STATED
    assert outcome(solar(FuelType_EnergySource="DIESEL"), engine, "FuelType_EnergySource") is ComparisonOutcome.DIFFERS


def test_an_mpan_on_the_other_side_or_another_one_differs() -> None:
    assert outcome(solar(ImportMPAN="1170000386392"), quarry(), "ImportMPAN") is ComparisonOutcome.DIFFERS
    assert outcome(solar(ExportMPAN="1199990000051"), quarry(), "ExportMPAN") is ComparisonOutcome.DIFFERS
    unsound = quarry(export_mpans=[], invalid_mpans=["1170000386393"])
    assert "no valid MPAN" in said(solar(), unsound, "ExportMPAN").message


def test_status_area_postcode_and_alias() -> None:
    waiting = quarry(connection_status="PENDING", status_given="Accepted to Connect")
    assert said(solar(), waiting, "ConnectionStatus").message.endswith("last updated 2024-03-01: not yet connected.")
    assert outcome(solar(DNOConnection="NGED_WMID"), quarry(), "DNOConnection") is ComparisonOutcome.DIFFERS
    assert outcome(solar(Postcode="NG2 8TG"), quarry(), "Postcode") is ComparisonOutcome.DIFFERS
    assert outcome(solar(), quarry(postcode=None, outcode="NG22"), "Postcode") is ComparisonOutcome.AGREES
    other = solar(Aliases=[{"scheme": "ECR", "value": "EMID-0002"}])
    assert outcome(other, quarry(), "Aliases") is ComparisonOutcome.DIFFERS
    assert (
        outcome(solar(Aliases=[{"scheme": "BMU", "value": "T_X-1"}]), quarry(), "Aliases")
        is ComparisonOutcome.NOT_STATED
    )


def test_an_mpan_finds_the_record_before_anything_else() -> None:
    match = best_match(solar(Aliases=[{"scheme": "ECR", "value": "EMID-0002"}]), records())
    assert match is not None
    assert (match.record["site_name"], match.matched_by, match.weak) == ("Example Quarry Solar", "MPAN", False)


def test_of_two_units_behind_one_meter_the_one_that_fits_is_meant() -> None:
    asset = {"AssetCategory": "OTHER", "RatedCapacity": Decimal("2000.00"), "ExportMPAN": "1199990000051"}
    match = best_match(asset, records())
    assert match is not None
    assert match.record["site_name"] == "Example Works Unit 2"


def test_an_alias_finds_the_record_where_no_mpan_does() -> None:
    asset = {"AssetCategory": "BESS", "RatedCapacity": "20000", "Aliases": [{"scheme": "ECR", "value": "EMID-0002"}]}
    match = best_match(asset, records())
    assert match is not None
    assert (match.record["site_name"], match.matched_by, match.weak) == ("Example Grid Battery", "alias", False)
    name = "repd.csv"
    planned = read_repd((MADE_UP / name).read_bytes(), name).rows.to_dicts()
    old = best_match({"AssetCategory": "BESS", "Aliases": [{"scheme": "REPD", "value": "A2"}]}, planned)
    assert old is not None
    assert old.record["key"] == "REPD:9003"


def test_place_and_technology_alone_are_a_weak_match_and_say_so() -> None:
    bare = {"AssetCategory": "SOLAR_PV", "RatedCapacity": Decimal(12_000), "Latitude": 53.133, "Longitude": -0.956}
    match = best_match(bare, records())
    assert match is not None
    assert match.weak
    assert "a neighbour may be meant" in match.message
    assert match_score({**bare, "AssetCategory": "BESS"}, quarry()) is None
    assert match_score({**bare, "Latitude": 53.2}, quarry()) is None
    assert match_score({**bare, "PositionSource": "postcode"}, quarry()) is None
    assert best_match({"AssetCategory": "SOLAR_PV"}, records()) is None
