"""Requirements of a product by ontology term: the document of a proposal, the API's answer, and their JSON Schema.

Declared once, as `ATTRIBUTES`; checks, form, JSON Schema and the comparison of versions follow from it (UC-04.01).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from models.products import Direction, Phase, ProductVersion, Spread
from services.market.products.reference_data import procurers, sub_markets

CODE = r"^[A-Z][A-Z0-9]{1,19}$"
MAX_POWER_KW = Decimal(10_000_000)
MAX_SECONDS = 366 * 24 * 3600
NOT_KNOWN = "Empty: not known. It then never passes and never fails."


class FieldKind(StrEnum):
    """The kind of a value: its form field and its JSON type."""

    TEXT = "text"
    LONG_TEXT = "long text"
    CHOICE = "choice"
    CHOICES = "choices"
    POWER = "power"
    WHOLE = "whole number"
    YES_NO = "yes or no"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One requirement or fact of a product. `max_length` is of a text; 0: no limit."""

    term: str
    column: str
    label: str
    kind: FieldKind
    needed: bool = False
    max_length: int = 0
    unit: str = ""
    options: tuple[str, ...] = ()
    help: str = ""


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("Name", "name", "Name", FieldKind.TEXT, True, 200),
    Attribute(
        "SubMarket",
        "sub_market",
        "Sub-market",
        FieldKind.CHOICE,
        True,
        options=tuple(market.name for market in sub_markets().values() if market.family),
        help="It says which family of units can be offered into it.",
    ),
    Attribute(
        "Procurers",
        "procurers",
        "Bought by",
        FieldKind.CHOICES,
        True,
        options=tuple(procurers()),
        help="Yours included.",
    ),
    Attribute(
        "Direction",
        "direction",
        "Direction",
        FieldKind.CHOICE,
        True,
        options=tuple(map(str, Direction)),
        help="up: more generation or less demand; down: the opposite; both: bought each way, one of them is enough.",
    ),
    Attribute("MinCapacity_kW", "min_capacity", "Min. size", FieldKind.POWER, unit="kW", help=NOT_KNOWN),
    Attribute("MaxCapacity_kW", "max_capacity", "Largest unit", FieldKind.POWER, unit="kW", help=NOT_KNOWN),
    Attribute("FullDelivery_s", "full_delivery_s", "Full delivery within", FieldKind.WHOLE, unit="s", help=NOT_KNOWN),
    Attribute("MinDuration_min", "min_duration_min", "Min. duration", FieldKind.WHOLE, unit="min", help=NOT_KNOWN),
    Attribute("Metering", "metering", "Metering", FieldKind.TEXT, max_length=200, help=NOT_KNOWN),
    Attribute(
        "Aggregation",
        "aggregation",
        "Assets may be spread over",
        FieldKind.CHOICE,
        options=tuple(map(str, Spread)),
        help=f"none: one site. {NOT_KNOWN}",
    ),
    Attribute(
        "Phase",
        "phase",
        "Phase",
        FieldKind.CHOICE,
        True,
        options=tuple(map(str, Phase)),
        help="Only go-live products can be applied for in this register.",
    ),
    Attribute(
        "StackingCode",
        "stacking_code",
        "Code in the stacking matrix",
        FieldKind.TEXT,
        max_length=20,
        help="A code of the matrix, or the product's own; empty: nothing is known about stacking.",
    ),
    Attribute(
        "Portable",
        "portable",
        "Qualifications move with the unit",
        FieldKind.YES_NO,
        help="Whether a qualification stays in force when the unit is re-assigned to another FSP.",
    ),
    Attribute("Notes", "notes", "Notes", FieldKind.LONG_TEXT, max_length=2000),
    Attribute(
        "Source",
        "source",
        "Source",
        FieldKind.TEXT,
        True,
        300,
        help="Where this is published: document and, if any, link.",
    ),
    Attribute("SourceDate", "source_date", "Date of the source", FieldKind.DATE, True),
)
BY_TERM = {attribute.term: attribute for attribute in ATTRIBUTES}
LABELS = {attribute.term: attribute.label for attribute in ATTRIBUTES} | {
    "Code": "Code",
    "EffectiveFrom": "In force from",
    "Reason": "Reason",
    "Proposal": "Proposal",
}


def version_terms(version: ProductVersion) -> dict[str, Any]:
    """Return one version by ontology term. Power in kW; None: not known."""
    return {
        "Code": version.code,
        "ProductVersion": version.product_version,
        "ValidFrom": version.valid_from,
        "Family": version.family,
        **{attribute.term: getattr(version, attribute.column) for attribute in ATTRIBUTES},
    }


def document_from_version(version: ProductVersion) -> dict[str, Any]:
    """Return a version as a proposal's document, in JSON values: numbers of kW as text, so that none is rounded."""
    return {attribute.term: _json_value(getattr(version, attribute.column)) for attribute in ATTRIBUTES}


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def document_from_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked values by column as a proposal's document."""
    return {attribute.term: _json_value(columns.get(attribute.column)) for attribute in ATTRIBUTES}


def find_differences(before: ProductVersion, after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Find the terms that a document would change in a version: term -> (before, after), in JSON values. Lists are sets."""
    old = document_from_version(before)
    return {
        attribute.term: (old[attribute.term], after.get(attribute.term))
        for attribute in ATTRIBUTES
        if _unordered(old[attribute.term]) != _unordered(after.get(attribute.term))
    }


def _unordered(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value


def product_schema() -> dict[str, Any]:
    """Build the JSON Schema (2020-12) of one version of a product, as the API answers it."""
    properties: dict[str, Any] = {
        "Code": {"type": "string", "pattern": CODE},
        "ProductVersion": {
            "type": "integer",
            "minimum": 1,
            "description": "Counts from 1; a version is never changed.",
        },
        "ValidFrom": {"type": "string", "format": "date", "description": "Applications from this day on are for it."},
        "Family": {"enum": sorted({str(market.family) for market in sub_markets().values() if market.family})},
        **{attribute.term: _property_schema(attribute) for attribute in ATTRIBUTES},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Product",
        "description": "One version of a product. A requirement that is null is not known: it never passes, never fails.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": True,
    }


_TYPES: dict[FieldKind, dict[str, Any]] = {
    FieldKind.TEXT: {"type": "string"},
    FieldKind.LONG_TEXT: {"type": "string"},
    FieldKind.CHOICE: {"type": "string"},
    FieldKind.CHOICES: {"type": "array", "minItems": 1, "uniqueItems": True},
    FieldKind.POWER: {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01},
    FieldKind.WHOLE: {"type": "integer", "minimum": 1},
    FieldKind.YES_NO: {"type": "boolean"},
    FieldKind.DATE: {"type": "string", "format": "date"},
}


def _property_schema(attribute: Attribute) -> dict[str, Any]:
    unit = f" ({attribute.unit})" if attribute.unit else ""
    schema = {"title": f"{attribute.label}{unit}", **_TYPES[attribute.kind]}
    if attribute.help:
        schema["description"] = attribute.help
    if attribute.max_length:
        schema["maxLength"] = attribute.max_length
    nullable = not attribute.needed and attribute.kind is not FieldKind.YES_NO
    if attribute.kind is FieldKind.CHOICES:
        schema["items"] = {"enum": list(attribute.options)}
    elif attribute.options:
        schema["enum"] = [*attribute.options, *([None] if nullable else [])]
    if nullable:
        schema["type"] = [schema["type"], "null"]
    return schema
