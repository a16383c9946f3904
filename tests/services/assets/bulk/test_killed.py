"""A process that is killed at any moment loses nothing and repeats nothing (UC-02.01, bulk)."""

import random
import signal
import time
from datetime import timedelta
from uuid import UUID

import pytest

from models.assets import Asset, AssetAlias
from models.bulk import BulkChunk, JobStatus
from models.core import Event, LedgerEntry
from services.assets.bulk.pipeline import worker
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.core.identity.actor import Actor, system_actor
from services.core.jobs import long_jobs
from services.core.ledger.verifying import verify_ledger
from tests.asset_factories import battery
from tests.bulk_files import csv_of, events_owed, everything, how_many, send
from tests.factories import make_fsp
from tests.processes import die_at_moment, kill_process, run_process, start_process
from tests.thorough import times

pytestmark = pytest.mark.both_engines

ROWS, CHUNK = 800, 50
KILLS = times(3, 12)
MOST_MOMENTS = 300


def _work(fatal: int = 0) -> None:
    long_jobs.LEASE = timedelta(seconds=1)
    die_at_moment(fatal)
    while True:
        if not worker.work_for(2):
            time.sleep(0.05)


def _portfolio(prefix: str) -> bytes:
    return csv_of([battery(FriendlyCode=f"{prefix}-{n}", Aliases=f"OEM:{prefix}-{n}") for n in range(ROWS)])


def _wait_for(actor: Actor, job_id: UUID, rows: int) -> None:
    """Wait until a job has done so many rows."""
    deadline = time.monotonic() + 60
    while get_job(actor, job_id).rows_done < rows:
        assert time.monotonic() < deadline, "The job did not go on."
        time.sleep(0.02)


@pytest.mark.use_case("UC-02.01")
def test_killed_in_the_middle_several_times(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", CHUNK)
    actor = make_fsp()
    data = _portfolio("K")
    before = [how_many(Event), events_owed()]
    job = submit_file(actor, data, "a.csv", Wishes(dry_run=False))
    chance = random.Random(7)  # when to kill, not a secret
    for _ in range(KILLS):
        assert run_process(_work, register, chance.randrange(1, MOST_MOMENTS)) == -signal.SIGKILL
        state = get_job(actor, job.id)
        assert state.status is JobStatus.RUNNING
        assert state.rows_done < ROWS
    assert get_job(actor, job.id).rows_done > 0, "it got on all the same"
    last = start_process(_work, register)
    _wait_for(actor, job.id, ROWS)
    kill_process(last)
    done = get_job(actor, job.id)
    assert (done.status, done.rows_registered, done.rows_done) == (JobStatus.COMPLETED, ROWS, ROWS)
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
    workers = [start_process(_work, register), start_process(_work, register)]
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
