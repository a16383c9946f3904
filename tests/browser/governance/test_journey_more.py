"""What people do between the steps: reload, open two windows, follow a link, type nonsense."""

import pytest
from playwright.sync_api import Browser, Page, expect

from models.assets import Asset, AssetStatus
from models.base import new_id
from services.assets.filters import AssetFilters
from services.assets.reading.assets import get_asset
from services.assets.reading.listing import list_assets
from services.assets.registration.update import update_asset
from services.core.clock import in_london
from services.core.identity.actor import Actor
from services.participants.identity import actor_for_user, demo_personas
from tests.browser.conftest import DemoPortal
from tests.browser.harness import body_text, new_page, open_page, wait_idle
from tests.browser.widgets import (
    choose,
    choose_many,
    expect_line,
    fill_area,
    fill_text,
    first_badge,
    go_to,
    press,
    typed,
)

HOSTILE = {
    "Manufacturer": '<img src=x onerror="window.hit=1">',
    "AssetModel": "[x](javascript:window.hit=1) <b>bold</b>",
    "EnergyConversionType": "=cmd()",
}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def actor_of(persona: str) -> Actor:
    """A persona as the services know them."""
    found = next(one for one in demo_personas() if one.key == persona)
    return actor_for_user(found.user_id, found.organisation_id)


def verified_asset_of(persona: str) -> Asset:
    """An asset that the persona's organisation manages, verified."""
    return list_assets(actor_of(persona), AssetFilters(status=(AssetStatus.VERIFIED,)), limit=1).items[0]


@pytest.mark.use_case("UC-02.01")
def test_a_form_half_filled_survives_another_page_and_a_reload(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("bramble", "register-asset"))
        choose(page, "Category *", "Heat Pump")
        fill_text(page, "Asset name *", "Half a heat pump")
        fill_text(page, "Rated capacity (kW) *", "seven")
        go_to(page, "Home")
        go_to(page, "Register an asset")
        assert typed(page, "Asset name *") == "Half a heat pump"
        page.reload()
        wait_idle(page)
        assert typed(page, "Asset name *") == "Half a heat pump"
        assert typed(page, "Rated capacity (kW) *") == "seven"
        watch.assert_quiet()
    with new_page(browser) as (page, _):
        open_page(page, demo.at("bramble", "register-asset"))
        assert "Half a heat pump" in body_text(page), "offered on another day, at another desk"


@pytest.mark.use_case("UC-02.03")
def test_of_two_windows_the_second_sees_what_the_first_changed(demo: DemoPortal, browser: Browser) -> None:
    asset = verified_asset_of("tidewater")
    with new_page(browser) as (first, _), new_page(browser) as (second, watch):
        for page in (first, second):
            open_page(page, demo.at("tidewater", f"edit-asset?id={asset.id}"))
        fill_text(first, "Model", "Northern Lights 7")
        press(first, "Review the change")
        press(first, "Confirm the change")
        expect(first.get_by_role("heading", name=asset.asset_name)).to_be_visible()
        fill_text(second, "Your own code", "TCS-9001")
        press(second, "Review the change")
        press(second, "Confirm the change")
        expect(second.get_by_role("button", name="Continue from the newest version")).to_be_visible()
        expect_line(second, "Northern Lights 7")
        press(second, "Continue from the newest version, keeping my changes")
        assert typed(second, "Model") == "Northern Lights 7"
        assert typed(second, "Your own code") == "TCS-9001"
        press(second, "Confirm the change")
        expect(second.get_by_role("heading", name=asset.asset_name)).to_be_visible()
        watch.assert_quiet()
    after = get_asset(actor_of("tidewater"), asset.id)
    assert (after.asset_model, after.friendly_code) == ("Northern Lights 7", "TCS-9001")


@pytest.mark.use_case("UC-02.02")
def test_a_link_to_somebody_elses_asset_says_no_more_than_a_made_up_one(demo: DemoPortal, browser: Browser) -> None:
    theirs, made_up = verified_asset_of("northgate").id, new_id()
    said = []
    with new_page(browser) as (page, watch):
        for identifier in (theirs, made_up):
            open_page(page, demo.at("bramble", f"asset?id={identifier}"))
            said.append(body_text(page).replace(str(identifier), "ID"))
        watch.assert_quiet()
    assert said[0] == said[1]
    assert said[0].strip()


@pytest.mark.use_case("UC-05.06")
def test_an_asset_that_has_left_is_shown_as_it_stood_on_its_first_day(demo: DemoPortal, browser: Browser) -> None:
    left = list_assets(actor_of("bramble"), AssetFilters(status=(AssetStatus.DEREGISTERED,)), limit=1).items[0]
    assert left.registered_at
    with new_page(browser) as (page, watch):
        first_day = in_london(left.registered_at).date()
        open_page(page, demo.at("bramble", f"asset?id={left.id}&as_of={first_day}"))
        badge = first_badge(page)
        expect(badge).to_be_visible()
        expect(badge).not_to_contain_text("De-registered")
        told = page.get_by_test_id("stAlert").filter(has_text="The asset as it stood at the end of").inner_text()
        assert "De-registered" not in told
        assert f"It stands at version {left.version} now." in told
        watch.assert_quiet()


@pytest.mark.use_case("UC-01.02")
@pytest.mark.use_case("UC-01.03")
def test_an_organisation_is_registered_approved_and_another_suspended(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (ada, watch):
        open_page(ada, demo.at("administrator", "register-organisation"))
        register_with_two_mistakes(ada)
        go_to(ada, "Organisations")
        waiting = ada.get_by_test_id("stVerticalBlock").filter(has_text="Larkrise Flexibility").last
        expect(waiting).to_be_visible()
        decide(ada, "Larkrise Flexibility", "Approve")
        go_to(ada, "Organisations")
        fill_text(ada, "Find", "Larkrise")
        expect_line(ada, "Active")
        with new_page(browser) as (gwen, _):
            open_page(gwen, demo.at("tidewater"))
            expect(gwen.get_by_role("heading", name="Tidewater Cold Stores Ltd")).to_be_visible()
            tidewater = actor_of("tidewater").organisation_id
            open_page(ada, demo.at("administrator", f"organisation?id={tidewater}"))
            decide(ada, "", "Suspend", "Fees unpaid since May; see the letter of 3 June.")
            gwen.get_by_test_id("stSidebarNavLink").nth(1).click()
            wait_idle(gwen)
            expect(gwen.get_by_text("is suspended: Fees unpaid since May")).to_be_visible()
            assert gwen.get_by_test_id("stSidebarNavLink").filter(has_text="Home").count() == 0
            decide(ada, "", "Reinstate")
        watch.assert_quiet()


def register_with_two_mistakes(page: Page) -> None:
    """Both named at once and kept in their fields; put right, the organisation waits for approval."""
    fill_text(page, "Legal name *", "Larkrise Flexibility")
    choose(page, "Type of organisation *", "Sole Trader")
    choose_many(page, "Roles in the flexibility market *", ["Asset Owner"])
    fill_text(page, "Address line 1 *", "4 Weir Lane")
    fill_text(page, "City or town *", "Thirsk")
    choose(page, "Country *", "United Kingdom")
    fill_text(page, "Postcode or ZIP", "YO7 1AA")
    fill_text(page, "Primary contact: first name *", "Flora")
    fill_text(page, "Primary contact: last name *", "Thompson")
    fill_text(page, "Primary contact: email *", "flora(at)example.org")
    fill_text(page, "Primary contact: mobile number *", "12")
    press(page, "Register the organisation")
    expect(page.get_by_test_id("stAlert").filter(has_text="2 fields need attention")).to_be_visible()
    assert typed(page, "Primary contact: email *") == "flora(at)example.org"
    assert typed(page, "Legal name *") == "Larkrise Flexibility"
    fill_text(page, "Primary contact: email *", "flora@example.org")
    fill_text(page, "Primary contact: mobile number *", "+442079460123")
    press(page, "Register the organisation")
    expect(page.get_by_text("is registered and waits for approval")).to_be_visible()


def decide(page: Page, name: str, act: str, reason: str = "") -> None:
    """Press an act of an organisation, give the reason where one is asked, and confirm."""
    around = page.get_by_test_id("stVerticalBlock").filter(has_text=name).last if name else page
    around.get_by_role("button", name=act).first.click()
    wait_idle(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    if reason:
        fill_area(page, "Reason", reason)
    dialog.get_by_role("button", name=act).first.click()
    expect(dialog).to_have_count(0)
    wait_idle(page)


@pytest.mark.use_case("UC-02.01")
def test_markup_in_a_name_is_refused_and_elsewhere_it_is_shown_as_text(demo: DemoPortal, browser: Browser) -> None:
    kelvin = actor_of("kelvin")
    asset = verified_asset_of("kelvin")
    update_asset(kelvin, asset.id, HOSTILE, asset.version, justification="The nameplate says so, letter by letter.")
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("kelvin", "register-asset"))
        choose(page, "Category *", "Heat Pump")
        fill_text(page, "Asset name *", HOSTILE["Manufacturer"])
        press(page, "Check")
        summary = page.get_by_test_id("stAlert").filter(has_text="There is a problem").inner_text()
        assert "Asset name" in summary
        harmless(page)
        for address in (f"asset?id={asset.id}", f"asset?id={asset.id}&part=History", f"assets?q={asset.asset_name}"):
            open_page(page, demo.at("kelvin", address))
            page.wait_for_timeout(500)
            harmless(page)
            if address.startswith("asset?"):
                for text in HOSTILE.values():
                    assert text in body_text(page)
        watch.assert_quiet()


def harmless(page: Page) -> None:
    """Nothing that was typed has become part of the page."""
    assert page.evaluate("window.hit") is None
    assert page.locator("img[src=x], a[href^='javascript:']").count() == 0
    assert page.locator("b:text-is('bold'), strong:text-is('bold')").count() == 0
