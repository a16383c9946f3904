"""Withheld figures of a line, summed upward as one: what is left of a published total after the figures that are shown.

It is worked out from what is published alone, rounded as that is, so that it tells nobody anything that they couldn't have
subtracted themselves; and the figures in it are withheld together because their sum is large enough (UC-05.02).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

OTHERS = "OTHERS"
"""Code of the one figure that stands for all that are withheld."""


class ShownFigure(Protocol):
    """A figure of a line as it is published."""

    @property
    def withheld(self) -> bool:
        """True where it is kept back."""
        ...

    @property
    def count(self) -> int | None:
        """How many; None where it is withheld."""
        ...


class Rest(NamedTuple):
    """What the withheld figures of a line come to: how many figures they are, their count and kW."""

    figures: int
    number: int
    kw: Decimal


def sum_withheld(
    figures: Sequence[ShownFigure], powers: Sequence[Decimal | None], count: int | None, kw: Decimal | None
) -> Rest | None:
    """The rest of a published total (`count`, `kw`) after the figures of its line; `powers` are the kW of these.

    None where nothing is withheld, the total itself is, or rounding has left nothing of it.
    """
    hidden = sum(figure.withheld for figure in figures)
    if not hidden or count is None or kw is None:
        return None
    rest = count - sum(figure.count or 0 for figure in figures)
    power = kw - sum((power or Decimal(0) for power in powers), Decimal(0))
    return Rest(hidden, rest, power) if rest > 0 and power > 0 else None
