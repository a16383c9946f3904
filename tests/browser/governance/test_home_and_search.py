"""From home and the search to the record; an installer's data from the first field to the registered asset."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from models.assets import AssetStatus
from services.assets.filters import AssetFilters
from services.assets.reading.assets import count_assets
from services.assets.reading.listing import list_assets
from services.assets.registration.draft_board import draft_board
from services.assets.registration.submissions import submit_draft
from services.assets.rules.mpan import mpan_check_digit
from services.core.clock import today
from services.core.identity.actor import Actor
from services.participants.identity import actor_for_user, demo_personas
from tests.asset_factories import values_for
from tests.browser.conftest import DemoPortal
from tests.browser.harness import DESKTOP, PHONE, new_page, open_page, wait_idle
from tests.browser.widgets import choose, fill_area, fill_date, fill_text, go_to, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
BOX = "Search the register"


def actor_of(persona: str) -> Actor:
    """A persona as the services know them."""
    found = next(one for one in demo_personas() if one.key == persona)
    return actor_for_user(found.user_id, found.organisation_id)


def find(page: Page, words: str) -> None:
    """Type into the search of the page and press Enter."""
    box = page.get_by_label(BOX, exact=True)
    box.fill(words)
    box.press("Enter")
    wait_idle(page, timeout=60)


@pytest.mark.use_case("UC-02.01")
def test_an_installer_submits_and_the_provider_completes_and_registers(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (kit, kit_watch), new_page(browser) as (priya, priya_watch):
        open_page(kit, demo.at("installer", "prepare-asset"))
        choose(kit, "For which provider *", "Bramble Flex Ltd")
        fill_area(kit, "Note to the provider", "The key is at the gate.")
        choose(kit, "Category *", "EV Charger")
        fill_text(kit, "Asset name *", "Sluice house chargers")
        press(kit, "Submit to the provider")
        expect(kit.get_by_text("Submitted to Bramble Flex Ltd")).to_be_visible(timeout=60_000)
        know_more("Sluice house chargers")
        patiently(priya, demo.at("bramble"))
        priya.get_by_role("link", name=re.compile("Sluice house chargers from OpenMeter")).click()
        wait_idle(priya)
        card = priya.get_by_test_id("stVerticalBlock").filter(has_text="Sluice house chargers").last
        expect(card.get_by_text("The key is at the gate.")).to_be_visible()
        card.get_by_role("button", name="Complete and register").click()
        expect(priya.get_by_text("Technical data from")).to_be_visible(timeout=60_000)
        wait_idle(priya, timeout=90)
        fill_date(priya, "Effective from *", today() + timedelta(days=7))
        press(priya, "Register the asset")
        expect(priya.get_by_role("heading", name="Sluice house chargers")).to_be_visible(timeout=60_000)
        go_to(kit, "Home")
        kit.get_by_role("link", name=re.compile("registered from your data")).first.click()
        wait_idle(kit)
        press(kit, "Sluice house chargers")
        expect(kit.get_by_role("heading", name="Sluice house chargers")).to_be_visible()
        kit_watch.assert_quiet()
        priya_watch.assert_quiet()


def know_more(name: str) -> None:
    """The installer's program submits the same draft again, with all that was read from the device meanwhile."""
    installer, provider = actor_of("installer"), actor_of("bramble")
    draft = next(one for one in draft_board(installer).submitted if one.name == name)
    values = values_for(
        "EV_CHARGER",
        AssetName=name,
        RatedCapacity="120.00",
        DemandCapacity="120.00",
        GenCapacity=None,
        ConnectorType="CCS",
        ChargerCount=2,
        ChargingMode="DC",
        AccessType="FLEET",
        EffectiveDate=None,
    )
    known = {term: value for term, value in values.items() if value is not None}
    digits = f"10{4_900_077_771:010d}"
    known["ImportMPAN"] = f"{digits}{mpan_check_digit(digits)}"
    submit_draft(installer, known, provider.organisation_id, draft.note, draft_id=draft.id)


def patiently(page: Page, url: str) -> None:
    """Open a page that has much to draw, on a machine that has much to do."""
    open_page(page, url, timeout=120)


@pytest.mark.use_case("UC-02.01")
def test_what_is_given_back_is_read_on_the_installers_home(demo: DemoPortal, browser: Browser) -> None:
    waiting = next(one for one in draft_board(actor_of("bramble")).received if one.name == "Millrace car park chargers")
    with new_page(browser, *PHONE) as (priya, watch):
        open_page(priya, demo.at("bramble", f"drafts?draft={waiting.id}"))
        priya.get_by_test_id("stVerticalBlock").filter(has_text="Millrace").last.get_by_role(
            "button", name="Return it"
        ).click()
        dialog = priya.get_by_role("dialog")
        expect(dialog).to_be_visible()
        fill_area(priya, "Reason", "Which floor is it on?")
        dialog.get_by_role("button", name="Return the draft").click()
        expect(priya.get_by_text("went back to OpenMeter")).to_be_visible()
        watch.assert_quiet()
    with new_page(browser) as (kit, watch):
        patiently(kit, demo.at("installer"))
        kit.get_by_role("link", name=re.compile("Millrace car park chargers was given back")).click()
        wait_idle(kit)
        expect(kit.get_by_text("gave it back: Which floor is it on?")).to_be_visible()
        press(kit, "Submit to the provider")
        expect(kit.get_by_text("Submitted to Bramble Flex Ltd")).to_be_visible()
        watch.assert_quiet()


@pytest.mark.use_case("UC-05.01")
def test_the_search_finds_by_mpan_and_by_name_from_any_page(demo: DemoPortal, browser: Browser) -> None:
    actor = actor_of("northgate")
    asset = list_assets(actor, AssetFilters(status=(AssetStatus.VERIFIED,)), limit=1).items[0]
    mpan = asset.import_mpan or asset.export_mpan
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("northgate", "categories"))
        page.get_by_role("heading", level=1).click()
        page.keyboard.press("/")
        expect(page.get_by_label(BOX, exact=True)).to_be_focused()
        find(page, f"00801000{mpan}")
        expect(page.get_by_role("heading", level=1, name=asset.asset_name)).to_be_visible()
        for address in ("assets?q=battery", "search?q=nothing+like+it", "settings"):
            open_page(page, demo.at("northgate", address))
            find(page, asset.asset_name)
            expect(page).to_have_url(re.compile(r"/search\?.*(q|find)="))
            expect(page.get_by_role("link", name=asset.asset_name, exact=True).first).to_be_visible()
        page.reload()
        wait_idle(page)
        page.get_by_role("link", name=asset.asset_name, exact=True).first.click()
        wait_idle(page)
        expect(page.get_by_role("heading", level=1, name=asset.asset_name)).to_be_visible()
        find(page, "<img src=x onerror=window.hit=1> *[a](http://b)*")
        expect(page.get_by_text("Nothing that you may see has")).to_be_visible()
        assert page.evaluate("window.hit") is None
        assert page.get_by_test_id("stMain").locator("img[src=x], a[href^='http://b']").count() == 0
        watch.assert_quiet()
    with new_page(browser) as (page, watch):
        patiently(page, demo.at("kelvin"))
        find(page, str(mpan))
        expect(page.get_by_text("Nothing that you may see has")).to_be_visible()
        watch.assert_quiet()


@pytest.mark.use_case("UC-05.02")
def test_the_lines_of_home_open_what_they_say(demo: DemoPortal, browser: Browser) -> None:
    administrator = actor_of("administrator")
    queries = count_assets(administrator, AssetFilters(status=(AssetStatus.QUERY,)))
    with new_page(browser) as (page, watch):
        patiently(page, demo.at("administrator"))
        page.get_by_role("link", name=re.compile(f"{queries} assets? ha(s|ve) a query")).click()
        wait_idle(page, timeout=60)
        expect(page.get_by_text(re.compile(rf"\b{queries} assets?\b")).first).to_be_visible()
        go_to(page, "Home")
        answered = page.get_by_role("link", name=re.compile("answered quer"))
        count = re.search(r"([0-9,]+) answered", answered.inner_text())
        assert count
        answered.click()
        wait_idle(page, timeout=60)
        expect(page.get_by_role("heading", name="Answered queries")).to_be_visible()
        lines = page.get_by_role("region", name="Answered queries").locator("tbody tr")
        expect(lines).to_have_count(int(count[1]))
        watch.assert_quiet()


@pytest.mark.use_case("UC-05.02")
@pytest.mark.parametrize("persona", ["administrator", "bramble", "ukpn", "ofgem", "installer"])
def test_home_can_be_read_on_a_desk_and_on_a_phone(demo: DemoPortal, browser: Browser, persona: str) -> None:
    for size in (DESKTOP, PHONE):
        with new_page(browser, *size) as (page, watch):
            patiently(page, demo.at(persona))
            charts = page.get_by_test_id("stPlotlyChart")
            for chart in charts.all():
                expect(chart.locator(".main-svg").first).to_be_visible()
            if charts.count():
                drawn = page.evaluate(CLIPPED)
                assert drawn == [], f"{persona} at {size[0]}: {drawn}"
            watch.assert_quiet()


CLIPPED = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')].flatMap(chart => {
  const frame = chart.getBoundingClientRect();
  return [...chart.querySelectorAll('.annotation-text, .xtick text, .ytick text')]
    .filter(text => {
      const box = text.getBoundingClientRect();
      return box.right > frame.right + 1 || box.left < frame.left - 1;
    })
    .map(text => text.textContent);
})"""
