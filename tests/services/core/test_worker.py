"""Events and the worker: written with the change, handed over at least once, retried, safe with several workers at once."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from alembic import command
from sqlalchemy import text
from sqlmodel import col, select

from models.assets import CategorySchema
from models.base import new_id
from models.core import DeliveryStatus, Event, EventDelivery, Setting
from models.events import EventType
from services.core.clock import now
from services.core.db.bulk_insert import as_columns
from services.core.db.engine import engine, is_sqlite
from services.core.db.migrate import alembic_config
from services.core.identity.actor import Actor, system_actor
from services.core.jobs import worker
from services.core.jobs.outbox import emit, emit_many, read_events
from services.core.operation import operation
from services.core.reactions import Failures, Handler, Handling, PeriodicJob, reactions
from services.core.transaction import Stamp, current_session, unit_of_work
from tests.rewiring import rewired

pytestmark = pytest.mark.both_engines

SYSTEM = system_actor()
SAID = EventType.ORGANISATION_UPDATED
"""A type that the register itself hands to nobody."""


@operation("UC-05.01", permission="setting.change", name="say")
def say(actor: Actor, words: str, *, fail: bool = False) -> None:
    """A record and the event about it, in one transaction."""
    current_session().add(Setting(key=f"said.{words}", value=words))
    # Of a type that the feed shows to whoever may read such records.
    emit(SAID, CategorySchema(category="TEST", schema_version=1), organisation_id=None, payload={"words": words})
    if fail:
        raise RuntimeError("never happened")


@contextmanager
def listening(name: str = "tests.listen", *, single: Handler | None = None, together: Any = None) -> Iterator[None]:
    """Have a handler of this test beside those of the register."""
    with rewired(handlers={**reactions().handlers, name: Handling(SAID, single, together)}):
        yield


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What a handler of this test was handed; the handler is gone afterwards."""
    words: list[str] = []

    def listen(event: Event) -> None:
        words.append(event.payload["words"])
        if event.payload["words"] == "trouble" and words.count("trouble") < 3:
            raise ValueError("not yet")
        if event.payload["words"] == "away" and words.count("away") < 20:
            raise worker.Wait("The outside system is away")

    with listening(single=listen):
        yield words


def deliveries() -> list[EventDelivery]:
    """All deliveries of this test's events."""
    with unit_of_work(Stamp("look", "test", SYSTEM), writes=False) as session:
        return list(session.scalars(select(EventDelivery).order_by(col(EventDelivery.id))))


def test_an_event_is_handed_over_once_it_is_committed_and_never_when_it_is_not(register: str, heard: list[str]) -> None:
    say(SYSTEM, "hello")
    with pytest.raises(RuntimeError):
        say(SYSTEM, "ghost", fail=True)
    worker.work_through()
    worker.work_through()
    assert heard == ["hello"]
    assert [event.payload["words"] for event in read_events(SYSTEM)] == ["hello"]


@pytest.mark.use_case("UC-05.01")
def test_who_follows_the_feed_misses_nothing_that_is_committed_out_of_order(register: str) -> None:
    slow_has_its_number, may_commit = threading.Event(), threading.Event()
    first: list[Event] = []

    def slow() -> None:
        with unit_of_work(Stamp("slow", "test", SYSTEM), writes=True):
            say(SYSTEM, "slow")
            slow_has_its_number.set()
            # SQLite has one writer at a time: there the quick one comes after.
            may_commit.wait(0.1 if is_sqlite() else 10)

    def follow() -> None:
        first.extend(read_events(SYSTEM))

    writing, following = threading.Thread(target=slow), threading.Thread(target=follow)
    writing.start()
    slow_has_its_number.wait()
    say(SYSTEM, "quick")
    following.start()
    following.join(0.5)
    may_commit.set()
    writing.join()
    following.join()
    rest = read_events(SYSTEM, first[-1].seq or 0) if first else read_events(SYSTEM)
    assert [event.payload["words"] for event in (*first, *rest)] == ["slow", "quick"]


def test_a_failing_handler_is_tried_again_later_and_later(register: str, heard: list[str]) -> None:
    say(SYSTEM, "trouble")
    start = now()
    worker.work_through()
    assert (heard, deliveries()[0].status) == (["trouble"], DeliveryStatus.WAITING)
    assert "not yet" in (deliveries()[0].last_error or "")
    with time_machine.travel(start + timedelta(seconds=60)):
        worker.work_through()
    with time_machine.travel(start + timedelta(seconds=180)):
        worker.work_through()
    assert (len(heard), deliveries()[0].status) == (3, DeliveryStatus.DONE)


def test_what_waits_for_an_outside_system_is_never_given_up(register: str, heard: list[str]) -> None:
    say(SYSTEM, "away")
    moment = now()
    for _ in range(20):
        moment += timedelta(minutes=20)
        with time_machine.travel(moment):
            worker.work_through()
    assert (len(heard), deliveries()[0].status) == (20, DeliveryStatus.DONE)


def test_several_workers_share_the_work_and_hand_nothing_over_twice(register: str, heard: list[str]) -> None:
    for number in range(60):
        say(SYSTEM, str(number))
    threads = [threading.Thread(target=worker.work_through) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard, key=int) == [str(number) for number in range(60)]


def test_a_worker_that_died_leaves_its_work_to_the_next(register: str, heard: list[str]) -> None:
    say(SYSTEM, "orphan")
    claimed = worker._claim()
    assert len(claimed) == 1
    worker.work_through()
    assert heard == []
    with time_machine.travel(now() + worker.LEASE + timedelta(seconds=1)):
        worker.work_through()
    assert heard == ["orphan"]


def test_a_periodic_job_runs_once_for_all_workers_until_it_is_due_again(register: str) -> None:
    ran: list[str] = []

    job = PeriodicJob(timedelta(minutes=10), lambda: ran.append("ran"))
    with rewired(jobs={"tests.job_of_this_test": job}):
        start = now()
        worker.run_due_jobs()
        worker.run_due_jobs()
        assert len(ran) == 1
        with time_machine.travel(start + timedelta(minutes=11)):
            worker.run_due_jobs()
        assert len(ran) == 2


def test_housekeeping_waits_while_the_portal_has_just_started(register: str) -> None:
    ran: list[str] = []

    jobs = {
        "tests.housekeeping": PeriodicJob(timedelta(hours=1), lambda: ran.append("housekeeping")),
        "tests.every_second": PeriodicJob(timedelta(seconds=1), lambda: ran.append("every second")),
    }
    with rewired(jobs=jobs):
        worker.run_due_jobs(housekeeping=False)
        assert ran == ["every second"]
        worker.run_due_jobs()
    assert ran[1:] == ["housekeeping"]


def test_a_periodic_job_without_work_is_not_claimed(register: str) -> None:
    ran: list[str] = []
    work: list[str] = []

    job = PeriodicJob(timedelta(seconds=1), lambda: ran.append("ran"), lambda: bool(work))
    with rewired(jobs={"tests.job_with_work": job}):
        assert worker.run_due_jobs() == 0
        work.append("work")
        assert worker.run_due_jobs() == 1
    assert ran == ["ran"]


def test_an_event_of_an_unknown_handler_waits_and_is_reported_until_a_process_has_it(
    register: str, heard: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    say(SYSTEM, "before the rename")
    handlers = dict(reactions().handlers)
    handlers["tests.listen_under_a_new_name"] = handlers.pop("tests.listen")
    with rewired(handlers=handlers):
        worker.work_through()
        say(SYSTEM, "after the rename")
        worker.work_through()
        assert heard == ["after the rename"]
        assert worker.unknown_handlers() == {"tests.listen": 1}
        assert [(due.status, due.attempts) for due in deliveries() if due.handler == "tests.listen"] == [
            (DeliveryStatus.WAITING, 0)
        ], "it is not even claimed, so it is never marked done and never given up"
        thread = worker.Worker(rest_seconds=0.05)
        thread.start()
        thread.stop()
        assert "1 deliveries wait for the handler tests.listen, which this version doesn't have" in caplog.text
    worker.work_through()
    assert heard == ["after the rename", "before the rename"]
    assert (worker.unknown_handlers(), {due.status for due in deliveries()}) == ({}, {DeliveryStatus.DONE})


def test_stored_names_of_handlers_and_periodic_jobs_stay_as_they_are() -> None:
    handlers = {
        "assets.checks.check_registered",
        "assets.checks.check_changed",
        "assets.checks.check_consented",
        "assets.checks.check_requested",
        "assets.checks.check_against_edition",
        "market.asset_hooks.count_marked",
        "market.asset_hooks.tell_units",
        "market.qualification_versions.tell_of_version",
        "participants.registry_check.check_registered",
        "participants.registry_check.check_changed",
        "participants.registry_check.check_restored",
        "participants.registry_check.check_requested",
    }
    jobs = {
        "assets.bulk.export_working.forget_old_exports",
        "assets.bulk.export_working.work_on_exports",
        "assets.bulk.working.forget_old_jobs",
        "assets.bulk.working.work_on_jobs",
        "assets.deadlines.keep_deadlines",
        "assets.recounting.reconcile",
        "assets.shared_meters.tell_withheld",
        "core.jobs.clock_watch.keep_trusted_moment",
        "core.jobs.worker.heartbeat",
        "core.upkeep.refresh_statistics",
        "governance.sealing.seal_regularly",
        "market.proposal_deciding.keep_catalogue",
        "market.qualification_expiry.keep_validities",
        "market.recounting.reconcile_market",
    }
    lost = (handlers - reactions().handlers.keys()) | (jobs - reactions().jobs.keys())
    assert lost == set(), "deliveries and due times of registers in use name these: a stored name stays"
    new = (reactions().handlers.keys() - handlers) | (reactions().jobs.keys() - jobs)
    assert new == set(), "add each to the names above: from now on it stays"


def test_the_thread_works_by_itself_and_stops_when_told(register: str, heard: list[str]) -> None:
    thread = worker.Worker(rest_seconds=0.05)
    thread.start()
    say(SYSTEM, "by itself")
    waited = threading.Event()
    for _ in range(100):
        if heard:
            break
        waited.wait(0.05)
    thread.stop()
    assert heard == ["by itself"]


@pytest.fixture
def runs() -> Iterator[list[list[str]]]:
    """What a handler of this test that takes events together was handed, run by run."""
    handed: list[list[str]] = []

    def listen_to_all(events: Sequence[Event]) -> Failures:
        words = [event.payload["words"] for event in events]
        handed.append(words)
        if "poison" in words:
            raise ValueError("one spoils it")
        return {event.id: worker.Wait("away") for event in events if event.payload["words"].startswith("away")}

    with listening("tests.listen_to_all", together=listen_to_all):
        yield handed


def outcomes() -> dict[str, str]:
    """What was said -> where its delivery stands; each is in one delivery."""
    with unit_of_work(Stamp("look", "test", SYSTEM), writes=False) as session:
        words = {event.seq: event.payload["words"] for event in session.scalars(select(Event))}
    stand = [(one, str(due.status)) for due in deliveries() for one in (due.event_seq, *due.further)]
    assert len(stand) == len(dict(stand))
    return {words[number]: status for number, status in stand}


def say_many(*words: str) -> None:
    """Events that are written together, as bulk paths do."""
    with unit_of_work(Stamp("say_many", "test", SYSTEM), writes=True):
        told = [
            {"record_id": new_id(), "organisation_id": None, "dno_code": None, "payload": {"words": one}}
            for one in words
        ]
        emit_many(SAID, Setting, as_columns(told))


def test_events_are_handed_over_together_and_each_fares_as_the_handler_says(
    register: str, runs: list[list[str]]
) -> None:
    for words in ("one", "away", "two"):
        say(SYSTEM, words)
    assert worker.deliver_due() == 3
    assert runs == [["one", "away", "two"]]
    assert outcomes() == {"one": "DONE", "away": "WAITING", "two": "DONE"}


def test_one_event_that_spoils_a_run_does_not_hold_up_the_others(register: str, runs: list[list[str]]) -> None:
    for words in ("one", "poison", "two"):
        say(SYSTEM, words)
    worker.deliver_due()
    assert runs == [["one", "poison", "two"], ["one"], ["poison"], ["two"]]
    assert outcomes() == {"one": "DONE", "poison": "WAITING", "two": "DONE"}


def test_what_one_person_has_just_done_does_not_wait_behind_a_portfolio(register: str, runs: list[list[str]]) -> None:
    with unit_of_work(Stamp("portfolio", "test", SYSTEM), writes=True):
        for number in range(3 * worker.TOGETHER):
            say(SYSTEM, f"asset {number}")
    say(SYSTEM, "a person")
    worker.deliver_due()
    assert "asset 0" in runs[0], "what has waited longest goes on"
    assert "a person" in runs[0]


def test_events_that_are_written_together_have_one_delivery_as_far_as_they_are_handed_over_together(
    register: str, runs: list[list[str]]
) -> None:
    words = [f"asset {number}" for number in range(2 * worker.TOGETHER + 5)]
    say_many(*words)
    assert len(deliveries()) == 3
    worker.work_through()
    assert [len(run) for run in runs] == [worker.TOGETHER + 5, worker.TOGETHER], "the few newest, and who waits longest"
    assert sorted(one for run in runs for one in run) == sorted(words)
    assert set(outcomes().values()) == {"DONE"}


def test_one_of_them_that_fails_goes_on_alone(register: str, runs: list[list[str]]) -> None:
    say_many("away 1", "one", "two", "away 2")
    worker.deliver_due()
    assert outcomes() == {"away 1": "WAITING", "one": "DONE", "two": "DONE", "away 2": "WAITING"}
    assert [len(due.further) for due in deliveries()] == [1, 0, 0]
    assert all("away" in (due.last_error or "") for due in deliveries() if due.status is DeliveryStatus.WAITING)
    with time_machine.travel(now() + timedelta(seconds=60)):
        worker.deliver_due()
    assert runs[1:] == [["away 1", "away 2"]]
    assert {due.attempts for due in deliveries() if due.status is DeliveryStatus.WAITING} == {2}


def test_all_of_them_that_fail_go_on_one_by_one(register: str, runs: list[list[str]]) -> None:
    say_many("away 1", "poison", "away 2")
    worker.deliver_due()
    assert runs == [["away 1", "poison", "away 2"], ["away 1"], ["poison"], ["away 2"]]
    assert set(outcomes().values()) == {"WAITING"}
    assert [due.further for due in deliveries()] == [[], [], []]
    moment = now()
    for _ in range(worker.MAX_ATTEMPTS):
        moment += timedelta(minutes=20)
        with time_machine.travel(moment):
            worker.work_through()
    assert outcomes() == {"away 1": "WAITING", "poison": "GIVEN_UP", "away 2": "WAITING"}


def test_a_handler_of_single_events_has_a_delivery_for_each(register: str, heard: list[str]) -> None:
    say_many("one", "two", "three")
    assert [due.further for due in deliveries()] == [[], [], []]
    worker.work_through()
    assert heard == ["one", "two", "three"]


def test_a_run_whose_handler_takes_single_events_by_now_is_handed_over_one_by_one(
    register: str, runs: list[list[str]]
) -> None:
    say_many("one", "two")
    heard: list[str] = []
    with listening("tests.listen_to_all", single=lambda event: heard.append(event.payload["words"])):
        worker.work_through()
    assert (heard, outcomes()) == (["one", "two"], {"one": "DONE", "two": "DONE"})


def test_what_one_person_has_just_done_does_not_wait_behind_runs(register: str, runs: list[list[str]]) -> None:
    say_many(*(f"asset {number}" for number in range(3 * worker.TOGETHER)))
    say(SYSTEM, "a person")
    worker.deliver_due()
    assert runs[0][0] == "asset 0", "what has waited longest goes on"
    assert (len(runs[0]), runs[0][-1]) == (worker.TOGETHER + 1, "a person")


def test_an_older_version_of_the_register_finds_a_delivery_for_each_event(register: str, runs: list[list[str]]) -> None:
    words = [f"asset {number}" for number in range(worker.TOGETHER + 5)]
    say_many(*words)
    with engine(writes=True).connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0008")
        assert connection.scalar(text("SELECT count(DISTINCT event_seq) FROM event_delivery")) == len(words)
        command.upgrade(config, "head")
        connection.commit()
    worker.work_through()
    assert sorted(one for run in runs for one in run) == sorted(words)
