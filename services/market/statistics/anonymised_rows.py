"""The dashboard's rows for those who see no single organisation: figures over all, with the providers behind each."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from models.market_tallies import ANYONE
from services.assets.counters.figures import FEWEST_ORGANISATIONS
from services.core.clock import today
from services.market.counters import queries as kept
from services.market.counters.keys import Kind, Q, month_number
from services.market.counters.queries import Kept, day_of, uuid_of
from services.market.statistics.model import Dimension
from services.market.statistics.queries import Behind, Decision, Ending, Flow, InUnits, Open, Wanted, ending
from services.market.statistics.row_sources import Gathered, Span, whole_months


class Counted(NamedTuple):
    """A figure as it is kept: its month and code, its sums, and who stands behind it."""

    month: int
    code: str
    steps: int
    number: int
    kw: int
    providers: int
    behind: Behind


Figures = Mapping[str, list[Counted]]


def _read() -> Figures:
    found: dict[str, list[Counted]] = defaultdict(list)
    for kind, month, code, steps, number, kw, providers, first, last in kept.figures():
        behind = _behind((kind, month, code), providers, first, last)
        found[kind].append(Counted(month, code, steps, number, kw, providers, behind))
    return found


def _behind(figure: object, providers: int, first: object, last: object) -> Behind:
    """As many providers as it takes to tell whether figures may be shown, alone or with others: those of two are known."""
    named: set[object] = {one for one in (first, last) if one is not None}
    more = range(min(providers, FEWEST_ORGANISATIONS) - len(named))
    return frozenset(named | {(figure, one) for one in more})


def gather_figures(wanted: Wanted, span: Span) -> Gathered:
    """Everything that the dashboard of all participants is made of; of the last months up to today, whole ones."""
    figures, whole = _read(), whole_months(span)

    def flows(kind: Kind, about: Callable[[Counted], tuple[str, UUID, str]]) -> list[Flow]:
        return [
            Flow(whole.place(one.month), *about(one), one.behind, one.steps, one.number, one.kw)
            for one in figures[kind]
            if one.month <= whole.last
        ]

    def decisions(kind: Kind, about: Callable[[str], tuple[str, UUID, str, str | None]]) -> list[Decision]:
        return [
            Decision(whole.place(one.month), *about(one.code)[:2], one.behind, *about(one.code)[2:], 0, one.number)
            for one in figures[kind]
            if whole.first <= one.month <= whole.last
        ]

    products = flows(Kind.PRODUCT, lambda one: (one.code, ANYONE, ""))
    everyone = Kept(None)
    return Gathered(
        moved={
            Dimension.PRODUCT: products,
            Dimension.SUB_MARKET: products,
            Dimension.GSP_GROUP: flows(Kind.GROUP, lambda one: ("", ANYONE, one.code)),
            Dimension.OPERATOR: flows(Kind.OPERATOR, lambda one: ("", UUID(one.code), "")),
        },
        months=flows(Kind.MONTH, lambda _: ("", ANYONE, "")),
        heat=flows(Kind.CELL, lambda one: (one.code.split("|")[0], ANYONE, one.code.split("|")[1])),
        decided=decisions(Kind.OUTCOME, lambda code: ("", ANYONE, code, None)),
        reasons=decisions(Kind.REASON, lambda code: ("", ANYONE, str(Q.FAILED), code or None)),
        decided_by=decisions(Kind.DECIDED_BY, lambda code: ("", UUID(code), str(Q.QUALIFIED), None)),
        decided_for=decisions(Kind.DECIDED_FOR, lambda code: (code, ANYONE, str(Q.QUALIFIED), None)),
        days_by=[
            Decision(0, "", who, None, Q.QUALIFIED, None, *rest)
            for who, *rest in kept.days_by_operator(everyone, whole.first, whole.last)
        ],
        days_for=[
            Decision(0, what, ANYONE, None, Q.QUALIFIED, None, *rest)
            for what, *rest in kept.days_by_product(everyone, whole.first, whole.last)
        ],
        waiting=_waiting(figures[Kind.OPEN]),
        waiting_for=[],
        ending=_ending(wanted, figures[Kind.ENDING]),
        units=_units(figures),
    )


def _waiting(figures: Iterable[Counted]) -> list[Open]:
    found: list[Open] = []
    for one in figures:
        operator, _, due = one.code.partition("|")
        found.append(Open("", uuid_of(operator), one.behind, Q.SUBMITTED, day_of(due) if due else None, one.number))
    return found


def _ending(wanted: Wanted, figures: Iterable[Counted]) -> list[Ending]:
    """By month; this one's from the qualifications, where some should have ended in it and wait for the register to do it."""
    first = today().replace(day=1)
    this, following = month_number(first), date(first.year + first.month // 12, first.month % 12 + 1, 1)
    late = first < today() and bool(ending(wanted, first, today()))
    found = [
        Ending(date(one.month // 12, one.month % 12 + 1, 1), one.behind, one.number, one.kw)
        for one in figures
        if one.month > this or (one.month == this and not late)
    ]
    return [*found, *ending(wanted, today(), following)] if late else found


def _units(figures: Figures) -> list[InUnits]:
    behind = {
        kind: {one.code: one.providers for one in figures[kind]} for kind in (Kind.UNITS, Kind.APPLIED, Kind.QUALIFIED)
    }
    return [
        InUnits(family, tuple(assets), tuple(of.get(family, 0) for of in behind.values()), units)  # pyright: ignore
        for family, units, *assets in kept.units_of(None)
    ]
