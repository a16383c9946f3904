"""Applications of the demo's units and what became of them: each application is a story told in operations (UC-04.02)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Protocol
from uuid import UUID

from models.qualifications import Qualification
from services.core.clock import LONDON
from services.core.identity.actor import Actor
from services.market.qualification.application import apply_for_products
from services.market.qualification.assessment import (
    AssessmentResult,
    AssessmentVerdict,
    ask_information,
    decide_application,
    suspend_qualification,
    take_application,
)
from services.market.qualification.provider_actions import answer_information, request_renewal, withdraw_application
from services.market.qualification.reason_codes import reason_label
from services.market.qualification.service_windows import confirm_window
from services.market.unit_changes.composition import update_composition
from services.market.units.units import UnitDetails

JUSTIFIED = "Measurements of the site are with the test report that we send on request."
QUESTION = "Please send the test report of the metering, with the serial numbers of the meters."
ANSWER = "The report is on its way to your test desk; the meters are those of the data package."
CONDITION = "A dispatch test is repeated once a year."
UNDELIVERED = "Three dispatches in a row were not delivered. The suspension ends with a passed test."
ELSEWHERE = "The batteries are offered elsewhere for the time being."
QUALIFIED_BECAUSE = (
    "The test was passed on the first day.",
    "The test was passed.",
    "The documents agree with the data package.",
)
COUNTED_FOR = "Cable work near Ipswich: the chargers are wanted in the evening."
A_YEAR, COUNTED_IN = timedelta(days=365), 9
GROWN_AGO, RENEWED_AGO, COUNTED_AGO, SUSPENDED_AGO, EXPIRED_AGO = 6, 3, 2, 16, 40
"""Days before the day of seeding."""


class Scene(Protocol):
    """Surroundings that a story needs of the market around it."""

    random: Random

    @property
    def today(self) -> date:
        """The day of seeding."""
        ...

    @property
    def units(self) -> Mapping[str, UnitDetails]:
        """The units that were built, by code."""
        ...

    def at(self, days_ago: float, hour: int, step: Callable[[], object]) -> None:
        """Let something happen so many days before the day of seeding."""
        ...

    def provider(self, code: str) -> Actor:
        """The actor for the provider of a unit."""
        ...

    def operator(self, organisation_id: UUID) -> Actor:
        """The actor who assesses for an SO."""
        ...

    def spare(self, code: str) -> Sequence[UUID]:
        """Assets that can still join a unit."""
        ...


@dataclass
class Applying:
    """One application for some products, and its story."""

    scene: Scene
    code: str
    products: list[str]
    days_ago: int
    story: str
    ends: int | None
    qualifications: list[Qualification] = field(default_factory=list)

    def add(self) -> None:
        """Hand it in, and let happen what the story says."""
        self._at(0, 11, self._apply)
        kind, _, code = self.story.partition(":")
        took = self.scene.random.randrange(6, 19)
        if kind in ("taken", "asked", "answered"):
            self._each(
                2,
                9,
                lambda application: take_application(self._operator(application), application.id, application.version),
            )
        if kind in ("asked", "answered"):
            self._each(
                3,
                14,
                lambda application: ask_information(
                    self._operator(application), application.id, QUESTION, application.version
                ),
            )
        if kind == "answered":
            self._each(
                took,
                15,
                lambda application: answer_information(self._provider(), application.id, ANSWER, application.version),
            )
        if kind == "withdrawn":
            self._each(
                5,
                12,
                lambda application: withdraw_application(
                    self._provider(), application.id, ELSEWHERE, application.version
                ),
            )
        if kind == "failed":
            failed = AssessmentResult(
                AssessmentVerdict.FAILED, f"{reason_label(code)}: see the report of the test.", reason_code=code
            )
            self._each(
                took,
                16,
                lambda application: decide_application(
                    self._operator(application), application.id, failed, application.version
                ),
            )
        if kind in ("qualified", "expired", "suspended", "grown", "renewal", "counted"):
            self._each(took, 16, self._qualify)
        self._afterwards(kind, code)

    def _afterwards(self, kind: str, code: str) -> None:
        """Later events of a qualification."""
        if kind == "suspended":
            self._on(
                SUSPENDED_AGO,
                lambda application: suspend_qualification(
                    self._operator(application), application.id, code, UNDELIVERED, application.version
                ),
            )
        if kind == "counted":
            self._on(COUNTED_AGO, self._count_on)
        if kind == "renewal":
            self._on(
                RENEWED_AGO,
                lambda application: request_renewal(
                    self._provider(), application.id, "For another two years.", application.version
                ),
            )
        if kind == "grown":
            self.scene.at(GROWN_AGO, 13, self._grow)

    def _at(self, after: int, hour: int, step: Callable[[], object]) -> None:
        self.scene.at(self.days_ago - after, hour, step)

    def _each(self, after: int, hour: int, step: Callable[[Qualification], object]) -> None:
        if after < self.days_ago:
            self._at(after, hour, lambda: [step(application) for application in self.qualifications])

    def _on(self, days_ago: int, step: Callable[[Qualification], object]) -> None:
        self._each(self.days_ago - days_ago, 13, step)

    def _operator(self, application: Qualification) -> Actor:
        return self.scene.operator(application.addressed_to)

    def _provider(self) -> Actor:
        return self.scene.provider(self.code)

    def _apply(self) -> None:
        scene_unit = self.scene.units.get(self.code)
        if scene_unit is None:
            return
        asked: dict[str, list[UUID]] = {code: [] for code in self.products}
        unit = scene_unit.unit
        self.qualifications = apply_for_products(
            self._provider(), unit.id, asked, version=unit.version, justification=JUSTIFIED
        )

    def _qualify(self, application: Qualification) -> None:
        chance, today = self.scene.random, self.scene.today
        end = today + A_YEAR if self.ends is None else today + timedelta(days=self.ends)
        if self.story == "expired":
            end = today - timedelta(days=EXPIRED_AGO + 1)
        condition = CONDITION if chance.random() < 0.3 else None
        because = chance.choice(QUALIFIED_BECAUSE)
        outcome = AssessmentResult(AssessmentVerdict.QUALIFIED, because, valid_until=end, conditions=condition)
        decide_application(self._operator(application), application.id, outcome, application.version)

    def _count_on(self, application: Qualification) -> None:
        """The operator needs it on an evening soon: until then the unit can't leave."""
        evening = datetime.combine(self.scene.today + timedelta(days=COUNTED_IN), time(16), LONDON)
        confirm_window(self._operator(application), application.id, evening, evening + timedelta(hours=4), COUNTED_FOR)

    def _grow(self) -> None:
        """More assets join the unit: a material change, to be assessed again."""
        scene_unit = self.scene.units.get(self.code)
        if scene_unit is None:
            return
        more = self.scene.spare(self.code)
        if more:
            update_composition(self._provider(), scene_unit.unit.id, scene_unit.unit.version, add=more)
