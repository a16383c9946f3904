"""Lists of assets: any order, page by page without counting through the pages before (UC-05.01).

`list_lines` gives light lines for pages, `list_assets` whole records for programs; both ask by `_statement`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Select, String, bindparam, func, literal_column, select, tuple_, type_coerce
from sqlmodel import col

from models.assets import Asset
from services.assets.counters.queries import count_kept, narrowed, only_counted, register_size
from services.assets.filters import AssetFilters, condition
from services.assets.reading.list_row import COLUMNS, AssetLine, identifier_of, moment_of
from services.core.db.statements import Prepared
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import View, view_of, visible
from services.core.operation import operation
from services.core.transaction import current_connection, current_session

LONGEST_PAGE = 500
STEPS_SORTED = 50
"""Fetching an asset to sort it takes as long as so many steps along an index."""


@dataclass(frozen=True, slots=True)
class LinePage:
    """One page of light lines, and the cursor of the next one (None: this is the last)."""

    items: list[AssetLine]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of whole records, and the cursor of the next one (None: this is the last)."""

    items: list[Asset]
    next_cursor: str | None


class _AssetOrder(NamedTuple):
    """Order of a list: its column, its direction, and the index that SQLite walks for it."""

    column: str
    descending: bool
    walked: str


ORDERS = {
    "newest": _AssetOrder("id", True, "asset_newest"),
    "oldest": _AssetOrder("id", False, "asset_newest"),
    "name": _AssetOrder("asset_name", False, "asset_by_name"),
    "capacity": _AssetOrder("rated_capacity", True, "asset_by_capacity"),
    "status_since": _AssetOrder("status_since", True, "asset_by_status_since"),
    "waiting": _AssetOrder("status_since", False, "asset_by_status_since"),
}
"""Newest and oldest by registration; by name; the largest first; latest change of status first; longest waiting first."""
_POSITIONS = {name: position for position, name in enumerate(COLUMNS)}


@operation("UC-05.01", permission="asset.read", writes=False, name="list_lines")
def list_lines(
    actor: Actor,
    filters: AssetFilters | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    limit: int = 100,
) -> LinePage:
    """The actor's visible assets that pass the filters, in an order of `ORDERS`.

    `after` is the cursor of the page before; `limit` at most 500. Raises Invalid for a cursor or an order that isn't one.
    """
    order, size, last = _page_of(sort, after, limit)
    rows = _rows(narrowed(actor, "asset.read"), filters or AssetFilters(), sort, last, size + 1)
    following = _cursor(rows[size - 1], order) if len(rows) > size else None
    return LinePage([AssetLine(row) for row in rows[:size]], following)


@operation("UC-05.01", permission="asset.read", writes=False, name="list_assets")
def list_assets(
    actor: Actor,
    filters: AssetFilters | None = None,
    *,
    order: Literal["newest", "oldest"] = "newest",
    after: str | None = None,
    limit: int = 50,
) -> RecordPage:
    """The actor's visible assets that pass the filters, as whole records, by registration.

    `after` is the cursor of the page before; `limit` at most 500. Raises Invalid for a cursor that isn't one.
    """
    _, size, last = _page_of(order, after, limit)
    conditions = (visible(Asset, narrowed(actor, "asset.read")), *condition(filters or AssetFilters()))
    statement = _statement(order, last is not None, *conditions, columns=[Asset])
    assets = list(current_session().scalars(statement, {**(last or {}), "most": size + 1}))
    return RecordPage(assets[:size], str(assets[size - 1].id) if len(assets) > size else None)


def _page_of(sort: str, after: str | None, limit: int) -> tuple[_AssetOrder, int, dict[str, Any] | None]:
    """The order, size and start of a page; the start is None for the first. Raises Invalid (PAGE-01, PAGE-02)."""
    if sort not in ORDERS:
        expected = f"One of {', '.join(ORDERS)}"
        raise Invalid([Finding("PAGE-02", "sort", sort, expected, f"There is no order {sort}.")])
    order = ORDERS[sort]
    return order, max(1, min(limit, LONGEST_PAGE)), None if after is None else _read_cursor(after, order)


def _rows(actor: Actor, filters: AssetFilters, sort: str, last: Mapping[str, Any] | None, most: int) -> list[Any]:
    form, filter_values = _form(filters)
    values = {**(last or {}), "most": most}
    if form is None:
        statement = _statement(sort, last is not None, visible(Asset, actor), *condition(filters))
        return [tuple(row) for row in current_connection().execute(statement, values)]
    index = _index(actor, filters, sort, most)
    view, view_values = view_of(actor)
    return _prepared(view, form, sort, last is not None, index).raw(
        current_connection(), {**values, **view_values, **filter_values}
    )


def _line_columns() -> list[Any]:
    """The columns of a line, raw: `AssetLine` reads their values."""
    columns: list[Any] = [col(getattr(Asset, name)) for name in COLUMNS]
    columns[_POSITIONS["status"]] = type_coerce(col(Asset.status), String)
    columns[_POSITIONS["rated_capacity"]] = type_coerce(col(Asset.rated_capacity), BigInteger)
    return columns


def _statement(sort: str, following: bool, *conditions: Any, columns: Sequence[Any] | None = None) -> Select[Any]:
    """The query of one page in an order, from the first or `following` a cursor; of a line's columns unless told."""
    order = ORDERS[sort]
    keys = [col(Asset.id)] if order.column == "id" else [col(getattr(Asset, order.column)), col(Asset.id)]
    query: Any = select(*(columns or _line_columns())).where(*conditions)
    if following:
        marks = [bindparam(f"last_{key.key}", type_=key.type) for key in keys]
        position, mark = (tuple_(*keys), tuple_(*marks)) if len(keys) > 1 else (keys[0], marks[0])
        query = query.where(position < mark if order.descending else position > mark)
    directed = [key.desc() if order.descending else key.asc() for key in keys]
    return query.order_by(*directed).limit(bindparam("most", type_=Integer()))


@lru_cache(maxsize=500)
def _prepared(view: View, form: "Form", sort: str, following: bool, index: str | None) -> Prepared:
    return Prepared(_statement(sort, following, view.visible(Asset), *_wanted(form)), index=index)


def _wanted(form: "Form") -> Sequence[Any]:
    """The conditions of filters, with parameters for what they are set to."""
    marked: dict[str, Any] = {}
    for name, count in form:
        kind = col(getattr(Asset, _CAPACITIES.get(name, name))).type
        marks = tuple(bindparam(f"{name}_{number:03}", type_=kind) for number in range(count or 1))
        marked[name] = marks if count else marks[0]
    return condition(AssetFilters(**marked))


Form = tuple[tuple[str, int], ...]
"""Which filters are set, and to how many alternatives (0: one value that is none of several)."""
_CAPACITIES = {"capacity_min": "rated_capacity", "capacity_max": "rated_capacity"}
_SEARCHES = ("text", "postcode", "serial_number", "hexagon")
"""Filters whose conditions depend on what they are set to: their statements are made anew."""


def _form(filters: AssetFilters) -> tuple[Form | None, dict[str, Any]]:
    """The form of the filters, and their values; no form where a statement can't be made once."""
    if any(getattr(filters, name) for name in _SEARCHES):
        return None, {}
    form: list[tuple[str, int]] = []
    values: dict[str, Any] = {}
    for name in AssetFilters.__slots__:
        filter_value = getattr(filters, name)
        if filter_value is None or filter_value == () or filter_value == []:
            continue
        is_list = name not in _CAPACITIES
        form.append((name, len(filter_value) if is_list else 0))
        values.update(
            (f"{name}_{number:03}", value) for number, value in enumerate(filter_value if is_list else [filter_value])
        )
    return tuple(form), values


_SELECTIVE = (
    "import_mpan", "export_mpan", "friendly_code", "service_provider_id", "organisation_id",
)  # fmt: skip


def _index(actor: Actor, filters: AssetFilters, sort: str, most: int) -> str | None:
    """The index that SQLite, which doesn't know how many pass, has to follow; None: its own choice."""
    own = Scope.OWN in scopes_of(actor, "asset.read") and Scope.ALL not in scopes_of(actor, "asset.read")
    if own or any(getattr(filters, name) for name in _SELECTIVE):
        return None
    order = ORDERS[sort]
    single = {name: len(getattr(filters, name)) == 1 for name in ("status", "asset_category", "gsp_group")}
    if single["status"] and order.column == "status_since":
        return "asset_waiting"
    filtering = "asset_by_status" if single["status"] else "asset_by_category" if single["asset_category"] else None
    if order.column == "id":
        if filtering is None and single["gsp_group"]:
            return "asset_by_gsp_group"
        return filtering or order.walked
    if only_counted(filters) and (filters.status or filters.asset_category):
        passing = count_kept(actor, filters)
        # Either all that pass are fetched and sorted, or the order is walked until a page is full.
        if passing is not None and passing * passing * STEPS_SORTED < most * register_size():
            return filtering
    return order.walked


def _cursor(row: tuple[Any, ...], order: _AssetOrder) -> str:
    identifier = identifier_of(row[0])
    if order.column == "id":
        return str(identifier)
    value = row[_POSITIONS[order.column]]
    if order.column == "status_since":
        value = "" if value is None else (moment_of(value) or value).isoformat()
    return f"{identifier}{value}"


def _read_cursor(text: str, order: _AssetOrder) -> dict[str, Any]:
    try:
        marks: dict[str, Any] = {"last_id": UUID(text[:36])}
        if order.column == "asset_name":
            marks["last_asset_name"] = text[36:].replace("\x00", "")
        elif order.column == "rated_capacity":
            marks["last_rated_capacity"] = Decimal(int(text[36:])).scaleb(-2)
        elif order.column == "status_since":
            marks["last_status_since"] = datetime.fromisoformat(text[36:])
            if marks["last_status_since"].tzinfo is None:
                raise ValueError(text)
        elif text[36:]:
            raise ValueError(text)
    except ValueError:
        expected = "The cursor that the page before gave"
        raise Invalid([Finding("PAGE-01", "after", text, expected, "This isn't a cursor of this list.")]) from None
    return marks


def count_up_to(actor: Actor, filters: AssetFilters, most: int) -> int:
    """Count the visible assets that pass the filters, no further than `most` + 1; inside an operation."""
    narrow_actor = narrowed(actor, "asset.read")
    form, filter_values = _form(filters)
    if form is None:
        query = _some(visible(Asset, narrow_actor), *condition(filters))
        return current_connection().execute(query, {"most": most + 1}).scalar_one()
    view, view_values = view_of(narrow_actor)
    by_capacity = filters.capacity_min is not None or filters.capacity_max is not None
    index = _index(narrow_actor, filters, "capacity" if by_capacity else "newest", most)
    counting = _prepared_count(view, form, index)
    return counting.raw(current_connection(), {**view_values, **filter_values, "most": most + 1})[0][0]


def _some(*conditions: Any) -> Any:
    limited = (
        select(literal_column("1")).select_from(Asset).where(*conditions).limit(bindparam("most", type_=Integer()))
    )
    return select(func.count()).select_from(limited.subquery())


@lru_cache(maxsize=200)
def _prepared_count(view: View, form: Form, index: str | None) -> Prepared:
    return Prepared(_some(view.visible(Asset), *_wanted(form)), index=index)
