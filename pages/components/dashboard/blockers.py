"""The chart of what stops most units from being eligible for a product."""

from models.products import FAMILY_LABELS
from pages.components.common.figure import Figure
from pages.components.dashboard import links
from pages.components.dashboard.chart_card import Chart, ChartRow, Manner, legend_below
from pages.components.dashboard.clock_charts import make_pattern
from pages.components.dashboard.power_charts import COLOURS, megawatts, show_figure
from services.market.eligibility.requirements import REQUIREMENT_LABELS
from services.market.statistics.blocker_text import describe_nearest
from services.market.statistics.top_blockers import Blockers, TopBlocker

HIGH_ROW = 48
"""Pixels of one bar, whose name has two lines."""
LONG_ROOM = 2.9
"""How much longer the axis is than its longest bar: what stands beside it is to fit a telephone."""
ONLY, TOGETHER = "nothing else stops them", "something else does too"


def build_blocker_chart(result: Blockers, manner: Manner) -> Chart:
    """The requirements that stop most units, and those of the units that nothing else stops."""
    rows = [ChartRow(_list_values(blocker), links.link_stopped_units(manner, blocker)) for blocker in result.items]
    figure = Figure() if result.items else None
    if figure is not None:
        parts = {ONLY: [blocker.alone or 0 for blocker in result.items]} if not result.anonymised else {}
        parts[TOGETHER] = [blocker.units - (blocker.alone or 0) for blocker in result.items]
        for name, counts in parts.items():
            last = name == TOGETHER
            figure.add_bar(
                y=[blocker.label.replace(": ", ":<br>") for blocker in result.items],
                x=counts,
                orientation="h",
                name=name,
                showlegend=not result.anonymised,
                marker={"color": COLOURS[0]}
                if name == ONLY or result.anonymised
                else {"color": COLOURS[4], "pattern": make_pattern("/")},
                text=[_format_bar(blocker) for blocker in result.items] if last else None,
                textposition="outside" if last else "none",
                textfont={"size": 13},
                cliponaxis=False,
                customdata=[[blocker.words, place] for place, blocker in enumerate(result.items)],
                hovertemplate="%{customdata[0]}<extra></extra>",
            )
        figure.update_layout(barmode="stack", legend={**legend_below(), "traceorder": "normal"})
        figure.update_yaxes(autorange="reversed", type="category")
        most = max(blocker.units for blocker in result.items)
        figure.update_xaxes(range=[0, most * LONG_ROOM], nticks=5, title={"text": "Units"})
    return Chart(
        "blockers",
        "What stops most units from being eligible",
        "units in the product's family, now",
        rows,
        figure,
        _explain_emptiness(result),
        _make_note(result),
        height=210 + HIGH_ROW * len(result.items),
        words=[blocker.words for blocker in result.items],
    )


def _format_bar(blocker: TopBlocker) -> str:
    """The label beside a bar, in two lines: ``12 · 3.4 MW``, ``60 kW short``."""
    near = describe_nearest(blocker.requirement, blocker.nearest)
    return "<br>".join(filter(None, (f"{blocker.units:,} · {megawatts(blocker.kw):,.1f} MW", near)))


def _list_values(blocker: TopBlocker) -> dict[str, object]:
    return {
        "Products": ", ".join(blocker.product_codes),
        "Family": FAMILY_LABELS[blocker.family],
        "Blocked by": REQUIREMENT_LABELS[blocker.requirement],
        "GSP group": blocker.gsp_group or "",
        "Units": blocker.units,
        "Of these by nothing else": show_figure(blocker.alone),
        "MW": megawatts(blocker.kw),
        "The nearest": describe_nearest(blocker.requirement, blocker.nearest),
        "In words": blocker.words,
    }


def _explain_emptiness(result: Blockers) -> str:
    if result.withheld:
        return "Every figure here is withheld: too few units, or too few providers, stand behind each of them."
    if result.units == 0:
        return "There is no active market unit in what you may see: nothing can be compared with what products ask for."
    return (
        "Nothing known stops a unit here: each is eligible for every open product of its family that was asked for, or no "
        "product that passes the filters is open for applications."
    )


def _make_note(result: Blockers) -> str:
    words = (
        "A unit is held against the products of its own family that one may apply for; what is not known doesn't count. MW: "
        "of the stopped units, each in its better direction; one unit may stand in several lines."
    )
    if result.anonymised:
        return f"{words} Lines of few units or providers are left out."
    near = " The last figure: what the nearest of them lacks."
    return f"{words}{near}{f' {result.more:,} other lines stop fewer units.' if result.more else ''}"
