"""Users of an organisation (UC-01.01, UC-01.04): invite, give roles, deactivate, reactivate; whole accounts."""

from collections.abc import Callable

import streamlit as st

from models.participants import ROLE_LABELS, MembershipStatus, User
from pages.components.common import dialogs
from pages.components.common.form_state import FormState
from pages.components.common.organisation_picker import choose_organisation
from pages.components.organisation.view import Colour
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.core.clock import show_moment
from services.core.errors import RegisterError
from services.core.identity.permissions import may
from services.participants.accounts import deactivate_account, reactivate_account, release_identity
from services.participants.users import (
    UserView,
    assignable_in,
    change_roles,
    deactivate_user,
    invite_user,
    list_users,
    reactivate_user,
)

BADGES: dict[MembershipStatus, Colour] = {
    MembershipStatus.ACTIVE: "green",
    MembershipStatus.INVITED: "blue",
    MembershipStatus.DEACTIVATED: "gray",
}
INVITATION = FormState("invitation")
LABELS = {"FullName": "Full name", "Email": "Email address"}
ROLES_HELP = "Rights of several roles add up. Who may do what is shown under Governance."


@st.dialog("Invite a user", width="medium", on_dismiss=dialogs.close)
def _draw_invitation() -> None:
    name = st.text_input("Full name", key=INVITATION.key("name"), placeholder="Robin Marsh")
    email = st.text_input(
        "Email address",
        key=INVITATION.key("email"),
        help="The address that the sign-in provider vouches for. The first sign-in with it accepts the invitation.",
    )
    roles = st.multiselect(
        "Roles", offered, format_func=ROLE_LABELS.__getitem__, key=INVITATION.key("roles"), help=ROLES_HELP
    )
    if st.button("Invite", type="primary", icon=":material/person_add:"):
        _run(lambda: invite_user(actor, organisation_id, name or "", email or "", roles), "Invited", clear=True)


@st.dialog("Roles", width="medium", on_dismiss=dialogs.close)
def _draw_roles(person: UserView) -> None:
    st.markdown(f"What **{escape_markdown(person.full_name)}** may do for {escape_markdown(person.organisation_name)}:")
    current = [role for role in person.roles if role in offered]
    roles = st.multiselect(
        "Roles", offered, default=current, format_func=ROLE_LABELS.__getitem__, key="new-roles", help=ROLES_HELP
    )
    if st.button("Save the roles", type="primary"):
        _run(lambda: change_roles(actor, person.membership_id, roles, person.version), "Roles changed")


@st.dialog("Deactivate", width="medium", on_dismiss=dialogs.close)
def _draw_deactivation(person: UserView) -> None:
    st.markdown(
        f"**{escape_markdown(person.full_name)}** is out at the next click. What they did stays; other "
        "organisations of theirs are "
        "not touched."
    )
    reason = st.text_area("Reason", key="deactivation-reason", help="10 to 500 characters.", max_chars=500)
    if st.button("Deactivate", type="primary", icon=":material/person_off:"):
        _run(lambda: deactivate_user(actor, person.membership_id, reason, person.version), "Deactivated")


@st.dialog("Close the account", width="medium", on_dismiss=dialogs.close)
def _draw_closing(person: UserView) -> None:
    st.markdown(
        f"**{escape_markdown(person.full_name)}** ({escape_markdown(person.email)}) is out of every organisation at "
        "the next click. What they did stays."
    )
    reason = st.text_area("Reason", key="closing-reason", help="10 to 500 characters.", max_chars=500)
    if st.button("Close it", type="primary", icon=":material/lock_person:"):
        _run(lambda: deactivate_account(actor, person.user_id, reason), "Account closed")


@st.dialog("Reopen the account", width="medium", on_dismiss=dialogs.close)
def _draw_reopening(person: UserView) -> None:
    st.markdown(
        f"**{escape_markdown(person.full_name)}** may sign in again, for each organisation that still has them."
    )
    if st.button("Reopen it", type="primary", icon=":material/lock_open:"):
        _run(lambda: reactivate_account(actor, person.user_id), "Account reopened")


@st.dialog("Release the identity", width="medium", on_dismiss=dialogs.close)
def _draw_release(person: UserView) -> None:
    st.markdown(
        f"Whoever signs in next with the verified address **{escape_markdown(person.email)}** gets the account of "
        f"**{escape_markdown(person.full_name)}**. Make sure first who asks, on a way that doesn't depend on that address."
    )
    reason = st.text_area("Reason", key="release-reason", help="10 to 500 characters.", max_chars=500)
    if st.button("Release it", type="primary", icon=":material/link_off:"):
        _run(lambda: release_identity(actor, person.user_id, reason), "Identity released")


def _run(operation: Callable[[], UserView | User], outcome: str, *, clear: bool = False) -> None:
    """Run an operation and close the dialog; a refusal stands in it, and what was typed stays."""
    try:
        person = operation()
    except RegisterError as refused:
        show_refusal(refused, LABELS)
        return
    if clear:
        INVITATION.clear()
    st.toast(f"{outcome}: {person.full_name}.", icon=":material/task_alt:")
    dialogs.close()
    st.rerun()


def _draw_act(person: UserView, label: str, name: str, icon: str, dialog: Callable[[UserView], None]) -> None:
    st.button(label, key=name, icon=f":material/{icon}:", on_click=dialogs.ask, args=(name,))
    if dialogs.is_open(name):
        dialog(person)


def _draw_account_acts(person: UserView, key: str) -> None:
    """Draw the acts on the whole account of somebody else, for the FMAR administrator."""
    if not may(actor, "account.manage") or person.user_id == actor.user_id:
        return
    if person.account_closed:
        _draw_act(person, "Reopen the account", f"reopen-{key}", "lock_open", _draw_reopening)
    else:
        _draw_act(person, "Close the account", f"close-{key}", "lock_person", _draw_closing)
    if person.identity_bound:
        _draw_act(person, "Release the identity", f"release-{key}", "link_off", _draw_release)


def _draw_person(person: UserView) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape_markdown(person.full_name)}**")
            st.badge(person.status.value, color=BADGES[person.status])
            if person.user_id == actor.user_id:
                st.badge("You", color="violet")
        st.caption(escape_markdown(f"{person.email} · {person.role_label} · since {show_moment(person.recorded_at)}"))
        if person.name_warning:
            st.caption(f":material/warning: {escape_markdown(person.name_warning)}")
        if person.status_reason:
            st.caption(f"Reason: {escape_markdown(person.status_reason)}")
        with st.container(horizontal=True):
            key = str(person.membership_id)
            if person.status is not MembershipStatus.DEACTIVATED:
                _draw_act(person, "Roles", f"roles-{key}", "tune", _draw_roles)
                _draw_act(person, "Deactivate", f"off-{key}", "person_off", _draw_deactivation)
            elif not person.account_closed and st.button("Reactivate", key=f"re-{key}", icon=":material/person_check:"):
                _run(lambda: reactivate_user(actor, person.membership_id, person.version), "Reactivated")
            _draw_account_acts(person, key)


actor = session.actor()
st.title("Users")
st.caption("Who works for the organisation, and with which roles. A change takes effect at the person's next click.")
organisation_id = choose_organisation(actor, key="users")
offered = assignable_in(actor, organisation_id)
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.button("Invite a user", type="primary", icon=":material/person_add:", on_click=dialogs.ask, args=("invite",))
    if dialogs.is_open("invite"):
        _draw_invitation()
    text = st.text_input("Find", key="users-text", placeholder="Part of a name or address", live="300ms", width=320)
people = list_users(actor, organisation_id, text=text)
for person in people:
    _draw_person(person)
if not people:
    st.info(
        "Nobody of that name works here. Search for less."
        if text
        else "Nobody works here yet. Invite the first person.",
        icon=":material/group:",
    )
