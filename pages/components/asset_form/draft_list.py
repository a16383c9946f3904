"""Drafts as a list of cards: whose, how far, where they stand, and what can be done with each."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from pages.components.asset_form.drafts import ask_to_discard
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.registration.draft_board import DRAFT_LABELS, DraftState, DraftView
from services.assets.registration.drafts import discard_draft
from services.assets.registration.submissions import LONGEST_NOTE, return_draft, take_draft
from services.core.clock import show_moment
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.identity.permissions import may

COLOURS: dict[DraftState, Literal["gray", "blue", "orange", "red"]] = {
    DraftState.OPEN: "gray",
    DraftState.SUBMITTED: "blue",
    DraftState.TAKEN_UP: "blue",
    DraftState.RETURNED: "orange",
    DraftState.DECLINED: "red",
}


def form_of(actor: Actor, view: DraftView) -> tuple[str, dict[str, str]]:
    """The page where a draft of one's own is gone on with, and its address."""
    if view.asset_id is not None:
        return "assets/edit_asset.py", {"id": str(view.asset_id), "draft": str(view.id)}
    page = "assets/register_asset.py" if may(actor, "asset.register") else "assets/prepare_asset.py"
    return page, {"draft": str(view.id)}


def draw_drafts(actor: Actor, views: Sequence[DraftView]) -> None:
    """A card for each."""
    for view in views:
        with st.container(border=True):
            _draw_head(actor, view)
            _draw_words(view)
            with st.container(horizontal=True):
                _draw_acts(actor, view)


def _draw_head(actor: Actor, view: DraftView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape_markdown(view.name)}**", width="content")
        st.badge(escape_markdown(view.category_label), icon=":material/category:", color="gray")
        if view.is_own:
            st.badge(DRAFT_LABELS[view.state], color=COLOURS[view.state])
        if view.asset_id is not None:
            st.badge("Change of an asset", icon=":material/edit:", color="gray")
    st.progress(view.filled / view.needed if view.needed else 0.0, text=view.progress)


def _draw_words(view: DraftView) -> None:
    moment = (
        f"submitted {show_moment(view.submitted_at)}" if view.submitted_at else f"saved {show_moment(view.saved_at)}"
    )
    clauses = [moment]
    if view.provider and view.is_own:
        clauses.append(f"for {escape_markdown(view.provider)}")
    if view.installer and not (view.provider and view.is_own):
        clauses.append(
            f"by {escape_markdown(view.author or '')}, {escape_markdown(view.installer)}".replace("by , ", "by ")
        )
    if view.completed_by:
        clauses.append(f"{escape_markdown(view.completed_by)} has begun to complete it")
    st.caption(" · ".join(clauses))
    if view.note:
        st.markdown(f":material/chat: {escape_markdown(view.note)}")
    if view.reason:
        st.warning(f"{DRAFT_LABELS[view.state]}: {escape_markdown(view.reason)}", icon=":material/undo:")


def _draw_acts(actor: Actor, view: DraftView) -> None:
    if not view.is_own:
        if st.button("Complete and register", key=f"take-{view.id}", type="primary", icon=":material/edit:"):
            copy = take_draft(actor, view.id)
            st.switch_page("pages/assets/register_asset.py", query_params={"draft": str(copy.id)})
        draw_return(actor, view)
        return
    if view.submitted_at is None:
        label = "Fix" if view.reason else "Continue"
        if st.button(label, key=f"continue-{view.id}", icon=":material/edit:"):
            page, query = form_of(actor, view)
            st.switch_page(f"pages/{page}", query_params=query)
    if view.state is not DraftState.TAKEN_UP:
        label, act = (
            ("Take it back", "Take it back for good") if view.submitted_at else ("Discard", "Discard this draft")
        )
        ask_to_discard(f"discard-{view.id}", view.name, discard_draft, actor, view.id, label=label, act=act)


def draw_return(actor: Actor, view: DraftView, done: Callable[[], None] | None = None) -> None:
    """The two ways to give a submitted draft back; `done` is called once it is."""
    if st.button("Return it", key=f"return-{view.id}", icon=":material/undo:", help="The installer mends it."):
        _give_back(actor, view, done, declined=False)
    if st.button("Decline", key=f"decline-{view.id}", icon=":material/block:", type="tertiary"):
        _give_back(actor, view, done, declined=True)


def _give_back(actor: Actor, view: DraftView, done: Callable[[], None] | None, *, declined: bool) -> None:
    title = "Decline the draft" if declined else "Return the draft"

    @st.dialog(title)
    def ask() -> None:
        st.markdown(
            f"**{escape_markdown(view.name)}** goes back to "
            f"{escape_markdown(view.installer or 'the installer')}, who reads the reason."
        )
        reason = st.text_area("Reason", key=f"reason-{view.id}", max_chars=LONGEST_NOTE)
        if st.button(title, type="primary"):
            try:
                return_draft(actor, view.id, reason, declined=declined)
            except RegisterError as refused:
                show_refusal(refused)
            else:
                if done is not None:
                    done()
                st.session_state["draft-told"] = f"{view.name} went back to {view.installer or 'the installer'}."
                st.switch_page("pages/assets/drafts.py")

    ask()
