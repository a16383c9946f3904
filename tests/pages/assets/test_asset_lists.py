"""Lists of assets in the portal: filters, the review queue, categories, and what an empty list says."""

import pytest
from streamlit.testing.v1 import AppTest

from services.assets.checks.queries import query_asset
from services.assets.registration.register import register_asset
from tests import factories
from tests.asset_factories import registered, values_for
from tests.pages.asset_portal import administrator, labels, open_page, plain_text, press, quiet, somebody
from tests.pages.tables import table, tables

pytestmark = pytest.mark.usefixtures("one_register")


def names(at: AppTest) -> list[str]:
    """The names in the table on the page."""
    return [name for view in tables(at)[:1] for name in view.column("Name")]


@pytest.mark.use_case("UC-05.01")
def test_an_empty_list_says_how_to_begin() -> None:
    somebody("northgate")
    at = open_page("northgate", "assets")
    assert "There is no asset here that you may see yet." in plain_text(at)
    assert [link.label for link in at.get("page_link")] == ["Register the first asset"] or any(
        "Register the first asset" in str(link.proto) for link in at.get("page_link")
    )


@pytest.mark.use_case("UC-05.02")
def test_who_reads_numbers_only_is_led_to_them() -> None:
    register_asset(somebody("northgate"), values_for("HEAT_PUMP"))
    office = factories.make_organisation("Ofgem", ("Regulator",))
    factories.make_user(
        office, ["organisation_admin", "regulator"], email="peter.lang@ofgem.example.org", name="Peter Lang"
    )
    at = open_page("ofgem", "assets")
    assert "not asset by asset" in plain_text(at)
    assert "The register in numbers" in "".join(str(link.proto) for link in at.get("page_link"))


@pytest.mark.use_case("UC-05.01")
def test_filters_narrow_the_list_and_stand_in_the_address() -> None:
    actor = somebody("northgate")
    battery = registered(actor)
    pump = register_asset(actor, values_for("HEAT_PUMP", AssetName="Heat pump 1"))
    at = open_page("northgate", "assets", view="Table")
    assert names(at) == [pump.asset_name, battery.asset_name], "newest first"
    assert "2 assets" in plain_text(at)
    assert names(open_page("northgate", "assets", view="Table", category="HEAT_PUMP")) == ["Heat pump 1"]
    assert names(open_page("northgate", "assets", view="Table", q=str(battery.serial_number))) == [battery.asset_name]
    none = open_page("northgate", "assets", view="Table", status="Query")
    assert "No asset passes these filters." in plain_text(none)
    press(none, "Clear the filters")
    assert len(names(none)) == 2


@pytest.mark.use_case("UC-05.01")
def test_pages_of_a_long_list_are_turned_forth_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = somebody("northgate")
    monkeypatch.setattr("pages.components.desk.table.PAGE_SIZE", 2)
    made = [registered(actor).asset_name for _ in range(3)]
    at = open_page("northgate", "assets", view="Table")
    assert names(at) == [made[2], made[1]]
    press(at, "Next")
    assert names(at) == [made[0]]
    assert "3 to 3 of 3" in plain_text(at)
    press(at, "Back")
    assert names(at) == [made[2], made[1]]


@pytest.mark.use_case("UC-02.01")
def test_the_review_queue_says_whose_turn_it_is() -> None:
    actor, admin = somebody("northgate"), administrator()
    first, second = registered(actor), registered(actor)
    query_asset(admin, first.id, "Which inverter is it?", first.version)
    at = open_page("administrator", "review", walk="List")
    row = table(at).row(first.asset_name)
    assert (row["With"], row["Status"]) == ("The FSP", "Query")
    assert "Which inverter is it?" in row["Last message"]
    row = table(at).row(second.asset_name)
    assert (row["With"], row["Working days"]) == ("The sources", "0")
    table(at).open(second.asset_name)
    assert second.asset_name in plain_text(at), "the row shows the asset with its decision"
    assert not tables(at)


@pytest.mark.use_case("UC-05.01")
def test_a_range_of_capacity_stands_in_the_address_in_the_unit_it_was_given_in() -> None:
    actor = somebody("northgate")
    small = registered(actor, RatedCapacity="500", GenCapacity="500", DemandCapacity="500").asset_name
    large = registered(actor).asset_name
    assert names(open_page("northgate", "assets", view="Table", to="500")) == [small]
    at = open_page("northgate", "assets", view="Table", unit="MW", **{"from": "0.6"})
    assert names(at) == [large]
    assert "Rated from (MW)" in [str(one.label) for one in at.number_input]
    press(at, "Clear the filters")
    assert names(at) == [large, small]


@pytest.mark.use_case("UC-05.07")
def test_a_category_shows_its_attributes() -> None:
    somebody("northgate")
    at = open_page("northgate", "categories", category="EV_CHARGER")
    assert at.subheader[0].value == "EV Charger"
    shown = at.dataframe[0].value.set_index("Attribute")
    assert "ConnectorType" in set(shown["Term"])
    shared = at.dataframe[1].value.set_index("Term")
    assert shared.loc["ImportMPAN", "Mandatory"] == "Yes"


@pytest.mark.use_case("UC-05.01")
def test_an_operator_filters_by_the_networks_it_runs() -> None:
    somebody("ukpn", roles=("DNO",), licence_areas=("UKPN_EPN", "UKPN_LPN"))
    registered(somebody("northgate"))
    at = open_page("ukpn", "assets", view="Table")
    assert len(names(at)) == 1
    assert "Distribution network" in labels(at)
    network = at.get_by_key("dno")
    assert len(network.options) == 2
    quiet(network.set_value(["UK Power Networks - London Power Networks"]).run())
    assert "No asset passes these filters." in plain_text(at)
