"""Seals: from time to time the entries written since the last one go under a Merkle root, chained to the seal before.

A seal also bears its time, digests of the logs outside the ledger, and a signature with a key that isn't in the database.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlmodel import col

from models.core import LedgerEntry, LedgerSeal
from services.core.canonical_json import canonical
from services.core.clock import now
from services.core.db.engine import is_sqlite
from services.core.identity.actor import Actor
from services.core.ledger.canonical import GENESIS
from services.core.ledger.keys import signing_key
from services.core.ledger.log_digests import digest_logs, has_uncovered_rows
from services.core.ledger.writer import LEDGER_LOCK
from services.core.operation import operation
from services.core.register_settings import register_id
from services.core.transaction import current_session

SEAL_SIZE = 100_000
"""At most so many entries under one seal: a bound on the memory that sealing and verifying take."""


def merkle_root(leaves: Sequence[str]) -> str:
    """Root over entry hashes in their order. Leaves and nodes are hashed apart, so that neither passes for the other."""
    level = [hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        paired = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0].hex() if level else GENESIS


def seal_hash(seal: LedgerSeal, register: str) -> str:
    """SHA-256 over the seal before and all that this one covers; where it has a time, over register, time and digests too."""
    parts: tuple[Any, ...] = (seal.number, seal.first_seq, seal.last_seq, seal.entry_count, seal.merkle_root)
    if seal.sealed_at is not None:
        parts += (register, seal.sealed_at, seal.log_digests or {}, seal.signing_key)
    return hashlib.sha256(f"{seal.previous_hash}\n{canonical(parts)}".encode()).hexdigest()


def lock_ledger() -> None:
    """Keep everybody from writing the ledger until the transaction ends; SQLite has one writer at a time anyway."""
    if not is_sqlite():
        current_session().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})


def last_seal() -> LedgerSeal | None:
    """The newest seal; inside an operation."""
    return current_session().scalar(select(LedgerSeal).order_by(col(LedgerSeal.number).desc()).limit(1))


def has_signed_seals() -> bool:
    """Tell whether any seal of this register bears a signature; inside an operation."""
    signed = select(col(LedgerSeal.number)).where(col(LedgerSeal.signature).is_not(None)).limit(1)
    return current_session().scalar(signed) is not None


@operation("UC-05.06", permission="ledger.seal", name="seal_ledger")
def seal_ledger(actor: Actor, patience: timedelta = timedelta()) -> LedgerSeal | None:
    """Seal what was written since the last seal; None when that is nothing but the last seal's own entry.

    Where only logs outside the ledger have something new, it is sealed once the last seal is older than `patience`. Call it
    until it answers None: one seal covers at most `SEAL_SIZE` entries. Raises SealKeyRefused when the key to sign with is lost.
    """
    session = current_session()
    lock_ledger()
    last, moment = last_seal(), now()
    after = col(LedgerEntry.seq) > (last.last_seq if last else 0)
    real = select(func.count()).where(after, col(LedgerEntry.record_type) != LedgerSeal.record_type())
    if not session.scalar(real) and not _logs_are_due(last, moment - patience):
        return None
    query = select(col(LedgerEntry.seq), col(LedgerEntry.hash)).where(after)
    rows = session.execute(query.order_by(col(LedgerEntry.seq)).limit(SEAL_SIZE)).all()
    if not rows:
        return None
    number, register = last.number + 1 if last else 1, register_id()
    key = signing_key(register, number, has_signed_seals=has_signed_seals(), moment=moment)
    seal = LedgerSeal(
        number=number,
        first_seq=rows[0][0],
        last_seq=rows[-1][0],
        entry_count=len(rows),
        merkle_root=merkle_root([row[1] for row in rows]),
        previous_hash=last.hash if last else GENESIS,
        hash="",
        sealed_at=moment,
        log_digests=digest_logs(session, last, rows[-1][0]),
        signing_key=key.key_id if key else None,
    )
    seal.hash = seal_hash(seal, register)
    seal.signature = key.sign(seal.hash) if key else None
    session.add(seal)
    return seal


def _logs_are_due(last: LedgerSeal | None, since: datetime) -> bool:
    """Tell whether a log has rows that no seal covers, and the last seal is older than a moment."""
    sealed_at = last and (last.sealed_at or last.recorded_at)
    return (sealed_at is None or sealed_at <= since) and has_uncovered_rows(current_session(), last)
