"""Recent changes, as sentences with links."""

from collections.abc import Sequence

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.core.clock import in_london, show_time, today
from services.governance.recent import RecentChange

PLACES = {
    "asset": ("assets/asset.py", "bolt"),
    "organisation": ("participants/organisation.py", "apartment"),
    "market_unit": ("market/unit.py", "hub"),
    "qualification": ("market/application.py", "assignment"),
    "product": ("market/products.py", "inventory_2"),
    "product_proposal": ("market/proposals.py", "rule"),
    "market_table": ("market/stacking.py", "grid_on"),
    "source_edition": ("assets/sources.py", "menu_book"),
    "draft": ("assets/drafts.py", "edit_note"),
    "bulk_job": ("assets/upload.py", "upload_file"),
    "user": ("participants/users.py", "group"),
    "membership": ("participants/users.py", "group"),
}
NAMED_BY = {
    "asset": "id",
    "organisation": "id",
    "market_unit": "id",
    "qualification": "id",
    "product_proposal": "id",
    "bulk_job": "job",
}
"""The parameter of a page's address that names one record."""


def format_moment(change: RecentChange) -> str:
    """The time of day for today, else the date too."""
    moment = in_london(change.at)
    return show_time(moment) if moment.date() == today() else f"{moment:%-d %b}, {show_time(moment)}"


def make_sentence(change: RecentChange) -> str:
    """One change as it is read: the record, what became of it, and when."""
    what = change.what[:1].lower() + change.what[1:]
    return f"**{escape_markdown(change.name)}** {escape_markdown(what)} :small[:gray[{format_moment(change)}]]"


def draw_recent(changes: Sequence[RecentChange]) -> None:
    """Draw the changes, the newest first."""
    st.subheader("Recent activity", anchor=False)
    with st.container(border=True, gap="xsmall"):
        for change in changes:
            page, icon = PLACES.get(change.kind, ("", "history"))
            query = {NAMED_BY[change.kind]: str(change.record_id)} if change.kind in NAMED_BY else None
            link(page, make_sentence(change), icon, query)
