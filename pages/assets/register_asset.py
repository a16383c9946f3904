"""Register an asset (UC-02.01): look it up, choose its category, fill in the form made from the category's schema."""

import streamlit as st

from pages.components.asset_form.draft_list import draw_return
from pages.components.asset_form.drafts import (
    ask_to_discard,
    draw_draft_conflict,
    keep_draft,
    leave_draft,
    offer_drafts,
    open_draft,
    show_saved,
    throw_away,
)
from pages.components.asset_form.form import AssetForm, draw_sections, group_by_field
from pages.components.asset_form.lookup import fill_empty, look_up_step
from pages.components.common.form_findings import close_of_form, draw_form_summary, justification, summary_anchor
from pages.components.common.form_state import FormState
from pages.frame import navigation, session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.registration.draft_board import DraftView
from services.assets.registration.lookup import LookupOutcome
from services.assets.registration.register import check_registration, register_asset
from services.core.errors import Finding, Invalid, RegisterError

actor = session.actor()
state = FormState("register")
form = AssetForm(actor, state)


def check() -> None:
    """From now on the rules are asked at every change."""
    state.remember("checking", True)


def submit() -> None:
    """Register with the next run of the page."""
    state.remember("submitted", True)


def register() -> RegisterError | None:
    """Register what stands in the form and open the new asset; the refusal when there is one."""
    check()
    if not keep_draft(actor, state, finishing=True):
        return None
    try:
        asset = register_asset(actor, form.values(), justification=justification(state), draft_id=state.note("draft"))
    except Invalid:
        return None
    except RegisterError as refused:
        return refused
    leave_draft(state)
    FormState("register-lookup").clear()
    st.session_state["asset_registered"] = str(asset.id)
    st.session_state["asset_toast"] = True
    navigation.open_asset(asset.id)
    return None


def look_first() -> None:
    """The first step: what is registered already needs no second registration."""
    with st.expander("Look it up first: it may be registered already", icon=":material/search:", expanded=not begun):
        answer = look_up_step(actor, FormState("register-lookup"))
        if answer is not None and answer.outcome is LookupOutcome.NONE:
            st.button(
                "Register it with what is known",
                icon=":material/arrow_downward:",
                on_click=fill_empty,
                args=(form, answer.suggested_values),
            )


def draw_submission(sent: DraftView) -> None:
    """Source of the data that the form was filled with, and the ways to give it back."""
    with st.container(border=True):
        author = f"{escape_markdown(sent.author)}, " if sent.author else ""
        st.markdown(
            f":material/handyman: Technical data from **{author}{escape_markdown(sent.installer or 'an installer')}**"
        )
        if sent.note:
            st.markdown(f":material/chat: {escape_markdown(sent.note)}")
        st.caption("Complete what is missing and register it: the installer then sees the asset as submitted by them.")
        with st.container(horizontal=True):
            draw_return(actor, sent, lambda: leave_draft(state))


open_draft(form)
refused = register() if state.take("submitted") else None
findings: list[Finding] | None = None
if state.note("checking") and form.fields:
    try:
        findings = check_registration(actor, form.values())
    except RegisterError as no:
        refused = refused or no
begun = bool(state.typed())

st.title("Register an asset", anchor=False)
st.caption("Tell the register about one asset. It is checked against public registers, then markets can rely on it.")
top = st.container()
offer_drafts(form)
if submission := state.note("submission"):
    draw_submission(submission)
else:
    look_first()
with top:
    draw_draft_conflict(form, form.labels)
    draw_sections(form)
    if findings is not None:
        st.subheader("Check your entries", anchor=summary_anchor(state))
        draw_form_summary(
            state, findings, form.labels, form.anchors, "Nothing to correct: the asset can be registered."
        )
beside = group_by_field(findings or ())
form.draw_category(beside)
form.draw(findings or (), lambda: keep_draft(actor, state))
if refused is not None:
    show_refusal(refused)
if form.fields:
    close_of_form(state, findings, "Register the asset", check, submit)
keep_draft(actor, state)
if state.note("draft"):
    with top, st.container(horizontal=True, vertical_alignment="center"):
        show_saved(state)
        st.button("Start again", type="tertiary", icon=":material/note_add:", on_click=leave_draft, args=(state,))
        name = str(state.get("AssetName") or "This draft")
        ask_to_discard("discard-this", name, throw_away, actor, state)
