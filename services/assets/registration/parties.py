"""Parties of an asset: active organisations, with a provider's role where they manage it (ServiceProviderId)."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import col

from models.participants import Organisation, OrganisationStatus
from services.core.audit_context import WRITES
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.transaction import current_session

PROVIDER_ROLES = frozenset({"FSP", "Aggregator"})
_PARTIES = select(
    col(Organisation.id), col(Organisation.organisation_status), col(Organisation.organisation_roles)
).where(col(Organisation.id).in_(bindparam("ids", expanding=True)))


def active_parties(*identifiers: object) -> dict[str, set[str]]:
    """The roles of those of the organisations that are active, by identifier."""
    session = current_session()
    # Held until the record is written: no organisation is de-registered between the look and the registration.
    parties = _PARTIES.with_for_update(read=True) if session.info.get(WRITES) else _PARTIES
    rows = session.execute(
        parties, {"ids": sorted({UUID(str(identifier)) for identifier in identifiers if identifier})}
    )
    return {str(row[0]): set(row[2]) for row in rows if row[1] == OrganisationStatus.ACTIVE}


def require_provider(actor: Actor, active: Mapping[str, set[str]]) -> None:
    """Only an active FSP or Aggregator registers assets (ServiceProviderId in the data dictionary)."""
    roles = active.get(str(actor.organisation_id))
    name = actor.organisation_name or "Your organisation"
    if roles is None:
        raise Refused(f"{name} isn't active in the register yet: the FMAR administrator has to approve it first.")
    if not roles & PROVIDER_ROLES:
        raise Refused(
            f"{name} holds neither the role FSP nor Aggregator, so it can't register assets. Add the role to the "
            "organisation's record; the FMAR administrator then approves it."
        )
