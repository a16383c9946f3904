"""The worker: hands events to handlers and runs periodic jobs, safely in several processes at once (ARCHITECTURE idea 6)."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from models.core import DeliveryStatus, Event, EventDelivery, PeriodicRun
from services.core.actor import system_actor
from services.core.clock import now
from services.core.events import HANDLERS, ManyHandler
from services.core.transaction import Stamp, unit_of_work

log = logging.getLogger("fmar.worker")
LEASE = timedelta(minutes=2)
"""How long a claimed delivery is left to the process that claimed it before another takes it over."""
MAX_ATTEMPTS = 12
BATCH = 20
TOGETHER = 100
"""How many events a handler that takes them together is handed at most: well within the lease."""

Job = Callable[[], None]
JOBS: dict[str, tuple[timedelta, Job]] = {}


def every(interval: timedelta) -> Callable[[Job], Job]:
    """Run the function about so often, in one process at a time; it must do no harm when run twice."""

    def decorate(function: Job) -> Job:
        JOBS[f"{function.__module__.removeprefix('services.')}.{function.__name__}"] = (interval, function)
        return function

    return decorate


class Wait(Exception):
    """A handler can't finish yet (an outside system is away); it is handed the event again without end, with back-off."""


def _stamp(name: str) -> Stamp:
    return Stamp(name, "worker", system_actor())


class _Claimed(NamedTuple):
    delivery_id: int
    handler: str
    event: Event


def _claim() -> list[_Claimed]:
    """Take due deliveries by moving their due time past the lease.

    Those that have waited longest, and the newest few: what one person has just done doesn't wait behind a portfolio.
    """
    with unit_of_work(_stamp("claim_deliveries"), writes=True) as session:
        moment = now()
        due = select(EventDelivery).where(
            col(EventDelivery.status) == DeliveryStatus.WAITING, col(EventDelivery.due_at) <= moment
        )
        longest = due.order_by(col(EventDelivery.due_at), col(EventDelivery.id)).limit(TOGETHER)
        newest = due.order_by(col(EventDelivery.due_at).desc(), col(EventDelivery.id).desc()).limit(BATCH)
        found = {
            delivery.id: delivery
            for chosen in (longest, newest)
            for delivery in session.scalars(chosen.with_for_update(skip_locked=True))
        }.values()
        together = [delivery for delivery in found if _takes_many(delivery.handler)]
        alone = [delivery for delivery in found if not _takes_many(delivery.handler)]
        taken = alone[:BATCH] + together
        wanted = [delivery.event_seq for delivery in taken]
        events = {event.seq: event for event in session.scalars(select(Event).where(col(Event.seq).in_(wanted)))}
        for delivery in taken:
            delivery.due_at = moment + LEASE
            delivery.attempts += 1
        return [_Claimed(delivery.id or 0, delivery.handler, events[delivery.event_seq]) for delivery in taken]


def _takes_many(name: str) -> bool:
    handling = HANDLERS.get(name)
    return handling is not None and handling.many is not None


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 2 s, doubling, at most 15 minutes."""
    return timedelta(seconds=min(2**attempts, 900))


def _finish(results: Mapping[int, Exception | None]) -> None:
    """Note how deliveries went, by their numbers."""
    with unit_of_work(_stamp("finish_delivery"), writes=True) as session:
        moment = now()
        for delivery in session.scalars(select(EventDelivery).where(col(EventDelivery.id).in_(results))):
            error = results[delivery.id or 0]
            if error is None:
                delivery.status = DeliveryStatus.DONE
                delivery.done_at = moment
                delivery.last_error = None
                continue
            delivery.last_error = f"{type(error).__name__}: {error}"[:500]
            delivery.due_at = moment + back_off(delivery.attempts)
            if delivery.attempts >= MAX_ATTEMPTS and not isinstance(error, Wait):
                delivery.status = DeliveryStatus.GIVEN_UP


def deliver_due() -> int:
    """Hand due events to their handlers once; how many deliveries were tried."""
    with unit_of_work(_stamp("look_for_deliveries"), writes=False) as session:
        waiting = (col(EventDelivery.status) == DeliveryStatus.WAITING, col(EventDelivery.due_at) <= now())
        if session.scalar(select(col(EventDelivery.id)).where(*waiting).limit(1)) is None:
            return 0
    claimed = _claim()
    runs: dict[str, list[_Claimed]] = {}
    for delivery in claimed:
        if _takes_many(delivery.handler):
            runs.setdefault(delivery.handler, []).append(delivery)
        else:
            _hand_over(delivery)
    for name, run in runs.items():
        if (together := HANDLERS[name].many) is not None:
            _hand_over_together(together, run)
    return len(claimed)


def _hand_over(delivery: _Claimed) -> None:
    handling = HANDLERS.get(delivery.handler)
    error: Exception | None = None
    try:
        if handling is not None and handling.one is not None:
            handling.one(delivery.event)
        elif handling is not None and handling.many is not None:
            error = handling.many([delivery.event]).get(delivery.event.id)
    except Wait as waiting:
        error = waiting
    except Exception as raised:
        log.exception("Handler %s failed on event %s", delivery.handler, delivery.event.id)
        error = raised
    _finish({delivery.delivery_id: error})


def _hand_over_together(function: ManyHandler, claimed: list[_Claimed]) -> None:
    """All at once; where that fails as a whole, one by one, so that one event doesn't hold up the others."""
    try:
        failures = function([delivery.event for delivery in claimed])
    except Exception:
        log.exception("Handler %s failed on %s events together", claimed[0].handler, len(claimed))
        for delivery in claimed:
            _hand_over(delivery)
        return
    _finish({delivery.delivery_id: failures.get(delivery.event.id) for delivery in claimed})


def run_due_jobs() -> int:
    """Run the periodic jobs that are due; how many ran."""
    ran = 0
    with unit_of_work(_stamp("look_for_jobs"), writes=False) as session:
        due_at = {run.job: run.due_at for run in session.scalars(select(PeriodicRun))}
    for name, (interval, job) in JOBS.items():
        if (name not in due_at or due_at[name] <= now()) and _claimed(name, interval):
            ran += 1
            try:
                job()
            except Exception:
                log.exception("Periodic job %s failed", name)
    return ran


def _claimed(name: str, interval: timedelta) -> bool:
    try:
        return _claim_job(name, interval)
    except IntegrityError:
        # The very first time, another process noted the job in the same moment: it has it.
        return False


def _claim_job(name: str, interval: timedelta) -> bool:
    with unit_of_work(_stamp("claim_job"), writes=True) as session:
        moment = now()
        run = session.scalar(select(PeriodicRun).where(col(PeriodicRun.job) == name).with_for_update(skip_locked=True))
        if run is None:
            if session.get(PeriodicRun, name) is not None:
                return False
            session.add(PeriodicRun(job=name, due_at=moment + interval))
            return True
        if run.due_at > moment:
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
        while not self._stopping.is_set():
            try:
                busy = deliver_due() + run_due_jobs()
            except Exception:
                log.exception("The worker could not reach the register; it tries again")
                busy = 0
            if not busy:
                self._stopping.wait(self._rest)
