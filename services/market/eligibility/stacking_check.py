"""Stacking check of units and assets: the products they hold already, what may be held beside them, primacy (UC-04.03)."""

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
from services.market.products.stacking import stacking_condition
from services.market.units.members import CURRENT, batches

MW_DISPATCH = "MWD"
MODES: Mapping[str, str] = {
    "co_delivery": "the same MW at the same time",
    "splitting": "different MW at the same time",
    "jumping": "the same asset at different times",
}
NOT_ENDED = tuple(status for status in QualificationStatus if status not in QUALIFICATION_ENDED)


@dataclass(frozen=True, slots=True)
class HeldProduct:
    """A product that the assets are qualified for, or have been applied with, and the unit."""

    product_code: str
    status: QualificationStatus
    unit_id: UUID
    unit_code: str
    """As typed by its provider: escape it."""
    shared: int
    """The number of the assets in question that are in that unit."""

    @property
    def qualified(self) -> bool:
        """True when an application for an equivalent product may rest on it."""
        return self.status is QualificationStatus.QUALIFIED


@dataclass(frozen=True, slots=True)
class StackingWith:
    """The stacking of a product with one that is held already, in the three modes."""

    holding: HeldProduct
    cell: StackingCell
    words: str

    @property
    def possible(self) -> bool | None:
        """True when a mode allows both; None where none does and the system operator is to be asked."""
        if any(mode in ALLOWED for mode in self.cell):
            return True
        return None if Stacking.NO_DATA in self.cell else False


@dataclass(frozen=True, slots=True)
class Primacy:
    """The primacy flag: some assets serve a DSO and MW Dispatch, and the DSO's flexibility comes first (draft rule 1)."""

    dso_products: tuple[str, ...]
    words: str


def find_holdings_of_units(actor: Actor, unit_ids: Collection[UUID]) -> dict[UUID, list[HeldProduct]]:
    """Find, by unit, the visible holdings of the unit and of other units with some of its assets.

    Inside an operation; one statement for 2,000 units.
    """
    holdings: dict[UUID, list[HeldProduct]] = {}
    for batch in batches(unit_ids):
        holdings |= _load_holdings(batch, visible(Qualification, actor))
    return holdings


def _load_holdings(unit_ids: Sequence[UUID], visibility: ColumnElement[bool]) -> dict[UUID, list[HeldProduct]]:
    own, sharing = aliased(UnitMember), aliased(UnitMember)
    shared = (
        select(col(own.unit_id).label("mine"), col(sharing.unit_id).label("theirs"), func.count().label("shared"))
        .join(sharing, col(sharing.asset_id) == col(own.asset_id))
        .where(col(own.unit_id).in_(unit_ids), col(own.until_at).is_(None), col(sharing.until_at).is_(None))
        .group_by(col(own.unit_id), col(sharing.unit_id))
        .subquery()
    )
    query = select(shared.c.mine, *_HOLDING_COLUMNS, shared.c.shared).select_from(shared)
    rows = current_session().execute(_join_qualification(query, shared.c.theirs, visibility))
    holdings: dict[UUID, list[HeldProduct]] = defaultdict(list)
    for unit, *values in rows:
        holdings[unit].append(HeldProduct(*values))
    return holdings


def find_holdings_of_assets(actor: Actor, asset_ids: Collection[UUID]) -> list[HeldProduct]:
    """Find the visible holdings of the units with some of these assets; inside an operation."""
    counts: dict[UUID, int] = defaultdict(int)
    for batch in batches(asset_ids):
        units = select(col(UnitMember.unit_id), func.count()).where(col(UnitMember.asset_id).in_(batch), CURRENT)
        for unit, count in current_session().execute(units.group_by(col(UnitMember.unit_id))):
            counts[unit] += count
    holdings: list[HeldProduct] = []
    for batch in batches(counts):
        query = select(*_HOLDING_COLUMNS).select_from(MarketUnit).where(col(MarketUnit.id).in_(batch))
        query = query.join(Qualification, col(Qualification.unit_id) == col(MarketUnit.id))
        conditions = (col(Qualification.status).in_(NOT_ENDED), visible(Qualification, actor))
        rows = current_session().execute(query.where(*conditions).order_by(col(Qualification.id)))
        holdings += [HeldProduct(*row, shared=counts[row.id]) for row in rows]
    return holdings


_HOLDING_COLUMNS = (
    col(Qualification.product_code),
    col(Qualification.status),
    col(MarketUnit.id),
    col(MarketUnit.code),
)


def _join_qualification(query: Any, unit_id: Any, visibility: ColumnElement[bool]) -> Any:
    not_ended = col(Qualification.status).in_(NOT_ENDED)
    return (
        query.join(Qualification, col(Qualification.unit_id) == unit_id)
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .where(not_ended, visibility)
        .order_by(col(Qualification.id))
    )


def check_beside_holdings(
    version: ProductVersion,
    holdings: Iterable[HeldProduct],
    cells: Mapping[tuple[str, str], StackingCell],
    versions: Mapping[str, ProductVersion],
) -> list[StackingWith]:
    """Check a product beside each other product that is held, by the stacking matrix, in words. ND is never a yes."""
    results: list[StackingWith] = []
    for code, holding in {holding.product_code: holding for holding in holdings}.items():
        if code == version.code:
            continue
        held_version = versions.get(code)
        cell = UNKNOWN
        if held_version is not None and version.stacking_code and held_version.stacking_code:
            cell = cells.get((version.stacking_code, held_version.stacking_code), UNKNOWN)
        results.append(StackingWith(holding, cell, _describe_stacking(version, held_version, holding, cell)))
    return results


def _describe_stacking(
    version: ProductVersion, held_version: ProductVersion | None, holding: HeldProduct, cell: StackingCell
) -> str:
    modes = [f"{MODES[mode]}: {STACKING_LABELS[getattr(cell, mode)]}" for mode in MODES]
    condition = held_version and stacking_condition(version, held_version)
    start = f"Beside {holding.product_code} ({QUALIFICATION_LABELS[holding.status]}): {'; '.join(modes)}."
    return f"{start} {condition}" if condition else start


def find_primacy(unit_ids: Collection[UUID]) -> dict[UUID, Primacy]:
    """Find the units of which some asset serves both a DSO and MW Dispatch, in this unit or another; inside an operation.

    A flag for both operators: it names products, never another operator's application, so everyone who sees the unit sees it.
    """
    flags: dict[UUID, Primacy] = {}
    for batch in batches(unit_ids):
        flags |= dict(_find_flagged(batch))
    return flags


def _find_flagged(unit_ids: Sequence[UUID]) -> Iterable[tuple[UUID, Primacy]]:
    member, dso, dispatch = aliased(UnitMember), aliased(UnitMember), aliased(UnitMember)
    dso_qualification, dispatch_qualification = aliased(Qualification), aliased(Qualification)
    query = (
        select(
            col(member.unit_id), col(dso_qualification.product_code), func.count(func.distinct(col(member.asset_id)))
        )
        .join(dso, col(dso.asset_id) == col(member.asset_id))
        .join(dso_qualification, col(dso_qualification.unit_id) == col(dso.unit_id))
        .join(dispatch, col(dispatch.asset_id) == col(member.asset_id))
        .join(dispatch_qualification, col(dispatch_qualification.unit_id) == col(dispatch.unit_id))
        .where(
            col(member.unit_id).in_(unit_ids),
            *(col(membership.until_at).is_(None) for membership in (member, dso, dispatch)),
            *(
                col(qualification.status).in_(NOT_ENDED)
                for qualification in (dso_qualification, dispatch_qualification)
            ),
            col(dso_qualification.family) == Family.DSO,
            col(dispatch_qualification.product_code) == MW_DISPATCH,
        )
        .group_by(col(member.unit_id), col(dso_qualification.product_code))
        .order_by(col(member.unit_id), col(dso_qualification.product_code))
    )
    by_unit: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    for unit, code, assets in current_session().execute(query):
        by_unit[unit].append((code, assets))
    for unit, served_by in by_unit.items():
        codes = tuple(code for code, _ in served_by)
        count = max(assets for _, assets in served_by)
        subject = f"{count:,} {'asset serves' if count == 1 else 'assets serve'}"
        yield unit, Primacy(codes, f"{subject} both a DSO ({', '.join(codes)}) and MW Dispatch: the DSO comes first.")
