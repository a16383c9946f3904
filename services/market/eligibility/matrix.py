"""Which products units may be eligible for (UC-04.03): one matrix of requirements, for any number of units at once.

Every requirement is met, not met, or not known; what is not known neither passes nor fails. It is not known when the product
doesn't say what it asks for, the unit doesn't say what it has, or the register can't tell. The rules:

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
    UNSAID,
    Counted,
    Flags,
    Held,
    Ints,
    buyers_areas,
    counted,
    held_by,
    hundredths,
)
from services.market.eligibility.requirements import JUDGED, Requirement, Standing

REACH_PERCENT = 50
"""So much of the least capacity is within reach of the rest."""
_ORDER = (Standing.ELIGIBLE, Standing.NEARLY, Standing.NOT)
STANDINGS = pl.Enum([str(one) for one in _ORDER])
_LIMITED = (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE, Spread.SCOTTISH_GSP)
"""Where leaving out what lies elsewhere mends the place."""
_NUMBERS = ("place", "capacity", "short", "over", "outside")


class _Outcome(NamedTuple):
    """A requirement of one product for all units: met, and whether that is known."""

    met: Flags
    known: Flags


def judge(units: pl.DataFrame, areas: pl.DataFrame, products: Sequence[ProductVersion]) -> pl.DataFrame:
    """The matrix: one row for each product and unit (all units of the first product, then of the second).

    `units`: unit_id, family (null: not decided, fits all), up, down (hundredths of kW), energy (hundredths of kWh),
    response_s, duration_min (null: not known), accounting_points. `areas`: unit_id, dno_code, gsp_group, up, down.

    Columns: unit_id, product_code, product_version, standing, apart_from_family (the standing if the family were right), a
    `met_...` for each Requirement (null: not known), `place` (licence area where most counts; null: no single one), and in
    hundredths of kW `capacity` (what counts), `short` of the least, `over` the most, `outside` the place.
    """
    held = held_by(units, areas)
    size = len(products), units.height
    made = _Matrix(
        np.empty(size, np.uint8),
        np.empty(size, np.uint8),
        {one: np.empty(size, np.bool_) for one in JUDGED},
        {one: np.empty(size, np.bool_) for one in JUDGED},
        {name: np.empty(size, np.int64) for name in _NUMBERS},
    )
    alike: dict[object, Counted] = {}
    for row, product in enumerate(products):
        pattern = (product.direction, product.aggregation, tuple(product.procurers))
        capacity = alike.get(pattern)
        if capacity is None:
            capacity = alike[pattern] = counted(held, product)
        _fill(made, row, held, product, capacity)
    return _frame(units, products, made)


class _Matrix(NamedTuple):
    """Arrays with a row for each product and a column for each unit; standings are positions in _ORDER."""

    standing: NDArray[np.uint8]
    apart: NDArray[np.uint8]
    met: dict[Requirement, Flags]
    known: dict[Requirement, Flags]
    numbers: dict[str, Ints]


def _fill(made: _Matrix, row: int, held: Held, product: ProductVersion, capacity: Counted) -> None:
    outcomes = _outcomes(held, product, capacity)
    for requirement, outcome in outcomes.items():
        made.met[requirement][row], made.known[requirement][row] = outcome
    least, most = hundredths(product.min_capacity), hundredths(product.max_capacity)
    numbers = made.numbers
    numbers["place"][row], numbers["capacity"][row], numbers["outside"][row] = (
        np.where(capacity.place == UNSAID, PLACES, capacity.place),
        capacity.sure,
        capacity.outside,
    )
    numbers["short"][row] = np.maximum(least - capacity.sure, 0)
    numbers["over"][row] = 0 if most == UNSAID else np.maximum(capacity.sure - most, 0)
    made.apart[row] = _standing(held, product, capacity, outcomes)
    made.standing[row] = np.where(outcomes[Requirement.FAMILY].met, made.apart[row], _ORDER.index(Standing.NOT))


def _outcomes(held: Held, product: ProductVersion, capacity: Counted) -> dict[Requirement, _Outcome]:
    count = len(held.up)
    least, most = hundredths(product.min_capacity), hundredths(product.max_capacity)
    can = {
        Direction.UP: held.up > 0,
        Direction.DOWN: held.down > 0,
        Direction.BOTH: (held.up > 0) | (held.down > 0),
    }[product.direction]
    family = (held.family == str(product.family)).fill_null(True).to_numpy()
    enough, known_enough = capacity.sure >= least, (capacity.sure >= least) | (capacity.most < least)
    within, known_within = capacity.most <= most, (capacity.most <= most) | (capacity.sure > most)
    quick, delivery = product.full_delivery_s, product.min_duration_min
    return {
        Requirement.FAMILY: _sure(family),
        Requirement.PHASE: _sure(np.full(count, product.phase is Phase.GO_LIVE)),
        Requirement.DIRECTION: _sure(can),
        Requirement.AREA: _area(held, product),
        Requirement.PLACE: _place(held, product),
        Requirement.MIN_CAPACITY: _Outcome(enough, known_enough & (least != UNSAID)),
        Requirement.MAX_CAPACITY: _Outcome(within, known_within & (most != UNSAID)),
        Requirement.FULL_DELIVERY: _Outcome(
            held.response <= (quick or 0), (held.response != UNSAID) & (quick is not None)
        ),
        Requirement.DURATION: _Outcome(
            held.duration >= (delivery or 0), (held.duration != UNSAID) & (delivery is not None)
        ),
    }


def _sure(met: Flags) -> _Outcome:
    return _Outcome(met, np.ones(len(met), np.bool_))


def _area(held: Held, product: ProductVersion) -> _Outcome:
    areas = buyers_areas(tuple(product.procurers))
    if areas is None:
        return _sure(np.ones(len(held.up), np.bool_))
    inside = held.present[[cell for cell in range(PLACES) if AREA_CODES[cell] in areas]].any(axis=0)
    return _Outcome(inside, inside | ~held.present[ELSEWHERE])


def _place(held: Held, product: ProductVersion) -> _Outcome:
    unplaced = held.present[ELSEWHERE]
    if product.aggregation is None:
        return _Outcome(unplaced, np.zeros_like(unplaced))
    if product.aggregation is Spread.NATIONAL:
        return _sure(np.ones_like(unplaced))
    if product.aggregation is Spread.NONE:
        return _Outcome(held.points == 1, held.points > 0)
    if product.aggregation is Spread.SCOTTISH_GSP:
        others = [cell for cell in range(PLACES) if GROUP_CODES[cell] not in SCOTTISH]
        out = held.present[others].any(axis=0)
        return _Outcome(~out, out | ~unplaced)
    spread = held.present[:ELSEWHERE].sum(axis=0)
    certain = np.zeros_like(unplaced) if product.aggregation is Spread.CONSTRAINT_ZONE else (spread == 1) & ~unplaced
    return _Outcome(spread <= 1, (spread > 1) | certain)


def _standing(
    held: Held, product: ProductVersion, capacity: Counted, outcomes: dict[Requirement, _Outcome]
) -> NDArray[np.uint8]:
    """Positions in _ORDER, leaving the family out."""
    least = hundredths(product.min_capacity)
    in_part = product.aggregation in _LIMITED
    longer = held.energy * 60 >= max(least, 1) * (product.min_duration_min or 0)
    reach: dict[Requirement, Flags | bool] = {
        Requirement.MIN_CAPACITY: (capacity.sure > 0) & (capacity.sure * 100 >= least * REACH_PERCENT),
        Requirement.MAX_CAPACITY: True,
        Requirement.PLACE: (capacity.sure > 0) & in_part,
        Requirement.DURATION: (held.energy > 0) & longer,
    }
    lacking = np.zeros(len(held.up), np.bool_)
    beyond = np.zeros(len(held.up), np.bool_)
    for requirement, (met, known) in outcomes.items():
        if requirement is not Requirement.FAMILY:
            unmet = known & ~met
            lacking |= unmet
            beyond |= unmet & ~np.asarray(reach.get(requirement, False))
    return lacking.astype(np.uint8) + beyond.astype(np.uint8)


def _frame(units: pl.DataFrame, products: Sequence[ProductVersion], made: _Matrix) -> pl.DataFrame:
    """The arrays as one frame, in a single pass of Polars."""
    each = pl.Series(range(len(products)), dtype=pl.UInt32)
    standings = pl.Series([str(one) for one in _ORDER], dtype=STANDINGS)
    areas = pl.Series([*AREA_CODES, None], dtype=pl.String)
    raw = {"standing": made.standing, "apart": made.apart, **made.numbers}
    raw |= {f"is_{one.column}": made.met[one] for one in JUDGED}
    raw |= {f"known_{one.column}": made.known[one] for one in JUDGED}
    flat = pl.DataFrame({name: values.ravel() for name, values in raw.items()})
    repeated = [pl.repeat(number, units.height, dtype=pl.UInt32, eager=True) for number in each]
    row = pl.concat(repeated) if repeated else each
    unit = pl.concat([units["unit_id"]] * len(products), rechunk=False) if products else units["unit_id"].clear()
    codes = pl.Series([one.code for one in products], dtype=pl.String)
    versions = pl.Series([one.product_version for one in products], dtype=pl.Int64)
    return flat.select(
        unit_id=unit,
        product_code=pl.lit(codes).gather(row),
        product_version=pl.lit(versions).gather(row),
        standing=pl.lit(standings).gather(pl.col("standing")),
        apart_from_family=pl.lit(standings).gather(pl.col("apart")),
        **{one.column: pl.when(f"known_{one.column}").then(f"is_{one.column}") for one in JUDGED},
        **{name: pl.col(name) for name in _NUMBERS if name != "place"},
        place=pl.lit(areas).gather(pl.col("place")),
    )
