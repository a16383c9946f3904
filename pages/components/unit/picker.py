"""Picking assets for a unit: the free ones by filter, in a table and on the map together, into the basket (UC-03.01)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from models.assets import AssetStatus
from models.products import FAMILY_LABELS, Family
from pages.components.common.actions import attempt
from pages.components.common.asset_filters import CURSORS, cursors
from pages.components.common.asset_labels import group_words
from pages.components.common.pagination import draw_turning
from pages.components.desk.map import MapHighlight, draw_desk_map
from pages.components.desk.state import chosen_asset, leave_asset, leave_hexagon
from pages.components.desk.table import code_labels
from pages.components.unit.basket import basket, put
from pages.components.unit.labels import count_of
from pages.frame.markdown import escape_markdown
from services.assets.filters import AssetFilters
from services.assets.reading.assets import count_assets, get_asset
from services.assets.reading.list_row import AssetLine
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.market.units.available_assets import MAX_ASSETS_AT_ONCE, FreePage, free_asset_ids, list_free

PAGE_SIZE = 100


def draw_picking(actor: Actor, family: Family, filters: AssetFilters) -> None:
    """Map and table of what is free in the family and passes the filters, with the ways into the basket."""
    mine = replace(filters, status=(AssetStatus.VERIFIED,), service_provider_id=(actor.organisation_id,))
    turned = cursors()
    page = list_free(actor, family, mine, after=turned[-1] if turned else None, limit=PAGE_SIZE)
    if not page.total:
        _say_none(family)
        return
    _draw_all(actor, family, mine, page)
    rows = _table(page.items, f"free-{family}-{turned[-1] if turned else 'first'}")
    fresh = [asset for asset in rows if asset.id not in set(basket())]
    st.button(
        f"Put {count_of(len(fresh))} in" if fresh else "Choose rows to put them in",
        icon=":material/add_shopping_cart:",
        type="primary",
        disabled=not fresh,
        on_click=put,
        args=([asset.id for asset in fresh],),
    )
    _turn(page)
    _draw_chosen(actor)
    draw_desk_map(actor, mine, count_assets(actor, mine), _position(actor), height=420)
    st.caption("The map has all of your Verified assets that pass; those in another unit of the family are refused.")


def _say_none(family: Family) -> None:
    st.info(
        f"None of your Verified assets that pass the filters is free: each is in another {FAMILY_LABELS[family]} unit, or "
        "there is none. Choose fewer filters or another family; assets become Verified once their checks agree.",
        icon=":material/filter_alt:",
    )
    st.page_link("pages/assets/assets.py", label="Your assets and their status", icon=":material/map:")


def _draw_all(actor: Actor, family: Family, filters: AssetFilters, page: FreePage) -> None:
    more = page.total > MAX_ASSETS_AT_ONCE
    many = f"More than {MAX_ASSETS_AT_ONCE:,} assets" if more else count_of(page.total)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{many}** {'is' if page.total == 1 else 'are'} free and pass the filters", width="content")
        if filters.hexagon:
            st.button("Leave the hexagon", icon=":material/zoom_out_map:", type="tertiary", on_click=leave_hexagon)
        st.button(
            f"Add all {page.total:,}" if not more else f"At most {MAX_ASSETS_AT_ONCE:,} at once: narrow the filters",
            icon=":material/playlist_add:",
            disabled=more,
            on_click=attempt,
            args=(lambda: put(free_asset_ids(actor, family, filters)), f"{count_of(page.total)} put in the basket."),
        )


def _table(assets: Sequence[AssetLine], key: str) -> list[AssetLine]:
    """The chosen rows."""
    labels, inside = code_labels(), set(basket())
    event = st.dataframe(
        [_row(asset, labels, asset.id in inside) for asset in assets],
        hide_index=True,
        width="stretch",
        height=min(35 * (len(assets) + 1) + 2, 420),
        column_config={
            "Rated (kW)": st.column_config.NumberColumn("Rated (kW)", format="localized"),
        },
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
        alt=f"{len(assets)} free assets",
    )
    return [assets[row] for row in event.selection.rows if row < len(assets)]


def _row(asset: AssetLine, labels: Mapping[str, str], inside: bool) -> dict[str, object]:
    return {
        "Name": asset.name,
        "Category": labels.get(asset.category, asset.category),
        "Rated (kW)": float(asset.rated_kw),
        "GSP group": group_words(asset.gsp_group),
        "Basket": "In it" if inside else "",
    }


def _turn(page: FreePage) -> None:
    if cursors() or page.next_cursor:
        many = f"more than {MAX_ASSETS_AT_ONCE:,}" if page.total > MAX_ASSETS_AT_ONCE else f"{page.total:,}"
        draw_turning(CURSORS, len(page.items), PAGE_SIZE, page.next_cursor, many)


def _draw_chosen(actor: Actor) -> None:
    """The point that was chosen on the map, with the way into the basket."""
    identifier = chosen_asset()
    if identifier is None:
        return
    with suppress(NotFound), st.container(border=True, horizontal=True, vertical_alignment="center"):
        asset = get_asset(actor, identifier)
        st.markdown(f"**{escape_markdown(asset.asset_name)}**, {asset.rated_capacity:,.2f} kW", width="content")
        inside = identifier in basket()
        label = "Lies in the basket" if inside else "Put it in"
        icon = ":material/check:" if inside else ":material/add_shopping_cart:"
        st.button(label, key="put-chosen", icon=icon, disabled=inside, on_click=put, args=([identifier],))
        st.button("Close", key="close-chosen", icon=":material/close:", type="tertiary", on_click=leave_asset)


def _position(actor: Actor) -> MapHighlight:
    identifier = chosen_asset()
    with suppress(NotFound):
        asset = get_asset(actor, identifier) if identifier else None
        if asset and asset.latitude is not None and asset.longitude is not None:
            return MapHighlight((asset.latitude, asset.longitude))
    return MapHighlight()
