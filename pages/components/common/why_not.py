"""Acts that the role could do and that are not possible now, each with the one thing in the way."""

from collections.abc import Sequence

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.refusals import link_blocker
from services.core.lifecycle import Action


def draw_why_not(actions: Sequence[Action]) -> None:
    """Draw what is in the way of each act; nothing for acts that other roles do, or where all are possible."""
    waiting = [action for action in actions if action.in_reach and not action.allowed]
    if not waiting:
        return
    with st.expander(f"Not possible now: {'; '.join(action.label for action in waiting)}", icon=":material/info:"):
        for action in waiting:
            first, *more = action.blockers or (None,)
            if first is None:
                st.markdown(f"- **{action.label}**: {escape_markdown(action.why_not or '')}")
                continue
            others = f" Then {len(more)} more." if more else ""
            st.markdown(
                f"- **{action.label}**: {escape_markdown(first.label)}. {escape_markdown(first.action)}.{others}"
            )
            link_blocker(first)
