"""A process that is killed at any moment loses nothing and repeats nothing (UC-02.01, bulk)."""

import random
import time

import pytest

from models.assets import Asset, AssetAlias
from models.bulk import BulkChunk, JobStatus
from models.core import Event, LedgerEntry
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import verify_ledger
from tests.asset_factories import battery
from tests.bulk_files import csv_of, events_owed, everything, how_many, send
from tests.factories import make_fsp
from tests.killing import kill_process, start_process

ROWS, CHUNK = 1_200, 50
WORK = """
from datetime import timedelta
from services.wiring import wire
from services.assets.bulk.pipeline import worker
from services.core.jobs import long_jobs
wire()
long_jobs.LEASE = timedelta(seconds=1)
print("ready", flush=True)
import time
while True:
    if not worker.work_for(2):
        time.sleep(0.2)
"""


def _portfolio(prefix: str) -> bytes:
    return csv_of([battery(FriendlyCode=f"{prefix}-{n}", Aliases=f"OEM:{prefix}-{n}") for n in range(ROWS)])


@pytest.mark.use_case("UC-02.01")
def test_killed_in_the_middle_several_times(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", CHUNK)
    actor = make_fsp()
    data = _portfolio("K")
    before = [how_many(Event), events_owed()]
    job = submit_file(actor, data, "a.csv", Wishes(dry_run=False))
    seen: list[int] = []
    chance = random.Random(7)  # when to kill, not a secret
    for _ in range(60):
        process = start_process(WORK, register)
        started = time.monotonic()
        target = (seen[-1] if seen else 0) + chance.randint(1, 4) * CHUNK
        while time.monotonic() - started < 60:
            state = get_job(actor, job.id)
            if state.rows_done >= target or state.status is JobStatus.COMPLETED:
                break
            time.sleep(0.02)
        time.sleep(chance.random() * 0.15)
        kill_process(process)
        seen.append(get_job(actor, job.id).rows_done)
        if get_job(actor, job.id).status is JobStatus.COMPLETED:
            break
    done = get_job(actor, job.id)
    assert (done.status, done.rows_registered, done.rows_done) == (JobStatus.COMPLETED, ROWS, ROWS)
    assert len(seen) >= 3, "it was killed in the middle, more than once"
    assert [how_many(model) for model in (Asset, AssetAlias)] == [ROWS, ROWS]
    assert len({asset.friendly_code for asset in everything(Asset)}) == ROWS
    assert sum(entry.record_type == "asset" for entry in everything(LedgerEntry)) == ROWS
    registered = [event for event in everything(Event) if event.type == "asset.registered"]
    assert len(registered) == len({event.record_id for event in registered}) == ROWS
    # One event more: that the job is complete.
    assert [how_many(Event), events_owed()] == [before[0] + ROWS + 1, before[1] + ROWS]
    assert all(chunk.done for chunk in everything(BulkChunk))
    assert verify_ledger(system_actor()).sound
    assert send(actor, data).rows_unchanged == ROWS


@pytest.mark.use_case("UC-02.01")
def test_two_processes_two_jobs_one_of_them_killed(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", CHUNK)
    owners = [make_fsp(), make_fsp()]
    wishes = Wishes(dry_run=False)
    jobs = [(one, submit_file(one, _portfolio(one.name), "a.csv", wishes)) for one in owners]
    workers = [start_process(WORK, register), start_process(WORK, register)]
    try:
        deadline = time.monotonic() + 240
        killed = False
        while time.monotonic() < deadline:
            states = [get_job(actor, job.id) for actor, job in jobs]
            if not killed and all(state.rows_done >= CHUNK for state in states):
                kill_process(workers[0])
                killed = True
            if all(state.status is JobStatus.COMPLETED for state in states):
                break
            time.sleep(0.1)
        assert killed
        assert [get_job(actor, job.id).rows_registered for actor, job in jobs] == [ROWS, ROWS]
    finally:
        for process in workers:
            kill_process(process)
    assert how_many(Asset) == 2 * ROWS
    assert verify_ledger(system_actor()).sound
