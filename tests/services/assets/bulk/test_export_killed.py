"""A process that is killed while it makes an export leaves nothing: there is one whole file at the end (UC-02.04)."""

import hashlib
import random
import time
from pathlib import Path

import pytest

from models.bulk import JobStatus
from models.exports import AssetExport, ExportPart
from services.assets.bulk.export.jobs import fetch_export, get_export, submit_export
from services.assets.bulk.export.worker import work_through_exports
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import verify_ledger
from tests.asset_factories import battery
from tests.bulk_files import counts, csv_of, everything, send
from tests.factories import make_fsp
from tests.killing import kill_process, start_process

pytestmark = pytest.mark.use_case("UC-02.04")
WORK = """
from datetime import timedelta
from services.wiring import wire
from services.assets.bulk.export import worker
from services.core.jobs import long_jobs
import time
wire()
long_jobs.LEASE = timedelta(seconds=2)
worker.PULSE_SECONDS = 0.2
worker.PART_BYTES = 2_000
whole = worker.keep_part
def slowly(*part):
    time.sleep(0.05)
    whole(*part)
worker.keep_part = slowly
print("ready", flush=True)
while True:
    worker.work_through_exports()
    time.sleep(0.1)
"""


def test_killed_several_times_there_is_one_whole_file_at_the_end(register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    send(actor, csv_of([battery(FriendlyCode=f"K-{number}") for number in range(400)]))
    job = submit_export(actor, "csv")
    chance = random.Random(5)  # when to kill, not a secret
    for killed in range(3):
        process = start_process(WORK, register)
        deadline = time.monotonic() + 60
        wanted = chance.randint(1, 5)
        while time.monotonic() < deadline:
            if get_export(actor, job.id).attempts > killed and len(everything(ExportPart)) >= wanted:
                break
            time.sleep(0.02)
        kill_process(process)
        assert get_export(actor, job.id).status is JobStatus.RUNNING, "killed in the middle"
        time.sleep(2.1)
    work_through_exports()
    done = get_export(actor, job.id)
    assert (done.status, done.rows_done, done.attempts) == (JobStatus.COMPLETED, 400, 4)
    path = tmp_path / "out.csv"
    fetch_export(actor, job.id, path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == done.sha256
    assert counts(send(actor, path.read_bytes())) == {"unchanged": 400}
    assert len(everything(AssetExport)) == 1
    assert verify_ledger(system_actor()).sound
