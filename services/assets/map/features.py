"""A map tile as GeoJSON: few bytes, no feature without what the tooltip needs, bounded whatever is in it.

Properties are short, since each stands in every feature: `t` and `d` are the two lines of the tooltip, `k` the place of
the colour in its scale, and for an asset 32 times the place of its size as well; an asset has `i` (its identifier, see
`asset_of`), a hexagon `h` (its cell).
"""

import json
from base64 import b64decode
from binascii import b2a_base64
from bisect import bisect_right
from collections.abc import Callable, Sequence
from uuid import UUID

import h3.api.basic_int as h3
from shapely import Polygon, clip_by_rect

from models.assets import STATUS_LABELS, AssetStatus
from services.assets.counters.queries import CellCount
from services.assets.map.queries import Box, Point

MOST_BYTES = 300_000
WORDS = ((80, True, 200), (24, False, 172), (0, False, 152))
"""What stands in the tooltip where there is room: signs of the name, whether category and status, usual bytes of an asset."""
SIZE = 32
"""More than there are places in a scale of colours."""
Kinds = Callable[[str, str], tuple[int, str]]
"""The place of an asset's colour in its scale, and the label of its category, by status and category."""
CAPACITY_STEPS_KW = (100, 1_000, 10_000, 50_000, 200_000, 1_000_000)
"""Where one colour of capacity ends and the next begins, in kW of all assets of a hexagon or group."""
COUNT_STEPS = (2, 10, 50, 250, 1_000, 5_000)
"""Likewise for numbers of assets."""
SIZE_STEPS_KW = (50, 250, 1_000, 5_000, 20_000)
"""Where one size of point ends and the next begins, in kW of one asset."""
DRAWN = 0.96
"""A hexagon's size on the map: the gaps tell neighbours apart. A line around each would also run along the tiles' edges."""
RADII = (3, 4, 5, 7, 9, 12)
"""The radius of points in pixels, one more than there are steps."""
ON_TOP = (AssetStatus.VERIFIED, AssetStatus.PENDING_VALIDATION, AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.QUERY)
"""Drawn one over the other: what somebody has to act on lies on top."""


def step_of(value: float, steps: Sequence[int]) -> int:
    """The place of a value in a scale: 0 below the first step, as many as there are steps from the last one on."""
    return sum(value >= step for step in steps)


def show_power(hundredths: int) -> str:
    """Power (hundredths of a kW) as it is read: kW below 1 MW, MW from there on."""
    if hundredths < 100_000:
        return f"{hundredths // 100}.{hundredths % 100:02d} kW"
    rounded = (hundredths + 500) // 1000
    return f"{rounded // 100:,}.{rounded % 100:02d} MW"


def decimals_at(zoom: int) -> int:
    """Decimals of a degree that a tile's coordinates need: far less than a pixel each, five (about a metre) at most."""
    return 3 if zoom <= 8 else 4 if zoom <= 11 else 5


def hexagons(counts: Sequence[CellCount], zoom: int, box: Box, by_capacity: bool) -> bytes:
    """Hexagons with how many assets and how much capacity are in them: of each the part that lies in the tile's `box`."""
    decimals = decimals_at(zoom)
    features = []
    for cell, assets, rated in counts:
        ring = _part_within(cell, box)
        if not ring:
            continue
        corners = ",".join(f"[{lon:.{decimals}f},{lat:.{decimals}f}]" for lon, lat in ring)
        step = step_of(rated / 100, CAPACITY_STEPS_KW) if by_capacity else step_of(assets, COUNT_STEPS)
        title = f"{assets:,} {'asset' if assets == 1 else 'assets'}"
        features.append(
            f'{{"type":"Feature","geometry":{{"type":"Polygon","coordinates":[[{corners}]]}},'
            f'"properties":{{"h":"{cell:x}","k":{step},"t":"{title}","d":"{show_power(rated)} rated"}}}}'
        )
    return _collection(features)


def _part_within(cell: int, box: Box) -> list[tuple[float, float]]:
    """The ring (longitude, latitude) of the part of a cell, drawn a little smaller than it is, that lies in a box."""
    middle_lat, middle_lon = h3.cell_to_latlng(cell)
    ring = [
        (middle_lon + DRAWN * (lon - middle_lon), middle_lat + DRAWN * (lat - middle_lat))
        for lat, lon in h3.cell_to_boundary(cell)
    ]
    south, west, north, east = box
    if all(west <= lon <= east and south <= lat <= north for lon, lat in ring):
        return [*ring, ring[0]]
    part = clip_by_rect(Polygon(ring), west, south, east, north)
    return [(lon, lat) for lon, lat in part.exterior.coords] if isinstance(part, Polygon) else []


def points(assets: Sequence[Point], zoom: int, colours: Kinds) -> bytes:
    """Assets as points. In a crowded tile names are cut, and nothing but the capacity stands under them."""
    ordered = sorted(assets, key=lambda point: _TOP.get(point[4], 0))
    for longest, detailed, usual in WORDS:
        if len(assets) * usual <= MOST_BYTES:
            body = _collection(_write_points(ordered, zoom, colours, longest, detailed))
            if len(body) <= MOST_BYTES:
                return body
    return _collection(_write_points(ordered, zoom, colours, -1, False))


def _write_points(ordered: Sequence[Point], zoom: int, kinds: Kinds, longest: int, detailed: bool) -> list[str]:
    """Each asset as JSON. `longest`: signs of a name; 0 to have its capacity instead, less for no word at all."""
    write = json.encoder.encode_basestring
    form = _POINT.replace("#", str(decimals_at(zoom)))
    scale: dict[tuple[str, str], tuple[int, str, str]] = {}
    texts = []
    for identifier, name, latitude, longitude, status, category, rated in ordered:
        kind = scale.get((status, category))
        if kind is None:
            position, label = kinds(status, category)
            kind = scale[status, category] = (
                min(position, SIZE - 1),
                write(f"{label}, ")[1:-1],
                f", {_STATUS[status]}",
            )
        power, position = show_power(rated), kind[0] + SIZE * bisect_right(_SIZES, rated)
        if longest > 0:
            title = write(name if len(name) <= longest else f"{name[: longest - 1]}…")
            detail = f"{kind[1]}{power}{kind[2]}" if detailed else power
        else:
            title, detail = f'"{power if longest == 0 else ""}"', ""
        texts.append(form % (longitude, latitude, _encode_identifier(identifier), position, title, detail))
    return texts


_POINT = (
    '{"type":"Feature","geometry":{"type":"Point","coordinates":[%.#f,%.#f]},'
    '"properties":{"i":"%s","k":%d,"t":%s,"d":"%s"}}'
)
_SIZES = [step * 100 for step in SIZE_STEPS_KW]
_TOP = {str(status): place for place, status in enumerate(ON_TOP, 1)}


def _encode_identifier(identifier: UUID | str) -> str:
    """An asset's identifier in 22 signs."""
    text = identifier if isinstance(identifier, str) else identifier.hex
    return b2a_base64(bytes.fromhex(text), newline=False)[:22].decode()


def asset_of(short: str) -> UUID:
    """The asset that a point of a tile stands for. Raises ValueError for anything else."""
    return UUID(bytes=b64decode(f"{short}==", validate=True))


_STATUS = {str(status): label for status, label in STATUS_LABELS.items()}


def _collection(features: Sequence[str]) -> bytes:
    """A feature collection. The first feature is empty: the map takes a click on the first of a tile for one of another."""
    empty = '{"type":"Feature","geometry":null,"properties":{}}'
    return f'{{"type":"FeatureCollection","features":[{",".join([empty, *features])}]}}'.encode()
