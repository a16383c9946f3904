"""The life cycle of a qualification (UC-04.02), and what happens to a unit that reaches what it is qualified for."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

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
from services.market.products.catalogue import version_of
from services.market.qualification import sla_clock as qualification_clock
from services.market.qualification.reason_codes import label_of
from services.market.qualification.sla_clock import RUNNING
from services.market.unit_changes.deregistration import WHEN_UNIT_ENDS
from services.market.unit_changes.reassignment import WHEN_UNIT_MOVES

S = QualificationStatus
STANDING = tuple(status for status in S if status not in QUALIFICATION_ENDED)
TAKEN_FROM = (S.SUBMITTED, S.REASSESSMENT_REQUIRED)
APPROVED = (S.QUALIFIED, S.SUSPENDED, S.REASSESSMENT_REQUIRED)
CHANGED = "qualification.status_changed"
UNIT_CHANGED = "qualification.unit_changed"
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
        # UC-02.03, UC-03.02, UC-03.03: what was assessed is no longer what the unit is.
        Transition(S.QUALIFIED, S.REASSESSMENT_REQUIRED, "require_reassessment"),
        *(Transition(status, S.EXPIRED, "expire_qualifications") for status in APPROVED),
        *(Transition(status, S.WITHDRAWN, "withdraw_application") for status in STANDING),
        # UC-03.04: the unit is de-registered.
        *(Transition(status, S.WITHDRAWN, "deregister_unit") for status in STANDING),
    ),
)


def move(
    qualification: Qualification,
    target: QualificationStatus,
    operation: str,
    *,
    reason_code: str | None = None,
    reason: str | None = None,
) -> None:
    """Bring a qualification into another state, with its clock, step and event; inside an operation.

    `qualified_at` outlives everything but an end. Raises Refused for a step that the life cycle doesn't know.
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
    note_step(qualification, before, reason_code)
    told = {"from": str(before), "to": str(target), "reason_code": reason_code, "reason": reason}
    emit_for_qualification(CHANGED, qualification, told)


def _set_clock(qualification: Qualification, target: QualificationStatus) -> None:
    if target not in RUNNING:
        qualification_clock.stop(qualification)
    elif target is S.REASSESSMENT_REQUIRED:
        qualification_clock.restart(qualification)
    elif qualification.clock_from is None:
        qualification_clock.resume(qualification)


def note_step(qualification: Qualification, before: QualificationStatus | None, reason_code: str | None) -> None:
    """Keep one step for charts and as-of questions; `before` is None where the life begins."""
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
        working_days=qualification_clock.used(qualification),
    )
    current_session().add(step)


def emit_for_qualification(event_type: str, qualification: Qualification, payload: dict[str, object]) -> None:
    """Write an event about an application: its FSP and its SO see it."""
    about = {"product": qualification.product_code, "unit": str(qualification.unit_id)}
    emit(event_type, qualification, organisation_id=qualification.service_provider_id, payload={**about, **payload})


def standing_of_unit(unit_id: UUID) -> list[Qualification]:
    """What a unit has applied for or is qualified for and that has not ended, by product; inside an operation."""
    of_unit = (col(Qualification.unit_id) == unit_id, col(Qualification.status).in_(STANDING))
    chosen = select(Qualification).where(*of_unit).order_by(col(Qualification.product_code), col(Qualification.id))
    return list(current_session().scalars(chosen))


def require_reassessment(unit_id: UUID, reason_code: str, words: str) -> list[Qualification]:
    """What a unit is qualified for is to be assessed again, as it has changed; those that moved. Inside an operation.

    The approval stands until the SO has decided. A suspended one waits for its suspension to be lifted first; an application
    that is being assessed stays where it is, and its parties are told that the unit is no longer as in the data package.
    """
    moved: list[Qualification] = []
    for one in _held(unit_id):
        match one.status:
            case S.QUALIFIED:
                move(one, S.REASSESSMENT_REQUIRED, "require_reassessment", reason_code=reason_code, reason=words)
                moved.append(one)
            case S.SUSPENDED:
                one.reassess_after = reason_code
            case _:
                told: dict[str, object] = {"reason_code": reason_code, "reason": words}
                emit_for_qualification(UNIT_CHANGED, one, told)
    current_session().flush()
    return moved


def _held(unit_id: UUID) -> list[Qualification]:
    """Those that stand, held for writing."""
    of_unit = (col(Qualification.unit_id) == unit_id, col(Qualification.status).in_(STANDING))
    chosen = select(Qualification).where(*of_unit).order_by(col(Qualification.id)).with_for_update()
    return list(current_session().scalars(chosen))


def end_with_unit(unit: MarketUnit, reason: str) -> None:
    """The unit is de-registered: whatever it applied for or is qualified for ends (UC-03.04)."""
    for one in _held(unit.id):
        move(one, S.WITHDRAWN, "deregister_unit", reason=f"The unit was de-registered: {reason}")


def move_with_unit(unit: MarketUnit, losing: UUID, evidence: str) -> None:
    """The unit is another FSP's: qualifications go with it, to be assessed again unless the product is portable (UC-03.02)."""
    words = f"{label_of('REASSIGNED')}: {evidence}"
    for one in _held(unit.id):
        one.service_provider_id = unit.service_provider_id
        current_session().flush()
        if version_of(one.product_code, one.product_version).portable:
            continue
        if one.status is S.QUALIFIED:
            move(one, S.REASSESSMENT_REQUIRED, "require_reassessment", reason_code="REASSIGNED", reason=words)
        elif one.status is S.SUSPENDED:
            one.reassess_after = "REASSIGNED"
    current_session().flush()


WHEN_UNIT_ENDS.append(end_with_unit)
WHEN_UNIT_MOVES.append(move_with_unit)
