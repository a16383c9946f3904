"""UC-02.01: once an organisation's look-ups are used up, no door tells what is registered elsewhere."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine

from models.bulk import JobStatus
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.jobs import get_job
from services.assets.registration.lookup import LookupOutcome, look_up
from services.assets.registration.register import check_registration, register_asset
from services.assets.registration.shared_meters import tell_withheld
from services.assets.registration.update import change_preview, update_asset
from services.core.clock import now
from services.core.errors import Duplicate, Invalid, TooManyRequests
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import read_events
from services.core.register_settings import change_setting
from tests.asset_factories import an_mpan, battery, make_actor, make_organisation, make_provider, registered
from tests.bulk_files import csv_of, send
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")
WHY = {"MPAN-09": "One meter feeds both halves of the site."}


@pytest.fixture
def kelvin(register: str) -> Iterator[Actor]:
    """The other provider, whose assets are probed for."""
    with time_machine.travel(now().replace(minute=5), tick=False):
        yield make_provider("Kelvin")


def set_limit(limit: int) -> None:
    change_setting(system_actor(), "asset.lookups_per_hour", str(limit), 0)


def use_up(actor: Actor, limit: int) -> None:
    """Ask as often as the limit allows, for what nobody has."""
    set_limit(limit)
    for _ in range(limit):
        look_up(actor, mpan=an_mpan())


def outcome_of(act: Callable[[], Any]) -> tuple[str, str]:
    """Kind and words of an answer, or of a refusal."""
    try:
        answer = act()
    except (TooManyRequests, Duplicate, Invalid) as refused:
        return type(refused).__name__, refused.message
    return "answered", str([(found.code, found.message) for found in answer] if isinstance(answer, list) else "")


def probes(kelvin: Actor, number: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Values that meet an asset of another provider, beside values that meet none: by meter, device, alias and code."""
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for each in range(number):
        theirs = registered(kelvin, Aliases=f"ECR:K-{each}", FriendlyCode=f"K-{each}")
        device = {"SerialNumber": theirs.serial_number, "Manufacturer": theirs.manufacturer}
        pairs += [
            ({"ImportMPAN": theirs.import_mpan}, {"ImportMPAN": an_mpan()}),
            (device, {"SerialNumber": f"FREE-{each}"}),
            ({"Aliases": f"ECR:K-{each}"}, {"Aliases": f"ECR:FREE-{each}"}),
            (
                {"ServiceProviderId": str(kelvin.organisation_id), "FriendlyCode": f"K-{each}"},
                {"ServiceProviderId": str(kelvin.organisation_id), "FriendlyCode": f"FREE-{each}"},
            ),
            (
                {"ServiceProviderId": str(kelvin.organisation_id), "ImportMPAN": theirs.import_mpan},
                {"ServiceProviderId": str(kelvin.organisation_id), "ImportMPAN": an_mpan()},
            ),
        ]
    return pairs


@pytest.mark.both_engines
def test_two_hundred_probes_after_the_limit_tell_nothing(kelvin: Actor) -> None:
    actor = make_provider()
    own = registered(actor)
    pairs = probes(kelvin, 20)
    use_up(actor, 3)
    for place, (hit, miss) in enumerate(pairs):
        checks = [
            outcome_of(lambda values=values: check_registration(actor, battery(**values))) for values in (hit, miss)
        ]
        assert checks[0] == checks[1]
        assert "LOOKUP-02" in checks[0][1]
        if place >= 10:
            continue
        refusals = [
            outcome_of(lambda values=values: register_asset(actor, battery(**values))) for values in (hit, miss)
        ]
        assert refusals[0] == refusals[1]
        assert refusals[0][0] in ("TooManyRequests", "Invalid")
        if "ServiceProviderId" not in hit:
            changes = [
                outcome_of(lambda values=values: change_preview(actor, own.id, values).findings)
                for values in (hit, miss)
            ]
            assert changes[0] == changes[1]
            updates = [
                outcome_of(lambda values=values: update_asset(actor, own.id, values, own.version))
                for values in (hit, miss)
            ]
            assert updates[0] == updates[1]
            assert updates[0][0] == "TooManyRequests"
    with time_machine.travel(now() + timedelta(minutes=61), tick=False):
        assert [found.code for found in check_registration(actor, battery(**pairs[0][0]))] == ["MPAN-09"]


def test_a_change_that_names_no_new_identifier_needs_no_look_up(kelvin: Actor) -> None:
    actor = make_provider()
    own = registered(actor)
    use_up(actor, 1)
    assert change_preview(actor, own.id, {"AssetName": "Weir"}).findings == []
    assert update_asset(actor, own.id, {"AssetName": "Weir"}, own.version).asset_name == "Weir"


def test_naming_another_provider_counts_as_a_look_up(kelvin: Actor) -> None:
    theirs = registered(kelvin, FriendlyCode="K-1")
    actor = make_provider()
    set_limit(1)
    named = {"ServiceProviderId": str(kelvin.organisation_id)}
    first = check_registration(actor, battery(**named, ImportMPAN=theirs.import_mpan))
    assert "DUP-02" in [found.code for found in first]
    codes = [found.code for found in check_registration(actor, battery(**named, FriendlyCode="K-1"))]
    assert "NAME-05" not in codes


def test_an_own_alias_beside_a_probed_one_does_not_hide_the_probe(kelvin: Actor) -> None:
    registered(kelvin, Aliases="ECR:K-1")
    actor = make_provider()
    registered(actor, Aliases="ECR:OWN-1")
    use_up(actor, 1)
    answers = [
        [(found.code, found.given) for found in check_registration(actor, battery(Aliases=f"ECR:OWN-1;ECR:{alias}"))]
        for alias in ("K-1", "FREE-1")
    ]
    assert answers[0] == answers[1]


def test_what_one_colleague_uses_up_is_used_up_for_all(kelvin: Actor) -> None:
    theirs = [registered(kelvin) for _ in range(3)]
    organisation = make_organisation()
    first, second = make_actor(organisation), make_actor(organisation)
    set_limit(2)
    assert look_up(first, mpan=theirs[0].import_mpan).outcome is LookupOutcome.OTHER_PROVIDER
    assert [one.code for one in check_registration(second, battery(ImportMPAN=theirs[1].import_mpan))] == ["MPAN-09"]
    for actor in (first, second):
        with pytest.raises(TooManyRequests):
            look_up(actor, mpan=theirs[2].import_mpan)
        assert [one.code for one in check_registration(actor, battery(ImportMPAN=theirs[2].import_mpan))] == [
            "LOOKUP-02"
        ]


@pytest.mark.both_engines
def test_questions_at_the_same_time_keep_to_the_limit(register: str) -> None:
    other, organisation = make_provider("Kelvin"), make_organisation()
    theirs = [registered(other) for _ in range(12)]
    actors = [make_actor(organisation) for _ in range(4)]
    set_limit(5)
    barrier, answers = Barrier(4), list[str]()

    def ask(number: int) -> None:
        barrier.wait()
        for asset in theirs[number * 3 : number * 3 + 3]:
            device = {"SerialNumber": asset.serial_number, "Manufacturer": asset.manufacturer}
            ask_door = check_registration if number % 2 else register_asset
            answers.append("".join(outcome_of(partial(ask_door, actors[number], battery(**device)))))

    threads = [Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert len([answer for answer in answers if "DUP-01" in answer or answer.startswith("Duplicate")]) == 5


def rows_of(kelvin: Actor, number: int) -> list[dict[str, Any]]:
    """Rows of which every other one is on a meter of another provider's asset; none names a device."""
    rows: list[dict[str, Any]] = []
    for each in range(number):
        mpan = registered(kelvin).import_mpan if each % 2 else an_mpan()
        rows.append(battery(ImportMPAN=mpan, SerialNumber=None, Manufacturer=None))
    return rows


@pytest.mark.both_engines
def test_a_dry_run_tells_no_more_than_half_of_the_look_ups(kelvin: Actor) -> None:
    actor, rows = make_fsp(), rows_of(kelvin, 20)
    set_limit(6)
    job = send(actor, csv_of(rows), dry_run=True)
    assert (job.summary["MPAN-09"]["rows"], job.rows_refused) == (3, 3)
    assert (job.summary["LOOKUP-02"]["rows"], job.summary["LOOKUP-02"]["severity"]) == (14, "notice")
    again = send(actor, csv_of(rows[::-1]), dry_run=True)
    assert "MPAN-09" not in again.summary
    assert again.summary["LOOKUP-02"]["rows"] == 20
    assert again.rows_registered == 20
    kinds = [event.type for event in read_events(kelvin)]
    assert kinds.count("asset.looked_up") == 3


def test_an_honest_portfolio_is_registered_whole_and_told_in_time(kelvin: Actor) -> None:
    actor, rows = make_fsp(), rows_of(kelvin, 20)
    set_limit(6)
    job = send(actor, csv_of(rows), justifications=WHY)
    assert (job.rows_registered, job.rows_refused) == (20, 0)

    def shared(who: Actor) -> int:
        return sum(event.type == "asset.mpan_shared" for event in read_events(who, limit=1000))

    assert (shared(kelvin), shared(actor)) == (10, 3)
    tell_withheld()
    assert shared(actor) == 3
    for hours, number in ((1, 6), (2, 9), (3, 10), (4, 10)):
        with time_machine.travel(now() + timedelta(hours=hours, minutes=1), tick=False):
            tell_withheld()
            assert shared(actor) == number


def test_rows_that_name_devices_wait_for_the_next_hour(kelvin: Actor) -> None:
    theirs = registered(kelvin)
    actor = make_fsp()
    use_up(actor, 2)
    device = {"SerialNumber": theirs.serial_number, "Manufacturer": theirs.manufacturer}
    waiting = send(actor, csv_of([battery(), battery(**device)]))
    assert (waiting.status, waiting.rows_done) == (JobStatus.RUNNING, 0)
    assert "used up" in str(waiting.reason)
    with time_machine.travel(now() + timedelta(minutes=61), tick=False):
        work_through_jobs()
        done = get_job(actor, waiting.id)
        assert (done.status, done.rows_registered, list(done.summary)) == (JobStatus.COMPLETED, 1, ["DUP-01"])


def test_changes_by_file_keep_to_the_limit(kelvin: Actor) -> None:
    theirs = [registered(kelvin) for _ in range(4)]
    actor = make_fsp()
    own = [registered(actor) for _ in range(8)]
    rows = [
        {"AssetId": str(asset.id), "ImportMPAN": theirs[place // 2].import_mpan if place % 2 else an_mpan()}
        for place, asset in enumerate(own)
    ]
    set_limit(2)
    job = send(actor, csv_of(rows), dry_run=True)
    assert (job.summary["MPAN-09"]["rows"], job.summary["LOOKUP-02"]["rows"]) == (1, 6)
    again = send(actor, csv_of(rows[2:]), dry_run=True)
    assert list(again.summary) == ["LOOKUP-02"]
    assert again.rows_updated == 6


def test_a_file_that_was_sent_before_takes_no_look_ups(kelvin: Actor) -> None:
    actor, rows = make_fsp(), rows_of(kelvin, 6)
    for row in rows:
        row |= {"SerialNumber": f"S-{row['ImportMPAN']}", "Manufacturer": "Ampere Devices"}
    assert send(actor, csv_of(rows), justifications=WHY).rows_registered == 6
    set_limit(3)
    again = send(actor, csv_of(rows), justifications=WHY)
    assert (again.rows_unchanged, again.rows_refused) == (6, 0)
