"""The desk's map: tiles of our own portal over our own geography, in layers to choose from, with what the colours mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import asinh, log2, pi, radians, tan
from typing import Any

import h3
import pydeck
import streamlit as st
from pydeck.types import String
from streamlit.delta_generator import DeltaGenerator

from pages.components.common.base_map import ALL_OF_GB, CREDITS, ground_layers, origin, theme_name
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
from pages.components.desk.state import FITTED, FOCUS, VIEW, apply_map_click, fit_map, go_to_place
from pages.frame.markdown import escape_markdown
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
from services.core.settings import settings
from services.core.signed_tickets import BUCKET_SECONDS, bucket
from services.grid.areas import group_labels

KEY = "desk-map"
GO_TO = "desk-go-to"
WHOLE_COUNTRY = 4.7
"""The zoom at which Great Britain fills the map."""
LAYERS = {"assets": "Assets", "capacity": "Capacity", "groups": "GSP groups"}
COLOURINGS = {"status": "Status", "category": "Category"}
SHADINGS = {"assets": "Assets", "capacity": "Capacity"}
TOOLTIP = {
    "html": "<b>{t}</b><br/>{d}",
    # In the corner: beside the pointer it would be cut off at the edge of the map.
    "style": {"transform": "none", "top": "8px", "left": "8px", "maxWidth": "calc(100% - 90px)", "padding": "6px 10px"},
}
GROUP_TOOLTIP = {**TOOLTIP, "html": "<b>{code}</b> {name}"}
SIGN_IN = "_streamlit_user"
WIDTH, HEIGHT = 420, 560
"""Pixels that a view is fitted into: those of a map on a small screen, so that a larger one has it all the same."""


@dataclass(frozen=True, slots=True)
class MapHighlight:
    """Highlight on the map: an asset's position (latitude, longitude)."""

    position: tuple[float, float] | None = None


def draw_desk_map(
    actor: Actor,
    filters: AssetFilters,
    total: int,
    highlight: MapHighlight,
    *,
    row: DeltaGenerator | None = None,
    height: int = 560,
) -> None:
    """The choice of layers, the map, and its legend; a click selects (`pages/components/desk/state.py`).

    The choice stands in `row` where there is one that has room, else above the map. In a browser the map has the height of the
    window less what stands above (static/frame.css); `height` is for one that doesn't know how high it is.
    """
    summary = map_summary(actor, filters, total)
    choices = row or st.container(horizontal=True, vertical_alignment="center", key="map-choices")
    choices.text_input(
        "Go to a postcode or town",
        key=GO_TO,
        placeholder="Postcode or town",
        width=170,
        label_visibility="collapsed",
        icon=":material/location_on:",
        on_change=lambda: go_to_place(GO_TO),
    )
    choices.button(
        "", icon=":material/fit_screen:", key="fit-map", help="Fit the map to what it shows", on_click=fit_map
    )
    layer = _choose(choices, "Layer", "layer", LAYERS)
    if layer == "groups":
        layers, entries, title = _groups(actor, filters, choices)
    else:
        colouring = (
            Colouring(_choose(choices, "Colour by", "colour", COLOURINGS)) if layer == "assets" else Colouring.STATUS
        )
        few = total <= MOST_POINTS
        view = TileView(filters, Layer(layer), colouring, few)
        ground = [] if settings().map_tiles_url else ground_layers()
        layers = [*ground, _tiles(actor, view)]
        entries, title = (
            (capacity_entries(), "Capacity in a hexagon")
            if layer == "capacity"
            else (
                entries_of(colouring),
                COLOURINGS[colouring],
            )
        )
    deck = pydeck.Deck(
        layers=[*layers, *_marks(filters, highlight)],
        initial_view_state=_view(filters, summary, VIEW if row else f"{VIEW}-review"),
        **_ground(),
        tooltip=GROUP_TOOLTIP if layer == "groups" else TOOLTIP,  # pyright: ignore[reportArgumentType]
    )
    st.pydeck_chart(
        deck,
        height=height,
        key=KEY,
        on_select=lambda: apply_map_click(KEY),
        selection_mode="single-object",
        alt=f"Map of Great Britain: {LAYERS[layer]} of {total:,} assets",
    )
    draw_legend(title, entries)
    if layer == "assets":
        draw_sizes()
        if total > MOST_POINTS:
            draw_legend("Zoomed out, assets in a hexagon", count_entries())
    _say_missing(summary, layer, total)
    tiles = settings().map_tiles_url
    st.caption(f"Map: {escape_markdown(settings().map_tiles_attribution) if tiles else CREDITS}")
    _keep_fresh(bucket())


def _ground() -> dict[str, Any]:
    """Base map under the layers: nothing, or the online tiles that the operator of this portal chose."""
    if not settings().map_tiles_url:
        return {"map_provider": None}
    return {"map_provider": "carto", "map_style": f"{origin()}/api/tiles/base.json"}


def _choose(place: DeltaGenerator, label: str, key: str, options: Mapping[str, str]) -> str:
    if label != "Layer":
        place.caption(label, width="content")
    return place.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        default=next(iter(options)),
        required=True,
        key=key,
        bind="query-params",
        width="content",
        label_visibility="collapsed",
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


def _tiles(actor: Actor, view: TileView) -> pydeck.Layer:
    cookie: object = st.context.cookies.get(SIGN_IN)
    ticket = map_ticket(actor, view, cookie if isinstance(cookie, str) else None)
    colours = [*(colour for colour, _label in entries_of(view.colouring)), UNKNOWN]
    amounts = [[*colour, 190] for colour in AMOUNTS]
    return pydeck.Layer(
        "TileLayer",
        id="tiles",
        # A list, though there is one: where its data is a list, the map forgets the last click once it is drawn anew,
        # and doesn't take a feature of another tile with the same number for the one that is chosen already.
        data=[f"{origin()}/api/tiles/{{z}}/{{x}}/{{y}}.geojson?ticket={ticket}"],
        tile_size=256,
        min_zoom=3,
        max_zoom=16,
        pickable=True,
        auto_highlight=True,
        get_fill_color=f"properties.i ? ({colours})[properties.k % {SIZE}] : ({amounts})[properties.k]",
        get_line_color=[255, 255, 255, 160],
        get_line_width="properties.i ? 1 : 0",
        line_width_units=String("pixels"),
        get_point_radius=f"({list(RADII)})[(properties.k - properties.k % {SIZE}) / {SIZE}]",
        point_radius_units=String("pixels"),
        stroked=True,
        filled=True,
    )


def _groups(
    actor: Actor, filters: AssetFilters, choices: DeltaGenerator
) -> tuple[list[pydeck.Layer], list[tuple[list[int], str]], str]:
    """The GSP groups, shaded by how many assets or how much capacity of what passes the filters is in them."""
    power = _choose(choices, "Shade by", "shade", SHADINGS) == "capacity"
    counts = {group.code: float(group.rated_kw) if power else group.assets for group in group_counts(actor, filters)}
    steps = nice_steps(max(counts.values(), default=0))
    empty = [0, 0, 0, 0]
    colours = {code: [*AMOUNTS[step_of(value, steps)], 210] for code, value in counts.items()}  # pyright: ignore[reportArgumentType]
    shade = "".join(f"properties.code == '{code}' ? {colour} : " for code, colour in colours.items()) + str(empty)
    shaded = pydeck.Layer(
        "GeoJsonLayer",
        id="groups",
        data=f"{origin()}/api/geography/gsp_groups.geojson",
        get_fill_color=shade,
        update_triggers={"getFillColor": [shade]},
        stroked=False,
        pickable=True,
        auto_highlight=True,
    )
    amounts = pydeck.Layer(
        "TextLayer",
        id="amounts",
        data=[
            {"t": f"{label.code[1:]} {_amount(counts.get(label.code, 0), power)}", "p": [label.lon, label.lat]}
            for label in group_labels()
        ],
        get_position="p",
        get_text="t",
        get_size=12,
        get_color=[20, 20, 20],
        background=True,
        get_background_color=[255, 255, 255, 200],
        background_padding=[4, 2],
        pickable=False,
    )
    return (
        [*ground_layers(named=False), shaded, amounts],
        step_entries(steps, power),
        f"{'Capacity' if power else 'Assets'} in a GSP group",
    )


def _amount(value: float, power: bool) -> str:
    return short_power(round(value, -3) if value >= 10_000 else round(value)) if power else f"{value:,.0f}"


def _marks(filters: AssetFilters, highlight: MapHighlight) -> list[pydeck.Layer]:
    """A ring around the chosen asset, a line around the hexagon that is looked into."""
    strong = [255, 255, 255] if theme_name() == "dark" else [20, 20, 20]
    marks: list[pydeck.Layer] = []
    if filters.hexagon:
        ring = [[lon, lat] for lat, lon in h3.cell_to_boundary(filters.hexagon)]
        marks.append(
            pydeck.Layer(
                "PolygonLayer",
                id="hexagon",
                data=[{"p": ring}],
                get_polygon="p",
                filled=False,
                get_line_color=strong,
                line_width_min_pixels=3,
                pickable=False,
            )
        )
    if highlight.position is not None:
        marks.append(
            pydeck.Layer(
                "ScatterplotLayer",
                id="chosen",
                data=[{"p": [highlight.position[1], highlight.position[0]]}],
                get_position="p",
                filled=False,
                stroked=True,
                get_line_color=strong,
                line_width_min_pixels=3,
                get_radius=14,
                radius_units=String("pixels"),
                pickable=False,
            )
        )
    return marks


def _view(filters: AssetFilters, summary: MapSummary, key: str) -> pydeck.ViewState:
    """View of the map, kept under `key`: only a search, a hexagon, a row or a place that is gone to moves it, not a filter."""
    moving = (filters.text, filters.hexagon, st.session_state.get(FOCUS))
    kept = st.session_state.get(key)
    if kept is None or kept[0] != moving:
        kept = st.session_state[key] = (moving, _view_of(filters, summary))
    view = kept[1]
    # The browser goes to a view that differs from the last it was given, by however little.
    return _at(view.latitude, view.longitude, view.zoom + 1e-6 * st.session_state.get(FITTED, 0))


def _view_of(filters: AssetFilters, summary: MapSummary) -> pydeck.ViewState:
    """The row that was chosen or the place gone to, the hexagon, all assets of the filters, or the whole country."""
    focus = st.session_state.get(FOCUS)
    if focus is not None:
        return _at(focus[0], focus[1], 9)
    if filters.hexagon:
        ring = h3.cell_to_boundary(filters.hexagon)
        lats, lons = [lat for lat, _ in ring], [lon for _, lon in ring]
        return fit_view((min(lats), min(lons), max(lats), max(lons)))
    return fit_view(summary.extent) if summary.extent else ALL_OF_GB


def fit_view(extent: Sequence[float]) -> pydeck.ViewState:
    """A view that holds south, west, north and east, no closer than a town and no farther than the country."""
    south, west, north, east = extent

    def mercator(latitude: float) -> float:
        return asinh(tan(radians(latitude)))

    wide, high = max(east - west, 1e-6) / 360, max(mercator(north) - mercator(south), 1e-6) / (2 * pi)
    zoom = min(log2(WIDTH / (512 * wide)), log2(HEIGHT / (512 * high))) - 0.3
    if zoom < WHOLE_COUNTRY:
        return ALL_OF_GB
    return _at((south + north) / 2, (west + east) / 2, round(min(zoom, 8.5), 2))


def _at(latitude: float, longitude: float, zoom: float) -> pydeck.ViewState:
    return pydeck.ViewState(latitude=latitude, longitude=longitude, zoom=zoom, min_zoom=4, max_zoom=15)


@st.fragment(run_every=BUCKET_SECONDS / 5)
def _keep_fresh(drawn: int) -> None:
    """Draw the page anew before the map's ticket ends, so that a map left open all day still gets its tiles."""
    if bucket() != drawn:
        st.rerun()
