"""The register in numbers as charts that can be read from the back of a room: titles, units, colours of the theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from itertools import accumulate
from textwrap import wrap

import streamlit as st

from models.assets import AssetStatus
from pages.components.common.base_map import STATUS_COLOURS
from pages.components.common.figure import Figure
from pages.components.common.power import show_power
from services.assets.counters.figures import Cell, Month

BLUE, GREEN = "#0072B2", "#009E73"
KW_IN_MW = Decimal(1000)
ONE_LINE, SECOND_LINE = 31, 0.44
"""Characters over a bar that fit a telephone in one line, and the part of a row that each line more takes."""
INK = {"light": "#14212B", "dark": "#E9F0F5"}
ROW, LEAST, AROUND = 50, 150, 24
"""Heights in pixels: of one bar with its words, of a chart at least, and of what stands around the bars."""
TYPE = 17
"""Size of words and figures: read from the back of a workshop room."""
WORDS = 16
"""Size of the words over a bar."""


def _select_cells(cells: Sequence[Cell]) -> list[Cell]:
    """Cells with something in them; withheld ones keep their row, so that nobody takes them for nothing."""
    return [cell for cell in cells if cell.withheld or cell.count]


def _format_cell(cell: Cell, text: str) -> str:
    return "withheld" if cell.withheld else text


def _assets(count: int | None) -> str:
    return f"{count or 0:,} {'asset' if count == 1 else 'assets'}"


def _ink() -> str:
    """The colour of text in the theme in use: charts' own grey is too pale for the back of a room."""
    return INK["dark" if st.context.theme.type == "dark" else "light"]


def _draw(figure: Figure, title: str, unit: str, key: str, height: int, alt: str) -> None:
    # Above the chart rather than in it: there a long title is cut off instead of broken.
    st.markdown(f"#### {title} :gray[({unit})]")
    figure.update_layout(
        font={"size": TYPE, "color": _ink()},
        height=height,
        margin={"l": 4, "r": 12, "t": 8, "b": 8},
        showlegend=False,
        dragmode=False,
    )
    figure.update_xaxes(tickfont={"size": 15, "color": _ink()}, automargin=True, fixedrange=True)
    figure.update_yaxes(tickfont={"size": 15, "color": _ink()}, automargin=True, fixedrange=True)
    st.plotly_chart(
        figure.to_dict(), key=key, theme="streamlit", config={"displayModeBar": False}, width="stretch", alt=alt
    )


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar: its name, its figure in words, how long it is, and its colour."""

    name: str
    text: str
    value: float
    colour: str


def _lines(bar: _Bar) -> list[str]:
    """Lines over a bar: its name, broken where it is long, and its figure, on the same line where it fits."""
    *before, last = wrap(bar.name, ONE_LINE) or [""]
    figure = f"<b>{escape(bar.text)}</b>"
    ends = [f"{escape(last)} {figure}"] if len(last) + len(bar.text) < ONE_LINE else [escape(last), figure]
    return [*(escape(line) for line in before), *ends]


def _bars(title: str, unit: str, key: str, bars: Sequence[_Bar]) -> None:
    """Bars under each other, name and figure above each: nothing is clipped, however narrow the screen."""
    words = [_lines(bar) for bar in bars]
    taken = list(accumulate(1 + SECOND_LINE * (len(lines) - 1) for lines in words))
    places = [end - 1 for end in taken]
    figure = Figure().add_bar(
        y=places,
        x=[bar.value for bar in bars],
        orientation="h",
        width=0.34,
        marker={"color": [bar.colour for bar in bars]},
        customdata=[[escape(bar.name), escape(bar.text)] for bar in bars],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )
    for place, lines in zip(places, words, strict=True):
        figure.add_annotation(
            x=0,
            y=place - 0.2,
            text="<br>".join(lines),
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            align="left",
            font={"size": WORDS, "color": _ink()},
        )
    rows = taken[-1] if taken else 0
    figure.update_yaxes(range=[rows - 0.6, -0.85], visible=False)
    figure.update_xaxes(range=[0, max((bar.value for bar in bars), default=1) or 1], visible=False)
    alt = "; ".join(f"{bar.name}: {bar.text}" for bar in bars)
    _draw(figure, title, unit, key, max(LEAST, AROUND + round(ROW * rows)), alt)


def draw_assets_by_status(cells: Sequence[Cell]) -> None:
    """Number of assets in each state, with their rated MW, in the colour it has on the map."""
    _bars(
        "Assets by status",
        "number, rated power in MW",
        "chart_status",
        [
            _Bar(
                cell.label,
                _format_cell(cell, f"{cell.count or 0:,} · {show_power(cell.rated_kw)}"),
                cell.count or 0,
                "rgb({},{},{})".format(*STATUS_COLOURS[AssetStatus(cell.code)]),
            )
            for cell in _select_cells(cells)
        ],
    )


def draw_power_by_category(cells: Sequence[Cell]) -> None:
    """Rated power of active assets by category in MW, with their number, the most first."""
    ranked = sorted(_select_cells(cells), key=lambda cell: -(cell.rated_kw or 0))
    _bars(
        "Rated power by category",
        "MW, number of assets",
        "chart_category",
        [
            _Bar(
                cell.label,
                _format_cell(cell, f"{show_power(cell.rated_kw)} · {cell.count or 0:,}"),
                _megawatts(cell),
                BLUE,
            )
            for cell in ranked
        ],
    )


def draw_power_by_group(cells: Sequence[Cell]) -> None:
    """Rated power of active assets by GSP group in MW, with their number, the most first."""
    ranked = sorted(_select_cells(cells), key=lambda cell: -(cell.rated_kw or 0))
    _bars(
        "Rated power by GSP group",
        "MW, number of assets",
        "chart_groups",
        [
            _Bar(
                cell.label,
                _format_cell(cell, f"{show_power(cell.rated_kw)} · {cell.count or 0:,}"),
                _megawatts(cell),
                GREEN,
            )
            for cell in ranked
        ],
    )


def _megawatts(cell: Cell) -> float:
    return float((cell.rated_kw or Decimal(0)) / KW_IN_MW)


def draw_growth(months: Sequence[Month]) -> None:
    """Growth of the register: assets registered up to the end of each month; the last figure stands beside its point."""
    published = [month for month in months if month.total is not None]
    figure = Figure().add_scatter(
        x=[month.month for month in published],
        y=[month.total for month in published],
        mode="lines+markers",
        line={"color": BLUE, "width": 4, "shape": "hv" if len(published) < len(months) else "linear"},
        marker={"size": 8},
        fill="tozeroy",
        cliponaxis=False,
        customdata=[[month.registered if month.registered is not None else "–"] for month in published],
        hovertemplate="%{x|%B %Y}: %{y:,} assets, %{customdata[0]} new<extra></extra>",
    )
    if published:
        last = published[-1]
        words = f"<b>{_assets(last.total)}</b>"
        figure.add_annotation(
            x=last.month,
            y=last.total,
            text=words,
            showarrow=False,
            xanchor="right",
            yanchor="bottom",
            yshift=8,
            font={"size": TYPE + 3, "color": _ink()},
        )
    figure.update_xaxes(tickformat="%b %Y", nticks=5)
    top = max((month.total or 0 for month in published), default=0) or 1
    figure.update_yaxes(
        title={"text": "Assets", "font": {"size": 15}}, range=[0, top * 1.18], tickformat=",d", nticks=5
    )
    alt = "; ".join(f"{month.month:%B %Y}: {month.total}" for month in published)
    _draw(figure, "Growth", f"assets registered, over {len(months)} months", "chart_growth", 380, alt)
