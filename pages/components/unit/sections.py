"""The parts of a market unit's page that other use cases draw, as tabs beside its capability, assets and history.

To add one, write a function that draws a unit (actor, whole unit) in a part of its own and name it here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from models.units import UnitStatus
from pages.components.product.opportunities import draw_opportunities
from pages.components.unit.qualifications import draw_readiness, draw_unit_qualifications
from services.core.identity.actor import Actor
from services.market.eligibility.opportunities import opportunities_of_unit
from services.market.units.units import UnitDetails


@dataclass(frozen=True, slots=True)
class UnitSection:
    """One tab: its name, the permission that opens it, and what draws it."""

    label: str
    permission: str
    draw: Callable[[Actor, UnitDetails], None]


def draw_unit_opportunities(actor: Actor, details: UnitDetails) -> None:
    """Every product in force for this unit, with reasons."""
    if details.unit.status is not UnitStatus.ACTIVE:
        st.info("The unit is de-registered: nothing can be applied for with it.", icon=":material/archive:")
        return
    draw_opportunities(actor, opportunities_of_unit(actor, details.unit.id), "unit")


SECTIONS: list[UnitSection] = [
    UnitSection("Opportunities", "unit.read", draw_unit_opportunities),
    UnitSection("Qualifications", "qualification.read", draw_unit_qualifications),
    UnitSection("Readiness", "qualification.read", draw_readiness),
]
