"""API credentials: shown once, kept as a hash, and out at the next call when they end (UC-05.04, UC-01.04)."""

import json
import time
from datetime import timedelta

import pytest
import time_machine

from models.participants import ApiClientStatus, Role
from services.core.clock import now
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unauthenticated
from services.core.identity.actor import system_actor
from services.core.identity.resolve import reading_as_register
from services.core.ledger.history import entries
from services.core.settings import Mode, settings
from services.participants.approval import approve_organisation
from services.participants.clients import (
    authenticate_client,
    create_client,
    list_clients,
    revoke_client,
    rotate_secret,
)
from services.participants.identity import actor_for_client
from services.participants.reading import get_organisation
from tests.factories import administrator, make_actor, make_client, make_organisation

REASON = "The program is no longer used."
BOSS = [Role.ORGANISATION_ADMIN]


@pytest.mark.use_case("UC-05.04")
def test_a_credential_opens_what_its_roles_open_and_its_secret_is_kept_as_a_hash(register: str) -> None:
    organisation = make_organisation("Bramble Flex Ltd")
    boss = make_actor(organisation, BOSS)
    client, secret = create_client(boss, organisation.id, "  Fleet   gateway ", ["fsp_user"])
    acting = authenticate_client(client.client_id, secret)
    assert acting is not None
    assert (acting.name, acting.roles, acting.organisation_id) == ("Fleet gateway", {Role.FSP_USER}, organisation.id)
    assert get_organisation(acting, organisation.id).id == organisation.id
    with reading_as_register("test"):
        kept = json.dumps([entry.state for entry in entries("api_client", client.id)])
    assert secret not in kept
    assert "argon2" not in kept
    assert client.secret_hash.startswith("$argon2id$")
    (listed,) = list_clients(boss)
    assert not hasattr(listed, "secret_hash")
    assert (listed.client_id, listed.role_label, listed.expired) == (client.client_id, "FSP user", False)


@pytest.mark.use_case("UC-05.04")
def test_a_wrong_secret_and_an_unknown_id_open_nothing_and_take_as_long(register: str) -> None:
    client, secret = make_client(make_organisation())
    assert authenticate_client(client.client_id, secret) is not None
    assert authenticate_client("nobody", secret) is None

    def spent(client_id: str) -> float:
        started = time.process_time()
        assert authenticate_client(client_id, "wrong") is None
        return time.process_time() - started

    wrong, unknown = (min(spent(name) for _ in range(3)) for name in (client.client_id, "nobody"))
    assert 0.5 < wrong / unknown < 2
    assert authenticate_client(client.client_id, "") is None


@pytest.mark.use_case("UC-05.04")
def test_a_proven_secret_is_not_hashed_again_for_a_while(register: str) -> None:
    client, secret = make_client(make_organisation())
    authenticate_client(client.client_id, secret)
    started = time.process_time()
    for _ in range(10):
        assert authenticate_client(client.client_id, secret) is not None
    assert time.process_time() - started < 0.2


@pytest.mark.use_case("UC-05.04")
def test_rotating_gives_a_new_secret_and_ends_the_old_one(register: str) -> None:
    organisation = make_organisation()
    boss = make_actor(organisation, BOSS)
    client, old = create_client(boss, organisation.id, "Program", ["viewer"])
    assert authenticate_client(client.client_id, old) is not None
    rotated, new = rotate_secret(boss, client.id, client.version)
    assert new != old
    assert authenticate_client(client.client_id, old) is None
    assert authenticate_client(client.client_id, new) is not None
    with pytest.raises(Conflict):
        rotate_secret(boss, client.id, rotated.version - 1)


@pytest.mark.use_case("UC-05.04")
def test_a_revoked_credential_is_out_at_the_next_call_for_good(register: str) -> None:
    organisation = make_organisation()
    boss = make_actor(organisation, BOSS)
    client, secret = create_client(boss, organisation.id, "Program", ["viewer"])
    acting = actor_for_client(client.client_id)
    revoked = revoke_client(boss, client.id, REASON)
    assert (revoked.status, revoked.status_reason) == (ApiClientStatus.REVOKED, REASON)
    assert authenticate_client(client.client_id, secret) is None
    with pytest.raises(Unauthenticated):
        get_organisation(acting, organisation.id)
    with pytest.raises(Unauthenticated):
        actor_for_client(client.client_id)
    with pytest.raises(Refused, match="final"):
        rotate_secret(boss, client.id)


@pytest.mark.use_case("UC-05.04")
def test_an_expired_credential_is_out(register: str) -> None:
    organisation = make_organisation()
    boss = make_actor(organisation, BOSS)
    client, secret = create_client(boss, organisation.id, "Program", ["viewer"], now() + timedelta(days=2))
    acting = authenticate_client(client.client_id, secret)
    assert acting is not None
    with time_machine.travel(now() + timedelta(days=2, seconds=1), tick=True):
        assert authenticate_client(client.client_id, secret) is None
        with pytest.raises(Unauthenticated):
            get_organisation(acting, organisation.id)
        assert list_clients(boss)[0].expired


@pytest.mark.use_case("UC-05.04")
def test_what_is_wrong_with_a_new_credential_is_said_at_once(register: str) -> None:
    organisation = make_organisation()
    boss = make_actor(organisation, BOSS)
    with pytest.raises(Invalid) as refused:
        create_client(boss, organisation.id, " ", ["so_user"], now() - timedelta(minutes=1))
    assert [finding.field for finding in refused.value.findings] == ["Name", "ExpiresAt", "Roles"]
    with pytest.raises(Invalid):
        create_client(boss, organisation.id, "Program", ["viewer"], now() + timedelta(days=800))
    with pytest.raises(Invalid):
        create_client(boss, organisation.id, "Program", ["administrator"])
    usual, _ = create_client(boss, organisation.id, "Program", ["viewer"])
    assert usual.expires_at is not None


@pytest.mark.use_case("UC-05.04")
def test_only_the_register_itself_chooses_identifiers_and_secrets(register: str) -> None:
    organisation = make_organisation()
    with pytest.raises(Forbidden):
        create_client(administrator(), organisation.id, "Demo", ["viewer"], client_id="demo-x", secret="demo")
    client, secret = create_client(
        system_actor(), organisation.id, "Demo", ["viewer"], client_id="demo-x", secret="demo"
    )
    assert (client.client_id, secret) == ("demo-x", "demo")
    assert authenticate_client("demo-x", "demo") is not None


@pytest.mark.use_case("UC-05.04")
def test_the_demos_credentials_open_nothing_in_a_live_register(
    one_register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = make_organisation()
    create_client(system_actor(), organisation.id, "Demo", ["viewer"], client_id="demo-x", secret="demo")
    client, secret = make_client(organisation)
    monkeypatch.setattr(settings(), "mode", Mode.LIVE)
    assert authenticate_client("demo-x", "demo") is None
    assert authenticate_client(client.client_id, secret) is not None
    with pytest.raises(Unauthenticated):
        actor_for_client("demo-x")


@pytest.mark.use_case("UC-05.04")
def test_credentials_are_managed_by_their_own_organisations_administrator(register: str) -> None:
    mine, theirs = make_organisation(), make_organisation()
    client, _ = make_client(theirs)
    boss = make_actor(mine, BOSS)
    assert list_clients(boss) == []
    for act in (
        lambda: create_client(boss, theirs.id, "Program", ["viewer"]),
        lambda: rotate_secret(boss, client.id),
        lambda: revoke_client(boss, client.id, REASON),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Forbidden):
        list_clients(make_actor(mine))
    assert client.id in {one.id for one in list_clients(administrator())}


@pytest.mark.use_case("UC-05.04")
def test_programs_of_an_organisation_that_waits_for_approval_wait_too(register: str) -> None:
    waiting = make_organisation(active=False)
    client, secret = make_client(waiting, ["fsp_user"])
    with pytest.raises(Forbidden, match="waits for approval"):
        authenticate_client(client.client_id, secret)
    approve_organisation(administrator(), waiting.id, waiting.version)
    assert authenticate_client(client.client_id, secret) is not None
