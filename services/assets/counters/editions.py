"""Editions of statistics for those who see no single record (UC-05.02): made once a day, rounded, and held against the last.

Two live figures tell by their difference what happened between them, down to one registration. So an edition stands for a
whole day and for everybody, and brings a figure up to date only once enough changed in it: as many assets, units or
applications of as many providers as a figure needs to be shown at all.
"""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter
from sqlalchemy import func, select

from models.statistics import StatisticsEdition
from services.core.clock import now, today
from services.core.db.engine import is_sqlite
from services.core.transaction import current_session

FEWEST_ASSETS, FEWEST_ORGANISATIONS = 5, 3
COUNT_STEP = 5
"""Counts are published to the nearest multiple."""
DIGITS, SMALLEST_STEP_KW = 3, 10
"""Power is published to so many significant digits, and to no less than so many kW."""
LOCK = 0x4544495400000000
SOMEBODY = "?"
"""Stands for the providers of a change of which only the sum is known."""
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class EditionDue(Exception):
    """The edition of the day has not been made yet."""


@dataclass(slots=True)
class EditionCell:
    """A figure: count, hundredths of a kW, and the part of each provider in both."""

    count: int = 0
    kw: int = 0
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FigureChange:
    """The change of a figure since it was last brought up to date: how much of it moved, and at which providers."""

    count: int
    providers: frozenset[str]

    @property
    def small(self) -> bool:
        """True when so little stands behind it that it would disclose one of them."""
        return 0 < self.count < FEWEST_ASSETS or 0 < len(self.providers) < FEWEST_ORGANISATIONS


def find_kept(line: Mapping[K, FigureChange]) -> set[K]:
    """Find the figures of a line to keep as they were: those of small changes, and as many more as hide these in a sum."""
    kept = {key for key, change in line.items() if change.small}
    candidates = sorted((key for key in line if key not in kept and line[key].count), key=lambda key: line[key].count)
    while kept and candidates and (len(kept) == 1 or _sum_changes(line, kept).small):
        kept.add(candidates.pop(0))
    return kept


def _sum_changes(line: Mapping[K, FigureChange], keys: set[K]) -> FigureChange:
    changes = [line[key] for key in keys]
    return FigureChange(sum(change.count for change in changes), frozenset().union(*(one.providers for one in changes)))


class FigureEdition:
    """An edition in the making, held against the one before."""

    def __init__(self, kind: str, former: StatisticsEdition | None) -> None:
        self.kind = kind
        self.made_at: datetime = now()
        self._former: Mapping[str, Any] = former.basis if former else {}
        self.basis: dict[str, Any] = {}
        self._values: dict[str, Any] = {}

    def settle(
        self,
        table: str,
        current: Mapping[K, EditionCell],
        find: Callable[[Mapping[K, FigureChange]], set[K]] = find_kept,
    ) -> dict[K, EditionCell]:
        """Return the figures of a table to publish: as they are now, or as they were while too little changed in them."""
        settled = dict(current)
        if table in self._former:
            former = _read_cells(self._former[table])
            changes = {key: _compare(former.get(key), current.get(key)) for key in {**former, **current}}
            for key in find(cast("Mapping[K, FigureChange]", changes)):
                settled.pop(key, None)
                if (cell := former.get(key)) is not None:
                    settled[key] = cell
        self.basis[table] = [[key, cell.count, cell.kw, cell.parts] for key, cell in settled.items()]
        return settled

    def settle_value(self, table: str, key: Hashable, cell: EditionCell, value: Any) -> Any:
        """Return a value that was worked out from a settled figure: as it was where the figure is."""
        name, stored = f"{table}:{json.dumps(key)}", [cell.count, cell.kw, value]
        before = self._former.get("values", {}).get(name)
        if before is not None and before[:2] == stored[:2]:
            stored = before
        self._values[name] = stored
        return stored[2]

    def save(self, published: Any) -> None:
        """Save the edition in place of the one before; `published` is a dataclass. Inside an operation that writes."""
        content = TypeAdapter[Any](type(published)).dump_python(published, mode="json")
        session = current_session()
        edition = session.get(StatisticsEdition, self.kind) or StatisticsEdition(
            kind=self.kind, day=today(), made_at=self.made_at
        )
        edition.day, edition.made_at, edition.published = today(), self.made_at, content
        edition.basis = {**self.basis, "values": self._values}
        session.add(edition)


def _read_cells(rows: list[Any]) -> dict[Any, EditionCell]:
    return {
        tuple(key) if isinstance(key, list) else key: EditionCell(
            count, kw, {provider: (part[0], part[1]) for provider, part in parts.items()}
        )
        for key, count, kw, parts in rows
    }


def _compare(before: EditionCell | None, after: EditionCell | None) -> FigureChange:
    """Compare a figure with what it was. A sum that moved while no provider's part did is a change of somebody's."""
    old, new = before or EditionCell(), after or EditionCell()
    moved, providers = 0, set[str]()
    for provider in old.parts.keys() | new.parts.keys():
        first, second = old.parts.get(provider, (0, 0)), new.parts.get(provider, (0, 0))
        if first != second:
            moved += max(1, abs(second[0] - first[0]))
            providers.add(provider)
    if not providers and (old.count, old.kw) != (new.count, new.kw):
        return FigureChange(1, frozenset({SOMEBODY}))
    return FigureChange(moved, frozenset(providers))


def begin_edition(kind: str) -> FigureEdition | None:
    """Begin the edition of today; None when somebody else made it meanwhile. Inside a step that writes."""
    session = current_session()
    if not is_sqlite():
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    former = session.get(StatisticsEdition, kind, populate_existing=True)
    return None if former is not None and former.day == today() else FigureEdition(kind, former)


def read_edition(kind: str, shape: type[T]) -> T:
    """Read what today's edition says, as the dataclass that was published. Raises EditionDue when there is none yet."""
    edition = current_session().get(StatisticsEdition, kind)
    if edition is None or edition.day != today():
        raise EditionDue(kind)
    return TypeAdapter(shape).validate_python(edition.published, strict=False)


def with_edition(read: Callable[[], T], publish: Callable[[], None]) -> T:
    """Read figures; where today's edition isn't there yet, have it made first. Outside a unit of work that only reads."""
    try:
        return read()
    except EditionDue:
        publish()
        return read()


def round_count(count: int) -> int:
    """Round a count as it is published."""
    return (count + COUNT_STEP // 2) // COUNT_STEP * COUNT_STEP


def round_kw(kw: int) -> int:
    """Round whole kW as they are published."""
    step = max(SMALLEST_STEP_KW, int(10 ** max(0, len(str(abs(kw))) - DIGITS)))
    return (kw + step // 2) // step * step
