"""Applying for a product from where it is read about: the next step for a provider, with the unit to apply with."""

import streamlit as st

from models.products import Family
from models.units import UnitStatus
from pages.frame.navigation import link
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.units.listing import UnitFilters, list_units

QUALIFICATIONS = "Qualifications"
"""The tab of a unit's page in which it applies."""
APPLY = "apply"
"""The product that the address of a unit's page names to apply for."""
MOST_UNITS = 100


def draw_next_step(actor: Actor, code: str, family: Family) -> None:
    """Draw the way to apply for a product with one of the actor's units; to those who don't apply, nothing."""
    if not may(actor, "qualification.apply"):
        return
    page = list_units(actor, UnitFilters(family=(str(family),), status=(UnitStatus.ACTIVE,)), limit=MOST_UNITS)
    names = {line.id: f"{line.name} ({line.code})" for line in page.items}
    if not names:
        link("market/build_unit.py", "Build a market unit to apply with", "hub")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit_id = st.selectbox(
            "Apply with", list(names), format_func=names.__getitem__, key=f"apply-with-{code}", width=360
        )
        if st.button(f"Apply for {code}", type="primary", icon=":material/send:", key=f"apply-for-{code}"):
            open_application(unit_id, code)


def open_application(unit_id: object, code: str) -> None:
    """Go to the unit's page with the product chosen."""
    query = {"id": str(unit_id), "part": QUALIFICATIONS, APPLY: code}
    st.switch_page("pages/market/unit.py", query_params=query)
