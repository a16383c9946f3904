"""One unit of work: an operation opens it, everything inside joins it, and it commits or leaves nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection
from sqlmodel import Session

from services.core.database import engine
from services.core.ledger.writer import keep_ledger
from services.core.stamp import STAMP, WRITES, NoTransaction, Stamp

__all__ = ["NoTransaction", "Stamp", "afterwards", "current_session", "in_transaction", "reading_over", "unit_of_work"]

AFTERWARDS = "fmar_afterwards"
_session: ContextVar[Session | None] = ContextVar("fmar_session", default=None)
# Here, where sessions are made: no import order can open one that passes the ledger by.
keep_ledger(Session)
_AT_THE_END: list[Callable[[Session], None]] = []


def at_the_end(act: Callable[[Session], None]) -> None:
    """Have something done in every unit of work that writes: the very last before it commits."""
    _AT_THE_END.append(act)


def in_transaction() -> bool:
    """Whether an operation is under way in this thread or task."""
    return _session.get() is not None


def current_session() -> Session:
    """The session of the operation under way."""
    session = _session.get()
    if session is None:
        raise NoTransaction("The register is read and written inside operations only.")
    return session


def afterwards(act: Callable[[], None]) -> None:
    """Do something once the operation under way has ended, in a transaction of its own, also when it is refused.

    For what must be kept of a refused request: that somebody asked, and about what.
    """
    current_session().info.setdefault(AFTERWARDS, []).append(act)


@contextmanager
def unit_of_work(stamp: Stamp, *, writes: bool) -> Iterator[Session]:
    """Open a transaction, or join the one under way under another stamp; commit at the end of the outermost one.

    What was changed before a nested operation began is flushed first, so that each change bears its own use case.
    """
    outer = _session.get()
    if outer is not None:
        if writes and not outer.info[WRITES]:
            raise NoTransaction(f"{stamp.operation} writes, but was called inside an operation that only reads.")
        before = outer.info.get(STAMP)
        outer.flush()
        outer.info[STAMP] = stamp
        try:
            yield outer
            outer.flush()
        finally:
            outer.info[STAMP] = before
        return
    with Session(engine(writes=writes), expire_on_commit=False, autoflush=True) as session:
        session.info[STAMP] = stamp
        session.info[WRITES] = writes
        token = _session.set(session)
        try:
            yield session
            if writes:
                session.flush()
                for act in _AT_THE_END:
                    act(session)
            session.commit()
        finally:
            _session.reset(token)


@contextmanager
def reading_over(connection: Connection, stamp: Stamp) -> Iterator[Session]:
    """Have what reads in this block read over a connection, in its transaction: what is not yet committed there is seen.

    For commands that hold a register which is not the configured one against its ledger.
    """
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        session.info[STAMP] = stamp
        session.info[WRITES] = False
        token = _session.set(session)
        try:
            yield session
        finally:
            _session.reset(token)
