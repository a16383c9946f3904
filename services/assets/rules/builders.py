"""The shapes that asset rules come in: missing, needed, readable, at most so long, a code of its list."""

import polars as pl

from services.assets.rules.prepare import value
from services.assets.rules.schemas import CORE
from services.core.errors import Severity
from services.core.rules import Hint, Rule
from services.core.text import label_within

KW = "A number of kW such as 2500.00, or with its unit (2.5 MW)"
ISO_DATE = "A date as YYYY-MM-DD"
# What spreadsheets make of dates, numbers and meters, and how to get them back.
DATE_HINTS = (
    Hint(
        r"^\s*[1-9][0-9]{4}(\.[0-9]+)?\s*$",
        "It is the number of days by which a spreadsheet counts: format the column as YYYY-MM-DD and save again.",
    ),
    Hint(
        r"^\s*(29|30|31)[/.\- ]0?2[/.\- ][0-9]{4}\b|^\s*[0-9]{4}[/.\-]0?2[/.\-](29|30|31)\b",
        "There is no such day: February has 28 days, 29 in leap years.",
    ),
    Hint(
        r"^\s*31[/.\- ](0?[469]|11)[/.\- ][0-9]{4}\b|^\s*[0-9]{4}[/.\-](0?[469]|11)[/.\-]31\b",
        "There is no such day: that month has 30 days.",
    ),
    Hint(
        r"^\s*(0[0-9]{3}|1[0-7][0-9]{2}|2[2-9][0-9]{2}|[3-9][0-9]{3}|[0-9]{5,})[/.\-][0-9]",
        "Its year isn't between 1800 and 2199: put the year right.",
    ),
    Hint(
        r"^\s*[0-9]{1,2}[/.\- ][0-9]{1,2}[/.\- ]([0-9]{4}|[0-9]{2})\b",
        "Which part is the day isn't sure: write the year first, then the month and the day.",
    ),
)
NUMBER_HINTS = (
    Hint(r"^\s*[\[{]", "Give the number itself."),
    Hint(r"(?i)[0-9]\s*[kmg]?va(r)?\s*$", "That is apparent power: give the active power in kW."),
    Hint(r"(?i)[0-9]\s*[kmg]?w(h|th)\s*$", "That is energy or heat: give the electrical power in kW."),
    Hint(r"[0-9]\s*%\s*$", "Give the power in kW, not a share."),
    Hint(r"(?i)[0-9]\s*[a-z]+\s*$", "Write the number of kW alone."),
    Hint(
        r"^\s*[+-]?[1-9][0-9]{0,2}[,.][0-9]{3}\s*$",
        "It may be a thousand or one: write 1000 without a separator, or decimals after a point (1.0).",
    ),
    Hint(r"^\s*[+-]?[0-9.,' ]+\s*$", "Write decimals after a point, and no thousands separator."),
    Hint(r"(?i)[0-9]e[+-]?[0-9]", "Write the number out, without an exponent."),
)
FORMULA = Hint(r"^[=+@]", "It looks like a formula: put its result in its place.")
SHORTENED = Hint(
    r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$",
    "A spreadsheet has shortened it: format the column as text first (Format Cells, Text), then put the numbers in again.",
)
COORDINATE_HINTS = (
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
    Hint(r"(?i)^\s*[a-z]", "Leave the words out, and give the 13 digits alone."),
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
    return Rule(code, term, "A value", f"{_ask_for(term)}.", pl.col(term).is_not_null())


def _ask_for(term: str) -> str:
    field = CORE[term]
    return f"{'Choose' if field.kind in ('code', 'codes') else 'Enter'} the {label_within(field.label)}"


def needed(code: str, term: str) -> Rule:
    """A term that the schema of the category makes mandatory (x-mandatory, x-mandatory-when)."""
    holds = pl.col(term).is_not_null() | pl.col(f"needs:{term}").not_()
    return Rule(code, term, "A value, for this category", f"{_ask_for(term)}: this category needs it.", holds)


def readable(code: str, term: str, expected: str, message: str, hints: tuple[Hint, ...] = ()) -> Rule:
    """A text that must be readable as what the attribute holds."""
    return Rule(code, term, expected, message, pl.col(term).is_null() | value(term).is_not_null(), hints=hints)


def date_text(code: str, term: str) -> Rule:
    """A date that must be readable."""
    return readable(code, term, ISO_DATE, "{given} isn't a date as YYYY-MM-DD.", DATE_HINTS)


def power_text(code: str, term: str) -> Rule:
    """A power that must be readable as kW."""
    return readable(code, term, KW, "{given} isn't a number of kW.", NUMBER_HINTS)


def at_most(code: str, term: str, length: int) -> Rule:
    message = f"{CORE[term].label} is longer than {length} characters."
    return Rule(code, term, f"At most {length} characters", message, pl.col(term).str.len_chars() <= length)


def code_rules(known_code: str, active_code: str, shared_code: str, term: str) -> list[Rule]:
    """Three rules of a code: it stands in its list, it is in use, and as a label it is that of one code alone."""
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
        Rule(
            shared_code,
            term,
            f"A code of {CORE[term].code_list}",
            f"Several codes of {CORE[term].code_list} are called {{given}}. Give the code and not the label.",
            pl.col(f"shared:{term}").not_(),
        ),
    ]


def identity(code: str, term: str) -> Rule:
    """An organisation named by its identifier."""
    return readable(code, term, "The identifier of an organisation", "{given} isn't an identifier of an organisation.")


def by_service(code: str, field: str | None, expected: str, message: str, severity: Severity = Severity.ERROR) -> Rule:
    """A rule that needs other records: the services judge it and speak with these words."""
    return Rule(code, field, expected, message, severity=severity)
