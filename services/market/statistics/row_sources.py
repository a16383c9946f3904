"""Sources of the dashboard's rows: maintained counters, or, where these don't suffice, the market's records (UC-05.02).

The counters are by month. A month that lies only partly in the span is counted from its steps.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from models.market_tallies import ANYONE
from models.products import Family
from services.core.clock import start_of, today
from services.core.identity.permissions import Scope, scopes_of
from services.market.counters import queries as kept
from services.market.counters.keys import WAITING, Q, month_number
from services.market.counters.queries import TallyScope
from services.market.products.catalogue import load_catalogue
from services.market.statistics import queries as rows_of
from services.market.statistics.model import Dimension
from services.market.statistics.queries import PERMISSION, DecisionCount, Ending, Flow, InUnits, Open, StatisticsScope


class Span(NamedTuple):
    """The span of the dashboard: first and last day, and the first day of each month in it."""

    since: date
    until: date
    months: list[date]

    @property
    def starts(self) -> list[datetime]:
        """The moment at which each month begins."""
        return [start_of(month) for month in self.months]

    @property
    def end(self) -> datetime:
        """The moment at which the last day is over."""
        return start_of(self.until + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class DashboardRows:
    """Rows that the dashboard's figures are summed from; under disclosure control, each figure has rows of its own."""

    flows: Mapping[Dimension, Sequence[Flow]]
    """Qualified power, of all time."""
    months: Sequence[Flow]
    """The same by month."""
    heat: Sequence[Flow]
    decided: Sequence[DecisionCount]
    """By month and outcome."""
    reasons: Sequence[DecisionCount]
    decided_by: Sequence[DecisionCount]
    decided_for: Sequence[DecisionCount]
    days_by: Sequence[DecisionCount]
    """By the days taken, and by SO."""
    days_for: Sequence[DecisionCount]
    """The same by product."""
    waiting: Sequence[Open]
    """By SO."""
    waiting_for: Sequence[Open]
    """By product."""
    ending: Sequence[Ending]
    units: Sequence[InUnits]


def collect_rows(scope: StatisticsScope, span: Span) -> DashboardRows:
    """Collect the rows of the dashboard, within what the actor may see."""
    part = kept.find_part(scope.actor, PERMISSION, scope.operators, scope.products)
    if part is None:
        return collect_from_records(scope, span)
    return collect_from_counters(scope, span, part)


def _sum_flows(rows: Sequence[Flow]) -> list[Flow]:
    sums: dict[tuple[str, UUID, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        totals = sums[row.product, row.operator, row.group]
        totals[0] += row.steps
        totals[1] += row.number
        totals[2] += row.kw
    return [Flow(0, *key, None, *totals) for key, totals in sums.items()]


def collect_from_records(scope: StatisticsScope, span: Span) -> DashboardRows:
    """Collect the rows from applications, their steps and units: for an FSP, and to check the counters."""
    decided = rows_of.load_decisions(scope, span.starts, start_of(span.since), span.end)
    months, waiting = rows_of.load_flows(scope, span.starts, span.end), rows_of.load_open(scope)
    flows = _sum_flows(months)
    return DashboardRows(
        dict.fromkeys(Dimension, flows), months, flows, decided, decided, decided, decided, decided, decided, waiting, waiting,
        rows_of.load_ending(scope, today()), rows_of.load_assets_in_units(scope),
    )  # fmt: skip


class WholeMonths(NamedTuple):
    """Months of a span that lie wholly in it, by number, and the periods that remain at its ends."""

    first: int
    last: int
    first_of_span: int
    """The number of the span's first month, whole or not."""
    ended: bool
    """True when the span's last month is a whole one."""
    remainders: Sequence[tuple[datetime, datetime]]

    def place(self, month: int) -> int:
        """Return the index of a month in the span, from 1; 0: before it."""
        return max(0, month - self.first_of_span + 1)


def split_months(span: Span) -> WholeMonths:
    """Split a span into whole months and remainders; a month up to today counts as whole."""
    first, last = month_number(span.since), month_number(span.until)
    first_of_span = month_number(span.months[0])
    next_month = (span.until.replace(day=1) + timedelta(days=32)).replace(day=1)
    ended = span.until >= today() or span.until + timedelta(days=1) == next_month
    starts_whole = span.since.day == 1
    start, end = start_of(span.since), span.end
    if first == last and not (starts_whole and ended):
        return WholeMonths(first, first - 1, first_of_span, ended, [(start, end)])
    remainders: list[tuple[datetime, datetime]] = []
    if not starts_whole:
        following = (span.since.replace(day=1) + timedelta(days=32)).replace(day=1)
        remainders.append((start, start_of(following)))
        first += 1
    if not ended:
        remainders.append((start_of(span.until.replace(day=1)), end))
        last -= 1
    return WholeMonths(first, last, first_of_span, ended, remainders)


def collect_from_counters(scope: StatisticsScope, span: Span, part: TallyScope) -> DashboardRows:
    """Collect the rows from the maintained counters, with the steps of months that aren't whole."""
    whole = split_months(span)
    first, last = whole.first, whole.last
    from_steps = [
        row for start, end in whole.remainders for row in rows_of.load_decisions(scope, span.starts, start, end)
    ]
    by_operator = [
        DecisionCount(0, "", operator, None, Q.QUALIFIED, None, days, number)
        for operator, days, number in kept.read_days_by_operator(part, first, last)
    ]
    by_product = [
        DecisionCount(0, product, ANYONE, None, Q.QUALIFIED, None, days, number)
        for product, days, number in kept.read_days_by_product(part, first, last)
    ]
    decided = [
        DecisionCount(whole.place(month), "", ANYONE, None, outcome, reason or None, 0, number)
        for month, outcome, reason, number in kept.read_decided_within(part, first, last)
    ]
    months = _load_flows(scope, span, part, whole)
    flows = _sum_flows(months)
    decided += from_steps
    by_operator += from_steps
    by_product += from_steps
    return DashboardRows(
        flows=dict.fromkeys(Dimension, flows),
        months=months,
        heat=flows,
        decided=decided,
        reasons=decided,
        decided_by=by_operator,
        decided_for=by_product,
        days_by=by_operator,
        days_for=by_product,
        waiting=[
            Open("", operator, None, Q.SUBMITTED, due_on, number)
            for operator, due_on, number in kept.read_operators_due(part, WAITING)
        ],
        waiting_for=[
            Open(product, ANYONE, None, Q.SUBMITTED, due_on, number)
            for product, due_on, number in kept.read_products_due(part, WAITING)
        ],
        ending=_load_ending(scope, part),
        units=load_units(scope),
    )


def _load_flows(scope: StatisticsScope, span: Span, part: TallyScope, whole: WholeMonths) -> list[Flow]:
    last = month_number(span.until) - (not whole.ended)
    flows = [
        Flow(0, product, operator, group, None, steps, number, kw)
        for operator, product, group, steps, number, kw in kept.read_qualified_before(
            part, min(whole.first_of_span, last + 1)
        )
    ]
    flows += [
        Flow(whole.place(month), product, operator, group, None, steps, number, kw)
        for operator, product, group, month, steps, number, kw in kept.read_qualified_within(
            part, whole.first_of_span, last
        )
    ]
    if not whole.ended:
        flows += rows_of.load_flows(scope, span.starts, span.end, start_of(span.until.replace(day=1)))
    return flows


def _load_ending(scope: StatisticsScope, part: TallyScope) -> list[Ending]:
    """Load the ending qualifications by month; without those overdue to be expired in this month."""
    first = today().replace(day=1)
    rows = [
        Ending(date(month // 12, month % 12 + 1, 1), None, number, kw)
        for month, number, kw in kept.read_ending_from(part, month_number(first))
    ]
    overdue = rows_of.load_ending(scope, first, today()) if first < today() else []
    return [*rows, *(row._replace(number=-row.number, kw=-row.kw) for row in overdue)]


def _is_narrowed(scope: StatisticsScope) -> bool:
    """Return True when the scope is narrower than all products of some families at all SOs."""
    if scope.products is None or scope.operators:
        return bool(scope.operators)
    versions = load_catalogue().versions
    in_families = {code for code, history in versions.items() if str(history[-1].family) in scope.families}
    return set(scope.products) != in_families


def load_units(scope: StatisticsScope) -> list[InUnits]:
    """Load the assets in active units by family."""
    scopes = scopes_of(scope.actor, PERMISSION)
    if _is_narrowed(scope) or kept.find_part(scope.actor, PERMISSION) is None:
        return rows_of.load_assets_in_units(scope)
    operator = None if Scope.ALL in scopes else scope.actor.organisation_id
    families = scope.families or tuple(map(str, Family))
    return [
        InUnits(family, tuple(assets), (0, 0, 0), units)
        for family, units, *assets in kept.read_units(operator)
        if family in families
    ]
