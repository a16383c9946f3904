"""What of applications waits for somebody: for an SO to assess, for an FSP to answer or renew (UC-04.02)."""

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
class Waits:
    """Applications that wait: how many, in words, and the filters (by term) that show exactly these."""

    count: int
    one: str
    many: str
    filters: Mapping[str, str]
    icon: str


def applications_waiting(actor: Actor) -> list[Waits]:
    """What waits for the actor, the most urgent first; nothing that counts none. Inside an operation."""
    if may(actor, "qualification.assess"):
        found = _for_operator(actor)
    elif may(actor, "qualification.apply"):
        found = _for_provider(actor)
    else:
        found = []
    return [one for one in found if one.count]


def _count(actor: Actor, permission: str, filters: QualificationFilters) -> int:
    mine = within(Qualification, actor, permission, writing=True)
    wanted = select(func.count(col(Qualification.id))).where(mine, *qualification_conditions(actor, filters))
    return current_session().scalar(wanted) or 0


def _for_operator(actor: Actor) -> list[Waits]:
    def waits(filters: QualificationFilters, one: str, many: str, query: dict[str, str], icon: str) -> Waits:
        return Waits(_count(actor, "qualification.assess", filters), one, many, query, icon)

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


def _for_provider(actor: Actor) -> list[Waits]:
    def waits(filters: QualificationFilters, one: str, many: str, query: dict[str, str], icon: str) -> Waits:
        return Waits(_count(actor, "qualification.apply", filters), one, many, query, icon)

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
