"""A map tile as GeoJSON: few bytes, no feature without what the tooltip needs, bounded whatever is in it.

Properties are short, since each stands in every feature: `t` and `d` are the two lines of the tooltip, `k` the place of
the colour in its scale, and for an asset 32 times the place of its size as well; an asset has `i` (its identifier, see
`asset_of`), a hexagon `h` (its cell).
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import h3.api.basic_int as h3

from models.assets import STATUS_LABELS, AssetStatus
from services.assets.counted import CellCount
from services.assets.tile_queries import Point

MOST_BYTES = 300_000
_ROOM = 297_000
LONGEST_NAME, BRIEF_NAME = 80, 24
SIZE = 32
CAPACITY_STEPS_KW = (100, 1_000, 10_000, 50_000, 200_000, 1_000_000)
"""Where one colour of capacity ends and the next begins, in kW of all assets of a hexagon or group."""
COUNT_STEPS = (2, 10, 50, 250, 1_000, 5_000)
"""Likewise for numbers of assets."""
SIZE_STEPS_KW = (50, 250, 1_000, 5_000, 20_000)
"""Where one size of point ends and the next begins, in kW of one asset."""
RADII = (3, 4, 5, 7, 9, 12)
"""The radius of points in pixels, one more than there are steps."""
ON_TOP = (AssetStatus.VERIFIED, AssetStatus.PENDING_VALIDATION, AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.QUERY)
"""Drawn one over the other: what somebody has to act on lies on top."""


def step_of(value: float, steps: Sequence[int]) -> int:
    """The place of a value in a scale: 0 below the first step, as many as there are steps from the last one on."""
    return sum(value >= step for step in steps)


def show_power(hundredths: int) -> str:
    """Power (hundredths of a kW) as it is read: kW below 1 MW, MW from there on."""
    kilowatts = Decimal(hundredths) / 100
    return f"{kilowatts:,.2f} kW" if kilowatts < 1000 else f"{kilowatts / 1000:,.2f} MW"


def decimals_at(zoom: int) -> int:
    """Decimals of a degree that a tile's coordinates need: far less than a pixel each, five (about a metre) at most."""
    return 3 if zoom <= 8 else 4 if zoom <= 11 else 5


def hexagons(counts: Sequence[CellCount], zoom: int, by_capacity: bool) -> bytes:
    """Hexagons with how many assets and how much capacity are in them."""
    places = decimals_at(zoom)
    written = []
    for cell, assets, rated in counts:
        ring = [f"[{lon:.{places}f},{lat:.{places}f}]" for lat, lon in h3.cell_to_boundary(cell)]
        step = step_of(rated / 100, CAPACITY_STEPS_KW) if by_capacity else step_of(assets, COUNT_STEPS)
        title = f"{assets:,} {'asset' if assets == 1 else 'assets'}"
        written.append(
            f'{{"type":"Feature","geometry":{{"type":"Polygon","coordinates":[[{",".join([*ring, ring[0]])}]]}},'
            f'"properties":{{"h":"{cell:x}","k":{step},"t":"{title}","d":"{show_power(rated)} rated"}}}}'
        )
    return _collection(written)


def points(found: Sequence[Point], zoom: int, colour_of: Callable[[Point], int], labels: Mapping[str, str]) -> bytes:
    """Assets as points. In a crowded tile names are cut, and nothing but the capacity stands under them."""
    top = {str(status): place for place, status in enumerate(ON_TOP, 1)}
    ordered = sorted(found, key=lambda point: top.get(point.status, 0))
    places = decimals_at(zoom)
    heads = [
        f'{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{one.longitude:.{places}f},'
        f'{one.latitude:.{places}f}]}},"properties":{{"i":"{_short(one.id)}",'
        f'"k":{min(colour_of(one), SIZE - 1) + SIZE * step_of(one.rated / 100, SIZE_STEPS_KW)},"t":'
        for one in ordered
    ]
    spare = _ROOM - sum(map(len, heads))
    words = [
        (one.name, f"{labels.get(one.category, one.category)}, {show_power(one.rated)}, {_STATUS[one.status]}")
        for one in ordered
    ]
    brief = [(one.name, show_power(one.rated)) for one in ordered]
    texts = _fitting(words, spare, LONGEST_NAME) or _fitting(brief, spare, BRIEF_NAME)
    texts = texts or _fitting([(power, "") for _name, power in brief], spare, LONGEST_NAME)
    texts = texts or ['"","d":""}}'] * len(ordered)
    return _collection([head + text for head, text in zip(heads, texts, strict=True)])


def _short(identifier: UUID | str) -> str:
    """An asset's identifier in 22 signs."""
    given = identifier if isinstance(identifier, str) else identifier.hex
    return urlsafe_b64encode(bytes.fromhex(given))[:22].decode()


def asset_of(short: str) -> UUID:
    """The asset that a point of a tile stands for. Raises ValueError for anything else."""
    return UUID(bytes=urlsafe_b64decode(f"{short}=="))


_STATUS = {str(status): label for status, label in STATUS_LABELS.items()}


def _fitting(words: Sequence[tuple[str, str]], spare: int, longest: int) -> list[str] | None:
    """Both lines of each tooltip as JSON, names cut to `longest` characters; None when they take more than `spare` bytes."""
    write = json.encoder.encode_basestring
    texts = [
        f'{write(name if len(name) <= longest else name[: longest - 1] + "…")},"d":{write(detail)}}}}}'
        for name, detail in words
    ]
    return texts if sum(len(text.encode()) + 1 for text in texts) <= spare else None


def _collection(written: Sequence[str]) -> bytes:
    """A feature collection. The first feature is empty: the map takes a click on the first of a tile for one of another."""
    empty = '{"type":"Feature","geometry":null,"properties":{}}'
    return f'{{"type":"FeatureCollection","features":[{",".join([empty, *written])}]}}'.encode()
