"""Counts kept beside the market equal those made from its records, after every kind of act, on both databases.

That nothing has drifted is besides looked at after each test of units, applications and the market (conftest.py), and after
each step of the machine of test_qualification_machine.py.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select, update
from sqlmodel import col

from models.market_tallies import QualifiedTally, StandingTally
from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from services.core.identity.actor import Actor, system_actor
from services.core.transaction import unit_of_work
from services.market.counters.queries import find_part
from services.market.counters.reconcile import find_drifts, reconcile_market, recount_market
from services.market.qualification.assessment import (
    ask_information,
    demand_reassessment,
    lift_suspension,
    suspend_qualification,
    take_application,
)
from services.market.qualification.counts import tally_qualifications
from services.market.qualification.expiry import expire_qualifications
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.portability import accept_colleague
from services.market.qualification.provider_actions import answer_information, request_renewal, withdraw_application
from services.market.statistics.anonymised_rows import collect_anonymised_rows
from services.market.statistics.dashboard import MarketFilters, build_span, market_in_numbers
from services.market.statistics.model import Dimension
from services.market.statistics.queries import PERMISSION, StatisticsScope
from services.market.statistics.row_sources import DashboardRows, collect_from_counters, collect_from_records
from services.market.unit_changes.composition import update_composition
from services.market.unit_changes.deregistration import deregister_unit
from services.market.unit_changes.reassignment import reassign_unit
from services.market.units.units import get_unit
from tests.asset_factories import STAMP, make_administrator, make_provider
from tests.market_factories import apply_for, bad, good, make_dso, make_neso, make_unit, qualified, verified

pytestmark = [pytest.mark.both_engines, pytest.mark.use_case("UC-05.02")]
WORDS = "Because of what was said in May."
START = datetime(2026, 1, 15, 10, tzinfo=UTC)


def _right() -> None:
    with unit_of_work(STAMP, writes=False) as session:
        assert find_drifts(session) == []


def _sums(rows: Iterable[Any], key: Any, *values: str) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = defaultdict(lambda: [0] * len(values))
    for row in rows:
        for place, name in enumerate(values):
            found[key(row)][place] += getattr(row, name)
    return {one: sums for one, sums in found.items() if any(sums)}


def _figures(some: DashboardRows, this: date) -> list[object]:
    """What the dashboard adds up, whichever way the rows came."""
    taken = [row for row in some.days_by if row.outcome != "WITHDRAWN"]
    ending = [row for row in some.ending if row.valid_until >= this.replace(day=1)]
    return [
        _sums(some.flows[Dimension.PRODUCT], lambda row: (row.product, row.operator, row.group), "number", "kw"),
        _sums(some.months, lambda row: (row.month, row.product, row.operator, row.group), "steps", "number", "kw"),
        _sums(some.decided, lambda row: (row.month, row.outcome, row.reason), "number"),
        _sums(taken, lambda row: (row.operator, row.days), "number"),
        _sums(some.waiting, lambda row: (row.operator, row.due_on), "number"),
        _sums(some.waiting_for, lambda row: (row.product, row.due_on), "number"),
        _sums(ending, lambda row: (row.valid_until.year, row.valid_until.month), "number", "kw"),
        sorted(row for row in some.units if row.units),
    ]


def _both_ways(actor: Actor, filters: MarketFilters | None = None) -> None:
    span = build_span(filters or MarketFilters())
    chosen = filters or MarketFilters()
    wanted = StatisticsScope(actor, chosen.products or None, chosen.operators, (), apart=False)
    with unit_of_work(STAMP, writes=False):
        part = find_part(actor, PERMISSION, wanted.operators, wanted.products)
        assert part is not None
        kept, counted = collect_from_counters(wanted, span, part), collect_from_records(wanted, span)
    assert _figures(kept, span.until) == _figures(counted, span.until)


def _behind_figures(viewer: Actor) -> None:
    """Figures over all: the same sums, and as many providers behind each as there are, up to three."""
    span = build_span(MarketFilters())
    wanted = StatisticsScope(viewer, None, (), (), apart=True)
    with unit_of_work(STAMP, writes=False):
        kept, counted = collect_anonymised_rows(wanted, span), collect_from_records(wanted, span)
    for dimension, key in (
        (Dimension.PRODUCT, lambda row: row.product),
        (Dimension.GSP_GROUP, lambda row: row.group),
        (Dimension.OPERATOR, lambda row: row.operator),
    ):
        held = _sums(counted.months, lambda row, key=key: (key(row), row.provider), "number")
        behind: dict[Any, set[Any]] = defaultdict(set)
        for code, provider in held:
            behind[code].add(provider)
        told = {key(row): len(row.provider) for row in kept.flows[dimension] if row.provider}
        assert told == {code: min(3, len(providers)) for code, providers in behind.items()}
        sums = _sums(kept.flows[dimension], key, "number", "kw")
        assert sums == _sums(counted.months, key, "number", "kw")
    assert _sums(kept.decided, lambda row: (row.month, row.outcome), "number") == _sums(
        counted.decided, lambda row: (row.month, row.outcome), "number"
    )
    assert _sums(kept.waiting, lambda row: (row.operator, row.due_on), "number") == _sums(
        counted.waiting, lambda row: (row.operator, row.due_on), "number"
    )
    assert [row.providers for row in kept.units if row.units] == [row.providers for row in counted.units if row.units]


def _version(application: Qualification) -> int:
    with unit_of_work(STAMP, writes=False) as session:
        return session.get_one(Qualification, application.id).version


def test_every_kind_of_act_leaves_the_counts_right(register: str) -> None:
    """From the first application to the end of the unit, in steps of some days over a year."""
    with time_machine.travel(START, tick=False) as clock:
        dso, other, neso = make_dso(), make_dso("Eastern Grid", "UKPN_EPN"), make_neso()
        fsp, gaining = make_provider(), make_provider("Lumen")
        unit, second, spare = make_unit(fsp), make_unit(gaining), verified(fsp)
        su, pr = apply_for(fsp, unit, "SU", "SAOUDA", to=[dso.organisation_id])
        theirs = apply_for(gaining, second, "SU", to=[dso.organisation_id])[0]
        viewers = (make_administrator(), dso, other, neso)
        acts = [
            lambda: take_application(dso, su.id, _version(su)),
            lambda: ask_information(dso, su.id, WORDS, _version(su)),
            lambda: answer_information(fsp, su.id, WORDS, _version(su)),
            lambda: qualified(dso, take_application(dso, theirs.id, _version(theirs))),
            lambda: qualified(dso, _again(su), good(200)),
            lambda: qualified(dso, take_application(dso, pr.id, _version(pr)), bad()),
            lambda: suspend_qualification(dso, su.id, "SAFETY", WORDS, _version(su)),
            lambda: lift_suspension(dso, su.id, WORDS, _version(su)),
            lambda: demand_reassessment(dso, su.id, "PERIODIC", WORDS, _version(su)),
            lambda: qualified(dso, take_application(dso, su.id, _version(su)), good(150)),
            lambda: accept_colleague(other, su.id, "SU"),
            lambda: update_composition(fsp, unit.id, version=get_unit(fsp, unit.id).unit.version, add=[spare.id]),
            lambda: request_renewal(gaining, theirs.id, WORDS, _version(theirs)),
            lambda: reassign_unit(
                viewers[0], unit.id, gaining.organisation_id, WORDS, get_unit(fsp, unit.id).unit.version
            ),
            lambda: withdraw_application(gaining, theirs.id, WORDS, _version(theirs)),
            expire_qualifications,
            lambda: deregister_unit(gaining, second.id, WORDS, get_unit(gaining, second.id).unit.version),
        ]
        for act in acts:
            clock.shift(timedelta(days=13))
            act()
            _right()
            for viewer in viewers:
                _both_ways(viewer)
                past = datetime.now(UTC).date() - timedelta(days=40)
                _both_ways(viewer, MarketFilters(since=past - timedelta(days=50), until=past, products=("SU",)))
            _behind_figures(viewers[0])


def _again(application: Qualification) -> Qualification:
    with unit_of_work(STAMP, writes=False) as session:
        return session.get_one(Qualification, application.id)


def test_areas_of_an_operator_change_what_it_counts(register: str) -> None:
    """Units are counted anew for an SO whose licence areas grow."""
    dso, fsp = make_dso("Northern Powergrid", "NPG_NE"), make_provider()
    make_unit(fsp)
    assert market_in_numbers(dso).units == 0
    with unit_of_work(STAMP, writes=True) as session:
        session.get_one(Organisation, dso.organisation_id).licence_areas = ["NPG_NE", "UKPN_EPN"]
    _right()
    assert market_in_numbers(replace(dso, areas=frozenset({"NPG_NE", "UKPN_EPN"}))).units == 1


def test_a_queue_counts_the_same_by_what_is_kept_and_by_its_records(register: str) -> None:
    """Filters that the kept counts tell apart, and the same ones with all products named, which they don't."""
    dso, fsp = make_dso(), make_provider()
    first, second = apply_for(fsp, make_unit(fsp), "SU", "SAOUDA")
    take_application(dso, first.id, first.version)
    withdraw_application(fsp, second.id, WORDS, second.version)
    for viewer in (dso, make_administrator()):
        for given in ({}, {"status": ("IN_ASSESSMENT",)}, {"clock": ("LATE", "SOON", "IN_TIME", "PAUSED")}):
            kept = tally_qualifications(viewer, QualificationFilters(**given))
            counted = tally_qualifications(viewer, QualificationFilters(**given, product=("SU", "SAOUDA")))
            assert kept == counted
            assert sum(kept.statuses.values()) == sum(kept.clocks.values()) == (1 if given else 2)


def test_a_drift_is_found_told_and_put_right(register: str, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody changes a count behind the register's back: the nightly job says so and counts anew."""
    dso, fsp = make_dso(), make_provider()
    qualified(dso, apply_for(fsp, make_unit(fsp), "SU")[0])
    reconcile_market()
    assert not caplog.records
    with unit_of_work(STAMP, writes=True) as session:
        session.execute(update(StandingTally).values(number=7))
        session.execute(delete(QualifiedTally))
    with unit_of_work(STAMP, writes=False) as session:
        assert {one.table for one in find_drifts(session)} == {"QualifiedTally", "StandingTally"}
    reconcile_market()
    assert "2 counts of the market had drifted" in caplog.text
    assert recount_market(system_actor()) == 0


def test_a_savepoint_that_is_taken_back_leaves_no_count(register: str) -> None:
    """What was noted inside it was never so."""
    dso, fsp = make_dso(), make_provider()
    application = apply_for(fsp, make_unit(fsp), "SU")[0]
    with unit_of_work(STAMP, writes=True) as session:
        with suppress(_TakenBack), session.begin_nested():
            found = session.get_one(Qualification, application.id)
            found.status = QualificationStatus.WITHDRAWN
            session.flush()
            raise _TakenBack
        assert session.scalar(select(col(StandingTally.status))) == "SUBMITTED"
    _right()
    assert tally_qualifications(dso).statuses == {"SUBMITTED": 1}


class _TakenBack(Exception):
    """Ends a savepoint that is to leave nothing."""
