"""All that the rules found in a form, in one summary with links to the fields, and the justification that warnings need."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from pages.components.common.form_guide import close_key, draw_guide, note_press, plain_slot, summary_key
from pages.components.common.form_state import FormState
from pages.frame.refusals import fields_in_words, show_findings
from services.assets.registration.record import MINIMUM_JUSTIFICATION
from services.core.errors import Finding, Severity

JUSTIFICATION = "_justification"


def show_summary(
    findings: Sequence[Finding],
    labels: Mapping[str, str],
    anchors: Mapping[str, str],
    done: str = "Nothing to correct.",
) -> None:
    """Everything at once, errors first, each a link to its field."""
    show_findings(findings, labels, anchors)
    if not findings:
        st.success(done, icon=":material/check_circle:")


def draw_form_summary(
    state: FormState,
    findings: Sequence[Finding],
    labels: Mapping[str, str],
    groups: Mapping[str, str] | None = None,
    done: str | None = "Nothing to correct.",
) -> None:
    """The summary of a form, which takes the focus after a press; `groups`: anchors of its parts by term."""
    terms = {finding.field for finding in findings if finding.field}
    with st.container(key=summary_key(state)):
        if findings or done:
            show_summary(findings, labels, {term: state.css_class(term) for term in terms}, done or "")
    draw_guide(state, findings, groups)


def ask_justification(findings: Sequence[Finding], state: FormState) -> None:
    """The text area for the reason, where there are warnings."""
    if not any(finding.severity is Severity.WARNING for finding in findings):
        return
    st.text_area(
        "Why are the values right?",
        key=state.key(JUSTIFICATION),
        height=80,
        persist_state="session",
        help=f"{MINIMUM_JUSTIFICATION} characters or more. It is kept with the record, for operators to read.",
        placeholder=f"Say in {MINIMUM_JUSTIFICATION} characters or more why the values marked above are right",
    )


def justification(state: FormState) -> str | None:
    """The reason given, if any."""
    return state.get(JUSTIFICATION) or None


def close_of_form(
    state: FormState, findings: Sequence[Finding] | None, label: str, check: Callable[[], None], act: Callable[[], None]
) -> None:
    """The end of a form: the reason for warnings, the two buttons, and how many values are still to be corrected."""
    ask_justification(findings or (), state)

    def press(then: Callable[[], None]) -> None:
        note_press(state)
        then()

    with st.container(horizontal=True, vertical_alignment="center", key=close_key(state)):
        st.button(label, key=f"{state.slot}!act", type="primary", icon=":material/check:", on_click=press, args=(act,))
        st.button("Check", key=f"{state.slot}!check", icon=":material/rule:", on_click=press, args=(check,))
        errors = [finding for finding in findings or () if finding.severity is Severity.ERROR]
        if errors:
            st.markdown(f":red[{fields_in_words(len(errors))}:] [see the list](#{summary_anchor(state)})")


def summary_anchor(state: FormState) -> str:
    """The anchor of the summary on the page."""
    return f"{plain_slot(state)}-summary"
