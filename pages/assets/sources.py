"""Public registers (UC-02.01): editions that assets are held against; the administrator loads the next one here."""

from datetime import date

import streamlit as st

from pages.components.category.source_editions import draw_counts, draw_findings
from pages.components.category.source_records import draw_record_search
from pages.components.common.moments import moment_column
from pages.frame import session
from pages.frame.refusals import show_refusal
from services.assets.sources.loading import edition_date_of, load_source
from services.assets.sources.reading_records import Edition, list_editions
from services.core.clock import show_date, today
from services.core.errors import RegisterError
from services.core.identity.permissions import may

LOADED = "loaded-edition"
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
        day = cells.date_input(
            "Date of the edition",
            value=file_date,
            max_value=today(),
            format="DD/MM/YYYY",
            key=f"edition-date-{file.file_id}",
            help="Told by the file's name where it has one." if file_date else "The file's name tells none: choose it.",
        )
        publisher = cells.text_input(
            "Publisher",
            key=f"publisher-{file.file_id}",
            placeholder="Read from the file",
            help="Only where the file doesn't tell the distributor.",
        )
        st.caption(f"{file.name}, {file.size / MEGABYTE:.1f} MB")
        if st.button("Load it", type="primary", icon=":material/upload:"):
            _run(file.getvalue(), file.name, publisher or None, day)


def _run(data: bytes, name: str, publisher: str | None, day: date | None) -> None:
    bar = st.progress(0.0, "Beginning")

    def follow(share: float, doing: str) -> None:
        bar.progress(min(share, 1.0), doing)

    try:
        edition = load_source(actor, data, name, publisher=publisher, edition_date=day, progress=follow)
    except RegisterError as refused:
        bar.empty()
        show_refusal(refused, {"file": "File as published", "edition_date": "Date of the edition"})
    else:
        st.session_state[LOADED] = edition.id
        st.rerun()


def _choose(editions: list[Edition]) -> Edition | None:
    rows = [
        {
            "Register": edition.kind.value,
            "Publisher": edition.publisher,
            "Edition": edition.edition_date,
            "Rows": edition.counts.get("rows", 0),
            "Taken": edition.counts.get("taken", 0),
            "Skipped": sum((edition.counts.get("skipped") or {}).values()),
            "Licence": edition.licence,
            "File": edition.name,
            "Loaded": edition.loaded_at,
        }
        for edition in editions
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="editions",
        column_config={
            **{name: st.column_config.NumberColumn(format="localized") for name in ("Rows", "Taken", "Skipped")},
            "Edition": st.column_config.DateColumn(format="DD MMM YYYY"),
            "Loaded": moment_column(edition.loaded_at for edition in editions),
        },
    )
    st.caption("Select a row to see what became of every row and cell.")
    if event.selection.rows:
        return editions[event.selection.rows[0]]
    return next((edition for edition in editions if edition.id == st.session_state.get(LOADED)), None)


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
