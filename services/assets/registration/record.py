"""From checked values to the record and back: shared by registration, update and bulk paths."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetAlias
from services.assets.rules.schemas import CORE, snake
from services.core.clock import now
from services.core.errors import Conflict, Finding, Severity
from services.core.identity.actor import Actor
from services.core.ledger.history import changes_since
from services.core.text import plain_code
from services.core.transaction import current_session

INPUT_ONLY = ("Easting", "Northing")
STORED_TERMS: dict[str, str] = {
    term: snake(term) for term in (*CORE, "GspGroup", "PositionSource", "CategoryAttributes") if term not in INPUT_ONLY
}
"""Ontology term -> column, for everything that the rules hand over."""
IDENTITIES = ("OrganisationId", "ServiceProviderId")
MINIMUM_JUSTIFICATION = 10


def key_of(text: str | None) -> str | None:
    """A serial number or manufacturer as duplicates and look-ups compare it: plain characters, capitals, single spaces."""
    return " ".join(plain_code(text).upper().split()) if text else None


def fill_record(asset: Asset, values: Mapping[str, Any], derived: Iterable[str]) -> set[str]:
    """Bring checked values into the record; the terms that changed. Aliases are indexed by `index_aliases` once it is saved."""
    changed: set[str] = set()
    for term, column in STORED_TERMS.items():
        value = values[term]
        if term in IDENTITIES and value is not None:
            value = UUID(str(value))
        if getattr(asset, column, None) != value:
            setattr(asset, column, value)
            changed.add(term)
    keys = {"serial_key": key_of(asset.serial_number), "manufacturer_key": key_of(asset.manufacturer)}
    for name, value in (*keys.items(), ("derived_terms", sorted(derived))):
        if getattr(asset, name, None) != value:
            setattr(asset, name, value)
    return changed


def alias_rows(asset: Asset) -> list[AssetAlias]:
    """The look-up rows of a new asset's aliases."""
    return [AssetAlias(asset_id=asset.id, scheme=pair["scheme"], value=pair["value"]) for pair in asset.aliases]


def index_aliases(asset: Asset, *, active: bool = True) -> None:
    """Bring the look-up index of aliases in line with the record; an asset that ended sets its aliases free."""
    session = current_session()
    missing = {(pair["scheme"], pair["value"]) for pair in asset.aliases} if active else set()
    rows = session.scalars(select(AssetAlias).where(col(AssetAlias.asset_id) == asset.id, col(AssetAlias.active)))
    for row in rows:
        if (row.scheme, row.value) in missing:
            missing.discard((row.scheme, row.value))
        else:
            row.active = False
    # What is set free is written first: another alias of this very asset may take its place.
    session.flush()
    session.add_all(AssetAlias(asset_id=asset.id, scheme=scheme, value=value) for scheme, value in sorted(missing))


def add_justifications(
    actor: Actor, before: list[dict[str, Any]], findings: Iterable[Finding], text: str | None
) -> list[dict[str, Any]]:
    """The justifications of a record after these warnings were accepted: one entry a warning, older ones kept."""
    reason = (text or "").strip()
    moment = now().isoformat(timespec="seconds")
    return before + [
        {
            "code": finding.code,
            "field": finding.field,
            "given": finding.given,
            "message": finding.message,
            "text": reason,
            "by": actor.name,
            "organisation": actor.organisation_name,
            "at": moment,
        }
        for finding in findings
        if finding.severity is Severity.WARNING
    ]


def is_justification(text: str | None) -> bool:
    """True where a text is long enough to say why a warning is accepted."""
    return len((text or "").strip()) >= MINIMUM_JUSTIFICATION


def waits_for_consent(reference: str | None) -> str:
    """Why an asset that a consumer owns isn't checked yet."""
    return f"Waits for the consent solution to confirm the consent {reference}. The checks start once it has."


REGISTER_COLUMNS: dict[str, str] = {
    "AssetId": "id",
    "Status": "status",
    "StatusReason": "status_reason",
    "StatusSince": "status_since",
    "RegisteredAt": "registered_at",
    "ManagedFrom": "managed_from",
    "SchemaVersion": "schema_version",
    "Version": "version",
    "RecordedAt": "recorded_at",
}
"""What the register itself says of an asset, by term."""

TERM_OF_COLUMN: dict[str, str] = {
    column: term for term, column in {**REGISTER_COLUMNS, **STORED_TERMS, "Justifications": "justifications"}.items()
}


def as_terms(asset: Asset) -> dict[str, Any]:
    """An asset by ontology term: identifiers as text, power as Decimal kW, dates and moments as such.

    Category attributes stand under their own names beside the core ones, as a CSV export shows them; what is empty is None.
    """
    terms: dict[str, Any] = {term: getattr(asset, column) for term, column in REGISTER_COLUMNS.items()}
    terms |= {term: getattr(asset, column) for term, column in STORED_TERMS.items() if term != "CategoryAttributes"}
    terms["Status"] = str(asset.status)
    for term in ("AssetId", "OrganisationId", "ServiceProviderId"):
        terms[term] = None if terms[term] is None else str(terms[term])
    return terms | asset.category_attributes


def changed_terms(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Changes of columns, as the ledger tells them, by ontology term; what is for the register alone is left out."""
    by_term: dict[str, tuple[Any, Any]] = {}
    for column, (before, after) in changes.items():
        if column == "category_attributes":
            before, after = before or {}, after or {}
            by_term |= {
                name: (before.get(name), after.get(name))
                for name in {**before, **after}
                if before.get(name) != after.get(name)
            }
        elif column in TERM_OF_COLUMN:
            by_term[TERM_OF_COLUMN[column]] = (before, after)
    return by_term


def conflict(asset: Asset, version: int) -> Conflict:
    """The answer to somebody who read an older version: how the asset stands now, and what others changed meanwhile."""
    changes = changed_terms(changes_since(asset, version))
    fields = ", ".join(changes) or "nothing that shows"
    return Conflict(
        f"Somebody else changed this asset since you opened it (version {version}, now {asset.version}): {fields}. "
        "Look at the change, then save yours again.",
        as_terms(asset),
        changes,
    )
