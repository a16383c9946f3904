"""A page of market units as a table, in the order that was chosen; choosing a row opens the unit."""

from collections.abc import Sequence

import streamlit as st

from models.products import FAMILY_LABELS
from pages.components.common.pagination import draw_turning, page_cursors
from pages.components.unit.filters import CURSORS, first_units
from pages.components.unit.labels import show_minutes, show_seconds
from services.core.identity.actor import Actor
from services.market.units.listing import COUNT_LIMIT, UnitFilters, UnitLine, list_units
from services.market.units.units import UNIT_STATUS_LABELS

PAGE_SIZE = 100
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "name": "By name",
    "up": "Most kW up first",
    "down": "Most kW down first",
}


def draw_unit_table(actor: Actor, filters: UnitFilters, total: int) -> None:
    """One page of units."""
    order = st.selectbox(
        "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params", on_change=first_units,
        width=260,
    )  # fmt: skip
    cursors = page_cursors(CURSORS)
    page = list_units(actor, filters, order=order, after=cursors[-1] if cursors else None, limit=PAGE_SIZE)
    event = st.dataframe(
        [_row(unit) for unit in page.items],
        hide_index=True,
        width="stretch",
        height=min(35 * (len(page.items) + 1) + 2, 620),
        column_config={
            name: st.column_config.NumberColumn(name, format="localized") for name in ("Assets", "kW up", "kW down")
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"units-{order}-{cursors[-1] if cursors else 'first'}",
        alt=f"{len(page.items)} market units",
    )
    many = f"more than {COUNT_LIMIT:,}" if total > COUNT_LIMIT else f"{total:,}"
    draw_turning(CURSORS, len(page.items), PAGE_SIZE, page.next_cursor, many, "Choose a row to open the unit.")
    _open(event.selection.rows, page.items)


def _open(rows: Sequence[int], units: Sequence[UnitLine]) -> None:
    if rows and rows[0] < len(units):
        st.switch_page("pages/market/unit.py", query_params={"id": str(units[rows[0]].id)})


def _row(unit: UnitLine) -> dict[str, object]:
    return {
        "Name": unit.name,
        "Code": unit.code,
        "Family": FAMILY_LABELS[unit.family],
        "Type": str(unit.unit_type),
        "Assets": unit.assets,
        "kW up": float(unit.up),
        "kW down": float(unit.down),
        "Full delivery": show_seconds(unit.response_s),
        "Keeps up": show_minutes(unit.duration_min),
        "Not Verified": unit.not_verified,
        "Status": UNIT_STATUS_LABELS[unit.status],
        "FSP": unit.provider,
    }
