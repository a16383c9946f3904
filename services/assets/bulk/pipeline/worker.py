"""The worker's part of a bulk job: chunk by chunk, each in one transaction with the mark that it is done.

A process that is killed leaves its chunk as if it had never begun; whoever takes the job up next goes on with that chunk.
The lease keeps two processes from doing the same work, the mark keeps the work from being done twice.
"""

import logging
import os
import time
from functools import partial
from itertools import count
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import BulkChunk, BulkJob, JobStatus
from models.events import EventType
from services.assets.bulk.pipeline.cell_spelling import spell_rows
from services.assets.bulk.pipeline.chunk_results import add_up, collect_results
from services.assets.bulk.pipeline.chunks import CHUNK_ROWS, rows_by_term, unpack
from services.assets.bulk.pipeline.duplicates import Earlier, read_earlier_rows
from services.assets.bulk.pipeline.notices import add_notices
from services.assets.bulk.pipeline.outcomes import Terms, judge_rows
from services.assets.bulk.pipeline.write import write
from services.assets.bulk.upload.drafts import keep_drafts
from services.assets.bulk.upload.jobs import remove_jobs
from services.assets.registration.lookup_hits import is_used_up, used_up_until
from services.assets.rules.reference import catalogue
from services.core.clock import now, show_time
from services.core.db.bulk_insert import as_columns
from services.core.db.engine import fold_in
from services.core.db.expressions import by_index
from services.core.identity.actor import Actor
from services.core.jobs import long_jobs
from services.core.jobs.long_jobs import Claim, JobQueue
from services.core.jobs.outbox import emit_many
from services.core.jobs.process_pool import second_process
from services.core.operation import operation
from services.core.transaction import current_session

log = logging.getLogger("fmar.bulk")
SLICE_SECONDS = 8.0
"""How long one job is worked before the worker looks after events and other jobs again."""
LARGE_ROWS = 3 * CHUNK_ROWS
"""Rows from which on a job is worked by a process of its own, which takes a second or two to come up."""
FOLDED_TOGETHER = 2
"""Chunks whose pages are folded into SQLite's file together: most of what one changes, the next changes again."""


def _announce(job: BulkJob) -> None:
    """Tell the owner that a job has ended, and how."""
    event_type = EventType.BULK_FAILED
    if job.status is JobStatus.COMPLETED:
        event_type = EventType.BULK_CHECKED if job.dry_run else EventType.BULK_COMPLETED
    names = ("rows_total", "rows_registered", "rows_updated", "rows_unchanged", "rows_refused", "rows_draft")
    payload = {"file_name": job.file_name, "reason": job.reason, **{name: getattr(job, name) for name in names}}
    event = {"record_id": job.id, "organisation_id": job.organisation_id, "dno_code": None, "payload": payload}
    emit_many(event_type, BulkJob, as_columns([event]))


UPLOADS = JobQueue(BulkJob, "job", "UC-02.01", prepare=lambda job: None, announce=_announce)


def work_on_jobs() -> None:
    """Go on with the job that waits longest, for a while; a large one in a process of its own, so that pages keep theirs."""
    work_for(SLICE_SECONDS, apart=True)


def work_for(seconds: float, *, apart: bool = False) -> bool:
    """Take up one job that waits and work on it for about so many seconds; whether there was one.

    `apart` leaves a large one to the second process.
    """
    claim = UPLOADS.claim()
    if claim is None:
        return False
    if not (apart and claim.rows_total >= LARGE_ROWS and (os.cpu_count() or 1) > 1):
        _work_on(claim, seconds)
        return True
    try:
        second_process().submit(_work_on, claim, seconds).result()
    except Exception:
        # What goes wrong with the job is settled there; here is only that the process was killed, or couldn't be started.
        log.exception("The process that works on bulk job %s is gone", claim.job_id)
        UPLOADS.put_off(claim.job_id, claim.lease, "its process ended")
    return True


def _work_on(claim: Claim, seconds: float) -> None:
    UPLOADS.run(claim, partial(_process_chunks, until=time.monotonic() + seconds))


def work_through_jobs(limit: int = 1000) -> None:
    """Work until no job waits: for tests, and for whoever wants a file registered at once."""
    for _ in range(limit):
        if not work_for(3600):
            return


def _process_chunks(job_id: UUID, lease: UUID, until: float) -> None:
    actor = UPLOADS.owner(job_id)
    with UPLOADS.step("read", writes=False):
        earlier = read_earlier_rows(job_id)
    for number in count():
        outcomes = process_chunk(actor, job_id, lease, earlier)
        if outcomes is None:
            return
        earlier.add(outcomes)
        if number % FOLDED_TOGETHER == FOLDED_TOGETHER - 1:
            fold_in()
        if time.monotonic() >= until:
            UPLOADS.release(job_id, lease)
            return


@operation("UC-02.01", permission="asset.bulk", name="process_chunk")
def process_chunk(actor: Actor, job_id: UUID, lease: UUID, earlier: Earlier) -> pl.DataFrame | None:
    """Judge the next chunk of a job and, unless it is a dry run, register it; all of it or nothing.

    What became of its rows (`OUTCOME_SCHEMA`); None when the job is complete, cancelled or another process's.
    """
    job = UPLOADS.held(job_id, lease)
    if job is None:
        return None
    session = current_session()
    by_index()
    chunk = _next_chunk(job_id)
    if chunk is None:
        _complete(job)
        return None
    terms = Terms(job.constants, job.justifications, job.keep_drafts)
    content = unpack(chunk.content)
    rows = spell_rows(rows_by_term(content, job.columns), job.spellings, catalogue().reference)
    used_up = is_used_up(actor)
    verdict = judge_rows(actor, rows, job.constants, earlier, terms, dry_run=job.dry_run)
    if used_up and not job.dry_run and verdict.refuses_unchecked:
        _wait_for_lookups(actor, job)
        return None
    if not job.dry_run:
        write(actor, verdict, terms)
        keep_drafts(job, rows, verdict)
    add_notices(verdict, content)
    results = collect_results(verdict)
    chunk.findings, chunk.outcomes, chunk.done = results.packed_findings, results.packed_outcomes, True
    add_up(job, verdict, results.findings)
    job.leased_until, job.attempts, job.reason = now() + long_jobs.LEASE, 0, None
    if job.rows_done >= job.rows_total:
        _complete(job)
    session.flush()
    session.expunge(chunk)
    return results.outcomes


def _wait_for_lookups(actor: Actor, job: BulkJob) -> None:
    """Put a job off until its organisation may ask again which devices and aliases are registered elsewhere."""
    until = used_up_until(actor)
    job.leased_until, job.attempts = until, 0
    job.reason = (
        "Your organisation's look-ups of this hour are used up, and rows name devices or other identifiers that the register "
        f"has to be asked for. It goes on by itself at {show_time(until)}."
    )


def _next_chunk(job_id: UUID) -> BulkChunk | None:
    waiting = select(BulkChunk).where(col(BulkChunk.job_id) == job_id, ~col(BulkChunk.done))
    return current_session().scalar(waiting.order_by(col(BulkChunk.number)).limit(1))


def _complete(job: BulkJob) -> None:
    UPLOADS.end(job, JobStatus.COMPLETED)


def forget_old_jobs() -> None:
    """Remove jobs that are over and have been kept for long enough (setting bulk.keep_days), with files and results."""
    UPLOADS.remove_old(remove_jobs)
