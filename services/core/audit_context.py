"""The stamp that a session writes under at this moment."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from services.core.identity.actor import Actor

STAMP = "fmar_stamp"
WRITES = "fmar_writes"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The stamp of an act: operation, use case and actor, as the ledger records them."""

    operation: str
    use_case: str
    actor: Actor


class NoTransaction(RuntimeError):
    """Code that needs the register's session ran outside an operation: a mistake in the code, not of the user."""


def current_stamp(session: Session) -> Stamp | None:
    """Under whose name the session writes at this moment."""
    return session.info.get(STAMP)
