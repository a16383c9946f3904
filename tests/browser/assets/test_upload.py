"""A portfolio in a file, in a real browser: tried, registered, mended, completed, sent again, exported and sent back."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect

from services.assets.registration.register import register_asset
from services.core.identity.actor import Actor
from services.participants.identity import actor_for_user, demo_personas
from tests.asset_factories import battery, values_for
from tests.browser.conftest import DemoPortal
from tests.browser.harness import PHONE, new_page, open_page, wait_idle
from tests.browser.widgets import choose, fill_area, fill_date, metrics, press, tick, upload
from tests.bulk_files import frame_of

FILE = "Your file: CSV, XLSX, JSON lines or Parquet, up to 200 MB"
TRY = "Check file"
DRAFTS = "Keep rows that only lack mandatory values as drafts"
WHY = "One meter feeds both halves of the depot."
JOB = 60_000
"""Milliseconds that a job may take on a slow machine."""


def person(persona: str) -> Actor:
    """The persona as the services know them."""
    found = next(one for one in demo_personas() if one.key == persona)
    return actor_for_user(found.user_id, found.organisation_id)


@dataclass(frozen=True, slots=True)
class Depot:
    """A file of forty chargers without a date, with two headings of its own, and what its faulty rows lack."""

    file: Path
    good: int
    names: tuple[str, str]
    mpan: str


@pytest.fixture
def depot(demo: DemoPortal, tmp_path: Path) -> Depot:
    """Forty rows: two with a name that isn't allowed, two on meters of another provider, one without its MPAN."""
    theirs = [register_asset(person("kelvin"), battery(AssetName=f"Alder yard battery {one}")) for one in (1, 2)]
    rows = [
        values_for(
            "EV_CHARGER",
            AssetName=f"Larch depot charger {number}",
            Latitude=f"{52.17 + number / 1000:.4f}",
            Longitude=f"{0.1 + number / 1000:.4f}",
            DepotNote=f"bay {number}",
        )
        for number in range(1, 41)
    ]
    names, mpan = (str(rows[2]["AssetName"]), str(rows[3]["AssetName"])), str(rows[39]["ImportMPAN"])
    rows[2]["AssetName"], rows[3]["AssetName"], rows[39]["ImportMPAN"] = "Bad! <b>name</b>", "Bad! *name*", None
    rows[4]["ImportMPAN"], rows[5]["ImportMPAN"] = (one.import_mpan for one in theirs)
    file = tmp_path / "larch.csv"
    frame_of(rows).drop("EffectiveDate").rename({"SerialNumber": "Plate"}).write_csv(file)
    return Depot(file, 35, names, mpan)


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-02.01")
@pytest.mark.use_case("UC-02.03")
@pytest.mark.use_case("UC-02.04")
def test_a_file_is_tried_registered_mended_completed_and_sent_again(
    demo: DemoPortal, browser: Browser, depot: Depot, tmp_path: Path
) -> None:
    with new_page(browser) as (page, watch):
        page.set_default_timeout(JOB)
        open_page(page, demo.at("bramble", "upload"))
        the_template_explains_itself(page)
        upload(page, FILE, depot.file)
        choose(page, "Plate", "Serial number")
        tick(page, DRAFTS)
        tried(page, {"New": str(depot.good), "Refused": "4", "Drafts": "1", "With warnings": "2"})
        page.get_by_text("2 to correct: The name Bad!").click()
        expect(page.get_by_text("Row 4: The name Bad! <b>name</b> has a character that isn't allowed.")).to_be_visible()
        expect(page.get_by_role("heading", name="Where they would be")).to_be_visible()
        fill_area(page, "Why is it right (MPAN-09, 2 rows)?", WHY)
        registered(page, {"Registered": str(depot.good + 2), "Refused": "2", "Drafts": "1"})
        complete(page, depot.mpan)
        mended = refused_rows_mended(page, depot, tmp_path)
        press(page, "Another file")
        assert "job=" not in page.url
        upload(page, FILE, mended)
        # What the columns hold was said once and is known now.
        expect(page.get_by_text("Unrecognised columns")).to_have_count(0)
        tried(page, {"New": "2", "Refused": "0"})
        registered(page, {"Registered": "2"})
        sent_again(page, depot)
        exported_and_sent_back(page, demo)
        watch.assert_quiet()


def the_template_explains_itself(page: Page) -> None:
    """A workbook for one category, whose second sheet explains every column."""
    choose(page, "Template for", "EV Charger")
    with page.expect_download() as download:
        press(page, "Download the template")
    path = download.value.path()
    assert "ConnectorType" in pl.read_excel(path, sheet_name="Assets", has_header=False).row(0)
    explained = pl.read_excel(path, sheet_name="Columns")
    assert {"AssetName", "RatedCapacity", "ConnectorType"} <= set(explained["Column"])
    assert {"Meaning", "Mandatory", "Allowed values", "Example"} <= set(explained.columns)


def tried(page: Page, counts: dict[str, str], day: bool = True) -> None:
    """Say what the file doesn't, try it, and read the counts."""
    if day:
        fill_date(page, "Effective from", date(2030, 1, 1))
    press(page, TRY)
    expect(page.get_by_text("Checked: nothing is registered yet.")).to_be_visible(timeout=JOB)
    wait_idle(page)
    assert counts.items() <= metrics(page).items(), metrics(page)


def registered(page: Page, counts: dict[str, str]) -> None:
    """Confirm, wait for the end, and read the counts."""
    press(page, "Register")
    expect(page.get_by_text("Done. Authenticity checks of what is new are under way.")).to_be_visible(timeout=JOB)
    wait_idle(page)
    assert counts.items() <= metrics(page).items(), metrics(page)


def complete(page: Page, mpan: str) -> None:
    """Type what the draft lacks into its cell, by keyboard, and register it."""
    table = page.get_by_test_id("stDataFrame").last
    typed = table.locator("table").filter(has_text=mpan)
    for _ in range(10):
        # Cells are drawn on a canvas after the page says that it is ready; until then nothing takes the keys.
        table.scroll_into_view_if_needed()
        page.wait_for_timeout(800)
        table.click(position={"x": 16, "y": 52})
        for _column in ("Asset name", "Import MPAN"):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_timeout(400)  # the cell opens; keys that come sooner are lost
        page.keyboard.press("Control+A")
        page.keyboard.type(mpan, delay=20)
        page.keyboard.press("Enter")
        wait_idle(page)
        if typed.count():
            break
    expect(typed).to_be_attached()
    press(page, "Register what I completed")
    expect(page.get_by_text("1 registered.")).to_be_visible(timeout=JOB)
    expect(page.get_by_text("No draft of this file waits any more.")).to_be_visible()


def refused_rows_mended(page: Page, depot: Depot, folder: Path) -> Path:
    """The refused rows as they come back, with codes and reasons, and mended."""
    with page.expect_download() as download:
        press(page, "Refused rows, to mend and send again")
    assert download.value.suggested_filename == "refused-larch.csv"
    came = pl.read_csv(download.value.path(), infer_schema=False)
    assert came["RefusalCodes"].to_list() == ["NAME-03", "NAME-03"]
    assert came.columns[-1] == "RefusalReasons"
    assert came["DepotNote"].to_list() == ["bay 3", "bay 4"]
    path = folder / "mended.csv"
    came.with_columns(pl.Series("AssetName", depot.names)).write_csv(path)
    return path


def sent_again(page: Page, depot: Depot) -> None:
    """The first file once more: nothing happens twice."""
    press(page, "Another file")
    upload(page, FILE, depot.file)
    expect(page.get_by_text("Your organisation handed in this very file before")).to_be_visible()
    tried(page, {"New": "0", "To change": "0"})


def exported_and_sent_back(page: Page, demo: DemoPortal) -> None:
    """What the search lets through, as a file; uploaded again it says that nothing has changed."""
    open_page(page, demo.at("bramble", "assets?q=Larch+depot"))
    press(page, "Download")
    with page.expect_download() as download:
        press(page, "Download 40 assets")
    path = Path(download.value.path()).with_name("export.csv")
    download.value.save_as(path)
    open_page(page, demo.at("bramble", "upload"))
    upload(page, FILE, path)
    tried(page, {"New": "0", "To change": "0", "Unchanged": "40", "Refused": "0"}, day=False)
    expect(page.get_by_text("there is nothing to do")).to_be_visible()


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-02.01")
def test_on_a_telephone_a_job_goes_on_without_its_owner_who_is_told_at_home(
    demo: DemoPortal, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "rowan.csv"
    rows = [values_for("EV_CHARGER", AssetName=f"Rowan depot charger {number}") for number in range(1, 4)]
    frame_of([*rows, {**rows[0], "AssetName": "Bad!"}]).write_csv(file)
    with new_page(browser, *PHONE) as (page, watch):
        page.set_default_timeout(JOB)
        open_page(page, demo.at("northgate", "upload"))
        upload(page, FILE, file)
        keeps_to_its_width(page)
        tried(page, {"New": "3", "Refused": "1"}, day=False)
        keeps_to_its_width(page)
        press(page, "Register")
        watch.assert_quiet()
    # The browser is closed; later, and from elsewhere, home says how it ended.
    with new_page(browser, *PHONE) as (page, watch):
        page.set_default_timeout(JOB)
        told = page.get_by_text("rowan.csv is through: 3 registered, 1 refused")
        for _ in range(30):
            open_page(page, demo.at("northgate"))
            if told.count():
                break
            page.wait_for_timeout(1000)
        told.first.click()
        expect(page.get_by_role("heading", name="rowan.csv")).to_be_visible()
        wait_idle(page)
        assert metrics(page)["Registered"] == "3"
        keeps_to_its_width(page)
        open_page(page, demo.at("northgate"))
        expect(page.get_by_text("Your tasks", exact=True)).to_be_visible()
        expect(told).to_have_count(0)
        watch.assert_quiet()


def keeps_to_its_width(page: Page) -> None:
    """Nothing has to be pushed aside to be read."""
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= PHONE[0], width
