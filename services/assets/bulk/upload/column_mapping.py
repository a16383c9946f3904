"""Column mapping: attributes of a file's columns by term, by label, by what the organisation said before (UC-02.01, bulk)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlmodel import col

from models.bulk import BulkMapping
from services.assets.rules.check import AssetReference
from services.assets.rules.numbers import find_unit, heading_unit
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE, REGISTER_TERMS
from services.assets.rules.spelling import number_kind, unit_of
from services.assets.sources.wording import squash
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.transaction import current_session

ASSET_ID, VERSION = "AssetId", "Version"
DATE_ORDER = "!dates"
"""Key under which the order of dates is remembered: no heading, of which letters and digits alone are kept, has it."""
CODES, REASONS = "RefusalCodes", "RefusalReasons"
"""The columns that refused rows come back with."""
PASSED_OVER = (frozenset(REGISTER_TERMS) | {CODES, REASONS}) - {ASSET_ID, VERSION}
"""What the register itself keeps: recognised, so that an export can come back, and not read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Column number -> term, for what is read; the headings that nobody knows; the terms that the register keeps itself."""

    read: dict[int, str]
    unknown: list[str]
    passed_over: list[str]


def map_headings(reference: AssetReference) -> dict[str, str]:
    """Every way to head a column, squashed to lower-cased letters and digits -> the term that it stands for."""
    term_of: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    for attribute in CORE.values():
        term_of[squash(attribute.term)] = attribute.term
        for label in (attribute.label, f"{attribute.label} {attribute.unit}"):
            labels.setdefault(squash(label), set()).add(attribute.term)
    for term in (*REGISTER_TERMS, ATTRIBUTES_TERM, CODES, REASONS):
        term_of[squash(term)] = term
    for schema in reference.schemas.values():
        for name, spec in schema.get("properties", {}).items():
            term_of.setdefault(squash(name), name)
            title = spec.get("title", name)
            for label in (title, f"{title} {spec.get('x-unit', '')}"):
                labels.setdefault(squash(label), set()).add(name)
    # A label that two attributes share says nothing.
    return {**{label: next(iter(terms)) for label, terms in labels.items() if len(terms) == 1}, **term_of}


def resolve_columns(
    headings: Sequence[str],
    reference: AssetReference,
    chosen_terms: Mapping[str, str | None],
    remembered: Mapping[str, str | None],
) -> Columns:
    """Resolve each column to a term: as chosen now (heading -> term or None to pass it over), before, or by its name.

    Raises Invalid for a heading or term in `chosen_terms` that there isn't, and for two columns that hold the same.
    """
    terms = map_headings(reference)
    findings = _find_faults(headings, terms, chosen_terms)
    by_heading = {squash(heading): term for heading, term in chosen_terms.items()}
    read: dict[int, str] = {}
    unknown: list[str] = []
    passed: list[str] = []
    by_key = {**remembered, **terms, **by_heading}
    named = {by_key.get(squash(heading)) for heading in headings} - {None}
    for place, heading in enumerate(headings):
        key = squash(heading)
        term = by_heading[key] if key in by_heading else terms.get(key) or remembered.get(key)
        if term is None and key not in {**remembered, **by_heading}:
            measured = _measured(heading, terms, reference)
            # Beside a column in the attribute's own unit, the other says the same again.
            term = None if measured in named else measured
        if term in PASSED_OVER or (term is None and key in {**remembered, **by_heading}):
            passed.append(heading)
        elif term is None:
            unknown.append(heading or f"column {place + 1}, which has no heading")
        elif term in read.values():
            other = headings[next(at for at, read_term in read.items() if read_term == term)]
            message = f"The columns “{other}” and “{heading}” both hold {term}. Leave one out, or say what it holds."
            findings.append(Finding("FILE-10", term, heading, "Each attribute in one column", message))
        else:
            read[place] = term
    if findings:
        raise Invalid(findings)
    return Columns(read, unknown, passed)


def _measured(heading: str, terms: Mapping[str, str], reference: AssetReference) -> str | None:
    """The term of a heading that names another unit than the attribute's own: ``Rated capacity (MW)``."""
    name, unit = heading_unit(heading)
    term = terms.get(squash(name)) if unit else None
    if term is None or number_kind(term, reference) is None:
        return None
    return term if find_unit(unit_of(term, reference)) is not None else None


def _find_faults(
    headings: Sequence[str], term_of: Mapping[str, str], chosen_terms: Mapping[str, str | None]
) -> list[Finding]:
    there = {squash(heading) for heading in headings}
    terms = set(term_of.values())
    findings = []
    for heading, term in chosen_terms.items():
        if squash(heading) not in there:
            findings.append(
                Finding("FILE-11", None, heading, "A heading of the file", f"No column is headed “{heading}”.")
            )
        if term is not None and term not in terms:
            message = f"There is no attribute {term}, which the column “{heading}” was said to hold."
            findings.append(Finding("FILE-12", term, term, "An attribute of the asset or of its category", message))
    return findings


def require_terms(constants: Mapping[str, str], reference: AssetReference) -> None:
    """Raise Invalid where a value for every row is given under a name that is no attribute."""
    terms = set(map_headings(reference).values()) - PASSED_OVER - {ASSET_ID, VERSION, ATTRIBUTES_TERM}
    wrong = [
        Finding("FILE-12", term, term, "An attribute of the asset or of its category", f"There is no attribute {term}.")
        for term in constants
        if term not in terms
    ]
    if wrong:
        raise Invalid(wrong)


def heading_keys(reference: AssetReference, extra: Iterable[str] = ()) -> frozenset[str]:
    """The squashed headings by which the row of headings is found."""
    return frozenset({*map_headings(reference), *extra})


def read_mapping(actor: Actor) -> dict[str, str | None]:
    """Remembered mapping of the actor's organisation: squashed heading -> term. Inside an operation."""
    rows = current_session().execute(
        select(col(BulkMapping.heading_key), col(BulkMapping.term)).where(
            col(BulkMapping.organisation_id) == actor.organisation_id, col(BulkMapping.heading_key) != DATE_ORDER
        )
    )
    return {row[0]: row[1] for row in rows}


def remembered_date_order(actor: Actor) -> str | None:
    """First part of dates, day or month, as the actor's organisation said of its last file. Inside an operation."""
    return current_session().scalar(
        select(col(BulkMapping.term)).where(
            col(BulkMapping.organisation_id) == actor.organisation_id, col(BulkMapping.heading_key) == DATE_ORDER
        )
    )


def store_mapping(actor: Actor, chosen_terms: Mapping[str, str | None], date_order: str | None = None) -> None:
    """Keep what was said of headings and dates, for the organisation's next file. Inside an operation that writes."""
    keys = {squash(heading)[:200]: term for heading, term in chosen_terms.items()}
    if date_order is not None:
        keys[DATE_ORDER] = date_order
    if not keys or actor.organisation_id is None:
        return
    session = current_session()
    session.execute(
        delete(BulkMapping).where(
            col(BulkMapping.organisation_id) == actor.organisation_id, col(BulkMapping.heading_key).in_(list(keys))
        )
    )
    session.add_all(
        BulkMapping(organisation_id=actor.organisation_id, heading_key=key, term=term) for key, term in keys.items()
    )
