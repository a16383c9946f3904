"""Uploading a portfolio as people do it: choose, try, read what was found, confirm, complete (UC-02.01, UC-02.03)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from services.assets.bulk.pipeline.worker import UPLOADS, work_for, work_through_jobs
from services.assets.bulk.upload.jobs import Wishes, list_jobs, submit_file
from services.assets.registration.register import register_asset
from services.core.clock import now
from services.core.jobs.worker import run_due_jobs
from tests.asset_factories import battery
from tests.bulk_files import assets, csv_of, frame_of
from tests.data.bulk.make import nasty
from tests.pages import portal
from tests.pages.asset_portal import open_page, plain_text, press, quiet, somebody

pytestmark = pytest.mark.usefixtures("one_register")
TRY, WHY = "Check file", "The operator has confirmed that the meter is shared."


def _chosen(at: AppTest, data: bytes, name: str = "depot.csv") -> AppTest:
    at.file_uploader(key="upload-file").set_value((name, data, "text/csv"))
    return quiet(at.run())


def _job(at: AppTest) -> Any:
    work_through_jobs()
    return quiet(at.run())


def _home() -> AppTest:
    return portal.open_page("northgate")


def _metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


@pytest.mark.use_case("UC-02.01")
def test_a_file_of_another_kind_is_refused_in_words() -> None:
    somebody("northgate")
    at = _chosen(open_page("northgate", "upload"), nasty("zipped.zip"), "portfolio.zip")
    assert "Unpack it and send the file inside" in plain_text(at)
    assert TRY not in [button.label for button in at.button]


@pytest.mark.use_case("UC-02.01")
def test_a_file_is_tried_then_registered() -> None:
    actor = somebody("northgate")
    at = _chosen(open_page("northgate", "upload"), csv_of([battery(), battery(), battery(AssetName="Bad!")]))
    assert "3 rows" in plain_text(at)
    press(at, TRY)
    assert "You can leave this page" in plain_text(at)
    at = _job(at)
    assert _metrics(at)["New"] == "2"
    assert _metrics(at)["Refused"] == "1"
    assert any("has a character that isn't allowed" in one.label for one in at.expander)
    assert assets() == []
    at = _job(press(at, "Register"))
    assert (_metrics(at)["Registered"], len(assets())) == ("2", 2)
    assert assets()[0].recorded_by == actor.user_id


@pytest.mark.use_case("UC-02.01")
def test_what_the_file_does_not_tell_is_said_for_it() -> None:
    actor = somebody("northgate")
    rows = [{term: text for term, text in battery().items() if term != "EffectiveDate"}]
    data = frame_of(rows).rename({"SerialNumber": "Plate"}).write_csv().encode()
    at = _chosen(open_page("northgate", "upload"), data)
    at.selectbox(key="upload-column/Plate").set_value("SerialNumber")
    at.text_input(key="upload-effective").set_value("01/01/2031")
    press(quiet(at.run()), TRY)
    at = _job(press(_job(at), "Register"))
    assert _metrics(at)["Registered"] == "1"
    made = assets()[0]
    assert (made.serial_number, made.effective_date.year) == (rows[0]["SerialNumber"], 2031)
    assert list_jobs(actor)[0].unknown == []


@pytest.mark.use_case("UC-02.01")
def test_which_part_of_the_dates_is_the_day_is_asked_once() -> None:
    somebody("northgate")
    data = csv_of([battery(CommissioningDate="05/06/2025"), battery(CommissioningDate="06/07/2025")])
    at = _chosen(open_page("northgate", "upload"), data)
    assert "2 dates could be two days, such as 05/06/2025" in plain_text(at)
    press(at, TRY)
    assert "Say which part of the dates is the day" in plain_text(at)
    at.segmented_control(key="upload-date-order").set_value("month")
    assert "05/06/2025 is read as 6 May 2025." in plain_text(quiet(at.run()))
    at = _job(press(_job(press(at, TRY)), "Register"))
    assert [asset.commissioning_date.isoformat() for asset in assets() if asset.commissioning_date] == [
        "2025-05-06",
        "2025-06-07",
    ]
    again = _chosen(open_page("northgate", "upload"), csv_of([battery(CommissioningDate="05/06/2025")]))
    assert again.segmented_control(key="upload-date-order").value == "month"


@pytest.mark.use_case("UC-02.01")
def test_warnings_go_through_with_one_justification() -> None:
    rival = somebody("kelvin")
    somebody("northgate")
    theirs = register_asset(rival, battery())
    at = _chosen(open_page("northgate", "upload"), csv_of([battery(ImportMPAN=theirs.import_mpan)]))
    at = _job(press(at, TRY))
    assert next(button for button in at.button if button.label == "Register").disabled
    at.text_area[0].set_value("Shared.")
    assert "Say a little more" in plain_text(quiet(at.run()))
    assert at.text_area[0].label == "Why is it right (MPAN-09, 1 row)?"
    at.text_area[0].set_value(WHY)
    at = _job(press(quiet(at.run()), "Register"))
    assert _metrics(at)["Registered"] == "1"
    assert assets()[1].justifications[0]["text"] == WHY


@pytest.mark.use_case("UC-02.01")
def test_drafts_wait_to_be_completed_and_a_job_can_be_removed() -> None:
    actor = somebody("northgate")
    job = submit_file(actor, csv_of([battery(ImportMPAN=None)]), "a.csv", Wishes(dry_run=False, keep_drafts=True))
    work_through_jobs()
    at = open_page("northgate", "upload", job=str(job.id))
    assert "Drafts to complete" in plain_text(at)
    assert "1 of 1 wait." in plain_text(at)
    press(at, "Register what I completed")
    assert "Fill in a value first." in plain_text(at)
    press(at, "Remove it")
    assert list_jobs(actor) == []


def test_a_file_that_cannot_be_used_says_why_and_jobs_of_others_stay_unseen() -> None:
    rival = somebody("kelvin")
    somebody("northgate")
    at = _chosen(open_page("northgate", "upload"), b"Apples,Pears\n1,2\n")
    assert "no column of the file is headed by an attribute" in plain_text(at)
    press(at, TRY)
    assert "Use the template, or say what the columns hold." in plain_text(at)
    job = submit_file(rival, csv_of([battery()]), "secret.csv")
    seen = plain_text(open_page("northgate", "upload", job=str(job.id)))
    assert "isn't among your organisation's" in seen
    assert "secret.csv" not in seen


def test_files_handed_in_are_listed_and_a_job_under_way_can_be_cancelled() -> None:
    actor = somebody("northgate")
    job = submit_file(actor, csv_of([battery()]), "depot [7].csv")
    at = open_page("northgate", "upload")
    assert any("depot" in one.proto.label for one in at.get("page_link"))
    at = press(open_page("northgate", "upload", job=str(job.id)), "Cancel")
    assert list_jobs(actor)[0].status == "Cancelled"
    assert "Cancelled by Northgate Person." in plain_text(at)
    assert "No row of the file was reached: nothing is registered." in plain_text(at)


@pytest.mark.use_case("UC-02.01")
def test_from_a_job_one_goes_on_to_another_file_and_the_address_follows() -> None:
    job = submit_file(somebody("northgate"), csv_of([battery()]), "depot.csv")
    at = press(open_page("northgate", "upload", job=str(job.id)), "Another file")
    assert "job" not in at.query_params
    assert at.get("file_uploader")
    at.run()
    assert at.get("file_uploader"), "the next run doesn't go back to the job"


@pytest.mark.use_case("UC-02.01")
def test_a_dry_run_that_is_cancelled_half_way_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", 2)
    actor = somebody("northgate")
    job = submit_file(actor, csv_of([battery() for _ in range(6)]), "half.csv")
    assert work_for(0)
    at = press(open_page("northgate", "upload", job=str(job.id)), "Cancel")
    words = plain_text(at)
    assert "It was a dry run: nothing was registered. The first 2 of 6 rows were judged." in words
    assert (_metrics(at)["New"], _metrics(at)["Not reached"]) == ("2", "4")
    assert "Nothing to correct in the rows that were reached." in words


@pytest.mark.use_case("UC-02.01")
def test_home_tells_the_owner_that_a_job_has_ended_until_its_page_was_opened() -> None:
    actor = somebody("northgate")
    job = submit_file(actor, csv_of([battery(), battery(AssetName="Bad!")]), "depot [7].csv", Wishes(dry_run=False))
    work_through_jobs()
    told = [one.proto for one in _home().get("page_link") if "is through: 1 registered, 1 refused" in one.proto.label]
    assert [one.query_string for one in told] == [f"job={job.id}"]
    seen = open_page("northgate", "upload", job=str(job.id))
    assert "Done. Authenticity checks of what is new are under way." in plain_text(seen)
    assert not [one for one in _home().get("page_link") if "is through" in one.proto.label]


@pytest.mark.use_case("UC-02.01")
def test_the_end_of_a_job_is_told_on_whichever_page_its_owner_is_by_then() -> None:
    somebody("northgate")
    at = press(_chosen(open_page("northgate", "upload"), csv_of([battery()])), TRY)
    at.switch_page("pages/assets/drafts.py")
    at.query_params.clear()
    at = quiet(at.run())
    assert not at.toast
    at = _job(at)
    assert [one.value.replace("\\", "") for one in at.toast] == [
        "**depot.csv** was checked: 1 new; nothing is registered yet. Home leads to it."
    ]
    assert not quiet(at.run()).toast


@pytest.mark.use_case("UC-02.01")
def test_rows_that_only_lack_something_can_still_become_drafts_when_a_file_is_registered() -> None:
    somebody("northgate")
    at = _job(press(_chosen(open_page("northgate", "upload"), csv_of([battery(), battery(ImportMPAN=None)])), TRY))
    assert (_metrics(at)["Refused"], _metrics(at)["Drafts"]) == ("1", "0")
    at.toggle[0].set_value(True)
    at = _job(press(quiet(at.run()), "Register"))
    assert (_metrics(at)["Registered"], _metrics(at)["Drafts"]) == ("1", "1")
    assert "1 of 1 wait." in plain_text(at)


@pytest.mark.use_case("UC-02.04")
def test_a_file_sent_again_changes_nothing_and_says_so() -> None:
    actor = somebody("northgate")
    data = csv_of([battery(), battery()])
    at = _job(press(_job(press(_chosen(open_page("northgate", "upload"), data), TRY)), "Register"))
    assert _metrics(at)["Registered"] == "2"
    at = _chosen(open_page("northgate", "upload"), data)
    assert any("handed in this very file before" in one.proto.label for one in at.get("page_link"))
    at = _job(press(at, TRY))
    assert (_metrics(at)["New"], _metrics(at)["To change"], _metrics(at)["Unchanged"]) == ("0", "0", "2")
    assert "there is nothing to do" in plain_text(at)
    assert not [button for button in at.button if button.label == "Register"]
    assert len(list_jobs(actor)) == 2


def test_a_job_that_failed_or_that_nobody_works_on_says_what_to_do() -> None:
    actor = somebody("northgate")
    job = submit_file(actor, csv_of([battery()]), "a.csv")
    assert "worker hasn't looked after files" in plain_text(open_page("northgate", "upload", job=str(job.id)))
    run_due_jobs()
    later = submit_file(actor, csv_of([battery()]), "b.csv")
    assert "worker hasn't" not in plain_text(open_page("northgate", "upload", job=str(later.id)))
    with time_machine.travel(now() + timedelta(minutes=4), tick=True):
        assert "worker hasn't looked after files since" in plain_text(
            open_page("northgate", "upload", job=str(later.id))
        )
    taken = UPLOADS.claim()
    assert taken is not None
    UPLOADS.fail(taken.job_id, taken.lease, "Your access has ended.")
    words = plain_text(open_page("northgate", "upload", job=str(taken.job_id)))
    assert "Your access has ended." in words
    assert "No row of the file was reached: nothing is registered. Send the same file again" in words


def test_a_job_under_way_says_where_it_stands_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", 1)
    actor = somebody("northgate")
    job = submit_file(actor, csv_of([battery(), battery()]), "a.csv")
    at = open_page("northgate", "upload", job=str(job.id))
    assert "Queued" in plain_text(at)
    work_for(0)
    running = plain_text(at.run())
    assert "Queued" not in running
    assert "Running" in running
    assert "1 of 2 rows" in str([one.proto.text for one in at.get("progress")])
