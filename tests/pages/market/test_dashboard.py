"""The market at a glance: what each role sees, filters in the address, empty states, the wall screen (UC-05.02)."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from models.qualifications import QualificationStatus
from services.core.identity.actor import Actor
from tests import factories
from tests.pages.portal import be, open_page, text
from tests.services.market.test_statistics import NOW, START, applied, decide
from tests.unit_factories import make_unit, verified

pytestmark = [pytest.mark.use_case("UC-05.02"), pytest.mark.usefixtures("one_register")]
PAGE = "market/dashboard"


def charts(at: AppTest) -> dict[str, dict[str, Any]]:
    """The charts on a page by their titles, as plotly gets them."""
    specs = [json.loads(one.proto.spec) for one in at.get("plotly_chart")]
    return {one["layout"]["title"]["text"].removeprefix("<b>").removesuffix("</b>"): one for one in specs}


def people() -> tuple[Actor, Actor]:
    """Bramble with a qualified unit, and the SO that qualified it."""
    bramble = be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    network = factories.make_organisation("UKPN", ("DNO",), licence_areas=["UKPN_EPN"])
    ukpn = be("ukpn", network, ["so_user"])
    unit = make_unit(bramble, verified(bramble), code="ONE").unit
    assert bramble.organisation_id
    identifier = applied(unit.id, bramble.organisation_id, network.id, START, "SU", 4800)
    decide(identifier, START + timedelta(days=14), QualificationStatus.QUALIFIED)
    applied(unit.id, bramble.organisation_id, network.id, START + timedelta(days=50), "PR", 4800)
    return bramble, ukpn


def test_an_operator_sees_power_clocks_and_outcomes() -> None:
    people()
    with time_machine.travel(NOW):
        at = open_page("ukpn", PAGE)
    words = text(at)
    assert "Qualified power 4.8 MW" in words
    assert "Open applications 1" in words
    assert "Overdue 1" in words
    found = charts(at)
    assert {"From registered to qualified", "Qualified power over time", "Open applications by clock"} <= set(found)
    assert found["Qualified power by sub-market"]["layout"]["title"]["subtitle"]["text"].startswith("MW and number")
    assert "No application failed here in this time." in words
    buttons = json.loads(at.get("plotly_chart")[0].proto.config)
    assert (buttons["modeBarButtons"], buttons["toImageButtonOptions"]["format"]) == ([["toImage"]], "png")


def test_the_view_stands_in_the_address() -> None:
    people()
    with time_machine.travel(NOW):
        at = open_page("ukpn", PAGE, products="PR", by="product", picture="svg", per="product")
        words = text(at)
        assert "Qualified power 0 kW" in words
        assert "Open applications 1" in words
        assert "Nothing is qualified here on this day." in words
        config = json.loads(at.get("plotly_chart")[0].proto.config)
        assert config["toImageButtonOptions"]["format"] == "svg"
        earlier = open_page("ukpn", PAGE, until="2026-03-10")
        assert "Qualified power 0 kW" in text(earlier)
        assert "Qualified power 4.8 MW" in text(open_page("ukpn", PAGE, until="2026-03-31", families="DSO"))


def test_the_list_behind_a_bar_holds_what_was_counted_and_says_so() -> None:
    people()
    with time_machine.travel(NOW):
        at = open_page("ukpn", PAGE)
        rows = {chart.key: chart for chart in at.get("plotly_chart")}
        assert any("outcomes" in str(key) for key in rows)
        march = open_page(
            "ukpn", "market/queue", became="QUALIFIED", became_from="2026-03-01", became_until="2026-03-31"
        )
        assert "Only those that became Qualified from 1 Mar 2026 to 31 Mar 2026, wherever they stand now." in text(
            march
        )
        none = open_page("ukpn", "market/queue", became="FAILED", reason="TEST_FAILED")
    assert "have the reason “Test not passed”" in text(none)
    assert "No application passes these filters." in text(none)


def test_an_empty_market_says_why() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    words = text(open_page("bramble", PAGE))
    assert "No asset is registered yet in what you may see" in words
    assert "Nothing was decided here in this time." in words
    assert "No application waits for a decision" in words
    assert "No qualification here ends in the coming twelve months" in words


def test_a_viewer_gets_withheld_figures_and_no_filters() -> None:
    people()
    be("viewer", factories.make_organisation("Ampere Ltd", ("Technology Provider / OEM",)), ["viewer"])
    with time_machine.travel(NOW):
        at = open_page("viewer", PAGE, products="SU")
    words = text(at)
    assert "Qualified power withheld" in words
    assert "filters would, so there are none" in words
    assert not at.multiselect
    drawn = json.dumps(charts(at))
    assert "4.8" not in drawn


def test_a_wall_screen_has_no_filters_and_no_tables() -> None:
    people()
    with time_machine.travel(NOW):
        at = open_page("ukpn", PAGE, wall="1")
    assert "Qualified power 4.8 MW" in text(at)
    assert not at.multiselect
    assert "counted anew every minute" in text(at)
    assert len(charts(at)) >= 6


@pytest.mark.parametrize(("role", "kind"), [("regulator", "Regulator"), ("viewer", "Technology Provider / OEM")])
def test_who_reads_editions_has_no_filter_that_does_nothing(role: str, kind: str) -> None:
    people()
    be("ofgem", factories.make_organisation("Ofgem", (kind,)), [role])
    with time_machine.travel(NOW):
        at = open_page("ofgem", PAGE, products="PR", families="DSO")
    assert [field.label for field in at.multiselect] == []
    assert [field.label for field in at.date_input] == []
    assert "Clear the filters" not in {button.label for button in at.button}
