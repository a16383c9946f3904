"""The API keeps what its description promises: no server error, no undocumented status, content type or shape."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.http.security import issue_token, limiter
from models.participants import Organisation, Role
from services.assets.registration.register import register_asset
from services.core.db.engine import close
from services.participants.identity import actor_for_client
from tests.api.conftest import mounted
from tests.asset_factories import battery
from tests.conftest import build_register, use_database
from tests.databases import fresh_database
from tests.factories import administrator, make_actor, make_client, make_organisation, make_user
from tests.thorough import times

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = times(3, 20)
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
_generation = GenerationConfig(deterministic=True)
_phases = PhasesConfig(coverage=CoveragePhaseConfig(enabled=False))
schema = schemathesis.openapi.from_asgi(
    "/api/openapi.json",
    mounted,
    config=SchemathesisConfig(
        seed=1, projects=ProjectsConfig(default=ProjectConfig(generation=_generation, phases=_phases))
    ),
)


@dataclass
class World:
    """Who calls, and identifiers of records that exist."""

    headers: list[dict[str, str]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)


def _headers(organisation: Organisation, roles: list[Role]) -> dict[str, str]:
    client, _secret = make_client(organisation, roles)
    token, _seconds = issue_token(actor_for_client(client.client_id))
    return {"Authorization": f"Bearer {token}", "If-Match": '"1"'}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A register with an asset, an organisation and a user; an administrator's program and an FSP's."""
    with fresh_database(tmp_path_factory.mktemp("schema"), "register", build_register) as url:
        use_database(url)
        yield _world()
        close()


def _world() -> World:
    governing = administrator()
    assert governing.organisation_id is not None
    elexon = Organisation(id=governing.organisation_id, organisation_roles=["Market Facilitator"])  # pyright: ignore[reportCallIssue]
    provider = make_organisation("Northgate plc")
    asset = register_asset(make_actor(provider), battery())
    return World(
        [
            _headers(elexon, [Role.ADMINISTRATOR, Role.ORGANISATION_ADMIN]),
            _headers(provider, [Role.FSP_USER, Role.ORGANISATION_ADMIN]),
            {},
        ],
        {
            "AssetId": str(asset.id),
            "FmarOrganisationId": str(make_organisation("Kelvin Ltd").id),
            "MembershipId": str(make_user(provider, [Role.FSP_USER]).membership_id),
            "AssetCategory": "BESS",
            "Name": "ConnectionStatus",
            "Version": "1",
        },
    )


@pytest.mark.use_case("UC-05.01")
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=SLOW)
def test_every_answer_is_one_that_the_description_names(case: Case, world: World) -> None:
    # An address with a line break reaches no mounted app at all: the router in front of it doesn't match it.
    assume("%0A" not in case.formatted_path.upper())
    limiter.storage.reset()
    anonymous = world.headers[-1]
    case.call_and_validate(headers=anonymous, checks=CHECKS)
    case.call_and_validate(headers=world.headers[0], checks=CHECKS)
    for name in world.known.keys() & case.path_parameters.keys():
        case.path_parameters[name] = world.known[name]
    for headers in world.headers[:2]:
        case.call_and_validate(headers=headers, checks=CHECKS)
