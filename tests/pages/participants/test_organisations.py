"""UC-01.02 to UC-01.04 on the pages: the directory, the queue, one record, the form, and every act with its reason."""

import pytest
from streamlit.testing.v1 import AppTest

from models.participants import Organisation, OrganisationStatus
from services.core.settings import settings
from services.participants.approval import approve_organisation, suspend_organisation
from services.participants.organisations import update_organisation
from services.participants.reading import get_organisation, list_organisations
from tests import asset_factories, factories
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text

pytestmark = pytest.mark.usefixtures("one_register")
NEW = "new-organisation"
ADMIN = ["organisation_admin", "fsp_user"]


def _type(at: AppTest, slot: str, **values: object) -> AppTest:
    for term, value in values.items():
        at.get_by_key(f"{slot}/{term}").set_value(value)
    return quiet(at.run())


def _now(organisation: Organisation) -> Organisation:
    return get_organisation(factories.administrator(), organisation.id)


@pytest.mark.use_case("UC-01.02")
def test_everybody_sees_who_takes_part_and_no_more() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    factories.make_organisation("Lumen Storage plc", PrimaryContactFirstName="Hidden")
    factories.make_organisation("Waiting Ltd", active=False)
    words = text(open_page("bramble", "participants/organisations"))
    assert "Lumen Storage plc" in words
    assert "Waiting Ltd" not in words
    assert "Hidden" not in words
    assert "Waiting for approval" not in words


@pytest.mark.use_case("UC-01.02")
def test_a_record_of_another_organisation_answers_as_one_that_does_not_exist() -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ADMIN)
    other = factories.make_organisation("Lumen Storage plc")
    at = open_page("bramble", "participants/organisation", id=str(other.id))
    assert "No organisation with the identifier" in text(at)
    assert "Lumen" not in text(at)


@pytest.mark.use_case("UC-01.02")
def test_the_administrator_approves_from_the_queue() -> None:
    be_administrator()
    waiting = factories.make_organisation("Tidewater Energy Ltd", active=False)
    at = open_page("administrator", "participants/organisations")
    assert "Waiting for approval (1)" in text(at)
    assert "Company registry" in text(at)
    at = press(at, "Approve")
    at = press(at, "Approve", 1)
    assert _now(waiting).organisation_status is OrganisationStatus.ACTIVE
    assert "Nobody waits for approval" in text(quiet(at.run()))


@pytest.mark.use_case("UC-01.02")
def test_a_refusal_needs_a_reason_and_keeps_what_was_written() -> None:
    be_administrator()
    waiting = factories.make_organisation("Tidewater Energy Ltd", active=False)
    at = press(open_page("administrator", "participants/organisations"), "Refuse")
    at.get_by_key(f"reason-refuse_organisation-{waiting.id}").set_value("No.")
    at = press(at, "Refuse", 1)
    assert "Give a reason of 10 to 500 characters" in text(at)
    assert at.get_by_key(f"reason-refuse_organisation-{waiting.id}").value == "No."
    at.get_by_key(f"reason-refuse_organisation-{waiting.id}").set_value("The company was dissolved in May.")
    press(at, "Refuse", 1)
    assert _now(waiting).organisation_status is OrganisationStatus.REFUSED


@pytest.mark.use_case("UC-01.02")
def test_every_mistake_is_shown_at_once_and_nothing_typed_is_lost() -> None:
    be_administrator()
    at = open_page("administrator", "participants/register_organisation")
    at = _type(
        at,
        NEW,
        OrganisationLegalName="Northgate Storage Ltd",
        OrganisationType="Private Limited Company",
        VatRegistrationNumber="123",
        PrimaryContactEmail="nobody",
    )
    at = press(at, "Register the organisation")
    words = text(at)
    for expected in (
        "Enter the registration number",
        "123 isn't a VAT number",
        "nobody isn't an email address",
        "Choose at least one role",
        "Enter the city or town",
    ):
        assert expected in words.replace("“", "").replace("”", "")
    assert "There is a problem" in words
    assert at.get_by_key(f"{NEW}/OrganisationLegalName").value == "Northgate Storage Ltd"
    assert at.get_by_key(f"{NEW}/VatRegistrationNumber").value == "123"
    assert not list_organisations(factories.administrator(), text="Northgate").items


@pytest.mark.use_case("UC-01.02")
def test_an_organisation_registers_and_a_second_of_the_same_number_is_led_to_it() -> None:
    be_administrator()
    values = factories.organisation_values("Northgate Storage Ltd", RegisteredCountry="GB")
    at = _type(open_page("administrator", "participants/register_organisation"), NEW, **values)
    at = press(at, "Register the organisation")
    assert "waits for approval by the FMAR administrator" in text(at)
    made = list_organisations(factories.administrator(), text="Northgate").items
    assert [one.organisation_status for one in made] == [OrganisationStatus.PENDING_APPROVAL]
    at = press(at, "Register another")
    at = _type(at, NEW, **{**values, "OrganisationLegalName": "Another Name Ltd"})
    at = press(at, "Register the organisation")
    assert "An organisation with this registration number is registered already" in text(at)
    assert "Open the existing organisation" in [one.proto.label for one in at.main.get("page_link")]


@pytest.mark.use_case("UC-01.02")
def test_all_attributes_are_shown_and_the_passport_carries_them() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd", OrganisationWebsite="https://bramble.example.org")
    be("bramble", organisation, ADMIN)
    at = open_page("bramble", "participants/organisation")
    words = text(at)
    for expected in ("Bramble Flex Ltd", "https://bramble", "Technical contact", "+442079460123", "United Kingdom"):
        assert expected in words
    at = press(at, "Passport (JSON)")
    assert any("/api/files/download?ticket=" in html.proto.body for html in at.get("html"))


@pytest.mark.use_case("UC-01.03")
def test_a_change_of_contact_needs_no_approval_a_change_of_name_does_and_is_warned_of() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    be("bramble", organisation, ADMIN)
    slot = f"organisation-{organisation.id}"
    at = open_page("bramble", "participants/edit_organisation", id=str(organisation.id))
    assert at.get_by_key(f"{slot}/OrganisationLegalName").value == "Bramble Flex Ltd"
    at = _type(at, slot, PrimaryContactFirstName="Sam")
    assert "needs approval again" not in text(at).replace("waits for approval", "")
    at = press(at, "Save the changes")
    assert _now(organisation).organisation_status is OrganisationStatus.ACTIVE
    assert _now(organisation).primary_contact_first_name == "Sam"
    at = open_page("bramble", "participants/edit_organisation", id=str(organisation.id))
    at = _type(at, slot, OrganisationLegalName="Bramble Power Ltd")
    assert "Legal name: this needs approval again" in text(at)
    press(at, "Save the changes")
    assert _now(organisation).organisation_status is OrganisationStatus.PENDING_APPROVAL


@pytest.mark.use_case("UC-01.03")
def test_a_stale_change_shows_the_other_one_and_keeps_what_was_typed() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    be("bramble", organisation, ADMIN)
    slot = f"organisation-{organisation.id}"
    at = open_page("bramble", "participants/edit_organisation", id=str(organisation.id))
    update_organisation(factories.administrator(), organisation.id, {"RegisteredCity": "York"}, organisation.version)
    at = _type(at, slot, PrimaryContactFirstName="Sam")
    at = press(at, "Save the changes")
    words = text(at)
    assert "was changed since you read it" in words
    assert "York" in words
    assert at.get_by_key(f"{slot}/PrimaryContactFirstName").value == "Sam"
    press(at, "Save the changes")
    assert _now(organisation).primary_contact_first_name == "Sam"


@pytest.mark.use_case("UC-01.04")
def test_what_stands_in_the_way_of_de_registering_is_listed_with_links() -> None:
    organisation = factories.make_organisation("Bramble Flex Ltd")
    actor = be("bramble", organisation, ADMIN)
    asset_factories.registered(actor)
    at = open_page("bramble", "participants/organisation")
    at = press(at, "De-register")
    words = text(at)
    assert "1 asset managed, Pending Validation" in words
    assert "Show these assets" in [one.proto.label for one in at.get("page_link")]
    assert _now(organisation).organisation_status is OrganisationStatus.ACTIVE


@pytest.mark.use_case("UC-01.04")
def test_what_cannot_be_done_is_greyed_and_says_why() -> None:
    be_administrator()
    organisation = factories.make_organisation("Bramble Flex Ltd")
    suspend_organisation(factories.administrator(), organisation.id, "Fees unpaid since May.", organisation.version)
    at = open_page("administrator", "participants/organisation", id=str(organisation.id))
    acts = {button.label: button for button in at.main.button}
    assert acts["Suspend"].disabled
    assert "suspended" in str(acts["Suspend"].help)
    assert not acts["Reinstate"].disabled
    assert "Reason: Fees unpaid since May." in text(at)


@pytest.mark.use_case("UC-05.06")
def test_the_history_names_who_changed_what_from_what_to_what() -> None:
    administrator = be_administrator()
    organisation = factories.make_organisation("Bramble Flex Ltd", active=False)
    approved = approve_organisation(administrator, organisation.id, organisation.version)
    update_organisation(administrator, organisation.id, {"RegisteredCity": "York"}, approved.version)
    words = text(open_page("administrator", "participants/organisation", id=str(organisation.id)))
    assert "Update organisation" in words
    assert "Ada Field" in words
    assert "York" in words
    assert "UC-01.03" in words


def test_a_registration_is_there_again_after_a_reload_until_it_is_sent() -> None:
    be_administrator()
    values = factories.organisation_values("Northgate Storage Ltd", RegisteredCountry="GB")
    _type(open_page("administrator", "participants/register_organisation"), NEW, OrganisationLegalName="Half typed Ltd")
    again = open_page("administrator", "participants/register_organisation")
    assert again.get_by_key(f"{NEW}/OrganisationLegalName").value == "Half typed Ltd"
    assert "Draft saved" in text(again)
    press(_type(again, NEW, **values), "Register the organisation")
    fresh = open_page("administrator", "participants/register_organisation")
    assert not fresh.get_by_key(f"{NEW}/OrganisationLegalName").value


def test_the_registry_that_does_not_answer_leaves_the_form_to_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    be_administrator()
    monkeypatch.setenv("FMAR_COMPANY_REGISTRY_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    at = open_page("administrator", "participants/register_organisation")
    at.get_by_key("company-lookup").set_value("0123456")
    press(at, "Fill in from Companies House")
    assert "Enter the details yourself" in text(at)
    settings.cache_clear()
