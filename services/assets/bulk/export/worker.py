"""The worker's part of a large export: the file is made beside the register, then kept in it part by part (UC-02.04).

A process that is killed leaves a lease that ends; whoever takes the export up then begins from nothing, so there is one whole
file at the end or none. The file shows the register at one moment: all of it is read in one transaction.
"""

import logging
import tempfile
import threading
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy import delete, insert
from sqlmodel import col

from models.bulk import JobStatus
from models.events import EventType
from models.exports import ExportJob, ExportPart
from services.assets.bulk.export.direct import ExportFile, keep_export, measure_file, write_assets
from services.assets.bulk.export.formats import TOO_MANY_FOR_A_SHEET
from services.assets.bulk.export.jobs import describe_visibility, remove_exports
from services.assets.files.writer import MOST_SHEET_ROWS
from services.assets.filters import load_filters
from services.assets.reading.assets import count_assets
from services.core.clock import now
from services.core.db.bulk_insert import as_columns
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.jobs.long_jobs import Claim, JobQueue, LeaseLost
from services.core.jobs.outbox import emit_many
from services.core.operation import operation
from services.core.transaction import current_session

log = logging.getLogger("fmar.export")
PULSE_SECONDS = 1.0
PART_BYTES = 4 * 1024 * 1024
COUNTLESS = 10**9
_one_at_a_time = threading.Lock()


def _begin_anew(job: ExportJob) -> None:
    """Throw away what an earlier attempt made."""
    current_session().execute(delete(ExportPart).where(col(ExportPart.job_id) == job.id))
    job.started_at, job.rows_done = now(), 0


def _announce(job: ExportJob) -> None:
    """Tell the organisation that an export has ended; of one that failed, no file is kept."""
    if job.status is JobStatus.FAILED:
        current_session().execute(delete(ExportPart).where(col(ExportPart.job_id) == job.id))
    names = ("file_format", "reason", "rows_done", "size", "sha256")
    payload = {name: getattr(job, name) for name in names}
    event = {"record_id": job.id, "organisation_id": job.organisation_id, "dno_code": None, "payload": payload}
    event_type = EventType.EXPORT_COMPLETED if job.status is JobStatus.COMPLETED else EventType.EXPORT_FAILED
    emit_many(event_type, ExportJob, as_columns([event]))


EXPORTS = JobQueue(ExportJob, "export", "UC-02.04", prepare=_begin_anew, announce=_announce)


class Pulse:
    """Keeps the lease and tells how far the export is, every second, while it is being made; beside the reading transaction."""

    def __init__(self, job_id: UUID, lease: UUID) -> None:
        self._job_id, self._lease = job_id, lease
        self._rows, self._lost = 0, False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="fmar-export-pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def tell(self, rows: int) -> None:
        """Note that so many rows are done. Raises LeaseLost when it is in vain."""
        self._rows = rows
        if self._lost:
            raise LeaseLost

    def _beat(self) -> None:
        while not self._over.wait(PULSE_SECONDS):
            try:
                self._lost = not EXPORTS.renew(self._job_id, self._lease, self._rows)
            except Exception:
                log.exception("The lease of export %s could not be renewed", self._job_id)
            if self._lost:
                return


def work_on_exports() -> None:
    """Take up an export that waits, in a thread of its own: events and files of assets don't wait for it."""
    if _one_at_a_time.acquire(blocking=False):
        claim = None
        try:
            claim = EXPORTS.claim()
        finally:
            if claim is None:
                _one_at_a_time.release()
        if claim is not None:
            threading.Thread(target=_work_and_release, args=(claim,), name="fmar-export", daemon=True).start()


def _work_and_release(claim: Claim) -> None:
    try:
        EXPORTS.run(claim, _make_file)
    finally:
        _one_at_a_time.release()


def work_through_exports(limit: int = 1000) -> None:
    """Work until no export waits: for tests, and for whoever wants a file at once."""
    for _ in range(limit):
        claim = EXPORTS.claim()
        if claim is None:
            return
        EXPORTS.run(claim, _make_file)


def _make_file(job_id: UUID, lease: UUID) -> None:
    actor = EXPORTS.owner(job_id)
    with EXPORTS.step("read", writes=False) as session:
        job = session.get_one(ExportJob, job_id)
        filters, file_format = load_filters(job.filters), job.file_format
    total = int(count_assets(actor, filters, most=COUNTLESS))
    with EXPORTS.step("count"):
        _require_held(job_id, lease).rows_total = total
    seen = describe_visibility(actor)
    if file_format == "xlsx" and total > MOST_SHEET_ROWS:
        raise Refused(TOO_MANY_FOR_A_SHEET)
    with tempfile.TemporaryDirectory(prefix="fmar-export-") as folder, Pulse(job_id, lease) as pulse:
        path = Path(folder) / f"assets.{file_format}"
        count = write_assets(actor, file_format, path, filters, pulse.tell)
        pulse.tell(count)
        file = measure_file(path, count)
        _keep_file(job_id, lease, path)
    finish_export(actor, job_id, lease, file, seen)


def _keep_file(job_id: UUID, lease: UUID, path: Path) -> None:
    """The file into the register, a few megabytes in a transaction: nobody waits long for the writer's lock of SQLite."""
    with path.open("rb") as file:
        number = 0
        while part := file.read(PART_BYTES):
            keep_part(job_id, lease, number, zlib.compress(part, 1))
            number += 1


def keep_part(job_id: UUID, lease: UUID, number: int, content: bytes) -> None:
    """Keep a part of the file. Raises LeaseLost when the export is another process's by now, or cancelled."""
    with EXPORTS.step("keep_part_of") as session:
        _require_held(job_id, lease)
        session.execute(insert(ExportPart), [{"job_id": job_id, "number": number, "content": content}])


def _require_held(job_id: UUID, lease: UUID) -> ExportJob:
    job = EXPORTS.held(job_id, lease)
    if job is None:
        raise LeaseLost
    return job


@operation("UC-02.04", permission="asset.export", name="finish_export")
def finish_export(actor: Actor, job_id: UUID, lease: UUID, file: ExportFile, seen: dict[str, Any]) -> None:
    """Have the whole file fetched from now on, and keep in the ledger that it was made."""
    job = _require_held(job_id, lease)
    keep_export(actor, job.file_format, load_filters(job.filters), file, job_id)
    job.rows_total = job.rows_done = file.rows
    job.size, job.sha256, job.seen_by = file.size, file.sha256, seen
    EXPORTS.end(job, JobStatus.COMPLETED)


def forget_old_exports() -> None:
    """Remove exports that are over and have been kept for long enough (setting bulk.keep_days), with their files."""
    EXPORTS.remove_old(remove_exports)
