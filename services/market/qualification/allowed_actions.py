"""Allowed actions on an application now, with the reason for each that isn't (UC-04.02): for buttons and the API alike."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from services.core.errors import Blocker
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, within
from services.core.lifecycle import Action
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.assessment import ASSESS, DECIDED_FROM
from services.market.qualification.lifecycle import NOT_ENDED, QUALIFICATION_LIFE_CYCLE
from services.market.qualification.service_windows import COUNTED_ON, find_window_blockers

S = QualificationStatus
APPLY = "qualification.apply"
COMMENT = "qualification.comment"


@dataclass(frozen=True, slots=True)
class _QualificationOffer:
    """An action to offer: its operation, permission, label, the states that allow it, and the words for the others."""

    operation: str
    permission: str
    label: str
    states: tuple[QualificationStatus, ...]
    otherwise: str


def _sources_of(operation: str) -> tuple[QualificationStatus, ...]:
    return tuple(QUALIFICATION_LIFE_CYCLE.sources(operation))


_REFUSALS = {
    "take_application": "It is taken when it is new, or to be assessed again.",
    "decide_application": "A decision is possible while it is in assessment.",
    "ask_information": "Questions are asked while it is in assessment.",
    "assign_application": "It has ended.",
    "suspend_qualification": "Only what is qualified can be suspended.",
    "lift_suspension": "It isn't suspended.",
    "demand_reassessment": "Only what is qualified is assessed again.",
    "confirm_window": "Only what is qualified, and not suspended, is counted on.",
    "answer_information": "Nothing is asked.",
    "request_renewal": "Only what is qualified is renewed.",
    "withdraw_application": "It has ended already.",
}
OFFERS = tuple(
    _QualificationOffer(operation, permission, label, states, _REFUSALS[operation])
    for operation, permission, label, states in (
        ("take_application", ASSESS, "Take", _sources_of("take_application")),
        ("decide_application", ASSESS, "Decide", DECIDED_FROM),
        ("ask_information", ASSESS, "Ask the FSP", DECIDED_FROM),
        ("assign_application", ASSESS, "Assign", NOT_ENDED),
        ("suspend_qualification", ASSESS, "Suspend", _sources_of("suspend_qualification")),
        ("lift_suspension", ASSESS, "Lift the suspension", _sources_of("lift_suspension")),
        ("demand_reassessment", ASSESS, "Require re-assessment", _sources_of("demand_reassessment")),
        ("answer_information", APPLY, "Answer", _sources_of("answer_information")),
        ("request_renewal", APPLY, "Ask for renewal", _sources_of("request_renewal")),
        ("confirm_window", ASSESS, "Confirm a service window", COUNTED_ON),
        ("withdraw_application", APPLY, "Withdraw", _sources_of("withdraw_application")),
    )
)
RESTRICTIONS = {ASSESS: "Only the system operator it is addressed to can do this.", APPLY: "Only its FSP can do this."}


@operation("UC-04.02", permission="qualification.read", writes=False, name="qualification_actions")
def qualification_actions(actor: Actor, qualification_id: UUID) -> list[Action]:
    """List the actions on an application as it stands; one that isn't allowed says why not. Raises NotFound when unseen."""
    qualification = see(Qualification, actor, qualification_id)
    reached = {permission: _may_write(actor, qualification, permission) for permission in RESTRICTIONS}
    return [_build_action(qualification, offer, reached[offer.permission]) for offer in OFFERS]


def _may_write(actor: Actor, qualification: Qualification, permission: str) -> bool:
    conditions = (col(Qualification.id) == qualification.id, within(Qualification, actor, permission, writing=True))
    return current_session().scalar(select(col(Qualification.id)).where(*conditions)) is not None


def _build_action(qualification: Qualification, offer: _QualificationOffer, reached: bool) -> Action:
    why_not, blockers = None, list[Blocker]()
    if not reached:
        why_not = RESTRICTIONS[offer.permission]
    elif qualification.status not in offer.states:
        why_not = f"It is {QUALIFICATION_LABELS[qualification.status]}. {offer.otherwise}"
    elif offer.operation == "withdraw_application" and (blockers := find_window_blockers(qualification)):
        why_not = f"First: {'; '.join(blocker.action for blocker in blockers)}."
    return Action(offer.operation, offer.label, why_not is None, why_not, reached, blockers)
