"""Figures of the dashboard from counted rows, under disclosure control (UC-05.02)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from models.products import Family
from models.qualifications import QUALIFICATION_LABELS, QualificationStatus
from services.market.products.reference_data import read_rows
from services.market.qualification.sla_clock import ClockState
from services.market.statistics.disclosure_control import (
    Tally,
    find_publishable_months,
    find_withheld,
    find_withheld_in_table,
    find_withheld_stages,
    group_rows,
    providers_of,
)
from services.market.statistics.model import (
    Ageing,
    Days,
    Dimension,
    Expiry,
    HeatCell,
    MonthOutcomes,
    Series,
    Stage,
    StatisticsFigure,
)
from services.market.statistics.queries import DECIDED, DecisionCount, Ending, Flow, InUnits, Open, Registered

MONTHS_AHEAD = 12
UNIT_STAGES = ("in_unit", "applied", "qualified")
STAGE_LABELS = {
    "registered": "Registered",
    "verified": "Verified",
    "in_unit": "In a market unit",
    "applied": "Applied for",
    "qualified": "Qualified",
}
OPEN_CLOCKS = (ClockState.LATE, ClockState.SOON, ClockState.IN_TIME, ClockState.PAUSED)
MEDIAN, NINETIETH = 0.5, 0.9


@dataclass(frozen=True, slots=True)
class Names:
    """Names by code: products, SOs (by the text of their identifier), GSP groups; and the sub-market of each product."""

    names: Mapping[str, str]
    sub_markets: Mapping[str, str]

    def code_of(self, dimension: Dimension, row: Flow) -> str:
        """Return the code of a row of qualified power in a dimension."""
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
        """Return the name of a code in a dimension."""
        if not code:
            return "Several GSP groups" if dimension is Dimension.GSP_GROUP else "Not known"
        return code if dimension is Dimension.SUB_MARKET else self.names.get(code, code)


def to_kilowatts(hundredths: int) -> Decimal:
    """Return hundredths of a kW as kW."""
    return Decimal(hundredths).scaleb(-2)


def _build_figure(code: str, label: str, tally: Tally, hide: bool) -> StatisticsFigure:
    if hide:
        return StatisticsFigure(code, label, None, None, withheld=True)
    return StatisticsFigure(code, label, tally.count, to_kilowatts(tally.kw))


def build_qualified(
    dimension: Dimension, rows: Iterable[Flow], names: Names, anonymised: bool
) -> list[StatisticsFigure]:
    """Build the figures of qualified power by one dimension, most first; without codes that have none."""
    tallies = group_rows(
        (names.code_of(dimension, row), row.number, row.kw, row.provider) for row in rows if row.number
    )
    hidden = find_withheld(tallies) if anonymised else set()
    ranked = sorted(
        ((code, tally) for code, tally in tallies.items() if tally.count), key=lambda pair: (-pair[1].kw, pair[0])
    )
    return [_build_figure(code, names.name(dimension, code), tally, code in hidden) for code, tally in ranked]


def build_qualified_total(rows: Iterable[Flow], anonymised: bool) -> StatisticsFigure:
    """Build the figure of all qualified power."""
    tally = group_rows(("", row.number, row.kw, row.provider) for row in rows).get("", Tally())
    return _build_figure("", "Qualified", tally, anonymised and tally.small)


def build_heat_cells(
    rows: Iterable[Flow], anonymised: bool, hidden_rows: set[str], hidden_columns: set[str]
) -> list[HeatCell]:
    """Build the cells of qualified power by product and GSP group."""
    tallies = group_rows(((row.product, row.group), row.number, row.kw, row.provider) for row in rows if row.number)
    hidden = find_withheld_in_table(tallies, hidden_rows, hidden_columns) if anonymised else set()
    return [
        HeatCell(product, group, None, None, withheld=True)
        if (product, group) in hidden
        else HeatCell(product, group, tally.count, to_kilowatts(tally.kw))
        for (product, group), tally in sorted(tallies.items())
        if tally.count
    ]


def build_series_by_dimension(
    rows: Iterable[Flow], months: int, names: Names, ranked: Mapping[Dimension, Sequence[StatisticsFigure]]
) -> dict[Dimension, list[Series]]:
    """Build the series of qualified kW at the end of each month, by dimension and code, those with the most now first."""
    changes: dict[Dimension, dict[str, list[int]]] = {dimension: {} for dimension in Dimension}
    lines_by_key: dict[tuple[str, UUID, str], list[list[int]]] = {}
    for row in rows:
        key = (row.product, row.operator, row.group)
        if (lines := lines_by_key.get(key)) is None:
            lines = lines_by_key[key] = [
                changes[dimension].setdefault(names.code_of(dimension, row), [0] * (months + 1))
                for dimension in Dimension
            ]
        for line in lines:
            line[row.month] += row.kw
    return {dimension: _build_lines(dimension, changes[dimension], names, ranked[dimension]) for dimension in Dimension}


def _build_lines(
    dimension: Dimension, changes: Mapping[str, Sequence[int]], names: Names, ranked: Sequence[StatisticsFigure]
) -> list[Series]:
    order = [figure.code for figure in ranked]
    codes = [*order, *sorted(set(changes) - set(order))]
    return [Series(code, names.name(dimension, code), _running_totals(changes[code])) for code in codes]


def _running_totals(changes: Sequence[int]) -> list[Decimal | None]:
    total, totals = changes[0], list[Decimal | None]()
    for change in changes[1:]:
        total += change
        totals.append(to_kilowatts(total))
    return totals


def build_anonymised_series(rows: Sequence[Flow], months: int) -> list[Series]:
    """Build one series over all products, with the months left out in which too little had happened."""
    changes, steps = [0] * (months + 1), [0] * (months + 1)
    providers: list[set[object]] = [set() for _ in range(months + 1)]
    for row in rows:
        changes[row.month] += row.kw
        steps[row.month] += row.steps
        providers[row.month] |= providers_of(row.provider)
    publishable_months = find_publishable_months(list(zip(steps, providers, strict=True)))[1:]
    return [
        Series(
            "",
            "All products",
            [
                kw if publishable else None
                for kw, publishable in zip(_running_totals(changes), publishable_months, strict=True)
            ],
        )
    ]


def build_funnel(
    base: Registered, units: Sequence[InUnits], families: Sequence[Family], anonymised: bool
) -> list[Stage]:
    """Build the funnel to the market in numbers of assets, by family: an asset may be in one unit of each."""
    stages: list[Stage] = []
    by_family = {row.family: row for row in units}
    heads = list(zip(base.assets, base.providers, strict=True))
    hidden = find_withheld_stages(heads) if anonymised else [False, False]
    for code, count, hide in zip(("registered", "verified"), base.assets, hidden, strict=True):
        stages.append(Stage(code, STAGE_LABELS[code], None, None if hide else count, hide))
    for family in families:
        row = by_family.get(str(family), InUnits(str(family), (0, 0, 0), (0, 0, 0), 0))
        pairs = list(zip(row.assets, row.providers, strict=True))
        hidden = find_withheld_stages([*heads, *pairs])[2:] if anonymised else [False] * len(pairs)
        for code, count, hide in zip(UNIT_STAGES, row.assets, hidden, strict=True):
            stages.append(Stage(code, STAGE_LABELS[code], family, None if hide else count, hide))
    return stages


def build_ageing(
    key: Callable[[Open], str],
    rows: Iterable[Open],
    name: Callable[[str], str],
    clock: Callable[[Open], ClockState],
    anonymised: bool,
) -> list[Ageing]:
    """Build the ageing of open applications by state of the SLA clock, the most overdue first."""
    tallies = group_rows(((key(row), str(clock(row))), row.number, 0, row.provider) for row in rows)
    hidden = find_withheld_in_table(tallies, (), ()) if anonymised else set()
    codes = {code for code, _ in tallies}

    def counts_of(code: str) -> dict[ClockState, int | None]:
        return {
            state: None if (code, str(state)) in hidden else tallies.get((code, str(state)), Tally()).count
            for state in OPEN_CLOCKS
        }

    def order(ageing: Ageing) -> tuple[int, int, str]:
        return (
            -(ageing.by_clock[ClockState.LATE] or 0),
            -sum(count or 0 for count in ageing.by_clock.values()),
            ageing.label,
        )

    return sorted((Ageing(code, name(code), counts_of(code)) for code in codes), key=order)


def build_days(
    key: Callable[[DecisionCount], str],
    rows: Iterable[DecisionCount],
    days_rows: Iterable[DecisionCount],
    name: Callable[[str], str],
    anonymised: bool,
) -> list[Days]:
    """Build the days to decision of applications decided by an SO: `rows` for the numbers, `taken` for the days."""
    tallies = group_rows((key(row), row.number, 0, row.provider) for row in _decided_by_operator(rows))
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in _decided_by_operator(days_rows):
        counts[key(row)][row.days] += row.number
    hidden = find_withheld(tallies) if anonymised else set()
    figures = [
        Days(code, name(code), None, None, None)
        if code in hidden
        else Days(
            code,
            name(code),
            tally.count,
            percentile_days(counts[code], MEDIAN),
            percentile_days(counts[code], NINETIETH),
        )
        for code, tally in tallies.items()
    ]
    return sorted(figures, key=lambda days: (-(days.median or 0), days.label))


def _decided_by_operator(rows: Iterable[DecisionCount]) -> Iterable[DecisionCount]:
    return (row for row in rows if row.outcome != QualificationStatus.WITHDRAWN)


def percentile_days(counts: Mapping[int, int], share: float) -> int:
    """Return the fewest days within which this share of all lies (nearest rank)."""
    total, cumulative = sum(counts.values()), 0
    for days in sorted(counts):
        cumulative += counts[days]
        if cumulative >= share * total:
            return days
    return 0


def build_outcomes(rows: Sequence[DecisionCount], anonymised: bool) -> list[StatisticsFigure]:
    """Build the outcomes of applications, in the order of the life cycle."""
    tallies = group_rows((row.outcome, row.number, 0, row.provider) for row in rows)
    hidden = find_withheld(tallies) if anonymised else set()
    return [
        _build_figure(
            str(status), QUALIFICATION_LABELS[status], tallies.get(str(status), Tally()), str(status) in hidden
        )
        for status in DECIDED
    ]


def build_outcomes_by_month(
    rows: Sequence[DecisionCount], months: Sequence[date], anonymised: bool, outcomes: Sequence[StatisticsFigure]
) -> list[MonthOutcomes]:
    """Build the decisions by month and outcome; an outcome that is withheld as a whole is withheld in every month."""
    tallies = group_rows(((str(row.month), row.outcome), row.number, 0, row.provider) for row in rows)
    closed = [figure.code for figure in outcomes if figure.withheld]
    hidden = find_withheld_in_table(tallies, (), closed) if anonymised else set()

    def count_of(number: int, outcome: str) -> int | None:
        key = (str(number), outcome)
        return None if key in hidden else tallies.get(key, Tally()).count

    return [
        MonthOutcomes(month, {str(status): count_of(number, str(status)) for status in DECIDED})
        for number, month in enumerate(months, 1)
    ]


def build_reasons(
    rows: Sequence[DecisionCount], anonymised: bool, outcomes: Sequence[StatisticsFigure]
) -> list[StatisticsFigure]:
    """Build the reasons why applications failed, the most frequent first."""
    failed = [row for row in rows if row.outcome == QualificationStatus.FAILED]
    tallies = group_rows((row.reason or "", row.number, 0, row.provider) for row in failed)
    hidden = find_withheld(tallies) if anonymised else set()
    if any(figure.withheld and figure.code == QualificationStatus.FAILED for figure in outcomes):
        hidden = set(tallies)
    labels = {row["Code"]: row["Label"] for row in read_rows("qualification_reasons.csv")}
    ranked = sorted(tallies.items(), key=lambda pair: (-pair[1].count, pair[0]))
    return [
        _build_figure(code, labels.get(code, code or "No reason given"), tally, code in hidden)
        for code, tally in ranked
    ]


def build_expiries(rows: Iterable[Ending], first: date, anonymised: bool) -> list[Expiry]:
    """Build the expiries of qualifications in each of the coming twelve months, this one first."""
    start = first.year * 12 + first.month - 1
    tallies = group_rows(
        (row.valid_until.year * 12 + row.valid_until.month - 1, row.number, row.kw, row.provider) for row in rows
    )
    hidden = find_withheld(tallies) if anonymised else set()
    expiries: list[Expiry] = []
    for number in range(start, start + MONTHS_AHEAD):
        month, tally = date(number // 12, number % 12 + 1, 1), tallies.get(number, Tally())
        expiries.append(
            Expiry(month, None, None) if number in hidden else Expiry(month, tally.count, to_kilowatts(tally.kw))
        )
    return expiries
