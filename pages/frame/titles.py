"""Titles of windows: what tabs, bookmarks and the browser's history call a page."""

import streamlit as st

REGISTER = "FMAR"


def name_window(title: str) -> None:
    """Name the window after the page, or the record on it; plain text, shown as it is."""
    st.set_page_config(page_title=f"{title} - {REGISTER}" if title else REGISTER)
