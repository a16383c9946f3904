"""The worker's part of a bulk job: chunk by chunk, each in one transaction with the mark that it is done.

A process that is killed leaves its chunk as if it had never begun; whoever takes the job up next goes on with that chunk.
The lease keeps two processes from doing the same work, the mark keeps the work from being done twice.
"""

import logging
import time
from datetime import timedelta
from functools import cache
from itertools import count
from math import ceil
from typing import NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import or_, select
from sqlmodel import col

from models.base import new_id
from models.bulk import UNFINISHED, BulkChunk, BulkJob, JobStatus
from models.events import EventType
from services.assets.bulk.pipeline.chunk_results import add_up, keep
from services.assets.bulk.pipeline.chunks import given_rows, unpack
from services.assets.bulk.pipeline.duplicates import Earlier, earlier_rows
from services.assets.bulk.pipeline.lookups import Written
from services.assets.bulk.pipeline.outcomes import Terms, judge
from services.assets.bulk.pipeline.prefetch import Ahead, Question, is_large
from services.assets.bulk.pipeline.validation import providers_of
from services.assets.bulk.pipeline.write import register_rows, write
from services.assets.bulk.upload.drafts import keep_drafts
from services.assets.bulk.upload.jobs import remove_jobs
from services.assets.registration.lookup_hits import note_hits
from services.core.audit_context import Stamp
from services.core.clock import now
from services.core.db.bulk_insert import uncollected
from services.core.db.columns import as_columns
from services.core.db.engine import fold_in, is_sqlite
from services.core.db.expressions import by_index
from services.core.errors import RegisterError
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_behind
from services.core.jobs.outbox import emit_many
from services.core.jobs.process_pool import second_process
from services.core.jobs.worker import back_off
from services.core.operation import OPERATIONS, operation
from services.core.register_settings import setting
from services.core.transaction import afterwards, current_session

log = logging.getLogger("fmar.bulk")
LEASE = timedelta(seconds=60)
SLICE_SECONDS = 8.0
"""How long one job is worked before the worker looks after events and other jobs again."""
MAX_ATTEMPTS = 5
FOLDED_TOGETHER = 2
"""Chunks whose pages are folded into SQLite's file together: most of what one changes, the next changes again."""


def work_on_jobs() -> None:
    """Go on with the job that waits longest, for a while; a large one in a process of its own, so that pages keep theirs."""
    work_for(SLICE_SECONDS, apart=True)


def work_for(seconds: float, *, apart: bool = False) -> bool:
    """Take up one job that waits and work on it for about so many seconds; whether there was one.

    `apart` leaves a large one to the second process.
    """
    taken = claim_job(system_actor())
    if taken is None:
        return False
    if not (apart and is_large(taken.rows_total)):
        _see_to(taken.job_id, taken.lease, seconds)
        return True
    try:
        second_process().submit(_see_to, taken.job_id, taken.lease, seconds).result()
    except Exception:
        # What goes wrong with the job is settled there; here is only that the process was killed, or couldn't be started.
        log.exception("The process that works on bulk job %s is gone", taken.job_id)
        put_off_job(system_actor(), taken.job_id, taken.lease, "its process ended")
    return True


def _see_to(job_id: UUID, lease: UUID, seconds: float) -> None:
    """Work on a job for about so many seconds; what goes wrong is told to its owner, or tried again later."""
    try:
        _work(job_id, lease, time.monotonic() + seconds)
    except RegisterError as refusal:
        fail_job(system_actor(), job_id, lease, refusal.message)
    except Exception as error:
        log.exception("Bulk job %s could not go on", job_id)
        put_off_job(system_actor(), job_id, lease, f"{type(error).__name__}")


def work_through_jobs(limit: int = 1000) -> None:
    """Work until no job waits: for tests, and for whoever wants a file registered at once."""
    for _ in range(limit):
        if not work_for(3600):
            return


def _work(job_id: UUID, lease: UUID, until: float) -> None:
    actor, earlier = job_actor(system_actor(), job_id)
    ahead = Ahead()
    for number in count():
        began = time.monotonic()
        fresh = process_chunk(actor, job_id, lease, earlier, ahead)
        if fresh is None:
            return
        earlier.add(fresh)
        if number % FOLDED_TOGETHER == FOLDED_TOGETHER - 1:
            fold_in()
        moment = time.monotonic()
        if moment >= until:
            release_job(system_actor(), job_id, lease)
            return
        ahead.chunks_left = ceil((until - moment) / (moment - began))


class Claim(NamedTuple):
    """A job that this process works on for as long as the lease holds."""

    job_id: UUID
    lease: UUID
    rows_total: int


@operation("UC-02.01", permission="asset.conclude", name="claim_job")
def claim_job(actor: Actor) -> Claim | None:
    """Take the lease of the job that waits longest; None where none waits."""
    moment = now()
    free = or_(col(BulkJob.leased_until).is_(None), col(BulkJob.leased_until) <= moment)
    job = current_session().scalar(
        select(BulkJob)
        .where(col(BulkJob.status).in_(UNFINISHED), free)
        .order_by(col(BulkJob.leased_until).is_not(None), col(BulkJob.leased_until), col(BulkJob.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    job.lease, job.leased_until = new_id(), moment + LEASE
    job.status = JobStatus.RUNNING
    job.started_at = job.started_at or moment
    return Claim(job.id, job.lease, job.rows_total)


@operation("UC-02.01", permission="asset.conclude", writes=False, name="job_actor")
def job_actor(actor: Actor, job_id: UUID) -> tuple[Actor, Earlier]:
    """Who handed a job in, with the rights they have now, and what its rows so far are known by.

    Raises Unauthenticated or Forbidden when their access has ended since.
    """
    job = current_session().get_one(BulkJob, job_id)
    return actor_behind(job.user_id, job.organisation_id, job.client_id, job.submitted_by), earlier_rows(job_id)


def _held(job_id: UUID, lease: UUID) -> BulkJob | None:
    """The job, locked, while the lease is still ours and nobody cancelled it."""
    chosen = select(BulkJob).where(col(BulkJob.id) == job_id).with_for_update()
    job = current_session().scalar(chosen.execution_options(populate_existing=True))
    return job if job is not None and job.lease == lease and job.status is JobStatus.RUNNING else None


@operation("UC-02.01", permission="asset.bulk", name="process_chunk")
def process_chunk(actor: Actor, job_id: UUID, lease: UUID, earlier: Earlier, ahead: Ahead) -> pl.DataFrame | None:
    """Judge the next chunk of a job and, unless it is a dry run, register it; all of it or nothing.

    `ahead` may know what is said of this chunk, and asks about the one after it meanwhile.

    What became of its rows (`storing.OUTCOME_SCHEMA`); None when the job is complete, cancelled or another process's.
    """
    job = _held(job_id, lease)
    if job is None:
        return None
    session = current_session()
    by_index()
    chunk = _next_chunk(job_id)
    if chunk is None:
        _complete(job)
        return None
    terms = Terms(job.constants, job.justifications, job.keep_drafts)
    given = given_rows(unpack(chunk.content), job.columns)
    with uncollected():
        if not ahead.knows_of(chunk.number):
            # To ask about it here takes as long as to ask about another there.
            _look_ahead(actor, job, ahead, ahead.to_ask(chunk.number, job.rows_total, 1), alone=is_sqlite())
        asked, staged = ahead.said_of(actor, chunk.number, given, job.constants, earlier)
        _look_ahead(actor, job, ahead, ahead.to_ask(chunk.number, job.rows_total), alone=True)
        verdict = judge(actor, given, asked, earlier, terms)
        kept = cache(lambda: keep(verdict))
        if job.dry_run:
            ahead.note(Written(providers_of(asked.values)))
        else:
            ahead.note(write(actor, verdict, terms, staged, kept))
            keep_drafts(job, given, verdict)
    ahead.mostly_new = len(verdict.changed) * 2 < len(verdict.outcomes)
    if verdict.unseen:
        unseen = list(verdict.unseen)
        afterwards(lambda: note_hits(actor, unseen))
    done = kept()
    chunk.findings, chunk.outcomes, chunk.done = done.packed_findings, done.packed_outcomes, True
    add_up(job, verdict, done.findings)
    job.leased_until, job.attempts, job.reason = now() + LEASE, 0, None
    if job.rows_done >= job.rows_total:
        _complete(job)
    session.flush()
    session.expunge(chunk)
    return done.outcomes


def _next_chunk(job_id: UUID) -> BulkChunk | None:
    waiting = select(BulkChunk).where(col(BulkChunk.job_id) == job_id, ~col(BulkChunk.done))
    return current_session().scalar(waiting.order_by(col(BulkChunk.number)).limit(1))


def _look_ahead(actor: Actor, job: BulkJob, ahead: Ahead, numbers: range, *, alone: bool) -> None:
    """Have chunks asked about; `alone` says that nobody else writes for their provider in this moment."""
    writing = register_rows.__name__
    stamp = None if job.dry_run else Stamp(writing, OPERATIONS[writing].use_case, actor)
    for number in numbers:
        kept = select(col(BulkChunk.content)).where(col(BulkChunk.job_id) == job.id, col(BulkChunk.number) == number)
        if (content := current_session().scalar(kept)) is not None:
            ahead.ask(Question(actor, number, content, job.columns, job.constants, stamp, now()), alone=alone)


def _complete(job: BulkJob) -> None:
    job.status, job.finished_at, job.leased_until = JobStatus.COMPLETED, now(), None
    _tell(job, EventType.BULK_CHECKED if job.dry_run else EventType.BULK_COMPLETED)


def _tell(job: BulkJob, event_type: EventType) -> None:
    """Tell the owner that a job has ended, and how."""
    names = ("rows_total", "rows_registered", "rows_updated", "rows_unchanged", "rows_refused", "rows_draft")
    payload = {"file_name": job.file_name, "reason": job.reason, **{name: getattr(job, name) for name in names}}
    about = {"record_id": job.id, "organisation_id": job.organisation_id, "dno_code": None, "payload": payload}
    emit_many(event_type, BulkJob, as_columns([about]), 1)


@operation("UC-02.01", permission="asset.conclude", name="release_job")
def release_job(actor: Actor, job_id: UUID, lease: UUID) -> None:
    """Give the lease back, so that any process can go on at once."""
    job = _held(job_id, lease)
    if job is not None:
        job.leased_until = now()


@operation("UC-02.01", permission="asset.conclude", name="fail_job")
def fail_job(actor: Actor, job_id: UUID, lease: UUID, reason: str) -> None:
    """End a job that can't go on; what is registered by then stays."""
    job = _held(job_id, lease)
    if job is not None:
        job.status, job.finished_at, job.reason = JobStatus.FAILED, now(), reason[:1000]
        _tell(job, EventType.BULK_FAILED)


@operation("UC-02.01", permission="asset.conclude", name="put_off_job")
def put_off_job(actor: Actor, job_id: UUID, lease: UUID, what: str) -> None:
    """Try a chunk again later, after a mistake of ours; give the job up after several times."""
    job = _held(job_id, lease)
    if job is None:
        return
    job.attempts += 1
    if job.attempts >= MAX_ATTEMPTS:
        job.status, job.finished_at = JobStatus.FAILED, now()
        job.reason = f"Something went wrong in the register ({what}). Tell its operator the job's identifier."
        _tell(job, EventType.BULK_FAILED)
    else:
        job.leased_until = now() + back_off(job.attempts)


def forget_old_jobs() -> None:
    """Remove jobs that are over and have been kept for long enough (setting bulk.keep_days)."""
    remove_old_jobs(system_actor())


@operation("UC-02.01", permission="asset.conclude", name="remove_old_jobs")
def remove_old_jobs(actor: Actor) -> int:
    """Remove ended jobs older than setting bulk.keep_days with their files and results; how many."""
    before = now() - timedelta(days=int(setting("bulk.keep_days")))
    chosen = select(col(BulkJob.id)).where(col(BulkJob.status).not_in(UNFINISHED), col(BulkJob.finished_at) < before)
    old = list(current_session().scalars(chosen))
    remove_jobs(old)
    return len(old)
