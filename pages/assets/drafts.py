"""Drafts (UC-02.01): what was begun and isn't registered yet, one's own and what installers and providers send each other."""

import streamlit as st

from pages.components.asset_form.draft_list import draw_drafts
from pages.components.common.asset_labels import status_badge
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.registration.draft_board import DraftBoard, DraftView, draft_board
from services.core.clock import show_moment
from services.core.identity.permissions import may


def draw_part(title: str, views: list[DraftView], words: str) -> None:
    """One group of drafts under its heading."""
    if views:
        st.subheader(f"{title} ({len(views)})", anchor=False)
        st.caption(words)
        draw_drafts(actor, put_named_first(views))


def put_named_first(views: list[DraftView]) -> list[DraftView]:
    """Put the draft that the address names before the others."""
    identifier = st.query_params.get("draft")
    return sorted(views, key=lambda view: str(view.id) != identifier)


def draw_registered(board: DraftBoard) -> None:
    """Assets that became of the installer's drafts."""
    if board.registered:
        st.subheader("Registered from your data", anchor=False)
    for asset in board.registered:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            link("assets/asset.py", f"**{escape_markdown(asset.asset_name)}**", "bolt", {"id": str(asset.id)})
            status_badge(asset.status)
            st.caption(f"registered {show_moment(asset.registered_at)}")


actor = session.actor()
installs = may(actor, "asset.submit_draft")
st.title("Drafts", anchor=False)
st.caption(
    "Technical data that you prepare for providers: they complete and register it."
    if installs and not may(actor, "asset.register")
    else "What was begun and isn't registered yet. Everything typed into a form is kept here."
)
if message := st.session_state.pop("draft-told", None):
    st.success(escape_markdown(message), icon=":material/check_circle:")
if installs:
    link("assets/prepare_asset.py", "Prepare an asset for a provider", "add_circle")
board = draft_board(actor)
returned = board.returned
draw_part(
    "From installers",
    board.received,
    "Technical data for you to complete and register, or to give back with the reason.",
)
draw_part("Given back to you", returned, "Fix what the provider asks for, and submit again.")
draw_part("Incomplete", [draft for draft in board.own if draft not in returned], "Continue where you stopped.")
draw_part("With providers", board.submitted, "You are told once they are registered or given back.")
draw_registered(board)
if not (board.own or board.received or board.submitted or board.registered):
    st.info("No drafts. What you type into a form is saved here by itself.", icon=":material/edit_note:")
    if may(actor, "asset.register"):
        link("assets/register_asset.py", "Register an asset", "add_circle")
