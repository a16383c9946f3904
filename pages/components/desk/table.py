"""A page of assets as a table, in the order that was chosen, with ways to the next page and the one before."""

from collections.abc import Mapping, Sequence

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.common.asset_filters import cursors, first_page
from pages.components.common.asset_labels import group_words, provider_name
from pages.components.desk.state import TURN, choose_asset
from services.assets.filters import AssetFilters
from services.assets.reading.assets import AssetCount
from services.assets.reading.listing import AssetLine, list_lines
from services.assets.rules.reference import CATEGORY_LIST, code_lists
from services.core.clock import in_london
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


def draw_table(
    actor: Actor, filters: AssetFilters, total: AssetCount, names: Mapping[str, str], height: int = 560
) -> None:
    """One page; choosing a row shows the asset beside it."""
    order = st.selectbox(
        "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params", on_change=first_page
    )
    turned = cursors()
    page = list_lines(actor, filters, sort=order, after=turned[-1] if turned else None, limit=PAGE_SIZE)
    labels = code_labels()
    key = f"assets-{order}-{turned[-1] if turned else 'first'}-{st.session_state.get(TURN, 0)}"
    st.dataframe(
        [_row(asset, names, labels) for asset in page.items],
        hide_index=True,
        width="stretch",
        height=min(35 * (len(page.items) + 1) + 2, height),
        column_config={
            "Rated (kW)": st.column_config.NumberColumn("Rated (kW)", format="localized"),
            "Registered": st.column_config.DatetimeColumn("Registered", format="DD MMM YYYY", timezone="Europe/London"),
        },
        on_select=lambda: _row_chosen(key, page.items),
        selection_mode="single-row",
        key=key,
        alt=f"{len(page.items)} assets",
    )
    _turn_pages(len(turned) * PAGE_SIZE + 1, len(page.items), total, page.next_cursor)


def _turn_pages(first: int, count: int, total: AssetCount, following: str | None) -> None:
    turned = cursors()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Back", icon=":material/arrow_back:", disabled=not turned, on_click=turned.pop if turned else None)
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            disabled=following is None,
            on_click=turned.append,
            args=(following,),
        )
        st.caption(f"{first:,} to {first + count - 1:,} of {words_of(total)}. Choose a row to see the asset.")


def _row_chosen(key: str, assets: Sequence[AssetLine]) -> None:
    rows = st.session_state[key].selection.rows
    if rows and rows[0] < len(assets):
        choose_asset(assets[rows[0]].id, assets[rows[0]].position)


def _row(asset: AssetLine, names: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, object]:
    return {
        "Name": asset.name,
        "Status": STATUS_LABELS[asset.status],
        "Category": labels.get(asset.category, asset.category),
        "Rated (kW)": float(asset.rated_kw),
        "GSP group": group_words(asset.gsp_group),
        "Managed by": provider_name(names, asset.provider_id),
        "Registered": in_london(asset.registered_at) if asset.registered_at else None,
    }


def words_of(total: AssetCount) -> str:
    """A count as it is read: beyond some thousands the register doesn't count on."""
    return f"more than {total:,}" if total.more else f"{total:,}"


def code_labels() -> Mapping[str, str]:
    """Categories by code, as people read them."""
    return {code.code: code.label for code in code_lists()[CATEGORY_LIST].values()}


__all__: Sequence[str] = ["code_labels", "draw_table", "words_of"]
