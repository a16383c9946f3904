"""The market in numbers over HTTP: what each may see, the page's filters, figures withheld, what stops units (UC-05.02)."""

from datetime import timedelta

import pytest
import time_machine

from models.qualifications import QualificationStatus
from tests.api.conftest import Program
from tests.api.market.test_opportunities import small, somebody
from tests.factories import make_organisation
from tests.services.market.test_statistics import NOW, START, applied, decide
from tests.unit_factories import make_unit, verified

pytestmark = pytest.mark.use_case("UC-05.02")
PATH = "/v1/market-statistics"


def test_each_gets_its_own_figures_by_the_filters_of_the_page(program: Program) -> None:
    actor, organisation = somebody()
    network = make_organisation("UKPN", ("DNO",), licence_areas=["UKPN_EPN"])
    unit = make_unit(actor, verified(actor), code="ONE").unit
    identifier = applied(unit.id, organisation.id, network.id, START, "SU", 4800)
    decide(identifier, START + timedelta(days=14), QualificationStatus.QUALIFIED)
    with time_machine.travel(NOW):
        mine, theirs, stranger = program(organisation), program(network, ["so_user"]), program()
        told = mine.get(PATH)
        assert told.status_code == 200, told.text
        found = told.json()
        assert (found["AsOf"], found["Anonymised"]) == ("2026-06-10", False)
        assert found["Qualified"] == {"Code": "", "Label": "Qualified", "Count": 1, "Capacity": 4800}
        by = {one["Dimension"]: one for one in found["QualifiedBy"]}
        assert [(one["Code"], one["Capacity"]) for one in by["product"]["items"]] == [("SU", 4800)]
        assert by["gsp"]["OverTime"][0]["Capacity"][-1] == 4800
        assert len(found["Months"]) == 18
        assert [one["Assets"] for one in found["Funnel"][:2]] == [1, 1]
        assert theirs.get(PATH).json()["Qualified"] == found["Qualified"]
        assert stranger.get(PATH).json()["Qualified"]["Count"] == 0
        for query, count in (
            ("Until=2026-03-10", 0),
            ("ProductCode=PR", 0),
            ("ProductCode=SU&ProductCode=PR", 1),
            ("SubMarket=Response", 0),
            ("SubMarket=Scheduled%20Utilisation", 1),
            (f"AddressedTo={network.id}", 1),
            (f"AddressedTo={organisation.id}", 0),
            ("Family=RESPONSE", 0),
        ):
            assert mine.get(f"{PATH}?{query}").json()["Qualified"]["Count"] == count, query
        assert mine.get(f"{PATH}?Untill=2026-03-10").status_code == 422
        assert mine.get(f"{PATH}?Until=soon").status_code == 422


def test_viewers_get_withheld_figures_whatever_they_ask(program: Program) -> None:
    actor, _ = somebody()
    make_unit(actor, small(actor, 940), family="RESPONSE")
    viewer = program(make_organisation("Ampere Ltd", ("Technology Provider / OEM",)), ["viewer"])
    found = viewer.get(f"{PATH}?Family=DSO").json()
    assert found["Anonymised"]
    assert [one["Assets"] for one in found["Funnel"][:2]] == [None, None]
    assert {one["Family"] for one in found["Funnel"]} > {"DSO"}
    stopped = viewer.get(f"{PATH}/blockers").json()
    assert (stopped["items"], stopped["Units"], stopped["Anonymised"]) == ([], None, True)
    fitter = program(make_organisation("Fitters", ("Installer",)), ["installer"])
    assert fitter.get(PATH).status_code == 403
    assert fitter.get(f"{PATH}/blockers").status_code == 403


def test_what_stops_units_leads_to_them(program: Program) -> None:
    actor, organisation = somebody()
    make_unit(actor, small(actor, 940), code="R-940", family="RESPONSE")
    make_unit(actor, small(actor, 1200), code="R-1200", family="RESPONSE")
    mine = program(organisation)
    found = mine.get(f"{PATH}/blockers?ProductCode=DC&Family=RESPONSE").json()
    assert (found["Units"], found["More"]) == (2, 0)
    [one] = found["items"]
    assert (one["Requirement"], one["GspGroup"], one["Units"]) == ("MIN_CAPACITY", "_A", 1)
    assert (one["UnitsStoppedByNothingElse"], one["Capacity"], one["Nearest"]) == (1, 940, 60)
    assert one["Words"].startswith("DC: less than 1,000 kW in _A stops 1 unit (0.9 MW)")
    behind = mine.get(one["Opportunities"].removeprefix("/api")).json()["items"]
    assert [line["UnitCode"] for line in behind] == ["R-940"]
    assert program().get(f"{PATH}/blockers").json()["items"] == []
    assert mine.get(f"{PATH}/blockers?SubMarket=Reserve").json()["items"] == []
    assert mine.get("/v1/opportunities?Unmet=LUCK").status_code == 422
