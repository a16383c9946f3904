"""The ground of the portal's map: the file is what its script makes, everything in its place, each source named."""

import json
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from scripts.make_base_map import DEGREE, TARGET, read_own, render_ground
from services.core.settings import ROOT
from services.grid.geography import gsp_group_at, in_great_britain

EXTERNAL_SHAPES, EXTERNAL_NAMES = ("supply", "rail", "other"), ("supply", "towns")


@cache
def ground() -> dict[str, Any]:
    return json.loads(TARGET.read_text(encoding="utf-8"))


def corners(line: list[int]) -> np.ndarray:
    """Longitudes and latitudes of a packed line."""
    return np.cumsum(np.array(line).reshape(-1, 2), axis=0) / DEGREE


def test_the_script_makes_the_file_that_lies_here() -> None:
    shapes, names = read_own()
    shapes |= {name: ground()[name] for name in EXTERNAL_SHAPES}
    names |= {name: ground()["names"][name] for name in EXTERNAL_NAMES}
    assert render_ground(shapes, names) == TARGET.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("town", "group"),
    [("London", "_C"), ("Cambridge", "_A"), ("Cardiff", "_K"), ("Leeds", "_M"), ("Penzance", "_L"), ("Lerwick", "_P")],
)
def test_a_town_stands_where_it_is(town: str, group: str) -> None:
    name = next(row for row in ground()["names"]["towns"] if row[0] == town)
    assert gsp_group_at(name[1] / DEGREE, name[2] / DEGREE) == group


def test_names_come_by_size_and_lie_in_great_britain() -> None:
    names = ground()["names"]
    for kind in ("towns", "outcodes", "areas"):
        sizes = [row[3] for row in names[kind]]
        assert sizes == sorted(sizes, reverse=True), kind
    assert {kind: len(rows) for kind, rows in names.items()} == {
        "areas": 120,
        "groups": 14,
        "outcodes": 2865,
        "supply": 331,
        "towns": 5179,
    }
    assert all(in_great_britain(row[1] / DEGREE, row[2] / DEGREE) for rows in names.values() for row in rows)


def test_lines_are_whole_and_small_enough_to_be_sent() -> None:
    for kind in ("land", "borders", "rail", "supply"):
        for line in ground()[kind]:
            points = corners(line)
            assert len(points) >= 2, kind
            assert in_great_britain(points[0, 1], points[0, 0]), kind
            assert not any((first == second).all() for first, second in pairwise(points)), kind
    assert TARGET.stat().st_size < 650_000


def test_every_source_is_named_where_licences_stand() -> None:
    text = (ROOT / "docs" / "geography.md").read_text(encoding="utf-8")
    for source in ("OpenStreetMap", "GeoNames", "Natural Earth", "NESO Open Licence", "ODbL"):
        assert source in text, source
