"""One unit of work: an operation opens it, everything inside joins it, and it commits or leaves nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import SessionTransaction, UOWTransaction
from sqlmodel import Session

from services.core.audit_context import STAMP, WRITES, NoTransaction, Stamp
from services.core.db.engine import engine, reading
from services.core.ledger.writer import keep_ledger
from services.core.reactions import reactions

__all__ = [
    "NoTransaction",
    "Stamp",
    "afterwards",
    "current_connection",
    "current_session",
    "in_transaction",
    "once_while_reading",
    "opened",
    "reading_over",
    "reads_only",
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


class Unit:
    """The transaction under way. A session that reads is made over the connection once something asks for it."""

    __slots__ = ("_connection", "_session", "info")

    def __init__(self, connection: Connection | None, session: Session | None, info: dict[Any, Any]) -> None:
        self._connection = connection
        self._session = session
        self.info = info

    @property
    def session(self) -> Session:
        """The session; a reading unit begins it here."""
        if self._session is None:
            self._session = Session(self._connection, expire_on_commit=False, autoflush=True)
            self._session.info.update(self.info)
            self.info = self._session.info
        return self._session

    @property
    def connection(self) -> Connection:
        """The connection, inside the transaction."""
        return self.session.connection() if self._connection is None else self._connection

    def flush(self) -> None:
        """Write what the session holds, if there is one; a reading one refuses."""
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """Let go of the session, if there is one."""
        if self._session is not None:
            self._session.close()


_unit: ContextVar[Unit | None] = ContextVar("fmar_unit", default=None)


def in_transaction() -> bool:
    """Whether an operation is under way in this thread or task."""
    return _unit.get() is not None


def _current() -> Unit:
    unit = _unit.get()
    if unit is None:
        raise NoTransaction("The register is read and written inside operations only.")
    return unit


def current_session() -> Session:
    """The session of the operation under way."""
    return _current().session


def current_connection() -> Connection:
    """The connection of the operation under way, for statements that need no session (services.core.db.statements).

    What a session of a writing operation holds and has not flushed is not seen over it.
    """
    return _current().connection


def reads_only() -> bool:
    """Whether the unit of work under way only reads: what it loads can't be changed in it."""
    return not _current().info[WRITES]


def once_while_reading(key: str, read: Callable[[], T]) -> T:
    """Read something once in a unit of work that only reads, whose view of the register doesn't change; else each time."""
    info = _current().info
    if info[WRITES]:
        return read()
    if key not in info:
        info[key] = read()
    return info[key]


def afterwards(act: Callable[[], None]) -> None:
    """Do something once the operation under way has ended, in a transaction of its own, also when it is refused.

    For what must be kept of a refused request: that somebody asked, and about what.
    """
    _current().info.setdefault(AFTERWARDS, []).append(act)


@contextmanager
def unit_of_work(stamp: Stamp, *, writes: bool) -> Iterator[Session]:
    """Open a transaction, or join the one under way under another stamp; commit at the end of the outermost one.

    What was changed before a nested operation began is flushed first, so that each change bears its own use case.
    """
    with opened(stamp, writes=writes) as unit:
        yield unit.session


@contextmanager
def opened(stamp: Stamp, *, writes: bool) -> Iterator[Unit]:
    """`unit_of_work` for an operation, which may need no session at all."""
    outer = _unit.get()
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
    # Raises NotWired here, before anything is read or written in a process in which nothing would react to it.
    reactions()
    with _writing(stamp) if writes else _reading(stamp) as unit:
        yield unit


@contextmanager
def _reading(stamp: Stamp) -> Iterator[Unit]:
    with reading() as connection:
        unit = Unit(connection, None, {STAMP: stamp, WRITES: False})
        token = _unit.set(unit)
        try:
            yield unit
            unit.flush()
        finally:
            _unit.reset(token)
            unit.close()


@contextmanager
def _writing(stamp: Stamp) -> Iterator[Unit]:
    with Session(engine(writes=True), expire_on_commit=False, autoflush=True) as session:
        session.info.update({STAMP: stamp, WRITES: True})
        unit = Unit(None, session, session.info)
        token = _unit.set(unit)
        try:
            yield unit
            session.flush()
            for react in reactions().before_commit:
                react(session)
            session.commit()
        finally:
            _unit.reset(token)


@contextmanager
def reading_over(connection: Connection, stamp: Stamp) -> Iterator[Session]:
    """Have what reads in this block read over a connection, in its transaction: what is not yet committed there is seen.

    For commands that hold a register which is not the configured one against its ledger.
    """
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        session.info.update({STAMP: stamp, WRITES: False})
        token = _unit.set(Unit(connection, session, session.info))
        try:
            yield session
        finally:
            _unit.reset(token)
