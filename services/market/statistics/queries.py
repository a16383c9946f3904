"""Counts of the market in SQL, within what an actor may see, for services.market.statistics.dashboard (UC-05.02)."""

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
class Wanted:
    """What to count: whose, and which products (None: all) at which SOs (none named: all). `apart`: by provider too."""

    actor: Actor
    products: tuple[str, ...] | None
    operators: tuple[UUID, ...]
    families: tuple[str, ...]
    apart: bool

    def of(self, table: type[Qualification] | type[QualificationStep]) -> list[ColumnElement[bool]]:
        """The conditions on applications, or on their steps: what the actor may see, then what was asked for."""
        found: list[ColumnElement[bool]] = []
        if Scope.ALL not in scopes_of(self.actor, PERMISSION):
            mine = within(Qualification, self.actor, PERMISSION)
            if table is Qualification:
                found.append(mine)
            else:
                found.append(col(QualificationStep.qualification_id).in_(select(col(Qualification.id)).where(mine)))
        if self.products is not None:
            found.append(col(table.product_code).in_(self.products))
        if self.operators:
            found.append(col(table.addressed_to).in_(self.operators))
        return found

    def provider(self, table: type[Qualification] | type[QualificationStep]) -> Any:
        """The provider as a column, where it has to be told apart."""
        return (col(table.service_provider_id) if self.apart else NOBODY).label("provider")


Behind = UUID | frozenset[object] | None
"""The provider, or several where a row is of all of them: enough of them to tell whether a figure may be shown."""


class Flow(NamedTuple):
    """What became qualified less what ceased to be, in one month (its place in the list; 0: all before)."""

    month: int
    product: str
    operator: UUID
    group: str
    provider: Behind
    steps: int
    number: int
    kw: int
    """Hundredths of a kW."""


class Decision(NamedTuple):
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


def _whole(expression: Any) -> Any:
    return cast(func.coalesce(func.sum(expression), 0), BigInteger)


def _month(starts: Sequence[datetime]) -> Any:
    """The place of a step's month: 0 before the first start, 1 in the first month and so on."""
    at = col(QualificationStep.at)
    steps = [(at < start, literal_column(str(place))) for place, start in enumerate(starts)]
    return case(*steps, else_=literal_column(str(len(starts)))).label("month")


def flows(wanted: Wanted, starts: Sequence[datetime], end: datetime, start: datetime | None = None) -> list[Flow]:
    """Qualified power by month, product, SO and GSP group: what came less what went, until `end` (from `start` on)."""
    step = QualificationStep
    came, went = (col(name) == str(Q.QUALIFIED) for name in (step.to_status, step.from_status))
    sign = case((came, literal_column("1")), else_=literal_column("0")) - case(
        (went, literal_column("1")), else_=literal_column("0")
    )
    inner = (
        select(
            _month(starts),
            col(step.product_code),
            col(step.addressed_to),
            col(step.gsp_group),
            wanted.provider(step),
            sign.label("sign"),
            type_coerce(col(step.capacity), BigInteger).label("capacity"),
        )
        .where(
            col(step.at) < end, or_(came, went), *([] if start is None else [col(step.at) >= start]), *wanted.of(step)
        )
        .subquery()
    )
    keys = (inner.c.month, inner.c.product_code, inner.c.addressed_to, inner.c.gsp_group, inner.c.provider)
    sums = (func.count(), _whole(inner.c.sign), _whole(inner.c.sign * inner.c.capacity))
    return list(map(Flow._make, current_session().execute(select(*keys, *sums).group_by(*keys))))


def decisions(wanted: Wanted, starts: Sequence[datetime], start: datetime, end: datetime) -> list[Decision]:
    """What was decided from `start` until `end`, with the working days that it took and the reasons given."""
    step = QualificationStep
    was_open = col(step.from_status).in_([str(one) for one in WAITING])
    inner = (
        select(
            _month(starts),
            col(step.product_code),
            col(step.addressed_to),
            wanted.provider(step),
            col(step.to_status),
            col(step.reason_code),
            col(step.working_days),
        )
        .where(
            col(step.at) >= start,
            col(step.at) < end,
            col(step.to_status).in_([str(one) for one in DECIDED]),
            was_open,
            *wanted.of(step),
        )
        .subquery()
    )
    keys = tuple(inner.c)
    return list(map(Decision._make, current_session().execute(select(*keys, func.count()).group_by(*keys))))


def open_now(wanted: Wanted) -> list[Open]:
    """Applications that wait for a decision now, by the end of their clock."""
    q = Qualification
    given = wanted.provider(q)
    keys = (col(q.product_code), col(q.addressed_to), col(q.status), col(q.due_on))
    chosen = select(keys[0], keys[1], given, keys[2], keys[3], func.count())
    chosen = chosen.where(col(q.status).in_(WAITING), *wanted.of(q))
    grouped = (*keys, col(q.service_provider_id)) if wanted.apart else keys
    return list(map(Open._make, current_session().execute(chosen.group_by(*grouped))))


def ending(wanted: Wanted, first: date, before: date = date.max) -> list[Ending]:
    """Qualifications by the day on which they end, from `first` on and before `before`."""
    q = Qualification
    given = wanted.provider(q)
    kw = _whole(type_coerce(col(q.capacity), BigInteger))
    chosen = select(col(q.valid_until), given, func.count(), kw)
    held = (col(q.status) == Q.QUALIFIED, col(q.valid_until) >= first, col(q.valid_until) < before)
    chosen = chosen.where(*held, *wanted.of(q))
    grouped = (col(q.valid_until), col(q.service_provider_id)) if wanted.apart else (col(q.valid_until),)
    return list(map(Ending._make, current_session().execute(chosen.group_by(*grouped))))


def _mine(actor: Actor) -> tuple[Any, Any, list[ColumnElement[bool]]]:
    """Where assets of units are counted for the actor: the table, its count, and the condition of who sees what."""
    scopes = scopes_of(actor, PERMISSION)
    if Scope.AREA not in scopes or Scope.ALL in scopes or actor.all_areas:
        return UnitCapability, col(UnitCapability.assets), [within(MarketUnit, actor, PERMISSION)]
    # Of a unit that lies in several areas, an operator counts what lies in its own.
    here = col(UnitArea.dno_code).in_(sorted(actor.areas))
    own = [col(MarketUnit.service_provider_id) == actor.organisation_id] if Scope.OWN in scopes else []
    return UnitArea, col(UnitArea.assets), [or_(here, *own)]


def in_units(wanted: Wanted) -> list[InUnits]:
    """Assets in active units by family: all, those whose unit has applied (and not withdrawn), those of qualified ones."""
    unit = MarketUnit
    table, assets, mine = _mine(wanted.actor)
    conditions = [col(unit.status) == UnitStatus.ACTIVE, *mine]
    if wanted.families:
        conditions.append(col(unit.family).in_(wanted.families))

    def some(*of: ColumnElement[bool]) -> ColumnElement[bool]:
        its = select(literal_column("1")).select_from(Qualification).where(col(Qualification.unit_id) == col(unit.id))
        return its.where(*wanted.of(Qualification), *of).correlate(unit).exists()

    parts = (true(), some(col(Qualification.status) != Q.WITHDRAWN), some(col(Qualification.status) == Q.QUALIFIED))
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
    sums = [_whole(inner.c.assets * flag) for flag in flags]
    behind = (
        [func.count(func.distinct(case((flag == 1, inner.c.service_provider_id)))) for flag in flags]
        if wanted.apart
        else [literal_column("0").label(f"no_{n}") for n in range(3)]
    )
    chosen = select(inner.c.family, *sums, *behind, func.count(func.distinct(inner.c.id))).group_by(inner.c.family)
    return [
        InUnits(str(row[0]), (row[1], row[2], row[3]), (row[4], row[5], row[6]), row[7])
        for row in current_session().execute(chosen)
    ]


def registered(wanted: Wanted) -> Registered:
    """Active and Verified assets that the actor may see; for an FSP those that it manages."""
    kept, areas = areas_of(wanted.actor, PERMISSION)
    if kept:
        rows = [(row.status, row.assets) for row in by_status_and_group(areas)]
    else:
        mine = within(Asset, wanted.actor, PERMISSION, writing=True)
        state = col(Asset.status)
        rows = [
            (str(row[0]), row[1])
            for row in current_session().execute(select(state, func.count()).where(mine).group_by(state))
        ]
    active = sum(count for status, count in rows if status not in ENDED_STATUSES)
    verified = sum(count for status, count in rows if status == AssetStatus.VERIFIED)
    behind = providers_behind() if wanted.apart else {}
    providers = (behind.get(("ALL", ""), 0), behind.get(("STATUS", str(AssetStatus.VERIFIED)), 0))
    return Registered((active, verified), providers)
