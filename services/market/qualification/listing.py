"""Applications as lists: filtered the same way in queue, list, API and counts; by the clock or by time (UC-04.02)."""

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
from services.core.db.bulk_insert import uncollected
from services.core.db.statements import Prepared, RecordMaker
from services.core.identity.actor import Actor
from services.core.identity.visibility import View, see, view_of
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_connection, current_session, reads_only
from services.market.counters.queries import narrowed
from services.market.qualification.filters import (
    ME,
    QualificationFilters,
    qualification_conditions,
)
from services.market.qualification.records import terms_of
from services.market.qualification.sla_clock import Clock, ClockState, clock_by

LONGEST_PAGE = 500


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


_RECORD = RecordMaker(Qualification)
ID, DUE = col(Qualification.id), col(Qualification.due_on)
ASKED = col(Qualification.status) == QualificationStatus.INFORMATION_REQUESTED


class Part(NamedTuple):
    """A part of the queue that an index holds in its order: the states of the clock in it, its condition and order."""

    clocks: frozenset[ClockState]
    condition: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...]


RUNNING = frozenset({ClockState.LATE, ClockState.SOON, ClockState.IN_TIME})
PARTS = (
    Part(RUNNING, DUE.is_not(None), (DUE, ID.desc())),
    Part(frozenset({ClockState.PAUSED}), and_(DUE.is_(None), ASKED), (ID.desc(),)),
    Part(frozenset({ClockState.STOPPED}), and_(DUE.is_(None), ~ASKED), (ID.desc(),)),
    Part(frozenset(ClockState), true(), (ID.desc(),)),
)
"""The queue's one after the other; then all of them by time."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a statement over applications differs by: who sees what, the filters with what they mean today, and the part."""

    view: View | None
    me: UUID | None
    filters: QualificationFilters
    day: date
    soon: int
    part: int = 3
    """Place in `PARTS`."""
    after: bool = False


@lru_cache(maxsize=300)
def _lines(asked: _Asked) -> Prepared:
    provider: Any = aliased(Organisation)
    operator: Any = aliased(Organisation)

    def name(of: Any) -> Any:
        return func.coalesce(of.organisation_trading_name, of.organisation_legal_name)

    chosen = (
        select(*_RECORD.columns, col(MarketUnit.name), col(MarketUnit.code), name(provider), name(operator))
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .join(provider, provider.id == col(Qualification.service_provider_id))
        .join(operator, operator.id == col(Qualification.addressed_to))
        .where(PARTS[asked.part].condition)
    )
    if asked.view is None:
        return Prepared(chosen.where(bindparam("identifier", type_=Uuid()) == ID))
    who = Actor("", asked.view.roles, user_id=asked.me)
    chosen = chosen.where(asked.view.visible(Qualification), *qualification_conditions(who, asked.filters))
    if asked.after:
        chosen = chosen.where(bindparam("after", type_=Uuid()) > ID)
    return Prepared(chosen.order_by(*PARTS[asked.part].order).limit(bindparam("lines", type_=Integer())))


def _read(prepared: Prepared, values: Mapping[str, Any]) -> list[QualificationLine]:
    sla, soon = int(setting("qualification.sla_days")), int(setting("qualification.soon_days"))
    if not reads_only():
        current_session().flush()
    found: list[QualificationLine] = []
    clocks: dict[tuple[Any, ...], Clock] = {}
    with uncollected():
        for row in prepared.all(current_connection(), values):
            record = _RECORD.made(row[:-4])
            alike = (record.status, record.due_on, record.days_used)
            if (clock := clocks.get(alike)) is None:
                clock = clocks[alike] = clock_by(record, sla, soon)
            found.append(QualificationLine(record, *row[-4:], clock=clock))
    return found


def _asked(actor: Actor, filters: QualificationFilters) -> tuple[_Asked, dict[str, Any]]:
    view, values = view_of(narrowed(actor, "qualification.read"))
    me = actor.user_id if ME in filters.assigned else None
    return _Asked(view, me, filters, today(), int(setting("qualification.soon_days"))), values


@operation("UC-04.02", permission="qualification.read", writes=False, name="list_qualifications")
def list_qualifications(
    actor: Actor, filters: QualificationFilters | None = None, *, after: UUID | None = None, limit: int = 50
) -> QualificationPage:
    """The applications that the actor may see and that pass the filters, the newest first; at most `limit`, up to 500."""
    size = max(1, min(limit, LONGEST_PAGE))
    asked, values = _asked(actor, filters or QualificationFilters())
    if after is not None:
        asked, values = replace(asked, after=True), {**values, "after": after}
    found = _read(_lines(asked), {**values, "lines": size + 1})
    return QualificationPage(found[:size], found[size - 1].qualification.id if len(found) > size else None)


@operation("UC-04.02", permission="qualification.read", writes=False, name="work_queue")
def work_queue(actor: Actor, filters: QualificationFilters | None = None, limit: int = 200) -> list[QualificationLine]:
    """The same by the clock: what is due first comes first, then what is paused, then what is decided, the newest first."""
    asked, values = _asked(actor, filters or QualificationFilters())
    clocks = frozenset(map(ClockState, asked.filters.clock)) or frozenset(ClockState)
    left = max(1, min(limit, LONGEST_PAGE))
    found: list[QualificationLine] = []
    for place, part in enumerate(PARTS[:3]):
        wanted = clocks & part.clocks
        if left and wanted:
            those = () if wanted == part.clocks else tuple(sorted(map(str, wanted)))
            these = replace(asked, part=place, filters=replace(asked.filters, clock=those))
            found += _read(_lines(these), {**values, "lines": left})
            left = max(1, min(limit, LONGEST_PAGE)) - len(found)
    return found


@operation("UC-04.02", permission="qualification.read", writes=False, name="get_qualification")
def get_qualification(actor: Actor, qualification_id: UUID) -> QualificationLine:
    """One application. Raises NotFound when there is none that the actor may see."""
    see(Qualification, actor, qualification_id)
    one = _Asked(None, None, QualificationFilters(), date.min, 0)
    return _read(_lines(one), {"identifier": qualification_id})[0]


def status_label(status: str) -> str:
    """A status in words."""
    return QUALIFICATION_LABELS[QualificationStatus(status)]
