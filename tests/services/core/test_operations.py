"""What the decorator promises: each cell of the permission table, standing at every call, and nothing half done."""

import inspect
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from models.base import Recorded, new_id
from models.core import Setting
from models.participants import (
    ApiClient,
    ApiClientStatus,
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationStatus,
    Role,
    User,
    UserStatus,
)
from services.core.clock import now
from services.core.errors import Forbidden, Unauthenticated
from services.core.identity.actor import Actor, system_actor
from services.core.identity.permissions import Scope, permission_table
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.register_settings import change_setting, read_settings
from services.core.transaction import current_session
from services.governance.traceability import every_operation
from services.governance.use_cases import use_cases

pytestmark = pytest.mark.both_engines

OURS = {known.name: known for known in every_operation()}
READ_BY_PERMISSION_ALONE = {"AssetExport", "CategorySchema", "CodeListEntry", "LedgerSeal", "Setting"}
"""Records of which an actor who may read them at all may read each: what the register publishes or keeps of itself."""


@operation("UC-01.01", permission="user.manage", name="lay_down")
def lay_down(actor: Actor, *records: Any) -> None:
    """Rows as a test wants them."""
    for record in records:
        current_session().add(record)
        current_session().flush()


def a_body(name: str = "Northern Flexibility Ltd", **values: Any) -> Organisation:
    """An active organisation."""
    return Organisation(
        organisation_legal_name=name,
        legal_name_key=name.upper(),
        organisation_type="Private Limited Company",
        organisation_roles=["FSP"],
        **{"organisation_status": OrganisationStatus.ACTIVE, **values},
    )


def somebody(role: Role, organisation: Organisation) -> tuple[User, Membership, Actor]:
    """A person with one role there, and the actor that person is."""
    user = User(email=f"{role}-{new_id().hex[-6:]}@example.org", full_name=f"A {role}")
    member = Membership(user_id=user.id, organisation_id=organisation.id, roles=[role], status=MembershipStatus.ACTIVE)
    actor = Actor(
        name=user.full_name,
        roles=frozenset({role}),
        user_id=user.id,
        organisation_id=organisation.id,
        organisation_name=organisation.organisation_legal_name,
    )
    return user, member, actor


@pytest.fixture
def actors(one_register: str) -> dict[Role, Actor]:
    """One actor for each role of the table."""
    body = a_body()
    people = {role: somebody(role, body) for role in Role if role not in (Role.APPLICANT, Role.SYSTEM)}
    lay_down(system_actor(), body, *(row for user, member, _ in people.values() for row in (user, member)))
    found = {role: actor for role, (_, _, actor) in people.items()}
    applicant = Actor(name="New", roles=frozenset({Role.APPLICANT}), email="new@example.org")
    return {**found, Role.APPLICANT: applicant, Role.SYSTEM: system_actor()}


def arguments(function: Any) -> list[Any]:
    """Something for each parameter after the actor: it is never used where permission is missing."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    wanted = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD and one.default is one.empty]
    return [UUID(int=1) if "id" in one.name else "" for one in wanted]


@pytest.mark.use_case("UC-01.01")
def test_every_cell_of_the_permission_table_holds_for_every_operation(actors: dict[Role, Actor]) -> None:
    """(operation, role): refused in the table's words where it says none, let past the gate where it says anything else."""
    wrong = []
    for name, known in OURS.items():
        call = getattr(import_module(known.module), known.function)
        for role, actor in actors.items():
            scope = permission_table()[known.permission].scopes[role]
            try:
                call(actor, *arguments(call))
                refused = False
            except Forbidden as error:
                refused = error.message.startswith("Your role")
            except Exception:  # past the gate, an empty call fails in its own way
                refused = False
            if refused is not (scope is Scope.NONE):
                wrong.append((name, str(role), str(scope)))
    assert wrong == []


@pytest.mark.use_case("UC-01.01")
def test_the_table_has_a_row_for_each_permission_in_use_and_none_to_spare() -> None:
    used = {known.permission for known in OURS.values()}
    idle = set(permission_table()) - used
    assert idle == set(), "no operation requires these: take their rows out of services/core/identity/permissions.csv"
    assert used <= set(permission_table())


def test_every_operation_names_a_use_case_that_is_listed() -> None:
    named = {known.use_case for known in OURS.values() if known.area != "workshop"}
    unlisted = named - {use_case.id for use_case in use_cases()}
    assert unlisted == set(), "give each a row in data/use_cases.csv"


def test_every_ledgered_record_has_a_rule_of_who_sees_it() -> None:
    actor = Actor(name="Nobody", roles=frozenset({Role.FSP_USER}), organisation_id=new_id())
    without = set[str]()
    for model in Recorded.__subclasses__():
        try:
            visible(model, actor)
        except KeyError:
            without.add(model.__name__)
    assert without == READ_BY_PERMISSION_ALONE, "say in services/core/identity/visibility.py who sees each"


@pytest.mark.use_case("UC-01.04")
@pytest.mark.parametrize("ending", ["person", "membership", "roles", "organisation withdrawn", "organisation refused"])
def test_access_ends_at_the_next_call(register: str, ending: str) -> None:
    body = a_body()
    user, member, actor = somebody(Role.ADMINISTRATOR, body)
    lay_down(system_actor(), body, user, member)
    assert read_settings(actor)
    match ending:
        case "person":
            user.status = UserStatus.DEACTIVATED
        case "membership":
            member.status = MembershipStatus.DEACTIVATED
        case "roles":
            member.roles = [Role.VIEWER]
        case "organisation withdrawn":
            body.organisation_status = OrganisationStatus.WITHDRAWN
        case _:
            body.organisation_status = OrganisationStatus.REFUSED
    lay_down(system_actor(), body, user, member)
    with pytest.raises(Unauthenticated):
        read_settings(actor)
    with pytest.raises(Unauthenticated):
        change_setting(actor, "asset.query_answer_days", "21", 0)


@pytest.mark.use_case("UC-01.04")
def test_a_suspended_organisation_is_told_why_and_does_nothing(register: str) -> None:
    body = a_body()
    user, member, actor = somebody(Role.FSP_USER, body)
    lay_down(system_actor(), body, user, member)
    body.organisation_status = OrganisationStatus.SUSPENDED
    body.status_reason = "Unpaid fees since March"
    lay_down(system_actor(), body)
    with pytest.raises(Forbidden, match="Unpaid fees since March"):
        read_settings(actor)


@pytest.mark.use_case("UC-05.04")
@pytest.mark.parametrize("ending", ["revoked", "expired"])
def test_a_credential_that_has_ended_opens_nothing(register: str, ending: str) -> None:
    body = a_body()
    client = ApiClient(client_id="c1", organisation_id=body.id, name="c", secret_hash="x", roles=[Role.ADMINISTRATOR])
    actor = Actor(name="c", roles=frozenset({Role.ADMINISTRATOR}), client_id="c1", organisation_id=body.id)
    lay_down(system_actor(), body, client)
    assert read_settings(actor)
    if ending == "revoked":
        client.status = ApiClientStatus.REVOKED
    else:
        client.expires_at = now()
    lay_down(system_actor(), client)
    with pytest.raises(Unauthenticated):
        read_settings(actor)


def test_an_operation_that_fails_leaves_nothing(register: str) -> None:
    @operation("UC-02.01", permission="setting.change", name="change_and_fail")
    def change_and_fail(actor: Actor) -> None:
        change_setting(actor, "asset.query_answer_days", "21", 0)
        current_session().add(Setting(key="half.done", value="1"))
        current_session().flush()
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        change_and_fail(system_actor())
    assert all(entry.version == 0 for entry in read_settings(system_actor()))


@pytest.mark.parametrize("mistake", ["a missing record", "a second of its kind"])
def test_only_what_raced_is_run_again(register: str, mistake: str) -> None:
    runs: list[str] = []

    @operation("UC-02.01", permission="setting.change", name=f"store_{mistake.replace(' ', '_')}")
    def store(actor: Actor) -> None:
        runs.append(mistake)
        if mistake == "a missing record":
            record: Any = Membership(
                user_id=new_id(), organisation_id=new_id(), roles=[], status=MembershipStatus.ACTIVE
            )
            current_session().add(record)
        else:
            current_session().add_all([Setting(key="unique.key", value="1"), Setting(key="unique.key", value="2")])
        current_session().flush()

    with pytest.raises(IntegrityError):
        store(system_actor())
    assert len(runs) == (1 if mistake == "a missing record" else 3), "a foreign key is a mistake of ours: told at once"
