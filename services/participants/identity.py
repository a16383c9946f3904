"""Sign-in and identity: from an OIDC identity, a persona or a credential to the actor of one click or call (UC-01.01)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.participants import (
    ROLE_LABELS,
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationStatus,
    Role,
    User,
    UserStatus,
)
from services.core.errors import Forbidden
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_for_client, actor_for_user, email_key, reading_as_register
from services.core.identity.roles import still_takes_part
from services.core.operation import operation
from services.core.transaction import current_session
from services.participants.personas import Persona, demo_personas
from services.participants.sessions import end_sessions, session_over, signed_out_since

__all__ = [
    "ADVICE",
    "Identity",
    "MembershipChoice",
    "Persona",
    "SignIn",
    "SignInProblem",
    "actor_for_client",
    "actor_for_user",
    "applicant",
    "demo_personas",
    "has_session",
    "memberships_of",
    "sign_in",
    "sign_out",
    "sign_out_user",
]


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity that an OIDC provider vouches for: `issuer` and `subject` name the person for good, `email` may change."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    issued_at: datetime | None = None
    """When the provider signed this (`iat`); None where there is no session that could have ended."""


@dataclass(frozen=True, slots=True)
class MembershipChoice:
    """An organisation that a person can choose to act for."""

    organisation_id: UUID
    organisation_name: str
    organisation_status: OrganisationStatus
    roles: frozenset[Role]
    role_label: str


class SignInProblem(StrEnum):
    """Why a sign-in leads nowhere."""

    UNKNOWN = "UNKNOWN"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    DEACTIVATED = "DEACTIVATED"
    NO_MEMBERSHIP = "NO_MEMBERSHIP"
    IDENTITY_MISMATCH = "IDENTITY_MISMATCH"
    SESSION_ENDED = "SESSION_ENDED"


ADVICE: dict[SignInProblem, str] = {
    SignInProblem.UNKNOWN: "Nobody is registered under this email address. Ask your organisation's administrator to "
    "invite you, or register a new organisation.",
    SignInProblem.EMAIL_NOT_VERIFIED: "Your sign-in provider has not verified your email address. Verify it there, then "
    "sign in again.",
    SignInProblem.DEACTIVATED: "Your access has been deactivated. Ask your organisation's administrator if this is "
    "unexpected.",
    SignInProblem.NO_MEMBERSHIP: "You don't belong to an organisation that takes part. Ask its administrator to invite "
    "you, or register a new organisation.",
    SignInProblem.IDENTITY_MISMATCH: "This email address belongs to a person who signs in with another account. Use that "
    "account, or ask the FMAR administrator to release it.",
    SignInProblem.SESSION_ENDED: "Your session has ended. Sign in again.",
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """The outcome of a sign-in: the person and the choices, or the problem and what to do next in `message`."""

    user: User | None
    choices: list[MembershipChoice]
    problem: SignInProblem | None = None
    message: str | None = None


def sign_in(identity: Identity) -> SignIn:
    """Find the account of an identity; its first sign-in binds it and accepts invitations.

    The first time goes by verified email, from then on by issuer and subject only: a changed email at the provider opens no
    other account, and another subject with the email of a bound account is refused. A session that is too old, or that the
    person has signed out of, opens nothing (`services.participants.sessions`).
    """
    with reading_as_register("sign_in"):
        user, problem = _account(identity)
        waiting = user is not None and (user.subject is None or _invitations(user.id))
    if problem is None and user is not None and waiting:
        acting = replace(system_actor(user.full_name), user_id=user.id, email=user.email)
        user, problem = bind_identity(acting, identity)
    if user is None or problem is not None:
        problem = problem or SignInProblem.UNKNOWN
        return SignIn(None, [], problem, ADVICE[problem])
    choices = memberships_of(user.id)
    if choices:
        return SignIn(user, choices)
    with reading_as_register("sign_in"):
        problem, message = _why_nothing(user.id)
    return SignIn(None, [], problem, message)


def _account(identity: Identity) -> tuple[User | None, SignInProblem | None]:
    """The account that an identity opens, bound or about to be, or why it opens none."""
    if not identity.issuer or not identity.subject:
        return None, SignInProblem.UNKNOWN
    if session_over(identity.issued_at):
        return None, SignInProblem.SESSION_ENDED
    user = find_bound(identity.issuer, identity.subject)
    if user is None:
        if not identity.email_verified or not identity.email.strip():
            return None, SignInProblem.EMAIL_NOT_VERIFIED
        user = current_session().scalar(select(User).where(col(User.email) == email_key(identity.email)))
        if user is None:
            return None, SignInProblem.UNKNOWN
        # Bound to this very identity between the two looks: a second window of the same person.
        if user.subject is not None and (user.issuer, user.subject) != (identity.issuer, identity.subject):
            return None, SignInProblem.IDENTITY_MISMATCH
    if signed_out_since(user, identity.issued_at):
        return None, SignInProblem.SESSION_ENDED
    return (user, None) if user.status is UserStatus.ACTIVE else (None, SignInProblem.DEACTIVATED)


def find_bound(issuer: str, subject: str) -> User | None:
    """The account bound to an issuer and subject, inside a transaction."""
    bound = select(User).where(col(User.issuer) == issuer, col(User.subject) == subject)
    return current_session().scalar(bound)


def sign_out(identity: Identity) -> None:
    """End all sessions of a person, here and wherever else the sign-in cookie was copied to.

    Without an account (an applicant, somebody unknown) there is nothing to end in the register; the cookie's age remains.
    """
    with reading_as_register("sign_out"):
        user = find_bound(identity.issuer, identity.subject) if identity.issuer and identity.subject else None
    if user is not None:
        acting = replace(system_actor(user.full_name), user_id=user.id, email=user.email)
        end_sessions(acting, user.id, identity.issued_at)


def sign_out_user(user_id: UUID) -> None:
    """End all sessions of a person who is known by account: a persona of the demo, who has no identity at a provider."""
    with reading_as_register("sign_out") as session:
        user = session.get_one(User, user_id)
    acting = replace(system_actor(user.full_name), user_id=user.id, email=user.email)
    end_sessions(acting, user.id, None)


def has_session(identity: Identity) -> bool | None:
    """Tell whether a sign-in still opens the register; None for somebody without an account, for whom nothing can end."""
    if session_over(identity.issued_at):
        return False
    with reading_as_register("sign_out"):
        user = find_bound(identity.issuer, identity.subject) if identity.issuer and identity.subject else None
    return None if user is None else not signed_out_since(user, identity.issued_at)


def _invitations(user_id: UUID) -> list[Membership]:
    query = select(Membership).where(
        col(Membership.user_id) == user_id, col(Membership.status) == MembershipStatus.INVITED
    )
    return list(current_session().scalars(query))


@operation("UC-01.01", permission="user.manage", name="bind_identity")
def bind_identity(actor: Actor, identity: Identity) -> tuple[User | None, SignInProblem | None]:
    """Bind an account to the identity that signs in for the first time, and accept its invitations.

    Called by `sign_in` in the name of the register; what stood when it looked may have moved since, so it looks again.
    """
    if not actor.has(Role.SYSTEM):
        raise Forbidden("Identities are bound by signing in, by nobody else.")
    user, problem = _account(identity)
    if user is not None:
        if user.subject is None:
            user.issuer, user.subject = identity.issuer, identity.subject
        for membership in _invitations(user.id):
            membership.status, membership.invited_name = MembershipStatus.ACTIVE, None
    return user, problem


def _why_nothing(user_id: UUID) -> tuple[SignInProblem, str]:
    rows = (
        current_session()
        .execute(
            select(Membership, Organisation)
            .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
            .where(col(Membership.user_id) == user_id)
            .order_by(col(Membership.id).desc())
        )
        .all()
    )
    if any(membership.status is MembershipStatus.DEACTIVATED for membership, _ in rows):
        return SignInProblem.DEACTIVATED, ADVICE[SignInProblem.DEACTIVATED]
    for _, organisation in rows:
        status = organisation.organisation_status.value.lower()
        reason = f" ({organisation.status_reason})" if organisation.status_reason else ""
        words = f"{organisation.organisation_legal_name} was {status}{reason}. {ADVICE[SignInProblem.NO_MEMBERSHIP]}"
        return SignInProblem.NO_MEMBERSHIP, words
    return SignInProblem.NO_MEMBERSHIP, ADVICE[SignInProblem.NO_MEMBERSHIP]


def memberships_of(user_id: UUID) -> list[MembershipChoice]:
    """The organisations that a person can act for, by name; suspended ones included, since they say why they are shut."""
    with reading_as_register("memberships_of") as session:
        rows = session.execute(
            select(Membership, Organisation)
            .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
            .join(User, col(User.id) == col(Membership.user_id))
            .where(
                col(Membership.user_id) == user_id,
                col(Membership.status) == MembershipStatus.ACTIVE,
                col(User.status) == UserStatus.ACTIVE,
            )
            .order_by(col(Organisation.organisation_legal_name))
        ).all()
    return [
        MembershipChoice(
            organisation.id,
            organisation.organisation_legal_name,
            organisation.organisation_status,
            frozenset(map(Role, membership.roles)),
            ", ".join(ROLE_LABELS[role] for role in Role if role in membership.roles),
        )
        for membership, organisation in rows
        if still_takes_part(organisation)
    ]


def applicant(identity: Identity) -> Actor:
    """Somebody signed in without an organisation to act for: may register one, and nothing else.

    Raises Forbidden for an unverified email, a deactivated account, or the email of somebody else's account.
    """
    with reading_as_register("applicant"):
        user, problem = _account(identity)
    if problem not in (None, SignInProblem.UNKNOWN) or not (identity.issuer and identity.subject):
        raise Forbidden(ADVICE[problem or SignInProblem.UNKNOWN])
    return Actor(
        name=user.full_name if user else identity.name.strip() or identity.email,
        roles=frozenset({Role.APPLICANT}),
        user_id=user.id if user else None,
        email=user.email if user else email_key(identity.email),
        issuer=identity.issuer,
        subject=identity.subject,
    )
