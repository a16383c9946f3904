"""Public registers (UC-02.01): editions that assets are held against; the administrator loads the next one here."""

import streamlit as st

from pages.components.category.edition_effects import draw_effects
from pages.components.category.source_editions import draw_counts, draw_findings
from pages.components.category.source_records import draw_record_search
from pages.components.common.date_field import TypedDate, draw_date
from pages.components.table.cells import count_cell, date_cell, moment_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from pages.frame import session
from pages.frame.refusals import show_refusal
from services.assets.sources.loading import edition_date_of, load_source
from services.assets.sources.reading_records import Edition, list_editions
from services.core.clock import show_date
from services.core.errors import RegisterError
from services.core.identity.permissions import may

LOADED = "loaded-edition"
EDITION = "edition"
"""The address's name for the edition that is shown below the list."""
COLUMNS = (
    Column("Register"),
    Column("Edition"),
    Column("Rows", number=True),
    Column("Loaded rows", number=True),
    Column("Skipped rows", "Rows that couldn't be read. Open the edition to see why.", number=True),
    Column("Licence"),
    Column("File"),
    Column("Loaded"),
)
MEGABYTE = 1_000_000


def _draw_loading() -> None:
    with st.container(border=True):
        st.subheader("Load an edition")
        file = st.file_uploader(
            "File as published",
            type=["csv", "xlsx"],
            key="source-file",
            help="An Embedded Capacity Register, or the Renewable Energy Planning Database: CSV or XLSX, unchanged.",
        )
        if file is None:
            st.caption("Which register it is, whose, and of which date, is read from the file and its name.")
            return
        cells = st.grid(2, min_column_width=240)
        file_date = edition_date_of(file.name)
        with cells.container():
            typed = draw_date(
                "Date of the edition",
                value=file_date,
                key=f"edition-date-{file.file_id}",
                help="Told by the file's name where it has one."
                if file_date
                else "The file's name tells none: type it.",
            )
        publisher = cells.text_input(
            "Publisher",
            key=f"publisher-{file.file_id}",
            placeholder="Read from the file",
            help="Only where the file doesn't tell the distributor.",
        )
        st.caption(f"{file.name}, {file.size / MEGABYTE:.1f} MB")
        if st.button("Load it", type="primary", icon=":material/upload:"):
            _run(file.getvalue(), file.name, publisher or None, typed)


def _run(data: bytes, name: str, publisher: str | None, typed: TypedDate) -> None:
    bar = st.progress(0.0, "Beginning")

    def follow(share: float, doing: str) -> None:
        bar.progress(min(share, 1.0), doing)

    try:
        edition = load_source(actor, data, name, publisher=publisher, edition_date=typed.require(), progress=follow)
    except RegisterError as refused:
        bar.empty()
        show_refusal(refused, {"file": "File as published", "edition_date": "Date of the edition"})
    else:
        st.session_state[LOADED] = edition.id
        st.rerun()


def _choose(editions: list[Edition]) -> Edition | None:
    edition = next((edition for edition in editions if str(edition.id) == st.query_params.get(EDITION)), None)
    edition = edition or next((edition for edition in editions if edition.id == st.session_state.get(LOADED)), None)
    columns, rows, order = sort_rows(COLUMNS, [_row(edition) for edition in editions])
    draw_table(
        "editions",
        "Editions of public registers",
        columns,
        rows,
        page=TablePage("assets/sources.py", EDITION),
        on_open=_open_edition,
        order=order,
        file=TableFile("editions.csv", lambda: rows),
        height=360,
        marked=str(edition.id) if edition else "",
    )
    return edition


def _open_edition(identifier: str) -> None:
    st.query_params[EDITION] = identifier


def _row(edition: Edition) -> Row:
    return Row(
        str(edition.id),
        (
            text_cell(f"{edition.kind.value}: {edition.publisher}"),
            date_cell(edition.edition_date),
            count_cell(edition.counts.get("rows", 0)),
            count_cell(edition.counts.get("taken", 0)),
            count_cell(sum((edition.counts.get("skipped") or {}).values())),
            text_cell(edition.licence),
            text_cell(edition.name),
            moment_cell(edition.loaded_at),
        ),
    )


actor = session.actor()
st.title("Public registers")
st.caption("What others publish about sites and connections. Assets are held against it, field by field.")
if may(actor, "source.load"):
    _draw_loading()
editions = list_editions(actor)
st.subheader("Editions")
if editions:
    edition = _choose(editions)
    if edition is not None:
        fresh = edition.id == st.session_state.get(LOADED)
        with st.container(border=True):
            st.markdown(f"#### {edition.kind}: {edition.publisher}, {show_date(edition.edition_date)}")
            if fresh:
                st.success(f"{edition.name} is loaded. All of its rows are accounted for.", icon=":material/task_alt:")
            draw_effects(actor, edition)
            draw_counts(edition.counts)
            draw_findings(actor, edition)
    st.subheader("What a register says of one site")
    draw_record_search(actor)
else:
    st.info(
        "No public register is loaded yet, so nothing can be held against one. "
        + ("Load the first edition above." if may(actor, "source.load") else "The FMAR administrator loads them."),
        icon=":material/menu_book:",
    )
