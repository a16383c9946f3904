"""Home: what waits, the register in numbers, recent changes; each role sees what it may (UC-05.02)."""

import pytest

from tests import asset_factories, factories
from tests.pages.portal import be, be_administrator, open_page, text

pytestmark = [pytest.mark.use_case("UC-05.02"), pytest.mark.usefixtures("sqlite_register")]


def test_an_empty_register_says_how_to_begin() -> None:
    be_administrator()
    words = text(open_page("administrator"))
    assert "Nothing waits for you" in words
    assert "No asset is registered yet" in words


def test_the_administrator_is_led_to_what_waits() -> None:
    be_administrator()
    factories.make_organisation("Tidewater Energy Ltd", active=False)
    factories.make_organisation("Lumen Storage plc", active=False)
    at = open_page("administrator")
    links = [one.proto.label for one in at.get("page_link")]
    assert "**2** organisations wait for your approval" in links
    assert "Tidewater Energy Ltd" in text(at)


def test_a_provider_sees_its_own_in_numbers_and_what_happened() -> None:
    bramble = be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user", "organisation_admin"])
    other = factories.make_fsp("Kelvin Energy Ltd")
    for _ in range(3):
        asset_factories.registered(bramble)
    hidden = asset_factories.registered(other, AssetName="Secret battery")
    at = open_page("bramble")
    words = text(at)
    assert "Active assets 3" in words
    assert "Rated power 7.5 MW" in words
    assert "New this month 3" in words
    assert hidden.asset_name not in words
    assert "Registered" in words
    assert [one.proto.label for one in at.get("page_link")] == ["**3** assets are being checked"]
    assert len(at.get("plotly_chart")) == 4


def test_a_regulator_sees_aggregates_and_no_small_ones_and_no_changes() -> None:
    be("ofgem", factories.make_organisation("Ofgem", ("Regulator",)), ["regulator"])
    bramble = factories.make_fsp("Bramble Flex Ltd")
    for _ in range(6):
        asset_factories.registered(bramble, AssetName="Named battery")
    at = open_page("ofgem")
    words = text(at)
    assert "Active assets withheld" in words
    assert "is withheld" in words
    assert "Named battery" not in words
    assert "Recent changes" not in words
