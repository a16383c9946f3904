"""Inbox of applications: those that wait for an SO to assess, or for an FSP to answer or renew (UC-04.02)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import col

from models.qualifications import Qualification, QualificationStatus
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.identity.visibility import within
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.qualification.filters import ME, QualificationFilters, qualification_conditions
from services.market.qualification.sla_clock import ClockState

S = QualificationStatus


@dataclass(frozen=True, slots=True)
class WaitingApplications:
    """Applications that wait for the actor: their number, the words, and the filters (by term) that list exactly these."""

    count: int
    singular: str
    plural: str
    filters: Mapping[str, str]
    icon: str


def find_waiting_applications(actor: Actor) -> list[WaitingApplications]:
    """Find the applications that wait for the actor, the most urgent first; inside an operation."""
    if may(actor, "qualification.assess"):
        groups = _find_for_operator(actor)
    elif may(actor, "qualification.apply"):
        groups = _find_for_provider(actor)
    else:
        groups = []
    return [group for group in groups if group.count]


def _count(actor: Actor, permission: str, filters: QualificationFilters) -> int:
    reachable = within(Qualification, actor, permission, writing=True)
    query = select(func.count(col(Qualification.id))).where(reachable, *qualification_conditions(actor, filters))
    return current_session().scalar(query) or 0


def _find_for_operator(actor: Actor) -> list[WaitingApplications]:
    def waits(
        filters: QualificationFilters, singular: str, plural: str, query: dict[str, str], icon: str
    ) -> WaitingApplications:
        return WaitingApplications(_count(actor, "qualification.assess", filters), singular, plural, query, icon)

    return [
        waits(
            QualificationFilters(clock=(ClockState.LATE,)),
            "application is late",
            "applications are late",
            {"Clock": ClockState.LATE},
            "alarm",
        ),
        waits(
            QualificationFilters(clock=(ClockState.SOON,)),
            "application is due soon",
            "applications are due soon",
            {"Clock": ClockState.SOON},
            "schedule",
        ),
        waits(
            QualificationFilters(status=(S.SUBMITTED,)),
            "application hasn't been taken",
            "applications haven't been taken",
            {"Status": S.SUBMITTED},
            "inbox",
        ),
        waits(
            QualificationFilters(status=(S.REASSESSMENT_REQUIRED,)),
            "unit is to be assessed again",
            "units are to be assessed again",
            {"Status": S.REASSESSMENT_REQUIRED},
            "published_with_changes",
        ),
        waits(
            QualificationFilters(status=(S.IN_ASSESSMENT,), assigned=(ME,)),
            "application is in your hands",
            "applications are in your hands",
            {"Status": S.IN_ASSESSMENT, "AssignedTo": ME},
            "assignment_ind",
        ),
    ]


def _find_for_provider(actor: Actor) -> list[WaitingApplications]:
    def waits(
        filters: QualificationFilters, singular: str, plural: str, query: dict[str, str], icon: str
    ) -> WaitingApplications:
        return WaitingApplications(_count(actor, "qualification.apply", filters), singular, plural, query, icon)

    days = str(int(setting("qualification.notice_first_days")))
    return [
        waits(
            QualificationFilters(status=(S.INFORMATION_REQUESTED,)),
            "application has a question to answer",
            "applications have a question to answer",
            {"Status": S.INFORMATION_REQUESTED},
            "help",
        ),
        waits(
            QualificationFilters(status=(S.QUALIFIED,), ends_within=days),
            f"qualification ends within {days} days: ask for renewal",
            f"qualifications end within {days} days: ask for renewal",
            {"Status": S.QUALIFIED, "EndsWithinDays": days},
            "event_busy",
        ),
        waits(
            QualificationFilters(status=(S.SUSPENDED,)),
            "qualification is suspended",
            "qualifications are suspended",
            {"Status": S.SUSPENDED},
            "pause_circle",
        ),
    ]
