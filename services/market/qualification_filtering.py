"""Which applications are wanted: the same filters in queue, list, API and counts (UC-04.02)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_
from sqlmodel import col

from models.products import Family
from models.qualifications import Qualification, QualificationStatus
from services.core.actor import Actor
from services.core.clock import add_working_days, today
from services.core.errors import Finding, Invalid
from services.core.register_settings import setting
from services.market.qualification_clock import ClockState
from services.market.qualification_expiry import ending_within

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
    ends_within: str = ""
    """Days until the end of validity."""


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
    "EndsWithinDays": "ends_within",
}
"""Filters by ontology term: as the API and addresses of pages name them."""


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
    if name == "status" and value not in set(QualificationStatus):
        expected = f"one of {', '.join(QualificationStatus)}"
    elif name == "family" and value not in set(Family):
        expected = f"one of {', '.join(Family)}"
    elif name == "clock" and value not in set(ClockState):
        expected = f"one of {', '.join(ClockState)}"
    elif name in ("provider", "operator", "unit") and not _is_id(value):
        expected = "an identifier"
    elif name == "assigned" and value not in (ME, NOBODY) and not _is_id(value):
        expected = "me, nobody, or a person's identifier"
    elif name == "ends_within" and not (value.isascii() and value.isdigit() and int(value) <= 3660):
        expected = "a number of days from 0 to 3660"
    return Finding("FILTER-01", term, value, expected, f"“{value}” is not {expected}.") if expected else None


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
    )
    found += [or_(*(col(column) == value for value in values)) for column, values in plain if values]
    if filters.clock:
        found.append(or_(false(), *(_clock_is(ClockState(one)) for one in filters.clock)))
    if filters.assigned:
        found.append(or_(false(), *(_assigned_to(actor, one) for one in filters.assigned)))
    if filters.ends_within:
        found += ending_within(int(filters.ends_within))
    return found


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
