"""Guide through a form: its summary of mistakes takes the focus, links lead to fields, fields in error are marked.

The buttons at the end of the form stay in reach at the foot of the window.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from pages.components.common.form_state import FormState
from services.core.errors import Finding, Severity

_guide = st.components.v2.component(
    "fmar_form_guide",
    html='<div class="guide"></div>',
    js=(Path(__file__).parent / "form_guide.js").read_text(encoding="utf-8"),
)


def draw_guide(state: FormState, findings: Sequence[Finding], groups: Mapping[str, str] | None = None) -> None:
    """Mark the fields in error, and lead to the summary once after each press of a button of the form.

    `groups`: anchors of the parts of the form by term, for terms that have no field of their own.
    """
    errors = {finding.field for finding in findings if finding.severity is Severity.ERROR and finding.field}
    press = state.take("pressed")
    _guide(
        key=f"{state.slot}-guide",
        data={
            "errors": sorted(state.css_class(term) for term in errors),
            "groups": {state.css_class(term): anchor for term, anchor in (groups or {}).items()},
            "summary": f"st-key-{summary_key(state)}",
            "close": close_key(state),
            "press": str(press) if press and findings else "",
        },
    )


def note_press(state: FormState) -> None:
    """Remember that a button of the form was pressed: what is wrong is then led to."""
    state.remember("pressed", state.note("presses", 0) + 1)
    state.remember("presses", state.note("presses", 0) + 1)


def summary_key(state: FormState) -> str:
    """Key of the container of the summary."""
    return f"{plain_slot(state)}-summary-box"


def close_key(state: FormState) -> str:
    """Key of the container of the buttons."""
    return f"{plain_slot(state)}-close"


def plain_slot(state: FormState) -> str:
    """Name of the form as addresses and styles can have it."""
    return state.css_class("").removeprefix("st-key-").rstrip("-")
