"""SLA clock of the SO on an application: working days from submission, paused while information is requested (UC-04.02)."""

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
"""Statuses in which the clock runs: the SO has to act."""


class ClockState(StrEnum):
    """The state of an SLA clock: lists are filtered and coloured by it."""

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
    """An SLA clock as it stands; `days_left` are working days, negative once late, None once decided."""

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


def current_clock(qualification: Qualification) -> Clock:
    """Return the SLA clock of an application as it stands now; inside an operation."""
    return compute_clock(qualification, int(setting("qualification.sla_days")), int(setting("qualification.soon_days")))


def compute_clock(qualification: Qualification, sla_days: int, soon_days: int) -> Clock:
    """Compute the SLA clock of an application from settings that the caller has read: for lists."""
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
    """Restart the SLA clock with its whole time from now on; inside an operation that writes."""
    qualification.days_used = 0
    resume(qualification)


def resume(qualification: Qualification) -> None:
    """Resume the SLA clock from where it was stopped."""
    qualification.clock_from = now()
    days_left = int(setting("qualification.sla_days")) - qualification.days_used
    qualification.due_on = add_working_days(today(), days_left)


def stop(qualification: Qualification) -> None:
    """Stop the SLA clock: the working days used are kept."""
    qualification.days_used = count_days_used(qualification)
    qualification.clock_from = None
    qualification.due_on = None


def count_days_used(qualification: Qualification) -> int:
    """Count the working days used on the SLA clock until now."""
    since = qualification.clock_from
    running = 0 if since is None else working_days_between(in_london(since).date(), today())
    return qualification.days_used + running
