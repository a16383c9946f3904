"""Session of whoever is at the screen: an OIDC identity, or in demo mode a persona, looked up anew at every click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import streamlit as st

from models.participants import Role
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.settings import settings
from services.participants.identity import (
    Identity,
    MembershipChoice,
    Persona,
    SignInProblem,
    actor_for_user,
    applicant,
    demo_personas,
    memberships_of,
    sign_in,
    sign_out,
    sign_out_user,
)

ACTING_FOR = "acting_for"
PERSONA_COOKIE, ACTING_COOKIE = "fmar_person", "fmar_acting_for"
"""Cookies by which a reload and a new tab stay the same: the persona's key in demo mode, the organisation acted for.
Neither opens anything: the demo has no password, and only organisations that one belongs to count."""
SIGNED_OUT = "fmar_signed_out"
"""Set when a persona was left: the cookie of the websocket is still the old one."""
BEFORE = "fmar_persona_before"

SIGN_IN = "_streamlit_user"
"""The cookie of the portal's sign-in."""

FROM_THE_TOP = "from-the-top"
"""Set when a page follows the sign-in at the same address: the browser would stay where that was scrolled to."""


@dataclass(frozen=True, slots=True)
class Session:
    """Session of this run: the actor, or why there is none and what to do."""

    actor: Actor | None
    choices: list[MembershipChoice]
    refusal: str | None = None
    signed_in: bool = False
    personas: Sequence[Persona] = ()
    """In demo mode, whom one can be."""


NOBODY = Session(None, [])
WITHOUT_ORGANISATION = (SignInProblem.UNKNOWN, SignInProblem.NO_MEMBERSHIP)
"""Outcomes of a sign-in after which somebody may still register an organisation."""


def read_session() -> Session:
    """The session as it stands in the register now."""
    return _demo_session() if settings().demo else _live_session()


def current() -> Session:
    """The session that portal.py read for this run."""
    session = st.session_state.get("fmar_session")
    return session if isinstance(session, Session) else NOBODY


def actor() -> Actor:
    """The actor of this page run; pages that need one are only offered to somebody signed in."""
    person = st.session_state.get("fmar_actor")
    if not isinstance(person, Actor):
        st.info("Please sign in to see this page.")
        st.stop()
    return person


def _demo_session() -> Session:
    key = st.session_state.get("persona")
    if key is None and SIGNED_OUT not in st.session_state:
        key = _read_cookie(PERSONA_COOKIE)
    personas = demo_personas()
    persona = next((persona for persona in personas if persona.key == key), None)
    if persona is None:
        return replace(NOBODY, personas=personas)
    st.session_state["persona"] = persona.key
    session = _session_of(persona.user_id, memberships_of(persona.user_id), persona.organisation_id)
    return replace(session, personas=personas)


def _live_session() -> Session:
    identity = _identity()
    if identity is None:
        return NOBODY
    result = sign_in(identity)
    if result.user is not None:
        return _session_of(result.user.id, result.choices, None)
    if result.problem in WITHOUT_ORGANISATION and identity.email_verified:
        try:
            return Session(applicant(identity), [], result.message, signed_in=True)
        except RegisterError as refused:
            return Session(None, [], refused.message, signed_in=True)
    return Session(None, [], result.message, signed_in=True)


def _identity() -> Identity | None:
    """Identity that the provider vouches for in this browser; None when nobody has signed in."""
    claims = st.user.to_dict()
    return identity_of(claims) if claims.get("is_logged_in") else None


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """The identity that a provider's claims describe."""
    return Identity(
        issuer=str(claims.get("iss") or ""),
        subject=str(claims.get("sub") or ""),
        email=str(claims.get("email") or ""),
        email_verified=claims.get("email_verified") is True,
        name=str(claims.get("name") or claims.get("email") or "Somebody"),
        issued_at=_moment(claims.get("iat")),
    )


def _moment(seconds: object) -> datetime:
    """The moment a token was issued; one that doesn't say counts as long past, since its age can't be told."""
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.min.replace(tzinfo=UTC)


def _session_of(user_id: UUID, choices: list[MembershipChoice], preferred: UUID | None) -> Session:
    """The actor for the organisation chosen, else the preferred, else the only or first one."""
    identifiers = {choice.organisation_id for choice in choices}
    organisation_id = st.session_state.get(ACTING_FOR) or _acted_for()
    if organisation_id not in identifiers:
        organisation_id = preferred if preferred in identifiers else (choices[0].organisation_id if choices else None)
    if organisation_id is None:
        return Session(None, [], "You don't belong to an organisation that takes part.", signed_in=True)
    st.session_state[ACTING_FOR] = organisation_id
    try:
        return Session(actor_for_user(user_id, organisation_id), choices, signed_in=True)
    except RegisterError as refused:
        return Session(None, choices, refused.message, signed_in=True)


def _acted_for() -> UUID | None:
    """The organisation that this browser acted for last; None where it doesn't say."""
    try:
        return UUID(_read_cookie(ACTING_COOKIE) or "")
    except ValueError:
        return None


def _read_cookie(name: str) -> str | None:
    cookie: object = st.context.cookies.get(name)
    return cookie if isinstance(cookie, str) else None


def browser_mark() -> str | None:
    """The cookie of the sign-in, which tells this browser from others; None in demo mode, which has none."""
    return _read_cookie(SIGN_IN)


def become(persona_key: str) -> None:
    """Take a demo persona: the page, its record and its filters stay, what the last one had typed goes."""
    before = st.session_state.get("persona")
    st.session_state.clear()
    st.session_state["persona"] = persona_key
    if before is None:
        st.session_state[FROM_THE_TOP] = True
    elif before != persona_key:
        st.session_state[BEFORE] = before


def act_for(organisation_id: UUID) -> None:
    """Act for another organisation of one's own; the page, its record and its filters stay."""
    st.session_state[ACTING_FOR] = organisation_id


def persona_before() -> Persona | None:
    """Whom one was in the demo before the last switch of roles; None without one."""
    key = st.session_state.get(BEFORE)
    return next((persona for persona in current().personas if persona.key == key), None)


def leave() -> None:
    """Sign out: forget the persona, or end the person's sessions everywhere, then the provider's."""
    identity = None if settings().demo else _identity()
    persona = current().actor if settings().demo else None
    st.session_state.clear()
    st.query_params.clear()
    st.session_state[SIGNED_OUT] = True
    if persona is not None and persona.user_id is not None:
        sign_out_user(persona.user_id)
    if identity is not None:
        sign_out(identity)
        st.logout()


def is_applicant(somebody: Actor | None) -> bool:
    """Test whether the actor is signed in without an organisation."""
    return somebody is not None and somebody.roles == frozenset({Role.APPLICANT})
