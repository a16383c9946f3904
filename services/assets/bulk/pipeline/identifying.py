"""Which rows speak of an asset that is registered: by AssetId, else by the provider's own code (UC-02.03, bulk)."""

from dataclasses import dataclass, field
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset
from services.assets.bulk.pipeline.existing_assets import slices
from services.assets.bulk.pipeline.validation import as_uuid
from services.assets.bulk.upload.column_mapping import ASSET_ID
from services.core.db.expressions import among
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible, within
from services.core.transaction import current_connection, current_session


@dataclass(slots=True)
class Identified:
    """Rows by place -> the asset they speak of, and -> why they can't be read."""

    assets: dict[int, UUID] = field(default_factory=dict)
    refused: dict[int, list[Finding]] = field(default_factory=dict)


def identify(actor: Actor, cells: pl.DataFrame, broken: pl.Series) -> Identified:
    """Find the assets that rows name. `broken` says of rows that can't be read why. Inside an operation."""
    found = Identified()
    for row in broken.is_not_null().arg_true():
        code, _, message = broken[row].partition(" ")
        found.refused[row] = [Finding(code, None, None, "A row that can be taken over", message)]
    if ASSET_ID in cells.columns:
        _by_identifier(actor, found, cells[ASSET_ID])
    if "FriendlyCode" in cells.columns:
        _by_code(actor, found, cells)
    return found


def _by_identifier(actor: Actor, found: Identified, column: pl.Series) -> None:
    texts = {
        row: text for row, text in enumerate(column.to_list()) if (text or "").strip() and row not in found.refused
    }
    wanted = {row: as_uuid(text) for row, text in texts.items()}
    reached: set[UUID] = set()
    for part in slices(sorted({one for one in wanted.values() if one})):
        condition = (visible(Asset, actor), within(Asset, actor, "asset.update", writing=True))
        reached |= set(current_session().scalars(select(col(Asset.id)).where(col(Asset.id).in_(part), *condition)))
    for row, asset_id in wanted.items():
        if asset_id in reached and asset_id is not None:
            found.assets[row] = asset_id
        else:
            expected = "The identifier of an asset that you manage; empty for a new one"
            message = f"You manage no asset with the identifier {texts[row]}. Leave it out to register a new asset."
            found.refused[row] = [Finding("BULK-01", ASSET_ID, texts[row][:100], expected, message)]


def _by_code(actor: Actor, found: Identified, cells: pl.DataFrame) -> None:
    """Rows without an identifier whose provider has an active asset of that code."""
    own = str(actor.organisation_id) if actor.organisation_id else None
    provider = pl.lit(own)
    if "ServiceProviderId" in cells.columns:
        given = pl.col("ServiceProviderId").str.strip_chars().str.to_lowercase()
        provider = pl.when(given.fill_null("") != "").then(given).otherwise(provider)
    code = pl.col("FriendlyCode").str.replace_all(r"[\p{Cc}\u{a0}]+", " ").str.strip_chars()
    rows = cells.select(provider.alias("provider"), code.alias("code")).with_row_index("row")
    settled = pl.Series([*found.assets, *found.refused], dtype=pl.UInt32)
    rows = rows.filter(~pl.col("row").is_in(settled.implode()), pl.col("code").fill_null("") != "")
    for (one,), mine in rows.drop_nulls("provider").group_by("provider"):
        identifier = as_uuid(str(one))
        if identifier is None:
            continue
        there: dict[str, UUID] = {}
        for part in slices(mine["code"].unique().sort().to_list()):
            chosen = select(col(Asset.friendly_code), col(Asset.id)).where(
                col(Asset.service_provider_id) == identifier,
                among(col(Asset.friendly_code), part),
                col(Asset.status).not_in(ENDED_STATUSES),
                visible(Asset, actor),
                within(Asset, actor, "asset.update", writing=True),
            )
            # Over the connection: a session would make an object of each row.
            there.update({str(code): one for code, one in current_connection().execute(chosen)})
        pairs = zip(mine["row"], mine["code"], strict=True)
        found.assets.update({row: there[text] for row, text in pairs if text in there})
