"""Figures of the dashboard from counted rows, under disclosure control (UC-05.02)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from models.products import Family
from models.qualifications import QUALIFICATION_LABELS, QualificationStatus
from services.assets.counters.editions import FigureEdition, round_count, round_kw
from services.market.products.reference_data import read_rows
from services.market.qualification.sla_clock import ClockState
from services.market.statistics.disclosure_control import (
    Tally,
    find_publishable_months,
    find_withheld,
    find_withheld_in_table,
    find_withheld_stages,
    group_rows,
)
from services.market.statistics.edition import cell_of, settle_line, settle_table
from services.market.statistics.model import (
    UNIT_STAGES,
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


def _build_figure(code: str, label: str, tally: Tally, hide: bool, edition: FigureEdition | None) -> StatisticsFigure:
    if hide:
        return StatisticsFigure(code, label, None, None, withheld=True)
    return StatisticsFigure(code, label, publish_count(tally.count, edition), publish_kw(tally.kw, edition))


def publish_count(count: int, edition: FigureEdition | None) -> int:
    """Return a count as it is shown: rounded in an edition."""
    return round_count(count) if edition else count


def publish_kw(hundredths: int, edition: FigureEdition | None) -> Decimal:
    """Return hundredths of a kW as the kW that are shown: rounded in an edition."""
    return Decimal(round_kw(hundredths // 100)) if edition else to_kilowatts(hundredths)


def build_qualified(
    dimension: Dimension, rows: Iterable[Flow], names: Names, edition: FigureEdition | None
) -> list[StatisticsFigure]:
    """Build the figures of qualified power by one dimension, most first; without codes that have none."""
    tallies = settle_line(
        edition,
        f"qualified {dimension}",
        group_rows((names.code_of(dimension, row), row.number, row.kw, row.provider) for row in rows if row.number),
    )
    hidden = find_withheld(tallies) if edition else set()
    ranked = sorted(
        ((code, tally) for code, tally in tallies.items() if tally.count), key=lambda pair: (-pair[1].kw, pair[0])
    )
    return [_build_figure(code, names.name(dimension, code), tally, code in hidden, edition) for code, tally in ranked]


def build_qualified_total(rows: Iterable[Flow], edition: FigureEdition | None) -> StatisticsFigure:
    """Build the figure of all qualified power."""
    tallies = group_rows(("", row.number, row.kw, row.provider) for row in rows)
    tally = settle_line(edition, "qualified", tallies).get("", Tally())
    return _build_figure("", "Qualified", tally, edition is not None and tally.small, edition)


def build_heat_cells(
    rows: Iterable[Flow], edition: FigureEdition | None, hidden_rows: set[str], hidden_columns: set[str]
) -> list[HeatCell]:
    """Build the cells of qualified power by product and GSP group."""
    tallies = settle_table(
        edition,
        "qualified cells",
        group_rows(((row.product, row.group), row.number, row.kw, row.provider) for row in rows if row.number),
    )
    hidden = find_withheld_in_table(tallies, hidden_rows, hidden_columns) if edition else set()
    return [
        HeatCell(product, group, None, None, withheld=True)
        if (product, group) in hidden
        else HeatCell(product, group, publish_count(tally.count, edition), publish_kw(tally.kw, edition))
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


def build_anonymised_series(rows: Sequence[Flow], months: Sequence[date], edition: FigureEdition) -> list[Series]:
    """Build one series over all products, with the months left out in which too little had happened."""
    changes, steps = [0] * (len(months) + 1), [0] * (len(months) + 1)
    providers: list[set[object]] = [set() for _ in range(len(months) + 1)]
    keys = ["", *(month.isoformat() for month in months)]
    tallies = group_rows((keys[row.month], row.steps, row.kw, row.provider) for row in rows)
    for key, tally in settle_line(edition, "months", tallies).items():
        # A month that has left the span, and was kept as it was, counts with those before.
        place = keys.index(key) if key in keys else 0
        changes[place] += tally.kw
        steps[place] += tally.count
        providers[place] |= tally.providers
    publishable_months = find_publishable_months(list(zip(steps, providers, strict=True)))[1:]
    totals = _running_totals(changes)
    return [
        Series(
            "",
            "All products",
            [
                Decimal(round_kw(int(kw or 0))) if publishable else None
                for kw, publishable in zip(totals, publishable_months, strict=True)
            ],
        )
    ]


def build_funnel(base: Registered, units: Sequence[InUnits], families: Sequence[Family]) -> list[Stage]:
    """Build the funnel to the market in numbers of assets, by family: an asset may be in one unit of each."""
    stages = [
        Stage(code, STAGE_LABELS[code], None, count)
        for code, count in zip(("registered", "verified"), base.assets, strict=True)
    ]
    by_family = {row.family: row for row in units}
    for family in families:
        row = by_family.get(str(family), InUnits(str(family), (0, 0, 0), (0, 0, 0), 0))
        stages += [
            Stage(code, STAGE_LABELS[code], family, count) for code, count in zip(UNIT_STAGES, row.assets, strict=True)
        ]
    return stages


def build_anonymised_funnel(
    tallies: Mapping[tuple[str, str], Tally], families: Sequence[Family], edition: FigureEdition
) -> list[Stage]:
    """Build the funnel of an edition; `tallies` by family (none for the first two stages) and stage."""
    settled = settle_line(edition, "funnel", tallies)

    def build_stages(family: Family | None, codes: Sequence[str], before: Sequence[Tally]) -> list[Stage]:
        figures = [settled.get((str(family or ""), code), Tally()) for code in codes]
        pairs = [(figure.count, len(figure.providers)) for figure in (*before, *figures)]
        hidden = find_withheld_stages(pairs)[len(before) :]
        return [
            Stage(code, STAGE_LABELS[code], family, None if hide else round_count(figure.count), hide)
            for code, figure, hide in zip(codes, figures, hidden, strict=True)
        ]

    heads = ("registered", "verified")
    stages = build_stages(None, heads, ())
    for family in families:
        stages += build_stages(family, UNIT_STAGES, [settled.get(("", code), Tally()) for code in heads])
    return stages


def build_ageing(
    key: Callable[[Open], str],
    rows: Iterable[Open],
    name: Callable[[str], str],
    clock: Callable[[Open], ClockState],
    edition: FigureEdition | None,
) -> list[Ageing]:
    """Build the ageing of open applications by state of the SLA clock, the most overdue first."""
    tallies = settle_table(
        edition,
        "ageing",
        group_rows(((key(row), str(clock(row))), row.number, 0, row.provider) for row in rows),
    )
    hidden = find_withheld_in_table(tallies, (), ()) if edition else set()
    codes = {code for code, _ in tallies}

    def counts_of(code: str) -> dict[ClockState, int | None]:
        return {
            state: None
            if (code, str(state)) in hidden
            else publish_count(tallies.get((code, str(state)), Tally()).count, edition)
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
    table: str,
    edition: FigureEdition | None,
) -> list[Days]:
    """Build the days to decision of applications decided by an SO: `rows` for the numbers, `days_rows` for the days."""
    tallies = settle_line(
        edition, table, group_rows((key(row), row.number, 0, row.provider) for row in _decided_by_operator(rows))
    )
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in _decided_by_operator(days_rows):
        counts[key(row)][row.days] += row.number
    hidden = find_withheld(tallies) if edition else set()

    def build(code: str, tally: Tally) -> Days:
        days = [percentile_days(counts[code], share) for share in (MEDIAN, NINETIETH)]
        if edition:
            days = edition.settle_value(table, code, cell_of(tally), days)
        if code in hidden:
            return Days(code, name(code), None, None, None)
        return Days(code, name(code), publish_count(tally.count, edition), *days)

    figures = [build(code, tally) for code, tally in tallies.items()]
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


def build_outcomes(rows: Sequence[DecisionCount], edition: FigureEdition | None) -> list[StatisticsFigure]:
    """Build the outcomes of applications, in the order of the life cycle."""
    tallies = settle_line(edition, "outcomes", group_rows((row.outcome, row.number, 0, row.provider) for row in rows))
    hidden = find_withheld(tallies) if edition else set()
    return [
        _build_figure(
            str(status), QUALIFICATION_LABELS[status], tallies.get(str(status), Tally()), str(status) in hidden, edition
        )
        for status in DECIDED
    ]


def build_outcomes_by_month(
    rows: Sequence[DecisionCount],
    months: Sequence[date],
    edition: FigureEdition | None,
    outcomes: Sequence[StatisticsFigure],
) -> list[MonthOutcomes]:
    """Build the decisions by month and outcome; an outcome that is withheld as a whole is withheld in every month."""
    tallies = settle_table(
        edition,
        "outcomes by month",
        group_rows(
            ((months[row.month - 1].isoformat(), row.outcome), row.number, 0, row.provider) for row in rows if row.month
        ),
    )
    closed = [figure.code for figure in outcomes if figure.withheld]
    hidden = find_withheld_in_table(tallies, (), closed) if edition else set()

    def count_of(month: date, outcome: str) -> int | None:
        key = (month.isoformat(), outcome)
        return None if key in hidden else publish_count(tallies.get(key, Tally()).count, edition)

    return [MonthOutcomes(month, {str(status): count_of(month, str(status)) for status in DECIDED}) for month in months]


def build_reasons(
    rows: Sequence[DecisionCount], edition: FigureEdition | None, outcomes: Sequence[StatisticsFigure]
) -> list[StatisticsFigure]:
    """Build the reasons why applications failed, the most frequent first."""
    failed = [row for row in rows if row.outcome == QualificationStatus.FAILED]
    tallies = settle_line(
        edition, "reasons", group_rows((row.reason or "", row.number, 0, row.provider) for row in failed)
    )
    hidden = find_withheld(tallies) if edition else set()
    if any(figure.withheld and figure.code == QualificationStatus.FAILED for figure in outcomes):
        hidden = set(tallies)
    labels = {row["Code"]: row["Label"] for row in read_rows("qualification_reasons.csv")}
    ranked = sorted(tallies.items(), key=lambda pair: (-pair[1].count, pair[0]))
    return [
        _build_figure(code, labels.get(code, code or "No reason given"), tally, code in hidden, edition)
        for code, tally in ranked
    ]


def build_expiries(rows: Iterable[Ending], first: date, edition: FigureEdition | None) -> list[Expiry]:
    """Build the expiries of qualifications in each of the coming twelve months, this one first."""
    start = first.year * 12 + first.month - 1
    tallies = settle_line(
        edition,
        "expiries",
        group_rows(
            (row.valid_until.year * 12 + row.valid_until.month - 1, row.number, row.kw, row.provider) for row in rows
        ),
    )
    hidden = find_withheld(tallies) if edition else set()
    expiries: list[Expiry] = []
    for number in range(start, start + MONTHS_AHEAD):
        month, tally = date(number // 12, number % 12 + 1, 1), tallies.get(number, Tally())
        expiries.append(
            Expiry(month, None, None)
            if number in hidden
            else Expiry(month, publish_count(tally.count, edition), publish_kw(tally.kw, edition))
        )
    return expiries
