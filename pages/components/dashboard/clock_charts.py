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
    shorten,
    show_figure,
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


def build_ageing_chart(numbers: MarketNumbers, per: str, manner: Manner) -> Chart:
    """Open applications by how their clock stands against the SLA."""
    queues = numbers.ageing_by_product if per == "product" and numbers.ageing_by_product else numbers.ageing_by_operator
    name = "product" if queues is numbers.ageing_by_product else "so"
    rows = [
        ChartRow(
            {PER[name]: queue.label, "Clock": CLOCK_LABELS[clock], "Applications": show_figure(queue.by_clock[clock])},
            links.link_applications(manner, clock=str(clock), **{name: queue.code}),
        )
        for clock in CLOCK_COLOURS
        for queue in queues
    ]
    hidden = all_withheld(count for queue in queues for count in queue.by_clock.values())
    figure = Figure() if queues and not hidden else None
    most = max((sum(count or 0 for count in queue.by_clock.values()) for queue in queues), default=0)
    for number, (clock, (colour, pattern)) in enumerate(CLOCK_COLOURS.items()):
        counts = [queue.by_clock[clock] for queue in queues]
        if figure is None or not any(count or count is None for count in counts):
            continue
        figure.add_bar(
            y=[shorten(queue.code, queue.label) for queue in queues],
            x=[count or 0 for count in counts],
            orientation="h",
            name=CLOCK_LABELS[clock],
            marker={"color": colour, "pattern": make_pattern(pattern)},
            textangle=0,
            insidetextfont={"color": "#14212B" if clock is ClockState.SOON else "#FFFFFF"},
            text=[WITHHELD if count is None else f"{count:,}" if count else "" for count in counts],
            customdata=[[queue.label, number * len(queues) + place] for place, queue in enumerate(queues)],
            hovertemplate="%{customdata[0]}: %{x:,} applications<extra>%{fullData.name}</extra>",
        )
    if figure is not None:
        figure.update_layout(barmode="stack", legend={**legend_below(), "traceorder": "normal"})
        figure.update_yaxes(autorange="reversed", type="category")
        figure.update_xaxes(rangemode="tozero", **count_marks(most))
    return Chart(
        "ageing",
        "Open applications by clock",
        f"number, against the SLA, by {PER[name] if name == 'so' else 'product'}, now",
        rows,
        figure,
        TOO_FEW if hidden else "No application waits for a decision in what you may see.",
        height=190 + ROW * len(queues),
        words=[f"{row.values[PER[name]]}, {row.values['Clock']}: {row.values['Applications']}" for row in rows],
    )


def count_marks(most: int) -> dict[str, Any]:
    """The marks of an axis that counts: of a few, each whole number and nothing between."""
    return {"dtick": 1} if most < FEW else {"nticks": 5}


def make_pattern(shape: str) -> dict[str, object]:
    """Lines or dots over a colour, which stays."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.55)", "solidity": 0.15}


def build_decision_time_chart(numbers: MarketNumbers, per: str, manner: Manner) -> Chart:
    """Time to decision: the median and what nine in ten stay within."""
    entries = numbers.days_by_product if per == "product" else numbers.days_by_operator
    rows = [
        ChartRow(
            {
                PER[per]: entry.label,
                "Median, working days": show_figure(entry.median),
                "90th percentile, working days": show_figure(entry.ninetieth),
                "Decisions": show_figure(entry.decisions),
            },
            links.link_applications(manner, **{per: entry.code}),
        )
        for entry in entries
    ]
    figure = Figure() if any(entry.decisions for entry in entries) else None
    hidden = all_withheld(entry.decisions for entry in entries)
    if figure is not None:
        labels = [shorten(entry.code, entry.label) for entry in entries]
        for name, values, colour, symbol in (
            ("90th percentile", [entry.ninetieth for entry in entries], COLOURS[5], "diamond"),
            ("Median", [entry.median for entry in entries], COLOURS[0], "circle"),
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
                customdata=[[entry.decisions, entry.label, place] for place, entry in enumerate(entries)],
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
        height=210 + ROW * len(entries),
        words=[f"{row.values[PER[per]]}: median {row.values['Median, working days']}" for row in rows],
    )


def build_outcome_chart(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Ends of applications, by month."""
    kinds = list(OUTCOME_COLOURS)
    months = numbers.outcomes_by_month
    rows = [
        ChartRow(
            {
                "Month": f"{month.month:%Y-%m}",
                "Outcome": QUALIFICATION_LABELS[kind],
                "Applications": show_figure(month.by_outcome[str(kind)]),
            },
            links.link_applications(
                manner,
                became=str(kind),
                **links.make_span(
                    "became", max(month.month, numbers.since), min(last_day_of(month.month), numbers.as_of)
                ),
            ),
        )
        for kind in kinds
        for month in months
    ]
    counts = [count for month in months for count in month.by_outcome.values()]
    most = max((sum(count or 0 for count in month.by_outcome.values()) for month in months), default=0)
    hidden = all_withheld(counts)
    figure = Figure() if any(counts) else None
    for number, kind in enumerate(kinds):
        if figure is not None:
            figure.add_bar(
                x=[month.month for month in months],
                y=[month.by_outcome[str(kind)] or 0 for month in months],
                name=QUALIFICATION_LABELS[kind],
                marker={"color": OUTCOME_COLOURS[kind]},
                customdata=[[number * len(months) + place] for place in range(len(months))],
                hovertemplate="%{x|%B %Y}: %{y:,}<extra>%{fullData.name}</extra>",
            )
    if figure is not None:
        figure.update_layout(barmode="stack", legend=legend_below())
        figure.update_xaxes(tickformat="%b %Y", nticks=5)
        figure.update_yaxes(rangemode="tozero", title={"text": "Applications"}, **count_marks(most))
    return Chart(
        "outcomes",
        "How applications ended",
        "number by month of the decision",
        rows,
        figure,
        TOO_FEW if hidden else NO_DECISION,
        "Figures that are withheld are not drawn; the table says which." if numbers.anonymised else "",
        words=[f"{month.label}: {show_figure(month.count)}" for month in numbers.outcomes],
    )


def build_reason_chart(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Why applications failed."""
    entries = numbers.reasons
    in_span = links.make_span("became", numbers.since, numbers.as_of)
    rows = [
        ChartRow(
            {"Reason": entry.label, "Applications": show_figure(entry.count)},
            links.link_applications(manner, became="FAILED", reason=entry.code, **in_span),
        )
        for entry in entries
    ]
    figure, hidden = None, all_withheld(entry.count for entry in entries)
    if entries and not hidden:
        figure = Figure().add_bar(
            y=[entry.label for entry in entries],
            x=[entry.count or 0 for entry in entries],
            orientation="h",
            marker={"color": COLOURS[5]},
            text=[WITHHELD if entry.withheld else f"{entry.count:,}" for entry in entries],
            customdata=[[place] for place in range(len(entries))],
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
        figure.update_yaxes(autorange="reversed")
        figure.update_xaxes(rangemode="tozero", **count_marks(max(entry.count or 0 for entry in entries)))
    return Chart(
        "reasons",
        "Why applications failed",
        "number by reason",
        rows,
        figure,
        TOO_FEW if hidden else "No application failed here in this time.",
        height=150 + ROW * len(entries),
        words=[f"{entry.label}: {show_figure(entry.count)}" for entry in entries],
    )


def build_expiry_chart(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Qualifications that end in the coming months."""
    rows = [
        ChartRow(
            {
                "Month": f"{expiry.month:%Y-%m}",
                "Qualifications": show_figure(expiry.count),
                "MW": show_figure(megawatts(expiry.kw)),
            },
            links.link_applications(
                manner, status="QUALIFIED", **links.make_span("ends", expiry.month, last_day_of(expiry.month))
            ),
        )
        for expiry in numbers.expiries
    ]
    figure, hidden = None, all_withheld(expiry.count for expiry in numbers.expiries)
    if any(expiry.count for expiry in numbers.expiries):
        figure = Figure().add_bar(
            x=[expiry.month for expiry in numbers.expiries],
            y=[expiry.count or 0 for expiry in numbers.expiries],
            marker={"color": COLOURS[1]},
            text=[
                WITHHELD if expiry.count is None else f"{expiry.count:,}" if expiry.count else ""
                for expiry in numbers.expiries
            ],
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            customdata=[[megawatts(expiry.kw) or 0, place] for place, expiry in enumerate(numbers.expiries)],
            hovertemplate="%{x|%B %Y}: %{y} qualifications, %{customdata[0]:,.1f} MW<extra></extra>",
        )
        figure.update_xaxes(tickformat="%b %Y", nticks=5)
        figure.update_yaxes(
            rangemode="tozero",
            title={"text": "Qualifications"},
            **count_marks(max(expiry.count or 0 for expiry in numbers.expiries)),
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


def last_day_of(month: date) -> date:
    """The last day of a month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1) - timedelta(days=1)
