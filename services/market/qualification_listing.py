"""Applications as lists: filtered the same way in queue, list, API and counts; by the clock or by time (UC-04.02)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.participants import Organisation
from models.products import Family
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from models.units import MarketUnit
from services.core.actor import Actor
from services.core.clock import add_working_days, today
from services.core.errors import Finding, Invalid
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.core.visibility import see, visible
from services.market.qualification_clock import Clock, ClockState, clock_by
from services.market.qualification_expiry import ending_within
from services.market.qualification_records import terms_of

LONGEST_PAGE = 500
ME, NOBODY = "me", "nobody"


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
    """The SQL conditions of the filters; inside an operation, beside `visible`."""
    found: list[ColumnElement[bool]] = []
    plain = (
        (Qualification.status, filters.status),
        (Qualification.product_code, filters.product),
        (Qualification.service_provider_id, [UUID(one) for one in filters.provider]),
        (Qualification.addressed_to, [UUID(one) for one in filters.operator]),
        (Qualification.gsp_group, filters.gsp_group),
        (Qualification.family, filters.family),
        (Qualification.unit_id, [UUID(one) for one in filters.unit]),
    )
    found += [col(column).in_(list(values)) for column, values in plain if values]
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


@dataclass(frozen=True, slots=True)
class QualificationLine:
    """An application in a list: with the names of those it is about, and how its clock stands."""

    qualification: Qualification
    unit_name: str
    unit_code: str
    provider: str
    operator: str
    clock: Clock

    def terms(self) -> dict[str, Any]:
        """By ontology term."""
        names = {"UnitName": self.unit_name, "UnitCode": self.unit_code}
        return terms_of(self.qualification, self.clock) | names


@dataclass(frozen=True, slots=True)
class QualificationPage:
    """One page of a list, and where the next one begins (None: this is the last)."""

    items: Sequence[QualificationLine]
    next_cursor: UUID | None


def _lines() -> Any:
    provider: Any = aliased(Organisation)
    operator: Any = aliased(Organisation)

    def name(of: Any) -> Any:
        return func.coalesce(of.organisation_trading_name, of.organisation_legal_name)

    return (
        select(Qualification, col(MarketUnit.name), col(MarketUnit.code), name(provider), name(operator))
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .join(provider, provider.id == col(Qualification.service_provider_id))
        .join(operator, operator.id == col(Qualification.addressed_to))
    )


def _read(chosen: Any) -> list[QualificationLine]:
    sla, soon = int(setting("qualification.sla_days")), int(setting("qualification.soon_days"))
    rows: Iterable[Any] = current_session().execute(chosen)
    return [QualificationLine(*row[:5], clock=clock_by(row[0], sla, soon)) for row in rows]


@operation("UC-04.02", permission="qualification.read", writes=False)
def list_qualifications(
    actor: Actor, filters: QualificationFilters | None = None, *, after: UUID | None = None, limit: int = 50
) -> QualificationPage:
    """The applications that the actor may see and that pass the filters, the newest first; at most `limit`, up to 500."""
    size = max(1, min(limit, LONGEST_PAGE))
    chosen = _lines().where(
        visible(Qualification, actor), *qualification_conditions(actor, filters or QualificationFilters())
    )
    if after is not None:
        chosen = chosen.where(col(Qualification.id) < after)
    found = _read(chosen.order_by(col(Qualification.id).desc()).limit(size + 1))
    return QualificationPage(found[:size], found[size - 1].qualification.id if len(found) > size else None)


@operation("UC-04.02", permission="qualification.read", writes=False)
def work_queue(actor: Actor, filters: QualificationFilters | None = None, limit: int = 200) -> list[QualificationLine]:
    """The same by the clock: what is due first comes first, then what is paused, then what is decided, the newest first."""
    due = col(Qualification.due_on)
    asked = col(Qualification.status) == QualificationStatus.INFORMATION_REQUESTED
    chosen = _lines().where(
        visible(Qualification, actor), *qualification_conditions(actor, filters or QualificationFilters())
    )
    order = (due.is_(None), due, asked.desc(), col(Qualification.id).desc())
    return _read(chosen.order_by(*order).limit(max(1, min(limit, LONGEST_PAGE))))


@operation("UC-04.02", permission="qualification.read", writes=False)
def get_qualification(actor: Actor, qualification_id: UUID) -> QualificationLine:
    """One application. Raises NotFound when there is none that the actor may see."""
    see(Qualification, actor, qualification_id)
    return _read(_lines().where(col(Qualification.id) == qualification_id))[0]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many applications there are, by status, by clock, by product, by GSP group, and of whom; for filters and numbers."""

    statuses: Mapping[str, int]
    clocks: Mapping[ClockState, int]
    products: Mapping[str, int]
    groups: Mapping[str, int]
    providers: Mapping[UUID, str]
    operators: Mapping[UUID, str]


@operation("UC-04.02", permission="qualification.read", writes=False)
def tally_qualifications(actor: Actor, filters: QualificationFilters | None = None) -> Tally:
    """Counts of the visible applications that pass the filters."""
    wanted = [visible(Qualification, actor), *qualification_conditions(actor, filters or QualificationFilters())]
    session = current_session()

    def by(column: Any) -> dict[Any, int]:
        rows = session.execute(select(column, func.count()).where(*wanted).group_by(column).order_by(column))
        return {row[0]: row[1] for row in rows}

    def names(column: Any) -> dict[UUID, str]:
        name = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
        there = select(column).where(*wanted).distinct()
        rows = session.execute(select(col(Organisation.id), name).where(col(Organisation.id).in_(there)).order_by(name))
        return {row[0]: row[1] for row in rows}

    clocks = {
        state: session.scalar(select(func.count(col(Qualification.id))).where(*wanted, _clock_is(state))) or 0
        for state in ClockState
    }
    return Tally(
        {str(status): count for status, count in by(col(Qualification.status)).items()},
        clocks,
        by(col(Qualification.product_code)),
        by(col(Qualification.gsp_group)),
        names(col(Qualification.service_provider_id)),
        names(col(Qualification.addressed_to)),
    )


def status_label(status: str) -> str:
    """A status in words."""
    return QUALIFICATION_LABELS[QualificationStatus(status)]
