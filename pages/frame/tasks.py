"""Counts of one's own tasks, for the bell and the menu: asked now and then, since every page shows them."""

import time
from collections.abc import Mapping

import streamlit as st

from services.core.identity.actor import Actor
from services.governance.tasks import TaskArea, count_tasks

FRESH_S = 20.0
"""Seconds for which counts are shown without asking again."""
KEY = "fmar_tasks"


def read_counts(actor: Actor) -> Mapping[TaskArea, int]:
    """The actor's tasks by area, at most `FRESH_S` old."""
    owner = (actor.key, actor.organisation_id, actor.roles)
    kept = st.session_state.get(KEY)
    if kept is not None and kept[0] == owner and time.monotonic() - kept[1] < FRESH_S:
        counts: Mapping[TaskArea, int] = kept[2]
        return counts
    counts = count_tasks(actor)
    st.session_state[KEY] = (owner, time.monotonic(), counts)
    return counts


def forget_counts() -> None:
    """Ask again at the next page: something was dealt with."""
    st.session_state.pop(KEY, None)
