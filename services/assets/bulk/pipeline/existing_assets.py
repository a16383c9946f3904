"""What the register already holds of the devices, meters and names in a run of rows, asked for the whole run at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetAlias
from services.assets.bulk.export.rows import as_held, power_text
from services.assets.bulk.pipeline.validation import as_uuid
from services.assets.bulk.upload.column_mapping import ASSET_ID
from services.core.db.expressions import among
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible, within
from services.core.transaction import current_connection, current_session

SLICE = 10_000
KEY_COLUMNS = {
    "id": "id",
    "name": "asset_name",
    "provider": "service_provider_id",
    "serial": "serial_key",
    "maker": "manufacturer_key",
    "friendly_code": "friendly_code",
    "import_mpan": "import_mpan",
    "export_mpan": "export_mpan",
    "category": "asset_category",
    "rated": "rated_capacity",
}
KEYS_SCHEMA: dict[str, Any] = dict.fromkeys(KEY_COLUMNS, pl.String)
"""What duplicates are known by; identifiers as text, `rated` as text with two decimals."""


def slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The items in runs that one statement takes."""
    return (items[start : start + SLICE] for start in range(0, len(items), SLICE))


def already_registered(keys: pl.DataFrame) -> pl.DataFrame:
    """Active assets that share a serial number, MPAN or friendly code with any of the rows: `KEYS_SCHEMA`.

    `keys` has the columns of `KEYS_SCHEMA` (without identifiers); whether maker and provider fit too is for the caller.
    """
    mpans = pl.concat([keys["import_mpan"], keys["export_mpan"]])
    found: list[pl.DataFrame] = []
    for column, values in (
        (col(Asset.serial_key), keys["serial"]),
        (col(Asset.import_mpan), mpans),
        (col(Asset.export_mpan), mpans),
    ):
        found += _fetch(lambda part, column=column: among(column, part), values)
    return _framed([*found, *_by_code(keys)])


def _by_code(keys: pl.DataFrame) -> list[pl.DataFrame]:
    """By the provider's own code: provider by provider, as the index has it."""
    found: list[pl.DataFrame] = []
    coded = keys.filter(pl.col("friendly_code").is_not_null() & pl.col("provider").is_not_null())
    for (provider,), rows in coded.group_by("provider"):
        found += _fetch(
            lambda part, provider=provider: (
                (col(Asset.service_provider_id) == UUID(str(provider))) & among(col(Asset.friendly_code), part)
            ),
            rows["friendly_code"],
        )
    return found


def nameless(provider: object, names: pl.Series) -> pl.DataFrame:
    """Active assets of a provider that bear one of the names and nothing else to know them by."""
    bare = [col(column).is_(None) for column in (Asset.friendly_code, Asset.import_mpan, Asset.export_mpan)]
    device = or_(col(Asset.serial_key).is_(None), col(Asset.manufacturer_key).is_(None))

    def condition(part: Sequence[Any]) -> ColumnElement[bool]:
        return (
            (col(Asset.service_provider_id) == provider)
            & device
            & bare[0]
            & bare[1]
            & bare[2]
            & among(col(Asset.asset_name), part)
        )

    return _framed(_fetch(condition, names))


def taken_aliases(values: Iterable[str]) -> dict[tuple[str, str], Any]:
    """(scheme, value) -> the active asset that has it, for these values of any scheme."""
    found: dict[tuple[str, str], Any] = {}
    for part in slices(sorted(set(values))):
        rows = current_session().execute(
            select(col(AssetAlias.scheme), col(AssetAlias.value), col(AssetAlias.asset_id)).where(
                among(col(AssetAlias.value), part), col(AssetAlias.active)
            )
        )
        found.update({(scheme, value): asset_id for scheme, value, asset_id in rows})
    return found


def known_elsewhere(keys: pl.DataFrame, own: Sequence[str]) -> list[bool]:
    """Whether another active asset has the serial number, a meter, the code or an alias of each row.

    `keys` as `conforming.keys_of` gives them, `own` the identifiers of the assets that the rows speak of. Whether maker and
    provider fit too is for the caller, who asks again about such a row.
    """
    shared = ("serial", "friendly_code", "import_mpan", "export_mpan")
    rivals: dict[str, set[str]] = {}
    for other in already_registered(keys).select("id", *shared).iter_rows():
        for value in other[1:]:
            if value:
                rivals.setdefault(value, set()).add(other[0])
    listed = [pairs or () for pairs in keys["aliases"].to_list()]
    named = {pair["value"] for pairs in listed for pair in pairs}
    aliases = taken_aliases(named) if named else {}
    found: list[bool] = []
    for asset_id, pairs, *values in zip(own, listed, *(keys[name].to_list() for name in shared), strict=True):
        met = any(rivals.get(value, {asset_id}) - {asset_id} for value in values if value)
        taken = any(str(aliases.get((pair["scheme"], pair["value"]), asset_id)) != asset_id for pair in pairs)
        found.append(met or taken)
    return found


def _fetch(condition: Callable[[Sequence[Any]], ColumnElement[bool]], values: pl.Series) -> list[pl.DataFrame]:
    active = col(Asset.status).not_in(ENDED_STATUSES)
    parts = slices(values.drop_nulls().unique().sort().to_list())
    return [frame for part in parts for frame in as_held(KEY_COLUMNS, condition(part), active)]


def _framed(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if not found:
        return pl.DataFrame(schema=KEYS_SCHEMA)
    return pl.concat(found).unique("id").sort("id").with_columns(power_text("rated"))


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
        _identify_by_id(actor, found, cells[ASSET_ID])
    if "FriendlyCode" in cells.columns:
        _identify_by_code(actor, found, cells)
    return found


def _identify_by_id(actor: Actor, found: Identified, column: pl.Series) -> None:
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


def _identify_by_code(actor: Actor, found: Identified, cells: pl.DataFrame) -> None:
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
