"""One value, many spellings: what can be read in one way is, and nothing is off by a power of ten or a month."""

from datetime import date
from decimal import Decimal

import pytest

from services.assets.rules.check import AssetReference, AssetRuleContext, CheckedAsset, check_asset
from services.core.text import identifies_nothing, normal_text
from tests.asset_factories import battery

pytestmark = pytest.mark.use_case("UC-02.01")
CONTEXT = AssetRuleContext(today=date(2026, 12, 1), reference=AssetReference())


def _checked(**changes: object) -> CheckedAsset:
    return check_asset(battery(GenCapacity=None, DemandCapacity=None, **changes), CONTEXT)


def _codes(checked: CheckedAsset) -> list[str]:
    return [finding.code for finding in checked.findings]


@pytest.mark.parametrize(
    ("typed", "kw"),
    [
        ("2500", "2500"),
        (" 2500.00 ", "2500"),
        ("+2500", "2500"),
        ("2500.", "2500"),
        (".5", "0.5"),
        ("2,5", "2.5"),
        ("2500,75", "2500.75"),
        ("0,500", "0.5"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234.5", "1234.5"),
        ("1\u202f234", "1234"),
        ("1'234.5", "1234.5"),
        ("1’234", "1234"),
        ("1,000,000", "1000000"),
        ("1.5E3", "1500"),
        ("1,5e3", "1500"),
        ("50 kW", "50"),
        ("2.5MW", "2500"),
        ("2,5 MWp", "2500"),
        ("0.05 GW", "50000"),
        ("750000 W", "750"),
        ("１２３.５", "123.5"),
        ("12.345", "12.35"),
        ("12.3449999999999999999999", "12.34"),
    ],
)
def test_a_power_is_read_in_every_spelling(typed: str, kw: str) -> None:
    checked = _checked(RatedCapacity=typed)
    assert checked.values["RatedCapacity"] == Decimal(kw)
    assert not _codes(checked)


@pytest.mark.parametrize(
    "typed",
    ["1,234", "30 kVA", "95 %", "50 kWh", "1,00,000", "10²", "½", "1e400", "Infinity", "-Infinity", "NaN", "-0", "-0.00",
     "1-2", "5-", "(5)", "--5", "5 5", "1.2.3", "0x10", "9" * 40, "2.00006E+12", "5 kW 3", "٣", "9" * 58 + "MW"],
)  # fmt: skip
def test_a_power_that_is_none_or_could_be_two_is_named(typed: str) -> None:
    checked = _checked(RatedCapacity=typed)
    assert "CAP-02" in _codes(checked), checked.values["RatedCapacity"]
    assert checked.values["RatedCapacity"] is None


def test_why_a_power_is_not_read_is_said() -> None:
    for typed, words in {
        "1,234": "thousand or one",
        "30 kVA": "apparent power",
        "50 kWh": "energy",
        "95 %": "share",
    }.items():
        [message] = [f.message for f in _checked(RatedCapacity=typed).findings if f.code == "CAP-02"]
        assert words in message


@pytest.mark.parametrize(
    ("typed", "degrees"),
    [
        (Decimal("-0.12180268054273454"), -0.121803),
        (-0.12180268054273454, -0.121803),
        ("-0.12180268054273454", -0.121803),
        ("0.123456789012345678", 0.123457),
        ("-1.234567890123456789e-01", -0.123457),
        ("-1.5E+00", -1.5),
        ("-0,1218", -0.1218),
        ("1,234", 1.234),
        ("−0.1218", -0.1218),
        ("-0.0", 0.0),
        ("-0.00000012", 0.0),
    ],
)
def test_degrees_are_rounded_to_six_places(typed: object, degrees: float) -> None:
    checked = _checked(Latitude="52.2053", Longitude=typed)
    assert str(checked.values["Longitude"]) == str(degrees)
    assert set(_codes(checked)) <= {"POS-12", "POS-18"}


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2025-01-31", date(2025, 1, 31)),
        ("31/01/2025", date(2025, 1, 31)),
        ("31.1.2025", date(2025, 1, 31)),
        ("31-01-2025", date(2025, 1, 31)),
        ("1/31/2025", date(2025, 1, 31)),
        ("05/05/2025", date(2025, 5, 5)),
        ("31 Jan 2025", date(2025, 1, 31)),
        ("31-January-2025", date(2025, 1, 31)),
        ("January 31, 2025", date(2025, 1, 31)),
        ("2025/01/31", date(2025, 1, 31)),
        ("20250131", date(2025, 1, 31)),
        ("2025-01-31T00:00:00Z", date(2025, 1, 31)),
        ("29/02/2024", date(2024, 2, 29)),
        ("２０２５－０１－３１", date(2025, 1, 31)),
    ],
)
def test_a_date_is_read_in_every_spelling_that_is_sure(typed: str, day: date) -> None:
    checked = _checked(CommissioningDate=typed)
    assert (checked.values["CommissioningDate"], _codes(checked)) == (day, [])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("05/06/2025", "isn't sure"),
        ("31/02/2025", "no such day"),
        ("2025-02-31", "no such day"),
        ("29/02/2025", "no such day"),
        ("31.04.2025", "no such day"),
        ("0000-01-01", "year"),
        ("9999-12-31", "year"),
        ("10000-01-01", "year"),
        ("-0001-01-01", "date"),
        ("31/01/25", "isn't sure"),
        ("45678", "spreadsheet"),
    ],
)
@pytest.mark.parametrize(("term", "code"), [("CommissioningDate", "DATE-05"), ("EffectiveDate", "DATE-02")])
def test_a_date_that_is_none_is_named_with_what_to_do(typed: str, words: str, term: str, code: str) -> None:
    checked = _checked(**{term: typed})
    [message] = [finding.message for finding in checked.findings if finding.code == code]
    assert words in message
    assert checked.values[term] is None


@pytest.mark.parametrize(
    ("term", "typed", "code"),
    [
        ("AssetCategory", "Battery Energy Storage System", "BESS"),
        ("AssetCategory", " battery  energy\u00a0storage system", "BESS"),
        ("AssetCategory", "bess", "BESS"),
        ("ConnectionStatus", "Pending connection", "PENDING"),
        ("ConnectionType", "Non-firm", "NON_FIRM"),
        ("ConnectionType", "non firm", "NON_FIRM"),
        ("ConnectionType", "Non\u2011Firm", "NON_FIRM"),
        ("DNOConnection", "UK Power Networks – Eastern Power Networks", "UKPN_EPN"),
        ("FuelType_EnergySource", "Grid electricity", "GRID"),
    ],
)
def test_a_label_of_the_portal_is_taken_for_its_code(term: str, typed: str, code: str) -> None:
    assert _checked(**{term: typed}).values[term] == code


@pytest.mark.parametrize(
    ("term", "typed", "kept"),
    [
        ("AssetName", "Caf\u0065\u0301 1", "Café 1"),
        ("AssetName", "River\u200bside\u00a0\u2013\u00a01", "Riverside - 1"),
        ("FriendlyCode", "\ufeffNES\u20110042\u00ad", "NES-0042"),
        ("FriendlyCode", "ＮＥＳ４２", "NES42"),
        ("SerialNumber", "AD\u20102500\u202e", "AD-2500"),
        ("ImportMPAN", "10\u200999\u200990\u2009000\u20090015", "1099900000015"),
        ("Manufacturer", "Ampere\u2003Devices", "Ampere Devices"),
        ("Postcode", "cb1\u00a02jd", "CB1 2JD"),
    ],
)
def test_text_that_looks_the_same_is_the_same(term: str, typed: str, kept: str) -> None:
    checked = _checked(**{term: typed})
    assert (checked.values[term], _codes(checked)) == (kept, [])


@pytest.mark.parametrize(
    ("term", "typed", "kept"),
    [
        ("StorageCapacity_kWh", "5 MWh", 5000),
        ("StorageCapacity_kWh", "5,5", 5.5),
        ("RoundTripEfficiency", "88 %", 88),
        ("RoundTripEfficiency", "1,234.5", "1234.5"),
        ("StorageCapacity_kWh", "1,234", "1,234"),
        ("StorageCapacity_kWh", "5 MW", "5 MW"),
        ("StorageCapacity_kWh", "1e400", "1e400"),
        ("StorageCapacity_kWh", "12345678901234567890", "12345678901234567890"),
    ],
)
def test_an_attribute_of_a_category_is_read_alike(term: str, typed: str, kept: object) -> None:
    checked = _checked(**{term: typed})
    value = checked.values["CategoryAttributes"][term]
    assert str(value) == str(kept)
    assert bool(_codes(checked)) == (isinstance(value, str) or typed == "1,234.5")


@pytest.mark.parametrize(
    "text",
    ["NULL", "null", "nan", "NaN", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "None", "n/a", "N.A.", "NA", "-", "--",
     "–", "…", "?", "??", ".", "/", "tbc", "TBA", "t.b.d.", "unknown", "Not known", "undefined", "nil", "not applicable",
     "<NA>", "(blank)", "[null]", "to be confirmed", "0", "0000000000000", "00-00", "xxx", "N\u00a0/\u00a0A"],
)  # fmt: skip
def test_what_stands_for_no_value_identifies_nothing(text: str) -> None:
    assert identifies_nothing(normal_text(text))


@pytest.mark.parametrize(
    "text", ["NA-1234", "0123", "NULL-1", "Nantes", "None Such Ltd", "X1", "10", "A", "N4A", "-1-A"]
)
def test_what_only_begins_so_is_an_identifier(text: str) -> None:
    assert not identifies_nothing(text)
