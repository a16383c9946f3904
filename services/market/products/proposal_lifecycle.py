"""The life cycle of a proposal for the catalogue, and the actions on one now (UC-04.01)."""

from models.products import ProductProposal, ProposalStatus
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.lifecycle import Action, LifeCycle, Transition

S = ProposalStatus
PROPOSAL_LIFE_CYCLE: LifeCycle[ProposalStatus] = LifeCycle(
    "proposal",
    (
        Transition(S.PROPOSED, S.APPROVED, "approve_proposal"),
        Transition(S.PROPOSED, S.REFUSED, "refuse_proposal"),
        Transition(S.PROPOSED, S.QUESTION, "ask_about_proposal"),
        Transition(S.PROPOSED, S.WITHDRAWN, "withdraw_proposal"),
        Transition(S.QUESTION, S.PROPOSED, "answer_proposal"),
        # Nobody answers: the administrator need not wait for ever.
        Transition(S.QUESTION, S.REFUSED, "refuse_proposal"),
        Transition(S.QUESTION, S.WITHDRAWN, "withdraw_proposal"),
    ),
)
OPEN = (S.PROPOSED, S.QUESTION)
STATUS_LABELS: dict[ProposalStatus, str] = {
    S.PROPOSED: "Waits for the administrator",
    S.QUESTION: "Question to the proposer",
    S.APPROVED: "Approved",
    S.REFUSED: "Refused",
    S.WITHDRAWN: "Withdrawn",
}
DECIDING = (("approve_proposal", "Approve"), ("ask_about_proposal", "Ask"), ("refuse_proposal", "Refuse"))
PROPOSING = (("answer_proposal", "Answer"), ("withdraw_proposal", "Withdraw"))


def allowed_actions(actor: Actor, proposal: ProductProposal) -> list[Action]:
    """List the actor's actions on a proposal; one that its state forbids is listed with the reason."""
    offers = (*(DECIDING if may(actor, "product.decide") else ()), *(PROPOSING if is_proposer(actor, proposal) else ()))
    actions = []
    for operation, label in offers:
        allowed = PROPOSAL_LIFE_CYCLE.can(proposal.status, operation)
        why_not = None if allowed else f"It is in the state: {STATUS_LABELS[proposal.status].lower()}."
        actions.append(Action(operation, label, allowed, why_not))
    return actions


def is_proposer(actor: Actor, proposal: ProductProposal) -> bool:
    """Return True when the actor acts for the organisation that made the proposal."""
    return may(actor, "product.propose") and actor.organisation_id == proposal.organisation_id
