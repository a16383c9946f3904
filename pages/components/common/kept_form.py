"""A form that is kept as it is typed: there again after a reload, until it is sent or emptied."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.common.form_state import FormState
from services.core.clock import now, show_time
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.form_drafts import keep_form_draft, read_form_draft

READ, KEPT, KEPT_AT = "draft-read", "draft-kept", "draft-at"


def open_kept_form(actor: Actor, state: FormState, form: str, dates: tuple[str, ...] = ()) -> None:
    """Bring back what was typed before, once a session; `dates` are the fields whose widget holds a date."""
    if state.note(READ) or not may(actor, "personal.keep"):
        return
    state.remember(READ, True)
    draft = read_form_draft(actor, form)
    if draft is not None and not state.typed():
        state.fill(draft.values, dates)
        state.remember(KEPT, draft.values)
        state.remember(KEPT_AT, draft.saved_at)


def keep_form(actor: Actor, state: FormState, form: str) -> None:
    """Keep what was typed, if it has changed."""
    typed = state.typed()
    if typed == state.note(KEPT, {}) or not may(actor, "personal.keep"):
        return
    try:
        keep_form_draft(actor, form, typed)
    except Refused:
        return
    state.remember(KEPT, typed)
    state.remember(KEPT_AT, now() if typed else None)


def show_kept(state: FormState) -> None:
    """When the form was last kept."""
    if saved_at := state.note(KEPT_AT):
        st.caption(f":material/cloud_done: Draft saved {show_time(saved_at)}")


def empty_form(actor: Actor, state: FormState, form: str) -> None:
    """Empty the form, and forget its draft."""
    state.clear()
    if may(actor, "personal.keep"):
        keep_form_draft(actor, form, {})


def read_kept(actor: Actor, form: str) -> Mapping[str, Any]:
    """What was kept of a form whose fields are filled from values, as it stood when the page was opened first."""
    state = FormState(f"kept:{form}")
    if state.note(READ) is None:
        draft = read_form_draft(actor, form) if may(actor, "personal.keep") else None
        state.remember(READ, dict(draft.values) if draft else {})
        state.remember(KEPT, dict(draft.values) if draft else {})
        state.remember(KEPT_AT, draft.saved_at if draft else None)
    return state.note(READ)


def keep_values(actor: Actor, form: str, values: Mapping[str, Any]) -> None:
    """Keep the values of such a form, if they have changed."""
    state = FormState(f"kept:{form}")
    if dict(values) == state.note(KEPT) or not may(actor, "personal.keep"):
        return
    try:
        keep_form_draft(actor, form, values)
    except Refused:
        return
    state.remember(KEPT, dict(values))
    state.remember(KEPT_AT, now() if values else None)


def show_values_kept(form: str) -> None:
    """When such a form was last kept."""
    show_kept(FormState(f"kept:{form}"))


def forget_kept(actor: Actor, form: str, prefix: str) -> None:
    """Forget such a form, and what stands in its fields."""
    FormState(f"kept:{form}").clear()
    FormState(prefix).clear()
    if may(actor, "personal.keep"):
        keep_form_draft(actor, form, {})
