"""One attribute as a widget: which widget follows from its kind alone, so that a category nobody foresaw can be filled in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components.common.date_field import PLACEHOLDER, show_reading, typed_date
from pages.components.common.form_state import DAYS, UNIT, FormState
from pages.components.common.power import PLAIN, exact_power, to_kw
from pages.frame.markdown import escape_markdown
from services.assets.rules.dates import DAY_FIRST, plain_date
from services.assets.rules.numbers import read_quantity
from services.assets.rules.schemas import CORE
from services.core.attributes import FormField
from services.core.errors import Finding, Severity

YES_NO = {"true": "Yes", "false": "No"}
MARK = " *"
Findings = Mapping[str | None, Sequence[Finding]]


def label_of(field: FormField, unit: str | None = None) -> str:
    """The label of a field: its name, unit, and the mark of what is mandatory."""
    measure = unit or field.unit
    # Those of core attributes are ours; those of a category's own were typed by an administrator.
    name = field.label if field.term in CORE else escape_markdown(field.label)
    return f"{name}{f' ({measure})' if measure else ''}{MARK if field.mandatory else ''}"


def draw_field(field: FormField, state: FormState, findings: Findings) -> None:
    """Draw a field with its help and, beside it, what the rules say of what stands in it."""
    _DRAW.get(field.kind, _text)(field, state)
    if field.kind == "date" and not findings.get(field.term):
        show_reading(typed_date(state.key(field.term), label_of(field)))
    show_beside(findings.get(field.term, ()))


def show_beside(findings: Sequence[Finding]) -> None:
    """Findings on one field, right under it."""
    for finding in findings:
        if finding.severity is Severity.ERROR:
            st.markdown(f":small[:red[:material/error: {escape_markdown(finding.message)}]]")
        else:
            st.markdown(f":small[:orange[:material/warning: {escape_markdown(finding.message)}]]")


def widget_options(field: FormField, state: FormState, unit: str | None = None) -> dict[str, Any]:
    """Options that every widget of a form has: label, key and help, and that it keeps its entry on another page."""
    return {
        "label": label_of(field, unit),
        "key": state.key(field.term),
        "help": field.help or None,
        "persist_state": "session",
    }


def _text(field: FormField, state: FormState) -> None:
    st.text_input(**widget_options(field, state), placeholder=_like(field))


def _like(field: FormField) -> str | None:
    return f"e.g. {field.example}" if field.example else None


def _long_text(field: FormField, state: FormState) -> None:
    st.text_area(**widget_options(field, state), placeholder=_like(field), height=80)


def _code(field: FormField, state: FormState) -> None:
    labels = {option.code: option.label for option in field.options}
    _forget_unknown(field, state, labels)
    st.selectbox(
        options=list(labels),
        index=None,
        format_func=labels.__getitem__,
        placeholder="Choose",
        **widget_options(field, state),
    )


def _forget_unknown(field: FormField, state: FormState, labels: Mapping[str, str]) -> None:
    """A choice that the list no longer offers can't stay chosen."""
    value = state.get(field.term)
    if value is not None and value not in labels:
        state.drop(field.term)


def _codes(field: FormField, state: FormState) -> None:
    labels = {option.code: option.label for option in field.options}
    selection = state.get(field.term)
    if selection and not set(selection) <= set(labels):
        state.put(field.term, [code for code in selection if code in labels])
    st.multiselect(
        options=list(labels), format_func=labels.__getitem__, placeholder="Choose", **widget_options(field, state)
    )


def _boolean(field: FormField, state: FormState) -> None:
    if field.term in CORE:
        st.toggle(**widget_options(field, state))
    else:
        st.segmented_control(options=list(YES_NO), format_func=YES_NO.__getitem__, **widget_options(field, state))


def _day(field: FormField, state: FormState) -> None:
    state.remember(DAYS, state.note(DAYS, frozenset()) | {field.term})
    st.text_input(**widget_options(field, state), placeholder=PLACEHOLDER)


def _power(field: FormField, state: FormState) -> None:
    unit = state.get(UNIT)
    st.text_input(**widget_options(field, state, unit))
    text = str(state.get(field.term) or "")
    number = read_quantity(text, "kW", unit=unit)
    if number is not None and (unit != "kW" or not PLAIN.fullmatch(text)):
        st.caption(f"= {exact_power(number)}")


_DRAW: Mapping[str, Callable[[FormField, FormState], None]] = {
    "long_text": _long_text,
    "code": _code,
    "codes": _codes,
    "boolean": _boolean,
    "date": _day,
    "power": _power,
}


def value_of(field: FormField, state: FormState) -> object:
    """Value of a field for the register: text as typed (power in kW), a list, yes or no; None when it is empty."""
    value = state.get(field.term)
    if value in (None, "", []):
        return None
    if field.kind == "power":
        return to_kw(str(value), state.get(UNIT))
    if field.kind == "date":
        return plain_date(str(value), DAY_FIRST) or value
    return value
