"""UC-01.01: the demo's door, the menu of each role, and what a refusal says."""

import pytest

from models.participants import OrganisationStatus
from services.participants.approval import suspend_organisation
from services.participants.reading import get_organisation
from services.participants.users import deactivate_user, list_users
from tests import factories
from tests.pages.portal import be, be_administrator, email_of, open_page, press, text

pytestmark = [pytest.mark.use_case("UC-01.01"), pytest.mark.usefixtures("one_register")]


def test_the_door_offers_the_people_who_are_there_and_says_that_it_is_a_demo() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    at = open_page(None)
    assert "This is a demonstration." in text(at)
    offered = [button.label for button in at.button if button.label.startswith("Be ")]
    assert offered == ["Be FSP administrator, Bramble Flex"]
    assert not at.get("sidebar_nav")


def test_an_empty_register_says_what_its_operator_does() -> None:
    assert "the register is empty" in text(open_page(None))


def test_choosing_somebody_leads_in_and_signing_out_leads_back() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    at = press(open_page(None), "Be FSP administrator, Bramble Flex")
    assert at.title[0].value == "Bramble Flex Ltd"
    assert not at.query_params, "an address that is copied makes nobody somebody else"
    at = press(at, "Sign out")
    assert "Who do you want to be?" in text(at)


def test_an_address_makes_nobody_somebody_else() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    at = open_page(None)
    at.query_params["as"] = "bramble"
    assert at.run().title[0].value == "Flexibility Market Asset Registration"


def test_a_name_is_text_and_nothing_else() -> None:
    wicked = factories.make_organisation("*Bold* [link](http://evil) `x` Ltd")
    be("bramble", wicked, ["fsp_user"])
    at = open_page("bramble")
    assert at.title[0].value.replace("\\", "") == "*Bold* [link](http://evil) `x` Ltd"
    assert "\\[link\\]\\(" in at.title[0].value


def test_a_suspended_organisation_is_told_why_at_the_next_click() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    be("bramble", organisation, ["fsp_user"])
    at = open_page("bramble")
    suspend_organisation(
        factories.administrator(), organisation.id, "Fees unpaid since May 2026.", organisation.version
    )
    at.run()
    assert "is suspended: Fees unpaid since May 2026." in text(at)
    assert at.title[0].value == "Flexibility Market Asset Registration"
    kept = get_organisation(factories.administrator(), organisation.id)
    assert kept.organisation_status is OrganisationStatus.SUSPENDED


def test_a_deactivated_person_is_out_at_the_next_click() -> None:
    administrator = be_administrator()
    organisation = factories.make_organisation("Bramble Flex Ltd")
    be("bramble", organisation, ["fsp_user"])
    at = open_page("bramble")
    person = next(one for one in list_users(administrator, organisation.id) if one.email == email_of("bramble"))
    deactivate_user(administrator, person.membership_id, "Left the company in June.")
    at.run()
    assert at.title[0].value == "Flexibility Market Asset Registration"
