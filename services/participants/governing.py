"""The first FMAR administrator: how a new register comes to be governed by somebody (UC-01.01, UC-01.02)."""

from collections.abc import Mapping

from sqlalchemy import String, cast, select
from sqlmodel import col

from models.participants import Membership, Organisation, OrganisationStatus, Role
from services.core.clock import now
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session
from services.participants.lifecycle import ORGANISATION_LIFE_CYCLE
from services.participants.organisations import MATERIAL, register_organisation
from services.participants.users import UserView, invite_user


@operation("UC-01.02", permission="organisation.begin", name="begin_governing")
def begin_governing(
    actor: Actor, values: Mapping[str, object], full_name: str, email: str
) -> tuple[Organisation, UserView]:
    """Register the organisation that governs the register, active at once, and invite its first FMAR administrator.

    For the operator of a new register: refused once an FMAR administrator exists or is invited. The organisation's roles have
    to name Market Facilitator, which carries the administration.
    """
    administers = cast(col(Membership.roles), String).contains(f'"{Role.ADMINISTRATOR}"')
    if current_session().scalar(select(col(Membership.id)).where(administers).limit(1)):
        raise Refused("This register has an FMAR administrator already, who can give the role to others.")
    organisation = register_organisation(actor, values)
    ORGANISATION_LIFE_CYCLE.require(organisation.organisation_status, OrganisationStatus.ACTIVE, "approve_organisation")
    organisation.organisation_status = OrganisationStatus.ACTIVE
    organisation.approved_at = now()
    organisation.approved_values = {name: getattr(organisation, name) for name in (*MATERIAL, "legal_name_key")}
    current_session().flush()
    roles = [Role.ADMINISTRATOR, Role.ORGANISATION_ADMIN]
    return organisation, invite_user(actor, organisation.id, full_name, email, roles)
