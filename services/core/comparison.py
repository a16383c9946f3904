"""Comparison of an outside system's answer with what was declared.

Every authenticity check, whatever it asks, answers in this one shape, so that a page can lay the answers of several
systems side by side and a rule can decide without knowing which system spoke.
"""

from dataclasses import dataclass
from enum import StrEnum


class ComparisonOutcome(StrEnum):
    """NOT_STATED is neither a pass nor a fail: one of the two sides has nothing to say about the field."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field compared. `field` is the ontology term; both values are as a person would read them."""

    field: str
    declared: str | None
    theirs: str | None
    outcome: ComparisonOutcome
    message: str


def compare(field: str, label: str, declared: str | None, theirs: str | None, same: bool, source: str) -> Comparison:
    """One field compared, in the words every check uses.

    `label` names the field inside a sentence ("postcode"), `source` is the system as a sentence starts with it ("The
    MPAN register"). `same` is the caller's judgement and counts only where both sides state a value.
    """
    if theirs is None:
        outcome, message = ComparisonOutcome.NOT_STATED, f"{source} does not state the {label}."
    elif declared is None:
        outcome, message = (
            ComparisonOutcome.NOT_STATED,
            f"No {label} is declared; {source[0].lower()}{source[1:]} states {theirs}.",
        )
    elif same:
        outcome, message = ComparisonOutcome.AGREES, f"{source} states the same {label}."
    else:
        outcome, message = (
            ComparisonOutcome.DIFFERS,
            f"{source} states {theirs} as the {label}; {declared} is declared.",
        )
    return Comparison(field, declared, theirs, outcome, message)


def stated(value: object) -> str | None:
    """A declared value as a person reads it; None where nothing is declared (absent, or only white space)."""
    text = "" if value is None else str(value).strip()
    return text or None
