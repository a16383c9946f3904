"""Matching of register records with an asset: by MPAN, else by alias, else, weakly, by place and technology."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from services.assets.sources.places import distance_m

NEARBY_M = 1_000
"""A position within this distance agrees: a site has an extent, and its connection point may stand at its edge."""
NEARBY_ROUNDED_M = 2_000
"""The same for a record whose position is rounded to whole kilometres (up to 0.7 km from the true one)."""
_BY_MPAN, _BY_ALIAS, _BY_PLACE = 200, 100, 10


@dataclass(frozen=True, slots=True)
class Match:
    """A record, and how sure it is that it speaks of the asset.

    `score`: 200 or more by MPAN, 100 or more by alias, below by place; what is over the round figure says how well
    category, capacity and position fit, and decides between several records of one meter or place. `weak`: nothing but
    place and technology point to this record, and a neighbour may be meant.
    """

    record: Mapping[str, Any]
    matched_by: str
    score: int
    weak: bool
    message: str


def best_match(asset: Mapping[str, Any], candidates: Iterable[Mapping[str, Any]]) -> Match | None:
    """The candidate that fits best, None when none fits at all; the first of equals."""
    matches = [match for record in candidates if (match := match_score(asset, record)) is not None]
    return max(matches, key=lambda match: match.score, default=None)


def match_score(asset: Mapping[str, Any], record: Mapping[str, Any]) -> Match | None:
    """Score how well a record fits an asset (keys are ontology terms); None when nothing says that they are the same."""
    mpans = {str(asset[term]) for term in ("ImportMPAN", "ExportMPAN") if asset.get(term)}
    recorded = {*_texts(record, "export_mpans"), *_texts(record, "import_mpans")}
    fit = _fit(asset, record)
    if shared := sorted(mpans & recorded):
        return Match(record, "MPAN", _BY_MPAN + fit, False, f"Found by MPAN {shared[0]}.")
    if alias := next((value for value in aliases(asset, record) if value in references(record)), None):
        return Match(record, "alias", _BY_ALIAS + fit, False, f"Found by its {kind_of(record)} reference {alias}.")
    distance = metres_apart(asset, record)
    if distance is None or distance > nearby_m(record) or asset.get("AssetCategory") not in categories(record):
        return None
    message = (
        f"Found by place and technology only, {distance:,.0f} m away: a weak match, and a neighbour may be meant. "
        "An MPAN or a reference would make it sure."
    )
    return Match(record, "position and technology", _BY_PLACE + fit, True, message)


def _fit(asset: Mapping[str, Any], record: Mapping[str, Any]) -> int:
    """0 to 80: category 40, capacity up to 25, position up to 15."""
    points = 40 if asset.get("AssetCategory") in categories(record) else 0
    declared, recorded = decimal(asset.get("RatedCapacity")), decimal(record.get("registered_kw"))
    if declared and recorded:
        points += int(25 * min(declared, recorded) / max(declared, recorded))
    distance = metres_apart(asset, record)
    if distance is not None:
        points += int(15 * max(0.0, 1 - distance / NEARBY_M))
    return points


def kind_of(record: Mapping[str, Any]) -> str:
    """ECR or REPD: as the record says, else by its key."""
    return str(record.get("kind") or ("REPD" if str(record.get("key", "")).startswith("REPD:") else "ECR"))


def categories(record: Mapping[str, Any]) -> Sequence[str]:
    """All categories behind the connection."""
    return _texts(record, "categories") or [text for text in (record.get("category"),) if text]


def references(record: Mapping[str, Any]) -> list[str]:
    """References by which an alias of an asset may name the record."""
    own = [record.get("reference"), record.get("key"), *_texts(record, "other_references")]
    return [str(value) for value in own if value]


def aliases(asset: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """The values of the asset's aliases in the scheme of the record's register."""
    scheme = kind_of(record)
    pairs = ({str(name).lower(): value for name, value in alias.items()} for alias in asset.get("Aliases") or ())
    return [str(pair["value"]).strip() for pair in pairs if pair.get("scheme") == scheme and pair.get("value")]


def metres_apart(asset: Mapping[str, Any], record: Mapping[str, Any]) -> float | None:
    """Metres between the declared and the recorded position; None where one is unknown, or the declared one is only
    that of a postcode (`PositionSource`), which is kilometres off by nature.
    """
    if str(asset.get("PositionSource") or "").upper().startswith(("POSTCODE", "OUTCODE", "OUTWARD")):
        return None
    values = (asset.get("Latitude"), asset.get("Longitude"), record.get("latitude"), record.get("longitude"))
    if any(value is None or value == "" for value in values):
        return None
    return float(distance_m(*(float(str(value)) for value in values)))


def nearby_m(record: Mapping[str, Any]) -> int:
    """Distance in metres that still agrees: larger where the register rounds its positions."""
    metres = [record.get("easting"), record.get("northing")]
    rounded = all(value not in (None, "") and float(str(value)) % 1000 == 0 for value in metres)
    return NEARBY_ROUNDED_M if rounded else NEARBY_M


def decimal(value: object) -> Decimal | None:
    """A number however it was kept (records come back from JSON as text)."""
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _texts(record: Mapping[str, Any], name: str) -> list[str]:
    return [str(value) for value in record.get(name) or ()]
