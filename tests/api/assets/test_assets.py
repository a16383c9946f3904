"""The life of an asset over HTTP (UC-02.01 to UC-02.03, UC-05.01, UC-05.06)."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.participants import Role
from services.core.identity.actor import system_actor
from services.core.register_settings import change_setting
from services.core.transaction import current_session
from tests.api.conftest import Program
from tests.asset_factories import an_mpan, battery
from tests.factories import make_organisation


def exact(answer: httpx.Response) -> Any:
    """The JSON of an answer with its decimals as they were written."""
    return json.loads(answer.content, parse_float=Decimal)


def codes(answer: httpx.Response) -> list[str]:
    """The codes of an answer's findings."""
    return [finding["code"] for finding in answer.json()["findings"]]


@pytest.mark.use_case("UC-02.01")
def test_registering_answers_with_the_record_its_address_and_its_version(program: Program) -> None:
    organisation = make_organisation("Northgate plc")
    mine = program(organisation)
    made = mine.post("/v1/assets", json=battery(AssetName="Riverside 1"))
    assert made.status_code == 201, made.text
    told = made.json()
    assert made.headers["Location"] == f"/api/v1/assets/{told['AssetId']}"
    assert made.headers["ETag"] == '"1"'
    assert (told["Status"], told["AssetName"], told["GspGroup"]) == ("PENDING_VALIDATION", "Riverside 1", "_A")
    assert told["ServiceProviderId"] == told["OrganisationId"] == str(organisation.id)
    assert told["StorageCapacity_kWh"] == 5000
    read = mine.get(made.headers["Location"].removeprefix("/api"))
    assert (read.status_code, read.json(), read.headers["ETag"]) == (200, told, '"1"')


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("written", ["49900.10", '"49900.10"', "49900.1", "4.99001e4"])
def test_power_is_exact_as_number_and_as_text(program: Program, written: str) -> None:
    body = json.dumps(battery(GenCapacity=1, DemandCapacity=1, RatedCapacity="POWER")).replace('"POWER"', written)
    made = program().post("/v1/assets", content=body, headers={"Content-Type": "application/json"})
    assert made.status_code == 201, made.text
    assert b'"RatedCapacity":49900.10' in made.content
    assert exact(made)["RatedCapacity"] == Decimal("49900.10")


@pytest.mark.use_case("UC-02.01")
def test_all_findings_come_at_once_each_with_code_field_given_expected_and_message(program: Program) -> None:
    wrong = battery(RatedCapacity="10 kVA", ImportMPAN="1099900000012", AssetName="Battery #1", Colour="red", Version=3)
    answer = program().post("/v1/assets", json=wrong)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert {finding["field"] for finding in problem["findings"]} >= {
        "RatedCapacity",
        "ImportMPAN",
        "AssetName",
        "Colour",
        "Version",
    }
    for finding in problem["findings"]:
        assert set(finding) == {"code", "field", "given", "expected", "message", "severity"}
    by_field = {finding["field"]: finding for finding in problem["findings"]}
    assert by_field["RatedCapacity"]["given"] == "10 kVA"
    assert by_field["RatedCapacity"]["severity"] == "error"
    assert by_field["Version"]["code"] == "REQUEST-READ-ONLY"


@pytest.mark.use_case("UC-02.01")
def test_warnings_alone_ask_for_a_justification_and_it_stays_with_the_record(program: Program) -> None:
    mine = program()
    far = battery(Latitude="57.1497", Longitude="-2.0943", Postcode=None)
    asked = mine.post("/v1/assets", json=far)
    assert asked.status_code == 422
    assert {finding["severity"] for finding in asked.json()["findings"]} == {"warning"}
    assert "justification" in asked.json()["detail"]
    short = mine.post("/v1/assets", json={**far, "Justification": "is right"})
    assert short.status_code == 422
    made = mine.post("/v1/assets", json={**far, "Justification": "The site is fed from the neighbouring area."})
    assert made.status_code == 201, made.text
    (entry,) = mine.get(f"/v1/assets/{made.json()['AssetId']}/history").json()["items"]
    (kept,) = entry["Changes"]["Justifications"][1]
    assert kept["text"] == "The site is fed from the neighbouring area."


@pytest.mark.use_case("UC-02.01")
def test_a_duplicate_names_the_asset_to_those_who_may_see_it_and_to_nobody_else(program: Program) -> None:
    mine, rival = program(), program()
    values = battery()
    made = mine.post("/v1/assets", json=values).json()
    again = mine.post("/v1/assets", json={**values, "AssetName": "Another name", "FriendlyCode": None})
    assert (again.status_code, again.json()["AssetId"]) == (409, made["AssetId"])
    elsewhere = rival.post("/v1/assets", json={**values, "ImportMPAN": an_mpan()})
    assert elsewhere.status_code == 409
    assert "AssetId" not in elsewhere.json()
    assert made["AssetId"] not in elsewhere.text
    assert "dispute" in elsewhere.json()["detail"]


@pytest.mark.use_case("UC-02.01")
def test_a_registration_can_be_tried_without_registering(program: Program) -> None:
    mine = program()
    assert mine.post("/v1/assets/validate", json=battery()).json() == {"findings": []}
    tried = mine.post("/v1/assets/validate", json=battery(RatedCapacity="0"))
    assert tried.status_code == 200
    assert [one["field"] for one in tried.json()["findings"]][:1] == ["RatedCapacity"]
    assert mine.get("/v1/assets").json()["items"] == []


@pytest.mark.use_case("UC-02.03")
def test_a_change_names_the_version_it_changes(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    assert mine.patch(path, json={"AssetModel": "B"}).status_code == 428
    assert mine.patch(path, json={"AssetModel": "B"}, headers={"If-Match": "*"}).status_code == 428
    changed = mine.patch(path, json={"AssetModel": "AD-9", "RatedCapacity": 2600.5}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"'), changed.text
    assert exact(changed)["RatedCapacity"] == Decimal("2600.50")
    assert changed.json()["StorageCapacity_kWh"] == 5000
    stale = mine.patch(path, json={"AssetModel": "C"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.json()["current"]["AssetModel"] == "AD-9"
    assert stale.json()["changes"]["AssetModel"] == ["AD-2500", "AD-9"]
    for tag in ('W/"2"', "nonsense", '"2"x', '"99999999999999999999"'):
        assert mine.patch(path, json={"AssetModel": "C"}, headers={"If-Match": tag}).status_code == 412, tag
    cleared = mine.patch(path, json={"AssetModel": None}, headers={"If-Match": '"2"'})
    assert (cleared.status_code, cleared.json()["AssetModel"]) == (200, None)


@pytest.mark.use_case("UC-02.03")
def test_a_change_of_what_the_register_writes_is_a_finding_beside_the_others(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    answer = mine.patch(
        path, json={"GspGroup": "_B", "RatedCapacity": -1, "Status": "VERIFIED"}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["findings"]} >= {"GspGroup", "RatedCapacity", "Status"}
    assert mine.get(path).headers["ETag"] == '"1"'


@pytest.mark.use_case("UC-05.01")
def test_a_version_that_the_caller_has_is_not_sent_again(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
        same = mine.get(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", '"1"')
    assert mine.get(path, headers={"If-None-Match": '"2"'}).status_code == 200


@pytest.mark.use_case("UC-05.01")
def test_lists_come_in_pages_that_keep_their_filters_and_miss_nothing(program: Program) -> None:
    mine = program()
    made = [mine.post("/v1/assets", json=battery(RatedCapacity=3000 + n)).json()["AssetId"] for n in range(5)]
    mine.post("/v1/assets", json=battery(RatedCapacity=9000))
    path = "/v1/assets?limit=2&RatedCapacityMax=8000&AssetCategory=BESS&AssetCategory=CHP&order=oldest"
    seen: list[str] = []
    while path:
        answer = mine.get(path).json()
        assert len(answer["items"]) <= 2
        seen += [one["AssetId"] for one in answer["items"]]
        path = (answer["next"] or "").removeprefix("/api")
    assert seen == made


@pytest.mark.use_case("UC-05.01")
def test_filters_are_ontology_terms_and_wrong_values_are_findings(program: Program) -> None:
    mine = program()
    mine.post("/v1/assets", json=battery())

    def count(**filters: str) -> int:
        return len(mine.get("/v1/assets", params=filters).json()["items"])

    assert count(AssetCategory="BESS", Status="PENDING_VALIDATION", DNOConnection="UKPN_EPN", GspGroup="_A") == 1
    assert count(AssetCategory="CHP") == 0
    assert count(RatedCapacityMin="2500.00", RatedCapacityMax="2500") == 1
    assert count(RatedCapacityMin="2500.01") == 0
    wrong = mine.get("/v1/assets", params={"RatedCapacityMin": "much", "Status": "FINE", "after": "x"})
    assert wrong.status_code == 422


@pytest.mark.use_case("UC-05.06")
def test_history_and_the_record_as_of_any_moment(program: Program) -> None:
    mine = program()
    before = datetime.now(UTC)
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery(AssetModel='A')).json()['AssetId']}"
    between = datetime.now(UTC)
    mine.patch(path, json={"AssetModel": "B"}, headers={"If-Match": '"1"'})
    second, first = mine.get(f"{path}/history").json()["items"]
    assert (second["Version"], second["UseCase"], second["Operation"]) == (2, "UC-02.03", "update_asset")
    assert second["Changes"] == {"AssetModel": ["A", "B"]}
    assert (first["Version"], first["UseCase"]) == (1, "UC-02.01")
    assert first["By"].startswith("fmar-")
    then = mine.get(path, params={"as_of": between.isoformat()})
    assert (then.json()["AssetModel"], then.headers["ETag"]) == ("A", '"1"')
    assert mine.get(path, params={"as_of": before.isoformat()}).status_code == 404
    assert mine.get(path, params={"as_of": "2026-11-24T09:00:00"}).status_code == 422
    assert mine.get(path, params={"as_of": "0001-01-01T00:00:00+10:00"}).status_code == 422


@pytest.mark.use_case("UC-02.02")
def test_deregistering_is_final_and_says_why(program: Program) -> None:
    mine = program()
    values = battery()
    path = f"/v1/assets/{mine.post('/v1/assets', json=values).json()['AssetId']}"
    why = {"Reason": "The battery was sold and taken away."}
    assert mine.post(f"{path}/deregister", json=why).status_code == 428
    assert mine.post(f"{path}/deregister", json={"Reason": ""}, headers={"If-Match": '"1"'}).status_code == 422
    ended = mine.post(f"{path}/deregister", json=why, headers={"If-Match": '"1"'})
    assert (ended.status_code, ended.json()["Status"]) == (200, "DEREGISTERED"), ended.text
    assert ended.json()["StatusReason"] == why["Reason"]
    again = mine.post(f"{path}/deregister", json=why, headers={"If-Match": ended.headers["ETag"]})
    assert again.status_code == 409
    assert mine.patch(path, json={"AssetModel": "B"}, headers={"If-Match": ended.headers["ETag"]}).status_code == 409
    assert mine.post("/v1/assets", json=values).status_code == 201


@pytest.mark.use_case("UC-05.01")
def test_another_organisations_asset_answers_exactly_as_one_that_does_not_exist(program: Program) -> None:
    mine, rival = program(), program()
    theirs, nobodys = mine.post("/v1/assets", json=battery()).json()["AssetId"], str(uuid4())
    tag = {"If-Match": '"1"'}
    for method, tail, body in (
        ("GET", "", None),
        ("GET", "?as_of=2026-01-01T00:00:00Z", None),
        ("GET", "/history", None),
        ("GET", "/checks", None),
        ("GET", "/provenance", None),
        ("GET", "/actions", None),
        ("POST", "/checks", None),
        ("PATCH", "", {"AssetModel": "mine now"}),
        ("POST", "/deregister", {"Reason": "It is in my way."}),
        ("POST", "/answer", {"Answer": "Everything is fine."}),
    ):
        seen = [rival.request(method, f"/v1/assets/{one}{tail}", json=body, headers=tag) for one in (theirs, nobodys)]
        assert [one.status_code for one in seen] == [404, 404], (method, tail)
        assert seen[0].text.replace(theirs, "") == seen[1].text.replace(nobodys, ""), (method, tail)
    assert rival.get("/v1/assets").json() == {"items": [], "next": None}
    assert rival.get("/v1/assets", params={"Text": theirs}).json()["items"] == []
    assert theirs not in rival.get("/v1/events").text


@pytest.mark.use_case("UC-05.01")
def test_operators_see_their_areas_the_national_operator_all_and_the_regulator_none(program: Program) -> None:
    mine = program()
    made = mine.post("/v1/assets", json=battery(DNOConnection="UKPN_EPN")).json()["AssetId"]
    inside = program(make_organisation(roles=["DNO"], licence_areas=["UKPN_EPN"]))
    outside = program(make_organisation(roles=["DNO"], licence_areas=["UKPN_LPN"]))
    national = program(make_organisation(roles=["System Operator"]))
    regulator = program(make_organisation(roles=["Regulator"]), [Role.REGULATOR])
    for one, sees in ((inside, True), (outside, False), (national, True)):
        listed = [asset["AssetId"] for asset in one.get("/v1/assets").json()["items"]]
        assert listed == ([made] if sees else [])
        assert one.get(f"/v1/assets/{made}").status_code == (200 if sees else 404)
        assert one.patch(f"/v1/assets/{made}", json={"AssetModel": "B"}, headers={"If-Match": '"1"'}).status_code == 403
    assert regulator.get("/v1/assets").status_code == 403
    assert regulator.get("/v1/events").status_code == 403


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("way", ["GET", "POST"])
def test_looking_up_says_mine_anothers_none_or_malformed(program: Program, way: str) -> None:
    mine, rival = program(), program()
    values = battery(Aliases=[{"scheme": "ECR", "value": "UKPN-77"}])
    made = mine.post("/v1/assets", json=values).json()["AssetId"]

    def asked(one: httpx.Client, **what: str) -> httpx.Response:
        said = {"params": what} if way == "GET" else {"json": what}
        return one.request(way, "/v1/assets/lookup", **said)  # pyright: ignore[reportArgumentType]

    for what in (
        {"MPAN": values["ImportMPAN"]},
        {"SerialNumber": values["SerialNumber"].lower(), "Manufacturer": "ampere devices"},
        {"AliasScheme": "ECR", "AliasValue": "UKPN-77"},
    ):
        own = asked(mine, **what).json()
        assert (own["Outcome"], own["AssetId"]) == ("MINE", made), what
        other = asked(rival, **what)
        assert other.json()["Outcome"] == "OTHER_PROVIDER"
        assert made not in other.text
        assert values["AssetName"] not in other.text
        assert other.json()["WaysOn"]
    none = asked(mine, MPAN=an_mpan("12")).json()
    assert (none["Outcome"], none["Known"]["DNOConnection"]) == ("NONE", "UKPN_LPN")
    malformed = asked(mine, MPAN="123")
    assert (malformed.status_code, codes(malformed)) == (422, ["MPAN-02"])
    assert codes(asked(mine)) == ["LOOKUP-01"]


@pytest.mark.use_case("UC-02.01")
def test_used_up_look_ups_answer_alike_for_hit_and_miss_to_every_credential(program: Program) -> None:
    mine, organisation = program(), make_organisation("Rival plc")
    rivals = [program(organisation), program(organisation)]
    values = [battery() for _ in range(3)]
    for theirs in values:
        assert mine.post("/v1/assets", json=theirs).status_code == 201
    change_setting(system_actor(), "asset.lookups_per_hour", "2", 0)
    for rival in rivals:
        assert rival.post("/v1/assets/lookup", json={"MPAN": an_mpan()}).status_code == 200
    probes = [
        *({"ImportMPAN": one["ImportMPAN"]} for one in values),
        *({"SerialNumber": one["SerialNumber"], "Manufacturer": one["Manufacturer"]} for one in values),
        *({} for _ in range(3)),
    ]
    for path in ("/v1/assets/validate", "/v1/assets"):
        answers = [rival.post(path, json=battery(**probe)) for rival in rivals for probe in probes]
        assert len({(answer.status_code, answer.text) for answer in answers}) == 1, path
        assert answers[0].status_code == (429 if path == "/v1/assets" else 200)
    assert [rival.post("/v1/assets/lookup", json={"MPAN": an_mpan()}).status_code for rival in rivals] == [429, 429]


@pytest.mark.use_case("UC-05.01")
def test_events_follow_one_another_and_can_be_followed(program: Program) -> None:
    mine = program()
    start = mine.get("/v1/events").json()["items"][-1]["Number"]
    ids = [mine.post("/v1/assets", json=battery()).json()["AssetId"] for _ in range(3)]
    first = mine.get("/v1/events", params={"after": start, "limit": 2}).json()
    assert [(one["Type"], one["RecordId"]) for one in first["items"]] == [
        ("asset.registered", ids[0]),
        ("asset.registered", ids[1]),
    ]
    second = mine.get(first["next"].removeprefix("/api")).json()
    assert [one["RecordId"] for one in second["items"]] == [ids[2]]
    assert second["next"] is None
    last = second["items"][-1]["Number"]
    assert mine.get("/v1/events", params={"after": last}).json() == {"items": [], "next": None}


@pytest.mark.use_case("UC-05.01")
def test_whoever_is_shown_something_is_in_the_access_log(program: Program) -> None:
    from sqlalchemy import select

    from models.core import Access
    from services.core.identity.resolve import reading_as_register

    mine = program()
    made = mine.post("/v1/assets", json=battery()).json()["AssetId"]
    mine.get(f"/v1/assets/{made}")
    mine.get("/v1/assets")
    mine.get(f"/v1/assets/{made}/history")
    with reading_as_register("test"):
        rows = list(current_session().scalars(select(Access)))
    kinds = [(row.kind, str(row.record_id) if row.record_id else None) for row in rows]
    assert kinds == [("asset.read", made), ("asset.list", None), ("asset.history", made)]
    assert rows[1].detail == {"ids": [made]}
    assert {row.actor_key for row in rows} == {rows[0].actor_key}
    assert all(row.client_id and row.organisation_id for row in rows)


@pytest.mark.use_case("UC-05.07")
def test_categories_are_json_schemas_that_judge_what_they_describe(program: Program) -> None:
    import jsonschema_rs

    mine = program()
    listed = mine.get("/v1/categories").json()["items"]
    assert "BESS" in {one["AssetCategory"] for one in listed}
    for one in listed:
        schema = mine.get(one["Schema"].removeprefix("/api"))
        assert schema.headers["Content-Type"] == "application/schema+json"
        jsonschema_rs.meta.validate(schema.json())
        assert mine.get(f"/v1/categories/{one['AssetCategory']}").json() == schema.json()
    assert mine.get("/v1/categories/NOTHING").status_code == 404
    assert mine.get("/v1/categories/BESS/versions/99").status_code == 404
    status = mine.get("/v1/code-lists/ConnectionStatus").json()["items"]
    assert {one["Code"] for one in status if one["Active"]} == {"CONNECTED", "PENDING", "DISCONNECTED"}
    assert mine.get("/v1/code-lists/Nothing").status_code == 404
    rows = {one["Permission"]: one for one in mine.get("/v1/permissions").json()["items"]}
    assert (rows["asset.register"]["Yours"], rows["organisation.decide"]["Yours"]) == (["own"], [])
