"""The portal's map: Leaflet over our own ground, drawn without a graphics card, no tile and no font from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from models.assets import AssetStatus
from pages.frame.map_files import map_address
from services.core.settings import settings

Colour = list[int]
STATUS_COLOURS: dict[AssetStatus, Colour] = {
    AssetStatus.VERIFIED: [0, 158, 115],
    AssetStatus.PENDING_VALIDATION: [86, 180, 233],
    AssetStatus.QUERY: [213, 94, 0],
    AssetStatus.AWAITING_CONSENT_CHECK: [204, 121, 167],
    AssetStatus.SUSPENDED_QUERY_UNANSWERED: [230, 159, 0],
    AssetStatus.SUSPENDED_CONSENT_REVOKED: [230, 159, 0],
    AssetStatus.REFUSED_NO_CONSENT: [122, 122, 122],
    AssetStatus.DEREGISTERED: [122, 122, 122],
}
"""Okabe-Ito colours: told apart with every common kind of colour blindness, on light and dark ground."""
ON_TOP = (AssetStatus.VERIFIED, AssetStatus.PENDING_VALIDATION, AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.QUERY)
HERE = Path(__file__).parent
HTML = '<div class="map" role="application" tabindex="0"></div>'
CSS = ".map { height: var(--height, 480px) } @media (max-width: 640px) { .map { height: min(var(--height, 480px), 60dvh) } }"
ALONE = 0.18
"""Degrees of latitude about a single point that its map shows: the next towns."""
_map = st.components.v2.component(
    "fmar_map",
    html=HTML,
    css=CSS,
    js=(HERE / "base_map.js").read_text(encoding="utf-8").replace("MAP_SCRIPT", map_address("map.js")),
)


def origin() -> str:
    """This portal's own address as the browser knows it."""
    parts = urlsplit(st.context.url or "http://localhost:8501")
    return f"{parts.scheme}://{parts.netloc}"


def draw_scene(
    scene: Mapping[str, Any],
    *,
    key: str,
    alt: str,
    height: int | str = 480,
    on_pick: Callable[[Mapping[str, str]], None] | None = None,
) -> None:
    """Draw what `scene` holds upon the ground; `on_pick` gets what belongs to the thing that is clicked, before the next run.

    A scene may hold `tiles`, `points`, `shapes`, `groups`, `labels`, `ring`, `outline`, `fit` (south-west and north-east) and
    `focus` (where to look now); static/map/map.js says how each looks. `height` in pixels, or as CSS has it.
    """

    def pass_on() -> None:
        picked = st.session_state[key].get("picked")
        if picked and on_pick is not None:
            on_pick(picked)

    _map(
        key=key,
        data={
            "name": key,
            "label": alt,
            "height": f"{height}px" if isinstance(height, int) else height,
            "online": settings().map_tiles_url,
            "credits": settings().map_tiles_attribution if settings().map_tiles_url else "",
            **scene,
        },
        on_picked_change=pass_on,
    )


def draw_map(points: Sequence[Mapping[str, Any]], *, key: str, height: int = 480) -> None:
    """Draw points {id, name, detail, lat, lon, status} and their surroundings; all of Great Britain while there are none.

    A point's `colour` (red, green, blue) stands in for that of its status. `name` and `detail` are user text, shown as it is.
    """
    # Drawn one over the other: what somebody has to act on lies on top.
    ordered = sorted(points, key=lambda point: ON_TOP.index(point["status"]) if point["status"] in ON_TOP else -1)
    drawn = [
        {
            "p": [point["lat"], point["lon"]],
            "c": point.get("colour") or STATUS_COLOURS[AssetStatus(point["status"])],
            "t": point["name"],
            "d": point["detail"],
        }
        for point in ordered
    ]
    count = f"{len(drawn)} {'asset' if len(drawn) == 1 else 'assets'}"
    draw_scene(
        {"points": drawn, "fit": _bounds([point["p"] for point in drawn])},
        key=key,
        alt=f"Map of Great Britain with {count}, coloured by status",
        height=height,
    )


def _bounds(places: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """South-west and north-east of some places, with some room about a single one; None of none."""
    if not places:
        return None
    latitudes, longitudes = [place[0] for place in places], [place[1] for place in places]
    south, west, north, east = min(latitudes), min(longitudes), max(latitudes), max(longitudes)
    if north - south < ALONE and east - west < ALONE:
        return [[south - ALONE, west - ALONE], [north + ALONE, east + ALONE]]
    return [[south, west], [north, east]]
