"""What is too small is summed upward, from published figures alone: nothing that a reader couldn't subtract (UC-05.02)."""

from decimal import Decimal

import pytest

from services.assets.counters.figures import Cell, merge_withheld
from services.market.statistics.model import StatisticsFigure
from services.market.statistics.model import merge_withheld as merge_market

pytestmark = pytest.mark.use_case("UC-05.02")


def cell(code: str, count: int | None = None, kw: int = 0) -> Cell:
    return Cell(code, code, count, None if count is None else Decimal(kw), withheld=count is None)


TOTAL = cell("", 120, 9_000)


def test_withheld_categories_are_one_line_with_what_the_total_leaves() -> None:
    merged = merge_withheld([cell("A", 100, 8_000), cell("B"), cell("C")], TOTAL, "Other categories")
    assert [(one.label, one.count, one.rated_kw, one.withheld) for one in merged] == [
        ("A", 100, Decimal(8_000), False),
        ("Other categories (2)", 20, Decimal(1_000), False),
    ]


@pytest.mark.parametrize(
    ("cells", "total"),
    [
        ([cell("A", 120, 9_000)], TOTAL),
        ([cell("A"), cell("B")], cell("")),
        ([cell("A", 120, 8_000), cell("B"), cell("C")], TOTAL),
        ([cell("A", 100, 9_010), cell("B"), cell("C")], TOTAL),
    ],
    ids=["nothing is withheld", "the total is withheld", "rounding leaves no asset", "rounding leaves no power"],
)
def test_where_nothing_can_be_summed_the_line_stays_as_it_was_published(cells: list[Cell], total: Cell) -> None:
    assert merge_withheld(cells, total, "Other categories") == cells


def test_the_sum_depends_on_published_figures_alone() -> None:
    """Two registers that publish the same have the same rest, however their withheld parts differ."""
    published = [cell("A", 100, 8_000), cell("B"), cell("C")]
    assert merge_withheld(published, TOTAL, "x") == merge_withheld(list(published), TOTAL, "x")
    other = [StatisticsFigure("P", "P", 30, Decimal(500)), StatisticsFigure("Q", "Q", None, None, withheld=True)]
    merged = merge_market(other, StatisticsFigure("", "Qualified", 45, Decimal(800)), "Other products")
    assert (merged[-1].label, merged[-1].count, merged[-1].kw) == ("Other products (1)", 15, Decimal(300))
