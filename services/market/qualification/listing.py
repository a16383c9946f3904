"""Lists of applications: filtered alike in queue, list, API and counts; ordered by SLA clock or by time (UC-04.02)."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from models.units import MarketUnit
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.counters.queries import drop_unused_roles
from services.market.qualification.filters import QualificationFilters, qualification_conditions
from services.market.qualification.records import qualification_terms
from services.market.qualification.sla_clock import Clock, ClockState, compute_clock

LONGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class QualificationLine:
    """One application in a list, with the names of unit, provider and SO, and its SLA clock."""

    qualification: Qualification
    unit_name: str
    unit_code: str
    provider: str
    operator: str
    clock: Clock

    @property
    def id(self) -> UUID:
        """The application's identifier."""
        return self.qualification.id

    def terms(self) -> dict[str, Any]:
        """Return the line by ontology term."""
        names = {"UnitName": self.unit_name, "UnitCode": self.unit_code}
        return qualification_terms(self.qualification, self.clock) | names


ID, DUE = col(Qualification.id), col(Qualification.due_on)
INFORMATION_REQUESTED = col(Qualification.status) == QualificationStatus.INFORMATION_REQUESTED


class QueuePart(NamedTuple):
    """A part of the work queue that an index holds in its order: its clock states, condition and order."""

    clocks: frozenset[ClockState]
    condition: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...]


RUNNING = frozenset({ClockState.LATE, ClockState.SOON, ClockState.IN_TIME})
QUEUE_PARTS = (
    QueuePart(RUNNING, DUE.is_not(None), (DUE, ID.desc())),
    QueuePart(frozenset({ClockState.PAUSED}), and_(DUE.is_(None), INFORMATION_REQUESTED), (ID.desc(),)),
    QueuePart(frozenset({ClockState.STOPPED}), and_(DUE.is_(None), ~INFORMATION_REQUESTED), (ID.desc(),)),
)
"""The three parts of the queue, in order."""
NEWEST = Keyset(ID)


_PROVIDER: Any = aliased(Organisation)
_OPERATOR: Any = aliased(Organisation)


def _name(organisation: Any) -> Any:
    return func.coalesce(organisation.organisation_trading_name, organisation.organisation_legal_name)


_LINES = (
    select(Qualification, col(MarketUnit.name), col(MarketUnit.code), _name(_PROVIDER), _name(_OPERATOR))
    .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
    .join(_PROVIDER, _PROVIDER.id == col(Qualification.service_provider_id))
    .join(_OPERATOR, _OPERATOR.id == col(Qualification.addressed_to))
)


def _select_lines(actor: Actor, filters: QualificationFilters) -> Select[*tuple[Any, ...]]:
    reader = drop_unused_roles(actor, "qualification.read")
    return _LINES.where(visible(Qualification, reader), *qualification_conditions(reader, filters))


def _read_lines(query: Select[*tuple[Any, ...]]) -> list[QualificationLine]:
    sla, soon = int(setting("qualification.sla_days")), int(setting("qualification.soon_days"))
    lines: list[QualificationLine] = []
    clocks: dict[tuple[Any, ...], Clock] = {}
    for record, *names in current_session().execute(query):
        key = (record.status, record.due_on, record.days_used)
        if (clock := clocks.get(key)) is None:
            clock = clocks[key] = compute_clock(record, sla, soon)
        lines.append(QualificationLine(record, *names, clock=clock))
    return lines


@operation("UC-04.02", permission="qualification.read", writes=False, name="list_qualifications")
def list_qualifications(
    actor: Actor, filters: QualificationFilters | None = None, *, after: str | UUID | None = None, limit: int = 50
) -> Page[QualificationLine]:
    """List the visible applications that pass the filters, newest first; at most `limit`, up to 500."""
    size = max(1, min(limit, LONGEST_PAGE))
    query = _select_lines(actor, filters or QualificationFilters())
    return NEWEST.page_of(_read_lines(NEWEST.select_page(query, after, size)), size)


@operation("UC-04.02", permission="qualification.read", writes=False, name="work_queue")
def work_queue(actor: Actor, filters: QualificationFilters | None = None, limit: int = 200) -> list[QualificationLine]:
    """List the visible applications by SLA clock: running by due day, then paused, then decided, each newest first."""
    filters = filters or QualificationFilters()
    clocks = frozenset(map(ClockState, filters.clock)) or frozenset(ClockState)
    size = max(1, min(limit, LONGEST_PAGE))
    lines: list[QualificationLine] = []
    for part in QUEUE_PARTS:
        states = clocks & part.clocks
        if states and len(lines) < size:
            clock = () if states == part.clocks else tuple(sorted(map(str, states)))
            query = _select_lines(actor, replace(filters, clock=clock)).where(part.condition)
            lines += _read_lines(query.order_by(*part.order).limit(size - len(lines)))
    return lines


@operation("UC-04.02", permission="qualification.read", writes=False, name="get_qualification")
def get_qualification(actor: Actor, qualification_id: UUID) -> QualificationLine:
    """Return one application. Raises NotFound when there is none that the actor may see."""
    see(Qualification, actor, qualification_id)
    return _read_lines(_LINES.where(qualification_id == ID))[0]
