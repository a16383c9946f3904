"""Identification of the assets that rows speak of, by identifier or by their provider's code (UC-02.03, bulk)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import or_, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset
from services.assets.bulk.upload.column_mapping import ASSET_ID
from services.assets.registration.duplicates import RegisteredAsset, select_registered
from services.assets.rules.prepare import BLANKS
from services.core.db.expressions import among
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible, within
from services.core.text import plain_column
from services.core.transaction import current_connection, current_session

SLICE = 10_000


def slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The items in runs that one statement takes."""
    return (items[start : start + SLICE] for start in range(0, len(items), SLICE))


def find_nameless(provider: UUID, names: Sequence[str]) -> list[RegisteredAsset]:
    """Active assets of a provider that bear one of the names and nothing else to know them by."""
    bare = (col(column).is_(None) for column in (Asset.friendly_code, Asset.import_mpan, Asset.export_mpan))
    device = or_(col(Asset.serial_key).is_(None), col(Asset.manufacturer_key).is_(None))
    theirs = col(Asset.service_provider_id) == provider
    return select_registered(theirs, device, *bare, among(col(Asset.asset_name), names))


def as_uuid(text: str | None) -> UUID | None:
    """An identifier from text; None for what is none."""
    try:
        return UUID((text or "").strip())
    except ValueError:
        return None


@dataclass(slots=True)
class NamedAssets:
    """Rows by place -> the asset they speak of, and -> why they can't be read.

    `read_only` has the rows, with the identifier as given, of assets that the actor sees and doesn't manage: an export has
    them too, and they may say nothing new.
    """

    assets: dict[int, UUID] = field(default_factory=dict)
    refused: dict[int, list[Finding]] = field(default_factory=dict)
    read_only: dict[int, str] = field(default_factory=dict)


def identify_assets(actor: Actor, cells: pl.DataFrame, broken: pl.Series) -> NamedAssets:
    """Find the assets that rows name. `broken` says of rows that can't be read why. Inside an operation."""
    named = NamedAssets()
    for row in broken.is_not_null().arg_true():
        code, _, message = broken[row].partition(" ")
        named.refused[row] = [Finding(code, None, None, "A row that can be taken over", message)]
    if ASSET_ID in cells.columns:
        _identify_by_id(actor, named, cells[ASSET_ID])
    if "FriendlyCode" in cells.columns:
        _identify_by_code(actor, named, cells)
    return named


def _identify_by_id(actor: Actor, named: NamedAssets, column: pl.Series) -> None:
    texts = {
        row: text for row, text in enumerate(column.to_list()) if (text or "").strip() and row not in named.refused
    }
    identifiers = {row: as_uuid(text) for row, text in texts.items()}
    visible_ids: set[UUID] = set()
    manageable: set[UUID] = set()
    for part in slices(sorted({identifier for identifier in identifiers.values() if identifier})):
        seen = select(col(Asset.id)).where(col(Asset.id).in_(part), visible(Asset, actor))
        visible_ids |= set(current_session().scalars(seen))
        manageable |= set(current_session().scalars(seen.where(within(Asset, actor, "asset.update", writing=True))))
    for row, asset_id in identifiers.items():
        if asset_id in visible_ids and asset_id is not None:
            named.assets[row] = asset_id
            if asset_id not in manageable:
                named.read_only[row] = texts[row]
        else:
            named.refused[row] = [unmanaged_finding(texts[row])]


def unmanaged_finding(text: str) -> Finding:
    """BULK-01: the identifier that a row gives is that of no asset which the actor manages."""
    expected = "The identifier of an asset that you manage; empty for a new one"
    message = f"You manage no asset with the identifier {text}. Leave it out to register a new asset."
    return Finding("BULK-01", ASSET_ID, text[:100], expected, message)


def _identify_by_code(actor: Actor, named: NamedAssets, cells: pl.DataFrame) -> None:
    """Rows without an identifier whose provider has an active asset of that code."""
    own = str(actor.organisation_id) if actor.organisation_id else None
    provider = pl.lit(own)
    if "ServiceProviderId" in cells.columns:
        cell = pl.col("ServiceProviderId").str.strip_chars().str.to_lowercase()
        provider = pl.when(cell.fill_null("") != "").then(cell).otherwise(provider)
    code = plain_column(cells["FriendlyCode"]).str.replace_all(BLANKS, " ").str.strip_chars()
    rows = cells.select(provider.alias("provider"), code.alias("code")).with_row_index("row")
    settled = pl.Series([*named.assets, *named.refused], dtype=pl.UInt32)
    rows = rows.filter(~pl.col("row").is_in(settled.implode()), pl.col("code").fill_null("") != "")
    for (text,), theirs in rows.drop_nulls("provider").group_by("provider"):
        identifier = as_uuid(str(text))
        if identifier is None:
            continue
        query = select(col(Asset.friendly_code), col(Asset.id)).where(
            col(Asset.service_provider_id) == identifier,
            among(col(Asset.friendly_code), theirs["code"].unique().sort().to_list()),
            col(Asset.status).not_in(ENDED_STATUSES),
            visible(Asset, actor),
            within(Asset, actor, "asset.update", writing=True),
        )
        # Over the connection: a session would make an object of each row.
        by_code = {str(code): asset_id for code, asset_id in current_connection().execute(query)}
        pairs = zip(theirs["row"], theirs["code"], strict=True)
        named.assets.update({row: by_code[code] for row, code in pairs if code in by_code})
