"""The chart of what stops most units from being eligible for a product."""

from models.products import FAMILY_LABELS
from pages.components.common.figure import Figure
from pages.components.dashboard import links
from pages.components.dashboard.chart_card import Chart, ChartRow, Manner, legend_below
from pages.components.dashboard.clock_charts import pattern_of
from pages.components.dashboard.power_charts import COLOURS, megawatts, shown
from services.market.eligibility.requirements import REQUIREMENT_LABELS
from services.market.statistics.blocker_text import describe_nearest
from services.market.statistics.top_blockers import Blockers, TopBlocker

HIGH_ROW = 48
"""Pixels of one bar, whose name has two lines."""
LONG_ROOM = 2.9
"""How much longer the axis is than its longest bar: what stands beside it is to fit a telephone."""
ONLY, TOGETHER = "nothing else stops them", "something else does too"


def blockers(found: Blockers, manner: Manner) -> Chart:
    """The requirements that stop most units, and those of the units that nothing else stops."""
    rows = [ChartRow(_values(one), links.stopped(manner, one)) for one in found.items]
    figure = Figure() if found.items else None
    if figure is not None:
        parts = {ONLY: [one.alone or 0 for one in found.items]} if not found.anonymised else {}
        parts[TOGETHER] = [one.units - (one.alone or 0) for one in found.items]
        for name, counts in parts.items():
            last = name == TOGETHER
            figure.add_bar(
                y=[one.label.replace(": ", ":<br>") for one in found.items],
                x=counts,
                orientation="h",
                name=name,
                showlegend=not found.anonymised,
                marker={"color": COLOURS[0]}
                if name == ONLY or found.anonymised
                else {"color": COLOURS[4], "pattern": pattern_of("/")},
                text=[_beside(one) for one in found.items] if last else None,
                textposition="outside" if last else "none",
                textfont={"size": 13},
                cliponaxis=False,
                customdata=[[one.words, place] for place, one in enumerate(found.items)],
                hovertemplate="%{customdata[0]}<extra></extra>",
            )
        figure.update_layout(barmode="stack", legend={**legend_below(), "traceorder": "normal"})
        figure.update_yaxes(autorange="reversed", type="category")
        most = max(one.units for one in found.items)
        figure.update_xaxes(range=[0, most * LONG_ROOM], nticks=5, title={"text": "Units"})
    return Chart(
        "blockers",
        "What stops most units from being eligible",
        "units in the product's family, now",
        rows,
        figure,
        _empty(found),
        _note(found),
        height=210 + HIGH_ROW * len(found.items),
        words=[one.words for one in found.items],
    )


def _beside(one: TopBlocker) -> str:
    """What stands beside a bar, in two lines: ``12 · 3.4 MW``, ``60 kW short``."""
    near = describe_nearest(one.requirement, one.nearest)
    return "<br>".join(filter(None, (f"{one.units:,} · {megawatts(one.kw):,.1f} MW", near)))


def _values(one: TopBlocker) -> dict[str, object]:
    return {
        "Products": ", ".join(one.product_codes),
        "Family": FAMILY_LABELS[one.family],
        "Stopped by": REQUIREMENT_LABELS[one.requirement],
        "GSP group": one.gsp_group or "",
        "Units": one.units,
        "Of these by nothing else": shown(one.alone),
        "MW": megawatts(one.kw),
        "The nearest": describe_nearest(one.requirement, one.nearest),
        "In words": one.words,
    }


def _empty(found: Blockers) -> str:
    if found.withheld:
        return "Every figure here is withheld: too few units, or too few providers, stand behind each of them."
    if found.units == 0:
        return "There is no active market unit in what you may see: nothing can be compared with what products ask for."
    return (
        "Nothing known stops a unit here: each is eligible for every open product of its family that was asked for, or no "
        "product that passes the filters is open for applications."
    )


def _note(found: Blockers) -> str:
    said = (
        "A unit is held against the products of its own family that one may apply for; what is not known doesn't count. MW: "
        "of the stopped units, each in its better direction; one unit may stand in several lines."
    )
    if found.anonymised:
        return f"{said} Lines of few units or providers are left out."
    near = " The last figure: what the nearest of them lacks."
    return f"{said}{near}{f' {found.more:,} other lines stop fewer units.' if found.more else ''}"
