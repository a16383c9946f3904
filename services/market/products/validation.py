"""Validation of a product's requirements as they were handed in: every finding at once (UC-04.01)."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from services.core.clock import today
from services.core.errors import Finding
from services.core.text import clean_text
from services.market.products.document import ATTRIBUTES, BY_TERM, CODE, MAX_POWER_KW, MAX_SECONDS, Attribute, FieldKind


class _ValueRefused(Exception):
    """One value is not acceptable: the rule's code and the expected value."""

    def __init__(self, code: str, expected: str) -> None:
        super().__init__(expected)
        self.code, self.expected = code, expected


def check_document(
    document: Mapping[str, Any], *, code: str, stacking_codes: Collection[str], own_procurers: Collection[str]
) -> tuple[dict[str, Any], list[Finding]]:
    """Check a document; return its values by column, and every finding.

    `own_procurers` are the proposer's procurer codes: one of them has to be among the buyers.
    """
    findings = [
        Finding("PRODUCT-01", term, _shorten(document[term]), "a term of the product schema", f"{term} is not known.")
        for term in document
        if term not in BY_TERM
    ]
    columns: dict[str, Any] = {}
    for attribute in ATTRIBUTES:
        value = document.get(attribute.term)
        try:
            columns[attribute.column] = _read_value(attribute, value)
        except _ValueRefused as refused:
            columns[attribute.column] = None
            findings.append(_build_finding(refused.code, attribute.term, value, refused.expected))
    return columns, findings + _check_combination(columns, code, stacking_codes, own_procurers)


def _check_combination(
    columns: dict[str, Any], code: str, stacking_codes: Collection[str], own_codes: Collection[str]
) -> list[Finding]:
    """Check values against each other and against the rest of the catalogue."""
    findings = []
    smallest, largest = columns["min_capacity"], columns["max_capacity"]
    if smallest is not None and largest is not None and smallest > largest:
        findings.append(
            _build_finding("PRODUCT-06", "MaxCapacity_kW", largest, f"at least the smallest unit, {smallest} kW")
        )
    if columns["procurers"] and not set(columns["procurers"]) & set(own_codes):
        expected = f"your own among the buyers: {', '.join(own_codes)}"
        findings.append(_build_finding("PRODUCT-07", "Procurers", ", ".join(columns["procurers"]), expected))
    if columns["stacking_code"] and columns["stacking_code"] not in {*stacking_codes, code}:
        expected = f"one of {', '.join(sorted(stacking_codes))}, or the product's own code"
        findings.append(_build_finding("PRODUCT-08", "StackingCode", columns["stacking_code"], expected))
    return findings


def _read_value(attribute: Attribute, value: Any) -> Any:
    if isinstance(value, str):
        value = clean_text(value)
    if value is None or value == "" or value == []:
        if attribute.needed:
            raise _ValueRefused("PRODUCT-02", _expected_of(attribute))
        return False if attribute.kind is FieldKind.YES_NO else None
    match attribute.kind:
        case FieldKind.TEXT | FieldKind.LONG_TEXT:
            return _read_text(attribute, value)
        case FieldKind.CHOICE:
            if value not in attribute.options:
                raise _ValueRefused("PRODUCT-03", _expected_of(attribute))
            return value
        case FieldKind.CHOICES:
            if not isinstance(value, list) or set(map(str, value)) - set(attribute.options):
                raise _ValueRefused("PRODUCT-03", _expected_of(attribute))
            return [option for option in attribute.options if option in value]
        case FieldKind.POWER:
            return _read_power(value)
        case FieldKind.WHOLE:
            return _read_whole_number(value)
        case FieldKind.YES_NO:
            if not isinstance(value, bool):
                raise _ValueRefused("PRODUCT-03", "true or false")
            return value
        case FieldKind.DATE:
            return _read_date(value)


def _read_text(attribute: Attribute, value: Any) -> str:
    if not isinstance(value, str) or len(value) > attribute.max_length:
        raise _ValueRefused("PRODUCT-03", f"text of at most {attribute.max_length:,} characters")
    return value


def _read_power(value: Any) -> Decimal:
    expected = f"more than 0 and at most {MAX_POWER_KW:,} kW, with at most two decimals, such as 1000 or 49.5"
    try:
        if isinstance(value, bool | float):
            raise _ValueRefused("PRODUCT-04", expected)
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise _ValueRefused("PRODUCT-04", expected) from None
    if not number.is_finite() or not 0 < number <= MAX_POWER_KW or number != round(number, 2):
        raise _ValueRefused("PRODUCT-04", expected)
    return number


def _read_whole_number(value: Any) -> int:
    expected = f"a whole number from 1 to {MAX_SECONDS:,}"
    if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"[0-9]{1,9}", str(value)):
        raise _ValueRefused("PRODUCT-05", expected)
    if not 1 <= int(value) <= MAX_SECONDS:
        raise _ValueRefused("PRODUCT-05", expected)
    return int(value)


def _read_date(value: Any) -> date:
    expected = "a date up to today, such as 2026-11-28"
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise _ValueRefused("PRODUCT-03", expected) from None
    if day > today():
        raise _ValueRefused("PRODUCT-03", expected)
    return day


def _expected_of(attribute: Attribute) -> str:
    if attribute.options:
        return f"one {'or more ' if attribute.kind is FieldKind.CHOICES else ''}of {', '.join(attribute.options)}"
    return (
        "a date up to today" if attribute.kind is FieldKind.DATE else f"text of 1 to {attribute.max_length} characters"
    )


def check_code(code: str, used_codes: Collection[str]) -> list[Finding]:
    """Check the code of a new product: its form, and that no product has it."""
    if not re.fullmatch(CODE, code):
        expected = "2 to 20 capital letters and digits, a letter first"
        return [_build_finding("PRODUCT-09", "Code", code, expected)]
    if code in used_codes:
        return [
            _build_finding(
                "PRODUCT-10", "Code", code, "a code that no product has; to change that product, propose a change"
            )
        ]
    return []


def check_start(day: date) -> list[Finding]:
    """Check the day from which a proposal takes effect: today or later."""
    if day >= today():
        return []
    return [_build_finding("PRODUCT-11", "EffectiveFrom", day, "today or later: what was in force is never changed")]


def _shorten(value: Any) -> str | None:
    return None if value is None else str(value)[:200]


def _build_finding(code: str, term: str, value: Any, expected: str) -> Finding:
    return Finding(code, term, _shorten(value), expected, f"Give {expected}.")
