"""Power as people type and read it: kW or MW, exact to the last digit."""

import re
from decimal import Decimal

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
    """Power as it is read: ``2,500.00 kW``; a dash for none."""
    if value is None or value == "":
        return "–"
    return f"{Decimal(value):,.2f} kW"
