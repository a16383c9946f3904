"""Actions of an FSP on its applications: answer a question, request renewal, withdraw (UC-04.02)."""

from collections.abc import Sequence
from uuid import UUID

from models.qualifications import Qualification, QualificationStatus, SaidKind
from services.core.conversation.files import Upload
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.market.qualification.data_package import refresh_package
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE, change_status
from services.market.qualification.messages import add_message
from services.market.qualification.reason_codes import require_words
from services.market.qualification.records import reach_at_version
from services.market.qualification.service_windows import find_window_blockers

APPLY = "qualification.apply"


@operation("UC-04.02", permission=APPLY, name="answer_information")
def answer_information(
    actor: Actor,
    qualification_id: UUID,
    answer: str,
    version: int,
    files: Sequence[Upload] = (),
    *,
    fresh_package: bool = False,
) -> Qualification:
    """Answer the SO's question: its SLA clock resumes. With `fresh_package`, the unit is frozen again as it stands now.


    Raises Conflict when stale, Invalid without an answer, Refused when nothing is asked.
    """
    qualification = reach_at_version(actor, qualification_id, APPLY, version)
    words = require_words("Answer", answer)
    target = QualificationStatus.IN_ASSESSMENT
    QUALIFICATION_LIFE_CYCLE.require(qualification.status, target, "answer_information")
    if fresh_package:
        refresh_package(qualification)
    change_status(qualification, target, "answer_information", reason="The FSP has answered.")
    add_message(actor, qualification, SaidKind.ANSWER, words, files)
    return qualification


@operation("UC-04.02", permission=APPLY, name="request_renewal")
def request_renewal(
    actor: Actor, qualification_id: UUID, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Request another period of validity before this one ends. The approval stands until the SO has decided.


    Raises Conflict when stale, Invalid without a reason, Refused unless the unit is Qualified.
    """
    qualification = reach_at_version(actor, qualification_id, APPLY, version)
    words = require_words("Reason", reason)
    target = QualificationStatus.REASSESSMENT_REQUIRED
    change_status(qualification, target, "request_renewal", reason_code="RENEWAL", reason=words)
    add_message(actor, qualification, SaidKind.ANSWER, words, files)
    return qualification


@operation("UC-04.02", permission=APPLY, name="withdraw_application")
def withdraw_application(actor: Actor, qualification_id: UUID, reason: str, version: int) -> Qualification:
    """Withdraw an application, or a qualification: it ends.

    Raises Conflict when stale, Invalid without a reason, Refused when it has ended, or while a service window lies ahead.
    """
    qualification = reach_at_version(actor, qualification_id, APPLY, version)
    words = require_words("Reason", reason)
    if blockers := find_window_blockers(qualification):
        raise Refused("The unit still has to deliver. Settle these first.", blockers)
    withdraw(actor, qualification, words)
    return qualification


def withdraw(actor: Actor, qualification: Qualification, words: str) -> None:
    """Withdraw an application; the caller, an operation, has checked that the actor may and that nothing blocks it."""
    change_status(qualification, QualificationStatus.WITHDRAWN, "withdraw_application", reason=words)
    add_message(actor, qualification, SaidKind.COMMENT, words)
