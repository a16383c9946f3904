"""Large jobs that somebody stops, in a real browser: what is done stays, the rest isn't, and the page says how to go on."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.assets.bulk.export.jobs import submit_export
from services.assets.bulk.export.worker import EXPORTS
from services.assets.filters import AssetFilters
from services.assets.reading.assets import count_assets
from services.core.register_settings import change_setting
from services.core.transaction import Stamp, unit_of_work
from tests.asset_factories import values_for
from tests.browser.assets.test_upload import FILE, JOB, TRY, keeps_to_its_width, person
from tests.browser.conftest import DemoPortal
from tests.browser.harness import PHONE, new_page, open_page, wait_idle
from tests.browser.widgets import metrics, press, upload
from tests.bulk_files import frame_of

ROWS = 45_000
"""Five chunks: many enough for one to be done, and for others to be left, when somebody presses Cancel."""
LONG = 300_000
"""Milliseconds for all of them on a slow machine."""
UNDER_WAY = re.compile(rf"^[1-9][\d,]* of {ROWS:,} rows")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of chargers, all of them sound."""
    rows = [values_for("EV_CHARGER", AssetName=f"Hazel street charger {number}") for number in range(ROWS)]
    file = tmp_path_factory.mktemp("large") / "hazel.csv"
    frame_of(rows).write_csv(file)
    return file


@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.use_case("UC-02.01")
def test_a_job_is_cancelled_half_way_and_the_same_file_goes_on_where_it_stopped(
    demo: DemoPortal, browser: Browser, large: Path
) -> None:
    with new_page(browser) as (page, watch):
        page.set_default_timeout(JOB)
        open_page(page, demo.at("bramble", "upload"))
        upload(page, FILE, large)
        tried(page, unchanged=0)
        press(page, "Register")
        done = cancelled(page)
        # Exactly what the page says is in the register, and nothing comes after.
        page.wait_for_timeout(3_000)
        assert in_register() == done
        page.reload()
        expect(page.get_by_text("send the same file again")).to_be_visible()
        wait_idle(page)
        assert metrics(page)["Registered"] == f"{done:,}"
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        wait_idle(page)
        keeps_to_its_width(page)
        press(page, "Another file")
        upload(page, FILE, large)
        expect(page.get_by_text("Your organisation handed in this very file before")).to_be_visible()
        tried(page, unchanged=done)
        assert in_register() == done
        watch.assert_quiet()


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.use_case("UC-02.04")
def test_an_export_under_way_is_cancelled_and_asked_for_anew(demo: DemoPortal, browser: Browser) -> None:
    change_setting(person("administrator"), "export.direct_rows", "1", 0)
    owner = person("bramble")
    with unit_of_work(Stamp("submit_export", "UC-02.04", owner), writes=True):
        # Another process has it before this portal's worker can take it up, and is slow.
        submit_export(owner, "jsonl")
        taken = EXPORTS.claim()
    assert taken is not None
    with new_page(browser) as (page, watch):
        page.set_default_timeout(JOB)
        open_page(page, demo.at("bramble", "assets"))
        press(page, "Download")
        expect(page.get_by_text("Waits for its turn")).to_be_visible()
        press(page, "Cancel")
        expect(page.get_by_text("Cancelled by Priya Shah")).to_be_visible()
        assert not EXPORTS.renew(taken.job_id, taken.lease, 1), "whoever makes it is told to stop"
        page.get_by_role("button").filter(has_text="Make a file of").click()
        with page.expect_download() as download:
            page.get_by_role("link").filter(has_text=re.compile(r"^\S*\s*Download [\d,]+ assets")).click()
        lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
        assert len(lines) - 1 == int(count_assets(owner, most=10**9)), "all of them, under their headings"
        watch.assert_quiet()


def cancelled(page: Page) -> int:
    """Press Cancel once the first rows are done, and read what became of the rows: how many are registered."""
    expect(page.get_by_text(UNDER_WAY)).to_be_visible(timeout=LONG)
    press(page, "Cancel")
    expect(page.get_by_text("Cancelled by Priya Shah.")).to_be_visible(timeout=JOB)
    wait_idle(page)
    counts = {label: int(value.replace(",", "")) for label, value in metrics(page).items()}
    done = counts["Registered"]
    assert done > 0, counts
    assert counts["Not reached"] == ROWS - done > 0, counts
    said = f"The first {done:,} rows of the file were worked on, and what was registered stays"
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_text("Nothing to correct in the rows that were reached.")).to_be_visible()
    return done


def tried(page: Page, unchanged: int) -> None:
    """Try the whole file, and read what it says of it."""
    press(page, TRY)
    expect(page.get_by_text("Checked: nothing is registered yet.")).to_be_visible(timeout=LONG)
    wait_idle(page)
    said = {"New": f"{ROWS - unchanged:,}", "Unchanged": f"{unchanged:,}", "Refused": "0"}
    assert said.items() <= metrics(page).items(), metrics(page)


def in_register() -> int:
    """How many chargers of the file the register holds."""
    return int(count_assets(person("bramble"), AssetFilters(text="Hazel street charger"), most=10**9))
