"""Service windows over HTTP (UC-03.04)."""

from datetime import timedelta

import pytest

from services.core.clock import now, today
from tests.api.conftest import Program
from tests.api.market.test_qualifications import a_unit, apply, dno

pytestmark = pytest.mark.use_case("UC-03.04")
PATH = "/v1/qualifications"


def test_a_window_is_confirmed_listed_and_called_off(program: Program) -> None:
    mine, operator = program(), program(dno())
    unit = a_unit(mine, "RIV-1")
    [made] = apply(mine, unit).json()["items"]
    one = f"{PATH}/{made['QualificationId']}"
    soon = (now() + timedelta(days=2)).replace(microsecond=0)
    body = {"StartsAt": soon.isoformat(), "EndsAt": (soon + timedelta(hours=2)).isoformat(), "Note": "Storm reserve"}
    early = operator.post(f"{one}/service-windows", json=body)
    assert early.status_code == 409, "nothing is approved yet"
    decision = {"Outcome": "QUALIFIED", "Reason": "Tested.", "ValidUntil": str(today() + timedelta(days=90))}
    decided = operator.post(f"{one}/decide", json=decision, headers={"If-Match": f'"{made["Version"]}"'})
    assert decided.status_code == 200, decided.text
    naive = operator.post(f"{one}/service-windows", json={**body, "StartsAt": "2027-01-01T10:00:00"})
    assert (naive.status_code, naive.json()["findings"][0]["code"]) == (422, "WINDOW-01")
    confirmed = operator.post(f"{one}/service-windows", json=body)
    assert confirmed.status_code == 201, confirmed.text
    window = confirmed.json()
    assert (window["Note"], window["CalledOffAt"], window["UnitId"]) == ("Storm reserve", None, unit)
    assert [found["ServiceWindowId"] for found in mine.get(f"{one}/service-windows").json()["items"]] == [
        window["ServiceWindowId"]
    ]
    assert mine.post(f"{one}/service-windows", json=body).status_code == 403
    kept = mine.post(
        f"{one}/withdraw", json={"Text": "The site was sold."}, headers={"If-Match": decided.headers["ETag"]}
    )
    assert (kept.status_code, len(kept.json()["blockers"])) == (409, 1)
    assert program(dno("Northern Powergrid plc", "NPG_NE")).get(f"{one}/service-windows").status_code == 404
    off = f"{PATH}/service-windows/{window['ServiceWindowId']}/call-off"
    assert operator.post(off, json={"Reason": "Moved."}).status_code == 428
    done = operator.post(off, json={"Reason": "Moved."}, headers={"If-Match": confirmed.headers["ETag"]})
    assert (done.status_code, done.json()["CalledOffReason"]) == (200, "Moved."), done.text
