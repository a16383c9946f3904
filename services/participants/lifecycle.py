"""The life cycle of an organisation, and what an actor can do with one now (UC-01.02 to UC-01.04)."""

from models.participants import Organisation, OrganisationStatus
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.lifecycle import Action, LifeCycle, Transition

S = OrganisationStatus

ORGANISATION_LIFE_CYCLE: LifeCycle[OrganisationStatus] = LifeCycle(
    "organisation",
    (
        Transition(S.PENDING_APPROVAL, S.ACTIVE, "approve_organisation"),
        Transition(S.PENDING_APPROVAL, S.REFUSED, "refuse_organisation"),
        # A refused change of an organisation that was approved before: it returns to what was approved.
        Transition(S.PENDING_APPROVAL, S.ACTIVE, "refuse_organisation"),
        Transition(S.ACTIVE, S.PENDING_APPROVAL, "update_organisation"),
        Transition(S.PENDING_APPROVAL, S.PENDING_APPROVAL, "update_organisation"),
        Transition(S.ACTIVE, S.ACTIVE, "update_organisation"),
        Transition(S.ACTIVE, S.SUSPENDED, "suspend_organisation"),
        Transition(S.SUSPENDED, S.ACTIVE, "reinstate_organisation"),
        Transition(S.PENDING_APPROVAL, S.WITHDRAWN, "withdraw_organisation"),
        Transition(S.ACTIVE, S.WITHDRAWN, "withdraw_organisation"),
        Transition(S.SUSPENDED, S.WITHDRAWN, "withdraw_organisation"),
    ),
)

ACTIONS: tuple[tuple[str, str, str], ...] = (
    ("approve_organisation", "Approve", "organisation.decide"),
    ("refuse_organisation", "Refuse", "organisation.decide"),
    ("update_organisation", "Change details", "organisation.update"),
    ("suspend_organisation", "Suspend", "organisation.decide"),
    ("reinstate_organisation", "Reinstate", "organisation.decide"),
    ("withdraw_organisation", "De-register", "organisation.withdraw"),
)
"""Operation, label on its button, permission: in the order in which they are offered."""

WAYS: dict[OrganisationStatus, str] = {
    S.PENDING_APPROVAL: "It waits for approval: approve or refuse it first.",
    S.ACTIVE: "It is active.",
    S.REFUSED: "It was refused, which is final; it can be registered anew.",
    S.SUSPENDED: "It is suspended: reinstate it first.",
    S.WITHDRAWN: "It is withdrawn, which is final; it can be registered anew.",
}


def allowed_actions(organisation: Organisation, actor: Actor) -> list[Action]:
    """Actions on the organisation for the actor: what its state forbids is listed with the reason.

    Acts that the actor's roles never reach are left out. Whether withdrawing is blocked by assets and the like is for
    `services.participants.ending.withdrawal_blockers`.
    """
    state = organisation.organisation_status
    actions = []
    for operation, label, permission in ACTIONS:
        scopes = scopes_of(actor, permission)
        if Scope.ALL in scopes or (Scope.OWN in scopes and organisation.id == actor.organisation_id):
            allowed = ORGANISATION_LIFE_CYCLE.can(state, operation)
            actions.append(Action(operation, label, allowed, None if allowed else WAYS[state]))
    return actions
