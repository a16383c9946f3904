"""A chart of the market on a card: what it shows, its figures as a table and a file, and the way to the records behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

import streamlit as st

from pages.components.common.downloads import draw_table_download
from pages.components.common.figure import Figure
from pages.frame.navigation import PLACES, is_offered
from services.core.identity.actor import Actor
from services.market.statistics.filter_options import MarketChoices
from services.market.statistics.model import MarketFilters

INK = {"light": "#14212B", "dark": "#E9F0F5"}
GRID = {"light": "#D5DDE3", "dark": "#3A4650"}
PICTURES = {"png": "PNG", "svg": "SVG"}
TYPE, WALL_TYPE, WALL_HEIGHT = 15, 18, 400
TITLE_LINE, UNIT_LINE = 30, 40
"""Characters of title and unit that fit a telephone in one line."""
SLIDE = (1280, 720)
"""Pixels of a downloaded picture, before it is made twice as sharp."""


@dataclass(frozen=True, slots=True)
class Target:
    """A list of records that stands behind a figure: the page's file and the filters in its address."""

    file: str
    query: Mapping[str, str | Sequence[str]]

    def open_to(self, actor: Actor) -> bool:
        """Tell whether the page exists and is offered to the actor."""
        page = next(
            (candidate for places in PLACES.values() for candidate in places if candidate.file == self.file), None
        )
        return page is not None and is_offered(page, actor)


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One figure of a chart: as the table and the file have it, and what stands behind it."""

    values: Mapping[str, Any]
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart before it is drawn; `empty` says why there is none.

    Each point's `customdata` ends with the place of its row, -1 where it has none.
    """

    key: str
    title: str
    unit: str
    rows: Sequence[ChartRow]
    figure: Figure | None
    empty: str
    note: str = ""
    height: int = 380
    words: Sequence[str] = field(default_factory=tuple)
    """The figures in words, for who doesn't see the picture."""


@dataclass(frozen=True, slots=True)
class Manner:
    """Manner of drawing: the kind of picture that is downloaded, whether for a screen on the wall, the filters."""

    actor: Actor
    picture: str = "png"
    wall: bool = False
    filters: MarketFilters = field(default_factory=MarketFilters)
    choices: MarketChoices = field(default_factory=lambda: MarketChoices({}, {}, {}))
    """What products and SOs are called, and the products of each sub-market: lists are narrowed by product."""


def is_dark() -> bool:
    """Tell whether the dark theme is in use."""
    return st.context.theme.type == "dark"


def text_colour() -> str:
    """The colour of text in the theme in use."""
    return INK["dark" if is_dark() else "light"]


def legend_below() -> dict[str, object]:
    """A legend at the lower edge, below the axis whatever the height of the chart."""
    return {"orientation": "h", "yref": "container", "y": 0, "x": 0, "yanchor": "bottom", "title": None}


def draw_chart(chart: Chart, manner: Manner) -> None:
    """Draw a card; a click on a figure, or on its row in the table, opens the records behind it."""
    with st.container(border=True):
        if chart.figure is None:
            st.markdown(f"##### {chart.title} :gray[({chart.unit})]")
            st.info(chart.empty, icon=":material/query_stats:")
            return
        opened = _draw_figure(chart, chart.figure, manner)
        if chart.note and not manner.wall:
            st.caption(chart.note)
        if not manner.wall:
            opened = _draw_figures(chart, manner) if opened is None else opened
    _open_records(chart, manner, opened)


def _draw_figure(chart: Chart, figure: Figure, manner: Manner) -> int | None:
    size = WALL_TYPE if manner.wall else TYPE
    # Broken into lines that fit a telephone: what is too long would be cut off.
    title, unit = wrap(chart.title, TITLE_LINE), wrap(chart.unit, UNIT_LINE)
    figure.update_layout(
        title={
            "text": f"<b>{'<br>'.join(title)}</b>",
            "subtitle": {"text": "<br>".join(unit), "font": {"size": size - 1, "color": text_colour()}},
            "font": {"size": size + 3, "color": text_colour()},
            "x": 0,
            "xanchor": "left",
            # From the upper edge in pixels: a share of the height would cut the title of a low chart. Plotly sets the first
            # line as if there were no others, and lifts it by them.
            "y": 1,
            "yanchor": "top",
            "pad": {"t": size * (0.5 + 1.2 * (len(title) - 1))},
        },
        font={"size": size, "color": text_colour()},
        height=WALL_HEIGHT if manner.wall else chart.height,
        margin={"l": 8, "r": 16, "t": size * (1.4 + 1.75 * len(title) + 1.3 * len(unit)), "b": 8},
        dragmode=False,
        hoverlabel={"font": {"size": size}},
        legend={"font": {"size": size - 2, "color": text_colour()}},
    )
    axis = {
        "tickfont": {"size": size - 1, "color": text_colour()},
        "tickangle": 0,
        "automargin": True,
        "fixedrange": True,
    }
    figure.update_xaxes(**axis, gridcolor=GRID["dark" if is_dark() else "light"])
    figure.update_yaxes(**axis, gridcolor=GRID["dark" if is_dark() else "light"])
    picked: Any = st.plotly_chart(
        figure.to_dict(),
        key=f"chart-{chart.key}",
        theme="streamlit",
        config=_config(chart, manner),
        width="stretch",
        alt=f"{chart.title}, {chart.unit}. {'; '.join(chart.words)}",
        on_select="ignore" if manner.wall else "rerun",
        selection_mode="points",
    )
    points = [] if manner.wall else picked.selection.points
    places = [point["customdata"][-1] for point in points if point.get("customdata")]
    return int(places[0]) if places else None


def _config(chart: Chart, manner: Manner) -> dict[str, Any]:
    """The picture as it is downloaded: by the browser, from the chart on the page."""
    width, height = SLIDE
    return {
        "displayModeBar": not manner.wall,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {
            "format": manner.picture,
            "filename": f"fmar-{chart.key}",
            "width": width,
            "height": height,
            "scale": 2,
        },
    }


def _draw_figures(chart: Chart, manner: Manner) -> int | None:
    """The figures as a table in which a row can be chosen, and as a file."""
    opened: int | None = None
    values = [dict(row.values) for row in chart.rows]
    leads = any(row.target and row.target.open_to(manner.actor) for row in chart.rows)
    with st.container(horizontal=True):
        with st.popover("Figures and records" if leads else "Figures", icon=":material/table_rows:"):
            if leads:
                st.caption("Choose a row to open the records behind it.")
            if leads:
                picked: Any = st.dataframe(
                    values, key=f"rows-{chart.key}", on_select="rerun", selection_mode="single-row", hide_index=True
                )
                opened = picked.selection.rows[0] if picked.selection.rows else None
            else:
                st.dataframe(values, hide_index=True)
        draw_table_download("Data (CSV)", values, f"fmar-{chart.key}.csv", key=f"csv-{chart.key}", kind="tertiary")
    return opened


def _open_records(chart: Chart, manner: Manner, place: int | None) -> None:
    target = chart.rows[place].target if place is not None and 0 <= place < len(chart.rows) else None
    if target is not None and target.open_to(manner.actor):
        st.switch_page(f"pages/{target.file}", query_params=dict(target.query))
