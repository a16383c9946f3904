"""Positions: National Grid metres and, where given, the latitude and longitude beside them."""

import numpy as np
import polars as pl

from services.assets.sources.cells import with_numbers
from services.assets.sources.notes import Notes
from services.grid.coordinates import EAST, NORTH, SOUTH, WEST
from services.grid.geography import (
    LICENCE_AREAS,
    gsp_groups_at,
    likely_position_error,
    to_national_grid_many,
    to_wgs84_many,
)

DISAGREEMENT_M = 100.0
"""Two positions of one row further apart than this are noted."""
_EARTH_RADIUS_M = 6_371_008.8
_FIELDS = ("easting", "northing", "latitude", "longitude")


def distance_m(
    lat: float | np.ndarray, lon: float | np.ndarray, other_lat: float | np.ndarray, other_lon: float | np.ndarray
) -> np.ndarray:
    """Great-circle distance in metres between positions in WGS84 degrees; NaN where one is missing."""
    lat1, lon1, lat2, lon2 = (
        np.radians(np.asarray(value, dtype=np.float64)) for value in (lat, lon, other_lat, other_lon)
    )
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * np.arcsin(np.sqrt(half))


def with_positions(frame: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Reads the four coordinates, converts metres to degrees where there are none, notes what doesn't hold together.

    A position is kept as given, however odd: it is a finding for people, never moved silently.
    """
    frame = _read(frame, notes)
    latitudes, longitudes = to_wgs84_many(frame["easting"], frame["northing"])
    given_lat, given_lon = (frame[field].cast(pl.Float64).to_numpy() for field in ("latitude", "longitude"))
    frame = frame.with_columns(
        pl.Series("apart", distance_m(given_lat, given_lon, latitudes, longitudes)).fill_nan(None),
        pl.Series("grid_latitude", latitudes).fill_nan(None),
        pl.Series("grid_longitude", longitudes).fill_nan(None),
    )
    metres = pl.col("apart").round(0).cast(pl.Int64)
    message = pl.format("{} m from the eastings and northings of the row: both kept.", metres)
    notes.add(frame, pl.col("apart") > DISAGREEMENT_M, "latitude", "COORDINATES_DISAGREE", message)
    # What lies abroad is a slip in the metres: it stays there to be seen, and gives no position to work with.
    home = _at_home(pl.col("grid_latitude"), pl.col("grid_longitude"))
    return frame.with_columns(
        pl.coalesce("latitude", pl.when(home).then("grid_latitude")).alias("latitude"),
        pl.coalesce("longitude", pl.when(home).then("grid_longitude")).alias("longitude"),
    )


def _at_home(latitude: pl.Expr, longitude: pl.Expr) -> pl.Expr:
    """Tell whether a position is in the bounding box of Great Britain; false where it is none."""
    return (latitude.is_between(SOUTH, NORTH) & longitude.is_between(WEST, EAST)).fill_null(False)


def _read(texts: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The four coordinates as numbers; a pair is known or unknown as a whole."""
    frame = texts
    for field in _FIELDS:
        # Metres have six digits, degrees one or two before the point: a lone comma can be but one of the two.
        frame = with_numbers(frame, field, notes, lone_group="thousands" if "ing" in field else "decimal")
    for pair in (("easting", "northing"), ("longitude", "latitude")):
        is_zero = pl.all_horizontal(pl.col(pair) == 0).fill_null(False)
        incomplete = pl.any_horizontal(pl.col(pair).is_null())
        for field in pair:
            notes.add(frame, is_zero, field, "COORDINATE_ZERO", "0, 0 is no place: read as not known.")
            is_single = incomplete & pl.col(field).is_not_null()
            notes.add(
                frame, is_single, field, "COORDINATE_ALONE", "The other coordinate is missing: read as not known."
            )
        frame = frame.with_columns(pl.when(~is_zero & ~incomplete).then(pl.col(field)).alias(field) for field in pair)
    return frame


def unread_metres(field: str) -> pl.Expr:
    """The easting or northing of a row that has no position to work with, as text: what is no number, or lies abroad."""
    plain = pl.col(field).cast(pl.String).str.strip_suffix(".0")
    return pl.when(pl.col("latitude").is_null()).then(pl.coalesce(plain, f"unread_{field}"))


def note_outside(frame: pl.DataFrame, checked: pl.Expr, notes: Notes) -> None:
    """Note every position outside the stated licence area (`dno_code`; null: outside Great Britain), with the likely
    cause named. `checked` leaves out rows that are meant to be elsewhere, such as offshore wind farms.
    """
    groups = {area.code: area.gsp_group for area in LICENCE_AREAS if area.code}
    eastings, northings = to_national_grid_many(frame["latitude"], frame["longitude"])
    placed = frame.with_columns(
        x=pl.coalesce("easting", pl.Series(eastings).fill_nan(None)),
        y=pl.coalesce("northing", pl.Series(northings).fill_nan(None)),
        at=pl.Series(gsp_groups_at(frame["latitude"], frame["longitude"]), dtype=pl.String),
        metres_abroad=pl.col("easting").is_not_null() & ~_at_home(pl.col("grid_latitude"), pl.col("grid_longitude")),
        stated=pl.col("dno_code").replace_strict(groups, default=None, return_dtype=pl.String),
    )
    inside = (
        pl.when(pl.col("stated").is_null()).then(pl.col("at").is_not_null()).otherwise(pl.col("at") == pl.col("stated"))
    )
    doubtful = placed.filter(checked & pl.col("x").is_not_null() & (~inside.fill_null(False) | pl.col("metres_abroad")))
    # Borders are coarse: whoever is near one is asked about singly.
    causes = [likely_position_error(x, y, dno) for x, y, dno in doubtful.select("x", "y", "dno_code").iter_rows()]
    outside = doubtful.with_columns(cause=pl.Series(causes, dtype=pl.String))
    field = "easting" if outside["given_easting"].null_count() < outside.height else "latitude"
    original = pl.concat_str(
        [pl.coalesce("given_easting", "given_longitude"), pl.coalesce("given_northing", "given_latitude")],
        separator=", ",
    )
    notes.add(outside, pl.col("cause").is_not_null(), field, "POSITION_OUTSIDE_AREA", pl.col("cause"), original)


def rounded_to_km(frame: pl.DataFrame) -> bool:
    """True where all positions of a file stand on whole kilometres, as some publishers round them (eastings as numbers)."""
    placed = frame.filter(pl.col("easting").is_not_null() & pl.col("northing").is_not_null())
    return placed.height > 0 and placed.select(on_whole_kilometres().all()).item()


def on_whole_kilometres() -> pl.Expr:
    """Tell whether the eastings and northings of a row are rounded to 1 km; null where there are none."""
    return (pl.col("easting") % 1000 == 0) & (pl.col("northing") % 1000 == 0)
