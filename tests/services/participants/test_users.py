"""People in an organisation: invitations, roles, and the last administrator (UC-01.01, UC-01.04)."""

import threading
from collections.abc import Callable

import pytest

from models.participants import MembershipStatus, Role
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, RegisterError
from services.participants.accounts import deactivate_account
from services.participants.approval import approve_organisation
from services.participants.identity import sign_in
from services.participants.organisations import update_organisation
from services.participants.users import (
    ACCOUNT_CLOSED,
    assignable_in,
    change_roles,
    deactivate_user,
    invite_user,
    list_users,
    reactivate_user,
)
from tests.factories import accept, actor_of, administrator, identity_of, make_actor, make_organisation, make_user

REASON = "Left the company in May."
BOSS = [Role.ORGANISATION_ADMIN]


@pytest.mark.use_case("UC-01.01")
def test_an_organisations_administrator_invites_people_into_it(register: str) -> None:
    organisation = make_organisation("Bramble Flex Ltd")
    boss = make_actor(organisation, BOSS)
    invited = invite_user(boss, organisation.id, "  Jo   Reed ", "Jo.Reed@Example.org", ["fsp_user", "viewer"])
    assert (invited.full_name, invited.email, invited.status) == (
        "Jo Reed",
        "jo.reed@example.org",
        MembershipStatus.INVITED,
    )
    assert invited.role_label == "FSP user, Viewer"
    assert sign_in(identity_of("jo.reed@example.org")).problem is None
    found = {person.email: person for person in list_users(boss)}
    assert found["jo.reed@example.org"].status is MembershipStatus.ACTIVE
    assert found["jo.reed@example.org"].as_terms()["Roles"] == ["fsp_user", "viewer"]
    with pytest.raises(Forbidden):
        invite_user(make_actor(organisation), organisation.id, "A B", "ab@example.org", ["viewer"])
    with pytest.raises(NotFound):
        invite_user(boss, make_organisation().id, "A B", "ab@example.org", ["viewer"])


@pytest.mark.use_case("UC-01.01")
def test_everything_wrong_with_an_invitation_is_said_at_once(register: str) -> None:
    organisation = make_organisation()
    with pytest.raises(Invalid) as refused:
        invite_user(make_actor(organisation, BOSS), organisation.id, " ", "no address", ["so_user", "wizard"])
    found = [(finding.field, finding.given) for finding in refused.value.findings]
    assert found == [("FullName", None), ("Email", "no address"), ("Roles", "so_user"), ("Roles", "wizard")]
    with pytest.raises(Invalid):
        invite_user(make_actor(organisation, BOSS), organisation.id, "A B", "ab@example.org", [])


@pytest.mark.use_case("UC-01.01")
def test_somebody_known_elsewhere_keeps_name_and_account(register: str) -> None:
    first, second = make_organisation(), make_organisation()
    known = make_user(first, name="Real Name", email="known@example.org")
    again = invite_user(make_actor(second, BOSS), second.id, "Another Name", "KNOWN@example.org", ["viewer"])
    assert (again.full_name, again.as_terms()["UserId"]) == ("Another Name", None), "whose address it is, isn't told"
    accept(again)
    [accepted] = [person for person in list_users(make_actor(second, BOSS)) if person.email == known.email]
    assert (accepted.user_id, accepted.full_name) == (known.user_id, "Real Name")
    with pytest.raises(Refused, match="belongs to"):
        invite_user(administrator(), second.id, "Real Name", "known@example.org", ["viewer"])


@pytest.mark.use_case("UC-01.01")
@pytest.mark.parametrize(
    ("roles", "carried"),
    [
        (("FSP",), {Role.FSP_USER}),
        (("DNO",), {Role.SO_USER}),
        (("Regulator",), {Role.REGULATOR}),
        (("Supplier", "Aggregator", "Asset Owner"), {Role.FSP_USER, Role.ASSET_OWNER}),
        (("Third-Party Platform",), {Role.PLATFORM}),
        (("Installer",), {Role.INSTALLER}),
        (("Other",), set()),
        (("Market Facilitator",), set()),
    ],
)
def test_roles_follow_from_what_the_organisation_is(register: str, roles: tuple[str, ...], carried: set[Role]) -> None:
    organisation = make_organisation(None, roles, OrganisationRolesDescription="Research")
    boss = make_actor(organisation, BOSS)
    assert set(assignable_in(boss, organisation.id)) == carried | {Role.ORGANISATION_ADMIN, Role.VIEWER}
    for role in (Role.ADMINISTRATOR, Role.SYSTEM, Role.APPLICANT):
        with pytest.raises(Invalid):
            invite_user(boss, organisation.id, "A B", "ab@example.org", [role])


@pytest.mark.use_case("UC-01.01")
def test_the_administration_of_the_register_is_given_and_taken_by_those_who_hold_it(register: str) -> None:
    acting = administrator()
    home = acting.organisation_id
    assert home is not None
    deputy = invite_user(acting, home, "De Puty", "deputy@elexon.example.org", [Role.ADMINISTRATOR])
    local = invite_user(acting, home, "Lo Cal", "local@elexon.example.org", BOSS)
    accept(local)
    with pytest.raises(Refused, match="another FMAR administrator"):
        change_roles(actor_of(local), deputy.membership_id, [Role.VIEWER])
    with pytest.raises(Invalid):
        change_roles(actor_of(local), local.membership_id, [Role.ORGANISATION_ADMIN, Role.ADMINISTRATOR])
    organisation = make_organisation()
    with pytest.raises(Invalid):
        invite_user(acting, organisation.id, "A B", "ab@example.org", [Role.ADMINISTRATOR])


@pytest.mark.use_case("UC-01.04")
def test_the_last_administrator_of_an_organisation_can_not_go(register: str) -> None:
    organisation = make_organisation()
    person = make_user(organisation, [*BOSS, Role.FSP_USER])
    boss = actor_of(person)
    second = invite_user(boss, organisation.id, "Sec Ond", "second@example.org", BOSS)
    ways: list[Callable[[], object]] = [
        lambda: deactivate_user(boss, person.membership_id, REASON),
        lambda: deactivate_user(administrator(), person.membership_id, REASON),
        lambda: change_roles(boss, person.membership_id, [Role.FSP_USER]),
        lambda: deactivate_account(administrator(), person.user_id, REASON),
    ]
    for way in ways:
        with pytest.raises(Refused, match="last administrator"):
            way()
    accept(second)
    assert deactivate_user(boss, person.membership_id, REASON).status is MembershipStatus.DEACTIVATED
    with pytest.raises(Refused, match="last administrator"):
        deactivate_user(actor_of(second), second.membership_id, REASON)


@pytest.mark.use_case("UC-01.04")
def test_why_an_account_was_closed_is_told_to_no_other_organisation(register: str) -> None:
    person, other = make_user(make_organisation()), make_organisation()
    boss = make_actor(other, BOSS)
    accept(invite_user(boss, other.id, "Somebody", person.email, [Role.FSP_USER]))
    deactivate_account(administrator(), person.user_id, REASON)
    [shown] = list_users(boss, text=person.email)
    assert (shown.status, shown.status_reason) == (MembershipStatus.DEACTIVATED, ACCOUNT_CLOSED)
    assert {one.status_reason for one in list_users(administrator(), text=person.email)} == {REASON}


@pytest.mark.use_case("UC-01.04")
def test_the_last_fmar_administrator_can_not_go(register: str) -> None:
    acting = administrator()
    mine = next(person for person in list_users(acting) if person.user_id == acting.user_id)
    with pytest.raises(Refused, match="last FMAR administrator"):
        deactivate_user(acting, mine.membership_id, REASON)
    with pytest.raises(Refused, match="last FMAR administrator"):
        change_roles(acting, mine.membership_id, BOSS)
    accept(invite_user(acting, mine.organisation_id, "De Puty", "deputy@elexon.example.org", [Role.ADMINISTRATOR]))
    assert change_roles(acting, mine.membership_id, BOSS).roles == BOSS


@pytest.mark.use_case("UC-01.04")
@pytest.mark.both_engines
def test_of_two_administrators_who_deactivate_each_other_at_once_one_stays(register: str) -> None:
    organisation = make_organisation()
    people = [make_user(organisation, BOSS), make_user(organisation, BOSS)]
    actors = [actor_of(person) for person in people]
    start, outcomes = threading.Barrier(2), []

    def strike(mine: int) -> None:
        start.wait()
        try:
            deactivate_user(actors[mine], people[1 - mine].membership_id, REASON)
            outcomes.append("done")
        except RegisterError as refused:
            outcomes.append(type(refused).__name__)

    threads = [threading.Thread(target=strike, args=(mine,)) for mine in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("done") == 1, outcomes
    left = [person for person in list_users(administrator(), organisation.id) if person.status == "Active"]
    assert len(left) == 1


@pytest.mark.use_case("UC-01.04")
def test_deactivating_needs_a_reason_and_reactivating_gives_back_what_still_fits(register: str) -> None:
    organisation = make_organisation()
    boss = make_actor(organisation, BOSS)
    person = make_user(organisation)
    with pytest.raises(Invalid):
        deactivate_user(boss, person.membership_id, "left")
    gone = deactivate_user(boss, person.membership_id, REASON)
    assert gone.status_reason == REASON
    with pytest.raises(Refused, match="already"):
        deactivate_user(boss, person.membership_id, REASON)
    with pytest.raises(Refused, match="Reactivate"):
        invite_user(boss, organisation.id, "A B", person.email, ["viewer"])
    back = reactivate_user(boss, person.membership_id)
    assert (back.status, back.roles) == (MembershipStatus.ACTIVE, [Role.FSP_USER])
    never = make_user(organisation, signed_in=False)
    deactivate_user(boss, never.membership_id, REASON)
    assert reactivate_user(boss, never.membership_id).status is MembershipStatus.INVITED


@pytest.mark.use_case("UC-01.01")
def test_each_organisation_sees_its_own_people_only(register: str) -> None:
    mine, theirs = make_organisation(), make_organisation()
    person, stranger = make_user(mine), make_user(theirs)
    assert [found.membership_id for found in list_users(actor_of(person))] == [person.membership_id]
    assert list_users(actor_of(person), theirs.id) == []
    for act in (
        lambda: change_roles(make_actor(mine, BOSS), stranger.membership_id, ["viewer"]),
        lambda: deactivate_user(make_actor(mine, BOSS), stranger.membership_id, REASON),
    ):
        with pytest.raises(NotFound):
            act()
    everybody = list_users(administrator())
    assert {person.membership_id, stranger.membership_id} <= {found.membership_id for found in everybody}
    assert [found.email for found in list_users(administrator(), text="ADA@")] == ["ada@elexon.example.org"]
    paged = list_users(administrator(), after=everybody[0].membership_id, limit=1)
    assert [found.membership_id for found in paged] == [everybody[1].membership_id]


@pytest.mark.use_case("UC-01.01")
def test_a_stale_change_of_roles_is_told(register: str) -> None:
    organisation = make_organisation()
    boss, person = make_actor(organisation, BOSS), make_user(organisation)
    version = next(found.version for found in list_users(boss) if found.membership_id == person.membership_id)
    change_roles(boss, person.membership_id, ["viewer"], version)
    with pytest.raises(Conflict) as stale:
        change_roles(boss, person.membership_id, ["fsp_user"], version)
    assert stale.value.current["Roles"] == ["viewer"]


@pytest.mark.use_case("UC-01.03")
def test_a_role_the_organisation_gave_up_has_no_effect_any_more(register: str) -> None:
    organisation = make_organisation(None, ("FSP", "Asset Owner"))
    boss = make_actor(organisation, BOSS)
    person = make_user(organisation, [Role.FSP_USER, Role.ASSET_OWNER])
    changed = update_organisation(boss, organisation.id, {"OrganisationRoles": ["Asset Owner"]}, organisation.version)
    assert actor_of(person).has(Role.FSP_USER), "until the change is approved, what was approved holds"
    approve_organisation(administrator(), organisation.id, changed.version)
    assert actor_of(person).roles == {Role.ASSET_OWNER}
