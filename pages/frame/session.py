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
PERSONA = "as"
"""In demo mode the persona's key stays in the address, so that a reload keeps it. It opens nothing: it is a demo."""

SIGN_IN = "_streamlit_user"
"""The cookie of the portal's sign-in."""

FROM_THE_TOP = "from-the-top"
"""Set when somebody else's page follows at the same address: the browser would stay where the last one was scrolled to."""


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
    key = st.session_state.get("persona") or st.query_params.get(PERSONA)
    personas = demo_personas()
    persona = next((persona for persona in personas if persona.key == key), None)
    if persona is None:
        return replace(NOBODY, personas=personas)
    st.session_state["persona"] = persona.key
    if st.query_params.get(PERSONA) != persona.key:
        st.query_params[PERSONA] = persona.key
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
    organisation_id = st.session_state.get(ACTING_FOR)
    if organisation_id not in identifiers:
        organisation_id = preferred if preferred in identifiers else (choices[0].organisation_id if choices else None)
    if organisation_id is None:
        return Session(None, [], "You don't belong to an organisation that takes part.", signed_in=True)
    st.session_state[ACTING_FOR] = organisation_id
    try:
        return Session(actor_for_user(user_id, organisation_id), choices, signed_in=True)
    except RegisterError as refused:
        return Session(None, choices, refused.message, signed_in=True)


def browser_mark() -> str | None:
    """The cookie of the sign-in, which tells this browser from others; None in demo mode, which has none."""
    cookie: object = st.context.cookies.get(SIGN_IN)
    return cookie if isinstance(cookie, str) else None


def become(persona_key: str) -> None:
    """Take a demo persona, leaving behind what the last one had on screen."""
    before = st.session_state.get("persona")
    st.session_state.clear()
    st.session_state["persona"] = persona_key
    st.session_state[FROM_THE_TOP] = True
    if before is not None:
        # What the last persona was looking at may not be there for this one.
        st.query_params.clear()
    st.query_params[PERSONA] = persona_key


def leave() -> None:
    """Sign out: forget the persona, or end the person's sessions everywhere, then the provider's."""
    identity = None if settings().demo else _identity()
    persona = current().actor if settings().demo else None
    st.session_state.clear()
    st.query_params.clear()
    if persona is not None and persona.user_id is not None:
        sign_out_user(persona.user_id)
    if identity is not None:
        sign_out(identity)
        st.logout()


def is_applicant(somebody: Actor | None) -> bool:
    """Test whether the actor is signed in without an organisation."""
    return somebody is not None and somebody.roles == frozenset({Role.APPLICANT})
