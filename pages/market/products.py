"""The catalogue of products (UC-04.01): filters stand in the address, choosing a product opens its page."""

from collections.abc import Mapping, Sequence

import streamlit as st

from models.products import FAMILY_LABELS
from pages.components.common.actions import show_outcome
from pages.components.common.asset_filters import accept_codes
from pages.components.common.downloads import draw_table_download
from pages.components.product.labels import (
    PHASE_LABELS,
    describe_availability,
    describe_value,
    show_kilowatts,
    show_seconds,
)
from pages.frame import session
from pages.frame.navigation import link
from services.core.identity.permissions import Scope, scopes_of
from services.market.products.document import version_terms
from services.market.products.products import ProductFilters, ProductView, list_products, list_sub_markets
from services.market.products.reference_data import procurers

KEYS = ("submarket", "procurer", "phase")
OUTSIDE = {"phase-3": "phase 3", "outside": "not through this register", "go-live": "at go-live"}


def choose_filter(label: str, key: str, options: Mapping[str, str]) -> Sequence[str]:
    """One filter, in the address by its label; links may name codes."""
    accept_codes(key, options)
    selection = st.multiselect(
        label, list(options), format_func=options.__getitem__, key=key, bind="query-params", placeholder="All"
    )
    return tuple(selection)


def choose_filters() -> ProductFilters:
    """Draw the filters and return the choice."""
    grid = st.grid(4, min_column_width=170)
    with grid.container():
        text = st.text_input("Search", key="q", bind="query-params", type="search", placeholder="Code or name")
    with grid.container():
        markets = choose_filter(
            "Sub-market", "submarket", {market.name: market.name for market in list_sub_markets() if market.family}
        )
    with grid.container():
        buyers = choose_filter("Bought by", "procurer", {code: procurer.name for code, procurer in procurers().items()})
    with grid.container():
        phases = choose_filter("Phase", "phase", {str(phase): words for phase, words in PHASE_LABELS.items()})
    ended = st.checkbox("Show products that have ended, too", key="ended", bind="query-params")
    return ProductFilters(markets, buyers, phases, text or "", ended)


def clear_filters() -> None:
    """Show everything again."""
    st.session_state["q"] = ""
    for key in KEYS:
        st.session_state[key] = []


def describe_product(view: ProductView) -> dict[str, str]:
    """A product as a line of the catalogue."""
    version = view.version
    return {
        "Code": version.code,
        "Name": version.name,
        "Standing": describe_availability(view),
        "Sub-market": version.sub_market,
        "Direction": str(version.direction),
        "Smallest": show_kilowatts(version.min_capacity),
        "Full delivery": show_seconds(version.full_delivery_s),
        "Kept up": describe_value("MinDuration_min", version.min_duration_min),
        "Bought by": ", ".join(version.procurers),
        "Spread over": describe_value("Aggregation", version.aggregation),
        "Family": FAMILY_LABELS[version.family],
    }


actor = session.actor()
st.title("Products", anchor=False)
st.caption(
    "The services that system operators buy, and what each asks of a market unit. A value that is not known neither lets a "
    "unit pass nor fail. What you choose stands in the address."
)
show_outcome()
filters = choose_filters()
views = list_products(actor, filters)
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"**{len(views):,} {'product' if len(views) == 1 else 'products'}**", width="content")
    if filters != ProductFilters(ended=filters.ended):
        st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_filters)
    if Scope.OWN in scopes_of(actor, "product.propose"):
        st.page_link(
            "pages/market/propose_product.py", label="Propose a product", icon=":material/add_circle:", width="content"
        )
if not views:
    st.info("No product passes these filters. Choose fewer, or clear them.", icon=":material/filter_alt:")
    st.stop()
selected = st.dataframe(
    [describe_product(view) for view in views],
    hide_index=True,
    width="stretch",
    height="content",
    on_select="rerun",
    selection_mode="single-row",
    key="products",
    alt="The catalogue of products",
)
if selected.selection.rows:
    st.switch_page("pages/market/product.py", query_params={"code": views[selected.selection.rows[0]].product.code})
st.caption("Choose a row to open the product.")
with st.container(horizontal=True):
    draw_table_download("Download as CSV", [version_terms(view.version) for view in views], "products.csv")
    link("market/stacking.py", "What may be held together", "grid_on")
    link("market/equivalences.py", "Table of equivalences", "swap_horiz")
with st.expander("All sub-markets, those without products included"):
    st.dataframe(
        [
            {
                "Sub-market": market.name,
                "Family of units": FAMILY_LABELS[market.family] if market.family else "–",
                "Phase": OUTSIDE[market.phase],
                "What it is": market.description,
            }
            for market in list_sub_markets()
        ],
        hide_index=True,
        width="stretch",
        height="content",
        alt="All sub-markets",
    )
