"""From assets to markets: an FSP builds a unit and applies, the system operator qualifies it, and it is ready."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DemoPortal
from tests.browser.harness import AS, PHONE, new_page, open_page, wait_idle
from tests.browser.widgets import (
    choose_many,
    choose_segment,
    fill_area,
    fill_text,
    metrics,
    open_row,
    press,
)

NAME, CODE = "Fenland cold stores", "TW-FEN"


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-03.01")
@pytest.mark.use_case("UC-04.02")
@pytest.mark.use_case("UC-04.03")
def test_a_unit_is_built_applied_with_qualified_and_ready(demo: DemoPortal, browser: Browser) -> None:
    """Two people at two desks; the FSP looks at its answer on a telephone."""
    with new_page(browser) as (gwen, gwen_watch), new_page(browser) as (owen, owen_watch):
        build(gwen, demo)
        apply_for_scheduled_utilisation(gwen)
        take_and_qualify(owen, demo)
        address = f"{gwen.url}&{AS}=tidewater"  # an address makes nobody somebody: she signs in there too
        gwen_watch.assert_quiet()
        owen_watch.assert_quiet()
    with new_page(browser, *PHONE) as (telephone, watch):
        open_page(telephone, address)
        open_tab(telephone, "Readiness")
        expect(telephone.get_by_text("Ready for 1 of 1")).to_be_visible()
        watch.assert_quiet()


def open_tab(page: Page, name: str) -> None:
    """Open a tab of the page of a unit."""
    page.get_by_role("tab").filter(has_text=name).click()
    wait_idle(page)


def build(page: Page, demo: DemoPortal) -> None:
    """All free assets of one network; the basket says what they come to before anything is made."""
    open_page(page, demo.at("tidewater", "build-unit?family=DSO&dno=UKPN_EPN"))
    page.get_by_role("button", name=re.compile(r"^.*Add all \d+$")).click()
    wait_idle(page)
    expect(page.get_by_text("What it would be eligible for")).to_be_visible()
    press(page, "Make the unit")
    expect(page.get_by_text("Give the unit a name.").first).to_be_visible()
    fill_text(page, "Name", NAME)
    fill_text(page, "Code", CODE)
    press(page, "Make the unit")
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()


def apply_for_scheduled_utilisation(page: Page) -> None:
    """The page says to whom it goes and what is missing; one package is frozen."""
    open_tab(page, "Qualifications")
    choose_many(page, "Products", ["SU · Scheduled Utilisation (Settlement Period)"])
    expect(page.get_by_text("goes to UKPN").or_(page.get_by_text("goes to UK Power Networks")).first).to_be_visible()
    if page.get_by_text("Why you apply all the same").is_visible():
        fill_area(page, "Why you apply all the same", "The compressors were tested in October.")
    press(page, "Submit 1 application")
    expect(page.get_by_text("Applied: the system operators are told.")).to_be_visible()


def take_and_qualify(page: Page, demo: DemoPortal) -> None:
    """From the queue to the decision."""
    open_page(page, demo.at("ukpn", "application-queue"))
    assert set(metrics(page)) == {"Late", "Due soon", "In time", "Paused"}
    open_page(page, demo.at("ukpn", "application-queue?status=SUBMITTED&product=SU"))
    open_row(page)
    expect(page.get_by_role("heading", name=f"SU · {NAME}")).to_be_visible()
    press(page, "Take")
    expect(page.get_by_text("Assigned to you.")).to_be_visible()
    press(page, "Decide")
    choose_segment(page, "Decision", "Qualify")
    fill_area(page, "Reason", "The test of 3 November was passed.")
    page.get_by_role("button", name="Qualify", exact=True).last.click()
    wait_idle(page)
    expect(page.get_by_text("Qualified.", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"valid \d+ \w+ \d{4} to"))).to_be_visible()
