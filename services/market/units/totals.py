"""Counting units anew (UC-03.03): their assets as one frame, the rules of `capability`, and what is kept of the outcome."""

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
from services.core.db.bulk_insert import put
from services.core.db.columns import Same
from services.core.ledger.writer import table_of
from services.core.transaction import current_session
from services.market.counters.maintain import units_changed
from services.market.units.capability import ASSET_COLUMNS, ATTRIBUTES, areas_and_limits, of_assets, of_units
from services.market.units.members import CURRENT, runs

UNITS_AT_ONCE = 500
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
    """What a unit comes to. Powers in kW, energy in kWh; None is not known."""

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


def assets_of_units(unit_ids: Collection[UUID]) -> pl.DataFrame:
    """The assets that are in units now, as `ASSET_COLUMNS`; inside an operation."""
    chosen = select(col(UnitMember.unit_id), *_COLUMNS).join(Asset, col(Asset.id) == col(UnitMember.asset_id))
    rows = current_session().execute(chosen.where(col(UnitMember.unit_id).in_(unit_ids), CURRENT))
    return _frame([(str(unit), str(asset), *rest) for unit, asset, *rest in rows])


def assets_by_id(asset_ids: Collection[UUID], unit_id: str = "") -> pl.DataFrame:
    """These assets as if they were in one unit; inside an operation that has seen to it that the actor may see them."""
    rows: list[tuple[Any, ...]] = []
    for some in runs(asset_ids):
        found = current_session().execute(select(*_COLUMNS).where(col(Asset.id).in_(some)))
        rows += [(unit_id, str(asset), *rest) for asset, *rest in found]
    return _frame(rows)


def _frame(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    kinds = {code: str(schema.get("x-kind", "both")) for code, schema in catalogue().reference.schemas.items()}
    read = pl.DataFrame(rows, schema=_READ, orient="row")
    return read.with_columns(
        kind=pl.col("category").replace_strict(kinds, default="both", return_dtype=pl.String),
        **{name: _attribute(name, term) for name, term in ATTRIBUTES.items()},
    ).select(list(ASSET_COLUMNS))


def _attribute(name: str, term: str) -> pl.Expr:
    """An attribute of the category as the rules read it: whole numbers, powers and shares in hundredths."""
    text = pl.col("attributes").str.json_path_match(f"$['{term}']")
    if name == "curtailable":
        return text == "true"
    number = text.cast(pl.Decimal(20, 4), strict=False)
    return ((number * 100) if name in _HUNDREDTHS else number).cast(pl.Int64)


def totals_of(row: Mapping[str, Any]) -> Totals:
    """A row of `capability.of_units`."""
    whole = ("assets", "accounting_points", "response_s", "duration_min", "not_verified")
    return Totals(
        unit_type=UnitType(row["unit_type"]),
        rated=Decimal(row["rated"]).scaleb(-2),
        up=Decimal(row["up"]).scaleb(-2),
        down=Decimal(row["down"]).scaleb(-2),
        energy_kwh=None if row["energy"] is None else Decimal(row["energy"]).scaleb(-2),
        **{name: row[name] for name in whole},
    )


def totals_kept(kept: UnitCapability) -> Totals:
    """What was counted last."""
    return Totals(**{name: getattr(kept, name) for name in Totals.__slots__})


def recount(
    unit_ids: Collection[UUID], *, added: int = 0, removed: int = 0
) -> dict[UUID, tuple[Totals | None, Totals]]:
    """Count active units anew, all of them at once, and keep it; what each came to before and comes to now.

    Inside an operation that writes. A line of history is added where what a unit comes to, or its composition, has changed;
    `added` and `removed` are how many assets, where one unit's composition changed. A unit without assets stays as it was.
    """
    found: dict[UUID, tuple[Totals | None, Totals]] = {}
    listed = sorted(unit_ids)
    for start in range(0, len(listed), UNITS_AT_ONCE):
        found |= _recounted(listed[start : start + UNITS_AT_ONCE], added, removed)
    return found


def _recounted(unit_ids: Sequence[UUID], added: int, removed: int) -> dict[UUID, tuple[Totals | None, Totals]]:
    session = current_session()
    session.flush()
    kept = table_of(UnitCapability)
    # First of all: whoever changes an asset meanwhile waits here, and marks the unit again afterwards.
    session.execute(update(kept).where(kept.c.unit_id.in_(unit_ids)).values(stale=0))
    names = [kept.c.unit_id, *(kept.c[name] for name in Totals.__slots__)]
    rows = session.execute(select(*names).where(kept.c.unit_id.in_(unit_ids)))
    before = {unit: Totals(*rest) for unit, *rest in rows}
    brought = of_assets(assets_of_units(unit_ids))
    units = of_units(brought)
    if units.is_empty():
        return {}
    after = {UUID(row["unit_id"]): totals_of(row) for row in units.iter_rows(named=True)}
    areas, limits = areas_and_limits(brought, units)
    _keep(after, areas, limits)
    _note(before, after, added, removed)
    return {unit: (before.get(unit), totals) for unit, totals in after.items()}


def _keep(after: Mapping[UUID, Totals], areas: pl.DataFrame, limits: Mapping[str, Any]) -> None:
    session = current_session()
    for table in (UnitCapability, UnitArea):
        kept = table_of(table)
        session.execute(delete(kept).where(kept.c.unit_id.in_(list(after))))
    connection = session.connection()
    counted: dict[str, Any] = {name: [getattr(one, name) for one in after.values()] for name in Totals.__slots__}
    counted |= {"unit_id": list(after), "limits": [limits[str(unit)] for unit in after]}
    put(connection, table_of(UnitCapability), {**counted, "counted_at": Same(now()), "stale": Same(0)}, len(after))
    places: dict[str, Any] = {name: areas[name].to_list() for name in ("dno_code", "gsp_group", "assets")}
    places |= {name: [Decimal(one).scaleb(-2) for one in areas[name]] for name in ("up", "down")}
    put(connection, table_of(UnitArea), {**places, "unit_id": [UUID(one) for one in areas["unit_id"]]}, areas.height)
    units_changed(session, after)


def _note(before: Mapping[UUID, Totals], after: Mapping[UUID, Totals], added: int, removed: int) -> None:
    """A line of history for each unit that comes to something else, or is composed anew."""
    names = ("unit_type", "assets", "up", "down")
    changed = {
        unit: one
        for unit, one in after.items()
        if added or removed or unit not in before or any(getattr(before[unit], n) != getattr(one, n) for n in names)
    }
    if not changed:
        return
    session = current_session()
    rows = session.execute(
        select(col(MarketUnit.id), col(MarketUnit.composition)).where(col(MarketUnit.id).in_(list(changed)))
    )
    compositions: dict[UUID, int] = {row[0]: row[1] for row in rows}
    columns: dict[str, Any] = {name: [getattr(one, name) for one in changed.values()] for name in names}
    columns |= {"unit_id": list(changed), "composition": [compositions[unit] for unit in changed], "at": Same(now())}
    put(
        session.connection(),
        table_of(UnitHistory),
        {**columns, "added": Same(added), "removed": Same(removed)},
        len(changed),
    )
