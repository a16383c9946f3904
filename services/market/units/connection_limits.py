"""Connection limits of units, as far as the grid's records (UC-02.05) supply them."""

from collections.abc import Collection
from uuid import UUID

from services.core.reactions import ConnectionLimit, reactions


def limits_of(unit_ids: Collection[UUID]) -> dict[UUID, ConnectionLimit]:
    """Return the limits in force now, for those of the units that have any; inside an operation."""
    limits: dict[UUID, ConnectionLimit] = {}
    for supply in reactions().connection_limits:
        limits |= supply(unit_ids)
    return limits
