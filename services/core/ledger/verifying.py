"""Verification (UC-05.06): finds any change made behind the application's back, and says where it is."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from models.base import Recorded
from models.core import LedgerEntry, LedgerSeal
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.ledger.canonical import GENESIS, entry_hash, model_by_type, state_of
from services.core.ledger.history import differences
from services.core.ledger.sealing import merkle_root, read_anchors, seal_hash
from services.core.operation import operation
from services.core.register_settings import register_id
from services.core.transaction import current_session

BATCH = 2000
Progress = Callable[[float, str], None]


class FaultKind(StrEnum):
    """Fault of the ledger, or of a record held against it."""

    ENTRY_ALTERED = "entry altered"
    CHAIN_BROKEN = "chain broken"
    SEAL_BROKEN = "seal broken"
    SEAL_MISSING = "seal missing"
    RECORD_ALTERED = "record altered"
    RECORD_MISSING = "record missing"
    RECORD_UNKNOWN = "record without ledger"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that verification found, and where."""

    kind: FaultKind
    where: str
    message: str


@dataclass(slots=True)
class Verification:
    """The outcome of verifying the whole ledger."""

    started_at: datetime
    entries: int = 0
    sealed_entries: int = 0
    seals: int = 0
    records: int = 0
    anchors: int = 0
    faults: list[Fault] = field(default_factory=list)
    cut_off: Fault | None = None
    """The one of them that a restored copy has by nature: the anchor file knows seals that are younger than all of it."""

    @property
    def sound(self) -> bool:
        """True where no fault was found."""
        return not self.faults


@operation("UC-05.06", permission="ledger.verify", writes=False, name="verify_ledger")
def verify_ledger(actor: Actor, progress: Progress | None = None) -> Verification:
    """Hold every entry against its chain, every seal against its entries, every record against its last entry.

    Reads the whole register once, in batches; nothing is changed. Also held: the seals against the anchor file. `progress` is
    called with a share from 0 to 1 and what is being held against what.
    """
    tell = progress or _silently
    result = Verification(started_at=now())
    tell(0.0, "Seals against their entries")
    seals = list(current_session().scalars(select(LedgerSeal).order_by(col(LedgerSeal.number))))
    _verify_seals(result, seals)
    models = model_by_type()
    for place, (record_type, model) in enumerate(models.items()):
        tell(0.2 + 0.8 * place / len(models), f"Records against the ledger: {record_type.replace('_', ' ')}")
        _verify_records(result, record_type, model)
    unknown = select(col(LedgerEntry.record_type)).where(col(LedgerEntry.record_type).not_in(list(model_by_type())))
    for name in current_session().scalars(unknown.distinct()):
        result.faults.append(
            Fault(FaultKind.CHAIN_BROKEN, name, f"The ledger tells of a kind of record, {name}, that is unknown.")
        )
    tell(1.0, "Done")
    return result


def _silently(_share: float, _doing: str) -> None:
    """Progress that nobody follows."""


def _verify_seals(result: Verification, seals: list[LedgerSeal]) -> None:
    session = current_session()
    before_hash, before_seq = GENESIS, 0
    for number, seal in enumerate(seals, start=1):
        where = f"seal {seal.number}"
        if seal.number != number or seal.previous_hash != before_hash:
            result.faults.append(Fault(FaultKind.SEAL_MISSING, where, f"Seal {number} is missing or out of order."))
        if seal.hash != seal_hash(seal):
            result.faults.append(Fault(FaultKind.SEAL_BROKEN, where, f"Seal {seal.number} was altered."))
        covered = (col(LedgerEntry.seq) > before_seq, col(LedgerEntry.seq) <= seal.last_seq)
        hashes = list(session.scalars(select(col(LedgerEntry.hash)).where(*covered).order_by(col(LedgerEntry.seq))))
        if len(hashes) != seal.entry_count or merkle_root(hashes) != seal.merkle_root:
            result.faults.append(
                Fault(
                    FaultKind.SEAL_BROKEN,
                    where,
                    f"Seal {seal.number} covers {seal.entry_count} entries (numbers {seal.first_seq} to {seal.last_seq}); "
                    f"{len(hashes)} are there{', and some differ' if len(hashes) == seal.entry_count else ''}.",
                )
            )
        result.sealed_entries += len(hashes)
        before_hash, before_seq = seal.hash, seal.last_seq
    result.seals = len(seals)
    result.entries = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
    _verify_anchors(result, seals)


def _verify_anchors(result: Verification, seals: list[LedgerSeal]) -> None:
    # A seal made since verification began is in the file, and not in what is read here.
    anchors = read_anchors(register_id(), result.started_at)
    by_number = {seal.number: seal.hash for seal in seals}
    end = max(by_number, default=0)
    for number, value in anchors.items():
        if number <= end and by_number.get(number) != value:
            fault_text = "is gone" if number not in by_number else "differs from it"
            message = f"The anchor file knows seal {number}, which {fault_text}: the ledger was cut off or rewritten."
            result.faults.append(Fault(FaultKind.SEAL_MISSING, f"seal {number}", message))
    if younger := sorted(number for number in anchors if number > end):
        run = f"seal {younger[0]}" if len(younger) == 1 else f"seals {younger[0]} to {younger[-1]}"
        message = (
            f"The anchor file knows {run}, but the ledger ends with seal {end}: it was cut off, or this is an earlier copy "
            "of the register."
        )
        result.cut_off = Fault(FaultKind.SEAL_MISSING, run, message)
        result.faults.append(result.cut_off)
    result.anchors = len(anchors)


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
