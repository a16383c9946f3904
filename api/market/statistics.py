"""The market in numbers: the figures of the dashboard, and what stops most units from being eligible (UC-05.02)."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.http.decimal_json import ExactRoute
from api.http.responses import answer, here
from api.http.schemas import RequestSchema
from api.http.security import Caller
from api.market.statistics_schemas import BlockersOut, MarketStatisticsOut, blockers_out, statistics_out
from models.products import Family
from services.core.identity.permissions import may
from services.market.statistics.dashboard import market_in_numbers
from services.market.statistics.model import MarketFilters
from services.market.statistics.top_blockers import top_blockers

router = APIRouter(prefix="/market-statistics", tags=["Market statistics"], route_class=ExactRoute)
_SEVERAL: Any = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")
_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


class BlockerQuery(RequestSchema):
    """Filters of the figures. Anything else in the query is refused, so that no misspelt filter lets everything through."""

    product_code: list[str] = _SEVERAL
    sub_market: list[str] = _SEVERAL
    addressed_to: list[UUID] = Field(
        default_factory=list, max_length=100, description="System operators. May be repeated."
    )
    family: list[Family] = _SEVERAL

    def filters(self, since: date | None = None, until: date | None = None) -> MarketFilters:
        """As the services take them."""
        return MarketFilters(
            since=since,
            until=until,
            products=tuple(self.product_code),
            operators=tuple(self.addressed_to),
            families=tuple(self.family),
            sub_markets=tuple(self.sub_market),
        )


class StatisticsQuery(BlockerQuery):
    """The same, in a span of days by London's calendar."""

    since: date | None = Field(
        alias="From",
        default=None,
        ge=_EARLIEST,
        le=_LATEST,
        description="Since when decisions are told of; 18 months back unless told.",
    )
    until: date | None = Field(
        default=None, ge=_EARLIEST, le=_LATEST, description="As of the end of this day; today unless told."
    )


@router.get("", summary="The market in numbers", response_model=MarketStatisticsOut)
def get_market_statistics(caller: Caller, query: Annotated[StatisticsQuery, Query()]) -> Response:
    """The way from registered to qualified, qualified kW on a day and over time, clocks, outcomes, expiries.

    Your own as an FSP, what is addressed to you as a system operator, all as the administrator. Viewers and the regulator get
    one set of figures over all participants, without filters; small ones are withheld.
    """
    return answer(statistics_out(market_in_numbers(caller, query.filters(query.since, query.until))))


@router.get("/blockers", summary="What stops most units", response_model=BlockersOut)
def list_blockers(request: Request, caller: Caller, query: Annotated[BlockerQuery, Query()]) -> Response:
    """The requirements that stop most units (and how much power) from eligibility for what is open now, with numbers."""
    blockers = top_blockers(caller, query.filters())
    path = here(request, "/v1/opportunities") if may(caller, "unit.read") else None
    return answer(blockers_out(blockers, path))
