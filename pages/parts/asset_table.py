"""A page of assets as a table, with ways to the next and the one before, and the same assets on the map."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from models.assets import STATUS_LABELS, Asset, AssetStatus
from pages.frame.navigation import open_asset
from pages.parts.asset_choice import cursors
from pages.parts.asset_map import draw_map, legend
from pages.parts.asset_words import group_words, provider_name
from pages.parts.power import show_kw
from services.assets.catalogue import CATEGORY_LIST, code_lists
from services.assets.filters import AssetFilters
from services.assets.reading import list_assets, map_points
from services.core.actor import Actor
from services.core.clock import in_london

PAGE_SIZE = 50
MOST_POINTS = 5000


def draw_table(actor: Actor, filters: AssetFilters, total: int, names: Mapping[str, str]) -> None:
    """One page, newest first; choosing a row opens the asset."""
    turned = cursors()
    page = list_assets(actor, filters, after=turned[-1] if turned else None, limit=PAGE_SIZE)
    first = len(turned) * PAGE_SIZE + 1
    event = st.dataframe(
        [_row(asset, names) for asset in page.items],
        hide_index=True,
        width="stretch",
        height=min(35 * (len(page.items) + 1) + 2, 560),
        column_config={
            "Rated": st.column_config.NumberColumn("Rated", format="%.2f kW"),
            "Registered": st.column_config.DatetimeColumn("Registered", format="DD MMM YYYY", timezone="Europe/London"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"assets-{turned[-1] if turned else 'first'}",
        alt=f"{len(page.items)} assets",
    )
    chosen = event.selection.rows
    if chosen:
        open_asset(page.items[chosen[0]].id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Back", icon=":material/arrow_back:", disabled=not turned, on_click=turned.pop if turned else None)
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            disabled=page.next_cursor is None,
            on_click=turned.append,
            args=(page.next_cursor,),
        )
        st.caption(f"{first:,} to {first + len(page.items) - 1:,} of {total:,}, newest first. Choose a row to open it.")


def _row(asset: Asset, names: Mapping[str, str]) -> dict[str, object]:
    labels = code_labels()
    return {
        "Name": asset.asset_name,
        "Status": STATUS_LABELS[asset.status],
        "Category": labels.get(asset.asset_category, asset.asset_category),
        "Rated": float(asset.rated_capacity),
        "GSP group": group_words(asset.gsp_group),
        "Managed by": provider_name(names, asset.service_provider_id),
        "Registered": in_london(asset.registered_at) if asset.registered_at else None,
    }


def code_labels() -> Mapping[str, str]:
    """Categories by code, as people read them."""
    return {code.code: code.label for code in code_lists()[CATEGORY_LIST].values()}


def draw_points(actor: Actor, filters: AssetFilters, total: int) -> None:
    """The assets on the map; choosing one opens it."""
    found = map_points(actor, filters, MOST_POINTS)
    labels = code_labels()
    points: list[dict[str, Any]] = [
        {
            "id": str(point.id),
            "name": point.name,
            "detail": f"{labels.get(point.category, point.category)}, {show_kw(point.rated_kw)}, "
            f"{STATUS_LABELS[AssetStatus(point.status)]}",
            "lat": point.latitude,
            "lon": point.longitude,
            "status": point.status,
        }
        for point in found
    ]
    # Drawn last, on top: the few that need somebody.
    points.sort(key=lambda point: point["status"] != AssetStatus.VERIFIED)
    chosen = draw_map(points, key="assets-map", height=600)
    _say_missing(len(points), total)
    legend(sorted({AssetStatus(point.status) for point in found}, key=list(AssetStatus).index))
    if chosen:
        st.session_state.pop("assets-map", None)
        open_asset(chosen)


def _say_missing(shown: int, total: int) -> None:
    words = "Click a point to open the asset."
    if shown == MOST_POINTS < total:
        words += f" The newest {shown:,} are on the map: choose filters to see the others."
    elif shown < total:
        words += f" {total - shown:,} have no position."
    st.caption(words)


__all__: Sequence[str] = ["code_labels", "draw_points", "draw_table"]
