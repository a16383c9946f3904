"""Long jobs that people hand in: rows of a table, claimed under a lease, finished, retried and given up.

Uploads and exports are run by this; it is safe in several processes at once. A process that is killed leaves a lease that
ends, and whoever claims the job next goes on. Its steps are plumbing and no operations: nobody but the worker takes them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from models.base import new_id
from models.bulk import UNFINISHED, JobStatus
from services.core.clock import now
from services.core.errors import RegisterError
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_behind
from services.core.jobs.worker import LONGEST_WAIT, back_off, log
from services.core.register_settings import setting
from services.core.transaction import Stamp, current_session, unit_of_work

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 5


class LongJob(Protocol):
    """The columns that the table of a kind of job has."""

    id: UUID
    organisation_id: UUID | None
    user_id: UUID | None
    client_id: str | None
    submitted_by: str
    status: JobStatus
    reason: str | None
    rows_total: int
    rows_done: int
    started_at: datetime | None
    finished_at: datetime | None
    lease: UUID | None
    leased_until: datetime | None
    attempts: int


J = TypeVar("J", bound=LongJob)


class LeaseLost(Exception):
    """The job was cancelled, or another process has it: what this one makes of it is thrown away."""


class Claim(NamedTuple):
    """A job that this process works on for as long as the lease holds."""

    job_id: UUID
    lease: UUID
    rows_total: int


@dataclass(frozen=True)
class JobQueue(Generic[J]):
    """The jobs of one table. `noun` names its steps in stamps, `use_case` is theirs.

    `prepare` is called with a job that has been claimed, `announce` with one that has ended; both inside the transaction.
    """

    model: type[J]
    noun: str
    use_case: str
    prepare: Callable[[J], None]
    announce: Callable[[J], None]

    @contextmanager
    def step(self, verb: str, *, writes: bool = True) -> Iterator[Session]:
        """Open a transaction of the worker for one step."""
        stamp = Stamp(f"{verb}_{self.noun}", self.use_case, system_actor())
        with unit_of_work(stamp, writes=writes) as session:
            yield session

    def has_waiting(self) -> bool:
        """Look for a job that could be claimed, inside a transaction."""
        query = select(col(self.model.id)).where(*self._claimable(now())).limit(1)
        return current_session().scalar(query) is not None

    def _claimable(self, moment: datetime) -> tuple[ColumnElement[bool], ...]:
        """Unfinished jobs that no process holds a lease of."""
        leased_until = col(self.model.leased_until)
        # What is leased for longer was claimed while the clock had jumped ahead.
        free = or_(leased_until.is_(None), leased_until <= moment, leased_until > moment + LONGEST_WAIT)
        return col(self.model.status).in_(UNFINISHED), free

    def claim(self) -> Claim | None:
        """Take the lease of the job that waits longest; None where none waits. One begun too often is given up."""
        model = self.model
        moment = now()
        with self.step("claim") as session:
            job = session.scalar(
                select(model)
                .where(*self._claimable(moment))
                .order_by(col(model.leased_until).is_not(None), col(model.leased_until), col(model.id))
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if job is None:
                return None
            if job.attempts >= MAX_ATTEMPTS:
                self.end(job, JobStatus.FAILED, self._mistake("it was begun several times and never ended"))
                return None
            job.lease, job.leased_until = new_id(), moment + LEASE
            job.status = JobStatus.RUNNING
            job.started_at = job.started_at or moment
            job.attempts += 1
            self.prepare(job)
            return Claim(job.id, job.lease, job.rows_total)

    def owner(self, job_id: UUID) -> Actor:
        """Actor who handed a job in, with the rights they have now.

        Raises Unauthenticated or Forbidden when their access has ended since.
        """
        with self.step("resolve", writes=False) as session:
            job = session.get_one(self.model, job_id)
            return actor_behind(job.user_id, job.organisation_id, job.client_id, job.submitted_by)

    def held(self, job_id: UUID, lease: UUID) -> J | None:
        """The job, locked, while the lease is still ours and nobody cancelled it; inside a transaction that writes."""
        query = select(self.model).where(col(self.model.id) == job_id).with_for_update()
        job = current_session().scalar(query.execution_options(populate_existing=True))
        return job if job is not None and job.lease == lease and job.status is JobStatus.RUNNING else None

    def renew(self, job_id: UUID, lease: UUID, rows_done: int) -> bool:
        """Keep how far a job is, and its lease; whether it is still ours."""
        with self.step("renew"):
            job = self.held(job_id, lease)
            if job is not None:
                job.rows_done, job.leased_until = rows_done, now() + LEASE
            return job is not None

    def release(self, job_id: UUID, lease: UUID) -> None:
        """Give the lease back, so that any process can go on at once."""
        with self.step("release"):
            job = self.held(job_id, lease)
            if job is not None:
                job.leased_until = now()

    def run(self, claim: Claim, work: Callable[[UUID, UUID], None]) -> None:
        """Work on a claimed job; what goes wrong is told to its owner, or tried again later."""
        job_id, lease, _rows = claim
        try:
            work(job_id, lease)
        except LeaseLost:
            log.info("The %s %s goes on elsewhere, or was cancelled", self.noun, job_id)
        except RegisterError as refusal:
            self.fail(job_id, lease, refusal.message)
        except Exception as error:
            log.exception("The %s %s could not go on", self.noun, job_id)
            self.put_off(job_id, lease, type(error).__name__)

    def fail(self, job_id: UUID, lease: UUID, reason: str) -> None:
        """End a job that can't go on."""
        with self.step("fail"):
            job = self.held(job_id, lease)
            if job is not None:
                self.end(job, JobStatus.FAILED, reason)

    def put_off(self, job_id: UUID, lease: UUID, what: str) -> None:
        """Try a job again later, after a mistake of ours; give it up after several times."""
        with self.step("put_off"):
            job = self.held(job_id, lease)
            if job is None:
                return
            if job.attempts >= MAX_ATTEMPTS:
                self.end(job, JobStatus.FAILED, self._mistake(what))
            else:
                job.leased_until = now() + back_off(job.attempts)

    def end(self, job: J, status: JobStatus, reason: str | None = None) -> None:
        """End a job, and tell its organisation; inside a transaction that writes."""
        job.status, job.finished_at, job.reason = status, now(), reason and reason[:1000]
        job.leased_until = None
        self.announce(job)

    def remove_old(self, remove: Callable[[list[UUID]], None]) -> int:
        """Have ended jobs removed that are older than setting bulk.keep_days; how many."""
        with self.step("remove_old") as session:
            before = now() - timedelta(days=int(setting("bulk.keep_days")))
            ended = (col(self.model.status).not_in(UNFINISHED), col(self.model.finished_at) < before)
            old = list(session.scalars(select(col(self.model.id)).where(*ended)))
            remove(old)
            return len(old)

    def _mistake(self, what: str) -> str:
        return f"Something went wrong in the register ({what}). Tell its operator the {self.noun}'s identifier."
