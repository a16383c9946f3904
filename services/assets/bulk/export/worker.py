"""The worker's part of a large export: the file is made beside the register, then kept in it part by part (UC-02.04).

A process that is killed leaves a lease that ends; whoever takes the export up then begins from nothing, so there is one whole
file at the end or none. The file shows the register at one moment: all of it is read in one transaction.
"""

import logging
import tempfile
import threading
import zlib
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy import delete, insert, or_, select
from sqlmodel import col

from models.base import new_id
from models.bulk import UNFINISHED, JobStatus
from models.events import EventType
from models.exports import ExportJob, ExportPart
from services.assets.bulk.export.direct import Written, keep_export, write_assets, written
from services.assets.bulk.export.formats import TOO_MANY_FOR_A_SHEET
from services.assets.bulk.export.jobs import remove_exports, sight
from services.assets.bulk.files.writer import MOST_SHEET_ROWS
from services.assets.filters import filters_from_kept
from services.assets.reading.assets import count_assets
from services.core.clock import now
from services.core.db.columns import as_columns
from services.core.errors import Refused, RegisterError
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_behind
from services.core.jobs.outbox import emit_many
from services.core.jobs.worker import back_off
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session

log = logging.getLogger("fmar.export")
LEASE = timedelta(seconds=60)
PULSE_SECONDS = 1.0
PART_BYTES = 4 * 1024 * 1024
MAX_ATTEMPTS = 5
COUNTLESS = 10**9
MISTAKE = "Something went wrong in the register ({}). Tell its operator the export's identifier."
_one_at_a_time = threading.Lock()


class LeaseLost(Exception):
    """The export was cancelled, or another process has it: what this one makes of it is thrown away."""


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
        """So many rows are done. Raises LeaseLost when it is in vain."""
        self._rows = rows
        if self._lost:
            raise LeaseLost

    def _beat(self) -> None:
        while not self._over.wait(PULSE_SECONDS):
            try:
                self._lost = not renew_export(system_actor(), self._job_id, self._lease, self._rows)
            except Exception:
                log.exception("The lease of export %s could not be renewed", self._job_id)
            if self._lost:
                return


def work_on_exports() -> None:
    """Take up an export that waits, in a thread of its own: events and files of assets don't wait for it."""
    if _one_at_a_time.acquire(blocking=False):
        taken = None
        try:
            taken = claim_export(system_actor())
        finally:
            if taken is None:
                _one_at_a_time.release()
        if taken is not None:
            threading.Thread(target=_work_and_release, args=taken, name="fmar-export", daemon=True).start()


def _work_and_release(job_id: UUID, lease: UUID) -> None:
    try:
        _work(job_id, lease)
    finally:
        _one_at_a_time.release()


def work_through_exports(limit: int = 1000) -> None:
    """Work until no export waits: for tests, and for whoever wants a file at once."""
    for _ in range(limit):
        taken = claim_export(system_actor())
        if taken is None:
            return
        _work(*taken)


def _work(job_id: UUID, lease: UUID) -> None:
    try:
        _make(job_id, lease)
    except LeaseLost:
        log.info("Export %s goes on elsewhere, or was cancelled", job_id)
    except RegisterError as refusal:
        fail_export(system_actor(), job_id, lease, refusal.message)
    except Exception as error:
        log.exception("Export %s could not be made", job_id)
        put_off_export(system_actor(), job_id, lease, type(error).__name__)


def _make(job_id: UUID, lease: UUID) -> None:
    actor, job = export_owner(system_actor(), job_id)
    filters = filters_from_kept(job.filters)
    total = int(count_assets(actor, filters, most=COUNTLESS))
    count_export(system_actor(), job_id, lease, total)
    seen = sight(actor)
    if job.file_format == "xlsx" and total > MOST_SHEET_ROWS:
        raise Refused(TOO_MANY_FOR_A_SHEET)
    with tempfile.TemporaryDirectory(prefix="fmar-export-") as folder, Pulse(job_id, lease) as pulse:
        path = Path(folder) / f"assets.{job.file_format}"
        count = write_assets(actor, job.file_format, path, filters, pulse.tell)
        pulse.tell(count)
        made = written(path, count)
        _keep(job_id, lease, path)
    finish_export(actor, job_id, lease, made, seen)


def _keep(job_id: UUID, lease: UUID, path: Path) -> None:
    """The file into the register, a few megabytes in a transaction: nobody waits long for the writer's lock of SQLite."""
    with path.open("rb") as file:
        number = 0
        while part := file.read(PART_BYTES):
            keep_export_part(system_actor(), job_id, lease, number, zlib.compress(part, 1))
            number += 1


@operation("UC-02.04", permission="asset.conclude", name="claim_export")
def claim_export(actor: Actor) -> tuple[UUID, UUID] | None:
    """Take the lease of the export that waits longest, and throw away what was made of it: its identifier and the lease."""
    moment = now()
    session = current_session()
    free = or_(col(ExportJob.leased_until).is_(None), col(ExportJob.leased_until) <= moment)
    job = session.scalar(
        select(ExportJob)
        .where(col(ExportJob.status).in_(UNFINISHED), free)
        .order_by(col(ExportJob.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    if job.attempts >= MAX_ATTEMPTS:
        _end(job, JobStatus.FAILED, MISTAKE.format("it was begun several times and never ended"))
        return None
    session.execute(delete(ExportPart).where(col(ExportPart.job_id) == job.id))
    job.lease, job.leased_until = new_id(), moment + LEASE
    job.status, job.started_at, job.rows_done = JobStatus.RUNNING, moment, 0
    job.attempts += 1
    return job.id, job.lease


@operation("UC-02.04", permission="asset.conclude", writes=False, name="export_owner")
def export_owner(actor: Actor, job_id: UUID) -> tuple[Actor, ExportJob]:
    """Who asked for an export, with the rights they have now, and what they asked for.

    Raises Unauthenticated or Forbidden when their access has ended since.
    """
    job = current_session().get_one(ExportJob, job_id)
    return actor_behind(job.user_id, job.organisation_id, job.client_id, job.submitted_by), job


def _held(job_id: UUID, lease: UUID) -> ExportJob | None:
    """The export, locked, while the lease is still ours and nobody cancelled it."""
    chosen = select(ExportJob).where(col(ExportJob.id) == job_id).with_for_update()
    job = current_session().scalar(chosen.execution_options(populate_existing=True))
    return job if job is not None and job.lease == lease and job.status is JobStatus.RUNNING else None


@operation("UC-02.04", permission="asset.conclude", name="count_export")
def count_export(actor: Actor, job_id: UUID, lease: UUID, total: int) -> None:
    """Keep how many assets an export will have, about: some may come or go before it is read."""
    job = _held(job_id, lease)
    if job is None:
        raise LeaseLost
    job.rows_total = total


@operation("UC-02.04", permission="asset.conclude", name="renew_export")
def renew_export(actor: Actor, job_id: UUID, lease: UUID, rows: int) -> bool:
    """Keep how far an export is, and its lease; whether it is still ours to make."""
    job = _held(job_id, lease)
    if job is not None:
        job.rows_done, job.leased_until = rows, now() + LEASE
    return job is not None


@operation("UC-02.04", permission="asset.conclude", name="keep_export_part")
def keep_export_part(actor: Actor, job_id: UUID, lease: UUID, number: int, content: bytes) -> None:
    """Keep a part of the file. Raises LeaseLost when the export is another process's by now, or cancelled."""
    if _held(job_id, lease) is None:
        raise LeaseLost
    current_session().execute(insert(ExportPart), [{"job_id": job_id, "number": number, "content": content}])


@operation("UC-02.04", permission="asset.export", name="finish_export")
def finish_export(actor: Actor, job_id: UUID, lease: UUID, made: Written, seen: dict[str, Any]) -> None:
    """The file is whole: from now on it can be fetched, and the ledger says that it was made."""
    job = _held(job_id, lease)
    if job is None:
        raise LeaseLost
    keep_export(actor, job.file_format, filters_from_kept(job.filters), made, job_id)
    job.rows_total = job.rows_done = made.rows
    job.size, job.sha256, job.seen_by = made.size, made.sha256, seen
    _end(job, JobStatus.COMPLETED, None)


@operation("UC-02.04", permission="asset.conclude", name="fail_export")
def fail_export(actor: Actor, job_id: UUID, lease: UUID, reason: str) -> None:
    """End an export that can't go on; no file is kept of it."""
    job = _held(job_id, lease)
    if job is not None:
        _end(job, JobStatus.FAILED, reason)


@operation("UC-02.04", permission="asset.conclude", name="put_off_export")
def put_off_export(actor: Actor, job_id: UUID, lease: UUID, what: str) -> None:
    """Try an export again later, after a mistake of ours; give it up after several times."""
    job = _held(job_id, lease)
    if job is None:
        return
    if job.attempts >= MAX_ATTEMPTS:
        _end(job, JobStatus.FAILED, MISTAKE.format(what))
    else:
        job.leased_until = now() + back_off(job.attempts)


def _end(job: ExportJob, status: JobStatus, reason: str | None) -> None:
    """End it, and tell its organisation."""
    job.status, job.finished_at, job.reason, job.leased_until = status, now(), reason and reason[:1000], None
    if status is JobStatus.FAILED:
        current_session().execute(delete(ExportPart).where(col(ExportPart.job_id) == job.id))
    names = ("file_format", "reason", "rows_done", "size", "sha256")
    payload = {name: getattr(job, name) for name in names}
    about = {"record_id": job.id, "organisation_id": job.organisation_id, "dno_code": None, "payload": payload}
    kind = EventType.EXPORT_COMPLETED if status is JobStatus.COMPLETED else EventType.EXPORT_FAILED
    emit_many(kind, ExportJob, as_columns([about]), 1)


def forget_old_exports() -> None:
    """Remove exports that are over and have been kept for long enough (setting bulk.keep_days)."""
    remove_old_exports(system_actor())


@operation("UC-02.04", permission="asset.conclude", name="remove_old_exports")
def remove_old_exports(actor: Actor) -> int:
    """Remove ended exports older than setting bulk.keep_days with their files; how many."""
    before = now() - timedelta(days=int(setting("bulk.keep_days")))
    ended = (col(ExportJob.status).not_in(UNFINISHED), col(ExportJob.finished_at) < before)
    old = list(current_session().scalars(select(col(ExportJob.id)).where(*ended)))
    remove_exports(old)
    return len(old)
