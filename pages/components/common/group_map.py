"""A map of what is counted by GSP group and kind, as pies over our own geography; choosing a piece is told to the page."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import cos, pi, radians, sin, sqrt
from typing import Any, NamedTuple

import pydeck
import streamlit as st

from pages.components.common.base_map import Colour, ground_layers
from pages.components.common.map_colours import draw_legend
from services.grid.areas import group_labels
from services.market.qualification.map_counts import PlaceCount

LAYER = "places"
SMALL_KM, LARGE_KM = 20.0, 38.0
"""Radius of the smallest and the largest pie."""
KM_A_DEGREE = 111.2
STEP = pi / 32
AT_SEA = (56.2, 0.1)
"""Where what lies in several groups is drawn: off the coast, in the picture on any screen."""
HEIGHT = 520
NUDGED = {"_J": (-0.2, 0.4)}
"""Degrees by which a pie stands off the middle of its group: London's would cover it."""
VIEW = pydeck.ViewState(latitude=54.5, longitude=-3.2, zoom=4.5, min_zoom=4, max_zoom=9)


class PieSlice(NamedTuple):
    """Kind that a colour stands for."""

    code: str
    label: str
    colour: Colour


class PiePlace(NamedTuple):
    """Place of a pie and its name: in short beneath it, in full where one points."""

    lat: float
    lon: float
    short: str
    name: str


def draw_group_map(
    counts: Sequence[PlaceCount],
    kinds: Sequence[PieSlice],
    things: str,
    *,
    key: str,
    on_pick: Callable[[str, str], None],
    several: str | None = None,
) -> None:
    """The pies and their legend. `on_pick` gets the GSP group and the kind of a piece that is chosen.

    `several`: what to call those under no single group; None leaves them off the map.
    """
    places = _places()
    if several is not None:
        places[""] = PiePlace(*AT_SEA, several, several)
    pieces, labels = build_pies(counts, kinds, places, things)
    deck = pydeck.Deck(
        layers=[*ground_layers(named=False), _pies(pieces), _names(labels)],
        initial_view_state=VIEW,
        map_provider=None,
        tooltip={"html": "<b>{t}</b><br/>{d}"},  # pyright: ignore[reportArgumentType]
    )

    # A new map once it is narrowed: the old one would go on dimming all but what was chosen on it.
    key = f"{key}-{len(pieces)}"

    def picked() -> None:
        for piece in st.session_state[key].selection.objects.get(LAYER, []):
            on_pick(piece["g"], piece["k"])

    summary = "; ".join(f"{piece['t']}, {piece['d']}" for piece in pieces)
    st.pydeck_chart(
        deck,
        height=HEIGHT,
        key=key,
        on_select=picked,
        selection_mode="single-object",
        alt=f"Map of Great Britain: {things} by GSP group. {summary}",
    )
    there = {piece["k"] for piece in pieces}
    draw_legend("", [(kind.colour, kind.label) for kind in kinds if kind.code in there])


def _places() -> dict[str, PiePlace]:
    places: dict[str, PiePlace] = {}
    for label in group_labels():
        north, east = NUDGED.get(label.code, (0.0, 0.0))
        places[label.code] = PiePlace(label.lat + north, label.lon + east, label.code[1:], f"{label.code} {label.name}")
    return places


def build_pies(
    counts: Sequence[PlaceCount], kinds: Sequence[PieSlice], places: dict[str, PiePlace], things: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The pieces of all pies, and the name and number beneath each."""
    by_group: dict[str, dict[str, int]] = defaultdict(dict)
    for count_of_place in counts:
        if count_of_place.gsp_group in places:
            by_group[count_of_place.gsp_group][count_of_place.kind] = count_of_place.count
    most = max((sum(inside.values()) for inside in by_group.values()), default=1)
    pieces: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for group, inside in by_group.items():
        place, total = places[group], sum(inside.values())
        radius = SMALL_KM + (LARGE_KM - SMALL_KM) * sqrt(total / most)
        begun = 0
        for kind in kinds:
            count = inside.get(kind.code, 0)
            if count:
                ring = _sector(place, radius, begun / total, (begun + count) / total)
                words = f"{kind.label}: {count:,} {things if count > 1 else things.removesuffix('s')}"
                pieces.append({"p": ring, "c": kind.colour, "t": place.name, "d": words, "g": group, "k": kind.code})
                begun += count
        beneath = place.lat - radius / KM_A_DEGREE
        labels.append({"p": [place.lon, beneath], "t": f"{place.short} {total:,}"})
    return pieces, labels


def _sector(place: PiePlace, radius: float, since: float, until: float) -> list[list[float]]:
    """A piece of a pie, from and to shares of the circle, clockwise from the north."""
    tall, wide = radius / KM_A_DEGREE, radius / (KM_A_DEGREE * cos(radians(place.lat)))
    steps = max(2, round((until - since) * 2 * pi / STEP) + 1)
    turns = [2 * pi * (since + (until - since) * number / (steps - 1)) for number in range(steps)]
    arc = [[place.lon + wide * sin(turn), place.lat + tall * cos(turn)] for turn in turns]
    return arc if until - since >= 1 else [[place.lon, place.lat], *arc]


def _pies(pieces: list[dict[str, Any]]) -> pydeck.Layer:
    return pydeck.Layer(
        "PolygonLayer",
        id=LAYER,
        data=pieces,
        get_polygon="p",
        get_fill_color="c",
        get_line_color=[255, 255, 255],
        line_width_min_pixels=1,
        stroked=True,
        pickable=True,
        auto_highlight=True,
        highlight_color=[255, 255, 255, 110],
    )


def _names(labels: list[dict[str, Any]]) -> pydeck.Layer:
    return pydeck.Layer(
        "TextLayer",
        id="place_names",
        data=labels,
        get_position="p",
        get_text="t",
        get_size=12,
        get_color=[20, 20, 20],
        get_alignment_baseline="'top'",
        background=True,
        get_background_color=[255, 255, 255, 200],
        background_padding=[4, 2],
        pickable=False,
    )
