"""Register an organisation (UC-01.02): the whole form at once, every mistake beside its field, nothing lost."""

import streamlit as st

from pages.components.common.form_state import FormState
from pages.components.organisation.form import LABELS, draw_form, draw_justification, read_values
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link, open_organisation
from pages.frame.refusals import show_findings, show_refusal
from pages.frame.session import is_applicant
from services.core.errors import Duplicate, Invalid, RegisterError
from services.participants.organisations import register_organisation

STATE = FormState("new-organisation")
DONE = "registered-organisation"


def _submit(justification: str | None) -> None:
    """Register what was typed; a refusal is remembered and shown, and the form stays as it is."""
    STATE.remember("findings", [])
    STATE.remember("refusal", None)
    try:
        organisation = register_organisation(actor, read_values(STATE), justification=justification)
    except Invalid as wrong:
        STATE.remember("findings", wrong.findings)
    except RegisterError as refused:
        STATE.remember("refusal", refused)
    else:
        STATE.clear()
        st.session_state[DONE] = (organisation.id, organisation.organisation_legal_name)
    st.rerun()


def _draw_confirmation() -> None:
    identifier, name = st.session_state[DONE]
    st.success(
        f"**{escape_markdown(name)}** is registered and waits for approval by the FMAR administrator.",
        icon=":material/task_alt:",
    )
    st.markdown(
        "Its details are being held against the company registry meanwhile. Its identifier, which never changes: "
        f"`{identifier}`"
    )
    with st.container(horizontal=True):
        if is_applicant(actor):
            if st.button("Go on as its administrator", type="primary", icon=":material/arrow_forward:"):
                del st.session_state[DONE]
                st.rerun()
        elif st.button("Open it", type="primary", icon=":material/badge:"):
            del st.session_state[DONE]
            open_organisation(identifier)
        if st.button("Register another", icon=":material/domain_add:"):
            del st.session_state[DONE]
            st.rerun()


def _draw_registration() -> None:
    findings = STATE.note("findings", [])
    refusal = STATE.note("refusal")
    with st.container():
        if findings:
            st.subheader("What the rules say", anchor="what-the-rules-say")
            show_findings(findings, LABELS)
        if refusal is not None:
            show_refusal(refusal)
            if isinstance(refusal, Duplicate) and refusal.existing_id:
                link(
                    "participants/organisation.py",
                    "Open the existing organisation",
                    "badge",
                    {"id": refusal.existing_id},
                )
    draw_form(STATE, findings)
    justification = draw_justification(STATE, findings)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Register the organisation", type="primary", icon=":material/domain_add:"):
            _submit(justification)
        st.button("Empty the form", type="tertiary", icon=":material/backspace:", on_click=STATE.clear)
        if findings or refusal is not None:
            target = (
                "see the list](#what-the-rules-say)"
                if findings
                else "the top of the page says why](#register-an-organisation)"
            )
            st.markdown(f":red[Not registered:] [{target}")


actor = session.actor()
st.title("Register an organisation")
st.caption(
    "Legal and commercial details, given once for every market. Fields marked * are mandatory. The FMAR administrator "
    "approves it before it takes part."
)
if DONE in st.session_state:
    _draw_confirmation()
else:
    _draw_registration()
