"""Exports through the API: small ones at once, large ones as jobs (UC-02.04)."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from models.core import Access
from models.exports import ExportJob
from services.assets.bulk.export.jobs import export_ticket
from services.assets.bulk.export.worker import work_through_exports
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.registration.register import register_asset
from services.core.register_settings import change_setting
from tests.api.conftest import Program
from tests.asset_factories import battery
from tests.bulk_files import csv_of, everything
from tests.factories import administrator, make_actor, make_organisation

pytestmark = pytest.mark.use_case("UC-02.04")
TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


def handed_in(program: httpx.Client, data: bytes, kind: str = "text/csv") -> dict[str, Any]:
    """A file handed in and worked through; the job as it then stands."""
    handed = program.post("/v1/assets/bulk", content=data, headers={"Content-Type": kind})
    work_through_jobs()
    return program.get(handed.headers["Location"].removeprefix("/api")).json()


def every_export_is_large() -> None:
    """From here on two assets are too many to be sent at once."""
    change_setting(administrator(), "export.direct_rows", "1", 0)


@pytest.mark.parametrize("file_format", TYPES)
def test_a_large_export_is_a_job_whose_file_comes_back_unchanged(program: Program, file_format: str) -> None:
    fsp = program(make_organisation())
    handed_in(fsp, csv_of([battery(), battery(), battery(AssetName="Other")]))
    every_export_is_large()
    asked = fsp.get("/v1/assets/export", params={"format": file_format, "AssetCategory": "BESS"})
    assert asked.status_code == 202
    job = asked.json()
    assert (job["Kind"], job["Status"], job["File"]) == ("export", "Queued", None)
    assert job["Filters"] == {"asset_category": ["BESS"]}
    address = asked.headers["Location"].removeprefix("/api")
    assert fsp.get(f"{address}/file").status_code == 409
    work_through_exports()
    done = fsp.get(address).json()
    assert (done["Status"], done["RowsDone"], done["RowsTotal"]) == ("Completed", 3, 3)
    file = fsp.get(done["File"].removeprefix("/api"))
    assert file.headers["Content-Type"].startswith(TYPES[file_format])
    assert f".{file_format}" in file.headers["Content-Disposition"]
    assert hashlib.sha256(file.content).hexdigest() == done["Sha256"]
    assert len(file.content) == done["Size"]
    back = handed_in(fsp, file.content, TYPES[file_format])
    assert (back["Kind"], back["RowsUnchanged"], back["RowsTotal"]) == ("upload", 3, 3)
    assert [one["Kind"] for one in fsp.get("/v1/jobs").json()["items"]] == ["upload", "export", "upload"]


def test_geojson_as_a_job_and_few_assets_at_once(program: Program) -> None:
    fsp = program(make_organisation())
    handed_in(fsp, csv_of([battery(), battery()]))
    every_export_is_large()
    address = fsp.get("/v1/assets/export", params={"format": "geojson"}).headers["Location"].removeprefix("/api")
    work_through_exports()
    features = json.loads(fsp.get(f"{address}/file").content)["features"]
    assert [one["geometry"]["type"] for one in features] == ["Point", "Point"]
    code = features[0]["properties"]["AssetId"]
    few = fsp.get("/v1/assets/export", params={"SerialNumber": features[0]["properties"]["SerialNumber"]})
    assert few.status_code == 200
    assert code in few.text
    assert few.text.count("\n") == 2


def test_exports_are_for_their_organisation_and_can_be_cancelled_and_removed(program: Program) -> None:
    fsp, stranger = program(make_organisation()), program(make_organisation())
    operator = program(make_organisation(roles=("DNO",), licence_areas=["UKPN_EPN"]))
    handed_in(fsp, csv_of([battery(), battery()]))
    every_export_is_large()
    address = fsp.get("/v1/assets/export").headers["Location"].removeprefix("/api")
    for other in (stranger, operator):
        for answer in (
            other.get(address),
            other.get(f"{address}/file"),
            other.post(f"{address}/cancel"),
            other.delete(address),
        ):
            assert answer.status_code == 404
    assert fsp.delete(address).status_code == 409
    assert fsp.post(f"{address}/cancel").json()["Status"] == "Cancelled"
    assert fsp.post(f"{address}/cancel").status_code == 409
    assert fsp.get(f"{address}/file").status_code == 409
    assert fsp.delete(address).status_code == 204
    assert fsp.get(address).status_code == 404
    theirs = operator.get("/v1/assets/export", params={"DNOConnection": "UKPN_EPN"})
    assert theirs.status_code == 202
    work_through_exports()
    done = operator.get("/v1/jobs").json()["items"]
    assert [(one["Status"], one["RowsDone"]) for one in done] == [("Completed", 2)]
    assert operator.get(f"/v1/jobs/{done[0]['JobId']}/file").text.count("\n") == 3


def test_a_browser_fetches_the_file_by_a_ticket_of_its_own(program: Program, door: httpx.Client) -> None:
    fsp = make_organisation()
    person = make_actor(fsp)
    for _ in range(2):
        register_asset(person, battery())
    every_export_is_large()
    address = program(fsp).get("/v1/assets/export").headers["Location"]
    work_through_exports()
    job = everything(ExportJob)[0]
    assert address.endswith(str(job.id))
    ticket = export_ticket(person, job.id, "this browser")
    cookies = {"Cookie": "_streamlit_user=this browser"}
    got = door.get("/files/export", params={"ticket": ticket}, headers=cookies)
    assert hashlib.sha256(got.content).hexdigest() == job.sha256
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert door.get("/files/export", params={"ticket": ticket}).status_code == 403
    assert door.get("/files/export", params={"ticket": ticket + "x"}, headers=cookies).status_code == 401
    assert door.get("/files/export").status_code == 401
    taken = [access for access in everything(Access) if access.kind == "assets.export_taken"]
    assert [(access.user_id, access.record_id) for access in taken] == [(person.user_id, job.id)]
