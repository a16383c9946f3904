"""Full disks, locked and absent databases: 503 with Retry-After, nothing acknowledged is lost, health says so (UC-05.01)."""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest

from services.core.db import engine as database
from services.core.settings import settings
from tests.api.conftest import Program
from tests.factories import make_organisation


def _refused(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert "try again" in answer.json()["detail"]


def _invite(caller: httpx.Client, organisation: str, email: str) -> httpx.Response:
    body = {"FullName": "Nia Rees", "Email": email, "Roles": ["viewer"]}
    return caller.post("/v1/users", json={**body, "FmarOrganisationId": organisation})


def test_a_full_disk_answers_503_and_health_says_so_until_there_is_room(
    program: Program, door: httpx.Client, sqlite_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = make_organisation()
    caller = program(organisation, ["organisation_admin"])

    pragmas = database.PRAGMAS
    with sqlite3.connect(_file()) as other:
        (pages,) = other.execute("PRAGMA page_count").fetchone()
    other.close()
    monkeypatch.setattr(database, "PRAGMAS", (*pragmas, f"max_page_count={pages}"))
    database.close()
    answers = [_invite(caller, str(organisation.id), f"nia{number}@example.org") for number in range(40)]
    full = [answer for answer in answers if answer.status_code != 201]
    assert full, "the disk was never full"
    _refused(full[0])
    health = door.get("/health")
    assert (health.status_code, health.json()["database"], health.json()["writable"]) == (503, True, False)
    assert "room" in health.json()["detail"]
    assert health.headers["Retry-After"]
    monkeypatch.setattr(database, "PRAGMAS", pragmas)
    database.close()
    assert _invite(caller, str(organisation.id), "later@example.org").status_code == 201
    assert door.get("/health").json()["status"] == "ok"


def test_a_locked_database_answers_503(program: Program, sqlite_only: None, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = make_organisation()
    caller = program(organisation, ["organisation_admin"])
    monkeypatch.setattr(database, "PRAGMAS", (*database.PRAGMAS, "busy_timeout=50"))
    database.close()
    with sqlite3.connect(_file(), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        _refused(_invite(caller, str(organisation.id), "nia@example.org"))
        other.execute("ROLLBACK")
    other.close()
    assert _invite(caller, str(organisation.id), "nia@example.org").status_code == 201


def test_a_database_that_is_away_answers_503_on_every_kind_of_call(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = make_organisation()
    caller = program(organisation, ["organisation_admin"])
    monkeypatch.setattr(settings(), "database_url", "postgresql+psycopg://nobody:swordfish@127.0.0.1:1/none")
    database.close()
    for answer in (caller.get("/v1/assets"), _invite(caller, str(organisation.id), "nia@example.org")):
        _refused(answer)
        assert "swordfish" not in answer.text


def test_health_answers_while_every_thread_of_the_api_is_taken(
    program: Program, door: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = program()
    let_go = threading.Event()

    def hang(*_args: object, **_more: object) -> None:
        let_go.wait(20)

    monkeypatch.setattr("services.assets.reading.listing.list_assets", hang)

    async def flood() -> tuple[float, int]:
        headers = dict(caller.headers)
        bounds = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=caller.base_url, headers=headers, timeout=30, limits=bounds) as many:
            held = [asyncio.create_task(many.get("/v1/assets")) for _ in range(120)]
            await asyncio.sleep(0.5)
            begun = time.perf_counter()
            answer = await many.get("/health")
            took = time.perf_counter() - begun
            let_go.set()
            await asyncio.gather(*held)
            return took, answer.status_code

    took, status = asyncio.run(flood())
    assert status == 200
    assert took < 2


@pytest.fixture
def sqlite_only() -> None:
    """Skip where the register isn't kept in a file."""
    if not database.is_sqlite():
        pytest.skip("about files")


def _file() -> Path:
    return Path(settings().resolved_database_url().removeprefix("sqlite:///"))
