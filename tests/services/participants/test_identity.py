"""Who somebody is: first and later sign-ins, several organisations, and access that ends at the next click (UC-01.01)."""

import json
from pathlib import Path

import pytest

from models.participants import MembershipStatus, OrganisationStatus, Role
from services.core.errors import Forbidden, Unauthenticated
from services.core.identity.actor import system_actor
from services.core.identity.resolve import reading_as_register
from services.core.ledger.history import history
from services.core.settings import settings
from services.participants.accounts import deactivate_account, reactivate_account, release_identity
from services.participants.approval import approve_organisation, refuse_organisation, suspend_organisation
from services.participants.ending import withdraw_organisation
from services.participants.identity import (
    Identity,
    actor_for_user,
    applicant,
    bind_identity,
    demo_personas,
    memberships_of,
    sign_in,
)
from services.participants.organisations import register_organisation
from services.participants.reading import get_organisation
from services.participants.users import change_roles, deactivate_user, list_users, reactivate_user
from tests.factories import (
    actor_of,
    administrator,
    identity_of,
    make_actor,
    make_organisation,
    make_user,
    organisation_values,
)

REASON = "Left the company in May."


@pytest.mark.use_case("UC-01.01")
def test_the_first_sign_in_binds_by_verified_email_whatever_its_capitals(register: str) -> None:
    organisation = make_organisation()
    person = make_user(organisation, email="Pat.Lane@Example.org", signed_in=False)
    assert (person.email, person.status) == ("pat.lane@example.org", MembershipStatus.INVITED)
    with pytest.raises(Unauthenticated):
        actor_of(person)
    outcome = sign_in(identity_of("PAT.LANE@example.ORG", subject="s-1"))
    assert outcome.problem is None
    assert [choice.organisation_id for choice in outcome.choices] == [organisation.id]
    assert outcome.choices[0].role_label == "FSP user"
    acting = actor_of(person)
    assert (acting.subject, acting.organisation_id) == ("s-1", organisation.id)
    (listed,) = list_users(administrator(), organisation.id)
    assert listed.status is MembershipStatus.ACTIVE


@pytest.mark.use_case("UC-01.01")
def test_later_sign_ins_go_by_issuer_and_subject_only(register: str) -> None:
    organisation = make_organisation()
    first = make_user(organisation, email="first@example.org")
    other = make_user(make_organisation(), email="other@example.org", signed_in=False)
    bound = identity_of("first@example.org")
    moved = sign_in(Identity(bound.issuer, bound.subject, other.email, True, "First"))
    assert moved.user is not None
    assert moved.user.id == first.user_id, "a changed email at the provider opens no other account"
    unverified = sign_in(Identity(bound.issuer, bound.subject, "new@example.org", False, "First"))
    assert unverified.user is not None, "once bound, the email no longer matters"


@pytest.mark.use_case("UC-01.01")
@pytest.mark.parametrize("change", [{"subject": "another"}, {"issuer": "https://other.example.org"}])
def test_another_identity_with_the_email_of_a_bound_account_is_refused(register: str, change: dict[str, str]) -> None:
    make_user(make_organisation(), email="taken@example.org")
    outcome = sign_in(identity_of("taken@example.org", **change))
    assert (outcome.user, outcome.choices, outcome.problem) == (None, [], "IDENTITY_MISMATCH")
    assert outcome.message
    with pytest.raises(Forbidden):
        applicant(identity_of("taken@example.org", **change))


@pytest.mark.use_case("UC-01.01")
def test_unknown_and_unverified_people_are_told_what_to_do_next(register: str) -> None:
    make_user(make_organisation(), email="invited@example.org", signed_in=False)
    unknown = sign_in(identity_of("stranger@example.org"))
    assert (unknown.user, unknown.problem) == (None, "UNKNOWN")
    assert "register a new organisation" in (unknown.message or "")
    unverified = sign_in(identity_of("invited@example.org", email_verified=False))
    assert (unverified.user, unverified.problem) == (None, "EMAIL_NOT_VERIFIED")
    with pytest.raises(Forbidden, match="verified"):
        applicant(identity_of("invited@example.org", email_verified=False))
    assert sign_in(identity_of("invited@example.org")).problem is None, "the failed attempts bound nothing"


@pytest.mark.use_case("UC-01.01")
@pytest.mark.parametrize("change", [{"subject": ""}, {"issuer": ""}])
def test_an_identity_without_issuer_or_subject_opens_nothing(register: str, change: dict[str, str]) -> None:
    make_user(make_organisation(), email="invited@example.org", signed_in=False)
    assert sign_in(identity_of("invited@example.org", **change)).user is None
    with pytest.raises(Forbidden):
        applicant(identity_of("invited@example.org", **change))


@pytest.mark.use_case("UC-01.01")
def test_letters_that_only_look_alike_open_no_account(register: str) -> None:
    make_user(make_organisation(), email="kim@example.org", signed_in=False)
    assert sign_in(identity_of("\N{KELVIN SIGN}im@example.org")).problem == "UNKNOWN"


@pytest.mark.use_case("UC-01.01")
def test_one_person_in_several_organisations_chooses_and_is_there_what_they_are_there(register: str) -> None:
    fsp, dno = make_organisation("Alpha Ltd"), make_organisation("Wires Ltd", ("DNO",), licence_areas=["ENWL"])
    person = make_user(fsp, email="both@example.org")
    make_user(dno, email="both@example.org", signed_in=False)
    assert [choice.organisation_name for choice in memberships_of(person.user_id)] == ["Alpha Ltd"]
    outcome = sign_in(identity_of("both@example.org"))
    assert [choice.organisation_name for choice in outcome.choices] == ["Alpha Ltd", "Wires Ltd"]
    as_fsp, as_dno = actor_for_user(person.user_id, fsp.id), actor_for_user(person.user_id, dno.id)
    assert (as_fsp.roles, as_fsp.areas) == ({Role.FSP_USER}, frozenset())
    assert (as_dno.roles, as_dno.areas) == ({Role.SO_USER}, {"ENWL"})
    deactivate_user(administrator(), person.membership_id, REASON)
    with pytest.raises(Unauthenticated):
        actor_for_user(person.user_id, fsp.id)
    assert actor_for_user(person.user_id, dno.id).has(Role.SO_USER)
    assert [choice.organisation_id for choice in sign_in(identity_of("both@example.org")).choices] == [dno.id]


@pytest.mark.use_case("UC-01.01")
def test_nobody_acts_for_an_organisation_they_do_not_belong_to(register: str) -> None:
    person = make_user(make_organisation())
    with pytest.raises(Unauthenticated):
        actor_for_user(person.user_id, make_organisation().id)


@pytest.mark.use_case("UC-01.01")
def test_before_the_first_approval_only_the_organisations_own_administration_is_open(register: str) -> None:
    waiting = make_organisation("Waiting Ltd", ("FSP", "Regulator", "System Operator"), active=False)
    boss = make_user(waiting, [Role.ORGANISATION_ADMIN, Role.FSP_USER, Role.REGULATOR, Role.SO_USER])
    worker = make_user(waiting, [Role.FSP_USER])
    acting = actor_of(boss)
    assert (acting.roles, acting.all_areas) == ({Role.ORGANISATION_ADMIN}, False)
    with pytest.raises(Forbidden, match="waits for approval"):
        actor_of(worker)
    approve_organisation(administrator(), waiting.id, waiting.version)
    assert actor_of(boss).all_areas
    assert actor_of(worker).has(Role.FSP_USER)


@pytest.mark.use_case("UC-01.04")
def test_a_deactivated_person_is_out_at_the_next_operation(register: str) -> None:
    organisation = make_organisation()
    person = make_user(organisation)
    acting = actor_of(person)
    assert get_organisation(acting, organisation.id).id == organisation.id
    deactivate_user(administrator(), person.membership_id, REASON)
    with pytest.raises(Unauthenticated):
        get_organisation(acting, organisation.id)
    outcome = sign_in(identity_of(person.email))
    assert (outcome.user, outcome.problem) == (None, "DEACTIVATED")
    reactivate_user(administrator(), person.membership_id)
    assert sign_in(identity_of(person.email)).problem is None
    assert get_organisation(acting, organisation.id).id == organisation.id


@pytest.mark.use_case("UC-01.01")
def test_a_role_taken_away_is_gone_at_the_next_operation(register: str) -> None:
    organisation = make_organisation()
    person = make_user(organisation, [Role.FSP_USER, Role.VIEWER])
    acting = actor_of(person)
    change_roles(administrator(), person.membership_id, [Role.VIEWER])
    with pytest.raises(Unauthenticated, match="roles have changed"):
        get_organisation(acting, organisation.id)
    assert actor_of(person).roles == {Role.VIEWER}


@pytest.mark.use_case("UC-01.04")
def test_a_suspended_organisation_is_out_at_the_next_operation_and_told_why(register: str) -> None:
    organisation = make_organisation("Paused Ltd")
    person = make_user(organisation)
    acting = actor_of(person)
    suspend_organisation(administrator(), organisation.id, "Under investigation by Elexon.", organisation.version)
    with pytest.raises(Forbidden, match=r"Paused Ltd is suspended: Under investigation"):
        get_organisation(acting, organisation.id)
    with pytest.raises(Forbidden, match=r"Paused Ltd is suspended: Under investigation"):
        actor_of(person)
    outcome = sign_in(identity_of(person.email))
    assert outcome.choices[0].organisation_status is OrganisationStatus.SUSPENDED


@pytest.mark.use_case("UC-01.04")
def test_people_of_refused_and_withdrawn_organisations_are_told_and_can_start_anew(register: str) -> None:
    identity = identity_of("founder@example.org")
    refused = register_organisation(applicant(identity), organisation_values("Nope Ltd"))
    refuse_organisation(administrator(), refused.id, "The documents are missing.", refused.version)
    outcome = sign_in(identity)
    assert (outcome.problem, outcome.choices) == ("NO_MEMBERSHIP", [])
    assert "Nope Ltd was refused (The documents are missing.)" in (outcome.message or "")
    again = register_organisation(applicant(identity), organisation_values("Nope Ltd"))
    assert [choice.organisation_id for choice in sign_in(identity).choices] == [again.id]
    approved = approve_organisation(administrator(), again.id, again.version)
    acting = actor_for_user(sign_in(identity).user.id, again.id)  # pyright: ignore[reportOptionalMemberAccess]
    withdraw_organisation(administrator(), again.id, "Ceased trading last month.", approved.version)
    with pytest.raises(Unauthenticated):
        get_organisation(acting, again.id)
    assert sign_in(identity).problem == "NO_MEMBERSHIP"


@pytest.mark.use_case("UC-01.04")
@pytest.mark.both_engines
def test_a_deactivated_account_is_out_everywhere_and_registers_nothing(register: str) -> None:
    first, second = make_organisation(), make_organisation()
    person = make_user(first, email="gone@example.org")
    make_user(second, email="gone@example.org")
    deactivate_account(administrator(), person.user_id, REASON)
    for organisation in (first, second):
        with pytest.raises(Unauthenticated):
            actor_for_user(person.user_id, organisation.id)
        assert list_users(administrator(), organisation.id)[0].status is MembershipStatus.DEACTIVATED
    assert sign_in(identity_of("gone@example.org")).problem == "DEACTIVATED"
    with pytest.raises(Forbidden):
        applicant(identity_of("gone@example.org"))
    reactivate_account(administrator(), person.user_id)
    assert len(sign_in(identity_of("gone@example.org")).choices) == 2


@pytest.mark.use_case("UC-01.01")
def test_the_administrator_releases_an_identity_for_another_account_at_the_provider(register: str) -> None:
    organisation = make_organisation()
    person = make_user(organisation, email="moves@example.org")
    new = identity_of("moves@example.org", issuer="https://new.example.org", subject="n-1")
    assert sign_in(new).problem == "IDENTITY_MISMATCH"
    with pytest.raises(Forbidden):
        release_identity(
            make_actor(organisation, [Role.ORGANISATION_ADMIN]), person.user_id, "Changed provider in June."
        )
    release_identity(administrator(), person.user_id, "Changed provider in June.")
    outcome = sign_in(new)
    assert outcome.user is not None
    assert outcome.user.id == person.user_id
    assert sign_in(identity_of("moves@example.org")).problem == "IDENTITY_MISMATCH"


@pytest.mark.use_case("WS-6")
def test_personas_are_found_by_email_and_in_demo_mode_only(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_user(make_organisation("Bramble Flex Ltd"), email="persona@bramble.example.org")
    file = tmp_path / "personas.json"
    entries = [
        {"key": "bramble", "label": "FSP", "description": "At Bramble", "email": "Persona@bramble.example.org"},
        {"key": "ghost", "label": "Nobody", "description": "Not there", "email": "ghost@example.org"},
    ]
    file.write_text(json.dumps(entries), "utf-8")
    (found,) = demo_personas(file)
    assert (found.key, found.user_id, found.organisation_id) == ("bramble", person.user_id, person.organisation_id)
    monkeypatch.setenv("FMAR_MODE", "live")
    settings.cache_clear()
    try:
        with pytest.raises(Forbidden):
            demo_personas(file)
    finally:
        monkeypatch.undo()
        settings.cache_clear()


@pytest.mark.use_case("UC-01.01")
def test_the_binding_is_in_the_ledger_under_the_persons_own_name(register: str) -> None:
    person = make_user(make_organisation(), name="Rae Bind")
    with reading_as_register("test"):
        newest = history("user", person.user_id)[0]
    assert (newest.operation, newest.actor) == ("bind_identity", "Rae Bind")
    assert newest.changes["issuer"] == (None, "https://id.example.org")


def test_only_the_register_binds_identities(register: str) -> None:
    with pytest.raises(Forbidden):
        bind_identity(administrator(), identity_of("x@example.org"))
    assert bind_identity(system_actor(), identity_of("x@example.org")) == (None, "UNKNOWN")
