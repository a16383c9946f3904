"""Position of an asset: its rules (POS), and where it is taken from: degrees, National Grid metres, or the postcode.

Adds to the prepared frame the position taken, ``at:Latitude`` and ``at:Longitude``, ``PositionSource`` (declared, eastings,
postcode or null), ``position_inside`` (a conversion that leaves Great Britain is false) and ``in_licence_area``
(null where the position is no finer than an outward code, or the network isn't known).
"""

import polars as pl

from services.assets.rules.builders import COORDINATE_HINTS, WARNING, needed, readable
from services.assets.rules.prepare import value
from services.assets.rules.schemas import CORE
from services.core.rules import Rule
from services.grid.coordinates import EAST, NORTH, SOUTH, WEST, to_wgs84_many
from services.grid.distributors import LICENCE_AREAS
from services.grid.geography import gsp_groups_at, inside_area, outcode_position
from services.grid.outcodes import ELSEWHERE_PATTERN

LATITUDES, LONGITUDES = (SOUTH, NORTH), (WEST, EAST)
EASTINGS, NORTHINGS = (0, 700_000), (0, 1_300_000)
GROUP_OF_DNO = {area.code: area.gsp_group for area in LICENCE_AREAS if area.code}


def _coordinate(code: str, term: str, example: str) -> Rule:
    return readable(
        code,
        term,
        f"A number such as {example}",
        f"{{given}} isn't a {CORE[term].label.lower()} as a number.",
        COORDINATE_HINTS,
    )


def _between(code: str, term: str, bounds: tuple[float, float], cause: str) -> Rule:
    low, high = bounds
    message = f"{CORE[term].label} {{given}} is outside Great Britain. {cause}"
    return Rule(code, term, f"Between {low} and {high}", message, value(term).is_between(low, high))


def _together(code: str, term: str, other_term: str) -> Rule:
    holds = pl.col(term).is_null() == pl.col(other_term).is_null()
    message = f"{CORE[term].label} and {CORE[other_term].label.lower()} are needed together."
    return Rule(code, term, f"Both {term} and {other_term}, or neither", message, holds)


SWAPPED = "Latitude and longitude may have changed places."
TEN_TIMES = "A position in metres from a table may be ten times too large."
POSITION = [
    _coordinate("POS-01", "Latitude", "52.2053"),
    _between("POS-02", "Latitude", LATITUDES, SWAPPED),
    _coordinate("POS-03", "Longitude", "0.1218"),
    _between("POS-04", "Longitude", LONGITUDES, SWAPPED),
    _together("POS-05", "Latitude", "Longitude"),
    _coordinate("POS-06", "Easting", "545000"),
    _between("POS-07", "Easting", EASTINGS, TEN_TIMES),
    _coordinate("POS-08", "Northing", "258000"),
    _between("POS-09", "Northing", NORTHINGS, TEN_TIMES),
    _together("POS-10", "Easting", "Northing"),
    Rule(
        "POS-11",
        "Easting",
        "A position inside 49.8 to 61.0 N, -8.7 to 1.9 E",
        "Easting {given} with this northing lies outside Great Britain.",
        pl.col("position_inside"),
    ),
    Rule(
        "POS-12",
        "DNOConnection",
        "A position inside the licence area, or a justification",
        "The position lies outside the licence area {given}. Check the position and the network.",
        pl.col("in_licence_area"),
        severity=WARNING,
    ),
    readable("POS-13", "Postcode", "A UK postcode such as CB1 2JD", "{given} isn't a UK postcode."),
    Rule(
        "POS-17",
        "Postcode",
        "A postcode of a place in Great Britain, or a justification",
        "{given} is of no place in Great Britain: BT is Northern Ireland, IM the Isle of Man, JE and GY the Channel Islands, "
        "and BF, BX, XX and ZZ stand for no place.",
        value("Postcode").str.contains(ELSEWHERE_PATTERN).not_(),
        severity=WARNING,
    ),
    *(needed(code, term) for code, term in [("POS-14", "Latitude"), ("POS-15", "Longitude"), ("POS-16", "Postcode")]),
]


def _in_box(latitude: pl.Expr, longitude: pl.Expr) -> pl.Expr:
    return latitude.is_between(SOUTH, NORTH) & longitude.is_between(WEST, EAST)


NO_DEGREES = pl.all_horizontal(pl.col("Latitude", "Longitude").is_null())
NO_METRES = pl.all_horizontal(pl.col("Easting", "Northing").is_null())
CONVERTED_INSIDE = _in_box(pl.col("converted:Latitude"), pl.col("converted:Longitude"))
SOURCE = (
    pl.when(_in_box(value("Latitude"), value("Longitude")))
    .then(pl.lit("declared"))
    .when(NO_DEGREES & CONVERTED_INSIDE)
    .then(pl.lit("eastings"))
    .when(NO_DEGREES & NO_METRES & pl.col("postcode:Latitude").is_not_null())
    .then(pl.lit("postcode"))
)


def _final(term: str) -> pl.Expr:
    """The coordinate from the source that was taken."""
    return (
        pl.when(pl.col("PositionSource") == "declared")
        .then(value(term))
        .when(pl.col("PositionSource") == "eastings")
        .then(pl.col(f"converted:{term}"))
        .when(pl.col("PositionSource") == "postcode")
        .then(pl.col(f"postcode:{term}"))
        .alias(f"at:{term}")
    )


PLACED = [SOURCE.alias("PositionSource"), (CONVERTED_INSIDE | NO_DEGREES.not_()).alias("position_inside")]
FINAL = [
    _final("Latitude"),
    _final("Longitude"),
    (
        pl.col("PositionSource").is_in(["declared", "eastings"]) & pl.col("DNOConnection").is_in(list(GROUP_OF_DNO))
    ).alias("exact"),
]
NO_CONVERSION = [pl.lit(None, dtype=pl.Float64).alias(f"converted:{term}") for term in ("Latitude", "Longitude")]
NO_POSTCODE = [pl.lit(None, dtype=pl.Float64).alias(f"postcode:{term}") for term in ("Latitude", "Longitude")]


def add_position(prepared: pl.DataFrame) -> pl.DataFrame:
    """The prepared frame with the position columns, the finest source first."""
    with_sources = prepared.with_columns(*_converted(prepared), *_by_postcode(prepared))
    placed = with_sources.with_columns(PLACED).with_columns(FINAL)
    return placed.with_columns(_in_licence_area(placed))


def _converted(frame: pl.DataFrame) -> list[pl.Expr] | list[pl.Series]:
    """Converted positions, where easting and northing are both numbers."""
    eastings, northings = frame["value:Easting"], frame["value:Northing"]
    if eastings.null_count() == frame.height:
        return NO_CONVERSION
    latitudes, longitudes = to_wgs84_many(eastings, northings)
    pairs = (("Latitude", latitudes), ("Longitude", longitudes))
    return [pl.Series(f"converted:{term}", values, nan_to_null=True) for term, values in pairs]


def _by_postcode(frame: pl.DataFrame) -> list[pl.Expr] | list[pl.Series]:
    """The central positions of the outward codes."""
    postcodes = frame["value:Postcode"]
    if postcodes.null_count() == frame.height:
        return NO_POSTCODE
    codes = postcodes.to_list()
    position_of_code = {code: outcode_position(code) for code in set(codes) if code}
    positions = [position_of_code.get(code) for code in codes]
    return [
        pl.Series(f"postcode:{term}", [position and position[at] for position in positions], dtype=pl.Float64)
        for at, term in enumerate(("Latitude", "Longitude"))
    ]


def _in_licence_area(frame: pl.DataFrame) -> pl.Series:
    """Licence area test of each exact position: by GSP group for all at once, then the doubtful ones closely."""
    inside: list[bool | None] = [None] * frame.height
    rows = frame["exact"].arg_true()
    if len(rows):
        positions = frame["at:Latitude"].gather(rows), frame["at:Longitude"].gather(rows)
        networks = frame["DNOConnection"].gather(rows)
        groups = gsp_groups_at(*positions)
        for row, group, network, lat, lon in zip(rows, groups, networks, *positions, strict=True):
            inside[row] = group == GROUP_OF_DNO[network] or inside_area(lat, lon, network)
    return pl.Series("in_licence_area", inside, dtype=pl.Boolean)
