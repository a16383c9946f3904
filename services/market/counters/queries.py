"""Queries over the maintained counters, for actors who see all of the market or one SO's part (UC-05.02, UC-04.02)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, String, Uuid, bindparam, cast, func, literal_column, select
from sqlmodel import col

from models.market_tallies import (
    ANYONE,
    NOT_DUE,
    DaysTally,
    DecisionTally,
    EndingTally,
    MarketFigure,
    QualifiedTally,
    QueueTally,
    StandingTally,
    UnitTally,
)
from models.qualifications import Qualification
from models.units import MarketUnit
from services.core.db.statements import Prepared
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, permission_table, scopes_of
from services.core.ledger.writer import table_of
from services.core.transaction import current_connection, current_session, reads_only
from services.market.counters.maintain import write_pending

Row = tuple[Any, ...]
Form = tuple[int | None, int | None]
"""The numbers of SOs and products that a statement names; None: all."""


@dataclass(frozen=True, slots=True)
class TallyScope:
    """A part of the market that the counters keep apart: SOs and products; None: all."""

    operators: tuple[UUID, ...] | None
    products: tuple[str, ...] | None = None

    @property
    def form(self) -> Form:
        """The form of the part: compiled statements differ by it."""
        return tuple(None if codes is None else len(codes) for codes in (self.operators, self.products))  # pyright: ignore

    def values(self) -> dict[str, Any]:
        """Return the parameters of the statements."""
        parameters: dict[str, Any] = {f"operator_{n:03}": operator for n, operator in enumerate(self.operators or ())}
        return parameters | {f"product_{n:03}": product for n, product in enumerate(self.products or ())}


_HAS_RECORDS = {
    model: Prepared(select(literal_column("1")).where(
        col(model.service_provider_id) == bindparam("organisation", type_=Uuid())
    ).limit(literal_column("1", Integer)))
    for model in (Qualification, MarketUnit)
}  # fmt: skip


def _has_own_records(organisation: UUID) -> bool:
    """Return True when an organisation has units or applications of its own."""
    return any(query.raw(current_connection(), {"organisation": organisation}) for query in _HAS_RECORDS.values())


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


def _read_rows(statement: Any, part: TallyScope, **values: Any) -> Sequence[Row]:
    """Read the rows as the driver gives them; none where the part is empty."""
    if () in (part.operators, part.products):
        return []
    if not reads_only():
        session = current_session()
        session.flush()
        write_pending(session)
    return statement(part.form).raw(current_connection(), {**part.values(), **values})


def _part_conditions(table: Any, form: Form) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for count, name, column, kind in zip(form, ("operator", "product"), _columns(table), (Uuid, String), strict=True):
        if count is not None:
            conditions.append(column.in_([bindparam(f"{name}_{place:03}", type_=kind()) for place in range(count)]))
    return conditions


def _columns(table: Any) -> tuple[Any, Any]:
    return col(table.addressed_to), col(getattr(table, "product_code", table.addressed_to))


def _sum(column: Any) -> Any:
    return cast(func.sum(col(column)), BigInteger)


def _months() -> tuple[Any, Any]:
    return bindparam("first", type_=Integer()), bindparam("last", type_=Integer())


@lru_cache(maxsize=100)
def _statement_before(form: Form) -> Prepared:
    t, first = QualifiedTally, _months()[0]
    keys = (col(t.addressed_to), col(t.product_code), col(t.gsp_group))
    sums = (_sum(t.steps), _sum(t.number), _sum(t.kw))
    return Prepared(select(*keys, *sums).where(col(t.month) < first, *_part_conditions(t, form)).group_by(*keys))


@lru_cache(maxsize=100)
def _statement_within(form: Form) -> Prepared:
    t, (first, last) = QualifiedTally, _months()
    columns = (t.addressed_to, t.product_code, t.gsp_group, t.month, t.steps, t.number, t.kw)
    return Prepared(
        select(*map(col, columns)).where(col(t.month) >= first, col(t.month) <= last, *_part_conditions(t, form))
    )


def read_qualified_before(part: TallyScope, first: int) -> Sequence[Row]:
    """Read net qualified power before a month: SO (as the driver gives it), product, GSP group, steps, number, hundredths."""
    return _read_rows(_statement_before, part, first=first)


def read_qualified_within(part: TallyScope, first: int, last: int) -> Sequence[Row]:
    """Read net qualified power by month: SO (as the driver gives it), product, GSP group, month, and the same sums."""
    return _read_rows(_statement_within, part, first=first, last=last)


@lru_cache(maxsize=100)
def _statement_decided(form: Form) -> Prepared:
    t, (first, last) = DecisionTally, _months()
    keys = (col(t.month), col(t.outcome), col(t.reason_code))
    conditions = (col(t.month) >= first, col(t.month) <= last, *_part_conditions(t, form))
    return Prepared(select(*keys, _sum(t.number)).where(*conditions).group_by(*keys))


def _statement_of_days(dimension: str, *keys: Any) -> Callable[[Form], Prepared]:
    @lru_cache(maxsize=100)
    def build(form: Form) -> Prepared:
        t, (first, last) = DaysTally, _months()
        of_dimension = col(t.dimension) == bindparam("dimension", dimension, type_=String())
        conditions = (of_dimension, col(t.month) >= first, col(t.month) <= last, *_part_conditions(t, form))
        columns = (*map(col, keys), col(t.working_days))
        return Prepared(select(*columns, _sum(t.number)).where(*conditions).group_by(*columns))

    return build


_OPERATORS_DAYS = (
    _statement_of_days("OPERATOR", DaysTally.addressed_to),
    _statement_of_days("BOTH", DaysTally.addressed_to),
)
_PRODUCTS_DAYS = (
    _statement_of_days("PRODUCT", DaysTally.product_code),
    _statement_of_days("BOTH", DaysTally.product_code),
)


def read_decided_within(part: TallyScope, first: int, last: int) -> Sequence[Row]:
    """Read decisions from a month to a month: month, outcome, reason, number."""
    return _read_rows(_statement_decided, part, first=first, last=last)


def read_days_by_operator(part: TallyScope, first: int, last: int) -> list[Row]:
    """Read the working days of SOs' decisions from a month to a month: SO, working days, number."""
    statement = _OPERATORS_DAYS[part.products is not None]
    return [(to_uuid(row[0]), *row[1:]) for row in _read_rows(statement, part, first=first, last=last)]


def read_days_by_product(part: TallyScope, first: int, last: int) -> Sequence[Row]:
    """Read the working days of SOs' decisions from a month to a month: product, working days, number."""
    return _read_rows(_PRODUCTS_DAYS[part.operators is not None], part, first=first, last=last)


def _statement_of_sums(table: Any, keys: tuple[Any, ...]) -> Callable[[Form, int], Prepared]:
    """Build statements that sum applications by some columns, of those in one of a number of states."""

    @lru_cache(maxsize=100)
    def build(form: Form, states: int) -> Prepared:
        state_parameters = [bindparam(f"state_{place:03}", type_=String()) for place in range(states)]
        conditions = (col(table.status).in_(state_parameters), *_part_conditions(table, form))
        return Prepared(select(*map(col, keys), _sum(table.number)).where(*conditions).group_by(*map(col, keys)))

    return build


_BY_CLOCK = _statement_of_sums(StandingTally, (StandingTally.status, StandingTally.due_on))
_BY_OPERATOR_DUE = _statement_of_sums(StandingTally, (StandingTally.addressed_to, StandingTally.due_on))
_BY_PRODUCT_DUE = _statement_of_sums(StandingTally, (StandingTally.product_code, StandingTally.due_on))
_BY_OPERATOR = _statement_of_sums(StandingTally, (StandingTally.addressed_to,))
_BY_PRODUCT = _statement_of_sums(StandingTally, (StandingTally.product_code,))
_BY_CODE = _statement_of_sums(QueueTally, (QueueTally.dimension, QueueTally.code))


def _read_in_states(
    statement: Callable[[Form, int], Prepared], part: TallyScope, states: Collection[str]
) -> Sequence[Row]:
    values = {f"state_{index:03}": state for index, state in enumerate(sorted(states))}
    return _read_rows(lambda form: statement(form, len(values)), part, **values) if values else []


def read_by_clock(part: TallyScope, states: Collection[str]) -> list[Row]:
    """Read applications in some states: status, day due (None: no clock runs), number."""
    return [(status, to_due_day(due), number) for status, due, number in _read_in_states(_BY_CLOCK, part, states)]


def read_by_product(part: TallyScope, states: Collection[str]) -> Sequence[Row]:
    """Read applications in some states: product, number."""
    return _read_in_states(_BY_PRODUCT, part, states)


def read_by_operator(part: TallyScope, states: Collection[str]) -> list[Row]:
    """Read applications in some states: SO, number."""
    return [(to_uuid(operator), number) for operator, number in _read_in_states(_BY_OPERATOR, part, states)]


def read_operators_due(part: TallyScope, states: Collection[str]) -> list[Row]:
    """Read applications in some states: SO, day due, number."""
    rows = _read_in_states(_BY_OPERATOR_DUE, part, states)
    return [(to_uuid(operator), to_due_day(due), number) for operator, due, number in rows]


def read_products_due(part: TallyScope, states: Collection[str]) -> list[Row]:
    """Read applications in some states: product, day due, number."""
    return [
        (product, to_due_day(due), number) for product, due, number in _read_in_states(_BY_PRODUCT_DUE, part, states)
    ]


def read_by_group_and_provider(part: TallyScope, states: Collection[str]) -> Sequence[Row]:
    """Read applications in some states, for all products: GSP_GROUP or PROVIDER, its code, number."""
    return _read_in_states(_BY_CODE, TallyScope(part.operators if part.operators is not None else (ANYONE,)), states)


@lru_cache(maxsize=100)
def _statement_ending(form: Form) -> Prepared:
    t, first = EndingTally, _months()[0]
    sums = (_sum(t.number), _sum(t.kw))
    query = select(col(t.month), *sums).where(col(t.month) >= first, *_part_conditions(t, form))
    return Prepared(query.group_by(col(t.month)))


def read_ending_from(part: TallyScope, first: int) -> Sequence[Row]:
    """Read qualifications in force that end in a month or later: month, number, hundredths of a kW."""
    return _read_rows(_statement_ending, part, first=first)


@lru_cache(maxsize=100)
def _statement_units(form: Form) -> Prepared:
    t = UnitTally
    columns = (t.family, t.units, t.assets, t.applied, t.qualified)
    return Prepared(select(*map(col, columns)).where(*_part_conditions(t, form)))


def read_units(operator: UUID | None) -> Sequence[Row]:
    """Read active units in an SO's areas (None: all): family, units; assets there, of units that applied, of qualified."""
    return _read_rows(_statement_units, TallyScope((operator or ANYONE,)))


@lru_cache(maxsize=1)
def _statement_figures(_form: Form) -> Prepared:
    return Prepared(select(*table_of(MarketFigure).columns))


def read_figures() -> Sequence[Row]:
    """Read every figure over all SOs: its columns (`MarketFigure`), identifiers as the driver gives them."""
    return _read_rows(_statement_figures, TallyScope(None))


@lru_cache(maxsize=10_000)
def to_uuid(value: str | UUID) -> UUID:
    """Turn the driver's value into an identifier."""
    return value if isinstance(value, UUID) else UUID(hex=value)


@lru_cache(maxsize=10_000)
def to_due_day(value: str | date) -> date | None:
    """Turn the driver's value into the day on which something is due; None for no day."""
    day = value if isinstance(value, date) else date.fromisoformat(value)
    return None if day == NOT_DUE else day
