"""Applications as lists and readers have them: by ontology term, at the version that was read, with names (UC-04.02)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from models.qualifications import Qualification
from services.core.errors import Conflict
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see
from services.core.ledger.history import Change, changes_since, history
from services.core.operation import operation
from services.market.qualification.sla_clock import Clock, clock_of

COLUMNS: dict[str, str] = {
    "QualificationId": "id",
    "UnitId": "unit_id",
    "ServiceProviderId": "service_provider_id",
    "ProductCode": "product_code",
    "ProductVersion": "product_version",
    "Family": "family",
    "AddressedTo": "addressed_to",
    "Status": "status",
    "StatusSince": "status_since",
    "StatusReason": "status_reason",
    "ReasonCode": "reason_code",
    "SubmittedAt": "submitted_at",
    "DecidedAt": "decided_at",
    "QualifiedAt": "qualified_at",
    "ValidFrom": "valid_from",
    "ValidUntil": "valid_until",
    "Conditions": "conditions",
    "AssignedTo": "assigned_name",
    "DueOn": "due_on",
    "Capacity": "capacity",
    "GspGroup": "gsp_group",
    "DataPackageId": "package_id",
    "AcceptedFrom": "accepted_from",
    "Justification": "justification",
    "Version": "version",
    "RecordedAt": "recorded_at",
}
"""What an application is, by term. `Capacity` is kW in the product's direction."""
TERM_OF = {column: term for term, column in COLUMNS.items()}


def terms_of(qualification: Qualification, clock: Clock) -> dict[str, Any]:
    """An application by ontology term, with how its clock stands; what is empty is None."""
    told: dict[str, Any] = {term: getattr(qualification, column) for term, column in COLUMNS.items()}
    told["GspGroup"] = qualification.gsp_group or None
    for term in ("Family", "Status"):
        told[term] = str(told[term])
    for term in ("QualificationId", "UnitId", "ServiceProviderId", "AddressedTo", "DataPackageId", "AcceptedFrom"):
        told[term] = None if told[term] is None else str(told[term])
    return told | {"Clock": str(clock.state), "WorkingDaysLeft": clock.days_left}


def as_read(actor: Actor, identifier: UUID, permission: str, version: int) -> Qualification:
    """The application, held for writing, at the version that the actor read; Conflict when it has moved on."""
    qualification = reach(Qualification, actor, identifier, permission)
    if qualification.version != version:
        raise stale(qualification, version)
    return qualification


def stale(qualification: Qualification, version: int) -> Conflict:
    """The answer to somebody who read an older version: how it stands now, and what others did meanwhile."""
    changes = by_term(changes_since(qualification, version))
    return Conflict(
        f"Somebody else changed this application since you opened it (version {version}, now {qualification.version}): "
        f"{', '.join(changes) or 'nothing that shows'}. Look at the change, then do yours again.",
        terms_of(qualification, clock_of(qualification)),
        changes,
    )


def by_term(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Changes of columns, as the ledger tells them, by ontology term."""
    return {TERM_OF[name]: pair for name, pair in changes.items() if name in TERM_OF}


@operation("UC-05.06", permission="history.read", writes=False, name="qualification_history")
def qualification_history(actor: Actor, qualification_id: UUID) -> list[Change]:
    """Everything that changed on an application, newest first, by ontology term. NotFound when it is unseen."""
    see(Qualification, actor, qualification_id)
    found = history(Qualification.record_type(), qualification_id)
    return [replace(one, changes=by_term(one.changes)) for one in found]
