"""Comparison of a public register's record with the declared asset, field by field (UC-02.01).

Capacities agree within 5 %, or 1 kW where that is more: registers give MW, often to one decimal. A record describes
a connection, behind which several units may stand: where it names several technologies, a smaller declared capacity
contradicts nothing. Installed capacity may exceed what is registered (panels behind a smaller inverter) by half.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.assets.sources.matching import aliases, categories, decimal, kind_of, metres_apart, nearby_m, references
from services.core.comparison import Comparison, ComparisonOutcome

SHARE = Decimal("0.05")
LEAST_KW = Decimal(1)
INSTALLED_MOST = Decimal("1.5")
_REGISTERS = {"ECR": "The capacity register", "REPD": "The planning database"}
_LISTED = frozenset({"BESS", "SOLAR_PV", "WIND_TURBINE", "CHP", "OTHER"})
_CAPACITIES = (
    ("RatedCapacity", "registered_kw", "registered capacity"),
    ("GenCapacity", "export_kw", "maximum export capacity"),
    ("DemandCapacity", "import_kw", "maximum import capacity"),
    ("InstalledCapacity", "registered_kw", "registered capacity"),
)
_STATUS_WORDS = {"CONNECTED": "connected", "PENDING": "not yet connected", "DISCONNECTED": "not connected (any more)"}


def compare(asset: Mapping[str, Any], record: Mapping[str, Any]) -> list[Comparison]:
    """Every field that a register can speak of, in the order of the data definitions. Asset keys are ontology terms;
    record keys those of `SourceReading.rows` (numbers may be text), with an optional `kind`.
    """
    return [
        _category(asset, record),
        *(_capacity(asset, record, *line) for line in _CAPACITIES),
        _energy_source(asset, record),
        _status(asset, record),
        _area(asset, record),
        _mpan(asset, record, "ImportMPAN", "import_mpans", "export_mpans"),
        _mpan(asset, record, "ExportMPAN", "export_mpans", "import_mpans"),
        _position(asset, record),
        _postcode(asset, record),
        _alias(asset, record),
    ]


def _make_comparison(field: str, declared: object, recorded: object, agrees: bool | None, message: str) -> Comparison:
    outcome = (
        ComparisonOutcome.NOT_STATED
        if agrees is None
        else ComparisonOutcome.AGREES
        if agrees
        else ComparisonOutcome.DIFFERS
    )
    return Comparison(field, _text(declared), _text(recorded), outcome, message)


def _text(value: object) -> str | None:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or None
    return None if value is None or value == "" else str(value)


def _compare_silent(
    field: str, label: str, declared: object, recorded: object, record: Mapping[str, Any]
) -> Comparison:
    """One side says nothing, or both."""
    register = _REGISTERS[kind_of(record)]
    message = f"No {label} is declared." if not declared else f"{register} gives no {label}."
    return _make_comparison(field, declared, recorded, None, message)


def _category(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared, recorded = asset.get("AssetCategory"), categories(record)
    field, register, words = "AssetCategory", _REGISTERS[kind_of(record)], record.get("technology_given")
    if not declared or not recorded:
        return _compare_silent(field, "technology", declared, recorded, record)
    if declared in recorded:
        return _make_comparison(field, declared, recorded, True, f"{register} says “{words}”.")
    if declared not in _LISTED:
        message = (
            f"{register} lists generation and storage; it says nothing of a {declared} behind the same connection."
        )
        return _make_comparison(field, declared, recorded, None, message)
    if declared == "CHP" and "OTHER" in recorded:
        return _make_comparison(
            field, declared, recorded, None, f"{register} says “{words}”, and nothing of cogeneration."
        )
    return _make_comparison(field, declared, recorded, False, f"{register} says “{words}”, which is no {declared}.")


def _energy_source(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared, field = asset.get("FuelType_EnergySource"), "FuelType_EnergySource"
    recorded = list(record.get("energy_sources") or filter(None, [record.get("energy_source")]))
    words = record.get("technology_given")
    if not declared or not recorded:
        return _compare_silent(field, "energy source", declared, recorded, record)
    if declared in recorded:
        return _make_comparison(field, declared, recorded, True, f"{_REGISTERS[kind_of(record)]} says “{words}”.")
    if declared == "OTHER" or "OTHER" in recorded:
        message = f"“{words}” has no energy source of its own in the code list."
        return _make_comparison(field, declared, recorded, None, message)
    return _make_comparison(
        field, declared, recorded, False, f"{_REGISTERS[kind_of(record)]} says “{words}”, not {declared}."
    )


def _capacity(asset: Mapping[str, Any], record: Mapping[str, Any], field: str, name: str, label: str) -> Comparison:
    declared, recorded = decimal(asset.get(field)), decimal(record.get(name))
    declared_text = None if declared is None else f"{declared:,.2f} kW"
    # A register's 0 is one of its ways of saying nothing.
    recorded_text = f"{recorded:,.2f} kW" if recorded else None
    if declared is None or not recorded:
        return _compare_silent(field, label, declared_text, recorded_text, record)
    gap, most = abs(declared - recorded), max(LEAST_KW, recorded * SHARE)
    several = len(categories(record)) > 1
    if gap <= most:
        return _make_comparison(field, declared_text, recorded_text, True, f"Within 5 % of the {label}.")
    if field == "InstalledCapacity" and recorded < declared <= recorded * INSTALLED_MOST:
        return _make_comparison(
            field,
            declared_text,
            recorded_text,
            True,
            f"More is installed than the {label}, as where an inverter limits it.",
        )
    if several and declared < recorded:
        return _make_comparison(
            field,
            declared_text,
            recorded_text,
            None,
            f"The {label} is that of several technologies behind one connection.",
        )
    direction = "above" if declared > recorded else "below"
    return _make_comparison(
        field, declared_text, recorded_text, False, f"{gap:,.2f} kW {direction} the {label} ({gap / recorded:.0%})."
    )


def _status(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared, recorded = asset.get("ConnectionStatus"), record.get("connection_status")
    if not declared or not recorded:
        return _compare_silent("ConnectionStatus", "connection status", declared, recorded, record)
    updated = f", last updated {record['last_updated']}" if record.get("last_updated") else ""
    message = f"{_REGISTERS[kind_of(record)]} says “{record.get('status_given')}”{updated}"
    if declared == recorded:
        return _make_comparison("ConnectionStatus", declared, recorded, True, f"{message}.")
    return _make_comparison(
        "ConnectionStatus", declared, recorded, False, f"{message}: {_STATUS_WORDS.get(recorded, recorded)}."
    )


def _area(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared, recorded = asset.get("DNOConnection"), record.get("dno_code")
    if not declared or not recorded:
        return _compare_silent("DNOConnection", "licence area", declared, recorded, record)
    same = declared == recorded
    message = "The same licence area." if same else f"The site stands in the register of {recorded}."
    return _make_comparison("DNOConnection", declared, recorded, same, message)


def _mpan(asset: Mapping[str, Any], record: Mapping[str, Any], field: str, name: str, other: str) -> Comparison:
    declared, recorded = asset.get(field), list(record.get(name) or ())
    label = "import MPAN" if field == "ImportMPAN" else "export MPAN"
    if declared and declared in recorded:
        many = f" It is one of {len(recorded)} at this site." if len(recorded) > 1 else ""
        return _make_comparison(field, declared, recorded, True, f"The same {label}.{many}")
    if declared and declared in (record.get(other) or ()):
        message = f"It stands in the register on the other side, not as the {label}."
        return _make_comparison(field, declared, recorded, False, message)
    if not declared or not recorded:
        unsound = ", ".join(record.get("invalid_mpans") or ())
        if declared and unsound:
            message = f"The register gives {unsound}, which is no valid MPAN."
            return _make_comparison(field, declared, unsound, None, message)
        return _compare_silent(field, label, declared, recorded, record)
    return _make_comparison(field, declared, recorded, False, f"The register gives another {label}.")


def _position(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared = _degrees(asset.get("Latitude"), asset.get("Longitude"))
    recorded = _degrees(record.get("latitude"), record.get("longitude"))
    field, distance = "Latitude, Longitude", metres_apart(asset, record)
    if not declared or not recorded:
        return _compare_silent(field, "position", declared, recorded, record)
    if distance is None:
        message = "The declared position is that of its postcode only: too coarse to compare."
        return _make_comparison(field, declared, recorded, None, message)
    return _make_comparison(field, declared, recorded, distance <= nearby_m(record), f"{distance:,.0f} m apart.")


def _degrees(latitude: object, longitude: object) -> str | None:
    lat, lon = decimal(latitude), decimal(longitude)
    return None if lat is None or lon is None else f"{lat:.6f}, {lon:.6f}"


def _postcode(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared, recorded = asset.get("Postcode"), record.get("postcode") or record.get("outcode")
    if not declared or not recorded:
        return _compare_silent("Postcode", "postcode", declared, recorded, record)
    declared_district, recorded_district = (
        "".join(str(declared).upper().split())[:-3],
        record.get("outcode") or str(recorded).split()[0],
    )
    same = declared_district == recorded_district
    message = "The same postcode." if declared == recorded else "The same postcode district." if same else ""
    return _make_comparison("Postcode", declared, recorded, same, message or "Another postcode district.")


def _alias(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Comparison:
    declared, recorded = aliases(asset, record), references(record)
    kind = kind_of(record)
    if not declared:
        return _compare_silent("Aliases", f"{kind} reference", None, record.get("reference"), record)
    if any(value in recorded for value in declared):
        return _make_comparison("Aliases", declared, record.get("reference"), True, f"The same {kind} reference.")
    if not record.get("reference"):
        return _compare_silent("Aliases", "reference", declared, None, record)
    return _make_comparison(
        "Aliases", declared, record.get("reference"), False, f"The record has another {kind} reference."
    )
