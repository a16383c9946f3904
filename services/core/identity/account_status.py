"""Account status of an actor: read anew in each operation, so that access ends at the next click or call."""

from sqlalchemy import String, Uuid, bindparam, select
from sqlmodel import col

from models.participants import (
    ApiClient,
    ApiClientStatus,
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationStatus,
    Role,
    User,
    UserStatus,
)
from services.core.clock import now
from services.core.errors import Forbidden, Unauthenticated
from services.core.identity.actor import Actor
from services.core.transaction import current_connection

_PERSON = (
    select(
        col(Membership.roles),
        col(Membership.status),
        col(User.status),
        col(Organisation.organisation_status),
        col(Organisation.status_reason),
    )
    .join(User, col(User.id) == col(Membership.user_id))
    .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
    .where(
        col(Membership.user_id) == bindparam("user", type_=Uuid()),
        col(Membership.organisation_id) == bindparam("organisation", type_=Uuid()),
    )
)
_CLIENT = (
    select(
        col(ApiClient.roles),
        col(ApiClient.status),
        col(ApiClient.expires_at),
        col(Organisation.organisation_status),
        col(Organisation.status_reason),
    )
    .join(Organisation, col(Organisation.id) == col(ApiClient.organisation_id))
    .where(col(ApiClient.client_id) == bindparam("client", type_=String()))
)


def require_standing(actor: Actor) -> None:
    """Raise Unauthenticated when the person, membership or credential has ended or lost roles, or its organisation has.

    Raises Forbidden, with the reason, while the organisation is suspended. The register itself and applicants (signed in,
    without an organisation) always stand; their permissions are small.
    """
    if actor.roles <= {Role.SYSTEM, Role.APPLICANT}:
        return
    if actor.client_id is not None:
        roles, organisation_status, reason = _client(actor)
    else:
        roles, organisation_status, reason = _person(actor)
    if not actor.roles <= set(roles):
        raise Unauthenticated("Your roles have changed. Reload the page, or ask for a new access token.")
    if organisation_status == OrganisationStatus.SUSPENDED:
        raise Forbidden(
            f"{actor.organisation_name} is suspended: {(reason or 'no reason was recorded').rstrip('.')}. "
            "Its records are kept; the FMAR administrator can reinstate it."
        )
    if organisation_status in (OrganisationStatus.WITHDRAWN, OrganisationStatus.REFUSED):
        raise Unauthenticated(f"{actor.organisation_name} no longer takes part in the register.")


def _person(actor: Actor) -> tuple[list[str], str, str | None]:
    values = {"user": actor.user_id, "organisation": actor.organisation_id}
    row = current_connection().execute(_PERSON, values).first()
    if row is None or row[1] != MembershipStatus.ACTIVE or row[2] != UserStatus.ACTIVE:
        raise Unauthenticated("Your access has ended. Ask your organisation's administrator if this is unexpected.")
    return row[0], row[3], row[4]


def _client(actor: Actor) -> tuple[list[str], str, str | None]:
    row = current_connection().execute(_CLIENT, {"client": actor.client_id}).first()
    expires_at = None if row is None else row.expires_at
    if row is None or row[1] != ApiClientStatus.ACTIVE or (expires_at is not None and expires_at <= now()):
        raise Unauthenticated("This API credential has ended. Ask your organisation's administrator for a new one.")
    return row[0], row[3], row[4]
