"""Units, and assets as if they were one, as the frames that eligibility is judged from (UC-04.03)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, String, select, type_coerce
from sqlmodel import col

from models.units import MarketUnit, UnitArea, UnitCapability, UnitStatus
from services.core.transaction import current_session
from services.market.units.capability import of_areas, of_assets, of_units
from services.market.units.totals import assets_by_id, assets_of_units

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


def _whole(column: Any) -> Any:
    """Hundredths as they are stored, without a Decimal for each."""
    return type_coerce(column, BigInteger)


_UNIT_COLUMNS: tuple[Any, ...] = (
    col(MarketUnit.id), col(MarketUnit.code), col(MarketUnit.name), type_coerce(col(MarketUnit.family), String),
    _whole(UnitCapability.up), _whole(UnitCapability.down), _whole(UnitCapability.energy_kwh),
    col(UnitCapability.response_s), col(UnitCapability.duration_min), col(UnitCapability.assets),
    col(UnitCapability.accounting_points), col(UnitCapability.stale),
)  # fmt: skip
_AREA_COLUMNS: tuple[Any, ...] = (
    col(UnitArea.unit_id), col(UnitArea.dno_code), col(UnitArea.gsp_group), _whole(UnitArea.up), _whole(UnitArea.down)
)  # fmt: skip


def frames_to_count(*conditions: ColumnElement[bool]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`frames_where` for counting many: identifiers as the database has them, which tell units apart and are read quickly."""
    session = current_session()
    active = (col(MarketUnit.status) == UnitStatus.ACTIVE, *conditions)
    chosen = select(as_stored(col(MarketUnit.id)), *_UNIT_COLUMNS[1:])
    chosen = chosen.join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id)).where(*active)
    rows = session.execute(chosen.order_by(col(MarketUnit.id).desc()))
    units = pl.DataFrame([(str(unit), *rest) for unit, *rest in rows], schema=_UNITS, orient="row")
    places = select(as_stored(col(UnitArea.unit_id)), *_AREA_COLUMNS[1:])
    places = places.join(MarketUnit, col(MarketUnit.id) == col(UnitArea.unit_id)).where(*active)
    areas = [(str(unit), *rest) for unit, *rest in session.execute(places)]
    return units, pl.DataFrame(areas, schema=_AREAS, orient="row")


def as_stored(identifier: Any) -> Any:
    """An identifier as the database has it, without an object for each."""
    return type_coerce(identifier, String)


def frames_where(*conditions: ColumnElement[bool], limit: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Active units that pass the conditions, newest first, and their areas; inside an operation. Two statements.

    Beside what `judge` reads: unit_code, unit_name, and `stale` (changes of its assets that aren't counted yet).
    """
    session = current_session()
    active = (col(MarketUnit.status) == UnitStatus.ACTIVE, *conditions)
    chosen = select(*_UNIT_COLUMNS).join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id))
    rows = session.execute(chosen.where(*active).order_by(col(MarketUnit.id).desc()).limit(limit)).all()
    units = pl.DataFrame([(str(unit), *rest) for unit, *rest in rows], schema=_UNITS, orient="row")
    places = select(*_AREA_COLUMNS).join(MarketUnit, col(MarketUnit.id) == col(UnitArea.unit_id)).where(*active)
    if limit is not None and rows:
        places = places.where(col(MarketUnit.id) >= rows[-1][0])
    areas = [(str(unit), *rest) for unit, *rest in session.execute(places)]
    return units, pl.DataFrame(areas, schema=_AREAS, orient="row")


def frames_of_assets(asset_ids: Sequence[UUID], family: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """These assets as if they were one unit with an empty identifier; without a family it isn't decided yet."""
    return _counted(assets_by_id(asset_ids), family)


def frames_with(unit_id: UUID, family: str, added: Sequence[UUID]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A unit as it would be with these assets as well, counted from its assets."""
    assets = pl.concat([assets_of_units([unit_id]), assets_by_id(added, str(unit_id))])
    return _counted(assets, family)


def _counted(assets: pl.DataFrame, family: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    brought = of_assets(assets)
    return of_units(brought).with_columns(family=pl.lit(family, pl.String)), of_areas(brought)
