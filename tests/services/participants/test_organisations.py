"""Registering organisations and changing them: findings, duplicates, versions, history (UC-01.02, UC-01.03)."""

import pytest
import time_machine

from models.participants import OrganisationStatus, Role
from services.core.clock import now
from services.core.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import system_actor
from services.core.jobs.worker import work_through
from services.participants.approval import approve_organisation, refuse_organisation
from services.participants.identity import applicant, sign_in
from services.participants.organisations import register_organisation, set_licence_areas, update_organisation
from services.participants.reading import (
    as_terms,
    directory,
    get_organisation,
    list_organisations,
    organisation_as_of,
    organisation_history,
    organisation_passport,
)
from tests.factories import (
    actor_of,
    administrator,
    identity_of,
    make_actor,
    make_organisation,
    make_user,
    organisation_values,
)

ADMIN_ROLES = [Role.ORGANISATION_ADMIN, Role.FSP_USER]


@pytest.mark.use_case("UC-01.02")
def test_an_applicant_registers_an_organisation_and_becomes_its_administrator(register: str) -> None:
    identity = identity_of("sam@bramble.example.org", name="Sam Field")
    assert sign_in(identity).problem == "UNKNOWN"
    made = register_organisation(applicant(identity), organisation_values("Bramble Flex Ltd", ("FSP", "Asset Owner")))
    assert made.organisation_status is OrganisationStatus.PENDING_APPROVAL
    outcome = sign_in(identity)
    assert outcome.problem is None
    assert outcome.user is not None
    assert outcome.user.full_name == "Sam Field"
    (choice,) = outcome.choices
    assert choice.organisation_id == made.id
    assert choice.roles == {Role.ORGANISATION_ADMIN, Role.FSP_USER, Role.ASSET_OWNER}


@pytest.mark.use_case("UC-01.02")
def test_everything_that_is_wrong_is_said_at_once(register: str) -> None:
    values = organisation_values(
        OrganisationLegalName=None, VatRegistrationNumber="123456789", PrimaryMobileNumber="07700 900123", Colour="red"
    )
    with pytest.raises(Invalid) as refused:
        register_organisation(administrator(), values)
    fields = {finding.field for finding in refused.value.findings}
    assert {"OrganisationLegalName", "VatRegistrationNumber", "PrimaryMobileNumber", "Colour"} <= fields
    assert all(finding.expected and finding.message for finding in refused.value.findings)


@pytest.mark.use_case("UC-01.02")
@pytest.mark.parametrize(
    ("term", "value", "again"),
    [
        ("OrganisationRegistrationNumber", "01234567", "1234567"),
        ("VatRegistrationNumber", "999001057", "GB 999 0010 57"),
        ("OrganisationLegalName", "Larkspur Batteries Limited", "LARKSPUR  BATTERIES LTD."),
    ],
)
def test_a_second_registration_is_refused_and_named_only_to_those_who_may_see_the_first(
    register: str, term: str, value: str, again: str
) -> None:
    first = make_organisation(None, ("FSP",), active=True, **{term: value})
    attempt = organisation_values(**{term: again})
    with pytest.raises(Duplicate) as seen:
        register_organisation(administrator(), attempt)
    assert seen.value.existing_id == str(first.id)
    with pytest.raises(Duplicate) as unseen:
        register_organisation(applicant(identity_of("rival@example.org")), attempt)
    assert unseen.value.existing_id is None
    assert str(first.id) not in unseen.value.message
    assert sign_in(identity_of("rival@example.org")).problem == "UNKNOWN", "a refused registration leaves no account"


@pytest.mark.use_case("UC-01.02")
def test_what_a_refused_organisation_held_is_free_again(register: str) -> None:
    values = organisation_values("Second Chance Ltd")
    waiting = register_organisation(system_actor(), values)
    refuse_organisation(administrator(), waiting.id, "The address can't be confirmed.", waiting.version)
    again = register_organisation(system_actor(), values)
    assert again.id != waiting.id


@pytest.mark.use_case("UC-01.02")
def test_the_queue_can_not_be_flooded_by_one_applicant(register: str) -> None:
    acting = applicant(identity_of("many@example.org"))
    for _ in range(5):
        register_organisation(acting, organisation_values())
    with pytest.raises(Refused, match="wait for approval"):
        register_organisation(acting, organisation_values())


@pytest.mark.use_case("UC-01.02")
def test_members_register_no_further_organisations_and_applicants_do_nothing_else(register: str) -> None:
    with pytest.raises(Forbidden):
        register_organisation(make_actor(make_organisation(), ADMIN_ROLES), organisation_values())
    nobody = applicant(identity_of("nobody@example.org"))
    with pytest.raises(Forbidden):
        list_organisations(nobody)
    with pytest.raises(Forbidden):
        directory(nobody)


@pytest.mark.use_case("UC-01.03")
def test_contacts_change_without_approval_and_only_what_is_named_changes(register: str) -> None:
    organisation = make_organisation()
    acting = make_actor(organisation, ADMIN_ROLES)
    changed = update_organisation(
        acting, organisation.id, {"RegisteredCity": "York", "OrganisationWebsite": "https://x.example.org"}, 2
    )
    assert changed.organisation_status is OrganisationStatus.ACTIVE
    assert (changed.version, changed.registered_city) == (3, "York")
    assert changed.primary_contact_first_name == "Robin"
    cleared = update_organisation(acting, organisation.id, {"OrganisationWebsite": ""}, 3)
    assert cleared.organisation_website is None
    same = update_organisation(acting, organisation.id, {"RegisteredCity": "York"}, 4)
    assert same.version == 4, "nothing changed, so there is no new version"


@pytest.mark.use_case("UC-01.03")
@pytest.mark.parametrize(
    "change",
    [
        {"OrganisationLegalName": "Another Name Ltd"},
        {"OrganisationRegistrationNumber": "07654321"},
        {"OrganisationRoles": ["FSP", "System Operator"]},
    ],
)
def test_a_material_change_waits_for_approval_and_gives_nothing_until_then(
    register: str, change: dict[str, object]
) -> None:
    organisation = make_organisation()
    person = make_user(organisation, ADMIN_ROLES)
    changed = update_organisation(actor_of(person), organisation.id, change, organisation.version)
    assert changed.organisation_status is OrganisationStatus.PENDING_APPROVAL
    assert changed.approved_at is not None, "what it was approved as still holds"
    acting = actor_of(person)
    assert acting.has(Role.FSP_USER)
    assert not acting.all_areas
    assert get_organisation(acting, organisation.id).id == organisation.id
    approved = approve_organisation(administrator(), organisation.id, changed.version)
    assert approved.organisation_status is OrganisationStatus.ACTIVE
    assert {term: as_terms(approved)[term] for term in change} == change


@pytest.mark.use_case("UC-01.03")
def test_a_refused_change_returns_to_what_was_approved_and_takes_nothing_away(register: str) -> None:
    organisation = make_organisation("Old Name Ltd")
    person = make_user(organisation, ADMIN_ROLES)
    change = {"OrganisationLegalName": "New Name Ltd", "OrganisationRoles": ["Regulator"], "RegisteredCity": "York"}
    changed = update_organisation(actor_of(person), organisation.id, change, organisation.version)
    with pytest.raises(Duplicate):
        make_organisation("Old Name Ltd")
    back = refuse_organisation(administrator(), organisation.id, "The registry knows no such name.", changed.version)
    assert back.organisation_status is OrganisationStatus.ACTIVE
    assert (back.organisation_legal_name, back.organisation_roles) == ("Old Name Ltd", ["FSP"])
    assert back.registered_city == "York", "what needs no approval stays changed"
    assert back.status_reason == "The registry knows no such name."
    assert make_organisation("New Name Ltd").organisation_status is OrganisationStatus.ACTIVE
    assert actor_of(person).has(Role.FSP_USER)


@pytest.mark.use_case("UC-01.03")
def test_a_change_checks_the_whole_record_and_duplicates(register: str) -> None:
    other = make_organisation("Taken Ltd")
    organisation = make_organisation()
    acting = make_actor(organisation, ADMIN_ROLES)
    with pytest.raises(Invalid) as refused:
        update_organisation(acting, organisation.id, {"RegisteredCity": "", "OrganisationType": "Other"}, 2)
    assert {finding.field for finding in refused.value.findings} == {"RegisteredCity", "OrganisationTypeDescription"}
    with pytest.raises(Duplicate) as taken:
        update_organisation(acting, organisation.id, {"OrganisationLegalName": "Taken Limited"}, 2)
    assert taken.value.existing_id is None
    with pytest.raises(NotFound):
        update_organisation(acting, other.id, {"RegisteredCity": "York"}, 2)
    with pytest.raises(Forbidden):
        update_organisation(make_actor(organisation), organisation.id, {"RegisteredCity": "York"}, 2)
    assert get_organisation(acting, organisation.id).registered_city == "Leeds"


@pytest.mark.use_case("UC-01.03")
@pytest.mark.both_engines
def test_of_two_changes_of_one_version_the_second_is_told_of_the_first(register: str) -> None:
    organisation = make_organisation()
    acting = make_actor(organisation, ADMIN_ROLES)
    update_organisation(acting, organisation.id, {"RegisteredCity": "York"}, 2)
    with pytest.raises(Conflict) as stale:
        update_organisation(acting, organisation.id, {"RegisteredCity": "Hull"}, 2)
    assert stale.value.changes == {"RegisteredCity": ("Leeds", "York")}
    assert stale.value.current["RegisteredCity"] == "York"
    with pytest.raises(Conflict):
        update_organisation(acting, organisation.id, {"RegisteredCity": "Hull"}, 99)


@pytest.mark.use_case("UC-01.03")
def test_the_registry_check_in_the_background_makes_no_form_stale(register: str) -> None:
    organisation = make_organisation()
    work_through()
    acting = make_actor(organisation, ADMIN_ROLES)
    checked = get_organisation(acting, organisation.id)
    assert checked.version == organisation.version + 1
    changed = update_organisation(acting, organisation.id, {"RegisteredCity": "York"}, organisation.version)
    assert changed.registered_city == "York"


@pytest.mark.use_case("UC-01.02")
def test_licence_areas_are_the_administrators_word_and_for_dnos_only(register: str) -> None:
    dno = make_organisation("Eastern Wires plc", ("DNO",), licence_areas=["UKPN_LPN", "UKPN_EPN"])
    assert dno.licence_areas == ["UKPN_EPN", "UKPN_LPN"]
    engineer = make_actor(dno)
    assert engineer.areas == {"UKPN_EPN", "UKPN_LPN"}
    with pytest.raises(Forbidden):
        set_licence_areas(make_actor(dno, [Role.ORGANISATION_ADMIN]), dno.id, ["NPG_NE"], dno.version)
    with pytest.raises(Invalid) as wrong:
        set_licence_areas(administrator(), dno.id, ["NOWHERE"], dno.version)
    assert wrong.value.findings[0].given == "NOWHERE"
    fsp = make_organisation()
    with pytest.raises(Invalid):
        set_licence_areas(administrator(), fsp.id, ["UKPN_EPN"], fsp.version)
    assert make_actor(make_organisation("National Operator Ltd", ("System Operator",))).all_areas


@pytest.mark.use_case("UC-01.02")
def test_each_sees_its_own_record_and_of_others_the_directory(register: str) -> None:
    mine, theirs = make_organisation("Mine Ltd"), make_organisation("Theirs Ltd", ("Supplier",))
    make_organisation("Waiting Ltd", active=False)
    acting = make_actor(mine)
    assert [one.id for one in list_organisations(acting).items] == [mine.id]
    with pytest.raises(NotFound) as unseen:
        get_organisation(acting, theirs.id)
    assert "Theirs" not in unseen.value.message
    for read in (organisation_history, organisation_passport):
        with pytest.raises(NotFound):
            read(acting, theirs.id)
    entries = {entry.organisation_legal_name: entry for entry in directory(acting)}
    assert list(entries) == ["Elexon Limited", "Mine Ltd", "Theirs Ltd"]
    assert entries["Theirs Ltd"].organisation_roles == ["Supplier"]


@pytest.mark.use_case("UC-01.02")
def test_the_list_is_filtered_and_paged(register: str) -> None:
    acting = administrator()
    made = [make_organisation(f"Listed {number} Ltd", ("FSP", "Supplier")) for number in range(5)]
    make_organisation("Hundred % Ltd", ("Supplier",), active=False)
    first = list_organisations(acting, text="listed", limit=2)
    assert [one.id for one in first.items] == [one.id for one in made[:2]]
    rest = list_organisations(acting, text="listed", after=first.next_cursor, limit=50)
    assert [one.id for one in rest.items] == [one.id for one in made[2:]]
    assert rest.next_cursor is None
    assert len(list_organisations(acting, role="FSP").items) == 5
    assert len(list_organisations(acting, role="Supplier").items) == 6
    assert len(list_organisations(acting, text="%").items) == 1
    waiting = list_organisations(acting, status=OrganisationStatus.PENDING_APPROVAL).items
    assert [one.organisation_legal_name for one in waiting] == ["Hundred % Ltd"]


@pytest.mark.use_case("UC-01.02")
def test_the_passport_holds_what_a_platform_needs_by_ontology_terms(register: str) -> None:
    organisation = make_organisation("Passport Ltd", Identifiers=[{"scheme": "BSC_PARTY", "value": "PASSPORT"}])
    passport = organisation_passport(make_actor(organisation), organisation.id)
    assert passport["FmarOrganisationId"] == str(organisation.id)
    assert passport["OrganisationRoles"] == ["FSP"]
    assert passport["PrimaryMobileNumber"] == "+442079460123"
    assert passport["Identifiers"] == [{"scheme": "BSC_PARTY", "value": "PASSPORT"}]
    assert "OrganisationTradingName" not in passport, "what is not stated is left out"


@pytest.mark.use_case("UC-01.03")
def test_the_history_tells_every_change_and_the_record_as_it_stood(register: str) -> None:
    with time_machine.travel("2026-03-02T09:00:00Z", tick=True):
        organisation = make_organisation("Before Ltd")
        person = make_user(organisation, ADMIN_ROLES, name="Kim Change")
    with time_machine.travel("2026-04-02T09:00:00Z", tick=True):
        between = now()
    with time_machine.travel("2026-05-02T09:00:00Z", tick=True):
        acting = actor_of(person)
        update_organisation(acting, organisation.id, {"OrganisationLegalName": "After Ltd"}, organisation.version)
        newest, approved, registered = organisation_history(acting, organisation.id)
        assert newest.changes["organisation_legal_name"] == ("Before Ltd", "After Ltd")
        assert (newest.actor, newest.use_case) == ("Kim Change", "UC-01.03")
        assert approved.changes["organisation_status"] == ("Pending Approval", "Active")
        assert registered.operation == "register_organisation"
        assert organisation_as_of(acting, organisation.id, between).organisation_legal_name == "Before Ltd"
        assert organisation_as_of(acting, organisation.id, now()).organisation_legal_name == "After Ltd"
    with time_machine.travel("2026-01-02T09:00:00Z", tick=True):
        too_early = now()
    with pytest.raises(NotFound):
        organisation_as_of(acting, organisation.id, too_early)
