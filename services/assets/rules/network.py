"""Rules on how an asset is connected: its MPANs, its network and its connection; where it is: position.py."""

import polars as pl

from services.assets.rules.builders import (
    CONNECTED,
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
from services.core.rules import Rule
from services.grid.distributors import DISTRIBUTORS

IDNO_IDS = [distributor.id for distributor in DISTRIBUTORS if distributor.is_idno]


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
        "Choose the distribution network of the MPAN.",
        pl.col("DNOConnection").is_not_null() | NO_MPAN | HOST_UNKNOWN,
    ),
    Rule(
        "DNO-04",
        "DNOConnection",
        "A licence area, when connected (unless the MPAN is an IDNO's)",
        "Choose the distribution network: the asset is connected.",
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
