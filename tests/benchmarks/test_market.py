"""How the market's pages grow with the register, each beside the bare driver in the same minute.

100,000 assets with 5,000 units and 20,000 applications, and a million with 50,000 and 200,000; one unit of 10,000 assets.
`FMAR_BENCH_MARKET_SIZES=10000,100000` is a quick look; `FMAR_BENCH_MARKET_GROWTH=0` leaves the bound of growth out.
"""

import os
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.participants import Role
from services.core.db import engine as database
from services.core.identity.actor import Actor
from services.market.qualification.counts import tally_qualifications
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.listing import work_queue
from services.market.qualification.sla_clock import ClockState
from services.market.statistics.dashboard import market_in_numbers
from services.market.units.members import list_members
from services.market.units.units import get_unit, unit_history
from tests.benchmarks.bare_market import Bare
from tests.benchmarks.market_registers import large_unit, market_register_of
from tests.benchmarks.registers import somebody, use
from tests.benchmarks.report import Figures, cpu_ms

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(14_400)]
SIZES = tuple(int(size) for size in os.environ.get("FMAR_BENCH_MARKET_SIZES", "100000,1000000").split(","))
BOUND, GROWTH = 3.0, 2.0
HOLDS_GROWTH = os.environ.get("FMAR_BENCH_MARKET_GROWTH", "1") != "0"
ROUNDS = 7
AREAS = ("UKPN_EPN", "UKPN_LPN", "UKPN_SPN")
LINES, MEMBERS = 500, 200
"""As many as the pages show."""
WHO = {"operator": "an SO", "administrator": "the administrator", "viewer": "a viewer"}
UNDECIDED = QualificationFilters(clock=tuple(state for state in ClockState if state is not ClockState.STOPPED))
Act = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """One register, who looks at it, and the bare driver beside it."""

    size: int
    path: Path
    people: dict[str, Actor]
    unit: UUID
    connection: sqlite3.Connection

    def bare(self, who: str) -> Bare:
        """The baseline for one of the people."""
        return Bare(self.connection, self.people[who])


@pytest.fixture(scope="module")
def subjects() -> Iterator[list[Subject]]:
    """A register of each size."""
    made: list[Subject] = []
    before = os.environ.get("DATABASE_URL")
    for size in SIZES:
        path = market_register_of(size)
        connection = sqlite3.connect(path)
        people = {"operator": somebody(Role.SO_USER, AREAS), "administrator": somebody(Role.ADMINISTRATOR)}
        people["viewer"] = somebody(Role.VIEWER)
        made.append(Subject(size, path, people, large_unit(connection), connection))
    yield made
    for subject in made:
        subject.connection.close()
    database.close()
    if before is not None:
        os.environ["DATABASE_URL"] = before


def _measure(
    subjects: list[Subject], figures: Figures, what: str, ours: Callable[[Subject], Act],
    bare: Callable[[Subject], Act], *, grows: bool = False,
) -> None:  # fmt: skip
    """Rounds over all sizes, ours and the baseline by turns; the median of each, and what it means."""
    medians: dict[int, tuple[float, float]] = {}
    for subject in subjects:
        use(subject.path)
        our, their = ours(subject), bare(subject)
        pairs = [(cpu_ms(our), cpu_ms(their)) for _ in range(ROUNDS + 1)][1:]
        medians[subject.size] = (statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs))
    first = medians[subjects[0].size][0]
    for size, (our, their) in medians.items():
        grown = f"; {our / first:.2f} × at {subjects[0].size:,}" if size != subjects[0].size else ""
        told = f"{our / their:.1f} × the bare SQL ({their:,.1f} ms){grown}"
        bounds = f"{BOUND:g} × bare" + (f"; {GROWTH:g} × at {subjects[0].size:,}" if grown and not grows else "")
        figures.add(f"{what}, {size:,} assets", f"{our:,.1f} ms of CPU", bounds, told)
    assert max(our / their for our, their in medians.values()) <= BOUND
    if HOLDS_GROWTH and not grows:
        assert medians[subjects[-1].size][0] <= GROWTH * first


def _dashboard(subject: Subject, who: str) -> Act:
    bare = subject.bare(who)
    return bare.figures if who == "viewer" else bare.dashboard


@pytest.mark.parametrize("who", ["operator", "administrator", "viewer"])
def test_dashboard(subjects: list[Subject], figures: Figures, who: str) -> None:
    """The market at a glance; for a viewer with the providers behind each figure, which decide whether it is shown."""
    for subject in subjects:
        use(subject.path)
        assert market_in_numbers(subject.people[who]).qualified.count
    _measure(
        subjects,
        figures,
        f"The market's dashboard of {WHO[who]}",
        lambda subject: lambda: market_in_numbers(subject.people[who]),
        lambda subject: _dashboard(subject, who),
    )


@pytest.mark.parametrize("lines", [150, LINES])
@pytest.mark.parametrize("who", ["operator", "administrator"])
def test_queue(subjects: list[Subject], figures: Figures, who: str, lines: int) -> None:
    """A queue as its page asks for it: what can be filtered by, the numbers of what waits, and the first lines by the clock.

    At 100,000 assets fewer lines wait for an SO than a page holds: growth is held to its bound between pages of one length.
    """

    def ours(subject: Subject) -> Act:
        actor = subject.people[who]

        def act() -> None:
            tally_qualifications(actor, QualificationFilters())
            tally_qualifications(actor, UNDECIDED)
            assert work_queue(actor, UNDECIDED, lines)

        return act

    _measure(
        subjects,
        figures,
        f"The queue of {WHO[who]}, {lines} lines at most",
        ours,
        lambda subject: lambda: subject.bare(who).queue(lines),
        grows=lines == LINES,
    )


@pytest.mark.parametrize("who", ["operator", "administrator"])
def test_unit_of_10000_assets(subjects: list[Subject], figures: Figures, who: str) -> None:
    """A large unit as its page asks for it: what it comes to, its first two hundred assets, its history."""

    def ours(subject: Subject) -> Act:
        actor = subject.people[who]

        def act() -> None:
            assert get_unit(actor, subject.unit).capability.assets
            assert list_members(actor, subject.unit, limit=MEMBERS).items
            unit_history(actor, subject.unit)

        return act

    _measure(
        subjects,
        figures,
        f"The page of a unit of 10,000 assets, for {WHO[who]}",
        ours,
        lambda subject: lambda: subject.bare(who).unit(subject.unit.hex),
    )
