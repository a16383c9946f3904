"""The assets that may go into a unit of a family: the basket is filled from these (UC-03.01)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.products import Family
from models.units import UnitMember
from services.assets.filters import AssetFilters, condition
from services.assets.reading.list_row import COLUMNS, AssetLine
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.transaction import current_session
from services.market.units.members import CURRENT

MAX_ASSETS_AT_ONCE = 10_000
"""The most assets that one change puts into a unit; more go in by further changes."""
LONGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class FreePage(Page[AssetLine]):
    """A page of free assets, newest first, and the number of them all (at most 10,001)."""

    total: int


def find_free_assets(actor: Actor, filters: AssetFilters, family: Family) -> list[UUID]:
    """Find the Verified assets of the actor's organisation that pass the filters and are free in the family, by identifier.

    At most one more than `MAX_ASSETS_AT_ONCE`, so that too many are noticed; inside an operation.
    """
    query = select(col(Asset.id)).where(*_free_conditions(actor, filters, family))
    return list(current_session().scalars(query.order_by(col(Asset.id)).limit(MAX_ASSETS_AT_ONCE + 1)))


def _free_conditions(actor: Actor, filters: AssetFilters, family: Family) -> list[ColumnElement[bool]]:
    family_members = (
        select(literal_column("1")).select_from(UnitMember).where(CURRENT, col(UnitMember.family) == family)
    )
    is_member = family_members.where(col(UnitMember.asset_id) == col(Asset.id)).correlate(Asset).exists()
    own = (col(Asset.service_provider_id) == actor.organisation_id, col(Asset.status) == AssetStatus.VERIFIED)
    return [visible(Asset, actor), *own, ~is_member, *condition(filters)]


@operation("UC-03.01", permission="unit.manage", writes=False, name="list_free")
def list_free(
    actor: Actor, family: Family, filters: AssetFilters | None = None, *, after: str | None = None, limit: int = 100
) -> FreePage:
    """List the actor's Verified assets that are in no active unit of the family and pass the filters, newest first."""
    size = max(1, min(limit, LONGEST_PAGE))
    conditions = _free_conditions(actor, filters or AssetFilters(), family)
    session, newest = current_session(), Keyset(col(Asset.id))
    rows = session.execute(newest.select_page(select(*COLUMNS).where(*conditions), after, size)).all()
    page = newest.page_of(rows, size)
    limited = select(literal_column("1")).select_from(Asset).where(*conditions).limit(MAX_ASSETS_AT_ONCE + 1).subquery()
    total = session.scalar(select(func.count()).select_from(limited)) or 0
    return FreePage([AssetLine(*row) for row in page.items], page.next_cursor, total)


@operation("UC-03.01", permission="unit.manage", writes=False, name="free_asset_ids")
def free_asset_ids(actor: Actor, family: Family, filters: AssetFilters | None = None) -> list[UUID]:
    """List the identifiers of all free assets, to put them in at once. Raises Invalid when there are more than 10,000."""
    asset_ids = find_free_assets(actor, filters or AssetFilters(), family)
    if len(asset_ids) > MAX_ASSETS_AT_ONCE:
        message = f"More than {MAX_ASSETS_AT_ONCE:,} assets pass. Narrow the filters, or put them in by parts."
        raise Invalid(
            [
                Finding(
                    "UNIT-09",
                    "Assets",
                    f"more than {MAX_ASSETS_AT_ONCE:,}",
                    f"At most {MAX_ASSETS_AT_ONCE:,} assets",
                    message,
                )
            ]
        )
    return asset_ids
