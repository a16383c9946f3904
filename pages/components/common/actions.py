"""Acts behind buttons: done in the callback with what the person saw, told of in the run that follows."""

from collections.abc import Callable

import streamlit as st

from pages.frame.refusals import show_refusal
from services.core.errors import RegisterError

DONE, REFUSED = "attempt!done", "attempt!refused"


def attempt(act: Callable[[], object], done: str, *forget: str) -> None:
    """Do it; remember the good news, or the refusal. What was typed under the keys in `forget` goes once it is done."""
    try:
        act()
    except RegisterError as refused:
        st.session_state[REFUSED] = refused
        return
    st.session_state[DONE] = done
    for key in forget:
        forget_entry(key)


def forget_entry(key: str) -> None:
    """Empty a field: of a list or a text the browser would keep what was entered if its key only went."""
    entry = st.session_state.get(key)
    if type(entry) in (list, str):
        st.session_state[key] = type(entry)()
    else:
        st.session_state.pop(key, None)


def show_outcome() -> None:
    """The news of the last act, once."""
    done, refused = st.session_state.pop(DONE, None), st.session_state.pop(REFUSED, None)
    if done:
        st.toast(done, icon=":material/check_circle:", duration="long")
    if refused is not None:
        show_refusal(refused)
        # The button may stand far below: without this a refusal at the top of a long page looks like a dead button.
        st.toast("Not done: the top of the page says why.", icon=":material/error:", duration="long")
