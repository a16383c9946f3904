"""The worker: hands events to handlers and runs periodic jobs, safely in several processes at once."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from models.core import DeliveryStatus, Event, EventDelivery, PeriodicRun
from services.core.clock import now
from services.core.identity.actor import system_actor
from services.core.jobs.clock_watch import ClockTrust, read_clock, report_clock
from services.core.jobs.outbox import TOGETHER
from services.core.reactions import ManyHandler, PeriodicJob, reactions
from services.core.transaction import Stamp, unit_of_work

log = logging.getLogger("fmar.worker")
LEASE = timedelta(minutes=2)
"""How long a claimed delivery is left to the process that claimed it before another takes it over."""
MAX_ATTEMPTS = 12
BATCH = 20
HEARTBEAT = "core.jobs.worker.heartbeat"
"""The periodic job that does nothing but keep that a worker of some process is up."""
HEARTBEAT_INTERVAL = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
"""Longer than any lease or back-off: what is due later than that was put off by a clock that had jumped ahead."""
HOUSEKEEPING_INTERVAL = timedelta(minutes=1)
"""Jobs that run as seldom as this, or less often, are housekeeping."""
HOUSEKEEPING_AFTER_S = 10.0
"""How long after its start a worker leaves housekeeping alone: the first pages of a portal that was just started come first."""
REPORT_SECONDS = 600
"""How often deliveries that wait for a handler unknown here are reported."""


class Wait(Exception):
    """A handler can't finish yet (an outside system is away); it is handed the event again without end, with back-off."""


def _stamp(name: str) -> Stamp:
    return Stamp(name, "worker", system_actor())


class _Claimed(NamedTuple):
    """An event of a delivery that this worker has taken."""

    delivery_id: int
    handler: str
    event: Event


def _due(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    """Deliveries that are due and whose handler this process has.

    One of a handler that this version doesn't have, in a rolling upgrade or after a way back, stays waiting for a process
    that has it; `unknown_handlers` reports it.
    """
    return (
        col(EventDelivery.status) == DeliveryStatus.WAITING,
        or_(col(EventDelivery.due_at) <= moment, col(EventDelivery.due_at) > moment + LONGEST_WAIT),
        col(EventDelivery.handler).in_(list(reactions().handlers)),
    )


def unknown_handlers() -> dict[str, int]:
    """Waiting deliveries by handler, of handlers that this process doesn't have."""
    with unit_of_work(_stamp("look_for_unknown_handlers"), writes=False) as session:
        handler = col(EventDelivery.handler)
        waiting = (col(EventDelivery.status) == DeliveryStatus.WAITING, handler.not_in(list(reactions().handlers)))
        query = select(handler, func.count()).where(*waiting).group_by(handler).order_by(handler)
        return {row[0]: row[1] for row in session.execute(query)}


def _report_unknown_handlers() -> None:
    for name, count in unknown_handlers().items():
        log.error(
            "%s deliveries wait for the handler %s, which this version doesn't have; they stay waiting until a version "
            "that has it runs",
            count,
            name,
        )


def _claim() -> list[_Claimed]:
    """Take due deliveries by moving their due time past the lease.

    Those that have waited longest, and the newest few: what one person has just done doesn't wait behind a portfolio.
    """
    with unit_of_work(_stamp("claim_deliveries"), writes=True) as session:
        moment = now()
        due = select(EventDelivery).where(*_due(moment))
        longest = due.order_by(col(EventDelivery.due_at), col(EventDelivery.id)).limit(TOGETHER)
        newest = due.order_by(col(EventDelivery.due_at).desc(), col(EventDelivery.id).desc()).limit(BATCH)
        deliveries = {
            delivery.id: delivery
            for query, most in ((longest, TOGETHER), (newest, BATCH))
            for delivery in _few(session.scalars(query.with_for_update(skip_locked=True)), most)
        }.values()
        together = [delivery for delivery in deliveries if _takes_many(delivery.handler)]
        alone = [delivery for delivery in deliveries if not _takes_many(delivery.handler)]
        claimed = alone[:BATCH] + together
        numbers = [number for delivery in claimed for number in _numbers(delivery)]
        events = {event.seq: event for event in session.scalars(select(Event).where(col(Event.seq).in_(numbers)))}
        for delivery in claimed:
            delivery.due_at = moment + LEASE
            delivery.attempts += 1
        return [
            _Claimed(delivery.id or 0, delivery.handler, events[number])
            for delivery in claimed
            for number in _numbers(delivery)
        ]


def _numbers(delivery: EventDelivery) -> list[int]:
    """The numbers of a delivery's events."""
    return [delivery.event_seq, *delivery.further]


def _few(due: Iterable[EventDelivery], most: int) -> Iterator[EventDelivery]:
    """Deliveries in their order that have at most so many events together; one with more than are left is passed over."""
    events = 0
    for delivery in due:
        size = len(_numbers(delivery))
        if events + size <= most:
            events += size
            yield delivery


def _takes_many(name: str) -> bool:
    return reactions().handlers[name].together is not None


def back_off(attempts: int) -> timedelta:
    """The wait after so many attempts: 2 s, doubling, at most 15 minutes."""
    return timedelta(seconds=min(2**attempts, 900))


def _finish(results: Mapping[tuple[int, int | None], Exception | None]) -> None:
    """Note how deliveries went, each with all its events: what came in the way, by delivery and the event's number."""
    with unit_of_work(_stamp("finish_delivery"), writes=True) as session:
        moment = now()
        query = select(EventDelivery).where(col(EventDelivery.id).in_({delivery_id for delivery_id, _seq in results}))
        for delivery in session.scalars(query).all():
            numbers = _numbers(delivery)
            failed = {number: error for number in numbers if (error := results[delivery.id or 0, number]) is not None}
            done = [number for number in numbers if number not in failed]
            if done:
                delivery.event_seq, delivery.further = done[0], done[1:]
                delivery.status, delivery.done_at, delivery.last_error = DeliveryStatus.DONE, moment, None
            else:
                delivery.event_seq, delivery.further = numbers[0], []
                _put_off(delivery, failed.pop(numbers[0]), moment)
            # Others that failed go on by themselves, once this one has let go of them.
            session.flush()
            for number, error in failed.items():
                own = EventDelivery(
                    event_seq=number, handler=delivery.handler, attempts=delivery.attempts, due_at=moment
                )
                _put_off(own, error, moment)
                session.add(own)


def _put_off(delivery: EventDelivery, error: Exception, moment: datetime) -> None:
    """Have what failed tried again later, or give it up after too many times."""
    delivery.last_error = f"{type(error).__name__}: {error}"[:500]
    delivery.due_at = moment + back_off(delivery.attempts)
    if delivery.attempts >= MAX_ATTEMPTS and not isinstance(error, Wait):
        delivery.status = DeliveryStatus.GIVEN_UP


def deliver_due() -> int:
    """Hand due events to their handlers once; how many there were."""
    with unit_of_work(_stamp("look_for_deliveries"), writes=False) as session:
        if session.scalar(select(col(EventDelivery.id)).where(*_due(now())).limit(1)) is None:
            return 0
    claimed = _claim()
    runs: dict[str, list[_Claimed]] = {}
    single: list[_Claimed] = []
    for delivery in claimed:
        (runs.setdefault(delivery.handler, []) if _takes_many(delivery.handler) else single).append(delivery)
    _hand_over(single)
    for name, run in runs.items():
        if (together := reactions().handlers[name].together) is not None:
            _hand_over_together(together, run)
    return len(claimed)


def _hand_over(claimed: Sequence[_Claimed]) -> None:
    """One event after the other; how a delivery went is noted once all of its own are through."""
    for _delivery, events in groupby(claimed, lambda delivery: delivery.delivery_id):
        _finish({(delivery.delivery_id, delivery.event.seq): _tried(delivery) for delivery in events})


def _tried(claimed: _Claimed) -> Exception | None:
    """Hand one event over by itself; the error that came in the way."""
    try:
        handling = reactions().handlers[claimed.handler]
        if handling.together is not None:
            return handling.together([claimed.event]).get(claimed.event.id)
        if handling.single is not None:
            handling.single(claimed.event)
    except Wait as waiting:
        return waiting
    except Exception as raised:
        log.exception("Handler %s failed on event %s", claimed.handler, claimed.event.id)
        return raised
    return None


def _hand_over_together(function: ManyHandler, claimed: list[_Claimed]) -> None:
    """All at once; where that fails as a whole, one by one, so that one event doesn't hold up the others."""
    try:
        failures = function([delivery.event for delivery in claimed])
    except Exception:
        log.exception("Handler %s failed on %s events together", claimed[0].handler, len(claimed))
        _hand_over(claimed)
        return
    _finish({(delivery.delivery_id, delivery.event.seq): failures.get(delivery.event.id) for delivery in claimed})


def run_due_jobs(*, housekeeping: bool = True) -> int:
    """Run the periodic jobs that are due; how many ran. Those that need a trusted clock wait until it is.

    Without housekeeping: only those that run every few seconds.
    """
    ran = 0
    with unit_of_work(_stamp("look_for_jobs"), writes=False) as session:
        due_at = {row.job: row.due_at for row in session.execute(select(col(PeriodicRun.job), col(PeriodicRun.due_at)))}
        clock = read_clock()
        trusted = clock.state is ClockTrust.TRUSTED
        due = {
            name: job
            for name, job in reactions().jobs.items()
            if (housekeeping or job.interval < HOUSEKEEPING_INTERVAL)
            and (trusted or not job.needs_clock)
            and (name not in due_at or _is_due(due_at[name], job.interval, clock.moment))
            and (job.has_work is None or job.has_work())
        }
    report_clock(clock)
    for name, job in due.items():
        if _claimed(name, job):
            ran += 1
            try:
                job.run()
            except Exception:
                log.exception("Periodic job %s failed", name)
    return ran


def _is_due(due_at: datetime, interval: timedelta, moment: datetime) -> bool:
    """Tell whether a job is due, or sleeps past its interval because the clock had jumped ahead."""
    return due_at <= moment or due_at > moment + interval


def keep_heartbeat() -> None:
    """Do nothing: that the job was claimed says it all."""


def _claimed(name: str, job: PeriodicJob) -> bool:
    try:
        return _claim_job(name, job)
    except IntegrityError:
        # The very first time, another process noted the job in the same moment: it has it.
        return False


def _claim_job(name: str, job: PeriodicJob) -> bool:
    with unit_of_work(_stamp("claim_job"), writes=True) as session:
        clock = read_clock()
        if job.needs_clock and clock.state is not ClockTrust.TRUSTED:
            # It jumped since the jobs were looked at.
            return False
        moment, interval = clock.moment, job.interval
        run = session.scalar(select(PeriodicRun).where(col(PeriodicRun.job) == name).with_for_update(skip_locked=True))
        if run is None:
            if session.get(PeriodicRun, name) is not None:
                return False
            session.add(PeriodicRun(job=name, due_at=moment + interval))
            return True
        if not _is_due(run.due_at, interval, moment):
            return False
        run.due_at = moment + interval
        return True


def work_through(limit: int = 1000) -> None:
    """Deliver until nothing is due: for tests and for the demo's first data."""
    for _ in range(limit):
        if not deliver_due():
            return


class Worker:
    """A thread that delivers and runs jobs until it is stopped."""

    def __init__(self, rest_seconds: float) -> None:
        self._rest = rest_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fmar-worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        report_at = 0.0
        housekeeping_at = time.monotonic() + HOUSEKEEPING_AFTER_S
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= report_at:
                    report_at = time.monotonic() + REPORT_SECONDS
                    _report_unknown_handlers()
                busy = deliver_due() + run_due_jobs(housekeeping=time.monotonic() >= housekeeping_at)
            except Exception:
                log.exception("The worker could not reach the register; it tries again")
                busy = 0
            if not busy:
                self._stopping.wait(self._rest)
