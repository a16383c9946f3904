"""Market units (UC-03.01): those that the actor sees, by filters that stand in the address; choosing one opens its page."""

import streamlit as st

from models.products import FAMILY_LABELS
from pages.components.common.actions import show_outcome
from pages.components.unit.filters import choose_unit_filters, clear_unit_filters
from pages.components.unit.labels import count_of
from pages.components.unit.map import draw_unit_map
from pages.components.unit.table import draw_unit_table
from pages.frame import session
from services.core.identity.permissions import may
from services.market.units.listing import COUNT_LIMIT, UnitFilters, count_units


def say_empty() -> None:
    """No unit at all is in what the actor may see: why, and how it begins."""
    st.info("There is no market unit here that you may see yet.", icon=":material/hub:")
    if may(actor, "unit.manage"):
        st.markdown(
            "A market unit is what you offer: one or more of your Verified assets, for one family of markets "
            f"({', '.join(FAMILY_LABELS.values())})."
        )
        st.page_link("pages/market/build_unit.py", label="Build the first unit", icon=":material/add_box:")
    else:
        st.markdown("Units appear here once a provider has built one of assets that lie in what you may see.")


actor = session.actor()
st.title("Market units", anchor=False)
st.caption("Assets that providers offer into markets together. Filters are saved in the link.")
show_outcome()
filters = choose_unit_filters(actor)
total = count_units(actor, filters)
if not total and filters == UnitFilters():
    say_empty()
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    many = f"more than {COUNT_LIMIT:,} units" if total > COUNT_LIMIT else count_of(total, "unit", "units")
    st.markdown(f"**{many[0].upper()}{many[1:]}**", width="content")
    if filters != UnitFilters():
        st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_unit_filters)
    if may(actor, "unit.manage"):
        st.page_link("pages/market/build_unit.py", label="Build a unit", icon=":material/add_box:", width="content")
if not total:
    st.info("No unit passes these filters. Choose fewer, or clear them.", icon=":material/filter_alt:")
    st.stop()
controls = st.container(horizontal=True)
draw_unit_map(actor, filters, controls)
draw_unit_table(actor, filters, total, controls)
