"""Sealing by itself: the worker seals the ledger from time to time and anchors each seal outside the database."""

from sqlalchemy import select
from sqlmodel import col

from models.core import LedgerSeal
from services.core.clock import now
from services.core.identity.actor import system_actor
from services.core.ledger.sealing import anchor_path, read_anchors, seal_ledger, write_anchor
from services.core.operation import system_step
from services.core.register_settings import register_id
from services.core.transaction import current_session


@system_step("UC-05.06", name="read_register_id", writes=False)
def read_register_id() -> str:
    """The identifier of this register, which its anchors carry."""
    return register_id()


@system_step("UC-05.06", name="unanchored_seals", writes=False)
def unanchored_seals() -> list[LedgerSeal]:
    """The seals that are newer than the newest anchored one: those just made, and any that a killed process left."""
    newest = max(read_anchors(register_id()), default=0)
    query = select(LedgerSeal).where(col(LedgerSeal.number) > newest).order_by(col(LedgerSeal.number))
    return list(current_session().scalars(query))


def seal_and_anchor() -> int:
    """Seal all that is unsealed, appending each committed seal to the anchor file; how many seals were made."""
    count = 0
    while seal_ledger(system_actor()) is not None:
        count += 1
    if anchor_path() is not None:
        for seal in unanchored_seals():
            write_anchor(seal, read_register_id(), now())
    return count


def seal_regularly() -> None:
    """Seal what waits longer than a minute."""
    seal_and_anchor()
