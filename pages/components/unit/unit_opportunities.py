"""What a market unit may earn: a tab of its page (UC-04.03)."""

import streamlit as st

from models.units import UnitStatus
from pages.components.product.opportunities import draw_opportunities
from services.core.identity.actor import Actor
from services.market.eligibility.opportunities import opportunities_of_unit
from services.market.units.units import WholeUnit


def draw_unit_opportunities(actor: Actor, found: WholeUnit) -> None:
    """Every product in force for this unit, with reasons."""
    if found.unit.status is not UnitStatus.ACTIVE:
        st.info("The unit is de-registered: nothing can be applied for with it.", icon=":material/archive:")
        return
    draw_opportunities(actor, opportunities_of_unit(actor, found.unit.id), "unit")
