"""Eligibility of units for products (UC-04.03): one matrix of requirements, for any number of units at once.

Every requirement is met, not met, or not known; one that is not known neither passes nor fails. It is not known when the
product doesn't say what it asks for, the unit doesn't say what it has, or the register can't tell. The rules:


1. Family: a unit is offered into one family. Phase: products of phase 3 and legacy products aren't open.
2. Direction: a product bought `both` ways takes a unit that can move power either way; what counts is its better direction.
3. Area: some of the unit lies where a buyer buys: its licence areas, or anywhere in Great Britain for the national operator.
4. Place, how far its assets may be spread. None: one accounting point. GSP group: one of them. Constraint zone: the register
   doesn't know zones, only that one lies within one licence area: a unit in two areas fails, one in a single area is not known.
   Scottish GSP: the groups _N and _P. National: anywhere. Assets without an area may be anywhere: then it is not known.
5. Least and most capacity count in the place where the unit has most of it, within the buyers' areas. Capacity without an area
   may be there too: where it would decide, the answer is not known.
6. Seconds to full delivery and minutes of delivery are those of the unit.

A unit is *eligible* when nothing is known to be unmet, *nearly* when all that is unmet is a quantity within reach: at least
half of the least capacity is there (`REACH_PERCENT`); more than the most capacity (offer less); assets outside the place (leave
them out); too short a delivery, but energy enough to keep the least capacity up (offer less for longer). Otherwise it is *not*.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.products import Direction, Phase, ProductVersion, Spread
from services.market.eligibility.arrays import (
    AREA_CODES,
    ELSEWHERE,
    GROUP_CODES,
    PLACES,
    SCOTTISH,
    UNKNOWN,
    CountedCapacity,
    Flags,
    Ints,
    UnitArrays,
    build_unit_arrays,
    count_capacity,
    find_buyers_areas,
    to_hundredths,
)
from services.market.eligibility.requirements import JUDGED, EligibilityStanding, Requirement

REACH_PERCENT = 50
"""The share of the least capacity from which the rest is within reach."""
_ORDER = (EligibilityStanding.ELIGIBLE, EligibilityStanding.NEARLY, EligibilityStanding.NOT)
STANDINGS = pl.Enum(list(map(str, _ORDER)))
_LIMITED = (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE, Spread.SCOTTISH_GSP)
"""Spreads whose requirement of place can be met by leaving out assets that lie elsewhere."""
_NUMBERS = ("place", "capacity", "short", "over", "outside")


class _Outcome(NamedTuple):
    """One requirement of one product for all units: met, and known."""

    met: Flags
    is_known: Flags


def judge(units: pl.DataFrame, areas: pl.DataFrame, products: Sequence[ProductVersion]) -> pl.DataFrame:
    """Judge units against products: one row for each pair (all units of the first product, then of the second).


    `units`: unit_id, family (null: not decided, fits all), up, down (hundredths of kW), energy (hundredths of kWh),
    response_s, duration_min (null: not known), accounting_points. `areas`: unit_id, dno_code, gsp_group, up, down.

    Columns: unit_id, product_code, product_version, standing, apart_from_family (the standing if the family were right), a
    `met_...` for each Requirement (null: not known), `place` (licence area where most counts; null: no single one), and in
    hundredths of kW `capacity` (what counts), `short` of the least, `over` the most, `outside` the place.
    """
    arrays = build_unit_arrays(units, areas)
    size = len(products), units.height
    matrix = _Matrix(
        np.empty(size, np.uint8),
        np.empty(size, np.uint8),
        {requirement: np.empty(size, np.bool_) for requirement in JUDGED},
        {requirement: np.empty(size, np.bool_) for requirement in JUDGED},
        {name: np.empty(size, np.int64) for name in _NUMBERS},
    )
    capacities: dict[object, CountedCapacity] = {}
    for row, product in enumerate(products):
        pattern = (product.direction, product.aggregation, tuple(product.procurers))
        capacity = capacities.get(pattern)
        if capacity is None:
            capacity = capacities[pattern] = count_capacity(arrays, product)
        _fill_row(matrix, row, arrays, product, capacity)
    return _build_frame(units, products, matrix)


class _Matrix(NamedTuple):
    """Arrays with a row for each product and a column for each unit; standings are positions in _ORDER."""

    standings: NDArray[np.uint8]
    standings_in_family: NDArray[np.uint8]
    met: dict[Requirement, Flags]
    is_known: dict[Requirement, Flags]
    numbers: dict[str, Ints]


def _fill_row(
    matrix: _Matrix, row: int, arrays: UnitArrays, product: ProductVersion, capacity: CountedCapacity
) -> None:
    outcomes = _judge_requirements(arrays, product, capacity)
    for requirement, outcome in outcomes.items():
        matrix.met[requirement][row], matrix.is_known[requirement][row] = outcome
    min_capacity, max_capacity = to_hundredths(product.min_capacity), to_hundredths(product.max_capacity)
    numbers = matrix.numbers
    numbers["place"][row], numbers["capacity"][row], numbers["outside"][row] = (
        np.where(capacity.place == UNKNOWN, PLACES, capacity.place),
        capacity.sure,
        capacity.outside,
    )
    numbers["short"][row] = np.maximum(min_capacity - capacity.sure, 0)
    numbers["over"][row] = 0 if max_capacity == UNKNOWN else np.maximum(capacity.sure - max_capacity, 0)
    in_family = _judge_standing(arrays, product, capacity, outcomes)
    matrix.standings_in_family[row] = in_family
    matrix.standings[row] = np.where(outcomes[Requirement.FAMILY].met, in_family, _ORDER.index(EligibilityStanding.NOT))


def _judge_requirements(
    arrays: UnitArrays, product: ProductVersion, capacity: CountedCapacity
) -> dict[Requirement, _Outcome]:
    count = len(arrays.up)
    min_capacity, max_capacity = to_hundredths(product.min_capacity), to_hundredths(product.max_capacity)
    can = {
        Direction.UP: arrays.up > 0,
        Direction.DOWN: arrays.down > 0,
        Direction.BOTH: (arrays.up > 0) | (arrays.down > 0),
    }[product.direction]
    family = (arrays.family == str(product.family)).fill_null(True).to_numpy()
    enough, enough_is_known = (
        capacity.sure >= min_capacity,
        (capacity.sure >= min_capacity) | (capacity.most < min_capacity),
    )
    within, within_is_known = (
        capacity.most <= max_capacity,
        (capacity.most <= max_capacity) | (capacity.sure > max_capacity),
    )
    full_delivery, duration = product.full_delivery_s, product.min_duration_min
    return {
        Requirement.FAMILY: _certain(family),
        Requirement.PHASE: _certain(np.full(count, product.phase is Phase.GO_LIVE)),
        Requirement.DIRECTION: _certain(can),
        Requirement.AREA: _judge_area(arrays, product),
        Requirement.PLACE: _judge_place(arrays, product),
        Requirement.MIN_CAPACITY: _Outcome(enough, enough_is_known & (min_capacity != UNKNOWN)),
        Requirement.MAX_CAPACITY: _Outcome(within, within_is_known & (max_capacity != UNKNOWN)),
        Requirement.FULL_DELIVERY: _Outcome(
            arrays.response <= (full_delivery or 0), (arrays.response != UNKNOWN) & (full_delivery is not None)
        ),
        Requirement.DURATION: _Outcome(
            arrays.duration >= (duration or 0), (arrays.duration != UNKNOWN) & (duration is not None)
        ),
    }


def _certain(met: Flags) -> _Outcome:
    return _Outcome(met, np.ones(len(met), np.bool_))


def _judge_area(arrays: UnitArrays, product: ProductVersion) -> _Outcome:
    areas = find_buyers_areas(tuple(product.procurers))
    if areas is None:
        return _certain(np.ones(len(arrays.up), np.bool_))
    inside = arrays.present[[cell for cell in range(PLACES) if AREA_CODES[cell] in areas]].any(axis=0)
    return _Outcome(inside, inside | ~arrays.present[ELSEWHERE])


def _judge_place(arrays: UnitArrays, product: ProductVersion) -> _Outcome:
    unplaced = arrays.present[ELSEWHERE]
    if product.aggregation is None:
        return _Outcome(unplaced, np.zeros_like(unplaced))
    if product.aggregation is Spread.NATIONAL:
        return _certain(np.ones_like(unplaced))
    if product.aggregation is Spread.NONE:
        return _Outcome(arrays.points == 1, arrays.points > 0)
    if product.aggregation is Spread.SCOTTISH_GSP:
        outside_scotland = [cell for cell in range(PLACES) if GROUP_CODES[cell] not in SCOTTISH]
        lies_outside = arrays.present[outside_scotland].any(axis=0)
        return _Outcome(~lies_outside, lies_outside | ~unplaced)
    spread = arrays.present[:ELSEWHERE].sum(axis=0)
    certain = np.zeros_like(unplaced) if product.aggregation is Spread.CONSTRAINT_ZONE else (spread == 1) & ~unplaced
    return _Outcome(spread <= 1, (spread > 1) | certain)


def _judge_standing(
    arrays: UnitArrays, product: ProductVersion, capacity: CountedCapacity, outcomes: dict[Requirement, _Outcome]
) -> NDArray[np.uint8]:
    """Judge the standings as positions in _ORDER, leaving the family out."""
    min_capacity = to_hundredths(product.min_capacity)
    in_part = product.aggregation in _LIMITED
    longer = arrays.energy * 60 >= max(min_capacity, 1) * (product.min_duration_min or 0)
    reach: dict[Requirement, Flags | bool] = {
        Requirement.MIN_CAPACITY: (capacity.sure > 0) & (capacity.sure * 100 >= min_capacity * REACH_PERCENT),
        Requirement.MAX_CAPACITY: True,
        Requirement.PLACE: (capacity.sure > 0) & in_part,
        Requirement.DURATION: (arrays.energy > 0) & longer,
    }
    lacking = np.zeros(len(arrays.up), np.bool_)
    beyond = np.zeros(len(arrays.up), np.bool_)
    for requirement, outcome in outcomes.items():
        if requirement is not Requirement.FAMILY:
            unmet = outcome.is_known & ~outcome.met
            lacking |= unmet
            beyond |= unmet & ~np.asarray(reach.get(requirement, False))
    return lacking.astype(np.uint8) + beyond.astype(np.uint8)


def _build_frame(units: pl.DataFrame, products: Sequence[ProductVersion], matrix: _Matrix) -> pl.DataFrame:
    """Build one frame from the arrays, in a single pass of Polars."""
    numbers = pl.Series(range(len(products)), dtype=pl.UInt32)
    standings = pl.Series(list(map(str, _ORDER)), dtype=STANDINGS)
    areas = pl.Series([*AREA_CODES, None], dtype=pl.String)
    raw = {"standing": matrix.standings, "in_family": matrix.standings_in_family, **matrix.numbers}
    raw |= {f"is_{requirement.column}": matrix.met[requirement] for requirement in JUDGED}
    raw |= {f"known_{requirement.column}": matrix.is_known[requirement] for requirement in JUDGED}
    flat = pl.DataFrame({name: values.ravel() for name, values in raw.items()})
    repeated = [pl.repeat(number, units.height, dtype=pl.UInt32, eager=True) for number in numbers]
    row = pl.concat(repeated) if repeated else numbers
    unit = pl.concat([units["unit_id"]] * len(products), rechunk=False) if products else units["unit_id"].clear()
    codes = pl.Series([product.code for product in products], dtype=pl.String)
    versions = pl.Series([product.product_version for product in products], dtype=pl.Int64)
    return flat.select(
        unit_id=unit,
        product_code=pl.lit(codes).gather(row),
        product_version=pl.lit(versions).gather(row),
        standing=pl.lit(standings).gather(pl.col("standing")),
        apart_from_family=pl.lit(standings).gather(pl.col("in_family")),
        **{
            requirement.column: pl.when(f"known_{requirement.column}").then(f"is_{requirement.column}")
            for requirement in JUDGED
        },
        **{name: pl.col(name) for name in _NUMBERS if name != "place"},
        place=pl.lit(areas).gather(pl.col("place")),
    )
