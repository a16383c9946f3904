"""Job notifications: that a job has ended, and whether anybody works on those that wait (UC-02.01, bulk)."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import col

from models.bulk import UNFINISHED, BulkJob
from models.core import Access, PeriodicRun
from services.assets.bulk.upload.jobs import job_of
from services.core.access_log import log_access
from services.core.clock import in_london
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.jobs.worker import HEARTBEAT
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session

OPENED = "job.read"
"""The kind of access that the opening of a job's page is logged as."""


@operation("UC-02.01", permission="asset.bulk", writes=False, name="ended_jobs")
def ended_jobs(actor: Actor, limit: int = 5) -> list[BulkJob]:
    """Jobs that the actor handed in and hasn't opened since they ended, the latest first; at most `limit`, up to 50.

    A dry run that is confirmed ends a second time. Jobs of programs have no owner at a screen: the event feed tells those.
    """
    opened = exists().where(
        col(Access.kind) == OPENED,
        col(Access.actor_key) == actor.key,
        col(Access.record_id) == col(BulkJob.id),
        col(Access.at) >= col(BulkJob.finished_at),
    )
    own = (visible(BulkJob, actor), col(BulkJob.organisation_id) == actor.organisation_id)
    mine = (*own, col(BulkJob.user_id) == actor.user_id, col(BulkJob.client_id).is_(None))
    ended = (col(BulkJob.status).not_in(UNFINISHED), col(BulkJob.finished_at).is_not(None), ~opened)
    query = select(BulkJob).where(*mine, *ended).order_by(col(BulkJob.id).desc())
    return list(current_session().scalars(query.limit(max(1, min(limit, 50)))))


@operation("UC-02.01", permission="asset.bulk", name="note_seen")
def note_seen(actor: Actor, job_id: UUID) -> None:
    """Keep that the actor is shown a job, in the access log; its owner isn't told of its end any more. Raises NotFound."""
    job = job_of(actor, job_id)
    log_access(actor, OPENED, BulkJob.record_type(), job.id, {"door": "portal", "file_name": job.file_name})


@operation("UC-02.01", permission="asset.bulk", writes=False, name="worker_seen")
def worker_seen(actor: Actor) -> datetime | None:
    """When a worker of any process last looked after jobs (within half a minute); None before one ever did."""
    return current_session().scalar(select(col(PeriodicRun.due_at)).where(col(PeriodicRun.job) == HEARTBEAT))


@operation("UC-02.01", permission="asset.bulk", writes=False, name="kept_until")
def kept_until(actor: Actor, job_id: UUID) -> date | None:
    """The day on which a job and its files are removed (setting bulk.keep_days); None while it is under way. NotFound."""
    job = job_of(actor, job_id)
    if job.finished_at is None:
        return None
    return in_london(job.finished_at + timedelta(days=int(setting("bulk.keep_days")))).date()
