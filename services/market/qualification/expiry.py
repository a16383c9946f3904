"""The end of a validity (UC-04.02): told of ahead, three times; then what a unit was qualified for is Expired by itself."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlmodel import col

from models.qualifications import Qualification, QualificationNotice, QualificationStatus
from services.core.clock import now, show_date, today
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import emit_many
from services.core.jobs.worker import every
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.qualification.lifecycle import APPROVED, emit_for_qualification, move

ENDS_SOON = "qualification.ends_soon"
LAPSED = "qualification.approval_lapsed"
NOTICES = ("qualification.notice_last_days", "qualification.notice_second_days", "qualification.notice_first_days")
"""The nearest first: who was told of that needs none of those further off."""
IN_WORK = (QualificationStatus.IN_ASSESSMENT, QualificationStatus.INFORMATION_REQUESTED)
BATCH = 200


@every(timedelta(hours=1), name="market.qualification_expiry.keep_validities")
def keep_validities() -> None:
    """Look for validities that end or have ended, in batches, each in a commit of its own."""
    for keep in (expire_qualifications, note_ending):
        while keep(system_actor()):
            pass


@operation("UC-04.02", permission="qualification.keep", name="expire_qualifications")
def expire_qualifications(actor: Actor) -> int:
    """Make Expired what was valid until yesterday or earlier; how many, at most a batch.

    One that is being assessed again loses its approval and goes on as an application.
    """
    ended = (col(Qualification.valid_until) < today(), col(Qualification.qualified_at).is_not(None))
    chosen = select(Qualification).where(col(Qualification.status).in_((*APPROVED, *IN_WORK)), *ended)
    batch = chosen.order_by(col(Qualification.valid_until), col(Qualification.id)).limit(BATCH)
    found = list(current_session().scalars(batch.with_for_update(skip_locked=True)))
    for one in found:
        words = f"Its validity ended on {show_date(one.valid_until)}."
        if one.status in IN_WORK:
            emit_for_qualification(LAPSED, one, {"valid_until": str(one.valid_until)})
            one.qualified_at = one.valid_from = one.valid_until = one.conditions = None
        else:
            move(one, QualificationStatus.EXPIRED, "expire_qualifications", reason=words)
    current_session().flush()
    return len(found)


@operation("UC-04.02", permission="qualification.keep", name="note_ending")
def note_ending(actor: Actor) -> int:
    """Raise one event for each qualification that comes within a notice of its end, once a notice; how many they were."""
    for key in NOTICES:
        days = int(setting(key))
        found = list(current_session().scalars(_untold(days).limit(BATCH)))
        if not found:
            continue
        moment = now()
        told = {
            "record_id": [one.id for one in found],
            "organisation_id": [one.service_provider_id for one in found],
            "dno_code": [None for _ in found],
            "payload": [
                {
                    "product": one.product_code,
                    "unit": str(one.unit_id),
                    "valid_until": str(one.valid_until),
                    "days": days,
                }
                for one in found
            ],
        }
        emit_many(ENDS_SOON, Qualification, told, len(found))
        current_session().add_all(
            QualificationNotice(qualification_id=one.id, valid_until=one.valid_until, days=days, at=moment)
            for one in found
            if one.valid_until is not None
        )
        return len(found)
    return 0


def _untold(days: int) -> Select[Qualification]:
    told = exists().where(
        col(QualificationNotice.qualification_id) == col(Qualification.id),
        col(QualificationNotice.valid_until) == col(Qualification.valid_until),
        col(QualificationNotice.days) <= days,
    )
    return select(Qualification).where(*ending_within(days), ~told).order_by(col(Qualification.valid_until))


def ending_within(days: int) -> list[ColumnElement[bool]]:
    """The conditions for what is qualified and ends within so many days."""
    end = col(Qualification.valid_until)
    approved = or_(*(col(Qualification.status) == one for one in APPROVED))
    return [approved, end >= today(), end <= today() + timedelta(days=days)]
