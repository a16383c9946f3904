"""Bodies that aren't a file of assets are refused with how to send it; nothing said twice is guessed (UC-02.01)."""

import pytest

from services.assets.bulk.pipeline.worker import work_through_jobs
from tests.api.conftest import Program
from tests.asset_factories import battery
from tests.bulk_files import assets, csv_of, jsonl_of
from tests.factories import make_organisation

pytestmark = pytest.mark.use_case("UC-02.01")


def test_a_form_is_refused_with_how_to_send_the_file(program: Program) -> None:
    fsp = program(make_organisation())
    parts = {"file": ("a.csv", csv_of([battery()]), "text/csv"), "dry_run": (None, "true")}
    answer = fsp.post("/v1/assets/bulk", files=parts)
    assert answer.status_code == 415
    assert "--data-binary" in answer.json()["detail"]
    as_curl_does = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = fsp.post("/v1/assets/bulk", content=csv_of([battery()]), headers=as_curl_does)
    assert (answer.status_code, "Content-Type: text/csv" in answer.json()["detail"]) == (415, True)
    body = fsp.build_request("POST", "/v1/assets/bulk", files=parts).read()
    answer = fsp.post("/v1/assets/bulk", content=body, headers={"Content-Type": "text/csv"})
    assert [finding["code"] for finding in answer.json()["findings"]] == ["FILE-13"]
    assert not assets()


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b'{"AssetName": "A", "AssetCategory": ', "FILE-09", "isn't JSON"),
        (b'\xef\xbb\xbf{"AssetName": }\n{"AssetName": "B"', "FILE-09", "isn't JSON"),
        (b'[{"AssetName": "A", "AssetName": "B"}]', "FILE-09", "twice"),
        (b"[1, 2]", "FILE-09", "no object"),
    ],
)
def test_lines_of_which_none_can_be_read_are_refused_for_what_is_wrong(
    program: Program, body: bytes, code: str, words: str
) -> None:
    fsp = program(make_organisation())
    answer = fsp.post("/v1/assets/bulk", content=body, headers={"Content-Type": "application/jsonl"})
    assert answer.status_code == 422
    [finding] = answer.json()["findings"]
    assert (finding["code"], words in finding["message"]) == (code, True), finding


def test_a_name_given_twice_is_named(program: Program) -> None:
    fsp = program(make_organisation())
    twice = b'{"AssetName": "A: \\"b\\": c", "AssetModel": "x", "AssetModel": "y"}'
    answer = fsp.post("/v1/assets", content=twice, headers={"Content-Type": "application/json"})
    assert "“AssetModel” twice" in answer.json()["findings"][0]["message"]
    job = fsp.post("/v1/assets/bulk", content=twice + b"\n" + jsonl_of([battery()]), params={"dry_run": True}).json()
    work_through_jobs()
    found = fsp.get(f"/v1/jobs/{job['JobId']}/findings").json()["items"]
    assert [(finding["row"], finding["code"]) for finding in found] == [(1, "FILE-09")]
    assert "“AssetModel” is given twice" in found[0]["message"]
