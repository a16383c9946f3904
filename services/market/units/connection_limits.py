"""Connection limits of units: an interface that the grid's records (UC-02.05) will fill; until then none is known."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """The connection limit of a unit, in kW each way; None: no limit is known that way."""

    export_kw: Decimal | None
    import_kw: Decimal | None
    words: str
    """The operator that set the limit, and since when."""


Supply = Callable[[Collection[UUID]], Mapping[UUID, ConnectionLimit]]
_SUPPLIES: list[Supply] = []


def supplies_limits(supply: Supply) -> Supply:
    """Register a source of limits: a function from unit identifiers to the limits it knows, called inside an operation."""
    _SUPPLIES.append(supply)
    return supply


def limits_of(unit_ids: Collection[UUID]) -> dict[UUID, ConnectionLimit]:
    """Return the limits in force now, for those of the units that have any; inside an operation."""
    limits: dict[UUID, ConnectionLimit] = {}
    for supply in _SUPPLIES:
        limits |= supply(unit_ids)
    return limits
