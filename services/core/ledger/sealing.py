"""Seals: from time to time the entries written since the last one go under a Merkle root, chained to the seal before."""

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, text
from sqlmodel import col

from models.core import LedgerEntry, LedgerSeal
from services.core.canonical_json import canonical
from services.core.db.engine import is_sqlite
from services.core.identity.actor import Actor
from services.core.ledger.canonical import GENESIS
from services.core.ledger.writer import LEDGER_LOCK
from services.core.operation import operation
from services.core.settings import ROOT, settings
from services.core.transaction import current_session

log = logging.getLogger("fmar.ledger")
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


def seal_hash(seal: LedgerSeal) -> str:
    """SHA-256 over the seal before and all that this one covers."""
    parts = (seal.number, seal.first_seq, seal.last_seq, seal.entry_count, seal.merkle_root)
    return hashlib.sha256(f"{seal.previous_hash}\n{canonical(parts)}".encode()).hexdigest()


@operation("UC-05.06", permission="ledger.seal", name="seal_ledger")
def seal_ledger(actor: Actor) -> LedgerSeal | None:
    """Seal what was written since the last seal; None when that is nothing but the last seal's own entry.

    Call it until it answers None: one seal covers at most `SEAL_SIZE` entries.
    """
    session = current_session()
    if not is_sqlite():
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})
    last = session.scalar(select(LedgerSeal).order_by(col(LedgerSeal.number).desc()).limit(1))
    after = col(LedgerEntry.seq) > (last.last_seq if last else 0)
    real = select(func.count()).where(after, col(LedgerEntry.record_type) != LedgerSeal.record_type())
    if not session.scalar(real):
        return None
    query = select(col(LedgerEntry.seq), col(LedgerEntry.hash)).where(after)
    rows = session.execute(query.order_by(col(LedgerEntry.seq)).limit(SEAL_SIZE)).all()
    seal = LedgerSeal(
        number=last.number + 1 if last else 1,
        first_seq=rows[0][0],
        last_seq=rows[-1][0],
        entry_count=len(rows),
        merkle_root=merkle_root([row[1] for row in rows]),
        previous_hash=last.hash if last else GENESIS,
        hash="",
    )
    seal.hash = seal_hash(seal)
    session.add(seal)
    return seal


def anchor_path() -> Path | None:
    """The file outside the database that keeps the seals' hashes; None when none is wanted."""
    name = settings().anchor_file
    return ROOT / name if name else None


def write_anchor(seal: LedgerSeal, register_id: str, moment: datetime) -> None:
    """Append a seal to the anchor file: one JSON line of register, number, hash, time."""
    path = anchor_path()
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"register": register_id, "number": seal.number, "hash": seal.hash, "at": moment.isoformat()}
    # A line that a killed process left unfinished ends here, so that it spoils no other.
    torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if torn else "") + json.dumps(line) + "\n")


def read_anchors(register_id: str, until: datetime | None = None) -> dict[int, str]:
    """The anchored seals of this register: number -> hash; with `until`, those anchored before that moment.

    Empty when there is no file. Lines that can't be read are passed over and told to the log.
    """
    path = anchor_path()
    if path is None or not path.exists():
        return {}
    anchors: dict[int, str] = {}
    for place, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            document = json.loads(line) if line.strip() else {"register": None}
            if document["register"] == register_id and (
                until is None or datetime.fromisoformat(document["at"]) < until
            ):
                anchors[int(document["number"])] = str(document["hash"])
        except (ValueError, KeyError, TypeError):
            log.warning("Line %d of the anchor file can't be read.", place)
    return anchors
