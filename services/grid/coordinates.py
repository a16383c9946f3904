"""National Grid (EPSG:27700) to WGS84 and back, the same on every machine and without a grid file.

The transformation is the seven-parameter one of EPSG operation 1314, written out: left to itself PROJ takes whichever
is the best that the machine has, and a position would depend on where the register runs. It is the one that DNOs'
published latitudes and longitudes come from (median difference 0.2 m); docs/geography.md says how far it is from OSTN15.
"""

from functools import cache
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

_NATIONAL_GRID_TO_WGS84 = (
    "+proj=pipeline "
    "+step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy "
    "+step +proj=push +v_3 +step +proj=cart +ellps=airy "
    "+step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489 "
    "+convention=position_vector "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 "
    "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
)

SOUTH, NORTH, WEST, EAST = 49.8, 61.0, -8.7, 1.9
"""The bounding box of Great Britain (data definitions, Latitude and Longitude)."""

Floats = NDArray[np.float64]


class Position(NamedTuple):
    """Decimal degrees, WGS84."""

    lat: float
    lon: float


class GridPosition(NamedTuple):
    """Metres, EPSG:27700."""

    easting: float
    northing: float


@cache
def _transformer() -> Transformer:
    return Transformer.from_pipeline(_NATIONAL_GRID_TO_WGS84)


def to_wgs84_many(eastings: ArrayLike, northings: ArrayLike) -> tuple[Floats, Floats]:
    """(latitudes, longitudes), 6 decimals, of metres in EPSG:27700; NaN where either is missing or can't be converted.

    Takes numpy arrays, Polars series (nulls included), lists.
    """
    longitudes, latitudes = _transformer().transform(_floats(eastings), _floats(northings))
    return _finite(latitudes, longitudes, 6)


def to_national_grid_many(latitudes: ArrayLike, longitudes: ArrayLike) -> tuple[Floats, Floats]:
    """(eastings, northings) in metres, 2 decimals; NaN where either is missing or can't be converted."""
    transformer = _transformer()
    eastings, northings = transformer.transform(_floats(longitudes), _floats(latitudes), direction="INVERSE")
    return _finite(eastings, northings, 2)


def to_wgs84(easting: float, northing: float) -> Position:
    """Metres in EPSG:27700 as degrees. ValueError for what is no place on Earth; a place abroad is converted."""
    latitudes, longitudes = to_wgs84_many([easting], [northing])
    return Position(*_single(latitudes, longitudes, f"Easting {easting}, northing {northing}"))


def to_national_grid(lat: float, lon: float) -> GridPosition:
    """Degrees as metres in EPSG:27700. ValueError for what can't be converted; a place abroad is."""
    eastings, northings = to_national_grid_many([lat], [lon])
    return GridPosition(*_single(eastings, northings, f"Latitude {lat}, longitude {lon}"))


def in_great_britain(lat: float, lon: float) -> bool:
    """Tell whether a position is in the bounding box that the data definitions give for Great Britain."""
    return SOUTH <= lat <= NORTH and WEST <= lon <= EAST


def _floats(values: ArrayLike) -> Floats:
    return np.array(values, dtype=np.float64, copy=True).ravel()


def _finite(first: ArrayLike, second: ArrayLike, decimals: int) -> tuple[Floats, Floats]:
    """PROJ says inf for what it can't convert; a pair is known or unknown as a whole."""
    eastings, northings = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    finite = np.isfinite(eastings) & np.isfinite(northings)
    return np.where(finite, eastings.round(decimals), np.nan), np.where(finite, northings.round(decimals), np.nan)


def _single(first: Floats, second: Floats, what: str) -> tuple[float, float]:
    pair = float(first[0]), float(second[0])
    if not all(map(isfinite, pair)):
        raise ValueError(f"{what} is no position that can be converted.")
    return pair
