"""The catalogue of products (UC-04.01): filters stand in the address, choosing a product opens its page."""

from collections.abc import Mapping, Sequence

import streamlit as st

from models.products import FAMILY_LABELS
from pages.components.common.actions import show_outcome
from pages.components.common.asset_filters import accept_codes
from pages.components.common.downloads import draw_table_download
from pages.components.product.labels import (
    DIRECTION_NAMES,
    PHASE_LABELS,
    buyer_names,
    describe_availability,
    describe_value,
    show_kilowatts,
    show_seconds,
)
from pages.components.table.cells import TableCell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
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


COLUMNS = (
    Column("Name"),
    Column("Code"),
    Column("Availability"),
    Column("Sub-market"),
    Column(
        "Direction",
        "Up: more generation, less demand. Down: less generation, more demand. Both are procured separately.",
    ),
    Column("Min. size", "The least power that a market unit must offer.", number=True),
    Column("Full delivery", "Time from the signal to full power, at most.", number=True),
    Column("Min. duration", "How long full power must be sustained.", number=True),
    Column("Bought by"),
    Column("Assets within", "The area in which all assets of a unit must lie."),
    Column("Family"),
)


def describe_product(view: ProductView) -> Row:
    """A product as a line of the catalogue."""
    version = view.version
    style = ("green", "check_circle") if view.offered else ("gray", "schedule")
    return Row(
        version.code,
        (
            text_cell(version.name),
            text_cell(version.code),
            state_cell(describe_availability(view), style),
            text_cell(version.sub_market),
            text_cell(DIRECTION_NAMES[version.direction]),
            TableCell(show_kilowatts(version.min_capacity), raw=version.min_capacity),
            TableCell(show_seconds(version.full_delivery_s), raw=version.full_delivery_s),
            TableCell(describe_value("MinDuration_min", version.min_duration_min), raw=version.min_duration_min),
            text_cell(buyer_names(version.procurers)),
            text_cell(describe_value("Aggregation", version.aggregation)),
            text_cell(FAMILY_LABELS[version.family]),
        ),
    )


actor = session.actor()
st.title("Products", anchor=False)
st.caption(
    "The services that system operators buy, and what each asks of a market unit. A requirement that is "
    "not known neither passes nor fails a unit. Filters are saved in the link."
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
columns, rows, order = sort_rows(COLUMNS, [describe_product(view) for view in views])
draw_table(
    "products",
    "Products",
    columns,
    rows,
    page=TablePage("market/product.py", "code"),
    order=order,
    file=TableFile("products.csv", lambda: rows),
)
with st.container(horizontal=True):
    draw_table_download(
        "All requirements (CSV)", [version_terms(view.version) for view in views], "product-requirements.csv"
    )
    link("market/stacking.py", "Stacking", "grid_on")
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
