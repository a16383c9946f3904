"""The desk as a file: at once for few assets, made by the worker for many, and fetched by a link of one's own (UC-02.04)."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.desk.export import FORMATS, OPEN
from services.assets.bulk.export.direct import WRITERS
from services.assets.bulk.export.jobs import list_exports, open_export_ticket
from services.assets.bulk.export.worker import work_through_exports
from services.assets.filters import load_filters
from services.core.file_tickets import DownloadKind, open_file_ticket
from services.core.register_settings import change_setting
from tests import factories
from tests.asset_factories import registered
from tests.pages.asset_portal import open_page, plain_text, press, quiet, somebody

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-02.04")]


def menu(persona: str = "northgate", **parameters: str) -> AppTest:
    """The desk with its menu of downloads open."""
    at = open_page(persona, "assets", **parameters)
    at.session_state[OPEN] = True
    return quiet(at.run())


def downloads(at: AppTest) -> list[str]:
    """The files that can be downloaded at once."""
    return [button.label for button in at.button if button.key == "export-now"]


def links(at: AppTest) -> list[tuple[str, str]]:
    """Where the files that are made can be fetched."""
    return [(one.proto.label, one.proto.url) for one in at.get("link_button")]


def tickets(at: AppTest) -> list[str]:
    """The tickets of files that the browser is told to fetch."""
    bodies = [html.proto.body for html in at.get("html")]
    return [ticket for body in bodies for ticket in re.findall(r"/api/files/download\?ticket=([\w.-]+)", body)]


def test_what_is_filtered_can_be_downloaded_in_every_format() -> None:
    actor = somebody("northgate")
    wanted, other = registered(actor), registered(actor)
    assert downloads(menu()) == ["Download 2 assets"]
    assert downloads(menu(q=wanted.asset_name)) == ["Download 1 asset"]
    assert downloads(open_page("northgate", "assets")) == [], "nothing is asked before the menu is opened"
    assert set(FORMATS) == set(WRITERS)
    at = press(menu(q=wanted.asset_name), "Download 1 asset")
    requests = [open_file_ticket(ticket) for ticket in tickets(at)]
    assert [request.kind for request in requests] == [DownloadKind.ASSETS]
    assert load_filters(requests[0].values["filters"]).text == wanted.asset_name
    assert other.asset_name


def test_many_are_made_by_the_worker_followed_and_fetched_by_a_link_of_ones_own() -> None:
    actor = somebody("northgate")
    registered(actor)
    registered(actor)
    change_setting(factories.administrator(), "export.direct_rows", "1", 0)
    at = menu()
    assert downloads(at) == []
    press(at, "Make a file of 2 assets")
    assert "Waits for its turn" in [one.proto.text for one in at.get("progress")]
    assert links(at) == []
    work_through_exports()
    at = quiet(at.run())
    (job,) = list_exports(actor)
    assert "Completed" in plain_text(at)
    assert "kept for 90 days" in plain_text(at)
    ((label, address),) = links(at)
    assert label.startswith("Download 2 assets")
    holder, opened = open_export_ticket(address.partition("ticket=")[2])
    assert (holder.user_id, opened) == (actor.user_id, job.id)
    press(at, "Remove")
    assert list_exports(actor) == []
    assert links(quiet(at.run())) == []


def test_an_export_under_way_can_be_cancelled_and_says_so() -> None:
    actor = somebody("northgate")
    registered(actor)
    registered(actor)
    change_setting(factories.administrator(), "export.direct_rows", "1", 0)
    at = menu()
    press(at, "Make a file of 2 assets")
    press(at, "Cancel")
    assert [job.status for job in list_exports(actor)] == ["Cancelled"]
    assert "Cancelled by Northgate Person" in plain_text(quiet(at.run()))
