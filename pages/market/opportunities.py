"""Opportunities (UC-04.03): what a portfolio, one unit or a selection of assets may earn, with the reasons."""

from uuid import UUID

import streamlit as st

from models.products import FAMILY_LABELS
from models.units import UnitStatus
from pages.components.common.asset_filters import accept_codes
from pages.components.product.opportunities import draw_opportunities
from pages.components.product.opportunity_assets import draw_assets
from pages.components.product.portfolio import draw_portfolio
from pages.frame import session
from pages.frame.navigation import link
from services.core.errors import NotFound
from services.core.identity.permissions import may
from services.market.eligibility.opportunities import opportunities_of_unit
from services.market.units.listing import UnitFilters, list_units

KINDS = {"portfolio": "Whole portfolio", "unit": "One unit", "assets": "A selection of assets"}
MOST_UNITS = 200


def named_unit() -> UUID | None:
    """The unit that the address names."""
    try:
        return UUID(st.query_params.get("unit", ""))
    except ValueError:
        return None


def choose_unit() -> UUID | None:
    """One of the actor's units; the address names it."""
    text = st.text_input("Find a unit", key="find", type="search", placeholder="Name or code")
    page = list_units(actor, UnitFilters(status=(UnitStatus.ACTIVE,), text=text or None), limit=MOST_UNITS)
    names = {
        unit_line.id: f"{unit_line.name} ({unit_line.code}), {FAMILY_LABELS[unit_line.family]}"
        for unit_line in page.items
    }
    unit_id = named_unit()
    if unit_id is not None and unit_id not in names:
        names = {unit_id: "The unit that the address names", **names}
    if not names:
        st.info("No active unit of yours has this name or code. Look for another.", icon=":material/hub:")
        return None
    options = list(names)
    unit = st.selectbox(
        "Unit",
        options,
        index=options.index(unit_id) if unit_id else 0,
        format_func=lambda identifier: names[identifier],
    )
    if page.next_cursor is not None:
        st.caption(f"The {MOST_UNITS} newest are listed: type a part of the name to find others.")
    st.query_params["unit"] = str(unit)
    return unit


def draw_unit() -> None:
    """One unit against every product."""
    unit_id = choose_unit()
    if unit_id is None:
        return
    try:
        opportunities = opportunities_of_unit(actor, unit_id)
    except NotFound:
        st.warning("The unit that this address names isn't among those you may see.", icon=":material/visibility_off:")
        return
    link("market/unit.py", "The unit's page", "hub", {"id": str(unit_id)})
    draw_opportunities(actor, opportunities, "unit")


actor = session.actor()
st.title("Opportunities", anchor=False)
st.caption("Which products your units and assets may be eligible for, what is missing and by how much.")
offered = {name: label for name, label in KINDS.items() if name != "assets" or may(actor, "asset.read")}
accept_codes("for", offered, several=False)
kind = st.segmented_control(
    "For",
    list(offered),
    format_func=offered.__getitem__,
    key="for",
    bind="query-params",
    default="portfolio",
    required=True,
)
if kind == "unit":
    draw_unit()
elif kind == "assets":
    draw_assets(actor)
else:
    draw_portfolio(actor)
