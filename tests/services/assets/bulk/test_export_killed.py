"""A process that is killed while it makes an export leaves nothing: there is one whole file at the end (UC-02.04)."""

import hashlib
import os
import random
import signal
import time
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from models.bulk import JobStatus
from models.exports import AssetExport, ExportPart
from services.assets.bulk.export import worker
from services.assets.bulk.export.jobs import fetch_export, get_export, submit_export
from services.core.identity.actor import system_actor
from services.core.jobs import long_jobs
from services.core.ledger.verifying import verify_ledger
from tests.asset_factories import battery
from tests.bulk_files import counts, csv_of, everything, send
from tests.factories import make_fsp
from tests.processes import run_process

pytestmark = [pytest.mark.both_engines, pytest.mark.use_case("UC-02.04")]
LEASE_SECONDS = 1


def _die_at_part(fatal: int) -> None:
    """Make exports in parts of 2 kB, and die, as by `kill -9`, when so many of one's parts are kept."""
    long_jobs.LEASE = timedelta(seconds=LEASE_SECONDS)
    worker.PULSE_SECONDS, worker.PART_BYTES = 0.2, 2_000
    keep_part, parts = worker.keep_part, count(1)

    def keep_and_die(*arguments: Any) -> None:
        keep_part(*arguments)
        if next(parts) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    worker.keep_part = keep_and_die
    while True:
        worker.work_through_exports()
        time.sleep(0.05)


def test_killed_several_times_there_is_one_whole_file_at_the_end(register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    send(actor, csv_of([battery(FriendlyCode=f"K-{number}") for number in range(400)]))
    job = submit_export(actor, "csv")
    chance = random.Random(5)  # when to kill, not a secret
    for killed in range(3):
        parts = chance.randint(1, 5)
        assert run_process(_die_at_part, register, parts) == -signal.SIGKILL
        assert (get_export(actor, job.id).attempts, len(everything(ExportPart))) == (killed + 1, parts)
        assert get_export(actor, job.id).status is JobStatus.RUNNING, "killed in the middle"
        time.sleep(LEASE_SECONDS + 0.1)
    worker.work_through_exports()
    done = get_export(actor, job.id)
    assert (done.status, done.rows_done, done.attempts) == (JobStatus.COMPLETED, 400, 4)
    path = tmp_path / "out.csv"
    fetch_export(actor, job.id, path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == done.sha256
    assert counts(send(actor, path.read_bytes())) == {"unchanged": 400}
    assert len(everything(AssetExport)) == 1
    assert verify_ledger(system_actor()).sound
