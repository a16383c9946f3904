"""Model of the market's dashboard: filters, and the figures for charts, tables and the API (UC-05.02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from models.products import Family
from services.assets.counters.others import OTHERS, sum_withheld
from services.market.qualification.sla_clock import ClockState


@dataclass(frozen=True, slots=True)
class MarketFilters:
    """Filters of the dashboard: events from the day `since` to the day `until` (both included; London's calendar).

    Stocks (qualified power, open applications, expiries) are those at the end of `until`, or now.
    """

    since: date | None = None
    until: date | None = None
    products: tuple[str, ...] = ()
    operators: tuple[UUID, ...] = ()
    families: tuple[Family, ...] = ()
    sub_markets: tuple[str, ...] = ()

    def wants(self, product: str, family: Family, sub_market: str) -> bool:
        """Return True when the filters let a product of this family and sub-market through."""
        pairs = ((self.products, product), (self.families, family), (self.sub_markets, sub_market))
        return all(not values or value in values for values, value in pairs)


UNIT_STAGES = ("in_unit", "applied", "qualified")
"""The stages of the funnel from market units on."""


class Dimension(StrEnum):
    """The dimensions of qualified power."""

    SUB_MARKET = "sub_market"
    PRODUCT = "product"
    GSP_GROUP = "gsp"
    OPERATOR = "so"


@dataclass(frozen=True, slots=True)
class StatisticsFigure:
    """A figure of one code: count and kW. `withheld`: by disclosure control, both are None."""

    code: str
    label: str
    count: int | None
    kw: Decimal | None
    withheld: bool = False


def merge_withheld(figures: Sequence[StatisticsFigure], total: StatisticsFigure, label: str) -> list[StatisticsFigure]:
    """The figures of a line whose sum is `total`, with one ("Other products (3)") in place of those that are withheld."""
    rest = sum_withheld(figures, [figure.kw for figure in figures], total.count, total.kw)
    if rest is None:
        return list(figures)
    other = StatisticsFigure(OTHERS, f"{label} ({rest.figures})", rest.number, rest.kw)
    return [*(figure for figure in figures if not figure.withheld), other]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the funnel to the market, in assets; of one family from the stage of units on."""

    code: str
    label: str
    family: Family | None
    assets: int | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Qualified kW at the end of each month; None: withheld."""

    code: str
    label: str
    kw: list[Decimal | None]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Qualified power of one product in one GSP group (the empty text: spread over several)."""

    product: str
    gsp_group: str
    count: int | None
    kw: Decimal | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open applications at one SO, or for one product, by state of the SLA clock. None: withheld."""

    code: str
    label: str
    by_clock: dict[ClockState, int | None]


@dataclass(frozen=True, slots=True)
class Days:
    """Working days from application to decision, on the SLA clock: median and 90th percentile."""

    code: str
    label: str
    decisions: int | None
    median: int | None
    ninetieth: int | None


@dataclass(frozen=True, slots=True)
class MonthOutcomes:
    """Decisions of one calendar month, by outcome (`models.qualifications.QualificationStatus`). None: withheld."""

    month: date
    by_outcome: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class Expiry:
    """Qualifications that end in one calendar month unless they are renewed."""

    month: date
    count: int | None
    kw: Decimal | None


@dataclass(frozen=True, slots=True)
class MarketNumbers:
    """The market in numbers, as far as the actor's view reaches."""

    as_of: date
    since: date
    counted_at: datetime
    anonymised: bool
    funnel: list[Stage]
    qualified: StatisticsFigure
    by_dimension: dict[Dimension, list[StatisticsFigure]]
    months: list[date]
    """The last day of each month of the span; the last one is `as_of`."""
    over_time: dict[Dimension, list[Series]]
    """By sub-market, product, GSP group and SO; where figures are withheld, one line for all under SUB_MARKET."""
    heat: list[HeatCell]
    open_total: int | None
    ageing_by_operator: list[Ageing]
    ageing_by_product: list[Ageing]
    days_by_operator: list[Days]
    days_by_product: list[Days]
    outcomes: list[StatisticsFigure]
    outcomes_by_month: list[MonthOutcomes]
    reasons: list[StatisticsFigure]
    expiries: list[Expiry]
    withheld: int = 0
    """The number of figures that are withheld."""
    units: int | None = None
    """Market units that the actor may see, de-registered ones left out."""
    labels: dict[str, str] | None = None
    """Names of products, GSP groups and SOs by code."""
