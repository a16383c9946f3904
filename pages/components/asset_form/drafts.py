"""Forms half filled: kept after every change, there again after a reload, offered when somebody comes back."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import streamlit as st

from models.assets import AssetDraft
from pages.components.asset_form.form import CATEGORY, AssetForm, category_label
from pages.components.asset_form.lookup import as_typed
from pages.components.common.form_state import PLACE, FormState
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import format_value
from services.assets.registration.draft_board import draft_view
from services.assets.registration.drafts import FROM, NOTES, RETURNED, discard_draft, get_draft, list_drafts, save_draft
from services.core.clock import show_moment, show_time
from services.core.errors import Conflict, NotFound
from services.core.identity.actor import Actor

PARAMETER = "draft"
PROVIDER, NOTE = "_provider", "_note"
"""In an installer's form: whom it is for, and what is said to them."""
CONFLICT = "draft-conflict"
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


def keep_draft(actor: Actor, state: FormState, asset_id: UUID | None = None, *, finishing: bool = False) -> bool:
    """Save what was typed when it has changed since it was last saved; false where another tab has saved it meanwhile.

    `finishing`: the form is about to be handed in, so that other tabs are looked for although nothing changed here.
    """
    typed = state.typed()
    base: dict[str, Any] | None = state.note("base")
    if typed == state.note("saved", base or {}) and not (finishing and state.note("draft")):
        return state.note(CONFLICT) is None
    values = {**typed, BASE: base} if base is not None else typed
    try:
        draft = save_draft(
            actor,
            values,
            draft_id=state.note("draft"),
            asset_id=asset_id,
            asset_version=state.note("version"),
            read_at=state.note("saved_at"),
        )
    except Conflict as conflict:
        known = state.note(CONFLICT)
        state.remember(CONFLICT, conflict)
        if known is None:
            # Told at the top of the page, which is drawn already.
            st.rerun()
        return False
    state.take(CONFLICT)
    state.remember("draft", draft.id)
    state.remember("saved", typed)
    state.remember("saved_at", draft.saved_at)
    if st.query_params.get(PARAMETER) != str(draft.id):
        st.query_params[PARAMETER] = str(draft.id)
    return True


def draw_draft_conflict(form: AssetForm, words: Mapping[str, str]) -> None:
    """Draw what another tab saved meanwhile beside what stands here, and the ways on; nothing without a conflict."""
    state = form.state
    conflict: Conflict | None = state.note(CONFLICT)
    if conflict is None:
        return
    theirs = {name: value for name, value in conflict.current.items() if name != BASE}
    before, mine = state.note("saved", state.note("base") or {}), state.typed()
    names = [
        name for name in {**before, **theirs, **mine} if not before.get(name) == theirs.get(name) == mine.get(name)
    ]
    st.warning(escape_markdown(conflict.message), icon=":material/sync_problem:")
    rows = [
        {
            "Field": words.get(name, name),
            "When you opened it": format_value(before.get(name)),
            "In the other tab": format_value(theirs.get(name)),
            "Here": format_value(mine.get(name)) if mine.get(name) != before.get(name) else "not touched",
        }
        for name in names
    ]
    st.dataframe(rows, hide_index=True, width="stretch", alt="What another tab saved, beside what stands here")
    merged = {
        **theirs,
        **{name: mine.get(name) for name in mine.keys() | before.keys() if mine.get(name) != before.get(name)},
    }
    with st.container(horizontal=True):
        st.button(
            "Put both together, mine where both changed",
            icon=":material/merge:",
            type="primary",
            on_click=_go_on,
            args=(form, theirs, merged),
        )
        st.button("Take what the other tab has", icon=":material/tab:", on_click=_go_on, args=(form, theirs, theirs))
    st.caption("What you type into a field counts once you leave it. It is kept as a draft again after your choice.")


def _go_on(form: AssetForm, saved: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Go on with these values, from the draft as it is saved now."""
    state = form.state
    kept = {name: state.note(name) for name in ("draft", "returned", "submission", "checking", "base", "version")}
    draft = get_draft(form.actor, UUID(str(kept["draft"])))
    state.clear()
    form.fill({name: value for name, value in values.items() if value is not None})
    for name, value in kept.items():
        if value is not None:
            state.remember(name, value)
    state.remember("category", values.get(CATEGORY))
    state.remember("saved", dict(saved))
    state.remember("saved_at", draft.saved_at)


def show_saved(state: FormState) -> None:
    """When the draft was last saved."""
    saved_at = state.note("saved_at")
    if saved_at is not None:
        st.caption(
            ":orange[:material/sync_problem: Not saved: see below]"
            if state.note(CONFLICT) is not None
            else f":material/cloud_done: Draft saved {show_time(saved_at)}"
        )


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
            "Continue",
            key=f"go-on-{draft.id}",
            icon=":material/edit:",
            on_click=restore,
            args=(form, draft),
            help=f"Continue {escape_markdown(name)}",
        )
        ask_to_discard(f"discard-{draft.id}", name, discard_draft, form.actor, draft.id)


def ask_to_discard(
    key: str,
    name: str,
    discard: Callable[..., object],
    *args: object,
    label: str = "Discard",
    act: str = "Discard this draft",
) -> None:
    """A button that asks once more, by name, before a draft is thrown away; leaving it changes nothing."""
    with st.popover(label, icon=":material/delete:", type="tertiary", key=f"{key}-ask"):
        st.markdown(f"**{escape_markdown(name)}** goes with everything that was typed. It can't be brought back.")
        st.button(act, key=key, icon=":material/delete_forever:", on_click=discard, args=args)
