"""Applications and units on a map: coloured by clock and family, in the address, choosing a piece narrows the table."""

import json
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st
import time_machine
from streamlit.testing.v1 import AppTest

from pages.components.common import group_map
from pages.components.qualification import map as queue_map
from pages.components.unit import map as unit_map
from services.market.qualification.map_counts import PlaceCount
from tests import factories
from tests.pages.portal import be, open_page, text
from tests.services.market.test_statistics import START, applied
from tests.unit_factories import make_unit, verified

pytestmark = pytest.mark.usefixtures("one_register")
QUEUE, UNITS = "market/queue", "market/units"


def pieces(at: AppTest) -> list[dict[str, Any]]:
    """The pieces of the map on a page, as deck.gl gets them."""
    [deck] = at.get("deck_gl_json_chart")
    layers = {one["id"]: one for one in json.loads(deck.proto.json)["layers"]}
    return layers[group_map.LAYER]["data"]


def somebody() -> None:
    """A provider with two units in eastern England, each applied for one product; one is late."""
    bramble = be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    network = factories.make_organisation("UKPN", ("DNO",), licence_areas=["UKPN_EPN"])
    be("ukpn", network, ["so_user"])
    assert bramble.organisation_id
    for number, product in enumerate(("SU", "PR")):
        unit = make_unit(bramble, verified(bramble), code=f"U-{number}", name=f"Unit {number}").unit
        applied(unit.id, bramble.organisation_id, network.id, START + timedelta(days=40 * number), product, 2400)


@pytest.mark.use_case("UC-04.02")
def test_the_queue_on_a_map_by_clock() -> None:
    somebody()
    with time_machine.travel(START + timedelta(days=41)):
        at = open_page("ukpn", QUEUE, view="Map")
        assert [(one["g"], one["k"], one["d"]) for one in pieces(at)] == [
            ("_A", "LATE", "Late: 1 application"),
            ("_A", "IN_TIME", "In time: 1 application"),
        ]
        assert "Choose a piece to see its applications" in text(at)
        narrowed = open_page("ukpn", QUEUE, view="Map", gsp="_A", clock="LATE")
        assert [one["k"] for one in pieces(narrowed)] == ["LATE"]
        assert not open_page("ukpn", QUEUE).get("deck_gl_json_chart"), "a table unless a map is asked for"


@pytest.mark.use_case("UC-05.01")
def test_units_on_a_map_by_family() -> None:
    somebody()
    at = open_page("bramble", UNITS, view="Map")
    assert [(one["g"], one["k"], one["d"]) for one in pieces(at)] == [("_A", "DSO", "DSO flexibility: 2 units")]
    assert "counted in each GSP group" in text(at)


def test_a_chosen_piece_is_what_the_filters_say(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    queue_map.narrow("", "LATE")
    assert state == {"gsp": ["SEVERAL"], "clock": ["LATE"]}
    state.clear()
    unit_map.narrow("_C", "DSO")
    assert state == {"gsp": ["_C"], "family": ["DSO"], "status": ["ACTIVE"]}
    unit_map.narrow("_C", "DEREGISTERED")
    assert state == {"gsp": ["_C"], "family": [], "status": ["DEREGISTERED"]}


def test_pieces_fill_the_circle() -> None:
    kinds = [group_map.PieSlice("A", "One", [0, 0, 0]), group_map.PieSlice("B", "Two", [1, 1, 1])]
    counts = [PlaceCount("_A", "A", 3), PlaceCount("_A", "B", 1), PlaceCount("_C", "A", 4), PlaceCount("?", "A", 1)]
    places = {"_A": group_map.PiePlace(52, 0, "A", "_A East"), "_C": group_map.PiePlace(51, 0, "C", "_C London")}
    drawn, labels = group_map.build_pies(counts, kinds, places, "units")
    three, one, whole = drawn
    assert three["p"][-1] == pytest.approx(one["p"][1]), "the second begins where the first ended"
    assert three["p"][0] == one["p"][0] == [0, 52], "both begin at the middle"
    assert whole["p"][0] == pytest.approx(whole["p"][-1]), "a whole circle is closed"
    assert [one["t"] for one in labels] == ["A 4", "C 4"]
