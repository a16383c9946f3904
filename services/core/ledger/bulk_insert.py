"""Many new records at once, each with its ledger entry: the same text, hash and version as one by one."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session as OrmSession

from models.base import Recorded
from models.core import LedgerEntry
from services.core.audit_context import WRITES, NoTransaction, Stamp
from services.core.canonical_json import canonical, plain
from services.core.clock import now
from services.core.db.bulk_insert import Columns, as_columns, convert_values, insert_rows, row_count
from services.core.ledger.canonical import GENESIS, PRIVATE, SAID, SECRET, as_hashed, columns_of
from services.core.ledger.writer import begin_writing, said_of_all, table_of
from services.core.reactions import reactions


def insert_recorded(session: OrmSession, model: type[Recorded], rows: Sequence[dict[str, Any]]) -> None:
    """Insert records that stand as rows by `insert_columns`. Raises ValueError where a row lacks or adds a column."""
    if rows:
        insert_columns(session, model, as_columns(rows))


def insert_columns(
    session: OrmSession, model: type[Recorded], columns: Columns, moment: datetime | None = None
) -> None:
    """Insert new records, each with its entry, without an object for each.

    There is a column for every one of the model but `version`, `recorded_at`, `recorded_by` and derived ones, which are set
    here; `moment` defaults to now. Raises ValueError for other columns, NoTransaction outside an operation that writes.
    """
    stamp = begin_bulk(session)
    kind, moment = model.record_type(), moment or now()
    complete = complete_columns(kind, columns, stamp, moment)
    connection = session.connection()
    insert_rows(connection, table_of(model), complete)
    entries = ledger_entries(kind, complete, stamp, moment, [GENESIS] * row_count(complete))
    insert_rows(connection, table_of(LedgerEntry), entries)
    for react in reactions().after_bulk_insert:
        react(session, model, complete)


def begin_bulk(session: OrmSession) -> Stamp:
    """Find under whose name records are written, and write what the session holds before them.

    Raises NoTransaction outside an operation that writes.
    """
    stamp = begin_writing(session)
    if not session.info.get(WRITES):
        raise NoTransaction("The register is written inside operations that say they write.")
    # Past the unit of work, which would look at each value once more: these columns are complete.
    session.flush()
    return stamp


def complete_columns(kind: str, columns: Columns, stamp: Stamp, moment: datetime) -> dict[str, Sequence[Any]]:
    """Add the columns that the ledger sets and those that are derived. Raises ValueError for one missing or too many."""
    count = row_count(columns)
    own = {"version": [1] * count, "recorded_at": [moment] * count, "recorded_by": [stamp.actor.user_id] * count}
    if odd := (set(columns_of(kind)) - set(own)) ^ set(columns):
        raise ValueError(f"A row of {kind} lacks or adds {', '.join(sorted(odd))}.")
    complete: dict[str, Sequence[Any]] = {**columns, **own}
    for name, derive in reactions().derived_columns.get(kind, {}).items():
        complete[name] = [derive(lambda column, row=row: columns[column][row]) for row in range(count)]
    return complete


def ledger_entries(
    kind: str, columns: Columns, stamp: Stamp, moment: datetime, previous: Sequence[str]
) -> dict[str, Sequence[Any]]:
    """The ledger entries of records as they stand in `columns`, each after the entry with the hash in `previous`.

    Every column of the kind is there.
    """
    context = said_of_all(stamp, moment)
    states = state_texts(kind, columns)
    # As `hash_of` has it; the parts between a record's version and its state are the same for all.
    common = canonical([as_hashed(name, context[name]) for name in SAID if name in context])[1:-1]
    rows = zip(previous, columns["id"], columns["version"], states, strict=True)
    hashed = (
        f'{before}\n["{kind}","{record_id}",{version},{common},{canonical(state)}]'
        for before, record_id, version, state in rows
    )
    count = len(states)
    return {
        "record_type": [kind] * count,
        "record_id": columns["id"],
        "version": columns["version"],
        **{name: [value] * count for name, value in context.items()},
        "state": states,
        "previous_hash": previous,
        "hash": [hashlib.sha256(text.encode()).hexdigest() for text in hashed],
    }


def state_texts(kind: str, columns: Columns) -> list[str]:
    """The state of each record as the ledger keeps it: `canonical` of `state_of`, letter for letter.

    Raises ValueError for a kind of record that has private or secret columns: these are written one by one.
    """
    names = columns_of(kind)
    if guarded := {PRIVATE, *SECRET} & set(names):
        raise ValueError(f"A {kind} is written one by one: of {', '.join(guarded)} the ledger keeps a digest.")
    filled = [name for name in names if any(value is not None for value in columns[name])]
    rows = zip(*(convert_values(plain, columns[name]) for name in filled), strict=True)
    return [
        canonical({name: value for name, value in zip(filled, row, strict=True) if value is not None}) for row in rows
    ]
