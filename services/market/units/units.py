"""Market units: life cycle, one unit with its capability, values by ontology term, history, and a unit as of a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.units import MarketUnit, UnitArea, UnitCapability, UnitHistory, UnitStatus
from services.core.errors import Conflict
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit
from services.core.ledger.history import RecordChange, changes_since
from services.core.ledger.own_period import read_as_of, read_history
from services.core.lifecycle import LifeCycle, Transition
from services.core.operation import operation
from services.core.transaction import current_session

UNIT_LIFE_CYCLE: LifeCycle[UnitStatus] = LifeCycle(
    "market unit", (Transition(UnitStatus.ACTIVE, UnitStatus.DEREGISTERED, "deregister_unit"),)
)
UNIT_STATUS_LABELS = {UnitStatus.ACTIVE: "Active", UnitStatus.DEREGISTERED: "De-registered"}
UNIT_COLUMNS: dict[str, str] = {
    "UnitId": "id",
    "UnitCode": "code",
    "UnitName": "name",
    "Family": "family",
    "Status": "status",
    "StatusReason": "status_reason",
    "StatusSince": "status_since",
    "ServiceProviderId": "service_provider_id",
    "Composition": "composition",
    "ReassignedFrom": "reassigned_from",
    "ReassignmentEvidence": "reassignment_evidence",
    "Version": "version",
    "RecordedAt": "recorded_at",
}
CAPABILITY_COLUMNS: dict[str, str] = {
    "UnitType": "unit_type",
    "Assets": "assets",
    "AccountingPoints": "accounting_points",
    "RatedCapacity": "rated",
    "UpCapacity": "up",
    "DownCapacity": "down",
    "StorageCapacity_kWh": "energy_kwh",
    "ResponseTime_s": "response_s",
    "Duration_min": "duration_min",
    "NotVerified": "not_verified",
}
_TERM_OF_COLUMN = {column: term for term, column in UNIT_COLUMNS.items()}


@dataclass(frozen=True, slots=True)
class UnitDetails:
    """A unit with its capability, as counted last, and its share of each area."""

    unit: MarketUnit
    capability: UnitCapability
    areas: Sequence[UnitArea]

    @property
    def being_counted(self) -> bool:
        """True when assets of the unit changed since it was counted: the worker counts it again."""
        return bool(self.capability.stale)


@dataclass(frozen=True, slots=True)
class UnitSnapshot:
    """A unit as it stood at a moment, with the newest line of its history then (None: nothing was counted yet)."""

    unit: MarketUnit
    history: UnitHistory | None


def unit_terms(details: UnitDetails) -> dict[str, Any]:
    """Return a unit by ontology term: identifiers as text, powers as Decimal kW; what isn't known is None."""
    terms = {term: getattr(details.unit, column) for term, column in UNIT_COLUMNS.items()}
    capability = details.capability
    terms |= {term: getattr(capability, column) for term, column in CAPABILITY_COLUMNS.items()}
    for term in ("Family", "Status", "UnitType"):
        terms[term] = str(terms[term])
    for term in ("UnitId", "ServiceProviderId", "ReassignedFrom"):
        terms[term] = None if terms[term] is None else str(terms[term])
    terms["Limits"] = {
        measure: {
            "Words": limit["words"],
            "Assets": limit["assets"],
            "Missing": limit["missing"],
            "Silent": limit["silent"],
        }
        for measure, limit in capability.limits.items()
    }
    terms["Areas"] = [
        {
            "DNOConnection": area.dno_code or None,
            "GspGroup": area.gsp_group or None,
            "Assets": area.assets,
            "UpCapacity": area.up,
            "DownCapacity": area.down,
        }
        for area in details.areas
    ]
    return terms | {"CountedAt": capability.counted_at, "BeingCounted": details.being_counted}


def snapshot_terms(snapshot: UnitSnapshot) -> dict[str, Any]:
    """Return a unit as it stood, by ontology term: its capability as far as its history says."""
    terms = {term: getattr(snapshot.unit, column) for term, column in UNIT_COLUMNS.items()}
    columns = {"UnitType": "unit_type", "Assets": "assets", "UpCapacity": "up", "DownCapacity": "down"}
    return terms | {term: getattr(snapshot.history, name, None) for term, name in columns.items()}


def version_conflict(unit: MarketUnit, version: int) -> Conflict:
    """Build the Conflict for an actor who read an older version: the unit as it stands, and the changes since."""
    changes = _by_term(changes_since(unit, version))
    return Conflict(
        f"Somebody else changed this market unit since you opened it (version {version}, now {unit.version}): "
        f"{', '.join(changes) or 'nothing that shows'}. Look at the change, then make yours again.",
        {term: getattr(unit, column) for term, column in UNIT_COLUMNS.items()},
        changes,
    )


def _by_term(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {_TERM_OF_COLUMN[name]: pair for name, pair in changes.items() if name in _TERM_OF_COLUMN}


_BY_POWER = (col(UnitArea.up).desc(), col(UnitArea.dno_code), col(UnitArea.gsp_group))
_NEWEST = (col(UnitHistory.at).desc(), col(UnitHistory.id).desc())


def load_details(unit: MarketUnit) -> UnitDetails:
    """Load a unit's capability and areas; the caller, an operation, has checked that the actor sees the unit."""
    session = current_session()
    capability = session.get_one(UnitCapability, unit.id)
    areas = select(UnitArea).where(col(UnitArea.unit_id) == unit.id)
    return UnitDetails(unit, capability, list(session.scalars(areas.order_by(*_BY_POWER))))


@operation("UC-03.01", permission="unit.read", writes=False, name="get_unit")
def get_unit(actor: Actor, unit_id: UUID) -> UnitDetails:
    """Return one market unit with its capability. Raises NotFound when there is none that the actor may see."""
    return load_details(see(MarketUnit, actor, unit_id))


@operation("UC-03.03", permission="unit.read", writes=False, name="unit_as_of")
def unit_as_of(actor: Actor, unit_id: UUID, moment: datetime) -> UnitSnapshot:
    """Return a unit as it stood at a moment (aware), also to the FSP whose it was then.

    Raises NotFound when unseen, or when it wasn't there yet.
    """
    unit = read_as_of(MarketUnit, actor, unit_id, moment)
    past = select(UnitHistory).where(col(UnitHistory.unit_id) == unit_id, col(UnitHistory.at) <= moment)
    newest = past.order_by(*_NEWEST).limit(1)
    return UnitSnapshot(unit, current_session().scalar(newest))


@operation("UC-03.03", permission="unit.read", writes=False, name="unit_history")
def unit_history(actor: Actor, unit_id: UUID) -> list[UnitHistory]:
    """List the totals of a unit after each change, oldest first; at most the newest 1,000. Raises NotFound when unseen."""
    see(MarketUnit, actor, unit_id)
    newest = select(UnitHistory).where(col(UnitHistory.unit_id) == unit_id).order_by(*_NEWEST).limit(1000)
    return list(current_session().scalars(newest))[::-1]


@operation("UC-05.06", permission="history.read", writes=False, name="unit_changes")
def unit_changes(actor: Actor, unit_id: UUID) -> list[RecordChange]:
    """List the changes of a unit's record, newest first, by ontology term; for a former FSP those of its own period.

    Raises NotFound when unseen.
    """
    return [
        RecordChange(
            version=entry.version,
            at=entry.at,
            operation=entry.operation,
            use_case=entry.use_case,
            actor=entry.actor,
            organisation=entry.organisation,
            changes=_by_term(entry.changes),
            hash=entry.hash,
        )
        for entry in read_history(MarketUnit, actor, unit_id)
    ]


def emit_for_unit(event_type: EventType, unit: MarketUnit, payload: dict[str, Any] | None = None) -> None:
    """Emit an event about a unit: its FSP sees it in its feed."""
    emit(event_type, unit, organisation_id=unit.service_provider_id, payload=payload)


def format_kilowatts(value: Decimal | None) -> str:
    """Format a power for a sentence: `1,250.00 kW`, or `not known`."""
    return "not known" if value is None else f"{value:,.2f} kW"
