"""The register stands: load a public register, register two batteries, see one verified and one queried, prove the ledger."""

import io
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, expect

from models.assets import AssetStatus
from pages.components.common.base_map import STATUS_COLOURS
from services.core.clock import today
from tests.browser.conftest import DemoPortal
from tests.browser.connections import Battery, batteries_of, published_file, rows_of
from tests.browser.harness import body_text, new_page, open_page, wait_idle
from tests.browser.widgets import (
    beside,
    choose,
    choose_segment,
    click_map,
    expect_line,
    fill_area,
    fill_date,
    fill_text,
    go_to,
    metrics,
    open_row,
    press,
    typed,
    upload,
)


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-01.01")
@pytest.mark.use_case("UC-02.01")
@pytest.mark.use_case("UC-05.01")
@pytest.mark.use_case("UC-05.06")
def test_the_register_stands(demo: DemoPortal, browser: Browser) -> None:
    """Every step that the first slice of the register promises, by two people at two desks."""
    listed, contradicted = batteries_of(published_file())[:2]
    with new_page(browser) as (ada, ada_watch), new_page(browser) as (dan, dan_watch):
        sign_in(ada, demo, "FMAR administrator, Elexon")
        load_the_public_register(ada, published_file())
        sign_in(dan, demo, "FSP administrator, Northgate Energy Storage")
        look_up_and_take_what_is_known(dan, listed)
        two_mistakes_are_shown_at_once_and_nothing_is_lost(dan, listed)
        demo.slow_down(4000)
        pending_becomes_verified_by_itself(dan, listed)
        demo.slow_down(0)
        another_becomes_query_with_the_reason(dan, contradicted)
        answer_the_query(dan)
        decide_the_query(ada, contradicted)
        find_it_on_the_map(dan, listed)
        read_its_history(dan, listed)
        verify_the_ledger(ada)
        dan_watch.assert_quiet()
        ada_watch.assert_quiet()


def sign_in(page: Page, demo: DemoPortal, persona: str) -> None:
    """Through the demo's door, as anybody does."""
    open_page(page, demo.url)
    press(page, f"Be {persona}")
    expect(page.get_by_test_id("stSidebarNavLink").first).to_be_attached()


def load_the_public_register(page: Page, file: Path) -> None:
    """Counts of rows taken and skipped are those of the file."""
    rows = len(rows_of(file))
    go_to(page, "Public registers")
    upload(page, "File as published", file)
    press(page, "Load it")
    wait_idle(page, timeout=120)
    expect(page.get_by_text(f"{file.name} is loaded. All of its rows are accounted for.")).to_be_visible()
    counts = metrics(page)
    assert counts["Rows"] == f"{rows:,}"
    assert int(counts["Taken"].replace(",", "")) + int(counts["Skipped"].replace(",", "")) == rows
    expect_line(page, "UK Power Networks")


def look_up_and_take_what_is_known(page: Page, battery: Battery) -> None:
    """Nobody has registered it; the public register knows it, and its facts go into the form."""
    go_to(page, "Register an asset")
    fill_text(page, "MPAN", battery.mpan)
    press(page, "Look up")
    assert f"UK Power Networks lists {battery.site} with it" in body_text(page)
    press(page, "Register it with what is known")
    assert typed(page, "Asset name *") == battery.site
    assert typed(page, "Export MPAN") == battery.mpan
    assert typed(page, "Rated capacity (kW) *") == f"{battery.kw:.2f}"
    assert typed(page, "Postcode") == battery.postcode
    assert float(typed(page, "Latitude (°)")) == pytest.approx(float(battery.latitude), abs=1e-5)


def two_mistakes_are_shown_at_once_and_nothing_is_lost(page: Page, battery: Battery) -> None:
    """Both beside their fields and in the summary; what was typed stays to be corrected."""
    grouped = f"{battery.kw:,.0f}"
    fill_text(page, "Effective from *", f"{today() + timedelta(days=7):%d/%m/%Y}")
    choose(page, "Connection type *", "Firm")
    fill_text(page, "Rated capacity (kW) *", grouped)
    fill_text(page, "Export MPAN", battery.mistyped)
    press(page, "Register the asset")
    summary = page.get_by_test_id("stAlert").filter(has_text="2 fields need attention")
    expect(summary).to_be_visible()
    number, digit = f"{grouped} isn't a number of kW", "The last digit"
    assert number in summary.inner_text()
    assert digit in summary.inner_text()
    assert number in beside(page, "Rated capacity (kW) *")
    assert digit in beside(page, "Export MPAN")
    assert typed(page, "Rated capacity (kW) *") == grouped
    assert typed(page, "Export MPAN") == battery.mistyped
    assert typed(page, "Asset name *") == battery.site
    assert typed(page, "Postcode") == battery.postcode


def pending_becomes_verified_by_itself(page: Page, battery: Battery) -> None:
    """Corrected, registered; the page follows the checks without a click."""
    fill_text(page, "Rated capacity (kW) *", f"{battery.kw:.0f}")
    fill_text(page, "Export MPAN", battery.mpan)
    expect(page.get_by_text("Nothing to correct: the asset can be registered.")).to_be_visible()
    page.get_by_role("button", name="Register the asset").click()  # and don't wait: the checks are quick
    expect(page.get_by_role("heading", name=battery.site)).to_be_visible()
    expect(status_of(page)).to_contain_text("Pending Validation")
    expect(status_of(page)).to_contain_text("Verified", timeout=60_000)
    wait_idle(page)
    rated = page.get_by_role("row", name=f"Rated capacity {megawatts(battery.kw)}")
    expect(rated).to_contain_text("Verified UK Power Networks, August 2025")
    press_tab(page, "Checks")
    checks = body_text(page)
    assert f"Found by MPAN {battery.mpan}." in checks
    assert "MPAN register" in checks


def another_becomes_query_with_the_reason(page: Page, battery: Battery) -> None:
    """The reason names what was declared, what the register says, and which register."""
    go_to(page, "Register an asset")
    fill_text(page, "MPAN", battery.mpan)
    press(page, "Look up")
    press(page, "Register it with what is known")
    fill_text(page, "Rated capacity (kW) *", f"{battery.kw * 2:.0f}")
    fill_text(page, "Effective from *", f"{today() + timedelta(days=7):%d/%m/%Y}")
    choose(page, "Connection type *", "Firm")
    press(page, "Register the asset")
    expect(page.get_by_role("heading", name=battery.site)).to_be_visible()
    expect(status_of(page)).to_contain_text("Query", timeout=60_000)
    wait_idle(page)
    reason = (
        f"Rated capacity: you declared {battery.kw * 2:,.2f} kW, the connection register (UK Power Networks, "
        f"August 2025) says {battery.kw:,.2f} kW."
    )
    page.get_by_text("The question in words").click()
    expect(page.get_by_test_id("stChatMessage").get_by_text(reason)).to_be_visible()


def answer_the_query(page: Page) -> None:
    """The provider's turn."""
    fill_area(page, "Your answer", "The second half was connected in June; the agreement is on file.")
    press(page, "Send the answer")
    expect(page.get_by_test_id("stChatMessage").get_by_text("The second half was connected in June")).to_be_visible()


def decide_the_query(page: Page, battery: Battery) -> None:
    """The operator has one more to decide, reads the answer, and decides with a reason."""
    go_to(page, "Review")
    waiting = int(metrics(page)["With you"])
    go_to(page, "Assets and map")
    fill_text(page, "Search", battery.mpan)
    open_row(page)
    expect(page.get_by_role("heading", name=battery.site)).to_be_visible()
    expect(page.get_by_test_id("stChatMessage").get_by_text("The second half was connected in June")).to_be_visible()
    choose_segment(page, "Decision", "Verify: the declared values stand")
    press(page, "Decide")
    expect(status_of(page)).to_contain_text("Pending Validation")  # a decision needs a reason
    fill_area(page, "Reason", "The agreement shown is newer than the register.")
    press(page, "Decide")
    expect(status_of(page)).to_contain_text("Verified")
    press(page, "Open the asset's page")
    press_tab(page, "Conversation")
    expect(page.get_by_test_id("stChatMessage").get_by_text("The agreement shown is newer")).to_be_visible()
    go_to(page, "Review")
    assert int(metrics(page)["With you"]) == waiting - 1


def find_it_on_the_map(page: Page, battery: Battery) -> None:
    """By its name; its point is drawn in the colour of its status, and a click on it shows it beside the map."""
    go_to(page, "Assets and map")
    fill_text(page, "Search", battery.site)
    expect(page.get_by_text("1 asset", exact=True)).to_be_visible()
    expect_line(page, battery.site)
    chart = page.get_by_test_id("stDeckGlJsonChart")
    colour = STATUS_COLOURS[AssetStatus.VERIFIED]
    deadline = time.monotonic() + 30
    while pixels_of(chart.screenshot(), colour) < 20:
        assert time.monotonic() < deadline, "the point of the asset isn't on the map"
        page.wait_for_timeout(250)
    # The map is centred on the only asset.
    click_map(page, page.get_by_role("heading", name=battery.site))
    press(page, "Open the asset's page")
    expect(page.get_by_role("tab", name="History")).to_be_visible()


def read_its_history(page: Page, battery: Battery) -> None:
    """Who did what when, from status to status; and the asset as of a day."""
    press_tab(page, "History")
    history = body_text(page)
    assert "Registered by Daniel Marsh, Northgate Energy Storage plc" in history
    assert history.index("Checks concluded") < history.index("Registered by"), "the newest comes first"
    assert "Pending Validation" in history
    press_tab(page, "Details")
    fill_date(page, "As it stood at the end of", today() - timedelta(days=1))
    page.keyboard.press("Escape")  # the calendar keeps the day to itself until it closes
    expect(page.get_by_text("wasn't registered yet")).to_be_visible()
    press(page, "Back to the present")
    expect(page.get_by_text(battery.mpan).first).to_be_visible()


def verify_the_ledger(page: Page) -> None:
    """Everything that happened above is proven to stand as it was written."""
    go_to(page, "Ledger")
    press(page, "Verify the whole ledger")
    wait_idle(page, timeout=120)
    expect(page.get_by_text("The ledger is sound.")).to_be_visible()


def status_of(page: Page) -> Locator:
    """The first badge of an asset, which the bar at the top doesn't hold."""
    return page.get_by_test_id("stMain").locator(".stMarkdownBadge:not(.st-key-role-bar *)").first


def press_tab(page: Page, label: str) -> None:
    """Open a part of the page of an asset."""
    page.get_by_role("tab", name=label).click()
    wait_idle(page)


def megawatts(kw: Decimal) -> str:
    """Power as pages show it: ``49.5 MW``."""
    return f"{float(kw) / 1000:g} MW"


def pixels_of(shot: bytes, colour: Sequence[int]) -> int:
    """How many pixels of a picture have a colour, give or take what smoothing does to it."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    bands = ImageChops.difference(picture, Image.new("RGB", picture.size, (colour[0], colour[1], colour[2]))).split()
    near = [band.point([255] * 12 + [0] * 244) for band in bands]
    both = ImageChops.multiply(ImageChops.multiply(near[0], near[1]), near[2])
    return both.histogram()[255]
