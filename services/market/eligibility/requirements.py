"""The words of eligibility: requirements, outcomes, standings (UC-04.03)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import polars as pl


class Standing(StrEnum):
    """How a unit stands to a product. Indicative: the system operator assesses."""

    ELIGIBLE = "ELIGIBLE"
    NEARLY = "NEARLY"
    NOT = "NOT"


STANDING_LABELS: dict[Standing, str] = {
    Standing.ELIGIBLE: "Eligible",
    Standing.NEARLY: "Nearly",
    Standing.NOT: "Not eligible",
}


class Requirement(StrEnum):
    """What a product asks for; all but the last are columns of the matrix."""

    FAMILY = "FAMILY"
    PHASE = "PHASE"
    DIRECTION = "DIRECTION"
    AREA = "AREA"
    PLACE = "PLACE"
    MIN_CAPACITY = "MIN_CAPACITY"
    MAX_CAPACITY = "MAX_CAPACITY"
    FULL_DELIVERY = "FULL_DELIVERY"
    DURATION = "DURATION"
    METERING = "METERING"
    """Never known: the register holds no meter data."""

    @property
    def column(self) -> str:
        """Its column in the matrix."""
        return f"met_{self.lower()}"


JUDGED: tuple[Requirement, ...] = tuple(one for one in Requirement if one is not Requirement.METERING)
REQUIREMENT_LABELS: dict[Requirement, str] = {
    Requirement.FAMILY: "Family",
    Requirement.PHASE: "Open for qualification",
    Requirement.DIRECTION: "Direction",
    Requirement.AREA: "Where it is bought",
    Requirement.PLACE: "How far assets may be spread",
    Requirement.MIN_CAPACITY: "Least capacity",
    Requirement.MAX_CAPACITY: "Most capacity",
    Requirement.FULL_DELIVERY: "Time to full delivery",
    Requirement.DURATION: "Duration",
    Requirement.METERING: "Metering",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One requirement of a product, and what a unit has of it.

    `short_by` is what is missing or too much, in kW, seconds or minutes as the requirement has it; None where no number
    says it. `met` None is not known.
    """

    requirement: Requirement
    needs: str
    has: str
    short_by: Decimal | None
    met: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one unit stands to one product, with a reason for each requirement."""

    product_code: str
    product_version: int
    standing: Standing
    reasons: tuple[Reason, ...]
    apart_from_family: Standing = Standing.NOT
    """How the same assets stand as a unit of the product's family."""

    @property
    def unmet(self) -> Sequence[Reason]:
        """What is known to be missing."""
        return [one for one in self.reasons if one.met is False]

    @property
    def unknown(self) -> Sequence[Reason]:
        """What nobody knows, by product, unit or register."""
        return [one for one in self.reasons if one.met is None]


STOPPERS: tuple[Requirement, ...] = (
    Requirement.DIRECTION,
    Requirement.AREA,
    Requirement.PLACE,
    Requirement.MIN_CAPACITY,
    Requirement.MAX_CAPACITY,
    Requirement.FULL_DELIVERY,
    Requirement.DURATION,
)
"""What can be in the way of a unit in the family of a product that is open."""


def stops(requirement: Requirement) -> pl.Expr:
    """Whether a requirement is known to be unmet, over the matrix of `eligibility.judge`.

    A unit that has nothing in the direction, or nothing where the product is bought, is stopped by that: that it is short of
    the least capacity as well only follows from it.
    """
    unmet = ~pl.col(requirement.column).fill_null(True)
    if requirement is Requirement.MIN_CAPACITY:
        return unmet & ~stops(Requirement.DIRECTION) & ~stops(Requirement.AREA)
    return unmet


def stopped_by_any(requirements: Iterable[Requirement]) -> pl.Expr:
    """Whether one of these is in the way."""
    return pl.any_horizontal(*(stops(one) for one in requirements))
