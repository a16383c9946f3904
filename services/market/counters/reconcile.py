"""Counting the market anew: to fill the counts kept beside it, and to find out whether they drifted (UC-05.02)."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
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
from services.core.jobs.worker import every
from services.core.ledger.writer import table_of
from services.core.operation import operation
from services.core.transaction import Stamp, current_session, unit_of_work
from services.market.counters.keys import COUNTED, Counted, of_application, of_step
from services.market.counters.maintain import PENDING, TABLES
from services.market.counters.units import AT_ONCE, Contribution, contributions, operators_of

log = logging.getLogger("fmar.tallies")
STEP_COLUMNS = (
    "at", "from_status", "to_status", "reason_code", "product_code", "addressed_to", "service_provider_id", "gsp_group",
    "capacity", "working_days",
)  # fmt: skip
_Tables = Mapping[type[SQLModel], Counts]


def _counted(session: OrmSession) -> Iterable[Counted]:
    """Every application, step and unit, where it counts."""
    steps = select(*(col(getattr(QualificationStep, name)) for name in STEP_COLUMNS))
    for step in session.execute(steps.execution_options(yield_per=AT_ONCE)):
        yield from of_step(step)
    applications = select(*(col(getattr(Qualification, name)) for name in COUNTED))
    for row in session.execute(applications.execution_options(yield_per=AT_ONCE)):
        yield from of_application(row._mapping.__getitem__, 1)
    for contribution in _units(session).values():
        yield from contribution.counted(1)


def _units(session: OrmSession) -> dict[Any, Contribution]:
    listed = list(session.scalars(select(col(MarketUnit.id)).order_by(col(MarketUnit.id))))
    operators, found = operators_of(session), dict[Any, Contribution]()
    for start in range(0, len(listed), AT_ONCE):
        found |= contributions(session, listed[start : start + AT_ONCE], operators)
    return found


def _fresh(session: OrmSession) -> _Tables:
    """Every count, from the records; of figures besides how many providers stand behind each, and the outermost two."""
    counts: dict[type[SQLModel], Counts] = {table: {} for table in TABLES}
    for table, key, sums in _counted(session):
        known = counts[table].setdefault(key, [0] * len(sums))
        known[:] = map(sum, zip(known, sums, strict=True))
    for made in counts.values():
        for key in [key for key, sums in made.items() if not any(sums)]:
            del made[key]
    behind: dict[Key, list[Any]] = defaultdict(list)
    for (*figure, provider), sums in counts[FigureProvider].items():
        known = counts[MarketFigure].setdefault(tuple(figure), [0, 0, 0])
        known[:] = map(sum, zip(known, sums, strict=True))
        if sums[0] > 0 or sums[1]:
            behind[tuple(figure)].append(provider)
    for figure, known in list(counts[MarketFigure].items()):
        if any(known):
            there = sorted(behind[figure], key=str)
            known += [len(there), *(there[:1] or [None]), *(there[-1:] or [None])]
        else:
            del counts[MarketFigure][figure]
    return counts


def _columns(table: type[SQLModel]) -> tuple[str, ...]:
    more = ("providers", "first_provider", "last_provider") if table is MarketFigure else ()
    return (*keys_of(table), *sums_of(table), *more)


def rebuild(session: OrmSession) -> None:
    """Count everything anew, in the transaction of the session. On PostgreSQL other writers of the market wait meanwhile."""
    if session.get_bind().dialect.name == "postgresql":
        names = ", ".join(table_of(table).name for table in (UnitCounted, *TABLES))
        session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    for table, counts in _fresh(session).items():
        session.execute(delete(table))
        rows = [dict(zip(_columns(table), (*key, *sums), strict=True)) for key, sums in counts.items()]
        if rows:
            session.execute(insert(table_of(table)), rows)
    session.execute(delete(UnitCounted))
    kept = [{"unit_id": unit, "counted": list(one)} for unit, one in _units(session).items()]
    if kept:
        session.execute(insert(table_of(UnitCounted)), kept)


def drifts(session: OrmSession) -> list[Drift]:
    """Every count that differs from counting anew, both read at one moment."""
    found: list[Drift] = []
    for table, anew in _fresh(session).items():
        names, keys = _columns(table), len(keys_of(table))
        rows = session.execute(select(*(col(getattr(table, name)) for name in names)))
        kept = {_plain(row[:keys]): tuple(row[keys:]) for row in rows}
        counted = {_plain(key): tuple(sums) for key, sums in anew.items()}
        for key in sorted(kept.keys() | counted.keys()):
            if kept.get(key) != counted.get(key):
                found.append(Drift(table.__name__, key, kept.get(key, ()), counted.get(key, ())))
    return found


def _plain(key: Iterable[Any]) -> tuple[str, ...]:
    return tuple(map(str, key))


@operation("UC-05.02", permission="asset.recount", name="recount_market")
def recount_market(actor: Actor) -> int:
    """Count the market anew for dashboard and queue; how many counts had drifted (0: the register had kept them well)."""
    session = current_session()
    found = len(drifts(session))
    PENDING.taken(session)
    rebuild(session)
    return found


@every(timedelta(days=1), name="market.recounting.reconcile_market")
def reconcile_market() -> None:
    """Hold the counts against the market once a day; what drifted is told in the log and put right."""
    with unit_of_work(Stamp("look_for_drift", "UC-05.02", system_actor()), writes=False) as session:
        found = drifts(session)
    if found:
        log.error("%d counts of the market had drifted and are counted anew; the first: %s", len(found), found[0])
        recount_market(system_actor())
