"""Assets as they stand beside the rows that speak of them: columns of the database, no object for each (UC-02.03, bulk)."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, String, Uuid, any_, literal, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.assets import Asset
from services.assets.bulk.export.rows import as_held
from services.assets.bulk.upload.column_mapping import ASSET_ID
from services.assets.registration.record import STORED_TERMS
from services.assets.rules.prepare import KILOWATTS
from services.core.db.engine import is_sqlite
from services.core.db.expressions import among

DERIVED = "derived"
"""The terms that the register worked out, as JSON."""
STANDING: dict[str, str] = {
    ASSET_ID: "id",
    "Status": "status",
    "SchemaVersion": "schema_version",
    DERIVED: "derived_terms",
    **STORED_TERMS,
}
"""Name -> column of what is held against rows."""


_NOTHING: Mapping[str, tuple[Any, Any]] = MappingProxyType({})


class Standing(NamedTuple):
    """What is told of an asset that a row leaves as it is."""

    id: UUID
    asset_name: str
    asset_category: str
    rated_capacity: Decimal
    latitude: float | None
    longitude: float | None


class Unchanged(NamedTuple):
    """A row that says nothing new: a `changes.Change` that changes nothing, with nothing found."""

    asset: Standing
    checked: None = None
    changes: Mapping[str, tuple[Any, Any]] = _NOTHING


def standing(ids: Sequence[UUID]) -> pl.DataFrame | None:
    """The assets as they stand (`STANDING`, values as in `export_rows.batches`): a row for each identifier, in their order.

    Nothing but the identifier where there is no such asset; None where there is none at all. Inside an operation.
    """
    found = list(as_held(STANDING, _one_of(set(ids)))) if ids else []
    if not found:
        return None
    wanted = pl.DataFrame({ASSET_ID: [str(one) for one in ids]})
    return wanted.join(pl.concat(found), on=ASSET_ID, how="left", maintain_order="left")


def _one_of(ids: Collection[UUID]) -> ColumnElement[bool]:
    if is_sqlite():
        return among(type_coerce(col(Asset.id), String), (one.hex for one in ids))
    return col(Asset.id) == any_(literal(list(ids), ARRAY(Uuid)))


def left_as_they_are(stands: pl.DataFrame, ids: Sequence[UUID], same: pl.Series) -> list[Unchanged | None]:
    """What becomes of the assets of `standing(ids)` where `same` holds."""
    rated = pl.col("RatedCapacity").cast(KILOWATTS) / 100
    told = stands.select("AssetName", "AssetCategory", rated, "Latitude", "Longitude")
    pairs = zip(same.to_list(), ids, told.rows(), strict=True)
    return [Unchanged(Standing(asset_id, *one)) if is_same else None for is_same, asset_id, one in pairs]
