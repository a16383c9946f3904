"""The operators' desk in a real browser: filters, layers, points, hexagons, a view for a colleague, and a walk in review."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from services.core.transaction import unit_of_work
from tests.asset_factories import STAMP
from tests.browser.conftest import DemoPortal
from tests.browser.harness import body_text, new_page, open_page, wait_idle
from tests.browser.widgets import (
    choose_many,
    choose_segment,
    click_map,
    fill_area,
    fill_text,
    go_to,
    press,
    typed,
)

HOSTILE = "<img src=x onerror=window.__xss=1>"


@pytest.fixture
def hostile(demo: DemoPortal) -> str:
    """An asset in London whose name, from before names were checked, is markup."""
    with unit_of_work(STAMP, writes=True) as session:
        chosen = select(Asset).where(col(Asset.gsp_group) == "_C", col(Asset.latitude).is_not(None))
        asset = session.scalars(chosen.order_by(col(Asset.id)).limit(1)).one()
        asset.asset_name = HOSTILE
    return HOSTILE


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-05.01")
def test_a_point_a_hexagon_and_a_view_for_a_colleague(demo: DemoPortal, browser: Browser, hostile: str) -> None:
    with new_page(browser) as (owen, owen_watch), new_page(browser) as (ada, ada_watch):
        open_page(owen, demo.at("ukpn", "assets"))
        everything = count_on(owen)
        choose_many(owen, "Category", ["Heat Pump"])
        expect(owen.get_by_text(f"{everything:,} assets", exact=True)).to_have_count(0)
        assert 0 < count_on(owen) < everything
        press(owen, "Clear the filters")
        a_name_that_is_markup_stays_text(owen, hostile)
        choose_segment(owen, "Colour by", "Category")
        expect(owen.get_by_text("Battery Energy Storage System").first).to_be_visible()
        a_colleague_sees_the_same(owen, ada, hostile)
        hexagons_open(demo, ada)
        owen_watch.assert_quiet()
        ada_watch.assert_quiet()


def count_on(page: Page) -> int:
    """How many assets the desk says there are."""
    found = re.search(r"^([0-9,]+) assets?$", body_text(page), re.MULTILINE)
    assert found, body_text(page)
    return int(found.group(1).replace(",", ""))


def a_name_that_is_markup_stays_text(page: Page, name: str) -> None:
    """In the tooltip, which stays inside the map, in the table and in the panel."""
    fill_text(page, "Search", "onerror")
    expect(page.get_by_text("1 asset", exact=True)).to_be_visible()
    click_map(page, page.get_by_role("heading", name=name))
    tooltip, chart = page.locator(".deck-tooltip"), page.get_by_test_id("stDeckGlJsonChart").first
    expect(tooltip).to_contain_text(name)
    inner, outer = tooltip.bounding_box(), chart.bounding_box()
    assert inner
    assert outer
    assert outer["x"] <= inner["x"]
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    assert page.evaluate("window.__xss") is None


def a_colleague_sees_the_same(page: Page, colleague: Page, name: str) -> None:
    """The address holds search, layer, colours and the asset that is shown."""
    parts = urlsplit(page.url)
    assert "asset=" in parts.query
    open_page(colleague, f"{page.url}&as=administrator")
    expect(colleague.get_by_role("heading", name=name)).to_be_visible()
    expect(colleague.get_by_text("1 asset", exact=True)).to_be_visible()
    expect(colleague.get_by_text("Battery Energy Storage System").first).to_be_visible()


def hexagons_open(demo: DemoPortal, page: Page) -> None:
    """Capacity by hexagon; a click looks into one. Groups are shaded."""
    open_page(page, demo.at("administrator", "assets"))
    total = count_on(page)
    choose_segment(page, "Layer", "Capacity")
    expect(page.get_by_text("Capacity in a hexagon")).to_be_visible()
    click_map(page, page.get_by_text("in the chosen hexagon"), spread=0.03)
    assert "hexagon=" in page.url
    press(page, "Leave the hexagon")
    expect(page.get_by_text(f"{total:,} assets", exact=True)).to_be_visible()
    choose_segment(page, "Layer", "GSP groups")
    expect(page.get_by_text("Assets in a GSP group")).to_be_visible()


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.use_case("UC-02.01")
def test_two_assets_are_reviewed_one_after_the_other(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("administrator", "review"))
        expect(page.get_by_text("With you", exact=False).first).to_be_visible()
        waiting = int(page.get_by_test_id("stMetricValue").first.inner_text())
        for left in (waiting, waiting - 1):
            expect(page.get_by_text(f"1 of {left}", exact=True)).to_be_visible()
            before = page.url
            choose_segment(page, "Decision", "Verify: the declared values stand")
            fill_area(page, "Reason", "The agreement shown is newer than the source.")
            press(page, "Decide")
            wait_idle(page)
            assert page.url != before, "the next one follows"
        expect(page.get_by_text(f"1 of {waiting - 2}", exact=True)).to_be_visible()
        page.keyboard.press("Alt+n")
        expect(page.get_by_text(f"2 of {waiting - 2}", exact=True)).to_be_visible()
        watch.assert_quiet()


@pytest.mark.browser
@pytest.mark.use_case("UC-05.01")
def test_filters_stay_on_their_page(demo: DemoPortal, browser: Browser) -> None:
    with new_page(browser) as (page, watch):
        open_page(page, demo.at("northgate", "assets"))
        everything = count_on(page)
        fill_text(page, "Search", "Yorkshire")
        expect(page.get_by_text(f"{everything:,} assets", exact=True)).to_have_count(0)
        go_to(page, "Market units")
        assert (typed(page, "Search"), "q=" in page.url) == ("", False)
        choose_segment(page, "View", "Map")
        go_to(page, "Assets and map")
        assert (typed(page, "Search"), "q=" in page.url, "view=" in page.url) == ("", False, False)
        assert count_on(page) == everything
        watch.assert_quiet()
