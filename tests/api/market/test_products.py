"""The catalogue, proposals and market tables over HTTP, with the rules and words of the portal (UC-04.01)."""

import httpx
import jsonschema_rs
import pytest

from tests.api.conftest import Program
from tests.factories import make_organisation
from tests.product_factories import REASON, document

pytestmark = pytest.mark.use_case("UC-04.01")
PROPOSALS = "/v1/product-proposals"


def proposal(**changes: object) -> dict[str, object]:
    """An acceptable proposal of a new product."""
    return {
        "Kind": "NEW",
        "Code": "DX",
        "EffectiveFrom": "2199-01-01",
        "Reason": REASON,
        "Product": document(),
        **changes,
    }


@pytest.fixture
def operator(program: Program) -> httpx.Client:
    """A program of the national operator."""
    return program(make_organisation("National Operator", ("System Operator",)))


def test_the_catalogue_is_filtered_and_keeps_its_schema(program: Program) -> None:
    mine = program()
    items = mine.get("/v1/products").json()["items"]
    assert len(items) == 23
    judge = jsonschema_rs.validator_for(mine.get("/v1/products/schema").json())
    assert all(judge.is_valid(item) for item in items)
    found = mine.get("/v1/products", params={"SubMarket": ["Reserve", "Response"], "Phase": "go-live", "Text": "dy"})
    assert [item["Code"] for item in found.json()["items"]] == ["DC", "DM", "DR"]
    bought = mine.get("/v1/products", params={"Procurer": "ENWL"}).json()["items"]
    assert {item["Code"] for item in bought} == {"PR", "OU15", "VAOU2", "VAOU15"}
    assert mine.get("/v1/products", params={"Procurers": "ENWL"}).status_code == 422
    product = mine.get("/v1/products/CMP")
    assert (product.json()["MinCapacity_kW"], product.json()["Offered"]) == (None, True)
    assert mine.get("/v1/products/CMP", headers={"If-None-Match": product.headers["ETag"]}).status_code == 304
    assert mine.get("/v1/products/NOPE").status_code == 404
    assert mine.get("/v1/products/DC/versions").json()["items"] == [mine.get("/v1/products/DC/versions/1").json()]
    assert mine.get("/v1/products/DC/versions/2").status_code == 404


def test_a_proposal_is_asked_about_answered_and_approved(operator: httpx.Client, governor: httpx.Client) -> None:
    assert operator.post(f"{PROPOSALS}/validate", json=proposal()).json() == {"findings": []}
    made = operator.post(PROPOSALS, json=proposal())
    assert made.status_code == 201, made.text
    path = f"{PROPOSALS}/{made.json()['ProposalId']}"
    assert made.headers["Location"].endswith(path)
    assert operator.post(PROPOSALS, json=proposal()).status_code == 409
    assert operator.post(f"{path}/approve", json={"Reason": REASON}, headers={"If-Match": '"1"'}).status_code == 403
    assert governor.post(f"{path}/approve", json={"Reason": REASON}).status_code == 428
    tag = {"If-Match": made.headers["ETag"]}
    asked = governor.post(f"{path}/ask", json={"Question": "Is one megawatt needed?"}, headers=tag)
    assert asked.json()["Status"] == "QUESTION"
    assert governor.post(f"{path}/approve", json={"Reason": REASON}, headers=tag).status_code == 412
    again = {"Answer": "No, less is enough.", "Product": document(MinCapacity_kW="100")}
    answered = operator.post(f"{path}/answer", json=again, headers={"If-Match": asked.headers["ETag"]})
    assert answered.status_code == 200, answered.text
    done = governor.post(f"{path}/approve", json={"Reason": REASON}, headers={"If-Match": answered.headers["ETag"]})
    assert [said["Kind"] for said in done.json()["Said"]] == ["question", "answer", "decision"]
    product = operator.get("/v1/products/DX").json()
    assert (product["MinCapacity_kW"], product["Offered"], product["ValidFrom"]) == (100, False, "2199-01-01")
    assert operator.get(PROPOSALS, params={"Status": "APPROVED"}).json()["items"][0]["Code"] == "DX"


def test_what_is_wrong_with_a_proposal_is_told_at_once(operator: httpx.Client, program: Program) -> None:
    refused = operator.post(PROPOSALS, json=proposal(Code="dx", Product={"Name": "Only a name"}))
    assert refused.status_code == 422
    fields = {finding["field"] for finding in refused.json()["findings"]}
    assert fields == {"Code", "SubMarket", "Procurers", "Direction", "Phase", "Source", "SourceDate"}
    assert program().get(PROPOSALS).status_code == 403
    other = program(make_organisation("Eastern", ("DNO",), licence_areas=("UKPN_EPN",)))
    assert other.post(PROPOSALS, json=proposal(Kind="DEPRECATE", Code="DC", Product={})).status_code == 403
    made = operator.post(PROPOSALS, json=proposal(Kind="DEPRECATE", Code="DC", Product={})).json()
    assert other.get(f"{PROPOSALS}/{made['ProposalId']}").status_code == 404
    withdrawn = operator.post(
        f"{PROPOSALS}/{made['ProposalId']}/withdraw", json={"Reason": REASON}, headers={"If-Match": '"1"'}
    )
    assert withdrawn.json()["Status"] == "WITHDRAWN"


@pytest.mark.use_case("UC-04.03")
def test_tables_are_published_in_editions(governor: httpx.Client, program: Program) -> None:
    mine = program()
    standing = mine.get("/v1/stacking")
    assert len(standing.json()["items"]) == 231
    assert mine.get("/v1/stacking", headers={"If-None-Match": standing.headers["ETag"]}).status_code == 304
    rows = standing.json()["items"]
    rows[0]["CoDelivery"] = "ND"
    body = {"Source": "ENA, 2026", "SourceDate": "2026-01-01", "Reason": REASON, "items": rows}
    tag = {"If-Match": standing.headers["ETag"]}
    assert mine.post("/v1/stacking", json=body, headers=tag).status_code == 403
    made = governor.post("/v1/stacking", json=body, headers=tag)
    assert (made.status_code, made.json()["Edition"]) == (201, 2)
    assert governor.post("/v1/stacking", json=body, headers=tag).status_code == 412
    assert mine.get("/v1/stacking/editions/1").json()["items"] != rows
    assert [one["Edition"] for one in mine.get("/v1/stacking/editions").json()["items"]] == [2, 1]
    steps = mine.get("/v1/equivalences")
    body = {**body, "items": [{"FromProduct": "DC", "ToProduct": "DC"}]}
    wrong = governor.post("/v1/equivalences", json=body, headers={"If-Match": steps.headers["ETag"]})
    assert [finding["code"] for finding in wrong.json()["findings"]] == ["TABLE-09"]
    asked = mine.get("/v1/stacking/together", params={"ProductCode": ["DC", "DM", "SU"]}).json()
    assert (asked["CoDelivery"], len(asked["items"])) == ("no", 3)
    assert mine.get("/v1/stacking/together", params={"ProductCode": ["DC", "NOPE"]}).status_code == 404
