"""Outcome of the last act on an asset's page; a refusal because somebody was quicker says what they changed."""

import streamlit as st

from pages.components.common.actions import REFUSED, show_outcome
from pages.components.common.asset_labels import AssetLabels
from pages.frame.markdown import escape_markdown
from services.core.errors import Conflict

UNTOLD = ("StatusSince",)


def show_news(words: AssetLabels) -> None:
    """The news of the last act, once. What was typed still stands in its field: it can be sent again as it is."""
    refused = st.session_state.get(REFUSED)
    if not isinstance(refused, Conflict):
        show_outcome()
        return
    st.session_state.pop(REFUSED)
    st.warning(
        f"{escape_markdown(refused.message)} The page shows the newest version now; what you typed is still in its field.",
        icon=":material/sync_problem:",
    )
    rows = [
        {
            "Field": escape_markdown(words.label(term)),
            "When you opened it": escape_markdown(words.value(term, before)),
            "Now": escape_markdown(words.value(term, after)),
        }
        for term, (before, after) in refused.changes.items()
        if term not in UNTOLD
    ]
    if rows:
        st.table(rows, border="horizontal", hide_index=True, alt="What somebody else changed meanwhile")
    st.toast("Not done: the top of the page says why.", icon=":material/error:", duration="long")
