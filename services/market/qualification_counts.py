"""How many applications there are, for filters and numbers of queue and list (UC-04.02): from the counts kept beside them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from services.core.actor import Actor
from services.core.clock import add_working_days, today
from services.core.operation import operation
from services.core.prepared import Prepared
from services.core.register_settings import setting
from services.core.transaction import current_connection, current_session
from services.core.visibility import visible
from services.market import tally_reading as kept
from services.market.qualification_clock import ClockState
from services.market.qualification_filtering import QualificationFilters, qualification_conditions
from services.market.tally_figures import WAITING
from services.market.tally_reading import Kept

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


class Row(NamedTuple):
    """Applications that stand alike."""

    operator: UUID
    product: str
    status: str
    due_on: date | None
    number: int


@operation("UC-04.02", permission=READ, writes=False)
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

    def passes(status: str) -> bool:
        return (not filters.status or status in filters.status) and (decided or status in WAITING)

    rows = [row for one in kept.standing(part) if passes((row := Row(*one)).status)]
    groups, providers = defaultdict[str, int](int), set[UUID]()
    for dimension, code, status, number in kept.by_group_and_provider(part):
        if passes(status):
            if dimension == "PROVIDER":
                providers.add(kept.uuid_of(code))
            else:
                groups[code] += number
    return _tally(rows, groups, providers)


def _from_records(actor: Actor, filters: QualificationFilters) -> Tally:
    q = Qualification
    keys = (q.addressed_to, q.product_code, q.status, q.due_on, q.gsp_group, q.service_provider_id)
    columns = [col(one) for one in keys]
    wanted = [visible(q, actor), *qualification_conditions(actor, filters)]
    rows: list[Row] = []
    groups, providers = defaultdict[str, int](int), set[UUID]()
    for *row, group, provider, number in current_session().execute(
        select(*columns, func.count()).where(*wanted).group_by(*columns)
    ):
        rows.append(Row(*row, number))
        groups[group] += number
        providers.add(provider)
    return _tally(rows, groups, providers)


def _tally(rows: Iterable[Row], groups: Mapping[str, int], providers: set[UUID]) -> Tally:
    clocks, state = dict.fromkeys(ClockState, 0), clocks_now().state
    statuses, products = defaultdict[str, int](int), defaultdict[str, int](int)
    operators = set[UUID]()
    for row in rows:
        statuses[str(row.status)] += row.number
        products[row.product] += row.number
        clocks[state(row.status, row.due_on)] += row.number
        operators.add(row.operator)
    names = [(kept.uuid_of(one), name) for one, name in _NAMES.raw(current_connection(), {})]
    return Tally(
        dict(sorted(statuses.items())),
        clocks,
        dict(sorted(products.items())),
        dict(sorted(groups.items())),
        {one: name for one, name in names if one in providers},
        {one: name for one, name in names if one in operators},
    )


_CALLED = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
_NAMES = Prepared(select(col(Organisation.id), _CALLED).order_by(_CALLED))
