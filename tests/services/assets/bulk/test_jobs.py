"""Files and the jobs they become: any format, any heading, cancelled, refused, mended, forgotten (UC-02.01, bulk)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import time_machine

from models.assets import Asset
from models.bulk import BulkChunk, BulkDraft, BulkJob, JobStatus
from models.core import Event
from services.assets.bulk.pipeline import worker as working
from services.assets.bulk.pipeline.duplicates import Earlier
from services.assets.bulk.pipeline.worker import UPLOADS, forget_old_jobs, process_chunk, work_for, work_through_jobs
from services.assets.bulk.upload.jobs import (
    Wishes,
    cancel_job,
    confirm_job,
    delete_job,
    get_job,
    list_jobs,
    submit_file,
)
from services.assets.bulk.upload.results import job_findings, job_positions, progress, write_findings, write_refused
from services.assets.files.formats import MOST_ROWS
from services.core.clock import now
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import system_actor
from services.core.jobs.worker import run_due_jobs
from services.participants.approval import suspend_organisation
from tests.asset_factories import battery, values_for
from tests.bulk_files import (
    Rows,
    assets,
    counts,
    csv_of,
    everything,
    frame_of,
    how_many,
    jsonl_of,
    parquet_of,
    send,
    xlsx_of,
)
from tests.factories import administrator, make_actor, make_fsp, make_organisation

AS: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "csv": ("a.csv", csv_of),
    "semicolons": ("a.csv", lambda rows: csv_of(rows, ";")),
    "tabs": ("a.txt", lambda rows: csv_of(rows, "\t")),
    "byte order mark": ("a.csv", lambda rows: b"\xef\xbb\xbf" + csv_of(rows)),
    "windows": ("a.csv", lambda rows: csv_of(rows).decode().replace("\n", "\r\n").encode("cp1252")),
    "old mac": ("a.csv", lambda rows: csv_of(rows).replace(b"\n", b"\r")),
    "utf-16": ("a.csv", lambda rows: csv_of(rows, "\t").decode().encode("utf-16")),
    "title above": ("a.csv", lambda rows: b"Our portfolio,,\n\n" + csv_of(rows)),
    "wrong ending": ("a.xlsx", csv_of),
    "xlsx": ("a.xlsx", xlsx_of),
    "jsonl": ("a.jsonl", jsonl_of),
    "parquet": ("a.parquet", parquet_of),
}


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("way", AS)
def test_the_same_rows_register_from_every_format(one_register: str, way: str) -> None:
    actor = make_fsp()
    name, write = AS[way]
    rows = [battery(AssetName="Café Zürich 1"), values_for("EV_CHARGER", ConnectorType="Type 2", ChargerCount="3")]
    job = send(actor, write(rows), name)
    assert counts(job) == {"registered": 2}, (job.reason, job.summary)
    made = assets()
    assert made[0].asset_name == "Café Zürich 1"
    assert made[0].category_attributes == {"StorageCapacity_kWh": 5000}
    assert made[1].category_attributes == {"ConnectorType": "TYPE_2", "ChargerCount": 3}


@pytest.mark.use_case("UC-02.01")
def test_columns_are_known_by_term_label_and_unit_in_any_order_and_case(one_register: str) -> None:
    actor = make_fsp()
    names = {
        "AssetName": "asset name", "AssetCategory": "CATEGORY", "RatedCapacity": "Rated capacity (kW)",
        "ImportMPAN": "import_mpan", "StorageCapacity_kWh": "Storage capacity", "DNOConnection": "Distribution network",
    }  # fmt: skip
    frame = frame_of([battery()]).rename(names).select(pl.all().reverse())
    frame = frame.select(reversed(frame.columns)).with_columns(pl.lit("x").alias("Our notes"))
    job = send(actor, frame.write_csv().encode())
    assert counts(job) == {"registered": 1}, job.summary
    assert job.unknown == ["Our notes"]


@pytest.mark.use_case("UC-02.01")
def test_what_a_heading_means_is_said_once_and_remembered_for_the_organisation(one_register: str) -> None:
    body = make_organisation()
    actor, colleague, stranger = make_actor(body), make_actor(body), make_fsp()

    def file() -> bytes:
        return frame_of([battery()]).rename({"SerialNumber": "Plate", "AssetModel": "Kind"}).write_csv().encode()

    job = send(actor, file(), columns={"Plate": "SerialNumber", "Kind": None})
    assert counts(job) == {"registered": 1}, job.summary
    again = send(colleague, file())
    assert (counts(again), again.unknown) == ({"registered": 1}, [])
    assert all(asset.serial_number and asset.asset_model is None for asset in assets())
    assert submit_file(stranger, file(), "a.csv").unknown == ["Kind", "Plate"]
    with pytest.raises(Invalid) as refusal:
        submit_file(actor, file(), "a.csv", Wishes(columns={"Nowhere": "SerialNumber", "Plate": "NoTerm"}))
    assert {found.code for found in refusal.value.findings} == {"FILE-11", "FILE-12"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE-01"),
        (b"\x00\x01\x02 nothing readable\x00", "FILE-02"),
        (b"PK\x03\x04 no workbook at all", "FILE-03"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "FILE-03"),
        (b"PAR1 no parquet", "FILE-03"),
        (b'AssetName,RatedCapacity\na,"1\nb,2\n', "FILE-03"),
        (b"Apples,Pears\n1,2\n", "FILE-04"),
        (b"AssetName,RatedCapacity\n", "FILE-06"),
        (b"AssetName,Asset name\na,b\n", "FILE-10"),
        (b"AssetName\n" + b"a\n" * (MOST_ROWS + 1), "FILE-07"),
        (b"AssetName," + b",".join(b"h%d" % n for n in range(600)) + b"\nx\n", "FILE-08"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(one_register: str, data: bytes, code: str) -> None:
    actor = make_fsp()
    with pytest.raises(Invalid) as refusal:
        submit_file(actor, data, "a.csv")
    assert [found.code for found in refusal.value.findings] == [code]
    assert how_many(BulkJob) == 0


def test_rows_that_cannot_be_read_are_named_and_the_others_go_through(one_register: str) -> None:
    actor = make_fsp()
    lines = csv_of([battery(), battery(), battery()]).decode().splitlines()
    job = send(actor, "\n".join([*lines[:2], "", lines[2] + ",too,much", lines[3][:40]]).encode())
    assert counts(job) == {"registered": 1, "refused": 2}
    found = [(one["row"], one["code"]) for one in job_findings(actor, job.id)]
    assert [one for one in found if one[1].startswith("FILE")] == [(4, "FILE-09"), (5, "FILE-05")]
    words = send(actor, b'{"AssetName": \n["no object"]\n{"AssetName": "x"}', "a.jsonl")
    assert words.summary["FILE-09"]["rows"] == 2


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("way", ["csv", "semicolons", "xlsx", "jsonl", "parquet"])
def test_refused_rows_come_back_as_the_file_to_be_mended_and_sent_again(
    one_register: str, tmp_path: Path, way: str
) -> None:
    actor = make_fsp()
    name, write = AS[way]
    rows = [battery(), battery(AssetName="What?"), battery(RatedCapacity=None, Latitude="-0.5")]
    job = send(actor, write(rows), name)
    assert counts(job) == {"registered": 1, "refused": 2}
    path = tmp_path / f"refused.{job.file_format}"
    assert write_refused(actor, job.id, path) == 2
    readers = {"csv": pl.read_csv, "xlsx": pl.read_excel, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}
    back = readers[job.file_format](path)
    assert back["RefusalCodes"].to_list()[0] == "NAME-03"
    assert "has a character that isn't allowed" in back["RefusalReasons"][0]
    again = send(actor, path.read_bytes(), path.name)
    assert (counts(again), again.unknown) == ({"refused": 2}, [])
    assert set(again.summary) == set(job.summary)


def test_a_file_with_findings_lists_positions_and_progress(one_register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    job = send(actor, csv_of([battery(), battery(AssetName="=cmd()")]), dry_run=True)
    assert [(one["name"][:9], one["latitude"]) for one in job_positions(actor, job.id)] == [("Riverside", 52.2053)]
    assert progress(job).rows_done == progress(job).rows_total == 2
    path = tmp_path / "findings.csv"
    assert write_findings(actor, job.id, path) == 1
    text = path.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "Row,Code,Field,Given,Expected,Message,Severity"
    assert "'=cmd()" in text


def test_many_chunks_are_one_file(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", 3)
    actor = make_fsp()
    rows = [battery(FriendlyCode=f"F{n}") for n in range(10)]
    data = csv_of([*rows, rows[0], {**battery(), "SerialNumber": rows[4]["SerialNumber"]}])
    for dry_run in (True, False):
        job = send(actor, data, dry_run=dry_run)
        assert counts(job) == {"registered": 10, "refused": 2}
        assert [(one["row"], one["code"], one["given"]) for one in job_findings(actor, job.id)] == [
            (12, "DUP-03", "2"),
            (13, "DUP-03", "6"),
        ]
    assert [one["row"] for one in job_findings(actor, job.id, after=12)] == [13]


@pytest.mark.use_case("UC-02.01")
def test_a_job_can_be_cancelled_between_chunks_and_what_is_done_stays(
    register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", 2)
    actor = make_fsp()
    job = submit_file(actor, csv_of([battery() for _ in range(6)]), "a.csv", Wishes(dry_run=False))
    assert work_for(0)
    cancel_job(actor, job.id)
    work_through_jobs()
    done = get_job(actor, job.id)
    assert (done.status, done.rows_registered, how_many(Asset)) == (JobStatus.CANCELLED, 2, 2)
    with pytest.raises(Refused):
        cancel_job(actor, job.id)
    with pytest.raises(Refused):
        confirm_job(actor, job.id)


def test_a_process_that_lost_its_lease_does_nothing(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", 1)
    actor = make_fsp()
    job = submit_file(actor, csv_of([battery(), battery()]), "a.csv", Wishes(dry_run=False))
    taken = UPLOADS.claim()
    assert taken is not None
    assert UPLOADS.claim() is None
    with time_machine.travel(now() + timedelta(seconds=61), tick=True):
        other = UPLOADS.claim()
        assert other is not None
        empty = Earlier()
        assert process_chunk(actor, job.id, taken[1], empty) is None
        assert process_chunk(actor, job.id, other[1], empty) is not None
    assert how_many(Asset) == 1


@pytest.mark.use_case("UC-02.01")
def test_the_worker_takes_jobs_up_and_tells_the_owner(one_register: str) -> None:
    actor = make_fsp()
    job = submit_file(actor, csv_of([battery()]), "a.csv", Wishes(dry_run=False))
    run_due_jobs()
    assert get_job(actor, job.id).status is JobStatus.COMPLETED
    told = [event for event in everything(Event) if event.type == "bulk.completed"]
    assert [(event.record_id, event.organisation_id) for event in told] == [(job.id, actor.organisation_id)]
    assert told[0].payload["rows_registered"] == 1


def test_a_job_whose_owner_lost_access_fails_and_says_so(one_register: str) -> None:
    body = make_organisation()
    actor = make_actor(body)
    job = submit_file(actor, csv_of([battery()]), "a.csv", Wishes(dry_run=False))
    suspend_organisation(administrator(), body.id, "For a while", body.version)
    work_through_jobs()
    done = get_job(administrator(), job.id)
    assert (done.status, how_many(Asset)) == (JobStatus.FAILED, 0)
    assert "suspended" in (done.reason or "")


def test_a_mistake_of_ours_is_tried_again_and_then_given_up(one_register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_fsp()
    job = submit_file(actor, b"AssetName\nx\n", "a.csv", Wishes(dry_run=False))
    with monkeypatch.context() as broken:
        broken.setattr(working, "rows_by_term", lambda *_: 1 / 0)
        assert work_for(1)
        assert get_job(actor, job.id).status is JobStatus.RUNNING
        assert not work_for(1)
        for minutes in range(1, 6):
            with time_machine.travel(now() + timedelta(minutes=minutes), tick=True):
                work_for(1)
    assert get_job(actor, job.id).status is JobStatus.FAILED


def test_jobs_are_their_organisations_own(one_register: str) -> None:
    actor, stranger = make_fsp(), make_fsp()
    job = send(actor, csv_of([battery()]), dry_run=True)
    assert [one.id for one in list_jobs(actor)] == [job.id]
    assert list_jobs(stranger) == []
    for act in (get_job, cancel_job, confirm_job, delete_job, job_findings, job_positions):
        with pytest.raises(NotFound):
            act(stranger, job.id)
    with pytest.raises(Forbidden):
        submit_file(make_actor(make_organisation(roles=["Regulator"])), b"AssetName\nx\n", "a.csv")


def test_the_same_request_is_the_same_job(one_register: str) -> None:
    actor = make_fsp()
    data = csv_of([battery()])
    first = submit_file(actor, data, "a.csv", Wishes(idempotency_key="k-1"))
    assert submit_file(actor, data, "a.csv", Wishes(idempotency_key="k-1")).id == first.id
    assert submit_file(actor, data, "a.csv", Wishes(idempotency_key="k-2")).id != first.id
    with pytest.raises(Refused):
        submit_file(actor, csv_of([battery()]), "a.csv", Wishes(idempotency_key="k-1"))


def test_jobs_are_forgotten_with_their_files_after_their_time(one_register: str) -> None:
    actor = make_fsp()
    job = send(actor, csv_of([battery(), battery(ImportMPAN=None)]), keep_drafts=True)
    with time_machine.travel(now() + timedelta(days=89), tick=True):
        forget_old_jobs()
        assert get_job(system_actor(), job.id).rows_draft == 1
    with time_machine.travel(now() + timedelta(days=91), tick=True):
        forget_old_jobs()
    assert [how_many(model) for model in (BulkJob, BulkChunk, BulkDraft, Asset)] == [0, 0, 0, 1]
    second = send(actor, csv_of([battery()]), dry_run=True)
    delete_job(actor, second.id)
    assert how_many(BulkChunk) == 0


@pytest.mark.use_case("UC-02.01")
def test_a_justification_that_says_too_little_is_refused(one_register: str) -> None:
    with pytest.raises(Invalid) as refusal:
        submit_file(make_fsp(), csv_of([battery()]), "a.csv", Wishes(justifications={"*": "yes"}))
    assert [found.code for found in refusal.value.findings] == ["JUST-01"]
