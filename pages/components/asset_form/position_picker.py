"""Picking a position on a map of Great Britain, offline: click or tap, drag to pan, wheel or buttons to zoom, arrow keys."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from services.grid.geography import outcode_position

HERE = Path(__file__).parent
HTML = """
<div class="frame">
  <svg role="application" tabindex="0"></svg>
  <div class="bar">
    <button type="button" class="in" aria-label="Zoom in">+</button>
    <button type="button" class="out" aria-label="Zoom out">−</button>
    <button type="button" class="all" aria-label="Show all of Great Britain">⤢</button>
    <output></output>
  </div>
</div>
"""
BASE = "/api/geography/ground"
_picker = st.components.v2.component(
    "fmar_position",
    html=HTML,
    css=(HERE / "position_picker.css").read_text(encoding="utf-8"),
    js=(HERE / "position_picker.js").read_text(encoding="utf-8"),
)


class Picked(NamedTuple):
    """A position in decimal degrees WGS84."""

    latitude: float
    longitude: float


def pick_position(*, key: str, latitude: float | None, longitude: float | None, postcode: str = "") -> Picked | None:
    """Draw the map with the pin at the given position; the position picked, None while none was.

    A new postcode moves the map to the middle of its outward code, wherever the pin is.
    """
    centre = outcode_position(postcode)
    result = _picker(
        key=key,
        data={
            "base": BASE,
            "latitude": latitude,
            "longitude": longitude,
            "focus": [centre[1], centre[0]] if centre else None,
            "label": "Map of Great Britain: click to set the position, arrow keys move it",
        },
        default={"position": None},
        on_position_change=lambda: None,
    )
    position = result.position
    return Picked(float(position["latitude"]), float(position["longitude"])) if position else None
