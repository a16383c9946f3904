"""Every rule of the asset definitions: what breaks it is found, what keeps it is not, for one row and for many."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from services.assets.rules.check import (
    ASSET_RULES,
    AssetReference,
    AssetRuleContext,
    CheckedAsset,
    check_asset,
    check_assets,
)
from services.assets.rules.schemas import compile_schema
from services.core.attributes import text_of
from services.core.errors import Severity
from services.core.rules import findings_of

pytestmark = pytest.mark.use_case("UC-02.01")
TODAY = date(2026, 11, 24)
REFERENCE = AssetReference()
CONTEXT = AssetRuleContext(today=TODAY, reference=REFERENCE)
ORGANISATION = "0191e0c2-7a3e-7f21-9c55-1f2e3d4c5b6a"
BESS: dict[str, object] = {
    "AssetName": "Riverside battery 1",
    "AssetCategory": "BESS",
    "RatedCapacity": "2500.00",
    "GenCapacity": "2500.00",
    "DemandCapacity": "2400.00",
    "InstalledCapacity": "2500.00",
    "EffectiveDate": "2026-12-01",
    "CommissioningDate": "2025-06-30",
    "ConnectionStatus": "CONNECTED",
    "ConnectionType": "FIRM",
    "DNOConnection": "UKPN_EPN",
    "ImportMPAN": "1099900000015",
    "StorageCapacity_kWh": "5000",
    "RoundTripEfficiency": "88",
}
SOLAR = BESS | {
    "AssetCategory": "SOLAR_PV",
    "FuelType_EnergySource": "SOLAR",
    "ExportMPAN": "1099900000015",
    "ImportMPAN": None,
    "StorageCapacity_kWh": None,
    "RoundTripEfficiency": None,
}
CHARGER = SOLAR | {
    "AssetCategory": "EV_CHARGER",
    "FuelType_DemandTechType": "EV",
    "ImportMPAN": "1099900000015",
    "ExportMPAN": None,
}
OTHER = BESS | {
    "AssetCategory": "OTHER",
    "OtherDescription": "Flywheel",
    "FuelType_EnergySource": "GRID",
    "FuelType_DemandTechType": "HVAC",
    "RoundTripEfficiency": None,
}
PENDING = BESS | {"ConnectionStatus": "PENDING", "CommissioningDate": None, "ImportMPAN": None, "DNOConnection": None}
CONSUMER_OWNED = BESS | {"ConsumerOwned": "yes", "ConsentReference": "C1"}
CAMBRIDGE = {"Latitude": "52.2053", "Longitude": "0.1218"}

CONSUMER = {"ConsumerOwned": "yes", "ConsentReference": "C1"}
GENERATION = ("SOLAR_PV", "WIND_TURBINE", "CHP")
DEMAND = ("EV_CHARGER", "HEAT_PUMP", "HVAC", "REFRIGERATION", "ELECTRIC_BOILER", "INDUSTRIAL_LOAD")
RETIRED = ("DE_ENERGISED", "COMMISSIONING", "SUSPENDED", "DECOMMISSIONED")
UNREADABLE = ("12,500", "2500 kVA", "95 %", "1e400", "Infinity", "NaN", "-0", "٣", "10²", "2500.5.1", "1,00,000")

# code, an asset, what is changed so that the rule is broken, and so that it is kept
CASES: list[tuple[str, Mapping[str, object], Mapping[str, object], Mapping[str, object]]] = [
    ("NAME-01", BESS, {"AssetName": " \u00a0 "}, {"AssetName": "A"}),
    ("NAME-02", BESS, {"AssetName": "a" * 256}, {"AssetName": "a" * 255}),
    ("NAME-03", BESS, {"AssetName": "Riverside #1"}, {"AssetName": "Tŷ Gwyn (west)/bank_2-b"}),
    ("NAME-04", BESS, {"FriendlyCode": "c" * 41}, {"FriendlyCode": "c" * 40}),
    ("OWN-01", BESS, {"OrganisationId": "Bramble"}, {"OrganisationId": ORGANISATION}),
    ("OWN-03", BESS, CONSUMER | {"OrganisationId": ORGANISATION}, CONSUMER),
    ("OWN-04", BESS, {"ServiceProviderId": "123"}, {"ServiceProviderId": ORGANISATION.upper()}),
    ("CONSENT-01", BESS, {"ConsumerOwned": "maybe"}, {"ConsumerOwned": "No"}),
    ("CONSENT-02", BESS, {"ConsumerOwned": "true"}, {"ConsumerOwned": "true", "ConsentReference": "C1"}),
    ("CONSENT-03", BESS, {"ConsentReference": "c" * 256}, {"ConsentReference": "c" * 255}),
    ("IDENT-01", BESS, {"AssetName": "tbc"}, {"AssetName": "Tbilisi 1"}),
    ("IDENT-02", BESS, {"FriendlyCode": "#N/A"}, {"FriendlyCode": "NA-1"}),
    ("IDENT-03", BESS, {"SerialNumber": "0000"}, {"SerialNumber": "NA-1234"}),
    ("IDENT-04", BESS, {"Manufacturer": "Unknown"}, {"Manufacturer": "Unknown Pleasures Ltd"}),
    ("IDENT-05", BESS, {"AssetModel": "--"}, {"AssetModel": "0-1"}),
    ("IDENT-06", CONSUMER_OWNED, {"ConsentReference": "n/a"}, {}),
    ("IDENT-07", BESS, {"ImportMPAN": "0000000000000"}, {}),
    ("IDENT-08", BESS, {"ExportMPAN": "NULL"}, {"ExportMPAN": ""}),
    ("TEXT-01", BESS, {"AssetName": "B\u0430ttery"}, {"AssetName": "Battery \u043a\u043e\u0442"}),
    ("TEXT-02", BESS, {"FriendlyCode": "\u0410B-1"}, {"FriendlyCode": "AB-1"}),
    ("TEXT-03", BESS, {"Manufacturer": "\u0391mpere"}, {"Manufacturer": "Ampère"}),
    ("TEXT-04", BESS, {"AssetModel": "X\u0425L"}, {"AssetModel": "10 k\u2126"}),
    ("CAT-01", BESS, {"AssetCategory": None}, {"AssetCategory": " bess "}),
    ("CAT-02", BESS, {"AssetCategory": "FLYWHEEL"}, {}),
    ("CAP-01", BESS, {"RatedCapacity": ""}, {"RatedCapacity": "2500"}),
    *(("CAP-02", BESS, {"RatedCapacity": text}, {"RatedCapacity": "2500.5"}) for text in UNREADABLE),
    ("CAP-03", BESS, {"RatedCapacity": "0"}, {"RatedCapacity": "2500.10"}),
    ("CAP-03", BESS, {"RatedCapacity": "-5"}, {}),
    ("CAP-04", BESS, {"RatedCapacity": "1000000.01"}, {"RatedCapacity": "1000000.00"}),
    ("CAP-05", CHARGER, {"RatedCapacity": "7000"}, {"RatedCapacity": "7"}),
    ("CAP-05", CHARGER, {"RatedCapacity": "0.007"}, {"RatedCapacity": "0.007 MW"}),
    ("CAP-06", BESS, {"InstalledCapacity": "2500000"}, {"InstalledCapacity": "2600"}),
    ("CAP-06", BESS, {"GenCapacity": "2.5", "DemandCapacity": "2.4"}, {"GenCapacity": "0", "DemandCapacity": "0"}),
    ("GEN-02", BESS, {"GenCapacity": "3,141"}, {"GenCapacity": "3.141"}),
    ("GEN-03", BESS, {"GenCapacity": "-0.01"}, {"GenCapacity": "0"}),
    ("GEN-04", BESS, {"GenCapacity": "2500.01"}, {"GenCapacity": "2500.00"}),
    ("DEM-02", BESS, {"DemandCapacity": "10 kWh"}, {"DemandCapacity": "10 kW"}),
    ("DEM-03", BESS, {"DemandCapacity": "-1"}, {"DemandCapacity": "0.00"}),
    ("DEM-04", BESS, {"DemandCapacity": "2501"}, {"DemandCapacity": "2500"}),
    ("INST-02", BESS, {"InstalledCapacity": "lots"}, {"InstalledCapacity": None}),
    ("INST-03", BESS, {"InstalledCapacity": "2499.99"}, {"InstalledCapacity": "9999"}),
    ("DATE-01", BESS, {"EffectiveDate": None}, {}),
    ("DATE-02", BESS, {"EffectiveDate": "01/12/26"}, {"EffectiveDate": datetime(2026, 12, 1, tzinfo=UTC)}),
    ("DATE-02", BESS, {"EffectiveDate": "2027-02-30"}, {}),
    ("DATE-03", BESS, {"EffectiveDate": "2026-11-23"}, {"EffectiveDate": "2026-11-24"}),
    ("DATE-05", BESS, {"CommissioningDate": "05-06-2025"}, {"CommissioningDate": date(2025, 6, 30)}),
    ("DATE-06", BESS, {"CommissioningDate": "2026-11-25"}, {"CommissioningDate": "2026-11-24"}),
    ("DATE-07", BESS, {"CommissioningDate": None}, {"CommissioningDate": None, "ConnectionStatus": "PENDING"}),
    ("CONV-02", BESS, {"EnergyConversionType": "e" * 256}, {"EnergyConversionType": "Engine - CHP"}),
    ("FUEL-01", BESS, {"FuelType_EnergySource": "COAL"}, {"FuelType_EnergySource": "solar"}),
    *(("FUEL-03", SOLAR | {"AssetCategory": category}, {"FuelType_EnergySource": None}, {}) for category in GENERATION),
    ("FUEL-03", OTHER, {"FuelType_EnergySource": None}, {"FuelType_EnergySource": None, "GenCapacity": "0"}),
    ("TECH-01", CHARGER, {"FuelType_DemandTechType": "BUS"}, {"FuelType_DemandTechType": "ev"}),
    *(("TECH-03", CHARGER | {"AssetCategory": category}, {"FuelType_DemandTechType": None}, {}) for category in DEMAND),
    ("TECH-03", OTHER, {"FuelType_DemandTechType": None}, {"FuelType_DemandTechType": None, "DemandCapacity": "0"}),
    ("OTHER-01", OTHER, {"OtherDescription": None}, {}),
    ("OTHER-01", BESS, {"FuelType_EnergySource": "OTHER"}, {"FuelType_EnergySource": "OTHER", "OtherDescription": "Flywheel"}),
    ("OTHER-02", BESS, {"OtherDescription": "d" * 201}, {"OtherDescription": "d" * 200}),
    ("MAKE-02", BESS, {"Manufacturer": "m" * 256}, {"Manufacturer": "Ampere & Söhne"}),
    ("MODEL-02", BESS, {"AssetModel": "m" * 101}, {"AssetModel": "m" * 100}),
    ("SERIAL-02", BESS, {"SerialNumber": "AB"}, {"SerialNumber": "AB1"}),
    ("SERIAL-02", BESS, {"SerialNumber": "A" * 65}, {"SerialNumber": "A" * 64}),
    ("SERIAL-03", BESS, {"SerialNumber": "AB 12"}, {"SerialNumber": "AB-1_2"}),
    ("MPAN-01", BESS, {"ImportMPAN": "109990000001"}, {"ImportMPAN": "10 9990 0000 015"}),
    ("MPAN-02", BESS, {"ImportMPAN": "1099900000016"}, {"ImportMPAN": "01 801 001 1099900000015"}),
    *(("MPAN-03", CHARGER | {"AssetCategory": category}, {"ImportMPAN": None}, {}) for category in DEMAND),
    ("MPAN-04", SOLAR, {"ExportMPAN": "none"}, {"ExportMPAN": "008010011099900000015"}),
    ("MPAN-05", SOLAR, {"ExportMPAN": "1099900000010"}, {}),
    *(("MPAN-06", SOLAR | {"AssetCategory": category}, {"ExportMPAN": None}, {}) for category in GENERATION),
    ("MPAN-07", BESS, {"ImportMPAN": None}, {"ImportMPAN": None, "ExportMPAN": "1099900000015"}),
    ("MPAN-08", BESS, {"ExportMPAN": "008010011099900000015"}, {"ExportMPAN": "1050000000005"}),
    ("CONN-01", BESS, {"ConnectionStatus": None}, {"ConnectionStatus": "connected"}),
    ("CONN-02", BESS, {"ConnectionStatus": "LIVE"}, {"ConnectionStatus": "DISCONNECTED"}),
    *(("CONN-03", BESS, {"ConnectionStatus": code}, {}) for code in RETIRED),
    ("CONN-04", BESS, {"ConnectionType": None}, {}),
    ("CONN-05", BESS, {"ConnectionType": "SOFT"}, {"ConnectionType": "DYNAMIC"}),
    *(("CONN-06", BESS, {"ConnectionType": code}, {}) for code in ("TIMED", "EXPORT_ONLY", "IMPORT_ONLY")),
    ("DNO-01", BESS, {"DNOConnection": "UKPN"}, {}),
    ("DNO-02", BESS, {"DNOConnection": "IDNO_ESP"}, {}),
    ("DNO-03", PENDING, {"ImportMPAN": "1099900000015"}, {"ImportMPAN": "1099900000015", "DNOConnection": "UKPN_EPN"}),
    ("DNO-04", SOLAR, {"DNOConnection": None}, {"DNOConnection": None, "ConnectionStatus": "PENDING"}),
    ("DNO-05", BESS, {"DNOConnection": "ENWL"}, {"DNOConnection": "ENWL", "ImportMPAN": "2499900000016"}),
    ("POS-01", BESS, CAMBRIDGE | {"Latitude": "52N"}, CAMBRIDGE),
    ("POS-02", BESS, CAMBRIDGE | {"Latitude": "48.85"}, CAMBRIDGE),
    ("POS-03", BESS, CAMBRIDGE | {"Longitude": "east"}, CAMBRIDGE),
    ("POS-04", BESS, CAMBRIDGE | {"Longitude": "52.2"}, CAMBRIDGE),
    ("POS-05", BESS, {"Latitude": "52.2"}, CAMBRIDGE),
    ("POS-06", BESS, {"Easting": "TL4558", "Northing": "258000"}, {"Easting": "545000", "Northing": "258000"}),
    ("POS-07", BESS, {"Easting": "5450000", "Northing": "258000"}, {}),
    ("POS-08", BESS, {"Easting": "545000", "Northing": "n/a"}, {}),
    ("POS-09", BESS, {"Easting": "545000", "Northing": "2580000"}, {}),
    ("POS-10", BESS, {"Easting": "545000"}, {"Easting": "545000", "Northing": "258000"}),
    ("POS-11", BESS, {"Easting": "545000", "Northing": "1290000"}, {"Easting": "545000", "Northing": "258000"}),
    ("POS-12", BESS, {"Latitude": "53.48", "Longitude": "-2.24"}, {"Postcode": "M1 1AA"}),
    ("POS-13", BESS, {"Postcode": "C012 5NB"}, {"Postcode": "co125nb"}),
    *(("POS-17", BESS, {"Postcode": text}, {"Postcode": "BD1 1AA"}) for text in ("BT1 1AA", "im1 1aa", "ZZ99 3CZ")),
    # Both in one licence area; the second postcode is of a large, thinly settled district.
    ("POS-18", BESS, {"Postcode": "CB1 2JD", "Latitude": "51.515", "Longitude": "0.436"}, CAMBRIDGE | {"Postcode": "CB1 2JD"}),
    ("POS-18", BESS, {"Postcode": "N1 1AA", **CAMBRIDGE}, {"Latitude": "57.9", "Longitude": "-4.9", "Postcode": "IV27 4AA"}),
    ("POS-18", BESS, {"Postcode": "E1 6AN", "Easting": "545000", "Northing": "258000"}, CAMBRIDGE | {"Postcode": "CB25 9AA"}),
    ("POS-19", BESS, CAMBRIDGE | {"ImportMPAN": "2000000000006"}, CAMBRIDGE),
    ("POS-19", PENDING, CAMBRIDGE | {"ImportMPAN": "2000000000006"}, CAMBRIDGE | {"ImportMPAN": "2499900000016"}),
    ("POS-20", SOLAR, CAMBRIDGE | {"ExportMPAN": "2000000000006"}, CAMBRIDGE),
    ("POS-21", BESS, {"Postcode": "M1 1AA"}, {"Postcode": "CB1 2JD"}),
    ("POS-21", BESS, {"Postcode": "TR1 1AA"}, {"Postcode": "MK40 1AA"}),
    ("ALIAS-01", BESS, {"Aliases": "12345"}, {"Aliases": "ECR:1; MCS:2"}),
    ("ALIAS-01", BESS, {"Aliases": [{"scheme": "ECR"}]}, {"Aliases": [{"scheme": "ECR", "value": "a;b"}]}),
    ("ALIAS-02", BESS, {"Aliases": "EAN:12345"}, {"Aliases": "evse:GB*ABC*1"}),
    ("ALIAS-06", BESS, {"Aliases": "ECR:n/a"}, {"Aliases": "ECR:NA-1"}),
    ("ALIAS-07", BESS, {"Aliases": "ECR:\u0410B-1"}, {"Aliases": "Embedded capacity register:AB-1"}),
    ("ALIAS-03", BESS, {"Aliases": "ECR:" + "1" * 101}, {"Aliases": "ECR:" + "1" * 100}),
    ("ALIAS-04", BESS, {"Aliases": "ECR:1;ecr: 1"}, {"Aliases": "ECR:1;MCS:1"}),
    ("FIELD-01", BESS, {"RatedCapcity": "1"}, {"Status": "VERIFIED", "GspGroup": "_A"}),
    ("SCHEMA-02", BESS, {"RoundTripEfficiency": "high"}, {"RoundTripEfficiency": 88.5}),
    ("SCHEMA-03", BESS, {"BatteryChemistry": "SALT"}, {"BatteryChemistry": "Flow battery"}),
    ("SCHEMA-04", BESS, {"StorageCapacity_kWh": "0"}, {"StorageCapacity_kWh": "0.1"}),
    ("SCHEMA-05", BESS, {"RoundTripEfficiency": "101"}, {"RoundTripEfficiency": "100"}),
    ("SCHEMA-06", OTHER, {"TechnologyDescription": "t" * 501}, {"TechnologyDescription": "Flywheel"}),
    ("SCHEMA-07", BESS, {"ThermalOutput_kW": "5"}, {"ThermalOutput_kW": ""}),
    ("SCHEMA-09", BESS, {"CategoryAttributes": "88"}, {"CategoryAttributes": {"RoundTripEfficiency": 90}}),
]  # fmt: skip
# Judged here only with a changed catalogue, see below.
BY_ADMINISTRATOR = {"GEN-01", "DEM-01",
    "CAT-03", "CAT-04", "INST-01", "DATE-08", "CONV-01", "FUEL-02", "TECH-02", "MAKE-01", "MODEL-01", "SERIAL-01", "DNO-06",
    "POS-14", "POS-15", "POS-16", "SCHEMA-01", "SCHEMA-08", "DATE-04",
    "CODE-01", "CODE-02", "CODE-03", "CODE-04", "CODE-05", "CODE-06",
}  # fmt: skip
BY_SERVICES = {
    "NAME-05", "OWN-02", "OWN-05", "CONSENT-04", "CAT-05", "MPAN-09", "ALIAS-05", "DUP-01", "DUP-02", "DUP-03", "JUST-01",
}  # fmt: skip


def check(asset: Mapping[str, object], context: AssetRuleContext = CONTEXT) -> CheckedAsset:
    return check_asset(asset, context)


def codes(asset: Mapping[str, object], context: AssetRuleContext = CONTEXT) -> list[str]:
    return [finding.code for finding in check(asset, context).findings]


@pytest.mark.parametrize("asset", [BESS, SOLAR, CHARGER, OTHER], ids=lambda asset: asset["AssetCategory"])
def test_a_sound_asset_has_no_findings(asset: dict[str, object]) -> None:
    assert check(asset).findings == []


@pytest.mark.parametrize(("code", "asset", "broken", "kept"), CASES)
def test_a_rule_finds_what_breaks_it_and_nothing_else(
    code: str, asset: Mapping[str, object], broken: Mapping[str, object], kept: Mapping[str, object]
) -> None:
    found = {finding.code: finding for finding in check({**asset, **broken}).findings}
    assert code in found, list(found)
    assert found[code].expected
    assert "{given}" not in found[code].message + found[code].expected
    assert code not in codes({**asset, **kept})


def test_every_rule_of_the_catalogue_is_exercised() -> None:
    assert {case[0] for case in CASES} | BY_ADMINISTRATOR | BY_SERVICES == set(ASSET_RULES)


def test_rules_without_an_expression_are_those_that_services_or_schemas_decide() -> None:
    families = ("ALIAS", "FIELD", "SCHEMA")
    by_service = {code for code, rule in ASSET_RULES.items() if rule.decided_by_service}
    assert {code for code in by_service if not code.startswith(families)} == {
        code for code in BY_SERVICES if not code.startswith(families)
    }


def test_all_errors_come_at_once_and_say_what_was_given() -> None:
    found = check(
        BESS | {"AssetName": "A#", "RatedCapacity": "10kVA", "ImportMPAN": "1", "ConnectionType": "x"}
    ).findings
    assert {(one.code, one.field, one.given) for one in found} == {
        ("NAME-03", "AssetName", "A#"),
        ("CAP-02", "RatedCapacity", "10kVA"),
        ("MPAN-01", "ImportMPAN", "1"),
        ("CONN-05", "ConnectionType", "x"),
    }
    assert all(one.severity is Severity.ERROR for one in found)


def test_an_empty_asset_is_told_everything_it_needs() -> None:
    assert codes({}) == ["NAME-01", "CAT-01", "CAP-01", "DATE-01", "CONN-01", "CONN-04"]


@pytest.mark.parametrize(
    "changes", [{"RatedCapacity": "1000001"}, {"DNOConnection": "ENWL"}, {"Latitude": "53.48", "Longitude": "-2.24"}]
)
def test_warnings_are_warnings(changes: dict[str, object]) -> None:
    found = check(BESS | changes).findings
    assert [one.severity for one in found] == [Severity.WARNING]


def test_an_asset_connected_before_it_is_commissioned() -> None:
    update = AssetRuleContext(today=TODAY, reference=REFERENCE, is_new=False)
    asset = BESS | {"EffectiveDate": "2025-06-29"}
    assert codes(asset, update) == ["DATE-04"]
    assert codes(asset | {"ConnectionStatus": "DISCONNECTED"}, update) == []


def test_an_old_effective_date_is_judged_only_at_registration_or_when_it_moves() -> None:
    asset = BESS | {"EffectiveDate": "2025-07-01"}
    assert codes(asset) == ["DATE-03"]
    assert codes(asset, AssetRuleContext(today=TODAY, reference=REFERENCE, is_new=False)) == []
    moved = AssetRuleContext(today=TODAY, reference=REFERENCE, is_new=False, effective_date_changed=True)
    assert codes(asset, moved) == ["DATE-03"]


def test_the_threshold_is_a_setting() -> None:
    context = AssetRuleContext(today=TODAY, reference=REFERENCE, justify_above_kw=Decimal("2000.00"))
    assert codes(BESS, context) == ["CAP-04"]


def test_values_are_typed_and_exact() -> None:
    given = {"RatedCapacity": 50.5, "GenCapacity": Decimal("50.50"), "DemandCapacity": 0, "InstalledCapacity": "50.500"}
    values = check(BESS | given).values
    assert [str(values[term]) for term in given] == ["50.50", "50.50", "0.00", "50.50"]
    assert values["EffectiveDate"] == date(2026, 12, 1)
    assert values["CategoryAttributes"] == {"StorageCapacity_kWh": 5000, "RoundTripEfficiency": 88}


def test_what_the_register_fills_in_is_named() -> None:
    checked = check(BESS | {"InstalledCapacity": None, "Postcode": "cb1 2jd"})
    values = checked.values
    assert values["FuelType_EnergySource"] == "GRID"
    assert values["InstalledCapacity"] == Decimal("2500.00")
    assert (values["GspGroup"], values["PositionSource"], values["Postcode"]) == ("_A", "postcode", "CB1 2JD")
    derived = {"FuelType_EnergySource", "InstalledCapacity", "ConsumerOwned", "GspGroup", "Latitude", "Longitude"}
    assert checked.derived == derived


def test_a_battery_keeps_the_energy_source_it_declares() -> None:
    checked = check(BESS | {"FuelType_EnergySource": "SOLAR"})
    assert checked.values["FuelType_EnergySource"] == "SOLAR"
    assert "FuelType_EnergySource" not in checked.derived


def test_the_position_comes_from_the_finest_source() -> None:
    metres = {"Easting": "545000", "Northing": "258000", "Postcode": "M1 1AA"}
    converted = check(BESS | metres).values
    assert converted["PositionSource"] == "eastings"
    assert converted["Latitude"] == pytest.approx(52.2009, abs=0.001)
    assert converted["Longitude"] == pytest.approx(0.1213, abs=0.001)
    declared = check(BESS | metres | {"Latitude": "52.12345678", "Longitude": "0.2"}).values
    assert (declared["PositionSource"], declared["Latitude"]) == ("declared", 52.123457)
    assert check(BESS).values["PositionSource"] is None


def test_an_idno_number_needs_no_warning_and_takes_the_group_of_the_declared_network() -> None:
    checked = check(BESS | {"ImportMPAN": "2499900000016"})
    assert checked.findings == []
    assert checked.values["GspGroup"] == "_A"


def changed(category: str, **keywords: Any) -> AssetRuleContext:
    """The rules after an administrator has published another version of a category."""
    schema = {**REFERENCE.schemas[category], **keywords}
    reference = AssetReference(REFERENCE.code_lists, {**REFERENCE.schemas, category: schema})
    return AssetRuleContext(today=TODAY, reference=reference)


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize(
    ("term", "code"),
    [
        ("EnergyConversionType", "CONV-01"), ("Manufacturer", "MAKE-01"), ("AssetModel", "MODEL-01"),
        ("SerialNumber", "SERIAL-01"), ("Latitude", "POS-14"), ("Longitude", "POS-15"), ("Postcode", "POS-16"),
    ],
)  # fmt: skip
def test_an_administrator_makes_a_core_attribute_mandatory(term: str, code: str) -> None:
    assert codes(BESS, changed("BESS", **{"x-mandatory": [term]})) == [code]
    assert codes(BESS) == []


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize(("term", "code"), [("GenCapacity", "GEN-01"), ("DemandCapacity", "DEM-01")])
def test_an_administrator_has_a_capacity_declared_that_follows_the_rated_one_otherwise(term: str, code: str) -> None:
    left_empty = BESS | {term: None}
    assert codes(left_empty, changed("BESS", **{"x-mandatory": [term]})) == [code]
    checked = check(left_empty)
    assert (checked.findings, checked.values[term]) == ([], checked.values["RatedCapacity"])
    assert term in checked.derived


@pytest.mark.use_case("UC-02.01")
def test_a_capacity_of_the_other_direction_is_not_taken_from_the_rated_one() -> None:
    checked = check(SOLAR | {"GenCapacity": None, "DemandCapacity": None})
    assert checked.values["GenCapacity"] == checked.values["RatedCapacity"]
    assert checked.values["DemandCapacity"] == 0


@pytest.mark.use_case("UC-02.01")
def test_an_idno_mpan_says_nothing_of_its_host_network_and_that_is_no_error() -> None:
    alone = BESS | {"ImportMPAN": "2499900000016", "ExportMPAN": None, "DNOConnection": None}
    checked = check(alone)
    assert checked.findings == []
    assert (checked.values["DNOConnection"], checked.values["GspGroup"]) == (None, None)
    assert codes(alone | {"ExportMPAN": "1099900000015"}) == ["DNO-03", "DNO-04"]


@pytest.mark.use_case("UC-05.07")
def test_mandatory_attributes_that_the_core_asks_for_in_some_cases_only() -> None:
    context = changed("BESS", **{"x-mandatory": ["CommissioningDate", "DNOConnection", "InstalledCapacity"]})
    assert codes(PENDING | {"InstalledCapacity": None}, context) == ["INST-01", "DATE-08", "MPAN-07", "DNO-06"]


@pytest.mark.use_case("UC-05.07")
def test_one_of_several_attributes() -> None:
    context = changed("SOLAR_PV", **{"x-mandatory-any": [["Latitude", "Postcode"]]})
    assert codes(SOLAR, context) == ["CAT-04"]
    assert codes(SOLAR | {"Postcode": "CB1 2JD"}, context) == []


@pytest.mark.use_case("UC-05.07")
def test_the_schema_of_a_category_is_obeyed() -> None:
    properties = {"Cells": {"type": "integer", "title": "Cells", "multipleOf": 12}}
    context = changed("BESS", properties=properties, required=["Cells"])
    asset = {name: one for name, one in BESS.items() if name not in ("StorageCapacity_kWh", "RoundTripEfficiency")}
    (missing,) = check(asset, context).findings
    assert (missing.code, missing.field, missing.message) == ("SCHEMA-01", "Cells", "Enter the cells.")
    assert codes(asset | {"Cells": "13"}, context) == ["SCHEMA-08"]
    assert codes(asset | {"Cells": "24"}, context) == []


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize(
    ("spec", "broken", "kept"),
    [
        ({"type": "string", "format": "date"}, "2027-13-01", "2027-12-01"),
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, "abc", "AB"),
        ({"type": "string", "minLength": 3}, "ab", "abc"),
    ],
)
def test_forms_and_patterns_of_a_category_are_obeyed(spec: dict[str, object], broken: str, kept: str) -> None:
    context = changed("BESS", properties={"Mark": spec | {"title": "Mark"}})
    asset = {name: one for name, one in BESS.items() if name not in ("StorageCapacity_kWh", "RoundTripEfficiency")}
    assert codes(asset | {"Mark": broken}, context) == ["SCHEMA-06"]
    assert codes(asset | {"Mark": kept}, context) == []


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize("spec", [{"$ref": "http://localhost:1/schema"}, {"type": "string", "pattern": "(?=a)b"}])
def test_a_schema_neither_reaches_the_network_nor_runs_costly_patterns(spec: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"localhost|regex"):
        compile_schema({"type": "object", "properties": {"Mark": spec}})


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize(
    ("name", "code", "rule", "changes"),
    [
        ("AssetCategory", "BESS", "CAT-03", {}),
        ("EnergySource", "SOLAR", "FUEL-02", {"FuelType_EnergySource": "SOLAR"}),
        ("DemandTechType", "EV", "TECH-02", {"FuelType_DemandTechType": "EV"}),
    ],
)
def test_a_retired_code_is_refused(name: str, code: str, rule: str, changes: dict[str, object]) -> None:
    codes_now = dict(REFERENCE.code_lists[name])
    codes_now[code] = type(codes_now[code])(code, "Retired", active=False)
    reference = AssetReference({**REFERENCE.code_lists, name: codes_now}, REFERENCE.schemas)
    assert codes(BESS | changes, AssetRuleContext(today=TODAY, reference=reference)) == [rule]
    if name == "AssetCategory":
        assert codes(BESS, AssetRuleContext(today=TODAY, reference=reference, is_new=False)) == []


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize(
    ("name", "code", "term", "rule"),
    [
        ("AssetCategory", "BESS", "AssetCategory", "CODE-01"),
        ("EnergySource", "SOLAR", "FuelType_EnergySource", "CODE-02"),
        ("DemandTechType", "EV", "FuelType_DemandTechType", "CODE-03"),
        ("ConnectionStatus", "CONNECTED", "ConnectionStatus", "CODE-04"),
        ("ConnectionType", "FIRM", "ConnectionType", "CODE-05"),
        ("DNOCode", "UKPN_EPN", "DNOConnection", "CODE-06"),
    ],
)
def test_a_label_that_two_codes_share_is_named(name: str, code: str, term: str, rule: str) -> None:
    codes_now = dict(REFERENCE.code_lists[name])
    label = "Twin"
    codes_now |= {twin: type(codes_now[code])(twin, label) for twin in (code, "ANOTHER")}
    reference = AssetReference({**REFERENCE.code_lists, name: codes_now}, REFERENCE.schemas)
    assert rule in codes(BESS | {term: label}, AssetRuleContext(today=TODAY, reference=reference))
    assert rule not in codes(BESS | {term: code}, AssetRuleContext(today=TODAY, reference=reference))


@pytest.mark.use_case("UC-05.07")
def test_a_new_category_works_without_code() -> None:
    code_lists = dict(REFERENCE.code_lists)
    some = REFERENCE.code_lists["AssetCategory"]["BESS"]
    code_lists["AssetCategory"] = {**code_lists["AssetCategory"], "FLYWHEEL": type(some)("FLYWHEEL", "Flywheel")}
    schema = {
        "type": "object",
        "x-mandatory": ["Manufacturer"],
        "properties": {"Speed_rpm": {"type": "integer", "title": "Speed", "maximum": 60000}},
        "additionalProperties": False,
    }
    context = AssetRuleContext(TODAY, AssetReference(code_lists, {**REFERENCE.schemas, "FLYWHEEL": schema}))
    asset = {name: one for name, one in BESS.items() if name not in ("StorageCapacity_kWh", "RoundTripEfficiency")}
    flywheel = asset | {"AssetCategory": "FLYWHEEL", "Speed_rpm": "99999"}
    assert codes(flywheel, context) == ["MAKE-01", "SCHEMA-05"]


def test_a_file_of_100_000_rows_has_the_findings_of_its_rows() -> None:
    kinds = [
        BESS,
        BESS | {"RatedCapacity": "12,500"},
        SOLAR | {"ExportMPAN": "1"},
        CHARGER,
        OTHER | {"AssetName": "A#"},
    ]
    rows = [{name: text_of(one) for name, one in asset.items()} for asset in kinds]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    big = pl.concat([frame] * 20_000).with_columns(pl.lit("x").alias("Notes"))
    checked = check_assets(big, CONTEXT)
    assert checked.values.height == 100_000
    assert checked.unknown == ("Notes",)
    assert checked.findings.height == 3 * 20_000
    assert checked.findings["row"].n_unique() == 3 * 20_000
    for row, asset in enumerate(kinds):
        assert findings_of(checked.findings, 99_995 + row) == check(asset).findings
    assert checked.values["RatedCapacity"].dtype == pl.Decimal(18, 2)


def test_a_file_without_rows_has_no_findings() -> None:
    checked = check_assets(pl.DataFrame(schema={"AssetName": pl.String}), CONTEXT)
    assert (checked.values.height, checked.findings.height) == (0, 0)


HOSTILE = [
    {},
    [],
    [[]],
    [None],
    {"scheme": "ECR"},
    True,
    -1,
    1e300,
    10**400,
    float("nan"),
    "\ud800",
    "a\x00b",
    "[",
    "[{}]",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
def test_any_json_is_answered_with_findings(hostile: object) -> None:
    for term in (*BESS, "Latitude", "Easting", "Postcode", "Aliases", "CategoryAttributes", "Manufacturer", "Unknown"):
        check(BESS | {term: hostile})
    check(BESS | {"CategoryAttributes": {"StorageCapacity_kWh": hostile, "BatteryChemistry": hostile, "x": hostile}})


def test_no_text_that_a_database_refuses_is_kept() -> None:
    values = check(BESS | {"Manufacturer": "Am\x00pere\r\n\u00a0Devices", "Aliases": "OEM:a\x00b"}).values
    assert values["Manufacturer"] == "Ampere Devices"
    assert values["Aliases"] == [{"scheme": "OEM", "value": "ab"}]


def test_a_distance_is_said_in_kilometres() -> None:
    said = {
        finding.code: finding.message
        for values in (
            {"Postcode": "CB1 2JD", "Latitude": "51.5152", "Longitude": "0.4361"},
            {"Postcode": "M1 1AA", "Latitude": "53.48", "Longitude": "-2.24"},
        )
        for finding in check_asset(BESS | values, CONTEXT).findings
    }
    assert said["POS-18"].startswith("The position is 78 km from the postcode CB1 2JD.")
    assert " km outside the licence area UKPN_EPN" in said["POS-12"]
