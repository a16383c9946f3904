"""Actions on an organisation as buttons; one that isn't allowed says why. Each asks before it is done."""

from collections.abc import Callable, Sequence

import streamlit as st

from models.participants import Organisation
from pages.components.common import dialogs
from pages.components.common.danger import draw_danger
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_refusal
from services.core.errors import Blocker, RegisterError
from services.core.identity.actor import Actor
from services.core.lifecycle import Action
from services.participants.approval import (
    approve_organisation,
    refuse_organisation,
    reinstate_organisation,
    suspend_organisation,
)
from services.participants.ending import withdraw_organisation, withdrawal_blockers
from services.participants.lifecycle import allowed_actions

ICONS = {
    "approve_organisation": "check_circle",
    "refuse_organisation": "cancel",
    "update_organisation": "edit",
    "suspend_organisation": "pause_circle",
    "reinstate_organisation": "play_circle",
    "withdraw_organisation": "logout",
}
MEANINGS = {
    "approve_organisation": "It takes part from now on: its roles take effect, and its people can work.",
    "refuse_organisation": "A new organisation is refused finally. A change is undone: what was approved holds again.",
    "suspend_organisation": "Users and API clients lose access immediately. Its records are kept.",
    "reinstate_organisation": "Everything is as it was before the suspension.",
    "withdraw_organisation": "This is final. Users and API clients lose access immediately; its records are kept.",
}
FINAL = {"withdraw_organisation": "de-register"}
"""Acts that can't be undone -> the word that is typed for them."""
Act = Callable[[Actor, Organisation, str], Organisation]
ACTS: dict[str, tuple[Act, bool]] = {
    "approve_organisation": (
        lambda actor, organisation, why: approve_organisation(actor, organisation.id, organisation.version),
        False,
    ),
    "refuse_organisation": (
        lambda actor, organisation, why: refuse_organisation(actor, organisation.id, why, organisation.version),
        True,
    ),
    "suspend_organisation": (
        lambda actor, organisation, why: suspend_organisation(actor, organisation.id, why, organisation.version),
        True,
    ),
    "reinstate_organisation": (
        lambda actor, organisation, why: reinstate_organisation(actor, organisation.id, organisation.version),
        False,
    ),
    "withdraw_organisation": (
        lambda actor, organisation, why: withdraw_organisation(actor, organisation.id, why, organisation.version),
        True,
    ),
}
"""Operation -> the act, and whether a written reason goes with it."""


def draw_actions(
    actor: Actor,
    organisation: Organisation,
    *,
    only: Sequence[str] | None = None,
    key: str = "acts",
    edit: Callable[[], None] | None = None,
) -> None:
    """Draw a button for each action; `edit` is called for changing the details."""
    for action in allowed_actions(organisation, actor):
        if only is not None and action.operation not in only:
            continue
        name = f"{key}-{action.operation}-{organisation.id}"
        editing = action.operation == "update_organisation"
        pressed = st.button(
            action.label,
            key=name,
            icon=f":material/{ICONS[action.operation]}:",
            type="primary" if action.operation == "approve_organisation" and action.allowed else "secondary",
            disabled=not action.allowed,
            help=action.why_not,
            on_click=None if editing else dialogs.ask,
            args=None if editing else (name,),
        )
        if pressed and editing and edit:
            edit()
        elif dialogs.is_open(name):
            _draw_confirmation(actor, organisation, action)


@st.dialog("Are you sure?", width="medium", on_dismiss=dialogs.close)
def _draw_confirmation(actor: Actor, organisation: Organisation, action: Action) -> None:
    act, with_reason = ACTS[action.operation]
    st.markdown(f"**{action.label}: {escape_markdown(organisation.organisation_legal_name)}**")
    st.markdown(MEANINGS[action.operation])
    blockers = withdrawal_blockers(actor, organisation.id) if action.operation == "withdraw_organisation" else []
    if blockers:
        st.warning("This stands in the way. Clear it first, then come back.", icon=":material/block:")
        draw_blockers(organisation, blockers)
        return
    reason = ""
    if with_reason:
        reason = st.text_area(
            "Reason",
            key=f"reason-{action.operation}-{organisation.id}",
            help="10 to 500 characters: it is shown to those it concerns and stays with the record.",
            max_chars=500,
        )

    def confirm() -> None:
        try:
            done = act(actor, organisation, reason)
        except RegisterError as refused:
            show_refusal(refused)
        else:
            st.toast(f"{done.organisation_legal_name} is now: {done.organisation_status}.", icon=":material/task_alt:")
            dialogs.close()
            st.rerun()

    if action.operation in FINAL:
        name, word = organisation.organisation_legal_name, FINAL[action.operation]
        draw_danger(action.label, name, word, f"sure-{action.operation}", confirm, dialogs.close)
    elif st.button(action.label, key=f"sure-{action.operation}", type="primary"):
        confirm()


def draw_blockers(organisation: Organisation, blockers: Sequence[Blocker]) -> None:
    """Draw the blockers of a de-registration, each with a link to the records it counts."""
    for blocker in blockers:
        st.markdown(f"- **{escape_markdown(blocker.label)}**. {escape_markdown(blocker.action)}")
        verb, _, status = blocker.id.partition(":")
        if blocker.kind == "asset" and status:
            provider = {"fsp": str(organisation.id)} if verb == "managed" else {}
            link("assets/assets.py", "Show these assets", "bolt", {"status": status, **provider})
