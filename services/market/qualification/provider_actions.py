"""What an FSP does with its applications: answer, ask for another period, withdraw (UC-04.02)."""

from collections.abc import Sequence
from uuid import UUID

from models.qualifications import Qualification, QualificationStatus, SaidKind
from services.assets.conversation.attachments import Upload
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.market.qualification.data_package import assess_as_it_stands
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE, move
from services.market.qualification.messages import say_on
from services.market.qualification.reason_codes import words_given
from services.market.qualification.records import as_read
from services.market.qualification.service_windows import windows_ahead

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
    """Answer what the SO asked: its clock runs on. With `fresh_package`, the unit is frozen anew as it stands now.

    Raises Conflict when stale, Invalid without an answer, Refused when nothing is asked.
    """
    qualification = as_read(actor, qualification_id, APPLY, version)
    words = words_given("Answer", answer)
    target = QualificationStatus.IN_ASSESSMENT
    QUALIFICATION_LIFE_CYCLE.require(qualification.status, target, "answer_information")
    if fresh_package:
        assess_as_it_stands(qualification)
    move(qualification, target, "answer_information", reason="The FSP has answered.")
    say_on(actor, qualification, SaidKind.ANSWER, words, files)
    return qualification


@operation("UC-04.02", permission=APPLY, name="request_renewal")
def request_renewal(
    actor: Actor, qualification_id: UUID, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Ask the SO for another period of validity before this one ends. What is approved stands until the SO has decided.

    Raises Conflict when stale, Invalid without a reason, Refused unless the unit is Qualified.
    """
    qualification = as_read(actor, qualification_id, APPLY, version)
    words = words_given("Reason", reason)
    target = QualificationStatus.REASSESSMENT_REQUIRED
    move(qualification, target, "request_renewal", reason_code="RENEWAL", reason=words)
    say_on(actor, qualification, SaidKind.ANSWER, words, files)
    return qualification


@operation("UC-04.02", permission=APPLY, name="withdraw_application")
def withdraw_application(actor: Actor, qualification_id: UUID, reason: str, version: int) -> Qualification:
    """Withdraw an application, or what the unit is qualified for: that ends with it.

    Raises Conflict when stale, Invalid without a reason, Refused when it has ended, or the SO counts on the unit still.
    """
    qualification = as_read(actor, qualification_id, APPLY, version)
    words = words_given("Reason", reason)
    if blockers := windows_ahead(qualification):
        raise Refused("The unit still has to deliver. Settle these first.", blockers)
    withdraw(actor, qualification, words)
    return qualification


def withdraw(actor: Actor, qualification: Qualification, words: str) -> None:
    """Withdraw it; inside an operation that has seen to it that the actor may, and that nothing stands in the way."""
    move(qualification, QualificationStatus.WITHDRAWN, "withdraw_application", reason=words)
    say_on(actor, qualification, SaidKind.COMMENT, words)
