"""Health of the register at this moment."""

import asyncio
import logging
import os
import shutil
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from sqlalchemy import text

from services.core.db.outages import STORAGE_ERRORS, Outage, outage_of, write_outage
from services.core.identity.actor import system_actor
from services.core.jobs.clock_watch import ClockTrust, read_clock
from services.core.settings import ROOT, settings
from services.core.transaction import Stamp, unit_of_work

log = logging.getLogger("fmar.health")
PATIENCE_S = 3.0
"""Seconds after which a database that hasn't answered counts as away."""
LEAST_ROOM = 16 * 1024 * 1024
"""Bytes of free disk below which no write to SQLite is counted on."""


@dataclass(frozen=True, slots=True)
class HealthState:
    """Health of the database: whether it answers and takes writes, the `outage` that keeps it from that, trust in the clock."""

    database: bool
    writable: bool
    outage: Outage | None = None
    clock: ClockTrust | None = None

    @property
    def works(self) -> bool:
        """Tell whether the register can do all of its work."""
        return self.database and self.writable


def read_health() -> HealthState:
    """Ask the database, and look whether it can be written to; may wait for as long as the database lets it."""
    try:
        with unit_of_work(Stamp("database_answers", "UC-05.01", system_actor()), writes=False) as session:
            session.execute(text("SELECT 1 FROM setting LIMIT 1"))
            clock = read_clock().state
    except STORAGE_ERRORS as error:
        log.warning("The database does not answer: %s", error)
        return HealthState(database=False, writable=False, outage=outage_of(error) or Outage.AWAY)
    outage = write_outage() or _file_outage()
    return HealthState(database=True, writable=outage is None, outage=outage, clock=clock)


def _file_outage() -> Outage | None:
    """The outage that the file system of a SQLite register tells of; PostgreSQL watches over its own."""
    url = settings().resolved_database_url()
    file = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not file.is_file():
        return None
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        return Outage.READ_ONLY
    return Outage.FULL if shutil.disk_usage(file.parent).free < LEAST_ROOM else None


_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fmar-health")
"""A thread of its own: whatever all others wait for, health is told."""
_under_way: Future[HealthState] | None = None
_lock = Lock()


def _begin_probe() -> Future[HealthState]:
    """The probe under way, or a new one: however many ask, the database is asked once at a time."""
    global _under_way
    with _lock:
        if _under_way is None or _under_way.done():
            _under_way = _thread.submit(read_health)
        return _under_way


async def probe_health() -> HealthState:
    """The health as it is now, within `PATIENCE_S`: a database that answers later counts as away."""
    probe = asyncio.shield(asyncio.wrap_future(_begin_probe()))
    try:
        return await asyncio.wait_for(probe, PATIENCE_S)
    except TimeoutError:
        return HealthState(database=False, writable=False, outage=Outage.AWAY)


@lru_cache(maxsize=1)
def register_version() -> str:
    """The version of this software."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
