"""UC-01.01, UC-01.04, UC-05.04 on the pages: users are invited and leave, credentials are shown once."""

import pytest

from models.participants import MembershipStatus
from services.participants.clients import authenticate_client, list_clients
from services.participants.users import list_users
from tests import factories
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text

pytestmark = pytest.mark.usefixtures("one_register")
ADMIN = ["organisation_admin", "fsp_user"]


@pytest.mark.use_case("UC-01.01")
def test_a_user_is_invited_and_mistakes_keep_what_was_typed() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    actor = be("bramble", organisation, ADMIN)
    at = press(open_page("bramble", "participants/users"), "Invite a user")
    at.get_by_key("invitation/name").set_value("Jo Marsh")
    at.get_by_key("invitation/email").set_value("not an address")
    at = press(at, "Invite")
    words = text(at)
    assert "Give the email address that the person signs in with" in words
    assert "Give at least one role" in words
    assert at.get_by_key("invitation/name").value == "Jo Marsh"
    at.get_by_key("invitation/email").set_value("jo@bramble.example.org")
    at.get_by_key("invitation/roles").set_value(["fsp_user"])
    press(at, "Invite")
    invited = next(one for one in list_users(actor) if one.full_name == "Jo Marsh")
    assert invited.status is MembershipStatus.INVITED


@pytest.mark.use_case("UC-01.01")
def test_only_roles_that_fit_the_organisation_are_offered() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ADMIN)
    at = press(open_page("bramble", "participants/users"), "Invite a user")
    offered = at.get_by_key("invitation/roles").options
    assert "FSP user" in offered
    assert "System operator user" not in offered
    assert "FMAR administrator" not in offered


@pytest.mark.use_case("UC-01.04")
def test_the_last_administrator_cannot_go_and_is_told_what_to_do_first() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    be("bramble", organisation, ADMIN)
    at = press(open_page("bramble", "participants/users"), "Deactivate")
    at.get_by_key("deactivation-reason").set_value("I am leaving the company.")
    at = press(at, "Deactivate", 1)
    assert "This is the organisation's last administrator." in text(at)
    assert at.get_by_key("deactivation-reason").value == "I am leaving the company."


@pytest.mark.use_case("UC-01.04")
def test_a_person_is_deactivated_with_a_reason_and_comes_back() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    actor = be("bramble", organisation, ADMIN)
    factories.make_user(organisation, ["fsp_user"], name="Jo Marsh")
    at = press(open_page("bramble", "participants/users"), "Deactivate", 1)
    at.get_by_key("deactivation-reason").set_value("Left the company in June.")
    at = press(at, "Deactivate", 2)
    jo = next(one for one in list_users(actor) if one.full_name == "Jo Marsh")
    assert jo.status is MembershipStatus.DEACTIVATED
    at = open_page("bramble", "participants/users")
    assert "Reason: Left the company in June." in text(at)
    press(at, "Reactivate")
    jo = next(one for one in list_users(actor) if one.full_name == "Jo Marsh")
    assert jo.status is MembershipStatus.ACTIVE


@pytest.mark.use_case("UC-01.04")
def test_the_administrator_closes_an_account_everywhere_and_reopens_it() -> None:
    first, second = factories.make_organisation("Bramble Flex Ltd"), factories.make_organisation("Kelvin Flex Ltd")
    for organisation in (first, second):
        factories.make_user(organisation, ["fsp_user"], name="Jo Marsh", email="jo@bramble.example.org")
    be("bramble", first, ADMIN)
    assert "Close the account" not in [button.label for button in open_page("bramble", "participants/users").button]
    actor = be_administrator()
    at = open_page("administrator", "participants/users")
    at.get_by_key("users-organisation").set_value(second.id).run()
    at = press(at, "Close the account")
    at = press(at, "Close it")
    assert "Give a reason of 10 to 500 characters" in text(at)
    at.get_by_key("closing-reason").set_value("Shared the password, told us in a call.")
    at = press(at, "Close it")
    for organisation in (first, second):
        jo = next(person for person in list_users(actor, organisation.id) if person.full_name == "Jo Marsh")
        assert (jo.status, jo.account_closed) == (MembershipStatus.DEACTIVATED, True)
    assert "Shared the password, told us in a call." in text(at)
    at = press(press(at, "Reopen the account"), "Reopen it")
    jo = next(person for person in list_users(actor, second.id) if person.full_name == "Jo Marsh")
    assert (jo.status, jo.account_closed) == (MembershipStatus.ACTIVE, False)


@pytest.mark.use_case("UC-01.01")
def test_the_administrator_releases_an_identity_for_a_new_one() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    jo = factories.make_user(organisation, ["fsp_user"], name="Jo Marsh", email="jo@bramble.example.org")
    actor = be_administrator()
    at = open_page("administrator", "participants/users")
    at.get_by_key("users-organisation").set_value(organisation.id).run()
    at = press(at, "Release the identity")
    at.get_by_key("release-reason").set_value("Moved to another provider, confirmed by letter.")
    at = press(at, "Release it")
    assert not next(one for one in list_users(actor, organisation.id) if one.user_id == jo.user_id).identity_bound
    assert "Release the identity" not in [button.label for button in at.button]


@pytest.mark.use_case("UC-05.04")
def test_a_secret_is_shown_once_opens_the_api_and_is_never_shown_again() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    actor = be("bramble", organisation, ADMIN)
    at = press(open_page("bramble", "participants/clients"), "New API credential")
    at = press(at, "Make it")
    assert "Give the credential a name" in text(at)
    at.get_by_key("client-name").set_value("Bidding platform")
    at.get_by_key("client-roles").set_value(["fsp_user"])
    at = press(at, "Make it")
    assert "shown this once" in text(at)
    client_id, secret = (one.value for one in at.code)
    assert authenticate_client(client_id, secret) is not None
    at = press(at, "I have copied it")
    assert not at.code
    assert secret not in text(at)
    assert client_id in text(at)
    at = press(at, "Rotate the secret")
    at = press(at, "Rotate")
    assert authenticate_client(client_id, secret) is None
    assert authenticate_client(client_id, at.code[1].value) is not None
    assert len(list_clients(actor)) == 1


@pytest.mark.use_case("UC-05.04")
def test_a_revoked_credential_says_why_and_offers_nothing_more() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    be("bramble", organisation, ADMIN)
    client, secret = factories.make_client(organisation)
    at = press(open_page("bramble", "participants/clients"), "Revoke")
    at.get_by_key("revocation-reason").set_value("The program was retired.")
    at = press(at, "Revoke", 1)
    assert authenticate_client(client.client_id, secret) is None
    at = open_page("bramble", "participants/clients")
    assert "Reason: The program was retired." in text(at)
    assert "Revoke" not in [button.label for button in at.button]
    quiet(at)
