"""API credentials (UC-05.04): made for a program, shown once, rotated, revoked, expiring."""

from datetime import datetime, time, timedelta

import streamlit as st

from models.participants import ROLE_LABELS, ApiClientStatus
from pages.components.common import dialogs
from pages.components.common.date_field import draw_date
from pages.components.common.organisation_picker import choose_organisation
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.core.clock import LONDON, show_date, show_moment, today
from services.core.errors import RegisterError
from services.participants.clients import (
    LONGEST_LIFE,
    USUAL_LIFE,
    ClientView,
    create_client,
    list_clients,
    revoke_client,
    rotate_secret,
)
from services.participants.users import assignable_in

SHOWN_ONCE = "credential-shown-once"
SOON = timedelta(days=30)


@st.dialog("New API credential", width="medium", on_dismiss=dialogs.close)
def _draw_creation() -> None:
    name = st.text_input("Name", key="client-name", placeholder="Which program uses it", max_chars=100)
    roles = st.multiselect(
        "Roles", assignable_in(actor, organisation_id), format_func=ROLE_LABELS.__getitem__, key="client-roles"
    )
    last = today() + LONGEST_LIFE - timedelta(days=1)
    until = draw_date(
        "Expires at the end of",
        key="client-until",
        value=today() + USUAL_LIFE,
        help="Two years ahead at most. Rotate the secret in between as often as you like.",
    )
    if st.button("Make it", type="primary", icon=":material/key:"):
        try:
            expires = datetime.combine(until.require() or last, time.max, LONDON)
            client, secret = create_client(actor, organisation_id, name or "", roles, expires)
        except RegisterError as refused:
            show_refusal(refused, {"ExpiresAt": "Expires at the end of"})
        else:
            st.session_state[SHOWN_ONCE] = (client.client_id, secret)
            dialogs.close()
            st.rerun()


@st.dialog("Rotate the secret", width="medium", on_dismiss=dialogs.close)
def _draw_rotation(client: ClientView) -> None:
    st.markdown(f"**{escape_markdown(client.name)}** gets a new secret. The old one opens nothing from that moment on.")
    if st.button("Rotate", type="primary", icon=":material/autorenew:"):
        try:
            _, secret = rotate_secret(actor, client.id, client.version)
        except RegisterError as refused:
            show_refusal(refused)
        else:
            st.session_state[SHOWN_ONCE] = (client.client_id, secret)
            dialogs.close()
            st.rerun()


@st.dialog("Revoke", width="medium", on_dismiss=dialogs.close)
def _draw_revocation(client: ClientView) -> None:
    st.markdown(f"**{escape_markdown(client.name)}** ends for good: its access tokens stop at the next call.")
    reason = st.text_area("Reason", key="revocation-reason", help="10 to 500 characters.", max_chars=500)
    if st.button("Revoke", type="primary", icon=":material/key_off:"):
        try:
            revoke_client(actor, client.id, reason, client.version)
        except RegisterError as refused:
            show_refusal(refused)
        else:
            dialogs.close()
            st.rerun()


def _draw_secret() -> None:
    client_id, secret = st.session_state[SHOWN_ONCE]
    with st.container(border=True):
        st.warning(
            "Copy the secret now: it is shown this once, and the register keeps only a hash of it.",
            icon=":material/visibility:",
        )
        st.markdown("Client ID")
        st.code(client_id, language=None)
        st.markdown("Secret")
        st.code(secret, language=None)
        if st.button("I have copied it", type="primary", icon=":material/task_alt:"):
            del st.session_state[SHOWN_ONCE]
            st.rerun()


def _draw_status(client: ClientView) -> None:
    if client.status is ApiClientStatus.REVOKED:
        st.badge("Revoked", color="gray")
    elif client.expired:
        st.badge("Expired", color="gray")
    elif client.expires_at and client.expires_at - datetime.now(LONDON) < SOON:
        st.badge("Expires soon", color="orange")
    else:
        st.badge("Active", color="green")


def _draw_client(client: ClientView) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape_markdown(client.name)}**")
            _draw_status(client)
        ends = show_date(client.expires_at.astimezone(LONDON).date()) if client.expires_at else "never"
        st.caption(escape_markdown(f"{client.role_label} · expires {ends} · changed {show_moment(client.recorded_at)}"))
        st.caption(f"Client ID `{client.client_id}`")
        if client.status_reason:
            st.caption(f"Reason: {escape_markdown(client.status_reason)}")
        if client.status is ApiClientStatus.ACTIVE:
            with st.container(horizontal=True):
                for label, name, icon, dialog in (
                    ("Rotate the secret", f"rotate-{client.id}", "autorenew", _draw_rotation),
                    ("Revoke", f"revoke-{client.id}", "key_off", _draw_revocation),
                ):
                    st.button(label, key=name, icon=f":material/{icon}:", on_click=dialogs.ask, args=(name,))
                    if dialogs.is_open(name):
                        dialog(client)


actor = session.actor()
st.title("API credentials")
st.caption(
    "Programs of the organisation sign in with these, and may do what the roles of the credential allow. The API is "
    "described at /api/docs."
)
organisation_id = choose_organisation(actor, key="clients")
if SHOWN_ONCE in st.session_state:
    _draw_secret()
else:
    st.button("New API credential", type="primary", icon=":material/add:", on_click=dialogs.ask, args=("credential",))
    if dialogs.is_open("credential"):
        _draw_creation()
clients = list_clients(actor, organisation_id)
for client in clients:
    _draw_client(client)
if not clients:
    st.info(
        "No program has a credential yet. Make one, and give its ID and secret to the program.", icon=":material/key:"
    )
