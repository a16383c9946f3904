"""Opportunities: what a unit, a portfolio or a selection of assets may be eligible for (UC-04.03)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import PageQuery
from api.http.problems import answers
from api.http.responses import answer, page
from api.http.schemas import RequestSchema
from api.http.security import Caller
from api.market.opportunity_schemas import (
    ClosingOut,
    OpportunitiesOut,
    PortfolioInNumbersOut,
    PortfolioOpportunitiesOut,
    UnitOpportunityOut,
)
from models.products import Family
from services.core.access_log import log_access
from services.market.eligibility import portfolio
from services.market.eligibility.gap_closing import closing_set, closing_set_of_assets
from services.market.eligibility.opportunities import MAX_ASSETS, opportunities_of_assets, opportunities_of_unit
from services.market.eligibility.portfolio import OpportunityFilters, portfolio_in_numbers
from services.market.eligibility.verdicts import EligibilityStanding, Requirement

router = APIRouter(prefix="/opportunities", tags=["Opportunities"], route_class=ExactRoute)
RECORD = "market_unit"
_SEVERAL: Any = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")


class _Filters(PageQuery):
    standing: list[EligibilityStanding] = _SEVERAL
    family: list[Family] = _SEVERAL
    sub_market: list[str] = _SEVERAL
    product_code: list[str] = _SEVERAL
    service_provider_id: list[UUID] = _SEVERAL
    unmet: list[Requirement] = Field(
        default_factory=list, max_length=100, description="May be repeated: one of these is known to be unmet."
    )
    gsp_group: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="May be repeated: where most of what counts lies, for products whose capacity has to be in one place.",
    )
    other_families: bool = Field(default=False, description="Also products of families other than the unit's.")

    def filters(self) -> OpportunityFilters:
        """As the services take them."""
        return OpportunityFilters(
            eligibility=self.standing,
            family=self.family,
            sub_market=self.sub_market,
            product_code=self.product_code,
            service_provider_id=self.service_provider_id,
            other_families=self.other_families,
            unmet=self.unmet,
            gsp_group=self.gsp_group,
        )


class OpportunityQuery(_Filters):
    """Units and products: one unit with every product, or a portfolio by page (`limit` is of units)."""

    unit_id: UUID | None = Field(default=None, description="One unit; then the other filters don't count.")


class AssetsBody(RequestSchema):
    """Assets to be judged as if they were one unit."""

    asset_ids: list[UUID] = Field(min_length=1, max_length=MAX_ASSETS)
    family: Family | None = Field(default=None, description="Of the unit; without one, whichever fits the product.")


@router.get(
    "",
    summary="Opportunities of a unit or a portfolio",
    response_model=OpportunitiesOut | PortfolioOpportunitiesOut,
    responses=answers(404, 409),
)
def list_opportunities(request: Request, caller: Caller, query: Annotated[OpportunityQuery, Query()]) -> Response:
    """With `UnitId`: every product in force, the reasons, equivalences and what may be held beside what is held.

    Without: the units that you see against the products of their family, a page of units at a time. Indicative.
    """
    if query.unit_id is not None:
        opportunities = opportunities_of_unit(caller, query.unit_id)
        log_access(caller, "opportunity.read", RECORD, query.unit_id)
        return answer(OpportunitiesOut.from_record(opportunities))
    after = None if query.after is None else str(query.after)
    result = portfolio.list_opportunities(caller, query.filters(), after=after, limit=query.limit)
    units = list(dict.fromkeys(str(line.unit_id) for line in result.items))
    log_access(caller, "opportunity.list", RECORD, detail={"ids": units})
    return answer(page(request, UnitOpportunityOut.from_records(result.items), result.next_cursor))


@router.post("", summary="Opportunities of some assets", response_model=OpportunitiesOut, responses=answers(404, 413))
def find_asset_opportunities(caller: Caller, body: AssetsBody) -> Response:
    """The assets as if they were one unit. Nothing is kept: it is a question."""
    opportunities = opportunities_of_assets(caller, body.asset_ids, body.family)
    log_access(caller, "opportunity.assets", "asset", detail={"ids": list(map(str, body.asset_ids[:200]))})
    return answer(OpportunitiesOut.from_record(opportunities))


@router.post(
    "/{ProductCode}/closing", summary="Assets that would close the gap of some", response_model=ClosingOut,
    responses=answers(404, 413),
)  # fmt: skip
def find_asset_closing_set(
    caller: Caller, body: AssetsBody, product_code: Annotated[str, Path(alias="ProductCode", max_length=20)]
) -> Response:
    """The fewest of your free assets that give these, as a unit of the product's family, its least capacity."""
    closing = closing_set_of_assets(caller, body.asset_ids, product_code)
    log_access(caller, "opportunity.assets", "asset", detail={"ids": list(map(str, body.asset_ids[:200]))})
    return answer(ClosingOut.from_record(closing))


@router.get("/summary", summary="A portfolio in numbers", response_model=PortfolioInNumbersOut)
def count_opportunities(caller: Caller, query: Annotated[_Filters, Query()]) -> Response:
    """For each product in force, how many of your units are eligible, nearly or not, and with how much."""
    return answer(PortfolioInNumbersOut.from_record(portfolio_in_numbers(caller, query.filters())))


@router.get(
    "/{UnitId}/{ProductCode}/closing",
    summary="Assets that would close a gap",
    response_model=ClosingOut,
    responses=answers(404),
)
def find_closing_set(
    caller: Caller,
    unit_id: Annotated[UUID, Path(alias="UnitId")],
    product_code: Annotated[str, Path(alias="ProductCode", max_length=20)],
) -> Response:
    """The fewest of your free assets that give the unit the product's least capacity, and what else they would change."""
    closing = closing_set(caller, unit_id, product_code)
    log_access(caller, "opportunity.read", RECORD, unit_id)
    return answer(ClosingOut.from_record(closing))
