"""Dashboard of the market, as far as the actor's view reaches: the figures for managers, SOs and FSPs (UC-05.02)."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.participants import Organisation
from models.products import Family
from services.assets.counters.editions import FigureEdition, begin_edition, read_edition, with_edition
from services.core.clock import add_working_days, now, today
from services.core.identity.actor import Actor, system_actor
from services.core.identity.permissions import scopes_of
from services.core.operation import operation, system_step
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.grid.distributors import LICENCE_AREAS
from services.market.products.catalogue import ProductCatalogue, load_catalogue
from services.market.qualification.sla_clock import ClockState
from services.market.statistics import figures as made
from services.market.statistics.anonymised_rows import (
    collect_anonymised_rows,
    load_provider_figures,
    load_stage_tallies,
)
from services.market.statistics.edition import settle_line
from services.market.statistics.model import Dimension, MarketFilters, MarketNumbers, Stage
from services.market.statistics.queries import PERMISSION, Open, StatisticsScope, load_registered
from services.market.statistics.row_sources import DashboardRows, Span, collect_rows

MONTHS = 18
FIRST_DAY, MAX_MONTHS = date(2015, 1, 1), 120
"""The first day of the market, and the most months in one chart."""


EDITION = "market"


def market_in_numbers(actor: Actor, filters: MarketFilters | None = None) -> MarketNumbers:
    """Build the dashboard: the funnel from registered to qualified, qualified kW, SLA clocks, outcomes, expiries.

    An actor who sees more here than application by application (regulator, viewer) gets the edition of the day, one set of
    rounded figures for all, under disclosure control: no figure of fewer than 5 or of fewer than 3 providers, nor one that
    would let it be worked out, by subtraction or from the edition before. Filters would, so theirs are ignored.
    """
    return with_edition(partial(_count_market, actor, filters), publish_market)


def takes_market_filters(actor: Actor) -> bool:
    """Tell whether the dashboard may be narrowed: only for actors who see here no more than application by application."""
    return scopes_of(actor, PERMISSION) <= scopes_of(actor, "qualification.read")


@operation("UC-05.02", permission="market.statistics", writes=False, name="market_in_numbers")
def _count_market(actor: Actor, filters: MarketFilters | None) -> MarketNumbers:
    """Count the market within the actor's view; for who sees no single application, read the edition of the day."""
    if not takes_market_filters(actor):
        return read_edition(EDITION, MarketNumbers)
    criteria = filters or MarketFilters()
    catalogue, span = load_catalogue(), build_span(criteria)
    scope = StatisticsScope(
        actor,
        _select_products(criteria, catalogue),
        criteria.operators,
        tuple(map(str, criteria.families)),
        apart=False,
    )
    rows = collect_rows(scope, span)
    funnel = made.build_funnel(load_registered(scope), rows.units, criteria.families or list(Family))
    return _build_numbers(rows, funnel, span, catalogue, None)


@system_step("UC-05.02", name="publish_market")
def publish_market() -> None:
    """Make today's edition of the market in numbers, unless it is there."""
    edition = begin_edition(EDITION)
    if edition is None:
        return
    catalogue, span = load_catalogue(), build_span(MarketFilters())
    scope = StatisticsScope(system_actor(), None, (), (), apart=True)
    rows = collect_anonymised_rows(scope, span, load_provider_figures())
    funnel = made.build_anonymised_funnel(load_stage_tallies(), list(Family), edition)
    edition.save(_build_numbers(rows, funnel, span, catalogue, edition))


def build_span(filters: MarketFilters) -> Span:
    """Build the span of the filters: the last 18 months by default, never past today, never empty."""
    until = min(filters.until or today(), today())
    begun = date((until.year * 12 + until.month - MONTHS) // 12, (until.year * 12 + until.month - MONTHS) % 12 + 1, 1)
    since = min(max(filters.since or begun, FIRST_DAY), until)
    numbers = range(since.year * 12 + since.month - 1, until.year * 12 + until.month)[-MAX_MONTHS:]
    return Span(since, until, [date(number // 12, number % 12 + 1, 1) for number in numbers])


def _select_products(filters: MarketFilters, catalogue: ProductCatalogue) -> tuple[str, ...] | None:
    """Select the codes of the products to count; None: all."""
    if not filters.families and not filters.sub_markets:
        return filters.products or None
    newest = [versions[-1] for versions in catalogue.versions.values()]
    return tuple(version.code for version in newest if filters.wants(version.code, version.family, version.sub_market))


def _build_numbers(
    rows: DashboardRows, funnel: list[Stage], span: Span, catalogue: ProductCatalogue, edition: FigureEdition | None
) -> MarketNumbers:
    product_flows = rows.flows[Dimension.PRODUCT]
    names = _load_names(
        catalogue,
        {
            row.operator
            for operator_rows in (rows.flows[Dimension.OPERATOR], rows.decided_by, rows.waiting)
            for row in operator_rows
        },
    )
    by_dimension = {
        dimension: made.build_qualified(dimension, rows.flows[dimension], names, edition) for dimension in Dimension
    }
    over_time = (
        {Dimension.SUB_MARKET: made.build_anonymised_series(rows.months, span.months, edition)}
        if edition
        else made.build_series_by_dimension(rows.months, len(span.months), names, by_dimension)
    )
    hidden = {
        dimension: {figure.code for figure in by_dimension[dimension] if figure.withheld} for dimension in Dimension
    }
    outcomes = made.build_outcomes(rows.decided, edition)
    clock = _clock_by_due()

    def name_of(code: str) -> str:
        return names.names.get(code, code)

    return MarketNumbers(
        as_of=span.until,
        since=span.since,
        counted_at=edition.made_at if edition else now(),
        anonymised=edition is not None,
        funnel=funnel,
        qualified=made.build_qualified_total(product_flows, edition),
        by_dimension=by_dimension,
        months=_month_ends(span),
        over_time=over_time,
        heat=made.build_heat_cells(rows.heat, edition, hidden[Dimension.PRODUCT], hidden[Dimension.GSP_GROUP]),
        open_total=_count_open(rows.waiting, edition),
        ageing_by_operator=made.build_ageing(lambda row: str(row.operator), rows.waiting, name_of, clock, edition),
        # A second table of the same applications would let the first one's small figures be worked out.
        ageing_by_product=[]
        if edition
        else made.build_ageing(lambda row: row.product, rows.waiting_for, name_of, clock, edition),
        days_by_operator=made.build_days(
            lambda row: str(row.operator), rows.decided_by, rows.days_by, name_of, "days by SO", edition
        ),
        days_by_product=made.build_days(
            lambda row: row.product, rows.decided_for, rows.days_for, name_of, "days by product", edition
        ),
        outcomes=outcomes,
        outcomes_by_month=made.build_outcomes_by_month(rows.decided, span.months, edition, outcomes),
        reasons=made.build_reasons(rows.reasons, edition, outcomes),
        expiries=made.build_expiries(rows.ending, today(), edition),
        units=None if edition else sum(row.units for row in rows.units),
        labels=dict(names.names),
    )


def _month_ends(span: Span) -> list[date]:
    """Return the last day of each month of the span; of the last month, the span's last day."""
    return [*(month - timedelta(days=1) for month in span.months[1:]), span.until]


def _count_open(rows: Sequence[Open], edition: FigureEdition | None) -> int | None:
    tallies = made.group_rows(("", row.number, 0, row.provider) for row in rows)
    tally = settle_line(edition, "open", tallies).get("", made.Tally())
    return None if edition and tally.small else made.publish_count(tally.count, edition)


def _clock_by_due() -> Callable[[Open], ClockState]:
    """Build the function from a row to its clock state, as `sla_clock.compute_clock` does for one application."""
    day = today()
    soon = add_working_days(day, int(setting("qualification.soon_days")))

    def clock_state(row: Open) -> ClockState:
        if row.due_on is None:
            return ClockState.PAUSED
        if row.due_on < day:
            return ClockState.LATE
        return ClockState.SOON if row.due_on <= soon else ClockState.IN_TIME

    return clock_state


def _load_names(catalogue: ProductCatalogue, operators: set[UUID]) -> made.Names:
    names = {code: f"{code} {versions[-1].name}" for code, versions in catalogue.versions.items()}
    names |= {area.gsp_group: f"{area.gsp_group} {area.name}" for area in LICENCE_AREAS if area.gsp_group}
    called = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    rows = current_session().execute(select(col(Organisation.id), called).where(col(Organisation.id).in_(operators)))
    names |= {str(identifier): name for identifier, name in rows}
    return made.Names(names, {code: versions[-1].sub_market for code, versions in catalogue.versions.items()})
