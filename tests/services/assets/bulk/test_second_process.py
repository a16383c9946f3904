"""A file is registered alike whatever its chunks, and a large one by a process of its own (UC-02.01)."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import time_machine

from models.assets import Asset
from models.bulk import JobStatus
from models.core import Event
from services.assets.bulk.pipeline.worker import work_on_jobs, work_through_jobs
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.assets.bulk.upload.results import job_findings, job_rows
from services.assets.counters.reconcile import recount
from services.core.clock import now
from services.core.identity.actor import system_actor
from services.core.jobs.process_pool import second_process
from services.core.ledger.canonical import state_of
from services.core.ledger.verifying import verify_ledger
from tests.asset_factories import an_mpan, battery
from tests.bulk_files import csv_of, events_owed, everything, how_many, send
from tests.factories import make_fsp
from tests.processes import FORKS, kill_process, start_process

ROWS, CHUNK = 60, 10
FAULTS = [
    {"RatedCapacity": "much"},
    {"AssetCategory": "Windmill"},
    {"ImportMPAN": "123"},
    {"Aliases": "OEM:"},
    {"SerialNumber": "SN-SAME", "Manufacturer": "Acme"},
    {"ConsumerOwned": "yes"},
    {"AssetName": ""},
    {"RatedCapacity": "1200000"},
]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A few rows are a large job."""
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", CHUNK)
    monkeypatch.setattr("services.assets.bulk.pipeline.worker.LARGE_ROWS", 2 * CHUNK)
    yield
    second_process().shutdown()


def _portfolio() -> bytes:
    rows = [battery(FriendlyCode=f"A-{number}", ImportMPAN=an_mpan()) for number in range(ROWS)]
    for number, row in enumerate(rows):
        if number % 3 == 0:
            row |= FAULTS[(number // 3) % len(FAULTS)]
    # Rows that are known by what a row of the chunk before is known by: its code, its device, its alias, its meter.
    rows[CHUNK + 1]["Aliases"] = "OEM:X-1"
    for number, term in enumerate(("FriendlyCode", "SerialNumber", "Aliases", "ImportMPAN"), start=2):
        rows[number * CHUNK + 1] |= {term: rows[(number - 1) * CHUNK + 1].get(term), "Manufacturer": "Acme"}
    lines = csv_of(rows).splitlines(keepends=True)
    # A row of too many cells can't be read: only the others are judged as new assets.
    lines[33] = lines[33].rstrip(b"\r\n") + b",one,too,many\n"
    return b"".join(lines)


@pytest.mark.use_case("UC-02.01")
def test_the_result_is_the_same_whatever_the_chunks(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, data = make_fsp(), _portfolio()
    results: list[tuple[Any, ...]] = []
    for size in (10 * ROWS, CHUNK, 7):
        monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", size)
        job = send(actor, data, dry_run=True, keep_drafts=True)
        codes = {code: (entry["rows"], sorted(entry["fields"])) for code, entry in job.summary.items()}
        results.append((job_rows(actor, job.id), job_findings(actor, job.id), codes))
    assert results[0] == results[1] == results[2]
    job = send(actor, data, keep_drafts=True)
    assert job_findings(actor, job.id) == results[1][1]
    assert min(job.rows_registered, job.rows_refused, job.rows_draft) > 0
    assert len(everything(Asset)) == job.rows_registered


CHANGING = {
    "id", "service_provider_id", "organisation_id", "import_mpan", "aliases", "recorded_by", "recorded_at", "registered_at",
    "status_since", "managed_from", "serial_number", "serial_key",
}  # fmt: skip


@pytest.mark.use_case("UC-02.01")
@pytest.mark.both_engines
def test_records_are_the_same_whatever_the_chunks(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, records = an_mpan(), list[dict[str, dict[str, Any]]]()
    for number, size in enumerate((10 * ROWS, CHUNK)):
        monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", size)
        actor = make_fsp(f"Provider {number}")
        rows = [
            battery(
                FriendlyCode=f"A-{row}", ImportMPAN=an_mpan(), Aliases=f"OEM:{number}-{row}", AssetName=f"Battery {row}"
            )
            for row in range(ROWS)
        ]
        # From the second file on, this meter is another provider's too: the register has something to say of this row.
        rows[3 * CHUNK]["ImportMPAN"] = shared
        rows[-1] |= {"ConsumerOwned": "yes", "ConsentReference": "C-1", "OrganisationId": ""}
        with time_machine.travel(now(), tick=False):
            moment = now()
            job = send(actor, csv_of(rows), justifications={"*": "Two batteries behind one meter."})
        assert job.rows_registered == ROWS
        assets = [asset for asset in everything(Asset) if asset.service_provider_id == actor.organisation_id]
        states = {asset.friendly_code: state_of(asset) for asset in assets}
        for asset in assets:
            assert asset.registered_at == asset.recorded_at == asset.status_since == moment
            assert (asset.version, asset.recorded_by, asset.cell is not None) == (1, actor.user_id, True)
        records.append(
            {code: {key: text for key, text in state.items() if key not in CHANGING} for code, state in states.items()}
        )
    assert records[0].keys() == records[1].keys()
    differing = {code for code in records[0] if records[0][code] != records[1][code]}
    assert differing == {f"A-{3 * CHUNK}"}, "it alone bears a justification"
    assert verify_ledger(system_actor()).sound
    assert recount(system_actor()) == 0, "the counts are right already"


@pytest.mark.use_case("UC-02.01")
def test_a_large_job_is_worked_apart_from_pages(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_fsp()
    job = submit_file(actor, _portfolio(), "portfolio.csv", Wishes(dry_run=False))
    monkeypatch.setattr("services.assets.bulk.pipeline.worker.process_chunk", None)
    # As long as it takes on a busy machine: the job is to end in one go.
    monkeypatch.setattr("services.assets.bulk.pipeline.worker.SLICE_SECONDS", 600)
    before = [how_many(Event), events_owed()]
    work_on_jobs()
    done = get_job(actor, job.id)
    assert (done.status, done.rows_done) == (JobStatus.COMPLETED, ROWS)
    registered = done.rows_registered
    assert how_many(Asset) == registered > 0
    assert [how_many(Event), events_owed()] == [before[0] + registered + 1, before[1] + registered]


@pytest.mark.use_case("UC-02.01")
def test_a_job_goes_on_when_its_process_was_killed(register: str) -> None:
    actor = make_fsp()
    job = submit_file(actor, _portfolio(), "portfolio.csv", Wishes(dry_run=False))
    other = second_process()
    pid = other.submit(os.getpid).result()
    other.submit(time.sleep, 60)
    threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
    work_on_jobs()
    assert (get_job(actor, job.id).status, get_job(actor, job.id).attempts) == (JobStatus.RUNNING, 1)
    with time_machine.travel(now() + timedelta(minutes=1)):
        work_through_jobs()
    assert get_job(actor, job.id).status is JobStatus.COMPLETED
    assert verify_ledger(system_actor()).sound


def _ask_another(answers: Connection) -> None:
    answers.send(second_process().submit(os.getpid).result())
    time.sleep(60)


def test_it_ends_with_the_process_that_asked(tmp_path: Path) -> None:
    answers, answering = FORKS.Pipe(duplex=False)
    process = start_process(_ask_another, f"sqlite:///{tmp_path / 'none.sqlite'}", answering, has_children=True)
    assert answers.poll(60)
    second = answers.recv()
    assert Path(f"/proc/{second}").exists()
    kill_process(process)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{second}/cmdline").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{second}/cmdline").exists()
