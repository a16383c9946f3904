"""Expiry of qualifications (UC-04.02): three notices ahead of the end of validity; then the qualification is Expired."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlmodel import col

from models.events import EventType
from models.qualifications import Qualification, QualificationNotice, QualificationStatus
from services.core.clock import now, show_date, today
from services.core.jobs.outbox import emit_many
from services.core.operation import system_step
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.qualification.lifecycle import APPROVED, change_status, emit_for_qualification

NOTICES = ("qualification.notice_last_days", "qualification.notice_second_days", "qualification.notice_first_days")
"""Settings of the notice periods, the nearest first: a nearer notice stands for those further off."""
IN_WORK = (QualificationStatus.IN_ASSESSMENT, QualificationStatus.INFORMATION_REQUESTED)
BATCH_SIZE = 200


def keep_validities() -> None:
    """Expire qualifications and raise notices, in batches, each in a commit of its own."""
    for step in (expire_qualifications, note_ending):
        while step():
            pass


@system_step("UC-04.02", name="expire_qualifications")
def expire_qualifications() -> int:
    """Expire qualifications that were valid until yesterday or earlier, at most a batch; return their number.

    One that is being assessed again loses its approval and goes on as an application.
    """
    ended = (col(Qualification.valid_until) < today(), col(Qualification.qualified_at).is_not(None))
    query = select(Qualification).where(col(Qualification.status).in_((*APPROVED, *IN_WORK)), *ended)
    batch = query.order_by(col(Qualification.valid_until), col(Qualification.id)).limit(BATCH_SIZE)
    expired = list(current_session().scalars(batch.with_for_update(skip_locked=True)))
    for qualification in expired:
        words = f"Its validity ended on {show_date(qualification.valid_until)}."
        if qualification.status in IN_WORK:
            emit_for_qualification(
                EventType.QUALIFICATION_APPROVAL_LAPSED, qualification, {"valid_until": str(qualification.valid_until)}
            )
            qualification.qualified_at = qualification.valid_from = qualification.valid_until = (
                qualification.conditions
            ) = None
        else:
            change_status(qualification, QualificationStatus.EXPIRED, "expire_qualifications", reason=words)
    current_session().flush()
    return len(expired)


@system_step("UC-04.02", name="note_ending")
def note_ending() -> int:
    """Emit an event for each qualification within a notice period of its end, once a period; return their number."""
    for key in NOTICES:
        days = int(setting(key))
        qualifications = list(current_session().scalars(_select_unnotified(days).limit(BATCH_SIZE)))
        if not qualifications:
            continue
        moment = now()
        columns = {
            "record_id": [qualification.id for qualification in qualifications],
            "organisation_id": [qualification.service_provider_id for qualification in qualifications],
            "dno_code": [None for _ in qualifications],
            "payload": [
                {
                    "product": qualification.product_code,
                    "unit": str(qualification.unit_id),
                    "valid_until": str(qualification.valid_until),
                    "days": days,
                }
                for qualification in qualifications
            ],
        }
        emit_many(EventType.QUALIFICATION_ENDS_SOON, Qualification, columns)
        current_session().add_all(
            QualificationNotice(
                qualification_id=qualification.id, valid_until=qualification.valid_until, days=days, at=moment
            )
            for qualification in qualifications
            if qualification.valid_until is not None
        )
        return len(qualifications)
    return 0


def _select_unnotified(days: int) -> Select[Qualification]:
    notified = exists().where(
        col(QualificationNotice.qualification_id) == col(Qualification.id),
        col(QualificationNotice.valid_until) == col(Qualification.valid_until),
        col(QualificationNotice.days) <= days,
    )
    return select(Qualification).where(*ending_conditions(days), ~notified).order_by(col(Qualification.valid_until))


def ending_conditions(days: int) -> list[ColumnElement[bool]]:
    """Build the conditions for qualifications that end within a number of days."""
    end = col(Qualification.valid_until)
    approved = or_(*(col(Qualification.status) == status for status in APPROVED))
    return [approved, end >= today(), end <= today() + timedelta(days=days)]
