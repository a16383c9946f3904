"""Power as people type and read it: kW or MW, exact to the last digit."""

import re
from decimal import Decimal

PLAIN = re.compile(r"\s*-?[0-9]{1,12}(\.[0-9]+)?\s*")
UNITS = ("kW", "MW")
THOUSAND = Decimal(1000)


def to_kw(text: str, unit: str) -> str:
    """Entry in a unit, as text in kW; anything but a plain number stays as typed, for the rules to refuse."""
    if unit == "kW" or not PLAIN.fullmatch(text):
        return text
    return format(Decimal(text.strip()) * THOUSAND, "f")


def in_unit(kw: str, unit: str) -> str:
    """Text in kW as it is typed in a unit, without zeros that say nothing."""
    if not PLAIN.fullmatch(kw):
        return kw
    number = Decimal(kw.strip()) / (THOUSAND if unit == "MW" else 1)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_kw(value: Decimal | str | None) -> str:
    """Power as it is read: ``2,500.00 kW``; a dash for none."""
    if value is None or value == "":
        return "–"
    return f"{Decimal(value):,.2f} kW"
