"""Files of assets through the API: handed in, followed, mended, exported (UC-02.01, UC-02.03, UC-02.04)."""

import io
from typing import Any

import fastexcel
import httpx
import polars as pl
import pytest

from services.assets.bulk.pipeline.worker import work_for, work_through_jobs
from services.core.settings import settings
from tests.api.conftest import Program
from tests.asset_factories import battery
from tests.bulk_files import Rows, assets, csv_of, jsonl_of, parquet_of, xlsx_of
from tests.factories import make_organisation

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WHY = "The operator has confirmed that the meter is shared."


def _send(program: httpx.Client, data: bytes, kind: str = "text/csv", **query: Any) -> dict[str, Any]:
    """Hand a file in and let the worker finish; the job as it then stands."""
    handed = program.post("/v1/assets/bulk", content=data, headers={"Content-Type": kind}, params=query)
    assert handed.status_code == 202, handed.text
    assert handed.json()["Status"] == "Queued"
    work_through_jobs()
    return program.get(handed.headers["Location"].removeprefix("/api")).json()


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("text/csv", csv_of),
        (XLSX, xlsx_of),
        ("application/jsonl", jsonl_of),
        ("application/vnd.apache.parquet", parquet_of),
    ],
)
def test_a_portfolio_is_registered_under_its_media_type(program: Program, kind: str, write: Any) -> None:
    fsp = program(make_organisation("Northgate plc"))
    rows: Rows = [battery(), battery(), battery(AssetName="Bad!")]
    job = _send(fsp, write(rows), kind)
    assert (job["Status"], job["RowsTotal"], job["RowsRegistered"], job["RowsRefused"]) == ("Completed", 3, 2, 1)
    assert [one["code"] for one in job["Findings"]] == ["NAME-03"]
    told = fsp.get(f"/v1/jobs/{job['JobId']}/rows", params={"outcome": "registered"}).json()["items"]
    listed = fsp.get("/v1/assets").json()["items"]
    assert {row["asset_id"] for row in told} == {one["AssetId"] for one in listed}
    assert assets()[0].recorded_by is None
    assert [one["JobId"] for one in fsp.get("/v1/jobs").json()["items"]] == [job["JobId"]]


@pytest.mark.use_case("UC-02.01")
def test_a_dry_run_is_confirmed_and_findings_are_told_row_by_row(program: Program) -> None:
    fsp = program(make_organisation())
    job = _send(fsp, csv_of([battery(), battery(AssetName="Bad!"), battery(RatedCapacity=None)]), dry_run=True)
    address = f"/v1/jobs/{job['JobId']}"
    assert (job["DryRun"], job["RowsRegistered"], len(assets())) == (True, 1, 0)
    first = fsp.get(f"{address}/findings", params={"limit": 1}).json()
    assert [(one["row"], one["code"]) for one in first["items"]] == [(3, "NAME-03")]
    following = fsp.get(first["next"].removeprefix("/api")).json()
    assert {one["row"] for one in following["items"]} == {4}
    lines = fsp.get(f"{address}/findings", params={"format": "csv"})
    assert lines.headers["Content-Type"].startswith("text/csv")
    assert lines.text.splitlines()[1].startswith("3,NAME-03,AssetName,Bad!")
    assert fsp.post(f"{address}/confirm").json()["DryRun"] is False
    work_through_jobs()
    assert (fsp.get(address).json()["RowsRegistered"], len(assets())) == (1, 1)
    assert fsp.post(f"{address}/confirm").status_code == 409
    mended = fsp.get(f"{address}/refused")
    back = pl.read_csv(io.BytesIO(mended.content))
    assert back["RefusalCodes"].to_list() == ["NAME-03", "CAP-01"]
    assert fsp.delete(address).status_code == 204
    assert fsp.get(address).status_code == 404


@pytest.mark.use_case("UC-02.01")
def test_what_is_said_with_a_file(program: Program) -> None:
    rival, fsp = program(make_organisation()), program(make_organisation())
    meter = battery()["ImportMPAN"]
    _send(rival, csv_of([battery(ImportMPAN=meter)]))
    rows = [
        battery(ImportMPAN=meter, EffectiveDate=None),
        battery(EffectiveDate=None, SerialNumber=None, ImportMPAN=None),
    ]
    data = csv_of([{("Plate" if t == "SerialNumber" else t): v for t, v in row.items()} for row in rows])
    said = {"column": "Plate=SerialNumber", "constant": "EffectiveDate=2031-01-01", "keep_drafts": True}
    assert _send(fsp, data, **said)["RowsRefused"] == 1
    job = _send(fsp, data, justification=WHY, **said)
    assert (job["RowsRegistered"], job["RowsDraft"], job["RowsWarned"]) == (1, 1, 1)
    made = next(asset for asset in assets() if asset.justifications)
    assert (made.justifications[0]["text"], made.effective_date.year) == (WHY, 2031)
    assert made.serial_number == rows[0]["SerialNumber"]
    drafts = fsp.get(f"/v1/jobs/{job['JobId']}/drafts").json()["items"]
    assert [(one["Row"], [lack["code"] for lack in one["Lacks"]]) for one in drafts] == [(3, ["MPAN-07"])]
    for query in ({"column": "nonsense"}, {"constant": "NoTerm=1"}, {"justification": "yes"}, {"unknown": "1"}):
        refused = fsp.post("/v1/assets/bulk", content=data, params=query)
        assert refused.status_code == 422, query


@pytest.mark.use_case("UC-02.03")
def test_an_export_is_edited_and_sent_back(program: Program) -> None:
    fsp = program(make_organisation())
    _send(fsp, csv_of([battery(), battery()]))
    exported = fsp.get("/v1/assets/export", params={"AssetCategory": "BESS"})
    assert exported.headers["Content-Type"].startswith("text/csv")
    assert _send(fsp, exported.content)["RowsUnchanged"] == 2
    job = _send(fsp, exported.content.replace(b"AD-2500,", b"AD-2600,", 1))
    assert (job["RowsUpdated"], job["RowsUnchanged"]) == (1, 1)
    for file_format in ("jsonl", "xlsx", "parquet", "geojson"):
        assert fsp.get("/v1/assets/export", params={"format": file_format}).content
    assert fsp.get("/v1/assets/export", params={"format": "pdf"}).status_code == 422
    assert fsp.get("/v1/assets/export", params={"AssetCategory": "HVAC"}).text.count("\n") == 1


@pytest.mark.use_case("UC-02.01")
def test_one_key_is_one_job_and_a_job_can_be_cancelled(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", 1)
    fsp = program(make_organisation())
    data = csv_of([battery(), battery(), battery()])
    keyed = {"Idempotency-Key": "portfolio-7"}
    handed = [fsp.post("/v1/assets/bulk", content=data, headers=keyed) for _ in range(2)]
    assert handed[0].json()["JobId"] == handed[1].json()["JobId"]
    assert fsp.post("/v1/assets/bulk", content=data + b"\n", headers=keyed).status_code == 409
    for query in (
        "dry_run=true",
        "keep_drafts=true",
        "file_name=b.csv",
        "column=Manufacturer=Manufacturer",
        "justification=It is as it is.",
    ):
        assert fsp.post(f"/v1/assets/bulk?{query}", content=data, headers=keyed).status_code == 409, query
    assert (
        fsp.post("/v1/assets/bulk?dry_run=false", content=data, headers=keyed).json()["JobId"]
        == handed[0].json()["JobId"]
    )
    assert program(make_organisation()).post("/v1/assets/bulk", content=data, headers=keyed).status_code == 202
    address = f"/v1/jobs/{handed[0].json()['JobId']}"
    work_for(0)
    assert fsp.delete(address).status_code == 409
    assert fsp.post(f"{address}/cancel").json()["Status"] == "Cancelled"
    assert fsp.post(f"{address}/cancel").status_code == 409
    assert len(assets()) == 1


def test_files_are_for_those_who_register_and_jobs_for_their_organisation(program: Program, door: httpx.Client) -> None:
    fsp, stranger = program(make_organisation()), program(make_organisation())
    regulator = program(make_organisation(roles=["Regulator"]))
    job = _send(fsp, csv_of([battery()]), dry_run=True)
    address = f"/v1/jobs/{job['JobId']}"
    for path in ("", "/findings", "/rows", "/drafts", "/refused"):
        assert stranger.get(address + path).status_code == 404
    assert stranger.post(f"{address}/confirm").status_code == 404
    assert regulator.post("/v1/assets/bulk", content=b"AssetName\nx").status_code == 403
    assert door.post("/v1/assets/bulk", content=b"AssetName\nx").status_code == 401
    unusable = fsp.post("/v1/assets/bulk", content=b"Apples,Pears\n1,2\n")
    assert [one["code"] for one in unusable.json()["findings"]] == ["FILE-04"]


def test_a_file_may_be_larger_than_other_bodies(program: Program) -> None:
    fsp = program(make_organisation())
    wide = [battery(OtherDescription="x" * 190) for _ in range(3)]
    data = csv_of(wide) + b"\n" * (settings().api_max_body_kb * 1024)
    assert _send(fsp, data)["RowsRegistered"] == 3


def test_a_template_for_a_category(program: Program) -> None:
    fsp = program(make_organisation())
    got = fsp.get("/v1/assets/template", params={"AssetCategory": "EV_CHARGER"})
    assert got.headers["Content-Type"] == XLSX
    assert "ConnectorType" in fastexcel.read_excel(got.content).load_sheet("Assets").to_polars().columns
    assert fsp.get("/v1/assets/template", params={"AssetCategory": "NOTHING"}).status_code == 404
