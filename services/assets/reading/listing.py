"""Lists of assets: any order, page by page without counting through the pages before (UC-05.01).

`list_lines` gives light lines for pages, `list_assets` whole records for programs.
"""

from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, func, literal_column, select
from sqlmodel import col

from models.assets import Asset
from services.assets.counters.queries import count_from_tallies, is_countable, narrow_roles, register_size
from services.assets.filters import AssetFilters, condition
from services.assets.reading.list_row import COLUMNS, AssetLine
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.transaction import current_session

LONGEST_PAGE = 500
STEPS_SORTED = 50
"""Fetching an asset to sort it takes as long as so many steps along an index."""


class _AssetOrder(NamedTuple):
    """Order of a list, and the index that SQLite walks for it."""

    keyset: Keyset
    index_name: str

    @property
    def column(self) -> str:
        return self.keyset.keys[0].key


_ID = col(Asset.id)
ORDERS = {
    "newest": _AssetOrder(Keyset(_ID), "asset_newest"),
    "oldest": _AssetOrder(Keyset(_ID, descending=False), "asset_newest"),
    "name": _AssetOrder(Keyset(_ID, col(Asset.asset_name), descending=False), "asset_by_name"),
    "capacity": _AssetOrder(Keyset(_ID, col(Asset.rated_capacity)), "asset_by_capacity"),
    "status_since": _AssetOrder(Keyset(_ID, col(Asset.status_since)), "asset_by_status_since"),
    "waiting": _AssetOrder(Keyset(_ID, col(Asset.status_since), descending=False), "asset_by_status_since"),
}
"""Newest and oldest by registration; by name; the largest first; latest change of status first; longest waiting first."""


@operation("UC-05.01", permission="asset.read", writes=False, name="list_lines")
def list_lines(
    actor: Actor,
    filters: AssetFilters | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    limit: int = 100,
) -> Page[AssetLine]:
    """The actor's visible assets that pass the filters, in an order of `ORDERS`.

    `after` is the cursor of the page before; `limit` at most 500. Raises Invalid for a cursor or an order that isn't one.
    """
    size, query = _select_page(select(*COLUMNS), actor, filters or AssetFilters(), sort, after, limit)
    page = ORDERS[sort].keyset.page_of(current_session().execute(query).all(), size)
    return Page([AssetLine(*row) for row in page.items], page.next_cursor)


@operation("UC-05.01", permission="asset.read", writes=False, name="list_assets")
def list_assets(
    actor: Actor,
    filters: AssetFilters | None = None,
    *,
    order: Literal["newest", "oldest"] = "newest",
    after: str | None = None,
    limit: int = 50,
) -> Page[Asset]:
    """The actor's visible assets that pass the filters, as whole records, by registration.

    `after` is the cursor of the page before; `limit` at most 500. Raises Invalid for a cursor that isn't one.
    """
    size, query = _select_page(select(Asset), actor, filters or AssetFilters(), order, after, limit)
    return ORDERS[order].keyset.page_of(list(current_session().scalars(query)), size)


def _select_page(
    query: Any, actor: Actor, filters: AssetFilters, sort: str, after: str | None, limit: int
) -> tuple[int, Any]:
    """The size and the query of a page. Raises Invalid (PAGE-01, PAGE-02) for a cursor or an order that isn't one."""
    if sort not in ORDERS:
        expected = f"One of {', '.join(ORDERS)}"
        raise Invalid([Finding("PAGE-02", "sort", sort, expected, f"There is no order {sort}.")])
    size = max(1, min(limit, LONGEST_PAGE))
    reader = narrow_roles(actor, "asset.read")
    page_query = ORDERS[sort].keyset.select_page(query.where(visible(Asset, reader), *condition(filters)), after, size)
    return size, follow_index(page_query, _index(reader, filters, sort, size + 1))


def follow_index(query: Select[*tuple[Any, ...]], index: str | None) -> Select[*tuple[Any, ...]]:
    """Have SQLite, which doesn't weigh a LIMIT, follow an index through the table of assets."""
    return query if index is None else query.with_hint(Asset, f"INDEXED BY {index}", "sqlite")


_SEARCHES = ("text", "postcode", "serial_number", "hexagon")
"""Filters that have their own ways of looking: SQLite chooses among them."""
_SELECTIVE = (
    "import_mpan", "export_mpan", "friendly_code", "service_provider_id", "organisation_id",
)  # fmt: skip


def _index(actor: Actor, filters: AssetFilters, sort: str, most: int) -> str | None:
    """The index that SQLite, which doesn't know how many pass, has to follow; None: its own choice."""
    own = Scope.OWN in scopes_of(actor, "asset.read") and Scope.ALL not in scopes_of(actor, "asset.read")
    if own or any(getattr(filters, name) for name in (*_SELECTIVE, *_SEARCHES)):
        return None
    order = ORDERS[sort]
    single = {name: len(getattr(filters, name)) == 1 for name in ("status", "asset_category", "gsp_group")}
    if single["status"] and order.column == "status_since":
        return "asset_waiting"
    filtering = "asset_by_status" if single["status"] else "asset_by_category" if single["asset_category"] else None
    if order.column == "id":
        if filtering is None and single["gsp_group"]:
            return "asset_by_gsp_group"
        return filtering or order.index_name
    if is_countable(filters) and (filters.status or filters.asset_category):
        passing = count_from_tallies(actor, filters)
        # Either all that pass are fetched and sorted, or the order is walked until a page is full.
        if passing is not None and passing * passing * STEPS_SORTED < most * register_size():
            return filtering
    return order.index_name


def count_up_to(actor: Actor, filters: AssetFilters, most: int) -> int:
    """Count the visible assets that pass the filters, no further than `most` + 1; inside an operation."""
    reader = narrow_roles(actor, "asset.read")
    by_capacity = filters.capacity_min is not None or filters.capacity_max is not None
    index = _index(reader, filters, "capacity" if by_capacity else "newest", most)
    some = select(literal_column("1")).select_from(Asset).where(visible(Asset, reader), *condition(filters))
    query = select(func.count()).select_from(follow_index(some.limit(most + 1), index).subquery())
    return current_session().scalar(query) or 0
