"""The rules on how an asset is connected and where it is."""

import polars as pl

from services.assets.rules.builders import (
    CONNECTED,
    COORDINATE_HINTS,
    MPAN_HINTS,
    ROUNDED,
    WARNING,
    by_service,
    code_rules,
    missing,
    needed,
    readable,
)
from services.assets.rules.prepare import MPAN_TERMS, value
from services.assets.rules.schemas import CORE
from services.core.rules import Rule
from services.grid.coordinates import EAST, NORTH, SOUTH, WEST
from services.grid.distributors import DISTRIBUTORS

IDNO_IDS = [distributor.id for distributor in DISTRIBUTORS if distributor.is_idno]
LATITUDES, LONGITUDES = (SOUTH, NORTH), (WEST, EAST)
EASTINGS, NORTHINGS = (0, 700_000), (0, 1_300_000)


def _own_network(term: str) -> pl.Expr:
    """Condition: the MPAN, where it is sound and tells its DNO, tells the one that is declared."""
    declared = pl.col("DNOConnection") == pl.col(f"dno:{term}")
    return declared.fill_null(True) | pl.col(f"sound:{term}").not_().fill_null(True)


# An IDNO's MPAN doesn't tell its host network (Elexon's market domain data): "host DNO unknown" is no error.
_MPANS = [pl.col(term) for term in MPAN_TERMS]
NO_MPAN = pl.all_horizontal(mpan.is_null() for mpan in _MPANS)
HOST_UNKNOWN = NO_MPAN.not_() & pl.all_horizontal(
    pl.col(term).is_null() | value(term).str.head(2).is_in(IDNO_IDS).fill_null(False) for term in MPAN_TERMS
)

MPANS = [
    readable(
        "MPAN-01",
        "ImportMPAN",
        "13 digits, or the 21 digits of a bill",
        "{given} isn't an MPAN of 13 or 21 digits.",
        MPAN_HINTS,
    ),
    Rule(
        "MPAN-02",
        "ImportMPAN",
        "13 digits whose last one fits the others",
        "The last digit of {given} doesn't fit the others. One of the digits is wrong.",
        pl.col("sound:ImportMPAN"),
        hints=(ROUNDED,),
    ),
    needed("MPAN-03", "ImportMPAN"),
    readable(
        "MPAN-04",
        "ExportMPAN",
        "13 digits, or the 21 digits of a bill",
        "{given} isn't an MPAN of 13 or 21 digits.",
        MPAN_HINTS,
    ),
    Rule(
        "MPAN-05",
        "ExportMPAN",
        "13 digits whose last one fits the others",
        "The last digit of {given} doesn't fit the others. One of the digits is wrong.",
        pl.col("sound:ExportMPAN"),
        hints=(ROUNDED,),
    ),
    needed("MPAN-06", "ExportMPAN"),
    Rule(
        "MPAN-07",
        "ImportMPAN",
        "An import or an export MPAN",
        "This category needs at least one of import MPAN and export MPAN.",
        pl.any_horizontal(pl.col("ImportMPAN", "ExportMPAN").is_not_null()) | pl.col("needs_mpan").not_(),
    ),
    Rule(
        "MPAN-08",
        "ExportMPAN",
        "Another number than the import MPAN",
        "The import and the export MPAN are both {given}; they must differ.",
        value("ImportMPAN") != value("ExportMPAN"),
    ),
    by_service(
        "MPAN-09",
        "ImportMPAN",
        "An MPAN that no other organisation uses, or a justification",
        "The MPAN {given} is registered under another organisation. Say why it is right here too.",
        WARNING,
    ),
]
CONNECTION = [
    missing("CONN-01", "ConnectionStatus"),
    *code_rules("CONN-02", "CONN-03", "CODE-04", "ConnectionStatus"),
    missing("CONN-04", "ConnectionType"),
    *code_rules("CONN-05", "CONN-06", "CODE-05", "ConnectionType"),
    *code_rules("DNO-01", "DNO-02", "CODE-06", "DNOConnection"),
    Rule(
        "DNO-03",
        "DNOConnection",
        "A licence area, with any MPAN but an IDNO's",
        "An MPAN is given, so its distribution network is needed.",
        pl.col("DNOConnection").is_not_null() | NO_MPAN | HOST_UNKNOWN,
    ),
    Rule(
        "DNO-04",
        "DNOConnection",
        "A licence area, when connected (unless the MPAN is an IDNO's)",
        "A connected asset needs its distribution network.",
        pl.col("DNOConnection").is_not_null() | CONNECTED.not_() | HOST_UNKNOWN,
    ),
    Rule(
        "DNO-05",
        "DNOConnection",
        "The network of the MPAN, or a justification",
        "The MPAN belongs to another distribution network than {given}.",
        pl.all_horizontal(_own_network(term) for term in MPAN_TERMS) | pl.col("known:DNOConnection").not_(),
        severity=WARNING,
    ),
    needed("DNO-06", "DNOConnection"),
]


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
    *(needed(code, term) for code, term in [("POS-14", "Latitude"), ("POS-15", "Longitude"), ("POS-16", "Postcode")]),
]
