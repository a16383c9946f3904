"""The MPAN core: the published test vectors, the long form, and columns that agree with single values."""

import polars as pl
import pytest

from services.assets.rules.mpan import (
    describe_mpan,
    is_valid_mpan,
    mpan_check_digit,
    mpan_core_expr,
    mpan_dno_expr,
    mpan_valid_expr,
    reduce_mpan,
)
from services.assets.rules.prepare import AssetReference
from services.assets.rules.spelling import spell_column

pytestmark = pytest.mark.use_case("UC-02.01")
SOUND = [
    "1234567890126",
    "2000000000015",
    "1099900000015",
    "1199900000010",
    "1299900000014",
    "1399900000019",
    "1499900000013",
    "1599900000018",
    "1699900000012",
    "1799900000017",
    "1899900000011",
    "1999900000016",
    "2099900000018",
    "2199900000012",
    "2299900000017",
    "2399900000011",
    "2499900000016",
    "2699900000015",
    "2799900000010",
]
UNSOUND = ["1050001044651", "1200001071622", "1200010257778", "1099900000016", "109990000001", "١٢٣٤٥٦٧٨٩٠١٢٦", ""]


@pytest.mark.parametrize("mpan", SOUND)
def test_a_sound_number_is_valid(mpan: str) -> None:
    assert is_valid_mpan(mpan)
    assert mpan_check_digit(mpan[:12]) == int(mpan[12])


@pytest.mark.parametrize("mpan", UNSOUND)
def test_any_other_number_is_not(mpan: str) -> None:
    assert not is_valid_mpan(mpan)


@pytest.mark.parametrize(
    ("typed", "core"),
    [
        ("1099900000015", "1099900000015"),
        (" 10 9990 0000 015 ", "1099900000015"),
        ("10\u00a09990\u00a00000\u00a0015", "1099900000015"),
        ("01 801 001 1099900000015", "1099900000015"),
        ("008010011099900000015", "1099900000015"),
        ("10999000000150", None),
        ("10-9990-0000-015", "1099900000015"),
        ("S 01 801 001 10 9990 0000 015", "1099900000015"),
        ('S"01"801"001"10"9990"0000"015', "1099900000015"),
        ("01/801/001/10/9990/0000/015", "1099900000015"),
        ("S01801001\n1099900000015", "1099900000015"),
        ("MPAN: 10 9990 0000 015", "1099900000015"),
        ("Supply number S 1099900000015", "1099900000015"),
        ("1099900000015.0", "1099900000015"),
        ("\u200e１０９９９\u2011００００００１５", "1099900000015"),
        ("1099900000015/1050000000005", None),
        ("1099900000015, 1050000000005", None),
        ("1.09990E+12", None),
        ("10999000000²5", None),
        ("", None),
    ],
)
def test_what_is_typed_is_reduced_to_the_core(typed: str, core: str | None) -> None:
    assert reduce_mpan(typed) == core
    spelled = spell_column("ImportMPAN", pl.Series([typed]), AssetReference())
    assert pl.select(mpan_core_expr(pl.lit(spelled))).item() == core


def test_a_column_is_judged_as_its_values_are() -> None:
    column = pl.DataFrame({"mpan": [*SOUND, *UNSOUND[:4]]})
    judged = column.select(mpan_valid_expr("mpan")).to_series().to_list()
    assert judged == [is_valid_mpan(mpan) for mpan in column["mpan"]]
    assert pl.select(mpan_valid_expr(pl.lit(None, dtype=pl.String))).item() is None


def test_the_facts_of_a_dno_number() -> None:
    facts = describe_mpan("01 801 001 1299900000014")
    assert (facts.core, facts.dno_code, facts.gsp_group, facts.problem) == ("1299900000014", "UKPN_LPN", "_C", None)


def test_an_idno_number_leaves_the_host_unknown_and_that_is_no_problem() -> None:
    facts = describe_mpan("2499900000016")
    assert (facts.dno_code, facts.gsp_group, facts.problem) == (None, None, None)
    assert facts.distributor
    assert pl.select(mpan_dno_expr(pl.lit("2499900000016"))).item() is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [("12345", "this has 5"), ("1099900000016", "last digit"), ("9999900000015", "No distributor has the number 99")],
)
def test_the_problem_is_said_in_words(typed: str, words: str) -> None:
    digits = typed if len(typed) != 13 or typed.startswith("1") else typed[:12] + str(mpan_check_digit(typed[:12]))
    problem = describe_mpan(digits).problem
    assert problem is not None
    assert words in problem
