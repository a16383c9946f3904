"""From checked values to the record and back: shared by registration, update and bulk paths."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetAlias
from services.assets.rules.schemas import CORE, snake
from services.core.clock import now
from services.core.errors import Finding, Severity
from services.core.identity.actor import Actor
from services.core.transaction import current_session

INPUT_ONLY = ("Easting", "Northing")
STORED_TERMS: dict[str, str] = {
    term: snake(term) for term in (*CORE, "GspGroup", "PositionSource", "CategoryAttributes") if term not in INPUT_ONLY
}
"""Ontology term -> column, for everything that the rules hand over."""
IDENTITIES = ("OrganisationId", "ServiceProviderId")
MINIMUM_JUSTIFICATION = 10


def key_of(text: str | None) -> str | None:
    """A serial number or manufacturer as duplicates and look-ups compare it: capitals, single spaces."""
    return " ".join(text.upper().split()) if text else None


def fill(asset: Asset, values: Mapping[str, Any], derived: Iterable[str]) -> set[str]:
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
    wanted = {(pair["scheme"], pair["value"]) for pair in asset.aliases} if active else set()
    rows = session.scalars(select(AssetAlias).where(col(AssetAlias.asset_id) == asset.id, col(AssetAlias.active)))
    for row in rows:
        if (row.scheme, row.value) in wanted:
            wanted.discard((row.scheme, row.value))
        else:
            row.active = False
    # What is set free is written first: another alias of this very asset may take its place.
    session.flush()
    session.add_all(AssetAlias(asset_id=asset.id, scheme=scheme, value=value) for scheme, value in sorted(wanted))


def justified(
    actor: Actor, before: list[dict[str, Any]], findings: Iterable[Finding], text: str | None
) -> list[dict[str, Any]]:
    """The justifications of a record after these warnings were accepted: one entry a warning, older ones kept."""
    given = (text or "").strip()
    moment = now().isoformat(timespec="seconds")
    return before + [
        {
            "code": finding.code,
            "field": finding.field,
            "given": finding.given,
            "message": finding.message,
            "text": given,
            "by": actor.name,
            "organisation": actor.organisation_name,
            "at": moment,
        }
        for finding in findings
        if finding.severity is Severity.WARNING
    ]


def is_justification(text: str | None) -> bool:
    """Whether a text is long enough to say why a warning is accepted."""
    return len((text or "").strip()) >= MINIMUM_JUSTIFICATION


def waits_for_consent(reference: str | None) -> str:
    """Why an asset that a consumer owns isn't checked yet."""
    return f"Waits for the consent solution to confirm the consent {reference}. The checks start once it has."
