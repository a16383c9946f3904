"""Counts of one's own tasks, for the bell and the menu: asked now and then, since every page shows them."""

import time
from collections.abc import Mapping

import streamlit as st

from services.core.identity.actor import Actor
from services.governance.tasks import TaskArea, count_by_area, count_tasks
from services.governance.waiting import Errands

FRESH_S = 20.0
"""Seconds for which counts are shown without asking again."""
KEY = "fmar_tasks"


def read_counts(actor: Actor) -> Mapping[TaskArea, int]:
    """The actor's tasks by area, at most `FRESH_S` old."""
    kept = st.session_state.get(KEY)
    if kept is not None and kept[0] == _owner(actor) and time.monotonic() - kept[1] < FRESH_S:
        counts: Mapping[TaskArea, int] = kept[2]
        return counts
    return _keep(actor, count_tasks(actor))


def keep_counts(actor: Actor, errands: Errands) -> None:
    """Keep the counts of what a page has just read anyway."""
    _keep(actor, count_by_area(actor, errands))


def _keep(actor: Actor, counts: Mapping[TaskArea, int]) -> Mapping[TaskArea, int]:
    st.session_state[KEY] = (_owner(actor), time.monotonic(), counts)
    return counts


def _owner(actor: Actor) -> tuple[object, ...]:
    return actor.key, actor.organisation_id, actor.roles
