"""Numbers and units as people and spreadsheets write them, read to plain digits; what could be two numbers stays as it is.

One thousand and a quarter is written 1000.25, 1,000.25, 1 000,25, 1'000.25, 1.000,25 and 1.00025E3. Only 1,000 alone, with
three digits after one comma, may be a thousand or one: then the other cells of its column decide, or nobody does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from types import MappingProxyType

POINT, COMMA, MIXED = ".", ",", "mixed"
"""The decimal mark of a column, as its cells show it; `MIXED` where they contradict each other."""
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+\.[0-9]*|[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}")
_POINT_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]*|[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}")
_SPACE_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[ '][0-9]{3})+(?:[.,][0-9]*)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:0?,[0-9]+|[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|[0-9]{4,},[0-9]+)")
_ONE_COMMA_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_ONE_POINT_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_WITH_UNIT = re.compile(r"(?s)\s*(\S(?:.*[0-9.,])?)\s*((?:[A-Za-zµ]+(?:\(e\)|²)?|%|°C?))\s*")
_FAR = 30
"""Powers of ten beyond which a number is no value of an asset."""
LONGEST_NUMBER = 60
LONGEST_HEADING_WITH_UNIT = 300
"""No unit is looked for in a longer heading: the pattern goes back and forth in it."""
EXACT = Context(prec=2 * LONGEST_NUMBER)
"""Arithmetic in which no number of so many digits loses any."""


def plain_number(text: str, mark: str | None = None, *, small: bool = False) -> str | None:
    """A number as digits with a decimal point; None for what is none, or could be two.

    `mark` is the decimal mark of its column where that is known; of a `small` quantity, which never reaches a thousand, a
    comma is always decimal.
    """
    text = text.strip()
    if len(text) > LONGEST_NUMBER:
        return None
    if _PLAIN.fullmatch(text):
        if _ONE_POINT_GROUP.fullmatch(text) and not small and mark in (COMMA, MIXED):
            return text.replace(".", "").lstrip("+") if mark == COMMA else None
        return _tidy(text)
    if _EXPONENT.fullmatch(text):
        return _written_out(text.replace(",", "."))
    if _COMMA_GROUPS.fullmatch(text):
        return _tidy(text.replace(",", ""))
    if _POINT_GROUPS.fullmatch(text):
        return _tidy(text.replace(".", "").replace(",", "."))
    if _SPACE_GROUPS.fullmatch(text):
        return _tidy(text.replace(" ", "").replace("'", "").replace(",", "."))
    if _DECIMAL_COMMA.fullmatch(text) or (_ONE_COMMA_GROUP.fullmatch(text) and (small or mark == COMMA)):
        return _tidy(text.replace(",", "."))
    if _ONE_COMMA_GROUP.fullmatch(text) and mark == POINT:
        return _tidy(text.replace(",", ""))
    return None


def _tidy(text: str) -> str:
    """Digits without a plus, a point at the end or before the first digit."""
    text = text.lstrip("+").removesuffix(".")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return f"{sign}0{digits}" if digits.startswith(".") else f"{sign}{digits}"


def _written_out(text: str) -> str | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return format(number, "f") if abs(number.adjusted()) <= _FAR else None


def decimal_mark(text: str) -> str | None:
    """The decimal mark that a number shows without doubt; None where it shows none."""
    text = text.strip()
    number, unit = split_unit(text)
    text = number if unit else text
    if _ONE_POINT_GROUP.fullmatch(text) or _ONE_COMMA_GROUP.fullmatch(text) or text.isdigit():
        return None
    if _PLAIN.fullmatch(text) and "." in text:
        return POINT
    if _COMMA_GROUPS.fullmatch(text):
        return POINT
    if _POINT_GROUPS.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text):
        return COMMA
    if _SPACE_GROUPS.fullmatch(text) and text[-1] not in ".," and {".", ","} & set(text):
        return COMMA if "," in text else POINT
    return None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its usual name: what it measures, and how many of the quantity's base unit one of it is."""

    name: str
    quantity: str
    factor: Decimal


def _units() -> Mapping[str, Unit]:
    prefixes = {"": Decimal("0.001"), "k": Decimal(1), "M": Decimal(1000), "G": Decimal(1_000_000)}
    spellings = {
        ("W", "power"): ("w", "wp", "we", "w(e)", "wel", "wac", "wdc"),
        ("Wh", "energy"): ("wh",),
        ("VA", "apparent power"): ("va",),
        ("var", "reactive power"): ("var",),
        ("Wth", "heat"): ("wth",),
    }
    units = {
        prefix.lower() + spelling: Unit(prefix + name, quantity, factor)
        for prefix, factor in prefixes.items()
        for (name, quantity), texts in spellings.items()
        for spelling in texts
    }
    for names, quantity, size in (
        (("%", "percent", "pct"), "share", 1),
        (("s", "sec", "secs", "second", "seconds"), "time", 1),
        (("min", "mins", "minute", "minutes"), "time", 60),
        (("h", "hr", "hrs", "hour", "hours"), "time", 3600),
        (("°c", "degc"), "temperature", 1),
        (("m²", "m2", "sqm"), "area", 1),
        (("metre", "metres"), "length", 1),
        (("km",), "length", 1000),
    ):
        units |= dict.fromkeys(names, Unit(names[0], quantity, Decimal(size)))
    return MappingProxyType(units)


UNITS = _units()
"""Unit in lower case -> what it measures. Power is in kW, energy in kWh, time in seconds."""
_HEADING_UNIT = re.compile(
    r"(?i)[\s_\-/.,:;(\[{][(\[{]?\s*(?:in\s+)?([kMG]?(?:W(?:h|p|e|el|ac|dc|th|\(e\))?|VA[rR]?)|%|percent)\s*[)\]}]?\s*$"
)
_CAMEL_UNIT = re.compile(r"[a-z]([kMG]W(?:h|p|e)?|[kMG]VA[rR]?)$")


def find_unit(name: str) -> Unit | None:
    """The unit of a name, in whatever capitals; None for an unknown one."""
    return UNITS.get(name.lower())


def split_unit(text: str) -> tuple[str, str]:
    """The number and the unit of a text such as ``2.5MW``; the whole text and no unit where it ends in none."""
    match = _WITH_UNIT.fullmatch(text) if len(text) <= LONGEST_NUMBER else None
    if match is None or find_unit(match[2]) is None:
        return text, ""
    return match[1].strip(), match[2]


def heading_unit(heading: str) -> tuple[str, str]:
    """The heading without its unit, and the unit: ``Rated capacity (MW)``, ``rated_capacity_mw``, ``RatedCapacityMW``."""
    if len(heading) > LONGEST_HEADING_WITH_UNIT:
        return heading, ""
    for pattern in (_HEADING_UNIT, _CAMEL_UNIT):
        match = pattern.search(heading)
        if match is not None and find_unit(match[1]) is not None:
            place = match.start(1)
            return heading[:place].rstrip(" _-/.,:;([{"), match[1]
    return heading, ""


def convert(number: str, unit: str, target: str) -> str | None:
    """A plain number of one unit in another; None where they measure different things, or either is unknown.

    A share of a hundred is a part of one where the target has no unit.
    """
    source, target_unit = find_unit(unit), find_unit(target)
    if source is not None and source.quantity == "share" and not target:
        return format(EXACT.divide(Decimal(number), Decimal(100)), "f")
    if source is None or target_unit is None or source.quantity != target_unit.quantity:
        return None
    if source.factor == target_unit.factor:
        return number
    converted = EXACT.divide(EXACT.multiply(Decimal(number), source.factor), target_unit.factor)
    return format(converted.to_integral_value() if converted == converted.to_integral_value() else converted, "f")


def read_quantity(
    text: str, target: str, mark: str | None = None, *, unit: str = "", small: bool = False
) -> str | None:
    """A number of the unit `target`, from text that may name a unit itself; else it is of `unit`, the heading's.

    None for what is no number, could be two, or is of a unit that can't be converted.
    """
    number_text, own_unit = split_unit(text)
    number = plain_number(number_text, mark, small=small)
    if number is None or not (own_unit or unit):
        return number
    return convert(number, own_unit or unit, target)
