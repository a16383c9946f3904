"""Home: what waits, the register in numbers, recent changes; each role sees what it may (UC-05.02)."""

from datetime import timedelta

import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from services.assets.checks.queries import answer_query, query_asset
from services.assets.registration.drafts import save_draft
from services.assets.registration.register import register_asset
from services.assets.registration.submissions import return_draft, submit_draft
from services.assets.registration.update import update_asset
from services.core.clock import now
from services.core.identity.actor import Actor
from services.governance.waiting import Errand, waiting_assets, what_waits
from services.participants.clients import create_client
from tests import asset_factories, factories
from tests.pages.portal import be, be_administrator, open_page, text

pytestmark = [pytest.mark.use_case("UC-05.02"), pytest.mark.usefixtures("one_register")]


def links(at: AppTest) -> dict[str, str]:
    """The links on a page: their words, without marks of Markdown, and the query of their address."""
    found = at.get("page_link")
    return {one.proto.label.replace("**", "").replace("\\", ""): one.proto.query_string for one in found}


def provider() -> Actor:
    """Bramble, whose person is also its administrator."""
    return be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user", "organisation_admin"])


def installer() -> Actor:
    """OpenMeter's person."""
    return be("installer", factories.make_organisation("OpenMeter CIC", ("Installer",)), ["installer"], "Kit Rowan")


def test_an_empty_register_says_how_to_begin_to_each_role() -> None:
    be_administrator()
    provider()
    installer()
    be("ukpn", factories.make_organisation("UKPN", ("DNO",), licence_areas=["UKPN_EPN"]), ["so_user"])
    be("ofgem", factories.make_organisation("Ofgem", ("Regulator",)), ["regulator"])
    be("viewer", factories.make_organisation("Ampere Ltd", ("Technology Provider / OEM",)), ["viewer"])
    expected = {
        "administrator": ("No asset is registered yet.", "Register the first organisations"),
        "bramble": ("No asset of yours is registered yet.", "Register your first asset"),
        "installer": ("Nothing has been registered from your data yet.", "Prepare an asset for a provider"),
        "ukpn": ("No asset is registered yet that you may see.", "See who takes part"),
        "ofgem": ("nothing to count", "See what is asked of each kind of asset"),
        "viewer": ("nothing to count", "See who takes part"),
    }
    for persona, (words, step) in expected.items():
        at = open_page(persona)
        assert words in text(at), persona
        assert step in links(at), persona
    assert "Your tasks" not in text(open_page("viewer"))


def test_the_administrator_is_led_to_what_waits() -> None:
    administrator = be_administrator()
    factories.make_organisation("Tidewater Energy Ltd", active=False)
    factories.make_organisation("Lumen Storage plc", active=False)
    kelvin = factories.make_fsp("Kelvin Energy Ltd")
    asset_factories.registered(kelvin)
    asked = [asset_factories.registered(kelvin) for _ in range(2)]
    for asset in asked:
        query_asset(administrator, asset.id, "Which meter is it?", asset.version)
    answer_query(kelvin, asked[0].id, "The one at the gate.", asked[0].version + 1)
    at = open_page("administrator")
    found = links(at)
    assert "2 organisations wait for your approval" in found
    assert found["1 answered query waits for your decision"] == "what=answered"
    assert found["2 assets in all are pending validation"] == "status=PENDING_VALIDATION"
    assert found["1 asset has a query that its provider has to answer"] == "status=QUERY"
    assert "No edition of the Embedded Capacity Register is loaded" in found
    assert "Tidewater Energy Ltd" in " ".join(found)
    assert [one.id for one in waiting_assets(administrator, Errand.ANSWERED)] == [asked[0].id]
    at = open_page("administrator", "waiting", what="answered")
    assert asked[0].asset_name in text(at)
    assert asked[1].asset_name not in text(at)
    with time_machine.travel(now() + timedelta(days=40)):
        assert what_waits(administrator).assets[Errand.OVERDUE] == 1


def test_a_provider_sees_its_own_in_numbers_and_what_happened() -> None:
    bramble = provider()
    other = factories.make_fsp("Kelvin Energy Ltd")
    for _ in range(3):
        asset_factories.registered(bramble)
    hidden = asset_factories.registered(other, AssetName="Secret battery")
    at = open_page("bramble")
    words = text(at)
    assert "Active assets 3" in words
    assert "Rated power 7.5 MW" in words
    assert "New this month 3" in words
    found = links(at)
    assert hidden.asset_name not in words + " ".join(found)
    assert found["3 assets are being checked"] == "what=pending"
    assert sum("battery" in label and "registered" in label for label in found) == 3
    assert len(at.get("plotly_chart")) == 4


def test_a_provider_sees_which_query_is_due_when_drafts_and_credentials() -> None:
    bramble, kit = provider(), installer()
    asset = asset_factories.registered(bramble, AssetName="Asked battery")
    query_asset(factories.administrator(), asset.id, "Which meter?", asset.version)
    save_draft(bramble, {"AssetName": "Half a battery", "AssetCategory": "BESS", "RatedCapacity": "5"})
    submit_draft(kit, asset_factories.battery(AssetName="Weir hub"), bramble.organisation_id)
    assert bramble.organisation_id
    create_client(bramble, bramble.organisation_id, "Nightly export", ["fsp_user"], now() + timedelta(days=9))
    found = links(open_page("bramble"))
    assert found["1 asset has a query to answer"] == "what=query"
    due = next(label for label in found if label.startswith("Asked battery: answer by"))
    assert due.endswith("20 working days left")
    assert found[due] == f"id={asset.id}"
    draft = next(label for label in found if label.startswith("Half a battery, Battery Energy Storage System"))
    assert "3 of 7 mandatory fields" in draft
    assert found[draft].startswith("draft=")
    # It is connected: the day it was commissioned and its network are mandatory too.
    assert any(label.startswith("Weir hub from OpenMeter CIC: 9 of 9") for label in found), list(found)
    assert any(label.startswith("The API credential Nightly export ends on") for label in found)
    with time_machine.travel(now() + timedelta(days=60)):
        assert what_waits(bramble).queries[0].days_left < 0


def test_what_it_owns_and_another_manages_is_not_its_to_answer() -> None:
    bramble, kelvin = provider(), factories.make_fsp("Kelvin Energy Ltd")
    asset = asset_factories.registered(kelvin, OrganisationId=str(bramble.organisation_id))
    query_asset(factories.administrator(), asset.id, "Which meter?", asset.version)
    assert what_waits(bramble).assets == {}
    assert what_waits(kelvin).assets == {Errand.QUERY: 1}


def test_an_operator_sees_what_is_new_in_its_areas_only() -> None:
    ukpn = be("ukpn", factories.make_organisation("UKPN", ("DNO",), licence_areas=["UKPN_LPN"]), ["so_user"])
    kelvin = factories.make_fsp("Kelvin Energy Ltd")
    asset_factories.registered(kelvin)
    assert what_waits(ukpn).assets == {}
    london = {"DNOConnection": "UKPN_LPN", "ImportMPAN": asset_factories.an_mpan("12")}
    place = {"Latitude": "51.5", "Longitude": "-0.12", "Postcode": "SE1 7PB"}
    mine = asset_factories.registered(kelvin, **london, **place)
    found = links(open_page("ukpn"))
    assert found["1 asset was registered in your areas this week"] == "what=new"
    assert [one.id for one in waiting_assets(ukpn, Errand.NEW)] == [mine.id]
    with time_machine.travel(now() + timedelta(days=8)):
        assert Errand.NEW not in what_waits(ukpn).assets


def test_an_installer_sees_what_became_of_its_drafts() -> None:
    bramble, kit = provider(), installer()
    back = submit_draft(kit, asset_factories.battery(AssetName="Larch Court"), bramble.organisation_id)
    submit_draft(kit, asset_factories.battery(AssetName="Millrace"), bramble.organisation_id)
    return_draft(bramble, back.id, "Read the meter again.")
    at = open_page("installer")
    found = links(at)
    assert "Larch Court was given back by Bramble Flex Ltd: Read the meter again." in found
    assert "1 draft waits for its provider" in found
    assert "Larch Court given back by Bramble Flex Ltd" in " ".join(found)
    assert "Millrace submitted by OpenMeter CIC" in " ".join(links(open_page("bramble")))


def test_a_regulator_sees_aggregates_and_no_small_ones_and_no_changes() -> None:
    be("ofgem", factories.make_organisation("Ofgem", ("Regulator",)), ["regulator"])
    bramble = factories.make_fsp("Bramble Flex Ltd")
    for _ in range(6):
        asset_factories.registered(bramble, AssetName="Named battery")
    at = open_page("ofgem")
    words = text(at) + " ".join(links(at))
    assert "Active assets withheld" in words
    assert "is withheld" in words
    assert "Named battery" not in words
    assert "Recent activity" not in words
    assert "Your tasks" not in words


@pytest.mark.use_case("UC-02.01")
def test_two_providers_on_one_meter_are_both_told_of_it_until_it_is_dealt_with_or_a_month_has_gone() -> None:
    bramble = provider()
    kelvin = be("kelvin", factories.make_organisation("Kelvin Energy Ltd"), ["fsp_user"])
    theirs = asset_factories.registered(kelvin, AssetName="Kelvin yard battery")
    line = "1 asset stands on a meter that another provider has registered, too: look whether that is right"
    assert line not in links(open_page("kelvin"))
    on_it = asset_factories.battery(AssetName="Bramble yard battery", ImportMPAN=theirs.import_mpan)
    ours = register_asset(bramble, on_it, justification="One meter feeds both halves of the yard.")
    for persona, own, other in (("kelvin", theirs, ours), ("bramble", ours, theirs)):
        assert links(open_page(persona))[line] == "what=shared"
        seen = text(open_page(persona, "waiting", what="shared"))
        assert own.asset_name in seen
        assert str(theirs.import_mpan) in seen
        assert "correct its MPAN if it is wrong" in seen
        assert other.asset_name not in seen
    assert "Kelvin" not in text(open_page("bramble", "waiting", what="shared"))
    with time_machine.travel(now() + timedelta(days=31)):
        assert Errand.SHARED not in what_waits(kelvin).assets
    update_asset(bramble, ours.id, {"ImportMPAN": asset_factories.an_mpan()}, ours.version)
    for persona in ("kelvin", "bramble"):
        assert line not in links(open_page(persona)), "they share no meter any more"


def test_tasks_stand_by_urgency_and_apart_from_what_is_with_others() -> None:
    bramble = provider()
    late = asset_factories.registered(bramble, AssetName="Late battery")
    asset_factories.registered(bramble, AssetName="Checked battery")
    query_asset(factories.administrator(), late.id, "Which meter?", late.version)
    words = text(open_page("bramble"))
    assert "Overdue" not in words
    assert "Your tasks" in words
    assert "With others" in words
    labels = list(links(open_page("bramble")))
    assert labels.index("1 asset has a query to answer") < labels.index("1 asset is being checked")
    with time_machine.travel(now() + timedelta(days=40)):
        at = open_page("bramble")
        assert "Overdue" in text(at)
        assert any("Late battery: answer by" in label for label in links(at))
