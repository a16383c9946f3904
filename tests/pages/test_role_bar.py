"""The bar at the top of every page: who is here, what waits, and the same record through other eyes."""

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from pages.frame.navigation import list_destinations
from pages.frame.role_bar import ACTING, SWITCH
from services.core.identity.actor import Actor
from tests import asset_factories, factories
from tests.pages.portal import ROOT, be, be_administrator, open_page, press, quiet, text

UNITS = ("market-units", "opportunities")
pytestmark = [pytest.mark.use_case("UC-01.01"), pytest.mark.usefixtures("one_register")]


def bramble(*roles: str) -> Actor:
    """An FSP with one person."""
    return be("bramble", factories.make_organisation("Bramble Flex Ltd"), roles or ("fsp_user",))


def who(at: AppTest) -> str:
    """The words on the button that stands for the person."""
    return at.get("popover")[0].proto.popover.label.replace("\\", "")


def switch_role(at: AppTest, label: str) -> AppTest:
    """See the page as somebody else of the demo."""
    return quiet(at.menu_button(key=SWITCH).click(label).run())


def test_every_page_says_who_is_here_for_whom_and_as_what() -> None:
    bramble("organisation_admin", "fsp_user")
    for page in (None, "assets/assets", "governance/settings", "participants/users"):
        at = open_page("bramble", page)
        assert "**Priya Shah** Bramble Flex Ltd · Organisation administrator, FSP user" in who(at)
        assert "Demo: made-up data" in text(at)
        assert [button.label for button in at.button if button.label == "Sign out"]


def test_the_same_record_is_seen_through_another_role() -> None:
    asset = asset_factories.registered(bramble(), AssetName="Weir hub")
    be_administrator()
    at = open_page("bramble", "assets/asset", id=str(asset.id))
    assert at.title[0].value == "Weir hub"
    at = switch_role(at, "FMAR administrator, Elexon")
    assert "Ada Field" in who(at)
    assert at.title[0].value == "Weir hub", "the page and its record stay"
    assert at.query_params["id"] == str(asset.id)


def test_filters_stay_when_the_role_is_switched() -> None:
    bramble()
    be_administrator()
    at = open_page("bramble", "assets/assets", q="weir", status="VERIFIED")
    at = switch_role(at, "FMAR administrator, Elexon")
    assert at.text_input(key="q").value == "weir"


def test_a_record_that_the_other_role_may_not_see_has_a_way_on() -> None:
    asset = asset_factories.registered(bramble(), AssetName="Weir hub")
    be("northgate", factories.make_organisation("Northgate plc"), ["fsp_user"], "Daniel Marsh")
    at = open_page("bramble", "assets/asset", id=str(asset.id))
    at = switch_role(at, "FSP administrator, Northgate Energy Storage")
    assert "Weir hub" not in text(at)
    at = press(at, "Back to FSP administrator, Bramble Flex")
    assert at.title[0].value == "Weir hub"


def test_somebody_of_two_organisations_acts_for_one_on_the_same_page() -> None:
    first, second = factories.make_organisation("Bramble Flex Ltd"), factories.make_organisation("Lumen Supply Ltd")
    for organisation in (first, second):
        be("two_organisations", organisation, ["fsp_user"], "Noor Haddad")
    at = open_page("two_organisations", "assets/assets")
    box = at.selectbox(key=ACTING)
    other = next(option for option in (first.id, second.id) if option != box.value)
    name = "Lumen Supply Ltd" if other == second.id else "Bramble Flex Ltd"
    at = quiet(box.set_value(other).run())
    assert name in who(at)
    assert at.title[0].value == "Assets and map"


def test_the_bell_counts_what_waits() -> None:
    administrator = be_administrator()
    bell = open_page("administrator", "governance/about").get("page_link")[0].proto
    assert bell.label == "**2**", "two public registers have no edition"
    assert "2 tasks wait for you" in bell.help
    assert administrator


def open_address(persona: str, address: str) -> AppTest:
    """What a browser shows that begins at an address, whether or not it is offered."""
    at = AppTest.from_file(str(ROOT / "portal.py"), default_timeout=30)
    at.session_state["persona"] = persona
    at._page_hash = calc_hash(address)
    return quiet(at.run())


@pytest.mark.parametrize("address", ["assets", "asset", "users", "application-queue"])
def test_a_page_of_another_role_says_so_and_leads_on(address: str) -> None:
    be("viewer", factories.make_organisation("Ampere Devices Inc"), ["viewer"], "Vic Tanner")
    at = open_address("viewer", address)
    assert at.title[0].value == "Not part of your role"
    assert "Viewer of Ampere Devices Inc" in text(at)
    assert "Go to home" in [link.proto.label for link in at.get("page_link")]


def test_a_page_that_the_other_role_lacks_leads_back() -> None:
    bramble()
    be("viewer", factories.make_organisation("Ampere Devices Inc"), ["viewer"], "Vic Tanner")
    at = switch_role(open_page("bramble", "assets/assets"), "Viewer, Ampere Devices")
    assert at.title[0].value == "Not part of your role"
    assert press(at, "Back to FSP administrator, Bramble Flex").title[0].value == "Assets and map"


@pytest.mark.use_case("UC-01.04")
@pytest.mark.parametrize(
    ("organisation", "roles", "missing", "present"),
    [
        ("Regulator", ["organisation_admin", "regulator"], {"assets", "review", *UNITS}, {"market", "ledger"}),
        ("Installer", ["organisation_admin", "installer"], {"review", "market", *UNITS}, {"drafts", "users"}),
        ("FSP", ["organisation_admin"], set(), {"assets", "market-units", "users"}),
        ("FSP", ["organisation_admin", "fsp_user"], set(), {"assets", "review", "market", "market-units", "opportunities"}),
        ("DNO", ["organisation_admin", "so_user"], set(), {"assets", "review", "market", "market-units", "opportunities"}),
    ],
)  # fmt: skip
def test_a_menu_has_no_page_that_is_always_empty(
    organisation: str, roles: list[str], missing: set[str], present: set[str]
) -> None:
    areas = ("UKPN_EPN",) if organisation == "DNO" else ()
    actor = factories.make_actor(
        factories.make_organisation("Somebody Ltd", (organisation,), licence_areas=areas), roles
    )
    addresses = {page["address"] for page in list_destinations(actor)}
    assert not addresses & missing
    assert present <= addresses
