"""Power as people type and read it: kW or MW, exact to the last digit."""

import re
from decimal import ROUND_HALF_UP, Decimal

from services.assets.rules.numbers import read_quantity, split_unit

PLAIN = re.compile(r"\s*-?[0-9]{1,12}(\.[0-9]+)?\s*")
UNITS = ("kW", "MW")
THOUSAND = Decimal(1000)


def to_kw(text: str, unit: str) -> str:
    """Entry in a unit, as text in kW; what is no number gets the unit beside it, for the rules to name."""
    if unit == "kW" or not text.strip():
        return text
    number = read_quantity(text, "kW", unit=unit)
    if number is not None:
        return number
    return text if split_unit(text)[1] else f"{text.strip()} {unit}"


def in_unit(kw: str, unit: str) -> str:
    """Text in kW as it is typed in a unit, without zeros that say nothing; what is no number keeps its kW beside it."""
    plain = read_quantity(kw, "kW")
    if plain is None:
        return kw if unit == "kW" or not kw.strip() or split_unit(kw)[1] else f"{kw.strip()} kW"
    number = Decimal(plain) / (THOUSAND if unit == "MW" else 1)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_kw(value: Decimal | str | None) -> str:
    """Power as it is read, exact: ``2.5 MW``, ``12.3 MW (12,345.67 kW)``; a dash for none."""
    text, exact = show_power(value), exact_power(value)
    same = value is None or value == "" or _round_significant(Decimal(str(value))) == Decimal(str(value))
    return text if same else f"{text} ({exact})"


UNIT_SIZES = (("GW", Decimal(10**6)), ("MW", Decimal(10**3)), ("kW", Decimal(1)))
SIGNIFICANT = 3


def show_power(kilowatts: Decimal | float | str | None) -> str:
    """Power by its size, to three significant digits: ``7.36 kW``, ``2.5 MW``, ``1.04 GW``; a dash for none."""
    if kilowatts is None or kilowatts == "":
        return "–"
    value = _round_significant(Decimal(str(kilowatts)))
    unit, size = next(((unit, size) for unit, size in UNIT_SIZES if abs(value) >= size), UNIT_SIZES[-1])
    return f"{_plain(value / size)} {unit}"


def exact_power(kilowatts: Decimal | float | str | None) -> str:
    """Power in kW to its last digit: ``12,345.67 kW``; a dash for none."""
    return "–" if kilowatts is None or kilowatts == "" else f"{_plain(Decimal(str(kilowatts)))} kW"


def _round_significant(value: Decimal) -> Decimal:
    if not value:
        return Decimal(0)
    return value.quantize(Decimal(1).scaleb(value.adjusted() - SIGNIFICANT + 1), ROUND_HALF_UP)


def _plain(value: Decimal) -> str:
    text = format(value, ",f")
    return text.rstrip("0").rstrip(".") if "." in text else text
