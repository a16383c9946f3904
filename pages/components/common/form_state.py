"""Entries of a form, kept in the browser session under one name, whichever fields are drawn just now."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from pages.components.common.date_field import show_typed
from services.assets.rules.dates import DAY_FIRST, plain_date

UNIT = "_unit"
PLACE = "_place"
ALIAS_COUNT = "_aliases"
DAYS = "days"
"""Note: the fields that hold dates as they are typed."""
DEFAULTS: Mapping[str, Any] = {UNIT: "kW", PLACE: "map", ALIAS_COUNT: 1}
"""The form's own choices, and what they are before anybody chooses: a form with nothing else typed is empty."""
EMPTY = (None, "", [], False)


@dataclass(frozen=True, slots=True)
class FormState:
    """One form in this browser session. `slot` tells forms apart: what is typed in one never shows in another."""

    slot: str

    def key(self, name: str) -> str:
        """The key of the widget of a field (an ontology term), or of one of the form's own choices."""
        return f"{self.slot}/{name}"

    def css_class(self, name: str) -> str:
        """The class that Streamlit gives the widget of a field: what links to the field point at."""
        return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", self.key(name).strip())

    def get(self, name: str) -> Any:
        """Entry of a field now; None when it has none."""
        return st.session_state.get(self.key(name), DEFAULTS.get(name))

    def put(self, name: str, value: Any) -> None:
        """Write into a field, before its widget is drawn in this run."""
        st.session_state[self.key(name)] = value

    def drop(self, name: str) -> None:
        """Forget a field, so that it starts with its default again."""
        st.session_state.pop(self.key(name), None)

    def typed(self) -> dict[str, Any]:
        """Everything typed so far, as JSON keeps it; fields of categories that aren't chosen now included."""
        start, days = f"{self.slot}/", self.note(DAYS, frozenset())
        entries: dict[str, Any] = {}
        for key in st.session_state:
            if not isinstance(key, str) or not key.startswith(start):
                continue
            name, value = key.removeprefix(start), st.session_state[key]
            if value not in EMPTY and value != DEFAULTS.get(name):
                entries[name] = plain_date(str(value), DAY_FIRST) or value if name in days else value
        return dict(sorted(entries.items()))

    def fill(self, typed: Mapping[str, Any], dates: Iterable[str]) -> None:
        """Put back what was typed; `dates` are the fields that hold dates, shown as they are typed."""
        days = frozenset(dates)
        self.remember(DAYS, days)
        for name, value in typed.items():
            self.put(name, _typed_day(value) if name in days else value)

    def note(self, name: str, default: Any = None) -> Any:
        """Something remembered about the form that is no part of what was typed."""
        return st.session_state.get(f"{self.slot}!{name}", default)

    def remember(self, name: str, value: Any) -> None:
        """Remember something about the form."""
        st.session_state[f"{self.slot}!{name}"] = value

    def take(self, name: str) -> Any:
        """Something remembered, which is then forgotten: an act asked for by a button is done once."""
        return st.session_state.pop(f"{self.slot}!{name}", None)

    def clear(self) -> None:
        """Empty the form and forget all about it."""
        starts = (f"{self.slot}/", f"{self.slot}!")
        for key in [key for key in st.session_state if isinstance(key, str) and key.startswith(starts)]:
            del st.session_state[key]


def _typed_day(value: Any) -> str:
    try:
        return show_typed(date.fromisoformat(str(value)))
    except ValueError:
        return str(value)
