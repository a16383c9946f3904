"""Opportunities over HTTP: a unit, a portfolio, a selection of assets, and what would close a gap (UC-04.03)."""

from uuid import uuid4

import pytest

from models.assets import Asset
from models.participants import Organisation
from services.core.identity.actor import Actor
from tests import factories
from tests.api.conftest import Program
from tests.factories import make_organisation, make_user
from tests.unit_factories import make_unit, verified

pytestmark = pytest.mark.use_case("UC-04.03")


def somebody(name: str = "Northgate Ltd") -> tuple[Actor, Organisation]:
    """An FSP's person, and the organisation."""
    organisation = make_organisation(name)
    return factories.actor_of(make_user(organisation)), organisation


def small(actor: Actor, power: int) -> Asset:
    """A Verified battery of this many kW both ways."""
    capacities = dict.fromkeys(("RatedCapacity", "GenCapacity", "DemandCapacity"), power)
    return verified(actor, **capacities, StorageCapacity_kWh=power * 2, ResponseTime_s=1)


def test_a_unit_and_what_would_close_its_gap(program: Program) -> None:
    actor, organisation = somebody()
    unit = make_unit(actor, small(actor, 940), family="RESPONSE").unit
    free = small(actor, 100)
    mine, stranger = program(organisation), program()
    path = f"/v1/opportunities?UnitId={unit.id}"
    found = mine.get(path)
    assert found.status_code == 200, found.text
    told = found.json()
    assert (told["UnitId"], told["Assets"], told["UpCapacity"]) == (str(unit.id), 1, 940)
    dc = next(one for one in told["items"] if one["ProductCode"] == "DC")
    assert dc["Standing"] == "NEARLY"
    least = next(one for one in dc["Reasons"] if one["Requirement"] == "MIN_CAPACITY")
    assert (least["Met"], least["ShortBy"]) == (False, 60)
    assert least["Words"] == "Needs 1,000 kW in one GSP group; has 940 kW in _A: 60 kW short."
    closing = mine.get(f"/v1/opportunities/{unit.id}/DC/closing").json()
    assert [one["AssetId"] for one in closing["Assets"]] == [str(free.id)]
    assert (closing["Closes"], closing["StandingAfter"]) == (True, "ELIGIBLE")
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"/v1/opportunities/{unit.id}/DC/closing").status_code == 404
    assert mine.get(f"/v1/opportunities/{unit.id}/NOPE/closing").status_code == 422
    assert mine.get(f"/v1/opportunities?UnitId={uuid4()}").status_code == 404


def test_what_would_close_the_gap_of_a_selection(program: Program) -> None:
    actor, organisation = somebody()
    chosen, free = small(actor, 940), small(actor, 100)
    mine, stranger = program(organisation), program()
    body = {"AssetIds": [str(chosen.id)]}
    closing = mine.post("/v1/opportunities/DC/closing", json=body).json()
    assert [one["AssetId"] for one in closing["Assets"]] == [str(free.id)]
    assert (closing["Gap"], closing["Closes"], closing["StandingAfter"]) == (60, True, "ELIGIBLE")
    assert stranger.post("/v1/opportunities/DC/closing", json=body).status_code == 404
    assert mine.post("/v1/opportunities/NOPE/closing", json=body).status_code == 422


def test_a_portfolio_by_page_and_in_numbers(program: Program) -> None:
    actor, organisation = somebody()
    for power in (1200, 940, 10):
        make_unit(actor, small(actor, power), code=f"R-{power}", family="RESPONSE")
    mine = program(organisation)
    first = mine.get("/v1/opportunities?ProductCode=DC&limit=2").json()
    assert [(one["UnitCode"], one["Standing"]) for one in first["items"]] == [("R-10", "NOT"), ("R-940", "NEARLY")]
    rest = mine.get(first["next"].removeprefix("/api")).json()
    assert [one["UnitCode"] for one in rest["items"]] == ["R-1200"]
    assert rest["next"] is None
    near = mine.get("/v1/opportunities?Standing=NEARLY&SubMarket=Response").json()["items"]
    assert {one["ProductCode"] for one in near} == {"DC", "DM", "DR", "SFFR"}
    numbers = mine.get("/v1/opportunities/summary?ProductCode=DC").json()
    assert numbers["Units"] == 3
    [dc] = numbers["items"]
    assert (dc["Eligible"], dc["Nearly"], dc["NotEligible"], dc["EligibleCapacity"]) == (1, 1, 1, 1200)
    assert mine.get("/v1/opportunities?Standing=PERHAPS").status_code == 422
    assert mine.get("/v1/opportunities?Standig=NEARLY").status_code == 422
    assert program().get("/v1/opportunities").json() == {"items": [], "next": None}


def test_a_selection_of_assets(program: Program) -> None:
    actor, organisation = somebody()
    first, second = small(actor, 600), small(actor, 500)
    mine = program(organisation)
    ids = [str(first.id), str(second.id)]
    told = mine.post("/v1/opportunities", json={"AssetIds": ids}).json()
    assert (told["UnitId"], told["Assets"], told["UpCapacity"]) == (None, 2, 1100)
    eligible = {one["ProductCode"] for one in told["items"] if one["Standing"] == "ELIGIBLE"}
    assert {"DC", "SR", "SU"} <= eligible
    asked = mine.post("/v1/opportunities", json={"AssetIds": ids, "Family": "DSO"}).json()["items"]
    assert {one["Family"] for one in asked if one["Standing"] == "ELIGIBLE"} == {"DSO"}
    assert mine.post("/v1/opportunities", json={"AssetIds": []}).status_code == 422
    assert program().post("/v1/opportunities", json={"AssetIds": ids}).status_code == 404
