"""Overview of the ledger: how much it holds, its seals, and the anchors outside the database (UC-05.06)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.core import LedgerEntry, LedgerSeal, Setting
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.ledger.anchors import read_anchor_file
from services.core.ledger.history import RecordChange, history
from services.core.operation import operation
from services.core.register_settings import register_id
from services.core.transaction import current_session

MOST_SEALS = 200


@dataclass(frozen=True, slots=True)
class SealView:
    """One seal: which entries it covers. `anchored` says whether the anchor file holds the same; None: it is not there."""

    number: int
    first_seq: int
    last_seq: int
    entry_count: int
    merkle_root: str
    hash: str
    sealed_at: datetime | None
    signed: bool
    anchored: bool | None


@dataclass(frozen=True, slots=True)
class LedgerOverview:
    """The ledger in numbers. `anchor_file` is None when no anchors are kept."""

    register_id: str
    entries: int
    records: int
    unsealed: int
    seal_count: int
    seals: Sequence[SealView]
    anchors: int
    anchor_file: str | None


@operation("UC-05.06", permission="ledger.verify", writes=False, name="ledger_overview")
def ledger_overview(actor: Actor) -> LedgerOverview:
    """The ledger in numbers, with its newest 200 seals, newest first."""
    session = current_session()
    entries = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
    records = session.scalar(select(func.count()).where(col(LedgerEntry.version) == 1)) or 0
    count = session.scalar(select(func.count()).select_from(LedgerSeal)) or 0
    sealed = session.scalar(select(func.max(col(LedgerSeal.last_seq)))) or 0
    unsealed = session.scalar(select(func.count()).where(col(LedgerEntry.seq) > sealed)) or 0
    newest = select(LedgerSeal).order_by(col(LedgerSeal.number).desc()).limit(MOST_SEALS)
    file = read_anchor_file(register_id(), now())
    anchors = {number: value for number, (value, _at) in file.anchors.items()}
    return LedgerOverview(
        register_id=register_id(),
        entries=entries,
        records=records,
        unsealed=unsealed,
        seal_count=count,
        seals=[_view(seal, anchors.get(seal.number)) for seal in session.scalars(newest)],
        anchors=len(anchors),
        anchor_file=None if file.path is None else file.path.name,
    )


def _view(seal: LedgerSeal, anchor: str | None) -> SealView:
    return SealView(
        number=seal.number,
        first_seq=seal.first_seq,
        last_seq=seal.last_seq,
        entry_count=seal.entry_count,
        merkle_root=seal.merkle_root,
        hash=seal.hash,
        sealed_at=seal.sealed_at or seal.recorded_at,
        signed=seal.signature is not None,
        anchored=None if anchor is None else anchor == seal.hash,
    )


@operation("UC-05.06", permission="setting.read", writes=False, name="setting_history")
def setting_history(actor: Actor, key: str) -> list[RecordChange]:
    """Every change of one setting, newest first; none while it has its default. Settings are everybody's to see."""
    setting_id: UUID | None = current_session().scalar(select(col(Setting.id)).where(col(Setting.key) == key))
    return history(Setting.record_type(), setting_id) if setting_id else []
