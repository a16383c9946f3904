"""Where applications and units are, counted for maps: by GSP group, clock and family, within what one may see."""

from datetime import timedelta

import pytest
import time_machine

from models.qualifications import QualificationStatus
from services.market.qualification.counts import tally_qualifications
from services.market.qualification.filters import SEVERAL_GROUPS, QualificationFilters
from services.market.qualification.listing import work_queue
from services.market.qualification.map_counts import PlaceCount, applications_by_place, units_by_place
from services.market.unit_changes.deregistration import deregister_unit
from services.market.units.listing import UnitFilters, count_units
from tests import asset_factories
from tests.asset_factories import make_provider
from tests.services.market.test_opportunities import LONDON, small
from tests.services.market.test_statistics import START, applied, moved, operator
from tests.unit_factories import make_unit

pytestmark = pytest.mark.both_engines

S = QualificationStatus


@pytest.mark.use_case("UC-04.02")
def test_applications_by_group_and_clock(register: str) -> None:
    network, provider = operator("UKPN_EPN"), make_provider()
    assert network.organisation_id and provider.organisation_id  # noqa: PT018
    unit = make_unit(provider, code="ONE").unit
    late, fresh = START, START + timedelta(days=40)
    for product, at, group in (("SU", late, "_A"), ("PR", fresh, "_A"), ("SOU", fresh, ""), ("OU2", fresh, "_C")):
        asked = applied(unit.id, provider.organisation_id, network.organisation_id, at, product, 100, group)
    moved(asked, (fresh, S.IN_ASSESSMENT, "take_application", None))
    moved(asked, (fresh, S.INFORMATION_REQUESTED, "ask_information", None))
    with time_machine.travel(fresh + timedelta(days=1), tick=False):
        counts = applications_by_place(network)
        assert counts == [
            PlaceCount("", "IN_TIME", 1),
            PlaceCount("_A", "IN_TIME", 1),
            PlaceCount("_A", "LATE", 1),
            PlaceCount("_C", "PAUSED", 1),
        ]
        for one in counts:
            chosen = QualificationFilters(gsp_group=(one.gsp_group or SEVERAL_GROUPS,), clock=(one.kind,))
            assert len(work_queue(network, chosen)) == one.count, "the table has what the piece says"
            assert sum(tally_qualifications(network, chosen).statuses.values()) == one.count
        assert applications_by_place(network, QualificationFilters(product=("SU",))) == [PlaceCount("_A", "LATE", 1)]
        assert applications_by_place(operator("NPG_YK")) == []


@pytest.mark.use_case("UC-05.01")
def test_units_by_group_and_family(register: str) -> None:
    first, second = make_provider("First"), make_provider("Second")
    make_unit(first, small(first, 100), small(first, 100, **LONDON), code="BOTH", family="DSO")
    make_unit(first, small(first, 100), code="ONE", family="RESPONSE")
    ended = make_unit(first, small(first, 100), code="ENDED", family="RESERVE").unit
    deregister_unit(first, ended.id, "No longer needed.", ended.version)
    make_unit(second, small(second, 100), code="ONE", family="DSO")
    mine = units_by_place(first)
    assert {(one.gsp_group, one.kind, one.count) for one in mine} >= {
        ("_A", "DSO", 1),
        ("_A", "RESPONSE", 1),
        ("_C", "DSO", 1),
    }
    for one in mine:
        if one.kind != "DEREGISTERED":
            chosen = UnitFilters(gsp_group=(one.gsp_group,), family=(one.kind,), status=("ACTIVE",))
            assert count_units(first, chosen) == one.count
    everything = units_by_place(asset_factories.make_administrator(), UnitFilters(family=("DSO",)))
    assert everything == [PlaceCount("_A", "DSO", 2), PlaceCount("_C", "DSO", 1)]
    assert units_by_place(make_provider("Third")) == []
