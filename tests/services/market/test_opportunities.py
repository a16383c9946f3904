"""What units, assets and portfolios may earn: reasons, equivalences, stacking, primacy, closing a gap (UC-04.03)."""

from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import event

from models.assets import Asset
from models.participants import Role
from models.products import Family
from models.qualifications import QualificationStatus
from services.core.db.engine import engine
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.transaction import unit_of_work
from services.market.eligibility.gap_closing import closing_set, closing_set_of_assets
from services.market.eligibility.opportunities import (
    Opportunities,
    Opportunity,
    opportunities_of_assets,
    opportunities_of_unit,
)
from services.market.eligibility.portfolio import OpportunityFilters, list_opportunities, portfolio_in_numbers
from services.market.eligibility.verdicts import EligibilityStanding, Requirement, judge_unit
from services.market.unit_changes.deregistration import deregister_unit
from tests.asset_factories import STAMP, an_mpan, make_actor, make_operator, make_organisation, make_provider
from tests.opportunity_factories import holds
from tests.unit_factories import make_unit, verified

pytestmark = pytest.mark.use_case("UC-04.03")
LONDON = {"DNOConnection": "UKPN_LPN", "Latitude": None, "Longitude": None, "Postcode": None}


def small(actor: Actor, power: int, **changes: object) -> Asset:
    """A Verified battery of this many kW both ways, quick enough for anything, for two hours."""
    values = {
        "RatedCapacity": power,
        "GenCapacity": power,
        "DemandCapacity": power,
        "StorageCapacity_kWh": power * 2,
        "ResponseTime_s": 1,
    }
    if "DNOConnection" in changes:
        values["ImportMPAN"] = an_mpan("12")
    return verified(actor, **{**values, **changes})


def of(found: Opportunities, code: str) -> Opportunity:
    """What is said of one product."""
    return next(one for one in found.items if one.version.code == code)


def national() -> Actor:
    """Somebody at the national operator."""
    return make_actor(make_organisation("NESO", ("System Operator",)), Role.SO_USER)


def test_a_unit_against_every_product(register: str) -> None:
    actor = make_provider()
    unit = make_unit(actor, small(actor, 540), small(actor, 400), family="RESPONSE").unit
    found = opportunities_of_unit(actor, unit.id)
    assert len(found.items) == 23
    assert (found.assets, found.up) == (2, Decimal(940))
    least = next(one for one in of(found, "DC").verdict.reasons if one.requirement is Requirement.MIN_CAPACITY)
    assert least.words == "Needs 1,000 kW in one GSP group; has 940 kW in _A: 60 kW short."
    assert of(found, "DC").verdict.eligibility is EligibilityStanding.NEARLY
    assert of(found, "SU").verdict.eligibility is EligibilityStanding.NOT
    assert of(found, "SU").verdict.apart_from_family is EligibilityStanding.ELIGIBLE
    assert [one.verdict.eligibility for one in found.items] == sorted(
        (one.verdict.eligibility for one in found.items), key=list(EligibilityStanding).index
    )
    with unit_of_work(STAMP, writes=False):
        told = {one.product_code: one for one in judge_unit(unit.id)}
    assert told == {one.version.code: one.verdict for one in found.items}


def test_the_fewest_free_assets_that_close_the_gap(register: str) -> None:
    actor = make_provider()
    unit = make_unit(actor, small(actor, 540), small(actor, 400), family="RESPONSE").unit
    small(actor, 10), small(actor, 45)
    enough, large = small(actor, 61), small(actor, 500)
    taken = small(actor, 60)
    make_unit(actor, taken, code="TAKEN", family="RESPONSE")
    slow = small(actor, 60, ResponseTime_s=30)
    elsewhere = small(actor, 60, **LONDON)
    found = closing_set(actor, unit.id, "DC")
    assert [one.asset_id for one in found.assets] == [enough.id], "the smallest that will do alone"
    assert {slow.id, elsewhere.id, taken.id, large.id}.isdisjoint(one.asset_id for one in found.assets)
    assert found.words == "60 kW short; 1 of your free assets adds 61 kW: that closes the gap."
    assert found.after is not None
    assert found.after.eligibility is EligibilityStanding.ELIGIBLE
    assert {"DM", "DR"} <= set(found.gained)
    assert found.lost == []


def test_the_gap_of_a_selection_is_closed_by_assets_that_are_not_in_it(register: str) -> None:
    actor = make_provider()
    chosen = [small(actor, 540), small(actor, 400)]
    enough = small(actor, 61)
    ids = [one.id for one in chosen]
    found = closing_set_of_assets(actor, ids, "DC")
    assert [one.asset_id for one in found.assets] == [enough.id]
    assert found.words == "60 kW short; 1 of your free assets adds 61 kW: that closes the gap."
    assert found.after is not None
    assert found.after.eligibility is EligibilityStanding.ELIGIBLE
    assert closing_set_of_assets(actor, [*ids, enough.id], "DC").assets == []
    theirs = small(make_provider("Kelvin"), 100)
    with pytest.raises(NotFound):
        closing_set_of_assets(actor, [*ids, theirs.id], "DC")
    for wrong in ([], ids):
        with pytest.raises(Invalid):
            closing_set_of_assets(actor, wrong, "NOPE" if wrong else "DC")


def test_several_assets_none_and_too_few(register: str) -> None:
    actor = make_provider()
    unit = make_unit(actor, small(actor, 900), family="RESPONSE").unit
    nothing = closing_set(actor, unit.id, "DC")
    assert (nothing.assets, nothing.closes) == ([], False)
    assert "none of your free assets" in nothing.words
    for power in (30, 50, 20):
        small(actor, power)
    three = closing_set(actor, unit.id, "DC")
    assert (len(three.assets), three.closes) == (3, True)
    larger = make_unit(actor, small(actor, 100, **LONDON), code="LON", family="RESPONSE").unit
    small(actor, 300, **LONDON)
    open_still = closing_set(actor, larger.id, "DC")
    assert (len(open_still.assets), open_still.closes) == (1, False)
    assert "600 kW would still be missing" in open_still.words
    assert "no asset needs to be added" in closing_set(actor, unit.id, "CMP").words
    with pytest.raises(Invalid):
        closing_set(actor, unit.id, "NOPE")
    with pytest.raises(NotFound):
        closing_set(make_provider("Another"), unit.id, "DC")
    with pytest.raises(Forbidden):
        closing_set(make_operator("UKPN_EPN"), unit.id, "DC")


def test_a_selection_is_judged_as_if_it_were_a_unit(register: str) -> None:
    actor, stranger = make_provider(), make_provider("Another")
    first, second = small(actor, 600), small(actor, 500)
    found = opportunities_of_assets(actor, [first.id, second.id, first.id])
    assert (found.unit, found.assets, found.up) == (None, 2, Decimal(1100))
    assert of(found, "DC").verdict.eligibility is EligibilityStanding.ELIGIBLE
    assert of(found, "SU").verdict.eligibility is EligibilityStanding.ELIGIBLE, "the family isn't decided yet"
    assert (
        of(opportunities_of_assets(actor, [first.id], Family.DSO), "DC").verdict.reasons[0].words
        == "Needs a unit of family Response; has one of DSO flexibility: "
        "the same assets can be in a unit of that family too."
    )
    with pytest.raises(NotFound):
        opportunities_of_assets(stranger, [first.id])
    with pytest.raises(Invalid):
        opportunities_of_assets(actor, [])


def test_equivalences_and_what_may_be_held_together(register: str) -> None:
    """The clash at Northgate: a battery in DC and SU with the same MW."""
    actor, neso, dso = make_provider(), national(), make_operator("UKPN_EPN")
    assert neso.organisation_id
    assert dso.organisation_id
    asset = small(actor, 1500)
    unit = make_unit(actor, asset, code="RESP", family="RESPONSE").unit
    local = make_unit(actor, asset, code="LOCAL", family="DSO").unit
    holds(unit.id, "DC", neso.organisation_id)
    found = opportunities_of_unit(actor, unit.id)
    assert of(found, "DC").holds is not None
    assert [one.product_code for one in of(found, "DM").through] == ["DC"]
    assert [one.product_code for one in of(found, "DR").through] == ["DC"], "by way of DM"
    assert of(found, "SR").through == ()
    beside = of(opportunities_of_unit(actor, local.id), "SU").beside
    assert [(one.holding.product_code, one.holding.unit_code, one.holding.shared) for one in beside] == [
        ("DC", "RESP", 1)
    ]
    assert "the same MW at the same time: ask the system operator" in beside[0].words, "no data is never a yes"
    assert beside[0].words.endswith("Splitting: the same direction only.")
    assert beside[0].holding.qualified
    unheard = of(found, "FR").beside[0]
    assert unheard.possible is None
    assert of(opportunities_of_unit(dso, local.id), "SU").beside == [], "another operator's application isn't shown"


def test_a_dso_comes_before_mw_dispatch_where_an_asset_serves_both(register: str) -> None:
    actor, neso, dso = make_provider(), national(), make_operator("UKPN_EPN")
    assert neso.organisation_id
    assert dso.organisation_id
    shared, alone = small(actor, 1500), small(actor, 1500)
    local = make_unit(actor, shared, alone, code="LOCAL", family="DSO").unit
    moved = make_unit(actor, shared, code="MWD", family="CONSTRAINT").unit
    other = make_unit(actor, alone, code="OTHER", family="RESPONSE").unit
    holds(local.id, "SU", dso.organisation_id)
    assert opportunities_of_unit(actor, local.id).primacy is None
    holds(moved.id, "MWD", neso.organisation_id, QualificationStatus.SUBMITTED)
    for somebody in (actor, neso, dso):
        for unit in (local, moved):
            flag = opportunities_of_unit(somebody, unit.id).primacy
            assert flag is not None
            assert flag.dso_products == ("SU",)
            assert flag.words == "1 asset serves both a DSO (SU) and MW Dispatch: the DSO comes first."
    assert opportunities_of_unit(actor, other.id).primacy is None


def test_who_sees_what_and_units_that_ended(register: str) -> None:
    actor = make_provider()
    unit = make_unit(actor, small(actor, 1500)).unit
    with pytest.raises(NotFound):
        opportunities_of_unit(make_provider("Another"), unit.id)
    with pytest.raises(NotFound):
        opportunities_of_unit(make_operator("UKPN_LPN"), unit.id)
    assert opportunities_of_unit(make_operator("UKPN_EPN"), unit.id).unit is not None
    deregister_unit(actor, unit.id, "No longer offered.", unit.version)
    with pytest.raises(Refused):
        opportunities_of_unit(actor, unit.id)
    assert list_opportunities(actor).items == []


@pytest.mark.both_engines
def test_a_portfolio_in_numbers_and_page_by_page(register: str) -> None:
    actor, stranger = make_provider(), make_provider("Another")
    powers = (1200, 940, 100)
    units = [
        make_unit(actor, small(actor, power), code=f"R-{power}", family="RESPONSE", name=f"R {power}").unit
        for power in powers
    ]
    make_unit(actor, small(actor, 30), code="D-1", family="DSO")
    make_unit(stranger, code="X")
    numbers = portfolio_in_numbers(actor)
    dc = next(one for one in numbers.products if one.version.code == "DC")
    assert numbers.units == 4
    assert (dc.eligible, dc.nearly, dc.not_eligible, dc.eligible_kw) == (1, 1, 1, Decimal(1200))
    assert next(one for one in numbers.products if one.version.code == "SU").elsewhere == 3
    near = list_opportunities(actor, OpportunityFilters(eligibility=["NEARLY"], product_code=["DC"]))
    assert [(one.unit_code, one.words) for one in near.items] == [
        ("R-940", "Needs 1,000 kW in one GSP group; has 940 kW in _A: 60 kW short.")
    ]
    chosen = OpportunityFilters(family=["RESPONSE"], product_code=["DC"])
    first = list_opportunities(actor, chosen, limit=2)
    assert [one.unit_id for one in first.items] == [units[2].id, units[1].id]
    rest = list_opportunities(actor, chosen, after=first.next_cursor, limit=2)
    assert [one.unit_id for one in rest.items] == [units[0].id]
    assert rest.next_cursor is None
    assert {one.unit_code for one in list_opportunities(stranger).items} == {"X"}
    with pytest.raises(Invalid):
        list_opportunities(actor, OpportunityFilters(eligibility=["PERHAPS"]))
    with pytest.raises(Invalid):
        list_opportunities(actor, after="nonsense")
    with pytest.raises(NotFound):
        opportunities_of_unit(actor, uuid4())


def test_the_number_of_statements_does_not_grow_with_the_portfolio(register: str) -> None:
    actor = make_provider()
    asked: list[str] = []
    for number in range(4):
        make_unit(actor, small(actor, 50 + number), code=f"U-{number}", family="DSO")
    portfolio_in_numbers(actor)
    event.listen(engine(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    portfolio_in_numbers(actor)
    few = len(asked)
    for number in range(4, 8):
        make_unit(actor, small(actor, 50 + number), code=f"U-{number}", family="DSO")
    asked.clear()
    portfolio_in_numbers(actor)
    assert len(asked) == few
