"""Tiles of the busiest area in a large register, against the bare SQL that fetches the rows they are made of."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from math import asinh, pi, radians, tan

import h3.api.basic_int as h3
import pytest

from services.assets.cells import parent_of, range_of
from services.assets.filters import AssetFilters
from services.assets.map.features import MOST_BYTES
from services.assets.map.queries import cells_of_tile
from services.assets.map.tiles import MOST_POINTS, Layer, TileView, map_tile
from services.core.db import engine as database
from services.participants.identity import actor_for_user, demo_personas
from tests.benchmarks.registers import SIZES, register_of
from tests.benchmarks.report import Figures, median_cpu_ms
from tests.conftest import use_database

pytestmark = pytest.mark.benchmark
BOUND, ROUNDS = 3.0, 9
SIZE = max(SIZES)
Tile = tuple[int, int, int]


@pytest.fixture(scope="module")
def bare() -> Iterator[sqlite3.Connection]:
    """The largest register, opened by the driver alone; the services read the same file."""
    path = register_of(SIZE)
    use_database(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    yield connection
    connection.close()
    database.close()


def busiest(connection: sqlite3.Connection, zoom: int, most: int | None = None) -> Tile:
    """The tile with the most assets about the densest place; with `most`, the fullest that holds no more than so many."""
    dense = Counter(
        parent_of(cell, 6) for (cell,) in connection.execute("SELECT cell FROM asset WHERE cell IS NOT NULL")
    )
    tiles = {tile_of(zoom, *h3.cell_to_latlng(cell)) for cell, _count in dense.most_common(200)}
    counts = {tile: sum(count for _, count in rows_by_cell(connection, tile)) for tile in tiles}
    return max(
        (tile for tile in tiles if most is None or counts[tile] <= most), key=counts.__getitem__, default=(16, 0, 0)
    )


def tile_of(zoom: int, latitude: float, longitude: float) -> Tile:
    """The tile in which a position lies."""
    size = 1 << zoom
    return zoom, int((longitude + 180) / 360 * size), int((1 - asinh(tan(radians(latitude))) / pi) / 2 * size)


def spans(tile: Tile) -> list[tuple[int, int]]:
    """The ranges of a tile's cells."""
    return sorted(range_of(cell) for cell in h3.compact_cells(cells_of_tile(*tile)))


def rows(connection: sqlite3.Connection, tile: Tile) -> list[Sequence[object]]:
    """What a tile of assets needs."""
    fetch = (
        "SELECT asset.id, asset_name, latitude, longitude, status, asset_category, rated_capacity FROM json_each(?) "
        "CROSS JOIN asset INDEXED BY asset_by_cell ON cell BETWEEN json_extract(value, '$[0]') AND json_extract(value, '$[1]')"
    )
    return connection.execute(fetch, (json.dumps(spans(tile)),)).fetchall()


def rows_by_cell(connection: sqlite3.Connection, tile: Tile) -> list[tuple[int, int]]:
    """What a tile of hexagons needs: cells of its resolution, with counts and sums."""
    resolution = h3.get_resolution(cells_of_tile(*tile)[0])
    mask, fill = parent_of(-1, resolution) & ~(0xF << 52), parent_of(0, resolution)
    fetch = (
        f"SELECT (cell & {mask & (1 << 63) - 1}) | {fill}, count(*), sum(rated_capacity) FROM json_each(?) CROSS JOIN asset "
        "INDEXED BY asset_by_cell ON cell BETWEEN json_extract(value, '$[0]') AND json_extract(value, '$[1]') GROUP BY 1"
    )
    return [(row[0], row[1]) for row in connection.execute(fetch, (json.dumps(spans(tile)),))]


def test_tiles_of_the_busiest_area(bare: sqlite3.Connection, figures: Figures) -> None:
    """From far (hexagons) and from near (as many assets as are told one by one), as the national operator."""
    persona = next(one for one in demo_personas() if one.key == "neso")
    actor = actor_for_user(persona.user_id, persona.organisation_id)
    far = busiest(bare, 8)
    near = max(
        (busiest(bare, zoom, MOST_POINTS) for zoom in (9, 10, 11, 12, 13)), key=lambda tile: len(rows(bare, tile))
    )
    measured = (
        ("hexagons, zoom 8", far, TileView(AssetFilters(), Layer.CAPACITY), lambda: rows_by_cell(bare, far)),
        ("assets one by one", near, TileView(AssetFilters(), one_by_one=True), lambda: rows(bare, near)),
    )
    for what, tile, view, fetch in measured:
        body = map_tile(actor, view, *tile)
        drawn = len(json.loads(body)["features"]) - 1
        taken = median_cpu_ms(lambda view=view, tile=tile: map_tile(actor, view, *tile), ROUNDS)
        least = median_cpu_ms(fetch, ROUNDS)
        ratio = f"{taken / least:.1f} × the bare SQL that fetches its rows ({least:.1f} ms)"
        said = f"{taken:.1f} ms of CPU, {drawn:,} features, {len(body) / 1000:.0f} kB"
        bound = f"{BOUND:.0f} ×, {MOST_BYTES // 1000} kB"
        figures.add(f"A tile of the busiest area at {SIZE:,} assets: {what}", said, bound, ratio)
        assert len(body) < MOST_BYTES
        assert drawn <= MOST_POINTS
        assert taken <= BOUND * least, what
