"""The desk's map: tiles of our own portal over our own geography, in layers to choose from, with what the colours mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h3
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.common.base_map import draw_scene
from pages.components.common.map_colours import (
    AMOUNTS,
    UNKNOWN,
    capacity_entries,
    count_entries,
    draw_legend,
    draw_sizes,
    entries_of,
    nice_steps,
    short_power,
    step_entries,
)
from pages.components.desk.state import FOCUS, apply_map_click
from services.assets.filters import AssetFilters
from services.assets.map.features import RADII, SIZE, step_of
from services.assets.map.tiles import (
    MOST_POINTS,
    Colouring,
    Layer,
    MapSummary,
    TileView,
    group_counts,
    map_summary,
    map_ticket,
)
from services.core.identity.actor import Actor
from services.core.signed_tickets import BUCKET_SECONDS, bucket
from services.grid.areas import group_labels

KEY = "desk-map"
LAYERS = {"assets": "Assets", "capacity": "Capacity", "groups": "GSP groups"}
COLOURINGS = {"status": "Status", "category": "Category"}
SHADINGS = {"assets": "Assets", "capacity": "Capacity"}
ROOM = 0.12
"""Degrees about the outermost assets: some 10 km."""
SIGN_IN = "_streamlit_user"


@dataclass(frozen=True, slots=True)
class MapHighlight:
    """Highlight on the map: an asset's position (latitude, longitude)."""

    position: tuple[float, float] | None = None


def draw_desk_map(actor: Actor, filters: AssetFilters, total: int, highlight: MapHighlight, height: int = 600) -> None:
    """The choice of layers, the map, and its legend; a click selects (`pages/components/desk/state.py`)."""
    summary = map_summary(actor, filters, total)
    choices = st.container(horizontal=True)
    layer = _choose(choices, "Layer", "layer", LAYERS)
    if layer == "groups":
        scene, entries, title = _groups(actor, filters, choices)
    else:
        colouring = (
            Colouring(_choose(choices, "Colour by", "colour", COLOURINGS)) if layer == "assets" else Colouring.STATUS
        )
        few = total <= MOST_POINTS
        view = TileView(filters, Layer(layer), colouring, few)
        scene = {"tiles": _tiles(actor, view)}
        entries, title = (
            (capacity_entries(), "Capacity in a hexagon")
            if layer == "capacity"
            else (
                entries_of(colouring),
                COLOURINGS[colouring],
            )
        )
    draw_scene(
        {**scene, **_marks(filters, highlight), "fit": fit_bounds(summary.extent), "focus": _focus(filters)},
        key=KEY,
        alt=f"Map of Great Britain: {LAYERS[layer]} of {total:,} assets",
        height=height,
        on_pick=apply_map_click,
    )
    draw_legend(title, entries)
    if layer == "assets":
        draw_sizes()
        if total > MOST_POINTS:
            draw_legend("Zoomed out, assets in a hexagon", count_entries())
    _say_missing(summary, layer, total)
    _keep_fresh(bucket())


def _choose(place: DeltaGenerator, label: str, key: str, options: Mapping[str, str]) -> str:
    return place.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        default=next(iter(options)),
        required=True,
        key=key,
        bind="query-params",
        width="content",
    )


def _say_missing(summary: MapSummary, layer: str, total: int) -> None:
    words = {
        "assets": "Click a point to see the asset, a hexagon to look into it.",
        "capacity": "Click a hexagon to look into it.",
        "groups": "Point at a group for its name; choose it in the filter above to see its assets only.",
    }[layer]
    if summary.unplaced >= total:
        words = "None of these assets has a position: the list has them."
    elif summary.unplaced:
        many = f"More than {summary.unplaced - 1:,}" if summary.unplaced > 1000 else f"{summary.unplaced:,}"
        single = summary.unplaced == 1
        words += f" {many} {'has' if single else 'have'} no position: the list has {'it' if single else 'them'}."
    st.caption(words)


def _tiles(actor: Actor, view: TileView) -> dict[str, Any]:
    """Address of the view's tiles, and the scales that their features name their colours and sizes by."""
    cookie: object = st.context.cookies.get(SIGN_IN)
    ticket = map_ticket(actor, view, cookie if isinstance(cookie, str) else None)
    return {
        "url": f"/api/tiles/{{z}}/{{x}}/{{y}}.geojson?ticket={ticket}",
        "points": [*(colour for colour, _label in entries_of(view.colouring)), UNKNOWN],
        "amounts": AMOUNTS,
        "radii": RADII,
        "size": SIZE,
    }


def _groups(
    actor: Actor, filters: AssetFilters, choices: DeltaGenerator
) -> tuple[dict[str, Any], list[tuple[list[int], str]], str]:
    """The GSP groups, shaded by how many assets or how much capacity of what passes the filters is in them."""
    power = _choose(choices, "Shade by", "shade", SHADINGS) == "capacity"
    counts = {group.code: float(group.rated_kw) if power else group.assets for group in group_counts(actor, filters)}
    steps = nice_steps(max(counts.values(), default=0))
    labels = group_labels()
    amounts = {label.code: _amount(counts.get(label.code, 0), power) for label in labels}
    things = "rated" if power else "assets"
    scene = {
        "groups": {
            label.code: {
                "c": AMOUNTS[step_of(counts[label.code], steps)],  # pyright: ignore[reportArgumentType]
                "t": f"{label.name} ({label.code})",
                "d": f"{amounts[label.code]} {things}",
            }
            for label in labels
            if label.code in counts
        },
        "labels": [{"t": f"{label.code[1:]} {amounts[label.code]}", "p": [label.lat, label.lon]} for label in labels],
    }
    return scene, step_entries(steps, power), f"{'Capacity' if power else 'Assets'} in a GSP group"


def _amount(value: float, power: bool) -> str:
    return short_power(round(value, -3) if value >= 10_000 else round(value)) if power else f"{value:,.0f}"


def _marks(filters: AssetFilters, highlight: MapHighlight) -> dict[str, Any]:
    """A ring around the chosen asset, a line around the hexagon that is looked into."""
    return {
        "outline": h3.cell_to_boundary(filters.hexagon) if filters.hexagon else None,
        "ring": highlight.position,
    }


def _focus(filters: AssetFilters) -> dict[str, Any] | None:
    """Where the map is to look now: at the row that was chosen, at the hexagon; None leaves it where it is."""
    focus = st.session_state.get(FOCUS)
    if focus is not None:
        return {"at": focus, "zoom": 10}
    if filters.hexagon:
        ring = h3.cell_to_boundary(filters.hexagon)
        lats, lons = [lat for lat, _ in ring], [lon for _, lon in ring]
        return {"bounds": [[min(lats), min(lons)], [max(lats), max(lons)]]}
    return None


def fit_bounds(extent: Sequence[float] | None) -> list[list[float]] | None:
    """South-west and north-east of what the map shows, some room about it; None for the whole country."""
    if extent is None:
        return None
    south, west, north, east = extent
    return [[south - ROOM, west - ROOM], [north + ROOM, east + ROOM]]


@st.fragment(run_every=BUCKET_SECONDS / 5)
def _keep_fresh(drawn: int) -> None:
    """Draw the page anew before the map's ticket ends, so that a map left open all day still gets its tiles."""
    if bucket() != drawn:
        st.rerun()
