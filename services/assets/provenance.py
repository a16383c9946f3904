"""Where each attribute of an asset comes from: declared, worked out, confirmed or contradicted by a source (UC-02.01)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.assets import CHECK_SOURCE_LABELS, Asset, AssetCheck, CheckOutcome, CheckSource
from models.core import LedgerEntry
from services.assets.check_judging import POSITION
from services.assets.check_records import newest_checks
from services.assets.differences import Difference, differences_of
from services.assets.reading import explain_term
from services.assets.recording import STORED_TERMS
from services.core.actor import Actor
from services.core.comparison import Outcome
from services.core.ledger.reading import authors_of, differences, entries
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
class Statement:
    """What one source says of one attribute. `theirs` as the source wrote it; `difference` where it is one that matters."""

    source: CheckSource
    source_name: str
    at: datetime | None
    origin: Origin
    theirs: str | None
    message: str | None
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """One attribute: its value, where it comes from, which sources said so and when, and what they say where they differ.

    `declared_by` and its company tell who gave the value that stands, and when; `how` tells how a derived one came about.
    `source` to `message` are those of the statement that weighs most; `statements` are all of them.
    """

    term: str
    value: Any
    origin: Origin
    source: str | None = None
    at: datetime | None = None
    theirs: str | None = None
    message: str | None = None
    declared_by: str | None = None
    declared_for: str | None = None
    declared_at: datetime | None = None
    how: str | None = None
    statements: Sequence[Statement] = ()


@operation("UC-02.01", permission="asset.read", writes=False)
def provenance_of(actor: Actor, asset_id: UUID) -> dict[str, Provenance]:
    """Every attribute of an asset by ontology term, category attributes under their own names.

    A field that changed after it was checked is declared again. NotFound when the actor may not see the asset.
    """
    asset = see(Asset, actor, asset_id)
    return told_of(asset, newest_checks([asset.id], answered=True).get(asset.id, []))


def told_of(asset: Asset, checks: Sequence[AssetCheck]) -> dict[str, Provenance]:
    """The same inside an operation, for an asset and its answered checks as they stand, or as they stood at a moment."""
    chain = [one for one in entries(Asset.record_type(), asset.id) if one.version <= asset.version]
    states = [json.loads(one.state) for one in chain]
    given = _given(chain, states)
    found = {
        term: _as_given(asset, term, value, given.get(term))
        for term, value in {**_values(asset), **_ours(asset)}.items()
    }
    by_version = {one.version: state for one, state in zip(chain, states, strict=True)}
    for check in checks:
        changed = differences(by_version.get(check.asset_version, {}), by_version.get(asset.version, {}))
        for term, said in _said_by(check):
            if STORED_TERMS[term] not in changed:
                found[term] = _heavier(found[term], said)
    return found


@dataclass(frozen=True, slots=True)
class _Given:
    by: str
    organisation: str | None
    at: datetime


def _given(chain: Sequence[LedgerEntry], states: Sequence[Mapping[str, Any]]) -> dict[str, _Given]:
    """Who gave each term the value that stands: the last entry in which it changed."""
    people, bodies = authors_of(chain)
    found: dict[str, _Given] = {}
    before: Mapping[str, Any] = {}
    columns = {column: term for term, column in STORED_TERMS.items()}
    for entry, after in zip(chain, states, strict=True):
        who = people.get(entry.user_id) or entry.client_id or "The register"
        mark = _Given(who, bodies.get(entry.organisation_id), entry.recorded_at)
        changed = differences(dict(before), dict(after))
        for column in changed:
            if column == "category_attributes":
                old, new = (one or {} for one in changed[column])
                found |= {name: mark for name in {**old, **new} if old.get(name) != new.get(name)}
            elif column in columns:
                found[columns[column]] = mark
        before = after
    return found


def _as_given(asset: Asset, term: str, value: Any, given: _Given | None) -> Provenance:
    derived = term in asset.derived_terms or term == "PositionSource"
    origin = Origin.DERIVED if derived else Origin.DECLARED
    how = explain_term(asset, term) if derived else None
    if term == "PositionSource":
        how = "Noted by the register: how the position was given."
    if given is None:
        return Provenance(term, value, origin, how=how)
    return Provenance(
        term,
        value,
        origin,
        declared_by=given.by,
        declared_for=given.organisation,
        declared_at=given.at,
        how=how,
    )


def _heavier(known: Provenance, said: Statement) -> Provenance:
    """What tells of the two; sources that agree are named together."""
    told = replace(known, statements=[*known.statements, said])
    if said.origin is known.origin is Origin.VERIFIED:
        return replace(told, source=f"{known.source}; {said.source_name}", at=said.at)
    if _WEIGHT.index(said.origin) <= _WEIGHT.index(known.origin):
        return told
    return replace(
        told, origin=said.origin, source=said.source_name, at=said.at, theirs=said.theirs, message=said.message
    )


def _values(asset: Asset) -> dict[str, Any]:
    core = {term: getattr(asset, column) for term, column in STORED_TERMS.items() if term != "CategoryAttributes"}
    return core | asset.category_attributes


def _ours(asset: Asset) -> dict[str, Any]:
    return {"PositionSource": asset.position_source}


def _said_by(check: AssetCheck) -> Iterable[tuple[str, Statement]]:
    """What one answered check says of single terms."""
    if check.outcome not in _ANSWERED:
        return
    source = check.source_name or CHECK_SOURCE_LABELS[check.source]
    mattering = {one.field: one for one in differences_of([check])}
    for row in check.comparisons:
        origin = _origin(row)
        if origin is None:
            continue
        terms = ("Latitude", "Longitude") if row["field"] == POSITION else (row["field"],)
        for term in terms:
            if term in STORED_TERMS:
                message = row.get("reason") if origin is Origin.SETTLED else row["message"]
                difference = mattering.get(row["field"])
                yield (
                    term,
                    Statement(check.source, source, check.completed_at, origin, row["theirs"], message, difference),
                )


def _origin(row: dict[str, Any]) -> Origin | None:
    if row["outcome"] == Outcome.AGREES:
        return Origin.VERIFIED
    if row["outcome"] == Outcome.DIFFERS:
        return Origin.SETTLED if row.get("settled_as") == "DECLARED_STANDS" else Origin.DIFFERS
    return None
