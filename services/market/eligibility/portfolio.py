"""Opportunities of a portfolio (UC-04.03): every visible unit against every product, in one pass."""

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
from services.core.paging import Page, read_identifier
from services.market.eligibility.explanations import GROUP_OF_AREA
from services.market.eligibility.frames import load_frames
from services.market.eligibility.requirements import REQUIREMENT_LABELS, STOPPERS, stopped_by_any_expression
from services.market.eligibility.verdicts import (
    EligibilityStanding,
    EligibilityVerdict,
    Requirement,
    explain_verdicts,
    judge,
)
from services.market.products.catalogue import list_versions_in_force

BATCH_SIZE = 500
LONGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class OpportunityFilters:
    """Filters over units and products; an empty one lets everything through, several values are alternatives.

    Without `other_families`, a unit is judged against the products of its own family only.
    """

    eligibility: Sequence[str] = ()
    family: Sequence[str] = ()
    sub_market: Sequence[str] = ()
    product_code: Sequence[str] = ()
    service_provider_id: Sequence[UUID] = ()
    other_families: bool = False
    unmet: Sequence[str] = ()
    """Requirements of which at least one is known to be unmet."""
    gsp_group: Sequence[str] = ()
    """The GSP group with most of the capacity, for products whose capacity has to be in one place."""


@dataclass(frozen=True, slots=True)
class ProductSummary:
    """A portfolio against one product: numbers of units by standing, and the kW of the eligible ones."""

    version: ProductVersion
    eligible: int
    nearly: int
    not_eligible: int
    eligible_kw: Decimal
    elsewhere: int
    """Units of other families whose assets would be eligible in a unit of this product's family."""


@dataclass(frozen=True, slots=True)
class PortfolioSummary:
    """A portfolio against every product; `units` is the number that pass the filters."""

    units: int
    products: list[ProductSummary]


@dataclass(frozen=True, slots=True)
class OpportunityLine:
    """One unit and one product. Code and name of the unit were typed by its provider: escape them."""

    unit_id: UUID
    unit_code: str
    unit_name: str
    family: Family
    version: ProductVersion
    verdict: EligibilityVerdict

    @property
    def words(self) -> str:
        """The unmet requirements; where there are none, those that aren't known."""
        if self.verdict.unmet:
            return " ".join(reason.words for reason in self.verdict.unmet)
        unknown = [REQUIREMENT_LABELS[reason.requirement].lower() for reason in self.verdict.unknown]
        return f"Not known: {', '.join(unknown)}." if unknown else "Everything it needs is met."


@operation("UC-04.03", permission="unit.read", writes=False, name="portfolio_in_numbers")
def portfolio_in_numbers(actor: Actor, filters: OpportunityFilters | None = None) -> PortfolioSummary:
    """Count the visible units by standing to each product; the filters of standing and unmet requirements don't apply."""
    criteria = filters or OpportunityFilters()
    units, areas = load_frames(*_build_conditions(actor, criteria))
    products = _select_products(criteria)
    versions = {version.code: version for version in products}
    standing_column, capacity = pl.col("standing"), pl.col("capacity")
    eligible = standing_column == EligibilityStanding.ELIGIBLE
    elsewhere = (pl.col("apart_from_family") == EligibilityStanding.ELIGIBLE) & ~pl.col("met_family")
    sums = (
        judge(units, areas, products)
        .group_by("product_code", maintain_order=True)
        .agg(
            eligible=eligible.sum(),
            nearly=(standing_column == EligibilityStanding.NEARLY).sum(),
            not_eligible=((standing_column == EligibilityStanding.NOT) & pl.col("met_family")).sum(),
            kw=capacity.filter(eligible).sum(),
            elsewhere=elsewhere.sum(),
        )
    )
    return PortfolioSummary(
        units.height,
        [
            ProductSummary(
                version=versions[row["product_code"]],
                eligible=row["eligible"],
                nearly=row["nearly"],
                not_eligible=row["not_eligible"],
                eligible_kw=Decimal(row["kw"]) / 100,
                elsewhere=row["elsewhere"],
            )
            for row in sums.iter_rows(named=True)
        ],
    )


@operation("UC-04.03", permission="unit.read", writes=False, name="list_opportunities")
def list_opportunities(
    actor: Actor, filters: OpportunityFilters | None = None, *, after: str | None = None, limit: int = 50
) -> Page[OpportunityLine]:
    """List units and products that pass the filters, newest unit first; `limit` is of units, at most 200.

    `after` is the cursor of the page before. Raises Invalid for text that isn't a cursor, or a value that no filter has.
    """
    criteria = filters or OpportunityFilters()
    size = max(1, min(limit, LONGEST_PAGE))
    conditions, products = _build_conditions(actor, criteria), _select_products(criteria)
    last = None if after is None else read_identifier(after)
    lines_by_unit: list[list[OpportunityLine]] = []
    while True:
        keyset = [] if last is None else [col(MarketUnit.id) < last]
        units, areas = load_frames(*conditions, *keyset, limit=BATCH_SIZE)
        lines_by_unit += _build_lines(units, areas, products, criteria, size + 1 - len(lines_by_unit))
        if len(lines_by_unit) > size or units.height < BATCH_SIZE:
            break
        last = UUID(units["unit_id"][-1])
    has_more = len(lines_by_unit) > size
    following = str(lines_by_unit[size - 1][0].unit_id) if has_more else None
    return Page([line for lines in lines_by_unit[:size] for line in lines], following)


def _build_lines(
    units: pl.DataFrame,
    areas: pl.DataFrame,
    products: Sequence[ProductVersion],
    filters: OpportunityFilters,
    max_units: int,
) -> list[list[OpportunityLine]]:
    """Build the lines of at most `max_units` units that have any: found in the matrix, and only then explained."""
    matrix = judge(units, areas, products)
    if filters.eligibility:
        matrix = matrix.filter(pl.col("standing").cast(pl.String).is_in(list(filters.eligibility)))
    if not filters.other_families:
        matrix = matrix.filter("met_family")
    if filters.unmet:
        matrix = matrix.filter(stopped_by_any_expression(map(Requirement, filters.unmet)))
    if filters.gsp_group:
        inside = [area for area, group in GROUP_OF_AREA.items() if group in filters.gsp_group]
        matrix = matrix.filter(pl.col("place").is_in(inside))
    pairs = set(matrix.select("unit_id", "product_code").iter_rows())
    page_units = units.filter(pl.col("unit_id").is_in({unit for unit, _ in pairs})).head(max_units)
    verdicts = explain_verdicts(page_units, areas, products)
    versions = {version.code: version for version in products}
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
        for row in page_units.iter_rows(named=True)
    ]


def _build_conditions(actor: Actor, filters: OpportunityFilters) -> list[ColumnElement[bool]]:
    _require_valid_filters(filters)
    conditions: list[ColumnElement[bool]] = [visible(MarketUnit, actor)]
    if filters.family:
        conditions.append(col(MarketUnit.family).in_(filters.family))
    if filters.service_provider_id:
        conditions.append(col(MarketUnit.service_provider_id).in_(filters.service_provider_id))
    return conditions


def _require_valid_filters(filters: OpportunityFilters) -> None:
    kinds = {
        "Standing": (filters.eligibility, list(EligibilityStanding)),
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


def _select_products(filters: OpportunityFilters) -> list[ProductVersion]:
    return [
        version
        for version in list_versions_in_force(today())
        if (not filters.product_code or version.code in filters.product_code)
        and (not filters.sub_market or version.sub_market in filters.sub_market)
    ]
