"""A page of market units as a table, in the order that was chosen; a row opens the unit."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from models.products import FAMILY_LABELS
from pages.components.common.pagination import draw_turning, page_cursors, read_all
from pages.components.table.cells import count_cell, power_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table
from pages.components.unit.filters import CURSORS, first_units
from pages.components.unit.labels import DOWN_HELP, STATUS_BADGES, TYPE_LABELS, UP_HELP, show_minutes, show_seconds
from services.core.identity.actor import Actor
from services.market.units.listing import COUNT_LIMIT, LONGEST_PAGE, UnitFilters, UnitLine, list_units

PAGE_SIZE = 100
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "name": "By name",
    "up": "Most power up first",
    "down": "Most power down first",
}
COLUMNS = (
    Column("Name", up="name"),
    Column("Code"),
    Column("Family"),
    Column("Type", "; ".join(TYPE_LABELS.values())),
    Column("Assets", number=True),
    Column("Up", UP_HELP, down="up", number=True),
    Column("Down", DOWN_HELP, down="down", number=True),
    Column("Full delivery", "Time from the signal to full power, of the slowest asset.", number=True),
    Column("Sustained for", "How long it can keep full power up, by its asset with the least energy.", number=True),
    Column(
        "Not Verified", "Assets of the unit that are not Verified: they count for nothing until they are.", number=True
    ),
    Column("Status"),
    Column("FSP", "Flexibility service provider: offers the unit."),
)


def draw_unit_table(actor: Actor, filters: UnitFilters, total: int, controls: DeltaGenerator) -> None:
    """One page of units; the choice of their order among the list's controls."""
    order = controls.selectbox(
        "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params", on_change=first_units,
        width=260,
    )  # fmt: skip
    cursors = page_cursors(CURSORS)
    page = list_units(actor, filters, order=order, after=cursors[-1] if cursors else None, limit=PAGE_SIZE)
    draw_table(
        "units",
        "Market units",
        COLUMNS,
        [_row(unit) for unit in page.items],
        page=TablePage("market/unit.py"),
        order=order,
        set_order=_put_order,
        file=TableFile(
            "market-units.csv",
            lambda: [
                _row(unit)
                for unit in read_all(
                    lambda after: list_units(actor, filters, order=order, after=after, limit=LONGEST_PAGE)
                )
            ],
        ),
    )
    many = f"more than {COUNT_LIMIT:,}" if total > COUNT_LIMIT else f"{total:,}"
    draw_turning(CURSORS, len(page.items), PAGE_SIZE, page.next_cursor, many)


def _put_order(order: str) -> None:
    st.session_state["order"] = order
    first_units()


def _row(unit: UnitLine) -> Row:
    label, colour, sign = STATUS_BADGES[unit.status]
    return Row(
        str(unit.id),
        (
            text_cell(unit.name),
            text_cell(unit.code),
            text_cell(FAMILY_LABELS[unit.family]),
            text_cell(unit.unit_type),
            count_cell(unit.assets),
            power_cell(unit.up),
            power_cell(unit.down),
            text_cell(show_seconds(unit.response_s)),
            text_cell(show_minutes(unit.duration_min)),
            count_cell(unit.not_verified),
            state_cell(label, (colour, sign)),
            text_cell(unit.provider),
        ),
    )
