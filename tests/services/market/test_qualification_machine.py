"""Life cycles driven through the services by random actors: no step outside the table, no approval lost, no asset twice.

Whatever somebody tries, either it is refused and nothing has changed, or it is a step that the life cycle knows.
"""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset
from models.products import Family
from models.qualifications import QUALIFICATION_ENDED, Qualification, QualificationStatus, QualificationStep
from models.units import MarketUnit, UnitMember
from services.core.clock import today
from services.core.db import engine as database
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.transaction import current_session, unit_of_work
from services.market.counters.reconcile import find_drifts
from services.market.qualification.assessment import (
    ask_information,
    decide_application,
    decide_like_cases,
    demand_reassessment,
    lift_suspension,
    suspend_qualification,
    take_application,
)
from services.market.qualification.expiry import keep_validities
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE
from services.market.qualification.portability import accept_colleague
from services.market.qualification.provider_actions import answer_information, request_renewal, withdraw_application
from services.market.unit_changes.composition import update_composition
from services.market.unit_changes.deregistration import deregister_unit
from services.market.unit_changes.reassignment import reassign_unit
from services.market.units.units import get_unit
from tests.asset_factories import STAMP, an_mpan, make_administrator, make_provider
from tests.conftest import build_register, use_database
from tests.databases import DATABASES, fresh_database
from tests.market_factories import apply_for, bad, good, make_dso, make_unit, verified
from tests.thorough import times

WORDS = "Because of what was said in May."
STEPS = times(20, 50)
EXAMPLES = times(3, 20)
Act = Callable[[Actor, UUID, int], object]
ACTS: dict[str, Act] = {
    "take": take_application,
    "ask": lambda actor, one, version: ask_information(actor, one, WORDS, version),
    "answer": lambda actor, one, version: answer_information(actor, one, WORDS, version),
    "answer anew": lambda actor, one, version: answer_information(actor, one, WORDS, version, fresh_package=True),
    "qualify": lambda actor, one, version: decide_application(actor, one, good(), version),
    "qualify for days": lambda actor, one, version: decide_application(actor, one, good(5), version),
    "fail": lambda actor, one, version: decide_application(actor, one, bad(), version),
    "qualify many": lambda actor, one, version: decide_like_cases(actor, [(one, version)], good()),
    "suspend": lambda actor, one, version: suspend_qualification(actor, one, "SAFETY", WORDS, version),
    "lift": lambda actor, one, version: lift_suspension(actor, one, WORDS, version),
    "assess again": lambda actor, one, version: demand_reassessment(actor, one, "PERIODIC", WORDS, version),
    "renew": lambda actor, one, version: request_renewal(actor, one, WORDS, version),
    "withdraw": lambda actor, one, version: withdraw_application(actor, one, WORDS, version),
    "accept": lambda actor, one, _version: accept_colleague(actor, one, "SU"),
}
ENDING = ("fail", "withdraw")
KIND = st.sampled_from(sorted(ACTS))
WHO = st.integers(0, 4)
WHICH = st.integers(0, 50)
UNIT = st.integers(0, 3)
MOST_UNITS = 4


class QualificationMachine(RuleBasedStateMachine):
    """Two FSPs, two DNOs and an administrator, who try everything."""

    kind = DATABASES[0]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize()
    def open_register(self) -> None:
        """A register of its own, with a unit in the areas of both DNOs, and a spare asset for it."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        use_database(self.stack.enter_context(fresh_database(folder, "register", build_register, self.kind)))
        self.clock = self.stack.enter_context(time_machine.travel(datetime.now(UTC)))
        self.fsp, self.rival = make_provider(), make_provider("Lumen")
        self.dsos = [make_dso(), make_dso("Northern Powergrid", "NPG_NE")]
        self.actors = [self.fsp, self.rival, *self.dsos, make_administrator()]
        newcastle = {"DNOConnection": "NPG_NE", "Latitude": "54.97", "Longitude": "-1.61", "Postcode": "NE1 4ST"}
        there = verified(self.fsp, **newcastle, ImportMPAN=an_mpan("15"))
        self.units = [make_unit(self.fsp, assets=[verified(self.fsp), there]), make_unit(self.fsp)]
        self.spare: list[Asset] = [verified(self.fsp) for _ in range(2)]

    def teardown(self) -> None:
        """Leave the register."""
        database.close()
        self.stack.close()

    def _try(self, act: Callable[[], object]) -> bool:
        """Whether it was done; refused, it must have changed nothing."""
        before = self._stand()
        try:
            act()
        except RegisterError:
            assert self._stand() == before, "a refusal left something behind"
            return False
        return True

    def _stand(self) -> dict[UUID, tuple[QualificationStatus, int]]:
        with unit_of_work(STAMP, writes=False):
            return {one.id: (one.status, one.version) for one in current_session().scalars(select(Qualification))}

    def _one(self, which: int) -> tuple[UUID, int] | None:
        stand = sorted(self._stand().items())
        return (stand[which % len(stand)][0], stand[which % len(stand)][1][1]) if stand else None

    def _unit(self, place: int) -> tuple[UUID, int]:
        """A unit, and its version; the administrator sees it whoever has it."""
        found = get_unit(self.actors[-1], self.units[place % len(self.units)].id).unit
        return found.id, found.version

    @rule(who=WHO, unit=UNIT, code=st.sampled_from(["SU", "SAOUDA"]))
    def apply(self, who: int, unit: int, code: str) -> None:
        """Somebody applies."""
        self._try(lambda: apply_for(self.actors[who], self.units[unit % len(self.units)], code))

    @rule(kind=KIND, who=WHO, which=WHICH, off=st.sampled_from([0, 0, 0, -1]))
    def act(self, kind: str, who: int, which: int, off: int) -> None:
        """Somebody tries something, now and then from a version that has moved on."""
        found = self._one(which)
        if found is None:
            return
        identifier, version = found
        approved = self._approved()
        done = self._try(lambda: ACTS[kind](self.actors[who], identifier, version + off))
        if done and kind not in ENDING:
            assert approved <= self._approved(), f"{kind} lost an approval"

    def _approved(self) -> set[UUID]:
        with unit_of_work(STAMP, writes=False):
            chosen = select(col(Qualification.id)).where(col(Qualification.qualified_at).is_not(None))
            return set(current_session().scalars(chosen))

    @rule(who=WHO, unit=UNIT, asset=st.integers(0, 1), add=st.booleans())
    def compose(self, who: int, unit: int, asset: int, add: bool) -> None:
        """A unit gains or loses an asset that others want as well; it is to be assessed again, and stays approved."""
        approved = self._approved()
        spare = [self.spare[asset].id]
        identifier, version = self._unit(unit)
        change = {"add": spare} if add else {"remove": spare}
        self._try(lambda: update_composition(self.actors[who], identifier, version=version, **change))
        assert approved <= self._approved(), "a change of the unit lost an approval"

    @rule(who=WHO, assets=st.sets(st.integers(0, 1), min_size=1), family=st.sampled_from(["DSO", "DSO", "RESERVE"]))
    def build(self, who: int, assets: set[int], family: str) -> None:
        """Somebody builds a unit of assets that others of the family may have: then it is refused, and names them."""
        if len(self.units) >= MOST_UNITS:
            return
        wanted = [self.spare[one] for one in sorted(assets)]

        def act() -> None:
            self.units.append(make_unit(self.actors[who], assets=wanted, family=Family(family)))

        self._try(act)

    @rule(who=WHO, unit=UNIT, to=st.integers(0, 1))
    def reassign(self, who: int, unit: int, to: int) -> None:
        """A unit goes to the other FSP, with its assets; what it is qualified for goes with it and stays approved."""
        approved = self._approved()
        identifier, version = self._unit(unit)
        gaining = self.actors[to].organisation_id
        assert gaining
        self._try(lambda: reassign_unit(self.actors[who], identifier, gaining, WORDS, version))
        assert approved <= self._approved(), "a re-assignment lost an approval"
        with unit_of_work(STAMP, writes=False) as session:
            providers = {one.id: one.service_provider_id for one in session.scalars(select(MarketUnit))}
            for one in session.scalars(select(Qualification)):
                assert one.service_provider_id == providers[one.unit_id]

    @rule(days=st.sampled_from([1, 6, 40]))
    def days_pass(self, days: int) -> None:
        """Time passes, and the register looks at what ends: only what is past its last day loses its approval."""
        self.clock.shift(timedelta(days=days))
        approved = self._approved()
        keep_validities()
        with unit_of_work(STAMP, writes=False) as session:
            ended = {one.id for one in session.scalars(select(Qualification)) if one.qualified_at is None}
            last = {one.id: one.valid_until for one in session.scalars(select(Qualification))}
            held = [last[one] for one in self._approved()]
        assert all(day is not None and day >= today() for day in held), "an approval outlived its last day"
        lost = approved & ended
        assert all((day := last[one]) is None or day < today() for one in lost), "an approval ended before its last day"

    @rule(who=WHO, unit=UNIT, chance=st.integers(0, 9))
    def end_unit(self, who: int, unit: int, chance: int) -> None:
        """Now and then a unit ends."""
        if chance == 0:
            identifier, version = self._unit(unit)
            self._try(lambda: deregister_unit(self.actors[who], identifier, WORDS, version))

    @invariant()
    def no_step_outside_the_table(self) -> None:
        """Each step is one of the life cycle's, and each begins where the one before ended."""
        if not hasattr(self, "units"):
            return
        known = {(str(step.source), str(step.target)) for step in QUALIFICATION_LIFE_CYCLE.transitions}
        last: dict[UUID, str] = {}
        with unit_of_work(STAMP, writes=False):
            session = current_session()
            for step in session.scalars(select(QualificationStep).order_by(col(QualificationStep.id))):
                assert step.from_status == last.get(step.qualification_id)
                if step.from_status is None:
                    assert step.to_status in ("SUBMITTED", "QUALIFIED")
                else:
                    assert (step.from_status, step.to_status) in known
                last[step.qualification_id] = step.to_status
            for one in session.scalars(select(Qualification)):
                assert last[one.id] == str(one.status)
                self._holds_together(one)

    def _holds_together(self, one: Qualification) -> None:
        held = one.status in (QualificationStatus.QUALIFIED, QualificationStatus.SUSPENDED)
        ended = one.status in QUALIFICATION_ENDED
        running = one.clock_from is not None
        assert not held or (one.qualified_at and one.valid_until)
        assert not ended or one.qualified_at is None
        assert running is (one.due_on is not None)
        assert not running or not (held or ended)

    @invariant()
    def no_count_drifts(self) -> None:
        """What dashboards and queues read is what counting anew gives."""
        if hasattr(self, "units"):
            with unit_of_work(STAMP, writes=False) as session:
                assert find_drifts(session) == []

    @invariant()
    def no_asset_twice(self) -> None:
        """An asset is in one active unit of a family."""
        if not hasattr(self, "units"):
            return
        with unit_of_work(STAMP, writes=False):
            current = select(func.count()).where(col(UnitMember.until_at).is_(None))
            twice = current.group_by(col(UnitMember.asset_id), col(UnitMember.family)).having(func.count() > 1)
            assert current_session().execute(twice).all() == []


@pytest.mark.use_case("UC-04.02")
@pytest.mark.parametrize("kind", DATABASES)
def test_nobody_finds_a_way_around_the_life_cycle(kind: str) -> None:
    machine = type("Machine", (QualificationMachine,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
