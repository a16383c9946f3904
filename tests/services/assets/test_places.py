"""Cells as whole numbers, held against the H3 library."""

import random

import h3.api.basic_int as h3
import pytest
from sqlalchemy import BigInteger, literal, select
from sqlmodel import col

from models.assets import Asset
from services.assets.cells import FINEST, cell_of, parent_in_sql, parent_of, range_of, resolution_of
from services.assets.registration.update import update_asset
from services.core.identity.actor import system_actor
from services.core.ledger.history import entries
from services.core.ledger.verifying import verify_ledger
from services.core.transaction import Stamp, unit_of_work
from tests.asset_factories import make_provider, registered

pytestmark = pytest.mark.both_engines

READ = Stamp("test_read", "UC-05.01", system_actor("Test"))


def _positions(count: int) -> list[tuple[float, float]]:
    chance = random.Random(20261124)
    return [(chance.uniform(49.8, 61.0), chance.uniform(-8.7, 1.9)) for _ in range(count)]


def test_parents_and_ranges_are_those_of_the_library() -> None:
    """A parent is the library's; its range holds its finest cells and no other's."""
    cells = [cell_of(lat, lon) for lat, lon in _positions(500)]
    for cell in cells:
        assert resolution_of(cell) == FINEST
        for resolution in range(FINEST + 1):
            parent = h3.cell_to_parent(cell, resolution)
            assert parent_of(cell, resolution) == parent
            low, high = range_of(parent)
            assert low <= cell <= high
            inside = [other for other in cells if low <= other <= high]
            assert inside == [other for other in cells if h3.cell_to_parent(other, resolution) == parent]


def test_a_range_ends_with_the_last_descendant() -> None:
    """Every finest cell of a small parent lies in its range, those of its neighbours don't."""
    parent = h3.latlng_to_cell(51.5, -0.1, FINEST - 3)
    low, high = range_of(parent)
    assert all(low <= child <= high for child in h3.cell_to_children(parent, FINEST))
    for neighbour in set(h3.grid_disk(parent, 1)) - {parent}:
        assert not any(low <= child <= high for child in h3.cell_to_children(neighbour, FINEST))


def test_no_range_of_a_cell_smaller_than_what_is_kept() -> None:
    """Cells are kept at one resolution; below it there is nothing to find."""
    with pytest.raises(ValueError, match="resolution 11"):
        range_of(h3.latlng_to_cell(51.5, -0.1, 12))


def test_parents_in_sql_on_both_databases(register: str) -> None:
    """The bit arithmetic gives the same in SQLite, in PostgreSQL and in Python."""
    cells = [cell_of(lat, lon) for lat, lon in _positions(50)]
    with unit_of_work(READ, writes=False) as session:
        for resolution in (0, 4, 7, FINEST):
            for cell in cells:
                parent = parent_in_sql(literal(cell, BigInteger), resolution)
                assert session.scalar(select(parent)) == h3.cell_to_parent(cell, resolution)


def test_an_asset_knows_its_cell_and_the_ledger_does_not(register: str) -> None:
    """Registered, moved, and verified: the cell follows the position and is no part of what is sealed."""
    provider = make_provider()
    asset = registered(provider)
    assert asset.cell == h3.latlng_to_cell(52.2053, 0.1218, FINEST)
    update_asset(provider, asset.id, {"Latitude": "52.3", "Longitude": "0.2", "Postcode": "CB6 3LA"}, asset.version)
    with unit_of_work(READ, writes=False) as session:
        assert session.scalar(select(col(Asset.cell))) == h3.latlng_to_cell(52.3, 0.2, FINEST)
        assert all('"cell"' not in entry.state for entry in entries("asset", asset.id))
    assert verify_ledger(system_actor()).sound
