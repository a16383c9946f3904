"""What units count for on the way to the market: in the areas of each SO, and over all (UC-05.02).

A unit counts by its assets in each area, by where it has applied and by what it is qualified for. These come from several
records, so what it counted for last is kept, and taken away once it counts for something else.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, cast, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import col

from models.market_tallies import ANYONE, FigureProvider, UnitCounted, UnitTally
from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from models.units import MarketUnit, UnitArea, UnitCapability, UnitStatus
from services.core.identity.roles import roles_in_force
from services.core.ledger.writer import table_of
from services.market.counters.keys import Counted, Kind

AT_ONCE = 2000
NATIONAL = "System Operator"
STAGES = (Kind.UNITS, Kind.APPLIED, Kind.QUALIFIED)
Share = list[int]
"""Assets: all, if the unit has applied, if it is qualified."""


class Contribution(NamedTuple):
    """What a unit counts for: in which family, of whom, its assets at each SO, and whether it has applied and is qualified."""

    family: str
    provider: str
    at: Mapping[str, Share]
    stages: Share

    def counted(self, sign: int) -> Iterator[Counted]:
        """Where it counts."""
        for operator, assets in self.at.items():
            yield UnitTally, (UUID(operator), self.family), (sign, *(sign * one for one in assets))
        for kind, there in zip(STAGES, self.stages, strict=True):
            if there:
                yield FigureProvider, (kind, 0, self.family, UUID(self.provider)), (0, sign, 0)


def operates(organisation: Organisation) -> bool:
    """Whether an organisation sees units by area."""
    return bool(organisation.licence_areas) or _everywhere(organisation)


def _everywhere(organisation: Organisation) -> bool:
    """Whether it sees all of them; before its first approval it sees none, and is counted for already."""
    declared = [] if organisation.licence_areas else organisation.organisation_roles
    return NATIONAL in (*roles_in_force(organisation), *declared)


def operators_of(session: OrmSession) -> dict[UUID, frozenset[str] | None]:
    """The areas of each SO; None: all there are."""
    told = (Organisation.licence_areas, Organisation.approved_values, Organisation.organisation_roles)
    areas, approved, declared = (cast(col(one), String) for one in told)
    national = (one.like(f"%{NATIONAL}%") for one in (approved, declared))
    return {
        one.id: None if _everywhere(one) else frozenset(one.licence_areas)
        for one in session.scalars(select(Organisation).where(or_(areas != "[]", *national)))
        if operates(one)
    }


def count_again(session: OrmSession, units: Collection[UUID] | None) -> Iterator[Counted]:
    """Count units anew (None: every one) and keep it; what is taken away and added. The last in a unit of work but one."""
    listed = sorted(session.scalars(select(col(MarketUnit.id))) if units is None else units)
    operators = operators_of(session)
    kept = table_of(UnitCounted)
    for start in range(0, len(listed), AT_ONCE):
        some = listed[start : start + AT_ONCE]
        # Held first: whoever else changes one of them waits here, and reads what this one leaves.
        held = select(kept.c.unit_id, kept.c.counted).where(kept.c.unit_id.in_(some)).order_by(kept.c.unit_id)
        before = {row[0]: row[1] for row in session.execute(held.with_for_update())}
        after = {unit: list(one) for unit, one in contributions(session, some, operators).items()}
        changed = {unit for unit in before.keys() | after.keys() if before.get(unit) != after.get(unit)}
        for sign, one in ((-1, before), (1, after)):
            for unit in changed & one.keys():
                yield from Contribution(*one[unit]).counted(sign)
        _keep(session, before.keys() - after.keys(), {unit: after[unit] for unit in changed & after.keys()})


def _keep(session: OrmSession, old: set[UUID], new: Mapping[UUID, Any]) -> None:
    kept = table_of(UnitCounted)
    if old:
        session.execute(delete(kept).where(kept.c.unit_id.in_(old)))
    if new:
        begin = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(kept)
        # The row stays the same one: whoever waits for it finds it.
        upsert = begin.on_conflict_do_update(index_elements=["unit_id"], set_={"counted": begin.excluded.counted})
        session.execute(upsert, [{"unit_id": unit, "counted": one} for unit, one in sorted(new.items())])


def contributions(
    session: OrmSession, units: Collection[UUID], operators: Mapping[UUID, frozenset[str] | None]
) -> dict[UUID, Contribution]:
    """What these units count for; ended ones for nothing."""
    chosen = select(
        col(MarketUnit.id), col(MarketUnit.family), col(MarketUnit.service_provider_id), col(UnitCapability.assets)
    )
    chosen = chosen.join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id))
    active = session.execute(chosen.where(col(MarketUnit.id).in_(units), col(MarketUnit.status) == UnitStatus.ACTIVE))
    places, applied = _places(session, units), _applied(session, units)
    found: dict[UUID, Contribution] = {}
    for unit, family, provider, assets in active:
        stands = applied.get(unit, {})
        here = {str(ANYONE): _share(assets, [state for states in stands.values() for state in states])}
        for operator, areas in operators.items():
            own = assets if areas is None else sum(n for dno, n in places.get(unit, {}).items() if dno in areas)
            if own:
                here[str(operator)] = _share(own, stands.get(operator, []))
        stages = _share(1, [state for states in stands.values() for state in states])
        found[unit] = Contribution(str(family), str(provider), here, stages)
    return found


def _share(assets: int, states: Collection[QualificationStatus]) -> Share:
    applied = any(state is not QualificationStatus.WITHDRAWN for state in states)
    return [assets, assets * applied, assets * (QualificationStatus.QUALIFIED in states)]


def _places(session: OrmSession, units: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    columns = (col(UnitArea.unit_id), col(UnitArea.dno_code), col(UnitArea.assets))
    for unit, dno, assets in session.execute(select(*columns).where(col(UnitArea.unit_id).in_(units))):
        found[unit][dno] += assets
    return found


def _applied(session: OrmSession, units: Collection[UUID]) -> dict[UUID, dict[UUID, list[QualificationStatus]]]:
    found: dict[UUID, dict[UUID, list[QualificationStatus]]] = defaultdict(lambda: defaultdict(list))
    columns = (col(Qualification.unit_id), col(Qualification.addressed_to), col(Qualification.status))
    for unit, operator, status in session.execute(select(*columns).where(col(Qualification.unit_id).in_(units))):
        found[unit][operator].append(status)
    return found
