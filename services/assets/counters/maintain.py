"""Counts kept beside the assets, in the same commit: what each change adds and takes away (`services.core.db.counters`).

`services.assets.counters.reconcile` counts anew and finds what drifted.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.attributes import get_history
from sqlmodel import SQLModel

from models.assets import ENDED_STATUSES, Asset
from models.tallies import AssetCellTally, AssetMonthTally, AssetProviderTally, AssetTally
from services.assets.cells import COARSE, parent_of
from services.core.clock import LONDON
from services.core.db.bulk_insert import Columns, row_count
from services.core.db.counters import Counts, Pending, sums_of, write_counts

PENDING = Pending("fmar_tallies")
TALLIES: tuple[type[SQLModel], ...] = (AssetTally, AssetCellTally, AssetMonthTally, AssetProviderTally)
"""The tables, in the order in which every writer touches them."""
COUNTED = (
    "asset_category", "status", "dno_connection", "gsp_group", "cell", "registered_at", "service_provider_id",
    "rated_capacity",
)  # fmt: skip
"""Columns of an asset on which a count depends."""


class TallyKey(NamedTuple):
    """Counter keys of one asset; an absent value is the empty text, 0 or -1."""

    asset_category: str
    status: str
    dno_connection: str
    gsp_group: str
    cell: int
    month: int
    service_provider_id: UUID


def month_of(moment: datetime | None) -> int:
    """The calendar month in London as one number: years times twelve, plus months since January; -1 for no moment."""
    if moment is None:
        return -1
    local = moment.astimezone(LONDON)
    return local.year * 12 + local.month - 1


def hundredths(kilowatts: Decimal) -> int:
    """Power as the counts keep it."""
    return int(Decimal(kilowatts) * 100)


def _place(value: Callable[[str], Any]) -> tuple[TallyKey, int]:
    cell = value("cell")
    return (
        TallyKey(
            value("asset_category"),
            str(value("status")),
            value("dno_connection") or "",
            value("gsp_group") or "",
            0 if cell is None else parent_of(cell, COARSE),
            month_of(value("registered_at")),
            value("service_provider_id"),
        ),
        hundredths(value("rated_capacity")),
    )


def note(session: OrmSession, before: Callable[[str], Any] | None, after: Callable[[str], Any]) -> None:
    """Keep in mind that an asset came or changed; both are asked for the columns of `COUNTED` by name.

    For paths that write assets past the session's unit of work; `Asset` objects and bulk rows are seen anyway.
    """
    steps = [(1, after)] if before is None else [(-1, before), (1, after)]
    for sign, value in steps:
        key, rated = _place(value)
        PENDING.add(session, TallyKey, key, sign, sign * rated)


def note_flushed(session: OrmSession) -> None:
    """Note what a session has just written."""
    for record in session.new:
        if isinstance(record, Asset):
            note(session, None, lambda name, record=record: getattr(record, name))
    for record in session.dirty:
        if isinstance(record, Asset):
            old = {name: past.deleted[0] for name in COUNTED if (past := get_history(record, name)).deleted}
            if old:
                note(
                    session,
                    lambda name, record=record, old=old: old[name] if name in old else getattr(record, name),
                    lambda name, record=record: getattr(record, name),
                )


def note_inserted(session: OrmSession, model: type[Any], columns: Columns) -> None:
    """Note many new records, from their columns."""
    if model is Asset:
        _note_columns(session, columns, 1)


def note_changed(session: OrmSession, model: type[Any], before: Columns, changes: Mapping[str, Any]) -> None:
    """Note many records that changed alike, from their columns before and what is new."""
    if model is Asset and not changes.keys().isdisjoint(COUNTED):
        count = row_count(before)
        _note_columns(session, before, -1)
        _note_columns(session, {**before, **{name: [value] * count for name, value in changes.items()}}, 1)


def _note_columns(session: OrmSession, columns: Columns, sign: int) -> None:
    counts: Counts = {}
    for values in zip(*(columns[name] for name in COUNTED), strict=True):
        key, rated = _place(dict(zip(COUNTED, values, strict=True)).__getitem__)
        sums = counts.setdefault(key, [0, 0])
        sums[0] += sign
        sums[1] += sign * rated
    PENDING.add_all(session, TallyKey, counts)


def _spread(place: TallyKey) -> Iterable[tuple[type[SQLModel], tuple[Any, ...]]]:
    """Every row of every table in which an asset of this place counts."""
    category, status, dno, gsp, cell, month, provider = place
    active = status not in ENDED_STATUSES
    yield AssetTally, (category, status, dno, gsp)
    if cell:
        for kind in (category, ""):
            for state in (status, ""):
                yield AssetCellTally, (kind, state, cell, dno, gsp)
    if month >= 0:
        yield AssetMonthTally, (dno, active, month)
    yield AssetProviderTally, ("STATUS", status, provider)
    if active:
        yield AssetProviderTally, ("ALL", "", provider)
        yield AssetProviderTally, ("CATEGORY", category, provider)
        yield AssetProviderTally, ("GSP_GROUP", gsp, provider)
        if month >= 0:
            yield AssetProviderTally, ("MONTH", str(month), provider)


def bring_up_to_date(session: OrmSession) -> None:
    """Write what was noted so far; a reader inside a writing operation calls it, and the end of the operation does."""
    pending = PENDING.taken(session)[0].get(TallyKey, {})
    changes: dict[type[SQLModel], Counts] = {table: {} for table in TALLIES}
    for asset_key, sums in pending.items():
        for table, key in _spread(TallyKey(*asset_key)):
            totals = changes[table].setdefault(key, [0] * len(sums_of(table)))
            totals[:] = map(sum, zip(totals, sums, strict=False))
    for table in TALLIES:
        write_counts(session, table, changes[table])
