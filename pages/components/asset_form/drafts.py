"""Forms half filled: kept after every change, there again after a reload, offered when somebody comes back."""

from typing import Any
from uuid import UUID

import streamlit as st

from models.assets import AssetDraft
from pages.components.asset_form.form import CATEGORY, AssetForm, category_label
from pages.components.asset_form.lookup import as_typed
from pages.components.common.form_state import PLACE, FormState
from pages.frame.markdown import escape_markdown
from services.assets.registration.draft_board import draft_view
from services.assets.registration.drafts import FROM, NOTES, RETURNED, discard_draft, get_draft, list_drafts, save_draft
from services.core.clock import show_moment, show_time
from services.core.errors import NotFound
from services.core.identity.actor import Actor

PARAMETER = "draft"
PROVIDER, NOTE = "_provider", "_note"
"""In an installer's form: whom it is for, and what is said to them."""
BASE = "_base"
"""In the draft of a change: the values that the change started from."""


def open_draft(form: AssetForm) -> None:
    """Bring back the draft that the address names, and name in the address the one that is being filled."""
    state, identifier = form.state, st.query_params.get(PARAMETER)
    current = state.note("draft")
    if identifier and identifier != str(current):
        try:
            draft = get_draft(form.actor, UUID(identifier))
        except (NotFound, ValueError):
            del st.query_params[PARAMETER]
            st.info("That draft isn't there any more: it was registered or discarded.", icon=":material/draft:")
        else:
            restore(form, draft)
    elif current and not identifier:
        st.query_params[PARAMETER] = str(current)


def restore(form: AssetForm, draft: AssetDraft) -> None:
    """Put a draft back into the form, in place of what stands there."""
    base = draft.values.get(BASE)
    typed = _typed_values(draft)
    form.state.clear()
    form.fill(typed)
    form.state.remember("category", typed.get(CATEGORY))
    form.state.remember("draft", draft.id)
    form.state.remember("saved", typed)
    form.state.remember("saved_at", draft.saved_at)
    form.state.remember("returned", draft.values.get(RETURNED))
    if FROM in draft.values:
        form.state.remember("submission", draft_view(form.actor, draft.id))
        form.state.remember("checking", True)
    if base is not None:
        form.state.remember("base", base)
        form.state.remember("version", draft.asset_version)


def _typed_values(draft: AssetDraft) -> dict[str, Any]:
    """Values of a draft as they are typed; a submitted one holds values by term."""
    values = {name: value for name, value in draft.values.items() if name not in (BASE, *NOTES)}
    typed = as_typed(values)
    if PLACE in values:
        typed[PLACE] = values[PLACE]
    if draft.addressed_to is not None:
        typed.setdefault(PROVIDER, str(draft.addressed_to))
        if draft.note:
            typed.setdefault(NOTE, draft.note)
    return typed


def keep_draft(actor: Actor, state: FormState, asset_id: UUID | None = None) -> None:
    """Save what was typed when it has changed since it was last saved."""
    typed = state.typed()
    base: dict[str, Any] | None = state.note("base")
    if typed == state.note("saved", base or {}):
        return
    values = {**typed, BASE: base} if base is not None else typed
    draft = save_draft(
        actor, values, draft_id=state.note("draft"), asset_id=asset_id, asset_version=state.note("version")
    )
    state.remember("draft", draft.id)
    state.remember("saved", typed)
    state.remember("saved_at", draft.saved_at)
    if st.query_params.get(PARAMETER) != str(draft.id):
        st.query_params[PARAMETER] = str(draft.id)


def show_saved(state: FormState) -> None:
    """When the draft was last saved."""
    saved_at = state.note("saved_at")
    if saved_at is not None:
        st.caption(f":material/cloud_done: Draft saved {show_time(saved_at)}")


def leave_draft(state: FormState) -> None:
    """Empty the form; its draft stays in the list."""
    state.clear()
    st.query_params.pop(PARAMETER, None)


def throw_away(actor: Actor, state: FormState) -> None:
    """Empty the form and discard its draft."""
    draft_id = state.note("draft")
    if draft_id is not None:
        discard_draft(actor, draft_id)
    leave_draft(state)


def offer_drafts(form: AssetForm, asset_id: UUID | None = None) -> None:
    """The drafts that the person began and hasn't finished, of registrations or of changes to one asset."""
    if form.state.note("draft") or form.state.typed() != form.state.note("base", {}):
        return
    drafts = [draft for draft in list_drafts(form.actor) if draft.asset_id == asset_id]
    if not drafts:
        return
    with st.expander(
        f"{len(drafts)} {'draft' if len(drafts) == 1 else 'drafts'} you haven't finished",
        icon=":material/draft:",
        expanded=True,
    ):
        for draft in drafts:
            _offer(form, draft)


def _offer(form: AssetForm, draft: AssetDraft) -> None:
    name = str(draft.values.get("AssetName") or "No name yet")
    category = category_label(draft.values.get(CATEGORY)) if draft.values.get(CATEGORY) else "no category yet"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{escape_markdown(name)}**, {escape_markdown(category)}, saved {show_moment(draft.saved_at)}",
            width="stretch",
        )
        st.button(
            "Go on",
            key=f"go-on-{draft.id}",
            icon=":material/edit:",
            on_click=restore,
            args=(form, draft),
            help=f"Go on with {escape_markdown(name)}",
        )
        st.button(
            "Discard",
            key=f"discard-{draft.id}",
            icon=":material/delete:",
            on_click=discard_draft,
            args=(form.actor, draft.id),
            help=f"Discard {escape_markdown(name)}",
        )
