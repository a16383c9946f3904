"""Words to drive Streamlit's widgets by the labels people read; each waits until the page has answered."""

import itertools
import re
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.harness import wait_idle


def widget(page: Page, kind: str, label: str) -> Locator:
    """The Streamlit widget of a kind (its test id, as `stTextInput`) with exactly this label, "(required)" left aside."""
    named = page.get_by_test_id("stWidgetLabel").get_by_text(label, exact=True)
    return page.get_by_test_id(kind).filter(has=named).first


def fill_text(page: Page, label: str, value: str) -> None:
    """Type into a text input and leave the field, as a reader does."""
    box = widget(page, "stTextInput", label).locator("input")
    box.fill(value)
    box.press("Tab")
    wait_idle(page)


def fill_area(page: Page, label: str, value: str) -> None:
    """Type into a text area and leave the field."""
    box = widget(page, "stTextArea", label).locator("textarea")
    box.fill(value)
    box.press("Tab")
    wait_idle(page)


def fill_number(page: Page, label: str, value: str | float) -> None:
    """Type into a number input and leave the field."""
    box = widget(page, "stNumberInput", label).locator("input")
    box.fill(str(value))
    box.press("Tab")
    wait_idle(page)


def fill_date(page: Page, label: str, value: date) -> None:
    """Type a date, day first, into a text field, or into the segments of a date picker, whichever has the label."""
    text, picker = (widget(page, kind, label) for kind in ("stTextInput", "stDateInput"))
    text.or_(picker).first.wait_for()
    if text.is_visible():
        fill_text(page, label, f"{value:%d/%m/%Y}")
        return
    for part, digits in (("year", f"{value:%Y}"), ("month", f"{value:%m}"), ("day", f"{value:%d}")):
        picker.locator(f"[role=spinbutton][data-type={part}]").first.click()
        page.keyboard.type(digits)
    page.keyboard.press("Tab")
    wait_idle(page)


def choose(page: Page, label: str, option: str) -> None:
    """Choose one option of a select box."""
    widget(page, "stSelectbox", label).locator("input").click()
    _pick_option(page, option)
    wait_idle(page)


def choose_many(page: Page, label: str, options: Sequence[str]) -> None:
    """Choose several options of a multiselect, one after the other."""
    for option in options:
        widget(page, "stMultiSelect", label).locator("input").click()
        _pick_option(page, option)
        wait_idle(page)
    page.keyboard.press("Escape")


def _pick_option(page: Page, option: str) -> None:
    page.keyboard.type(option)
    exact = re.compile(rf"^\s*{re.escape(option)}\s*$")
    page.get_by_role("option").filter(has_text=exact).first.click()


def tick(page: Page, label: str, ticked: bool = True) -> None:
    """Tick or untick a checkbox or a toggle."""
    box = widget(page, "stCheckbox", label)
    if box.locator("input").is_checked() != ticked:
        box.locator("label").first.click()
    wait_idle(page)


def choose_segment(page: Page, label: str, option: str) -> None:
    """Choose an option of a radio, pills or segmented control."""
    group = page.get_by_test_id("stRadio").or_(page.get_by_test_id("stButtonGroup")).filter(has_text=label).first
    group.get_by_text(option, exact=True).click()
    wait_idle(page)


def upload(page: Page, label: str, *files: Path) -> None:
    """Give files to a file uploader and wait until the server has them."""
    box = widget(page, "stFileUploader", label)
    box.locator("input[type=file]").set_input_files(list(files))
    for file in files:
        expect(box.get_by_text(file.name).first).to_be_visible()
    wait_idle(page)


def press(page: Page, label: str) -> None:
    """Press a button (also a form's, a download's or a link's) by its exact label; an icon before it doesn't count."""
    buttons = page.locator("button, a[data-testid^=stBaseLinkButton], a[data-testid^=stPageLink]")
    buttons.filter(has=page.get_by_text(label, exact=True)).first.click()
    wait_idle(page)


def go_to(page: Page, title: str) -> None:
    """Follow a page of the navigation; in a narrow window the sidebar is opened before and closed after."""
    # Behind the title may stand how many tasks are done there.
    named = page.get_by_text(re.compile(rf"^{re.escape(title)}\s*[\d,]*$"))
    entry = page.get_by_test_id("stSidebarNavLink").filter(has=named).first
    opener = page.get_by_test_id("stExpandSidebarButton")
    narrow = opener.is_visible()
    if narrow:
        opener.click()
        page.wait_for_timeout(400)  # the sidebar slides in; a click on a moving target misses
    entry.click()
    wait_idle(page)
    closer = page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    if narrow and not opener.is_visible():
        closer.click()
        opener.wait_for()


def open_account(page: Page) -> None:
    """Unfold what stands behind the person's name at the top: the organisation to act for, and sign-out."""
    page.locator(".st-key-role-bar").get_by_test_id("stPopoverButton").click()
    page.get_by_test_id("stPopoverBody").wait_for()


def switch_role(page: Page, label: str) -> None:
    """See the page as another persona of the demo."""
    page.get_by_role("button", name="Switch role").click()
    page.get_by_role("menuitem", name=label, exact=True).click()
    wait_idle(page)


def expect_line(page: Page, text: str) -> None:
    """Wait until a text stands in the cells of a table in sight: they are drawn after the page says that it is ready."""
    # A reader's software is told of the cells of a canvas in a table that nobody sees, so there is nothing to be visible.
    expect(page.locator("[data-testid=stDataFrame] table, .list table").filter(has_text=text).first).to_be_attached()


def open_row(page: Page, row: int = 0) -> None:
    """Click a row of the first list of the page, beside its name."""
    page.locator(".list tbody tr").nth(row).locator("td").last.click()
    wait_idle(page)


def first_badge(page: Page) -> Locator:
    """The first badge under the role bar, which has one of its own in the demo: on an asset's page, its status."""
    return page.locator("[data-testid=stMain] .stMarkdownBadge:not(.st-key-role-bar *)").first


def beside(page: Page, label: str) -> str:
    """What stands in and under a text input, up to the next field: its label, what the rules say of it."""
    field = widget(page, "stTextInput", label)
    return field.locator("xpath=ancestor::*[@data-testid='stVerticalBlock'][1]").inner_text()


def typed(page: Page, label: str) -> str:
    """What stands in a text input now."""
    return widget(page, "stTextInput", label).locator("input").input_value()


_WORDS = """label => {
  const copy = label.cloneNode(true)
  for (const icon of copy.querySelectorAll('[data-testid=stIconMaterial], [role=img]')) icon.remove()
  return copy.textContent.trim()
}"""


def metrics(page: Page) -> dict[str, str]:
    """The figures on the page by their labels."""
    return {
        metric.get_by_test_id("stMetricLabel").evaluate(_WORDS): metric.get_by_test_id("stMetricValue").inner_text()
        for metric in page.get_by_test_id("stMetric").all()
    }


def click_map(page: Page, then: Locator, *, spread: float = 0, seconds: float = 120) -> None:
    """Click the middle of the map until what it opens is there; with `spread` (a part of its width) places about it too.

    WebGL drawn in software picks what is under a pointer that has come to rest, and on a busy machine not at once.
    """
    chart = page.get_by_test_id("stDeckGlJsonChart").first
    deadline = time.monotonic() + seconds
    places = itertools.cycle([(0, 0), *((spread * x, spread * y) for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)))])
    while not then.first.is_visible():
        assert time.monotonic() < deadline, "no click on the map was picked"
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box
        x, y = next(places)
        across, down = box["x"] + box["width"] * (0.5 + x), box["y"] + box["height"] * 0.5 + box["width"] * y
        page.mouse.move(across - 3, down)
        page.wait_for_timeout(600)
        page.mouse.move(across, down)
        page.wait_for_timeout(600)
        page.mouse.click(across, down)
        page.wait_for_timeout(800)
        wait_idle(page)
