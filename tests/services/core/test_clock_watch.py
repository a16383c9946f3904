"""A clock that jumps: nothing runs out while it isn't trusted, and nothing sleeps once it has come back."""

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlmodel import select

from models.core import Event, PeriodicRun
from models.events import EventType
from services.core.clock import now
from services.core.health import read_health
from services.core.identity.actor import system_actor
from services.core.jobs import worker
from services.core.jobs.clock_watch import ClockTrust, clock_reading, confirm_clock, resume_demo_clock
from services.core.reactions import Handling, PeriodicJob, reactions
from services.core.transaction import Stamp, unit_of_work
from services.governance.ledger import setting_history
from tests.factories import make_organisation
from tests.rewiring import rewired

pytestmark = pytest.mark.both_engines
SYSTEM = system_actor()
LOOK = Stamp("look", "UC-05.01", SYSTEM)
BY_DEADLINE = {
    "governance.sealing.seal_regularly",
    "assets.deadlines.keep_deadlines",
    "market.proposal_deciding.keep_catalogue",
    "market.qualification_expiry.keep_validities",
    "assets.bulk.working.forget_old_jobs",
    "assets.bulk.export_working.forget_old_exports",
    "core.jobs.clock_watch.keep_trusted_moment",
}


def due_times() -> dict[str, datetime]:
    """When each periodic job is next due."""
    with unit_of_work(LOOK, writes=False) as session:
        return {run.job: run.due_at for run in session.scalars(select(PeriodicRun))}


def test_what_ends_or_removes_something_by_its_age_needs_a_trusted_clock() -> None:
    assert {name for name, job in reactions().jobs.items() if job.needs_clock} == BY_DEADLINE


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=731), timedelta(days=-1)])
def test_a_jump_of_the_clock_runs_no_deadline_and_puts_no_job_to_sleep(
    register: str, jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    jobs = {
        name: PeriodicJob(job.interval, lambda name=name: ran.append(name), needs_clock=job.needs_clock)
        for name, job in reactions().jobs.items()
    }
    with rewired(jobs=jobs):
        worker.run_due_jobs()
        assert set(ran) == set(jobs)
        ran.clear()
        start = now()
        with time_machine.travel(start + jump):
            worker.run_due_jobs()
            assert not BY_DEADLINE & set(ran)
            assert read_health().clock is (ClockTrust.AHEAD if jump > timedelta() else ClockTrust.BEHIND)
            assert "manage.py confirm-clock" in caplog.text
        with time_machine.travel(start + timedelta(minutes=2)):
            assert read_health().clock is ClockTrust.TRUSTED
            worker.run_due_jobs()
        assert {"governance.sealing.seal_regularly", "core.jobs.worker.heartbeat"} <= set(ran)
        latest = {name: start + timedelta(minutes=3) + job.interval for name, job in jobs.items()}
        assert all(due < latest[name] for name, due in due_times().items()), "none sleeps past its interval"


def test_a_register_that_was_closed_for_weeks_waits_for_a_confirmation(register: str) -> None:
    ran: list[str] = []
    job = PeriodicJob(timedelta(hours=1), lambda: ran.append("ran"), needs_clock=True)
    watch = {name: job for name, job in reactions().jobs.items() if "clock_watch" in name}
    with rewired(jobs={**watch, "tests.deadline": job}):
        worker.run_due_jobs()
        with time_machine.travel(now() + timedelta(days=40)):
            worker.run_due_jobs()
            assert ran == ["ran"]
            assert "far ahead of" in clock_reading(SYSTEM).message
            confirm_clock(SYSTEM)
            assert clock_reading(SYSTEM).message == ""
            worker.run_due_jobs()
            assert ran == ["ran"] * 2
            assert [change.operation for change in setting_history(SYSTEM, "clock.confirmed")] == ["confirm_clock"]


def test_a_demo_that_stood_still_goes_on_when_it_is_started_again(register: str) -> None:
    watch = {name: job for name, job in reactions().jobs.items() if "clock_watch" in name}
    with rewired(jobs=watch):
        worker.run_due_jobs()
        with time_machine.travel(now() + timedelta(days=40)):
            assert clock_reading(SYSTEM).message
            resume_demo_clock()
            assert clock_reading(SYSTEM).message == ""


def test_an_event_put_off_while_the_clock_was_ahead_is_handed_over_once_it_is_back(register: str) -> None:
    heard: list[Event] = []
    away = [True]

    def listen(event: Event) -> None:
        if away:
            raise worker.Wait("away")
        heard.append(event)

    with rewired(handlers={"tests.listen": Handling(EventType.ORGANISATION_REGISTERED, single=listen)}):
        make_organisation()
        with time_machine.travel(now() + timedelta(days=731)):
            worker.work_through()
        away.clear()
        worker.work_through()
        assert heard
