"""The permission table by role, as the register itself goes by it."""

import pandas as pd
import streamlit as st

from models.participants import ROLE_LABELS, Role
from pages.frame import session
from services.core.identity.permissions import Scope
from services.governance.traceability import permission_rows

REACH = {Scope.ALL: "All", Scope.OWN: "Own", Scope.AREA: "Area", Scope.NONE: ""}
MEANINGS = {
    Scope.ALL: "every record of the register",
    Scope.OWN: "records of one's own organisation",
    Scope.AREA: "records in the licence areas that the operator is responsible for",
}
COLOURS = {
    "All": "background-color: #009E7340",
    "Own": "background-color: #56B4E940",
    "Area": "background-color: #E69F0040",
}


def _list_rows(roles: list[Role], text: str) -> list[dict[str, str]]:
    rows = []
    for row in permission_rows():
        operations = ", ".join(operation.name for operation in row.operations)
        cases = ", ".join(sorted({operation.use_case for operation in row.operations}))
        if text and text not in f"{row.name} {row.meaning} {operations} {cases}".casefold():
            continue
        if not any(row.scopes[role] is not Scope.NONE for role in roles):
            continue
        rows.append(
            {
                "What": row.meaning,
                **{ROLE_LABELS[role]: REACH[row.scopes[role]] for role in roles},
                "Use cases": cases,
                "Operations": operations,
                "Permission": row.name,
            }
        )
    return rows


session.actor()
st.title("Who may do what")
st.caption(
    "One table decides for pages and programs alike. It is read from the register itself, so it is never out of date."
)
with st.container(horizontal=True):
    for scope, words in MEANINGS.items():
        st.markdown(f"**{REACH[scope]}**: {words}.")
cells = st.grid(2, min_column_width=300)
everybody = [role for role in Role if role is not Role.SYSTEM]
selected = cells.multiselect(
    "Roles", everybody, format_func=ROLE_LABELS.__getitem__, placeholder="All of them", key="permission-roles"
)
text = cells.text_input(
    "Find", key="permission-text", placeholder="An act, a use case, an operation", live="300ms"
).casefold()
roles = selected or everybody
rows = _list_rows(roles, text)
if rows:
    frame = pd.DataFrame(rows)
    names = [ROLE_LABELS[role] for role in roles]
    st.dataframe(
        frame.style.map(lambda reach: COLOURS.get(reach, ""), subset=names),
        hide_index=True,
        width="stretch",
        height="content",
        column_config={"What": st.column_config.TextColumn(pinned=True, width="large")},
        key="permissions",
    )
    st.caption(f"{len(rows)} permissions. A person with several roles has all of their rights.")
else:
    st.info("No permission fits. Search for less, or choose other roles.", icon=":material/search_off:")
