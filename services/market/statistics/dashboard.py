"""The market in numbers, as far as the actor's view reaches: what managers, SOs and FSPs read (UC-05.02)."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.participants import Organisation
from models.products import Family
from services.core.clock import add_working_days, now, today
from services.core.identity.actor import Actor
from services.core.identity.permissions import scopes_of
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.grid.distributors import LICENCE_AREAS
from services.market.products.catalogue import Catalogue, whole_catalogue
from services.market.qualification.sla_clock import ClockState
from services.market.statistics import figures as made
from services.market.statistics.anonymised_rows import gather_figures
from services.market.statistics.model import Dimension, MarketFilters, MarketNumbers
from services.market.statistics.queries import PERMISSION, Open, Wanted, registered
from services.market.statistics.row_sources import Span, gather

MONTHS = 18
EARLIEST, LONGEST = date(2015, 1, 1), 120
"""No market before this day; at most so many months in one chart."""


@operation("UC-05.02", permission="market.statistics", writes=False, name="market_in_numbers")
def market_in_numbers(actor: Actor, filters: MarketFilters | None = None) -> MarketNumbers:
    """The way from registered to qualified, qualified kW (now or as of a day, and over time), clocks, outcomes, expiries.

    Who sees further here than application by application (regulator, viewer) gets one set of figures for all: no figure of
    fewer than 5 or of fewer than 3 providers, nor what would let it be worked out. Filters would, so they don't count.
    """
    anonymised = not scopes_of(actor, PERMISSION) <= scopes_of(actor, "qualification.read")
    chosen = MarketFilters() if anonymised or filters is None else filters
    catalogue, span = whole_catalogue(), span_of(chosen)
    wanted = Wanted(actor, _products(chosen, catalogue), chosen.operators, tuple(map(str, chosen.families)), anonymised)
    return _numbers(wanted, chosen, span, catalogue)


def span_of(filters: MarketFilters) -> Span:
    """From when to when: the last 18 months unless told; a last day ahead is today, a first one after it is that day."""
    until = min(filters.until or today(), today())
    begun = date((until.year * 12 + until.month - MONTHS) // 12, (until.year * 12 + until.month - MONTHS) % 12 + 1, 1)
    since = min(max(filters.since or begun, EARLIEST), until)
    numbers = range(since.year * 12 + since.month - 1, until.year * 12 + until.month)[-LONGEST:]
    return Span(since, until, [date(number // 12, number % 12 + 1, 1) for number in numbers])


def _products(filters: MarketFilters, catalogue: Catalogue) -> tuple[str, ...] | None:
    """The products that are counted; None: all."""
    if not filters.families and not filters.sub_markets:
        return filters.products or None
    newest = [versions[-1] for versions in catalogue.versions.values()]
    return tuple(one.code for one in newest if filters.wants(one.code, one.family, one.sub_market))


def _numbers(wanted: Wanted, filters: MarketFilters, span: Span, catalogue: Catalogue) -> MarketNumbers:
    hide, months = wanted.apart, len(span.months)
    rows = gather_figures(wanted, span) if hide else gather(wanted, span)
    moved = rows.moved[Dimension.PRODUCT]
    words = _words(
        catalogue,
        {row.operator for some in (rows.moved[Dimension.OPERATOR], rows.decided_by, rows.waiting) for row in some},
    )
    by = {one: made.qualified_by(one, rows.moved[one], words, hide) for one in Dimension}
    over_time = (
        {Dimension.SUB_MARKET: made.series_of_all(rows.months, months)}
        if hide
        else made.series_of_each(rows.months, months, words, by)
    )
    hidden = {one: {figure.code for figure in by[one] if figure.withheld} for one in Dimension}
    ended = made.outcomes_of(rows.decided, hide)
    clock = _clock()

    def named(code: str) -> str:
        return words.names.get(code, code)

    return MarketNumbers(
        as_of=span.until,
        since=span.since,
        counted_at=now(),
        anonymised=hide,
        funnel=made.funnel_of(registered(wanted), rows.units, filters.families or list(Family), hide),
        qualified=made.qualified_total(moved, hide),
        by_dimension=by,
        months=_ends(span),
        over_time=over_time,
        heat=made.heat_of(rows.heat, hide, hidden[Dimension.PRODUCT], hidden[Dimension.GSP_GROUP]),
        open_total=_open_total(rows.waiting, hide),
        ageing_by_operator=made.ageing_of(lambda row: str(row.operator), rows.waiting, named, clock, hide),
        # A second table of the same applications would let the first one's small figures be worked out.
        ageing_by_product=[] if hide else made.ageing_of(lambda row: row.product, rows.waiting_for, named, clock, hide),
        days_by_operator=made.days_of(lambda row: str(row.operator), rows.decided_by, rows.days_by, named, hide),
        days_by_product=made.days_of(lambda row: row.product, rows.decided_for, rows.days_for, named, hide),
        outcomes=ended,
        outcomes_by_month=made.by_month(rows.decided, span.months, hide, ended),
        reasons=made.reasons_of(rows.reasons, hide, ended),
        expiries=made.expiries_of(rows.ending, today(), hide),
        units=None if hide else sum(row.units for row in rows.units),
        labels=dict(words.names),
    )


def _ends(span: Span) -> list[date]:
    """The last day of each month, of the last one the day until which is told."""
    return [*(month - timedelta(days=1) for month in span.months[1:]), span.until]


def _open_total(rows: list[Open], hide: bool) -> int | None:
    tally = made.grouped(("", row.number, 0, row.provider) for row in rows).get("", made.Tally())
    return None if hide and tally.small else tally.count


def _clock() -> Callable[[Open], ClockState]:
    """How a clock stands, as `qualification_clock.clock_by` says of one application."""
    this = today()
    soon = add_working_days(this, int(setting("qualification.soon_days")))

    def of(row: Open) -> ClockState:
        if row.due_on is None:
            return ClockState.PAUSED
        if row.due_on < this:
            return ClockState.LATE
        return ClockState.SOON if row.due_on <= soon else ClockState.IN_TIME

    return of


def _words(catalogue: Catalogue, operators: set[UUID]) -> made.Words:
    names = {code: f"{code} {versions[-1].name}" for code, versions in catalogue.versions.items()}
    names |= {area.gsp_group: f"{area.gsp_group} {area.name}" for area in LICENCE_AREAS if area.gsp_group}
    called = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    rows = current_session().execute(select(col(Organisation.id), called).where(col(Organisation.id).in_(operators)))
    names |= {str(row[0]): row[1] for row in rows}
    return made.Words(names, {code: versions[-1].sub_market for code, versions in catalogue.versions.items()})
