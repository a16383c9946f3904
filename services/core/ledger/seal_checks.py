"""Verification of seals (UC-05.06): against their entries, time, signatures, and the anchors outside the database."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select
from sqlmodel import col

from models.core import LedgerEntry, LedgerSeal, Setting
from services.core.clock import now
from services.core.ledger.anchors import anchor_path, read_anchor_file
from services.core.ledger.canonical import GENESIS
from services.core.ledger.faults import FaultKind, Verification
from services.core.ledger.keys import is_signed_by, key_path, public_keys_path, read_public_keys
from services.core.ledger.sealing import merkle_root, seal_hash
from services.core.register_settings import MADE_UP_PAST, register_id
from services.core.register_settings import live_since as read_live_since
from services.core.transaction import current_session

TOLERANCE = timedelta(minutes=10)
"""An entry may be dated so much before the one before it, or after its seal: several machines write, each by its own clock."""
Numbered = Sequence[tuple[int, datetime]]
"""Numbers of ledger entries, each with when it was written."""


def verify_seals(result: Verification, seals: Sequence[LedgerSeal]) -> None:
    """Hold each seal against the one before and its entries; then times, signatures and anchors."""
    session = current_session()
    register, made_up = register_id(), _made_up_past(result)
    result.register = register
    before_hash, before_seq, before_at = GENESIS, 0, None
    for number, seal in enumerate(seals, start=1):
        where = f"seal {seal.number}"
        if seal.number != number or seal.previous_hash != before_hash:
            result.add(FaultKind.SEAL_MISSING, where, f"Seal {number} is missing or out of order.")
        if seal.hash != seal_hash(seal, register):
            result.add(FaultKind.SEAL_BROKEN, where, f"Seal {seal.number} was altered.")
        columns = (col(LedgerEntry.seq), col(LedgerEntry.hash), col(LedgerEntry.recorded_at))
        covered = (col(LedgerEntry.seq) > before_seq, col(LedgerEntry.seq) <= seal.last_seq)
        rows = session.execute(select(*columns).where(*covered).order_by(columns[0])).all()
        fits = len(rows) == seal.entry_count and (not rows or rows[0][0] == seal.first_seq)
        if not fits or merkle_root([row[1] for row in rows]) != seal.merkle_root:
            result.add(
                FaultKind.SEAL_BROKEN,
                where,
                f"Seal {seal.number} covers {seal.entry_count} entries (numbers {seal.first_seq} to {seal.last_seq}); "
                f"{len(rows)} are there{', and some differ' if len(rows) == seal.entry_count else ''}.",
            )
        result.sealed_entries += len(rows)
        sealed_at = seal.sealed_at or seal.recorded_at
        if seal.sealed_at is not None:
            # What a version sealed that bore no time may hold a demo's made-up past, which nothing declared then.
            entries = [(row[0], row[2]) for row in rows]
            result.add_all(FaultKind.TIME_BROKEN, _time_faults(entries, before_at, sealed_at, made_up))
        before_hash, before_seq, before_at = seal.hash, seal.last_seq, sealed_at
    result.seals = len(seals)
    result.entries = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
    _verify_unsealed(result, before_seq, before_at, made_up)
    _verify_signatures(result, seals, register)
    _verify_anchors(result, seals, register)


def _made_up_past(result: Verification) -> range:
    """The numbers of the demo's entries, which were written with dates of a made-up past; none in a live register."""
    value = current_session().scalar(select(col(Setting.value)).where(col(Setting.key) == MADE_UP_PAST))
    if value is None:
        return range(0)
    if live := read_live_since():
        result.add(
            FaultKind.TIME_BROKEN, MADE_UP_PAST, f"The register is live since {live}, and a made-up past was declared."
        )
        return range(0)
    first, _, last = value.partition("-")
    return range(int(first), int(last) + 1) if first.isdigit() and last.isdigit() else range(0)


def _time_faults(
    entries: Numbered, after: datetime | None, until: datetime | None, made_up: range
) -> Iterator[tuple[str, str]]:
    """Entries dated before the one before them, before the last seal (`after`) or later than their own (`until`)."""
    before: datetime | None = None
    for number, at in entries:
        if number in made_up:
            before = None
            continue
        where, dated = f"entry {number}", f"Entry {number} is dated {_in_words(at)}"
        if before is not None and at < before - TOLERANCE:
            yield where, f"{dated}, but the entry before it {_in_words(before)}."
        elif after is not None and at < after - TOLERANCE:
            yield where, f"{dated}, but what stands before it was sealed on {_in_words(after)}."
        elif until is not None and at > until + TOLERANCE:
            yield where, f"{dated}, later than {_in_words(until)}, when it was there already."
        before = at


def _in_words(moment: datetime) -> str:
    return f"{moment:%d %B %Y %H:%M} UTC"


def _verify_unsealed(result: Verification, last_seq: int, sealed_at: datetime | None, made_up: range) -> None:
    """Hold entries that no seal covers yet against time and sequence; numbers begin with 1."""
    session = current_session()
    columns = (col(LedgerEntry.seq), col(LedgerEntry.recorded_at))
    odd = session.execute(select(*columns).where(columns[0] < 1).order_by(columns[0])).all()
    result.add_all(
        FaultKind.SEQUENCE_BROKEN,
        (
            (f"entry {number}", f"Entry {number} has a number below 1: it was written past the register.")
            for number, _at in odd
        ),
    )
    rows = session.execute(select(*columns).where(columns[0] > last_seq).order_by(columns[0])).all()
    entries = [(row[0], row[1]) for row in rows]
    result.add_all(FaultKind.TIME_BROKEN, _time_faults(entries, sealed_at, max(now(), result.started_at), made_up))
    if session.get_bind().dialect.name == "sqlite":
        # PostgreSQL draws a number for a change that is then taken back; SQLite counts on from the highest.
        numbers = [last_seq, *(number for number, _at in entries)]
        gaps = ((before + 1, after - 1) for before, after in pairwise(numbers) if after != before + 1)
        result.add_all(
            FaultKind.SEQUENCE_BROKEN,
            (
                (f"entry {first}", f"Entries {first} to {last} are missing; none of them is sealed.")
                for first, last in gaps
            ),
        )


def _verify_signatures(result: Verification, seals: Sequence[LedgerSeal], register: str) -> None:
    """Hold each seal's signature against the list of public keys, which says from which seal on there has to be one."""
    path = key_path()
    if path is None:
        result.unchecked_signatures = sum(seal.signature is not None for seal in seals)
        result.unsigned_seals = len(seals) - result.unchecked_signatures
        return
    keys, file = read_public_keys(), public_keys_path(path)
    for place in keys.unreadable:
        result.add(FaultKind.SIGNATURE_BROKEN, file.name, f"Line {place} of the list of public keys can't be read.")
    if seals and not keys.of(register) and (keys.lines or any(seal.signature for seal in seals)):
        result.add(
            FaultKind.SIGNATURE_BROKEN,
            file.name,
            f"{file} holds no key of this register ({register}). Either FMAR_SEAL_KEY_FILE names that of another register, "
            "the list is gone (put it back from its copy), or the identifier of this register was changed.",
        )
        return
    for seal in seals:
        line, where = keys.key_for(register, seal.number), f"seal {seal.number}"
        if seal.signature is None:
            result.unsigned_seals += 1
            if line is not None:
                message = f"Seal {seal.number} bears no signature; every seal from {line.first_seal} on has one."
                result.add(FaultKind.SIGNATURE_BROKEN, where, message)
        elif line is None or not is_signed_by(line, seal.hash, seal.signature) or seal.signing_key != line.key_id:
            message = f"Seal {seal.number} was not signed with the register's key{f' ({line.key_id})' if line else ''}."
            result.add(FaultKind.SIGNATURE_BROKEN, where, message)
        else:
            result.signed_seals += 1


def _verify_anchors(result: Verification, seals: Sequence[LedgerSeal], register: str) -> None:
    file = read_anchor_file(register, now())
    if file.path is None:
        return
    name = file.path.name
    if file.missing:
        if seals:
            usual = anchor_path()
            message = (
                f"{file.path} is missing, though the register has {len(seals):,} seals. Put it back from its copy; see "
                "manage.py restart-anchors where anchors begin on this machine."
            )
            if usual != file.path:
                message += (
                    f" The lines of {usual} are of another register: this is another demo beside it, or the identifier of this "
                    "register was changed."
                )
            result.add(FaultKind.ANCHORS_BROKEN, name, message)
        return
    result.add_all(FaultKind.ANCHORS_BROKEN, ((name, problem) for problem in file.problems))
    by_number = {seal.number: seal.hash for seal in seals}
    end = max(by_number, default=0)
    for number, (value, _at) in file.anchors.items():
        if number <= end and by_number.get(number) != value:
            fault_text = "is gone" if number not in by_number else "differs from it"
            message = f"The anchor file knows seal {number}, which {fault_text}: the ledger was cut off or rewritten."
            result.add(FaultKind.SEAL_MISSING, f"seal {number}", message)
    # A seal made since verification began is in the file, and not in what is read here.
    late = {number for number, (_value, at) in file.anchors.items() if result.started_at <= at <= now() + TOLERANCE}
    if younger := sorted(number for number in file.anchors if number > end and number not in late):
        run = f"seal {younger[0]}" if len(younger) == 1 else f"seals {younger[0]} to {younger[-1]}"
        message = (
            f"The anchor file knows {run}, but the ledger ends with seal {end}: it was cut off, or this is an earlier copy "
            "of the register."
        )
        result.cut_off = result.add(FaultKind.SEAL_MISSING, run, message)
    result.anchors = sum(number <= end for number in file.anchors)
