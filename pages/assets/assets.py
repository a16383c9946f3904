"""The operators' desk (UC-05.01): the actor's assets by filter, on the map and in a table, and the chosen one beside them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.common.actions import show_outcome
from pages.components.common.asset_filters import choose_filters, clear_filters, is_filtered
from pages.components.common.asset_labels import organisation_names
from pages.components.desk.export import draw_export
from pages.components.desk.map import MapHighlight, draw_desk_map
from pages.components.desk.panel import draw_panel
from pages.components.desk.state import chosen_asset, leave_asset, leave_hexagon
from pages.components.desk.table import draw_asset_table, words_of
from pages.frame import session
from services.assets.asset_page.page import WholeAsset, whole_asset
from services.assets.counters.figures import register_in_numbers
from services.assets.filters import AssetFilters
from services.assets.reading.assets import AssetCount, count_assets
from services.core.errors import NotFound
from services.core.identity.permissions import may

VIEWS = {"both": "Map and table", "map": "Map", "table": "Table"}


def say_empty() -> None:
    """Nothing at all is in what the actor may see: how it begins."""
    st.info("There is no asset here that you may see yet.", icon=":material/bolt:")
    if may(actor, "asset.register"):
        st.markdown("An asset is one device or installation at one metered point. Begin by registering the first one.")
        st.page_link("pages/assets/register_asset.py", label="Register the first asset", icon=":material/add_circle:")
    elif may(actor, "asset.statistics") and register_in_numbers(actor).anonymised:
        st.markdown("Your role reads the register in numbers over all participants, not asset by asset.")
        st.page_link("pages/home.py", label="The register in numbers", icon=":material/home:")
    else:
        st.markdown("Assets appear here once a flexibility service provider has registered them in what you may see.")


def draw_head(filters: AssetFilters, total: AssetCount) -> tuple[str, DeltaGenerator]:
    """Number of assets, the choice of view, and the ways back to more; the row has room for what the map shows."""
    row = st.container(horizontal=True, vertical_alignment="center", key="map-head")
    with row:
        count = words_of(total).capitalize()
        where = " in the chosen hexagon" if filters.hexagon else ""
        st.markdown(f"**{count} {'asset' if total == 1 else 'assets'}**{where}", width="content")
        view = st.segmented_control(
            "View",
            list(VIEWS),
            format_func=VIEWS.__getitem__,
            default="both",
            required=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
        )
        if filters.hexagon:
            st.button("Leave the hexagon", icon=":material/zoom_out_map:", type="tertiary", on_click=leave_hexagon)
        if is_filtered(filters):
            st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_filters)
        draw_export(actor, filters, total)
    return view, row


def find_selected() -> WholeAsset | None:
    """The asset that the address names, if the actor may see it."""
    identifier = chosen_asset()
    if identifier is None:
        return None
    try:
        return whole_asset(actor, identifier)
    except NotFound:
        st.warning("The asset that this address names isn't among those you may see.", icon=":material/visibility_off:")
        st.button("Close", icon=":material/close:", key="close-unseen", on_click=leave_asset)
        return None


def position_of(details: WholeAsset | None) -> MapHighlight:
    """Position on the map of the selected asset."""
    asset = details.asset if details else None
    if asset is None or asset.latitude is None or asset.longitude is None:
        return MapHighlight()
    return MapHighlight((asset.latitude, asset.longitude))


actor = session.actor()
st.title("Assets and map", anchor=False)
filters = choose_filters(actor)
total = count_assets(actor, filters)
if not total and not is_filtered(filters):
    say_empty()
    st.stop()
view, row = draw_head(filters, total)
show_outcome()
selected = find_selected()
if not total:
    st.info("No asset passes these filters. Choose fewer, or clear them.", icon=":material/filter_alt:")
    if selected is not None:
        draw_panel(actor, selected)
    st.stop()
if view == "both":
    left, right = st.columns([3, 2])
else:
    left = right = st.container()
if view != "table":
    with left:
        draw_desk_map(actor, filters, total, position_of(selected), row=row)
with right:
    if selected is not None:
        draw_panel(actor, selected)
    if view != "map":
        draw_asset_table(actor, filters, total, organisation_names(actor))
