"""Filters over applications: the same in queue, list, API and counts (UC-04.02)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, literal_column, or_, select
from sqlmodel import col

from models.products import Family
from models.qualifications import Qualification, QualificationStatus, QualificationStep
from services.core.clock import add_working_days, start_of, today
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.register_settings import setting
from services.market.qualification.expiry import ending_conditions
from services.market.qualification.sla_clock import ClockState

ME, NOBODY = "me", "nobody"
SEVERAL_GROUPS = "SEVERAL"
"""As a GSP group: applications of units that lie in several, or in none that is known."""


@dataclass(frozen=True, slots=True)
class QualificationFilters:
    """Filters over applications: they add up, values of one are alternatives."""

    status: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    operator: tuple[str, ...] = ()
    gsp_group: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    assigned: tuple[str, ...] = ()
    """`me`, `nobody`, or a person's identifier."""
    unit: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    """Reason codes of failure, suspension or re-assessment."""
    ends_within: str = ""
    """Days until the end of validity."""
    ends_from: str = ""
    ends_until: str = ""
    """The last day of validity lies between these days (ISO 8601), both included."""
    became: str = ""
    """A status that it once reached, whatever its status now; between these days, if they are set."""
    became_from: str = ""
    became_until: str = ""


TERMS: dict[str, str] = {
    "Status": "status",
    "ProductCode": "product",
    "ServiceProviderId": "provider",
    "AddressedTo": "operator",
    "GspGroup": "gsp_group",
    "Clock": "clock",
    "AssignedTo": "assigned",
    "UnitId": "unit",
    "Family": "family",
    "ReasonCode": "reason",
    "EndsWithinDays": "ends_within",
    "EndsFrom": "ends_from",
    "EndsUntil": "ends_until",
    "Became": "became",
    "BecameFrom": "became_from",
    "BecameUntil": "became_until",
}
"""Filters by ontology term: as the API and addresses of pages name them."""
DAYS = ("ends_from", "ends_until", "became_from", "became_until")
SINGLE_VALUED = frozenset({"EndsWithinDays", "EndsFrom", "EndsUntil", "Became", "BecameFrom", "BecameUntil"})
"""The filters that take a single value."""


def parse_qualification_filters(values_by_term: Mapping[str, Sequence[str]]) -> QualificationFilters:
    """Parse the filters of a query by term. Raises Invalid with every value that can't be used."""
    several = {field.name for field in fields(QualificationFilters) if field.default == ()}
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for term, name in TERMS.items():
        texts = [text for text in values_by_term.get(term, ()) if text]
        findings += [finding for text in texts if (finding := _check_value(term, name, text)) is not None]
        values[name] = tuple(texts) if name in several else (texts[0] if texts else "")
    if findings:
        raise Invalid(findings)
    return QualificationFilters(**values)


def _check_value(term: str, name: str, value: str) -> Finding | None:
    expected = ""
    if name in ("status", "became") and value not in set(QualificationStatus):
        expected = f"one of {', '.join(QualificationStatus)}"
    elif name == "family" and value not in set(Family):
        expected = f"one of {', '.join(Family)}"
    elif name == "clock" and value not in set(ClockState):
        expected = f"one of {', '.join(ClockState)}"
    elif name in ("provider", "operator", "unit") and not _is_id(value):
        expected = "an identifier"
    elif name == "assigned" and value not in (ME, NOBODY) and not _is_id(value):
        expected = "me, nobody, or a person's identifier"
    elif name in DAYS and not _is_day(value):
        expected = "a day as YYYY-MM-DD"
    elif name == "ends_within" and not (value.isascii() and value.isdigit() and int(value) <= 3660):
        expected = "a number of days from 0 to 3660"
    return Finding("FILTER-01", term, value, expected, f"“{value}” is not {expected}.") if expected else None


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def qualification_conditions(actor: Actor, filters: QualificationFilters) -> list[ColumnElement[bool]]:
    """Build the SQL conditions of the filters; inside an operation, beside `visible`.

    Comparisons instead of IN lists, so that statements are compiled once.
    """
    conditions: list[ColumnElement[bool]] = []
    values_by_column = (
        (Qualification.status, [QualificationStatus(status) for status in filters.status]),
        (Qualification.product_code, filters.product),
        (Qualification.service_provider_id, [UUID(identifier) for identifier in filters.provider]),
        (Qualification.addressed_to, [UUID(identifier) for identifier in filters.operator]),
        (Qualification.gsp_group, ["" if group == SEVERAL_GROUPS else group for group in filters.gsp_group]),
        (Qualification.family, [Family(family) for family in filters.family]),
        (Qualification.unit_id, [UUID(identifier) for identifier in filters.unit]),
        (Qualification.reason_code, filters.reason),
    )
    conditions += [or_(*(col(column) == value for value in values)) for column, values in values_by_column if values]
    if filters.clock:
        conditions.append(or_(false(), *(_clock_condition(ClockState(state)) for state in filters.clock)))
    if filters.assigned:
        conditions.append(or_(false(), *(_assignment_condition(actor, assignee) for assignee in filters.assigned)))
    if filters.ends_within:
        conditions += ending_conditions(int(filters.ends_within))
    end = col(Qualification.valid_until)
    if filters.ends_from:
        conditions.append(end >= date.fromisoformat(filters.ends_from))
    if filters.ends_until:
        conditions.append(end <= date.fromisoformat(filters.ends_until))
    if filters.became or filters.became_from or filters.became_until:
        conditions.append(_status_reached(filters))
    return conditions


def _status_reached(filters: QualificationFilters) -> ColumnElement[bool]:
    """Build the condition that an application once reached a status, or did so between two London days."""
    step = QualificationStep
    conditions = [col(step.qualification_id) == col(Qualification.id)]
    if filters.became:
        conditions.append(col(step.to_status) == filters.became)
    if filters.became_from:
        conditions.append(col(step.at) >= start_of(date.fromisoformat(filters.became_from)))
    if filters.became_until:
        conditions.append(col(step.at) < start_of(date.fromisoformat(filters.became_until) + timedelta(days=1)))
    return select(literal_column("1")).select_from(step).where(*conditions).correlate(Qualification).exists()


def _clock_condition(state: ClockState) -> ColumnElement[bool]:
    due = col(Qualification.due_on)
    soon = add_working_days(today(), int(setting("qualification.soon_days")))
    information_requested = col(Qualification.status) == QualificationStatus.INFORMATION_REQUESTED
    match state:
        case ClockState.LATE:
            return due < today()
        case ClockState.SOON:
            return and_(due >= today(), due <= soon)
        case ClockState.IN_TIME:
            return due > soon
        case ClockState.PAUSED:
            return information_requested
        case ClockState.STOPPED:
            return and_(due.is_(None), ~information_requested)


def _assignment_condition(actor: Actor, assignee: str) -> ColumnElement[bool]:
    if assignee == NOBODY:
        return col(Qualification.assigned_to).is_(None)
    if assignee == ME:
        return col(Qualification.assigned_to) == actor.user_id if actor.user_id else false()
    return col(Qualification.assigned_to) == UUID(assignee)
