"""Where the dashboard's rows come from: the counts kept beside the market, or, where these can't tell, its records (UC-05.02).

The kept counts are by month. What began or ended within one, of a span that does, is counted from the steps of that month.
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
from services.market.counters.queries import Kept
from services.market.products.catalogue import whole_catalogue
from services.market.statistics import queries as rows_of
from services.market.statistics.model import Dimension
from services.market.statistics.queries import PERMISSION, Decision, Ending, Flow, InUnits, Open, Wanted


class Span(NamedTuple):
    """The time that is told of: its first and last day, the first day of each month in it."""

    since: date
    until: date
    months: list[date]

    @property
    def starts(self) -> list[datetime]:
        """When each month begins."""
        return [start_of(month) for month in self.months]

    @property
    def end(self) -> datetime:
        """When the last day is over."""
        return start_of(self.until + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Gathered:
    """The rows that the dashboard's figures are added up from; where providers count, each figure has rows of its own."""

    moved: Mapping[Dimension, Sequence[Flow]]
    """Qualified power, of all time."""
    months: Sequence[Flow]
    """The same by month."""
    heat: Sequence[Flow]
    decided: Sequence[Decision]
    """By month and outcome."""
    reasons: Sequence[Decision]
    decided_by: Sequence[Decision]
    decided_for: Sequence[Decision]
    days_by: Sequence[Decision]
    """By the days taken, and by SO."""
    days_for: Sequence[Decision]
    """The same by product."""
    waiting: Sequence[Open]
    """By SO."""
    waiting_for: Sequence[Open]
    """By product."""
    ending: Sequence[Ending]
    units: Sequence[InUnits]


def gather(wanted: Wanted, span: Span) -> Gathered:
    """Everything that the dashboard is made of, within what the actor may see."""
    part = kept.part_of(wanted.actor, PERMISSION, wanted.operators, wanted.products)
    if part is None:
        return from_records(wanted, span)
    return from_counts(wanted, span, part)


def _summed(rows: Sequence[Flow]) -> list[Flow]:
    sums: dict[tuple[str, UUID, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        known = sums[row.product, row.operator, row.group]
        known[0] += row.steps
        known[1] += row.number
        known[2] += row.kw
    return [Flow(0, *key[:3], None, *known) for key, known in sums.items()]


def from_records(wanted: Wanted, span: Span) -> Gathered:
    """From applications, their steps and units: for an FSP, and to hold the kept counts against."""
    decided = rows_of.decisions(wanted, span.starts, start_of(span.since), span.end)
    months, waiting = rows_of.flows(wanted, span.starts, span.end), rows_of.open_now(wanted)
    moved = _summed(months)
    return Gathered(
        dict.fromkeys(Dimension, moved), months, moved, decided, decided, decided, decided, decided, decided, waiting, waiting,
        rows_of.ending(wanted, today()), rows_of.in_units(wanted),
    )  # fmt: skip


class Whole(NamedTuple):
    """The months of a span that lie wholly in it, by number, and the first that is told of; and the moments of what is left."""

    first: int
    last: int
    told: int
    ended: bool
    """Whether the span's last month is one of them."""
    left: Sequence[tuple[datetime, datetime]]

    def place(self, month: int) -> int:
        """A month's place among those that are told of; 0: before them."""
        return max(0, month - self.told + 1)


def whole_months(span: Span) -> Whole:
    """Which months of a span need no look at single steps: nothing has happened after today."""
    first, last = month_number(span.since), month_number(span.until)
    told = month_number(span.months[0])
    next_month = (span.until.replace(day=1) + timedelta(days=32)).replace(day=1)
    ended = span.until >= today() or span.until + timedelta(days=1) == next_month
    begun = span.since.day == 1
    start, end = start_of(span.since), span.end
    if first == last and not (begun and ended):
        return Whole(first, first - 1, told, ended, [(start, end)])
    left: list[tuple[datetime, datetime]] = []
    if not begun:
        following = (span.since.replace(day=1) + timedelta(days=32)).replace(day=1)
        left.append((start, start_of(following)))
        first += 1
    if not ended:
        left.append((start_of(span.until.replace(day=1)), end))
        last -= 1
    return Whole(first, last, told, ended, left)


def from_counts(wanted: Wanted, span: Span, part: Kept) -> Gathered:
    """From the counts kept beside the market."""
    whole = whole_months(span)
    first, last = whole[:2]
    left = [row for start, end in whole.left for row in rows_of.decisions(wanted, span.starts, start, end)]
    by = [
        Decision(0, "", who, None, Q.QUALIFIED, None, *rest) for who, *rest in kept.days_by_operator(part, first, last)
    ]
    of = [
        Decision(0, what, ANYONE, None, Q.QUALIFIED, None, *rest)
        for what, *rest in kept.days_by_product(part, first, last)
    ]
    decided = [
        Decision(whole.place(month), "", ANYONE, None, outcome, reason or None, 0, number)
        for month, outcome, reason, number in kept.decided_within(part, first, last)
    ]
    months = _moved(wanted, span, part, whole)
    moved = _summed(months)
    decided, by, of = decided + left, by + left, of + left
    return Gathered(
        dict.fromkeys(Dimension, moved), months, moved, decided, decided, by, of, by, of,
        [Open("", who, None, Q.SUBMITTED, *rest) for who, *rest in kept.operators_due(part, WAITING)],
        [Open(what, ANYONE, None, Q.SUBMITTED, *rest) for what, *rest in kept.products_due(part, WAITING)],
        _ending(wanted, part), units_of(wanted),
    )  # fmt: skip


def _moved(wanted: Wanted, span: Span, part: Kept, whole: Whole) -> list[Flow]:
    last = month_number(span.until) - (not whole.ended)
    found = [
        Flow(0, product, kept.uuid_of(operator), group, None, steps, number, kw)
        for operator, product, group, steps, number, kw in kept.qualified_before(part, min(whole.told, last + 1))
    ]
    found += [
        Flow(month - whole.told + 1, product, kept.uuid_of(operator), group, None, steps, number, kw)
        for operator, product, group, month, steps, number, kw in kept.qualified_within(part, whole.told, last)
    ]
    if not whole.ended:
        found += rows_of.flows(wanted, span.starts, span.end, start_of(span.until.replace(day=1)))
    return found


def _ending(wanted: Wanted, part: Kept) -> list[Ending]:
    """By month; what should have ended in this one and waits for the register to end it no longer counts."""
    first = today().replace(day=1)
    found = [
        Ending(date(month // 12, month % 12 + 1, 1), None, number, kw)
        for month, number, kw in kept.ending_from(part, month_number(first))
    ]
    late = rows_of.ending(wanted, first, today()) if first < today() else []
    return [*found, *(one._replace(number=-one.number, kw=-one.kw) for one in late)]


def _narrows(wanted: Wanted) -> bool:
    """Whether less is asked for than all that units of some families have applied for."""
    if wanted.products is None or wanted.operators:
        return bool(wanted.operators)
    versions = whole_catalogue().versions
    return set(wanted.products) != {code for code, of in versions.items() if str(of[-1].family) in wanted.families}


def units_of(wanted: Wanted) -> list[InUnits]:
    """Assets in active units by family."""
    scopes = scopes_of(wanted.actor, PERMISSION)
    if _narrows(wanted) or kept.part_of(wanted.actor, PERMISSION) is None:
        return rows_of.in_units(wanted)
    operator = None if Scope.ALL in scopes else wanted.actor.organisation_id
    families = wanted.families or tuple(map(str, Family))
    return [
        InUnits(family, tuple(assets), (0, 0, 0), units)
        for family, units, *assets in kept.units_of(operator)
        if family in families
    ]
