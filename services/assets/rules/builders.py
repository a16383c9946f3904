"""The shapes that asset rules come in: missing, needed, readable, at most so long, a code of its list."""

import polars as pl

from services.assets.rules.prepare import value
from services.assets.rules.schemas import CORE
from services.core.errors import Severity
from services.core.rules import Hint, Rule

KW = "A number of kW with at most two decimals, such as 2500.00; no unit and no thousands separator"
ISO_DATE = "A date as YYYY-MM-DD"
# What spreadsheets make of dates, numbers and meters, and how to get them back.
DATE_HINTS = (
    Hint(
        r"^\s*[1-9][0-9]{4}(\.[0-9]+)?\s*$",
        "It is the number of days by which a spreadsheet counts: format the column as YYYY-MM-DD and save again.",
    ),
    Hint(
        r"^\s*[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-]([0-9]{4}|[0-9]{2})\b",
        "Which part is the day isn't sure: write the year first, then the month and the day.",
    ),
)
NUMBER_HINTS = (
    Hint(r"^\s*[\[{]", "Give the number itself."),
    Hint(r"(?i)[0-9]\s*(kw|mw|gw|w|kva|mva|kwh|mwh|kwp|mwp)\s*$", "Write the number of kW alone, without its unit."),
    Hint(r"^\s*-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?\s*$", "Leave the thousands separator out."),
    Hint(r"^\s*-?[0-9.\s]*,[0-9]*\s*$", "Write decimals after a point, and no thousands separator."),
    Hint(r"^\s*-?[0-9]+\.[0-9]{3}", "Round it to two decimals."),
    Hint(r"[0-9]\s+[0-9]", "Leave the spaces out."),
    Hint(r"(?i)[0-9]e[+-]?[0-9]", "Write the number out, without an exponent."),
)
FORMULA = Hint(r"^[=+@]", "It looks like a formula: put its result in its place.")
SHORTENED = Hint(
    r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$",
    "A spreadsheet has shortened it: format the column as text first (Format Cells, Text), then put the numbers in again.",
)
COORDINATE_HINTS = (
    Hint(r"^\s*-?[0-9]+,[0-9]+\s*$", "Write decimals after a point."),
    Hint(r"[NSEWnsew°]", "Write degrees as one decimal number, west of Greenwich with a minus in front."),
)
ROUNDED = Hint(
    r"^\s*[1-9][0-9]{14}0{2,6}\s*$",
    "A spreadsheet keeps 15 digits and has lost the rest: format the column as text first (Format Cells, Text), then put "
    "the MPANs in again from where they came.",
)
MPAN_HINTS = (
    Hint(
        r"(?i)[0-9]e\+?[0-9]+\s*$",
        "A spreadsheet has shortened it and its digits are lost: format the column as text first (Format Cells, Text), then "
        "put the MPANs in again from where they came.",
    ),
    ROUNDED,
    Hint(
        r"^\s*[0-9]{17,20}\s*$",
        "Zeros in front may be lost: format the column as text first, or give the last 13 digits alone.",
    ),
    Hint(r"^\s*[0-9]{12}\s*$", "One digit is missing."),
    Hint(r"[0-9]\.0+\s*$", "Leave the decimals out."),
    Hint(r"[0-9]\s*[;,/&]\s*[0-9]", "Give one MPAN; an asset with two meters has an import and an export MPAN."),
)
WARNING = Severity.WARNING
CONNECTED = pl.col("ConnectionStatus") == "CONNECTED"
CODES_LABEL = {
    "AssetCategory": "category",
    "FuelType_EnergySource": "energy source",
    "FuelType_DemandTechType": "demand technology",
    "ConnectionStatus": "connection status",
    "ConnectionType": "connection type",
    "DNOConnection": "distribution network",
}


def missing(code: str, term: str) -> Rule:
    """A core term that every asset needs."""
    return Rule(code, term, "A value", f"{CORE[term].label} is missing.", pl.col(term).is_not_null())


def needed(code: str, term: str) -> Rule:
    """A term that the schema of the category makes mandatory (x-mandatory, x-mandatory-when)."""
    holds = pl.col(term).is_not_null() | pl.col(f"needs:{term}").not_()
    return Rule(code, term, "A value, for this category", f"{CORE[term].label} is needed for this category.", holds)


def readable(code: str, term: str, expected: str, message: str, hints: tuple[Hint, ...] = ()) -> Rule:
    """A text that must be readable as what the attribute holds."""
    return Rule(code, term, expected, message, pl.col(term).is_null() | value(term).is_not_null(), hints=hints)


def date_text(code: str, term: str) -> Rule:
    """A date that must be readable."""
    return readable(code, term, ISO_DATE, "{given} isn't a date as YYYY-MM-DD.", DATE_HINTS)


def power_text(code: str, term: str) -> Rule:
    """A power that must be readable as kW."""
    return readable(code, term, KW, "{given} isn't a number of kW with at most two decimals.", NUMBER_HINTS)


def at_most(code: str, term: str, length: int) -> Rule:
    message = f"{CORE[term].label} is longer than {length} characters."
    return Rule(code, term, f"At most {length} characters", message, pl.col(term).str.len_chars() <= length)


def code_rules(known_code: str, active_code: str, term: str) -> list[Rule]:
    """Two rules of a code: it stands in its list, and it is in use."""
    label = CODES_LABEL[term]
    is_known, is_active = pl.col(f"known:{term}"), pl.col(f"active:{term}")
    if term == "AssetCategory":
        # An asset keeps the category it was registered with when that one is retired.
        is_active = is_active | pl.col("is_new").not_()
    return [
        Rule(known_code, term, f"A code of {CORE[term].code_list}", f"There is no {label} {{given}}.", is_known),
        Rule(
            active_code,
            term,
            f"An active code of {CORE[term].code_list}",
            f"The {label} {{given}} isn't in use now.",
            is_active,
        ),
    ]


def identity(code: str, term: str) -> Rule:
    """An organisation named by its identifier."""
    return readable(code, term, "The identifier of an organisation", "{given} isn't an identifier of an organisation.")


def by_service(code: str, field: str | None, expected: str, message: str, severity: Severity = Severity.ERROR) -> Rule:
    """A rule that needs other records: the services judge it and speak with these words."""
    return Rule(code, field, expected, message, severity=severity)
