"""Applications as records: by ontology term, for writing at the version that was read, with history (UC-04.02)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from models.qualifications import Qualification
from services.core.errors import Conflict
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see
from services.core.ledger.history import RecordChange, changes_since, history
from services.core.operation import operation
from services.market.qualification.sla_clock import Clock, current_clock

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
"""Columns of an application by ontology term. `Capacity` is kW in the product's direction."""
TERM_OF = {column: term for term, column in COLUMNS.items()}


def qualification_terms(qualification: Qualification, clock: Clock) -> dict[str, Any]:
    """Return an application by ontology term, with its SLA clock; empty values are None."""
    terms: dict[str, Any] = {term: getattr(qualification, column) for term, column in COLUMNS.items()}
    terms["GspGroup"] = qualification.gsp_group or None
    for term in ("Family", "Status"):
        terms[term] = str(terms[term])
    for term in ("QualificationId", "UnitId", "ServiceProviderId", "AddressedTo", "DataPackageId", "AcceptedFrom"):
        terms[term] = None if terms[term] is None else str(terms[term])
    return terms | {"Clock": str(clock.state), "WorkingDaysLeft": clock.days_left}


def reach_at_version(actor: Actor, identifier: UUID, permission: str, version: int) -> Qualification:
    """Return an application for writing, at the version that the actor read. Raises NotFound, Conflict when stale."""
    qualification = reach(Qualification, actor, identifier, permission)
    if qualification.version != version:
        raise stale_conflict(qualification, version)
    return qualification


def stale_conflict(qualification: Qualification, version: int) -> Conflict:
    """Build the Conflict for an actor who read an older version: the application now, and the changes since."""
    changes = changes_by_term(changes_since(qualification, version))
    return Conflict(
        f"Somebody else changed this application since you opened it (version {version}, now {qualification.version}): "
        f"{', '.join(changes) or 'nothing that shows'}. Look at the change, then do yours again.",
        qualification_terms(qualification, current_clock(qualification)),
        changes,
    )


def changes_by_term(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Translate the ledger's changes of columns to ontology terms."""
    return {TERM_OF[name]: pair for name, pair in changes.items() if name in TERM_OF}


@operation("UC-05.06", permission="history.read", writes=False, name="qualification_history")
def qualification_history(actor: Actor, qualification_id: UUID) -> list[RecordChange]:
    """List the changes of an application, newest first, by ontology term. Raises NotFound when it is unseen."""
    see(Qualification, actor, qualification_id)
    entries = history(Qualification.record_type(), qualification_id)
    return [replace(entry, changes=changes_by_term(entry.changes)) for entry in entries]
