"""The search at the top of every page: Enter opens the results, or the one record whose identifier was given whole."""

import streamlit as st

from pages.frame.navigation import open_asset, open_organisation
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.search import LONGEST, Found, search

KEY, ASKED = "search-everything", "search-asked"
RESULTS, HANDED = "pages/search.py", "find"
LABEL = "Search the register"


def _ask() -> None:
    st.session_state[ASKED] = st.session_state[KEY]
    st.session_state[KEY] = ""


def draw_search(actor: Actor) -> None:
    """The box; whatever was asked with it is answered before the page is drawn."""
    if not may(actor, "register.search"):
        return
    st.text_input(
        LABEL,
        key=KEY,
        type="search",
        max_chars=LONGEST,
        label_visibility="collapsed",
        placeholder="Search: name, ID, MPAN, serial, postcode ( / )",
        on_change=_ask,
    )
    asked = str(st.session_state.pop(ASKED, "")).strip()
    if asked:
        _answer(actor, asked)


def _answer(actor: Actor, asked: str) -> None:
    only = search(actor, asked).only
    if only is not None and only.kind is Found.ASSET:
        open_asset(only.identifier)
    if only is not None and only.kind is Found.ORGANISATION:
        open_organisation(only.identifier)
    # Not as "q": the page that is left may hold that of the address for a field of its own. The results' field takes it over.
    st.switch_page(RESULTS, query_params={HANDED: asked})
