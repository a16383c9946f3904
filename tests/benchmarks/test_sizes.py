"""How reading grows with the register: 10,000, 100,000 and 1,000,000 assets, each beside the bare driver in the same minute.

The baseline answers the same question for the same actor by the best SQL we know, over a kept-open `sqlite3` connection:
it reads the actor's standing, applies the condition of who sees what, fetches everything, and decodes the same JSON.
"""

import json
import os
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.assets import AssetStatus
from models.participants import Role
from services.assets.asset_page.page import whole_asset
from services.assets.asset_page.timeline import asset_timeline
from services.assets.counters.figures import register_in_numbers
from services.assets.counters.queries import counts_by_cell
from services.assets.filters import AssetFilters
from services.assets.reading.assets import count_assets, get_asset
from services.assets.reading.listing import list_lines
from services.core.db import engine as database
from services.core.identity.actor import Actor
from services.core.operation import operation
from tests.benchmarks.registers import SIZES, register_of, somebody, use
from tests.benchmarks.report import Figures, cpu_ms

pytestmark = pytest.mark.benchmark
ROUNDS, TIMES = 15, 10
BOUND = 3.0
AREAS = ("UKPN_EPN", "UKPN_LPN", "UKPN_SPN")
ENDED = ("DEREGISTERED", "REFUSED_NO_CONSENT")
IN_AREAS = "dno_connection IN (?, ?, ?)"
Act = Callable[[], Any]

MUCH_SAID = (
    "SELECT c.asset_id FROM asset_check c JOIN asset_message m ON m.asset_id = c.asset_id "
    f"WHERE c.asset_id IN (SELECT id FROM asset WHERE {IN_AREAS}) "
    "GROUP BY c.asset_id ORDER BY count(*) DESC, c.asset_id LIMIT 1"
)
"""An asset of the demo that was checked and queried: its file is a thick one."""


@dataclass
class Subject:
    """One register, a system operator who looks at it, and the bare driver beside it."""

    size: int
    path: Path
    operator: Actor
    regulator: Actor
    asset: UUID
    bare: sqlite3.Connection
    spent: dict[str, list[float]] = field(default_factory=dict)

    def fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        return self.bare.execute(sql, values).fetchall()

    def standing(self, actor: Actor) -> None:
        """What every operation asks first: whether the actor still stands."""
        assert actor.user_id
        assert actor.organisation_id
        rows = self.fetch(STANDING, actor.user_id.hex, actor.organisation_id.hex)
        json.loads(rows[0][0])
        if actor is self.operator:
            # An operator sees its own assets too: where there are none elsewhere, the areas alone say what it sees.
            assert not self.fetch(ELSEWHERE, *[actor.organisation_id.hex] * 3, *AREAS)


STANDING = (
    "SELECT m.roles, m.status, u.status, o.organisation_status, o.status_reason FROM membership m "
    "JOIN user u ON u.id = m.user_id JOIN organisation o ON o.id = m.organisation_id "
    "WHERE m.user_id = ? AND m.organisation_id = ?"
)

ELSEWHERE = (
    "SELECT 1 FROM asset WHERE (service_provider_id = ? OR organisation_id = ? OR submitted_by_organisation = ?) "
    f"AND (dno_connection IS NULL OR NOT {IN_AREAS}) LIMIT 1"
)


@pytest.fixture(scope="module")
def subjects() -> Iterator[list[Subject]]:
    """A register of each size."""
    made: list[Subject] = []
    before = os.environ.get("DATABASE_URL")
    for size in SIZES:
        path = register_of(size)
        bare = sqlite3.connect(path)
        operator, regulator = somebody(Role.SO_USER, AREAS), somebody(Role.REGULATOR)
        assert set(operator.areas) == set(AREAS)
        asset = bare.execute(MUCH_SAID, AREAS).fetchone()[0]
        made.append(Subject(size, path, operator, regulator, UUID(asset), bare))
    yield made
    for subject in made:
        subject.bare.close()
    database.close()
    if before is not None:
        os.environ["DATABASE_URL"] = before


def _measure(
    subjects: list[Subject], figures: Figures, what: str, ours: Callable[[Subject], Act],
    bare: Callable[[Subject], Act], *, growth: float | None, bound: float | None = BOUND,
) -> None:  # fmt: skip
    """Rounds over all sizes, ours and the baseline by turns; the median of each, and what it means."""
    spent: dict[int, tuple[list[float], list[float]]] = {subject.size: ([], []) for subject in subjects}
    acts = [(subject, ours(subject), bare(subject)) for subject in subjects]
    for turn in range(ROUNDS + 1):
        for subject, our, their in acts:
            use(subject.path)
            our()
            their()
            taken = (cpu_ms(lambda our=our: _times(our)) / TIMES, cpu_ms(lambda their=their: _times(their)) / TIMES)
            if turn:
                spent[subject.size][0].append(taken[0])
                spent[subject.size][1].append(taken[1])
    medians = {size: (statistics.median(one), statistics.median(two)) for size, (one, two) in spent.items()}
    first = medians[subjects[0].size][0]
    for size, (our, their) in medians.items():
        grown = f"; {our / first:.2f} × at {subjects[0].size:,}" if size != subjects[0].size else ""
        bounds = [
            f"{bound:g} × bare" if bound else "",
            f"{growth:g} × at {subjects[0].size:,}" if growth and grown else "",
        ]
        told = f"{our / their:.1f} × the bare SQL ({their * 1000:,.0f} µs){grown}"
        figures.add(f"{what}, {size:,} assets", f"{our * 1000:,.0f} µs of CPU", "; ".join(filter(None, bounds)), told)
    if bound:
        assert max(our / their for our, their in medians.values()) <= bound
    if growth:
        assert medians[subjects[-1].size][0] <= growth * first


def _times(act: Act) -> None:
    for _ in range(TIMES):
        act()


LINE = (
    "SELECT id, asset_name, status, asset_category, rated_capacity, gsp_group, dno_connection, service_provider_id, "
    "registered_at, status_since, latitude, longitude FROM asset"
)


def _listed(filters: AssetFilters, sort: str, sql: str, *values: str) -> tuple[Callable[[Subject], Act], ...]:
    def bare(subject: Subject) -> Act:
        def act() -> object:
            subject.standing(subject.operator)
            return subject.fetch(f"{LINE} {sql} LIMIT 51", *AREAS, *values)

        return act

    def ours(subject: Subject) -> Act:
        return lambda: list_lines(subject.operator, filters, sort=sort, limit=50)

    return ours, bare


LISTS = {
    "status, newest first": _listed(
        AssetFilters(status=(AssetStatus.QUERY,)),
        "newest",
        f"INDEXED BY asset_by_status WHERE {IN_AREAS} AND status = ? ORDER BY id DESC",
        "QUERY",
    ),
    "category, largest first": _listed(
        AssetFilters(asset_category=("BESS",)),
        "capacity",
        f"INDEXED BY asset_by_capacity WHERE {IN_AREAS} AND asset_category = ? ORDER BY rated_capacity DESC, id DESC",
        "BESS",
    ),
    "what waits longest": _listed(
        AssetFilters(status=(AssetStatus.PENDING_VALIDATION,)),
        "waiting",
        f"INDEXED BY asset_waiting WHERE {IN_AREAS} AND status = ? ORDER BY status_since, id",
        "PENDING_VALIDATION",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_first_page_of_a_list(subjects: list[Subject], figures: Figures, name: str) -> None:
    """50 lines that pass a filter, in an order."""
    ours, bare = LISTS[name]
    for subject in subjects:
        use(subject.path)
        lines, rows = ours(subject)(), bare(subject)()
        assert [line.id.hex for line in lines.items] == [row[0] for row in rows[:50]]
    _measure(subjects, figures, f"First page of a list: {name}", ours, bare, growth=1.5)


ASSET = f"SELECT * FROM asset WHERE id = ? AND {IN_AREAS}"
CHECKS = "SELECT * FROM asset_check WHERE asset_id = ? ORDER BY asset_version, id"
OF_ASSET_SEEN = (
    f"asset_id = ? AND EXISTS (SELECT 1 FROM asset WHERE id = m.asset_id AND {IN_AREAS}) "
    "AND (only_for IS NULL OR only_for = ?)"
)
MESSAGES = f"SELECT * FROM asset_message m WHERE {OF_ASSET_SEEN} ORDER BY id"
FILES = f"SELECT * FROM attachment m WHERE {OF_ASSET_SEEN} ORDER BY id"
CHAIN = (
    "SELECT l.seq, l.record_type, l.record_id, l.version, l.recorded_at, l.operation, l.use_case, l.user_id, l.client_id, "
    "l.organisation_id, l.state, l.hash, u.full_name, o.organisation_legal_name FROM ledger_entry l "
    "LEFT JOIN user u ON u.id = l.user_id LEFT JOIN organisation o ON o.id = l.organisation_id "
    "WHERE l.record_type = ? AND l.record_id {which} ORDER BY l.seq"
)
OF_ASSET = CHAIN.format(which="= ?")
OF_CHECKS = CHAIN.format(which="IN (SELECT id FROM asset_check WHERE asset_id = ?)")
OF_MESSAGES = CHAIN.format(which=f"IN (SELECT id FROM asset_message m WHERE {OF_ASSET_SEEN})")
STATE = 10
INVOLVED = (
    "SELECT id, coalesce(organisation_trading_name, organisation_legal_name) FROM organisation "
    "WHERE organisation_status = 'Active' AND (id IN (?, ?, ?) OR instr(organisation_roles, ?) OR instr(licence_areas, ?))"
)
OFFERED = f"SELECT service_provider_id = ?, {IN_AREAS} FROM asset WHERE id = ?"
SETTING = "SELECT value FROM setting WHERE key = 'asset.attachment_max_mb'"
CATALOGUE = "SELECT " + ", ".join(
    f"(SELECT {what} FROM {table} {where})"
    for table, where in (("category_schema", "WHERE status NOT IN ('DRAFT', 'DISCARDED')"), ("code_list_entry", ""))
    for what in ("count(*)", "sum(version)", "max(recorded_at)")
)


def _bare_asset(subject: Subject) -> dict[str, Any]:
    subject.standing(subject.operator)
    cursor = subject.bare.execute(ASSET, (subject.asset.hex, *AREAS))
    names = [column[0] for column in cursor.description]
    asset = dict(zip(names, cursor.fetchone(), strict=True))
    for name in ("category_attributes", "aliases", "derived_terms", "justifications"):
        asset[name] = json.loads(asset[name])
    return asset


def _bare_page(subject: Subject) -> Act:
    identifier, organisation = subject.asset.hex, subject.operator.organisation_id
    assert organisation
    seen = (identifier, *AREAS, organisation.hex)

    def act() -> object:
        asset = _bare_asset(subject)
        cursor = subject.bare.execute(CHECKS, (identifier,))
        names = [column[0] for column in cursor.description]
        checks = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for check in checks:
            check["comparisons"], check["evidence"] = json.loads(check["comparisons"]), json.loads(check["evidence"])
        parties = (asset["service_provider_id"], asset["organisation_id"], asset["submitted_by_organisation"])
        return (
            asset,
            checks,
            subject.fetch(MESSAGES, *seen),
            subject.fetch(FILES, *seen),
            [json.loads(row[STATE]) for row in subject.fetch(OF_ASSET, "asset", identifier)],
            subject.fetch(INVOLVED, *parties, '"System Operator"', f'"{asset["dno_connection"]}"'),
            subject.fetch(OFFERED, organisation.hex, *AREAS, identifier),
            subject.fetch(SETTING),
            subject.fetch(CATALOGUE),
        )

    return act


def _bare_timeline(subject: Subject) -> Act:
    identifier, organisation = subject.asset.hex, subject.operator.organisation_id
    assert organisation
    seen = (identifier, *AREAS, organisation.hex)

    def act() -> object:
        subject.standing(subject.operator)
        entries = [
            *subject.fetch(OF_ASSET, "asset", identifier),
            *subject.fetch(OF_CHECKS, "asset_check", identifier),
            *subject.fetch(OF_MESSAGES, "asset_message", *seen),
        ]
        states = [json.loads(row[STATE]) for row in entries]
        return _bare_asset(subject), states, subject.fetch(MESSAGES, *seen), subject.fetch(FILES, *seen)

    return act


def test_one_asset(subjects: list[Subject], figures: Figures) -> None:
    """What the asset page reads, and its history when that is opened; beside them, the record alone."""
    _measure(
        subjects,
        figures,
        "The asset page: record, checks, provenance, conversation, differences, actions",
        lambda subject: lambda: whole_asset(subject.operator, subject.asset),
        _bare_page,
        growth=1.5,
    )
    _measure(
        subjects,
        figures,
        "The history on the asset page",
        lambda subject: lambda: asset_timeline(subject.operator, subject.asset),
        _bare_timeline,
        growth=1.5,
    )
    _measure(
        subjects,
        figures,
        "One asset, the record alone",
        lambda subject: lambda: get_asset(subject.operator, subject.asset),
        lambda subject: lambda: _bare_asset(subject),
        growth=1.5,
        bound=None,
    )


@operation("UC-05.01", permission="asset.read", writes=False, name="bench_map_of_all")
def bench_map_of_all(actor: Actor) -> object:
    """The hexagons of the whole country."""
    return counts_by_cell(actor, AssetFilters())


CELLS = (
    "SELECT cell, sum(assets), sum(rated) FROM asset_cell_tally WHERE asset_category = '' AND status = '' "
    f"AND {IN_AREAS} GROUP BY cell"
)


def test_map_of_all(subjects: list[Subject], figures: Figures) -> None:
    """Hexagons with counts and capacity, of all that the operator sees."""

    def bare(subject: Subject) -> Act:
        def act() -> object:
            subject.standing(subject.operator)
            return subject.fetch(CELLS, *AREAS)

        return act

    def ours(subject: Subject) -> Act:
        return lambda: bench_map_of_all(subject.operator)

    _measure(subjects, figures, "Map overview", ours, bare, growth=3)


GROUPS = "SELECT status, gsp_group, sum(assets), sum(rated) FROM asset_tally {where} GROUP BY status, gsp_group"
BY_CATEGORY = (
    f"SELECT asset_category, sum(assets), sum(rated) FROM asset_tally WHERE status NOT IN {ENDED} {{also}} "
    "GROUP BY asset_category"
)
MONTHS = "SELECT active, month, sum(assets) FROM asset_month_tally {where} GROUP BY active, month"
BEHIND = "SELECT dimension, code, count(*) FROM asset_provider_tally GROUP BY dimension, code"


def _bare_home(subject: Subject, actor: Actor) -> Act:
    areas = AREAS if actor is subject.operator else ()
    where, also = (f"WHERE {IN_AREAS}", f"AND {IN_AREAS}") if areas else ("", "")

    def act() -> object:
        subject.standing(actor)
        found = [
            subject.fetch(GROUPS.format(where=where), *areas),
            subject.fetch(BY_CATEGORY.format(also=also), *areas),
            subject.fetch(MONTHS.format(where=where), *areas),
            subject.fetch(CATALOGUE),
        ]
        return found if areas else [*found, subject.fetch(BEHIND)]

    return act


@pytest.mark.parametrize("who", ["operator", "regulator"])
def test_home_numbers(subjects: list[Subject], figures: Figures, who: str) -> None:
    """The register in numbers, for an operator of three areas, and for a regulator with small figures withheld."""
    total = [register_in_numbers(getattr(subject, who)).total.count for subject in subjects if not use(subject.path)]
    assert total == sorted(count or 0 for count in total)
    _measure(
        subjects,
        figures,
        f"Home numbers of a system {who}" if who == "operator" else f"Home numbers of a {who}",
        lambda subject: lambda: register_in_numbers(getattr(subject, who)),
        lambda subject: _bare_home(subject, getattr(subject, who)),
        growth=3,
    )


def test_count(subjects: list[Subject], figures: Figures) -> None:
    """How many assets a list holds: by the kept counts, and by counting up to 10,000."""
    kept = AssetFilters(asset_category=("BESS",))
    sql = f"SELECT sum(assets) FROM asset_tally WHERE asset_category = 'BESS' AND {IN_AREAS}"

    def bare(statement: str, *values: object) -> Callable[[Subject], Act]:
        def of(subject: Subject) -> Act:
            def act() -> object:
                subject.standing(subject.operator)
                return subject.fetch(statement, *AREAS, *values)

            return act

        return of

    def ours(filters: AssetFilters) -> Callable[[Subject], Act]:
        return lambda subject: lambda: count_assets(subject.operator, filters)

    _measure(subjects, figures, "A count that is kept", ours(kept), bare(sql), growth=None, bound=None)
    large = AssetFilters(capacity_min=Decimal(50))
    limited = (
        f"SELECT count(*) FROM (SELECT 1 FROM asset INDEXED BY asset_by_capacity WHERE {IN_AREAS} AND rated_capacity >= ? "
        "LIMIT 10001)"
    )
    _measure(subjects, figures, "A count up to 10,000", ours(large), bare(limited, 5000), growth=None, bound=None)
