"""Stacking matrix as one picture a mode: letters in every cell, so that colour is never the only sign."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.components.common.figure import Figure
from services.market.products.market_tables import STACKING_LABELS, Stacking, StackingCell

MODES: dict[str, str] = {
    "Co-delivery": "the same MW at the same time",
    "Splitting": "different MW at the same time",
    "Jumping": "the same asset at different times",
}
SIGNS: dict[Stacking, tuple[str, str, str]] = {
    Stacking.EXPLICIT_YES: ("Y", "#0072B2", "#FFFFFF"),
    Stacking.IMPLICIT_YES: ("y", "#8FC7EA", "#14212B"),
    Stacking.NO_DATA: ("?", "#FFFFFF", "#14212B"),
    Stacking.NOT_APPLICABLE: ("–", "#D9DEE2", "#14212B"),
    Stacking.IMPLICIT_NO: ("n", "#F5B97A", "#14212B"),
    Stacking.EXPLICIT_NO: ("N", "#C24E00", "#FFFFFF"),
}
"""Sign, colour of the cell and of the sign. Blue against orange is told apart with every common kind of colour blindness."""
_ORDER = list(SIGNS)
_STEPS = len(_ORDER)
INK = {"light": "#14212B", "dark": "#E9F0F5"}
ROW, AROUND, LEAST = 28, 110, 200


def draw_legend() -> None:
    """Legend of signs and colours."""
    chips = "".join(
        f'<span style="display:inline-flex;align-items:center;margin:0 1rem .35rem 0">'
        f'<span style="background:{colour};color:{ink};border:1px solid #7A8791;width:1.5rem;height:1.5rem;'
        f'display:inline-flex;align-items:center;justify-content:center;font-weight:700;margin-right:.4rem">{sign}</span>'
        f"{STACKING_LABELS[value]}</span>"
        for value, (sign, colour, ink) in SIGNS.items()
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap">{chips}</div>')


def draw_matrix(mode: str, codes: Sequence[str], cells: Mapping[tuple[str, str], StackingCell], key: str) -> None:
    """The whole matrix in one mode, by stacking code."""
    place = list(MODES).index(mode)
    values = [
        [cells[row, column][place] if (row, column) in cells else None for column in codes] for row in reversed(codes)
    ]
    st.markdown(f"#### {mode}: {MODES[mode]}")
    _draw(values, list(codes), list(reversed(codes)), f"Stacking, {mode.lower()}", key)


def draw_row(code: str, row: Mapping[str, StackingCell], key: str) -> None:
    """Stacking row of one code, all modes under each other."""
    modes = list(reversed(MODES))
    values = [[cell[list(MODES).index(mode)] for cell in row.values()] for mode in modes]
    _draw(values, list(row), modes, f"What {code} may be held with", key)


def _draw(
    values: Sequence[Sequence[Stacking | None]], columns: list[str], rows: list[str], title: str, key: str
) -> None:
    figure = Figure().add_heatmap(
        x=columns,
        y=rows,
        z=[[None if value is None else _ORDER.index(value) for value in row] for row in values],
        zmin=-0.5,
        zmax=_STEPS - 0.5,
        colorscale=_scale(),
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=[[value and STACKING_LABELS[value] for value in row] for row in values],
        hovertemplate="%{y} with %{x}: %{customdata}<extra></extra>",
        hoverongaps=False,
    )
    for value, (sign, _colour, ink) in SIGNS.items():
        _write_signs(figure, values, columns, rows, value, sign, ink)
    ink = INK["dark" if st.context.theme.type == "dark" else "light"]
    figure.update_layout(
        height=max(LEAST, AROUND + ROW * len(rows)),
        margin={"l": 4, "r": 8, "t": 8, "b": 8},
        plot_bgcolor="#7A8791",
        font={"color": ink},
        showlegend=False,
        dragmode=False,
    )
    figure.update_xaxes(
        range=[-0.5, len(columns) - 0.5],
        side="top",
        tickangle=-90,
        tickfont={"size": 13, "color": ink},
        fixedrange=True,
        dtick=1,
        showgrid=False,
    )
    figure.update_yaxes(
        range=[-0.5, len(rows) - 0.5],
        tickfont={"size": 13, "color": ink},
        fixedrange=True,
        dtick=1,
        automargin=True,
        showgrid=False,
    )
    config = {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "svg", "filename": title.replace(" ", "-").lower()},
    }
    alt = f"{title}: the same stands in the table and its download"
    st.plotly_chart(figure.to_dict(), key=key, theme="streamlit", config=config, width="stretch", alt=alt)


def _write_signs(
    figure: Figure,
    values: Sequence[Sequence[Stacking | None]],
    columns: list[str],
    rows: list[str],
    target: Stacking,
    sign: str,
    ink: str,
) -> None:
    """The signs of one value, in the colour that can be read on its cells."""
    places = [
        (column, row)
        for row, line in zip(rows, values, strict=True)
        for column, value in zip(columns, line, strict=True)
        if value is target
    ]
    if places:
        figure.add_scatter(
            x=[place[0] for place in places],
            y=[place[1] for place in places],
            text=[sign] * len(places),
            mode="text",
            textfont={"size": 12, "color": ink},
            hoverinfo="skip",
        )


def _scale() -> list[tuple[float, str]]:
    """Steps without anything in between: each value has a colour of its own."""
    steps = []
    for place, (_sign, colour, _ink) in enumerate(SIGNS.values()):
        steps += [(place / _STEPS, colour), ((place + 1) / _STEPS, colour)]
    return steps
