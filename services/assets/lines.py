"""Lists of assets as light lines: any order, page by page without counting through the pages before (UC-05.01)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Select, String, bindparam, select, tuple_, type_coerce
from sqlmodel import col

from models.assets import Asset, AssetStatus
from services.assets.counted import count_kept, only_counted
from services.assets.filters import AssetFilters, condition
from services.core.actor import Actor
from services.core.errors import Finding, Invalid
from services.core.operation import operation
from services.core.permissions import Scope, scopes_of
from services.core.prepared import Prepared
from services.core.transaction import current_connection
from services.core.visibility import View, view_of, visible

LONGEST_PAGE = 500
FEW = 3000
"""As many assets are sooner sorted than looked for along an order."""
COLUMNS = (
    "id", "asset_name", "status", "asset_category", "rated_capacity", "gsp_group", "dno_connection",
    "service_provider_id", "registered_at", "status_since", "latitude", "longitude",
)  # fmt: skip


class AssetLine:
    """One asset in a list. Its values are made from the row when they are asked for: a list shows few of many."""

    __slots__ = ("_row",)

    def __init__(self, row: tuple[Any, ...]) -> None:
        self._row = row

    def __repr__(self) -> str:
        return f"AssetLine({self.id}, {self.name!r})"

    @property
    def id(self) -> UUID:
        """The asset's identifier."""
        return _identifier(self._row[0])

    @property
    def name(self) -> str:
        """As typed by its provider: escape it."""
        return self._row[1]

    @property
    def status(self) -> AssetStatus:
        """Where it is in its life cycle."""
        return AssetStatus(self._row[2])

    @property
    def category(self) -> str:
        """Code of the category."""
        return self._row[3]

    @property
    def rated_kw(self) -> Decimal:
        """Rated capacity in kW."""
        value = self._row[4]
        return value if isinstance(value, Decimal) else Decimal(value).scaleb(-2)

    @property
    def gsp_group(self) -> str | None:
        """Code of the GSP group."""
        return self._row[5]

    @property
    def dno(self) -> str | None:
        """Code of the distribution network."""
        return self._row[6]

    @property
    def provider_id(self) -> UUID:
        """The organisation that manages it."""
        return _identifier(self._row[7])

    @property
    def registered_at(self) -> datetime | None:
        """When it was registered (UTC)."""
        return _moment(self._row[8])

    @property
    def status_since(self) -> datetime | None:
        """Since when it has its status (UTC)."""
        return _moment(self._row[9])

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude (WGS84)."""
        return None if self._row[10] is None or self._row[11] is None else (self._row[10], self._row[11])


def _identifier(value: Any) -> UUID:
    """SQLite keeps identifiers as text."""
    return value if isinstance(value, UUID) else UUID(int=int(value, 16))


def _moment(value: Any) -> datetime | None:
    """SQLite keeps moments as text without their zone, which is UTC."""
    if value is None:
        return None
    return datetime.fromisoformat(f"{value}+00:00") if isinstance(value, str) else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class LinePage:
    """One page of a list, and the cursor of the next one (None: this is the last)."""

    items: list[AssetLine]
    next_cursor: str | None


class _Order(NamedTuple):
    column: str
    descending: bool
    walked: str


ORDERS = {
    "newest": _Order("id", True, "asset_newest"),
    "oldest": _Order("id", False, "asset_newest"),
    "name": _Order("asset_name", False, "asset_by_name"),
    "capacity": _Order("rated_capacity", True, "asset_by_capacity"),
    "status_since": _Order("status_since", True, "asset_by_status_since"),
    "waiting": _Order("status_since", False, "asset_by_status_since"),
}
"""Newest and oldest by registration; by name; the largest first; latest change of status first; longest waiting first."""
_PLACES = {name: place for place, name in enumerate(COLUMNS)}


@operation("UC-05.01", permission="asset.read", writes=False)
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
    if sort not in ORDERS:
        expected = f"One of {', '.join(ORDERS)}"
        raise Invalid([Finding("PAGE-02", "sort", sort, expected, f"There is no order {sort}.")])
    size = max(1, min(limit, LONGEST_PAGE))
    chosen = filters or AssetFilters()
    last = None if after is None else _read_cursor(after, ORDERS[sort])
    rows = _rows(actor, chosen, sort, last, size + 1)
    following = _cursor(rows[size - 1], ORDERS[sort]) if len(rows) > size else None
    return LinePage([AssetLine(row) for row in rows[:size]], following)


def _rows(actor: Actor, filters: AssetFilters, sort: str, last: Mapping[str, Any] | None, most: int) -> list[Any]:
    form, given = _form(filters)
    values = {**(last or {}), "most": most}
    if form is None:
        statement = _statement(sort, last is not None, visible(Asset, actor), *condition(filters))
        return [tuple(row) for row in current_connection().execute(statement, values)]
    index = _index(actor, filters, sort)
    view, seen = view_of(actor)
    return _prepared(view, form, sort, last is not None, index).raw(current_connection(), {**values, **seen, **given})


def _statement(sort: str, following: bool, *conditions: Any) -> Select[Any]:
    """Raw columns: what a line makes of them is its own."""
    order = ORDERS[sort]
    raw: list[Any] = [col(getattr(Asset, name)) for name in COLUMNS]
    raw[_PLACES["status"]] = type_coerce(col(Asset.status), String)
    raw[_PLACES["rated_capacity"]] = type_coerce(col(Asset.rated_capacity), BigInteger)
    keys = [col(Asset.id)] if order.column == "id" else [col(getattr(Asset, order.column)), col(Asset.id)]
    chosen: Any = select(*raw).where(*conditions)
    if following:
        marks = [bindparam(f"last_{key.key}", type_=key.type) for key in keys]
        place, mark = (tuple_(*keys), tuple_(*marks)) if len(keys) > 1 else (keys[0], marks[0])
        chosen = chosen.where(place < mark if order.descending else place > mark)
    directed = [key.desc() if order.descending else key.asc() for key in keys]
    return chosen.order_by(*directed).limit(bindparam("most", type_=Integer()))


@lru_cache(maxsize=500)
def _prepared(view: View, form: "Form", sort: str, following: bool, index: str | None) -> Prepared:
    standing_in: dict[str, Any] = {}
    for name, count in form:
        kind = col(getattr(Asset, _CAPACITIES.get(name, name))).type
        marks = tuple(bindparam(f"{name}_{place:03}", type_=kind) for place in range(count or 1))
        standing_in[name] = marks if count else marks[0]
    wanted = condition(AssetFilters(**standing_in))
    return Prepared(_statement(sort, following, view.visible(Asset), *wanted), index=index)


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
        given = getattr(filters, name)
        if given is None or given == () or given == []:
            continue
        several = name not in _CAPACITIES
        form.append((name, len(given) if several else 0))
        values.update((f"{name}_{place:03}", value) for place, value in enumerate(given if several else [given]))
    return tuple(form), values


_SELECTIVE = (
    "import_mpan", "export_mpan", "friendly_code", "service_provider_id", "organisation_id",
)  # fmt: skip


def _index(actor: Actor, filters: AssetFilters, sort: str) -> str | None:
    """The index that SQLite, which doesn't know how many pass, has to follow; None: its own choice."""
    own = scopes_of(actor, "asset.read") <= {Scope.OWN}
    if own or any(getattr(filters, name) for name in _SELECTIVE):
        return None
    order = ORDERS[sort]
    one = {name: len(getattr(filters, name)) == 1 for name in ("status", "asset_category", "gsp_group")}
    if one["status"] and order.column == "status_since":
        return "asset_waiting"
    filtering = "asset_by_status" if one["status"] else "asset_by_category" if one["asset_category"] else None
    if order.column == "id":
        if filtering is None and one["gsp_group"]:
            return "asset_by_gsp_group"
        return filtering or order.walked
    if only_counted(filters) and (filters.status or filters.asset_category):
        found = count_kept(actor, filters)
        if found is not None and found <= FEW:
            return filtering
    return order.walked


def _cursor(row: tuple[Any, ...], order: _Order) -> str:
    identifier = _identifier(row[0])
    if order.column == "id":
        return str(identifier)
    value = row[_PLACES[order.column]]
    if order.column == "status_since":
        value = "" if value is None else (_moment(value) or value).isoformat()
    return f"{identifier}{value}"


def _read_cursor(text: str, order: _Order) -> dict[str, Any]:
    try:
        found: dict[str, Any] = {"last_id": UUID(text[:36])}
        if order.column == "asset_name":
            found["last_asset_name"] = text[36:].replace("\x00", "")
        elif order.column == "rated_capacity":
            found["last_rated_capacity"] = Decimal(int(text[36:])).scaleb(-2)
        elif order.column == "status_since":
            found["last_status_since"] = datetime.fromisoformat(text[36:])
            if found["last_status_since"].tzinfo is None:
                raise ValueError(text)
        elif text[36:]:
            raise ValueError(text)
    except ValueError:
        expected = "The cursor that the page before gave"
        raise Invalid([Finding("PAGE-01", "after", text, expected, "This isn't a cursor of this list.")]) from None
    return found
