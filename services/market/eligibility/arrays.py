"""Capacity of units as arrays, and the part that counts for a product, by licence area (UC-04.03): pure NumPy."""

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.products import Direction, ProductVersion, Spread
from services.grid.geography import LICENCE_AREAS
from services.market.products.reference_data import procurers

SCOTTISH = ("_N", "_P")
AREA_CODES: tuple[str, ...] = tuple(area.code for area in LICENCE_AREAS if area.code)
GROUP_CODES: tuple[str, ...] = tuple(area.gsp_group for area in LICENCE_AREAS if area.gsp_group)
"""GSP groups in the order of AREA_CODES: each licence area is one GSP group."""
PLACES = len(AREA_CODES)
ELSEWHERE = PLACES
"""The row of capacity without a known area."""
UNKNOWN = -1
"""The number that stands for a value that is not known."""
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class UnitArrays(NamedTuple):
    """Units as arrays. `up_in`, `down_in` (hundredths of kW) and `present` have a row for each licence area."""

    up: Ints
    down: Ints
    energy: Ints
    response: Ints
    duration: Ints
    points: Ints
    family: pl.Series
    up_in: Ints
    down_in: Ints
    present: Flags


class CountedCapacity(NamedTuple):
    """Capacity that counts for a product, in hundredths of kW: for sure, at most, its licence area, and the rest outside."""

    sure: Ints
    most: Ints
    place: Ints
    outside: Ints


@cache
def find_buyers_areas(codes: tuple[str, ...]) -> frozenset[str] | None:
    """Find the licence areas in which these procurers buy; None for all of Great Britain, empty when none is known."""
    buyers = [procurers()[code] for code in codes if code in procurers()]
    if any(not buyer.dno_codes for buyer in buyers):
        return None
    return frozenset(code for buyer in buyers for code in buyer.dno_codes)


def to_hundredths(power: object) -> int:
    """Return kW as whole hundredths; UNKNOWN for None."""
    return UNKNOWN if power is None else int(power * 100)  # pyright: ignore[reportOperatorIssue]


def build_unit_arrays(units: pl.DataFrame, areas: pl.DataFrame) -> UnitArrays:
    """Build arrays from the frames of `services.market.eligibility.matrix.judge`."""

    def column(name: str) -> Ints:
        return units[name].cast(pl.Int64).fill_null(UNKNOWN).to_numpy()

    numbered = units.select("unit_id").with_row_index("row")
    located = areas.join(numbered, on="unit_id", how="inner").select(
        "row",
        "up",
        "down",
        cell=pl.coalesce(
            pl.col("dno_code").replace_strict(dict(zip(AREA_CODES, range(PLACES), strict=True)), default=None),
            pl.col("gsp_group").replace_strict(dict(zip(GROUP_CODES, range(PLACES), strict=True)), default=None),
            pl.lit(ELSEWHERE),
        ),
    )
    positions = located["cell"].to_numpy() * units.height + located["row"].to_numpy().astype(np.int64)
    shape = PLACES + 1, units.height
    up_in, down_in, present = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    np.add.at(up_in.ravel(), positions, located["up"].to_numpy())
    np.add.at(down_in.ravel(), positions, located["down"].to_numpy())
    present.ravel()[positions] = True
    return UnitArrays(
        up=column("up"),
        down=column("down"),
        energy=column("energy"),
        response=column("response_s"),
        duration=column("duration_min"),
        points=column("accounting_points"),
        family=units["family"].cast(pl.String),
        up_in=up_in,
        down_in=down_in,
        present=present,
    )


def count_capacity(arrays: UnitArrays, product: ProductVersion) -> CountedCapacity:
    """Count the capacity for a product, in the better of the directions in which it is bought."""
    match product.direction:
        case Direction.UP:
            return _count_direction(arrays.up, arrays.up_in, product)
        case Direction.DOWN:
            return _count_direction(arrays.down, arrays.down_in, product)
        case Direction.BOTH:
            up, down = (
                _count_direction(arrays.up, arrays.up_in, product),
                _count_direction(arrays.down, arrays.down_in, product),
            )
            down_is_better = down.sure > up.sure
            return CountedCapacity(
                np.maximum(up.sure, down.sure),
                np.maximum(up.most, down.most),
                np.where(down_is_better, down.place, up.place),
                np.where(down_is_better, down.outside, up.outside),
            )


def _count_direction(total: Ints, inside: Ints, product: ProductVersion) -> CountedCapacity:
    cells = find_counting_cells(product)
    unplaced = inside[ELSEWHERE]
    no_area = np.full(len(total), UNKNOWN)
    if product.aggregation in (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE):
        best, place = np.zeros_like(total), no_area
        for cell in cells:
            larger = inside[cell] > best
            best = np.where(larger, inside[cell], best)
            place = np.where(larger, cell, place)
        return CountedCapacity(best, best + unplaced, place, total - best)
    if len(cells) == PLACES:
        return CountedCapacity(total, total, no_area, np.zeros_like(total))
    sure = inside[cells].sum(axis=0)
    return CountedCapacity(sure, sure + unplaced, no_area, total - sure)


def find_counting_cells(product: ProductVersion) -> list[int]:
    """Find the rows of licence areas in which capacity counts: where the product is bought, and in Scotland if it must be."""
    areas = find_buyers_areas(tuple(product.procurers))
    scottish = product.aggregation is Spread.SCOTTISH_GSP
    return [
        cell
        for cell in range(PLACES)
        if (areas is None or AREA_CODES[cell] in areas) and (not scottish or GROUP_CODES[cell] in SCOTTISH)
    ]
