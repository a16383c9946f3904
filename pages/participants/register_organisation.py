"""Register an organisation (UC-01.02): the whole form at once, every mistake beside its field, nothing lost."""

import streamlit as st

from pages.components.common.form_findings import draw_form_summary
from pages.components.common.form_guide import close_key, note_press
from pages.components.common.form_state import FormState
from pages.components.common.kept_form import empty_form, keep_form, open_kept_form, show_kept
from pages.components.organisation.form import LABELS, draw_form, draw_justification, read_values
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link, open_organisation
from pages.frame.refusals import show_refusal
from pages.frame.session import is_applicant
from services.core.errors import Duplicate, Invalid, NotFound, Refused, RegisterError
from services.participants.company_lookup import find_company
from services.participants.organisations import register_organisation

STATE = FormState("new-organisation")
DONE = "registered-organisation"
FORM = "organisation"


def _submit(justification: str | None) -> None:
    """Register what was typed; a refusal is remembered and shown, and the form stays as it is."""
    STATE.remember("findings", [])
    STATE.remember("refusal", None)
    note_press(STATE)
    try:
        organisation = register_organisation(actor, read_values(STATE), justification=justification)
    except Invalid as wrong:
        STATE.remember("findings", wrong.findings)
    except RegisterError as refused:
        STATE.remember("refusal", refused)
    else:
        empty_form(actor, STATE, FORM)
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
            if st.button("Continue as its administrator", type="primary", icon=":material/arrow_forward:"):
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
            st.subheader("Check your entries", anchor="check-your-entries")
        draw_form_summary(STATE, findings, LABELS, done=None)
        if refusal is not None:
            show_refusal(refusal)
            if isinstance(refusal, Duplicate) and refusal.existing_id:
                link(
                    "participants/organisation.py",
                    "Open the existing organisation",
                    "badge",
                    {"id": refusal.existing_id},
                )
    draw_company_lookup()
    draw_form(STATE, findings)
    justification = draw_justification(STATE, findings)
    keep_form(actor, STATE, FORM)
    with st.container(horizontal=True, vertical_alignment="center", key=close_key(STATE)):
        if st.button("Register the organisation", type="primary", icon=":material/domain_add:"):
            _submit(justification)
        st.button(
            "Empty the form",
            type="tertiary",
            icon=":material/backspace:",
            on_click=empty_form,
            args=(actor, STATE, FORM),
        )
        show_kept(STATE)
        if findings or refusal is not None:
            target = (
                "see the list](#check-your-entries)"
                if findings
                else "the top of the page says why](#register-an-organisation)"
            )
            st.markdown(f":red[Not registered:] [{target}")


def draw_company_lookup() -> None:
    """Fill the form from the company registry, by the company's number."""
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Company number",
            key="company-lookup",
            placeholder="8 digits, or 2 letters and 6 digits",
            help="Fills in the name, type and registered office as Companies House states them. You can change them.",
            width=320,
        )
        st.button("Fill in from Companies House", icon=":material/search:", on_click=fill_from_registry)
    if refusal := STATE.take("company-refusal"):
        show_refusal(refusal, LABELS)
    if name := STATE.take("company-name"):
        st.success(f"Filled in from the company registry: {escape_markdown(name)}.", icon=":material/check_circle:")


def fill_from_registry() -> None:
    """Put what the registry states into the form; what was typed elsewhere stays."""
    try:
        terms = find_company(actor, str(st.session_state.get("company-lookup") or ""))
    except NotFound:
        STATE.remember("company-refusal", Refused("Companies House knows no company with this number. Check it."))
    except RegisterError as refused:
        STATE.remember("company-refusal", refused)
    else:
        for term, value in terms.items():
            STATE.put(term, str(value))
        STATE.remember("company-name", str(terms.get("OrganisationLegalName", "")))


actor = session.actor()
open_kept_form(actor, STATE, FORM)
st.title("Register an organisation")
st.caption(
    "Legal and commercial details, given once for every market. Fields marked * are mandatory. The FMAR administrator "
    "approves it before it takes part."
)
if DONE in st.session_state:
    _draw_confirmation()
else:
    _draw_registration()
