"""Figures over overlapping sets of units: which may be shown to all, not small by themselves nor by difference (UC-05.02)."""

from collections.abc import Sequence

import numpy as np

from services.market.statistics.disclosure_control import Tally


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
