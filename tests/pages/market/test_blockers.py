"""What stops most units, on the dashboard, with the way to the units; lists behind figures are of what was counted."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.dashboard import links as market_links
from pages.components.dashboard.chart_card import Manner
from services.core.identity.actor import Actor
from services.market.statistics.filter_options import market_choices
from services.market.statistics.model import MarketFilters
from services.market.statistics.top_blockers import top_blockers
from tests import factories
from tests.pages.portal import be, open_page, text
from tests.pages.tables import table
from tests.services.market.test_opportunities import small
from tests.unit_factories import make_unit

pytestmark = [pytest.mark.use_case("UC-05.02"), pytest.mark.usefixtures("one_register")]
PAGE = "market/dashboard"
TITLE = "What stops most units"


def bramble() -> Actor:
    """An FSP with a unit that is 60 kW short."""
    actor = be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    make_unit(actor, small(actor, 940), code="SHORT", family="RESPONSE", name="Sixty short")
    make_unit(actor, small(actor, 1500), code="LARGE", family="RESPONSE", name="Large enough")
    return actor


def blockers(at: AppTest) -> dict[str, Any] | None:
    """The chart, as plotly gets it."""
    specs = [json.loads(one.proto.spec) for one in at.get("plotly_chart")]
    return next((one for one in specs if TITLE in one["layout"]["title"]["text"]), None)


def test_what_stops_units_is_drawn_in_numbers() -> None:
    bramble()
    drawn = blockers(open_page("bramble", PAGE, products="DC"))
    assert drawn is not None
    assert [one["y"] for one in drawn["data"]] == [["DC:<br>less than 1,000 kW in _A"]] * 2
    assert drawn["data"][1]["text"] == ["1 · 0.9 MW<br>60 kW short"]
    assert [one["x"] for one in drawn["data"]] == [[1], [0]]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "Units"


def test_its_address_opens_the_units_behind() -> None:
    actor = bramble()
    [one] = top_blockers(actor, MarketFilters(products=("DC",))).items
    target = market_links.link_stopped_units(Manner(actor, choices=market_choices(actor)), one)
    assert target.open_to(actor)
    assert target.query == {
        "for": "Whole portfolio",
        "product": ["DC Dynamic Containment"],
        "family": "Response",
        "unmet": "Least capacity",
        "place": "Eastern (_A)",
    }
    opened = open_page(
        "bramble", target.file.removesuffix(".py"), **{name: "".join(value) for name, value in target.query.items()}
    )
    rows = table(opened)
    assert rows.column("Unit") == ["Sixty short"]
    assert "60 kW short" in rows.column("Missing or not known")[0]


def test_without_units_it_says_why() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    assert "There is no active market unit in what you may see" in text(open_page("bramble", PAGE))


def test_viewers_are_told_that_figures_are_withheld() -> None:
    bramble()
    be("viewer", factories.make_organisation("Ampere Ltd", ("Technology Provider / OEM",)), ["viewer"])
    at = open_page("viewer", PAGE)
    assert "too few units, or too few providers" in text(at)
    assert blockers(at) is None


def test_lists_behind_figures_are_narrowed_as_the_dashboard_is() -> None:
    actor = bramble()
    filters = MarketFilters(products=("DC", "DM"))
    manner = Manner(actor, filters=filters)
    assert market_links.link_applications(manner, gsp="_A").query == {
        "product": ["DC", "DM"],
        "gsp": "Eastern (_A)",
    }
    assert market_links.link_applications(manner, product="DC").query == {"product": "DC"}
