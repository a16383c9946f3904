"""Whole accounts, across organisations: the FMAR administrator's acts (UC-01.04)."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, User, UserStatus
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.operation import operation
from services.core.transaction import current_session
from services.participants.administrators import require_another_administrator
from services.participants.reasons import require_reason


@operation("UC-01.04", permission="account.manage", name="deactivate_account")
def deactivate_account(actor: Actor, user_id: UUID, reason: str) -> User:
    """End a person's access everywhere, at once. Refused where an organisation, or the register, would lose its last
    administrator."""
    reason = require_reason(reason)
    user = reach(User, actor, user_id, "account.manage")
    if user.status is UserStatus.DEACTIVATED:
        raise Refused(f"The account of {user.full_name} is deactivated already.")
    for membership in _active_memberships(user_id):
        require_another_administrator(membership, membership.roles)
    user.status = UserStatus.DEACTIVATED
    user.status_reason = reason
    return user


@operation("UC-01.04", permission="account.manage", name="reactivate_account")
def reactivate_account(actor: Actor, user_id: UUID) -> User:
    """Let a person whose account was deactivated back into the organisations they belong to."""
    user = reach(User, actor, user_id, "account.manage")
    if user.status is UserStatus.ACTIVE:
        raise Refused(f"The account of {user.full_name} is not deactivated.")
    user.status = UserStatus.ACTIVE
    user.status_reason = None
    return user


@operation("UC-01.01", permission="account.manage", name="release_identity")
def release_identity(actor: Actor, user_id: UUID, reason: str) -> User:
    """Let go of the identity that an account is bound to: the next sign-in with its verified email binds it anew.

    For people whose organisation moved to another sign-in provider. The administrator makes sure who asks.
    """
    reason = require_reason(reason)
    user = reach(User, actor, user_id, "account.manage")
    if user.subject is None:
        raise Refused(f"The account of {user.full_name} is not bound to an identity.")
    user.issuer = user.subject = None
    user.status_reason = f"Identity released: {reason}"[:500]
    return user


def account_terms(user: User) -> dict[str, object]:
    """An account by ontology terms, as the FMAR administrator sees it."""
    return {
        "UserId": str(user.id),
        "FullName": user.full_name,
        "Email": user.email,
        "AccountStatus": user.status.value,
        "StatusReason": user.status_reason,
        "IdentityBound": user.subject is not None,
        "Version": user.version,
        "RecordedAt": user.recorded_at,
    }


def _active_memberships(user_id: UUID) -> list[Membership]:
    query = select(Membership).where(
        col(Membership.user_id) == user_id, col(Membership.status) == MembershipStatus.ACTIVE
    )
    return list(current_session().scalars(query.order_by(col(Membership.id))))
