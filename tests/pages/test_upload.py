"""Uploading a portfolio as people do it: choose, try, read what was found, confirm, complete (UC-02.01, UC-02.03)."""

from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from services.assets.bulk.jobs import Wishes, list_jobs, submit_file
from services.assets.bulk.working import work_through_jobs
from services.assets.registration import register_asset
from tests.asset_factories import battery
from tests.bulk_files import assets, csv_of, frame_of
from tests.pages.asset_portal import open_page, plain_text, press, quiet, somebody

pytestmark = pytest.mark.usefixtures("sqlite_register")
TRY, WHY = "Try it: nothing is registered yet", "The operator has confirmed that the meter is shared."


def _chosen(at: AppTest, data: bytes, name: str = "depot.csv") -> AppTest:
    at.file_uploader(key="upload-file").set_value((name, data, "text/csv"))
    return quiet(at.run())


def _job(at: AppTest) -> Any:
    work_through_jobs()
    return quiet(at.run())


def _metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


@pytest.mark.use_case("UC-02.01")
def test_a_file_is_tried_then_registered() -> None:
    actor = somebody("northgate")
    at = _chosen(open_page("northgate", "upload"), csv_of([battery(), battery(), battery(AssetName="Bad!")]))
    assert "3 rows" in plain_text(at)
    press(at, TRY)
    assert "You can leave this page" in plain_text(at)
    at = _job(at)
    assert _metrics(at)["New, would be registered"] == "2"
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
    at.date_input(key="upload-effective").set_value(date(2031, 1, 1))
    press(quiet(at.run()), TRY)
    at = _job(press(_job(at), "Register"))
    assert _metrics(at)["Registered"] == "1"
    made = assets()[0]
    assert (made.serial_number, made.effective_date.year) == (rows[0]["SerialNumber"], 2031)
    assert list_jobs(actor)[0].unknown == []


@pytest.mark.use_case("UC-02.01")
def test_warnings_go_through_with_one_justification() -> None:
    rival = somebody("kelvin")
    somebody("northgate")
    theirs = register_asset(rival, battery())
    at = _chosen(open_page("northgate", "upload"), csv_of([battery(ImportMPAN=theirs.import_mpan)]))
    at = _job(press(at, TRY))
    assert next(button for button in at.button if button.label == "Register").disabled
    at.text_area(key="upload-why").set_value(WHY)
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
    press(at, "Remove this job and its file")
    assert list_jobs(actor) == []


def test_a_file_that_cannot_be_used_says_why_and_jobs_of_others_stay_unseen() -> None:
    rival = somebody("kelvin")
    somebody("northgate")
    at = _chosen(open_page("northgate", "upload"), b"Apples,Pears\n1,2\n")
    assert "No column of the file is headed by an attribute" in plain_text(at)
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
