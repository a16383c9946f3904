"""What isn't shown to those who see no single organisation: small figures, and what would let them be worked out (UC-05.02)."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from services.assets.counters.figures import FEWEST_ASSETS, FEWEST_ORGANISATIONS

K = TypeVar("K", bound=Hashable)


def those_behind(provider: object) -> set[object] | frozenset[object]:
    """The providers behind a row, which names one or several."""
    return provider if isinstance(provider, frozenset) else {provider}


@dataclass
class Tally:
    """One figure before it is decided whether it may be shown: how many, hundredths of a kW, and whose."""

    count: int = 0
    kw: int = 0
    providers: set[object] = field(default_factory=set)

    def add(self, count: int, kw: int, provider: object) -> None:
        """Count some more."""
        self.count += count
        self.kw += kw
        if count:
            self.providers |= those_behind(provider)

    @property
    def small(self) -> bool:
        """Whether so few stand behind it that it tells of one of them."""
        return 0 < self.count < FEWEST_ASSETS or 0 < len(self.providers) < FEWEST_ORGANISATIONS


def _together(tallies: Iterable[Tally]) -> Tally:
    found = Tally()
    for one in tallies:
        found.count += one.count
        found.kw += one.kw
        found.providers |= one.providers
    return found


def withheld(line: Mapping[K, Tally], already: Iterable[K] = ()) -> set[K]:
    """Which figures of a line with a known sum are withheld: small ones, and as many more as hide them from subtraction.

    What is withheld can be worked out as one sum, so that has to be large enough as well, and of at least two figures.
    """
    hidden = {key for key, one in line.items() if one.small} | {key for key in already if line[key].count}
    rest = sorted((key for key in line if key not in hidden and line[key].count), key=lambda key: line[key].count)
    while hidden and rest and (len(hidden) == 1 or _together(line[key] for key in hidden).small):
        hidden.add(rest.pop(0))
    return hidden


def withheld_in_table(
    cells: Mapping[tuple[str, str], Tally], rows: Iterable[str], columns: Iterable[str]
) -> set[tuple[str, str]]:
    """Which cells of a table are withheld whose rows and columns have known sums; all of a row or column that is itself."""
    closed_rows, closed_columns = set(rows), set(columns)
    hidden = {key for key in cells if key[0] in closed_rows or key[1] in closed_columns}
    lines: dict[tuple[int, str], dict[tuple[str, str], Tally]] = defaultdict(dict)
    for key, one in cells.items():
        for side in (0, 1):
            lines[side, key[side]][key] = one
    while True:
        more = set(hidden)
        for line in lines.values():
            more |= withheld(line, [key for key in line if key in more])
        if more == hidden:
            return hidden
        hidden = more


def withheld_stages(stages: Sequence[tuple[int, int]]) -> list[bool]:
    """Which stages are withheld, each a part of the one before (how many, of how many providers).

    A small one is, and one so close to the last that is shown that the difference tells of a few.
    """
    found: list[bool] = []
    shown: int | None = None
    for count, providers in stages:
        small = 0 < count < FEWEST_ASSETS or 0 < providers < FEWEST_ORGANISATIONS
        close = shown is not None and 0 < shown - count < FEWEST_ASSETS
        found.append(small or close)
        if not found[-1]:
            shown = count
    return found


def shown_months(months: Sequence[tuple[int, set[object]]]) -> list[bool]:
    """At which months a running total may be shown: enough happened since the last one that is, at enough providers.

    Each month: how many steps, and whose.
    """
    found: list[bool] = []
    steps, providers = 0, set[object]()
    for count, whose in months:
        steps, providers = steps + count, providers | whose
        shown = not steps or (steps >= FEWEST_ASSETS and len(providers) >= FEWEST_ORGANISATIONS)
        found.append(shown)
        if shown:
            steps, providers = 0, set()
    return found


def grouped(rows: Iterable[tuple[K, int, int, object]]) -> dict[K, Tally]:
    """Rows (key, count, hundredths, provider) added up by key."""
    found: dict[K, Tally] = defaultdict(Tally)
    for key, count, kw, provider in rows:
        found[key].add(count, kw, provider)
    return dict(found)


def shown_to_all(sets: Sequence[np.ndarray], providers: np.ndarray, most: int) -> list[int]:
    """The places of the first sets that may be shown, at most so many: large enough, and not so close to another.

    `sets`: the places of their units, sorted, each once; `providers`: the number of each unit's provider.
    """
    shown: list[int] = []
    for place, rows in enumerate(sets):
        if len(shown) == most:
            break
        if not _small(rows, providers) and not any(_tells(rows, sets[other], providers) for other in shown):
            shown.append(place)
    return shown


def _tells(one: np.ndarray, other: np.ndarray, providers: np.ndarray) -> bool:
    """Whether one of them less the other is a figure that would be withheld: each unit of the one is in the other too."""
    only_one, only_other = (
        np.setdiff1d(first, second, assume_unique=True) for first, second in ((one, other), (other, one))
    )
    return not (len(only_one) and len(only_other)) and (_small(only_one, providers) or _small(only_other, providers))


def _small(rows: np.ndarray, providers: np.ndarray) -> bool:
    return Tally(len(rows), 0, set(providers[rows].tolist())).small
