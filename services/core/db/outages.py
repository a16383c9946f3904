"""Outages of what the register is kept on: full or read-only disks, a database that is away or locked (UC-05.01).

They are told apart from mistakes of ours: a door answers "not now, try again" and health says so, until something is
written again.
"""

import errno
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.core.errors import Unavailable

log = logging.getLogger("fmar.database")
STORAGE_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)
"""Errors among which outages are looked for."""
REMEMBERED_S = 60.0
"""Seconds for which health tells of a failed write that nothing has been written after."""


class Outage(StrEnum):
    """The kinds of outage, in words for the person who meets one."""

    FULL = "There is no room left to write to"
    READ_ONLY = "The register can't be written to"
    LOCKED = "The database is locked by something that doesn't end"
    AWAY = "The database does not answer"


_SQLITE = {
    "SQLITE_FULL": Outage.FULL,
    "SQLITE_READONLY": Outage.READ_ONLY,
    "SQLITE_PERM": Outage.READ_ONLY,
    "SQLITE_BUSY": Outage.LOCKED,
    "SQLITE_LOCKED": Outage.LOCKED,
    "SQLITE_IOERR": Outage.AWAY,
    "SQLITE_CANTOPEN": Outage.AWAY,
    "SQLITE_PROTOCOL": Outage.AWAY,
    "SQLITE_NOTADB": Outage.AWAY,
}
_SQLSTATES = {
    "53100": Outage.FULL,
    "25006": Outage.READ_ONLY,
    "55P03": Outage.LOCKED,
    "57014": Outage.LOCKED,
}
_SQLSTATE_CLASSES = {"08": Outage.AWAY, "53": Outage.AWAY, "57": Outage.AWAY, "58": Outage.AWAY}
_ERRNO = {
    errno.ENOSPC: Outage.FULL,
    errno.EDQUOT: Outage.FULL,
    errno.EFBIG: Outage.FULL,
    errno.EROFS: Outage.READ_ONLY,
}


def outage_of(error: BaseException) -> Outage | None:
    """The outage that an error tells of; None for a mistake, and for anything else that trying again wouldn't mend."""
    if isinstance(error, PoolTimeout):
        return Outage.AWAY
    if isinstance(error, OSError):
        return _ERRNO.get(error.errno or 0)
    if not isinstance(error, DBAPIError):
        return None
    cause: Any = error.orig
    name = str(getattr(cause, "sqlite_errorname", None) or "")
    if name:
        # Extended names begin with the plain one: SQLITE_IOERR_WRITE, SQLITE_READONLY_DBMOVED.
        return next((outage for begins, outage in _SQLITE.items() if name.startswith(begins)), None)
    state = str(getattr(cause, "sqlstate", None) or "")
    if state:
        return _SQLSTATES.get(state) or _SQLSTATE_CLASSES.get(state[:2])
    away = isinstance(error, OperationalError | InterfaceError) and hasattr(cause, "sqlstate")
    return Outage.AWAY if away or error.connection_invalidated else None


def unavailable(outage: Outage) -> Unavailable:
    """The refusal that an outage becomes at a door."""
    return Unavailable(f"{outage.value} at the moment. Nothing of this was kept: try again in a while.")


_failed: tuple[float, Outage] | None = None


@contextmanager
def watched_write() -> Iterator[None]:
    """Remember an outage that ends this write, and forget an earlier one once it has succeeded."""
    global _failed
    try:
        yield
    except Exception as error:
        outage = outage_of(error)
        if outage is not None:
            _failed = (time.monotonic(), outage)
            log.warning("A write failed: %s", outage.value)
        raise
    _failed = None


def write_outage() -> Outage | None:
    """The outage that the latest write met; None after a write that succeeded, and a minute after the failure."""
    failed = _failed
    return failed[1] if failed is not None and time.monotonic() - failed[0] < REMEMBERED_S else None
