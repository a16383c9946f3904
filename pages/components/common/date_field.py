"""Dates typed as text, day first: what is no day is refused in words, where a date picker would make another day of it."""

from datetime import date
from typing import Any, NamedTuple

import streamlit as st

from pages.frame.markdown import escape_markdown
from services.assets.rules.dates import read_day
from services.core.clock import show_date
from services.core.errors import Finding, Invalid

PLACEHOLDER = "DD/MM/YYYY"


class TypedDate(NamedTuple):
    """Entry of a date field: the day, None where nothing or no day is typed; and what is wrong with it."""

    day: date | None
    finding: Finding | None = None

    def require(self) -> date | None:
        """The day, or None where the field is empty. Raises Invalid for what is no day."""
        if self.finding is not None:
            raise Invalid([self.finding])
        return self.day


def draw_date(label: str, *, key: str, value: date | None = None, **options: Any) -> TypedDate:
    """Draw a field for a date, with what is read from it; `options` are those of a text field."""
    if value is not None:
        st.session_state.setdefault(key, show_typed(value))
    st.text_input(label, key=key, placeholder=PLACEHOLDER, **options)
    typed = typed_date(key, label)
    show_reading(typed)
    return typed


def typed_date(key: str, label: str) -> TypedDate:
    """What stands in a date field."""
    try:
        return TypedDate(read_day(str(st.session_state.get(key) or ""), label))
    except Invalid as refused:
        return TypedDate(None, refused.findings[0])


def show_reading(typed: TypedDate) -> None:
    """The day that is read, or why none is, right under the field."""
    if typed.finding is not None:
        st.markdown(f":small[:red[:material/error: {escape_markdown(typed.finding.message)}]]")
    elif typed.day is not None:
        st.caption(f"= {show_date(typed.day)}")


def show_typed(day: date) -> str:
    """A day as it is typed: ``24/11/2026``."""
    return f"{day:%d/%m/%Y}"
