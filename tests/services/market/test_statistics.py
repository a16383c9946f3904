"""The market in numbers: funnel, qualified power now and as of a day, clocks, outcomes, expiries; small figures withheld."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select
from sqlmodel import col

from models.participants import Role
from models.products import Family
from models.qualifications import DataPackage, Qualification, QualificationStatus
from services.core.clock import today
from services.core.errors import Forbidden
from services.core.identity.actor import Actor
from services.core.transaction import current_session, unit_of_work
from services.market.qualification.lifecycle import change_status, record_step
from services.market.qualification.sla_clock import ClockState
from services.market.statistics import dashboard as statistics
from services.market.statistics.dashboard import market_in_numbers
from services.market.statistics.disclosure_control import Tally, find_withheld, find_withheld_in_table
from services.market.statistics.model import Dimension, MarketFilters, MarketNumbers
from tests import asset_factories
from tests.asset_factories import STAMP, make_organisation, make_provider
from tests.unit_factories import make_unit, verified

pytestmark = [pytest.mark.both_engines, pytest.mark.use_case("UC-05.02")]
S = QualificationStatus
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def operator(*areas: str, national: bool = False) -> Actor:
    """An SO's user."""
    roles = ["System Operator"] if national else ["DNO"]
    return asset_factories.make_actor(make_organisation("Network", roles, licence_areas=areas), Role.SO_USER)


@contextmanager
def on(moment: datetime) -> Iterator[None]:
    """Let it be another time."""
    with time_machine.travel(moment, tick=False):
        yield


def applied(
    unit_id: UUID, provider: UUID, to: UUID, at: datetime, product: str = "SU", kw: int = 2400, group: str = "_A"
) -> UUID:
    """An application of a unit, as handed in at a moment."""
    with on(at), unit_of_work(STAMP, writes=True) as session:
        package = DataPackage(
            unit_id=unit_id, service_provider_id=provider, composition=1, made_at=at, assets=1, sha256="0" * 64
        )
        session.add(package)
        session.flush()
        made = Qualification(
            unit_id=unit_id,
            service_provider_id=provider,
            product_code=product,
            product_version=1,
            family=Family.RESPONSE if product == "DC" else Family.DSO,
            addressed_to=to,
            status=S.SUBMITTED,
            status_since=at,
            submitted_at=at,
            capacity=Decimal(kw),
            gsp_group=group,
            package_id=package.id,
            due_on=(at + timedelta(days=28)).date(),
            clock_from=at,
        )
        session.add(made)
        record_step(made, None, None)
    return made.id


def moved(identifier: UUID, *steps: tuple[datetime, S, str, str | None], until: date | None = None) -> None:
    """What became of it."""
    for at, target, operation, reason in steps:
        with on(at), unit_of_work(STAMP, writes=True):
            found = current_session().get_one(Qualification, identifier)
            if target is S.QUALIFIED:
                found.valid_until = until or (at + timedelta(days=200)).date()
            change_status(found, target, operation, reason_code=reason)


def decide(identifier: UUID, at: datetime, target: S, reason: str | None = None) -> None:
    """Taken at once, decided at a moment."""
    act = {S.QUALIFIED: "qualify_application", S.FAILED: "fail_application", S.WITHDRAWN: "withdraw_application"}[
        target
    ]
    moved(identifier, (at, S.IN_ASSESSMENT, "take_application", None), (at, target, act, reason))


def total(numbers: MarketNumbers) -> Decimal | None:
    return numbers.qualified.kw


@pytest.fixture
def market(register: str) -> dict[str, object]:
    """Two providers with a unit each, two SOs, and five applications of all kinds."""
    network, other = operator("UKPN_EPN"), operator("NPG_YK")
    first, second = make_provider("First"), make_provider("Second")
    one = make_unit(first, verified(first), verified(first), code="ONE").unit
    two = make_unit(second, verified(second), code="TWO").unit
    asset_factories.registered(first)
    a, b = first.organisation_id, second.organisation_id
    assert a and b and network.organisation_id and other.organisation_id  # noqa: PT018
    qualified = applied(one.id, a, network.organisation_id, START, "SU", 4800)
    decide(qualified, START + timedelta(days=14), S.QUALIFIED)
    failed = applied(one.id, a, network.organisation_id, START, "PR", 4800)
    decide(failed, START + timedelta(days=28), S.FAILED, "METERING")
    applied(one.id, a, other.organisation_id, START + timedelta(days=60), "SOU", 4800)
    stopped = applied(two.id, b, network.organisation_id, START + timedelta(days=90), "PR", 2400)
    moved(stopped, (START + timedelta(days=91), S.IN_ASSESSMENT, "take_application", None))
    moved(stopped, (START + timedelta(days=92), S.INFORMATION_REQUESTED, "ask_information", None))
    return {"network": network, "other": other, "first": first, "second": second, "qualified": qualified, "one": one.id}


def actor(market: dict[str, object], name: str) -> Actor:
    found = market[name]
    assert isinstance(found, Actor)
    return found


NOW = START + timedelta(days=100)


def test_each_sees_its_own_part_of_the_market(market: dict[str, object]) -> None:
    administrator = asset_factories.make_administrator()
    with on(NOW):
        everything = market_in_numbers(administrator)
        assert total(everything) == Decimal(4800)
        assert [(stage.code, stage.family, stage.assets) for stage in everything.funnel[:2]] == [
            ("registered", None, 4),
            ("verified", None, 3),
        ]
        assert [stage.assets for stage in everything.funnel if stage.family is Family.DSO] == [3, 3, 2]
        assert [stage.assets for stage in everything.funnel if stage.family is Family.RESERVE] == [0, 0, 0]
        assert everything.open_total == 2
        assert total(market_in_numbers(actor(market, "network"))) == Decimal(4800)
        assert total(market_in_numbers(actor(market, "other"))) == 0
        mine, theirs = (market_in_numbers(actor(market, name)) for name in ("first", "second"))
    assert (total(mine), mine.open_total, mine.units) == (Decimal(4800), 1, 1)
    assert (total(theirs), theirs.open_total, [one.count for one in theirs.outcomes]) == (0, 1, [0, 0, 0])
    assert [stage.assets for stage in mine.funnel if stage.family in (None, Family.DSO)] == [3, 2, 2, 2, 2]
    assert not mine.anonymised


def test_an_operator_counts_what_lies_in_its_areas_and_was_addressed_to_it(market: dict[str, object]) -> None:
    with on(NOW):
        here, elsewhere = market_in_numbers(actor(market, "network")), market_in_numbers(actor(market, "other"))
    assert [stage.assets for stage in here.funnel if stage.family in (None, Family.DSO)] == [4, 3, 3, 3, 2]
    assert all(stage.assets == 0 for stage in elsewhere.funnel)
    assert elsewhere.open_total == 1


def test_clocks_outcomes_reasons_and_days(market: dict[str, object]) -> None:
    administrator = asset_factories.make_administrator()
    with on(NOW):
        numbers = market_in_numbers(administrator)
    clocks = {one.code: one.by_clock for one in numbers.ageing_by_product}
    assert clocks["SOU"][ClockState.LATE] == 1
    assert clocks["PR"][ClockState.PAUSED] == 1
    assert {one.code: one.count for one in numbers.outcomes} == {"QUALIFIED": 1, "FAILED": 1, "WITHDRAWN": 0}
    assert [(one.code, one.label, one.count) for one in numbers.reasons] == [
        ("METERING", "Metering not as required", 1)
    ]
    days = {one.code: (one.decisions, one.median, one.ninetieth) for one in numbers.days_by_product}
    assert days == {"SU": (1, 10, 10), "PR": (1, 20, 20)}
    assert sum(one.by_outcome["QUALIFIED"] or 0 for one in numbers.outcomes_by_month) == 1
    assert [(one.month, one.count, one.kw) for one in numbers.expiries if one.count] == [
        (date(2026, 10, 1), 1, Decimal(4800))
    ]


def test_qualified_power_as_of_a_day_and_over_time(market: dict[str, object]) -> None:
    administrator, identifier = asset_factories.make_administrator(), market["qualified"]
    assert isinstance(identifier, UUID)
    moved(identifier, (START + timedelta(days=80), S.SUSPENDED, "suspend_qualification", "SAFETY"))
    with on(NOW):
        assert total(market_in_numbers(administrator)) == 0
        as_of = MarketFilters(until=(START + timedelta(days=79)).date())
        before = market_in_numbers(administrator, as_of)
        assert total(before) == Decimal(4800)
        assert [(cell.product, cell.gsp_group, cell.kw) for cell in before.heat] == [("SU", "_A", Decimal(4800))]
        line = market_in_numbers(administrator).over_time[Dimension.PRODUCT][0]
        assert line.code == "SU"
        assert line.kw[-4:] == [Decimal(4800), Decimal(4800), Decimal(0), Decimal(0)]
        assert total(market_in_numbers(administrator, MarketFilters(until=date(2026, 3, 10)))) == 0


def test_filters_narrow_and_answer_nothing_for_what_is_not_there(market: dict[str, object]) -> None:
    administrator, other = asset_factories.make_administrator(), actor(market, "other").organisation_id
    assert other
    with on(NOW):
        assert total(market_in_numbers(administrator, MarketFilters(products=("PR",)))) == 0
        assert market_in_numbers(administrator, MarketFilters(operators=(other,))).open_total == 1
        family = market_in_numbers(administrator, MarketFilters(families=(Family.RESPONSE,)))
        assert (family.open_total, {stage.family for stage in family.funnel}) == (0, {None, Family.RESPONSE})
        crossed = MarketFilters(products=("SU",), families=(Family.RESPONSE,))
        assert market_in_numbers(administrator, crossed).open_total == 0
        early = MarketFilters(since=date(2026, 3, 20), until=date(2026, 6, 1))
        assert {one.code: one.count for one in market_in_numbers(administrator, early).outcomes}["QUALIFIED"] == 0


def test_who_sees_no_application_gets_no_small_figure_and_no_filter(market: dict[str, object]) -> None:
    viewer = asset_factories.make_actor(make_organisation("Ministry", ["Other"]), Role.VIEWER)
    regulator = asset_factories.make_actor(make_organisation("Ofgem", ["Regulator"]), Role.REGULATOR)
    with on(NOW):
        numbers = market_in_numbers(viewer)
        assert numbers.anonymised
        assert (numbers.qualified.kw, numbers.open_total) == (None, None)
        assert all(figure.withheld for figure in numbers.by_dimension[Dimension.PRODUCT])
        assert all(cell.withheld for cell in numbers.heat)
        assert all(one.count in (None, 0) for one in (*numbers.outcomes, *numbers.reasons))
        assert all(one.count in (None, 0) for one in numbers.expiries)
        assert list(numbers.over_time) == [Dimension.SUB_MARKET]
        narrowed = market_in_numbers(viewer, MarketFilters(products=("PR",), until=date(2026, 4, 1)))
        assert {
            field.name: getattr(narrowed, field.name) for field in fields(narrowed) if field.name != "counted_at"
        } == {field.name: getattr(numbers, field.name) for field in fields(numbers) if field.name != "counted_at"}
        assert market_in_numbers(regulator).qualified.withheld


def test_enough_of_enough_providers_is_shown_to_all(register: str) -> None:
    network = operator("UKPN_EPN")
    assert network.organisation_id
    providers = [make_provider(f"Provider {number}") for number in range(3)]
    for provider in providers:
        assert provider.organisation_id
        for number in range(2):
            unit = make_unit(provider, verified(provider), code=f"U{number}").unit
            identifier = applied(unit.id, provider.organisation_id, network.organisation_id, START, "SU", 1000)
            decide(identifier, START + timedelta(days=14), S.QUALIFIED)
    viewer = asset_factories.make_actor(make_organisation("Ministry", ["Other"]), Role.VIEWER)
    with on(NOW):
        numbers = market_in_numbers(viewer)
    assert (numbers.qualified.count, numbers.qualified.kw) == (5, Decimal(6000)), "6, rounded"
    assert [cell.kw for cell in numbers.heat] == [Decimal(6000)]
    assert numbers.over_time[Dimension.SUB_MARKET][0].kw[-1] == Decimal(6000)
    assert [stage.assets for stage in numbers.funnel[:2]] == [5, 5]


def test_an_installer_has_no_market(register: str) -> None:
    installer = asset_factories.make_actor(make_organisation("Installers", ["Installer"]), Role.INSTALLER)
    with pytest.raises(Forbidden):
        market_in_numbers(installer)


def test_one_set_of_figures_adds_up_after_any_history(register: str) -> None:
    """Whatever happened, by steps or by what stands, what is qualified is the same."""
    chance = random.Random(5)
    network, provider = operator("UKPN_EPN"), make_provider("First")
    assert network.organisation_id and provider.organisation_id  # noqa: PT018
    unit = make_unit(provider, code="ONE").unit
    moment = START
    for number in range(25):
        product = ("SU", "PR", "SOU", "OU2", "OU15")[number % 5]
        with on(moment), unit_of_work(STAMP, writes=False) as session:
            standing = [
                row.id
                for row in session.scalars(select(Qualification).where(col(Qualification.product_code) == product))
                if row.status not in (S.FAILED, S.WITHDRAWN, S.EXPIRED)
            ]
        moment += timedelta(days=3)
        if not standing:
            identifier = applied(
                unit.id,
                provider.organisation_id,
                network.organisation_id,
                moment,
                product,
                chance.randrange(1, 5000),
                chance.choice(("_A", "")),
            )
            decide(identifier, moment, chance.choice((S.QUALIFIED, S.FAILED, S.WITHDRAWN)))
        elif chance.random() < 0.5:
            moved(standing[0], (moment, S.WITHDRAWN, "withdraw_application", None))
    with on(moment + timedelta(days=1)):
        numbers = market_in_numbers(network)
        with unit_of_work(STAMP, writes=False) as session:
            held = list(session.scalars(select(Qualification).where(col(Qualification.status) == S.QUALIFIED)))
    expected = sum((one.capacity for one in held), Decimal(0))
    assert total(numbers) == expected
    for dimension in Dimension:
        assert sum((one.kw or 0 for one in numbers.by_dimension[dimension]), Decimal(0)) == expected
        assert sum((one.kw[-1] or 0 for one in numbers.over_time[dimension]), Decimal(0)) == expected
    assert sum((cell.kw or 0 for cell in numbers.heat), Decimal(0)) == expected


@pytest.mark.parametrize("seed", range(30))
def test_no_withheld_figure_can_be_worked_out(seed: int) -> None:
    """Lines and tables of any shape: what is hidden in a line with a known sum is at least two figures, or large enough."""
    chance = random.Random(seed)

    def tally() -> Tally:
        found = Tally()
        for provider in range(chance.randrange(6)):
            found.add(chance.randrange(1, 6), 100, provider)
        return found

    line = {str(number): tally() for number in range(6)}
    hidden = find_withheld(line)
    assert {key for key, one in line.items() if one.small} <= hidden
    shown = [key for key in line if key not in hidden and line[key].count]
    assert not hidden or len(hidden) > 1 or not shown
    cells = {(str(row), str(column)): tally() for row in range(5) for column in range(5)}
    hidden_cells = find_withheld_in_table(cells, (), ())
    for side in (0, 1):
        for place in range(5):
            part = {key: one for key, one in cells.items() if key[side] == str(place)}
            of_part = [key for key in part if key in hidden_cells]
            assert len(of_part) != 1 or all(not one.count for key, one in part.items() if key not in hidden_cells)


def test_percentiles_by_nearest_rank() -> None:
    share = statistics.made.percentile_days
    assert share({5: 1, 10: 1, 30: 1}, 0.5) == 10
    assert share(dict.fromkeys(range(1, 11), 1), 0.9) == 9
    assert share({}, 0.5) == 0


def test_a_span_is_kept_within_reason() -> None:
    span = statistics.build_span(MarketFilters(since=date(1990, 1, 1), until=today() + timedelta(days=400)))
    assert span.until == today()
    assert len(span.months) <= statistics.MAX_MONTHS
    assert statistics.build_span(
        MarketFilters(since=today(), until=today() - timedelta(days=9))
    ).since == today() - timedelta(days=9)
    assert len(statistics.build_span(MarketFilters()).months) == 18
