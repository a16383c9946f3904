"""Write-behind buffer of the access log: a page that is opened doesn't wait for its turn among those who write.

Only a process that serves pages has one, while it serves; elsewhere each entry is written at once. An orderly stop writes
everything. A process that is killed loses what was logged in the last 0.2 s, or since another writer took its turn. When the
log can't be written for half a minute, pages of records are refused: what can't be logged isn't shown.
"""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from time import monotonic
from typing import Any

from models.core import Access
from services.core.errors import Unavailable
from services.core.identity.actor import system_actor
from services.core.transaction import Stamp, unit_of_work

PAUSE_S = 0.2
PATIENCE_S = 30.0
MOST = 10_000
"""Entries that wait at most."""
STAMP = Stamp("write_accesses", "UC-05.01", system_actor())

log = logging.getLogger("fmar.access")


class AccessBuffer:
    """A thread that writes entries in batches, in the order in which they came."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._came = threading.Event()
        self._stopping = threading.Event()
        self._behind_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="fmar-access-log", daemon=True)

    def start(self) -> None:
        """Begin, and take what `put_off` is given from now on."""
        global _buffer
        self._thread.start()
        _buffer = self

    def stop(self) -> None:
        """Write what waits, and end; entries that come later are written at once."""
        global _buffer
        _buffer = None
        self._stopping.set()
        self._came.set()
        self._thread.join(timeout=PATIENCE_S)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Have an entry written soon. Raises Unavailable while the log can't be written."""
        late = self._behind_since is not None and monotonic() - self._behind_since > PATIENCE_S
        if late or len(self._waiting) >= self._most:
            raise Unavailable("The access log can't be written at the moment, so nothing can be shown. Try again soon.")
        self._waiting.append(entry)
        self._came.set()

    def _run(self) -> None:
        while self._came.wait() and not self._stopping.wait(PAUSE_S):
            self._came.clear()
            self._write()
        self._write()

    def _write(self) -> None:
        """Write all that waits in one commit; what can't be written stays."""
        batch = list(self._waiting)
        if not batch:
            return
        self._behind_since = self._behind_since or monotonic()
        try:
            with unit_of_work(STAMP, writes=True) as session:
                session.add_all([Access(**entry) for entry in batch])
        except Exception:
            log.exception("%s entries of the access log could not be written; they are tried again", len(batch))
            self._came.set()
            return
        for _ in batch:
            self._waiting.popleft()
        self._behind_since = None


_buffer: AccessBuffer | None = None


def put_off(entry: Mapping[str, Any]) -> bool:
    """Hand an entry to this process's buffer; whether there is one."""
    if _buffer is None:
        return False
    _buffer.add(entry)
    return True
