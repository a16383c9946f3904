"""The top of the portal: which register this is, who is at the screen, for whom they act, and the way out."""

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.session import ACTING_FOR, FROM_THE_TOP, Session, become, leave
from services.core.settings import settings

TO_THE_TOP = """<script>document.querySelector('[data-testid="stMain"]').scrollTo(0, 0)</script>"""
WRAPPED = """<style>
[data-testid="stPageLink"] a, [data-testid="stPageLink"] a * { white-space: normal; overflow: visible; text-overflow: clip; }
[data-testid="stPageLink"] a { height: auto; }
</style>"""
"""A sentence that is a link is broken into lines on a telephone, rather than cut off."""


def draw_sidebar(session: Session) -> None:
    """Foot of the menu: the person signed in, the choice of organisation or persona, and sign-out."""
    with st.sidebar:
        if settings().demo:
            st.badge("Demo: made-up data", icon=":material/science:", color="orange")
        if session.actor is not None:
            st.markdown(f"**{escape_markdown(session.actor.name)}**")
            st.caption(escape_markdown(session.actor.organisation_name or "No organisation yet"))
            st.caption(escape_markdown(session.actor.role_label))
        if len(session.choices) > 1:
            _choose_organisation(session)
        if settings().demo and session.signed_in:
            _choose_persona(session)
        if session.signed_in:
            st.button("Sign out", icon=":material/logout:", on_click=leave, width="stretch")
        st.html(WRAPPED)
        if st.session_state.pop(FROM_THE_TOP, False):
            st.html(TO_THE_TOP, unsafe_allow_javascript=True)


def _choose_organisation(session: Session) -> None:
    names = {choice.organisation_id: choice.organisation_name for choice in session.choices}
    current = st.session_state.get(ACTING_FOR)
    options = list(names)
    selected = st.selectbox(
        "Acting for",
        options,
        index=options.index(current) if current is not None and current in names else 0,
        format_func=lambda identifier: names[identifier],
        help="You belong to several organisations. What you see and do is for this one.",
    )
    if selected != current:
        st.session_state[ACTING_FOR] = selected
        st.rerun()


def _choose_persona(session: Session) -> None:
    personas = {persona.key: persona.label for persona in session.personas}
    current = st.session_state.get("persona")
    options = list(personas)
    selected = st.selectbox(
        "Be somebody else",
        options,
        index=options.index(current) if current in personas else 0,
        format_func=lambda key: personas[key],
        help="Demo only: see the register through the eyes of another role.",
    )
    if selected != current:
        become(selected)
        st.rerun()
