"""Equivalences and stacking in editions, and whether products can be held together (UC-04.01, UC-04.03)."""

from datetime import date

import pytest

from models.products import MarketTableKind
from services.core.errors import Conflict, Forbidden, Invalid, NotFound
from services.market.products.market_table_editions import (
    count_table_changes,
    market_table,
    publish_table,
    table_editions,
)
from services.market.products.products import product_sheet
from services.market.products.stacking import SAME_DIRECTION, Holding, can_be_held
from tests.factories import administrator
from tests.product_factories import national_operator

DAY = date(2026, 1, 1)
REASON = "The operators published a newer table."
EQUIVALENCES, STACKING = MarketTableKind.EQUIVALENCES, MarketTableKind.STACKING


@pytest.mark.use_case("UC-04.01")
def test_the_administrator_publishes_an_edition_and_the_earlier_one_stays(register: str) -> None:
    admin = administrator()
    first = market_table(admin, EQUIVALENCES)
    rows = [*first.rows, {"FromProduct": "DC", "ToProduct": "SFFR", "Note": "Static is slower."}]
    assert count_table_changes(EQUIVALENCES, first.rows, rows) == 1
    made = publish_table(admin, EQUIVALENCES, rows, source="Ours", source_date=DAY, reason=REASON, edition=1)
    assert [one.edition for one in table_editions(admin, EQUIVALENCES)] == [2, 1]
    assert market_table(admin, EQUIVALENCES, 1).rows == first.rows
    assert ("SFFR", "Static is slower.") in [(one.code, one.note) for one in product_sheet(admin, "DC").leads_to]
    assert (made.source, made.source_date, made.reason) == ("Ours", DAY, REASON)
    with pytest.raises(Conflict):
        publish_table(admin, EQUIVALENCES, first.rows, source="Ours", source_date=DAY, reason=REASON, edition=1)
    with pytest.raises(NotFound):
        market_table(admin, EQUIVALENCES, 7)


@pytest.mark.use_case("UC-04.01")
def test_an_edition_is_checked_as_a_whole(register: str) -> None:
    admin = administrator()
    rows = [
        {"ProductA": "DC", "ProductB": "DM", "CoDelivery": "EN", "Splitting": "MAYBE", "Jumping": "EY"},
        {"ProductA": "DM", "ProductB": "DC", "CoDelivery": "EN", "Splitting": "EY", "Jumping": "EY"},
        {"ProductA": "DC", "ProductB": "DC", "CoDelivery": "EN", "Splitting": "EY", "Jumping": "EY"},
        {"ProductA": "dc", "ProductB": "DR", "CoDelivery": "EN", "Splitting": "EY", "Jumping": "EY"},
    ]
    with pytest.raises(Invalid) as found:
        publish_table(admin, STACKING, rows, source="", source_date=date(2999, 1, 1), reason="so", edition=1)
    assert {one.code for one in found.value.findings} == {
        "TABLE-02",
        "TABLE-03",
        "TABLE-04",
        "TABLE-06",
        "TABLE-07",
        "TABLE-09",
        "TABLE-10",
    }
    unknown = [{"FromProduct": "DC", "ToProduct": "NOPE", "Note": ""}]
    with pytest.raises(Invalid) as found:
        publish_table(admin, EQUIVALENCES, unknown, source="Ours", source_date=DAY, reason=REASON, edition=1)
    assert [one.field for one in found.value.findings] == ["rows[1].ToProduct"]
    same = market_table(admin, STACKING).rows
    with pytest.raises(Invalid) as found:
        publish_table(admin, STACKING, same, source="Ours", source_date=DAY, reason=REASON, edition=1)
    assert [one.code for one in found.value.findings] == ["TABLE-01"]
    with pytest.raises(Forbidden):
        publish_table(national_operator(), STACKING, same, source="Ours", source_date=DAY, reason=REASON, edition=1)


@pytest.mark.use_case("UC-04.03")
def test_what_nobody_said_is_never_a_yes(register: str) -> None:
    admin = administrator()
    clash = can_be_held(admin, ["DC", "DM"])
    assert clash.co_delivery is Holding.NO
    assert can_be_held(admin, ["DC", "SU"]).co_delivery is Holding.ASK, "ND in the matrix"
    assert can_be_held(admin, ["CMP", "DC"]).splitting is Holding.ASK, "Without a stacking code nothing is known"
    assert can_be_held(admin, ["OU2", "OU15"]).co_delivery is Holding.ASK, "Both stand under one code"
    assert can_be_held(admin, ["DC"]).pairs == []
    with pytest.raises(NotFound):
        can_be_held(admin, ["DC", "NOPE"])


@pytest.mark.use_case("UC-04.03")
def test_one_no_decides_for_the_set_and_direction_is_a_condition(register: str) -> None:
    admin = administrator()
    three = can_be_held(admin, ["DC", "DM", "SU"])
    assert len(three.pairs) == 3
    assert three.co_delivery is Holding.NO
    conditions = {(pair.first, pair.second): pair.condition for pair in can_be_held(admin, ["DFS", "SU", "DC"]).pairs}
    assert conditions == {
        ("DFS", "SU"): SAME_DIRECTION,
        ("DFS", "DC"): None,
        ("SU", "DC"): "Splitting: the same direction only.",
    }


@pytest.mark.use_case("UC-04.01")
def test_an_edition_changes_what_may_be_held(register: str) -> None:
    admin = administrator()
    rows = [dict(row) for row in market_table(admin, STACKING).rows]
    for row in rows:
        if {row["ProductA"], row["ProductB"]} == {"DC", "SU"}:
            row["Jumping"] = "EN"
    publish_table(admin, STACKING, rows, source="Ours", source_date=DAY, reason=REASON, edition=1)
    assert can_be_held(admin, ["SU", "DC"]).jumping is Holding.NO
