"""What is wrong with the requirements of a product as they were handed in: everything at once (UC-04.01)."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from services.core.clock import today
from services.core.errors import Finding
from services.market.products.document import ATTRIBUTES, BY_TERM, CODE, LARGEST_KW, LONGEST_SPAN, Attribute, Kind


class _Wrong(Exception):
    """One value is not acceptable: the rule's code and what would have been accepted."""

    def __init__(self, code: str, expected: str) -> None:
        super().__init__(expected)
        self.code, self.expected = code, expected


def check_document(
    document: Mapping[str, Any], *, code: str, stacking_codes: Collection[str], own_procurers: Collection[str]
) -> tuple[dict[str, Any], list[Finding]]:
    """The values by column, and everything that is wrong.

    `own_procurers` are those under which the proposer buys: one of them has to be among the buyers.
    """
    findings = [
        Finding("PRODUCT-01", term, _shown(document[term]), "a term of the product schema", f"{term} is not known.")
        for term in document
        if term not in BY_TERM
    ]
    columns: dict[str, Any] = {}
    for attribute in ATTRIBUTES:
        given = document.get(attribute.term)
        try:
            columns[attribute.column] = _value(attribute, given)
        except _Wrong as wrong:
            columns[attribute.column] = None
            findings.append(_finding(wrong.code, attribute.term, given, wrong.expected))
    return columns, findings + _together(columns, code, stacking_codes, own_procurers)


def _together(columns: dict[str, Any], code: str, stacking: Collection[str], own: Collection[str]) -> list[Finding]:
    """What only several values, or the rest of the catalogue, can tell."""
    found = []
    least, most = columns["min_capacity"], columns["max_capacity"]
    if least is not None and most is not None and least > most:
        found.append(_finding("PRODUCT-06", "MaxCapacity_kW", most, f"at least the smallest unit, {least} kW"))
    if columns["procurers"] and not set(columns["procurers"]) & set(own):
        wanted = f"your own among the buyers: {', '.join(own)}"
        found.append(_finding("PRODUCT-07", "Procurers", ", ".join(columns["procurers"]), wanted))
    if columns["stacking_code"] and columns["stacking_code"] not in {*stacking, code}:
        wanted = f"one of {', '.join(sorted(stacking))}, or the product's own code"
        found.append(_finding("PRODUCT-08", "StackingCode", columns["stacking_code"], wanted))
    return found


def _value(attribute: Attribute, given: Any) -> Any:
    if isinstance(given, str):
        given = given.replace("\x00", "").strip()
    if given is None or given == "" or given == []:
        if attribute.needed:
            raise _Wrong("PRODUCT-02", _wanted(attribute))
        return False if attribute.kind is Kind.YES_NO else None
    match attribute.kind:
        case Kind.TEXT | Kind.LONG_TEXT:
            return _text(attribute, given)
        case Kind.CHOICE:
            if given not in attribute.options:
                raise _Wrong("PRODUCT-03", _wanted(attribute))
            return given
        case Kind.CHOICES:
            if not isinstance(given, list) or set(map(str, given)) - set(attribute.options):
                raise _Wrong("PRODUCT-03", _wanted(attribute))
            return [option for option in attribute.options if option in given]
        case Kind.POWER:
            return _power(given)
        case Kind.WHOLE:
            return _whole(given)
        case Kind.YES_NO:
            if not isinstance(given, bool):
                raise _Wrong("PRODUCT-03", "true or false")
            return given
        case Kind.DATE:
            return _date(given)


def _text(attribute: Attribute, given: Any) -> str:
    if not isinstance(given, str) or len(given) > attribute.most:
        raise _Wrong("PRODUCT-03", f"text of at most {attribute.most:,} characters")
    return given


def _power(given: Any) -> Decimal:
    wanted = f"more than 0 and at most {LARGEST_KW:,} kW, with at most two decimals, such as 1000 or 49.5"
    try:
        if isinstance(given, bool | float):
            raise _Wrong("PRODUCT-04", wanted)
        number = Decimal(given)
    except (InvalidOperation, TypeError, ValueError):
        raise _Wrong("PRODUCT-04", wanted) from None
    if not number.is_finite() or not 0 < number <= LARGEST_KW or number != round(number, 2):
        raise _Wrong("PRODUCT-04", wanted)
    return number


def _whole(given: Any) -> int:
    wanted = f"a whole number from 1 to {LONGEST_SPAN:,}"
    if isinstance(given, bool) or not isinstance(given, int | str) or not re.fullmatch(r"[0-9]{1,9}", str(given)):
        raise _Wrong("PRODUCT-05", wanted)
    if not 1 <= int(given) <= LONGEST_SPAN:
        raise _Wrong("PRODUCT-05", wanted)
    return int(given)


def _date(given: Any) -> date:
    wanted = "a date up to today, such as 2026-11-28"
    try:
        day = given if isinstance(given, date) else date.fromisoformat(str(given))
    except ValueError:
        raise _Wrong("PRODUCT-03", wanted) from None
    if day > today():
        raise _Wrong("PRODUCT-03", wanted)
    return day


def _wanted(attribute: Attribute) -> str:
    if attribute.options:
        return f"one {'or more ' if attribute.kind is Kind.CHOICES else ''}of {', '.join(attribute.options)}"
    return "a date up to today" if attribute.kind is Kind.DATE else f"text of 1 to {attribute.most} characters"


def wrong_code(code: str, taken: Collection[str]) -> list[Finding]:
    """What keeps a new product from having this code."""
    if not re.fullmatch(CODE, code):
        wanted = "2 to 20 capital letters and digits, a letter first"
        return [_finding("PRODUCT-09", "Code", code, wanted)]
    if code in taken:
        return [
            _finding("PRODUCT-10", "Code", code, "a code that no product has; to change that product, propose a change")
        ]
    return []


def wrong_start(day: date) -> list[Finding]:
    """What keeps a proposal from taking effect on a day."""
    if day >= today():
        return []
    return [_finding("PRODUCT-11", "EffectiveFrom", day, "today or later: what was in force is never changed")]


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)[:200]


def _finding(code: str, term: str, given: Any, expected: str) -> Finding:
    return Finding(code, term, _shown(given), expected, f"Give {expected}.")
