"""Verdicts on eligibility (UC-04.03): the public names of the rules in `matrix` and their explanations."""

from uuid import UUID

from sqlmodel import col

from models.units import MarketUnit
from services.core.clock import today
from services.market.eligibility.explanations import explain_verdicts
from services.market.eligibility.frames import load_frames
from services.market.eligibility.matrix import REACH_PERCENT, judge
from services.market.eligibility.requirements import EligibilityStanding, EligibilityVerdict, Reason, Requirement
from services.market.products.catalogue import list_versions_in_force

__all__ = [
    "REACH_PERCENT",
    "EligibilityStanding",
    "EligibilityVerdict",
    "Reason",
    "Requirement",
    "explain_verdicts",
    "judge",
    "judge_unit",
]


def judge_unit(unit_id: UUID) -> list[EligibilityVerdict]:
    """Judge an active unit against every product in force today, by product code; empty when none. Inside an operation."""
    units, areas = load_frames(col(MarketUnit.id) == unit_id)
    return explain_verdicts(units, areas, list_versions_in_force(today())).get(str(unit_id), [])
