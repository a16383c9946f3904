"""GSP group and licence area of a position, and the base map: pure functions over data/geography.

The areas come from NESO's GSP regions and are simplified to about 1 km (docs/geography.md), hence the tolerances.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry.base import BaseGeometry

from services.core.settings import ROOT
from services.grid.coordinates import GridPosition, to_national_grid, to_national_grid_many
from services.grid.distributors import LICENCE_AREAS, distributor_by_dno

COAST_TOLERANCE_M = 3_000
"""So far out at sea, or over a simplified bay, a position still belongs to the nearest group."""
AREA_TOLERANCE_M = 2_000
"""So far outside a licence area a position still counts as inside: the borders are about 1 km coarse."""

_FOLDER = ROOT / "data" / "geography"


class BaseMap(NamedTuple):
    """Two GeoJSON feature collections in WGS84, shared by everyone who asks: read, don't change.

    Each feature of `groups` has the properties code, name, dno_code, label_lon, label_lat.
    """

    groups: dict[str, Any]
    coast: dict[str, Any]


Position = tuple[float, ...]
"""Longitude and latitude in degrees WGS84."""


class GroupLabel(NamedTuple):
    """A GSP group and where its name stands on a map."""

    code: str
    name: str
    dno_code: str
    lat: float
    lon: float


class _Shared(NamedTuple):
    """GSP regions that feed two groups: their areas (metres) and, for each, the groups."""

    areas: list[BaseGeometry]
    codes: list[frozenset[str]]


@cache
def base_map_features() -> BaseMap:
    """The 14 GSP groups and the coast of Great Britain, for map pages."""
    return BaseMap(groups=_read("gsp_groups.geojson"), coast=_read("coast.geojson"))


@cache
def group_labels() -> tuple[GroupLabel, ...]:
    """One label for each GSP group, inside its largest piece, in the order of the codes."""
    properties = [feature["properties"] for feature in base_map_features().groups["features"]]
    return tuple(
        GroupLabel(label["code"], label["name"], label["dno_code"], label["label_lat"], label["label_lon"])
        for label in properties
    )


def gsp_groups_at(lats: ArrayLike, lons: ArrayLike) -> list[str | None]:
    """The GSP group of each position (WGS84), None where there is none within 3 km or the position is missing.

    Takes arrays, Polars series, lists; 100,000 positions take well under a second.
    """
    eastings, northings = to_national_grid_many(lats, lons)
    index = np.full(len(eastings), -1)
    places = np.flatnonzero(~np.isnan(eastings))
    points = _points(eastings[places], northings[places])
    area_of, point_of = shapely.STRtree(points).query(list(_areas().values()), predicate="intersects")
    index[places[point_of]] = area_of
    offshore = places[index[places] < 0]
    index[offshore] = _nearest(_points(eastings[offshore], northings[offshore]))
    names: list[str | None] = [*_areas(), None]
    return [names[position] for position in index.tolist()]


def _nearest(points: np.ndarray) -> np.ndarray:
    """For each point the index of the nearest area within the tolerance, else -1.

    Distances are measured only for the few points near a coast: most of the sea is ruled out by a widened outline.
    """
    areas = np.array(list(_areas().values()))
    area_of, point_of = shapely.STRtree(points).query(_widened(), predicate="intersects")
    distance = shapely.distance(areas[area_of], points[point_of])
    nearest_last = np.argsort(-distance, kind="stable")
    index = np.full(len(points), -1)
    index[point_of[nearest_last]] = area_of[nearest_last]
    return index


def gsp_group_at(lat: float, lon: float) -> str | None:
    """The GSP group of a position, or of the nearest land within 3 km; None farther out or for no position at all."""
    return gsp_groups_at([lat], [lon])[0]


def inside_area(lat: float, lon: float, dno_code: str) -> bool:
    """Tell whether a position is in a DNO's licence area or within 2 km of it.

    A GSP region that feeds two areas counts as inside both: which of its sites belongs to which, NESO doesn't publish.
    False for what can't be a position. KeyError for a code that has no area (an IDNO, or unknown).
    """
    try:
        position = to_national_grid(lat, lon)
    except ValueError:
        return False
    return bool(shapely.dwithin(_reach(dno_code), shapely.Point(position), AREA_TOLERANCE_M).any())


def inside_areas(lats: ArrayLike, lons: ArrayLike, dno_codes: Sequence[str | None]) -> list[bool | None]:
    """`inside_area` for many at once; None where the position is missing or the code has no area. Same lengths."""
    eastings, northings = to_national_grid_many(lats, lons)
    located = ~np.isnan(eastings)
    codes = np.array([code or "" for code in dno_codes], dtype=object)
    answers: list[bool | None] = [None] * len(codes)
    for code in {licence_area.code for licence_area in LICENCE_AREAS if licence_area.code} & set(codes):
        rows = np.flatnonzero(located & (codes == code))
        points = _points(eastings[rows], northings[rows])
        inside = np.zeros(len(rows), dtype=bool)
        for area in _reach(code):
            inside |= shapely.dwithin(area, points, AREA_TOLERANCE_M)
        for row, answer in zip(rows.tolist(), inside.tolist(), strict=True):
            answers[row] = answer
    return answers


def distance_to_area(position: GridPosition, dno_code: str) -> float:
    """Metres from a position to a DNO's licence area, 0 inside it or in a GSP region that it shares."""
    return float(np.min(shapely.distance(_reach(dno_code), shapely.Point(position))))


@cache
def _reach(dno_code: str) -> np.ndarray:
    """A DNO's area and the GSP regions that it shares, in metres. KeyError for a code that has no area."""
    distributor = distributor_by_dno(dno_code)
    if distributor is None or distributor.gsp_group is None:
        raise KeyError(dno_code)
    group = distributor.gsp_group
    shared = [area for area, codes in zip(*shared_regions(), strict=True) if group in codes]
    reach = np.array([_areas()[group], *shared])
    shapely.prepare(reach)
    return reach


def group_area(gsp_group: str) -> BaseGeometry:
    """The area of a GSP group in metres (EPSG:27700). KeyError for a group that doesn't exist."""
    return _areas()[gsp_group]


@cache
def shared_regions() -> _Shared:
    """The GSP regions that feed two groups."""
    features = _read("shared_regions.geojson")["features"]
    return _Shared(_in_metres(features), [frozenset(feature["properties"]["codes"]) for feature in features])


@cache
def _areas() -> dict[str, BaseGeometry]:
    features = base_map_features().groups["features"]
    areas = _in_metres(features)
    shapely.prepare(areas)
    return {feature["properties"]["code"]: area for feature, area in zip(features, areas, strict=True)}


@cache
def _widened() -> list[BaseGeometry]:
    """The areas with the tolerance around them."""
    return [area.buffer(COAST_TOLERANCE_M, quad_segs=4) for area in _areas().values()]


def _points(eastings: np.ndarray, northings: np.ndarray) -> np.ndarray:
    points: Any = shapely.points(eastings, northings)  # shapely's types don't tell one point from many
    return np.atleast_1d(points)


def _in_metres(features: Sequence[dict[str, Any]]) -> list[BaseGeometry]:
    def convert(points: np.ndarray) -> np.ndarray:
        return np.column_stack(to_national_grid_many(points[:, 1], points[:, 0]))

    shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features]
    return [shapely.transform(shape, convert) for shape in shapes]


def _read(name: str) -> dict[str, Any]:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))
