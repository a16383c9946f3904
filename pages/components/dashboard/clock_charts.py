"""The charts of applications: how their clocks stand, how long decisions take, how they end and why, and what will end."""

from datetime import date, timedelta
from typing import Any

from models.qualifications import QUALIFICATION_LABELS, QualificationStatus
from pages.components.common.figure import Figure
from pages.components.dashboard import links
from pages.components.dashboard.chart_card import Chart, ChartRow, Manner, legend_below
from pages.components.dashboard.power_charts import (
    COLOURS,
    ROW,
    TOO_FEW,
    WITHHELD,
    all_withheld,
    megawatts,
    short,
    shown,
)
from services.market.qualification.sla_clock import CLOCK_LABELS, ClockState
from services.market.statistics.model import MarketNumbers

CLOCK_COLOURS = {
    ClockState.LATE: ("#D55E00", "/"),
    ClockState.SOON: ("#E69F00", "."),
    ClockState.IN_TIME: ("#009E73", ""),
    ClockState.PAUSED: ("#7A7A7A", ""),
}
"""Colour and pattern: late ones are seen without telling colours apart."""
OUTCOME_COLOURS = {
    QualificationStatus.QUALIFIED: "#009E73",
    QualificationStatus.FAILED: "#D55E00",
    QualificationStatus.WITHDRAWN: "#7A7A7A",
}
PER = {"so": "SO", "product": "Product"}
FEW = 6
"""Fewer than these are counted one by one on an axis."""
NO_DECISION = "Nothing was decided here in this time. Decisions appear with the first one that an SO records."


def ageing(numbers: MarketNumbers, per: str, manner: Manner) -> Chart:
    """Open applications by how their clock stands against the SLA."""
    found = numbers.ageing_by_product if per == "product" and numbers.ageing_by_product else numbers.ageing_by_operator
    name = "product" if found is numbers.ageing_by_product else "so"
    rows = [
        ChartRow(
            {PER[name]: one.label, "Clock": CLOCK_LABELS[clock], "Applications": shown(one.by_clock[clock])},
            links.applications(manner, clock=str(clock), **{name: one.code}),
        )
        for clock in CLOCK_COLOURS
        for one in found
    ]
    hidden = all_withheld(count for one in found for count in one.by_clock.values())
    figure = Figure() if found and not hidden else None
    most = max((sum(count or 0 for count in one.by_clock.values()) for one in found), default=0)
    for number, (clock, (colour, pattern)) in enumerate(CLOCK_COLOURS.items()):
        counts = [one.by_clock[clock] for one in found]
        if figure is None or not any(count or count is None for count in counts):
            continue
        figure.add_bar(
            y=[short(one.code, one.label) for one in found],
            x=[count or 0 for count in counts],
            orientation="h",
            name=CLOCK_LABELS[clock],
            marker={"color": colour, "pattern": pattern_of(pattern)},
            textangle=0,
            insidetextfont={"color": "#14212B" if clock is ClockState.SOON else "#FFFFFF"},
            text=[WITHHELD if count is None else f"{count:,}" if count else "" for count in counts],
            customdata=[[one.label, number * len(found) + place] for place, one in enumerate(found)],
            hovertemplate="%{customdata[0]}: %{x:,} applications<extra>%{fullData.name}</extra>",
        )
    if figure is not None:
        figure.update_layout(barmode="stack", legend={**legend_below(), "traceorder": "normal"})
        figure.update_yaxes(autorange="reversed", type="category")
        figure.update_xaxes(rangemode="tozero", **whole(most))
    return Chart(
        "ageing",
        "Open applications by clock",
        f"number, against the SLA, by {PER[name] if name == 'so' else 'product'}, now",
        rows,
        figure,
        TOO_FEW if hidden else "No application waits for a decision in what you may see.",
        height=190 + ROW * len(found),
        words=[f"{row.values[PER[name]]}, {row.values['Clock']}: {row.values['Applications']}" for row in rows],
    )


def whole(most: int) -> dict[str, Any]:
    """The marks of an axis that counts: of a few, each whole number and nothing between."""
    return {"dtick": 1} if most < FEW else {"nticks": 5}


def pattern_of(shape: str) -> dict[str, object]:
    """Lines or dots over a colour, which stays."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.55)", "solidity": 0.15}


def days(numbers: MarketNumbers, per: str, manner: Manner) -> Chart:
    """Time to decision: the median and what nine in ten stay within."""
    found = numbers.days_by_product if per == "product" else numbers.days_by_operator
    rows = [
        ChartRow(
            {
                PER[per]: one.label,
                "Median, working days": shown(one.median),
                "90th percentile, working days": shown(one.ninetieth),
                "Decisions": shown(one.decisions),
            },
            links.applications(manner, **{per: one.code}),
        )
        for one in found
    ]
    figure = Figure() if any(one.decisions for one in found) else None
    hidden = all_withheld(one.decisions for one in found)
    if figure is not None:
        labels = [short(one.code, one.label) for one in found]
        for name, values, colour, symbol in (
            ("90th percentile", [one.ninetieth for one in found], COLOURS[5], "diamond"),
            ("Median", [one.median for one in found], COLOURS[0], "circle"),
        ):
            figure.add_scatter(
                y=labels,
                x=values,
                mode="markers+text",
                name=name,
                text=[WITHHELD if value is None else str(value) for value in values],
                textposition="middle right",
                cliponaxis=False,
                marker={"size": 13, "color": colour, "symbol": symbol},
                customdata=[[one.decisions, one.label, place] for place, one in enumerate(found)],
                hovertemplate="%{customdata[1]}: %{x} working days, %{customdata[0]} decisions<extra>%{fullData.name}</extra>",
            )
        figure.update_yaxes(autorange="reversed", type="category")
        figure.update_xaxes(rangemode="tozero", nticks=6, title={"text": "Working days"})
        figure.update_layout(legend=legend_below())
    return Chart(
        "time-to-decision",
        "Time to decision",
        f"working days on the SO's clock, by {PER[per] if per == 'so' else 'product'}",
        rows,
        figure,
        TOO_FEW if hidden else NO_DECISION,
        height=210 + ROW * len(found),
        words=[f"{row.values[PER[per]]}: median {row.values['Median, working days']}" for row in rows],
    )


def outcomes(numbers: MarketNumbers, manner: Manner) -> Chart:
    """How applications ended, by month."""
    kinds = list(OUTCOME_COLOURS)
    months = numbers.outcomes_by_month
    rows = [
        ChartRow(
            {
                "Month": f"{one.month:%Y-%m}",
                "Outcome": QUALIFICATION_LABELS[kind],
                "Applications": shown(one.by_outcome[str(kind)]),
            },
            links.applications(
                manner,
                became=str(kind),
                **links.between("became", max(one.month, numbers.since), min(last_of(one.month), numbers.as_of)),
            ),
        )
        for kind in kinds
        for one in months
    ]
    counts = [count for one in months for count in one.by_outcome.values()]
    most = max((sum(count or 0 for count in one.by_outcome.values()) for one in months), default=0)
    hidden = all_withheld(counts)
    figure = Figure() if any(counts) else None
    for number, kind in enumerate(kinds):
        if figure is not None:
            figure.add_bar(
                x=[one.month for one in months],
                y=[one.by_outcome[str(kind)] or 0 for one in months],
                name=QUALIFICATION_LABELS[kind],
                marker={"color": OUTCOME_COLOURS[kind]},
                customdata=[[number * len(months) + place] for place in range(len(months))],
                hovertemplate="%{x|%B %Y}: %{y:,}<extra>%{fullData.name}</extra>",
            )
    if figure is not None:
        figure.update_layout(barmode="stack", legend=legend_below())
        figure.update_xaxes(tickformat="%b %Y", nticks=5)
        figure.update_yaxes(rangemode="tozero", title={"text": "Applications"}, **whole(most))
    return Chart(
        "outcomes",
        "How applications ended",
        "number by month of the decision",
        rows,
        figure,
        TOO_FEW if hidden else NO_DECISION,
        "Figures that are withheld are not drawn; the table says which." if numbers.anonymised else "",
        words=[f"{one.label}: {shown(one.count)}" for one in numbers.outcomes],
    )


def reasons(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Why applications failed."""
    found = numbers.reasons
    in_span = links.between("became", numbers.since, numbers.as_of)
    rows = [
        ChartRow(
            {"Reason": one.label, "Applications": shown(one.count)},
            links.applications(manner, became="FAILED", reason=one.code, **in_span),
        )
        for one in found
    ]
    figure, hidden = None, all_withheld(one.count for one in found)
    if found and not hidden:
        figure = Figure().add_bar(
            y=[one.label for one in found],
            x=[one.count or 0 for one in found],
            orientation="h",
            marker={"color": COLOURS[5]},
            text=[WITHHELD if one.withheld else f"{one.count:,}" for one in found],
            customdata=[[place] for place in range(len(found))],
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
        figure.update_yaxes(autorange="reversed")
        figure.update_xaxes(rangemode="tozero", **whole(max(one.count or 0 for one in found)))
    return Chart(
        "reasons",
        "Why applications failed",
        "number by reason",
        rows,
        figure,
        TOO_FEW if hidden else "No application failed here in this time.",
        height=150 + ROW * len(found),
        words=[f"{one.label}: {shown(one.count)}" for one in found],
    )


def expiries(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Qualifications that end in the coming months."""
    rows = [
        ChartRow(
            {"Month": f"{one.month:%Y-%m}", "Qualifications": shown(one.count), "MW": shown(megawatts(one.kw))},
            links.applications(manner, status="QUALIFIED", **links.between("ends", one.month, last_of(one.month))),
        )
        for one in numbers.expiries
    ]
    figure, hidden = None, all_withheld(one.count for one in numbers.expiries)
    if any(one.count for one in numbers.expiries):
        figure = Figure().add_bar(
            x=[one.month for one in numbers.expiries],
            y=[one.count or 0 for one in numbers.expiries],
            marker={"color": COLOURS[1]},
            text=[WITHHELD if one.count is None else f"{one.count:,}" if one.count else "" for one in numbers.expiries],
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            customdata=[[megawatts(one.kw) or 0, place] for place, one in enumerate(numbers.expiries)],
            hovertemplate="%{x|%B %Y}: %{y} qualifications, %{customdata[0]:,.1f} MW<extra></extra>",
        )
        figure.update_xaxes(tickformat="%b %Y", nticks=5)
        figure.update_yaxes(
            rangemode="tozero",
            title={"text": "Qualifications"},
            **whole(max(one.count or 0 for one in numbers.expiries)),
        )
    return Chart(
        "expiries",
        "Qualifications that end",
        "number and MW by month, the coming twelve",
        rows,
        figure,
        TOO_FEW
        if hidden
        else "No qualification here ends in the coming twelve months: none has a last day of validity in them.",
        words=[f"{row.values['Month']}: {row.values['Qualifications']}" for row in rows],
    )


def last_of(month: date) -> date:
    """The last day of a month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1) - timedelta(days=1)
