"""Which requirement stops a unit from being eligible for a product (UC-04.03): one definition for lists and for counts."""

from collections.abc import Iterable

import polars as pl

from services.market.eligibility.requirements import Requirement

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
