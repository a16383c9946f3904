"""Units as arrays, and how much of them counts for a product, by licence area (UC-04.03): pure NumPy."""

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.products import Direction, ProductVersion, Spread
from services.grid.geography import LICENCE_AREAS
from services.market.products.reference_data import procurers

SCOTTISH = ("_N", "_P")
AREA_CODES: tuple[str, ...] = tuple(one.code for one in LICENCE_AREAS if one.code)
GROUP_CODES: tuple[str, ...] = tuple(one.gsp_group for one in LICENCE_AREAS if one.gsp_group)
"""In the order of AREA_CODES: each licence area is one GSP group."""
PLACES = len(AREA_CODES)
ELSEWHERE = PLACES
"""The row of what has no known area."""
UNSAID = -1
"""Stands for what is not known."""
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Held(NamedTuple):
    """The units as arrays. `up_in`, `down_in` (hundredths of kW) and `present` have a row for each place."""

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


class Counted(NamedTuple):
    """The capacity that counts for a product, in hundredths of kW: surely, at most, in which place, and what lies outside."""

    sure: Ints
    most: Ints
    place: Ints
    outside: Ints


@cache
def buyers_areas(codes: tuple[str, ...]) -> frozenset[str] | None:
    """The licence areas in which these procurers buy; None for all of Great Britain, empty for none that are known."""
    known = [procurers()[code] for code in codes if code in procurers()]
    if any(not buyer.dno_codes for buyer in known):
        return None
    return frozenset(code for buyer in known for code in buyer.dno_codes)


def hundredths(power: object) -> int:
    """kW as whole hundredths; UNSAID for none."""
    return UNSAID if power is None else int(power * 100)  # pyright: ignore[reportOperatorIssue]


def held_by(units: pl.DataFrame, areas: pl.DataFrame) -> Held:
    """The frames of `services.market.eligibility.verdicts.judge` as arrays."""

    def column(name: str) -> Ints:
        return units[name].cast(pl.Int64).fill_null(UNSAID).to_numpy()

    numbered = units.select("unit_id").with_row_index("row")
    where = areas.join(numbered, on="unit_id", how="inner").select(
        "row",
        "up",
        "down",
        cell=pl.coalesce(
            pl.col("dno_code").replace_strict(dict(zip(AREA_CODES, range(PLACES), strict=True)), default=None),
            pl.col("gsp_group").replace_strict(dict(zip(GROUP_CODES, range(PLACES), strict=True)), default=None),
            pl.lit(ELSEWHERE),
        ),
    )
    at = where["cell"].to_numpy() * units.height + where["row"].to_numpy().astype(np.int64)
    shape = PLACES + 1, units.height
    up_in, down_in, present = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    np.add.at(up_in.ravel(), at, where["up"].to_numpy())
    np.add.at(down_in.ravel(), at, where["down"].to_numpy())
    present.ravel()[at] = True
    return Held(
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


def counted(held: Held, product: ProductVersion) -> Counted:
    """What counts, in the better of the directions in which the product is bought."""
    match product.direction:
        case Direction.UP:
            return _one_way(held.up, held.up_in, product)
        case Direction.DOWN:
            return _one_way(held.down, held.down_in, product)
        case Direction.BOTH:
            up, down = _one_way(held.up, held.up_in, product), _one_way(held.down, held.down_in, product)
            better = down.sure > up.sure
            return Counted(
                np.maximum(up.sure, down.sure),
                np.maximum(up.most, down.most),
                np.where(better, down.place, up.place),
                np.where(better, down.outside, up.outside),
            )


def _one_way(total: Ints, inside: Ints, product: ProductVersion) -> Counted:
    cells = counting_cells(product)
    unplaced = inside[ELSEWHERE]
    nowhere = np.full(len(total), UNSAID)
    if product.aggregation in (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE):
        best, place = np.zeros_like(total), nowhere
        for cell in cells:
            more = inside[cell] > best
            best = np.where(more, inside[cell], best)
            place = np.where(more, cell, place)
        return Counted(best, best + unplaced, place, total - best)
    if len(cells) == PLACES:
        return Counted(total, total, nowhere, np.zeros_like(total))
    sure = inside[cells].sum(axis=0)
    return Counted(sure, sure + unplaced, nowhere, total - sure)


def counting_cells(product: ProductVersion) -> list[int]:
    """The places in which capacity counts: those where it is bought, of them the Scottish ones where it must be there."""
    areas = buyers_areas(tuple(product.procurers))
    scottish = product.aggregation is Spread.SCOTTISH_GSP
    return [
        cell
        for cell in range(PLACES)
        if (areas is None or AREA_CODES[cell] in areas) and (not scottish or GROUP_CODES[cell] in SCOTTISH)
    ]
