"""Numbers in the cells of registers: every spelling read right, or named (decimal commas, thousands, exponents, units)."""

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal

import polars as pl

Comma = Literal["decimal", "thousands", "ambiguous"]
LONGEST = 40
"""No number of a register has more characters."""
_SPACES = re.compile(r"(?<=\d)[\s\u00a0\u2009\u202f'’](?=\d{3}(?:\D|$))")
_NUMBER = re.compile(r"([+-]?)(\d[\d.,]*|[.,]\d+)(?:[eE]([+-]?\d{1,3}))?\s*([A-Za-z%]*)")
_GROUPS = re.compile(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
_SCALES = {"": None, "w": "-3", "kw": "0", "kwp": "0", "kwe": "0", "mw": "3", "mwp": "3", "mwe": "3", "gw": "6",
           "wh": "-3", "kwh": "0", "mwh": "3", "gwh": "6"}  # fmt: skip
"""Unit in a cell -> the power of ten that makes kW or kWh of it."""


@dataclass(frozen=True, slots=True)
class ReadNumber:
    """A number as read; `scale` is the power of ten to kW or kWh where the cell says its own unit."""

    value: Decimal
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """The cells of a column: text -> number of what is one; `ambiguous` are texts that may be off by a thousand."""

    numbers: dict[str, ReadNumber] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()


def read_number_column(texts: pl.Series, *, lone_group: Comma = "ambiguous") -> NumberColumn:
    """Read the distinct texts of a column as numbers.

    A comma before exactly three digits may part thousands or decimals: the other cells of the column decide. Where they
    don't, `lone_group` says what it is; ambiguous texts are named and not read.
    """
    distinct = texts.drop_nulls().unique().to_list()
    parts = {text: match for text in distinct if (match := _NUMBER.fullmatch(_SPACES.sub("", text[:LONGEST].strip())))}
    marks = {mark for match in parts.values() if (mark := _decimal_mark(match[2]))}
    numbers: dict[str, ReadNumber] = {}
    ambiguous: set[str] = set()
    for text, match in parts.items():
        sign, digits, exponent, unit = match.groups()
        if unit.lower() not in _SCALES or len(text) > LONGEST:
            continue
        plain = _plain_digits(digits, marks, lone_group)
        if plain is None:
            ambiguous.add(text)
            continue
        try:
            value = Decimal(f"{sign}{plain}{f'e{exponent}' if exponent else ''}")
        except InvalidOperation:
            continue
        scale = _SCALES[unit.lower()]
        numbers[text] = ReadNumber(value, None if scale is None else int(scale))
    return NumberColumn(numbers, frozenset(ambiguous))


def _decimal_mark(digits: str) -> str | None:
    """The decimal mark of a number, where it can be no other: 2,5 or 1.234,5 but not 1,234."""
    if "." in digits and "," in digits:
        return max(".", ",", key=digits.rfind)
    mark = "," if "," in digits else "." if "." in digits else None
    if mark is None or digits.count(mark) > 1 or _GROUPS.fullmatch(digits):
        return None
    return mark


def _plain_digits(digits: str, marks: set[str], lone_group: Comma) -> str | None:
    """The digits with a decimal point; None where it isn't sure which mark is the decimal one."""
    if "." in digits and "," in digits:
        mark = max(".", ",", key=digits.rfind)
        return digits.replace("," if mark == "." else ".", "").replace(mark, ".")
    if digits.count(",") > 1 or digits.count(".") > 1:
        return digits.replace(",", "").replace(".", "")
    if "," in digits and _GROUPS.fullmatch(digits):
        if marks == {"."} or (not marks and lone_group == "thousands"):
            return digits.replace(",", "")
        return digits.replace(",", ".") if marks == {","} or (not marks and lone_group == "decimal") else None
    if "." in digits and _GROUPS.fullmatch(digits) and marks == {","}:
        return digits.replace(".", "")
    return digits.replace(",", ".")
