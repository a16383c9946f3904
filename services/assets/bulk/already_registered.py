"""What the register already holds of the devices, meters and names in a run of rows, asked for the whole run at once."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetAlias
from services.core.listed import among
from services.core.transaction import current_session

SLICE = 10_000
KEY_COLUMNS = {
    "id": Asset.id,
    "name": Asset.asset_name,
    "provider": Asset.service_provider_id,
    "serial": Asset.serial_key,
    "maker": Asset.manufacturer_key,
    "friendly_code": Asset.friendly_code,
    "import_mpan": Asset.import_mpan,
    "export_mpan": Asset.export_mpan,
    "category": Asset.asset_category,
    "rated": Asset.rated_capacity,
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
    found: dict[Any, tuple[Any, ...]] = {}
    mpans = pl.concat([keys["import_mpan"], keys["export_mpan"]])
    for column, values in (
        (col(Asset.serial_key), keys["serial"]),
        (col(Asset.import_mpan), mpans),
        (col(Asset.export_mpan), mpans),
    ):
        found |= _fetch(lambda part, column=column: among(column, part), values)
    found |= _by_code(keys)
    return _framed(found.values())


def _by_code(keys: pl.DataFrame) -> dict[Any, tuple[Any, ...]]:
    """By the provider's own code: provider by provider, as the index has it."""
    found: dict[Any, tuple[Any, ...]] = {}
    coded = keys.filter(pl.col("friendly_code").is_not_null() & pl.col("provider").is_not_null())
    for (provider,), rows in coded.group_by("provider"):
        found |= _fetch(
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

    return _framed(_fetch(condition, names).values())


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


def _fetch(condition: Any, values: pl.Series) -> dict[Any, tuple[Any, ...]]:
    found: dict[Any, tuple[Any, ...]] = {}
    for part in slices(values.drop_nulls().unique().sort().to_list()):
        chosen = select(*(col(column) for column in KEY_COLUMNS.values())).where(
            condition(part), col(Asset.status).not_in(ENDED_STATUSES)
        )
        found.update({row[0]: tuple(row) for row in current_session().execute(chosen)})
    return found


def _framed(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    plain = [[None if value is None else str(value) for value in row] for row in rows]
    return pl.DataFrame(plain, schema=KEYS_SCHEMA, orient="row").sort("id")
