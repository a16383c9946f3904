"""H3 cells of assets, stored as whole numbers: every larger cell is one range of the finest ones.

An H3 index carries its resolution in bits 52 to 55 and one three-bit digit for each resolution from bit 45 downwards;
digits below its resolution are all ones. Descendants of a cell therefore lie side by side in the order of numbers.
"""

from collections.abc import Callable
from typing import Any

import h3.api.basic_int as h3
from sqlalchemy import BigInteger, ColumnElement, literal_column

FINEST = 11
"""The resolution kept with each asset: cells of about 50 m across."""
COARSE = 4
"""The resolution that counts are kept for: cells of about 45 km across, some 250 over Great Britain."""
_RESOLUTION_BITS = 0xF << 52
_ALL = (1 << 63) - 1


def cell_of(latitude: float, longitude: float) -> int:
    """The finest cell in which a position (degrees, WGS84) lies."""
    return h3.latlng_to_cell(latitude, longitude, FINEST)


def derive_cell(column: Callable[[str], Any]) -> int | None:
    """Work out the finest cell of an asset from its position; None without one."""
    latitude, longitude = column("latitude"), column("longitude")
    return None if latitude is None or longitude is None else cell_of(latitude, longitude)


def resolution_of(cell: int) -> int:
    """The resolution of a cell, 0 (continents) to 15 (half a metre)."""
    return cell >> 52 & 0xF


def parent_of(cell: int, resolution: int) -> int:
    """The cell at a coarser `resolution` in which a cell lies."""
    return cell & ~_RESOLUTION_BITS | _filling(resolution)


def range_of(parent: int) -> tuple[int, int]:
    """The lowest and the highest finest cell (both included) inside a cell: a condition that an index answers.

    Raises ValueError for a cell smaller than the finest that is kept.
    """
    resolution = resolution_of(parent)
    if resolution > FINEST:
        raise ValueError(f"Cells are kept at resolution {FINEST}, not {resolution}.")
    base = parent & ~_RESOLUTION_BITS & ~_ones(resolution)
    return base | _filling(FINEST), base | _ones(resolution) | FINEST << 52


def parent_in_sql(cell: Any, resolution: int) -> ColumnElement[int]:
    """`parent_of` as an SQL expression over a column of finest cells, the same on both databases.

    Its numbers are written out, so that it may stand in SELECT and GROUP BY at once.
    """
    keep = literal_column(str(_ALL & ~_RESOLUTION_BITS), BigInteger)
    return cell.bitwise_and(keep).bitwise_or(literal_column(str(_filling(resolution)), BigInteger))


def _ones(resolution: int) -> int:
    """The bits of all digits below a resolution."""
    return (1 << 3 * (15 - resolution)) - 1


def _filling(resolution: int) -> int:
    """The resolution bits and unused digits of a cell of this resolution."""
    return resolution << 52 | _ones(resolution)
