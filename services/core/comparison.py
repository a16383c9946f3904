"""What an outside system says, set beside what was declared.

Every authenticity check, whatever it asks, answers in this one shape, so that a page can lay the answers of several
systems side by side and a rule can decide without knowing which system spoke.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
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
    outcome: Outcome
    message: str
