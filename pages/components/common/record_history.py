"""The history of a record as people read it: who changed what, when, under which use case, from what to what."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_changes
from services.core.clock import show_moment
from services.core.ledger.history import RecordChange

MOST = 50
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def draw_history(changes: Sequence[RecordChange], labels: Mapping[str, str], hidden: Sequence[str] = ()) -> None:
    """One entry after the other, newest first; `labels` say what columns are called, `hidden` ones are left out."""
    if not changes:
        st.info("Nothing has happened to this record yet.", icon=":material/history:")
        return
    for change in changes[:MOST]:
        with st.container(border=True):
            by = f"{escape_markdown(change.actor)}{f', {escape_markdown(change.organisation)}' if change.organisation else ''}"
            st.markdown(f"**{_words(change.operation)}** · {show_moment(change.at)} · {by}")
            st.caption(f"Version {change.version} · {change.use_case} · ledger entry `{change.hash[:12]}`")
            values = {
                labels.get(name, name): (_readable(before), _readable(after))
                for name, (before, after) in change.changes.items()
                if name not in hidden and _is_news((before, after))
            }
            if change.version > 1 and values:
                show_changes(values)
            elif values:
                with st.expander(f"The {len(values)} values it began with"):
                    show_changes(values)
    if len(changes) > MOST:
        st.caption(f"The newest {MOST} of {len(changes)} entries.")


def _words(operation: str) -> str:
    return operation.replace("_", " ").capitalize()


def _readable(value: Any) -> Any:
    """A moment as people read it, a check by its outcome; anything else as it is."""
    if isinstance(value, dict) and "outcome" in value:
        return str(value["outcome"]).capitalize()
    if isinstance(value, str) and MOMENT.match(value):
        return show_moment(datetime.fromisoformat(value))
    return value


def _is_news(pair: tuple[Any, Any]) -> bool:
    return any(value not in (None, "", [], {}) for value in pair)
