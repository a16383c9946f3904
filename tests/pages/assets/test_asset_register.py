"""Registering an asset in the portal: what people see, type, correct and get (UC-02.01)."""

from typing import Any

import pytest

from models.assets import AssetStatus, CategorySchema, CodeListEntry, SchemaStatus
from services.assets.reading.listing import list_assets
from services.assets.registration.drafts import list_drafts
from services.core.clock import now, today
from services.core.identity.actor import system_actor
from services.core.transaction import Stamp, current_session, unit_of_work
from tests.asset_factories import an_mpan, battery, registered
from tests.pages.asset_portal import attributes, fill, labels, open_page, plain_text, press, quiet, somebody

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-02.01")]
SLOT = "register"
NOT_TYPED = {"AssetCategory", "Latitude", "Longitude", "AssetModel"}


def typed(**changes: Any) -> dict[str, Any]:
    """A battery as a person types it."""
    values = {term: str(value) for term, value in battery().items() if term not in NOT_TYPED}
    return {**values, **changes}


def begun(category: str = "BESS") -> Any:
    """The page with a category chosen."""
    at = open_page("northgate", "register_asset")
    return fill(at, SLOT, {"AssetCategory": category})


def test_the_form_follows_the_category() -> None:
    somebody("northgate")
    at = open_page("northgate", "register_asset")
    assert "Category *" in labels(at)
    assert "Asset name *" not in labels(at)
    fill(at, SLOT, {"AssetCategory": "BESS"})
    assert {"Asset name *", "Storage capacity (kWh)", "Rated capacity (kW) *"} <= set(labels(at))
    assert "One of these is needed: Import MPAN or Export MPAN." in plain_text(at)
    assert at.get_by_key(f"{SLOT}/FuelType_EnergySource").value == "GRID", "what the category suggests is filled in"
    fill(at, SLOT, {"AssetCategory": "HEAT_PUMP"})
    assert "Import MPAN *" in labels(at)
    assert "Storage capacity (kWh)" not in labels(at)


def test_all_mistakes_show_at_once_beside_their_fields_and_nothing_typed_is_lost() -> None:
    actor = somebody("northgate")
    at = begun()
    fill(at, SLOT, typed(RatedCapacity="2,500", AssetName="", SerialNumber="A!1"))
    press(at, "Register the asset")
    summary = at.error[0].value.replace("\\", "")
    assert "3 fields need attention" in summary
    for words in ("Enter the asset name.", "2,500 isn't a number of kW", "The serial number A!1 has a character"):
        assert words in summary
    assert plain_text(at).count("Enter the asset name.") == 2, "once in the summary, once beside the field"
    assert at.get_by_key(f"{SLOT}/RatedCapacity").value == "2,500"
    assert not list_assets(actor).items
    fill(at, SLOT, {"AssetName": "Riverside 1", "RatedCapacity": "2500.00", "SerialNumber": "AD-1"})
    assert "Nothing to correct" in at.success[0].value, "the rules are asked again at every change"
    press(at, "Register the asset")
    asset = list_assets(actor).items[0]
    assert (asset.asset_name, asset.status) == ("Riverside 1", AssetStatus.PENDING_VALIDATION)
    assert at.title[0].value == "Riverside 1"
    assert "What happens next" in plain_text(at)
    assert not list_drafts(actor), "the draft became the asset"


def test_warnings_ask_for_a_justification_that_stays_with_the_record() -> None:
    actor = somebody("northgate")
    at = begun()
    fill(at, SLOT, typed(DNOConnection="NPG_YK", Postcode=""))
    press(at, "Register the asset")
    assert "1 value needs a reason" in at.warning[0].value
    assert not list_assets(actor).items
    fill(at, SLOT, {"_justification": "The host network is Northern Powergrid."})
    press(at, "Register the asset")
    asset = list_assets(actor).items[0]
    assert asset.justifications[0]["text"] == "The host network is Northern Powergrid."


def test_power_typed_in_megawatts_is_kept_exactly_in_kilowatts() -> None:
    actor = somebody("northgate")
    at = begun()
    fill(at, SLOT, typed())
    at.get_by_key(f"{SLOT}/_unit").set_value("MW")
    quiet(at.run())
    assert at.get_by_key(f"{SLOT}/RatedCapacity").value == "2.5", "what stood there was converted"
    fill(at, SLOT, {"RatedCapacity": "2.50001"})
    assert "= 2,500.01 kW" in plain_text(at)
    press(at, "Register the asset")
    assert str(list_assets(actor).items[0].rated_capacity) == "2500.01"


def test_an_mpan_explains_itself_as_it_is_typed() -> None:
    somebody("northgate")
    at = begun()
    mpan = an_mpan("12")
    fill(at, SLOT, {"ImportMPAN": f"00 801 123 {mpan}"})
    assert f"Reduced to the 13-digit core **{mpan}**" in plain_text(at)
    assert "GSP group London (_C)" in plain_text(at)
    assert at.get_by_key(f"{SLOT}/DNOConnection").value == "UKPN_LPN"
    fill(at, SLOT, {"ImportMPAN": "12345"})
    assert "this has 5" in plain_text(at)


def test_the_form_marks_what_these_values_make_mandatory_and_fills_in_what_it_knows() -> None:
    somebody("northgate")
    at = begun()
    assert at.get_by_key(f"{SLOT}/EffectiveDate").value == f"{today():%d/%m/%Y}", (
        "effective from today, unless said otherwise"
    )
    fill(at, SLOT, {"CommissioningDate": "2025-06-30", "ConnectionStatus": "PENDING"})
    assert "Commissioned on" in labels(at)
    fill(at, SLOT, {"ConnectionStatus": "CONNECTED"})
    assert {"Commissioned on *", "Distribution network *"} <= set(labels(at))
    assert at.get_by_key(f"{SLOT}/CommissioningDate").value == "2025-06-30", "a mark empties no field"
    fill(at, SLOT, {"ImportMPAN": an_mpan("12")})
    assert at.get_by_key(f"{SLOT}/DNOConnection").value == "UKPN_LPN"
    fill(at, SLOT, {"ImportMPAN": an_mpan("10")})
    assert at.get_by_key(f"{SLOT}/DNOConnection").value == "UKPN_EPN", "what was filled in follows"
    fill(at, SLOT, {"DNOConnection": "NPG_YK"})
    fill(at, SLOT, {"ImportMPAN": an_mpan("12")})
    assert at.get_by_key(f"{SLOT}/DNOConnection").value == "NPG_YK", "what somebody chose stays"
    press(at, "Set the distribution network to UK Power Networks - London Power Networks")
    assert at.get_by_key(f"{SLOT}/DNOConnection").value == "UKPN_LPN"


def test_a_position_in_eastings_and_northings_says_where_it_is() -> None:
    actor = somebody("northgate")
    at = begun()
    at.get_by_key(f"{SLOT}/_place").set_value("metres")
    quiet(at.run())
    fill(at, SLOT, typed(Postcode="") | {"Easting": "545000", "Northing": "258000"})
    assert "GSP group Eastern (_A)" in plain_text(at)
    press(at, "Register the asset")
    asset = list_assets(actor).items[0]
    assert asset.position_source == "eastings"
    assert asset.latitude == pytest.approx(52.2, abs=0.1)


@pytest.mark.parametrize(
    ("text", "words"),
    [("31/02/2026", "February 2026 has 28 days"), ("31/04/2026", "April 2026 has 30 days"), ("soon", "Write the day")],
)
def test_a_day_that_there_is_not_is_refused_and_stays_as_it_was_typed(text: str, words: str) -> None:
    actor = somebody("northgate")
    at = begun()
    fill(at, SLOT, typed(CommissioningDate=text))
    assert words in plain_text(at)
    draft = list_drafts(actor)[0]
    press(at, "Register the asset")
    assert not list_assets(actor).items
    assert f"{text} isn't a date" in plain_text(at)
    assert at.get_by_key(f"{SLOT}/CommissioningDate").value == text
    again = open_page("northgate", "register_asset", draft=str(draft.id))
    assert again.get_by_key(f"{SLOT}/CommissioningDate").value == text
    fill(at, SLOT, {"CommissioningDate": "5/6/2025"})
    assert "= 5 Jun 2025" in plain_text(at)
    assert list_drafts(actor)[0].values["CommissioningDate"] == "2025-06-05", "programs read drafts too"
    press(at, "Register the asset")
    assert str(list_assets(actor).items[0].commissioning_date) == "2025-06-05"


def test_a_pin_far_from_its_postcode_is_warned_about_with_the_distance() -> None:
    actor = somebody("northgate")
    at = begun()
    at.get_by_key(f"{SLOT}/_place").set_value("degrees")
    quiet(at.run())
    fill(at, SLOT, typed(Postcode="CB1 2JD") | {"Latitude": "51.515", "Longitude": "0.436"})
    assert "78 km from the centre of CB1" in plain_text(at), "while the position is typed"
    press(at, "Register the asset")
    assert "The position is 78 km from the postcode CB1 2JD" in plain_text(at)
    assert not list_assets(actor).items


def test_a_form_comes_back_after_a_reload_and_from_the_list_of_drafts() -> None:
    actor = somebody("northgate")
    at = begun()
    fill(at, SLOT, typed(AssetName="Half done"))
    assert "Draft saved" in plain_text(at)
    draft = list_drafts(actor)[0]
    assert at.query_params["draft"] == str(draft.id)
    again = open_page("northgate", "register_asset", draft=str(draft.id))
    assert again.get_by_key(f"{SLOT}/AssetName").value == "Half done"
    assert again.get_by_key(f"{SLOT}/StorageCapacity_kWh").value == "5000"
    assert again.get_by_key(f"{SLOT}/CommissioningDate").value == "30/06/2025"
    fresh = open_page("northgate", "register_asset")
    assert "Half done" in plain_text(fresh)
    press(fresh, "Continue")
    assert fresh.get_by_key(f"{SLOT}/AssetName").value == "Half done"
    press(fresh, "Discard this draft")
    assert not list_drafts(actor)
    assert fresh.get_by_key(f"{SLOT}/AssetCategory").value is None


@pytest.mark.parametrize("way", ["Put both together, mine where both changed", "Take what the other tab has"])
def test_two_tabs_on_one_draft_lose_nothing_silently(way: str) -> None:
    actor = somebody("northgate")
    first = begun()
    fill(first, SLOT, typed(AssetName="Alpha"))
    draft = list_drafts(actor)[0]
    second = open_page("northgate", "register_asset", draft=str(draft.id))
    fill(second, SLOT, {"AssetName": "Beta", "StorageCapacity_kWh": "4000"})
    fill(first, SLOT, {"DemandCapacity": "2300.00", "StorageCapacity_kWh": "4400"})
    assert "changed in another tab" in plain_text(first)
    assert list_drafts(actor)[0].values["AssetName"] == "Beta", "the other tab's work stands until a person has chosen"
    table = first.dataframe[0].value.set_index("Field")
    assert list(table.loc["Asset name"]) == ["Alpha", "Beta", "not touched"]
    assert list(table.loc["Storage capacity"])[1:] == ["4000", "4400"]
    press(first, "Register the asset")
    assert not list_assets(actor).items
    press(first, way)
    mine = way.startswith("Put")
    saved = list_drafts(actor)[0].values
    assert (saved["AssetName"], saved["StorageCapacity_kWh"]) == ("Beta", "4400" if mine else "4000")
    assert saved["DemandCapacity"] == ("2300.00" if mine else typed()["DemandCapacity"])
    assert first.get_by_key(f"{SLOT}/AssetName").value == "Beta"
    assert "changed in another tab" not in plain_text(first)
    press(first, "Register the asset")
    assert [asset.asset_name for asset in list_assets(actor).items] == ["Beta"]


def test_handing_in_asks_about_what_another_tab_typed_since() -> None:
    actor = somebody("northgate")
    first = begun()
    fill(first, SLOT, typed(AssetName="Alpha"))
    second = open_page("northgate", "register_asset", draft=str(list_drafts(actor)[0].id))
    fill(second, SLOT, {"AssetName": "Beta"})
    press(first, "Register the asset")
    assert not list_assets(actor).items
    assert "changed in another tab" in plain_text(first)


def test_a_form_keeps_what_was_typed_while_its_owner_visits_another_page() -> None:
    somebody("northgate")
    at = begun()
    fill(at, SLOT, {"AssetName": "Half done", "StorageCapacity_kWh": "4000"})
    quiet(at.switch_page("pages/assets/categories.py").run())
    quiet(at.switch_page("pages/assets/register_asset.py").run())
    assert at.get_by_key(f"{SLOT}/AssetName").value == "Half done"
    assert at.get_by_key(f"{SLOT}/StorageCapacity_kWh").value == "4000"


def test_a_duplicate_leads_to_the_asset_that_is_there_already() -> None:
    actor = somebody("northgate")
    asset = registered(actor, SerialNumber="SAME-1", Manufacturer="Ampere")
    at = begun()
    fill(at, SLOT, typed(SerialNumber="SAME-1", Manufacturer="Ampere"))
    press(at, "Register the asset")
    assert "registered already" in plain_text(at)
    links = [link.proto.query_string for link in at.get("page_link")]
    assert any(str(asset.id) in link for link in links)
    assert len(list_assets(actor).items) == 1


def look_up(at: Any, mpan: str) -> str:
    """Look an MPAN up; what the page says."""
    at.get_by_key("look-up/mpan").set_value(mpan)
    press(at, "Look up")
    return plain_text(at)


def test_a_look_up_tells_mine_anothers_none_and_malformed_apart() -> None:
    mine, other = registered(somebody("northgate")), registered(somebody("kelvin"))
    at = open_page("northgate", "lookup")
    assert mine.asset_name in look_up(at, str(mine.import_mpan))
    told = look_up(at, str(other.import_mpan))
    assert "Registered by another provider." in told
    assert "switch" in told
    assert other.asset_name not in told
    assert "this has 3" in look_up(at, "123")
    free = an_mpan("12")
    assert "No active asset has this MPAN" in look_up(at, free)
    press(at, "Register it with what is known")
    quiet(at.switch_page("pages/assets/register_asset.py").run())
    fill(at, SLOT, {"AssetCategory": "BESS"})
    assert at.get_by_key(f"{SLOT}/ImportMPAN").value == free
    assert at.get_by_key(f"{SLOT}/DNOConnection").value == "UKPN_LPN"


def test_a_category_that_an_administrator_made_can_be_registered_unseen() -> None:
    actor = somebody("northgate")
    document = {
        "title": "Tidal Stream Turbine",
        "description": "Power from tidal currents.",
        "type": "object",
        "x-kind": "gen",
        "x-mandatory": ["GenCapacity"],
        "x-hidden": ["FuelType_DemandTechType"],
        "properties": {
            "RotorDiameter_m": {"type": "number", "title": "Rotor diameter", "x-unit": "m", "exclusiveMinimum": 0},
            "Seabed": {"type": "string", "title": "Seabed", "enum": ["ROCK", "SAND"]},
            "Moored": {"type": "boolean", "title": "Moored"},
            "Surveys": {"type": "array", "title": "Surveys", "items": {"enum": ["2024", "2025"]}},
            "SurveyedOn": {"type": "string", "format": "date", "title": "Surveyed on"},
        },
        "required": ["RotorDiameter_m"],
        "additionalProperties": False,
    }
    with unit_of_work(Stamp("test_data", "UC-05.07", system_actor()), writes=True):
        session = current_session()
        session.add(
            CodeListEntry(list_name="AssetCategory", code="TIDAL", label="Tidal Stream Turbine", applies_to="Gen")
        )
        made = CategorySchema(category="TIDAL", schema_version=1, document=document, published_at=now())
        made.status = SchemaStatus.PUBLISHED
        session.add(made)
    at = begun("TIDAL")
    values = typed()
    del values["StorageCapacity_kWh"]
    fill(at, SLOT, values)
    press(at, "Register the asset")
    assert "Enter the rotor diameter." in plain_text(at)
    fill(at, SLOT, {"RotorDiameter_m": "18.5", "Seabed": "ROCK", "Moored": "true", "Surveys": ["2024", "2025"]})
    press(at, "Register the asset")
    asset = list_assets(actor).items[0]
    assert asset.category_attributes == {
        "RotorDiameter_m": 18.5,
        "Seabed": "ROCK",
        "Moored": True,
        "Surveys": ["2024", "2025"],
    }
    assert "18.5 m" in attributes(at, "Value")["Rotor diameter"]
