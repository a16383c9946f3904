"""The map of assets: pydeck over our own base geography, no tile and no font from elsewhere."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pydeck
import streamlit as st
from pydeck.types import String

from models.assets import AssetStatus
from services.grid.ground import project

Colour = list[int]
STATUS_COLOURS: dict[AssetStatus, Colour] = {
    AssetStatus.VERIFIED: [0, 158, 115],
    AssetStatus.PENDING_VALIDATION: [86, 180, 233],
    AssetStatus.QUERY: [213, 94, 0],
    AssetStatus.AWAITING_CONSENT_CHECK: [204, 121, 167],
    AssetStatus.SUSPENDED_QUERY_UNANSWERED: [230, 159, 0],
    AssetStatus.SUSPENDED_CONSENT_REVOKED: [136, 34, 85],
    AssetStatus.REFUSED_NO_CONSENT: [122, 122, 122],
    AssetStatus.DEREGISTERED: [60, 60, 60],
}
"""Okabe-Ito colours: told apart with every common kind of colour blindness, on light and dark ground."""
ON_TOP = (AssetStatus.VERIFIED, AssetStatus.PENDING_VALIDATION, AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.QUERY)
CROWD = 300
"""More points than this are drawn smaller, so that the whole country can be read."""
PHONE_WIDTH = 360
COUNTRY = (-17.5, 47.0, 11.0, 63.5)
"""West, south, east and north of the picture of Great Britain and its sea."""
CREDITS = "Rail © OpenStreetMap contributors · towns GeoNames · Ordnance Survey and NESO open data"
ALL_OF_GB = pydeck.ViewState(latitude=54.6, longitude=-3.4, zoom=4.7, min_zoom=4, max_zoom=15)


def origin() -> str:
    """This portal's own address as the browser knows it: map layers need absolute addresses."""
    parts = urlsplit(st.context.url or "http://localhost:8501")
    return f"{parts.scheme}://{parts.netloc}"


def theme_name() -> str:
    """Light or dark, as the reader has it."""
    return "dark" if st.context.theme.type == "dark" else "light"


def ground_layers(*, named: bool = True) -> list[pydeck.Layer]:
    """Sea and land, borders, railways, towns and postcodes: a picture of what the map shows, drawn by the portal.

    One quad with a picture on it: shapes and text drawn by the browser take one without a graphics card half a second and more.
    Beneath it lies Great Britain as a whole, which is there at once and while the next picture is on its way.
    """
    theme = theme_name()
    layer = theme if named else f"plain-{theme}"
    address = f"{origin()}/api/geography/ground"
    picture = pydeck.Layer("_WMSLayer", id="ground", data=address, service_type=String("wms"), srs=String("EPSG:3857"))
    # Given to the constructor it would be taken for an expression.
    picture.layers = [layer]  # pyright: ignore[reportAttributeAccessIssue]
    return [_whole_country(address, theme), picture]


def _whole_country(address: str, theme: str) -> pydeck.Layer:
    west, south, east, north = COUNTRY
    longitudes, latitudes = project(np.array([west, east]), np.array([south, north]))
    box = ",".join(f"{edge:.0f}" for edge in (longitudes[0], latitudes[0], longitudes[1], latitudes[1]))
    query = f"request=GetMap&layers=plain-{theme}&bbox={box}&width=1000&height=1034"
    return pydeck.Layer("BitmapLayer", id="country", image=String(f"{address}?{query}"), bounds=list(COUNTRY))


def _view(points: Sequence[Mapping[str, Any]], close: bool, height: int) -> pydeck.ViewState:
    if not points:
        return ALL_OF_GB
    if close and len(points) > 1:
        return _around(points, height)
    if len(points) == 1:
        return pydeck.ViewState(latitude=points[0]["lat"], longitude=points[0]["lon"], zoom=8, min_zoom=4, max_zoom=15)
    return ALL_OF_GB


def _around(points: Sequence[Mapping[str, Any]], height: int) -> pydeck.ViewState:
    """All points with some room about them, in a window as narrow as a telephone's; never closer than a county."""
    lats, lons = [point["lat"] for point in points], [point["lon"] for point in points]
    # A world of 360 degrees is 512 pixels wide at zoom 0; one degree of latitude is drawn longer than one of longitude.
    longer = 1 / math.cos(math.radians(54))
    tall = height * 360 / (512 * 1.4 * longer * max(max(lats) - min(lats), 0.01))
    wide = PHONE_WIDTH * 360 / (512 * 1.4 * max(max(lons) - min(lons), 0.01))
    return pydeck.ViewState(
        latitude=(max(lats) + min(lats)) / 2,
        longitude=(max(lons) + min(lons)) / 2,
        zoom=min(max(math.log2(min(tall, wide)), 4.2), 7.5),
        min_zoom=4,
        max_zoom=15,
    )


def draw_map(
    points: Sequence[Mapping[str, Any]], *, key: str, height: int = 560, selectable: bool = True, close: bool = False
) -> str | None:
    """Draw points {id, name, detail, lat, lon, status}; the identifier of the selected one, None while none is.

    A point's `colour` (red, green, blue) stands in for that of its status. `name` and `detail` are user text: the tooltip's
    placeholders escape them. `close` shows the points' surroundings rather than the whole country.
    """
    records = [{**point, "c": point.get("colour") or STATUS_COLOURS[AssetStatus(point["status"])]} for point in points]
    # Drawn one over the other: what somebody has to act on lies on top.
    records.sort(key=lambda point: ON_TOP.index(point["status"]) if point["status"] in ON_TOP else -1)
    layer = pydeck.Layer(
        "ScatterplotLayer",
        id="assets",
        data=records,
        get_position=["lon", "lat"],
        get_fill_color="c",
        get_line_color=[255, 255, 255],
        line_width_min_pixels=1,
        stroked=True,
        radius_min_pixels=5 if len(records) <= CROWD else 3,
        radius_max_pixels=12,
        get_radius=600,
        pickable=True,
        auto_highlight=True,
    )
    deck = pydeck.Deck(
        layers=[*ground_layers(), layer],
        initial_view_state=_view(points, close, height),
        map_provider=None,
        tooltip={"html": "<b>{name}</b><br/>{detail}"},  # pyright: ignore[reportArgumentType]
    )
    alt = f"Map of Great Britain with {len(records)} assets, coloured by status"
    if not selectable:
        st.pydeck_chart(deck, height=height, key=key, alt=alt)
        return None
    event = st.pydeck_chart(deck, height=height, key=key, on_select="rerun", selection_mode="single-object", alt=alt)
    selection = event.selection.objects.get("assets", [])
    return str(selection[0]["id"]) if selection else None
