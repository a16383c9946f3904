"""Clock watch: deadlines wait while this machine's clock stands far from where the register last saw it.

A worker keeps the moment that it last trusted, every minute. A clock that is days ahead of it has jumped, or the portal stood
still: either way nobody's deadline runs out before an administrator has confirmed the clock, or it has come back.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import col

from models.core import LedgerEntry, PeriodicRun, Setting
from services.core.clock import now, show_moment
from services.core.identity.actor import Actor, system_actor
from services.core.operation import operation
from services.core.settings import settings
from services.core.transaction import current_session

log = logging.getLogger("fmar.clock")
CLOCK_JOB = "core.jobs.clock_watch.keep_trusted_moment"
"""The periodic job whose row holds the moment that was last trusted; it is claimed only while the clock is."""
CLOCK_INTERVAL = timedelta(minutes=1)
FAR_AHEAD = timedelta(days=2)
"""A clock that is further ahead of the last trusted moment isn't trusted; a portal rarely stands still for so long."""
FAR_BEHIND = timedelta(hours=1)
CONFIRMED = "clock.confirmed"
"""Setting under which the ledger keeps who confirmed the clock."""
REPORT_SECONDS = 600
_reported_at: float | None = None


class ClockTrust(StrEnum):
    """Trust in this machine's clock."""

    TRUSTED = "trusted"
    AHEAD = "ahead"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The clock beside the moment that the register last trusted, which is None in a register that is new."""

    state: ClockTrust
    moment: datetime
    last_trusted: datetime | None

    @property
    def message(self) -> str:
        """The alarm in words, with what to do; empty while the clock is trusted."""
        if self.state is ClockTrust.TRUSTED:
            return ""
        return (
            f"The clock of this machine says {show_moment(self.moment)}, far {self.state} of {show_moment(self.last_trusted)}, "
            "when the register last saw it. Deadlines, expiries, removals and sealing wait. Set the clock right; if it is "
            "right, because the portal stood still, confirm it on the page Ledger or with: manage.py confirm-clock."
        )


def read_clock() -> ClockReading:
    """Hold the clock against the last trusted moment, or the last ledger entry before there is one; inside an operation."""
    session = current_session()
    moment = now()
    last = session.scalar(select(col(PeriodicRun.due_at)).where(col(PeriodicRun.job) == CLOCK_JOB))
    if last is None:
        newest = select(col(LedgerEntry.recorded_at)).order_by(col(LedgerEntry.seq).desc()).limit(1)
        last = session.scalar(newest)
    else:
        last -= CLOCK_INTERVAL
    state = ClockTrust.TRUSTED
    if last is not None and moment - last > FAR_AHEAD:
        state = ClockTrust.AHEAD
    elif last is not None and last - moment > FAR_BEHIND:
        state = ClockTrust.BEHIND
    return ClockReading(state, moment, last)


def keep_trusted_moment() -> None:
    """Do nothing: that the job was claimed keeps the moment."""


def report_clock(reading: ClockReading) -> None:
    """Tell the log that deadlines wait, every ten minutes."""
    global _reported_at
    if reading.state is ClockTrust.TRUSTED:
        _reported_at = None
    elif _reported_at is None or time.monotonic() - _reported_at > REPORT_SECONDS:
        _reported_at = time.monotonic()
        log.error("%s", reading.message)


@operation("UC-05.06", permission="ledger.verify", writes=False, name="clock_reading")
def clock_reading(actor: Actor) -> ClockReading:
    """The clock as the register trusts it, for the page of the ledger."""
    return read_clock()


@operation("UC-05.06", permission="clock.confirm", name="confirm_clock")
def confirm_clock(actor: Actor) -> datetime:
    """Confirm that the clock is right, though it is far from where the register last saw it; deadlines go on.

    Returns the confirmed moment; the ledger keeps who confirmed it.
    """
    session = current_session()
    moment = now()
    stored = session.scalar(select(Setting).where(col(Setting.key) == CONFIRMED).with_for_update())
    if stored is None:
        stored = Setting(key=CONFIRMED, value="")
        session.add(stored)
    stored.value = moment.isoformat(timespec="seconds")
    session.merge(PeriodicRun(job=CLOCK_JOB, due_at=moment + CLOCK_INTERVAL))
    return moment


def resume_demo_clock() -> None:
    """Confirm the clock when a demo starts: it stands still whenever nobody looks at it, and nobody's deadline hangs on it."""
    system = system_actor()
    if settings().demo and clock_reading(system).state is ClockTrust.AHEAD:
        confirm_clock(system)
