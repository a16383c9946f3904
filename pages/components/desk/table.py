"""A page of assets as a table, in the order that was chosen, with ways to the next page and the one before."""

from collections.abc import Mapping, Sequence

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.common.asset_filters import CURSORS, cursors, first_page
from pages.components.common.asset_labels import STATUS_BADGES, group_words, provider_name
from pages.components.common.pagination import draw_turning
from pages.components.desk.state import choose_asset, chosen_asset
from pages.components.table.cells import TableCell, power_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TablePage, draw_table
from services.assets.filters import AssetFilters
from services.assets.reading.assets import AssetCount
from services.assets.reading.listing import AssetLine, list_lines
from services.assets.rules.reference import CATEGORY_LIST, code_lists
from services.core.clock import in_london, show_date, show_moment
from services.core.identity.actor import Actor

PAGE_SIZE = 100
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "name": "By name",
    "capacity": "Largest first",
    "status_since": "Status changed last",
    "waiting": "Status longest unchanged",
}


COLUMNS = (
    Column("Name", up="name"),
    Column("Status"),
    Column("Category"),
    Column("Rated", "Rated capacity", down="capacity", number=True),
    Column("GSP group", "Grid supply point group: the part of the grid that the asset is connected in."),
    Column("Managed by"),
    Column("Registered", up="oldest", down="newest"),
)


def draw_asset_table(
    actor: Actor, filters: AssetFilters, total: AssetCount, names: Mapping[str, str], height: int = 560
) -> None:
    """One page; a row shows the asset beside it, its name opens the asset's page."""
    order = st.selectbox(
        "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params", on_change=first_page,
        width=260,
    )  # fmt: skip
    turned = cursors()
    page = list_lines(actor, filters, sort=order, after=turned[-1] if turned else None, limit=PAGE_SIZE)
    labels = code_labels()
    places = {str(asset.id): asset.position for asset in page.items}
    draw_table(
        "asset-list",
        "Assets",
        COLUMNS,
        [_row(asset, names, labels) for asset in page.items],
        page=TablePage("assets/asset.py"),
        on_open=lambda identifier: choose_asset(identifier, places.get(identifier)),
        order=order,
        set_order=_put_order,
        height=height,
        marked=str(chosen_asset() or ""),
    )
    draw_turning(CURSORS, len(page.items), PAGE_SIZE, page.next_cursor, words_of(total))


def _put_order(order: str) -> None:
    st.session_state["order"] = order
    first_page()


def _row(asset: AssetLine, names: Mapping[str, str], labels: Mapping[str, str]) -> Row:
    return Row(
        str(asset.id),
        (
            text_cell(asset.name),
            state_cell(STATUS_LABELS[asset.status], STATUS_BADGES[asset.status]),
            text_cell(labels.get(asset.category, asset.category)),
            power_cell(asset.rated_kw),
            text_cell(group_words(asset.gsp_group)),
            text_cell(provider_name(names, asset.provider_id)),
            TableCell(show_date(in_london(asset.registered_at).date()), show_moment(asset.registered_at))
            if asset.registered_at
            else TableCell("–"),
        ),
    )


def words_of(total: AssetCount) -> str:
    """A count as it is read: beyond some thousands the register doesn't count on."""
    return f"more than {total:,}" if total.more else f"{total:,}"


def code_labels() -> Mapping[str, str]:
    """Categories by code, as people read them."""
    return {code.code: code.label for code in code_lists()[CATEGORY_LIST].values()}


__all__: Sequence[str] = ["code_labels", "draw_asset_table", "words_of"]
