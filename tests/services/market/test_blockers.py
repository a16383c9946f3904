"""Top blockers: what stops most units from being eligible, for each viewer's own view (UC-05.02)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import event

from models.participants import Role
from models.products import Family
from services.core.clock import now
from services.core.db.engine import engine
from services.core.errors import Forbidden
from services.core.identity.actor import Actor
from services.market.eligibility.portfolio import OpportunityFilters, list_opportunities
from services.market.eligibility.requirements import EligibilityStanding, Requirement
from services.market.statistics.model import MarketFilters
from services.market.statistics.top_blockers import Blockers, TopBlocker, top_blockers
from services.market.unit_changes.deregistration import deregister_unit
from tests import asset_factories
from tests.asset_factories import make_organisation, make_provider
from tests.market_factories import make_dso, make_neso
from tests.services.market.test_opportunities import LONDON, small
from tests.unit_factories import make_unit

pytestmark = pytest.mark.use_case("UC-05.02")


def of(found: Blockers, product: str, requirement: Requirement) -> list[TopBlocker]:
    """What is said of one requirement of one product."""
    return [one for one in found.items if product in one.product_codes and one.requirement is requirement]


def portfolio(name: str = "Northgate", count: int = 2) -> Actor:
    """A provider with units of 940 kW and less in eastern England, and one large enough in London."""
    actor = make_provider(name)
    for number in range(count):
        make_unit(actor, small(actor, 940 - 100 * number), code=f"A-{number}", family="RESPONSE")
    make_unit(actor, small(actor, 1200, **LONDON), code="LONDON", family="RESPONSE")
    return actor


@pytest.mark.both_engines
def test_what_stops_most_units_in_words_with_numbers(register: str) -> None:
    actor = portfolio()
    found = top_blockers(actor, MarketFilters(products=("DC",)))
    [least] = of(found, "DC", Requirement.MIN_CAPACITY)
    assert (least.gsp_group, least.units, least.alone, least.kw) == ("_A", 2, 2, Decimal(1780))
    assert (least.nearest, least.label) == (Decimal(60), "DC: less than 1,000 kW in _A")
    assert least.words == (
        "DC: less than 1,000 kW in _A stops 2 units (1.8 MW), 2 of them by nothing else; the nearest is 60 kW short."
    )
    assert (found.units, found.anonymised, found.more, found.items) == (3, False, 0, [least])
    [alike] = of(top_blockers(actor, MarketFilters(products=("DC", "DM", "DR"))), "DC", Requirement.MIN_CAPACITY)
    assert (alike.product_codes, alike.units) == (("DC", "DM", "DR"), 2), "the same units by the same: one line"
    assert alike.words.startswith("DC, DM and DR: less than 1,000 kW in _A stops 2 units")
    ranked = [one.units for one in top_blockers(actor).items]
    assert ranked == sorted(ranked, reverse=True)


def test_too_slow_too_short_and_the_wrong_way_round(register: str) -> None:
    actor = make_provider()
    asset = small(actor, 2000, ResponseTime_s=30, StorageCapacity_kWh=500, DemandCapacity=0)
    make_unit(actor, asset, code="SLOW", family="RESPONSE")
    slow = top_blockers(actor, MarketFilters(families=(Family.RESPONSE,)))
    words = {one.label: one.words for one in slow.items}
    assert any("slower than" in label and "too slow" in said for label, said in words.items())
    assert {one.requirement for one in slow.items} >= {Requirement.FULL_DELIVERY, Requirement.DURATION}
    assert all(one.family is Family.RESPONSE for one in slow.items)
    assert all(one.alone == 0 or one.alone == one.units for one in slow.items)


def test_the_units_behind_a_blocker_are_the_ones_that_are_counted(register: str) -> None:
    actor = portfolio()
    for one in top_blockers(actor).items:
        filters = OpportunityFilters(
            family=(one.family,),
            product_code=one.product_codes,
            unmet=(one.requirement,),
            gsp_group=(one.gsp_group,) if one.gsp_group else (),
        )
        lines = list_opportunities(actor, filters).items
        assert len({line.unit_id for line in lines}) == one.units, one.label
        assert len(lines) == one.units * len(one.product_codes)
        assert all(line.verdict.eligibility is not EligibilityStanding.ELIGIBLE for line in lines)


def test_each_sees_its_own_and_an_operator_what_it_buys(register: str) -> None:
    first, second = portfolio("First"), portfolio("Second", count=1)
    assert (top_blockers(first).units, top_blockers(second).units) == (3, 2)
    assert top_blockers(asset_factories.make_administrator()).units == 5
    dso, neso = make_dso(), make_neso()
    assert top_blockers(dso).units == 3, "those in eastern England"
    assert not top_blockers(dso).items, "no DSO buys response"
    assert {code for one in top_blockers(neso).items for code in one.product_codes} >= {"DC"}
    assert dso.organisation_id
    everything = asset_factories.make_administrator()
    assert not top_blockers(everything, MarketFilters(operators=(dso.organisation_id,))).items
    assert top_blockers(everything, MarketFilters(until=date(2020, 1, 1))).items, "what stops units is told as of now"
    with pytest.raises(Forbidden):
        top_blockers(asset_factories.make_actor(make_organisation("Fitters", ["Installer"]), Role.INSTALLER))


@pytest.mark.both_engines
def test_counted_once_while_nothing_changes_and_anew_once_it_does(register: str) -> None:
    actor = portfolio()
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    first = top_blockers(actor)
    event.listen(engine(), "before_cursor_execute", note)
    try:
        assert top_blockers(actor) is first
        assert not [one for one in statements if "unit_area" in one]
    finally:
        event.remove(engine(), "before_cursor_execute", note)
    another = make_unit(actor, small(actor, 500), small(actor, 450), code="NEW", family="RESPONSE")
    [least] = of(top_blockers(actor), "DC", Requirement.MIN_CAPACITY)
    assert (least.units, least.nearest) == (3, Decimal(50))
    deregister_unit(actor, another.unit.id, "No longer needed.", another.unit.version)
    assert top_blockers(actor).units == 3


def test_viewers_get_no_small_figure_and_none_by_difference(register: str) -> None:
    providers = [make_provider(f"Provider {number}") for number in range(3)]
    viewer = asset_factories.make_actor(make_organisation("Ministry", ["Other"]), Role.VIEWER)
    for provider in providers[:2]:
        make_unit(provider, small(provider, 400), code="ONE", family="RESPONSE")
    few = top_blockers(viewer)
    assert (few.items, few.units, few.more, few.withheld) == ([], None, None, True)
    for number, provider in enumerate(providers):
        for more in range(2):
            make_unit(provider, small(provider, 400 + number), code=f"U-{more}", family="RESPONSE")
    assert top_blockers(viewer) == few, "an edition stands for the day"
    with time_machine.travel(now() + timedelta(days=1)):
        [least] = of(top_blockers(viewer), "DC", Requirement.MIN_CAPACITY)
        assert (least.units, least.alone, least.nearest) == (10, None, None), "8, rounded"
        assert "nearest" not in least.words
        # Two more are also too slow for one product: the larger figure less the smaller one would tell of them.
        narrowed = top_blockers(viewer, MarketFilters(products=("SU",)))
        assert [one.words for one in narrowed.items] == [one.words for one in top_blockers(viewer).items]


def test_a_figure_that_differs_by_a_few_units_from_another_is_left_out(register: str) -> None:
    providers = [make_provider(f"Provider {number}") for number in range(3)]
    for number, provider in enumerate(providers):
        for more in range(2):
            make_unit(provider, small(provider, 400, ResponseTime_s=30), code=f"U-{more}", family="RESPONSE")
        if number == 0:
            make_unit(provider, small(provider, 2000, ResponseTime_s=30), code="LARGE", family="RESPONSE")
    viewer = asset_factories.make_actor(make_organisation("Ministry", ["Other"]), Role.VIEWER)
    everything = top_blockers(asset_factories.make_administrator())
    assert {one.units for one in everything.items} >= {6, 7}
    told = top_blockers(viewer)
    assert {one.units for one in told.items} == {5}, "7, rounded"
    assert told.withheld
