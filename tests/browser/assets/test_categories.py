"""A category that nobody foresaw: made in the browser by an administrator, registered by an FSP a minute later (UC-05.07)."""

from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from services.core.clock import today
from tests.browser.conftest import DemoPortal
from tests.browser.harness import PHONE, body_text, new_page, open_page, wait_idle
from tests.browser.widgets import (
    choose,
    choose_many,
    choose_segment,
    expect_line,
    fill_area,
    fill_date,
    fill_text,
    press,
    tick,
    typed,
)

HUB, TITLE = "VEHICLE_TO_GRID_HUB", "Vehicle-to-grid hub"
CREDENTIAL = {"grant_type": "client_credentials", "client_id": "demo-northgate", "client_secret": "demo"}


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-05.07")
def test_a_new_category_is_registered_a_minute_later(demo: DemoPortal, browser: Browser) -> None:
    """Form, rules, API, filters and legend follow without a restart."""
    with new_page(browser) as (ada, ada_watch), new_page(browser) as (dan, dan_watch):
        open_page(dan, demo.at("northgate", "register-asset"))
        begin(ada, demo)
        mistakes_are_shown_at_once(ada)
        say_what_it_is(ada)
        add_three_attributes(ada)
        ask_for_core_attributes(ada)
        try_the_form(ada)
        look_at_template_and_schema(ada)
        assert TITLE not in offered(dan), "a draft is nobody's business yet"
        publish(ada)
        register_one(dan)
        find_it(dan, demo)
        ask_the_api(demo)
        ada_watch.assert_quiet()
        dan_watch.assert_quiet()


def begin(page: Page, demo: DemoPortal) -> None:
    """Name and code; the code is made from the name."""
    open_page(page, demo.at("administrator", "categories"))
    press(page, "New category")
    fill_text(page, "Name *", TITLE)
    press(page, "Begin the draft")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text(HUB).first).to_be_visible()
    wait_idle(page)


def mistakes_are_shown_at_once(page: Page) -> None:
    """What is missing stands in the summary and beside its field."""
    press(page, "Publish")
    expect(page.get_by_text("2 to correct before it can be published")).to_be_visible()
    expect(page.get_by_text("Say what assets belong to the category")).to_have_count(2)


def say_what_it_is(page: Page) -> None:
    """Description and direction."""
    fill_area(page, "Description *", "Several vehicle chargers behind one connection that give power back.")
    choose(page, "What its assets do *", "Storage")
    expect(page.get_by_text("Nothing to correct: the draft can be published.")).to_be_visible()


def add_three_attributes(page: Page) -> None:
    """A whole number, a number with a unit, and a choice; a mistake keeps what was typed; one is moved."""
    open_part(page, "Its attributes")
    press(page, "Add an attribute")
    fill_text(page, "Label *", "Bidirectional sockets")
    choose(page, "Type", "Whole number")
    tick(page, "Mandatory")
    fill_text(page, "Minimum", "1")
    fill_text(page, "Maximum", "5x0")
    expect(page.get_by_text("5x0 isn't a number.")).to_have_count(2)
    fill_text(page, "Maximum", "500")
    press(page, "Add an attribute")
    fill_text(page, "Label *", "Usable energy")
    choose(page, "Type", "Number")
    fill_text(page, "Unit", "kWh")
    fill_text(page, "Minimum", "0")
    tick(page, "Exclude the minimum")
    press(page, "Add an attribute")
    fill_text(page, "Label *", "Vehicle access")
    choose(page, "Type", "One of a list")
    fill_area(page, "Choices, one a line *", "PUBLIC = Open to anybody\nFLEET = A fleet's own")
    page.locator("button:visible").filter(has=page.get_by_text("Up", exact=True)).nth(2).click()
    wait_idle(page)
    order = body_text(page)
    assert order.index("2. Vehicle access") < order.index("3. Usable energy")


def ask_for_core_attributes(page: Page) -> None:
    """One more is mandatory, and there is a usual value."""
    open_part(page, "Shared attributes")
    choose_many(page, "Mandatory in this category", ["Serial number"])
    press(page, "Add a usual value")
    choose(page, "Attribute", "Energy source")
    choose(page, "Value", "Grid Electricity")


def try_the_form(page: Page) -> None:
    """The registration form as it will be, and what the rules will say."""
    open_part(page, "Preview")
    fill_text(page, "Bidirectional sockets *", "900")
    press(page, "Check what I typed")
    expect(page.get_by_text("900 is too large.")).to_have_count(2)
    expect(page.get_by_text("Enter the serial number: this category needs it.")).to_have_count(2)


def look_at_template_and_schema(page: Page) -> None:
    """The columns that a file will have, and the document that the API will give out."""
    choose_segment(page, "The form", "JSON Schema")
    expect(page.get_by_test_id("stCode")).to_contain_text("UsableEnergy_kWh")
    choose_segment(page, "The form", "Columns of the bulk template")
    expect(page.get_by_text("8 of them mandatory")).to_be_visible()


def publish(page: Page) -> None:
    """Asked for once more, with what it means."""
    press(page, "Publish")
    expect(page.get_by_role("dialog")).to_contain_text("registered assets keep the version they were registered with")
    press(page, "Publish version 1")
    expect(page.get_by_role("heading", name="Categories")).to_be_visible()
    wait_idle(page)
    assert "3 attributes of this category" in body_text(page)


def offered(page: Page) -> str:
    """What the form offers as categories now."""
    page.get_by_test_id("stSelectbox").filter(has_text="Category *").locator("input").click()
    page.get_by_role("option").first.wait_for()
    told = "\n".join(page.get_by_role("option").all_inner_texts())
    page.keyboard.press("Escape")
    return told


def register_one(page: Page) -> None:
    """On the page that was open all the while: its next run knows the category, its fields and its rules."""
    page.reload()
    wait_idle(page)
    choose(page, "Category *", TITLE)
    fill_text(page, "Asset name *", "Depot hub 1")
    fill_text(page, "Rated capacity (kW) *", "250")
    fill_date(page, "Effective from *", today() + timedelta(days=7))
    choose(page, "Connection status *", "Pending Connection")
    choose(page, "Connection type *", "Firm")
    fill_text(page, "Serial number *", "V2G-0001")
    fill_text(page, "Bidirectional sockets *", "501")
    choose(page, "Vehicle access", "A fleet's own")
    press(page, "Register the asset")
    expect(page.get_by_text("501 is too large.")).to_have_count(2)
    fill_text(page, "Bidirectional sockets *", "12")
    press(page, "Register the asset")
    expect(page.get_by_role("heading", name="Depot hub 1")).to_be_visible()
    wait_idle(page)
    assert TITLE in body_text(page)


def find_it(page: Page, demo: DemoPortal) -> None:
    """The list filters by the new category."""
    open_page(page, demo.at("northgate", "assets"))
    choose_many(page, "Category", [TITLE])
    expect(page.get_by_text("1 asset", exact=True)).to_be_visible()
    expect_line(page, "Depot hub 1")


def ask_the_api(demo: DemoPortal) -> None:
    """The category and its schema, from the portal's own process."""
    with httpx.Client(base_url=f"{demo.url}/api", trust_env=False, timeout=30) as api:
        token = api.post("/oauth/token", data=CREDENTIAL).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        listed = api.get("/v1/categories", headers=headers).json()["items"]
        assert TITLE in [one["Label"] for one in listed]
        schema = api.get(f"/v1/categories/{HUB}", headers=headers)
    assert schema.headers["Content-Type"] == "application/schema+json"
    document = schema.json()
    assert list(document["properties"]) == ["BidirectionalSockets", "VehicleAccess", "UsableEnergy_kWh"]
    assert document["required"] == ["BidirectionalSockets"]
    assert document["properties"]["UsableEnergy_kWh"]["exclusiveMinimum"] == 0


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.use_case("UC-05.07")
def test_two_administrators_edit_on_a_telephone_and_the_second_is_told(demo: DemoPortal, browser: Browser) -> None:
    """Nothing of either is lost; nothing on the page is wider than the screen."""
    with new_page(browser, *PHONE) as (ada, ada_watch), new_page(browser, *PHONE) as (ben, ben_watch):
        open_page(ada, demo.at("administrator", "categories?category=HVAC"))
        press(ada, "New version")
        expect(ada.get_by_role("heading", name="HVAC")).to_be_visible()
        wait_idle(ada)
        open_page(ben, demo.at("administrator", "edit-category?code=HVAC"))
        fill_text(ada, "Name *", "Heating and cooling")
        expect(ada.get_by_role("heading", name="Heating and cooling")).to_be_visible()
        fill_text(ben, "Name *", "Air conditioning")
        expect(ben.get_by_text("What you typed is still here, but isn't saved.")).to_be_visible()
        assert typed(ben, "Name *") == "Air conditioning"
        press(ben, "Continue from theirs")
        expect(ben.get_by_role("heading", name="Heating and cooling")).to_be_visible()
        wait_idle(ben)
        fill_area(ada, "Description *", "Machines that move heat in buildings.")
        open_part(ben, "Shared attributes")
        choose_many(ben, "Mandatory in this category", ["Postcode"])
        expect(ben.get_by_text("it is shown with their changes and yours")).to_be_visible()
        for page in (ada, ben):
            width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
            assert width <= PHONE[0]
        press(ben, "Discard the draft")
        ben.get_by_role("dialog").get_by_role("button", name="Discard the draft").click()
        expect(ben.get_by_role("heading", name="Categories")).to_be_visible()
        ada_watch.assert_quiet()
        ben_watch.assert_quiet()


def open_part(page: Page, label: str) -> None:
    """Open a part of the editor."""
    page.get_by_role("tab", name=label).click()
    wait_idle(page)
