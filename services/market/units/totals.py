"""Totals of market units, recounted (UC-03.03): their assets as one frame, the rules of `capability`, the rows they fill."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import BigInteger, String, cast, delete, select, type_coerce, update
from sqlmodel import col

from models.assets import Asset
from models.units import MarketUnit, UnitArea, UnitCapability, UnitHistory, UnitMember, UnitType
from services.assets.rules.reference import catalogue
from services.core.clock import now
from services.core.db.bulk_insert import insert_rows
from services.core.ledger.writer import table_of
from services.core.transaction import current_session
from services.market.counters.maintain import touch_units
from services.market.units.capability import ASSET_COLUMNS, ATTRIBUTES, measure_assets, sum_areas_and_limits, sum_units
from services.market.units.members import CURRENT, batches

BATCH_SIZE = 500
_COLUMNS: tuple[Any, ...] = (
    col(Asset.id),
    type_coerce(col(Asset.status), String),
    col(Asset.asset_category),
    col(Asset.connection_status),
    col(Asset.fuel_type_energy_source),
    *(type_coerce(column, BigInteger) for column in (
        col(Asset.rated_capacity), col(Asset.gen_capacity), col(Asset.demand_capacity)
    )),
    col(Asset.import_mpan),
    col(Asset.export_mpan),
    col(Asset.dno_connection),
    col(Asset.gsp_group),
    cast(col(Asset.category_attributes), String),
)  # fmt: skip
_READ: Mapping[str, Any] = {
    "unit_id": pl.String, "asset_id": pl.String, "status": pl.String, "category": pl.String,
    "connection_status": pl.String, "energy_source": pl.String, "rated": pl.Int64, "gen": pl.Int64, "demand": pl.Int64,
    "import_mpan": pl.String, "export_mpan": pl.String, "dno_code": pl.String, "gsp_group": pl.String,
    "attributes": pl.String,
}  # fmt: skip
_HUNDREDTHS = ("storage", "min_charge", "share", "min_stable")


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of one unit. Powers in kW, energy in kWh; None is not known."""

    unit_type: UnitType
    assets: int
    accounting_points: int
    rated: Decimal
    up: Decimal
    down: Decimal
    energy_kwh: Decimal | None
    response_s: int | None
    duration_min: int | None
    not_verified: int


def load_unit_assets(unit_ids: Collection[UUID]) -> pl.DataFrame:
    """Load the assets that are in units now, as `ASSET_COLUMNS`; inside an operation."""
    query = select(col(UnitMember.unit_id), *_COLUMNS).join(Asset, col(Asset.id) == col(UnitMember.asset_id))
    rows = current_session().execute(query.where(col(UnitMember.unit_id).in_(unit_ids), CURRENT))
    return _build_frame([(str(unit), str(asset), *values) for unit, asset, *values in rows])


def load_assets_by_id(asset_ids: Collection[UUID], unit_id: str = "") -> pl.DataFrame:
    """Load these assets as if they were in one unit; the caller, an operation, has checked that the actor sees them."""
    rows: list[tuple[Any, ...]] = []
    for batch in batches(asset_ids):
        result = current_session().execute(select(*_COLUMNS).where(col(Asset.id).in_(batch)))
        rows += [(unit_id, str(asset), *values) for asset, *values in result]
    return _build_frame(rows)


def _build_frame(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    kinds = {code: str(schema.get("x-kind", "both")) for code, schema in catalogue().reference.schemas.items()}
    frame = pl.DataFrame(rows, schema=_READ, orient="row")
    return frame.with_columns(
        kind=pl.col("category").replace_strict(kinds, default="both", return_dtype=pl.String),
        **{name: _attribute_expression(name, term) for name, term in ATTRIBUTES.items()},
    ).select(list(ASSET_COLUMNS))


def _attribute_expression(name: str, term: str) -> pl.Expr:
    """Build the expression for a category attribute: whole numbers, powers and shares in hundredths."""
    text = pl.col("attributes").str.json_path_match(f"$['{term}']")
    if name == "curtailable":
        return text == "true"
    number = text.cast(pl.Decimal(20, 4), strict=False)
    return ((number * 100) if name in _HUNDREDTHS else number).cast(pl.Int64)


def totals_from_row(row: Mapping[str, Any]) -> Totals:
    """Turn a row of `services.market.units.capability.sum_units` into totals."""
    whole = ("assets", "accounting_points", "response_s", "duration_min", "not_verified")
    return Totals(
        unit_type=UnitType(row["unit_type"]),
        rated=Decimal(row["rated"]).scaleb(-2),
        up=Decimal(row["up"]).scaleb(-2),
        down=Decimal(row["down"]).scaleb(-2),
        energy_kwh=None if row["energy"] is None else Decimal(row["energy"]).scaleb(-2),
        **{name: row[name] for name in whole},
    )


def recount_units(
    unit_ids: Collection[UUID], *, added: int = 0, removed: int = 0
) -> dict[UUID, tuple[Totals | None, Totals]]:
    """Recount active units, in batches, and store the totals; return each unit's totals before and after.

    Inside an operation that writes. A line of history is added where a unit's totals or composition changed; `added` and
    `removed` are numbers of assets, where one unit's composition changed. A unit without assets stays as it was.
    """
    totals: dict[UUID, tuple[Totals | None, Totals]] = {}
    ordered = sorted(unit_ids)
    for start in range(0, len(ordered), BATCH_SIZE):
        totals |= _recount_batch(ordered[start : start + BATCH_SIZE], added, removed)
    return totals


def _recount_batch(unit_ids: Sequence[UUID], added: int, removed: int) -> dict[UUID, tuple[Totals | None, Totals]]:
    session = current_session()
    session.flush()
    table = table_of(UnitCapability)
    # First of all: a concurrent change of an asset waits here, and marks the unit again afterwards.
    session.execute(update(table).where(table.c.unit_id.in_(unit_ids)).values(stale=0))
    names = [table.c.unit_id, *(table.c[name] for name in Totals.__slots__)]
    rows = session.execute(select(*names).where(table.c.unit_id.in_(unit_ids)))
    before = {unit: Totals(*values) for unit, *values in rows}
    contributions = measure_assets(load_unit_assets(unit_ids))
    units = sum_units(contributions)
    if units.is_empty():
        return {}
    after = {UUID(row["unit_id"]): totals_from_row(row) for row in units.iter_rows(named=True)}
    areas, limits = sum_areas_and_limits(contributions, units)
    _store_totals(after, areas, limits)
    _record_history(before, after, added, removed)
    return {unit: (before.get(unit), totals) for unit, totals in after.items()}


def _store_totals(after: Mapping[UUID, Totals], areas: pl.DataFrame, limits: Mapping[str, Any]) -> None:
    session = current_session()
    for table in (UnitCapability, UnitArea):
        stored = table_of(table)
        session.execute(delete(stored).where(stored.c.unit_id.in_(list(after))))
    connection = session.connection()
    capabilities: dict[str, Any] = {
        name: [getattr(totals, name) for totals in after.values()] for name in Totals.__slots__
    }
    capabilities |= {"unit_id": list(after), "limits": [limits[str(unit)] for unit in after]}
    capabilities |= {"counted_at": [now()] * len(after), "stale": [0] * len(after)}
    insert_rows(connection, table_of(UnitCapability), capabilities)
    shares: dict[str, Any] = {name: areas[name].to_list() for name in ("dno_code", "gsp_group", "assets")}
    shares |= {name: [Decimal(power).scaleb(-2) for power in areas[name]] for name in ("up", "down")}
    shares |= {"unit_id": [UUID(unit) for unit in areas["unit_id"]]}
    insert_rows(connection, table_of(UnitArea), shares)
    touch_units(session, after)


def _record_history(before: Mapping[UUID, Totals], after: Mapping[UUID, Totals], added: int, removed: int) -> None:
    """Add a line of history for each unit whose totals or composition changed."""
    names = ("unit_type", "assets", "up", "down")
    changed = {
        unit: totals
        for unit, totals in after.items()
        if added or removed or unit not in before or any(getattr(before[unit], n) != getattr(totals, n) for n in names)
    }
    if not changed:
        return
    session = current_session()
    rows = session.execute(
        select(col(MarketUnit.id), col(MarketUnit.composition)).where(col(MarketUnit.id).in_(list(changed)))
    )
    compositions: dict[UUID, int] = {row.id: row.composition for row in rows}
    columns: dict[str, Any] = {name: [getattr(totals, name) for totals in changed.values()] for name in names}
    count = len(changed)
    columns |= {
        "unit_id": list(changed),
        "composition": [compositions[unit] for unit in changed],
        "at": [now()] * count,
    }
    columns |= {"added": [added] * count, "removed": [removed] * count}
    insert_rows(session.connection(), table_of(UnitHistory), columns)
