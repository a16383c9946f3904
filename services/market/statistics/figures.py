"""From counted rows to the figures of the dashboard; whatever can't be shown is withheld here (UC-05.02)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from models.products import FAMILY_LABELS, Family
from models.qualifications import QUALIFICATION_LABELS, QualificationStatus
from services.market.products.reference_data import rows_of
from services.market.qualification.sla_clock import ClockState
from services.market.statistics.disclosure_control import (
    Tally,
    grouped,
    shown_months,
    those_behind,
    withheld,
    withheld_in_table,
    withheld_stages,
)
from services.market.statistics.model import (
    Ageing,
    Days,
    Dimension,
    Expiry,
    Figure,
    HeatCell,
    MonthOutcomes,
    Series,
    Stage,
)
from services.market.statistics.queries import DECIDED, Decision, Ending, Flow, InUnits, Open, Registered

MONTHS_AHEAD = 12
STAGES = ("in_unit", "applied", "qualified")
STAGE_LABELS = {
    "registered": "Registered",
    "verified": "Verified",
    "in_unit": "In a market unit",
    "applied": "Applied for",
    "qualified": "Qualified",
}
SHOWN_CLOCKS = (ClockState.LATE, ClockState.SOON, ClockState.IN_TIME, ClockState.PAUSED)
MEDIAN, NINETIETH = 0.5, 0.9


@dataclass(frozen=True, slots=True)
class Words:
    """Names by code: products, SOs (by the text of their identifier), GSP groups; and the sub-market of each product."""

    names: Mapping[str, str]
    sub_markets: Mapping[str, str]

    def code_of(self, dimension: Dimension, row: Flow) -> str:
        """Where a row of qualified power belongs."""
        match dimension:
            case Dimension.PRODUCT:
                return row.product
            case Dimension.SUB_MARKET:
                return self.sub_markets.get(row.product, "")
            case Dimension.GSP_GROUP:
                return row.group
            case Dimension.OPERATOR:
                return str(row.operator)

    def name(self, dimension: Dimension, code: str) -> str:
        """The name of a code."""
        if not code:
            return "Several GSP groups" if dimension is Dimension.GSP_GROUP else "Not known"
        return code if dimension is Dimension.SUB_MARKET else self.names.get(code, code)


def kilowatts(hundredths: int) -> Decimal:
    """Hundredths of a kW as kW."""
    return Decimal(hundredths).scaleb(-2)


def _figure(code: str, label: str, tally: Tally, hide: bool) -> Figure:
    if hide:
        return Figure(code, label, None, None, withheld=True)
    return Figure(code, label, tally.count, kilowatts(tally.kw))


def qualified_by(dimension: Dimension, rows: Iterable[Flow], words: Words, anonymised: bool) -> list[Figure]:
    """Qualified power by one dimension, the most first; nothing of what has none."""
    tallies = grouped((words.code_of(dimension, row), row.number, row.kw, row.provider) for row in rows if row.number)
    hidden = withheld(tallies) if anonymised else set()
    ranked = sorted(
        ((code, one) for code, one in tallies.items() if one.count), key=lambda pair: (-pair[1].kw, pair[0])
    )
    return [_figure(code, words.name(dimension, code), one, code in hidden) for code, one in ranked]


def qualified_total(rows: Iterable[Flow], anonymised: bool) -> Figure:
    """All qualified power."""
    tally = grouped(("", row.number, row.kw, row.provider) for row in rows).get("", Tally())
    return _figure("", "Qualified", tally, anonymised and tally.small)


def heat_of(rows: Iterable[Flow], anonymised: bool, hidden_rows: set[str], hidden_columns: set[str]) -> list[HeatCell]:
    """Qualified power by product and GSP group."""
    tallies = grouped(((row.product, row.group), row.number, row.kw, row.provider) for row in rows if row.number)
    hidden = withheld_in_table(tallies, hidden_rows, hidden_columns) if anonymised else set()
    return [
        HeatCell(product, group, None, None, withheld=True)
        if (product, group) in hidden
        else HeatCell(product, group, one.count, kilowatts(one.kw))
        for (product, group), one in sorted(tallies.items())
        if one.count
    ]


def series_of_each(
    rows: Iterable[Flow], months: int, words: Words, ranked: Mapping[Dimension, Sequence[Figure]]
) -> dict[Dimension, list[Series]]:
    """Qualified kW at the end of each month by every dimension, one line for each code, those with the most now first."""
    changes: dict[Dimension, dict[str, list[int]]] = {one: {} for one in Dimension}
    places: dict[tuple[str, UUID, str], list[list[int]]] = {}
    for row in rows:
        key = (row.product, row.operator, row.group)
        if (lines := places.get(key)) is None:
            lines = places[key] = [
                changes[one].setdefault(words.code_of(one, row), [0] * (months + 1)) for one in Dimension
            ]
        for line in lines:
            line[row.month] += row.kw
    return {one: _lines(one, changes[one], words, ranked[one]) for one in Dimension}


def _lines(
    dimension: Dimension, changes: Mapping[str, Sequence[int]], words: Words, ranked: Sequence[Figure]
) -> list[Series]:
    order = [figure.code for figure in ranked]
    codes = [*order, *sorted(set(changes) - set(order))]
    return [Series(code, words.name(dimension, code), _running(changes[code])) for code in codes]


def _running(changes: Sequence[int]) -> list[Decimal | None]:
    total, found = changes[0], list[Decimal | None]()
    for change in changes[1:]:
        total += change
        found.append(kilowatts(total))
    return found


def series_of_all(rows: Sequence[Flow], months: int) -> list[Series]:
    """One line for all, with the months at which too little had happened left out."""
    changes, steps = [0] * (months + 1), [0] * (months + 1)
    whose: list[set[object]] = [set() for _ in range(months + 1)]
    for row in rows:
        changes[row.month] += row.kw
        steps[row.month] += row.steps
        whose[row.month] |= those_behind(row.provider)
    shown = shown_months(list(zip(steps, whose, strict=True)))[1:]
    return [
        Series("", "All products", [kw if seen else None for kw, seen in zip(_running(changes), shown, strict=True)])
    ]


def funnel_of(base: Registered, units: Sequence[InUnits], families: Sequence[Family], anonymised: bool) -> list[Stage]:
    """The way to the market in numbers of assets: an asset may be in one unit of each family, so families stand apart."""
    found: list[Stage] = []
    by_family = {row.family: row for row in units}
    heads = list(zip(base.assets, base.providers, strict=True))
    hidden = withheld_stages(heads) if anonymised else [False, False]
    for code, count, hide in zip(("registered", "verified"), base.assets, hidden, strict=True):
        found.append(Stage(code, STAGE_LABELS[code], None, None if hide else count, hide))
    for family in families:
        row = by_family.get(str(family), InUnits(str(family), (0, 0, 0), (0, 0, 0), 0))
        pairs = list(zip(row.assets, row.providers, strict=True))
        hidden = withheld_stages([*heads, *pairs])[2:] if anonymised else [False] * len(pairs)
        for code, count, hide in zip(STAGES, row.assets, hidden, strict=True):
            found.append(Stage(code, STAGE_LABELS[code], family, None if hide else count, hide))
    return found


def ageing_of(
    key: Callable[[Open], str],
    rows: Iterable[Open],
    name: Callable[[str], str],
    clock: Callable[[Open], ClockState],
    anonymised: bool,
) -> list[Ageing]:
    """Open applications by how their clock stands, those with the most overdue first."""
    tallies = grouped(((key(row), str(clock(row))), row.number, 0, row.provider) for row in rows)
    hidden = withheld_in_table(tallies, (), ()) if anonymised else set()
    codes = {code for code, _ in tallies}

    def of(code: str) -> dict[ClockState, int | None]:
        return {
            one: None if (code, str(one)) in hidden else tallies.get((code, str(one)), Tally()).count
            for one in SHOWN_CLOCKS
        }

    found = [Ageing(code, name(code), of(code)) for code in codes]
    return sorted(
        found,
        key=lambda one: (-(one.by_clock[ClockState.LATE] or 0), -sum(n or 0 for n in one.by_clock.values()), one.label),
    )


def days_of(
    key: Callable[[Decision], str],
    rows: Iterable[Decision],
    taken: Iterable[Decision],
    name: Callable[[str], str],
    anonymised: bool,
) -> list[Days]:
    """Time to decision; of applications that were decided by the SO, with a clock: how many at whom, and the days taken."""
    tallies = grouped((key(row), row.number, 0, row.provider) for row in _by_operator(rows))
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in _by_operator(taken):
        counts[key(row)][row.days] += row.number
    hidden = withheld(tallies) if anonymised else set()
    found = [
        Days(code, name(code), None, None, None)
        if code in hidden
        else Days(
            code, name(code), one.count, share_within(counts[code], MEDIAN), share_within(counts[code], NINETIETH)
        )
        for code, one in tallies.items()
    ]
    return sorted(found, key=lambda one: (-(one.median or 0), one.label))


def _by_operator(rows: Iterable[Decision]) -> Iterable[Decision]:
    return (row for row in rows if row.outcome != QualificationStatus.WITHDRAWN)


def share_within(counts: Mapping[int, int], share: float) -> int:
    """The fewest days within which this share of all lies (nearest rank)."""
    total, so_far = sum(counts.values()), 0
    for days in sorted(counts):
        so_far += counts[days]
        if so_far >= share * total:
            return days
    return 0


def outcomes_of(rows: Sequence[Decision], anonymised: bool) -> list[Figure]:
    """How applications ended, in the order of the life cycle."""
    tallies = grouped((row.outcome, row.number, 0, row.provider) for row in rows)
    hidden = withheld(tallies) if anonymised else set()
    return [
        _figure(str(one), QUALIFICATION_LABELS[one], tallies.get(str(one), Tally()), str(one) in hidden)
        for one in DECIDED
    ]


def by_month(
    rows: Sequence[Decision], months: Sequence[date], anonymised: bool, ended: Sequence[Figure]
) -> list[MonthOutcomes]:
    """Decisions by month and outcome; of an outcome that is withheld for the whole time, no month is told."""
    tallies = grouped(((str(row.month), row.outcome), row.number, 0, row.provider) for row in rows)
    closed = [figure.code for figure in ended if figure.withheld]
    hidden = withheld_in_table(tallies, (), closed) if anonymised else set()

    def of(place: int, outcome: str) -> int | None:
        key = (str(place), outcome)
        return None if key in hidden else tallies.get(key, Tally()).count

    return [
        MonthOutcomes(month, {str(one): of(place, str(one)) for one in DECIDED})
        for place, month in enumerate(months, 1)
    ]


def reasons_of(rows: Sequence[Decision], anonymised: bool, ended: Sequence[Figure]) -> list[Figure]:
    """Why applications failed, the most frequent first."""
    failed = [row for row in rows if row.outcome == QualificationStatus.FAILED]
    tallies = grouped((row.reason or "", row.number, 0, row.provider) for row in failed)
    hidden = withheld(tallies) if anonymised else set()
    if any(figure.withheld and figure.code == QualificationStatus.FAILED for figure in ended):
        hidden = set(tallies)
    labels = {row["Code"]: row["Label"] for row in rows_of("qualification_reasons.csv")}
    ranked = sorted(tallies.items(), key=lambda pair: (-pair[1].count, pair[0]))
    return [_figure(code, labels.get(code, code or "No reason given"), one, code in hidden) for code, one in ranked]


def expiries_of(rows: Iterable[Ending], first: date, anonymised: bool) -> list[Expiry]:
    """Qualifications that end in each of the coming twelve months, this one first."""
    start = first.year * 12 + first.month - 1
    tallies = grouped(
        (row.valid_until.year * 12 + row.valid_until.month - 1, row.number, row.kw, row.provider) for row in rows
    )
    hidden = withheld(tallies) if anonymised else set()
    found: list[Expiry] = []
    for number in range(start, start + MONTHS_AHEAD):
        month, one = date(number // 12, number % 12 + 1, 1), tallies.get(number, Tally())
        found.append(Expiry(month, None, None) if number in hidden else Expiry(month, one.count, kilowatts(one.kw)))
    return found


def family_label(family: Any) -> str:
    """The name of a family."""
    return FAMILY_LABELS[Family(family)]
