"""Market units: their life cycle, one, lists by filter, their values by ontology term, history, and as of a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlmodel import col

from models.units import MarketUnit, UnitArea, UnitCapability, UnitHistory, UnitStatus
from services.core.db.statements import PreparedRecords
from services.core.errors import Conflict, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit
from services.core.ledger import history as ledger
from services.core.ledger.history import Change, changes_since
from services.core.lifecycle import LifeCycle, Transition
from services.core.operation import operation
from services.core.transaction import current_connection, current_session, reads_only

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
class WholeUnit:
    """A unit with what it comes to and where. `capability` is as counted last; `being_counted`: assets changed since."""

    unit: MarketUnit
    capability: UnitCapability
    areas: Sequence[UnitArea]

    @property
    def being_counted(self) -> bool:
        """Whether its assets changed since it was counted, which is done anew in a moment."""
        return bool(self.capability.stale)


@dataclass(frozen=True, slots=True)
class UnitThen:
    """A unit as it stood at a moment, with what it came to then (None: nothing was counted yet)."""

    unit: MarketUnit
    counted: UnitHistory | None


def as_terms(whole: WholeUnit) -> dict[str, Any]:
    """A unit by ontology term: identifiers as text, powers as Decimal kW; what isn't known is None."""
    terms = {term: getattr(whole.unit, column) for term, column in UNIT_COLUMNS.items()}
    counted = whole.capability
    terms |= {term: getattr(counted, column) for term, column in CAPABILITY_COLUMNS.items()}
    for term in ("Family", "Status", "UnitType"):
        terms[term] = str(terms[term])
    for term in ("UnitId", "ServiceProviderId", "ReassignedFrom"):
        terms[term] = None if terms[term] is None else str(terms[term])
    terms["Limits"] = {
        measure: {"Words": one["words"], "Assets": one["assets"], "Missing": one["missing"], "Silent": one["silent"]}
        for measure, one in counted.limits.items()
    }
    terms["Areas"] = [
        {
            "DNOConnection": area.dno_code or None,
            "GspGroup": area.gsp_group or None,
            "Assets": area.assets,
            "UpCapacity": area.up,
            "DownCapacity": area.down,
        }
        for area in whole.areas
    ]
    return terms | {"CountedAt": counted.counted_at, "BeingCounted": whole.being_counted}


def terms_then(stood: UnitThen) -> dict[str, Any]:
    """A unit as it stood, by ontology term: what it came to then, as far as its history says."""
    terms = {term: getattr(stood.unit, column) for term, column in UNIT_COLUMNS.items()}
    counted = {"UnitType": "unit_type", "Assets": "assets", "UpCapacity": "up", "DownCapacity": "down"}
    return terms | {term: getattr(stood.counted, name, None) for term, name in counted.items()}


def conflict(unit: MarketUnit, version: int) -> Conflict:
    """The answer to somebody who read an older version: how the unit stands, and what others changed meanwhile."""
    changes = _by_term(changes_since(unit, version))
    return Conflict(
        f"Somebody else changed this market unit since you opened it (version {version}, now {unit.version}): "
        f"{', '.join(changes) or 'nothing that shows'}. Look at the change, then make yours again.",
        {term: getattr(unit, column) for term, column in UNIT_COLUMNS.items()},
        changes,
    )


def _by_term(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {_TERM_OF_COLUMN[name]: pair for name, pair in changes.items() if name in _TERM_OF_COLUMN}


_UNIT = bindparam("unit", type_=Uuid())
_BY_POWER = (col(UnitArea.up).desc(), col(UnitArea.dno_code), col(UnitArea.gsp_group))
_CAPABILITY = PreparedRecords(UnitCapability, col(UnitCapability.unit_id) == _UNIT)
_AREAS = PreparedRecords(UnitArea, col(UnitArea.unit_id) == _UNIT, order=_BY_POWER)
_NEWEST = (col(UnitHistory.at).desc(), col(UnitHistory.id).desc())
_HISTORY = PreparedRecords(UnitHistory, col(UnitHistory.unit_id) == _UNIT, order=_NEWEST, limit=1000)


def whole(unit: MarketUnit) -> WholeUnit:
    """A unit with what it comes to; inside an operation that has seen to it that the actor may see it."""
    if reads_only():
        connection, which = current_connection(), {"unit": unit.id}
        return WholeUnit(unit, _CAPABILITY.records(connection, which)[0], _AREAS.records(connection, which))
    session = current_session()
    capability = session.get_one(UnitCapability, unit.id)
    areas = select(UnitArea).where(col(UnitArea.unit_id) == unit.id)
    return WholeUnit(unit, capability, list(session.scalars(areas.order_by(*_BY_POWER))))


@operation("UC-03.01", permission="unit.read", writes=False, name="get_unit")
def get_unit(actor: Actor, unit_id: UUID) -> WholeUnit:
    """One market unit with its capability. Raises NotFound when there is none that the actor may see."""
    return whole(see(MarketUnit, actor, unit_id))


@operation("UC-03.03", permission="unit.read", writes=False, name="unit_as_of")
def unit_as_of(actor: Actor, unit_id: UUID, moment: datetime) -> UnitThen:
    """A unit as it stood at a moment (aware). Raises NotFound when unseen, or when it wasn't there yet."""
    see(MarketUnit, actor, unit_id)
    found = ledger.as_of(MarketUnit, unit_id, moment)
    if found is None:
        raise NotFound("market unit", unit_id)
    past = select(UnitHistory).where(col(UnitHistory.unit_id) == unit_id, col(UnitHistory.at) <= moment)
    newest = past.order_by(*_NEWEST).limit(1)
    return UnitThen(found, current_session().scalar(newest))


@operation("UC-03.03", permission="unit.read", writes=False, name="unit_history")
def unit_history(actor: Actor, unit_id: UUID) -> list[UnitHistory]:
    """What a unit came to after each change, oldest first; at most the newest 1,000. Raises NotFound when unseen."""
    see(MarketUnit, actor, unit_id)
    if not reads_only():
        current_session().flush()
    return _HISTORY.records(current_connection(), {"unit": unit_id})[::-1]


@operation("UC-05.06", permission="history.read", writes=False, name="unit_changes")
def unit_changes(actor: Actor, unit_id: UUID) -> list[Change]:
    """What happened to a unit's record, newest first, by ontology term. Raises NotFound when unseen."""
    see(MarketUnit, actor, unit_id)
    return [
        Change(
            version=one.version,
            at=one.at,
            operation=one.operation,
            use_case=one.use_case,
            actor=one.actor,
            organisation=one.organisation,
            changes=_by_term(one.changes),
            hash=one.hash,
        )
        for one in ledger.history(MarketUnit.record_type(), unit_id)
    ]


def emit_for_unit(event_type: str, unit: MarketUnit, payload: dict[str, Any] | None = None) -> None:
    """Write an event about a unit: its FSP sees it in its feed."""
    emit(event_type, unit, organisation_id=unit.service_provider_id, payload=payload)


def kilowatts(value: Decimal | None) -> str:
    """A power as the register's sentences say it."""
    return "not known" if value is None else f"{value:,.2f} kW"
