"""Coded reasons for failing, suspending and assessing again: one list, in data/market/qualification_reasons.csv (UC-04.02)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from services.core.errors import Finding, Invalid
from services.market.products.reference_data import rows_of

SHORTEST, LONGEST = 3, 2000


class ReasonKind(StrEnum):
    """What a reason is given for."""

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
    """All of them, by code, in the order in which they are offered."""
    rows = rows_of("qualification_reasons.csv")
    return {row["Code"]: ReasonCode(row["Code"], ReasonKind(row["Kind"]), row["Label"], row["Meaning"]) for row in rows}


def reasons_for(kind: ReasonKind) -> list[ReasonCode]:
    """The reasons that may be given for one kind of act."""
    return [one for one in reason_codes().values() if one.kind is kind]


def label_of(code: str | None) -> str:
    """A reason in words; the code itself where an older list knew it."""
    known = reason_codes().get(code or "")
    return known.label if known else (code or "")


def code_finding(kind: ReasonKind, code: str) -> list[Finding]:
    """What is wrong with a reason code, if anything."""
    offered = [one.code for one in reasons_for(kind)]
    if code in offered:
        return []
    return [Finding("QUAL-02", "ReasonCode", code, f"One of {', '.join(offered)}", "Choose one of the coded reasons.")]


def words_finding(field: str, given: str, shortest: int = SHORTEST) -> list[Finding]:
    """What is wrong with a text that has to say something, if anything."""
    if shortest <= len(said(given)) <= LONGEST:
        return []
    expected = f"{shortest} to {LONGEST:,} characters"
    return [Finding("QUAL-01", field, said(given)[:200] or None, expected, f"Write {expected}.")]


def said(given: str) -> str:
    """A text without blanks around it, and without signs that no database keeps."""
    return given.replace("\x00", "").strip()


def words_given(field: str, given: str) -> str:
    """The text; Invalid when it says nothing, or too much."""
    if findings := words_finding(field, given):
        raise Invalid(findings)
    return said(given)
