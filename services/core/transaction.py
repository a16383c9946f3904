"""One unit of work: an operation opens it, everything inside joins it, and it commits or leaves nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Select, event, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import SessionTransaction, UOWTransaction
from sqlmodel import Session, col

from models.core import Setting
from services.core.audit_context import STAMP, WRITES, NoTransaction, Stamp
from services.core.db.engine import engine, reading
from services.core.db.outages import watched_write
from services.core.errors import Refused
from services.core.ledger.writer import keep_ledger
from services.core.reactions import reactions
from services.core.settings import settings

__all__ = [
    "NoTransaction",
    "Stamp",
    "afterwards",
    "current_connection",
    "current_session",
    "in_transaction",
    "once_while_reading",
    "read_detached",
    "reading_over",
    "unit_of_work",
]

T = TypeVar("T")
AFTERWARDS = "fmar_afterwards"


def _react_to_flush(session: OrmSession, _context: UOWTransaction) -> None:
    for react in reactions().after_flush:
        react(session)


def _react_to_rollback(session: OrmSession, rolled_back: SessionTransaction) -> None:
    for react in reactions().after_rollback:
        react(session, rolled_back)


# Here, where sessions are made: no import order can open one that passes the ledger, or a reaction, by.
keep_ledger(Session)
event.listen(Session, "after_flush", _react_to_flush)
event.listen(Session, "after_soft_rollback", _react_to_rollback)
LIVE_SINCE = "register.live"
"""The setting of a register that is live: once it is there, it never goes (services.core.register_settings)."""
_admitted: WeakSet[Engine] = WeakSet()
"""Engines over which a process in demo mode has found a register that isn't live."""
_session: ContextVar[Session | None] = ContextVar("fmar_session", default=None)


def in_transaction() -> bool:
    """Tell whether an operation is under way in this thread or task."""
    return _session.get() is not None


def current_session() -> Session:
    """The session of the operation under way."""
    session = _session.get()
    if session is None:
        raise NoTransaction("The register is read and written inside operations only.")
    return session


def current_connection() -> Connection:
    """The connection of the operation under way.

    What the session of a writing operation holds and has not flushed is not seen over it.
    """
    return current_session().connection()


def read_detached(query: Select[T]) -> list[T]:
    """Read records that outlive the operation: nothing that it changes later reaches them.

    What the operation has changed so far is flushed first, and counts.
    """
    current_session().flush()
    with Session(current_connection(), expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        return list(session.scalars(query))


def once_while_reading(key: str, read: Callable[[], T]) -> T:
    """Read something once in a unit of work that only reads, whose view of the register doesn't change; else each time."""
    info = current_session().info
    if info[WRITES]:
        return read()
    if key not in info:
        info[key] = read()
    return info[key]


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
    if outer is None:
        # Raises NotWired here, before anything is read or written in a process in which nothing would react to it.
        reactions()
        with _writing(stamp) if writes else _reading(stamp) as session:
            yield session
        return
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


def _require_mode(session: Session) -> None:
    """Refuse a live register to a process in demo mode: it would open it to everybody. Asked once for each engine."""
    if not settings().demo or engine() in _admitted:
        return
    since = session.scalar(select(col(Setting.value)).where(col(Setting.key) == LIVE_SINCE))
    if since is not None:
        raise Refused(
            f"This register is live since {since}, and this process runs in demo mode, in which anybody may be anybody. "
            "Set FMAR_MODE=live, with the settings that live mode needs; or point DATABASE_URL at another register."
        )
    _admitted.add(engine())


@contextmanager
def _reading(stamp: Stamp) -> Iterator[Session]:
    with (
        reading() as connection,
        Session(connection, expire_on_commit=False) as session,
        _current(session, stamp, writes=False),
    ):
        _require_mode(session)
        yield session
        # Nothing may be changed here: the ledger's listener refuses what is.
        session.flush()


@contextmanager
def _writing(stamp: Stamp) -> Iterator[Session]:
    with (
        watched_write(),
        Session(engine(writes=True), expire_on_commit=False) as session,
        _current(session, stamp, writes=True),
    ):
        _require_mode(session)
        yield session
        session.flush()
        for react in reactions().before_commit:
            react(session)
        session.commit()


@contextmanager
def reading_over(connection: Connection, stamp: Stamp) -> Iterator[Session]:
    """Have what reads in this block read over a connection, in its transaction: what is not yet committed there is seen.

    For commands that hold a register which is not the configured one against its ledger.
    """
    with (
        Session(connection, join_transaction_mode="create_savepoint") as session,
        _current(session, stamp, writes=False),
    ):
        yield session


@contextmanager
def _current(session: Session, stamp: Stamp, *, writes: bool) -> Iterator[None]:
    session.info.update({STAMP: stamp, WRITES: writes})
    token = _session.set(session)
    try:
        yield
    finally:
        _session.reset(token)
