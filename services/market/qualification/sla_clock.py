"""The SO's clock on an application: working days from submission, standing still while information is requested (UC-04.02)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from models.qualifications import Qualification, QualificationStatus
from services.core.clock import add_working_days, in_london, now, today, working_days_between
from services.core.register_settings import setting

RUNNING = (
    QualificationStatus.SUBMITTED,
    QualificationStatus.IN_ASSESSMENT,
    QualificationStatus.REASSESSMENT_REQUIRED,
)
"""The SO has to do something."""


class ClockState(StrEnum):
    """How a clock stands, as lists are filtered and coloured by it."""

    LATE = "LATE"
    SOON = "SOON"
    IN_TIME = "IN_TIME"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


CLOCK_LABELS: dict[ClockState, str] = {
    ClockState.LATE: "Late",
    ClockState.SOON: "Due soon",
    ClockState.IN_TIME: "In time",
    ClockState.PAUSED: "Paused",
    ClockState.STOPPED: "Decided",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """How the SO's clock stands now; `days_left` are working days, negative once it is late, None once it is decided."""

    state: ClockState
    days_left: int | None
    due_on: date | None

    @property
    def words(self) -> str:
        """The clock in words."""
        if self.days_left is None:
            return "Decided"
        days = f"{abs(self.days_left)} working day{'' if abs(self.days_left) == 1 else 's'}"
        match self.state:
            case ClockState.LATE:
                return f"{days} late"
            case ClockState.PAUSED:
                return f"Paused, {days} left" if self.days_left >= 0 else f"Paused, {days} late"
            case _:
                return f"{days} left" if self.days_left else "Due today"


def clock_of(qualification: Qualification) -> Clock:
    """How an application's clock stands now; inside an operation."""
    return clock_by(qualification, int(setting("qualification.sla_days")), int(setting("qualification.soon_days")))


def clock_by(qualification: Qualification, sla_days: int, soon_days: int) -> Clock:
    """The same with the settings at hand: for lists."""
    if qualification.status is QualificationStatus.INFORMATION_REQUESTED:
        return Clock(ClockState.PAUSED, sla_days - qualification.days_used, None)
    due = qualification.due_on
    if due is None:
        return Clock(ClockState.STOPPED, None, None)
    if due < today():
        return Clock(ClockState.LATE, -working_days_between(due, today()), due)
    soon = due <= add_working_days(today(), soon_days)
    return Clock(ClockState.SOON if soon else ClockState.IN_TIME, working_days_between(today(), due), due)


def restart(qualification: Qualification) -> None:
    """Give the SO the whole time from now on; inside an operation that writes."""
    qualification.days_used = 0
    resume(qualification)


def resume(qualification: Qualification) -> None:
    """Let the clock run on from where it was stopped."""
    qualification.clock_from = now()
    left = int(setting("qualification.sla_days")) - qualification.days_used
    qualification.due_on = add_working_days(today(), left)


def stop(qualification: Qualification) -> None:
    """Let it stand still: what has gone is kept."""
    qualification.days_used = used(qualification)
    qualification.clock_from = None
    qualification.due_on = None


def used(qualification: Qualification) -> int:
    """The working days that have gone on the SO's clock until now."""
    since = qualification.clock_from
    running = 0 if since is None else working_days_between(in_london(since).date(), today())
    return qualification.days_used + running
