"""Every page keeps to the width of a desk and of a telephone, says nothing on the console and asks nothing of the network."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DemoPortal
from tests.browser.harness import DESKTOP, PHONE, body_text, new_page, open_page, wait_idle
from tests.pages.portal import persona_keys
from tests.thorough import THOROUGH


@pytest.mark.browser
@pytest.mark.timeout(1800)
@pytest.mark.use_case("UC-01.04")
def test_every_page_fits_a_desk_and_a_telephone(demo: DemoPortal, browser: Browser) -> None:
    """Home for everybody, each other page for whoever first is offered it (thorough: for everybody).

    That each page opens for everybody is proven in tests/pages/test_every_page.py.
    """
    walked: set[str] = set()
    for persona in persona_keys():
        with new_page(browser, *PHONE) as (page, watch):
            open_page(page, demo.at(persona))
            entries = page.get_by_test_id("stSidebarNavLink")
            titles = [" ".join((text or "").split()) for text in entries.all_text_contents()]
            assert len(titles) > 3
            for place, title in enumerate(titles):
                if place and title in walked and not THOROUGH:
                    continue
                walked.add(title)
                if place:
                    entries.nth(place).evaluate("entry => entry.click()")
                    wait_idle(page, timeout=60)
                _expect_it_fits(page, f"{title} for {persona}")
            watch.assert_quiet()


def _expect_it_fits(page: Page, title: str) -> None:
    expect(page.get_by_test_id("stMain").get_by_role("heading", level=1)).to_be_visible()
    assert "Something went wrong" not in body_text(page), title
    assert page.get_by_test_id("stException").count() == 0, title
    assert page.get_by_role("dialog").count() == 0, title
    # The page was drawn in the width of a telephone.
    for width, height in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": height})
        wait_idle(page)
        drawn = page.evaluate("document.documentElement.scrollWidth")
        assert drawn <= width, f"{title} is {drawn} pixels wide in a window of {width}"
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
