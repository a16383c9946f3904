"""Values at the edge of their type end in a finding or an answer, never in an error of the register."""

from typing import Any

import httpx
import pytest

from api.app import api
from tests.api.conftest import Program
from tests.asset_factories import battery
from tests.factories import make_organisation

pytestmark = pytest.mark.use_case("UC-02.01")
DATES = ["0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2023-02-29"]
MOMENTS = [f"{day}T23:59:59.999999-23:59" for day in DATES] + ["0001-01-01T00:00:00+23:59", "1e400"]
WHOLE = [str(number) for number in (2**31, 2**63, -(2**63) - 1, -1)] + ["1e400"]
NUMBERS = [*WHOLE, "NaN", "Infinity", "-0", "1e-400", "99999999999999999999.999"]
NOTHING = "01a231ff-0000-7000-8000-000000000000"
TERMS = {
    "RatedCapacity": NUMBERS, "Longitude": NUMBERS, "StorageCapacity_kWh": NUMBERS, "EffectiveDate": [*DATES, MOMENTS[0]],
    "CommissioningDate": DATES, "ImportMPAN": ["0" * 13, "9" * 60],
}  # fmt: skip


def _edges(schema: dict[str, Any]) -> list[str]:
    shapes = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    kinds = {(shape.get("type"), shape.get("format")) for shape in shapes}
    if ("string", "date-time") in kinds:
        return MOMENTS
    if ("string", "date") in kinds:
        return DATES
    if any(kind == "integer" for kind, _format in kinds):
        return WHOLE
    return NUMBERS if any(kind == "number" for kind, _format in kinds) else []


def _questions() -> list[tuple[str, str, str]]:
    """Path, parameter and value of every question that a list or reading can be asked at the edge of a type."""
    questions = []
    for path, methods in api.openapi()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                questions += [(path, parameter["name"], value) for value in _edges(parameter["schema"])]
    return questions


def _told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.text[:300]


@pytest.mark.timeout(120)
def test_no_question_at_the_edge_of_a_type_is_an_error(program: Program) -> None:
    caller = program(make_organisation())
    questions = _questions()
    assert len(questions) > 100
    for path, name, value in questions:
        address = "/".join(NOTHING if part.startswith("{") else part for part in path.split("/"))
        answer = caller.get(address, params={name: value})
        assert answer.status_code < 500, (address, name, value, _told(answer))


def test_no_value_at_the_edge_of_a_type_is_an_error(program: Program) -> None:
    fsp = program(make_organisation())
    made = fsp.post("/v1/assets", json=battery())
    asset, tag = made.json()["AssetId"], made.headers["ETag"]
    for term, values in TERMS.items():
        for value in values:
            answer = fsp.post("/v1/assets", json=battery(**{term: value}))
            assert answer.status_code in (201, 422), (value, _told(answer))
            plain = (
                value
                if value.lstrip("-").replace(".", "").replace("e-", "").replace("e", "").isdigit()
                else f'"{value}"'
            )
            answer = fsp.patch(
                f"/v1/assets/{asset}",
                content=f'{{"{term}": {plain}}}',
                headers={"If-Match": tag, "Content-Type": "application/json"},
            )
            assert answer.status_code in (200, 422), (plain, _told(answer))
            tag = answer.headers.get("ETag", tag)
