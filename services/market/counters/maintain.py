"""Maintained counters of the market, written in the commit that changes it: what each application, step and unit adds.

`services.market.counters.reconcile` counts again from the records and finds drift.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.attributes import get_history
from sqlmodel import SQLModel

from models.market_tallies import (
    DaysTally,
    DecisionTally,
    EndingTally,
    FigureProvider,
    MarketFigure,
    QualifiedTally,
    QueueTally,
    StandingTally,
    UnitTally,
)
from models.participants import Organisation
from models.qualifications import Qualification, QualificationStep
from models.units import MarketUnit
from services.core.db.bulk_insert import Columns, row_count
from services.core.db.counters import Key, Pending, write_counts
from services.core.ledger.writer import table_of
from services.market.counters import units as unit_tallies
from services.market.counters.keys import COUNTED, CounterChange, count_application, count_step

TABLES: tuple[type[SQLModel], ...] = (
    UnitTally, QualifiedTally, DecisionTally, DaysTally, StandingTally, QueueTally, EndingTally, FigureProvider, MarketFigure,
)  # fmt: skip
"""The tables, in the order in which every writer locks them."""
PENDING = Pending("fmar_market_tallies")
EVERY_UNIT = "every unit"
OF_UNIT = ("status", "family", "service_provider_id")
OF_ORGANISATION = ("licence_areas", "approved_values", "organisation_roles")


def touch_units(session: OrmSession, unit_ids: Iterable[UUID]) -> None:
    """Touch units that were recounted: their counters follow at the end of the unit of work."""
    for unit in unit_ids:
        PENDING.touch(session, unit)


def _add_changes(session: OrmSession, counter_changes: Iterable[CounterChange]) -> None:
    for table, key, sums in counter_changes:
        PENDING.add(session, table, key, *sums)


def note_flushed(session: OrmSession) -> None:
    """Note what a session has just written."""
    for record in session.new:
        if isinstance(record, QualificationStep):
            _add_changes(session, count_step(record))
        elif isinstance(record, Qualification):
            _add_changes(session, count_application(lambda name, record=record: getattr(record, name), 1))
            PENDING.touch(session, record.unit_id)
        elif isinstance(record, MarketUnit):
            PENDING.touch(session, record.id)
        elif isinstance(record, Organisation) and unit_tallies.is_operator(record):
            PENDING.touch(session, EVERY_UNIT)
    for record in session.dirty:
        if isinstance(record, Qualification):
            _note_changed_application(session, record)
        elif isinstance(record, MarketUnit) and _old_values(record, OF_UNIT):
            PENDING.touch(session, record.id)
        elif isinstance(record, Organisation) and _areas_changed(record):
            PENDING.touch(session, EVERY_UNIT)


def _old_values(record: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: past.deleted[0] for name in names if (past := get_history(record, name)).deleted}


def _note_changed_application(session: OrmSession, record: Qualification) -> None:
    old = _old_values(record, COUNTED)
    changed = [name for name in COUNTED if get_history(record, name).has_changes()]
    if not changed:
        return
    before = {name: old.get(name) if name in changed else getattr(record, name) for name in COUNTED}
    _add_changes(session, count_application(before.__getitem__, -1))
    _add_changes(session, count_application(lambda name: getattr(record, name), 1))
    if {"status", "addressed_to"} & set(changed):
        PENDING.touch(session, record.unit_id)


def _areas_changed(record: Organisation) -> bool:
    before = _old_values(record, OF_ORGANISATION)
    return any(get_history(record, name).has_changes() for name in OF_ORGANISATION) and (
        unit_tallies.is_operator(record)
        or any(unit_tallies.NATIONAL in str(value) for value in before.values())
        or bool(before.get("licence_areas"))
    )


def note_inserted(session: OrmSession, model: type[Any], columns: Columns) -> None:
    """Note many new records, from their columns."""
    if model is Qualification:
        _note_columns(session, columns, 1)
    elif model is MarketUnit:
        touch_units(session, columns["id"])


def note_changed(session: OrmSession, model: type[Any], before: Columns, changes: Mapping[str, Any]) -> None:
    """Note many records that changed alike, from their columns before and what is new."""
    if model is Qualification and not changes.keys().isdisjoint(COUNTED):
        count = row_count(before)
        _note_columns(session, before, -1)
        _note_columns(session, {**before, **{name: [value] * count for name, value in changes.items()}}, 1)
    elif model is MarketUnit and not changes.keys().isdisjoint(OF_UNIT):
        touch_units(session, before["id"])


def _note_columns(session: OrmSession, columns: Columns, sign: int) -> None:
    names = (*COUNTED, "unit_id")
    for values in zip(*(columns[name] for name in names), strict=True):
        row = dict(zip(names, values, strict=True))
        _add_changes(session, count_application(row.__getitem__, sign))
        PENDING.touch(session, row["unit_id"])


def write_pending(session: OrmSession) -> None:
    """Write the pending counter changes: at the end of an operation, and before a reader inside a writing one."""
    changes, touched = PENDING.taken(session)
    if touched:
        units = None if EVERY_UNIT in touched else touched
        for table, key, sums in unit_tallies.recount_contributions(session, units):
            sums_so_far = changes[table].setdefault(key, [0] * len(sums))
            sums_so_far[:] = map(sum, zip(sums_so_far, sums, strict=True))
    for (figure, month, code, _), sums in changes.get(FigureProvider, {}).items():
        sums_so_far = changes[MarketFigure].setdefault((figure, month, code), [0, 0, 0])
        sums_so_far[:] = map(sum, zip(sums_so_far, sums, strict=True))
    for table in TABLES[:-2]:
        write_counts(session, table, changes.get(table, {}))
    behind = write_counts(session, FigureProvider, changes.get(FigureProvider, {}))
    write_counts(session, MarketFigure, changes.get(MarketFigure, {}))
    _recount_providers(session, sorted({key[:3] for key in behind}))


def _recount_providers(session: OrmSession, figures: Collection[Key]) -> None:
    """Recount the providers behind figures, whose rows are locked by now: other writers of them wait."""
    if not figures:
        return
    figure, behind = table_of(MarketFigure), table_of(FigureProvider)
    key_names = ("figure", "month", "code")
    same_figure = [behind.c[name] == figure.c[name] for name in key_names]
    provider = behind.c.service_provider_id
    query = select(provider).where(*same_figure, (behind.c.steps > 0) | (behind.c.number != 0)).correlate(figure)
    values: dict[str, Any] = {
        "providers": query.with_only_columns(func.count()).scalar_subquery(),
        "first_provider": query.order_by(provider).limit(1).scalar_subquery(),
        "last_provider": query.order_by(provider.desc()).limit(1).scalar_subquery(),
    }
    for key in figures:
        conditions = [figure.c[name] == value for name, value in zip(key_names, key, strict=True)]
        session.execute(update(figure).where(*conditions).values(**values))
