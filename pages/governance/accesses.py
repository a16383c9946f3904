"""The access log (UC-05.01): who opened, looked up, searched or took what; kept apart from the ledger of changes."""

from uuid import UUID

import streamlit as st

from pages.frame import session
from pages.frame.navigation import open_asset, open_organisation
from pages.frame.refusals import shown
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
given = grid.text_input(
    "Record", key="record", bind="query-params", placeholder="ID of an asset or organisation"
).strip()
try:
    record_id = UUID(given) if given else None
except ValueError:
    st.error("This is no ID. Copy it from the record's page.", icon=":material/error:")
    st.stop()
found = list_accesses(actor, kind=kind, record_id=record_id, limit=LONGEST_PAGE)
if not found:
    st.info("Nothing of this was logged.", icon=":material/visibility:")
    st.stop()
rows = [
    {
        "When": one.at,
        "Who": one.who,
        "For": one.organisation,
        "What": KINDS.get(one.kind, one.kind),
        "Record": one.record,
        "Details": shown({name: value for name, value in one.detail.items() if name not in ("ids", "assets")}),
    }
    for one in found
]
chosen = st.dataframe(
    rows,
    hide_index=True,
    width="stretch",
    column_config={"When": st.column_config.DatetimeColumn(timezone="Europe/London", format="DD MMM YYYY, HH:mm:ss")},
    on_select="rerun",
    selection_mode="single-row",
    key="accesses",
    alt="Accesses",
)
if chosen.selection.rows:
    one = found[chosen.selection.rows[0]]
    if one.record_type == "asset":
        open_asset(one.record_id)
    if one.record_type == "organisation":
        open_organisation(one.record_id)
st.caption(f"The newest {len(found):,}. Choose a row to open its record.")
