"""Eligibility of 10,000 units for every product, beside the same matrix of requirements written by hand in NumPy."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from models.products import Direction, Phase, ProductVersion, Spread
from services.market.eligibility.arrays import AREA_CODES, GROUP_CODES
from services.market.eligibility.requirements import JUDGED
from services.market.eligibility.verdicts import Requirement, judge
from services.market.products.reference_data import procurers
from tests.benchmarks.report import Figures, cpu_ms
from tests.market_frames import first_catalogue

pytestmark = pytest.mark.benchmark
UNITS, ROUNDS, TIMES = 10_000, 15, 3.0
FAMILIES = ("RESPONSE", "RESERVE", "CONSTRAINT", "DSO")


class Plain(NamedTuple):
    """Units as bare arrays: what a hand-written comparison begins with. -1 is not known."""

    ids: list[str]
    row: NDArray[Any]
    cell: NDArray[Any]
    part_up: NDArray[Any]
    part_down: NDArray[Any]
    family: NDArray[Any]
    up: NDArray[Any]
    down: NDArray[Any]
    energy: NDArray[Any]
    response: NDArray[Any]
    duration: NDArray[Any]
    points: NDArray[Any]


def made_up() -> Plain:
    """Units in one to three licence areas, some assets without any, some values not known."""
    draw = np.random.default_rng(20261128)
    places = draw.choice([1, 1, 1, 2, 3], UNITS)
    row = np.repeat(np.arange(UNITS), places)
    cell = np.concatenate([draw.choice(15, count, replace=False) for count in places])
    up, down = (draw.integers(0, 300_000, len(row)) for _ in range(2))
    total_up, total_down = (np.bincount(row, one, UNITS).astype(np.int64) for one in (up, down))
    silent = draw.random(UNITS) < 0.1
    return Plain(
        [f"{number:032x}" for number in range(UNITS)],
        row,
        cell,
        up,
        down,
        draw.integers(0, 4, UNITS),
        total_up,
        total_down,
        np.where(silent, -1, draw.integers(0, 500_000, UNITS)),
        np.where(silent, -1, draw.choice([1, 10, 60, 900, 7200], UNITS)),
        np.where(silent, -1, draw.integers(1, 300, UNITS)),
        draw.integers(1, 4, UNITS),
    )


def as_frames(plain: Plain) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same as the frames that `judge` is given."""
    codes = np.array([*AREA_CODES, ""], dtype=object)
    groups = np.array([*GROUP_CODES, ""], dtype=object)
    areas = pl.DataFrame(
        {
            "unit_id": [plain.ids[one] for one in plain.row],
            "dno_code": codes[plain.cell].tolist(),
            "gsp_group": groups[plain.cell].tolist(),
            "up": plain.part_up,
            "down": plain.part_down,
        }
    )
    measures = {"energy": plain.energy, "response_s": plain.response, "duration_min": plain.duration}
    units = pl.DataFrame(
        {
            "unit_id": plain.ids,
            "family": [FAMILIES[one] for one in plain.family],
            "up": plain.up,
            "down": plain.down,
            **{name: pl.Series(values).set(pl.Series(values < 0), None) for name, values in measures.items()},
            "accounting_points": plain.points,
        }
    )
    return units, areas


def by_hand(plain: Plain, products: Sequence[ProductVersion]) -> NDArray[np.int8]:
    """Requirement x product x unit: 1 met, 0 not met, -1 not known."""
    up, down = np.zeros((UNITS, 15), np.int64), np.zeros((UNITS, 15), np.int64)
    up[plain.row, plain.cell], down[plain.row, plain.cell] = plain.part_up, plain.part_down
    there = np.zeros((UNITS, 15), np.bool_)
    there[plain.row, plain.cell] = True
    made = np.empty((len(JUDGED), len(products), UNITS), np.int8)
    for number, product in enumerate(products):
        buyers = [procurers()[code] for code in product.procurers]
        everywhere = any(not one.dno_codes for one in buyers)
        allowed = {code for one in buyers for code in one.dno_codes}
        where = [one for one in range(14) if everywhere or AREA_CODES[one] in allowed]
        inside = there[:, where].any(axis=1) | everywhere
        scottish = [one for one in where if GROUP_CODES[one] in ("_N", "_P")]
        sure, most = np.zeros(UNITS, np.int64), np.zeros(UNITS, np.int64)
        can = np.zeros(UNITS, np.bool_)
        for way, parts, total in ((Direction.UP, up, plain.up), (Direction.DOWN, down, plain.down)):
            if product.direction not in (way, Direction.BOTH):
                continue
            can |= total > 0
            if product.aggregation in (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE):
                counts = parts[:, where].max(axis=1)
            elif product.aggregation is Spread.SCOTTISH_GSP:
                counts = parts[:, scottish].sum(axis=1)
            elif everywhere:
                sure, most = np.maximum(sure, total), np.maximum(most, total)
                continue
            else:
                counts = parts[:, where].sum(axis=1)
            sure, most = np.maximum(sure, counts), np.maximum(most, counts + parts[:, 14])
        spread = there[:, :14].sum(axis=1)
        match product.aggregation:
            case None:
                place = np.full(UNITS, -1)
            case Spread.NATIONAL:
                place = np.ones(UNITS)
            case Spread.NONE:
                place = plain.points == 1
            case Spread.SCOTTISH_GSP:
                others = there[:, [one for one in range(14) if GROUP_CODES[one] not in ("_N", "_P")]].any(axis=1)
                place = np.where(others, 0, np.where(there[:, 14], -1, 1))
            case Spread.GSP_GROUP:
                place = np.where(spread > 1, 0, np.where((spread == 1) & ~there[:, 14], 1, -1))
            case Spread.CONSTRAINT_ZONE:
                place = np.where(spread > 1, 0, -1)
        made[0, number] = plain.family == FAMILIES.index(product.family)
        made[1, number] = product.phase is Phase.GO_LIVE
        made[2, number] = can
        made[3, number] = np.where(inside, 1, np.where(there[:, 14], -1, 0))
        made[4, number] = place
        least = -1 if product.min_capacity is None else int(product.min_capacity * 100)
        top = -1 if product.max_capacity is None else int(product.max_capacity * 100)
        made[5, number] = -1 if least < 0 else np.where(sure >= least, 1, np.where(most < least, 0, -1))
        made[6, number] = -1 if top < 0 else np.where(most <= top, 1, np.where(sure > top, 0, -1))
        quick, lasting = product.full_delivery_s, product.min_duration_min
        made[7, number] = -1 if quick is None else np.where(plain.response < 0, -1, plain.response <= quick)
        made[8, number] = -1 if lasting is None else np.where(plain.duration < 0, -1, plain.duration >= lasting)
    return made


def test_ten_thousand_units_and_every_product(figures: Figures) -> None:
    """The same matrix, and at most three times the processor time; the two take turns, so that both see the same machine."""
    plain, products = made_up(), first_catalogue()
    units, areas = as_frames(plain)
    ours, theirs = judge(units, areas, products), by_hand(plain, products)
    for number, requirement in enumerate(JUDGED):
        said = ours[requirement.column].cast(pl.Int8).fill_null(-1).to_numpy()
        assert (said == theirs[number].ravel()).all(), Requirement(requirement)
    pairs = [
        (cpu_ms(lambda: judge(units, areas, products)), cpu_ms(lambda: by_hand(plain, products))) for _ in range(ROUNDS)
    ]
    taken, bare = (sorted(one)[ROUNDS // 2] for one in zip(*pairs, strict=True))
    ratio = taken / bare
    figures.add(
        f"Eligibility of {UNITS:,} units for {len(products)} products",
        f"{taken:.0f} ms of CPU",
        f"{TIMES:.0f} ×",
        f"{ratio:.1f} × the same matrix by hand in NumPy ({bare:.0f} ms)",
    )
    assert ratio <= TIMES
