"""Positions that look wrong, with the likely cause; and made-up ones that look right, for demo data."""

from collections.abc import Iterator
from functools import cache
from math import isfinite

import numpy as np
import shapely
from pyproj import Transformer

from services.grid.areas import AREA_TOLERANCE_M, distance_to_area, group_area, gsp_group_at, shared_regions
from services.grid.coordinates import Floats, GridPosition, in_great_britain, to_national_grid, to_wgs84, to_wgs84_many
from services.grid.distributors import distributor_by_dno, dno_of_gsp_group, gsp_group_name
from services.grid.outcodes import outcodes

MAN_EASTINGS, MAN_NORTHINGS = (212_000, 251_000), (463_000, 506_000)
"""The box (metres, EPSG:27700) in which nothing but the Isle of Man and the sea around it lies."""
_KILOMETRE_M = 1_000
_INLAND_M = 1_000
_JITTER_M = 1_800

_SCALES = (
    (1, 0.1, "the northing is ten times too large"),
    (1, 10, "the northing is ten times too small"),
    (0.1, 1, "the easting is ten times too large"),
    (10, 1, "the easting is ten times too small"),
    (0.1, 0.1, "both coordinates are ten times too large"),
    (10, 10, "both coordinates are ten times too small"),
    (1_000, 1_000, "they are given in kilometres instead of metres"),
    (0.001, 0.001, "they are given in millimetres instead of metres"),
)
_DEGREES = (
    (True, "latitude and longitude are given as easting and northing"),
    (False, "longitude and latitude are given as easting and northing"),
)


def likely_position_error(easting: float, northing: float, dno_code: str | None) -> str | None:
    """Why a position (metres, EPSG:27700) is outside its stated licence area; None when it is inside or within 2 km.

    Without a DNOCode, or with one that has no area (an IDNO), anywhere in Great Britain will do. Names the most likely
    cause (ECR files: northing ten times too large, axes swapped, kilometres, degrees, another area); nothing is moved,
    because the person who knows the site has to say which it is.
    """
    distributor = distributor_by_dno(dno_code) if dno_code else None
    area = dno_code if distributor and not distributor.is_idno else None
    if not (isfinite(easting) and isfinite(northing)) or (easting == 0 and northing == 0):
        return "No position is stated: the coordinates are empty or zero."
    position = GridPosition(easting, northing)
    if _fits(position, area):
        return None
    if on_isle_of_man(easting, northing):
        return "The position is on the Isle of Man, outside the networks of Great Britain."
    place = f"the {distributor.name} area" if distributor and area else "Great Britain"
    for cause, candidate in _candidates(position):
        if _fits(candidate, area):
            return (
                f"Outside {place}. Likely cause: {cause}; easting {candidate.easting:.0f}, northing "
                f"{candidate.northing:.0f} would be inside."
            )
    return f"Outside {place}. {_where_it_is(position, area)}"


def on_isle_of_man(easting: float, northing: float) -> bool:
    """Tell whether a position (metres, EPSG:27700) is on the Isle of Man or in the sea around it."""
    return MAN_EASTINGS[0] <= easting <= MAN_EASTINGS[1] and MAN_NORTHINGS[0] <= northing <= MAN_NORTHINGS[1]


def _fits(position: GridPosition, dno_code: str | None) -> bool:
    if dno_code:
        return distance_to_area(position, dno_code) <= AREA_TOLERANCE_M
    return _group(position) is not None


def _group(position: GridPosition) -> str | None:
    try:
        place = to_wgs84(*position)
    except ValueError:
        return None
    return gsp_group_at(*place) if in_great_britain(*place) else None


def _candidates(position: GridPosition) -> Iterator[tuple[str, GridPosition]]:
    """The position as it would be, had each mistake not been made; the most common mistake first."""
    easting, northing = position
    for latitude_first, cause in _DEGREES:
        lat, lon = position if latitude_first else (northing, easting)
        if in_great_britain(lat, lon):
            yield cause, to_national_grid(lat, lon)
    yield "easting and northing are swapped", GridPosition(northing, easting)
    for x, y, cause in _SCALES:
        yield cause, GridPosition(easting * x, northing * y)
    lon, lat = _web_mercator().transform(easting, northing)
    if isfinite(lat) and isfinite(lon) and in_great_britain(lat, lon):
        yield "the coordinates are Web Mercator (EPSG:3857), not National Grid", to_national_grid(lat, lon)


def _where_it_is(position: GridPosition, dno_code: str | None) -> str:
    """The finding when no slip explains it: rounded, another area, or no area at all."""
    whole_kilometres = all(value % _KILOMETRE_M in (0, _KILOMETRE_M / 2) for value in position)
    distance = distance_to_area(position, dno_code) if dno_code else None
    if whole_kilometres and distance is not None and distance <= AREA_TOLERANCE_M + _KILOMETRE_M:
        return f"Likely cause: the coordinates are rounded to 1 km; the area is {distance / 1000:.1f} km away."
    group = _group(position)
    if group is None:
        return "The position is at sea or abroad: check both coordinates."
    return (
        f"It lies in {gsp_group_name(group)} ({dno_of_gsp_group(group)}): check the licence area, then the coordinates."
    )


@cache
def _web_mercator() -> Transformer:
    return Transformer.from_crs(3857, 4326, always_xy=True)


def land_points(gsp_group: str, n: int, seed: int) -> list[tuple[float, float]]:
    """`n` made-up positions (lat, lon, 6 decimals) on land in a GSP group, more of them where more postcodes are.

    The same arguments give the same points. They keep 1 km off coast and borders, and out of GSP regions that feed two
    groups, so that no reader of a finer map finds one in the sea or with the neighbour. KeyError for an unknown group.
    """
    eastings, northings, weights = _populated_places(gsp_group)
    area = _inland(gsp_group)
    random = np.random.default_rng([seed, *gsp_group.encode()])
    points_on_land = np.empty((0, 2))
    while len(points_on_land) < n:
        batch = 2 * (n - len(points_on_land)) + 16
        parts = random.choice(len(weights), size=batch, p=weights)
        centres = np.column_stack([eastings[parts], northings[parts]])
        points = centres + random.normal(0, _JITTER_M, size=(batch, 2))
        points_on_land = np.vstack([points_on_land, points[shapely.contains_xy(area, points[:, 0], points[:, 1])]])
    lats, lons = to_wgs84_many(points_on_land[:n, 0], points_on_land[:n, 1])
    return list(zip(lats.tolist(), lons.tolist(), strict=True))


@cache
def _inland(gsp_group: str) -> shapely.Geometry:
    own = shapely.difference(group_area(gsp_group), shapely.union_all(shared_regions().areas))
    inland = own.buffer(-_INLAND_M)
    shapely.prepare(inland)
    return inland


@cache
def _populated_places(gsp_group: str) -> tuple[Floats, Floats, Floats]:
    """Centres (metres) of the outward codes in the group's inland part, with weights that add up to 1."""
    table = outcodes()
    inside = shapely.contains_xy(_inland(gsp_group), table.eastings, table.northings)
    weights = table.postcodes[inside]
    return table.eastings[inside], table.northings[inside], weights / weights.sum()
