"""Decisions of the FMAR administrator about organisations: approval, refusal, suspension (UC-01.02, UC-01.04)."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.participants import Organisation, OrganisationStatus
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, visible
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.transaction import current_session
from services.participants.administrators import require_administration_elsewhere
from services.participants.lifecycle import ORGANISATION_LIFE_CYCLE
from services.participants.organisations import MATERIAL, WAITING_CHECK, require_version
from services.participants.reasons import require_reason


@operation("UC-01.02", permission="organisation.decide", writes=False, name="approval_queue")
def approval_queue(actor: Actor) -> list[Organisation]:
    """The organisations that wait for approval, the longest waiting first.

    `approved_at` tells a changed organisation from a new one; `approved_values` is then what it was approved as.
    """
    query = select(Organisation).where(
        visible(Organisation, actor), col(Organisation.organisation_status) == OrganisationStatus.PENDING_APPROVAL
    )
    return list(current_session().scalars(query.order_by(col(Organisation.recorded_at), col(Organisation.id))))


@operation("UC-01.02", permission="organisation.decide", name="approve_organisation")
def approve_organisation(actor: Actor, organisation_id: UUID, version: int) -> Organisation:
    """Approve a new or changed organisation: Active, and its roles take effect. Raises Conflict when `version` is stale."""
    organisation = _moved(actor, organisation_id, version, OrganisationStatus.ACTIVE, "approve_organisation", None)
    organisation.approved_at = now()
    organisation.approved_values = {name: getattr(organisation, name) for name in (*MATERIAL, "legal_name_key")}
    return _told(EventType.ORGANISATION_APPROVED, organisation)


@operation("UC-01.02", permission="organisation.decide", name="refuse_organisation")
def refuse_organisation(actor: Actor, organisation_id: UUID, reason: str, version: int) -> Organisation:
    """Refuse, with a reason. A new organisation becomes Refused, finally; it can be registered anew.

    The refused change of an organisation that was approved before is undone instead: legal name, registration number and
    roles return to what was approved, and it is Active again. Its people and assets lose nothing.
    """
    reason = require_reason(reason)
    before = reach(Organisation, actor, organisation_id, "organisation.decide")
    was_approved = before.approved_at is not None
    target = OrganisationStatus.ACTIVE if was_approved else OrganisationStatus.REFUSED
    organisation = _moved(actor, organisation_id, version, target, "refuse_organisation", reason)
    if was_approved:
        for name, value in organisation.approved_values.items():
            setattr(organisation, name, value)
        organisation.registry_check = dict(WAITING_CHECK)
        return _told(EventType.ORGANISATION_CHANGE_REFUSED, organisation)
    return _told(EventType.ORGANISATION_REFUSED, organisation)


@operation("UC-01.04", permission="organisation.decide", name="suspend_organisation")
def suspend_organisation(actor: Actor, organisation_id: UUID, reason: str, version: int) -> Organisation:
    """Suspend an active organisation, with a reason: its people and programs are out at once, its records are kept."""
    reason = require_reason(reason)
    require_administration_elsewhere(organisation_id)
    moved = _moved(actor, organisation_id, version, OrganisationStatus.SUSPENDED, "suspend_organisation", reason)
    return _told(EventType.ORGANISATION_SUSPENDED, moved)


@operation("UC-01.04", permission="organisation.decide", name="reinstate_organisation")
def reinstate_organisation(actor: Actor, organisation_id: UUID, version: int) -> Organisation:
    """End a suspension: everything is as it was before."""
    moved = _moved(actor, organisation_id, version, OrganisationStatus.ACTIVE, "reinstate_organisation", None)
    return _told(EventType.ORGANISATION_REINSTATED, moved)


def _moved(
    actor: Actor,
    organisation_id: UUID,
    version: int,
    target: OrganisationStatus,
    step: str,
    reason: str | None,
) -> Organisation:
    organisation = reach(Organisation, actor, organisation_id, "organisation.decide")
    require_version(organisation, version)
    ORGANISATION_LIFE_CYCLE.require(organisation.organisation_status, target, step)
    organisation.organisation_status = target
    organisation.status_reason = reason
    return organisation


def _told(event_type: EventType, organisation: Organisation) -> Organisation:
    current_session().flush()
    emit(event_type, organisation, organisation_id=organisation.id, payload={"reason": organisation.status_reason})
    return organisation
