"""Numbers in the columns of registers: every spelling read right, or named (decimal commas, thousands, exponents, units)."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import polars as pl

from services.assets.rules.numbers import COMMA, MIXED, POINT, convert, decimal_mark, plain_number, split_unit

LoneGroup = Literal["decimal", "thousands", "ambiguous"]
"""A comma before exactly three digits, where no cell of its column shows the decimal mark."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """The cells of a column: text -> number of what is one; `converted` are texts that name a unit other than the column's;
    `ambiguous` those that may be off by a thousand.
    """

    numbers: dict[str, Decimal] = field(default_factory=dict)
    converted: frozenset[str] = frozenset()
    ambiguous: frozenset[str] = frozenset()


def read_number_column(
    texts: pl.Series, *, lone_group: LoneGroup = "ambiguous", unit: str = "", target: str = ""
) -> NumberColumn:
    """Read the distinct texts of a column as numbers in the unit `target`; a cell without a unit of its own is in `unit`.

    A comma before exactly three digits may part thousands or decimals: the other cells of the column decide. Where they
    don't, `lone_group` says what it is; ambiguous texts are named and not read.
    """
    distinct = texts.drop_nulls().unique().to_list()
    marks = {mark for text in distinct if (mark := decimal_mark(text))}
    mark = MIXED if len(marks) > 1 else next(iter(marks), {"thousands": POINT, "decimal": COMMA}.get(lone_group))
    numbers: dict[str, Decimal] = {}
    converted: set[str] = set()
    ambiguous: set[str] = set()
    for text in distinct:
        digits, own_unit = split_unit(text) if target else (text, "")
        number = plain_number(digits, mark)
        if number is None:
            if plain_number(digits, POINT) is not None:
                ambiguous.add(text)
            continue
        if target:
            number = convert(number, own_unit or unit, target)
        if number is not None:
            numbers[text] = Decimal(number)
            converted |= {text} if own_unit and own_unit.lower() != unit.lower() else set()
    return NumberColumn(numbers, frozenset(converted), frozenset(ambiguous))
