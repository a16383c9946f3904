"""The access log (UC-05.01): everything opened, looked up, searched or taken; kept apart from the ledger of changes."""

from uuid import UUID

import streamlit as st

from pages.components.common.moments import moment_column
from pages.frame import session
from pages.frame.navigation import open_asset, open_organisation
from pages.frame.refusals import format_value
from services.governance.accesses import LONGEST_PAGE, list_accesses

KINDS = {
    "asset.read": "Opened an asset",
    "organisation.read": "Opened an organisation",
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
rows = [
    {
        "When": access.at,
        "Who": access.who,
        "For": access.organisation,
        "What": KINDS.get(access.kind, access.kind),
        "Record": access.record,
        "Details": format_value(
            {name: value for name, value in access.detail.items() if name not in ("ids", "assets")}
        ),
    }
    for access in accesses
]
table = st.dataframe(
    rows,
    hide_index=True,
    width="stretch",
    column_config={"When": moment_column([access.at for access in accesses], seconds=True)},
    on_select="rerun",
    selection_mode="single-row",
    key="accesses",
    alt="Accesses",
)
if table.selection.rows:
    access = accesses[table.selection.rows[0]]
    if access.record_type == "asset":
        open_asset(access.record_id)
    if access.record_type == "organisation":
        open_organisation(access.record_id)
st.caption(f"The newest {len(accesses):,}. Choose a row to open its record.")
