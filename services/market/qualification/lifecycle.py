"""The life cycle of a qualification (UC-04.02), and the effect of changes of its unit."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.qualifications import (
    OPEN_APPLICATION,
    QUALIFICATION_ENDED,
    Qualification,
    QualificationStatus,
    QualificationStep,
)
from models.units import MarketUnit
from services.core.clock import now
from services.core.jobs.outbox import emit
from services.core.lifecycle import LifeCycle, Transition
from services.core.transaction import current_session
from services.market.products.catalogue import find_version
from services.market.qualification import sla_clock
from services.market.qualification.reason_codes import reason_label
from services.market.qualification.sla_clock import RUNNING

S = QualificationStatus
NOT_ENDED = tuple(status for status in S if status not in QUALIFICATION_ENDED)
TAKEN_FROM = (S.SUBMITTED, S.REASSESSMENT_REQUIRED)
APPROVED = (S.QUALIFIED, S.SUSPENDED, S.REASSESSMENT_REQUIRED)
LONGEST_REASON = 2000

QUALIFICATION_LIFE_CYCLE: LifeCycle[QualificationStatus] = LifeCycle(
    "application",
    (
        *(Transition(status, S.IN_ASSESSMENT, "take_application") for status in TAKEN_FROM),
        Transition(S.IN_ASSESSMENT, S.INFORMATION_REQUESTED, "ask_information"),
        Transition(S.INFORMATION_REQUESTED, S.IN_ASSESSMENT, "answer_information"),
        Transition(S.IN_ASSESSMENT, S.QUALIFIED, "qualify_application"),
        Transition(S.IN_ASSESSMENT, S.FAILED, "fail_application"),
        # Portability: what a colleague has assessed needs no assessment of one's own.
        *(
            Transition(status, S.QUALIFIED, "accept_colleague")
            for status in (*OPEN_APPLICATION, S.REASSESSMENT_REQUIRED)
        ),
        Transition(S.QUALIFIED, S.SUSPENDED, "suspend_qualification"),
        Transition(S.REASSESSMENT_REQUIRED, S.SUSPENDED, "suspend_qualification"),
        Transition(S.SUSPENDED, S.QUALIFIED, "lift_suspension"),
        # The unit changed meanwhile, or was to be assessed again before.
        Transition(S.SUSPENDED, S.REASSESSMENT_REQUIRED, "lift_suspension"),
        Transition(S.QUALIFIED, S.REASSESSMENT_REQUIRED, "demand_reassessment"),
        Transition(S.QUALIFIED, S.REASSESSMENT_REQUIRED, "request_renewal"),
        # UC-02.03, UC-03.02, UC-03.03: the unit is no longer as it was assessed.
        Transition(S.QUALIFIED, S.REASSESSMENT_REQUIRED, "require_reassessment"),
        *(Transition(status, S.EXPIRED, "expire_qualifications") for status in APPROVED),
        *(Transition(status, S.WITHDRAWN, "withdraw_application") for status in NOT_ENDED),
        # UC-03.04: the unit is de-registered.
        *(Transition(status, S.WITHDRAWN, "deregister_unit") for status in NOT_ENDED),
    ),
)


def change_status(
    qualification: Qualification,
    target: QualificationStatus,
    operation: str,
    *,
    reason_code: str | None = None,
    reason: str | None = None,
) -> None:
    """Change the status of a qualification, with its SLA clock, step and event; inside an operation.

    `qualified_at` is cleared only when the qualification ends. Raises Refused for a step that isn't in the life cycle.
    """
    QUALIFICATION_LIFE_CYCLE.require(qualification.status, target, operation)
    before = qualification.status
    _set_clock(qualification, target)
    qualification.status, qualification.status_since = target, now()
    qualification.status_reason = None if reason is None else reason[:LONGEST_REASON]
    qualification.reason_code = reason_code
    if target in QUALIFICATION_ENDED:
        qualification.qualified_at = None
        qualification.reassess_after = None
    record_step(qualification, before, reason_code)
    payload = {"from": str(before), "to": str(target), "reason_code": reason_code, "reason": reason}
    emit_for_qualification(EventType.QUALIFICATION_STATUS_CHANGED, qualification, payload)


def _set_clock(qualification: Qualification, target: QualificationStatus) -> None:
    if target not in RUNNING:
        sla_clock.stop(qualification)
    elif target is S.REASSESSMENT_REQUIRED:
        sla_clock.restart(qualification)
    elif qualification.clock_from is None:
        sla_clock.resume(qualification)


def record_step(qualification: Qualification, before: QualificationStatus | None, reason_code: str | None) -> None:
    """Record a step of the life cycle, for charts and as-of queries; `before` is None at the start of a life."""
    current_session().flush()
    step = QualificationStep(
        qualification_id=qualification.id,
        at=qualification.status_since,
        from_status=None if before is None else str(before),
        to_status=str(qualification.status),
        reason_code=reason_code,
        product_code=qualification.product_code,
        addressed_to=qualification.addressed_to,
        service_provider_id=qualification.service_provider_id,
        gsp_group=qualification.gsp_group,
        capacity=qualification.capacity,
        working_days=sla_clock.count_days_used(qualification),
    )
    current_session().add(step)


def emit_for_qualification(event_type: EventType, qualification: Qualification, payload: dict[str, object]) -> None:
    """Emit an event about an application: its FSP and its SO see it."""
    subject = {"product": qualification.product_code, "unit": str(qualification.unit_id)}
    emit(event_type, qualification, organisation_id=qualification.service_provider_id, payload={**subject, **payload})


def find_qualifications_of_unit(unit_id: UUID) -> list[Qualification]:
    """Find the applications and qualifications of a unit that haven't ended, by product; inside an operation."""
    of_unit = (col(Qualification.unit_id) == unit_id, col(Qualification.status).in_(NOT_ENDED))
    query = select(Qualification).where(*of_unit).order_by(col(Qualification.product_code), col(Qualification.id))
    return list(current_session().scalars(query))


def require_reassessment(unit_id: UUID, reason_code: str, words: str) -> list[Qualification]:
    """Make the qualifications of a changed unit Re-assessment Required; return those that were. Inside an operation.

    The approval stands until the SO has decided. A suspended one is assessed again once its suspension is lifted; an
    application in assessment keeps its status, and an event says that the unit is no longer as in the data package.
    """
    changed: list[Qualification] = []
    for qualification in _lock_qualifications_of_unit(unit_id):
        match qualification.status:
            case S.QUALIFIED:
                change_status(
                    qualification,
                    S.REASSESSMENT_REQUIRED,
                    "require_reassessment",
                    reason_code=reason_code,
                    reason=words,
                )
                changed.append(qualification)
            case S.SUSPENDED:
                qualification.reassess_after = reason_code
            case _:
                payload: dict[str, object] = {"reason_code": reason_code, "reason": words}
                emit_for_qualification(EventType.QUALIFICATION_UNIT_CHANGED, qualification, payload)
    current_session().flush()
    return changed


def _lock_qualifications_of_unit(unit_id: UUID) -> list[Qualification]:
    """Lock the applications and qualifications of a unit that haven't ended, for writing."""
    of_unit = (col(Qualification.unit_id) == unit_id, col(Qualification.status).in_(NOT_ENDED))
    query = select(Qualification).where(*of_unit).order_by(col(Qualification.id)).with_for_update()
    return list(current_session().scalars(query))


def end_with_unit(unit: MarketUnit, reason: str) -> None:
    """End the applications and qualifications of a unit that is de-registered (UC-03.04)."""
    for qualification in _lock_qualifications_of_unit(unit.id):
        change_status(qualification, S.WITHDRAWN, "deregister_unit", reason=f"The unit was de-registered: {reason}")


def move_with_unit(unit: MarketUnit, evidence: str) -> None:
    """Move qualifications of a re-assigned unit to its new FSP: assessed again unless the product is portable (UC-03.02)."""
    words = f"{reason_label('REASSIGNED')}: {evidence}"
    for qualification in _lock_qualifications_of_unit(unit.id):
        qualification.service_provider_id = unit.service_provider_id
        current_session().flush()
        if find_version(qualification.product_code, qualification.product_version).portable:
            continue
        if qualification.status is S.QUALIFIED:
            change_status(
                qualification, S.REASSESSMENT_REQUIRED, "require_reassessment", reason_code="REASSIGNED", reason=words
            )
        elif qualification.status is S.SUSPENDED:
            qualification.reassess_after = "REASSIGNED"
    current_session().flush()
