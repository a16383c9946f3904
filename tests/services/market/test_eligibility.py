"""Which products units may be eligible for, requirement by requirement, and in words (UC-04.03)."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.products import Direction, Family, Phase, ProductVersion, Spread
from services.market.eligibility.arrays import GROUP_CODES
from services.market.eligibility.verdicts import (
    EligibilityStanding,
    EligibilityVerdict,
    Reason,
    Requirement,
    explain_verdicts,
    judge,
)
from tests.market_frames import first_catalogue, frames, product

pytestmark = pytest.mark.use_case("UC-04.03")
SPREADS = [None, *Spread]


def verdict(asked: ProductVersion, **unit: Any) -> EligibilityVerdict:
    """How one unit stands to one product."""
    [[found]] = explain_verdicts(*frames(unit), [asked]).values()
    return found


def reason(found: EligibilityVerdict, requirement: Requirement) -> Reason:
    """The reason for a requirement."""
    return next(one for one in found.reasons if one.requirement is requirement)


def in_group(**changes: Any) -> ProductVersion:
    """1,000 kW in one GSP group."""
    return product(min_capacity=Decimal(1000), aggregation=Spread.GSP_GROUP, **changes)


def test_sixty_kilowatts_short_in_one_group() -> None:
    found = verdict(in_group(direction=Direction.BOTH), places={"_C": (940, 200)})
    least = reason(found, Requirement.MIN_CAPACITY)
    assert least.words == "Needs 1,000 kW in one GSP group; has 940 kW in _C: 60 kW short."
    assert (least.met, least.short_by) == (False, Decimal(60))
    assert found.eligibility is EligibilityStanding.NEARLY
    assert [one.requirement for one in found.unmet] == [Requirement.MIN_CAPACITY]


@pytest.mark.parametrize(("power", "standing"), [(1000, "ELIGIBLE"), (999, "NEARLY"), (500, "NEARLY"), (499, "NOT")])
def test_half_of_the_least_capacity_is_within_reach(power: int, standing: str) -> None:
    assert verdict(in_group(), places={"_C": (power, 0)}).eligibility == standing


def test_a_direction_that_the_unit_has_not_is_out_of_reach() -> None:
    assert verdict(product(direction=Direction.DOWN), places={"_C": (900, 0)}).eligibility is EligibilityStanding.NOT
    either = verdict(product(direction=Direction.BOTH, min_capacity=Decimal(900)), places={"_C": (0, 900)})
    assert either.eligibility is EligibilityStanding.ELIGIBLE


def test_power_in_two_groups_does_not_add_up() -> None:
    found = verdict(in_group(), places={"_C": (1100, 0), "_A": (250, 0)})
    place = reason(found, Requirement.PLACE)
    assert place.met is False
    assert place.words == "Needs all assets in one GSP group; has _C and _A: leave out 250 kW that lies elsewhere."
    assert reason(found, Requirement.MIN_CAPACITY).met is True
    assert found.eligibility is EligibilityStanding.NEARLY
    assert verdict(in_group(), places={"_C": (600, 0), "_A": (600, 0)}).unmet[-1].short_by == Decimal(400)
    assert verdict(product(min_capacity=Decimal(1000)), places={"_C": (600, 0), "_A": (600, 0)}).unmet == []


def test_power_without_an_area_may_be_there_or_not() -> None:
    decides = verdict(in_group(), places={"_C": (940, 0), "": (100, 0)})
    assert reason(decides, Requirement.MIN_CAPACITY).met is None
    assert "100 kW whose area is not known" in reason(decides, Requirement.MIN_CAPACITY).words
    assert reason(decides, Requirement.PLACE).met is None
    assert decides.eligibility is EligibilityStanding.ELIGIBLE, "nothing is known to be unmet"
    too_little = verdict(in_group(), places={"_C": (940, 0), "": (50, 0)})
    assert reason(too_little, Requirement.MIN_CAPACITY).met is False


def test_a_dso_buys_in_its_licence_areas_and_zones_are_not_known() -> None:
    asked = product(procurers=["UKPN"], aggregation=Spread.CONSTRAINT_ZONE, min_capacity=Decimal(10))
    here, away = verdict(asked, places={"_C": (50, 0)}), verdict(asked, places={"_P": (50, 0)})
    assert reason(here, Requirement.AREA).met is True
    assert reason(here, Requirement.PLACE).met is None
    assert "which zone, the system operator knows" in reason(here, Requirement.PLACE).words
    assert here.eligibility is EligibilityStanding.ELIGIBLE
    assert away.eligibility is EligibilityStanding.NOT
    assert "UKPN buys (Eastern (_A), London (_C) or South East (_J)); has _P" in reason(away, Requirement.AREA).words
    assert reason(verdict(asked, places={"_C": (50, 0), "_A": (50, 0)}), Requirement.PLACE).met is False
    nowhere = verdict(asked, places={"": (50, 0)})
    assert [reason(nowhere, one).met for one in (Requirement.AREA, Requirement.MIN_CAPACITY)] == [None, None]


def test_scottish_groups_and_one_accounting_point() -> None:
    scottish = product(aggregation=Spread.SCOTTISH_GSP, min_capacity=Decimal(100))
    assert verdict(scottish, places={"_N": (60, 0), "_P": (60, 0)}).eligibility is EligibilityStanding.ELIGIBLE
    assert verdict(scottish, places={"_N": (100, 0), "_C": (60, 0)}).eligibility is EligibilityStanding.NEARLY
    assert verdict(scottish, places={"_C": (160, 0)}).eligibility is EligibilityStanding.NOT
    one = product(aggregation=Spread.NONE)
    assert verdict(one, accounting_points=1).eligibility is EligibilityStanding.ELIGIBLE
    assert "has 12 accounting points" in verdict(one, accounting_points=12).unmet[0].words


def test_speed_and_duration() -> None:
    asked = product(full_delivery_s=60, min_duration_min=30, min_capacity=Decimal(500))
    assert verdict(asked, response_s=60, duration_min=30).eligibility is EligibilityStanding.ELIGIBLE
    slow = verdict(asked, response_s=180, duration_min=30)
    assert (slow.eligibility, slow.unmet[0].words) == (
        EligibilityStanding.NOT,
        "Needs full delivery within 60 s; has 3 min: 2 min too slow.",
    )
    assert verdict(asked, duration_min=15).eligibility is EligibilityStanding.NOT
    stored = verdict(asked, duration_min=15, energy=250_00)
    assert stored.eligibility is EligibilityStanding.NEARLY
    assert stored.unmet[0].words.endswith("15 min short; its energy carries 500 kW for 30 min.")
    assert verdict(asked, duration_min=15, energy=249_00).eligibility is EligibilityStanding.NOT


def test_what_is_not_known_never_passes_and_never_fails() -> None:
    silent = verdict(product(metering="1 Hz"), response_s=None, duration_min=None)
    known = [one.requirement for one in silent.reasons if one.met is not None]
    assert known == [
        Requirement.FAMILY,
        Requirement.PHASE,
        Requirement.DIRECTION,
        Requirement.AREA,
        Requirement.PLACE,
    ]
    assert silent.eligibility is EligibilityStanding.ELIGIBLE
    asked = product(full_delivery_s=1, min_duration_min=30)
    unit_silent = verdict(asked, response_s=None, duration_min=None)
    assert [reason(unit_silent, one).met for one in (Requirement.FULL_DELIVERY, Requirement.DURATION)] == [None, None]


def test_too_much_other_families_and_phases() -> None:
    most = verdict(product(max_capacity=Decimal(900)))
    assert (most.eligibility, most.unmet[0].short_by) == (EligibilityStanding.NEARLY, Decimal(100))
    other = verdict(product(family=Family.DSO))
    assert (other.eligibility, other.apart_from_family) == (EligibilityStanding.NOT, EligibilityStanding.ELIGIBLE)
    assert verdict(product(family=Family.DSO), family=None).eligibility is EligibilityStanding.ELIGIBLE
    assert verdict(product(phase=Phase.PHASE_3)).eligibility is EligibilityStanding.NOT
    assert verdict(product(phase=Phase.LEGACY)).eligibility is EligibilityStanding.NOT


def test_the_first_catalogue_in_one_pass_and_no_units_at_all() -> None:
    products = first_catalogue()
    units, areas = frames({"places": {"_C": (2000, 2000)}}, {"family": "DSO", "places": {"_P": (20, 20)}})
    matrix = judge(units, areas, products)
    assert matrix.height == 2 * len(products)
    eligible = matrix.filter(pl.col("standing") == "ELIGIBLE")
    of = {unit: set(eligible.filter(unit_id=unit)["product_code"]) for unit in units["unit_id"]}
    assert of["unit-0"] == {"DC", "DM", "DR", "SFFR"}
    assert {"SU", "OU2", "OU15", "SAOUDA"} <= of["unit-1"]
    assert "PR" not in of["unit-1"], "ENWL buys in _G alone"
    assert judge(*frames(), products).is_empty()
    assert judge(units, areas, []).is_empty()


places = st.dictionaries(
    st.sampled_from([*GROUP_CODES[:3], "_N", "_P", ""]),
    st.tuples(st.integers(0, 3000), st.integers(0, 3000)),
    min_size=1,
    max_size=4,
)
products = st.builds(
    lambda spread, direction, least, procurer: product(
        aggregation=spread,
        direction=direction,
        min_capacity=None if least is None else Decimal(least),
        procurers=[procurer],
    ),
    st.sampled_from(SPREADS),
    st.sampled_from(list(Direction)),
    st.one_of(st.none(), st.integers(1, 4000)),
    st.sampled_from(["NESO", "UKPN", "SSEN", "SPEN"]),
)
_RANK = {False: 0, None: 1, True: 2}


@settings(max_examples=150, deadline=None)
@given(products, places, st.tuples(st.integers(0, 3000), st.integers(0, 3000)), st.data())
def test_more_capacity_in_the_same_place_never_takes_away(
    asked: ProductVersion, held: dict[str, tuple[int, int]], more: tuple[int, int], data: st.DataObject
) -> None:
    """Nor does knowing where capacity lies turn a certain answer into another."""
    where = data.draw(st.sampled_from(sorted(held)))
    grown = {**held, where: (held[where][0] + more[0], held[where][1] + more[1])}
    before, after = verdict(asked, places=held), verdict(asked, places=grown)
    for one in (Requirement.DIRECTION, Requirement.AREA, Requirement.PLACE, Requirement.MIN_CAPACITY):
        assert _RANK[reason(after, one).met] >= _RANK[reason(before, one).met], one
    order = list(EligibilityStanding)
    assert order.index(after.eligibility) <= order.index(before.eligibility)


@settings(max_examples=100, deadline=None)
@given(products, places, st.sampled_from(GROUP_CODES[:3]))
def test_learning_where_capacity_lies_never_overturns_what_was_certain(
    asked: ProductVersion, held: dict[str, tuple[int, int]], place: str
) -> None:
    unplaced = held.pop("", (500, 500))
    known_there = held.get(place, (0, 0))
    learnt = {**held, place: (known_there[0] + unplaced[0], known_there[1] + unplaced[1])}
    before, after = verdict(asked, places={**held, "": unplaced}), verdict(asked, places=learnt)
    for one in (Requirement.AREA, Requirement.MIN_CAPACITY):
        said = reason(before, one).met
        assert said is None or reason(after, one).met is said, one


@settings(max_examples=50, deadline=None)
@given(st.lists(places, min_size=2, max_size=5), st.lists(products, min_size=1, max_size=4))
def test_units_are_judged_together_as_one_by_one(
    many: list[dict[str, tuple[int, int]]], asked: list[ProductVersion]
) -> None:
    together = explain_verdicts(*frames(*({"places": one} for one in many)), asked)
    alone = [explain_verdicts(*frames({"places": one}), asked)["unit-0"] for one in many]
    assert list(together.values()) == alone
