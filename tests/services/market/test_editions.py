"""UC-05.02: figures for those who see no single record are editions, and two of them tell of nobody by their difference."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine

from models.participants import Role
from models.statistics import StatisticsEdition
from services.assets.counters.editions import EditionCell, FigureEdition, find_kept, round_count, round_kw
from services.assets.counters.figures import RegisterNumbers, register_in_numbers
from services.core.identity.actor import Actor
from services.market.statistics.dashboard import market_in_numbers
from services.market.statistics.disclosure_control import Tally
from services.market.statistics.edition import settle_table
from services.market.statistics.top_blockers import top_blockers
from services.market.unit_changes.composition import create_unit
from tests.asset_factories import make_actor, make_administrator, make_organisation, make_provider, registered
from tests.market_factories import apply_for, make_dso, qualified, verified

pytestmark = pytest.mark.use_case("UC-05.02")
START = datetime(2026, 6, 1, 9, tzinfo=UTC)
PROBE = {"RatedCapacity": "487.31", "GenCapacity": "487.31", "DemandCapacity": "487.31"}


def on(days: int, hours: int = 0) -> Any:
    return time_machine.travel(START + timedelta(days=days, hours=hours), tick=False)


def watchers() -> list[Actor]:
    """Those who see figures over all participants and no record."""
    return [
        make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR),
        make_actor(make_organisation("Ministry", ("Other",)), Role.VIEWER),
    ]


def fill(number: int = 4) -> list[Actor]:
    """Providers with some assets each: enough to be shown."""
    providers = [make_provider(f"Provider {each}") for each in range(number)]
    for provider in providers:
        for _ in range(3):
            registered(provider)
    return providers


def join_market(provider: Actor, dso: Actor, code: str, **terms: Any) -> None:
    """A new asset in a unit of its own, qualified for a product."""
    unit = create_unit(provider, name=code, code=code, family="DSO", asset_ids=[verified(provider, **terms).id]).unit
    [application] = apply_for(provider, unit, "SU", to=[dso.organisation_id])  # pyright: ignore
    qualified(dso, application)


def test_one_registration_changes_no_figure_that_day_or_the_next(register: str) -> None:
    with on(0):
        providers, (regulator, viewer) = fill(), watchers()
        before = register_in_numbers(viewer)
        registered(providers[0], **PROBE)
        assert register_in_numbers(viewer) == before == register_in_numbers(regulator)
        assert register_in_numbers(make_administrator()).total.count == 13
    for days in (1, 2, 30):
        with on(days):
            after = register_in_numbers(viewer)
            assert (after.total, after.by_category, after.by_status) == (
                before.total,
                before.by_category,
                before.by_status,
            )
    assert (before.total.count, before.total.rated_kw) == (10, 30_000), "12 of 30,000 kW, rounded"


def test_enough_new_of_enough_providers_is_in_the_next_edition(register: str) -> None:
    with on(0):
        providers, (_regulator, viewer) = fill(), watchers()
        assert register_in_numbers(viewer).total.count == 10
        for _ in range(6):
            registered(providers[0])
        assert register_in_numbers(viewer).total.count == 10
    with on(1):
        assert register_in_numbers(viewer).total.count == 10, "six of one provider are that provider's"
        registered(providers[1])
        registered(providers[2])
        assert register_in_numbers(viewer).total.count == 10
    with on(2):
        assert register_in_numbers(viewer).total.count == 20
        assert register_in_numbers(make_administrator()).total.count == 20


def test_a_day_ends_at_midnight_in_london(register: str) -> None:
    with on(0, hours=13):
        providers, (_regulator, viewer) = fill(), watchers()
        first = register_in_numbers(viewer)
        for provider in providers:
            for _ in range(4):
                registered(provider)
    with on(0, hours=13.9):
        assert register_in_numbers(viewer) == first
    with on(0, hours=14.1):
        assert register_in_numbers(viewer).total.count == 30


@pytest.mark.both_engines
def test_whoever_asks_first_everybody_gets_the_same_edition(register: str) -> None:
    with on(0):
        providers, people = fill(), watchers()
        answers: list[RegisterNumbers] = []

        def ask(actor: Actor) -> None:
            answers.append(register_in_numbers(actor))
            registered(providers[0])

        threads = [Thread(target=ask, args=(actor,)) for actor in people * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 6
        assert all(answer == answers[0] for answer in answers)


def test_the_market_is_told_by_editions_too(register: str) -> None:
    doors: tuple[Callable[[Actor], Any], ...] = (market_in_numbers, top_blockers)
    with on(0):
        dso, providers = make_dso(), [make_provider(f"Provider {each}") for each in range(3)]
        for provider in providers:
            for each in range(2):
                join_market(provider, dso, f"U-{each}")
        _regulator, viewer = watchers()
        before = [door(viewer) for door in doors]
        assert before[0].qualified.count == 5
        join_market(providers[0], dso, "PROBE", **PROBE)
        assert [door(viewer) for door in doors] == before
    with on(1):
        after = market_in_numbers(viewer)
        assert (after.qualified, after.heat, after.by_dimension, after.funnel, after.outcomes) == (
            before[0].qualified, before[0].heat, before[0].by_dimension, before[0].funnel, before[0].outcomes,
        )  # fmt: skip
        assert [item.words for item in top_blockers(viewer).items] == [item.words for item in before[1].items]
        for provider in providers:
            for each in range(2):
                join_market(provider, dso, f"V-{each}")
    with on(2):
        assert market_in_numbers(viewer).qualified.count == 15, "13, rounded"


def test_no_edition_of_a_random_history_tells_of_few() -> None:
    """Whatever moves, a figure that is published anew differs from the last by enough of enough providers."""
    chance = random.Random(11)
    truth = {code: {f"P{each}": chance.randrange(1, 6) for each in range(5)} for code in "ABCDE"}
    shown: dict[str, dict[str, int]] = {}
    former: StatisticsEdition | None = None
    moved = 0
    for day in range(120):
        for _ in range(chance.randrange(4)):
            parts = truth[chance.choice("ABCDE")]
            provider = f"P{chance.randrange(7)}"
            parts[provider] = max(0, parts.get(provider, 0) + chance.choice((-1, 1, 1, 2)))
        edition = FigureEdition("test", former)
        settled = edition.settle(
            "figures",
            {
                code: EditionCell(sum(parts.values()), 0, {name: (count, 0) for name, count in parts.items()})
                for code, parts in truth.items()
            },
        )
        hidden: list[tuple[str, int]] = []
        for code, cell in settled.items():
            now_shown = {name: part[0] for name, part in cell.parts.items()}
            before = shown.get(code, {})
            changes = {name: abs(now_shown.get(name, 0) - before.get(name, 0)) for name in {*now_shown, *before}}
            if day and any(changes.values()):
                moved += 1
                assert sum(changes.values()) >= 5
                assert sum(change > 0 for change in changes.values()) >= 3
            pending = {
                name: abs(truth[code].get(name, 0) - now_shown.get(name, 0)) for name in {*truth[code], *now_shown}
            }
            hidden += [(name, change) for name, change in pending.items() if change]
            shown[code] = now_shown
        if day and any(shown[code] == truth[code] for code in truth) and hidden:
            # What a total less the published figures tells is of enough too.
            assert sum(change for _name, change in hidden) >= 5 or not moved
        former = StatisticsEdition(kind="test", day=date(2026, 6, 1), made_at=START, published={}, basis=edition.basis)
    assert moved > 5


def test_a_cell_of_a_table_is_not_worked_out_from_its_row_and_column() -> None:
    """One cell with a small change takes others of its row and column along."""

    def tallies(more: dict[tuple[str, str], dict[str, int]]) -> dict[tuple[str, str], Tally]:
        cells: dict[tuple[str, str], Tally] = {}
        for row in "AB":
            for column in "XY":
                tally = cells[row, column] = Tally()
                for provider in ("P1", "P2", "P3", "P4"):
                    tally.add(10 + more.get((row, column), {}).get(provider, 0), 0, provider)
        return cells

    first = FigureEdition("test", None)
    settle_table(first, "cells", tallies({}))
    former = StatisticsEdition(kind="test", day=date(2026, 6, 1), made_at=START, published={}, basis=first.basis)
    large = {"P1": 3, "P2": 3, "P3": 3}
    changed = tallies({("A", "X"): {"P1": 1}, ("A", "Y"): large, ("B", "X"): large, ("B", "Y"): large})
    settled = settle_table(FigureEdition("test", former), "cells", changed)
    assert {key: tally.count for key, tally in settled.items()} == dict.fromkeys(settled, 40)


def test_rounding() -> None:
    assert [round_count(count) for count in (0, 2, 3, 5, 7, 8, 12, 1003)] == [0, 0, 5, 5, 5, 10, 10, 1005]
    assert [round_kw(kw) for kw in (0, 4, 36, 487, 1234, 12_345, 123_456)] == [0, 0, 40, 490, 1230, 12_300, 123_000]
    assert find_kept({}) == set()
