"""Anonymised rows of the dashboard, for those who see no single organisation: figures over all, with providers behind."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from models.assets import AssetStatus
from models.market_tallies import ANYONE
from services.assets.counters.editions import FEWEST_ORGANISATIONS
from services.assets.counters.queries import parts_of_providers
from services.core.clock import today
from services.market.counters import queries as kept
from services.market.counters.keys import FigureKind, Q, month_number
from services.market.counters.queries import TallyScope, to_due_day
from services.market.statistics.disclosure_control import Tally
from services.market.statistics.model import UNIT_STAGES, Dimension
from services.market.statistics.queries import (
    Behind,
    DecisionCount,
    Ending,
    Flow,
    InUnits,
    Open,
    StatisticsScope,
    load_ending,
)
from services.market.statistics.row_sources import DashboardRows, Span, split_months


class CountedFigure(NamedTuple):
    """A stored figure: its month and code, its sums, and the providers behind it."""

    month: int
    code: str
    steps: int
    number: int
    kw: int
    providers: int
    behind: Behind


Figures = Mapping[str, list[CountedFigure]]


def _load_figures() -> Figures:
    figures: dict[str, list[CountedFigure]] = defaultdict(list)
    for kind, month, code, steps, number, kw, providers, first, last in kept.read_figures():
        behind = _providers_behind((kind, month, code), providers, first, last)
        figures[kind].append(CountedFigure(month, code, steps, number, kw, providers, behind))
    return figures


def load_provider_figures() -> Figures:
    """Load the stored figures provider by provider: what editions are compared by. Inside an operation."""
    figures: dict[str, list[CountedFigure]] = defaultdict(list)
    for kind, month, code, provider, steps, number, kw in kept.read_provider_figures():
        figures[kind].append(CountedFigure(month, code, steps, number, kw, 1, provider))
    return figures


def _providers_behind(figure: object, providers: int, first: object, last: object) -> Behind:
    """Build as many providers as disclosure control needs for a figure: two real ones, and placeholders for the others."""
    outermost: set[object] = {provider for provider in (first, last) if provider is not None}
    placeholders = range(min(providers, FEWEST_ORGANISATIONS) - len(outermost))
    return frozenset(outermost | {(figure, number) for number in placeholders})


def collect_anonymised_rows(scope: StatisticsScope, span: Span, stored: Figures | None = None) -> DashboardRows:
    """Collect the rows of the dashboard over all participants, by whole months up to today.

    `stored` are the figures provider by provider, where each provider's part is needed.
    """
    figures, whole = stored if stored is not None else _load_figures(), split_months(span)

    def flows(kind: FigureKind, key: Callable[[CountedFigure], tuple[str, UUID, str]]) -> list[Flow]:
        return [
            Flow(whole.place(figure.month), *key(figure), figure.behind, figure.steps, figure.number, figure.kw)
            for figure in figures[kind]
            if figure.month <= whole.last
        ]

    def decisions(kind: FigureKind, key: Callable[[str], tuple[str, UUID, str, str | None]]) -> list[DecisionCount]:
        rows: list[DecisionCount] = []
        for figure in figures[kind]:
            if whole.first <= figure.month <= whole.last:
                product, operator, outcome, reason = key(figure.code)
                month = whole.place(figure.month)
                rows.append(DecisionCount(month, product, operator, figure.behind, outcome, reason, 0, figure.number))
        return rows

    products = flows(FigureKind.PRODUCT, lambda figure: (figure.code, ANYONE, ""))
    everyone = TallyScope(None)
    return DashboardRows(
        flows={
            Dimension.PRODUCT: products,
            Dimension.SUB_MARKET: products,
            Dimension.GSP_GROUP: flows(FigureKind.GROUP, lambda figure: ("", ANYONE, figure.code)),
            Dimension.OPERATOR: flows(FigureKind.OPERATOR, lambda figure: ("", UUID(figure.code), "")),
        },
        months=flows(FigureKind.MONTH, lambda _: ("", ANYONE, "")),
        heat=flows(FigureKind.CELL, lambda figure: (figure.code.split("|")[0], ANYONE, figure.code.split("|")[1])),
        decided=decisions(FigureKind.OUTCOME, lambda code: ("", ANYONE, code, None)),
        reasons=decisions(FigureKind.REASON, lambda code: ("", ANYONE, str(Q.FAILED), code or None)),
        decided_by=decisions(FigureKind.DECIDED_BY, lambda code: ("", UUID(code), str(Q.QUALIFIED), None)),
        decided_for=decisions(FigureKind.DECIDED_FOR, lambda code: (code, ANYONE, str(Q.QUALIFIED), None)),
        days_by=[
            DecisionCount(0, "", operator, None, Q.QUALIFIED, None, days, number)
            for operator, days, number in kept.read_days_by_operator(everyone, whole.first, whole.last)
        ],
        days_for=[
            DecisionCount(0, product, ANYONE, None, Q.QUALIFIED, None, days, number)
            for product, days, number in kept.read_days_by_product(everyone, whole.first, whole.last)
        ],
        waiting=_build_open(figures[FigureKind.OPEN]),
        waiting_for=[],
        ending=_build_ending(scope, figures[FigureKind.ENDING]),
        units=_build_units(figures),
    )


def _build_open(figures: Iterable[CountedFigure]) -> list[Open]:
    rows: list[Open] = []
    for figure in figures:
        operator, _, due = figure.code.partition("|")
        due_on = to_due_day(date.fromisoformat(due)) if due else None
        rows.append(Open("", UUID(operator), figure.behind, Q.SUBMITTED, due_on, figure.number))
    return rows


def _build_ending(scope: StatisticsScope, figures: Iterable[CountedFigure]) -> list[Ending]:
    """Build the rows of ending qualifications by month; this month's from records, where some are overdue to be expired."""
    first = today().replace(day=1)
    current_month, following = month_number(first), date(first.year + first.month // 12, first.month % 12 + 1, 1)
    is_overdue = first < today() and bool(load_ending(scope, first, today()))
    rows = [
        Ending(date(figure.month // 12, figure.month % 12 + 1, 1), figure.behind, figure.number, figure.kw)
        for figure in figures
        if figure.month > current_month or (figure.month == current_month and not is_overdue)
    ]
    return [*rows, *load_ending(scope, today(), following)] if is_overdue else rows


def _build_units(figures: Figures) -> list[InUnits]:
    behind = [Counter[str]() for _ in range(3)]
    for providers, kind in zip(behind, (FigureKind.UNITS, FigureKind.APPLIED, FigureKind.QUALIFIED), strict=True):
        for figure in figures[kind]:
            providers[figure.code] += figure.providers
    return [
        InUnits(family, tuple(assets), tuple(providers[family] for providers in behind), units)  # pyright: ignore
        for family, units, *assets in kept.read_units(None)
    ]


def load_stage_tallies() -> dict[tuple[str, str], Tally]:
    """Load the assets in each stage of the funnel by family (none for the first two) and stage. Inside an operation."""
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    parts = parts_of_providers()
    for stage, key in (("registered", ("ALL", "")), ("verified", ("STATUS", str(AssetStatus.VERIFIED)))):
        for provider, (assets, _kw) in parts.get(key, {}).items():
            tallies["", stage].add(assets, 0, provider)
    for family, provider, assets in kept.read_unit_assets():
        for stage, count in zip(UNIT_STAGES, assets, strict=True):
            if count:
                tallies[family, stage].add(count, 0, provider)
    return dict(tallies)
