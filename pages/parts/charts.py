"""The register in numbers as charts that can be read from the back of a room: titles, units, colours of the theme."""

from collections.abc import Sequence
from decimal import Decimal
from textwrap import wrap

import plotly.graph_objects as go
import streamlit as st

from models.assets import AssetStatus
from pages.parts.asset_map import STATUS_COLOURS
from services.assets.statistics import Cell, Month

BLUE, GREEN = "#0072B2", "#009E73"
KW_IN_MW = Decimal(1000)
BAR, LEAST, AROUND = 36, 260, 110
"""Heights in pixels: of one bar, of a chart at least, and of what stands around the bars."""
LONGEST_LINE = 22
"""Characters of a label before it is broken, so that bars keep their room on a narrow screen."""


def power(kilowatts: Decimal | None) -> str:
    """Rated power as a headline shows it."""
    if kilowatts is None:
        return "–"
    megawatts = kilowatts / KW_IN_MW
    return f"{megawatts / KW_IN_MW:,.2f} GW" if megawatts >= KW_IN_MW else f"{megawatts:,.1f} MW"


def _shown(cells: Sequence[Cell]) -> list[Cell]:
    """Cells with something in them; withheld ones keep their row, so that nobody takes them for nothing."""
    return [cell for cell in cells if cell.withheld or cell.count]


def _said(cell: Cell, text: str) -> str:
    return "withheld" if cell.withheld else text


def _draw(figure: go.Figure, title: str, key: str, height: int, alt: str) -> None:
    figure.update_layout(
        title={"text": title, "font": {"size": 19}, "x": 0, "xanchor": "left"},
        font={"size": 15},
        height=height,
        margin={"l": 8, "r": 36, "t": 56, "b": 44},
        showlegend=False,
        bargap=0.25,
    )
    figure.update_xaxes(title_font_size=15, tickfont_size=14, automargin=True, fixedrange=True)
    figure.update_yaxes(title_font_size=15, tickfont_size=14, automargin=True, fixedrange=True)
    st.plotly_chart(figure, key=key, theme="streamlit", config={"displayModeBar": False}, width="stretch", alt=alt)


def _bars(names: Sequence[str], values: Sequence[float], colours: Sequence[str] | str, text: Sequence[str]) -> go.Bar:
    return go.Bar(
        y=["<br>".join(wrap(name, LONGEST_LINE)) for name in names],
        x=list(values),
        orientation="h",
        marker_color=colours if isinstance(colours, str) else list(colours),
        text=list(text),
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )


def _bar_chart(title: str, unit: str, bars: go.Bar, key: str, alt: str) -> None:
    count = len(bars.y)  # pyright: ignore[reportArgumentType]
    figure = go.Figure(bars)
    figure.update_yaxes(autorange="reversed", title=None)
    # Room for the figures that stand behind the bars.
    most = max(bars.x, default=1)  # pyright: ignore[reportArgumentType]
    figure.update_xaxes(title=unit, range=[0, (most or 1) * 1.25], showticklabels=False, showgrid=False)
    _draw(figure, title, key, max(LEAST, AROUND + BAR * count), alt)


def assets_by_status(cells: Sequence[Cell]) -> None:
    """How many assets are in which state, each in the colour it has on the map."""
    shown = _shown(cells)
    colours = ["rgb({},{},{})".format(*STATUS_COLOURS[AssetStatus(cell.code)]) for cell in shown]
    counts = [cell.count or 0 for cell in shown]
    texts = [_said(cell, f"{cell.count or 0:,}") for cell in shown]
    bars = _bars([cell.label for cell in shown], counts, colours, texts)
    alt = "; ".join(f"{cell.label}: {text}" for cell, text in zip(shown, texts, strict=True))
    _bar_chart("Assets by status", "Assets", bars, "chart_status", alt)


def assets_by_category(cells: Sequence[Cell]) -> None:
    """How many active assets there are of each category, the most first."""
    shown = sorted(_shown(cells), key=lambda cell: -(cell.count or 0))
    counts = [cell.count or 0 for cell in shown]
    texts = [_said(cell, f"{cell.count or 0:,}") for cell in shown]
    bars = _bars([cell.label for cell in shown], counts, BLUE, texts)
    alt = "; ".join(f"{cell.label}: {text}" for cell, text in zip(shown, texts, strict=True))
    _bar_chart("Active assets by category", "Assets", bars, "chart_category", alt)


def power_by_group(cells: Sequence[Cell]) -> None:
    """Rated power of active assets by GSP group, in MW."""
    shown = _shown(cells)
    values = [float((cell.rated_kw or Decimal(0)) / KW_IN_MW) for cell in shown]
    texts = [_said(cell, f"{value:,.1f}") for cell, value in zip(shown, values, strict=True)]
    bars = _bars([cell.label for cell in shown], values, GREEN, texts)
    alt = "; ".join(f"{cell.label}: {text} MW" for cell, text in zip(shown, texts, strict=True))
    _bar_chart("Rated power by GSP group", "MW", bars, "chart_groups", alt)


def growth(months: Sequence[Month]) -> None:
    """How the register grew: all assets registered up to the end of each month."""
    shown = [month for month in months if month.total is not None]
    figure = go.Figure(
        go.Scatter(
            x=[month.month for month in shown],
            y=[month.total for month in shown],
            mode="lines+markers",
            line={"color": BLUE, "width": 3, "shape": "hv" if len(shown) < len(months) else "linear"},
            marker={"size": 8},
            fill="tozeroy",
            customdata=[[month.registered if month.registered is not None else "–"] for month in shown],
            hovertemplate="%{x|%B %Y}: %{y:,} assets, %{customdata[0]} new<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat="%b %Y", title=None)
    figure.update_yaxes(title="Assets", rangemode="tozero")
    alt = "; ".join(f"{month.month:%B %Y}: {month.total}" for month in shown)
    _draw(figure, f"Assets over {len(months)} months", "chart_growth", 380, alt)
