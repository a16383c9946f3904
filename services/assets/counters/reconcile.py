"""Counting the assets anew: to fill the counts kept beside them, and to find out whether they drifted (UC-05.02)."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    String,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import SQLModel, col

from models.assets import ENDED_STATUSES, Asset
from models.tallies import AssetCellTally, AssetMonthTally, AssetProviderTally, AssetTally
from services.assets.cells import COARSE, parent_in_sql
from services.assets.counters.maintain import PENDING, TALLIES, month_of
from services.core.clock import LONDON
from services.core.identity.actor import Actor, system_actor
from services.core.operation import operation
from services.core.transaction import Stamp, current_session, unit_of_work

log = logging.getLogger("fmar.tallies")
Bind = Connection | OrmSession
NOTHING = literal_column("''")
"""Literals are written out, so that an expression is the same one in SELECT and in GROUP BY."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One count that isn't what counting anew gives: table, key, (assets, rated hundredths) kept and counted."""

    table: str
    key: tuple[Any, ...]
    stored: tuple[int, ...]
    recounted: tuple[int, ...]


def _measures() -> tuple[Any, Any]:
    rated = type_coerce(col(Asset.rated_capacity), BigInteger)
    return func.count().label("assets"), func.sum(rated).label("rated")


def _code(name: str) -> Any:
    return func.coalesce(col(getattr(Asset, name)), NOTHING).label(name)


def _status() -> Any:
    return type_coerce(col(Asset.status), String).label("status")


def _active() -> Any:
    return col(Asset.status).not_in([literal_column(f"'{status}'") for status in ENDED_STATUSES])


def _tally() -> Any:
    keys = (col(Asset.asset_category), _status(), _code("dno_connection"), _code("gsp_group"))
    return select(*keys, *_measures()).group_by(*keys)


def _cells() -> Any:
    keys = (
        col(Asset.asset_category).label("asset_category"),
        _status(),
        parent_in_sql(col(Asset.cell), COARSE).label("cell"),
        _code("dno_connection"),
        _code("gsp_group"),
    )
    groups = select(*keys, *_measures()).where(col(Asset.cell).is_not(None)).group_by(*keys).cte("each_kind")
    place_keys = (groups.c.cell, groups.c.dno_connection, groups.c.gsp_group)
    sums = (func.sum(groups.c.assets), func.sum(groups.c.rated))
    by_category = (groups.c.asset_category, NOTHING.label("status"), *place_keys)
    by_status = (NOTHING.label("asset_category"), groups.c.status, *place_keys)
    overall = (NOTHING.label("asset_category"), NOTHING.label("status"), *place_keys)
    return union_all(
        select(groups),
        select(*by_category, *sums).group_by(groups.c.asset_category, *place_keys),
        select(*by_status, *sums).group_by(groups.c.status, *place_keys),
        select(*overall, *sums).group_by(*place_keys),
    )


def _with_month(bind: Bind) -> Any:
    """Assets that have a moment of registration, with the month of it by London's calendar."""
    moment = col(Asset.registered_at)
    first, last = bind.execute(select(func.min(moment), func.max(moment))).one()
    months = _months(first, last)
    month: Any = literal_column("-1")
    if months:
        steps = [(moment < _start(number + 1), literal_column(str(number))) for number in months[:-1]]
        month = case(*steps, else_=literal_column(str(months[-1]))) if steps else literal_column(str(months[-1]))
    return (
        select(
            _code("dno_connection"),
            col(Asset.service_provider_id),
            _active().label("active"),
            month.label("month"),
        )
        .where(moment.is_not(None))
        .subquery("registered")
    )


def _months(first: datetime | None, last: datetime | None) -> range:
    return range(0) if first is None or last is None else range(month_of(first), month_of(last) + 1)


def _start(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=LONDON)


def _by_month(bind: Bind) -> Any:
    registered = _with_month(bind)
    keys = (registered.c.dno_connection, registered.c.active, registered.c.month)
    return select(*keys, func.count().label("assets")).group_by(*keys)


def _by_provider(bind: Bind) -> Any:
    provider, count = col(Asset.service_provider_id), func.count().label("assets")
    registered = _with_month(bind)

    def within(dimension: str, code: Any, *conditions: Any) -> Any:
        query = select(literal_column(f"'{dimension}'").label("dimension"), code.label("code"), provider, count)
        return query.where(*conditions).group_by(code, provider)

    overall = select(literal_column("'ALL'"), NOTHING, provider, count).where(_active()).group_by(provider)
    month = literal_column("CAST(month AS VARCHAR(40))")
    by_month = (
        select(literal_column("'MONTH'"), month, registered.c.service_provider_id, count)
        .where(registered.c.active)
        .group_by(registered.c.month, registered.c.service_provider_id)
    )
    return union_all(
        within("STATUS", _status()),
        within("CATEGORY", col(Asset.asset_category), _active()),
        within("GSP_GROUP", func.coalesce(col(Asset.gsp_group), NOTHING), _active()),
        overall,
        by_month,
    )


def _fresh(bind: Bind) -> Iterable[tuple[type[SQLModel], Any]]:
    yield AssetTally, _tally()
    yield AssetCellTally, _cells()
    yield AssetMonthTally, _by_month(bind)
    yield AssetProviderTally, _by_provider(bind)


def rebuild(bind: Bind) -> None:
    """Count everything anew, in the transaction of `bind`. On PostgreSQL other writers of assets wait until it ends."""
    dialect = (bind if isinstance(bind, Connection) else bind.get_bind()).dialect
    if dialect.name == "postgresql":
        names = ", ".join(table.__table__.name for table in TALLIES)  # pyright: ignore[reportAttributeAccessIssue]
        bind.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    for table, query in _fresh(bind):
        bind.execute(delete(table))
        bind.execute(insert(table).from_select(_columns(table), query))


def _columns(table: type[SQLModel]) -> list[str]:
    return [column.name for column in table.__table__.columns]  # pyright: ignore[reportAttributeAccessIssue]


def drifts(session: OrmSession) -> list[Drift]:
    """Every count that differs from counting anew, both read at one moment."""
    differences: list[Drift] = []
    for table, query in _fresh(session):
        keys = len(table.__table__.primary_key.columns)  # pyright: ignore[reportAttributeAccessIssue]
        stored = _by_key(session.execute(select(*[getattr(table, name) for name in _columns(table)])), keys)
        recounted = _by_key(session.execute(query), keys)
        name = table.__name__
        for key in sorted(stored.keys() | recounted.keys(), key=str):
            if stored.get(key) != recounted.get(key):
                differences.append(Drift(name, key, stored.get(key, ()), recounted.get(key, ())))
    return differences


def _by_key(rows: Iterable[Any], keys: int) -> dict[tuple[Any, ...], tuple[int, ...]]:
    plain = (
        [value.hex if hasattr(value, "hex") and not isinstance(value, float) else value for value in row]
        for row in rows
    )
    return {tuple(str(part) for part in row[:keys]): tuple(int(part) for part in row[keys:]) for row in plain}


@operation("UC-05.02", permission="asset.recount", name="recount")
def recount(actor: Actor) -> int:
    """Count all assets anew for home page and map; how many counts had drifted (0: the register had kept them well)."""
    session = current_session()
    drifted = len(drifts(session))
    PENDING.taken(session)
    rebuild(session)
    return drifted


def reconcile() -> None:
    """Hold the counts against the assets once a day; what drifted is told in the log and put right."""
    with unit_of_work(Stamp("look_for_drift", "UC-05.02", system_actor()), writes=False) as session:
        drifted = drifts(session)
    if drifted:
        log.error("%d counts of assets had drifted and are counted anew; the first: %s", len(drifted), drifted[0])
        recount(system_actor())
