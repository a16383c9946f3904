"""Counts of applications for filters and numbers of queue and list (UC-04.02), from maintained counters where they suffice."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from services.core.clock import add_working_days, today
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.counters import queries as kept
from services.market.counters.keys import WAITING
from services.market.counters.queries import TallyScope
from services.market.qualification.filters import QualificationFilters, qualification_conditions
from services.market.qualification.sla_clock import ClockState

READ = "qualification.read"
UNDECIDED = frozenset(ClockState) - {ClockState.STOPPED}


@dataclass(frozen=True, slots=True)
class ApplicationCounts:
    """Counts of applications by status, clock, product and GSP group, with the names of their providers and SOs."""

    statuses: Mapping[str, int]
    clocks: Mapping[ClockState, int]
    products: Mapping[str, int]
    groups: Mapping[str, int]
    providers: Mapping[UUID, str]
    operators: Mapping[UUID, str]


@operation("UC-04.02", permission=READ, writes=False, name="tally_qualifications")
def tally_qualifications(actor: Actor, filters: QualificationFilters | None = None) -> ApplicationCounts:
    """Count the visible applications that pass the filters."""
    criteria = filters or QualificationFilters()
    part = kept.find_part(actor, READ, tuple(map(UUID, criteria.operator))) if is_counted(criteria) else None
    return _tally_records(actor, criteria) if part is None else _tally_counters(part, criteria)


def is_counted(filters: QualificationFilters) -> bool:
    """Return True when the counters can answer the filters: SO, status, and a clock of decided or undecided."""
    counted_filters = QualificationFilters(status=filters.status, operator=filters.operator, clock=filters.clock)
    return filters == counted_filters and set(filters.clock) in (set(), UNDECIDED, set(ClockState))


def load_clocks() -> "Clocks":
    """Load the days that SLA clocks are read by today; inside an operation."""
    day = today()
    return Clocks(day, add_working_days(day, int(setting("qualification.soon_days"))))


class Clocks(NamedTuple):
    """Days that SLA clocks are read by: today, and the last day that counts as soon."""

    today: date
    soon: date

    def state(self, status: str, due_on: date | None) -> ClockState:
        """Return the state of an SLA clock, as `sla_clock.clock_by` does for one application."""
        if due_on is None:
            paused = status == QualificationStatus.INFORMATION_REQUESTED
            return ClockState.PAUSED if paused else ClockState.STOPPED
        if due_on < self.today:
            return ClockState.LATE
        return ClockState.SOON if due_on <= self.soon else ClockState.IN_TIME


def _tally_counters(part: TallyScope, filters: QualificationFilters) -> ApplicationCounts:
    decided = not filters.clock or ClockState.STOPPED in filters.clock
    states = set(filters.status or map(str, QualificationStatus)) & set(
        map(str, QualificationStatus if decided else WAITING)
    )
    builder = _TallyBuilder()
    for status, due_on, number in kept.read_by_clock(part, states):
        builder.add(status, due_on, number)
    builder.products.update(kept.read_by_product(part, states))
    builder.operators.update(operator for operator, _ in kept.read_by_operator(part, states))
    for dimension, code, number in kept.read_by_group_and_provider(part, states):
        if dimension == "PROVIDER":
            builder.parties.add(UUID(code))
        else:
            builder.groups[code] += number
    return builder.tally()


def _tally_records(actor: Actor, filters: QualificationFilters) -> ApplicationCounts:
    q = Qualification
    keys = (q.status, q.due_on, q.product_code, q.gsp_group, q.service_provider_id, q.addressed_to)
    columns = [col(key) for key in keys]
    conditions = [visible(q, actor), *qualification_conditions(actor, filters)]
    builder = _TallyBuilder()
    query = select(*columns, func.count()).where(*conditions).group_by(*columns)
    for status, due_on, product, group, provider, operator, number in current_session().execute(query):
        builder.add(str(status), due_on, number)
        builder.products[product] += number
        builder.groups[group] += number
        builder.parties.add(provider)
        builder.operators.add(operator)
    return builder.tally()


class _TallyBuilder:
    """A tally while it is counted."""

    def __init__(self) -> None:
        self.statuses, self.products, self.groups = (defaultdict[str, int](int) for _ in range(3))
        self.clocks = dict.fromkeys(ClockState, 0)
        self.parties, self.operators = set[UUID](), set[UUID]()
        self._state = load_clocks().state

    def add(self, status: str, due_on: date | None, number: int) -> None:
        """Add a number of applications to their status and their clock."""
        self.statuses[status] += number
        self.clocks[self._state(status, due_on)] += number

    def tally(self) -> ApplicationCounts:
        """Return the tally, in the order of codes and of names."""
        names = current_session().execute(_NAMES).all()
        statuses, products, groups = (
            dict(sorted(numbers.items())) for numbers in (self.statuses, self.products, self.groups)
        )
        parties, operators = (
            {identifier: name for identifier, name in names if identifier in identifiers}
            for identifiers in (self.parties, self.operators)
        )
        return ApplicationCounts(statuses, self.clocks, products, groups, parties, operators)


_NAME = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
_NAMES = select(col(Organisation.id), _NAME).order_by(_NAME)
