"""Dialog that is open in this browser session: until it is done or dismissed, so a refusal loses nothing."""

import streamlit as st

OPEN = "open-dialog"


def ask(name: str) -> None:
    """Open a dialog: the callback of the button that leads to it."""
    st.session_state[OPEN] = name


def is_open(name: str) -> bool:
    """Test whether this dialog is open."""
    return st.session_state.get(OPEN) == name


def close() -> None:
    """Close whichever dialog is open: when it is done, and as the callback of dismissing it."""
    st.session_state.pop(OPEN, None)
