"""Two portals, each a process of its own, on one PostgreSQL database: they share the work, and one's end is not the other's."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlmodel import col
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.assets import Asset, AssetCheck, CheckOutcome, CheckSource
from models.core import DeliveryStatus, EventDelivery, Setting
from sandbox.mpan_register import DATA, describe
from services.core.db import engine as database
from services.core.db.engine import engine
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import verify_ledger
from services.core.register_settings import REGISTER_ID, change_setting
from services.core.settings import ROOT, settings
from services.core.transaction import Stamp, current_session, unit_of_work
from services.governance.sealing import seal_and_anchor
from tests.asset_factories import battery, make_provider, registered
from tests.browser.harness import _end_process_group, _wait_until_healthy, free_port
from tests.bulk_files import csv_of
from tests.conftest import build_register, use_database
from tests.databases import fresh_postgres, postgres_template
from tests.factories import administrator, make_client, make_organisation
from tests.processes import finish_command, start_command
from tests.servers import serve

SYSTEM = system_actor()
BULK_ROWS = 1_000
LOOK = Stamp("look", "test", SYSTEM)
FAKE_PROVIDER = [
    {
        "name": "none",
        "label": "None",
        "client_id": "x",
        "client_secret": "x",
        "server_metadata_url": "http://127.0.0.1:1/",
    }
]


@dataclass
class MpanRegister:
    """The outside register that both portals ask; it keeps who asked what, and can let them wait for the answer."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)

    def app(self) -> Starlette:
        """The register as a server."""
        known = json.loads(DATA.read_text("utf-8"))

        async def mpan(request: Request) -> Response:
            self.asked.append((request.headers["x-api-key"], request.path_params["mpan"]))
            while not self.answers.is_set():
                await asyncio.sleep(0.02)
            return JSONResponse(describe(request.path_params["mpan"], known))

        return Starlette(routes=[Route("/v1/mpans/{mpan}", mpan)])


@dataclass
class Portal:
    """A portal that runs: its process, its address, and a program's way in."""

    name: str
    process: subprocess.Popen[bytes]
    address: str
    program: httpx.Client


@dataclass
class Pair:
    """Two portals on one database, and the register that they ask."""

    portals: list[Portal]
    register: MpanRegister
    anchors: Path


def _start(name: str, url: str, mpan_url: str, folder: Path) -> tuple[subprocess.Popen[bytes], str, Path]:
    port = free_port()
    env = {
        "DATABASE_URL": url,
        "FMAR_MODE": "live",
        "FMAR_OIDC_PROVIDERS": json.dumps(FAKE_PROVIDER),
        "FMAR_COOKIE_SECRET": "kW8dRz3Qn6Ys1Vb9Lx4Jt7Gm2Hc5PfEu",
        "FMAR_TOKEN_SECRET": "Tn5Vh2Xk9Bq7Wm4Rj1Zc8Ld6Gy3FpSaQe",
        "FMAR_MPAN_REGISTER_URL": mpan_url,
        "FMAR_MPAN_REGISTER_KEY": name,
        "FMAR_ANCHOR_FILE": str(folder / "anchors.jsonl"),
        "FMAR_WORKER_SECONDS": "0.2",
        "FMAR_API_RATE_LIMIT": "100000/minute",  # jobs are looked at many times a second
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / f"{name}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, f"http://127.0.0.1:{port}", log


@contextmanager
def two_portals(folder: Path) -> Iterator[Pair]:
    """Start both at once, on a register with one provider; what is left of them is ended afterwards."""
    register = MpanRegister()
    register.answers.set()
    with fresh_postgres(postgres_template("register", build_register)) as url, serve(register.app()) as mpan_url:
        use_database(url)
        os.environ["FMAR_ANCHOR_FILE"] = str(folder / "anchors.jsonl")
        settings.cache_clear()
        administrator()
        client, secret = make_client(make_organisation())
        started = [(name, *_start(name, url, mpan_url, folder)) for name in ("one", "other")]
        try:
            portals = []
            token = ""
            for name, process, address, log in started:
                _wait_until_healthy(process, address, log, 120)
                grant = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
                # One portal gives the token, both take it.
                token = token or httpx.post(f"{address}/api/oauth/token", data=grant, timeout=60).json()["access_token"]
                bearer = {"Authorization": f"Bearer {token}"}
                portals.append(
                    Portal(
                        name, process, address, httpx.Client(base_url=f"{address}/api/v1", headers=bearer, timeout=60)
                    )
                )
            yield Pair(portals, register, folder / "anchors.jsonl")
        finally:
            for _name, process, _address, _log in started:
                _end_process_group(process)
            database.close()
            os.environ["FMAR_ANCHOR_FILE"] = ""
            settings.cache_clear()


def eventually(holds: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until something holds; fail when it doesn't in time."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "It did not come about."
        time.sleep(0.1)


def waiting() -> int:
    """Deliveries that nobody has finished."""
    with unit_of_work(LOOK, writes=False) as session:
        undone = select(func.count()).where(col(EventDelivery.status) == DeliveryStatus.WAITING)
        return session.scalar(undone) or 0


def answered_checks() -> list[AssetCheck]:
    """The MPAN register's answers that are kept."""
    with unit_of_work(LOOK, writes=False) as session:
        wanted = (col(AssetCheck.source) == CheckSource.MPAN_REGISTER, col(AssetCheck.outcome) == CheckOutcome.AGREES)
        return list(session.scalars(select(AssetCheck).where(*wanted)))


@pytest.mark.use_case("UC-02.01")
def test_two_portals_on_one_database_are_one_register(tmp_path: Path) -> None:
    with two_portals(tmp_path) as pair:
        one, other = (portal.program for portal in pair.portals)
        assert all(httpx.get(portal.address, timeout=60).is_success for portal in pair.portals)
        made = [(one, other)[number % 2].post("/assets", json=battery()) for number in range(12)]
        assert [answer.status_code for answer in made] == [201] * 12
        # Every event is handed over once, by whichever portal came first.
        eventually(lambda: waiting() == 0)
        assert Counter(mpan for _portal, mpan in pair.register.asked).most_common(1)[0][1] == 1
        assert len(answered_checks()) == len(pair.register.asked) == 12
        # Each sees the other's work at once, and may go on with it.
        path = f"/assets/{made[0].json()['AssetId']}"
        seen = one.get(path)
        assert other.get(path).json() == seen.json()
        tag = {"If-Match": seen.headers["ETag"]}
        assert other.patch(path, json={"AssetModel": "Changed there"}, headers=tag).status_code == 200
        assert one.patch(path, json={"AssetModel": "Changed here"}, headers=tag).status_code == 412
        # A limit that the administrator changes holds for both from the next call on, and counts what either served.
        change_setting(SYSTEM, "asset.lookups_per_hour", "2", 0)
        wanted = {"MPAN": battery()["ImportMPAN"]}
        looked = [door.post("/assets/lookup", json=wanted).status_code for door in (one, other, one, other)]
        assert looked == [200, 200, 429, 429]
        # Seals are made by whoever is first in a minute; here both, and a command besides.
        with ThreadPoolExecutor(4) as sealers:
            made_seals = sum(sealers.map(lambda _n: seal_and_anchor(), range(4)))
        assert made_seals >= 1
        verified = verify_ledger(SYSTEM)
        assert verified.faults == []
        assert verified.anchors == verified.seals


@pytest.mark.use_case("UC-02.01")
def test_what_a_killed_portal_had_begun_the_other_finishes(tmp_path: Path) -> None:
    with two_portals(tmp_path) as pair:
        pair.register.answers.clear()
        program = pair.portals[1].program
        for _ in range(8):
            assert program.post("/assets", json=battery()).status_code == 201
        eventually(lambda: bool(pair.register.asked))
        victim = next(portal for portal in pair.portals if portal.name == pair.register.asked[0][0])
        survivor = next(portal for portal in pair.portals if portal is not victim)
        os.kill(victim.process.pid, signal.SIGKILL)
        victim.process.wait(timeout=10)
        pair.register.answers.set()
        # Its lease ends: two minutes pass for what it had taken.
        with unit_of_work(LOOK, writes=True):
            current_session().execute(
                text("UPDATE event_delivery SET due_at = now() WHERE status = 'WAITING' AND attempts > 0")
            )
        eventually(lambda: waiting() == 0)
        checks = answered_checks()
        assert len({check.asset_id for check in checks}) == len(checks) == 8
        assert httpx.get(f"{survivor.address}/api/health").json()["status"] == "ok"
        assert survivor.program.post("/assets", json=battery()).status_code == 201
        eventually(lambda: waiting() == 0)
        seal_and_anchor()
        assert verify_ledger(SYSTEM).faults == []


@pytest.mark.use_case("UC-02.01")
def test_two_files_one_for_each_portal_end_complete_though_one_portal_is_killed(tmp_path: Path) -> None:
    with two_portals(tmp_path) as pair:
        files = [csv_of([battery() for _ in range(BULK_ROWS)]) for _ in pair.portals]
        addresses: list[str] = []
        victim, survivor = pair.portals

        def jobs() -> list[dict[str, Any]]:
            return [survivor.program.get(address).json() for address in addresses]

        with engine(writes=True).begin() as busy:
            # Each works on one, and can't finish its first chunk while somebody else writes assets.
            busy.execute(text("LOCK TABLE asset IN EXCLUSIVE MODE"))
            for portal, data in zip(pair.portals, files, strict=True):
                handed = portal.program.post("/assets/bulk", content=data, headers={"Content-Type": "text/csv"})
                assert handed.status_code == 202, handed.text
                addresses.append(handed.headers["Location"].removeprefix("/api/v1"))
            eventually(lambda: [job["Status"] for job in jobs()] == ["Running"] * 2)
            os.kill(victim.process.pid, signal.SIGKILL)
            victim.process.wait(timeout=10)
        assert not all(job["Status"] == "Completed" for job in jobs())
        # A minute passes for the job that it had taken.
        with unit_of_work(LOOK, writes=True):
            current_session().execute(text("UPDATE bulk_job SET leased_until = now() WHERE leased_until > now()"))
        eventually(lambda: all(job["Status"] == "Completed" for job in jobs()), 240)
        assert [job["RowsRegistered"] for job in jobs()] == [BULK_ROWS, BULK_ROWS]
        with unit_of_work(LOOK, writes=False) as session:
            assert session.scalar(select(func.count(col(Asset.id)))) == 2 * BULK_ROWS
        seal_and_anchor()
        assert verify_ledger(SYSTEM).faults == []


@pytest.mark.use_case("UC-05.06")
@pytest.mark.both_engines
def test_of_several_that_seal_at_once_one_does(register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "anchor_file", str(tmp_path / "anchors.jsonl"))
    actor = make_provider()
    for _ in range(3):
        registered(actor)
        with ThreadPoolExecutor(6) as sealers:
            assert sum(sealers.map(lambda _n: seal_and_anchor(), range(6))) == 1
    verified = verify_ledger(SYSTEM)
    assert (verified.faults, verified.seals, verified.anchors) == ([], 3, 3)


@pytest.mark.use_case("UC-05.06")
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_start_at_once_on_a_new_database_make_one_register(kind: str, tmp_path: Path) -> None:
    with fresh_postgres() if kind == "postgres" else nullcontext(f"sqlite:///{tmp_path / 'new.db'}") as url:
        folders = [tmp_path / name for name in ("one", "other")]
        for folder in folders:
            folder.mkdir()
        started = [start_command("migrate", output=folder, DATABASE_URL=url) for folder in folders]
        finished = [finish_command(process, folder) for process, folder in zip(started, folders, strict=True)]
        assert [command.returncode for command in finished] == [0, 0], finished
        assert sum("was brought to the present schema" in command.stdout for command in finished) == 1
        use_database(url)
        with unit_of_work(LOOK, writes=False) as session:
            assert session.scalar(select(func.count()).where(col(Setting.key) == REGISTER_ID)) == 1
        assert verify_ledger(SYSTEM).faults == []
        database.close()
