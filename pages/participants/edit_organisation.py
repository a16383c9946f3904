"""Change an organisation's details (UC-01.03); a change of name, registration number or roles needs approval again."""

from uuid import UUID

import streamlit as st

from pages.components.common.form_state import FormState
from pages.components.organisation.form import LABELS, draw_form, draw_justification, fill_form, read_values
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import open_organisation
from pages.frame.refusals import show_changes, show_findings, show_refusal
from pages.frame.titles import name_window
from services.core.errors import Conflict, Invalid, NotFound, RegisterError
from services.participants.organisations import update_organisation
from services.participants.reading import attribute_terms, get_organisation
from services.participants.rules import MATERIAL_TERMS, check_organisation


def _save(justification: str | None) -> None:
    state.remember("findings", [])
    state.remember("refusal", None)
    try:
        update_organisation(
            actor, organisation.id, read_values(state), state.note("version"), justification=justification
        )
    except Invalid as wrong:
        state.remember("findings", wrong.findings)
    except Conflict as stale:
        # The other change is shown; saving again, now knowingly, goes on top of it.
        state.remember("refusal", stale)
        state.remember("version", organisation.version)
    except RegisterError as refused:
        state.remember("refusal", refused)
    else:
        state.clear()
        st.toast("Saved.", icon=":material/task_alt:")
        open_organisation(organisation.id)
    st.rerun()


def _draw_refusal() -> None:
    findings, refusal = state.note("findings", []), state.note("refusal")
    if findings:
        show_findings(findings, LABELS)
    if isinstance(refusal, Conflict):
        st.warning(escape_markdown(refusal.message), icon=":material/sync_problem:")
        show_changes(refusal.changes, LABELS)
        st.caption("What you typed is still here. Take over what you want to keep of theirs, then save again.")
    elif refusal is not None:
        show_refusal(refusal)


def _material_labels() -> list[str]:
    """The attributes whose change needs approval again, as it would be kept."""
    before, after = attribute_terms(organisation), check_organisation(read_values(state)).values
    return [LABELS[term] for term in MATERIAL_TERMS if before[term] != after[term]]


actor = session.actor()
text = st.query_params.get("id")
try:
    identifier = UUID(text) if text else actor.organisation_id
except ValueError:
    identifier = None
if identifier is None:
    raise NotFound("organisation", st.query_params.get("id", "yours"))
organisation = get_organisation(actor, identifier)
state = FormState(f"organisation-{organisation.id}")
if state.note("version") is None:
    fill_form(state, attribute_terms(organisation))
    state.remember("version", organisation.version)

st.title(f"Change {escape_markdown(organisation.organisation_legal_name)}")
name_window(f"Change {organisation.organisation_legal_name}")
st.caption(
    "Every change is kept with who made it. A change of legal name, registration number or roles waits for approval by "
    "the FMAR administrator; contacts and addresses don't."
)
_draw_refusal()
draw_form(state, state.note("findings", []))
material = _material_labels()
if material:
    st.warning(
        f"{', '.join(material)}: this needs approval again. Until then what was approved holds, and no new asset can be "
        "registered.",
        icon=":material/gavel:",
    )
justification = draw_justification(state, state.note("findings", []))
with st.container(horizontal=True):
    if st.button("Save the changes", type="primary", icon=":material/save:"):
        _save(justification)
    if st.button("Leave it as it was", type="tertiary", icon=":material/undo:"):
        state.clear()
        open_organisation(organisation.id)
