"""Filters belong to the page and its address: what one page was narrowed by doesn't narrow the next.

Streamlit carries the value of a field that is bound to the address over to any page with a field of the same key.
"""

import streamlit as st

KEYS = frozenset(
    {
        *("q", "record", "kind", "from", "to", "until", "up", "down", "as_of", "decided", "ended"),
        *("category", "status", "type", "family", "families", "market", "phase", "submarket", "product", "products"),
        *("fsp", "so", "operators", "procurer", "dno", "gsp", "place", "clock", "assigned", "standing", "unmet", "for"),
        *("view", "order", "unit", "part", "list", "code-list", "mode", "show", "turn", "walk", "by", "per", "picture"),
        *("layer", "colour", "shade"),
    }
)
"""Keys of the fields that are bound to the address of their page."""
PAGE = "fmar_page"
ARRIVED = "fmar_arrived"
"""Set until the list of a page that was just opened has asked."""


def begin_page(address: str) -> None:
    """Forget what the page before was narrowed by, where this is another one: its own address says what it shows."""
    if st.session_state.get(PAGE) != address:
        for key in KEYS:
            st.session_state.pop(key, None)
        st.session_state[ARRIVED] = True
    st.session_state[PAGE] = address


def take_arrival() -> bool:
    """True once after a page was opened."""
    return bool(st.session_state.pop(ARRIVED, False))
