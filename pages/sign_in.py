"""The front door: what the register is, and how to come in; every refusal says what to do next."""

from collections.abc import Sequence

import streamlit as st

from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.session import Session, become, is_applicant, leave
from services.core.settings import settings
from services.participants.identity import Persona

PROMISES = (
    (
        ":material/how_to_reg:",
        "Register once",
        "One record of every organisation and every flexible asset, held against the public registers that know it.",
    ),
    (
        ":material/verified:",
        "Qualify once",
        "System operators see the same verified data, so that nobody asks for it a second time.",
    ),
    (
        ":material/share:",
        "Use many times",
        "Every market and platform reads one register, each only what it may see. Every change is kept for good.",
    ),
)


def _draw_welcome() -> None:
    st.title("Flexibility Market Asset Registration")
    st.markdown(
        "##### The register of flexible energy assets in Great Britain: who provides flexibility, and with which assets."
    )
    cells = st.grid(3, min_column_width=260)
    for icon, title, words in PROMISES:
        with cells.container(border=True, height="stretch"):
            st.markdown(f"#### {icon} {title}")
            st.markdown(words)


def _draw_personas(personas: Sequence[Persona]) -> None:
    st.subheader("Who do you want to be?")
    st.info(
        "This is a demonstration. All organisations, people and assets are made up, there is no password, and the "
        "data can be put back to the start at any time. Choose a person: the menu shows what that role opens.",
        icon=":material/science:",
    )
    if not personas:
        st.warning(
            "There is nobody to be yet, because the register is empty. The operator lays down the demo data with "
            "`make reset-demo`.",
            icon=":material/person_off:",
        )
    cells = st.grid(3, min_column_width=260)
    for persona in personas:
        with cells.container(border=True, height="stretch"):
            st.markdown(f"**{escape_markdown(persona.label)}**")
            st.caption(escape_markdown(persona.description))
            st.button(
                f"Be {persona.label}",
                key=f"be-{persona.key}",
                icon=":material/login:",
                on_click=become,
                args=(persona.key,),
                width="stretch",
            )


def _draw_sign_in(visitor: Session) -> None:
    if visitor.refusal and not is_applicant(visitor.actor):
        st.error(escape_markdown(visitor.refusal), icon=":material/lock_person:")
        if len(visitor.choices) > 1:
            st.caption("You belong to several organisations: choose another under “Acting for” at the top.")
    st.subheader("Sign in")
    with st.container(horizontal=True):
        for provider in settings().oidc_providers:
            st.button(
                f"Sign in with {provider.label}",
                key=f"provider-{provider.name}",
                icon=":material/login:",
                type="primary",
                on_click=st.login,
                args=(provider.name,),
            )
        if visitor.signed_in:
            st.button("Sign out here", icon=":material/logout:", on_click=leave)
    st.caption(
        "You need an account at one of these providers with a verified email address: the one that your organisation's "
        "administrator invited. New here? Sign in, then register your organisation."
    )


def _draw_applicant(visitor: Session) -> None:
    name = visitor.actor.name if visitor.actor else ""
    st.subheader(f"Welcome, {escape_markdown(name)}")
    st.markdown(escape_markdown(visitor.refusal or "You don't act for an organisation yet."))
    link("participants/register_organisation.py", "Register an organisation", "domain_add")
    st.caption(
        "Waiting for an invitation? Your organisation's administrator invites you under Users; then sign in again."
    )


current = session.current()
_draw_welcome()
if is_applicant(current.actor):
    _draw_applicant(current)
elif settings().demo:
    if current.refusal:
        st.error(escape_markdown(current.refusal), icon=":material/lock_person:")
    _draw_personas(current.personas)
else:
    _draw_sign_in(current)
