"""Schemas of the market statistics (UC-05.02). Null where a figure is withheld: too few stand behind it."""

from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from api.http.decimal_json import Exact
from api.http.schemas import AnswerSchema
from models.products import Family
from services.market.eligibility.requirements import Requirement
from services.market.statistics.model import Dimension, MarketNumbers
from services.market.statistics.top_blockers import Blockers, TopBlocker

_WITHHELD = "Null: withheld, since too few stand behind it."
_COUNT: Any = Field(description=_WITHHELD)
_CAPACITY: Any = Field(serialization_alias="Capacity", description=f"kW. {_WITHHELD}")


class StageOut(AnswerSchema):
    """Assets that have come so far; an asset may be in one unit of each family, so families can't be added up."""

    code: str = Field(
        serialization_alias="Stage", examples=["registered", "verified", "in_unit", "applied", "qualified"]
    )
    label: str
    family: Family | None = Field(description="Of the unit; null for assets whether or not they are in one.")
    assets: int | None = _COUNT


class FigureOut(AnswerSchema):
    """A number of records, and their power."""

    code: str
    label: str
    count: int | None = _COUNT
    kw: Exact | None = _CAPACITY


class SeriesOut(AnswerSchema):
    """Qualified kW at the end of each month of `Months`."""

    code: str
    label: str
    kw: list[Exact | None] = Field(serialization_alias="Capacity", description=f"One for each month. {_WITHHELD}")


class DividedOut(AnswerSchema):
    """Qualified power divided by one dimension, on the day and over time."""

    dimension: str = Field(examples=[str(dimension) for dimension in Dimension])
    items: list[FigureOut]
    over_time: list[SeriesOut] = Field(description="Empty where only one line for all may be shown.")


class CellOut(AnswerSchema):
    """Qualified power of one product in one GSP group; the empty group is several."""

    product: str = Field(serialization_alias="ProductCode")
    gsp_group: str
    count: int | None = _COUNT
    kw: Exact | None = _CAPACITY


class AgeingOut(AnswerSchema):
    """Open applications by how their clock stands."""

    code: str
    label: str
    by_clock: dict[str, int | None] = _COUNT


class DaysOut(AnswerSchema):
    """Working days from application to decision, on the SO's clock."""

    code: str
    label: str
    decisions: int | None = _COUNT
    median: int | None = Field(serialization_alias="MedianDays", description=_WITHHELD)
    ninetieth: int | None = Field(serialization_alias="NinetiethPercentileDays", description=_WITHHELD)


class OutcomesOut(AnswerSchema):
    """Decisions in a calendar month, by outcome."""

    month: date
    by_outcome: dict[str, int | None] = _COUNT


class ExpiryOut(AnswerSchema):
    """Qualifications that end in a calendar month unless they are renewed."""

    month: date
    count: int | None = _COUNT
    kw: Exact | None = _CAPACITY


class MarketStatisticsOut(AnswerSchema):
    """The market in numbers, as far as your view reaches."""

    as_of: date
    since: date
    counted_at: datetime
    anonymised: bool = Field(
        description="One set of figures for all, made once a day and rounded; small ones are withheld, and filters don't count."
    )
    funnel: list[StageOut]
    qualified: FigureOut
    months: list[date] = Field(description="The last day of each month that is told of.")
    qualified_by: list[DividedOut]
    heat: list[CellOut] = Field(serialization_alias="QualifiedByProductAndGroup")
    open_total: int | None = Field(serialization_alias="OpenApplications", description=_WITHHELD)
    ageing_by_operator: list[AgeingOut] = Field(serialization_alias="AgeingBySystemOperator")
    ageing_by_product: list[AgeingOut]
    days_by_operator: list[DaysOut] = Field(serialization_alias="DaysBySystemOperator")
    days_by_product: list[DaysOut]
    outcomes: list[FigureOut]
    outcomes_by_month: list[OutcomesOut]
    reasons: list[FigureOut] = Field(serialization_alias="FailureReasons")
    expiries: list[ExpiryOut]


class BlockerOut(AnswerSchema):
    """One requirement that stops units. `Opportunities` is the path of the units behind."""

    requirement: Requirement
    product_codes: list[str] = Field(description="Those that ask for the same, which stops the same units.")
    family: Family
    gsp_group: str | None = Field(description="Where most of the units counts, if capacity has to be in one place.")
    units: int
    alone: int | None = Field(serialization_alias="UnitsStoppedByNothingElse", description=_WITHHELD)
    kw: Exact = Field(
        serialization_alias="Capacity", description="kW of the stopped units, each in its better direction."
    )
    nearest: Exact | None = Field(description="What the nearest unit lacks: kW, seconds or minutes.")
    words: str = Field(
        examples=["DC: less than 1,000 kW in _C stops 12 units (3.4 MW); the nearest is 60 kW short."],
    )
    opportunities: str | None = Field(description="The path of these units; null where you may not see single ones.")


class BlockersOut(AnswerSchema):
    """The requirements that stop most units from being eligible for what is open now, the most first."""

    counted_at: datetime
    anonymised: bool
    units: int | None = Field(description=f"Active units in your view. {_WITHHELD}")
    more: int | None = Field(description=f"How many other requirements stop fewer. {_WITHHELD}")
    items: list[BlockerOut]


def statistics_out(numbers: MarketNumbers) -> MarketStatisticsOut:
    """The market statistics; figures by dimension and their series over time are put together."""
    divided = [
        {"dimension": dimension, "items": figures, "over_time": numbers.over_time.get(dimension, ())}
        for dimension, figures in numbers.by_dimension.items()
    ]
    return MarketStatisticsOut.from_record(numbers, qualified_by=divided)


def blockers_out(blockers: Blockers, path: str | None) -> BlockersOut:
    """The top blockers; `path` is where opportunities are, None for who sees no single unit."""
    items = [
        BlockerOut.from_record(blocker, opportunities=None if path is None else f"{path}?{_query_of(blocker)}")
        for blocker in blockers.items
    ]
    return BlockersOut.from_record(blockers, items=items)


def _query_of(blocker: TopBlocker) -> str:
    group = f"&GspGroup={blocker.gsp_group}" if blocker.gsp_group else ""
    products = "".join(f"ProductCode={quote(code)}&" for code in blocker.product_codes)
    return f"{products}Family={blocker.family}&Unmet={blocker.requirement}{group}"
