"""What the owner of a bulk job is told, what a first look says of a file, and how long either is kept (UC-02.01, bulk)."""

from datetime import timedelta

import pytest
import time_machine

from models.assets import Asset
from models.bulk import BulkChunk, BulkDraft, BulkJob
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.drafts import job_drafts, register_bulk_draft
from services.assets.bulk.upload.jobs import cancel_job, confirm_job, submit_file
from services.assets.bulk.upload.notifications import ended_jobs, kept_until, note_seen, worker_seen
from services.assets.bulk.upload.preview import look_at_file
from services.core.clock import in_london, now
from services.core.errors import Invalid, NotFound
from services.core.jobs.clock_watch import confirm_clock
from services.core.jobs.worker import run_due_jobs
from services.core.register_settings import change_setting
from services.governance.accesses import list_accesses
from services.governance.recent import recent_changes
from services.governance.waiting import what_waits
from tests.asset_factories import an_mpan, battery
from tests.bulk_files import assets, counts, csv_of, frame_of, how_many, send
from tests.factories import administrator, client_actor, make_actor, make_client, make_fsp, make_organisation

pytestmark = [pytest.mark.use_case("UC-02.01"), pytest.mark.usefixtures("one_register")]


def test_the_owner_is_told_that_a_job_has_ended_until_they_have_looked() -> None:
    body = make_organisation()
    actor, colleague, rival = make_actor(body), make_actor(body), make_fsp()
    job = submit_file(actor, csv_of([battery()]), "depot.csv")
    assert ended_jobs(actor) == [], "it is under way"
    work_through_jobs()
    assert [(one.id, one.rows_registered) for one in what_waits(actor).ended] == [(job.id, 1)]
    assert [list(what_waits(other).ended) for other in (colleague, rival)] == [[], []]
    note_seen(actor, job.id)
    assert ended_jobs(actor) == []
    confirm_job(actor, job.id)
    work_through_jobs()
    assert [one.dry_run for one in ended_jobs(actor)] == [False], "confirmed, it ends a second time"
    note_seen(colleague, job.id)
    assert len(ended_jobs(actor)) == 1, "a colleague's look is not the owner's"
    with pytest.raises(NotFound):
        note_seen(rival, job.id)
    opened = [one for one in list_accesses(administrator(), kind="job.read") if one.record_id == job.id]
    assert [one.detail["file_name"] for one in opened] == ["depot.csv"] * 2


def test_a_cancelled_job_is_told_of_too_and_one_of_a_program_is_not() -> None:
    body = make_organisation()
    actor = make_actor(body)
    program = client_actor(make_client(body)[0])
    send(program, csv_of([battery()]))
    assert ended_jobs(actor) == []
    assert ended_jobs(program) == []
    job = submit_file(actor, csv_of([battery()]), "a.csv")
    cancel_job(make_actor(body), job.id)
    assert [one.id for one in ended_jobs(actor)] == [job.id]


def test_recent_changes_name_the_file_and_what_came_of_it_and_tell_both_of_a_shared_meter() -> None:
    actor, rival = make_fsp(), make_fsp()
    theirs = battery()
    send(rival, csv_of([theirs]))
    rows = [battery(ImportMPAN=theirs["ImportMPAN"]), battery(AssetName="Bad!")]
    send(actor, csv_of(rows), "depot.csv", justifications={"MPAN-09": "One meter feeds both halves of the site."})
    said = {(one.name, one.what) for one in recent_changes(actor)}
    assert ("depot.csv", "Registered 1, changed 0 and refused 1") in said
    shared = "Its meter is registered by another provider, too"
    assert (rows[0]["AssetName"], shared) in said
    assert (theirs["AssetName"], shared) in {(one.name, one.what) for one in recent_changes(rival)}


def test_the_worker_is_seen_while_it_looks_after_jobs() -> None:
    actor = make_fsp()
    assert worker_seen(actor) is None
    run_due_jobs()
    seen = worker_seen(actor)
    assert seen is not None
    assert abs(now() - seen) < timedelta(seconds=30)


def test_a_file_of_unknown_headings_can_be_mapped_by_hand() -> None:
    actor = make_fsp()
    row = battery()
    data = frame_of([row]).rename({name: f"X {place}" for place, name in enumerate(row)}).write_csv().encode()
    look = look_at_file(actor, data, "ours.csv")
    assert (look.columns, look.unknown) == ({}, [f"X {place}" for place in range(len(row))])
    assert look.samples["X 0"] == row["AssetName"][:24]
    assert "AssetName" in look.lacking
    said = {f"X {place}": name for place, name in enumerate(row)}
    assert counts(send(actor, data, columns=said)) == {"registered": 1}
    again = look_at_file(actor, data, "ours.csv")
    assert (again.unknown, again.lacking) == ([], []), "what was said once is known"
    assert again.sent_as is not None
    assert look_at_file(make_fsp(), data, "ours.csv").sent_as is None


def test_a_column_that_claims_what_another_holds_is_asked_for_and_one_left_out_stays_in_reach() -> None:
    actor = make_fsp()
    send(
        actor,
        frame_of([battery()]).rename({"SerialNumber": "Plate"}).write_csv().encode(),
        columns={"Plate": "SerialNumber"},
    )
    data = csv_of([battery(Plate="Other")])
    look = look_at_file(actor, data, "a.csv")
    assert look.unknown == ["Plate"]
    with pytest.raises(Invalid):
        submit_file(actor, data, "a.csv")
    assert counts(send(actor, data, columns={"Plate": None})) == {"registered": 1}
    look = look_at_file(actor, data, "a.csv")
    assert (look.unknown, look.left_out) == ([], ["Plate"])
    with pytest.raises(Invalid):
        look_at_file(actor, csv_of([battery(**{"Asset name": "Other"})]), "a.csv")


def test_a_draft_is_completed_with_what_was_missing_and_stays_where_a_rule_refuses() -> None:
    actor = make_fsp()
    job = send(actor, csv_of([battery(ImportMPAN=None), battery(ImportMPAN=None)]), keep_drafts=True)
    assert counts(job) == {"draft": 2}
    first, second = job_drafts(actor, job.id)
    assert [lack["code"] for lack in first.lacks] == ["MPAN-07"]
    with pytest.raises(Invalid) as refusal:
        register_bulk_draft(actor, first.id, {"ImportMPAN": "1099900000016"})
    assert [found.code for found in refusal.value.findings] == ["MPAN-02"]
    assert len(job_drafts(actor, job.id)) == 2
    made = register_bulk_draft(actor, first.id, {"ImportMPAN": an_mpan()})
    assert [one.id for one in job_drafts(actor, job.id)] == [second.id]
    assert [one.id for one in assets()] == [made.id]


def test_the_worker_removes_jobs_with_their_files_when_their_days_are_over() -> None:
    actor, operator = make_fsp(), administrator()
    job = send(actor, csv_of([battery(), battery(ImportMPAN=None)]), keep_drafts=True)
    waiting = submit_file(actor, csv_of([battery()]), "waits.csv")
    assert kept_until(actor, waiting.id) is None
    assert kept_until(actor, job.id) == in_london(now() + timedelta(days=90)).date()
    cancel_job(actor, waiting.id)
    change_setting(operator, "bulk.keep_days", "30", 0)
    with time_machine.travel(now() + timedelta(days=29), tick=True):
        confirm_clock(operator)
        run_due_jobs()
        assert how_many(BulkJob) == 2
    with time_machine.travel(now() + timedelta(days=31), tick=True):
        confirm_clock(operator)
        run_due_jobs()
    assert [how_many(model) for model in (BulkJob, BulkChunk, BulkDraft, Asset)] == [0, 0, 0, 1]
