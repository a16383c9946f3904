"""Memberships of assets in market units, from when to when (UC-03.03)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.base import new_id
from models.products import Family
from models.units import MarketUnit, UnitArea, UnitCapability, UnitMember, UnitStatus
from services.assets.counters.queries import areas_of
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.ledger.bulk_insert import insert_columns
from services.core.ledger.bulk_update import change_columns
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.transaction import current_session

LONGEST_PAGE = 500
BATCH_SIZE = 2000
"""The most identifiers that one statement takes."""
CURRENT = col(UnitMember.until_at).is_(None)


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One asset of a unit: the asset as it stands now, and from when until when it is in the unit."""

    asset_id: UUID
    name: str
    """As typed by its provider: escape it."""
    category: str
    status: AssetStatus
    rated_kw: Decimal
    gsp_group: str | None
    dno: str | None
    position: tuple[float, float] | None
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberPage(Page[MemberLine]):
    """A page of the assets of a unit."""

    unseen: int
    """The number of the unit's assets that the actor may not see; 0 after the first page."""


@dataclass(frozen=True, slots=True)
class UnitMembership:
    """A membership: an asset is in a unit, or was."""

    asset_id: UUID
    asset_name: str
    unit_id: UUID
    code: str
    name: str
    family: Family
    unit_status: UnitStatus
    from_at: datetime
    until_at: datetime | None


def membership_at(moment: datetime | None) -> ColumnElement[bool]:
    """Build the condition for memberships that hold at a moment; None: now."""
    if moment is None:
        return CURRENT
    return and_(
        col(UnitMember.from_at) <= moment, or_(col(UnitMember.until_at).is_(None), col(UnitMember.until_at) > moment)
    )


def batches(ids: Iterable[UUID]) -> Iterable[Sequence[UUID]]:
    """Cut identifiers into batches that one statement takes."""
    identifiers = list(ids)
    return (identifiers[start : start + BATCH_SIZE] for start in range(0, len(identifiers), BATCH_SIZE))


def current_assets(unit_id: UUID) -> list[UUID]:
    """Return the assets that are in a unit now, in the order of their identifiers; inside an operation."""
    query = select(col(UnitMember.asset_id)).where(col(UnitMember.unit_id) == unit_id, CURRENT)
    return list(current_session().scalars(query.order_by(col(UnitMember.asset_id))))


@operation("UC-03.03", permission="unit.read", writes=False, name="list_members")
def list_members(
    actor: Actor, unit_id: UUID, *, moment: datetime | None = None, after: str | None = None, limit: int = 100
) -> MemberPage:
    """List the assets of a unit that the actor sees, now or as of a moment, by identifier; `limit` at most 500.

    Raises NotFound for an unseen unit, Invalid for a cursor that isn't one.
    """
    unit = see(MarketUnit, actor, unit_id)
    size = max(1, min(limit, LONGEST_PAGE))
    identifier = col(UnitMember.asset_id)
    of_unit = select(*_COLUMNS).join(Asset, col(Asset.id) == identifier).where(col(UnitMember.unit_id) == unit_id)
    order = Keyset(identifier, descending=False)
    query = order.select_page(of_unit.where(membership_at(moment), visible(Asset, actor)), after, size)
    page = order.page_of(current_session().execute(query).all(), size)
    unseen = _count_unseen(actor, unit, moment) if after is None else 0
    return MemberPage([_member_line(row) for row in page.items], page.next_cursor, unseen)


_COLUMNS: tuple[Any, ...] = (
    col(UnitMember.asset_id), col(Asset.asset_name), col(Asset.asset_category), col(Asset.status), col(Asset.rated_capacity),
    col(Asset.gsp_group), col(Asset.dno_connection), col(Asset.latitude), col(Asset.longitude),
    col(UnitMember.from_at), col(UnitMember.until_at),
)  # fmt: skip


def _member_line(row: Any) -> MemberLine:
    position = None if row.latitude is None or row.longitude is None else (row.latitude, row.longitude)
    return MemberLine(*row[:7], position=position, from_at=row.from_at, until_at=row.until_at)


def _count_unseen(actor: Actor, unit: MarketUnit, moment: datetime | None) -> int:
    """Count the unit's assets that the actor may not see: by area where its areas are counted, else by a query."""
    sees_all, areas = areas_of(actor, "asset.read")
    if sees_all and areas is None:
        return 0
    session = current_session()
    if sees_all and areas is not None and moment is None and unit.status is UnitStatus.ACTIVE:
        query = (
            select(col(UnitArea.dno_code), col(UnitArea.assets), col(UnitCapability.stale))
            .join(UnitCapability, col(UnitCapability.unit_id) == col(UnitArea.unit_id))
            .where(col(UnitArea.unit_id) == unit.id)
        )
        shares = session.execute(query).all()
        if shares and not shares[0][2]:
            return sum(assets for dno, assets, _ in shares if dno not in areas)
    query = select(func.count()).select_from(UnitMember).join(Asset, col(Asset.id) == col(UnitMember.asset_id))
    of_unit = (col(UnitMember.unit_id) == unit.id, membership_at(moment))
    return session.scalar(query.where(*of_unit, ~visible(Asset, actor))) or 0


@operation("UC-03.03", permission="unit.read", writes=False, name="names_of_assets")
def names_of_assets(actor: Actor, asset_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of those of the assets that the actor sees, as typed by their providers: escape them."""
    names: dict[UUID, str] = {}
    for batch in batches(asset_ids):
        query = select(col(Asset.id), col(Asset.asset_name)).where(col(Asset.id).in_(batch), visible(Asset, actor))
        names |= {row.id: row.asset_name for row in current_session().execute(query)}
    return names


@operation("UC-03.03", permission="unit.read", writes=False, name="units_of_asset")
def units_of_asset(actor: Actor, asset_id: UUID) -> list[UnitMembership]:
    """List the units that an asset is in, and was in, the present ones first. Raises NotFound for an unseen asset."""
    see(Asset, actor, asset_id)
    query = _membership_query().where(col(UnitMember.asset_id) == asset_id, visible(MarketUnit, actor))
    rows = current_session().execute(query.order_by(col(UnitMember.from_at).desc()))
    return sorted((UnitMembership(*row) for row in rows), key=lambda membership: membership.until_at is not None)


def _membership_query() -> Any:
    columns: tuple[Any, ...] = (
        col(Asset.id), col(Asset.asset_name), col(MarketUnit.id), col(MarketUnit.code), col(MarketUnit.name),
        col(MarketUnit.family), col(MarketUnit.status), col(UnitMember.from_at), col(UnitMember.until_at),
    )  # fmt: skip
    with_asset = select(*columns).select_from(UnitMember).join(Asset, col(Asset.id) == col(UnitMember.asset_id))
    return with_asset.join(MarketUnit, col(MarketUnit.id) == col(UnitMember.unit_id))


def current_memberships(asset_ids: Collection[UUID], *, family: Family | None = None) -> list[UnitMembership]:
    """Return the current memberships of these assets, in one family or in any; inside an operation."""
    conditions = [CURRENT] if family is None else [CURRENT, col(UnitMember.family) == family]
    memberships: list[UnitMembership] = []
    for batch in batches(asset_ids):
        rows = current_session().execute(_membership_query().where(col(UnitMember.asset_id).in_(batch), *conditions))
        memberships += [UnitMembership(*row) for row in rows]
    return memberships


def other_memberships(unit_id: UUID, assets: Any) -> list[UnitMembership]:
    """Return the other units that some of these assets are in now, one membership each; `assets` queries identifiers."""
    query = _membership_query().where(CURRENT, col(UnitMember.unit_id) != unit_id, col(UnitMember.asset_id).in_(assets))
    by_unit: dict[UUID, UnitMembership] = {}
    for row in current_session().execute(query.order_by(col(UnitMember.unit_id), col(UnitMember.asset_id))):
        membership = UnitMembership(*row)
        by_unit.setdefault(membership.unit_id, membership)
    return list(by_unit.values())


def add_members(unit: MarketUnit, asset_ids: Sequence[UUID], moment: datetime) -> None:
    """Begin the memberships of admitted assets; inside an operation that writes."""
    count = len(asset_ids)
    columns: Mapping[str, Any] = {
        "id": [new_id() for _ in range(count)],
        "unit_id": [unit.id] * count,
        "asset_id": list(asset_ids),
        "family": [unit.family] * count,
        "from_at": [moment] * count,
        "until_at": [None] * count,
    }
    insert_columns(current_session(), UnitMember, columns)


def end_members(unit_id: UUID, asset_ids: Collection[UUID] | None, moment: datetime) -> int:
    """End the memberships of some assets, or of all (None); return the number that ended."""
    session = current_session()
    query = select(col(UnitMember.id)).where(col(UnitMember.unit_id) == unit_id, CURRENT)
    membership_ids: list[UUID] = []
    for batch in [None] if asset_ids is None else batches(asset_ids):
        membership_ids += session.scalars(query if batch is None else query.where(col(UnitMember.asset_id).in_(batch)))
    return change_columns(session, UnitMember, membership_ids, {"until_at": moment})
