"""Drafts between installer and provider, the search of every page, and the access log, as people meet them."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.frame.search_box import ASKED
from services.assets.reading.listing import list_assets
from services.assets.registration.draft_board import draft_board
from services.assets.registration.submissions import return_draft, submit_draft
from services.core.identity.actor import Actor
from services.governance.accesses import list_accesses
from tests import asset_factories, factories
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text

pytestmark = pytest.mark.usefixtures("one_register")


def provider() -> Actor:
    """Bramble."""
    return be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user", "organisation_admin"])


def installer() -> Actor:
    """OpenMeter's person."""
    return be("installer", factories.make_organisation("OpenMeter CIC", ("Installer",)), ["installer"], "Kit Rowan")


def links(at: AppTest) -> dict[str, str]:
    """The links on a page and their addresses."""
    found = at.get("page_link")
    return {one.proto.label.replace("**", "").replace("\\", ""): one.proto.query_string for one in found}


def ask(at: AppTest, words: str) -> AppTest:
    """Type into the search of the page and press Enter."""
    at.session_state[ASKED] = words
    return quiet(at.run())


@pytest.mark.use_case("UC-02.01")
def test_an_installer_prepares_and_submits(one_register: str) -> None:
    bramble, kit = provider(), installer()
    at = open_page("installer", "assets/prepare_asset")
    at.get_by_key("prepare/AssetCategory").set_value("BESS").run()
    assert "Managed by the provider that you submit it to." in text(at)
    at.get_by_key("prepare/AssetName").set_value("Weir hub").run()
    at.get_by_key("prepare/RatedCapacity").set_value("twelve").run()
    press(at, "Check")
    assert "You can submit all the same" in text(at)
    press(at, "Submit to the provider")
    assert "Choose the provider who completes it." in text(at)
    at.get_by_key("prepare/_provider").set_value(str(bramble.organisation_id)).run()
    at.get_by_key("prepare/_note").set_value("Ask for Ruth").run()
    at.get_by_key("prepare/RatedCapacity").set_value("12").run()
    press(at, "Submit to the provider")
    assert "Submitted to Bramble Flex Ltd" in text(at)
    assert "With providers (1)" in text(at)
    sent = draft_board(bramble).received[0]
    assert (sent.name, sent.note, draft_board(kit).own) == ("Weir hub", "Ask for Ruth", [])


@pytest.mark.use_case("UC-02.01")
def test_a_provider_completes_what_was_submitted_and_registers_it(one_register: str) -> None:
    bramble, kit = provider(), installer()
    whole = asset_factories.battery(AssetName="Weir hub", Aliases=[{"scheme": "ECR", "value": "UKPN-8"}])
    missing = {"EffectiveDate": whole.pop("EffectiveDate"), "StorageCapacity_kWh": whole.pop("StorageCapacity_kWh")}
    submit_draft(kit, whole, bramble.organisation_id, "Ask for <b>Ruth</b>")
    at = open_page("bramble", "assets/drafts")
    assert "Weir hub" in text(at)
    assert "by Kit Rowan, OpenMeter CIC" in text(at)
    press(at, "Complete and register")
    at.switch_page("pages/assets/register_asset.py").run()
    words = text(at)
    assert "Technical data from Kit Rowan, OpenMeter CIC" in words
    assert "Effective from" in words, "what is missing is said at once"
    assert at.get_by_key("register/AssetName").value == "Weir hub"
    assert at.get_by_key("register/DemandCapacity").value == "2400"
    at.get_by_key("register/EffectiveDate").set_value(str(missing["EffectiveDate"])).run()
    at.get_by_key("register/StorageCapacity_kWh").set_value("5000").run()
    press(at, "Register the asset")
    asset = list_assets(bramble).items[0]
    assert (asset.asset_name, asset.submitted_by_organisation) == ("Weir hub", kit.organisation_id)
    assert asset.aliases == [{"scheme": "ECR", "value": "UKPN-8"}]
    assert "Registered from your data" in text(open_page("installer", "assets/drafts"))


@pytest.mark.use_case("UC-02.01")
def test_what_was_given_back_says_why_and_is_mended(one_register: str) -> None:
    bramble, kit = provider(), installer()
    sent = submit_draft(kit, asset_factories.battery(AssetName="Larch Court"), bramble.organisation_id, "First try")
    return_draft(bramble, sent.id, "Read the meter [again](http://x).")
    at = open_page("installer", "assets/drafts")
    assert "Returned: Read the meter [again](http://x)." in text(at)
    press(at, "Fix")
    at.switch_page("pages/assets/prepare_asset.py").run()
    assert "Bramble Flex Ltd gave it back" in text(at)
    assert at.get_by_key("prepare/_provider").value == str(bramble.organisation_id)
    assert at.get_by_key("prepare/_note").value == "First try"
    press(at, "Submit to the provider")
    again = draft_board(bramble).received[0]
    assert (again.id, again.reason) == (sent.id, None)


@pytest.mark.use_case("UC-05.01")
def test_the_search_of_every_page_opens_what_is_known_exactly_and_lists_the_rest(one_register: str) -> None:
    bramble = provider()
    asset = asset_factories.registered(bramble, AssetName="Mill north")
    asset_factories.registered(bramble, AssetName="Mill south")
    at = ask(open_page("bramble"), str(asset.import_mpan))
    assert at.title[0].value.startswith("Mill north")
    at = ask(at, "mill")
    words = text(at)
    assert at.title[0].value == "Search"
    assert "Assets (2)" in words
    assert "Name: :orange-background[Mill] south" in words
    assert links(at)["Mill north"] == f"id={asset.id}"
    at = ask(at, "nowhere [to](http://be) found")
    assert "Nothing that you may see has “nowhere [to](http://be) found”." in text(at)
    assert "You can search for" in text(open_page("bramble", "search"))
    kinds = [one.kind for one in list_accesses(factories.administrator())]
    assert kinds == ["search", "search", "asset.read"]


@pytest.mark.use_case("UC-05.01")
def test_an_opened_record_is_logged_once_however_often_it_is_drawn(one_register: str) -> None:
    bramble, kelvin = provider(), factories.make_fsp("Kelvin Ltd")
    be_administrator()
    asset, hidden = asset_factories.registered(bramble), asset_factories.registered(kelvin)
    at = open_page("bramble", "assets/asset", id=str(asset.id))
    for _ in range(3):
        quiet(at.run())
    open_page("bramble", "assets/asset", id=str(hidden.id))
    found = list_accesses(factories.administrator())
    assert [(one.kind, one.record_id) for one in found] == [("asset.refused", hidden.id), ("asset.read", asset.id)]
    words = text(open_page("administrator", "governance/accesses"))
    assert "Opened an asset" in words
    assert "Tried an asset that isn't theirs to see" in words
    assert "Priya Shah" in words
