"""Every page for every role under axe-core: no serious or critical finding of WCAG 2 A and AA."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DemoPortal
from tests.browser.harness import new_page, open_page, wait_idle
from tests.pages.portal import persona_keys
from tests.thorough import THOROUGH

OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}
OF_STREAMLIT = [["[data-testid=stSidebar]"]]
"""Streamlit's menu: its list holds groups between the list and its items."""


@pytest.mark.browser
@pytest.mark.timeout(1800)
@pytest.mark.use_case("UC-01.04")
def test_no_page_has_a_serious_barrier(demo: DemoPortal, browser: Browser) -> None:
    """Each page of the menu for whoever first is offered it (thorough: for everybody)."""
    walked: set[str] = set()
    barriers: dict[str, set[str]] = {}
    for persona in persona_keys():
        with new_page(browser) as (page, _watch):
            open_page(page, demo.at(persona))
            entries = page.get_by_test_id("stSidebarNavLink")
            titles = [" ".join((text or "").split()) for text in entries.all_text_contents()]
            for place, title in enumerate(titles):
                if title in walked and not THOROUGH:
                    continue
                walked.add(title)
                if place:
                    entries.nth(place).evaluate("entry => entry.click()")
                    wait_idle(page, timeout=60)
                for rule, words in find_barriers(page).items():
                    barriers.setdefault(rule, set()).add(f"{title}: {words}")
    assert barriers == {}


def find_barriers(page: Page) -> dict[str, str]:
    """Serious and critical findings by rule, with the first place of each."""
    response = Axe().run(page, context={"exclude": OF_STREAMLIT}, options=OPTIONS).response
    return {
        violation["id"]: f"{violation['nodes'][0]['html'][:160]} ({len(violation['nodes'])})"
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
    }
