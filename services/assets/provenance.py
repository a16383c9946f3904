"""Where each attribute of an asset comes from: declared, worked out, confirmed or contradicted by a source (UC-02.01)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.assets import CHECK_SOURCE_LABELS, Asset, AssetCheck, CheckOutcome
from services.assets.check_judging import POSITION
from services.assets.check_records import newest_checks
from services.assets.recording import STORED_TERMS
from services.core.actor import Actor
from services.core.comparison import Outcome
from services.core.ledger.reading import changes_since
from services.core.operation import operation
from services.core.visibility import see


class Origin(StrEnum):
    """Where the value of an attribute comes from, and how it stands up."""

    DECLARED = "DECLARED"
    DERIVED = "DERIVED"
    VERIFIED = "VERIFIED"
    SETTLED = "SETTLED"
    DIFFERS = "DIFFERS"


ORIGIN_LABELS: dict[Origin, str] = {
    Origin.DECLARED: "Declared",
    Origin.DERIVED: "Worked out by the register",
    Origin.VERIFIED: "Verified",
    Origin.SETTLED: "Differs, settled by the operator",
    Origin.DIFFERS: "Differs",
}
_WEIGHT = list(Origin)
"""The later one tells when sources disagree: a difference is never hidden behind another source's agreement."""
_ANSWERED = (CheckOutcome.AGREES, CheckOutcome.DIFFERS, CheckOutcome.SETTLED, CheckOutcome.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Provenance:
    """One attribute: its value, where it comes from, which sources said so and when, and what they say where they differ."""

    term: str
    value: Any
    origin: Origin
    source: str | None = None
    at: datetime | None = None
    theirs: str | None = None
    message: str | None = None


@operation("UC-02.01", permission="asset.read", writes=False)
def provenance_of(actor: Actor, asset_id: UUID) -> dict[str, Provenance]:
    """Every attribute of an asset by ontology term, category attributes under their own names.

    A field that changed after it was checked is declared again. NotFound when the actor may not see the asset.
    """
    asset = see(Asset, actor, asset_id)
    found = {
        term: Provenance(term, value, Origin.DERIVED if term in asset.derived_terms else Origin.DECLARED)
        for term, value in _values(asset).items()
    }
    found["PositionSource"] = Provenance("PositionSource", asset.position_source, Origin.DERIVED)
    for check in newest_checks([asset.id], answered=True).get(asset.id, []):
        changed = changes_since(asset, check.asset_version)
        for said in _said_by(check):
            if STORED_TERMS[said.term] not in changed:
                found[said.term] = _heavier(found[said.term], said)
    return found


def _heavier(known: Provenance, said: Provenance) -> Provenance:
    """What tells of the two; sources that agree are named together."""
    if said.origin is known.origin is Origin.VERIFIED:
        return replace(known, source=f"{known.source}; {said.source}", at=said.at)
    if _WEIGHT.index(said.origin) <= _WEIGHT.index(known.origin):
        return known
    return replace(said, value=known.value)


def _values(asset: Asset) -> dict[str, Any]:
    core = {term: getattr(asset, column) for term, column in STORED_TERMS.items() if term != "CategoryAttributes"}
    return core | asset.category_attributes


def _said_by(check: AssetCheck) -> Iterable[Provenance]:
    """What one answered check says of single terms."""
    if check.outcome not in _ANSWERED:
        return
    source = check.source_name or CHECK_SOURCE_LABELS[check.source]
    for row in check.comparisons:
        origin = _origin(row)
        if origin is None:
            continue
        terms = ("Latitude", "Longitude") if row["field"] == POSITION else (row["field"],)
        for term in terms:
            if term in STORED_TERMS:
                message = row.get("reason") if origin is Origin.SETTLED else row["message"]
                yield Provenance(term, None, origin, source, check.completed_at, row["theirs"], message)


def _origin(row: dict[str, Any]) -> Origin | None:
    if row["outcome"] == Outcome.AGREES:
        return Origin.VERIFIED
    if row["outcome"] == Outcome.DIFFERS:
        return Origin.SETTLED if "settled_as" in row else Origin.DIFFERS
    return None
