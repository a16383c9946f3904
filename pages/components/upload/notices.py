"""Notices about a file as a whole: hidden rows and sheets, its encoding, columns that are left out."""

from collections.abc import Iterable

import streamlit as st

from pages.frame.markdown import escape_markdown


def draw_notices(messages: Iterable[str]) -> None:
    """Draw one box with a line for each message; nothing where there is none."""
    lines = [escape_markdown(message) for message in messages]
    if lines:
        st.info("\n\n".join(lines), icon=":material/info:")
