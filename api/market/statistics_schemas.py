"""How the market in numbers is answered. Null where a figure is withheld: too few stand behind it."""

from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field

from api.http.decimal_json import Exact
from models.products import Family as FamilyCode
from services.market.eligibility.requirements import Requirement as RequirementCode
from services.market.statistics.model import Ageing, Days, Dimension, MarketNumbers, Series, StatisticsFigure
from services.market.statistics.top_blockers import Blockers, TopBlocker

_WITHHELD = "Null: withheld, since too few stand behind it."
_COUNT: Any = Field(description=_WITHHELD)
_POWER: Any = Field(description=f"kW. {_WITHHELD}")


class StageOut(BaseModel):
    """Assets that have come so far; an asset may be in one unit of each family, so families can't be added up."""

    Stage: str = Field(examples=["registered", "verified", "in_unit", "applied", "qualified"])
    Label: str
    Family: FamilyCode | None = Field(description="Of the unit; null for assets whether or not they are in one.")
    Assets: int | None = _COUNT


class FigureOut(BaseModel):
    """How many, and how much."""

    Code: str
    Label: str
    Count: int | None = _COUNT
    Capacity: Exact | None = _POWER


class SeriesOut(BaseModel):
    """Qualified kW at the end of each month of `Months`."""

    Code: str
    Label: str
    Capacity: list[Exact | None] = Field(description=f"One for each month. {_WITHHELD}")


class DividedOut(BaseModel):
    """Qualified power divided by one dimension, on the day and over time."""

    Dimension: str = Field(examples=[str(one) for one in Dimension])
    items: list[FigureOut]
    OverTime: list[SeriesOut] = Field(description="Empty where only one line for all may be shown.")


class CellOut(BaseModel):
    """Qualified power of one product in one GSP group; the empty group is several."""

    ProductCode: str
    GspGroup: str
    Count: int | None = _COUNT
    Capacity: Exact | None = _POWER


class AgeingOut(BaseModel):
    """Open applications by how their clock stands."""

    Code: str
    Label: str
    ByClock: dict[str, int | None] = _COUNT


class DaysOut(BaseModel):
    """Working days from application to decision, on the SO's clock."""

    Code: str
    Label: str
    Decisions: int | None = _COUNT
    MedianDays: int | None = _COUNT
    NinetiethPercentileDays: int | None = _COUNT


class OutcomesOut(BaseModel):
    """What was decided in a calendar month, by outcome."""

    Month: date
    ByOutcome: dict[str, int | None] = _COUNT


class ExpiryOut(BaseModel):
    """Qualifications that end in a calendar month unless they are renewed."""

    Month: date
    Count: int | None = _COUNT
    Capacity: Exact | None = _POWER


class MarketStatisticsOut(BaseModel):
    """The market in numbers, as far as your view reaches."""

    AsOf: date
    Since: date
    CountedAt: datetime
    Anonymised: bool = Field(
        description="One set of figures for all; small ones are withheld, and filters don't count."
    )
    Funnel: list[StageOut]
    Qualified: FigureOut
    Months: list[date] = Field(description="The last day of each month that is told of.")
    QualifiedBy: list[DividedOut]
    QualifiedByProductAndGroup: list[CellOut]
    OpenApplications: int | None = _COUNT
    AgeingBySystemOperator: list[AgeingOut]
    AgeingByProduct: list[AgeingOut]
    DaysBySystemOperator: list[DaysOut]
    DaysByProduct: list[DaysOut]
    Outcomes: list[FigureOut]
    OutcomesByMonth: list[OutcomesOut]
    FailureReasons: list[FigureOut]
    Expiries: list[ExpiryOut]


class BlockerOut(BaseModel):
    """One requirement that stops units. `Opportunities` is the path of the units behind."""

    Requirement: RequirementCode
    ProductCodes: list[str] = Field(description="Those that ask for the same, which stops the same units.")
    Family: FamilyCode
    GspGroup: str | None = Field(description="Where most of the units counts, if capacity has to be in one place.")
    Units: int
    UnitsStoppedByNothingElse: int | None = _COUNT
    Capacity: Exact = Field(description="kW of the stopped units, each in its better direction.")
    Nearest: Exact | None = Field(description="What the nearest unit lacks: kW, seconds or minutes.")
    Words: str = Field(
        examples=["DC: less than 1,000 kW in _C stops 12 units (3.4 MW); the nearest is 60 kW short."],
    )
    Opportunities: str | None = Field(description="The path of these units; null where you may not see single ones.")


class BlockersOut(BaseModel):
    """What stops most units from being eligible for what is open now, the most first."""

    CountedAt: datetime
    Anonymised: bool
    Units: int | None = Field(description=f"Active units in your view. {_WITHHELD}")
    More: int | None = Field(description=f"How many other requirements stop fewer. {_WITHHELD}")
    items: list[BlockerOut]


def statistics_out(numbers: MarketNumbers) -> dict[str, Any]:
    """The market in numbers as answered."""
    return {
        "AsOf": numbers.as_of,
        "Since": numbers.since,
        "CountedAt": numbers.counted_at,
        "Anonymised": numbers.anonymised,
        "Funnel": [
            {"Stage": one.code, "Label": one.label, "Family": one.family, "Assets": one.assets}
            for one in numbers.funnel
        ],
        "Qualified": _figure(numbers.qualified),
        "Months": numbers.months,
        "QualifiedBy": [
            {
                "Dimension": dimension,
                "items": [_figure(one) for one in figures],
                "OverTime": [_series(one) for one in numbers.over_time.get(dimension, ())],
            }
            for dimension, figures in numbers.by_dimension.items()
        ],
        "QualifiedByProductAndGroup": [
            {"ProductCode": one.product, "GspGroup": one.gsp_group, "Count": one.count, "Capacity": one.kw}
            for one in numbers.heat
        ],
        "OpenApplications": numbers.open_total,
        "AgeingBySystemOperator": [_ageing(one) for one in numbers.ageing_by_operator],
        "AgeingByProduct": [_ageing(one) for one in numbers.ageing_by_product],
        "DaysBySystemOperator": [_days(one) for one in numbers.days_by_operator],
        "DaysByProduct": [_days(one) for one in numbers.days_by_product],
        "Outcomes": [_figure(one) for one in numbers.outcomes],
        "OutcomesByMonth": [{"Month": one.month, "ByOutcome": one.by_outcome} for one in numbers.outcomes_by_month],
        "FailureReasons": [_figure(one) for one in numbers.reasons],
        "Expiries": [{"Month": one.month, "Count": one.count, "Capacity": one.kw} for one in numbers.expiries],
    }


def _figure(one: StatisticsFigure) -> dict[str, Any]:
    return {"Code": one.code, "Label": one.label, "Count": one.count, "Capacity": one.kw}


def _series(one: Series) -> dict[str, Any]:
    return {"Code": one.code, "Label": one.label, "Capacity": one.kw}


def _ageing(one: Ageing) -> dict[str, Any]:
    return {"Code": one.code, "Label": one.label, "ByClock": one.by_clock}


def _days(one: Days) -> dict[str, Any]:
    return {
        "Code": one.code,
        "Label": one.label,
        "Decisions": one.decisions,
        "MedianDays": one.median,
        "NinetiethPercentileDays": one.ninetieth,
    }


def blockers_out(found: Blockers, path: str | None) -> dict[str, Any]:
    """What stops units as answered; `path` is where opportunities are, None for who sees no single unit."""
    return {
        "CountedAt": found.counted_at,
        "Anonymised": found.anonymised,
        "Units": found.units,
        "More": found.more,
        "items": [_blocker(one, path) for one in found.items],
    }


def _blocker(one: TopBlocker, path: str | None) -> dict[str, Any]:
    where = f"&GspGroup={one.gsp_group}" if one.gsp_group else ""
    products = "".join(f"ProductCode={quote(code)}&" for code in one.product_codes)
    query = f"{products}Family={one.family}&Unmet={one.requirement}{where}"
    return {
        "Requirement": one.requirement,
        "ProductCodes": one.product_codes,
        "Family": one.family,
        "GspGroup": one.gsp_group,
        "Units": one.units,
        "UnitsStoppedByNothingElse": one.alone,
        "Capacity": one.kw,
        "Nearest": one.nearest,
        "Words": one.words,
        "Opportunities": None if path is None else f"{path}?{query}",
    }
