"""How many applications there are, for filters and numbers of queue and list (UC-04.02): from the counts kept beside them."""

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
from services.core.db.statements import Prepared
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_connection, current_session
from services.market.counters import queries as kept
from services.market.counters.keys import WAITING
from services.market.counters.queries import Kept
from services.market.qualification.filters import QualificationFilters, qualification_conditions
from services.market.qualification.sla_clock import ClockState

READ = "qualification.read"
UNDECIDED = frozenset(ClockState) - {ClockState.STOPPED}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many applications there are, by status, by clock, by product, by GSP group, and of whom; for filters and numbers."""

    statuses: Mapping[str, int]
    clocks: Mapping[ClockState, int]
    products: Mapping[str, int]
    groups: Mapping[str, int]
    providers: Mapping[UUID, str]
    operators: Mapping[UUID, str]


@operation("UC-04.02", permission=READ, writes=False, name="tally_qualifications")
def tally_qualifications(actor: Actor, filters: QualificationFilters | None = None) -> Tally:
    """Counts of the visible applications that pass the filters."""
    wanted = filters or QualificationFilters()
    part = kept.part_of(actor, READ, tuple(map(UUID, wanted.operator))) if only_counted(wanted) else None
    return _from_records(actor, wanted) if part is None else _from_counts(part, wanted)


def only_counted(filters: QualificationFilters) -> bool:
    """Whether the kept counts tell apart what is asked for: SOs, states, and whether it is decided."""
    others = QualificationFilters(status=filters.status, operator=filters.operator, clock=filters.clock)
    return filters == others and set(filters.clock) in (set(), UNDECIDED, set(ClockState))


def clocks_now() -> "Clocks":
    """How clocks are read today; inside an operation."""
    this = today()
    return Clocks(this, add_working_days(this, int(setting("qualification.soon_days"))))


class Clocks(NamedTuple):
    """Today, and the last day that is soon."""

    today: date
    soon: date

    def state(self, status: str, due_on: date | None) -> ClockState:
        """How a clock stands, as `qualification_clock.clock_by` says of one application."""
        if due_on is None:
            asked = status == QualificationStatus.INFORMATION_REQUESTED
            return ClockState.PAUSED if asked else ClockState.STOPPED
        if due_on < self.today:
            return ClockState.LATE
        return ClockState.SOON if due_on <= self.soon else ClockState.IN_TIME


def _from_counts(part: Kept, filters: QualificationFilters) -> Tally:
    decided = not filters.clock or ClockState.STOPPED in filters.clock
    states = set(filters.status or map(str, QualificationStatus)) & set(
        map(str, QualificationStatus if decided else WAITING)
    )
    found = _Found()
    for status, due_on, number in kept.by_clock(part, states):
        found.stand(status, due_on, number)
    found.products.update(kept.by_product(part, states))
    found.operators.update(operator for operator, _ in kept.by_operator(part, states))
    for dimension, code, number in kept.by_group_and_provider(part, states):
        if dimension == "PROVIDER":
            found.parties.add(kept.uuid_of(code))
        else:
            found.groups[code] += number
    return found.tally()


def _from_records(actor: Actor, filters: QualificationFilters) -> Tally:
    q = Qualification
    keys = (q.status, q.due_on, q.product_code, q.gsp_group, q.service_provider_id, q.addressed_to)
    columns = [col(one) for one in keys]
    wanted = [visible(q, actor), *qualification_conditions(actor, filters)]
    found = _Found()
    counted = select(*columns, func.count()).where(*wanted).group_by(*columns)
    for status, due_on, product, group, provider, operator, number in current_session().execute(counted):
        found.stand(str(status), due_on, number)
        found.products[product] += number
        found.groups[group] += number
        found.parties.add(provider)
        found.operators.add(operator)
    return found.tally()


class _Found:
    """What is being counted."""

    def __init__(self) -> None:
        self.statuses, self.products, self.groups = (defaultdict[str, int](int) for _ in range(3))
        self.clocks = dict.fromkeys(ClockState, 0)
        self.parties, self.operators = set[UUID](), set[UUID]()
        self._state = clocks_now().state

    def stand(self, status: str, due_on: date | None, number: int) -> None:
        """Some stand there."""
        self.statuses[status] += number
        self.clocks[self._state(status, due_on)] += number

    def tally(self) -> Tally:
        """In the order of codes and of names."""
        names = [(kept.uuid_of(one), name) for one, name in _NAMES.raw(current_connection(), {})]
        statuses, products, groups = (dict(sorted(one.items())) for one in (self.statuses, self.products, self.groups))
        parties, operators = (
            {one: name for one, name in names if one in some} for some in (self.parties, self.operators)
        )
        return Tally(statuses, self.clocks, products, groups, parties, operators)


_CALLED = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
_NAMES = Prepared(select(col(Organisation.id), _CALLED).order_by(_CALLED))
