"""Assets and map (UC-05.01): the actor's assets by filter, as a table and on the map, side by side where there is room."""

import streamlit as st

from pages.frame import session
from pages.parts.asset_choice import choose_filters, clear_filters, is_filtered
from pages.parts.asset_table import draw_points, draw_table
from pages.parts.asset_words import organisation_names
from services.assets.reading import count_assets
from services.core.permissions import may

VIEWS = {"both": "Map and table", "map": "Map", "table": "Table"}

actor = session.actor()
st.title("Assets and map", anchor=False)
st.caption("Every asset that you may see. Filters stand in the address: copy it to send the view to a colleague.")
filters = choose_filters(actor)
total = count_assets(actor, filters)
if not total and not is_filtered(filters):
    st.info("There is no asset here that you may see yet.", icon=":material/bolt:")
    if may(actor, "asset.register"):
        st.markdown("An asset is one device or installation at one metered point. Begin by registering the first one.")
        st.page_link("pages/assets/register_asset.py", label="Register the first asset", icon=":material/add_circle:")
    else:
        st.markdown("Assets appear here once a flexibility service provider has registered them in what you may see.")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"**{total:,} {'asset' if total == 1 else 'assets'}**", width="content")
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
    if is_filtered(filters):
        st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_filters)
if not total:
    st.info("No asset passes these filters. Choose fewer, or clear them.", icon=":material/filter_alt:")
    st.stop()
names = organisation_names(actor)
if view == "map":
    draw_points(actor, filters, total)
elif view == "table":
    draw_table(actor, filters, total, names)
else:
    left, right = st.columns([2, 3])
    with left:
        draw_points(actor, filters, total)
    with right:
        draw_table(actor, filters, total, names)
