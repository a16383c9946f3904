"""The portal: signs people in, offers the pages their roles open, and draws the one they chose."""

from pathlib import Path

import streamlit as st

from pages.components.upload.notifications import announce_ends
from pages.frame import navigation, page_filters
from pages.frame.access import note_page
from pages.frame.refusals import show_refusal
from pages.frame.role_bar import draw_role_bar
from pages.frame.session import is_applicant, read_session
from pages.frame.tasks import read_counts
from pages.frame.titles import REGISTER, name_window
from pages.frame.uploads import note_visitor
from services.core.errors import RegisterError

APPLIED = "fmar_applied"
"""Set while somebody registers an organisation to act for."""
ICON = Path(__file__).parent / "static" / "favicon.png"

st.set_page_config(
    page_title=REGISTER,
    page_icon=str(ICON),
    layout="wide",
    initial_sidebar_state="auto",
    menu_items={
        "About": "FMAR: the register of flexible energy assets in Great Britain. Register once, use many times."
    },
)
st.logo(str(ICON), size="large")

session = read_session()
st.session_state["fmar_session"] = session
st.session_state["fmar_actor"] = session.actor
note_visitor(signed_in=session.actor is not None)

if session.actor is None:
    page = st.navigation(navigation.list_public_pages(), position="hidden")
elif is_applicant(session.actor):
    page = st.navigation(navigation.list_applicant_pages())
    st.session_state[APPLIED] = True
else:
    page = st.navigation(navigation.list_pages(session.actor, read_counts(session.actor)), expanded=True)
    if st.session_state.pop(APPLIED, False):
        # The organisation is registered: the page on which that was done isn't theirs any more.
        st.switch_page("pages/home.py")
name_window(navigation.title_of(page))
page_filters.begin_page(page.url_path)
closed = session.actor is not None and navigation.find_closed(page.url_path, session.actor) is not None
try:
    draw_role_bar(session)
    if session.actor is not None and not closed:
        note_page(session.actor, page.url_path)
        announce_ends(session.actor)
    page.run()
except RegisterError as refused:
    show_refusal(refused)
