"""Checks, queries, answers and settlements over HTTP (UC-02.01)."""

import httpx
import pytest

from services.core.jobs.worker import work_through
from tests.api.conftest import Program
from tests.asset_factories import battery

WHY = {"Decision": "VERIFY", "Reason": "The agreement that was handed in shows it."}


@pytest.mark.use_case("UC-02.01")
def test_a_query_is_asked_answered_and_settled_each_by_whom_it_concerns(
    program: Program, governor: httpx.Client
) -> None:
    mine = program()
    made = mine.post("/v1/assets", json=battery())
    path, tag = f"/v1/assets/{made.json()['AssetId']}", {"If-Match": made.headers["ETag"]}
    question = {"Question": "Which of the two MPANs does it import through?"}
    assert mine.post(f"{path}/query", json=question, headers=tag).status_code == 403
    asked = governor.post(f"{path}/query", json=question, headers=tag)
    assert (asked.status_code, asked.json()["Status"]) == (200, "QUERY"), asked.text
    assert mine.post(f"{path}/checks").status_code == 409
    answer = {"Answer": "Through the first one, since 2025."}
    assert mine.post(f"{path}/answer", json=answer, headers=tag).status_code == 412
    tag = {"If-Match": asked.headers["ETag"]}
    answered = mine.post(f"{path}/answer", json=answer, headers=tag)
    assert (answered.status_code, answered.json()["Status"]) == (200, "PENDING_VALIDATION"), answered.text
    tag = {"If-Match": answered.headers["ETag"]}
    assert mine.post(f"{path}/settle", json=WHY, headers=tag).status_code == 403
    unknown = governor.post(f"{path}/settle", json={**WHY, "Decision": "PERHAPS"}, headers=tag)
    assert unknown.json()["findings"][0]["field"] == "Decision"
    settled = governor.post(f"{path}/settle", json=WHY, headers=tag)
    assert (settled.status_code, settled.json()["Status"]) == (200, "VERIFIED"), settled.text
    said = [(one["Kind"], one["Text"]) for one in mine.get(f"{path}/checks").json()["messages"]]
    assert said == [("QUERY", question["Question"]), ("ANSWER", answer["Answer"]), ("DECISION", WHY["Reason"])]


@pytest.mark.use_case("UC-02.01")
def test_checks_run_in_the_background_and_again_on_request(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    assert mine.get(f"{path}/checks").json()["items"] == []
    work_through()
    first = mine.get(f"{path}/checks").json()["items"]
    assert {one["Source"] for one in first} == {"MPAN_REGISTER", "INSTALLATION_REGISTRY", "CONNECTION_REGISTER"}
    assert all(one["Summary"] and one["CompletedAt"] for one in first)
    again = mine.post(f"{path}/checks")
    assert again.status_code == 202, again.text
    assert {one["Outcome"] for one in again.json()["items"]} == {"WAITING"}


@pytest.mark.use_case("UC-02.01")
def test_every_attribute_says_where_its_value_comes_from(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery(InstalledCapacity=None)).json()['AssetId']}"
    origins = {one["Term"]: one["Origin"] for one in mine.get(f"{path}/provenance").json()["items"]}
    assert (origins["AssetName"], origins["GspGroup"]) == ("DECLARED", "DERIVED")


@pytest.mark.use_case("UC-02.01")
def test_what_can_be_done_now_comes_with_why_the_rest_cannot(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    offered = {one["Operation"]: one for one in mine.get(f"{path}/actions").json()["items"]}
    assert offered["update_asset"]["Allowed"]
    assert offered["deregister_asset"]["Allowed"]
    assert not offered["settle_query"]["Allowed"]
    assert "FMAR administrator" in offered["settle_query"]["WhyNot"]
