"""Prepare an asset (UC-02.01): an installer's technical data, sent to the provider who completes and registers it."""

from uuid import UUID

import streamlit as st

from pages.components.asset_form.drafts import (
    NOTE,
    PROVIDER,
    draw_draft_conflict,
    keep_draft,
    leave_draft,
    offer_drafts,
    open_draft,
    show_saved,
)
from pages.components.asset_form.form import AssetForm, group_by_field
from pages.components.common.form_findings import draw_form_summary, summary_anchor
from pages.components.common.form_state import FormState
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.registration.parties import PROVIDER_ROLES
from services.assets.registration.submissions import LONGEST_NOTE, check_draft, submit_draft
from services.core.errors import RegisterError
from services.participants.reading import directory

LABELS = {"AddressedTo": "For which provider *", "Note": "Note to the provider"}
actor = session.actor()
state = FormState("prepare")
form = AssetForm(actor, state)


def read_values() -> dict[str, object]:
    """Values of the form, by term; the provider adds the rest."""
    return {term: value for term, value in form.values().items() if value not in (None, "")}


def submit() -> RegisterError | None:
    """Send it; the refusal when there is one."""
    provider = state.get(PROVIDER)
    if not keep_draft(actor, state, finishing=True):
        return None
    try:
        sent = submit_draft(
            actor, read_values(), UUID(provider) if provider else None, state.get(NOTE), draft_id=state.note("draft")
        )
    except RegisterError as refused:
        return refused
    name = next(
        (entry.organisation_legal_name for entry in providers if entry.organisation_id == sent.addressed_to),
        "",
    )
    st.session_state["draft-told"] = f"Submitted to {name}. You are told once it is registered or given back."
    leave_draft(state)
    st.switch_page("pages/assets/drafts.py")
    return None


def draw_addressee() -> None:
    """Addressee of the draft, and the note to them."""
    names = {str(entry.organisation_id): entry.organisation_legal_name for entry in providers}
    if state.get(PROVIDER) not in names:
        state.drop(PROVIDER)
    grid = st.grid(2, min_column_width=280)
    with grid.container():
        st.selectbox(
            LABELS["AddressedTo"],
            list(names),
            index=None,
            format_func=names.__getitem__,
            placeholder="Choose from the directory",
            key=state.key(PROVIDER),
            persist_state="session",
            help="The FSP or Aggregator who manages the asset. They complete and register it.",
        )
    with grid.container():
        st.text_area(
            LABELS["Note"],
            key=state.key(NOTE),
            height=80,
            max_chars=LONGEST_NOTE,
            persist_state="session",
            placeholder="Who owns it, whom to ask, what is still open",
        )


open_draft(form)
providers = [organisation for organisation in directory(actor) if PROVIDER_ROLES & set(organisation.organisation_roles)]
refused = submit() if state.take("submitted") else None
findings = check_draft(actor, read_values()) if state.note("checking") and form.fields else None
st.title("Prepare an asset", anchor=False)
st.caption("Type what you know of the device you installed. The provider you choose completes it and registers it.")
offer_drafts(form)
if returned := state.note("returned"):
    by = escape_markdown(str(returned.get("by") or "The provider"))
    st.warning(f"{by} gave it back: {escape_markdown(str(returned.get('reason')))}", icon=":material/undo:")
with st.container(border=True):
    st.subheader("Provider", anchor=False)
    draw_addressee()
draw_draft_conflict(form, {**form.labels, PROVIDER: LABELS["AddressedTo"], NOTE: LABELS["Note"]})
if findings is not None:
    st.subheader("Check your entries", anchor=summary_anchor(state))
    st.caption("You can submit all the same: what you don't know, the provider completes.")
    draw_form_summary(state, findings, form.labels, form.anchors)
form.draw_category(group_by_field(findings or ()))
form.draw(findings or (), lambda: keep_draft(actor, state))
if refused is not None:
    show_refusal(refused, {**form.labels, **LABELS})
with st.container(horizontal=True, vertical_alignment="center"):
    st.button(
        "Submit to the provider",
        type="primary",
        icon=":material/send:",
        on_click=state.remember,
        args=("submitted", True),
    )
    st.button("Check", icon=":material/rule:", on_click=state.remember, args=("checking", True))
    show_saved(state)
    if state.note("draft"):
        st.button("Start again", type="tertiary", icon=":material/note_add:", on_click=leave_draft, args=(state,))
keep_draft(actor, state)
