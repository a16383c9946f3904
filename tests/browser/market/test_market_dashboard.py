"""The dashboard of the market in a real browser: a click on a figure opens the records behind it, narrowed as it is."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DemoPortal
from tests.browser.harness import new_page, open_page, wait_idle

LEADS = {
    "From registered to qualified": ("Assets and map", None),
    "Qualified power by sub-market": ("All applications", "Qualified"),
    "Open applications by clock": ("All applications", None),
    "How applications ended": ("All applications", "Only those that became"),
    "Why applications failed": ("All applications", "Only those that became Failed"),
    "Qualifications that end": ("All applications", "Only those that end"),
    "What stops most units": ("Opportunities", None),
}
"""By a chart's title: the heading of the page that a click on its first bar opens, and what stands there."""


@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.use_case("UC-05.02")
def test_a_click_on_a_figure_opens_the_records_behind_it(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (page, watch):
        for title, (heading, words) in LEADS.items():
            open_page(page, demo.at("administrator", "market?families=DSO"))
            click_first_bar(page, title)
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
            wait_idle(page)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            if words:
                expect(page.get_by_text(words).first).to_be_visible()
    watch.assert_quiet()


def click_first_bar(page: Page, title: str) -> None:
    """Click the middle of the first bar of a chart that is wide and high enough to be hit."""
    chart = page.locator(".js-plotly-plot").filter(has=page.locator(".gtitle", has_text=title)).first
    chart.evaluate("one => one.scrollIntoView({block: 'center'})")
    wait_idle(page)
    boxes = [bar.bounding_box() for bar in chart.locator(".barlayer .point path").all()]
    box = next(one for one in boxes if one and one["width"] > 4 and one["height"] > 4)
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(across - 3, down)
    page.wait_for_timeout(100)
    page.mouse.move(across, down)
    page.wait_for_timeout(100)  # a bar is found by where the pointer rests
    page.mouse.click(across, down)
