"""Many applications at once over HTTP: what went, and what was left and why (UC-04.02)."""

from uuid import uuid4

import pytest

from tests.api.conftest import Program
from tests.api.market.test_qualifications import a_unit, apply, dno

pytestmark = pytest.mark.use_case("UC-04.02")
PATH = "/v1/qualifications"


def test_many_are_taken_assigned_and_withdrawn_as_far_as_it_goes(program: Program) -> None:
    mine, operator = program(), program(dno())
    made = [apply(mine, a_unit(mine, code)).json()["items"][0] for code in ("RIV-1", "RIV-2")]
    cases = [{"QualificationId": one["QualificationId"], "Version": one["Version"]} for one in made]
    taken = operator.post(f"{PATH}/take", json={"Cases": [cases[0], {**cases[1], "Version": 99}]})
    assert taken.status_code == 200, taken.text
    assert [one["Status"] for one in taken.json()["items"]] == ["IN_ASSESSMENT"]
    [left] = taken.json()["Left"]
    assert left["QualificationId"] == cases[1]["QualificationId"]
    assert left["Action"] == "Open it, then choose again"
    stranger = operator.post(f"{PATH}/assign", json={"Cases": [], "UserId": str(uuid4())})
    assert (stranger.status_code, {one["code"] for one in stranger.json()["findings"]}) == (422, {"QUAL-03", "QUAL-06"})
    given = operator.post(f"{PATH}/assign", json={"Cases": cases, "UserId": None})
    assert (len(given.json()["items"]), len(given.json()["Left"])) == (1, 1)
    assert mine.post(f"{PATH}/take", json={"Cases": cases}).status_code == 403
    gone = mine.post(f"{PATH}/withdraw", json={"Cases": cases, "Text": "The site was sold."})
    assert [one["Status"] for one in gone.json()["items"]] == ["WITHDRAWN"], gone.text
    none = mine.post(f"{PATH}/withdraw", json={"Cases": cases, "Text": "The site was sold."})
    assert none.status_code == 409
    assert len(none.json()["blockers"]) == 2
