"""Vocabulary of eligibility: requirements, reasons, verdicts, standings (UC-04.03)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import polars as pl


class EligibilityStanding(StrEnum):
    """The standing of a unit to a product. Indicative: the system operator assesses."""

    ELIGIBLE = "ELIGIBLE"
    NEARLY = "NEARLY"
    NOT = "NOT"


STANDING_LABELS: dict[EligibilityStanding, str] = {
    EligibilityStanding.ELIGIBLE: "Eligible",
    EligibilityStanding.NEARLY: "Nearly",
    EligibilityStanding.NOT: "Not eligible",
}


class Requirement(StrEnum):
    """A requirement of a product; all but the last are columns of the matrix."""

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
        """The column of the requirement in the matrix."""
        return f"met_{self.lower()}"


JUDGED: tuple[Requirement, ...] = tuple(
    requirement for requirement in Requirement if requirement is not Requirement.METERING
)
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
    """One requirement of a product against one unit.

    `short_by` is the shortfall or excess, in kW, seconds or minutes as the requirement has it; None without a number. `met`
    None is not known.
    """

    requirement: Requirement
    needs: str
    has: str
    short_by: Decimal | None
    met: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class EligibilityVerdict:
    """The verdict on one unit and one product, with a reason for each requirement."""

    product_code: str
    product_version: int
    eligibility: EligibilityStanding
    reasons: tuple[Reason, ...]
    apart_from_family: EligibilityStanding = EligibilityStanding.NOT
    """The standing of the same assets as a unit of the product's family."""

    @property
    def unmet(self) -> Sequence[Reason]:
        """The requirements that are known to be unmet."""
        return [reason for reason in self.reasons if reason.met is False]

    @property
    def unknown(self) -> Sequence[Reason]:
        """The requirements that aren't known to be met or unmet, for want of product, unit or register data."""
        return [reason for reason in self.reasons if reason.met is None]


STOPPERS: tuple[Requirement, ...] = (
    Requirement.DIRECTION,
    Requirement.AREA,
    Requirement.PLACE,
    Requirement.MIN_CAPACITY,
    Requirement.MAX_CAPACITY,
    Requirement.FULL_DELIVERY,
    Requirement.DURATION,
)
"""Requirements that can stop a unit in the family of a product that is open."""


def stops_expression(requirement: Requirement) -> pl.Expr:
    """Build the expression for a requirement that stops a unit, over the matrix of `judge`: known to be unmet.

    A unit without power in the direction, or without assets where the product is bought, is stopped by that alone: its
    shortfall of the least capacity only follows from it.
    """
    unmet = ~pl.col(requirement.column).fill_null(True)
    if requirement is Requirement.MIN_CAPACITY:
        return unmet & ~stops_expression(Requirement.DIRECTION) & ~stops_expression(Requirement.AREA)
    return unmet


def stopped_by_any_expression(requirements: Iterable[Requirement]) -> pl.Expr:
    """Build the expression for a unit that any of these requirements stops."""
    return pl.any_horizontal(*(stops_expression(requirement) for requirement in requirements))
