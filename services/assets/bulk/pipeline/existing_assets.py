"""What the register already holds of the devices, meters and names in a run of rows, asked for the whole run at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetAlias
from services.assets.bulk.export.rows import as_held, power_text
from services.core.db.expressions import among
from services.core.transaction import current_session

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
