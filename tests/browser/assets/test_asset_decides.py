"""An asset's page as a place to decide, in the browser: settled one by one, said to whom it is meant, any day whole."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from models.assets import Asset, AssetStatus
from services.assets.checks.settlement import differences_on
from services.assets.filters import AssetFilters
from services.assets.reading.assets import get_asset
from services.assets.reading.listing import list_assets
from services.core.clock import in_london
from services.core.identity.actor import Actor
from services.participants.identity import actor_for_user, demo_personas
from tests.browser.conftest import DemoPortal
from tests.browser.harness import DESKTOP, PHONE, new_page, open_page, wait_idle
from tests.browser.widgets import fill_area, fill_date, first_badge, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NORTHGATE = "Northgate Energy Storage plc"
SECRET = "Between us: the inverter is broken."
SHARED = "The engineer comes on *Monday*."


def actor_of(persona: str) -> Actor:
    """A persona as the services know them."""
    found = next(one for one in demo_personas() if one.key == persona)
    return actor_for_user(found.user_id, found.organisation_id)


def disputed(*, acceptable: bool = False) -> Asset:
    """An asset of Northgate's in Query, of which a source says two things or more otherwise; `acceptable`: capacities."""
    actor = actor_of("northgate")
    for one in list_assets(actor, AssetFilters(status=(AssetStatus.QUERY,)), limit=100).items:
        found = [difference.field for difference in differences_on(actor, one.id) if difference.open]
        if len(found) > 1 and acceptable is all(field.endswith("Capacity") for field in found):
            return one
    pytest.skip("The demo has no such asset.")


def card(page: Page, label: str) -> Locator:
    """The card of a difference that is still open."""
    inside = page.get_by_test_id("stExpander").filter(has_text="Settle this")
    cards = page.get_by_test_id("stVerticalBlock").filter(has=inside).filter(has_text=label)
    return cards.last


def settle(page: Page, label: str, reason: str) -> None:
    """Let the declared value of one field stand, with a reason."""
    one = card(page, label)
    one.get_by_text("Settle this").click()
    expect(one.get_by_text("The declared value stands")).to_be_visible()
    one.get_by_text("The declared value stands").click()
    wait_idle(page)
    fill_area(page, f"Reason about {label}", reason)
    card(page, label).get_by_role("button", name="Settle", exact=True).click()
    wait_idle(page)


def open_tab(page: Page, label: str) -> None:
    """Open a part of the page."""
    page.get_by_role("tab", name=label).click()
    wait_idle(page)


def comment(page: Page, who: str, label: str, text: str, button: str, file: Path | None = None) -> None:
    """Choose who reads it, write it, and send it by the button that says so again."""
    page.get_by_test_id("stRadio").filter(has_text="Who reads it").get_by_text(who).click()
    wait_idle(page)
    fill_area(page, label, text)
    if file is not None:
        files = page.get_by_test_id("stFileUploader").last
        files.locator("input[type=file]").set_input_files(file)
        expect(files.get_by_text(file.name).first).to_be_visible()
        wait_idle(page)
    press(page, button)
    expect(page.get_by_test_id("stChatMessage").get_by_text(text).last).to_be_visible()


@pytest.mark.use_case("UC-02.01")
def test_one_of_two_differences_is_settled_then_the_other(demo: DemoPortal, browser: Browser) -> None:
    asset = disputed()
    labels = [one.label for one in differences_on(actor_of("northgate"), asset.id) if one.open]
    with new_page(browser, *DESKTOP) as (page, watch):
        open_page(page, demo.at("administrator", f"asset?id={asset.id}"))
        expect(page.get_by_text(f"{len(labels)} open differences")).to_be_visible()
        for place, label in enumerate(labels[:-1], start=1):
            settle(page, label, f"Letter {place} was shown.")
            left = len(labels) - place
            expect(
                page.get_by_text(f"{left} open difference{'s' if left > 1 else ''}, {place} settled")
            ).to_be_visible()
            expect(page.get_by_text(f"Letter {place} was shown.").first).to_be_visible()
        assert get_asset(actor_of("northgate"), asset.id).status is AssetStatus.QUERY
        settle(page, labels[-1], "The last letter was shown.")
        badge = first_badge(page)
        expect(badge).to_contain_text("Verified")
        expect(page.get_by_text("accepted by Ada Field: The last letter was shown.").first).to_be_visible()
        open_tab(page, "History")
        expect(page.get_by_text("Letter 1 was shown.").first).to_be_visible()
        watch.assert_quiet()


@pytest.mark.use_case("UC-02.01")
def test_a_note_stays_within_and_a_comment_reaches_the_other_party_with_its_file(
    demo: DemoPortal, browser: Browser, tmp_path: Path
) -> None:
    asset = list_assets(actor_of("northgate"), limit=1).items[0]
    photo = tmp_path / "nameplate.png"
    Image.new("RGB", (900, 600), (0, 158, 115)).save(photo)
    with new_page(browser, *PHONE) as (page, watch):
        open_page(page, demo.at("northgate", f"asset?id={asset.id}&part=Conversation"))
        comment(page, f"Only {NORTHGATE}", f"Note within {NORTHGATE}", SECRET, f"Keep within {NORTHGATE}")
        comment(
            page,
            "Everyone involved",
            "Comment for everyone involved",
            SHARED,
            "Send to everyone involved",
            photo,
        )
        mine = page.get_by_test_id("stChatMessage")
        expect(mine.filter(has_text=SECRET)).to_contain_text(f"Only {NORTHGATE}")
        expect(mine.filter(has_text=SHARED)).to_contain_text("Everyone involved")
        drawn = page.evaluate("document.documentElement.scrollWidth")
        assert drawn <= PHONE[0]
        watch.assert_quiet()
    for persona in ("neso", "administrator"):
        with new_page(browser) as (page, watch):
            open_page(page, demo.at(persona, f"asset?id={asset.id}&part=Conversation"))
            theirs = page.get_by_test_id("stChatMessage").filter(has_text=SHARED)
            expect(theirs).to_be_visible()
            expect(theirs.locator("img")).to_be_visible()
            with page.expect_download() as started:
                theirs.get_by_role("button").filter(has_text="nameplate.png").click()
            assert started.value.suggested_filename == "nameplate.png"
            assert Path(started.value.path()).read_bytes() == photo.read_bytes()
            open_tab(page, "History")
            expect(page.get_by_text(SHARED).first).to_be_visible()
            expect(page.get_by_text(SECRET)).to_have_count(0)
            watch.assert_quiet()


def choose_day(page: Page, day: date) -> None:
    """Type the day as of which the page is shown; closing the calendar takes it over."""
    fill_date(page, "As it stood at the end of", day)
    page.keyboard.press("Escape")
    wait_idle(page)


@pytest.mark.use_case("UC-05.06")
def test_the_whole_page_as_of_a_day_and_back(demo: DemoPortal, browser: Browser) -> None:
    left = list_assets(actor_of("bramble"), AssetFilters(status=(AssetStatus.DEREGISTERED,)), limit=1).items[0]
    assert left.registered_at
    registered = in_london(left.registered_at).date()
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("bramble", f"asset?id={left.id}"))
        badge = first_badge(page)
        expect(badge).to_contain_text("De-registered")
        choose_day(page, registered)
        expect(page.get_by_text("nothing can be done with it here")).to_be_visible()
        expect(badge).not_to_contain_text("De-registered")
        expect(page.get_by_text("What can be done next")).to_have_count(0)
        assert f"as_of={registered}" in page.url
        press(page, "Back to the present")
        expect(badge).to_contain_text("De-registered")
        choose_day(page, registered - timedelta(days=1))
        expect(page.get_by_text("wasn't registered yet")).to_be_visible()
        watch.assert_quiet()


@pytest.mark.use_case("UC-02.03")
def test_the_provider_accepts_what_the_source_says_with_one_click(demo: DemoPortal, browser: Browser) -> None:
    asset = disputed(acceptable=True)
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("northgate", f"asset?id={asset.id}"))
        press(page, "Accept all of theirs")
        badge = first_badge(page)
        expect(badge).not_to_contain_text("Query", timeout=60_000)
        changed = get_asset(actor_of("northgate"), asset.id)
        assert changed.rated_capacity != asset.rated_capacity
        expect(badge).to_contain_text("Verified", timeout=60_000)
        watch.assert_quiet()
