"""Colours of maps and what they mean: scales for kinds and for amounts, and the legend beside the map."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import streamlit as st

from models.assets import STATUS_LABELS, AssetStatus
from pages.components.common.base_map import STATUS_COLOURS, Colour
from services.assets.map.features import CAPACITY_STEPS_KW, COUNT_STEPS, RADII, SIZE_STEPS_KW
from services.assets.map.tiles import Colouring
from services.assets.rules.reference import CATEGORY_LIST, category_colours, code_lists

AMOUNTS: tuple[Colour, ...] = (
    [253, 231, 150],
    [252, 197, 104],
    [245, 149, 76],
    [221, 96, 74],
    [174, 54, 86],
    [117, 28, 92],
    [58, 12, 72],
)
"""From little to much, lighter to darker: read without telling colours apart, on light and on dark ground."""
UNKNOWN: Colour = [122, 122, 122]
Entry = tuple[Colour, str]


def entries_of(colouring: Colouring) -> list[Entry]:
    """Colour and meaning of each place in the scale of points; a category added a minute ago included."""
    if colouring is Colouring.STATUS:
        return [(STATUS_COLOURS[status], STATUS_LABELS[status]) for status in AssetStatus]
    colours, codes = category_colours(), code_lists().get(CATEGORY_LIST, {})
    return [(list(colours[code.code]), code.label) for code in codes.values() if code.code in colours]


def rgb_of(colour: str) -> Colour:
    """A colour as charts write it (``#0072B2``), as maps take it."""
    return list(bytes.fromhex(colour.removeprefix("#")))


def short_power(kilowatts: float) -> str:
    """Power in as few signs as a legend has room for."""
    return f"{kilowatts / 1000:,.4g} MW" if kilowatts >= 1000 else f"{kilowatts:,.4g} kW"


def _ranges(steps: Sequence[float], words: Sequence[str]) -> list[Entry]:
    texts = [f"under {words[0]}", *(f"{low} to {high}" for low, high in pairwise(words))]
    return list(zip(AMOUNTS, [*texts, f"{words[-1]} and more"], strict=False))


def capacity_entries() -> list[Entry]:
    """Colours of hexagons by the capacity in them."""
    return _ranges(CAPACITY_STEPS_KW, [short_power(step) for step in CAPACITY_STEPS_KW])


def count_entries() -> list[Entry]:
    """Colours of hexagons by the number of assets in them."""
    texts = ["1", *(f"{low:,} to {high - 1:,}" for low, high in pairwise(COUNT_STEPS))]
    return list(zip(AMOUNTS, [*texts, f"{COUNT_STEPS[-1]:,} and more"], strict=True))


def nice_steps(most: float) -> list[float]:
    """Six steps from nothing to the largest value, at numbers that are easily read."""
    if most <= 0:
        return [1]
    rough = most / len(AMOUNTS)
    unit = 10.0 ** (len(f"{int(max(rough, 1))}") - 1)
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough)
    return [step * place for place in range(1, len(AMOUNTS))]


def step_entries(steps: Sequence[float], power: bool) -> list[Entry]:
    """Colours of areas by `nice_steps`, in kW or in assets."""
    return _ranges(steps, [short_power(step) if power else f"{step:,.4g}" for step in steps])


def draw_legend(title: str, entries: Sequence[Entry]) -> None:
    """Legend of colours, in one line that breaks where it must."""
    spots = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:.8em;height:.8em;border-radius:50%;'
        f'background:rgb({",".join(map(str, colour))});border:1px solid #8888"></span> {escape(label)}</span>'
        for colour, label in entries
    )
    _draw(title, spots)


def draw_sizes() -> None:
    """Legend of the sizes of points."""
    words = [short_power(step) for step in SIZE_STEPS_KW]
    texts = [f"under {words[0]}", *words[1:], f"{words[-1]} and more"]
    labels = [texts[0], *(f"to {text}" for text in texts[1:-1]), texts[-1]]
    spots = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:{2 * radius}px;height:{2 * radius}px;'
        f'border-radius:50%;background:#8889;vertical-align:middle"></span> {escape(label)}</span>'
        for radius, label in zip(RADII, labels, strict=True)
    )
    _draw("Rated capacity", spots)


def _draw(title: str, spots: str) -> None:
    st.html(
        f'<div style="display:flex;flex-wrap:wrap;gap:.1rem .9rem;font-size:max(14px,.9rem);align-items:center">'
        f"<strong>{escape(title)}</strong>{spots}</div>"
    )
