"""Lists of applications: filtered alike in queue, list, API and counts; ordered by SLA clock or by time (UC-04.02)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Uuid, and_, bindparam, func, select, true
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.participants import Organisation
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from models.units import MarketUnit
from services.core.clock import today
from services.core.db.statements import Prepared, RecordMaker
from services.core.identity.actor import Actor
from services.core.identity.visibility import View, see, view_of
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_connection, current_session, reads_only
from services.market.counters.queries import drop_unused_roles
from services.market.qualification.filters import (
    ME,
    QualificationFilters,
    qualification_conditions,
)
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

    def terms(self) -> dict[str, Any]:
        """Return the line by ontology term."""
        names = {"UnitName": self.unit_name, "UnitCode": self.unit_code}
        return qualification_terms(self.qualification, self.clock) | names


@dataclass(frozen=True, slots=True)
class QualificationPage:
    """A page of applications, and the cursor of the next page (None: this is the last)."""

    items: Sequence[QualificationLine]
    next_cursor: UUID | None


_RECORD = RecordMaker(Qualification)
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
    QueuePart(frozenset(ClockState), true(), (ID.desc(),)),
)
"""The three parts of the queue, in order; then all applications by time."""


@dataclass(frozen=True, slots=True)
class _StatementKey:
    """The key of a compiled statement over applications: view, filters with today's days, and the part of the queue."""

    view: View | None
    me: UUID | None
    filters: QualificationFilters
    day: date
    soon: int
    part: int = 3
    """Index in `QUEUE_PARTS`."""
    after: bool = False


@lru_cache(maxsize=300)
def _list_statement(key: _StatementKey) -> Prepared:
    provider: Any = aliased(Organisation)
    operator: Any = aliased(Organisation)

    def name(organisation: Any) -> Any:
        return func.coalesce(organisation.organisation_trading_name, organisation.organisation_legal_name)

    query = (
        select(*_RECORD.columns, col(MarketUnit.name), col(MarketUnit.code), name(provider), name(operator))
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .join(provider, provider.id == col(Qualification.service_provider_id))
        .join(operator, operator.id == col(Qualification.addressed_to))
        .where(QUEUE_PARTS[key.part].condition)
    )
    if key.view is None:
        return Prepared(query.where(bindparam("identifier", type_=Uuid()) == ID))
    reader = Actor("", key.view.roles, user_id=key.me)
    query = query.where(key.view.visible(Qualification), *qualification_conditions(reader, key.filters))
    if key.after:
        query = query.where(bindparam("after", type_=Uuid()) > ID)
    return Prepared(query.order_by(*QUEUE_PARTS[key.part].order).limit(bindparam("lines", type_=Integer())))


def _read_lines(prepared: Prepared, values: Mapping[str, Any]) -> list[QualificationLine]:
    sla, soon = int(setting("qualification.sla_days")), int(setting("qualification.soon_days"))
    if not reads_only():
        current_session().flush()
    lines: list[QualificationLine] = []
    clocks: dict[tuple[Any, ...], Clock] = {}
    for row in prepared.all(current_connection(), values):
        record = _RECORD.made(row[:-4])
        clock_key = (record.status, record.due_on, record.days_used)
        if (clock := clocks.get(clock_key)) is None:
            clock = clocks[clock_key] = compute_clock(record, sla, soon)
        lines.append(QualificationLine(record, *row[-4:], clock=clock))
    return lines


def _statement_key(actor: Actor, filters: QualificationFilters) -> tuple[_StatementKey, dict[str, Any]]:
    view, values = view_of(drop_unused_roles(actor, "qualification.read"))
    me = actor.user_id if ME in filters.assigned else None
    return _StatementKey(view, me, filters, today(), int(setting("qualification.soon_days"))), values


@operation("UC-04.02", permission="qualification.read", writes=False, name="list_qualifications")
def list_qualifications(
    actor: Actor, filters: QualificationFilters | None = None, *, after: UUID | None = None, limit: int = 50
) -> QualificationPage:
    """List the visible applications that pass the filters, newest first; at most `limit`, up to 500."""
    size = max(1, min(limit, LONGEST_PAGE))
    key, values = _statement_key(actor, filters or QualificationFilters())
    if after is not None:
        key, values = replace(key, after=True), {**values, "after": after}
    lines = _read_lines(_list_statement(key), {**values, "lines": size + 1})
    return QualificationPage(lines[:size], lines[size - 1].qualification.id if len(lines) > size else None)


@operation("UC-04.02", permission="qualification.read", writes=False, name="work_queue")
def work_queue(actor: Actor, filters: QualificationFilters | None = None, limit: int = 200) -> list[QualificationLine]:
    """List the visible applications by SLA clock: running by due day, then paused, then decided, each newest first."""
    key, values = _statement_key(actor, filters or QualificationFilters())
    clocks = frozenset(map(ClockState, key.filters.clock)) or frozenset(ClockState)
    remaining = max(1, min(limit, LONGEST_PAGE))
    lines: list[QualificationLine] = []
    for index, part in enumerate(QUEUE_PARTS[:3]):
        states = clocks & part.clocks
        if remaining and states:
            clock_filter = () if states == part.clocks else tuple(sorted(map(str, states)))
            part_key = replace(key, part=index, filters=replace(key.filters, clock=clock_filter))
            lines += _read_lines(_list_statement(part_key), {**values, "lines": remaining})
            remaining = max(1, min(limit, LONGEST_PAGE)) - len(lines)
    return lines


@operation("UC-04.02", permission="qualification.read", writes=False, name="get_qualification")
def get_qualification(actor: Actor, qualification_id: UUID) -> QualificationLine:
    """Return one application. Raises NotFound when there is none that the actor may see."""
    see(Qualification, actor, qualification_id)
    key = _StatementKey(None, None, QualificationFilters(), date.min, 0)
    return _read_lines(_list_statement(key), {"identifier": qualification_id})[0]


def status_label(status: str) -> str:
    """Return the label of a status."""
    return QUALIFICATION_LABELS[QualificationStatus(status)]
