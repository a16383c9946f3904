"""Turning the pages of a list by its cursors, kept for one list in the browser session."""

import streamlit as st


def page_cursors(key: str) -> list[str]:
    """The cursors of the pages turned so far; the last one is that of the page on screen."""
    return st.session_state.setdefault(key, [])


def draw_turning(key: str, count: int, size: int, following: str | None, total: str, words: str = "") -> None:
    """The ways to the page before and to the next, and which part of the whole is shown."""
    cursors = page_cursors(key)
    first = len(cursors) * size + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back",
            icon=":material/arrow_back:",
            key=f"{key}-back",
            disabled=not cursors,
            on_click=cursors.pop if cursors else None,
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            key=f"{key}-next",
            disabled=following is None,
            on_click=cursors.append,
            args=(following,),
        )
        st.caption(f"{first:,} to {first + count - 1:,} of {total}. {words}")
