"""Position of an asset: its rules (POS), and where it is taken from: degrees, National Grid metres, or the postcode.

Adds to the prepared frame the position taken, ``at:Latitude`` and ``at:Longitude``, ``PositionSource`` (declared, eastings,
postcode or null), ``position_inside`` (a conversion that leaves Great Britain is false), and how far it is, in km, from what
else says where the asset is: ``km:Postcode`` from the centre of its outward code (``reach``: how far its sites may be from
there), ``km:DNOConnection``, ``km:ImportMPAN`` and ``km:ExportMPAN`` from the licence areas, 0 inside. These are null where the
position is no finer than an outward code, or the other side isn't known. ``km:postcode_area`` is from the outward code to the
declared licence area, where there is no finer position.
"""

from collections.abc import Sequence

import polars as pl

from services.assets.rules.builders import COORDINATE_HINTS, WARNING, needed, readable
from services.assets.rules.prepare import MPAN_TERMS, value
from services.assets.rules.schemas import CORE
from services.core.rules import Rule
from services.grid.areas import AREA_TOLERANCE_M
from services.grid.coordinates import EAST, NORTH, SOUTH, WEST, to_wgs84_many
from services.grid.distributors import LICENCE_AREAS
from services.grid.geography import distance_to_area, gsp_groups_at, outcode_position, outcode_reach, to_national_grid
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


def _kilometres(name: str) -> pl.Expr:
    """Text of a distance: whole kilometres from 10 on, tenths below."""
    km = pl.col(f"km:{name}")
    return pl.when(km >= 10).then(km.round(0).cast(pl.Int64).cast(pl.String)).otherwise(km.round(1).cast(pl.String))


def _mpan_area(code: str, term: str) -> Rule:
    return Rule(
        code,
        term,
        "A position in the area of the MPAN, or a justification",
        "The position is {km} km outside the area to which the MPAN {given} belongs. Check the position and the MPAN.",
        pl.col(f"km:{term}") <= AREA_TOLERANCE_KM,
        severity=WARNING,
        values={"km": _kilometres(term)},
    )


AREA_TOLERANCE_KM = AREA_TOLERANCE_M / 1000
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
        "The position is {km} km outside the licence area {given} and its GSP group. Check the position and the network.",
        pl.col("km:DNOConnection") <= AREA_TOLERANCE_KM,
        severity=WARNING,
        values={"km": _kilometres("DNOConnection")},
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
    Rule(
        "POS-18",
        "Postcode",
        "A position near the postcode, or a justification",
        "The position is {km} km from the postcode {given}. Check both: one of them is of another place.",
        pl.col("km:Postcode") <= pl.col("reach"),
        severity=WARNING,
        values={"km": _kilometres("Postcode")},
    ),
    _mpan_area("POS-19", "ImportMPAN"),
    _mpan_area("POS-20", "ExportMPAN"),
    Rule(
        "POS-21",
        "Postcode",
        "A postcode in the licence area, or a justification",
        "The postcode {given} is {km} km outside the licence area of the network. Check the postcode and the network.",
        pl.col("km:postcode_area") <= pl.col("reach"),
        severity=WARNING,
        values={"km": _kilometres("postcode_area")},
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
EXACT = pl.col("PositionSource").is_in(["declared", "eastings"])
FINAL = [_final("Latitude"), _final("Longitude"), EXACT.fill_null(False).alias("exact")]
NO_CONVERSION = [pl.lit(None, dtype=pl.Float64).alias(f"converted:{term}") for term in ("Latitude", "Longitude")]
BY_POSTCODE = ("postcode:Latitude", "postcode:Longitude", "reach")
NO_POSTCODE = [pl.lit(None, dtype=pl.Float64).alias(name) for name in BY_POSTCODE]
KM_A_DEGREE = 111.2


def _apart() -> pl.Expr:
    """Kilometres between an exact position and the centre of its outward code: on a sphere, flat over such a distance."""
    north = (pl.col("at:Latitude") - pl.col("postcode:Latitude")) * KM_A_DEGREE
    middle = ((pl.col("at:Latitude") + pl.col("postcode:Latitude")) / 2).radians()
    east = (pl.col("at:Longitude") - pl.col("postcode:Longitude")) * KM_A_DEGREE * middle.cos()
    return pl.when(pl.col("exact")).then((north.pow(2) + east.pow(2)).sqrt()).alias("km:Postcode")


def add_position(prepared: pl.DataFrame) -> pl.DataFrame:
    """The prepared frame with the position columns, the finest source first."""
    with_sources = prepared.with_columns(*_converted(prepared), *_by_postcode(prepared))
    placed = with_sources.with_columns(PLACED).with_columns(FINAL).with_columns(_apart())
    return placed.with_columns(*_from_areas(placed), _postcode_from_area(placed))


def _converted(frame: pl.DataFrame) -> list[pl.Expr] | list[pl.Series]:
    """Converted positions, where easting and northing are both numbers."""
    eastings, northings = frame["value:Easting"], frame["value:Northing"]
    if eastings.null_count() == frame.height:
        return NO_CONVERSION
    latitudes, longitudes = to_wgs84_many(eastings, northings)
    pairs = (("Latitude", latitudes), ("Longitude", longitudes))
    return [pl.Series(f"converted:{term}", values, nan_to_null=True) for term, values in pairs]


def _by_postcode(frame: pl.DataFrame) -> list[pl.Expr] | list[pl.Series]:
    """The central positions of the outward codes, and their reach in km."""
    postcodes = frame["value:Postcode"]
    if postcodes.null_count() == frame.height:
        return NO_POSTCODE
    codes = postcodes.to_list()
    facts = {code: _outcode_facts(code) for code in set(codes) if code}
    columns = [facts.get(code, NO_FACTS) for code in codes]
    return [pl.Series(name, [row[at] for row in columns], dtype=pl.Float64) for at, name in enumerate(BY_POSTCODE)]


NO_FACTS: tuple[float | None, ...] = (None, None, None)


def _outcode_facts(postcode: str) -> tuple[float | None, ...]:
    position, reach = outcode_position(postcode), outcode_reach(postcode)
    return NO_FACTS if position is None or reach is None else (*position, reach / 1000)


def _from_areas(frame: pl.DataFrame) -> list[pl.Series]:
    """Kilometres of each exact position from the licence areas of its network and of its MPANs, where these are others."""
    rows = frame["exact"].arg_true()
    if not len(rows):
        return [
            pl.Series(f"km:{term}", [None] * frame.height, dtype=pl.Float64) for term in ("DNOConnection", *MPAN_TERMS)
        ]
    latitudes, longitudes = frame["at:Latitude"].gather(rows).to_list(), frame["at:Longitude"].gather(rows).to_list()
    groups = gsp_groups_at(latitudes, longitudes)
    networks = {"DNOConnection": frame["DNOConnection"], **{term: _mpan_networks(frame, term) for term in MPAN_TERMS}}
    columns = []
    for term, column in networks.items():
        distances: list[float | None] = [None] * frame.height
        for row, group, network, *position in zip(
            rows, groups, column.gather(rows), latitudes, longitudes, strict=True
        ):
            if network in GROUP_OF_DNO:
                distances[row] = 0.0 if group == GROUP_OF_DNO[network] else _area_distance(position, network)
        columns.append(pl.Series(f"km:{term}", distances, dtype=pl.Float64))
    return columns


def _mpan_networks(frame: pl.DataFrame, term: str) -> pl.Series:
    """The network that a sound MPAN tells, where it isn't the declared one: that one is judged by itself."""
    other = pl.col(f"sound:{term}") & (pl.col(f"dno:{term}") != pl.col("DNOConnection")).fill_null(True)
    return frame.select(pl.when(other).then(pl.col(f"dno:{term}"))).to_series()


def _postcode_from_area(frame: pl.DataFrame) -> pl.Series:
    """Kilometres from the outward code to the declared licence area, where the position is taken from the postcode."""
    distances: list[float | None] = [None] * frame.height
    results: dict[tuple[float, float, str], float] = {}
    rows = (frame["PositionSource"] == "postcode").fill_null(False).arg_true()
    columns = (frame[name].gather(rows) for name in ("at:Latitude", "at:Longitude", "DNOConnection"))
    for row, latitude, longitude, network in zip(rows, *columns, strict=True):
        if network in GROUP_OF_DNO:
            key = (latitude, longitude, network)
            if key not in results:
                results[key] = _area_distance((latitude, longitude), network)
            distances[row] = results[key]
    return pl.Series("km:postcode_area", distances, dtype=pl.Float64)


def _area_distance(position: Sequence[float], network: str) -> float:
    latitude, longitude = position
    return distance_to_area(to_national_grid(latitude, longitude), network) / 1000
