"""The asset chosen on the desk: its facts, its status, and what can be done with it, without leaving the desk."""

import streamlit as st

from models.assets import Asset
from pages.components.asset.actions import acts_of, draw_acts
from pages.components.asset.query import draw_query
from pages.components.common.asset_labels import AssetLabels, draw_badges, words_for
from pages.components.desk.state import leave_asset
from pages.frame.markdown import escape_markdown
from services.assets.asset_page.page import WholeAsset
from services.core.clock import show_moment
from services.core.identity.actor import Actor


def draw_panel(actor: Actor, whole: WholeAsset) -> None:
    """Everything of the chosen asset that the desk shows."""
    asset = whole.asset
    with st.container(border=True):
        st.subheader(escape_markdown(asset.asset_name), anchor=False)
        draw_facts_in_brief(asset, words_for(actor, asset))
        with st.container(horizontal=True, vertical_alignment="center"):
            draw_link(asset)
            st.button("Close", icon=":material/close:", type="tertiary", key="close-asset", on_click=leave_asset)
        actions = acts_of(whole)
        draw_acts(actor, asset, actions)
        draw_query(actor, whole, {action.operation for action in actions if action.allowed})


def draw_link(asset: Asset) -> None:
    """The way to the whole of it."""
    st.page_link(
        "pages/assets/asset.py",
        label="Open the asset's page",
        icon=":material/open_in_new:",
        query_params={"id": str(asset.id)},
        width="content",
    )


def draw_facts_in_brief(asset: Asset, words: AssetLabels) -> None:
    """Status with its reason, and the facts that an operator asks first."""
    draw_badges(asset, words)
    reason = f"{escape_markdown(asset.status_reason)} " if asset.status_reason else ""
    st.markdown(f"{reason}:small[{words.value('Status', asset.status)} since {show_moment(asset.status_since)}]")
    values = {
        "GspGroup": asset.gsp_group,
        "DNOConnection": asset.dno_connection,
        "Postcode": asset.postcode,
        "ConnectionStatus": asset.connection_status,
        "ImportMPAN": asset.import_mpan,
        "ExportMPAN": asset.export_mpan,
        "RegisteredAt": asset.registered_at,
    }
    grid = st.grid(2, min_column_width=150, gap="xsmall")
    for term, value in values.items():
        if value:
            grid.markdown(
                f":small[{escape_markdown(words.label(term))}]  \n{escape_markdown(words.value(term, value))}"
            )
