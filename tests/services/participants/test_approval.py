"""What is decided about organisations: approval, suspension, the end and what stands in its way (UC-01.02, UC-01.04)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from models.assets import Asset, AssetStatus
from models.participants import OrganisationStatus, Role
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unauthenticated
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import read_events
from services.core.transaction import Stamp, unit_of_work
from services.participants.approval import (
    approval_queue,
    approve_organisation,
    refuse_organisation,
    reinstate_organisation,
    suspend_organisation,
)
from services.participants.clients import authenticate_client
from services.participants.ending import withdraw_organisation, withdrawal_blockers
from services.participants.governing import begin_governing
from services.participants.lifecycle import ORGANISATION_LIFE_CYCLE, allowed_actions
from services.participants.organisations import update_organisation
from services.participants.reading import get_organisation, organisation_history
from tests.factories import (
    actor_of,
    administrator,
    make_actor,
    make_client,
    make_organisation,
    make_user,
    organisation_values,
)

REASON = "Asked for by the programme board."


def add_asset(provider: UUID, owner: UUID | None, status: AssetStatus) -> None:
    """An asset as the register holds it; how it gets there is proven elsewhere."""
    with unit_of_work(Stamp("add_asset", "UC-02.01", system_actor()), writes=True) as session:
        session.add(
            Asset(
                asset_name="Battery",
                organisation_id=owner,
                service_provider_id=provider,
                asset_category="BESS",
                rated_capacity=Decimal("5.00"),
                effective_date=date(2026, 1, 1),
                connection_status="CONNECTED",
                connection_type="FIRM",
                status=status,
            )
        )


@pytest.mark.use_case("UC-01.02")
def test_an_approved_organisation_is_active_and_its_feed_says_so(register: str) -> None:
    waiting = make_organisation(active=False)
    assert [one.id for one in approval_queue(administrator())] == [waiting.id]
    approved = approve_organisation(administrator(), waiting.id, waiting.version)
    assert approved.organisation_status is OrganisationStatus.ACTIVE
    assert approved.approved_at is not None
    assert approval_queue(administrator()) == []
    feed = [event.type for event in read_events(make_actor(approved))]
    assert feed[:2] == ["organisation.registered", "organisation.approved"]


@pytest.mark.use_case("UC-01.02")
def test_a_refusal_needs_a_reason_and_is_final(register: str) -> None:
    waiting = make_organisation(active=False)
    for reason in ("", "   ", "too short", "x" * 501):
        with pytest.raises(Invalid) as unreasoned:
            refuse_organisation(administrator(), waiting.id, reason, waiting.version)
        assert unreasoned.value.findings[0].field == "Reason"
    refused = refuse_organisation(administrator(), waiting.id, REASON, waiting.version)
    assert (refused.organisation_status, refused.status_reason) == (OrganisationStatus.REFUSED, REASON)
    with pytest.raises(Refused, match="final"):
        approve_organisation(administrator(), waiting.id, refused.version)
    with pytest.raises(Refused):
        update_organisation(administrator(), waiting.id, {"RegisteredCity": "York"}, refused.version)


@pytest.mark.use_case("UC-01.02")
def test_a_decision_is_taken_on_what_was_read(register: str) -> None:
    waiting = make_organisation(active=False)
    update_organisation(administrator(), waiting.id, {"RegisteredCity": "York"}, waiting.version)
    with pytest.raises(Conflict) as stale:
        approve_organisation(administrator(), waiting.id, waiting.version)
    assert stale.value.changes["RegisteredCity"] == ("Leeds", "York")


@pytest.mark.use_case("UC-01.02")
@pytest.mark.parametrize("role", [Role.ORGANISATION_ADMIN, Role.FSP_USER, Role.VIEWER])
def test_only_the_fmar_administrator_decides(register: str, role: Role) -> None:
    organisation, waiting = make_organisation(), make_organisation(active=False)
    acting = make_actor(organisation, [role])
    decisions = [
        lambda: approval_queue(acting),
        lambda: approve_organisation(acting, waiting.id, waiting.version),
        lambda: refuse_organisation(acting, organisation.id, REASON, organisation.version),
        lambda: suspend_organisation(acting, organisation.id, REASON, organisation.version),
        lambda: reinstate_organisation(acting, organisation.id, organisation.version),
    ]
    for decide in decisions:
        with pytest.raises(Forbidden):
            decide()


@pytest.mark.use_case("UC-01.04")
def test_a_suspension_keeps_everything_and_is_lifted(register: str) -> None:
    organisation = make_organisation()
    person = make_user(organisation, [Role.ORGANISATION_ADMIN, Role.FSP_USER])
    client, secret = make_client(organisation)
    suspended = suspend_organisation(administrator(), organisation.id, REASON, organisation.version)
    with pytest.raises(Forbidden, match=REASON):
        authenticate_client(client.client_id, secret)
    with pytest.raises(Refused, match="reinstate"):
        update_organisation(administrator(), organisation.id, {"RegisteredCity": "York"}, suspended.version)
    back = reinstate_organisation(administrator(), organisation.id, suspended.version)
    assert (back.organisation_status, back.status_reason) == (OrganisationStatus.ACTIVE, None)
    assert actor_of(person).has(Role.FSP_USER)
    assert authenticate_client(client.client_id, secret) is not None
    suspension = organisation_history(actor_of(person), organisation.id)[1]
    assert suspension.changes["status_reason"] == (None, REASON)


@pytest.mark.use_case("UC-01.04")
def test_an_organisation_with_open_obligations_can_not_go_and_the_list_says_why(register: str) -> None:
    organisation, other = make_organisation(), make_organisation()
    person = make_user(organisation, [Role.ORGANISATION_ADMIN])
    acting = actor_of(person)
    assert withdrawal_blockers(acting, organisation.id) == []
    for status in (AssetStatus.VERIFIED, AssetStatus.VERIFIED, AssetStatus.QUERY, AssetStatus.DEREGISTERED):
        add_asset(organisation.id, organisation.id, status)
    add_asset(other.id, organisation.id, AssetStatus.PENDING_VALIDATION)
    add_asset(other.id, other.id, AssetStatus.VERIFIED)
    with pytest.raises(Refused) as refused:
        withdraw_organisation(acting, organisation.id, REASON, organisation.version)
    assert [blocker.label for blocker in refused.value.blockers] == [
        "2 assets managed, Verified",
        "1 asset managed, Query",
        "1 asset owned, Pending Validation",
    ]
    assert withdrawal_blockers(acting, organisation.id) == refused.value.blockers
    assert get_organisation(acting, organisation.id).organisation_status is OrganisationStatus.ACTIVE


@pytest.mark.use_case("UC-01.04")
def test_a_withdrawn_organisation_is_gone_at_once_and_for_good(register: str) -> None:
    organisation = make_organisation("Leaving Ltd")
    person = make_user(organisation, [Role.ORGANISATION_ADMIN])
    client, secret = make_client(organisation)
    acting = actor_of(person)
    with pytest.raises(Invalid):
        withdraw_organisation(acting, organisation.id, "bye", organisation.version)
    gone = withdraw_organisation(acting, organisation.id, REASON, organisation.version)
    assert gone.organisation_status is OrganisationStatus.WITHDRAWN
    with pytest.raises(Unauthenticated):
        get_organisation(acting, organisation.id)
    assert authenticate_client(client.client_id, secret) is None
    with pytest.raises(Refused, match="final"):
        reinstate_organisation(administrator(), organisation.id, gone.version)
    assert make_organisation("Leaving Ltd").id != organisation.id


@pytest.mark.use_case("UC-01.04")
def test_nobody_withdraws_another_organisation(register: str) -> None:
    other = make_organisation()
    acting = make_actor(make_organisation(), [Role.ORGANISATION_ADMIN])
    governing = administrator().organisation_id
    for identifier in (other.id, governing or other.id, UUID(int=7)):
        with pytest.raises(NotFound):
            withdraw_organisation(acting, identifier, REASON, other.version)
    with pytest.raises(NotFound):
        withdrawal_blockers(acting, other.id)


@pytest.mark.use_case("UC-01.04")
def test_the_organisation_of_the_last_fmar_administrator_can_not_be_shut(register: str) -> None:
    acting = administrator()
    elexon = get_organisation(acting, acting.organisation_id)  # pyright: ignore[reportArgumentType]
    for end in (suspend_organisation, withdraw_organisation):
        with pytest.raises(Refused, match="govern"):
            end(acting, elexon.id, REASON, elexon.version)
    second = make_organisation("Deputy Ltd", ("Market Facilitator",))
    make_actor(second, [Role.ADMINISTRATOR])
    suspended = suspend_organisation(acting, elexon.id, REASON, elexon.version)
    assert suspended.organisation_status is OrganisationStatus.SUSPENDED


@pytest.mark.use_case("UC-01.02")
def test_a_register_is_given_its_first_administrator_once(register: str) -> None:
    acting = administrator()
    assert acting.has(Role.ADMINISTRATOR, Role.ORGANISATION_ADMIN)
    with pytest.raises(Refused, match="already"):
        begin_governing(system_actor(), organisation_values(None, ("Market Facilitator",)), "Eve", "eve@example.org")
    with pytest.raises(Forbidden):
        begin_governing(acting, organisation_values(), "Eve", "eve@example.org")


@pytest.mark.use_case("UC-01.02")
def test_what_can_be_done_follows_from_state_and_role(register: str) -> None:
    organisation = make_organisation()

    def offered(actor: Actor) -> dict[str, bool]:
        return {action.operation: action.allowed for action in allowed_actions(organisation, actor)}

    assert offered(administrator()) == {
        "approve_organisation": False,
        "refuse_organisation": False,
        "update_organisation": True,
        "suspend_organisation": True,
        "reinstate_organisation": False,
        "withdraw_organisation": True,
    }
    boss = make_actor(organisation, [Role.ORGANISATION_ADMIN])
    assert offered(boss) == {"update_organisation": True, "withdraw_organisation": True}
    assert offered(make_actor(organisation)) == {}
    assert offered(make_actor(make_organisation(), [Role.ORGANISATION_ADMIN])) == {}
    assert all(action.why_not for action in allowed_actions(organisation, administrator()) if not action.allowed)


@pytest.mark.use_case("UC-01.04")
def test_refused_and_withdrawn_are_final(register: str) -> None:
    for final in (OrganisationStatus.REFUSED, OrganisationStatus.WITHDRAWN):
        assert not [step for step in ORGANISATION_LIFE_CYCLE.transitions if step.source == final]
