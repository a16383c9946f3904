"""Verification (UC-05.06): finds any change made behind the application's back, and says where it is."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from models.base import Recorded
from models.core import LedgerEntry, LedgerSeal
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.ledger.canonical import GENESIS, entry_hash, model_by_type, state_of
from services.core.ledger.faults import Fault, FaultKind, Verification
from services.core.ledger.guards import find_guard_faults
from services.core.ledger.history import differences
from services.core.ledger.log_digests import NUMBERED_LOGS, find_digest_faults
from services.core.ledger.seal_checks import verify_seals
from services.core.operation import operation
from services.core.reactions import reactions
from services.core.transaction import current_session

__all__ = ["Fault", "FaultKind", "Verification", "verify_ledger"]

BATCH = 2000
Progress = Callable[[float, str], None]


@operation("UC-05.06", permission="ledger.verify", writes=False, name="verify_ledger")
def verify_ledger(actor: Actor, progress: Progress | None = None) -> Verification:
    """Hold every entry against its chain, every seal against its entries, every record against its last entry.

    Also held: seals against signatures and the anchor file; logs and files beside the ledger against their digests; what is
    worked out from records against what they give; the database's guards (services.core.ledger.coverage lists all tables).
    Reads the whole register once, in batches; nothing is changed. `progress` is called with a share from 0 to 1 and what is
    being held against what.
    """
    tell = progress or _silently
    result = Verification(started_at=now())
    tell(0.0, "Seals against their entries")
    seals = list(current_session().scalars(select(LedgerSeal).order_by(col(LedgerSeal.number))))
    verify_seals(result, seals)
    result.add_all(FaultKind.GUARD_MISSING, find_guard_faults(current_session()))
    models = model_by_type()
    for place, (record_type, model) in enumerate(models.items()):
        tell(0.1 + 0.6 * place / len(models), f"Records against the ledger: {record_type.replace('_', ' ')}")
        _verify_records(result, record_type, model)
    unknown = select(col(LedgerEntry.record_type)).where(col(LedgerEntry.record_type).not_in(list(model_by_type())))
    for name in current_session().scalars(unknown.distinct()):
        result.faults.append(
            Fault(FaultKind.CHAIN_BROKEN, name, f"The ledger tells of a kind of record, {name}, that is unknown.")
        )
    _verify_tables(result, seals, tell)
    tell(1.0, "Done")
    return result


def _verify_tables(result: Verification, seals: list[LedgerSeal], tell: Progress) -> None:
    """Hold the tables beside the ledger against it: logs, files, and what is worked out."""
    session = current_session()
    tell(0.7, "Logs against the seals")
    result.add_all(FaultKind.LOG_ALTERED, find_digest_faults(session, seals))
    result.tables += len(NUMBERED_LOGS) + 1
    checks = reactions().table_checks
    for place, check in enumerate(checks):
        tell(0.8 + 0.2 * place / len(checks), f"{check.title} against the records")
        result.add_all(check.kind, check.find(session))
        result.tables += len(check.tables)


def _silently(_share: float, _doing: str) -> None:
    """Progress that nobody follows."""


def _last_entries(result: Verification, record_type: str) -> Iterator[LedgerEntry]:
    """Follow each record's chain; yield its last entry, in the order of record identifiers."""
    query = (
        select(LedgerEntry)
        .where(col(LedgerEntry.record_type) == record_type)
        .order_by(col(LedgerEntry.record_id), col(LedgerEntry.version), col(LedgerEntry.seq))
        .execution_options(yield_per=BATCH)
    )
    for record_id, chain in groupby(current_session().scalars(query), key=lambda entry: entry.record_id):
        previous, version, last = GENESIS, 0, None
        where = f"{record_type} {record_id}"
        for entry in chain:
            if entry.hash != entry_hash(entry):
                message = f"Entry {entry.seq} (version {entry.version}) says something else than when it was written."
                result.faults.append(Fault(FaultKind.ENTRY_ALTERED, where, message))
            if entry.version != version + 1 or entry.previous_hash != previous:
                message = f"Entry {entry.seq} (version {entry.version}) does not follow version {version}."
                result.faults.append(Fault(FaultKind.CHAIN_BROKEN, where, message))
            previous, version, last = entry.hash, entry.version, entry
        if last is not None:
            yield last


def _verify_records(result: Verification, record_type: str, model: type[Recorded]) -> None:
    """Walk records and last entries side by side, both in the order of identifiers."""
    rows = select(model).order_by(col(model.id)).execution_options(yield_per=BATCH)
    records = iter(current_session().scalars(rows))
    record = next(records, None)
    for entry in _last_entries(result, record_type):
        while record is not None and record.id < entry.record_id:
            _unknown(result, record)
            record = next(records, None)
        where = f"{record_type} {entry.record_id}"
        if record is None or record.id > entry.record_id:
            message = f"The ledger knows this record up to version {entry.version}; the record itself is gone."
            result.faults.append(Fault(FaultKind.RECORD_MISSING, where, message))
            continue
        result.records += 1
        fault = _record_fault(record, entry)
        if fault:
            result.faults.append(Fault(FaultKind.RECORD_ALTERED, where, fault))
        record = next(records, None)
    while record is not None:
        _unknown(result, record)
        record = next(records, None)


def _unknown(result: Verification, record: Recorded) -> None:
    where = f"{record.record_type()} {record.id}"
    result.faults.append(Fault(FaultKind.RECORD_UNKNOWN, where, "The record has no ledger entry."))


def _record_fault(record: Recorded, entry: LedgerEntry) -> str | None:
    stands = state_of(record)
    try:
        ledger_state: dict[str, Any] = json.loads(entry.state)
    except ValueError:
        return "Its last ledger entry can't be read."
    if stands == ledger_state and record.version == entry.version:
        return None
    changed = differences(ledger_state, stands)
    if not changed:
        return f"The record stands at version {record.version}; its last ledger entry is of version {entry.version}."
    fields = "; ".join(f"{name} was {before!r}, is {after!r}" for name, (before, after) in sorted(changed.items())[:5])
    return f"The record no longer says what its last ledger entry says: {fields}."
