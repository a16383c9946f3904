"""The market at a glance (UC-05.02): the way to qualification, qualified power, clocks, outcomes; as a page or on a wall."""

from datetime import timedelta

import streamlit as st

from pages.components.common.power import show_power
from pages.components.dashboard import blockers as market_blockers
from pages.components.dashboard import clock_charts as market_clocks
from pages.components.dashboard import power_charts as market_charts
from pages.components.dashboard.chart_card import PICTURES, Manner, draw_chart
from pages.components.dashboard.filters import choose_market, choose_one, clear_market
from pages.components.dashboard.power_charts import DIMENSION_LABELS
from pages.frame import session
from pages.frame.navigation import link
from services.core.clock import show_moment
from services.market.qualification.sla_clock import ClockState
from services.market.statistics.dashboard import market_in_numbers, takes_market_filters
from services.market.statistics.filter_options import market_choices
from services.market.statistics.model import Dimension, MarketFilters, MarketNumbers
from services.market.statistics.top_blockers import top_blockers

REFRESH = timedelta(minutes=1)
WALL = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stSidebarCollapsedControl"],
[data-testid="stLayoutWrapper"]:has(> .st-key-role-bar) { display: none; }
[data-testid="stMainBlockContainer"] { padding: 1rem 1.5rem; max-width: none; }
[data-testid="stMetricValue"] { font-size: 3rem; } [data-testid="stMetricLabel"] p { font-size: 1.4rem; }
h1 { font-size: 2.4rem !important; }
</style>"""


def draw_headlines(numbers: MarketNumbers) -> None:
    """Headline figures, which one looks for first."""
    late = [operator.by_clock[ClockState.LATE] for operator in numbers.ageing_by_operator]
    decided = {outcome.code: outcome.count for outcome in numbers.outcomes}
    cells = st.grid(5, min_column_width=150)
    kw = numbers.qualified.kw
    cells.metric("Qualified power", "withheld" if kw is None else show_power(kw), border=True)
    cells.metric("Qualifications", format_count(numbers.qualified.count), border=True)
    cells.metric("Open applications", format_count(numbers.open_total), border=True)
    cells.metric("Overdue", format_count(None if None in late else sum(count or 0 for count in late)), border=True)
    cells.metric("Qualified in period", format_count(decided["QUALIFIED"]), border=True)


def format_count(count: int | None) -> str:
    """A headline's figure."""
    return "withheld" if count is None else f"{count:,}"


def draw_numbers(numbers: MarketNumbers, dimension: Dimension, per: str, manner: Manner) -> None:
    """The cards, two beside each other where there is room."""
    pairs = [
        (
            market_charts.build_funnel_chart(numbers, manner),
            market_charts.build_trend_chart(numbers, dimension, manner),
        ),
        (
            market_charts.build_power_chart(numbers, dimension, manner),
            market_clocks.build_ageing_chart(numbers, per, manner),
        ),
        (
            market_clocks.build_outcome_chart(numbers, manner),
            market_clocks.build_decision_time_chart(numbers, per, manner),
        ),
        (market_clocks.build_reason_chart(numbers, manner), market_clocks.build_expiry_chart(numbers, manner)),
    ]
    for pair in pairs:
        for column, chart in zip(st.columns(2), pair, strict=True):
            with column:
                draw_chart(chart, manner)
    draw_chart(market_blockers.build_blocker_chart(top_blockers(actor, manner.filters), manner), manner)
    draw_chart(market_charts.build_heat_map(numbers, manner), manner)


def draw_on_wall(numbers: MarketNumbers, manner: Manner) -> None:
    """The six that say most, on one screen: nobody scrolls there."""
    # An SO's own screen has nobody to compare it with: there, products say more.
    alone = len(numbers.by_dimension[Dimension.OPERATOR]) == 1
    dimension, per = (Dimension.PRODUCT, "product") if alone else (Dimension.OPERATOR, "so")
    charts = [
        market_charts.build_funnel_chart(numbers, manner),
        market_charts.build_trend_chart(numbers, Dimension.SUB_MARKET, manner),
        market_charts.build_power_chart(numbers, dimension, manner),
        market_clocks.build_ageing_chart(numbers, per, manner),
        market_clocks.build_decision_time_chart(numbers, per, manner),
        market_clocks.build_outcome_chart(numbers, manner),
    ]
    for row in (charts[:3], charts[3:]):
        for column, chart in zip(st.columns(3), row, strict=True):
            with column:
                draw_chart(chart, manner)


def draw_wall() -> None:
    """A screen that nobody touches: large, without menu, and counted anew every minute."""
    st.html(WALL)

    @st.fragment(run_every=REFRESH)
    def refreshed() -> None:
        numbers = market_in_numbers(actor)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.title("The market at a glance", anchor=False, width="content")
            st.caption(f"{show_moment(numbers.counted_at)}, counted anew every minute", width="content")
        draw_headlines(numbers)
        draw_on_wall(numbers, Manner(actor, wall=True))

    refreshed()
    link("market/dashboard.py", "Leave the wall screen", "fullscreen_exit", {"wall": "0"})


def draw_head(anonymised: bool) -> tuple[Dimension, str, str]:
    """Choices of the page: dimension of power, grouping of clocks, picture format; returns them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dimension = choose_one("Power by", "by", {str(code): label for code, label in DIMENSION_LABELS.items()})
        per = choose_one("Clocks by", "per", market_clocks.PER)
        picture = choose_one(
            "Pictures as", "picture", PICTURES, "What the camera over a chart downloads: for slides, or to edit"
        )
        if not anonymised:
            st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_market)
        link("market/dashboard.py", "Wall screen", "fullscreen", {"wall": "1"})
    return Dimension(dimension), per, picture


actor = session.actor()
if st.query_params.get("wall") == "1":
    draw_wall()
    st.stop()
st.title("The market at a glance", anchor=False)
st.caption(
    "From registered assets to qualified power. Choose a figure, or its row in the table below, to open the records behind it."
)
choices = market_choices(actor)
filters = choose_market(choices) if takes_market_filters(actor) else MarketFilters()
numbers = market_in_numbers(actor, filters)
if numbers.anonymised:
    st.caption(
        "Figures over all participants. A figure of fewer than five or of fewer than three providers is withheld, and so is "
        "whatever would let it be worked out; filters would, so there are none. They are made once a day and rounded, counts "
        "to five and power to three digits; a figure in which too little changed stays as it was."
    )
dimension, per, picture = draw_head(numbers.anonymised)
draw_headlines(numbers)
draw_numbers(numbers, dimension, per, Manner(actor, picture, filters=filters, choices=choices))
st.caption(f"Counted {show_moment(numbers.counted_at)}.")
