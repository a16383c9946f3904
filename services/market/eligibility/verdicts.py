"""What units may be eligible for (UC-04.03): the contract of the rules in `eligibility_matrix` and their words."""

from uuid import UUID

from sqlmodel import col

from models.units import MarketUnit
from services.core.clock import today
from services.market.eligibility.explanations import verdicts_in
from services.market.eligibility.frames import frames_where
from services.market.eligibility.matrix import REACH_PERCENT, judge
from services.market.eligibility.requirements import Reason, Requirement, Standing, Verdict
from services.market.products.catalogue import in_force_on

__all__ = ["REACH_PERCENT", "Reason", "Requirement", "Standing", "Verdict", "judge", "verdicts_in", "verdicts_of"]


def verdicts_of(unit_id: UUID) -> list[Verdict]:
    """How an active unit stands to every product in force today, by product code; empty for none. Inside an operation."""
    units, areas = frames_where(col(MarketUnit.id) == unit_id)
    return verdicts_in(units, areas, in_force_on(today())).get(str(unit_id), [])
