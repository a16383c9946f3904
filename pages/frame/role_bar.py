"""The bar at the top of every page: search, what waits, who is at the screen and for whom they act, and the way out."""

import json
from uuid import UUID

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.search_box import draw_search
from pages.frame.session import (
    ACTING_COOKIE,
    ACTING_FOR,
    FROM_THE_TOP,
    PERSONA_COOKIE,
    Session,
    act_for,
    become,
    is_applicant,
    leave,
)
from pages.frame.tasks import read_counts
from services.core.identity.actor import Actor
from services.core.settings import settings

KEY = "role-bar"
ACTING, SWITCH = "acting-for", "switch-role"
ACTIONS = """<div class="fmar-actions">
<button type="button" data-fmar="theme">Dark or light</button>
<button type="button" data-fmar="present">Present this page</button>
<button type="button" data-fmar="link">Copy link</button>
<button type="button" data-fmar="print">Print</button>
<button type="button" data-fmar="keys">Keyboard shortcuts</button>
</div>"""
"""What `static/frame.js` does in the browser."""
TO_THE_TOP = """<script>document.querySelector('[data-testid="stMain"]').scrollTo(0, 0)</script>"""


def draw_role_bar(session: Session) -> None:
    """Draw the bar for somebody who has signed in; for others, let the browser forget who was here."""
    if session.signed_in:
        with st.container(key=KEY, horizontal=True, vertical_alignment="center", gap="small"):
            if session.actor is not None and not is_applicant(session.actor):
                draw_search(session.actor)
                _draw_bell(session.actor)
            if settings().demo:
                st.badge("Demo: made-up data", icon=":material/science:", color="orange")
                _draw_switch(session)
            _draw_person(session)
    _remember(session)
    if st.session_state.pop(FROM_THE_TOP, False):
        st.html(TO_THE_TOP, unsafe_allow_javascript=True)


def _draw_bell(actor: Actor) -> None:
    """The number of the actor's tasks, as a link to them."""
    count = sum(read_counts(actor).values())
    words = (
        "Nothing waits for you" if not count else f"{count:,} {'task waits' if count == 1 else 'tasks wait'} for you"
    )
    icon = ":material/notifications_active:" if count else ":material/notifications:"
    st.page_link("pages/home.py", label=f"**{count:,}**", icon=icon, help=words)


def _draw_switch(session: Session) -> None:
    """Demo only: the same page, record and filters through the eyes of another role."""
    others = {persona.label: persona.key for persona in session.personas}
    if others:
        st.menu_button(
            "Switch role",
            list(others),
            key=SWITCH,
            icon=":material/switch_account:",
            help="Demo only: see this page as somebody else. The record and the filters stay.",
            on_click=_switch_role,
            args=(others,),
        )


def _switch_role(keys: dict[str, str]) -> None:
    label = st.session_state.get(SWITCH)
    if label in keys:
        become(keys[label])


def _draw_person(session: Session) -> None:
    """Name, organisation and role, always in sight; behind them the organisation to act for, and sign-out."""
    person = session.actor
    name = escape_markdown(person.name) if person else "Not admitted"
    organisation = escape_markdown((person.organisation_name if person else None) or "No organisation yet")
    role = escape_markdown(person.role_label) if person else ""
    with st.popover(f"**{name}** {organisation}{f' · {role}' if role else ''}", icon=":material/account_circle:"):
        st.markdown(f"**{name}**\n\n{organisation}\n\n{role}")
        if len(session.choices) > 1:
            _choose_organisation(session)
        st.html(ACTIONS)
        st.button("Sign out", icon=":material/logout:", on_click=leave, width="stretch")


def _choose_organisation(session: Session) -> None:
    names = {choice.organisation_id: choice.organisation_name for choice in session.choices}
    options = list(names)
    current = st.session_state.get(ACTING_FOR)
    st.selectbox(
        "Acting for",
        options,
        index=options.index(current) if current is not None and current in names else 0,
        format_func=lambda identifier: names[identifier],
        key=ACTING,
        help="You belong to several organisations. What you see and do is for this one.",
        on_change=_act_for_chosen,
    )


def _act_for_chosen() -> None:
    organisation_id = st.session_state.get(ACTING)
    if isinstance(organisation_id, UUID):
        act_for(organisation_id)


def _remember(session: Session) -> None:
    """Have the browser keep who this is, so that a reload and a new tab stay the same person (`static/frame.js`)."""
    cookies = {ACTING_COOKIE: str(st.session_state.get(ACTING_FOR, "")) if session.signed_in else ""}
    if settings().demo:
        cookies[PERSONA_COOKIE] = str(st.session_state.get("persona", "")) if session.signed_in else ""
    st.html(f"<script>window.fmar?.remember({json.dumps(cookies)})</script>", unsafe_allow_javascript=True)
