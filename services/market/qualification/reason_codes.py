"""Coded reasons for failing, suspending and assessing again: one list, in data/market/qualification_reasons.csv (UC-04.02)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from services.core.errors import Finding, Invalid
from services.core.text import clean_text
from services.market.products.reference_data import read_rows

MIN_LENGTH, MAX_LENGTH = 3, 2000


class ReasonKind(StrEnum):
    """The act that a reason justifies."""

    FAIL = "FAIL"
    SUSPEND = "SUSPEND"
    REASSESS = "REASSESS"


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One coded reason."""

    code: str
    kind: ReasonKind
    label: str
    meaning: str


@cache
def reason_codes() -> Mapping[str, ReasonCode]:
    """Return all coded reasons, by code, in the order in which they are offered."""
    rows = read_rows("qualification_reasons.csv")
    return {row["Code"]: ReasonCode(row["Code"], ReasonKind(row["Kind"]), row["Label"], row["Meaning"]) for row in rows}


def list_reasons(kind: ReasonKind) -> list[ReasonCode]:
    """List the coded reasons for one kind of act."""
    return [reason for reason in reason_codes().values() if reason.kind is kind]


def reason_label(code: str | None) -> str:
    """Return the label of a reason code; the code itself where it is no longer in the list."""
    reason = reason_codes().get(code or "")
    return reason.label if reason else (code or "")


def check_reason_code(kind: ReasonKind, code: str) -> list[Finding]:
    """Check a reason code; return a finding for one that isn't offered."""
    offered = [reason.code for reason in list_reasons(kind)]
    if code in offered:
        return []
    return [Finding("QUAL-02", "ReasonCode", code, f"One of {', '.join(offered)}", "Choose one of the coded reasons.")]


def check_words(field: str, text: str, min_length: int = MIN_LENGTH) -> list[Finding]:
    """Check the length of a required text; return a finding when it is too short or too long."""
    if min_length <= len(clean_text(text)) <= MAX_LENGTH:
        return []
    expected = f"{min_length} to {MAX_LENGTH:,} characters"
    return [Finding("QUAL-01", field, clean_text(text)[:200] or None, expected, f"Write {expected}.")]


def require_words(field: str, text: str) -> str:
    """Return a required text, cleaned. Raises Invalid when it is too short or too long."""
    if findings := check_words(field, text):
        raise Invalid(findings)
    return clean_text(text)
