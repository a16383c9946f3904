"""Reconciliation of the market's counters with its records: find drift, rebuild (UC-05.02)."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import SQLModel, col

from models.market_tallies import FigureProvider, MarketFigure, UnitCounted
from models.qualifications import Qualification, QualificationStep
from models.units import MarketUnit
from services.assets.counters.reconcile import Drift
from services.core.db.counters import Counts, Key, keys_of, sums_of
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.writer import table_of
from services.core.operation import operation
from services.core.transaction import Stamp, current_session, unit_of_work
from services.market.counters.keys import COUNTED, CounterChange, count_application, count_step
from services.market.counters.maintain import PENDING, TABLES
from services.market.counters.units import BATCH_SIZE, Contribution, load_contributions, load_operator_areas

log = logging.getLogger("fmar.tallies")
STEP_COLUMNS = (
    "at", "from_status", "to_status", "reason_code", "product_code", "addressed_to", "service_provider_id", "gsp_group",
    "capacity", "working_days",
)  # fmt: skip
_Tables = Mapping[type[SQLModel], Counts]


def _count_all(session: OrmSession) -> Iterable[CounterChange]:
    """Yield the counter changes of every application, step and unit."""
    steps = select(*(col(getattr(QualificationStep, name)) for name in STEP_COLUMNS))
    for step in session.execute(steps.execution_options(yield_per=BATCH_SIZE)):
        yield from count_step(step)
    applications = select(*(col(getattr(Qualification, name)) for name in COUNTED))
    for row in session.execute(applications.execution_options(yield_per=BATCH_SIZE)):
        yield from count_application(row._mapping.__getitem__, 1)
    for contribution in _load_contributions(session).values():
        yield from contribution.changes(1)


def _load_contributions(session: OrmSession) -> dict[Any, Contribution]:
    unit_ids = list(session.scalars(select(col(MarketUnit.id)).order_by(col(MarketUnit.id))))
    operators, contributions_by_unit = load_operator_areas(session), dict[Any, Contribution]()
    for start in range(0, len(unit_ids), BATCH_SIZE):
        contributions_by_unit |= load_contributions(session, unit_ids[start : start + BATCH_SIZE], operators)
    return contributions_by_unit


def _count_tables(session: OrmSession) -> _Tables:
    """Count every counter from the records; of figures also the number of providers behind each, and the outermost two."""
    counts: dict[type[SQLModel], Counts] = {table: {} for table in TABLES}
    for table, key, sums in _count_all(session):
        totals = counts[table].setdefault(key, [0] * len(sums))
        totals[:] = map(sum, zip(totals, sums, strict=True))
    for rows in counts.values():
        for key in [key for key, sums in rows.items() if not any(sums)]:
            del rows[key]
    behind: dict[Key, list[Any]] = defaultdict(list)
    for (*figure, provider), sums in counts[FigureProvider].items():
        totals = counts[MarketFigure].setdefault(tuple(figure), [0, 0, 0])
        totals[:] = map(sum, zip(totals, sums, strict=True))
        if sums[0] > 0 or sums[1]:
            behind[tuple(figure)].append(provider)
    for figure, totals in list(counts[MarketFigure].items()):
        if any(totals):
            providers = sorted(behind[figure], key=str)
            totals += [len(providers), *(providers[:1] or [None]), *(providers[-1:] or [None])]
        else:
            del counts[MarketFigure][figure]
    return counts


def _columns(table: type[SQLModel]) -> tuple[str, ...]:
    provider_columns = ("providers", "first_provider", "last_provider") if table is MarketFigure else ()
    return (*keys_of(table), *sums_of(table), *provider_columns)


def rebuild_counters(session: OrmSession) -> None:
    """Rebuild every counter, in the transaction of the session. On PostgreSQL other writers of the market wait meanwhile."""
    if session.get_bind().dialect.name == "postgresql":
        names = ", ".join(table_of(table).name for table in (UnitCounted, *TABLES))
        session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    for table, counts in _count_tables(session).items():
        session.execute(delete(table))
        rows = [dict(zip(_columns(table), (*key, *sums), strict=True)) for key, sums in counts.items()]
        if rows:
            session.execute(insert(table_of(table)), rows)
    session.execute(delete(UnitCounted))
    rows_of_units = [
        {"unit_id": unit, "counted": list(contribution)} for unit, contribution in _load_contributions(session).items()
    ]
    if rows_of_units:
        session.execute(insert(table_of(UnitCounted)), rows_of_units)


def find_drifts(session: OrmSession) -> list[Drift]:
    """Find every counter that differs from the records, both read at one moment."""
    drifts_found: list[Drift] = []
    for table, fresh in _count_tables(session).items():
        names, keys = _columns(table), len(keys_of(table))
        rows = session.execute(select(*(col(getattr(table, name)) for name in names)))
        stored = {_comparable_key(row[:keys]): tuple(row[keys:]) for row in rows}
        expected = {_comparable_key(key): tuple(sums) for key, sums in fresh.items()}
        for key in sorted(stored.keys() | expected.keys()):
            if stored.get(key) != expected.get(key):
                drifts_found.append(Drift(table.__name__, key, stored.get(key, ()), expected.get(key, ())))
    return drifts_found


def _comparable_key(key: Iterable[Any]) -> tuple[str, ...]:
    return tuple(map(str, key))


@operation("UC-05.02", permission="asset.recount", name="recount_market")
def recount_market(actor: Actor) -> int:
    """Recount the market for dashboard and queue; return the number of counters that had drifted."""
    session = current_session()
    drift_count = len(find_drifts(session))
    PENDING.taken(session)
    rebuild_counters(session)
    return drift_count


def reconcile_market() -> None:
    """Reconcile the counters with the market once a day; drift is logged and repaired."""
    with unit_of_work(Stamp("look_for_drift", "UC-05.02", system_actor()), writes=False) as session:
        drifted = find_drifts(session)
    if drifted:
        log.error("%d counts of the market had drifted and are counted anew; the first: %s", len(drifted), drifted[0])
        recount_market(system_actor())
