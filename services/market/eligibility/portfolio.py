"""Opportunities of a whole portfolio (UC-04.03): every unit that one sees against every product, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement
from sqlmodel import col

from models.products import Family, ProductVersion
from models.units import MarketUnit
from services.core.clock import today
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.market.eligibility.explanations import GROUP_OF_AREA
from services.market.eligibility.frames import frames_where
from services.market.eligibility.requirements import REQUIREMENT_LABELS, STOPPERS, stopped_by_any
from services.market.eligibility.verdicts import Requirement, Standing, Verdict, judge, verdicts_in
from services.market.products.catalogue import in_force_on

UNITS_AT_ONCE = 500
LONGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class OpportunityFilters:
    """Which units and products; an empty filter lets everything through, several values are alternatives.

    Without `other_families`, a unit is held against the products of its own family only.
    """

    standing: Sequence[str] = ()
    family: Sequence[str] = ()
    sub_market: Sequence[str] = ()
    product_code: Sequence[str] = ()
    service_provider_id: Sequence[UUID] = ()
    other_families: bool = False
    unmet: Sequence[str] = ()
    """Requirements: one of them is known to be unmet (`services.market.eligibility.requirements`)."""
    gsp_group: Sequence[str] = ()
    """Where most of what counts lies, for products whose capacity has to be in one place."""


OPPORTUNITY_FILTER_TERMS = {
    "Standing": "standing",
    "Family": "family",
    "SubMarket": "sub_market",
    "ProductCode": "product_code",
    "ServiceProviderId": "service_provider_id",
    "Unmet": "unmet",
    "GspGroup": "gsp_group",
}


@dataclass(frozen=True, slots=True)
class ProductInNumbers:
    """How a portfolio stands to one product: units, and kW of the eligible ones that count for it."""

    version: ProductVersion
    eligible: int
    nearly: int
    not_eligible: int
    eligible_kw: Decimal
    elsewhere: int
    """Units of other families whose assets would be eligible in a unit of this product's family."""


@dataclass(frozen=True, slots=True)
class PortfolioInNumbers:
    """A portfolio against every product; `units` are those that passed the filters."""

    units: int
    products: list[ProductInNumbers]


@dataclass(frozen=True, slots=True)
class OpportunityLine:
    """One unit and one product. Code and name of the unit were typed by its provider: escape them."""

    unit_id: UUID
    unit_code: str
    unit_name: str
    family: Family
    version: ProductVersion
    verdict: Verdict

    @property
    def words(self) -> str:
        """What is missing; where nothing is, what isn't known."""
        if self.verdict.unmet:
            return " ".join(one.words for one in self.verdict.unmet)
        silent = [REQUIREMENT_LABELS[one.requirement].lower() for one in self.verdict.unknown]
        return f"Not known: {', '.join(silent)}." if silent else "Everything it needs is met."


@dataclass(frozen=True, slots=True)
class OpportunityPage:
    """One page, whole units at a time, and the cursor of the next one (None: this is the last)."""

    items: list[OpportunityLine]
    next_cursor: str | None


@operation("UC-04.03", permission="unit.read", writes=False, name="portfolio_in_numbers")
def portfolio_in_numbers(actor: Actor, filters: OpportunityFilters | None = None) -> PortfolioInNumbers:
    """How the units that the actor sees stand to each product, counted; standings and what is unmet aren't filtered by."""
    chosen = filters or OpportunityFilters()
    units, areas = frames_where(*_conditions(actor, chosen))
    products = _products(chosen)
    versions = {one.code: one for one in products}
    standing, counts = pl.col("standing"), pl.col("capacity")
    eligible = standing == Standing.ELIGIBLE
    elsewhere = (pl.col("apart_from_family") == Standing.ELIGIBLE) & ~pl.col("met_family")
    sums = (
        judge(units, areas, products)
        .group_by("product_code", maintain_order=True)
        .agg(
            eligible=eligible.sum(),
            nearly=(standing == Standing.NEARLY).sum(),
            other=((standing == Standing.NOT) & pl.col("met_family")).sum(),
            kw=counts.filter(eligible).sum(),
            elsewhere=elsewhere.sum(),
        )
    )
    return PortfolioInNumbers(
        units.height,
        [
            ProductInNumbers(versions[code], fits, nearly, other, Decimal(power) / 100, could)
            for code, fits, nearly, other, power, could in sums.iter_rows()
        ],
    )


@operation("UC-04.03", permission="unit.read", writes=False, name="list_opportunities")
def list_opportunities(
    actor: Actor, filters: OpportunityFilters | None = None, *, after: str | None = None, limit: int = 50
) -> OpportunityPage:
    """Units and products that pass the filters, the newest unit first; `limit` is of units, at most 200.

    `after` is the cursor of the page before. Raises Invalid for one that isn't a cursor, or a value that no filter knows.
    """
    chosen = filters or OpportunityFilters()
    size = max(1, min(limit, LONGEST_PAGE))
    conditions, products = _conditions(actor, chosen), _products(chosen)
    last = None if after is None else _cursor(after)
    found: list[list[OpportunityLine]] = []
    while True:
        narrowed = [] if last is None else [col(MarketUnit.id) < last]
        units, areas = frames_where(*conditions, *narrowed, limit=UNITS_AT_ONCE)
        found += _lines(units, areas, products, chosen, size + 1 - len(found))
        if len(found) > size or units.height < UNITS_AT_ONCE:
            break
        last = UUID(units["unit_id"][-1])
    more = len(found) > size
    following = str(found[size - 1][0].unit_id) if more else None
    return OpportunityPage([line for lines in found[:size] for line in lines], following)


def _lines(
    units: pl.DataFrame,
    areas: pl.DataFrame,
    products: Sequence[ProductVersion],
    filters: OpportunityFilters,
    most: int,
) -> list[list[OpportunityLine]]:
    """Of the first `most` units that have any: found in the matrix, and put into words only then."""
    matrix = judge(units, areas, products)
    if filters.standing:
        matrix = matrix.filter(pl.col("standing").cast(pl.String).is_in(list(filters.standing)))
    if not filters.other_families:
        matrix = matrix.filter("met_family")
    if filters.unmet:
        matrix = matrix.filter(stopped_by_any(map(Requirement, filters.unmet)))
    if filters.gsp_group:
        inside = [area for area, group in GROUP_OF_AREA.items() if group in filters.gsp_group]
        matrix = matrix.filter(pl.col("place").is_in(inside))
    pairs = {(row[0], row[1]) for row in matrix.select("unit_id", "product_code").iter_rows()}
    wanted = units.filter(pl.col("unit_id").is_in({unit for unit, _ in pairs})).head(most)
    verdicts = verdicts_in(wanted, areas, products)
    versions = {one.code: one for one in products}
    return [
        [
            OpportunityLine(
                UUID(row["unit_id"]),
                row["unit_code"],
                row["unit_name"],
                Family(row["family"]),
                versions[verdict.product_code],
                verdict,
            )
            for verdict in verdicts[row["unit_id"]]
            if (row["unit_id"], verdict.product_code) in pairs
        ]
        for row in wanted.iter_rows(named=True)
    ]


def _conditions(actor: Actor, filters: OpportunityFilters) -> list[ColumnElement[bool]]:
    _require_known(filters)
    conditions: list[ColumnElement[bool]] = [visible(MarketUnit, actor)]
    if filters.family:
        conditions.append(col(MarketUnit.family).in_(filters.family))
    if filters.service_provider_id:
        conditions.append(col(MarketUnit.service_provider_id).in_(filters.service_provider_id))
    return conditions


def _require_known(filters: OpportunityFilters) -> None:
    kinds = {
        "Standing": (filters.standing, list(Standing)),
        "Family": (filters.family, list(Family)),
        "Unmet": (filters.unmet, STOPPERS),
    }
    findings = [
        Finding("FILTER-01", term, value, f"One of {', '.join(kind)}", f"{value} is none of {term}.")
        for term, (values, kind) in kinds.items()
        for value in values
        if value not in kind
    ]
    if findings:
        raise Invalid(findings)


def _products(filters: OpportunityFilters) -> list[ProductVersion]:
    return [
        one
        for one in in_force_on(today())
        if (not filters.product_code or one.code in filters.product_code)
        and (not filters.sub_market or one.sub_market in filters.sub_market)
    ]


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        expected = "The cursor that the page before gave"
        raise Invalid([Finding("PAGE-01", "after", text, expected, "This isn't a cursor of this list.")]) from None
