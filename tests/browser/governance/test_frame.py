"""The frame of the portal in a browser: one person a tab, links in new tabs, the palette, keys, presenting, paper."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DemoPortal
from tests.browser.harness import PHONE, new_page, open_page, wait_idle
from tests.browser.widgets import switch_role

BOX = "Search the register"


def person(page: Page) -> str:
    """The words on the button that stands for whoever is here."""
    return page.locator(".st-key-role-bar").get_by_test_id("stPopoverButton").inner_text()


@pytest.mark.browser
@pytest.mark.use_case("UC-01.01")
def test_a_tab_keeps_its_role_and_opens_others_as_the_same_person(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (first, watch):
        open_page(first, demo.at("northgate", "products?q=dynamic"))
        assert "as=" not in first.url
        with first.context.expect_page() as opened:
            first.get_by_test_id("stSidebarNavLink").filter(has_text="Stacking").click(modifiers=["Control"])
        second = opened.value
        second.set_default_timeout(20_000)
        second.get_by_test_id("stApp").wait_for(state="attached")
        wait_idle(second)
        assert "/stacking" in second.url
        assert "Daniel Marsh" in person(second)
        expect(second).to_have_title("Stacking - FMAR")
        switch_role(second, "Viewer, Ampere Devices")
        assert "Vic Tanner" in person(second)
        assert "/stacking" in second.url
        for page, name in ((first, "Daniel Marsh"), (second, "Vic Tanner")):
            page.bring_to_front()
            page.reload()
            wait_idle(page)
            assert name in person(page)
        assert "q=dynamic" in first.url
        watch.assert_quiet()
    with new_page(browser) as (stranger, _):
        open_page(stranger, demo.url + "/stacking")
        expect(stranger.get_by_text("Who do you want to be?")).to_be_visible()


@pytest.mark.browser
@pytest.mark.use_case("UC-01.04")
def test_addresses_that_show_nothing_say_so(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (page, watch):
        for address, title in (
            ("assets", "Not part of your role"),
            ("no-such-page", "No such page"),
            ("assets/12/history", "No such page"),
            ("start", "Ampere Devices Inc"),
        ):
            open_page(page, demo.at("viewer", address))
            expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
            assert page.get_by_role("dialog").count() == 0
        watch.assert_quiet()


@pytest.mark.browser
@pytest.mark.use_case("UC-05.01")
def test_the_palette_jumps_by_keyboard_and_the_keys_are_listed(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("northgate", "settings"))
        page.keyboard.press("Control+k")
        box = page.get_by_label(BOX, exact=True)
        expect(box).to_be_focused()
        page.keyboard.type("stack")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="Stacking")).to_be_visible()
        wait_idle(page)
        page.keyboard.press("/")
        page.keyboard.type("NG-RESP-YK")
        expect(page.get_by_role("option").filter(has_text="Yorkshire batteries, response").first).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="Yorkshire batteries, response")).to_be_visible()
        expect(page).to_have_title("Yorkshire batteries, response - FMAR")
        wait_idle(page)
        page.keyboard.press("?")
        expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        # The browser closes the list after it has answered the key; until then keys are the list's.
        expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_hidden()
        page.keyboard.press("Shift+P")
        expect(page.get_by_test_id("stSidebar")).to_be_hidden()
        page.keyboard.press("Shift+P")
        expect(page.get_by_test_id("stSidebar")).to_be_visible()
        page.emulate_media(media="print")
        expect(page.get_by_test_id("stSidebar")).to_be_hidden()
        watch.assert_quiet()


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1400, 900), (933, 600), PHONE])
def test_the_bar_fits_and_content_begins_near_the_top(
    demo: DemoPortal, browser: Browser, size: tuple[int, int]
) -> None:
    with new_page(browser, *size) as (page, _):
        open_page(page, demo.at("neso", "about"))
        bar = page.locator(".st-key-role-bar").bounding_box()
        title = page.get_by_role("heading", level=1).bounding_box()
        assert bar
        assert title
        for part in page.locator(".st-key-role-bar > *").all():
            box = part.bounding_box()
            assert box is None or box["x"] + box["width"] <= size[0], part.inner_text()
        assert title["y"] <= (120 if size[0] > 1000 else 195)
        assert re.search("National Energy System Operator", person(page))
