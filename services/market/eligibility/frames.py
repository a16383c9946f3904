"""Frames that eligibility is judged from: units with their areas, or assets as if they were one unit (UC-04.03)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, String, select, type_coerce
from sqlmodel import col

from models.units import MarketUnit, UnitArea, UnitCapability, UnitStatus
from services.core.transaction import current_session
from services.market.units.capability import measure_assets, sum_areas, sum_units
from services.market.units.totals import load_assets_by_id, load_unit_assets

_UNITS = {
    "unit_id": pl.String,
    "unit_code": pl.String,
    "unit_name": pl.String,
    "family": pl.String,
    "up": pl.Int64,
    "down": pl.Int64,
    "energy": pl.Int64,
    "response_s": pl.Int64,
    "duration_min": pl.Int64,
    "assets": pl.Int64,
    "accounting_points": pl.Int64,
    "stale": pl.Int64,
}
_AREAS = {"unit_id": pl.String, "dno_code": pl.String, "gsp_group": pl.String, "up": pl.Int64, "down": pl.Int64}


def _as_hundredths(column: Any) -> Any:
    """Read a column as the stored hundredths, without a Decimal for each value."""
    return type_coerce(column, BigInteger)


_UNIT_COLUMNS: tuple[Any, ...] = (
    col(MarketUnit.id), col(MarketUnit.code), col(MarketUnit.name), type_coerce(col(MarketUnit.family), String),
    _as_hundredths(UnitCapability.up), _as_hundredths(UnitCapability.down), _as_hundredths(UnitCapability.energy_kwh),
    col(UnitCapability.response_s), col(UnitCapability.duration_min), col(UnitCapability.assets),
    col(UnitCapability.accounting_points), col(UnitCapability.stale),
)  # fmt: skip
_AREA_COLUMNS: tuple[Any, ...] = (
    col(UnitArea.unit_id), col(UnitArea.dno_code), col(UnitArea.gsp_group),
    _as_hundredths(UnitArea.up), _as_hundredths(UnitArea.down),
)  # fmt: skip


def load_frames_for_counts(*conditions: ColumnElement[bool]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load the frames of `load_frames` for counts: with identifiers as the database stores them, which are quick to read."""
    session = current_session()
    active = (col(MarketUnit.status) == UnitStatus.ACTIVE, *conditions)
    query = select(as_stored_text(col(MarketUnit.id)), *_UNIT_COLUMNS[1:])
    query = query.join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id)).where(*active)
    rows = session.execute(query.order_by(col(MarketUnit.id).desc()))
    units = pl.DataFrame([(str(unit), *values) for unit, *values in rows], schema=_UNITS, orient="row")
    areas_query = select(as_stored_text(col(UnitArea.unit_id)), *_AREA_COLUMNS[1:])
    areas_query = areas_query.join(MarketUnit, col(MarketUnit.id) == col(UnitArea.unit_id)).where(*active)
    areas = [(str(unit), *values) for unit, *values in session.execute(areas_query)]
    return units, pl.DataFrame(areas, schema=_AREAS, orient="row")


def as_stored_text(identifier: Any) -> Any:
    """Read an identifier as the database stores it, without a UUID object for each."""
    return type_coerce(identifier, String)


def load_frames(*conditions: ColumnElement[bool], limit: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load active units that pass the conditions, newest first, and their areas; inside an operation. Two statements.

    Beside the columns of `judge`: unit_code, unit_name, and `stale` (changes of its assets that aren't counted yet).
    """
    session = current_session()
    active = (col(MarketUnit.status) == UnitStatus.ACTIVE, *conditions)
    query = select(*_UNIT_COLUMNS).join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id))
    rows = session.execute(query.where(*active).order_by(col(MarketUnit.id).desc()).limit(limit)).all()
    units = pl.DataFrame([(str(unit), *values) for unit, *values in rows], schema=_UNITS, orient="row")
    areas_query = select(*_AREA_COLUMNS).join(MarketUnit, col(MarketUnit.id) == col(UnitArea.unit_id)).where(*active)
    if limit is not None and rows:
        areas_query = areas_query.where(col(MarketUnit.id) >= rows[-1][0])
    areas = [(str(unit), *values) for unit, *values in session.execute(areas_query)]
    return units, pl.DataFrame(areas, schema=_AREAS, orient="row")


def load_frames_of_assets(asset_ids: Sequence[UUID], family: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load assets as if they were one unit with an empty identifier; None: its family isn't decided yet."""
    return _measure_frames(load_assets_by_id(asset_ids), family)


def load_frames_with_added(unit_id: UUID, family: str, added: Sequence[UUID]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load a unit as it would be with these assets added, measured from its assets."""
    assets = pl.concat([load_unit_assets([unit_id]), load_assets_by_id(added, str(unit_id))])
    return _measure_frames(assets, family)


def _measure_frames(assets: pl.DataFrame, family: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    contributions = measure_assets(assets)
    return sum_units(contributions).with_columns(family=pl.lit(family, pl.String)), sum_areas(contributions)
