"""Reading the counts kept beside the market, for whoever sees all of it or one SO's part (UC-05.02, UC-04.02)."""

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
from services.market.counters.maintain import bring_up_to_date

Row = tuple[Any, ...]
Form = tuple[int | None, int | None]
"""How many SOs and products are named; None: all."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of the market that the kept counts tell apart: which SOs and which products; None: all."""

    operators: tuple[UUID, ...] | None
    products: tuple[str, ...] | None = None

    @property
    def form(self) -> Form:
        """What statements made once differ by."""
        return tuple(None if one is None else len(one) for one in (self.operators, self.products))  # pyright: ignore

    def values(self) -> dict[str, Any]:
        """The parameters of these statements."""
        found: dict[str, Any] = {f"operator_{n:03}": one for n, one in enumerate(self.operators or ())}
        return found | {f"product_{n:03}": one for n, one in enumerate(self.products or ())}


_THEIRS = {
    model: Prepared(select(literal_column("1")).where(
        col(model.service_provider_id) == bindparam("organisation", type_=Uuid())
    ).limit(literal_column("1", Integer)))
    for model in (Qualification, MarketUnit)
}  # fmt: skip


def _offers(organisation: UUID) -> bool:
    """Whether an organisation has units or applications of its own."""
    return any(one.raw(current_connection(), {"organisation": organisation}) for one in _THEIRS.values())


def narrowed(actor: Actor, permission: str) -> Actor:
    """The actor without roles that reach what its organisation itself offers, where it is an SO's and offers nothing.

    What is addressed to it alone then says what it sees, which an index holds in its order.
    """
    scopes = scopes_of(actor, permission)
    if Scope.ALL in scopes or not scopes >= {Scope.OWN, Scope.AREA}:
        return actor
    if actor.organisation_id is None or _offers(actor.organisation_id):
        return actor
    table = permission_table()[permission].scopes
    return replace(actor, roles=frozenset(role for role in actor.roles if table[role] is not Scope.OWN))


def part_of(
    actor: Actor, permission: str, operators: tuple[UUID, ...] = (), products: tuple[str, ...] | None = None
) -> Kept | None:
    """What of the market an actor sees and asks for, where the kept counts tell it apart; None where they don't.

    A system operator's user who also looks after its people would see what the organisation itself offers: mostly nothing.
    """
    scopes = scopes_of(actor, permission)
    if Scope.ALL in scopes:
        return Kept(operators or None, products)
    ours = actor.organisation_id
    if Scope.AREA not in scopes or ours is None:
        return None
    if Scope.OWN in scopes and _offers(ours):
        return None
    return Kept((ours,) if not operators or ours in operators else (), products)


def _read(made: Any, kept: Kept, **values: Any) -> Sequence[Row]:
    """The rows as the driver gives them; none where nothing can be among them."""
    if () in (kept.operators, kept.products):
        return []
    if not reads_only():
        session = current_session()
        session.flush()
        bring_up_to_date(session)
    return made(kept.form).raw(current_connection(), {**kept.values(), **values})


def _of(table: Any, form: Form) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for count, name, column, kind in zip(form, ("operator", "product"), _columns(table), (Uuid, String), strict=True):
        if count is not None:
            found.append(column.in_([bindparam(f"{name}_{place:03}", type_=kind()) for place in range(count)]))
    return found


def _columns(table: Any) -> tuple[Any, Any]:
    return col(table.addressed_to), col(getattr(table, "product_code", table.addressed_to))


def _sum(column: Any) -> Any:
    return cast(func.sum(col(column)), BigInteger)


def _months() -> tuple[Any, Any]:
    return bindparam("first", type_=Integer()), bindparam("last", type_=Integer())


@lru_cache(maxsize=100)
def _before(form: Form) -> Prepared:
    t, first = QualifiedTally, _months()[0]
    keys = (col(t.addressed_to), col(t.product_code), col(t.gsp_group))
    sums = (_sum(t.steps), _sum(t.number), _sum(t.kw))
    return Prepared(select(*keys, *sums).where(col(t.month) < first, *_of(t, form)).group_by(*keys))


@lru_cache(maxsize=100)
def _within(form: Form) -> Prepared:
    t, (first, last) = QualifiedTally, _months()
    columns = (t.addressed_to, t.product_code, t.gsp_group, t.month, t.steps, t.number, t.kw)
    return Prepared(select(*map(col, columns)).where(col(t.month) >= first, col(t.month) <= last, *_of(t, form)))


def qualified_before(kept: Kept, first: int) -> Sequence[Row]:
    """Before a month: SO (as the driver gives it), product, GSP group; steps, number and hundredths of a kW, came less went."""
    return _read(_before, kept, first=first)


def qualified_within(kept: Kept, first: int, last: int) -> Sequence[Row]:
    """From a month to a month: SO (as the driver gives it), product, GSP group, month, and the same sums."""
    return _read(_within, kept, first=first, last=last)


@lru_cache(maxsize=100)
def _decided(form: Form) -> Prepared:
    t, (first, last) = DecisionTally, _months()
    keys = (col(t.month), col(t.outcome), col(t.reason_code))
    wanted = (col(t.month) >= first, col(t.month) <= last, *_of(t, form))
    return Prepared(select(*keys, _sum(t.number)).where(*wanted).group_by(*keys))


def _days_by(dimension: str, *keys: Any) -> Callable[[Form], Prepared]:
    @lru_cache(maxsize=100)
    def made(form: Form) -> Prepared:
        t, (first, last) = DaysTally, _months()
        alone = col(t.dimension) == bindparam("dimension", dimension, type_=String())
        wanted = (alone, col(t.month) >= first, col(t.month) <= last, *_of(t, form))
        columns = (*map(col, keys), col(t.working_days))
        return Prepared(select(*columns, _sum(t.number)).where(*wanted).group_by(*columns))

    return made


_OPERATORS_DAYS = (_days_by("OPERATOR", DaysTally.addressed_to), _days_by("BOTH", DaysTally.addressed_to))
_PRODUCTS_DAYS = (_days_by("PRODUCT", DaysTally.product_code), _days_by("BOTH", DaysTally.product_code))


def decided_within(kept: Kept, first: int, last: int) -> Sequence[Row]:
    """From a month to a month: month, outcome, reason, number."""
    return _read(_decided, kept, first=first, last=last)


def days_by_operator(kept: Kept, first: int, last: int) -> list[Row]:
    """From a month to a month, decisions that SOs made: SO, working days, number."""
    made = _OPERATORS_DAYS[kept.products is not None]
    return [(uuid_of(row[0]), *row[1:]) for row in _read(made, kept, first=first, last=last)]


def days_by_product(kept: Kept, first: int, last: int) -> Sequence[Row]:
    """The same: product, working days, number."""
    return _read(_PRODUCTS_DAYS[kept.operators is not None], kept, first=first, last=last)


def _sums_by(table: Any, keys: tuple[Any, ...]) -> Callable[[Form, int], Prepared]:
    """Statements that add applications up by some columns, of those that stand in one of so many states."""

    @lru_cache(maxsize=100)
    def made(form: Form, states: int) -> Prepared:
        among = [bindparam(f"state_{place:03}", type_=String()) for place in range(states)]
        wanted = (col(table.status).in_(among), *_of(table, form))
        return Prepared(select(*map(col, keys), _sum(table.number)).where(*wanted).group_by(*map(col, keys)))

    return made


_BY_CLOCK = _sums_by(StandingTally, (StandingTally.status, StandingTally.due_on))
_BY_OPERATOR_DUE = _sums_by(StandingTally, (StandingTally.addressed_to, StandingTally.due_on))
_BY_PRODUCT_DUE = _sums_by(StandingTally, (StandingTally.product_code, StandingTally.due_on))
_BY_OPERATOR = _sums_by(StandingTally, (StandingTally.addressed_to,))
_BY_PRODUCT = _sums_by(StandingTally, (StandingTally.product_code,))
_BY_CODE = _sums_by(QueueTally, (QueueTally.dimension, QueueTally.code))


def _in_states(made: Callable[[Form, int], Prepared], kept: Kept, states: Collection[str]) -> Sequence[Row]:
    values = {f"state_{place:03}": one for place, one in enumerate(sorted(states))}
    return _read(lambda form: made(form, len(values)), kept, **values) if values else []


def by_clock(kept: Kept, states: Collection[str]) -> list[Row]:
    """Applications that stand in one of these states: status, when they are due (None: no clock runs), number."""
    return [(status, day_of(due), number) for status, due, number in _in_states(_BY_CLOCK, kept, states)]


def by_product(kept: Kept, states: Collection[str]) -> Sequence[Row]:
    """The same: product, number."""
    return _in_states(_BY_PRODUCT, kept, states)


def by_operator(kept: Kept, states: Collection[str]) -> list[Row]:
    """The same: SO, number."""
    return [(uuid_of(operator), number) for operator, number in _in_states(_BY_OPERATOR, kept, states)]


def operators_due(kept: Kept, states: Collection[str]) -> list[Row]:
    """The same: SO, when they are due, number."""
    rows = _in_states(_BY_OPERATOR_DUE, kept, states)
    return [(uuid_of(operator), day_of(due), number) for operator, due, number in rows]


def products_due(kept: Kept, states: Collection[str]) -> list[Row]:
    """The same: product, when they are due, number."""
    return [(product, day_of(due), number) for product, due, number in _in_states(_BY_PRODUCT_DUE, kept, states)]


def by_group_and_provider(kept: Kept, states: Collection[str]) -> Sequence[Row]:
    """The same, for all products: GSP_GROUP or PROVIDER, its code, number."""
    return _in_states(_BY_CODE, Kept(kept.operators if kept.operators is not None else (ANYONE,)), states)


@lru_cache(maxsize=100)
def _ending(form: Form) -> Prepared:
    t, first = EndingTally, _months()[0]
    sums = (_sum(t.number), _sum(t.kw))
    chosen = select(col(t.month), *sums).where(col(t.month) >= first, *_of(t, form))
    return Prepared(chosen.group_by(col(t.month)))


def ending_from(kept: Kept, first: int) -> Sequence[Row]:
    """Qualifications in force that end in a month or later: month, number, hundredths of a kW."""
    return _read(_ending, kept, first=first)


@lru_cache(maxsize=100)
def _units(form: Form) -> Prepared:
    t = UnitTally
    columns = (t.family, t.units, t.assets, t.applied, t.qualified)
    return Prepared(select(*map(col, columns)).where(*_of(t, form)))


def units_of(operator: UUID | None) -> Sequence[Row]:
    """Active units in an SO's areas (None: all): family, units; assets there, of units that applied, of qualified ones."""
    return _read(_units, Kept((operator or ANYONE,)))


@lru_cache(maxsize=1)
def _figures(_form: Form) -> Prepared:
    return Prepared(select(*table_of(MarketFigure).columns))


def figures() -> Sequence[Row]:
    """Every figure over all SOs: its columns (`MarketFigure`), identifiers as the driver gives them."""
    return _read(_figures, Kept(None))


@lru_cache(maxsize=10_000)
def uuid_of(given: str | UUID) -> UUID:
    """An identifier of the driver's value."""
    return given if isinstance(given, UUID) else UUID(hex=given)


@lru_cache(maxsize=10_000)
def day_of(given: str | date) -> date | None:
    """The day on which something is due, of the driver's value."""
    day = given if isinstance(given, date) else date.fromisoformat(given)
    return None if day == NOT_DUE else day
