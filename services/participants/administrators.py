"""Nobody locks the register, or an organisation, by taking its last administrator away (UC-01.04)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, Organisation, OrganisationStatus, Role, User, UserStatus
from services.core.errors import Refused
from services.core.transaction import current_session

LAST_ADMINISTRATOR = (
    "This is the last FMAR administrator: without one nobody could govern the register. Give the role to somebody else "
    "first; it counts from their first sign-in."
)
LAST_OF_ORGANISATION = (
    "This is the organisation's last administrator. Give the role to somebody else first; it counts from their first "
    "sign-in."
)


def _holders(role: Role, *conditions: ColumnElement[bool]) -> list[Membership]:
    """The memberships that carry a role today, locked: person and membership active, organisation able to act.

    The lock covers the people and organisations too, so that of two acts that each leave the other's administrator as the
    last one, the later sees what the earlier did.
    """
    query = (
        select(Membership)
        .join(User, col(User.id) == col(Membership.user_id))
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(
            cast(col(Membership.roles), String).contains(f'"{role}"', autoescape=True),
            col(Membership.status) == MembershipStatus.ACTIVE,
            col(User.status) == UserStatus.ACTIVE,
            col(Organisation.organisation_status).in_((OrganisationStatus.ACTIVE, OrganisationStatus.PENDING_APPROVAL)),
            *conditions,
        )
        .order_by(col(Membership.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(current_session().scalars(query))


def require_another_administrator(membership: Membership, losing: Iterable[str]) -> None:
    """Raise Refused when the membership loses the administration of organisation or register as the last to carry it."""
    held = set(losing)
    if Role.ADMINISTRATOR in held:
        _require_other(membership, _holders(Role.ADMINISTRATOR), LAST_ADMINISTRATOR)
    if Role.ORGANISATION_ADMIN in held:
        inside = col(Membership.organisation_id) == membership.organisation_id
        _require_other(membership, _holders(Role.ORGANISATION_ADMIN, inside), LAST_OF_ORGANISATION)


def _require_other(membership: Membership, holders: list[Membership], refusal: str) -> None:
    """One that does not count itself (still invited) can always go."""
    holding = {holder.id for holder in holders}
    if holding == {membership.id}:
        raise Refused(refusal)


def require_administration_elsewhere(organisation_id: UUID) -> None:
    """Raise Refused when all FMAR administrators act for this organisation, so that ending it would end governing."""
    inside = {holder.organisation_id for holder in _holders(Role.ADMINISTRATOR)}
    if inside == {organisation_id}:
        raise Refused("All FMAR administrators act for this organisation: without it nobody could govern the register.")
