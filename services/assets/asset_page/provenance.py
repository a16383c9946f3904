"""Provenance of each attribute of an asset: declared, derived, confirmed or contradicted by a source (UC-02.01)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from models.assets import CHECK_SOURCE_LABELS, Asset, AssetCheck, CheckOutcome, CheckSource
from services.assets.asset_page.ledger_queries import Entry, checks_of_asset, entries_of_asset
from services.assets.checks.differences import Difference, differences_of
from services.assets.checks.outcomes import POSITION
from services.assets.checks.records import newest_by_source
from services.assets.reading.assets import explain_term
from services.assets.registration.record import STORED_TERMS
from services.core.comparison import ComparisonOutcome
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.operation import operation


class Origin(StrEnum):
    """Origin of an attribute's value; where sources disagree, the later member weighs more."""

    DECLARED = "DECLARED"
    DERIVED = "DERIVED"
    VERIFIED = "VERIFIED"
    SETTLED = "SETTLED"
    DIFFERS = "DIFFERS"


_WEIGHT = list(Origin)
"""The later one tells when sources disagree: a difference is never hidden behind another source's agreement."""
_ANSWERED = (CheckOutcome.AGREES, CheckOutcome.DIFFERS, CheckOutcome.SETTLED, CheckOutcome.NOT_FOUND)


class Statement(NamedTuple):
    """One source's statement on one attribute: its value as the source wrote it, and the difference where it matters."""

    source: CheckSource
    source_name: str
    at: datetime | None
    origin: Origin
    source_value: str | None
    message: str | None
    difference: Difference | None = None


class Provenance(NamedTuple):
    """One attribute: its value, where it comes from, which sources said so and when, and what they say where they differ.

    `declared_by` and its company tell who gave the value that stands, and when; `explanation` how a derived one came
    about. `source` to `message` are those of the statement that weighs most; `statements` are all of them.
    """

    term: str
    value: Any
    origin: Origin
    source: str | None = None
    at: datetime | None = None
    source_value: str | None = None
    message: str | None = None
    declared_by: str | None = None
    declared_for: str | None = None
    declared_at: datetime | None = None
    explanation: str | None = None
    statements: Sequence[Statement] = ()


@operation("UC-02.01", permission="asset.read", writes=False, name="provenance_of")
def provenance_of(actor: Actor, asset_id: UUID) -> dict[str, Provenance]:
    """Every attribute of an asset by ontology term, category attributes under their own names.

    A field that changed after it was checked is declared again. NotFound when the actor may not see the asset.
    """
    asset = see(Asset, actor, asset_id)
    answered = newest_by_source(checks_of_asset(asset.id), answered=True)
    return build_provenance(asset, entries_of_asset(asset.id), answered, differences_of(answered))


def build_provenance(
    asset: Asset, entries: Sequence[Entry], checks: Sequence[AssetCheck], differences: Sequence[Difference]
) -> dict[str, Provenance]:
    """Build the provenance of each term from the asset, its ledger entries, its answered checks and what differs on them.

    All of them as they stand, or as they stood at a moment.
    """
    chain = [entry for entry in entries if entry.version <= asset.version]
    states = [json.loads(entry.state) for entry in chain]
    last_authors = _find_authors(chain, states)
    provenance = {
        term: _as_given(asset, term, value, last_authors.get(term))
        for term, value in {**_values(asset), **_register_terms(asset)}.items()
    }
    by_version = {entry.version: state for entry, state in zip(chain, states, strict=True)}
    present = by_version.get(asset.version, {})
    difference_of = {(entry.source, entry.field): entry for entry in differences}
    for check in checks:
        checked = by_version.get(check.asset_version, {})
        for term, statement in _read_statements(check, difference_of):
            if checked.get(STORED_TERMS[term]) == present.get(STORED_TERMS[term]):
                provenance[term] = _heavier(provenance[term], statement)
    return provenance


class _Author(NamedTuple):
    by: str
    organisation: str | None
    at: datetime


def _find_authors(chain: Sequence[Entry], states: Sequence[dict[str, Any]]) -> dict[str, _Author]:
    """The author of each term's present value, by term: of the last entry in which the value changed."""
    authors: dict[str, _Author] = {}
    before: dict[str, Any] = {}
    for entry, after in zip(chain, states, strict=True):
        author = _Author(entry.author, entry.organisation_name, entry.recorded_at)
        for term, column in STORED_TERMS.items():
            before_value, after_value = before.get(column), after.get(column)
            if before_value == after_value:
                continue
            if term == "CategoryAttributes":
                before_value, after_value = before_value or {}, after_value or {}
                authors |= {
                    name: author
                    for name in {**before_value, **after_value}
                    if before_value.get(name) != after_value.get(name)
                }
            else:
                authors[term] = author
        before = after
    return authors


def _as_given(asset: Asset, term: str, value: Any, author: _Author | None) -> Provenance:
    derived = term in asset.derived_terms or term == "PositionSource"
    origin = Origin.DERIVED if derived else Origin.DECLARED
    explanation = explain_term(asset, term) if derived else None
    if term == "PositionSource":
        explanation = "Noted by the register: how the position was given."
    if author is None:
        return Provenance(term, value, origin, explanation=explanation)
    return Provenance(
        term,
        value,
        origin,
        declared_by=author.by,
        declared_for=author.organisation,
        declared_at=author.at,
        explanation=explanation,
    )


def _heavier(provenance: Provenance, statement: Statement) -> Provenance:
    """Combine provenance with one more statement: the heavier origin counts, sources that agree are named together."""
    combined = provenance._replace(statements=[*provenance.statements, statement])
    if statement.origin is provenance.origin is Origin.VERIFIED:
        return combined._replace(source=f"{provenance.source}; {statement.source_name}", at=statement.at)
    if _WEIGHT.index(statement.origin) <= _WEIGHT.index(provenance.origin):
        return combined
    return combined._replace(
        origin=statement.origin,
        source=statement.source_name,
        at=statement.at,
        source_value=statement.source_value,
        message=statement.message,
    )


def _values(asset: Asset) -> dict[str, Any]:
    core = {term: getattr(asset, column) for term, column in STORED_TERMS.items() if term != "CategoryAttributes"}
    return core | asset.category_attributes


def _register_terms(asset: Asset) -> dict[str, Any]:
    return {"PositionSource": asset.position_source}


def _read_statements(
    check: AssetCheck, difference_of: Mapping[tuple[CheckSource, str], Difference]
) -> Iterable[tuple[str, Statement]]:
    """The statements of one answered check, by term."""
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
                difference = difference_of.get((check.source, row["field"]))
                yield (
                    term,
                    Statement(check.source, source, check.completed_at, origin, row["theirs"], message, difference),
                )


def _origin(row: dict[str, Any]) -> Origin | None:
    if row["outcome"] == ComparisonOutcome.AGREES:
        return Origin.VERIFIED
    if row["outcome"] == ComparisonOutcome.DIFFERS:
        return Origin.SETTLED if row.get("settled_as") == "DECLARED_STANDS" else Origin.DIFFERS
    return None
