"""Map counts: applications by GSP group and SLA clock, units by GSP group and family (UC-04.02, UC-05.01)."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from models.qualifications import Qualification
from models.units import MarketUnit, UnitArea, UnitCapability, UnitStatus
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.counts import load_clocks
from services.market.qualification.filters import QualificationFilters, qualification_conditions
from services.market.units.listing import UnitFilters, unit_conditions


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """The number of applications or units of one kind in one GSP group."""

    gsp_group: str
    """The empty text: several (applications), or not known (units)."""
    kind: str
    """A `ClockState` of applications; the family of active units, DEREGISTERED for others."""
    count: int


@operation("UC-04.02", permission="qualification.read", writes=False, name="applications_by_place")
def applications_by_place(actor: Actor, filters: QualificationFilters | None = None) -> list[PlaceCount]:
    """Count the visible applications that pass the filters, by GSP group of their unit and state of the SLA clock."""
    q = Qualification
    keys = (col(q.gsp_group), col(q.status), col(q.due_on))
    query = select(*keys, func.count()).where(
        visible(q, actor), *qualification_conditions(actor, filters or QualificationFilters())
    )
    state = load_clocks().state
    counts: Counter[tuple[str, str]] = Counter()
    for group, status, due, count in current_session().execute(query.group_by(*keys)):
        counts[group, str(state(str(status), due))] += count
    return _list_counts(counts)


@operation("UC-05.01", permission="unit.read", writes=False, name="units_by_place")
def units_by_place(actor: Actor, filters: UnitFilters | None = None) -> list[PlaceCount]:
    """Count the visible units that pass the filters, by family, in each GSP group in which some of the unit lies."""
    unit: Any = MarketUnit
    keys = (col(UnitArea.gsp_group), col(unit.family), col(unit.status))
    query = (
        select(*keys, func.count(func.distinct(col(unit.id))))
        .join(unit, col(unit.id) == col(UnitArea.unit_id))
        .join(UnitCapability, col(UnitCapability.unit_id) == col(unit.id))
        .where(visible(unit, actor), *unit_conditions(filters or UnitFilters()))
    )
    counts: Counter[tuple[str, str]] = Counter()
    for group, family, status, count in current_session().execute(query.group_by(*keys)):
        counts[group, str(family if status is UnitStatus.ACTIVE else status)] += count
    return _list_counts(counts)


def _list_counts(counts: Counter[tuple[str, str]]) -> list[PlaceCount]:
    return [PlaceCount(group, kind, count) for (group, kind), count in sorted(counts.items())]
