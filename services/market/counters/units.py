"""Contributions of units to the market's counters: in the areas of each SO, and over all (UC-05.02).

A unit counts by its assets in each area, its applications and its qualifications. These come from several records, so its
last contribution is stored, and subtracted when it changes.
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
from services.market.counters.keys import CounterChange, FigureKind

BATCH_SIZE = 2000
NATIONAL = "System Operator"
STAGES = (FigureKind.UNITS, FigureKind.APPLIED, FigureKind.QUALIFIED)
Share = list[int]
"""Numbers of assets: all; the same if the unit has applied, else 0; the same if it is qualified, else 0."""


class Contribution(NamedTuple):
    """The contribution of a unit: family, provider, its assets by SO, and the stages that it has reached."""

    family: str
    provider: str
    shares: Mapping[str, Share]
    stages: Share

    def changes(self, sign: int) -> Iterator[CounterChange]:
        """Yield the counter changes of the unit; `sign` is 1 or -1."""
        for operator, share in self.shares.items():
            yield UnitTally, (UUID(operator), self.family), (sign, *(sign * assets for assets in share))
        for kind, reached in zip(STAGES, self.stages, strict=True):
            if reached:
                yield FigureProvider, (kind, 0, self.family, UUID(self.provider)), (0, sign, 0)


def is_operator(organisation: Organisation) -> bool:
    """Return True when an organisation sees units by area."""
    return bool(organisation.licence_areas) or _sees_everywhere(organisation)


def _sees_everywhere(organisation: Organisation) -> bool:
    """Return True when an organisation sees all units; before its first approval it sees none, but is counted for."""
    declared = [] if organisation.licence_areas else organisation.organisation_roles
    return NATIONAL in (*roles_in_force(organisation), *declared)


def load_operator_areas(session: OrmSession) -> dict[UUID, frozenset[str] | None]:
    """Load the areas of each SO; None: all areas."""
    columns = (Organisation.licence_areas, Organisation.approved_values, Organisation.organisation_roles)
    areas, approved, declared = (cast(col(column), String) for column in columns)
    national = (roles.like(f"%{NATIONAL}%") for roles in (approved, declared))
    return {
        organisation.id: None if _sees_everywhere(organisation) else frozenset(organisation.licence_areas)
        for organisation in session.scalars(select(Organisation).where(or_(areas != "[]", *national)))
        if is_operator(organisation)
    }


def recount_contributions(session: OrmSession, units: Collection[UUID] | None) -> Iterator[CounterChange]:
    """Recount the contributions of units (None: all) and store them; yield the counter changes."""
    unit_ids = sorted(session.scalars(select(col(MarketUnit.id))) if units is None else units)
    operators = load_operator_areas(session)
    table = table_of(UnitCounted)
    for start in range(0, len(unit_ids), BATCH_SIZE):
        batch = unit_ids[start : start + BATCH_SIZE]
        # Locked first: a concurrent writer of one of them waits here, and then reads the new contribution.
        query = select(table.c.unit_id, table.c.counted).where(table.c.unit_id.in_(batch)).order_by(table.c.unit_id)
        before = {row.unit_id: row.counted for row in session.execute(query.with_for_update())}
        after = {unit: list(values) for unit, values in load_contributions(session, batch, operators).items()}
        changed = {unit for unit in before.keys() | after.keys() if before.get(unit) != after.get(unit)}
        for sign, by_unit in ((-1, before), (1, after)):
            for unit in changed & by_unit.keys():
                yield from Contribution(*by_unit[unit]).changes(sign)
        _store_contributions(
            session, before.keys() - after.keys(), {unit: after[unit] for unit in changed & after.keys()}
        )


def _store_contributions(session: OrmSession, old: set[UUID], new: Mapping[UUID, Any]) -> None:
    table = table_of(UnitCounted)
    if old:
        session.execute(delete(table).where(table.c.unit_id.in_(old)))
    if new:
        begin = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(table)
        # Updated in place: a writer that waits for the row finds it.
        upsert = begin.on_conflict_do_update(index_elements=["unit_id"], set_={"counted": begin.excluded.counted})
        session.execute(upsert, [{"unit_id": unit, "counted": values} for unit, values in sorted(new.items())])


def load_contributions(
    session: OrmSession, units: Collection[UUID], operators: Mapping[UUID, frozenset[str] | None]
) -> dict[UUID, Contribution]:
    """Load the contributions of these units; de-registered ones have none."""
    query = select(
        col(MarketUnit.id), col(MarketUnit.family), col(MarketUnit.service_provider_id), col(UnitCapability.assets)
    )
    query = query.join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id))
    active = session.execute(query.where(col(MarketUnit.id).in_(units), col(MarketUnit.status) == UnitStatus.ACTIVE))
    places, applied = _load_assets_by_area(session, units), _load_states_by_operator(session, units)
    contributions: dict[UUID, Contribution] = {}
    for unit, family, provider, assets in active:
        states_by_operator = applied.get(unit, {})
        shares = {
            str(ANYONE): _build_share(assets, [state for states in states_by_operator.values() for state in states])
        }
        for operator, areas in operators.items():
            own = assets if areas is None else sum(n for dno, n in places.get(unit, {}).items() if dno in areas)
            if own:
                shares[str(operator)] = _build_share(own, states_by_operator.get(operator, []))
        stages = _build_share(1, [state for states in states_by_operator.values() for state in states])
        contributions[unit] = Contribution(str(family), str(provider), shares, stages)
    return contributions


def _build_share(assets: int, states: Collection[QualificationStatus]) -> Share:
    applied = any(state is not QualificationStatus.WITHDRAWN for state in states)
    return [assets, assets * applied, assets * (QualificationStatus.QUALIFIED in states)]


def _load_assets_by_area(session: OrmSession, units: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    assets_by_area: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    columns = (col(UnitArea.unit_id), col(UnitArea.dno_code), col(UnitArea.assets))
    for unit, dno, assets in session.execute(select(*columns).where(col(UnitArea.unit_id).in_(units))):
        assets_by_area[unit][dno] += assets
    return assets_by_area


def _load_states_by_operator(
    session: OrmSession, units: Collection[UUID]
) -> dict[UUID, dict[UUID, list[QualificationStatus]]]:
    states_by_operator: dict[UUID, dict[UUID, list[QualificationStatus]]] = defaultdict(lambda: defaultdict(list))
    columns = (col(Qualification.unit_id), col(Qualification.addressed_to), col(Qualification.status))
    for unit, operator, status in session.execute(select(*columns).where(col(Qualification.unit_id).in_(units))):
        states_by_operator[unit][operator].append(status)
    return states_by_operator
