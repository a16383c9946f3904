"""Invitations don't tell whose an address is (UC-01.01): the same answer for everybody's address and for nobody's."""

from dataclasses import asdict

import pytest

from models.participants import MembershipStatus
from services.core.identity.actor import Actor
from services.participants.accounts import deactivate_account
from services.participants.identity import sign_in
from services.participants.users import (
    UserView,
    change_roles,
    deactivate_user,
    invite_user,
    list_users,
    reactivate_user,
)
from tests.factories import administrator, identity_of, make_actor, make_organisation, make_user

REASON = "Invited by mistake."


def _shape(view: UserView, email: str) -> dict[str, object]:
    """What a view tells, but for the address that was given and what differs between any two memberships."""
    others = ("membership_id", "recorded_at", "user_id", "MembershipId", "RecordedAt")
    told = {name: value for name, value in {**asdict(view), **view.as_terms()}.items() if name not in others}
    return {name: "THE ADDRESS" if value == email else value for name, value in told.items()}


@pytest.fixture
def boss(register: str) -> Actor:
    return make_actor(make_organisation("Bramble Flex"), ["organisation_admin"])


@pytest.fixture
def addresses(boss: Actor) -> list[str]:
    """Of nobody, of somebody elsewhere, of somebody invited elsewhere, and of somebody whose account is closed."""
    other = make_organisation("Northgate Flex")
    make_user(other, ["viewer"], name="Known Person", email="known@example.org")
    make_user(other, ["viewer"], name="Invited Person", email="invited@example.org", signed_in=False)
    closed = make_user(other, ["viewer"], name="Closed Person", email="closed@example.org")
    deactivate_account(administrator(), closed.user_id, "Left the trade in May.")
    return ["nobody@example.org", "known@example.org", "invited@example.org", "closed@example.org"]


@pytest.mark.use_case("UC-01.01")
def test_an_invitation_answers_alike_whoever_has_the_address(boss: Actor, addresses: list[str]) -> None:
    assert boss.organisation_id is not None
    steps: list[list[dict[str, object]]] = []
    for email in addresses:
        told = []
        view = invite_user(boss, boss.organisation_id, "Jo Reed", email, ["viewer"])
        told.append(_shape(view, email))
        view = change_roles(boss, view.membership_id, ["viewer", "organisation_admin"])
        told.append(_shape(view, email))
        view = deactivate_user(boss, view.membership_id, REASON)
        told.append(_shape(view, email))
        view = reactivate_user(boss, view.membership_id)
        told.append(_shape(view, email))
        [listed] = [person for person in list_users(boss) if person.email == email]
        told.append(_shape(listed, email))
        steps.append(told)
    assert all(told == steps[0] for told in steps)
    assert [told["status"] for told in steps[0]] == [
        MembershipStatus.INVITED, MembershipStatus.INVITED, MembershipStatus.DEACTIVATED, MembershipStatus.INVITED,
        MembershipStatus.INVITED,
    ]  # fmt: skip
    assert (steps[0][0]["full_name"], steps[0][0]["UserId"]) == ("Jo Reed", None)
    for text, found in (("Known Person", 0), ("Jo Reed", 4), ("known@", 1), ("Invited Person", 0)):
        assert len(list_users(boss, text=text)) == found


@pytest.mark.use_case("UC-01.01")
def test_whoever_accepts_is_known_by_their_own_name(boss: Actor, addresses: list[str]) -> None:
    assert boss.organisation_id is not None
    for email in ("known@example.org", "nobody@example.org"):
        invite_user(boss, boss.organisation_id, "Jo Reed", email, ["viewer"])
        assert sign_in(identity_of(email)).problem is None
    people = {person.email: person for person in list_users(boss)}
    assert people["known@example.org"].full_name == "Known Person"
    assert people["nobody@example.org"].full_name == "Jo Reed"
    assert people["known@example.org"].as_terms()["UserId"]
    governing = {person.email: person.full_name for person in list_users(administrator())}
    assert governing["closed@example.org"] == "Closed Person"
