"""Queries of the dashboard: counts of the market in SQL, within what an actor may see (UC-05.02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, literal_column, or_, select, true, type_coerce
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetStatus
from models.qualifications import Qualification, QualificationStatus, QualificationStep
from models.units import MarketUnit, UnitArea, UnitCapability, UnitStatus
from services.assets.counters.queries import areas_of, by_status_and_group, providers_behind
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import within
from services.core.transaction import current_session
from services.market.counters.keys import DECIDED, WAITING, Q

PERMISSION = "market.statistics"
NOBODY = literal_column("NULL")


@dataclass(frozen=True, slots=True)
class StatisticsScope:
    """Scope of a count: the actor's view, products (None: all), SOs and families (empty: all). `apart`: by provider too."""

    actor: Actor
    products: tuple[str, ...] | None
    operators: tuple[UUID, ...]
    families: tuple[str, ...]
    apart: bool

    def of(self, table: type[Qualification] | type[QualificationStep]) -> list[ColumnElement[bool]]:
        """Build the conditions on applications, or on their steps: visibility to the actor, then the filters."""
        conditions: list[ColumnElement[bool]] = []
        if Scope.ALL not in scopes_of(self.actor, PERMISSION):
            visibility = within(Qualification, self.actor, PERMISSION)
            if table is Qualification:
                conditions.append(visibility)
            else:
                conditions.append(
                    col(QualificationStep.qualification_id).in_(select(col(Qualification.id)).where(visibility))
                )
        if self.products is not None:
            conditions.append(col(table.product_code).in_(self.products))
        if self.operators:
            conditions.append(col(table.addressed_to).in_(self.operators))
        return conditions

    def provider(self, table: type[Qualification] | type[QualificationStep]) -> Any:
        """Return the provider as a column; NULL where rows aren't kept apart by provider."""
        return (col(table.service_provider_id) if self.apart else NOBODY).label("provider")


Behind = UUID | frozenset[object] | None
"""The provider behind a row, or as many as disclosure control needs where the row is of several."""


class Flow(NamedTuple):
    """Net qualified power of one month (its index in the list of months; 0: all before)."""

    month: int
    product: str
    operator: UUID
    group: str
    provider: Behind
    steps: int
    number: int
    kw: int
    """Hundredths of a kW."""


class DecisionCount(NamedTuple):
    """Decisions of one kind in one month that took so many working days."""

    month: int
    product: str
    operator: UUID
    provider: Behind
    outcome: str
    reason: str | None
    days: int
    number: int


class Open(NamedTuple):
    """Open applications with one end of their clock."""

    product: str
    operator: UUID
    provider: Behind
    status: QualificationStatus
    due_on: date | None
    number: int


class Ending(NamedTuple):
    """Qualifications whose validity ends on one day; `kw` in hundredths."""

    valid_until: date
    provider: Behind
    number: int
    kw: int


class InUnits(NamedTuple):
    """Assets in active units of one family, those of them whose units applied, and were qualified; providers of each."""

    family: str
    assets: tuple[int, int, int]
    providers: tuple[int, int, int]
    units: int


class Registered(NamedTuple):
    """Active assets, and Verified ones; providers of each."""

    assets: tuple[int, int]
    providers: tuple[int, int]


def _sum_whole(expression: Any) -> Any:
    return cast(func.coalesce(func.sum(expression), 0), BigInteger)


def _month_index(starts: Sequence[datetime]) -> Any:
    """Build the index of a step's month: 0 before the first start, 1 in the first month and so on."""
    at = col(QualificationStep.at)
    steps = [(at < start, literal_column(str(index))) for index, start in enumerate(starts)]
    return case(*steps, else_=literal_column(str(len(starts)))).label("month")


def load_flows(
    scope: StatisticsScope, starts: Sequence[datetime], end: datetime, start: datetime | None = None
) -> list[Flow]:
    """Load net qualified power by month, product, SO and GSP group, until `end` (from `start` on)."""
    step = QualificationStep
    became_qualified, ceased_qualified = (col(name) == str(Q.QUALIFIED) for name in (step.to_status, step.from_status))
    sign = case((became_qualified, literal_column("1")), else_=literal_column("0")) - case(
        (ceased_qualified, literal_column("1")), else_=literal_column("0")
    )
    inner = (
        select(
            _month_index(starts),
            col(step.product_code),
            col(step.addressed_to),
            col(step.gsp_group),
            scope.provider(step),
            sign.label("sign"),
            type_coerce(col(step.capacity), BigInteger).label("capacity"),
        )
        .where(
            col(step.at) < end,
            or_(became_qualified, ceased_qualified),
            *([] if start is None else [col(step.at) >= start]),
            *scope.of(step),
        )
        .subquery()
    )
    keys = (inner.c.month, inner.c.product_code, inner.c.addressed_to, inner.c.gsp_group, inner.c.provider)
    sums = (func.count(), _sum_whole(inner.c.sign), _sum_whole(inner.c.sign * inner.c.capacity))
    return list(map(Flow._make, current_session().execute(select(*keys, *sums).group_by(*keys))))


def load_decisions(
    scope: StatisticsScope, starts: Sequence[datetime], start: datetime, end: datetime
) -> list[DecisionCount]:
    """Load the decisions from `start` until `end`, with working days and reasons."""
    step = QualificationStep
    was_open = col(step.from_status).in_([str(status) for status in WAITING])
    inner = (
        select(
            _month_index(starts),
            col(step.product_code),
            col(step.addressed_to),
            scope.provider(step),
            col(step.to_status),
            col(step.reason_code),
            col(step.working_days),
        )
        .where(
            col(step.at) >= start,
            col(step.at) < end,
            col(step.to_status).in_([str(status) for status in DECIDED]),
            was_open,
            *scope.of(step),
        )
        .subquery()
    )
    keys = tuple(inner.c)
    return list(map(DecisionCount._make, current_session().execute(select(*keys, func.count()).group_by(*keys))))


def load_open(scope: StatisticsScope) -> list[Open]:
    """Load the applications that wait for a decision now, by the day on which they are due."""
    q = Qualification
    provider = scope.provider(q)
    keys = (col(q.product_code), col(q.addressed_to), col(q.status), col(q.due_on))
    query = select(keys[0], keys[1], provider, keys[2], keys[3], func.count())
    query = query.where(col(q.status).in_(WAITING), *scope.of(q))
    grouped = (*keys, col(q.service_provider_id)) if scope.apart else keys
    return list(map(Open._make, current_session().execute(query.group_by(*grouped))))


def load_ending(scope: StatisticsScope, first: date, before: date = date.max) -> list[Ending]:
    """Load the qualifications by the day on which they end, from `first` on and before `before`."""
    q = Qualification
    provider = scope.provider(q)
    kw = _sum_whole(type_coerce(col(q.capacity), BigInteger))
    query = select(col(q.valid_until), provider, func.count(), kw)
    conditions = (col(q.status) == Q.QUALIFIED, col(q.valid_until) >= first, col(q.valid_until) < before)
    query = query.where(*conditions, *scope.of(q))
    grouped = (col(q.valid_until), col(q.service_provider_id)) if scope.apart else (col(q.valid_until),)
    return list(map(Ending._make, current_session().execute(query.group_by(*grouped))))


def _asset_count_source(actor: Actor) -> tuple[Any, Any, list[ColumnElement[bool]]]:
    """Choose the source of asset counts for the actor: the table, its count column, and the visibility conditions."""
    scopes = scopes_of(actor, PERMISSION)
    if Scope.AREA not in scopes or Scope.ALL in scopes or actor.all_areas:
        return UnitCapability, col(UnitCapability.assets), [within(MarketUnit, actor, PERMISSION)]
    # Of a unit that lies in several areas, an operator counts what lies in its own.
    in_areas = col(UnitArea.dno_code).in_(sorted(actor.areas))
    own = [col(MarketUnit.service_provider_id) == actor.organisation_id] if Scope.OWN in scopes else []
    return UnitArea, col(UnitArea.assets), [or_(in_areas, *own)]


def load_assets_in_units(scope: StatisticsScope) -> list[InUnits]:
    """Load the assets in active units by family: all, of units that have applied (not withdrawn), of qualified units."""
    unit = MarketUnit
    table, assets, visibility = _asset_count_source(scope.actor)
    conditions = [col(unit.status) == UnitStatus.ACTIVE, *visibility]
    if scope.families:
        conditions.append(col(unit.family).in_(scope.families))

    def has_application(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        query = select(literal_column("1")).select_from(Qualification).where(col(Qualification.unit_id) == col(unit.id))
        return query.where(*scope.of(Qualification), condition).correlate(unit).exists()

    parts = (
        true(),
        has_application(col(Qualification.status) != Q.WITHDRAWN),
        has_application(col(Qualification.status) == Q.QUALIFIED),
    )
    inner = (
        select(
            col(unit.id),
            type_coerce(col(unit.family), unit.__table__.c.family.type).label("family"),  # pyright: ignore
            col(unit.service_provider_id),
            assets.label("assets"),
            *(
                case((part, literal_column("1")), else_=literal_column("0")).label(f"is_{n}")
                for n, part in enumerate(parts)
            ),
        )
        .join(table, col(table.unit_id) == col(unit.id))
        .where(and_(*conditions))
        .subquery()
    )
    flags = [inner.c[f"is_{n}"] for n in range(3)]
    sums = [_sum_whole(inner.c.assets * flag) for flag in flags]
    provider_counts = (
        [func.count(func.distinct(case((flag == 1, inner.c.service_provider_id)))) for flag in flags]
        if scope.apart
        else [literal_column("0").label(f"no_{n}") for n in range(3)]
    )
    totals_query = select(inner.c.family, *sums, *provider_counts, func.count(func.distinct(inner.c.id))).group_by(
        inner.c.family
    )
    return [
        InUnits(str(family), tuple(counts[:3]), tuple(counts[3:]), units)  # pyright: ignore[reportArgumentType]
        for family, *counts, units in current_session().execute(totals_query)
    ]


def load_registered(scope: StatisticsScope) -> Registered:
    """Load the numbers of active and Verified assets that the actor may see; for an FSP those that it manages."""
    counters_suffice, areas = areas_of(scope.actor, PERMISSION)
    if counters_suffice:
        rows = [(row.status, row.assets) for row in by_status_and_group(areas)]
    else:
        visibility = within(Asset, scope.actor, PERMISSION, writing=True)
        state = col(Asset.status)
        rows = [
            (str(status), count)
            for status, count in current_session().execute(
                select(state, func.count()).where(visibility).group_by(state)
            )
        ]
    active = sum(count for status, count in rows if status not in ENDED_STATUSES)
    verified = sum(count for status, count in rows if status == AssetStatus.VERIFIED)
    provider_counts = providers_behind() if scope.apart else {}
    providers = (provider_counts.get(("ALL", ""), 0), provider_counts.get(("STATUS", str(AssetStatus.VERIFIED)), 0))
    return Registered((active, verified), providers)
