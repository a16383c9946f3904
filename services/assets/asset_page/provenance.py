"""Where each attribute of an asset comes from: declared, worked out, confirmed or contradicted by a source (UC-02.01)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from models.assets import CHECK_SOURCE_LABELS, Asset, AssetCheck, CheckOutcome, CheckSource
from services.assets.asset_page.ledger_queries import Entry, checks_of_asset, entries_of_asset, newest
from services.assets.checks.differences import Difference, differences_of
from services.assets.checks.outcomes import POSITION
from services.assets.reading.assets import explain_term
from services.assets.registration.record import STORED_TERMS
from services.core.comparison import Outcome
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.operation import operation


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


class Statement(NamedTuple):
    """What one source says of one attribute. `theirs` as the source wrote it; `difference` where it is one that matters."""

    source: CheckSource
    source_name: str
    at: datetime | None
    origin: Origin
    theirs: str | None
    message: str | None
    difference: Difference | None = None


class Provenance(NamedTuple):
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


@operation("UC-02.01", permission="asset.read", writes=False, name="provenance_of")
def provenance_of(actor: Actor, asset_id: UUID) -> dict[str, Provenance]:
    """Every attribute of an asset by ontology term, category attributes under their own names.

    A field that changed after it was checked is declared again. NotFound when the actor may not see the asset.
    """
    asset = see(Asset, actor, asset_id)
    answered = newest(checks_of_asset(asset.id), answered=True)
    return told_of(asset, entries_of_asset(asset.id), answered, differences_of(answered))


def told_of(
    asset: Asset, entries: Sequence[Entry], checks: Sequence[AssetCheck], differing: Sequence[Difference]
) -> dict[str, Provenance]:
    """The same for an asset, its entries in the ledger, its answered checks, one of each source, and what differs on them.

    All of them as they stand, or as they stood at a moment.
    """
    chain = [one for one in entries if one.version <= asset.version]
    states = [json.loads(one.state) for one in chain]
    given = _given(chain, states)
    found = {
        term: _as_given(asset, term, value, given.get(term))
        for term, value in {**_values(asset), **_ours(asset)}.items()
    }
    by_version = {one.version: state for one, state in zip(chain, states, strict=True)}
    present = by_version.get(asset.version, {})
    mattering = {(one.source, one.field): one for one in differing}
    for check in checks:
        checked = by_version.get(check.asset_version, {})
        for term, said in _said_by(check, mattering):
            if checked.get(STORED_TERMS[term]) == present.get(STORED_TERMS[term]):
                found[term] = _heavier(found[term], said)
    return found


class _Given(NamedTuple):
    by: str
    organisation: str | None
    at: datetime


def _given(chain: Sequence[Entry], states: Sequence[dict[str, Any]]) -> dict[str, _Given]:
    """Who gave each term the value that stands: the last entry in which it changed."""
    found: dict[str, _Given] = {}
    before: dict[str, Any] = {}
    for entry, after in zip(chain, states, strict=True):
        mark = _Given(entry.author, entry.body, entry.recorded_at)
        for term, column in STORED_TERMS.items():
            old, new = before.get(column), after.get(column)
            if old == new:
                continue
            if term == "CategoryAttributes":
                old, new = old or {}, new or {}
                found |= {name: mark for name in {**old, **new} if old.get(name) != new.get(name)}
            else:
                found[term] = mark
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
    told = known._replace(statements=[*known.statements, said])
    if said.origin is known.origin is Origin.VERIFIED:
        return told._replace(source=f"{known.source}; {said.source_name}", at=said.at)
    if _WEIGHT.index(said.origin) <= _WEIGHT.index(known.origin):
        return told
    return told._replace(
        origin=said.origin, source=said.source_name, at=said.at, theirs=said.theirs, message=said.message
    )


def _values(asset: Asset) -> dict[str, Any]:
    core = {term: getattr(asset, column) for term, column in STORED_TERMS.items() if term != "CategoryAttributes"}
    return core | asset.category_attributes


def _ours(asset: Asset) -> dict[str, Any]:
    return {"PositionSource": asset.position_source}


def _said_by(
    check: AssetCheck, mattering: Mapping[tuple[CheckSource, str], Difference]
) -> Iterable[tuple[str, Statement]]:
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
                difference = mattering.get((check.source, row["field"]))
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
