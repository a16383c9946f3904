"""What a unit's assets serve already, what may be held beside it, and who comes first (UC-04.03)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.products import Family, ProductVersion
from models.qualifications import QUALIFICATION_ENDED, QUALIFICATION_LABELS, Qualification, QualificationStatus
from models.units import MarketUnit, UnitMember
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.transaction import current_session
from services.market.products.market_tables import ALLOWED, STACKING_LABELS, UNKNOWN, Stacking, StackingCell
from services.market.products.stacking import condition_of
from services.market.units.members import CURRENT, runs

MW_DISPATCH = "MWD"
MODES: Mapping[str, str] = {
    "co_delivery": "the same MW at the same time",
    "splitting": "different MW at the same time",
    "jumping": "the same asset at different times",
}
STANDING_NOW = tuple(one for one in QualificationStatus if one not in QUALIFICATION_ENDED)


@dataclass(frozen=True, slots=True)
class Served:
    """A product that the assets serve, or have been applied with, and in which unit."""

    product_code: str
    status: QualificationStatus
    unit_id: UUID
    unit_code: str
    """As typed by its provider: escape it."""
    shared: int
    """How many of the assets in question are in that unit."""

    @property
    def qualified(self) -> bool:
        """Whether an application for an equivalent product may rest on it."""
        return self.status is QualificationStatus.QUALIFIED


@dataclass(frozen=True, slots=True)
class Beside:
    """A product beside one that is held already, in the three modes."""

    held: Served
    cell: StackingCell
    words: str

    @property
    def possible(self) -> bool | None:
        """Whether some mode allows both; None where none does and the system operator is to be asked."""
        if any(mode in ALLOWED for mode in self.cell):
            return True
        return None if Stacking.NO_DATA in self.cell else False


@dataclass(frozen=True, slots=True)
class Primacy:
    """That some assets serve a DSO and MW Dispatch: the DSO's flexibility comes first (draft rule 1)."""

    dso_products: tuple[str, ...]
    words: str


def holdings_of_units(actor: Actor, unit_ids: Collection[UUID]) -> dict[UUID, list[Served]]:
    """By unit, what the actor may see that it, or another unit with some of its assets, holds or has applied for.

    Inside an operation; one statement for 2,000 units.
    """
    found: dict[UUID, list[Served]] = {}
    for some in runs(unit_ids):
        for unit, held in _held_by(some, visible(Qualification, actor)).items():
            found[unit] = held
    return found


def _held_by(unit_ids: Sequence[UUID], seen: ColumnElement[bool]) -> dict[UUID, list[Served]]:
    mine, theirs = aliased(UnitMember), aliased(UnitMember)
    shared = (
        select(col(mine.unit_id).label("mine"), col(theirs.unit_id).label("theirs"), func.count().label("shared"))
        .join(theirs, col(theirs.asset_id) == col(mine.asset_id))
        .where(col(mine.unit_id).in_(unit_ids), col(mine.until_at).is_(None), col(theirs.until_at).is_(None))
        .group_by(col(mine.unit_id), col(theirs.unit_id))
        .subquery()
    )
    chosen = select(shared.c.mine, *_HOLDING, shared.c.shared).select_from(shared)
    rows = current_session().execute(_joined(chosen, shared.c.theirs, seen))
    found: dict[UUID, list[Served]] = defaultdict(list)
    for unit, *held in rows:
        found[unit].append(Served(*held))
    return found


def holdings_of_assets(actor: Actor, asset_ids: Collection[UUID]) -> list[Served]:
    """What the actor may see that units with some of these assets hold or have applied for; inside an operation."""
    counts: dict[UUID, int] = defaultdict(int)
    for some in runs(asset_ids):
        units = select(col(UnitMember.unit_id), func.count()).where(col(UnitMember.asset_id).in_(some), CURRENT)
        for unit, count in current_session().execute(units.group_by(col(UnitMember.unit_id))):
            counts[unit] += count
    held: list[Served] = []
    for some in runs(counts):
        chosen = select(*_HOLDING).select_from(MarketUnit).where(col(MarketUnit.id).in_(some))
        chosen = chosen.join(Qualification, col(Qualification.unit_id) == col(MarketUnit.id))
        standing = (col(Qualification.status).in_(STANDING_NOW), visible(Qualification, actor))
        rows = current_session().execute(chosen.where(*standing).order_by(col(Qualification.id)))
        held += [Served(*row, shared=counts[row[2]]) for row in rows]
    return held


_HOLDING = (
    col(Qualification.product_code),
    col(Qualification.status),
    col(MarketUnit.id),
    col(MarketUnit.code),
)


def _joined(chosen: Any, unit_id: Any, seen: ColumnElement[bool]) -> Any:
    standing = col(Qualification.status).in_(STANDING_NOW)
    return (
        chosen.join(Qualification, col(Qualification.unit_id) == unit_id)
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .where(standing, seen)
        .order_by(col(Qualification.id))
    )


def beside(
    version: ProductVersion,
    held: Iterable[Served],
    cells: Mapping[tuple[str, str], StackingCell],
    versions: Mapping[str, ProductVersion],
) -> list[Beside]:
    """A product beside each other product that is held: what the stacking matrix says, in words. ND is never a yes."""
    found: list[Beside] = []
    for code, one in {one.product_code: one for one in held}.items():
        if code == version.code:
            continue
        other = versions.get(code)
        cell = UNKNOWN
        if other is not None and version.stacking_code and other.stacking_code:
            cell = cells.get((version.stacking_code, other.stacking_code), UNKNOWN)
        found.append(Beside(one, cell, _words(version, other, one, cell)))
    return found


def _words(version: ProductVersion, other: ProductVersion | None, held: Served, cell: StackingCell) -> str:
    said = [f"{MODES[mode]}: {STACKING_LABELS[getattr(cell, mode)]}" for mode in MODES]
    condition = other and condition_of(version, other)
    start = f"Beside {held.product_code} ({QUALIFICATION_LABELS[held.status]}): {'; '.join(said)}."
    return f"{start} {condition}" if condition else start


def primacy_of_units(unit_ids: Collection[UUID]) -> dict[UUID, Primacy]:
    """Units of which some asset serves both a DSO and MW Dispatch, through this unit or another; inside an operation.

    A flag for both operators: it names products, never another operator's application, so it holds for whoever sees the unit.
    """
    found: dict[UUID, Primacy] = {}
    for some in runs(unit_ids):
        found |= dict(_flagged(some))
    return found


def _flagged(unit_ids: Sequence[UUID]) -> Iterable[tuple[UUID, Primacy]]:
    mine, dso, dispatch = aliased(UnitMember), aliased(UnitMember), aliased(UnitMember)
    served, moved = aliased(Qualification), aliased(Qualification)
    chosen = (
        select(col(mine.unit_id), col(served.product_code), func.count(func.distinct(col(mine.asset_id))))
        .join(dso, col(dso.asset_id) == col(mine.asset_id))
        .join(served, col(served.unit_id) == col(dso.unit_id))
        .join(dispatch, col(dispatch.asset_id) == col(mine.asset_id))
        .join(moved, col(moved.unit_id) == col(dispatch.unit_id))
        .where(
            col(mine.unit_id).in_(unit_ids),
            *(col(one.until_at).is_(None) for one in (mine, dso, dispatch)),
            *(col(one.status).in_(STANDING_NOW) for one in (served, moved)),
            col(served.family) == Family.DSO,
            col(moved.product_code) == MW_DISPATCH,
        )
        .group_by(col(mine.unit_id), col(served.product_code))
        .order_by(col(mine.unit_id), col(served.product_code))
    )
    by_unit: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    for unit, code, assets in current_session().execute(chosen):
        by_unit[unit].append((code, assets))
    for unit, served_by in by_unit.items():
        codes = tuple(code for code, _ in served_by)
        count = max(assets for _, assets in served_by)
        which = f"{count:,} {'asset serves' if count == 1 else 'assets serve'}"
        yield unit, Primacy(codes, f"{which} both a DSO ({', '.join(codes)}) and MW Dispatch: the DSO comes first.")
