"""Asset filters of lists, counts, maps and exports: by ontology term, as SQL conditions."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import h3.api.basic_int as h3
from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from models.assets import Asset, AssetStatus
from services.assets.cells import FINEST, range_of
from services.assets.registration.record import key_of
from services.assets.rules.mpan import reduce_mpan
from services.core.errors import Finding, Invalid
from services.core.text import clean_text


@dataclass(frozen=True, slots=True)
class AssetFilters:
    """Filters on assets; an empty one lets everything through, several values of one filter are alternatives.

    `text` is looked for in name, friendly code, manufacturer and model, and as the beginning of serial number, MPAN or
    asset ID. `postcode` is a whole one or its beginning. Capacities are rated kW, both ends included.
    """

    asset_category: Sequence[str] = ()
    status: Sequence[str] = ()
    dno_connection: Sequence[str] = ()
    gsp_group: Sequence[str] = ()
    connection_status: Sequence[str] = ()
    connection_type: Sequence[str] = ()
    fuel_type_energy_source: Sequence[str] = ()
    fuel_type_demand_tech_type: Sequence[str] = ()
    import_mpan: Sequence[str] = ()
    export_mpan: Sequence[str] = ()
    serial_number: Sequence[str] = ()
    friendly_code: Sequence[str] = ()
    service_provider_id: Sequence[UUID] = ()
    organisation_id: Sequence[UUID] = ()
    capacity_min: Decimal | None = None
    capacity_max: Decimal | None = None
    text: str | None = None
    postcode: str | None = None
    hexagon: str | None = None
    """An H3 cell of the map, at most as fine as those kept (hexadecimal): what lies in it."""


def dump_filters(filters: AssetFilters) -> dict[str, Any]:
    """Dump filters for tickets and records: text, and only those that were set."""
    values = ((field.name, getattr(filters, field.name)) for field in fields(filters))
    return {
        name: str(value) if isinstance(value, Decimal | str) else [str(item) for item in value]
        for name, value in values
        if value not in (None, "", (), [])
    }


def load_filters(stored: Mapping[str, Any]) -> AssetFilters:
    """Load filters that `dump_filters` wrote."""
    read: dict[str, Any] = {}
    for name, value in stored.items():
        if name in ("service_provider_id", "organisation_id"):
            read[name] = tuple(UUID(identifier) for identifier in value)
        elif name in ("capacity_min", "capacity_max"):
            read[name] = Decimal(value)
        else:
            read[name] = value if isinstance(value, str) else tuple(value)
    return AssetFilters(**read)


FILTER_TERMS: dict[str, str] = {
    "AssetCategory": "asset_category",
    "Status": "status",
    "DNOConnection": "dno_connection",
    "GspGroup": "gsp_group",
    "ConnectionStatus": "connection_status",
    "ConnectionType": "connection_type",
    "FuelType_EnergySource": "fuel_type_energy_source",
    "FuelType_DemandTechType": "fuel_type_demand_tech_type",
    "ImportMPAN": "import_mpan",
    "ExportMPAN": "export_mpan",
    "SerialNumber": "serial_number",
    "FriendlyCode": "friendly_code",
    "ServiceProviderId": "service_provider_id",
    "OrganisationId": "organisation_id",
    "RatedCapacityMin": "capacity_min",
    "RatedCapacityMax": "capacity_max",
    "Text": "text",
    "Postcode": "postcode",
}
"""The filters by the names that the API and links use."""
_CODES = (
    "asset_category",
    "dno_connection",
    "gsp_group",
    "connection_status",
    "connection_type",
    "fuel_type_energy_source",
    "fuel_type_demand_tech_type",
)
_MPANS = ("import_mpan", "export_mpan")
_IDENTITIES = ("service_provider_id", "organisation_id")
_POWERS = ("capacity_min", "capacity_max")


def filters_from_terms(terms: Mapping[str, Sequence[str]]) -> AssetFilters:
    """Filters from text by ontology term, as the API gets them. Raises Invalid for unknown terms and unreadable values."""
    attributes: dict[str, Any] = {}
    findings: list[Finding] = []
    for term, values in terms.items():
        name = FILTER_TERMS.get(term)
        filled = [value.strip() for value in values if value.strip()]
        if name is None:
            expected = f"One of {', '.join(FILTER_TERMS)}"
            findings.append(Finding("FILTER-01", term, term, expected, f"There is no filter {term}."))
        elif filled:
            try:
                attributes[name] = _read(name, filled)
            except (ValueError, InvalidOperation):
                expected = "An identifier" if name in _IDENTITIES else "A value this filter knows"
                expected = "A number of kW with at most two decimals" if name in _POWERS else expected
                message = f"{', '.join(filled)} can't be used as {term}."
                findings.append(Finding("FILTER-02", term, ", ".join(filled), expected, message))
    if findings:
        raise Invalid(findings)
    return AssetFilters(**attributes)


def _read(name: str, values: Sequence[str]) -> Any:
    if name in _IDENTITIES:
        return tuple(UUID(value) for value in values)
    if name in _POWERS:
        return _power(values[-1])
    if name == "status":
        return tuple(AssetStatus(value.upper()) for value in values)
    if name in _CODES:
        return tuple(value.upper() for value in values)
    if name in _MPANS:
        return tuple(reduce_mpan(value) or value for value in values)
    return values[-1] if name in ("text", "postcode") else tuple(values)


def _power(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number) >= Decimal(10) ** 12 or number != number.quantize(Decimal("0.01")):
        raise ValueError(text)
    return number


def condition(filters: AssetFilters) -> list[ColumnElement[bool]]:
    """The filters as SQL; the caller adds who may see what."""
    conditions: list[ColumnElement[bool]] = []
    for name in ("status", "friendly_code", *_CODES, *_MPANS, *_IDENTITIES):
        values = getattr(filters, name)
        if values:
            conditions.append(col(getattr(Asset, name)).in_(list(values)))
    if filters.serial_number:
        conditions.append(col(Asset.serial_key).in_([key_of(value) for value in filters.serial_number]))
    if filters.capacity_min is not None:
        conditions.append(col(Asset.rated_capacity) >= filters.capacity_min)
    if filters.capacity_max is not None:
        conditions.append(col(Asset.rated_capacity) <= filters.capacity_max)
    if filters.postcode and filters.postcode.strip():
        conditions.append(_postcode(filters.postcode))
    if filters.hexagon:
        conditions.append(col(Asset.cell).between(*range_of(_cell(filters.hexagon))))
    if filters.text and filters.text.strip():
        conditions.append(_text(clean_text(filters.text)))
    return conditions


def _cell(text: str) -> int:
    cell = int(text, 16) if re.fullmatch("[0-9a-fA-F]{1,16}", text) else 0
    if not h3.is_valid_cell(cell) or h3.get_resolution(cell) > FINEST:
        expected = f"An H3 cell of resolution 0 to {FINEST}, in hexadecimal"
        raise Invalid([Finding("FILTER-03", "hexagon", text, expected, "There is no such hexagon on the map.")])
    return cell


def _postcode(text: str) -> ColumnElement[bool]:
    """A beginning of the postcode; an outward code alone must be the whole outward code, so that CB1 isn't CB10."""
    words = text.replace("\x00", "").upper().split()
    start = " ".join(words)
    outward = col(Asset.postcode).startswith(start + " ", autoescape=True)
    return or_(outward, col(Asset.postcode) == start) if len(words) == 1 else _starts(Asset.postcode, start)


def _starts(column: Any, start: str) -> ColumnElement[bool]:
    return col(column).startswith(start, autoescape=True)


def _text(text: str) -> ColumnElement[bool]:
    inside = (Asset.asset_name, Asset.friendly_code, Asset.manufacturer, Asset.asset_model)
    conditions = [col(column).icontains(text, autoescape=True) for column in inside]
    digits = "".join(text.split())
    if digits.isascii() and digits.isdigit():
        conditions += [_starts(Asset.import_mpan, digits), _starts(Asset.export_mpan, digits)]
    conditions.append(_starts(Asset.serial_key, key_of(text) or text))
    with suppress(ValueError):
        conditions.append(col(Asset.id) == UUID(text))
    return or_(*conditions)
