"""Entries of the ledger as a list: by who, what and when; a row shows what it changed (UC-05.06)."""

from uuid import UUID

import streamlit as st

from pages.components.asset.timeline import WORDS
from pages.components.common.date_field import draw_date
from pages.components.common.pagination import draw_turning, page_cursors
from pages.components.table.cells import moment_cell, text_cell
from pages.components.table.table import Column, Row, draw_table
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_changes
from services.core.clock import show_moment
from services.core.identity.actor import Actor
from services.governance.ledger_entries import EntryFilters, EntryView, list_entries, list_entry_kinds

COLUMNS = (Column("When"), Column("Who"), Column("For"), Column("What"), Column("Record"), Column("Changed"))
CURSORS, ENTRY = "ledger!cursors", "ledger!entry"
PAGE_SIZE = 50
PAGES = {
    "asset": ("assets/asset.py", "bolt"),
    "organisation": ("participants/organisation.py", "apartment"),
    "market_unit": ("market/unit.py", "hub"),
    "qualification": ("market/application.py", "assignment"),
}


def in_words(code: str) -> str:
    """An operation or kind of record as people read it."""
    return WORDS[code][0] if code in WORDS else code.replace("_", " ").capitalize()


def draw_entries(actor: Actor) -> None:
    """The filters, a page of entries, and the one that was opened."""
    st.subheader("Entries", anchor=False)
    filters = _choose(actor)
    cursors = page_cursors(CURSORS)
    page = list_entries(actor, filters, cursors[-1] if cursors else None, PAGE_SIZE)
    if not page.items:
        st.info("No entry that you may see passes these filters. Choose fewer.", icon=":material/filter_alt:")
        return
    draw_table(
        "ledger-entries",
        "Entries of the ledger",
        COLUMNS,
        [_row(entry) for entry in page.items],
        name_column=3,
        on_open=_open,
        marked=str(st.session_state.get(ENTRY, "")),
        views=False,
    )
    if cursors or page.next_cursor:
        draw_turning(CURSORS, len(page.items), PAGE_SIZE, page.next_cursor, "all")
    opened = next((entry for entry in page.items if str(entry.seq) == st.session_state.get(ENTRY)), None)
    if opened is not None:
        _draw_entry(opened)


def _choose(actor: Actor) -> EntryFilters:
    operations, kinds = list_entry_kinds(actor)
    grid = st.grid(5, min_column_width=170)
    with grid.container():
        who = st.text_input("Who", key="ledger-who", placeholder="Person, organisation, client ID", on_change=_first)
    with grid.container():
        what = st.selectbox(
            "What", operations, index=None, format_func=in_words, placeholder="Anything", key="ledger-what",
            on_change=_first,
        )  # fmt: skip
    with grid.container():
        kind = st.selectbox(
            "Record", kinds, index=None, format_func=in_words, placeholder="Any", key="ledger-kind", on_change=_first
        )
    with grid.container():
        since = draw_date("From", key="ledger-since", on_change=_first)
    with grid.container():
        until = draw_date("Until", key="ledger-until", on_change=_first)
    return EntryFilters(who or "", what, kind, _named_record(), since.day, until.day)


def _named_record() -> UUID | None:
    """The record that the address names."""
    try:
        return UUID(st.query_params.get("of", ""))
    except ValueError:
        return None


def _first() -> None:
    st.session_state.pop(CURSORS, None)


def _open(identifier: str) -> None:
    st.session_state[ENTRY] = identifier


def _row(entry: EntryView) -> Row:
    return Row(
        str(entry.seq),
        (
            moment_cell(entry.at),
            text_cell(entry.who),
            text_cell(entry.organisation),
            text_cell(in_words(entry.operation)),
            text_cell(f"{in_words(entry.record_type)} {entry.record}".strip()),
            text_cell(", ".join(in_words(name) for name in entry.changes) if entry.version > 1 else "New"),
        ),
    )


def _draw_entry(entry: EntryView) -> None:
    with st.container(border=True):
        st.markdown(f"**{in_words(entry.operation)}**: {escape_markdown(entry.record) or in_words(entry.record_type)}")
        organisation = f", {escape_markdown(entry.organisation)}" if entry.organisation else ""
        st.caption(
            f"Entry {entry.seq:,}, version {entry.version} of the record, {show_moment(entry.at)}, "
            f"{escape_markdown(entry.who)}{organisation}, {entry.use_case}. Fingerprint {entry.hash[:16]}…"
        )
        show_changes(entry.changes, {name: in_words(name) for name in entry.changes})
        if entry.record_type in PAGES:
            file, icon = PAGES[entry.record_type]
            link(file, "Open the record", icon, {"id": str(entry.record_id)})
