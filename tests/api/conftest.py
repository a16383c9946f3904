"""The API as programs reach it: over HTTP, each test with a register of its own."""

import re
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from api.app import api
from api.http.security import limiter
from models.participants import Organisation
from tests.factories import administrator, make_client, make_organisation
from tests.servers import serve

mounted = Starlette(routes=[Mount("/api", api)])


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the API answers, mounted as the app mounts it."""
    with serve(mounted) as base:
        yield base


_described = [
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", f"/api{path}")), methods)
    for path, methods in api.openapi()["paths"].items()
]


def documented(response: httpx.Response) -> None:
    """Every answer that any test gets is one that the description names, with the headers that it names."""
    for path, methods in _described:
        operation = methods.get(response.request.method.lower())
        if path.fullmatch(response.request.url.path) and operation:
            assert str(response.status_code) in operation["responses"], f"{response.request} {response.status_code}"
            named = operation["responses"][str(response.status_code)].get("headers", {})
            assert set(map(str.lower, named)) <= set(response.headers), (response.request, named)
            return


HOOKS: dict[str, list[Callable[..., object]]] = {"response": [documented]}


@pytest.fixture
def door(address: str, one_register: str) -> Iterator[httpx.Client]:
    """The API without a token, on an empty register."""
    limiter.storage.reset()
    administrator()
    with httpx.Client(base_url=f"{address}/api", timeout=30, event_hooks=HOOKS) as client:
        yield client


Program = Callable[..., httpx.Client]


@pytest.fixture
def program(door: httpx.Client) -> Iterator[Program]:
    """Makes programs of organisations: `program(organisation, roles)` is the API with that credential's token."""
    opened: list[httpx.Client] = []

    def make(organisation: Organisation | None = None, roles: Sequence[str] | None = None) -> httpx.Client:
        client, secret = make_client(organisation or make_organisation(), roles)
        token = door.post(
            "/oauth/token",
            data={"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret},
        ).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Test-Client": str(client.id)}
        opened.append(httpx.Client(base_url=door.base_url, headers=headers, timeout=30, event_hooks=HOOKS))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def governor(program: Program) -> httpx.Client:
    """A program of the FMAR administrator."""
    acting = administrator()
    assert acting.organisation_id is not None
    organisation = Organisation(id=acting.organisation_id, organisation_roles=["Market Facilitator"])  # pyright: ignore[reportCallIssue]
    return program(organisation, ["administrator"])
