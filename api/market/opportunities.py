"""Opportunities: what a unit, a portfolio or a selection of assets may be eligible for (UC-04.03)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import PageQuery
from api.http.problems import answers
from api.http.responses import answer, page
from api.http.security import Caller
from api.market.opportunity_schemas import (
    ClosingOut,
    OpportunitiesOut,
    PortfolioInNumbersOut,
    PortfolioOpportunitiesOut,
    closing_out,
    line_out,
    numbers_out,
    opportunities_out,
)
from models.products import Family as FamilyCode
from services.core.access_log import log_access
from services.market.eligibility.gap_closing import closing_set, closing_set_of_assets
from services.market.eligibility.opportunities import MAX_ASSETS, opportunities_of_assets, opportunities_of_unit
from services.market.eligibility.portfolio import OpportunityFilters, list_opportunities, portfolio_in_numbers
from services.market.eligibility.verdicts import EligibilityStanding as StandingCode
from services.market.eligibility.verdicts import Requirement as RequirementCode

router = APIRouter(prefix="/opportunities", tags=["Opportunities"], route_class=ExactRoute)
RECORD = "market_unit"
_SEVERAL: Any = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")


class _Narrowed(PageQuery):
    Standing: list[StandingCode] = _SEVERAL
    Family: list[FamilyCode] = _SEVERAL
    SubMarket: list[str] = _SEVERAL
    ProductCode: list[str] = _SEVERAL
    ServiceProviderId: list[UUID] = _SEVERAL
    Unmet: list[RequirementCode] = Field(
        default_factory=list, max_length=100, description="May be repeated: one of these is known to be unmet."
    )
    GspGroup: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="May be repeated: where most of what counts lies, for products whose capacity has to be in one place.",
    )
    OtherFamilies: bool = Field(default=False, description="Also products of families other than the unit's.")

    def filters(self) -> OpportunityFilters:
        """As the services take them."""
        return OpportunityFilters(
            eligibility=self.Standing,
            family=self.Family,
            sub_market=self.SubMarket,
            product_code=self.ProductCode,
            service_provider_id=self.ServiceProviderId,
            other_families=self.OtherFamilies,
            unmet=self.Unmet,
            gsp_group=self.GspGroup,
        )


class OpportunityQuery(_Narrowed):
    """Which units and products: one unit with every product, or a portfolio by page (`limit` is of units)."""

    UnitId: UUID | None = Field(default=None, description="One unit; then the other filters don't count.")


class AssetsBody(BaseModel):
    """Assets to be judged as if they were one unit."""

    model_config = ConfigDict(extra="forbid")

    AssetIds: list[UUID] = Field(min_length=1, max_length=MAX_ASSETS)
    Family: FamilyCode | None = Field(default=None, description="Of the unit; without one, whichever fits the product.")


@router.get(
    "",
    summary="Opportunities of a unit or a portfolio",
    response_model=OpportunitiesOut | PortfolioOpportunitiesOut,
    responses=answers(404, 409),
)
def list_them(request: Request, caller: Caller, query: Annotated[OpportunityQuery, Query()]) -> Response:
    """With `UnitId`: every product in force, the reasons, equivalences and what may be held beside what is held.

    Without: the units that you see against the products of their family, a page of units at a time. Indicative.
    """
    if query.UnitId is not None:
        found = opportunities_of_unit(caller, query.UnitId)
        log_access(caller, "opportunity.read", RECORD, query.UnitId)
        return answer(opportunities_out(found))
    after = None if query.after is None else str(query.after)
    listed = list_opportunities(caller, query.filters(), after=after, limit=query.limit)
    units = list(dict.fromkeys(str(one.unit_id) for one in listed.items))
    log_access(caller, "opportunity.list", RECORD, detail={"ids": units})
    return answer(page(request, [line_out(one) for one in listed.items], listed.next_cursor))


@router.post("", summary="Opportunities of some assets", response_model=OpportunitiesOut, responses=answers(404, 413))
def of_assets(caller: Caller, body: AssetsBody) -> Response:
    """The assets as if they were one unit. Nothing is kept: it is a question."""
    found = opportunities_of_assets(caller, body.AssetIds, body.Family)
    log_access(caller, "opportunity.assets", "asset", detail={"ids": [str(one) for one in body.AssetIds[:200]]})
    return answer(opportunities_out(found))


@router.post(
    "/{ProductCode}/closing", summary="Assets that would close the gap of some", response_model=ClosingOut,
    responses=answers(404, 413),
)  # fmt: skip
def closing_of_assets(
    caller: Caller, body: AssetsBody, product_code: Annotated[str, Path(alias="ProductCode", max_length=20)]
) -> Response:
    """The fewest of your free assets that give these, as a unit of the product's family, its least capacity."""
    found = closing_set_of_assets(caller, body.AssetIds, product_code)
    log_access(caller, "opportunity.assets", "asset", detail={"ids": [str(one) for one in body.AssetIds[:200]]})
    return answer(closing_out(found))


@router.get("/summary", summary="A portfolio in numbers", response_model=PortfolioInNumbersOut)
def in_numbers(caller: Caller, query: Annotated[_Narrowed, Query()]) -> Response:
    """For each product in force, how many of your units are eligible, nearly or not, and with how much."""
    return answer(numbers_out(portfolio_in_numbers(caller, query.filters())))


@router.get(
    "/{UnitId}/{ProductCode}/closing",
    summary="Assets that would close a gap",
    response_model=ClosingOut,
    responses=answers(404),
)
def closing(
    caller: Caller,
    unit_id: Annotated[UUID, Path(alias="UnitId")],
    product_code: Annotated[str, Path(alias="ProductCode", max_length=20)],
) -> Response:
    """The fewest of your free assets that give the unit the product's least capacity, and what else they would change."""
    found = closing_set(caller, unit_id, product_code)
    log_access(caller, "opportunity.read", RECORD, unit_id)
    return answer(closing_out(found))
