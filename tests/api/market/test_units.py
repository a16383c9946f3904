"""Market units over HTTP, with the rules and words of the portal (UC-03.01 to UC-03.04)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models.assets import Asset, AssetStatus
from services.assets.registration.lifecycle import move
from services.core.transaction import current_session, unit_of_work
from tests.api.conftest import Program
from tests.asset_factories import STAMP, an_mpan, battery
from tests.factories import make_organisation

UNIT = {"UnitName": "Riverside batteries", "UnitCode": "RIV-DSO", "Family": "DSO"}


def batteries(mine: httpx.Client, count: int = 1, **changes: Any) -> list[str]:
    """Batteries whose checks have agreed."""
    made = [mine.post("/v1/assets", json=battery(**changes)).json()["AssetId"] for _ in range(count)]
    with unit_of_work(STAMP, writes=True):
        for asset in current_session().scalars(select(Asset)).all():
            if str(asset.id) in made:
                move(asset, AssetStatus.VERIFIED, "conclude_checks")
    return made


def tag(answer: httpx.Response) -> dict[str, str]:
    """The header of a change of what was answered."""
    return {"If-Match": answer.headers["ETag"]}


@pytest.mark.use_case("UC-03.01")
def test_a_unit_is_tried_made_read_and_listed(program: Program) -> None:
    mine, stranger = program(), program()
    assets = batteries(mine, 2, RatedCapacity="2500.55", GenCapacity="2500.55")
    tried = mine.post("/v1/market-units/preview", json={"Family": "DSO", "Assets": assets})
    assert tried.status_code == 200, tried.text
    assert (tried.json()["After"]["UpCapacity"], tried.json()["After"]["UnitType"]) == (5001.1, "SPG")
    assert '"UpCapacity":5001.10' in tried.text, "exact to the last digit"
    made = mine.post("/v1/market-units", json={**UNIT, "Assets": assets})
    assert made.status_code == 201, made.text
    path = made.headers["Location"].removeprefix("/api")
    found = mine.get(path)
    assert found.json() == made.json()
    assert found.json()["Areas"] == [
        {"DNOConnection": "UKPN_EPN", "GspGroup": "_A", "Assets": 2, "UpCapacity": 5001.1, "DownCapacity": 4800.0}
    ]
    assert found.json()["Limits"]["response"]["Missing"] == 2
    listed = mine.get("/v1/market-units", params={"Family": "DSO", "UpCapacityMin": "5000", "limit": 1}).json()
    assert ([one["UnitCode"] for one in listed["items"]], listed["next"]) == (["RIV-DSO"], None)
    first = mine.get(f"{path}/assets", params={"limit": 1}).json()
    second = mine.get(first["next"].removeprefix("/api")).json()
    assert sorted(one["AssetId"] for page in (first, second) for one in page["items"]) == sorted(assets)
    for unseen in ("", "/assets", "/steps", "/history"):
        assert stranger.get(f"{path}{unseen}").status_code == 404
    assert stranger.get("/v1/market-units").json() == {"items": [], "next": None}
    assert mine.get("/v1/market-units", params={"Famly": "DSO"}).status_code == 422
    assert mine.get("/v1/market-units", params={"after": "nonsense"}).status_code == 422


@pytest.mark.use_case("UC-03.01")
def test_what_stands_in_the_way_is_said_at_once_and_named(program: Program) -> None:
    mine, rival = program(), program()
    theirs, asset = batteries(rival)[0], batteries(mine)[0]
    pending = mine.post("/v1/assets", json=battery()).json()["AssetId"]
    refused = mine.post("/v1/market-units", json={**UNIT, "UnitCode": "a b", "Assets": [theirs, pending, asset]})
    assert refused.status_code == 422
    assert [one["code"] for one in refused.json()["findings"]] == ["UNIT-01", "UNIT-05", "UNIT-06"]
    made = mine.post("/v1/market-units", json={**UNIT, "AssetFilter": {"AssetCategory": ["BESS"]}})
    assert (made.status_code, made.json()["Assets"]) == (201, 1)
    again = mine.post("/v1/market-units", json={**UNIT, "UnitCode": "RIV-2", "Assets": [asset]})
    assert again.status_code == 409
    blocker = again.json()["blockers"][0]
    assert (blocker["kind"], blocker["id"]) == ("market_unit", made.json()["UnitId"])
    same_code = mine.post("/v1/market-units", json={**UNIT, "Assets": batteries(mine)})
    assert same_code.status_code == 409
    assert made.json()["UnitId"] in same_code.text
    wrong = mine.post("/v1/market-units", json={**UNIT, "AssetFilter": {"Categry": ["BESS"]}})
    assert wrong.status_code == 422


@pytest.mark.use_case("UC-03.03")
def test_composition_is_tried_changed_and_read_as_of(program: Program) -> None:
    mine = program()
    first, second, third = batteries(mine, 3)
    made = mine.post("/v1/market-units", json={**UNIT, "Assets": [first]})
    path = f"/v1/market-units/{made.json()['UnitId']}"
    before = datetime.now(UTC)
    tried = mine.post(f"{path}/preview", json={"Add": [second], "Remove": []}).json()
    assert tried["Material"]
    assert "SPU to SPG" in tried["Words"]
    assert mine.patch(path, json={"Add": [second]}).status_code == 428
    changed = mine.patch(path, json={"Add": [second, third], "Remove": [first], "UnitName": "Weir"}, headers=tag(made))
    assert changed.status_code == 200, changed.text
    assert (changed.json()["Composition"], changed.json()["UnitName"], changed.json()["Assets"]) == (2, "Weir", 2)
    stale = mine.patch(path, json={"Remove": [second]}, headers=tag(made))
    assert stale.status_code == 412
    assert "UnitName" in stale.text
    last = mine.patch(path, json={"Remove": [second, third]}, headers=tag(changed))
    assert last.status_code == 409
    assert "De-register the unit instead" in last.text
    then = mine.get(path, params={"as_of": before.isoformat()}).json()
    assert (then["Composition"], then["Assets"], then["UnitType"]) == (1, 1, "SPU")
    inside = mine.get(f"{path}/assets", params={"as_of": before.isoformat()}).json()["items"]
    assert [one["AssetId"] for one in inside] == [first]
    assert inside[0]["UntilAt"] is not None
    assert mine.get(path, params={"as_of": (before - timedelta(days=2)).isoformat()}).status_code == 404
    assert [one["Added"] for one in mine.get(f"{path}/steps").json()["items"]] == [1, 2]
    assert mine.get(f"{path}/history").json()["items"][0]["UseCase"] == "UC-03.03"


@pytest.mark.use_case("UC-03.04")
def test_a_unit_ends_once_with_a_reason(program: Program) -> None:
    mine = program()
    assets = batteries(mine)
    made = mine.post("/v1/market-units", json={**UNIT, "Assets": assets})
    path = f"/v1/market-units/{made.json()['UnitId']}"
    assert mine.post(f"{path}/deregister", json={"Reason": "x"}, headers=tag(made)).status_code == 422
    ended = mine.post(f"{path}/deregister", json={"Reason": "Not offered any more"}, headers=tag(made))
    assert (ended.status_code, ended.json()["Status"]) == (200, "DEREGISTERED")
    again = mine.post(f"{path}/deregister", json={"Reason": "Once more"}, headers=tag(ended))
    assert again.status_code == 409


@pytest.mark.use_case("UC-03.02")
def test_the_administrator_reassigns_on_evidence(program: Program, governor: httpx.Client) -> None:
    gaining = make_organisation("Kelvin Heat")
    mine, theirs = program(), program(gaining)
    made = mine.post("/v1/market-units", json={**UNIT, "Assets": batteries(mine, ImportMPAN=an_mpan())})
    path = f"/v1/market-units/{made.json()['UnitId']}"
    body = {"ServiceProviderId": str(gaining.id), "Evidence": "Contract of sale of 3 May 2026"}
    assert mine.post(f"{path}/reassign", json=body, headers=tag(made)).status_code == 403
    short = governor.post(f"{path}/reassign", json={**body, "Evidence": "x"}, headers=tag(made))
    assert [one["code"] for one in short.json()["findings"]] == ["UNIT-31"]
    moved = governor.post(f"{path}/reassign", json=body, headers=tag(made))
    assert moved.status_code == 200, moved.text
    assert moved.json()["ServiceProviderId"] == str(gaining.id)
    assert theirs.get(path).status_code == 200
    assert mine.get(path).status_code == 404
