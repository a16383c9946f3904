"""The market in numbers: the figures of the dashboard, and what stops most units from being eligible (UC-05.02)."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.responses import answer, here
from api.http.security import Caller
from api.market.statistics_schemas import BlockersOut, MarketStatisticsOut, blockers_out, statistics_out
from models.products import Family as FamilyCode
from services.core.identity.permissions import may
from services.market.statistics.dashboard import market_in_numbers
from services.market.statistics.model import MarketFilters
from services.market.statistics.top_blockers import top_blockers

router = APIRouter(prefix="/market-statistics", tags=["Market statistics"], route_class=ExactRoute)
_SEVERAL: Any = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")
_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


class BlockerQuery(BaseModel):
    """What to count. Anything else in the query is refused, so that no misspelt filter lets everything through."""

    model_config = ConfigDict(extra="forbid")

    ProductCode: list[str] = _SEVERAL
    SubMarket: list[str] = _SEVERAL
    AddressedTo: list[UUID] = Field(
        default_factory=list, max_length=100, description="System operators. May be repeated."
    )
    Family: list[FamilyCode] = _SEVERAL

    def filters(self, since: date | None = None, until: date | None = None) -> MarketFilters:
        """As the services take them."""
        return MarketFilters(
            since=since,
            until=until,
            products=tuple(self.ProductCode),
            operators=tuple(self.AddressedTo),
            families=tuple(self.Family),
            sub_markets=tuple(self.SubMarket),
        )


class StatisticsQuery(BlockerQuery):
    """The same, in a span of days by London's calendar."""

    From: date | None = Field(
        default=None,
        ge=_EARLIEST,
        le=_LATEST,
        description="Since when decisions are told of; 18 months back unless told.",
    )
    Until: date | None = Field(
        default=None, ge=_EARLIEST, le=_LATEST, description="As of the end of this day; today unless told."
    )


@router.get("", summary="The market in numbers", response_model=MarketStatisticsOut)
def in_numbers(caller: Caller, query: Annotated[StatisticsQuery, Query()]) -> Response:
    """The way from registered to qualified, qualified kW on a day and over time, clocks, outcomes, expiries.

    Your own as an FSP, what is addressed to you as a system operator, all as the administrator. Viewers and the regulator get
    one set of figures over all participants, without filters; small ones are withheld.
    """
    return answer(statistics_out(market_in_numbers(caller, query.filters(query.From, query.Until))))


@router.get("/blockers", summary="What stops most units", response_model=BlockersOut)
def blockers(request: Request, caller: Caller, query: Annotated[BlockerQuery, Query()]) -> Response:
    """Which requirements stop most units (and how much power) from eligibility for what is open now, in words with numbers."""
    found = top_blockers(caller, query.filters())
    path = here(request, "/v1/opportunities") if may(caller, "unit.read") else None
    return answer(blockers_out(found, path))
