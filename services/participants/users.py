"""People and what they may do in an organisation (UC-01.01, UC-01.04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, select
from sqlmodel import col

from models.events import EventType
from models.participants import ROLE_LABELS, Membership, MembershipStatus, Organisation, Role, User, UserStatus
from services.core.errors import Conflict, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.identity.resolve import email_key
from services.core.identity.roles import assignable_roles, role_findings, still_takes_part
from services.core.identity.visibility import reach, visible
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.text import clean_line, mixed_scripts
from services.core.transaction import current_session
from services.participants.administrators import require_another_administrator
from services.participants.reasons import require_reason

ACCOUNT_CLOSED = "The whole account is closed. The FMAR administrator can reopen it."


@dataclass(frozen=True, slots=True)
class UserView:
    """A person in one organisation. `version` is the membership's, to be named when it is changed."""

    user_id: UUID
    membership_id: UUID
    organisation_id: UUID
    organisation_name: str
    full_name: str
    email: str
    roles: list[Role]
    role_label: str
    status: MembershipStatus
    status_reason: str | None
    version: int
    recorded_at: datetime | None
    account_closed: bool
    """The whole account is, not only the access to this organisation."""
    identity_bound: bool
    """Whether the account belongs to an identity of a sign-in provider."""
    account_hidden: bool = False
    """Whose address it is, is not this actor's to know until the invitation is accepted: `user_id` is not to be shown."""

    @property
    def name_warning(self) -> str | None:
        """A word on a name whose letters are of several scripts, some of which look alike; None for any other."""
        scripts = mixed_scripts(self.full_name)
        if not scripts:
            return None
        return f"The name mixes letters of several scripts ({', '.join(scripts)}): it may look like somebody else's."

    def as_terms(self) -> dict[str, object]:
        """The view as API and exports name it."""
        return {
            "UserId": None if self.account_hidden else str(self.user_id),
            "MembershipId": str(self.membership_id),
            "FmarOrganisationId": str(self.organisation_id),
            "OrganisationLegalName": self.organisation_name,
            "FullName": self.full_name,
            "NameWarning": self.name_warning,
            "Email": self.email,
            "Roles": [role.value for role in self.roles],
            "UserStatus": self.status.value,
            "StatusReason": self.status_reason,
            "Version": self.version,
            "RecordedAt": self.recorded_at,
        }


def _view(actor: Actor, membership: Membership, user: User, organisation: Organisation) -> UserView:
    """A person as the actor may see them.

    Why the FMAR administrator closed an account is no organisation's to know. Until an invitation is accepted, everything is
    as the invitation said: an address that belongs to somebody is shown as one that belongs to nobody.
    """
    hidden = _is_pending(membership) and not (may(actor, "account.manage") or actor.has(Role.SYSTEM))
    closed = user.status is UserStatus.DEACTIVATED and not hidden
    closed_because = user.status_reason if may(actor, "account.manage") else ACCOUNT_CLOSED
    roles = [role for role in Role if role in membership.roles]
    return UserView(
        user_id=user.id,
        membership_id=membership.id,
        organisation_id=organisation.id,
        organisation_name=organisation.organisation_legal_name,
        full_name=(membership.invited_name or user.email) if hidden else user.full_name,
        email=user.email,
        roles=roles,
        role_label=", ".join(ROLE_LABELS[role] for role in roles),
        status=MembershipStatus.DEACTIVATED if closed else membership.status,
        status_reason=closed_because if closed else membership.status_reason,
        version=membership.version,
        recorded_at=membership.recorded_at,
        account_closed=closed,
        identity_bound=user.subject is not None and not hidden,
        account_hidden=hidden,
    )


def _is_pending(membership: Membership) -> bool:
    """Tell whether an invitation has not been accepted, be it open or withdrawn."""
    return membership.invited_name is not None or membership.status is MembershipStatus.INVITED


@operation("UC-01.01", permission="user.read", writes=False, name="list_users")
def list_users(
    actor: Actor,
    organisation_id: UUID | None = None,
    *,
    status: MembershipStatus | None = None,
    text: str | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> list[UserView]:
    """The people of the organisations that the actor may see, in the order of invitation; at most 1,000.

    `after` is the `membership_id` of the last one already known. `text` is part of a name or email address.
    """
    query = (
        select(Membership, User, Organisation)
        .join(User, col(User.id) == col(Membership.user_id))
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(visible(Membership, actor))
    )
    if organisation_id is not None:
        query = query.where(col(Membership.organisation_id) == organisation_id)
    if status is not None:
        query = query.where(col(Membership.status) == status)
    if text and text.strip():
        part = text.strip()
        invited = case((_invitation_open(actor), col(Membership.invited_name)), else_=col(User.full_name))
        query = query.where(invited.icontains(part, autoescape=True) | col(User.email).icontains(part, autoescape=True))
    if after is not None:
        query = query.where(col(Membership.id) > after)
    rows = current_session().execute(query.order_by(col(Membership.id)).limit(max(1, min(limit, 1000))))
    return [_view(actor, *row) for row in rows]


def _invitation_open(actor: Actor) -> ColumnElement[bool]:
    """The SQL condition for people whose name the actor doesn't know but by the invitation, as `_view` hides it."""
    if may(actor, "account.manage") or actor.has(Role.SYSTEM):
        return false()
    return col(Membership.invited_name).is_not(None) | (col(Membership.status) == MembershipStatus.INVITED)


@operation("UC-01.01", permission="user.read", writes=False, name="assignable_in")
def assignable_in(actor: Actor, organisation_id: UUID) -> list[Role]:
    """The roles that the actor can give in an organisation: what an invitation offers."""
    organisation = reach(Organisation, actor, organisation_id, "user.read", lock=False)
    return [
        role
        for role in assignable_roles(organisation.organisation_roles)
        if not role_findings([role], organisation, actor)
    ]


@operation("UC-01.01", permission="user.manage", name="invite_user")
def invite_user(actor: Actor, organisation_id: UUID, full_name: str, email: str, roles: Sequence[str]) -> UserView:
    """Invite a person into an organisation; the invitation is accepted by the first sign-in with that verified email.

    Somebody known from another organisation keeps name and account; the answer is the same for an address that nobody has.
    Raises Invalid with all findings, Refused for somebody
    who belongs to the organisation already.
    """
    organisation = _organisation(actor, organisation_id)
    findings, address, name = _person_findings(full_name, email)
    findings += role_findings(roles, organisation, actor)
    if findings:
        raise Invalid(findings)
    session = current_session()
    user = session.scalar(select(User).where(col(User.email) == address))
    if user is None:
        user = User(email=address, full_name=name)
        session.add(user)
        session.flush()
    held = session.scalar(
        select(Membership).where(col(Membership.user_id) == user.id, col(Membership.organisation_id) == organisation.id)
    )
    if held is not None:
        onward = (
            "Reactivate them instead." if held.status is MembershipStatus.DEACTIVATED else "Change their roles instead."
        )
        raise Refused(f"{address} belongs to {organisation.organisation_legal_name} already. {onward}")
    membership = Membership(user_id=user.id, organisation_id=organisation.id, roles=_sorted(roles), invited_name=name)
    session.add(membership)
    session.flush()
    emit(EventType.USER_INVITED, membership, organisation_id=organisation.id)
    return _view(actor, membership, user, organisation)


@operation("UC-01.01", permission="user.manage", name="change_roles")
def change_roles(actor: Actor, membership_id: UUID, roles: Sequence[str], version: int | None = None) -> UserView:
    """Give a person other roles in an organisation. Refused when that would leave it without an administrator.

    With `version` (the membership's, as read), raises Conflict when somebody else changed it since.
    """
    membership, user, organisation = _membership(actor, membership_id, version)
    findings = role_findings(roles, organisation, actor)
    if findings:
        raise Invalid(findings)
    _require_power(actor, membership)
    require_another_administrator(membership, set(membership.roles) - set(roles))
    membership.roles = _sorted(roles)
    current_session().flush()
    return _view(actor, membership, user, organisation)


@operation("UC-01.04", permission="user.manage", name="deactivate_user")
def deactivate_user(actor: Actor, membership_id: UUID, reason: str, version: int | None = None) -> UserView:
    """End a person's access to one organisation, at once. Other organisations of the same person are not touched.

    Refused for the organisation's, or the register's, last administrator.
    """
    reason = require_reason(reason)
    membership, user, organisation = _membership(actor, membership_id, version)
    if membership.status is MembershipStatus.DEACTIVATED:
        name = _view(actor, membership, user, organisation).full_name
        raise Refused(f"{name} is deactivated already.")
    _require_power(actor, membership)
    require_another_administrator(membership, membership.roles)
    membership.status = MembershipStatus.DEACTIVATED
    membership.status_reason = reason
    current_session().flush()
    emit(EventType.USER_DEACTIVATED, membership, organisation_id=organisation.id)
    return _view(actor, membership, user, organisation)


@operation("UC-01.04", permission="user.manage", name="reactivate_user")
def reactivate_user(actor: Actor, membership_id: UUID, version: int | None = None) -> UserView:
    """Give a deactivated person access again, with the roles held before where those still fit.

    Somebody who never signed in is invited again.
    """
    membership, user, organisation = _membership(actor, membership_id, version)
    if membership.status is not MembershipStatus.DEACTIVATED:
        name = _view(actor, membership, user, organisation).full_name
        raise Refused(f"{name} is not deactivated.")
    _require_power(actor, membership)
    findings = role_findings(membership.roles, organisation, actor)
    if findings:
        raise Invalid(findings)
    accepted = user.subject is not None and membership.invited_name is None
    membership.status = MembershipStatus.ACTIVE if accepted else MembershipStatus.INVITED
    membership.status_reason = None
    current_session().flush()
    emit(EventType.USER_REACTIVATED, membership, organisation_id=organisation.id)
    return _view(actor, membership, user, organisation)


def _organisation(actor: Actor, organisation_id: UUID) -> Organisation:
    organisation = reach(Organisation, actor, organisation_id, "user.manage")
    if not still_takes_part(organisation):
        raise Refused(
            f"{organisation.organisation_legal_name} is {organisation.organisation_status.lower()}: it has no users any more."
        )
    return organisation


def _membership(actor: Actor, membership_id: UUID, version: int | None) -> tuple[Membership, User, Organisation]:
    membership = reach(Membership, actor, membership_id, "user.manage")
    organisation = _organisation(actor, membership.organisation_id)
    user = current_session().get_one(User, membership.user_id)
    if version is not None and membership.version != version:
        view = _view(actor, membership, user, organisation)
        raise Conflict(f"{view.full_name} was changed by somebody else since you read it.", current=view.as_terms())
    return membership, user, organisation


def _require_power(actor: Actor, membership: Membership) -> None:
    """An FMAR administrator's membership is changed by one who is."""
    if Role.ADMINISTRATOR in membership.roles and not actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
        raise Refused("An FMAR administrator's access is changed by another FMAR administrator.")


def _person_findings(full_name: str, email: str) -> tuple[list[Finding], str, str]:
    """Findings about name and address, and both as they are kept."""
    findings = []
    name = clean_line(full_name)
    if not 2 <= len(name) <= 200:
        findings.append(
            Finding("USER-01", "FullName", name or None, "2 to 200 characters", "Give the person's full name.")
        )
    from email_validator import EmailNotValidError, validate_email

    try:
        address = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        words = "Give the email address that the person signs in with, such as name@example.org."
        findings.append(Finding("USER-02", "Email", email.strip() or None, "an email address", words))
        address = ""
    return findings, email_key(address), name


def _sorted(roles: Sequence[str]) -> list[str]:
    return [role.value for role in Role if role in roles]
