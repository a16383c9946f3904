"""A whole portfolio against every product: how many units stand how, and the units behind it (UC-04.03)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from models.products import FAMILY_LABELS
from pages.components.common.asset_filters import accept_codes
from pages.components.common.asset_labels import group_words
from pages.components.common.downloads import draw_table_download
from pages.components.common.pagination import read_all
from pages.components.table.cells import state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table
from pages.frame.navigation import link
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.grid.geography import LICENCE_AREAS
from services.market.eligibility.portfolio import (
    LONGEST_PAGE,
    OpportunityFilters,
    OpportunityLine,
    PortfolioSummary,
    list_opportunities,
    portfolio_in_numbers,
)
from services.market.eligibility.requirements import REQUIREMENT_LABELS, STANDING_LABELS, STOPPERS, EligibilityStanding
from services.market.products.reference_data import sub_markets

CURSORS = "opportunities!cursors"
PAGE_SIZE = 50
STANDING_STYLES = {
    EligibilityStanding.ELIGIBLE: ("green", "check_circle"),
    EligibilityStanding.NEARLY: ("orange", "warning"),
    EligibilityStanding.NOT: ("gray", "block"),
}
COLUMNS = (
    Column("Unit"),
    Column("Code"),
    Column("Family"),
    Column("Product"),
    Column("Eligibility"),
    Column("Missing or not known"),
)


def draw_portfolio(actor: Actor) -> None:
    """Filters, numbers by product, units page by page."""
    everything = portfolio_in_numbers(actor, OpportunityFilters())
    if not everything.units:
        _say_empty(actor)
        return
    filters = _choose(everything)
    numbers = portfolio_in_numbers(actor, filters)
    st.markdown(
        f"**{numbers.units:,} {'unit' if numbers.units == 1 else 'units'}** against {len(numbers.products)} products"
    )
    if not numbers.products:
        st.info("No product passes these filters. Choose fewer.", icon=":material/filter_alt:")
        return
    _draw_numbers(numbers)
    _draw_lines(actor, filters)


def _say_empty(actor: Actor) -> None:
    st.info("There is no active market unit that you may see: nothing can be compared yet.", icon=":material/hub:")
    if may(actor, "unit.manage"):
        st.markdown("Build a unit of Verified assets first, or look what a selection of assets could earn.")
        link("market/build_unit.py", "Build a unit", "add_box")


def _choose(everything: PortfolioSummary) -> OpportunityFilters:
    grid = st.grid(4, min_column_width=170)
    families = {str(code): label for code, label in FAMILY_LABELS.items()}
    sub_markets_present = {product.version.sub_market for product in everything.products}
    markets = {name: name for name in sub_markets() if name in sub_markets_present}
    products = {
        product.version.code: f"{product.version.code} {product.version.name}" for product in everything.products
    }
    with grid.container():
        eligibility = _several("Standing", "standing", {str(code): label for code, label in STANDING_LABELS.items()})
    with grid.container():
        family = _several("Family of the unit", "family", families)
    with grid.container():
        market = _several("Sub-market", "market", markets)
    with grid.container():
        product = _several("Product", "product", products)
    with grid.container():
        unmet = _several(
            "Blocked by", "unmet", {str(requirement): REQUIREMENT_LABELS[requirement] for requirement in STOPPERS}
        )
    with grid.container():
        groups = {area.gsp_group: group_words(area.gsp_group) for area in LICENCE_AREAS if area.gsp_group}
        place = _several("Main GSP group", "place", dict(sorted(groups.items())))
    return OpportunityFilters(
        eligibility=eligibility, family=family, sub_market=market, product_code=product, unmet=unmet, gsp_group=place
    )


def _several(label: str, key: str, options: Mapping[str, str]) -> Sequence[str]:
    accept_codes(key, options)
    return tuple(
        st.multiselect(
            label,
            list(options),
            format_func=options.__getitem__,
            key=key,
            bind="query-params",
            placeholder="All",
            on_change=_first_page,
        )
    )


def _first_page() -> None:
    st.session_state.pop(CURSORS, None)


def _draw_numbers(numbers: PortfolioSummary) -> None:
    st.subheader("Units by product", anchor=False)
    rows = [
        {
            "Product": f"{product.version.code} {product.version.name}",
            "Eligible": product.eligible,
            "Nearly": product.nearly,
            "Not eligible": product.not_eligible,
            "Eligible (kW)": float(product.eligible_kw),
            "Could be, in another family": product.elsewhere,
            "Sub-market": product.version.sub_market,
        }
        for product in sorted(
            numbers.products, key=lambda product: (-product.eligible, -product.nearly, -product.elsewhere)
        )
    ]
    most = max(numbers.units, 1)
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height=min(35 * (len(rows) + 1) + 2, 560),
        column_config={
            "Product": st.column_config.TextColumn("Product", width="medium"),
            "Eligible": st.column_config.ProgressColumn("Eligible", min_value=0, max_value=most, format="%d"),
            "Nearly": st.column_config.ProgressColumn("Nearly", min_value=0, max_value=most, format="%d"),
            "Eligible (kW)": st.column_config.NumberColumn("Eligible (kW)", format="localized"),
        },
        alt="Units by product and standing",
        key="by-product",
    )
    draw_table_download("Download the numbers (CSV)", rows, "fmar-opportunities-by-product.csv")


def _draw_lines(actor: Actor, filters: OpportunityFilters) -> None:
    st.subheader("Unit by unit", anchor=False)
    effective = filters
    if not filters.eligibility and not filters.unmet:
        effective = replace(filters, eligibility=[str(EligibilityStanding.ELIGIBLE), str(EligibilityStanding.NEARLY)])
        st.caption("Eligible and nearly; choose a standing above to see others.")
    cursors: list[str] = st.session_state.setdefault(CURSORS, [])
    page = list_opportunities(actor, effective, after=cursors[-1] if cursors else None, limit=PAGE_SIZE)
    if not page.items:
        st.info("No unit passes these filters. Choose fewer, or another standing.", icon=":material/filter_alt:")
        return
    draw_table(
        "opportunity-lines",
        "Units and products",
        COLUMNS,
        [_row(line) for line in page.items],
        page=TablePage("market/unit.py"),
        on_open=lambda identifier: _show_unit(identifier.partition(" ")[0]),
        file=TableFile(
            "opportunities.csv",
            lambda: [
                _row(line)
                for line in read_all(
                    lambda after: list_opportunities(actor, effective, after=after, limit=LONGEST_PAGE)
                )
            ],
        ),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Back", icon=":material/arrow_back:", disabled=not cursors, on_click=cursors.pop if cursors else None)
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            disabled=page.next_cursor is None,
            on_click=cursors.append,
            args=(page.next_cursor,),
        )


def _show_unit(identifier: str) -> None:
    """Show a unit with every product: in a callback, where the choice above can still be set."""
    st.session_state["for"] = "unit"
    st.query_params["unit"] = identifier


def _row(line: OpportunityLine) -> Row:
    return Row(
        f"{line.unit_id} {line.version.code}",
        (
            text_cell(line.unit_name),
            text_cell(line.unit_code),
            text_cell(FAMILY_LABELS[line.family]),
            text_cell(f"{line.version.name} ({line.version.code})"),
            state_cell(STANDING_LABELS[line.verdict.eligibility], STANDING_STYLES[line.verdict.eligibility]),
            text_cell(line.words),
        ),
        record=str(line.unit_id),
    )
