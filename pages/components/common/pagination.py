"""Turning the pages of a list by its cursors, kept for one list in the browser session."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from services.core.paging import Page

T = TypeVar("T")
MOST_READ = 20_000
"""Records that a file of a list holds at most; the API and the export of assets give more."""


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
        st.caption(f"{first:,} to {first + count - 1:,} of {total}. {words}".strip())


def read_all(read_page: Callable[[str | None], Page[T]], most: int = MOST_READ) -> list[T]:
    """Read a list to its end, page by page by its cursors; `most` records at most."""
    items: list[T] = []
    cursor: str | None = None
    while len(items) < most:
        page = read_page(cursor)
        items.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    return items[:most]
