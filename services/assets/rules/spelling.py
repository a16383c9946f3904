"""Cells and fields in the one spelling that rules read: numbers, dates, meters, codes and identifiers as plain text.

What can be read in one way only is spelled out; anything else stays as it was handed in and is named by the rules. Columns
are taken whole: nearly all cells are plain already, and only the others are looked at one by one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from services.assets.rules.dates import plain_date
from services.assets.rules.mpan import plain_mpan
from services.assets.rules.numbers import COMMA, EXACT, MIXED, read_quantity, split_unit
from services.assets.rules.schemas import CORE
from services.core.text import map_where, normal_column, plain_column

if TYPE_CHECKING:
    from services.assets.rules.prepare import AssetReference

IDENTIFIERS = (
    "FriendlyCode",
    "SerialNumber",
    "Manufacturer",
    "AssetModel",
    "ConsentReference",
    "ImportMPAN",
    "ExportMPAN",
)
"""Terms by which an asset, its device, meter or consent is known."""
PLAIN_TEXTS = ("AssetName", "FriendlyCode", "SerialNumber", "ConsentReference")
"""Texts that are kept in their plainest characters; others keep the characters that they have."""
DECIMALS = {"power": 2, "degrees": 6}
"""Decimal places to which values of a kind are kept."""
_PLAIN_NUMBERS = {
    "power": r"^-?[0-9]+(\.[0-9]{1,2}0*)?$",
    "degrees": r"^-?[0-9]+(\.[0-9]{1,15})?$",
    "metres": r"^-?[0-9]+(\.[0-9]{1,15})?$",
    "number": r"^-?[0-9]+(\.[0-9]+)?$",
}
_ONE_POINT_GROUP = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_PLAIN_DATE = r"^(18|19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_PLAIN_MPAN = r"^[0-9]{13}$"
_FILLED = r"\S"


@dataclass(frozen=True, slots=True)
class ColumnSpelling:
    """Decimal mark, unit and first part of dates of a column, as its other cells and its heading show them."""

    mark: str | None = None
    unit: str = ""
    first: str | None = None


AS_TYPED = ColumnSpelling()
NO_SPELLINGS: Mapping[str, ColumnSpelling] = MappingProxyType({})


def number_kind(term: str, reference: "AssetReference") -> str | None:
    """Kind of a term that is a number (power, degrees, metres, number); None for any other."""
    if term in CORE:
        return CORE[term].kind if CORE[term].kind in _PLAIN_NUMBERS else None
    return "number" if reference.properties.get(term, {}).get("type") in ("number", "integer") else None


def unit_of(term: str, reference: "AssetReference") -> str:
    """The unit in which values of a term are kept; empty where there is none."""
    return CORE[term].unit if term in CORE else str(reference.properties.get(term, {}).get("x-unit", ""))


def spell_out(
    text: pl.DataFrame, reference: "AssetReference", spellings: Mapping[str, ColumnSpelling] = NO_SPELLINGS
) -> pl.DataFrame:
    """Columns of text by term, each cell in its plain spelling where it can be read in one way."""
    columns = [
        spell_column(name, text[name], reference, spellings.get(name, AS_TYPED)).alias(name) for name in text.columns
    ]
    return pl.DataFrame(columns) if columns else text


def spell_column(
    term: str, column: pl.Series, reference: "AssetReference", spelling: ColumnSpelling = AS_TYPED
) -> pl.Series:
    """One column of `spell_out`."""
    column = normal_column(column)
    kind = CORE[term].kind if term in CORE else ""
    numbers = number_kind(term, reference)
    if numbers is not None:
        return _spell_numbers(term, plain_column(column), numbers, reference, spelling)
    if term in PLAIN_TEXTS or kind in ("code", "postcode", "boolean", "date", "mpan", "uuid"):
        column = plain_column(column)
    if kind == "date" or reference.properties.get(term, {}).get("format") == "date":
        return _replace(column, _PLAIN_DATE, lambda text: plain_date(text, spelling.first))
    if kind == "mpan":
        return _replace(column, _PLAIN_MPAN, plain_mpan)
    if kind == "code":
        codes = reference.codes_by_text[term]
        unknown = column.str.strip_chars().str.to_uppercase().is_in(list(reference.codes_of(term))).not_()
        return map_where(column, unknown, lambda text: codes.get(squash_words(text), text))
    return column


def _spell_numbers(
    term: str, column: pl.Series, kind: str, reference: "AssetReference", spelling: ColumnSpelling
) -> pl.Series:
    target = unit_of(term, reference)
    small = kind == "degrees"
    converter = read_number(kind, target, spelling)
    if spelling.unit and spelling.unit.lower() != target.lower():
        # With the unit beside it, a number that can't be converted is named and never taken for one of the right unit.
        return map_where(
            column, column.str.contains(_FILLED), lambda text: converter(text) or _with_unit(text, spelling.unit)
        )
    plain = column.str.contains(_PLAIN_NUMBERS[kind])
    if spelling.mark in (COMMA, MIXED) and not small:
        plain &= column.str.contains(_ONE_POINT_GROUP).not_()
    return map_where(column, plain.not_() & column.str.contains(_FILLED), lambda text: converter(text) or text)


def _with_unit(text: str, unit: str) -> str:
    return text if split_unit(text)[1] else f"{text.strip()} {unit}"


def read_number(kind: str, target: str, spelling: ColumnSpelling = AS_TYPED) -> Callable[[str], str | None]:
    """A function from text to a plain number of the unit `target`, rounded to the places that its kind keeps."""

    def read(text: str) -> str | None:
        number = read_quantity(text, target, spelling.mark, unit=spelling.unit, small=kind == "degrees")
        return None if number is None else round_to(number, DECIMALS.get(kind))

    return read


def round_to(number: str, places: int | None) -> str:
    """A plain number rounded half up to so many decimal places; as it is where it has no more."""
    if places is None or len(number.partition(".")[2].rstrip("0")) <= places:
        return number
    return format(Decimal(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT), "f")


def _replace(column: pl.Series, plain: str, function: Callable[[str], str | None]) -> pl.Series:
    odd = column.str.contains(plain).not_() & column.str.contains(_FILLED)
    return map_where(column, odd, lambda text: function(text) or text)


def squash_words(text: str) -> str:
    """A code or label as codes are compared: lower-case letters and digits alone."""
    return "".join(filter(str.isalnum, text.casefold()))


def codes_by_text(options: Mapping[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """Squashed code or label -> code, from code -> label; and the squashed labels that several codes share."""
    codes: dict[str, set[str]] = {}
    for code, label in options.items():
        codes.setdefault(squash_words(label), set()).add(code)
    own = {squash_words(code): code for code in options}
    clear = {text: next(iter(owners)) for text, owners in codes.items() if len(owners) == 1}
    shared = frozenset(text for text, owners in codes.items() if len(owners) > 1 and text not in own)
    return {**clear, **own}, shared


def properties_of(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The attributes that any category adds, each as the first category has it that knows its unit."""
    properties: dict[str, Mapping[str, Any]] = {}
    for schema in schemas.values():
        for name, spec in schema.get("properties", {}).items():
            if name not in properties or ("x-unit" in spec and "x-unit" not in properties[name]):
                properties[name] = spec
    return properties
