"""Statistical disclosure control (UC-05.02): small figures are withheld, and those that would let them be worked out."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from services.assets.counters.editions import FEWEST_ASSETS, FEWEST_ORGANISATIONS

K = TypeVar("K", bound=Hashable)


def providers_of(provider: object) -> set[object] | frozenset[object]:
    """Return the providers behind a row, which names one or several."""
    return provider if isinstance(provider, frozenset) else {provider}


@dataclass
class Tally:
    """One figure before disclosure control: count, hundredths of a kW, the providers behind it, and their parts in both."""

    count: int = 0
    kw: int = 0
    providers: set[object] = field(default_factory=set)
    parts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, count: int, kw: int, provider: object) -> None:
        """Add a count and power of a provider."""
        self.count += count
        self.kw += kw
        if count:
            self.providers |= providers_of(provider)
        if provider is not None and not isinstance(provider, frozenset):
            part = self.parts.setdefault(str(provider), [0, 0])
            part[0] += count
            part[1] += kw

    @property
    def small(self) -> bool:
        """True when so few stand behind the figure that it discloses one of them."""
        return 0 < self.count < FEWEST_ASSETS or 0 < len(self.providers) < FEWEST_ORGANISATIONS


def _sum_tallies(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.count += tally.count
        total.kw += tally.kw
        total.providers |= tally.providers
    return total


def find_withheld(line: Mapping[K, Tally], already: Iterable[K] = ()) -> set[K]:
    """Find the figures of a line with a known sum to withhold: small ones, and as many more as hide them from subtraction.

    The withheld figures can be worked out as one sum, so that has to be large enough too, and of at least two figures.
    """
    hidden = {key for key, tally in line.items() if tally.small} | {key for key in already if line[key].count}
    candidates = sorted((key for key in line if key not in hidden and line[key].count), key=lambda key: line[key].count)
    while hidden and candidates and (len(hidden) == 1 or _sum_tallies(line[key] for key in hidden).small):
        hidden.add(candidates.pop(0))
    return hidden


def find_withheld_in_table(
    cells: Mapping[tuple[str, str], Tally], rows: Iterable[str], columns: Iterable[str]
) -> set[tuple[str, str]]:
    """Find the cells to withhold of a table whose rows and columns have known sums.

    `rows` and `columns` are withheld as a whole.
    """
    closed_rows, closed_columns = set(rows), set(columns)
    hidden = {key for key in cells if key[0] in closed_rows or key[1] in closed_columns}
    lines: dict[tuple[int, str], dict[tuple[str, str], Tally]] = defaultdict(dict)
    for key, tally in cells.items():
        for side in (0, 1):
            lines[side, key[side]][key] = tally
    while True:
        extended = set(hidden)
        for line in lines.values():
            extended |= find_withheld(line, [key for key in line if key in extended])
        if extended == hidden:
            return hidden
        hidden = extended


def find_withheld_stages(stages: Sequence[tuple[int, int]]) -> list[bool]:
    """Find the stages to withhold, each a part of the one before (count, number of providers).

    A small one is withheld, and one so close to the last published that the difference discloses a few.
    """
    withheld: list[bool] = []
    last_published: int | None = None
    for count, providers in stages:
        small = 0 < count < FEWEST_ASSETS or 0 < providers < FEWEST_ORGANISATIONS
        too_close = last_published is not None and 0 < last_published - count < FEWEST_ASSETS
        withheld.append(small or too_close)
        if not withheld[-1]:
            last_published = count
    return withheld


def find_publishable_months(months: Sequence[tuple[int, set[object]]]) -> list[bool]:
    """Find the months whose running total may be published: enough steps at enough providers since the last such month.

    Each month: number of steps, and their providers.
    """
    publishable: list[bool] = []
    steps, providers = 0, set[object]()
    for count, month_providers in months:
        steps, providers = steps + count, providers | month_providers
        is_publishable = not steps or (steps >= FEWEST_ASSETS and len(providers) >= FEWEST_ORGANISATIONS)
        publishable.append(is_publishable)
        if is_publishable:
            steps, providers = 0, set()
    return publishable


def group_rows(rows: Iterable[tuple[K, int, int, object]]) -> dict[K, Tally]:
    """Group rows (key, count, hundredths of a kW, provider) by key."""
    tallies: dict[K, Tally] = defaultdict(Tally)
    for key, count, kw, provider in rows:
        tallies[key].add(count, kw, provider)
    return dict(tallies)


def select_publishable_sets(sets: Sequence[np.ndarray], providers: np.ndarray, limit: int) -> list[int]:
    """Select the first sets that may be published, at most `limit`: large enough, and not too close to another.

    Returns indexes of `sets`. `sets`: the row numbers of their units, sorted, each once; `providers`: the number of each
    unit's provider.
    """
    selected: list[int] = []
    for index, rows in enumerate(sets):
        if len(selected) == limit:
            break
        if not _is_small(rows, providers) and not any(
            _discloses(rows, sets[index_selected], providers) for index_selected in selected
        ):
            selected.append(index)
    return selected


def _discloses(first: np.ndarray, second: np.ndarray, providers: np.ndarray) -> bool:
    """Return True when one set contains the other and their difference is too small to publish."""
    only_first, only_second = (
        np.setdiff1d(left, right, assume_unique=True) for left, right in ((first, second), (second, first))
    )
    nested = not (len(only_first) and len(only_second))
    return nested and (_is_small(only_first, providers) or _is_small(only_second, providers))


def _is_small(rows: np.ndarray, providers: np.ndarray) -> bool:
    return Tally(len(rows), 0, set(providers[rows].tolist())).small
