"""The edition of the market's figures: tallies of the day, held against those of the edition before (UC-05.02)."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar, cast

from services.assets.counters.editions import EditionCell, FigureChange, FigureEdition, find_kept
from services.market.statistics.disclosure_control import Tally, find_withheld_in_table

K = TypeVar("K", bound=Hashable)


def settle_line(edition: FigureEdition | None, table: str, tallies: Mapping[K, Tally]) -> Mapping[K, Tally]:
    """Bring the figures of a line up to date in which enough changed; without an edition, all of them."""
    return _settle(edition, table, tallies, find_kept)


def settle_table(
    edition: FigureEdition | None, table: str, tallies: Mapping[tuple[str, str], Tally]
) -> Mapping[tuple[str, str], Tally]:
    """The same for a table, whose rows and columns are lines."""
    return _settle(edition, table, tallies, cast("Any", _find_kept_in_table))


def _find_kept_in_table(changes: Mapping[tuple[str, str], FigureChange]) -> set[tuple[str, str]]:
    cells = {key: Tally(change.count, 0, set(change.providers)) for key, change in changes.items()}
    return find_withheld_in_table(cells, (), ())


def _settle(
    edition: FigureEdition | None,
    table: str,
    tallies: Mapping[K, Tally],
    find: Callable[[Mapping[Any, FigureChange]], set[Any]],
) -> Mapping[K, Tally]:
    if edition is None:
        return tallies
    current = {key: cell_of(tally) for key, tally in tallies.items()}
    return {
        key: Tally(cell.count, cell.kw, set(cell.parts), {name: list(part) for name, part in cell.parts.items()})
        for key, cell in edition.settle(table, current, find).items()
    }


def cell_of(tally: Tally) -> EditionCell:
    """Return a tally as an edition compares it."""
    return EditionCell(tally.count, tally.kw, {name: (part[0], part[1]) for name, part in tally.parts.items()})
