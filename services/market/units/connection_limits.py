"""Connection limits of units: an interface that the grid's records (UC-02.05) will fill; until then none is known."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """What the grid lets through for a unit, in kW; None: no limit is known that way."""

    export_kw: Decimal | None
    import_kw: Decimal | None
    words: str
    """Whose limit it is, and since when."""


Supply = Callable[[Collection[UUID]], Mapping[UUID, ConnectionLimit]]
_SUPPLIES: list[Supply] = []


def supplies_limits(supply: Supply) -> Supply:
    """Let a function say the limits of units: it is given their identifiers, inside an operation, and names those it knows."""
    _SUPPLIES.append(supply)
    return supply


def limits_of(unit_ids: Collection[UUID]) -> dict[UUID, ConnectionLimit]:
    """The limits in force now, of those of the units for which any is known; inside an operation."""
    found: dict[UUID, ConnectionLimit] = {}
    for supply in _SUPPLIES:
        found |= supply(unit_ids)
    return found
