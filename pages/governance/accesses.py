"""The access log (UC-05.01): everything opened, looked up, searched or taken; kept apart from the ledger of changes."""

from uuid import UUID

import streamlit as st

from pages.components.common.pagination import read_all
from pages.components.table.cells import moment_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table
from pages.frame import session
from pages.frame.refusals import format_value
from services.core.paging import Page
from services.governance.accesses import LONGEST_PAGE, AccessView, list_accesses

KINDS = {
    "asset.read": "Opened an asset",
    "organisation.read": "Opened an organisation",
    "market_unit.read": "Opened a market unit",
    "qualification.read": "Opened an application",
    "package.read": "Took an application's data package",
    "certificate.read": "Took a qualification's certificate",
    "source_record.read": "Opened a record of a public register",
    "asset.lookup": "Looked an asset up",
    "asset.lookup_refused": "Asked over the limit of look-ups",
    "search": "Searched",
    "asset.list": "Listed assets (API)",
    "assets.export": "Exported assets",
    "assets.export_taken": "Fetched the file of an export",
    "job.read": "Opened a file of assets that was handed in",
    "asset.history": "Read an asset's history (API)",
    "asset.refused": "Tried an asset that isn't theirs to see",
    "organisation.refused": "Tried an organisation that isn't theirs to see",
    "organisation.passport": "Took an organisation's passport",
}
COLUMNS = (
    Column("When"),
    Column("Who"),
    Column("Organisation"),
    Column("Activity"),
    Column("Record"),
    Column("Details"),
)
PAGES = {
    "asset": TablePage("assets/asset.py"),
    "organisation": TablePage("participants/organisation.py"),
    "market_unit": TablePage("market/unit.py"),
    "qualification": TablePage("market/application.py"),
}

actor = session.actor()
st.title("Access log", anchor=False)
st.caption("Who opened, looked up, searched or took what. Reading changes nothing, so it stands apart from the ledger.")
grid = st.grid(2, min_column_width=240)
kind = grid.selectbox(
    "What was done", list(KINDS), index=None, format_func=KINDS.__getitem__, placeholder="Anything", key="kind"
)
record = grid.text_input(
    "Record", key="record", bind="query-params", placeholder="ID of an asset or organisation"
).strip()
try:
    record_id = UUID(record) if record else None
except ValueError:
    st.error("This is no ID. Copy it from the record's page.", icon=":material/error:")
    st.stop()
accesses = list_accesses(actor, kind=kind, record_id=record_id, limit=LONGEST_PAGE)
if not accesses:
    st.info("Nothing of this was logged.", icon=":material/visibility:")
    st.stop()


def row_of(access: AccessView) -> Row:
    """An access as a row, which opens its record."""
    details = {name: value for name, value in access.detail.items() if name not in ("ids", "assets")}
    return Row(
        str(access.number),
        (
            moment_cell(access.at),
            text_cell(access.who),
            text_cell(access.organisation),
            text_cell(KINDS.get(access.kind, access.kind)),
            text_cell(access.record),
            text_cell(format_value(details)),
        ),
        PAGES.get(access.record_type or "") if access.record_id else None,
        str(access.record_id),
    )


def read_older(number: int | None) -> Page[AccessView]:
    """A page of accesses before a number, for the file."""
    page = list_accesses(actor, kind=kind, record_id=record_id, before=number, limit=LONGEST_PAGE)
    return Page(page, str(page[-1].number) if len(page) == LONGEST_PAGE else None)


draw_table(
    "accesses",
    "Access log",
    COLUMNS,
    [row_of(access) for access in accesses],
    name_column=4,
    file=TableFile(
        "access-log.csv",
        lambda: [row_of(access) for access in read_all(lambda cursor: read_older(int(cursor) if cursor else None))],
    ),
)
st.caption(f"The newest {len(accesses):,}, the latest first.")
