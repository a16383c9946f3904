"""Queries over the maintained counters, for actors who see all of the market or one SO's part (UC-05.02, UC-04.02)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal_column, select
from sqlmodel import col

from models.market_tallies import (
    ANYONE,
    NOT_DUE,
    DaysTally,
    DecisionTally,
    EndingTally,
    FigureProvider,
    MarketFigure,
    QualifiedTally,
    QueueTally,
    StandingTally,
    UnitCounted,
    UnitTally,
)
from models.qualifications import Qualification
from models.units import MarketUnit
from services.core.audit_context import WRITES
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, permission_table, scopes_of
from services.core.ledger.writer import table_of
from services.core.transaction import current_session
from services.market.counters.maintain import write_pending


@dataclass(frozen=True, slots=True)
class TallyScope:
    """A part of the market that the counters keep apart: SOs and products; None: all."""

    operators: tuple[UUID, ...] | None
    products: tuple[str, ...] | None = None


def _has_own_records(organisation: UUID) -> bool:
    """Return True when an organisation has units or applications of its own."""
    session = current_session()
    return any(
        session.scalar(select(literal_column("1")).where(col(model.service_provider_id) == organisation).limit(1))
        for model in (Qualification, MarketUnit)
    )


def drop_unused_roles(actor: Actor, permission: str) -> Actor:
    """Drop the roles of an SO's actor that reach its organisation's own units, where it has none.

    Its view is then the applications addressed to it, which an index holds in order.
    """
    scopes = scopes_of(actor, permission)
    if Scope.ALL in scopes or not scopes >= {Scope.OWN, Scope.AREA}:
        return actor
    if actor.organisation_id is None or _has_own_records(actor.organisation_id):
        return actor
    table = permission_table()[permission].scopes
    return replace(actor, roles=frozenset(role for role in actor.roles if table[role] is not Scope.OWN))


def find_part(
    actor: Actor, permission: str, operators: tuple[UUID, ...] = (), products: tuple[str, ...] | None = None
) -> TallyScope | None:
    """Find the part of the market that an actor sees and asks for; None where the counters don't keep it apart.

    An SO's actor whose roles also reach its organisation's own units has a part only where there are no such units.
    """
    scopes = scopes_of(actor, permission)
    if Scope.ALL in scopes:
        return TallyScope(operators or None, products)
    ours = actor.organisation_id
    if Scope.AREA not in scopes or ours is None:
        return None
    if Scope.OWN in scopes and _has_own_records(ours):
        return None
    return TallyScope((ours,) if not operators or ours in operators else (), products)


def _read_rows(query: Select[*tuple[Any, ...]], part: TallyScope) -> Sequence[Any]:
    """Read the rows; none where the part is empty."""
    if () in (part.operators, part.products):
        return []
    session = current_session()
    if session.info[WRITES]:
        session.flush()
        write_pending(session)
    return session.execute(query).all()


def _part_conditions(table: Any, part: TallyScope) -> list[ColumnElement[bool]]:
    pairs = zip((part.operators, part.products), _columns(table), strict=True)
    return [column.in_(values) for values, column in pairs if values is not None]


def _columns(table: Any) -> tuple[Any, Any]:
    return col(table.addressed_to), col(getattr(table, "product_code", table.addressed_to))


def _sum(column: Any) -> Any:
    return cast(func.sum(col(column)), BigInteger)


def read_qualified_before(part: TallyScope, first: int) -> Sequence[Any]:
    """Read net qualified power before a month: SO, product, GSP group, steps, number, hundredths of a kW."""
    t = QualifiedTally
    keys = (col(t.addressed_to), col(t.product_code), col(t.gsp_group))
    sums = (_sum(t.steps), _sum(t.number), _sum(t.kw))
    return _read_rows(
        select(*keys, *sums).where(col(t.month) < first, *_part_conditions(t, part)).group_by(*keys), part
    )


def read_qualified_within(part: TallyScope, first: int, last: int) -> Sequence[Any]:
    """Read net qualified power by month: SO, product, GSP group, month, and the same sums."""
    t = QualifiedTally
    columns = (t.addressed_to, t.product_code, t.gsp_group, t.month, t.steps, t.number, t.kw)
    return _read_rows(
        select(*map(col, columns)).where(col(t.month).between(first, last), *_part_conditions(t, part)), part
    )


def read_decided_within(part: TallyScope, first: int, last: int) -> Sequence[Any]:
    """Read decisions from a month to a month: month, outcome, reason, number."""
    t = DecisionTally
    keys = (col(t.month), col(t.outcome), col(t.reason_code))
    query = select(*keys, _sum(t.number)).where(col(t.month).between(first, last), *_part_conditions(t, part))
    return _read_rows(query.group_by(*keys), part)


def _read_days(column: Any, dimension: str, part: TallyScope, first: int, last: int) -> Sequence[Any]:
    t = DaysTally
    keys = (col(column), col(t.working_days))
    conditions = (col(t.dimension) == dimension, col(t.month).between(first, last), *_part_conditions(t, part))
    return _read_rows(select(*keys, _sum(t.number)).where(*conditions).group_by(*keys), part)


def read_days_by_operator(part: TallyScope, first: int, last: int) -> Sequence[Any]:
    """Read the working days of SOs' decisions from a month to a month: SO, working days, number."""
    dimension = "OPERATOR" if part.products is None else "BOTH"
    return _read_days(DaysTally.addressed_to, dimension, part, first, last)


def read_days_by_product(part: TallyScope, first: int, last: int) -> Sequence[Any]:
    """Read the working days of SOs' decisions from a month to a month: product, working days, number."""
    dimension = "PRODUCT" if part.operators is None else "BOTH"
    return _read_days(DaysTally.product_code, dimension, part, first, last)


def _read_in_states(table: Any, columns: Sequence[Any], part: TallyScope, states: Collection[str]) -> Sequence[Any]:
    """Sum applications in some states by some columns."""
    keys = list(map(col, columns))
    conditions = (col(table.status).in_(sorted(states)), *_part_conditions(table, part))
    return _read_rows(select(*keys, _sum(table.number)).where(*conditions).group_by(*keys), part) if states else []


def read_by_clock(part: TallyScope, states: Collection[str]) -> list[tuple[str, date | None, int]]:
    """Read applications in some states: status, day due (None: no clock runs), number."""
    rows = _read_in_states(StandingTally, (StandingTally.status, StandingTally.due_on), part, states)
    return [(status, to_due_day(due), number) for status, due, number in rows]


def read_by_product(part: TallyScope, states: Collection[str]) -> Sequence[Any]:
    """Read applications in some states: product, number."""
    return _read_in_states(StandingTally, (StandingTally.product_code,), part, states)


def read_by_operator(part: TallyScope, states: Collection[str]) -> Sequence[Any]:
    """Read applications in some states: SO, number."""
    return _read_in_states(StandingTally, (StandingTally.addressed_to,), part, states)


def read_operators_due(part: TallyScope, states: Collection[str]) -> list[tuple[UUID, date | None, int]]:
    """Read applications in some states: SO, day due, number."""
    rows = _read_in_states(StandingTally, (StandingTally.addressed_to, StandingTally.due_on), part, states)
    return [(operator, to_due_day(due), number) for operator, due, number in rows]


def read_products_due(part: TallyScope, states: Collection[str]) -> list[tuple[str, date | None, int]]:
    """Read applications in some states: product, day due, number."""
    rows = _read_in_states(StandingTally, (StandingTally.product_code, StandingTally.due_on), part, states)
    return [(product, to_due_day(due), number) for product, due, number in rows]


def read_by_group_and_provider(part: TallyScope, states: Collection[str]) -> Sequence[Any]:
    """Read applications in some states, for all products: GSP_GROUP or PROVIDER, its code, number."""
    operators = TallyScope(part.operators if part.operators is not None else (ANYONE,))
    return _read_in_states(QueueTally, (QueueTally.dimension, QueueTally.code), operators, states)


def read_ending_from(part: TallyScope, first: int) -> Sequence[Any]:
    """Read qualifications in force that end in a month or later: month, number, hundredths of a kW."""
    t = EndingTally
    query = select(col(t.month), _sum(t.number), _sum(t.kw)).where(col(t.month) >= first, *_part_conditions(t, part))
    return _read_rows(query.group_by(col(t.month)), part)


def read_units(operator: UUID | None) -> Sequence[Any]:
    """Read active units in an SO's areas (None: all): family, units; assets there, of units that applied, of qualified."""
    t, part = UnitTally, TallyScope((operator or ANYONE,))
    columns = (t.family, t.units, t.assets, t.applied, t.qualified)
    return _read_rows(select(*map(col, columns)).where(*_part_conditions(t, part)), part)


def read_figures() -> Sequence[Any]:
    """Read every figure over all SOs: its columns (`MarketFigure`)."""
    return _read_rows(select(*table_of(MarketFigure).columns), TallyScope(None))


def read_provider_figures() -> Sequence[Any]:
    """Read the part of each provider in every figure over all SOs: the columns of `FigureProvider`."""
    return _read_rows(select(*table_of(FigureProvider).columns), TallyScope(None))


def read_unit_assets() -> list[tuple[str, str, list[int]]]:
    """Read what each active unit counts for over all SOs: family, provider; assets, of units that applied, of qualified."""
    units = _read_rows(select(col(UnitCounted.counted)), TallyScope(None))
    return [
        (family, provider, shares[str(ANYONE)])
        for (family, provider, shares, _stages) in (row.counted for row in units)
        if str(ANYONE) in shares
    ]


def to_due_day(day: date) -> date | None:
    """Return the day on which something is due; None where no clock runs."""
    return None if day == NOT_DUE else day
