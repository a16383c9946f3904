"""Map queries: the actor's assets in a tile, by set-based SQL over ranges of H3 cells, in as many statements at any size.

A tile holds the cells whose centre lies in it, and counts the assets of these cells: neighbouring tiles share none, and
count none twice. Where it draws assets, it has besides every one whose point reaches into it: a map asks the tile under
the pointer, and no other, what was pointed at.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import atan, degrees, pi, sinh
from typing import Any, NamedTuple
from typing import cast as cast_to

import h3.api.basic_int as h3
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    and_,
    cast,
    column,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import Join
from sqlmodel import col

from models.assets import Asset
from services.assets.cells import COARSE, parent_in_sql, parent_of, range_of
from services.assets.counters.queries import CellCount, counts_by_cell
from services.assets.filters import AssetFilters, condition
from services.core.db.engine import is_sqlite
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import visible
from services.core.transaction import current_connection

RESOLUTIONS = {6: 4, 7: 5, 8: 6, 9: 6, 10: 7, 11: 8, 12: 8, 13: 9, 14: 9, 15: 10, 16: 11}
"""The resolution of hexagons by zoom of the tile (256 pixels wide): each 20 to 40 pixels across, at most 300 in a tile."""
LOWEST_ZOOM, HIGHEST_ZOOM = 2, 16
REACH = 14 / 256
"""How far the largest point reaches beyond its position, as a part of a tile's width."""


class _SpansFirst(Join):
    """The ranges of cells, then the assets in each by the index over cells, whatever other index SQLite would like better."""

    inherit_cache = True


@compiles(_SpansFirst, "sqlite")
def _cross_join(join: Any, compiler: Any, **options: Any) -> str:
    options["asfrom"] = True
    left, right = (
        compiler.process(side, from_linter=None, **_without(options, "from_linter")) for side in (join.left, join.right)
    )
    on = compiler.process(join.onclause, **_without(options, "from_linter", "asfrom"))
    return f"{left} CROSS JOIN {right} INDEXED BY asset_by_cell ON {on}"


def _without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


class Point(NamedTuple):
    """An asset as a tile draws it, or a row of these columns; `rated` in hundredths of a kW. The name was typed by somebody."""

    id: Any
    name: str
    latitude: float
    longitude: float
    status: str
    category: str
    rated: int


def resolution_at(zoom: int) -> int:
    """The resolution of hexagons in a tile of this zoom."""
    return RESOLUTIONS.get(zoom, 3 if zoom < min(RESOLUTIONS) else 11)


FEW = 100
"""Up to so many assets a map fits its view to each of them."""


class Box(NamedTuple):
    """A rectangle on the map, in degrees (WGS84)."""

    south: float
    west: float
    north: float
    east: float


@lru_cache(maxsize=2048)
def cells_of_tile(zoom: int, x: int, y: int, beyond: float = 0) -> tuple[int, ...]:
    """The H3 cells that lie in a tile (web Mercator, WGS84), or reach into it; `beyond` as many widths of it around it.

    A map asks the tile under the pointer what was clicked, so each tile has to have its part of a cell on its edge.
    """
    around = _outline(box_of(zoom, x, y, beyond))
    return tuple(sorted(h3.polygon_to_cells_experimental(around, resolution_at(zoom), contain="overlap")))


def box_of(zoom: int, x: int, y: int, beyond: float = 0) -> Box:
    """The rectangle of a tile, and as many widths of it `beyond` on every side."""
    south, west = _corner(zoom, x - beyond, y + 1 + beyond)
    north, east = _corner(zoom, x + 1 + beyond, y - beyond)
    return Box(south, west, north, east)


def _outline(box: Box) -> h3.LatLngPoly:
    south, west, north, east = box
    return h3.LatLngPoly([(south, west), (south, east), (north, east), (north, west)])


def _corner(zoom: int, x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude of a tile's upper left corner."""
    return degrees(atan(sinh(pi * (1 - 2 * y / (1 << zoom))))), x / (1 << zoom) * 360 - 180


@lru_cache(maxsize=2048)
def _spans(cells: tuple[int, ...]) -> str:
    """The ranges of finest cells inside these, those that touch taken together, as JSON."""
    return json.dumps(sorted(range_of(cell) for cell in h3.compact_cells(cells)))


def points_in(actor: Actor, filters: AssetFilters, tile: tuple[int, int, int], most: int) -> list[Point]:
    """The actor's assets that pass the filters and whose points lie in a tile or reach into it, at most `most` + 1."""
    # Read as they are stored: a tile has up to thousands, and needs neither UUID nor Decimal.
    columns = (
        type_coerce(col(Asset.id), String) if is_sqlite() else col(Asset.id),
        col(Asset.asset_name),
        col(Asset.latitude),
        col(Asset.longitude),
        type_coerce(col(Asset.status), String),
        col(Asset.asset_category),
        type_coerce(col(Asset.rated_capacity), BigInteger),
    )
    box = box_of(*tile, REACH)
    latitude, longitude = col(Asset.latitude), col(Asset.longitude)
    reaches = and_(latitude.between(box.south, box.north), longitude.between(box.west, box.east))
    query = _select_inside(actor, filters, cells_of_tile(*tile, REACH), *columns).where(reaches)
    rows = current_connection().execute(query.limit(most + 1)).fetchall()
    return cast_to(list[Point], rows)


def counts_in(actor: Actor, filters: AssetFilters, cells: tuple[int, ...]) -> list[CellCount]:
    """Count the actor's assets that pass the filters in each of the cells; cells without any are left out."""
    resolution = h3.get_resolution(cells[0])
    maintained = counts_by_cell(actor, filters) if resolution <= COARSE else None
    if maintained is not None:
        return _sum_by_parent(maintained, set(cells), resolution)
    parent = parent_in_sql(col(Asset.cell), resolution).label("parent")
    rated = func.sum(type_coerce(col(Asset.rated_capacity), BigInteger))
    query = _select_inside(actor, filters, cells, parent, func.count(), rated).group_by(parent)
    rows: list[Any] = list(current_connection().execute(query).fetchall())
    return [CellCount(int(row[0]), row[1], int(row[2])) for row in rows]


def _sum_by_parent(counts: Sequence[CellCount], cells: set[int], resolution: int) -> list[CellCount]:
    """Counts of a whole register, kept by cells as large or smaller, for these cells."""
    sums: dict[int, tuple[int, int]] = {}
    for count in counts:
        parent = parent_of(count.cell, resolution)
        if parent in cells:
            assets, rated = sums.get(parent, (0, 0))
            sums[parent] = assets + count.assets, rated + count.rated
    return [CellCount(cell, assets, rated) for cell, (assets, rated) in sums.items()]


def _select_inside(actor: Actor, filters: AssetFilters, cells: tuple[int, ...], *columns: Any) -> Any:
    conditions = [visible(Asset, actor), *condition(filters)]
    if scopes_of(actor, "asset.read") <= {Scope.OWN}:
        # One organisation's assets are few beside all those of an area: look for these, and then where they are.
        conditions += [col(Asset.cell).is_not(None), _lies_in(cells)]
        return select(*columns).select_from(Asset).where(*conditions)
    spans, value = _json_rows(_spans(cells))
    inside = col(Asset.cell).between(_end(value, 0), _end(value, 1))
    return select(*columns).select_from(_SpansFirst(spans, Asset.__table__, inside)).where(*conditions)  # pyright: ignore


def _lies_in(cells: tuple[int, ...]) -> ColumnElement[bool]:
    """That an asset lies in one of these cells, asked of each asset."""
    parent = parent_in_sql(col(Asset.cell), h3.get_resolution(cells[0]))
    listed, value = _json_rows(json.dumps(cells))
    return parent.in_(select(cast(value, BigInteger)).select_from(listed))


def _json_rows(text: str) -> tuple[Any, Any]:
    """A JSON array as rows: the table, and its column of elements. The statement is the same however long it is."""
    if is_sqlite():
        rows = func.json_each(literal(text, String)).table_valued("value", name="listed")
        return rows, rows.c.value
    rows = func.jsonb_array_elements(cast(literal(text, String), JSONB)).table_valued(
        column("value", JSONB), name="listed"
    )
    return rows, rows.c.value


def _end(value: Any, position: int) -> ColumnElement[int]:
    if is_sqlite():
        return func.json_extract(value, f"$[{position}]", type_=Integer)
    return cast(value[position].astext, BigInteger)


def extent_of(actor: Actor, filters: AssetFilters, total: int) -> tuple[float, float, float, float] | None:
    """South, west, north and east of what passes the filters; None when nothing there has a position.

    Of more than a few among `total`, the extent of the hexagons that are counted beside the assets, where these can answer:
    some 20 km wider than the assets', and no asset is read.
    """
    counts = counts_by_cell(actor, filters) if total > FEW else None
    if counts:
        corners = [corner for count in counts for corner in h3.cell_to_boundary(count.cell)]
        latitudes, longitudes = [corner[0] for corner in corners], [corner[1] for corner in corners]
        return min(latitudes), min(longitudes), max(latitudes), max(longitudes)
    latitude, longitude = col(Asset.latitude), col(Asset.longitude)
    ends = select(func.min(latitude), func.min(longitude), func.max(latitude), func.max(longitude))
    row: Any = current_connection().execute(ends.where(visible(Asset, actor), *condition(filters))).one()
    return None if row[0] is None else (row[0], row[1], row[2], row[3])


def without_position(actor: Actor, filters: AssetFilters, most: int) -> int:
    """Count the assets that pass the filters and have no position, no further than `most` + 1."""
    conditions = (visible(Asset, actor), *condition(filters), col(Asset.cell).is_(None))
    limited = select(literal(1)).select_from(Asset).where(*conditions).limit(most + 1).subquery()
    return current_connection().scalar(select(func.count()).select_from(limited)) or 0


def by_group(actor: Actor, filters: AssetFilters) -> Sequence[tuple[str | None, int, int]]:
    """GSP group, assets and rated capacity (hundredths of a kW) of what passes the filters."""
    group, rated = col(Asset.gsp_group), func.sum(type_coerce(col(Asset.rated_capacity), BigInteger))
    query = select(group, func.count(), rated).where(visible(Asset, actor), *condition(filters)).group_by(group)
    return [(row[0], row[1], int(row[2])) for row in current_connection().execute(query).fetchall()]
