"""Sealing by itself: the worker seals the ledger from time to time and anchors each seal outside the database."""

from datetime import timedelta

from services.core.actor import Actor, system_actor
from services.core.clock import now
from services.core.ledger.sealing import seal_ledger, write_anchor
from services.core.operation import operation
from services.core.register_settings import register_id
from services.core.worker import every


@operation("UC-05.06", permission="ledger.verify", writes=False)
def read_register_id(actor: Actor) -> str:
    """The identifier of this register, which its anchors carry."""
    return register_id()


def seal_and_anchor() -> int:
    """Seal all that is unsealed, appending each committed seal to the anchor file; how many seals were made."""
    made = 0
    while (seal := seal_ledger(system_actor())) is not None:
        write_anchor(seal, read_register_id(system_actor()), now())
        made += 1
    return made


@every(timedelta(minutes=1))
def seal_regularly() -> None:
    """What waits longer than a minute is sealed."""
    seal_and_anchor()
