"""Which applications are wanted: the same filters in queue, list, API and counts (UC-04.02)."""

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
from services.market.qualification.expiry import ending_within
from services.market.qualification.sla_clock import ClockState

ME, NOBODY = "me", "nobody"
SEVERAL_GROUPS = "SEVERAL"
"""As a GSP group: applications of units that lie in several, or in none that is known."""


@dataclass(frozen=True, slots=True)
class QualificationFilters:
    """What of applications is wanted: filters add up, values of one are alternatives."""

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
    """Codes of why it failed, was suspended or is to be assessed again."""
    ends_within: str = ""
    """Days until the end of validity."""
    ends_from: str = ""
    ends_until: str = ""
    """The last day of validity lies between these days (ISO 8601), both included."""
    became: str = ""
    """The status that it came to, wherever it stands now; between these days, if they are given."""
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
ALONE = frozenset({"EndsWithinDays", "EndsFrom", "EndsUntil", "Became", "BecameFrom", "BecameUntil"})
"""Those of which there is one value."""


def qualification_filters(given: Mapping[str, Sequence[str]]) -> QualificationFilters:
    """The filters of a query by term. Raises Invalid for a value that can't be one, every finding at once."""
    several = {one.name for one in fields(QualificationFilters) if one.default == ()}
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for term, name in TERMS.items():
        said = [one for one in given.get(term, ()) if one]
        findings += [finding for one in said if (finding := _problem(term, name, one)) is not None]
        values[name] = tuple(said) if name in several else (said[0] if said else "")
    if findings:
        raise Invalid(findings)
    return QualificationFilters(**values)


def _problem(term: str, name: str, value: str) -> Finding | None:
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
    """The SQL conditions of the filters; inside an operation, beside `visible`. No lists, so that statements are made once."""
    found: list[ColumnElement[bool]] = []
    plain = (
        (Qualification.status, [QualificationStatus(one) for one in filters.status]),
        (Qualification.product_code, filters.product),
        (Qualification.service_provider_id, [UUID(one) for one in filters.provider]),
        (Qualification.addressed_to, [UUID(one) for one in filters.operator]),
        (Qualification.gsp_group, ["" if one == SEVERAL_GROUPS else one for one in filters.gsp_group]),
        (Qualification.family, [Family(one) for one in filters.family]),
        (Qualification.unit_id, [UUID(one) for one in filters.unit]),
        (Qualification.reason_code, filters.reason),
    )
    found += [or_(*(col(column) == value for value in values)) for column, values in plain if values]
    if filters.clock:
        found.append(or_(false(), *(_clock_is(ClockState(one)) for one in filters.clock)))
    if filters.assigned:
        found.append(or_(false(), *(_assigned_to(actor, one) for one in filters.assigned)))
    if filters.ends_within:
        found += ending_within(int(filters.ends_within))
    end = col(Qualification.valid_until)
    if filters.ends_from:
        found.append(end >= date.fromisoformat(filters.ends_from))
    if filters.ends_until:
        found.append(end <= date.fromisoformat(filters.ends_until))
    if filters.became or filters.became_from or filters.became_until:
        found.append(_became(filters))
    return found


def _became(filters: QualificationFilters) -> ColumnElement[bool]:
    """That it came to a status, some time or between two days on the calendar in London."""
    step = QualificationStep
    found = [col(step.qualification_id) == col(Qualification.id)]
    if filters.became:
        found.append(col(step.to_status) == filters.became)
    if filters.became_from:
        found.append(col(step.at) >= start_of(date.fromisoformat(filters.became_from)))
    if filters.became_until:
        found.append(col(step.at) < start_of(date.fromisoformat(filters.became_until) + timedelta(days=1)))
    return select(literal_column("1")).select_from(step).where(*found).correlate(Qualification).exists()


def _clock_is(state: ClockState) -> ColumnElement[bool]:
    due = col(Qualification.due_on)
    soon = add_working_days(today(), int(setting("qualification.soon_days")))
    asked = col(Qualification.status) == QualificationStatus.INFORMATION_REQUESTED
    match state:
        case ClockState.LATE:
            return due < today()
        case ClockState.SOON:
            return and_(due >= today(), due <= soon)
        case ClockState.IN_TIME:
            return due > soon
        case ClockState.PAUSED:
            return asked
        case ClockState.STOPPED:
            return and_(due.is_(None), ~asked)


def _assigned_to(actor: Actor, who: str) -> ColumnElement[bool]:
    if who == NOBODY:
        return col(Qualification.assigned_to).is_(None)
    if who == ME:
        return col(Qualification.assigned_to) == actor.user_id if actor.user_id else false()
    return col(Qualification.assigned_to) == UUID(who)
