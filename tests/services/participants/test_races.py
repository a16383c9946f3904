"""Two at once: whoever comes second is told, and nothing is done twice (UC-01.01 to UC-01.03)."""

import threading
from collections.abc import Callable

import pytest

from models.participants import OrganisationStatus, Role
from services.assets.registration.register import record_new
from services.assets.registration.validation import conform
from services.core.errors import Refused, RegisterError
from services.core.transaction import Stamp, unit_of_work
from services.participants.approval import approve_organisation, refuse_organisation
from services.participants.ending import withdraw_organisation
from services.participants.identity import applicant, sign_in
from services.participants.organisations import register_organisation, update_organisation
from services.participants.reading import get_organisation, list_organisations, organisation_history
from tests.asset_factories import battery
from tests.factories import (
    administrator,
    identity_of,
    make_actor,
    make_organisation,
    make_user,
    organisation_values,
)

pytestmark = pytest.mark.both_engines


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Start all acts at the same moment; what became of each: "done", or the name of the refusal. Others are raised."""
    start = threading.Barrier(len(acts))
    outcomes: list[str] = []
    broken: list[Exception] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
            outcomes.append("done")
        except RegisterError as refusal:
            outcomes.append(type(refusal).__name__)
        except Exception as error:
            broken.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return sorted(outcomes)


@pytest.mark.use_case("UC-01.02")
def test_one_company_registered_by_several_people_at_once_is_registered_once(register: str) -> None:
    administrator()
    values = organisation_values("Larkspur Batteries Ltd")
    people = [applicant(identity_of(f"person{number}@larkspur.example.org")) for number in range(4)]
    outcomes = at_once(*(lambda person=person: register_organisation(person, values) for person in people))
    assert outcomes == ["Duplicate"] * 3 + ["done"]
    assert len(list_organisations(administrator(), text="Larkspur").items) == 1


@pytest.mark.use_case("UC-01.02")
def test_one_applicant_who_clicks_twice_has_one_account_and_one_organisation(register: str) -> None:
    administrator()
    identity = identity_of("double@example.org")
    values = organisation_values("Double Click Ltd")
    person = applicant(identity)
    assert at_once(*([lambda: register_organisation(person, values)] * 3)) == ["Duplicate", "Duplicate", "done"]
    assert len(sign_in(identity).choices) == 1


@pytest.mark.use_case("UC-01.01")
def test_a_first_sign_in_twice_at_once_binds_once(register: str) -> None:
    person = make_user(make_organisation(), email="twice@example.org", signed_in=False)
    found: list[object] = []

    def enter(subject: str) -> None:
        outcome = sign_in(identity_of(person.email, subject=subject))
        found.append(outcome.problem)

    assert at_once(lambda: enter("one"), lambda: enter("one")) == ["done", "done"]
    assert found == [None, None]
    other = make_user(make_organisation(), email="contested@example.org", signed_in=False)
    found.clear()

    def contest(subject: str) -> None:
        found.append(sign_in(identity_of(other.email, subject=subject)).problem)

    at_once(lambda: contest("left"), lambda: contest("right"))
    assert sorted(map(str, found)) == ["IDENTITY_MISMATCH", "None"]


@pytest.mark.use_case("UC-01.03")
def test_of_two_changes_at_once_one_wins_and_the_other_is_told(register: str) -> None:
    organisation = make_organisation()
    acting = make_actor(organisation, [Role.ORGANISATION_ADMIN])
    outcomes = at_once(
        lambda: update_organisation(acting, organisation.id, {"RegisteredCity": "York"}, organisation.version),
        lambda: update_organisation(acting, organisation.id, {"RegisteredCity": "Hull"}, organisation.version),
    )
    assert outcomes == ["Conflict", "done"]
    now = get_organisation(acting, organisation.id)
    assert now.version == organisation.version + 1
    changed = organisation_history(acting, organisation.id)[0].changes
    assert changed == {"registered_city": ("Leeds", now.registered_city)}


@pytest.mark.use_case("UC-01.04")
def test_no_organisation_is_withdrawn_while_one_of_its_assets_is_being_registered(register: str) -> None:
    organisation = make_organisation()
    acting, registering = make_actor(organisation, [Role.ORGANISATION_ADMIN]), make_actor(organisation)
    refusals: list[RegisterError] = []

    def withdraw() -> None:
        try:
            withdraw_organisation(acting, organisation.id, "It leaves the market.", organisation.version)
        except RegisterError as refusal:
            refusals.append(refusal)

    withdrawing = threading.Thread(target=withdraw)
    with unit_of_work(Stamp("register_asset", "UC-02.01", registering), writes=True):
        checked = conform(registering, battery())
        withdrawing.start()
        withdrawing.join(0.5)
        record_new(registering, checked, None)
    withdrawing.join()
    assert [type(refusal) for refusal in refusals] == [Refused]
    assert get_organisation(acting, organisation.id).organisation_status == OrganisationStatus.ACTIVE


@pytest.mark.use_case("UC-01.02")
def test_an_organisation_is_decided_once(register: str) -> None:
    waiting = make_organisation(active=False)
    acting = administrator()
    outcomes = at_once(
        lambda: approve_organisation(acting, waiting.id, waiting.version),
        lambda: refuse_organisation(acting, waiting.id, "The documents are missing.", waiting.version),
    )
    assert outcomes == ["Conflict", "done"]
