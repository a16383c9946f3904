"""Qualification over HTTP, with the rules and words of the portal (UC-04.02)."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from models.assets import Asset, AssetStatus
from models.participants import Organisation
from services.core.clock import today
from services.core.transaction import current_session, unit_of_work
from tests.api.conftest import Program
from tests.asset_factories import STAMP, an_mpan, battery
from tests.factories import make_organisation

pytestmark = pytest.mark.use_case("UC-04.02")
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"
NEWCASTLE = {"DNOConnection": "NPG_NE", "Latitude": "54.97", "Longitude": "-1.61", "Postcode": "NE1 4ST"}
BECAUSE = {"Reason": "The test of 3 May was passed."}


def tag(response: httpx.Response) -> dict[str, str]:
    """The header that names what was read."""
    assert response.is_success, response.text
    return {"If-Match": response.headers["ETag"]}


def a_unit(mine: httpx.Client, code: str = "RIV-1", *, north: bool = False) -> str:
    """A unit of Verified batteries, made over HTTP; its identifier."""
    values = [battery()] + ([battery(**NEWCASTLE, ImportMPAN=an_mpan("15"))] if north else [])
    made = [mine.post("/v1/assets", json=one).json()["AssetId"] for one in values]
    with unit_of_work(STAMP, writes=True) as session:
        for asset in session.scalars(select(Asset)):
            asset.status = AssetStatus.VERIFIED
        current_session().flush()
    body = {"UnitName": "Riverside", "UnitCode": code, "Family": "DSO", "Assets": made}
    unit = mine.post("/v1/market-units", json=body)
    assert unit.status_code == 201, unit.text
    return str(unit.json()["UnitId"])


def apply(mine: httpx.Client, unit: str, **body: object) -> httpx.Response:
    """Apply for SU, unless told otherwise."""
    given = {"UnitId": unit, "Products": [{"ProductCode": "SU"}], "Justification": "All of it is on site.", **body}
    return mine.post("/v1/qualifications", json=given, headers=tag(mine.get(f"/v1/market-units/{unit}")))


def dno(name: str = "UK Power Networks plc", *areas: str) -> Organisation:
    """A DNO of eastern England, unless told otherwise."""
    return make_organisation(name, ("DNO",), licence_areas=areas or ("UKPN_EPN",))


def test_an_application_from_start_to_end(program: Program, governor: httpx.Client) -> None:
    mine, operator, stranger = program(), program(dno()), program()
    unit = a_unit(mine)
    assert mine.post("/v1/qualifications", json={"UnitId": unit, "Products": []}).status_code == 428
    wrong = apply(mine, unit, Products=[{"ProductCode": "NOPE"}, {"ProductCode": "DC"}])
    assert (wrong.status_code, [one["code"] for one in wrong.json()["findings"]]) == (422, ["APPLY-01"] * 2)
    assert apply(mine, unit, Products=[{"ProductCode": "SU"}] * 2).json()["findings"][0]["code"] == "APPLY-05"
    made = apply(mine, unit)
    assert made.status_code == 201, made.text
    [one] = made.json()["items"]
    assert (one["Status"], one["Clock"], one["WorkingDaysLeft"], one["Capacity"]) == (
        "SUBMITTED",
        "IN_TIME",
        20,
        2500.0,
    )
    assert mine.get(made.headers["Location"].removeprefix("/api")).json()["items"] == [one]
    path = f"/v1/qualifications/{one['QualificationId']}"
    for response in (stranger.get(path), stranger.get(f"{path}/package"), stranger.get(f"{path}/messages")):
        assert response.status_code == 404
    read = operator.get(path)
    assert operator.get(path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    assert operator.get(f"{path}/package").json()["Assets"][0]["AssetCategory"] == "BESS"
    assert governor.post(f"{path}/take", headers=tag(read)).status_code == 403
    assert mine.get(f"{path}/certificate").status_code == 409, "nothing is decided yet"
    taken = operator.post(f"{path}/take", headers=tag(read))
    asked = operator.post(f"{path}/ask", json={"Text": "Which meter?"}, headers=tag(taken))
    assert (asked.json()["Status"], asked.json()["Clock"]) == ("INFORMATION_REQUESTED", "PAUSED")
    assert operator.post(f"{path}/decide", json={"Outcome": "FAILED", **BECAUSE}, headers=tag(taken)).status_code == 412
    allowed = [one["Operation"] for one in mine.get(f"{path}/actions").json()["items"] if one["Allowed"]]
    assert allowed == ["answer_information", "withdraw_application"]
    answered = mine.post(f"{path}/answer", json={"Text": "The second one."}, headers=tag(asked))
    decision = {"Outcome": "QUALIFIED", **BECAUSE, "ValidUntil": str(today() + timedelta(days=365))}
    refused = operator.post(f"{path}/decide", json={"Outcome": "QUALIFIED", **BECAUSE}, headers=tag(answered))
    assert (refused.status_code, refused.json()["findings"][0]["field"]) == (422, "ValidUntil")
    done = operator.post(f"{path}/decide", json=decision, headers=tag(answered))
    assert (done.json()["Status"], done.json()["Clock"], done.json()["WorkingDaysLeft"]) == (
        "QUALIFIED",
        "STOPPED",
        None,
    )
    for reader in (mine, operator, governor):
        certificate = reader.get(f"{path}/certificate")
        assert (certificate.status_code, certificate.headers["Content-Type"]) == (200, "application/pdf")
        assert certificate.content.startswith(b"%PDF-")
    assert stranger.get(f"{path}/certificate").status_code == 404
    coded = {"Text": "It is unsafe.", "ReasonCode": "SAFETY"}
    halted = operator.post(f"{path}/suspend", json=coded, headers=tag(done))
    assert mine.get(f"{path}/certificate").status_code == 409, "a suspended qualification has none"
    again = operator.post(f"{path}/lift", json={"Text": "It is safe."}, headers=tag(halted))
    asks = operator.post(
        f"{path}/reassess", json={"Text": "We look again.", "ReasonCode": "PERIODIC"}, headers=tag(again)
    )
    assert (asks.json()["Status"], asks.json()["QualifiedAt"]) == ("REASSESSMENT_REQUIRED", done.json()["QualifiedAt"])
    people = operator.post(f"{path}/assign", json={"UserId": None}, headers=tag(asks))
    ended = mine.post(f"{path}/withdraw", json={"Text": "The site closes."}, headers=tag(people))
    assert (ended.json()["Status"], ended.json()["QualifiedAt"]) == ("WITHDRAWN", None)
    final = mine.post(f"{path}/renew", json={"Text": "For another year."}, headers=tag(ended))
    assert final.status_code == 409
    assert len(mine.get(f"{path}/history").json()["items"]) == ended.json()["Version"]


def test_like_cases_and_filters(program: Program) -> None:
    mine, operator = program(), program(dno())
    made = [apply(mine, a_unit(mine, code)).json()["items"][0] for code in ("A", "B", "C")]
    first = operator.get("/v1/qualifications?limit=2&Status=SUBMITTED").json()
    rest = operator.get(first["next"].removeprefix("/api")).json()
    assert [one["UnitCode"] for one in (*first["items"], *rest["items"])] == ["C", "B", "A"]
    cases = [{"QualificationId": one["QualificationId"], "Version": one["Version"]} for one in made]
    body = {"Outcome": "FAILED", **BECAUSE, "ReasonCode": "METERING", "Cases": cases}
    stale = operator.post(
        "/v1/qualifications/decisions", json={**body, "Cases": [*cases[:2], {**cases[2], "Version": 9}]}
    )
    assert (stale.status_code, [one["id"] for one in stale.json()["blockers"]]) == (409, [cases[2]["QualificationId"]])
    done = operator.post("/v1/qualifications/decisions", json=body)
    assert {one["Status"] for one in done.json()["items"]} == {"FAILED"}
    assert len(mine.get("/v1/qualifications?Status=FAILED&ProductCode=SU&Clock=STOPPED").json()["items"]) == 3
    assert mine.get("/v1/qualifications?Clock=NEVER").json()["findings"][0]["field"] == "Clock"
    assert mine.get("/v1/qualifications?Colour=red").status_code == 422


def test_what_is_said_and_evidence(program: Program, governor: httpx.Client) -> None:
    mine, operator = program(), program(dno())
    [one] = apply(mine, a_unit(mine)).json()["items"]
    path = f"/v1/qualifications/{one['QualificationId']}/messages"
    assert mine.post(path, json={"Text": "Hello there."}).json()["findings"][0]["field"] == "Audience"
    note = mine.post(path, json={"Text": "The inverter is broken.", "Audience": "OWN_ORGANISATION"})
    shared = mine.post(path, json={"Text": "See the report.", "Audience": "EVERYONE"})
    file = mine.post(f"{path}/{shared.json()['MessageId']}/attachments?FileName=report", content=PDF)
    assert (file.status_code, file.json()["FileName"]) == (201, "report.pdf")
    hidden = mine.post(f"{path}/{note.json()['MessageId']}/attachments?FileName=fault", content=PDF)
    refused = mine.post(f"{path}/{shared.json()['MessageId']}/attachments?FileName=a.pdf", content=b"a,b\n1,2")
    assert refused.json()["findings"][0]["code"] == "FILE-02"
    for reader in (operator, governor):
        assert [said["Text"] for said in reader.get(path).json()["items"]] == ["See the report."]
        assert reader.get(hidden.json()["Href"].removeprefix("/api")).status_code == 404
        assert reader.get(note.headers["Location"].removeprefix("/api")).status_code == 404
        assert reader.get(file.headers["Location"].removeprefix("/api")).content == PDF
    assert mine.get(shared.headers["Location"].removeprefix("/api")).json()["Attachments"] == [file.json()]


def test_accepting_what_a_colleague_qualified_and_readiness(program: Program) -> None:
    first, second = dno(), dno("Northern Powergrid plc", "NPG_NE")
    mine, here, there = program(), program(first), program(second)
    unit = a_unit(mine, north=True)
    [one] = apply(mine, unit, Products=[{"ProductCode": "SU", "AddressedTo": [str(first.id)]}]).json()["items"]
    path = f"/v1/qualifications/{one['QualificationId']}"
    decision = {"Outcome": "QUALIFIED", **BECAUSE, "ValidUntil": str(today() + timedelta(days=3000))}
    here.post(f"{path}/decide", json=decision, headers=tag(here.get(path)))
    assert there.get(path).status_code == 404
    [shown] = there.get(f"/v1/qualifications/elsewhere?UnitId={unit}").json()["items"]
    assert set(shown) == {
        "QualificationId", "UnitId", "UnitName", "UnitCode", "ProductCode", "Operator", "ValidFrom", "ValidUntil",
        "Conditions", "ForProduct", "Note",
    }  # fmt: skip
    ready = f"/v1/readiness?UnitId={unit}&ProductCode=SU&AddressedTo={second.id}&Date=2030-06-01"
    told = mine.get(ready).json()
    assert (told["Ready"], [one["Code"] for one in told["Missing"]]) == (False, ["QUALIFICATION"])
    body = {"QualificationId": one["QualificationId"], "ProductCode": "SU"}
    assert here.post("/v1/qualifications/accept", json=body).status_code == 404
    accepted = there.post("/v1/qualifications/accept", json=body)
    assert (accepted.status_code, accepted.json()["AcceptedFrom"]) == (201, one["QualificationId"]), accepted.text
    assert mine.get(ready).json()["Ready"] is True
    assert there.get("/v1/qualifications/elsewhere").json()["items"] == []
    assert here.get(ready).status_code == 403


@pytest.mark.parametrize(
    "act", ["take", "assign", "ask", "answer", "decide", "suspend", "lift", "reassess", "renew", "withdraw"]
)
def test_every_change_names_the_version_it_is_a_change_of(program: Program, act: str) -> None:
    mine, operator = program(), program(dno())
    [one] = apply(mine, a_unit(mine)).json()["items"]
    who = mine if act in ("answer", "renew", "withdraw") else operator
    bodies = {
        "assign": {"UserId": None},
        "decide": {"Outcome": "FAILED", **BECAUSE},
        "suspend": {"Text": "Because.", "ReasonCode": "SAFETY"},
        "reassess": {"Text": "Because.", "ReasonCode": "PERIODIC"},
    }
    path = f"/v1/qualifications/{one['QualificationId']}/{act}"
    body = None if act == "take" else bodies.get(act, {"Text": "Because."})
    assert who.post(path, json=body).status_code == 428
    assert who.post(path, json=body, headers={"If-Match": '"99"'}).status_code == 412
