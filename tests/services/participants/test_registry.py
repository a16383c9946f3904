"""Organisations held against the company registry, over real HTTP with its sandbox (UC-01.02)."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine

from models.participants import OrganisationStatus, Role
from sandbox.app import create_app
from services.core.clock import now
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable
from services.core.jobs.worker import work_through
from services.core.settings import settings
from services.participants.approval import approve_organisation, refuse_organisation
from services.participants.company_lookup import find_company
from services.participants.company_registry import name_key
from services.participants.organisations import update_organisation
from services.participants.reading import get_organisation
from services.participants.registry_check import check_again
from tests.factories import administrator, make_actor, make_organisation
from tests.servers import closed_port, serve

URL, KEY = "FMAR_COMPANY_REGISTRY_URL", "FMAR_COMPANY_REGISTRY_KEY"


def point_at(url: str, key: str = "sandbox") -> None:
    """Set where the company registry is."""
    os.environ[URL], os.environ[KEY] = url, key
    settings.cache_clear()


@pytest.fixture
def nowhere(register: str) -> Iterator[None]:
    """A register whose settings of the company registry are put back after the test."""
    before = {name: os.environ.get(name) for name in (URL, KEY)}
    yield
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    settings.cache_clear()


@pytest.fixture
def registry(nowhere: None) -> Iterator[None]:
    """A register that is pointed at a running sandbox of the company registry."""
    with serve(create_app()) as url:
        point_at(f"{url}/companies-house")
        yield


def check_of(organisation_id: UUID) -> dict[str, object]:
    """The registry check as it stands."""
    return get_organisation(administrator(), organisation_id).registry_check


def bramble(active: bool = True, **changes: Any) -> UUID:
    """Bramble, as it stands in the sandbox's data unless changed."""
    values = {
        "OrganisationRegistrationNumber": "99000101",
        "RegisteredAddressLine1": "12 Harbourside Walk",
        "RegisteredCity": "Bristol",
        "RegisteredPostcodeOrZip": "BS1 5TY",
        "YearOfRegistration": 2019,
        **changes,
    }
    name = str(values.pop("OrganisationLegalName", "Bramble Flex Limited"))
    return make_organisation(name, active=active, **values).id


@pytest.mark.use_case("UC-01.02")
def test_a_company_on_file_agrees(registry: None) -> None:
    organisation_id = bramble(active=False)
    assert check_of(organisation_id)["outcome"] == "waiting"
    work_through()
    check = check_of(organisation_id)
    assert check["outcome"] == "agrees"
    assert check["source"] == "The company registry"
    assert check["at"]
    comparisons = check["comparisons"]
    assert isinstance(comparisons, list)
    assert {one["field"] for one in comparisons} >= {"OrganisationLegalName", "RegisteredPostcodeOrZip"}


@pytest.mark.use_case("UC-01.02")
def test_what_differs_is_told_field_by_field(registry: None) -> None:
    organisation_id = bramble(OrganisationLegalName="Brambles Ltd", RegisteredCity="Bath")
    work_through()
    check = check_of(organisation_id)
    assert check["outcome"] == "differs"
    comparisons = check["comparisons"]
    assert isinstance(comparisons, list)
    differing = {one["field"]: one["theirs"] for one in comparisons if one["outcome"] == "differs"}
    assert differing == {"OrganisationLegalName": "BRAMBLE FLEX LTD", "RegisteredCity": "Bristol"}


@pytest.mark.use_case("UC-01.02")
@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"OrganisationRegistrationNumber": "99999999"}, "not found"),
        (
            {
                "OrganisationType": "Non-UK Company",
                "NonUkCompanyBusinessType": "GmbH",
                "NonUkCompanyName": "Heliograph Power GmbH",
                "OrganisationRegistrationNumber": "HRB12345",
            },
            "not applicable",
        ),
        ({"OrganisationType": "Sole Trader", "OrganisationRegistrationNumber": None}, "not applicable"),
    ],
)
def test_unknown_companies_and_those_it_does_not_hold_are_told_apart(
    registry: None, changes: dict[str, Any], outcome: str
) -> None:
    organisation_id = bramble(**changes)
    work_through()
    assert check_of(organisation_id)["outcome"] == outcome


@pytest.mark.use_case("UC-01.02")
def test_while_the_registry_is_away_the_check_waits_and_is_made_when_it_is_back(nowhere: None) -> None:
    # Time stands still between the two askings, however slow the machine is.
    with serve(create_app()) as url:
        point_at(f"http://127.0.0.1:{closed_port()}")
        organisation_id = bramble(active=False)
        with time_machine.travel(now(), tick=False):
            work_through(1)
            assert check_of(organisation_id)["outcome"] == "waiting"
            status = get_organisation(administrator(), organisation_id).organisation_status
            assert status is OrganisationStatus.PENDING_APPROVAL
            point_at(f"{url}/companies-house")
            work_through(1)
            assert check_of(organisation_id)["outcome"] == "waiting", "it is not asked again at once"
        with time_machine.travel(now() + timedelta(minutes=20), tick=True):
            work_through()
            assert check_of(organisation_id)["outcome"] == "agrees"


@pytest.mark.use_case("UC-01.02")
def test_without_a_registry_or_with_a_wrong_key_nothing_is_claimed(nowhere: None) -> None:
    point_at("")
    unset = make_organisation().id
    work_through()
    assert check_of(unset)["outcome"] == "not checked"
    with serve(create_app()) as url:
        point_at(f"{url}/companies-house", key="another")
        refused = bramble()
        work_through()
    check = check_of(refused)
    assert check["outcome"] == "not checked"
    assert "settings" in str(check["message"])


@pytest.mark.use_case("UC-01.03")
def test_a_material_change_is_checked_anew_and_other_changes_are_not(registry: None) -> None:
    organisation_id = bramble()
    work_through()
    acting = make_actor(get_organisation(administrator(), organisation_id), [Role.ORGANISATION_ADMIN])
    version = get_organisation(acting, organisation_id).version
    update_organisation(acting, organisation_id, {"OrganisationWebsite": "https://b.example.org"}, version)
    work_through()
    assert check_of(organisation_id)["outcome"] == "agrees"
    version = get_organisation(acting, organisation_id).version
    update_organisation(acting, organisation_id, {"OrganisationRegistrationNumber": "99999999"}, version)
    assert check_of(organisation_id)["outcome"] == "waiting"
    work_through()
    assert check_of(organisation_id)["outcome"] == "not found"
    changed = get_organisation(administrator(), organisation_id)
    refuse_organisation(administrator(), organisation_id, "There is no such company.", changed.version)
    work_through()
    assert check_of(organisation_id)["outcome"] == "agrees", "the check belongs to what is declared now"


@pytest.mark.use_case("UC-01.02")
def test_the_administrator_can_ask_again_and_decides_on_the_newest_answer(registry: None) -> None:
    organisation_id = bramble(active=False)
    read = get_organisation(administrator(), organisation_id)
    work_through()
    with pytest.raises(Conflict) as stale:
        approve_organisation(administrator(), organisation_id, read.version)
    assert list(stale.value.changes) == ["registry_check"]
    again = check_again(administrator(), organisation_id)
    assert again.registry_check["outcome"] == "waiting"
    work_through()
    checked = get_organisation(administrator(), organisation_id)
    assert checked.registry_check["outcome"] == "agrees"
    approve_organisation(administrator(), organisation_id, checked.version)
    with pytest.raises(Forbidden):
        check_again(make_actor(checked, [Role.ORGANISATION_ADMIN]), organisation_id)


@pytest.mark.use_case("UC-01.02")
def test_nothing_is_asked_about_an_organisation_that_has_ended(registry: None) -> None:
    waiting = make_organisation(active=False)
    refused = refuse_organisation(administrator(), waiting.id, "The documents are missing.", waiting.version)
    with pytest.raises(Refused):
        check_again(administrator(), refused.id)
    work_through()
    assert check_of(refused.id)["outcome"] == "waiting"


def test_a_form_is_filled_in_by_the_number_of_a_company(registry: None) -> None:
    identifier = bramble()
    number = str(get_organisation(administrator(), identifier).organisation_registration_number)
    terms = find_company(administrator(), f" {number} ")
    assert terms["OrganisationRegistrationNumber"] == number
    assert name_key(terms["OrganisationLegalName"]) == name_key("Bramble Flex Ltd")
    assert terms["RegisteredCountry"] == "GB"
    assert all(terms.values()), "what the registry doesn't state is left out"
    with pytest.raises(NotFound):
        find_company(administrator(), "09999999")
    with pytest.raises(Invalid) as refused:
        find_company(administrator(), "not a number")
    assert "8 digits" in refused.value.findings[0].message
    with pytest.raises(Forbidden):
        find_company(make_actor(make_organisation("Northgate"), [Role.FSP_USER]), number)


def test_a_form_is_filled_in_by_hand_while_the_registry_is_away_or_not_set_up(nowhere: None) -> None:
    for url in (f"http://127.0.0.1:{closed_port()}", ""):
        point_at(url)
        with pytest.raises(Unavailable, match="Enter the details yourself"):
            find_company(administrator(), "01234567")
