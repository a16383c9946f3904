"""Market units in the portal: listed, built from a basket, changed with a preview, as of a day, ended, re-assigned."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from models.participants import Organisation
from services.core.clock import now
from services.core.identity.actor import Actor
from services.market.unit_changes.composition import update_composition
from services.market.units.listing import list_units
from services.market.units.members import list_members
from services.market.units.units import get_unit
from tests import factories
from tests.asset_factories import an_mpan, registered
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text
from tests.pages.tables import table
from tests.unit_factories import make_unit, verified

pytestmark = pytest.mark.usefixtures("one_register")


def northgate(name: str = "Northgate plc") -> tuple[Actor, Organisation]:
    """An FSP's user, who can sign in."""
    organisation = factories.make_organisation(name)
    return be("northgate", organisation, ["fsp_user"]), organisation


def links(at: AppTest) -> list[str]:
    """Where the page's links lead, with their parameters."""
    return [f"{one.proto.label} {one.proto.query_string}" for one in at.get("page_link")]


@pytest.mark.use_case("UC-03.01")
def test_an_empty_list_says_why_and_how_it_begins() -> None:
    northgate()
    at = open_page("northgate", "market/units")
    assert "no market unit here that you may see yet" in text(at)
    assert any("Build the first unit" in one for one in links(at))
    assert "None of your Verified assets" in text(open_page("northgate", "market/build_unit"))


@pytest.mark.use_case("UC-03.01")
def test_units_are_listed_by_filters_in_the_address() -> None:
    actor, _ = northgate()
    make_unit(actor, code="D-1", name="Dock *batteries*")
    make_unit(actor, code="R-1", name="Reserve ones", family="RESERVE")
    at = open_page("northgate", "market/units")
    assert table(at).column("Code") == ["R-1", "D-1"]
    at = open_page("northgate", "market/units", family="DSO")
    assert table(at).column("Code") == ["D-1"]
    at = open_page("northgate", "market/units", q="nothing like it")
    assert "No unit passes these filters" in text(at)
    press(at, "Clear the filters")
    assert len(table(at).rows) == 2


@pytest.mark.use_case("UC-05.01")
def test_a_row_opens_and_headings_sort_the_whole_list() -> None:
    actor, _ = northgate()
    make_unit(actor, code="B-1", name="Bay")
    make_unit(actor, code="A-1", name="=Anchor")
    at = open_page("northgate", "market/units")
    units = table(at)
    assert units.column("Name") == ["=Anchor", "Bay"]
    assert units.address("Bay").startswith("/market-unit?id=")
    units.sort("Name")
    assert at.query_params["order"] == "By name"
    assert table(at).data["order"] == "name"
    assert table(at).download()[1][0] == "'=Anchor", "a spreadsheet runs nothing that somebody typed"
    assert at.selectbox(key="order").value == "name"
    table(at).open("Bay")
    assert at.title[0].value == "Bay"


@pytest.mark.use_case("UC-05.01")
def test_filters_are_saved_as_a_view_and_a_page_opens_with_the_pinned_one() -> None:
    actor, _ = northgate()
    make_unit(actor, code="D-1", name="Dock batteries")
    at = open_page("northgate", "market/units", family="DSO flexibility", order="By name")
    table(at).ask_views(act="save", name="Mine")
    view = table(at).data["views"][0]
    assert (view["name"], parse_qs(view["query"])) == ("Mine", {"family": ["DSO flexibility"], "order": ["By name"]})
    table(at).ask_views(act="save", name="n" * 61)
    assert "Enter a name of 1 to 60 characters." in text(at)
    table(at).ask_views(act="pin", id=view["id"], pinned=True)
    assert table(open_page("northgate", "market/units")).data["pinned"] == view["query"]
    assert not table(open_page("northgate", "market/units", q="dock")).data["pinned"], "an address that says more wins"
    assert not table(open_page("northgate", "market/products")).data["views"], "views belong to their page"
    table(at).ask_views(act="delete", id=view["id"])
    assert not table(at).data["views"]


@pytest.mark.use_case("UC-05.01")
def test_a_file_holds_the_whole_list_and_the_page_only_its_first_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, _ = northgate()
    for number in range(3):
        make_unit(actor, code=f"U-{number}", name=f"Unit {number}")
    monkeypatch.setattr("pages.components.unit.table.PAGE_SIZE", 2)
    monkeypatch.setattr("pages.components.unit.table.LONGEST_PAGE", 2)
    at = open_page("northgate", "market/units", order="By name")
    assert table(at).column("Code") == ["U-0", "U-1"]
    assert [row[1] for row in table(at).download()] == ["Code", "U-0", "U-1", "U-2"]
    assert table(at).data["file"], "sent once"
    assert table(at.run()).data["file"] is None


@pytest.mark.use_case("UC-03.01")
def test_a_unit_is_built_from_all_that_pass_the_filters() -> None:
    actor, _ = northgate()
    for power in ("1000", "2000"):
        verified(actor, RatedCapacity=power, GenCapacity=power, DemandCapacity=power)
    registered(actor)
    at = open_page("northgate", "market/build_unit")
    assert "2 assets are free and pass the filters" in text(at)
    assert "Your basket is empty" in "".join(one.value for one in at.info)
    press(at, "Add all 2")
    shown = text(at)
    assert "Basket: 2 assets" in shown
    assert "3 MW" in shown
    assert "SPG" in shown
    assert "What it would be eligible for" in shown
    press(at, "Make the unit")
    assert "Give the unit a name" in "".join(one.value for one in at.error)
    at.text_input(key="unit-name").set_value("Riverside [x](http://evil)").run()
    at.text_input(key="unit-code").set_value("RIV-1").run()
    press(at, "Make the unit")
    [made] = list_units(actor).items
    assert (made.code, made.assets) == ("RIV-1", 2)
    assert at.title[0].value == r"Riverside \[x\]\(http://evil\)".replace(":", r"\:")
    assert "None of your Verified assets" in text(open_page("northgate", "market/build_unit"))


@pytest.mark.use_case("UC-03.01")
def test_what_cant_go_in_is_named_with_a_link_and_can_be_left_out() -> None:
    actor, _ = northgate()
    taken, free = verified(actor), verified(actor)
    there = make_unit(actor, taken)
    at = open_page("northgate", "market/build_unit")
    at.session_state["unit!basket"] = {taken.id: None, free.id: None}
    quiet(at.run())
    assert "Riverside (RIV-1) already" in text(at)
    assert any(str(there.unit.id) in one for one in links(at))
    assert "Make the unit" not in [button.label for button in at.button]
    press(at, "Leave these out")
    assert "Basket: 1 asset" in text(at)
    assert "Make the unit" in [button.label for button in at.button]


@pytest.mark.use_case("UC-03.01")
def test_a_unit_shows_what_it_can_do_and_which_assets_set_that() -> None:
    actor, _ = northgate()
    slow = verified(actor, AssetName="Slow one", ResponseTime_s=9)
    fast = verified(actor, AssetName="Fast one", ResponseTime_s=1)
    made = make_unit(actor, slow, fast)
    at = open_page("northgate", "market/unit", id=str(made.unit.id))
    shown = text(at)
    assert "5 MW" in shown
    assert "Set by the slowest of 2 assets." in shown
    assert "The slowest: Slow one" in shown
    assert "Eastern (_A)" in shown
    at = open_page("northgate", "market/unit", id=str(made.unit.id), part="Assets")
    assert set(at.dataframe[0].value["Name"]) == {"Slow one", "Fast one"}
    at = open_page("northgate", "market/unit", id=str(made.unit.id), part="History")
    assert "Create unit" in text(at)
    asset = open_page("northgate", "assets/asset", id=str(slow.id))
    assert any("In the DSO flexibility unit Riverside" in one and str(made.unit.id) in one for one in links(asset))


@pytest.mark.use_case("UC-03.03")
def test_more_assets_go_in_once_what_it_means_has_been_said() -> None:
    actor, _ = northgate()
    made = make_unit(actor, verified(actor))
    more = verified(actor)
    at = open_page("northgate", "market/build_unit", into=str(made.unit.id))
    at.session_state["unit!basket"] = {more.id: None}
    quiet(at.run())
    assert "The change is material, because" in text(at) + "".join(one.value for one in at.info)
    press(at, "Confirm: 1 asset in")
    assert {one.asset_id for one in list_members(actor, made.unit.id).items} >= {more.id}
    assert at.title[0].value == "Riverside"


@pytest.mark.use_case("UC-03.03")
def test_a_unit_is_shown_as_of_a_day() -> None:
    actor, _ = northgate()
    start = now()
    with time_machine.travel(start - timedelta(days=10), tick=True):
        old = verified(actor, AssetName="The old one")
        made = make_unit(actor, old)
    new = verified(actor, AssetName="The new one")
    update_composition(actor, made.unit.id, made.unit.version, add=[new.id], remove=[old.id])
    day = (start - timedelta(days=5)).date().isoformat()
    at = open_page("northgate", "market/unit", id=str(made.unit.id), as_of=day)
    assert "The unit as it stood at the end of" in "".join(one.value for one in at.warning).replace("**", "")
    assert list(at.dataframe[0].value["Name"]) == ["The old one"]
    before = (start - timedelta(days=20)).date().isoformat()
    at = open_page("northgate", "market/unit", id=str(made.unit.id), as_of=before)
    assert "wasn't there yet" in "".join(one.value for one in at.info)


@pytest.mark.use_case("UC-03.04")
def test_a_unit_is_deregistered_with_a_reason() -> None:
    actor, _ = northgate()
    made = make_unit(actor)
    at = open_page("northgate", "market/unit", id=str(made.unit.id))
    press(at, "De-register")
    press(at, "De-register for good")
    assert "Nothing is done yet" in text(at)
    at.text_input(key=f"unit-end-{made.unit.id}-word").set_value("de-register").run()
    press(at, "De-register for good")
    assert "Say why the unit is" in text(at)
    at.text_area(key=f"unit-end-{made.unit.id}").set_value("Replaced by RIV-2").run()
    press(at, "De-register for good")
    assert get_unit(actor, made.unit.id).unit.status == "DEREGISTERED"
    assert "De-registered: Replaced by RIV-2" in text(at)
    assert "De-register" not in [button.label for button in at.button]


@pytest.mark.use_case("UC-03.02")
def test_the_administrator_reassigns_a_unit_on_evidence() -> None:
    actor, _ = northgate()
    be_administrator()
    gaining = factories.make_organisation("Kelvin Heat LLP")
    made = make_unit(actor, verified(actor, ImportMPAN=an_mpan()))
    at = open_page("administrator", "market/unit", id=str(made.unit.id))
    press(at, "Re-assign to another FSP")
    at.selectbox(key=f"unit-to-{made.unit.id}").set_value(gaining.id).run()
    at.text_area(key=f"unit-evidence-{made.unit.id}").set_value("Contract of sale, 3 May 2026").run()
    press(at, "Re-assign now")
    found = get_unit(factories.make_actor(gaining), made.unit.id)
    assert found.unit.service_provider_id == gaining.id
    assert "Re-assigned on this evidence: Contract of sale, 3 May 2026" in text(at)


@pytest.mark.use_case("UC-03.01")
def test_a_unit_of_somebody_else_isnt_there() -> None:
    rival = factories.make_fsp("Rival Ltd")
    made = make_unit(rival)
    northgate()
    at = open_page("northgate", "market/unit", id=str(made.unit.id))
    assert "that you may see" in text(at)
    assert made.unit.name not in text(at)
    assert "choose it first" in "".join(one.value for one in open_page("northgate", "market/unit").info)
