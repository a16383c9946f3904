"""All that the rules found in a form, in one summary with links to the fields, and the justification that warnings need."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from pages.components.common.form_state import FormState
from pages.frame.markdown import escape_markdown
from services.assets.registration.record import MINIMUM_JUSTIFICATION
from services.core.errors import Finding, Severity

JUSTIFICATION = "_justification"


def show_summary(
    findings: Sequence[Finding],
    labels: Mapping[str, str],
    anchors: Mapping[str, str],
    done: str = "Nothing to correct.",
) -> None:
    """Everything at once, errors first, each a link to where its field is."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    warnings = [finding for finding in findings if finding.severity is Severity.WARNING]
    if errors:
        lines = "\n".join(_line(finding, labels, anchors) for finding in errors)
        st.error(f"**{len(errors)} to correct**\n\n{lines}", icon=":material/error:")
    if warnings:
        lines = "\n".join(_line(finding, labels, anchors) for finding in warnings)
        st.warning(f"**{len(warnings)} to justify**\n\n{lines}", icon=":material/warning:")
    if not findings:
        st.success(done, icon=":material/check_circle:")


def _line(finding: Finding, labels: Mapping[str, str], anchors: Mapping[str, str]) -> str:
    term = finding.field or ""
    label = escape_markdown(labels.get(term, term))
    head = f"[**{label}**](#{anchors[term]}): " if term in anchors else f"**{label}**: " if label else ""
    return f"- {head}{escape_markdown(finding.message)} :small[{escape_markdown(finding.code)}]"


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
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(label, key=f"{state.slot}!act", type="primary", icon=":material/check:", on_click=act)
        st.button("Check", key=f"{state.slot}!check", icon=":material/rule:", on_click=check)
        errors = [finding for finding in findings or () if finding.severity is Severity.ERROR]
        if errors:
            st.markdown(f":red[{len(errors)} to correct:] [see the list](#{summary_anchor(state)})")


def summary_anchor(state: FormState) -> str:
    """The anchor of the summary on the page."""
    return f"{state.slot}-summary".replace(":", "-")
