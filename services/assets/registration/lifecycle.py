"""The life cycle of an asset, and what can be done with one now and why not."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset, AssetStatus
from models.events import EventType
from models.participants import ROLE_LABELS, Role
from services.core.clock import now
from services.core.errors import Blocker
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, permission_table
from services.core.identity.visibility import see, within
from services.core.jobs.outbox import emit_for_asset
from services.core.lifecycle import Action, LifeCycle, Transition
from services.core.operation import operation
from services.core.reactions import reactions
from services.core.transaction import current_session

S = AssetStatus
ACTIVE_STATUSES = tuple(status for status in AssetStatus if status not in ENDED_STATUSES)
REVOCABLE = tuple(status for status in ACTIVE_STATUSES if status is not S.SUSPENDED_CONSENT_REVOKED)

ASSET_LIFE_CYCLE: LifeCycle[AssetStatus] = LifeCycle(
    "asset",
    (
        Transition(S.PENDING_VALIDATION, S.VERIFIED, "conclude_checks"),
        Transition(S.PENDING_VALIDATION, S.QUERY, "conclude_checks"),
        Transition(S.PENDING_VALIDATION, S.VERIFIED, "settle_query"),
        Transition(S.PENDING_VALIDATION, S.QUERY, "settle_query"),
        Transition(S.PENDING_VALIDATION, S.QUERY, "query_asset"),
        Transition(S.QUERY, S.PENDING_VALIDATION, "answer_query"),
        Transition(S.QUERY, S.PENDING_VALIDATION, "answer_differences"),
        # The last difference is settled, or a source is found right: in review either way, answered or not.
        Transition(S.QUERY, S.PENDING_VALIDATION, "settle_differences"),
        Transition(S.PENDING_VALIDATION, S.VERIFIED, "settle_differences"),
        Transition(S.PENDING_VALIDATION, S.QUERY, "settle_differences"),
        # Within a minute, by whoever decided: to where the asset stood before.
        Transition(S.VERIFIED, S.PENDING_VALIDATION, "take_back_decision"),
        Transition(S.VERIFIED, S.QUERY, "take_back_decision"),
        Transition(S.QUERY, S.PENDING_VALIDATION, "take_back_decision"),
        # The value was corrected, or a newer edition of the source says as declared: nothing is left to ask.
        Transition(S.QUERY, S.PENDING_VALIDATION, "conclude_checks"),
        Transition(S.QUERY, S.SUSPENDED_QUERY_UNANSWERED, "suspend_unanswered"),
        # UC-02.03: a material change makes what was checked, or asked, the question of other values.
        Transition(S.VERIFIED, S.PENDING_VALIDATION, "update_asset"),
        Transition(S.QUERY, S.PENDING_VALIDATION, "update_asset"),
        Transition(S.VERIFIED, S.PENDING_VALIDATION, "request_checks"),
        Transition(S.AWAITING_CONSENT_CHECK, S.PENDING_VALIDATION, "confirm_consent"),
        Transition(S.AWAITING_CONSENT_CHECK, S.REFUSED_NO_CONSENT, "refuse_consent"),
        *(Transition(status, S.SUSPENDED_CONSENT_REVOKED, "revoke_consent") for status in REVOCABLE),
        Transition(S.SUSPENDED_CONSENT_REVOKED, S.PENDING_VALIDATION, "confirm_consent"),
        *(Transition(status, S.DEREGISTERED, "deregister_asset") for status in ACTIVE_STATUSES),
    ),
)


def move(asset: Asset, target: AssetStatus, operation: str, reason: str | None = None) -> None:
    """Bring an asset into another state, with the event; inside an operation. Raises Refused for an unknown step."""
    ASSET_LIFE_CYCLE.require(asset.status, target, operation)
    before = asset.status
    asset.status = target
    asset.status_reason = reason
    asset.status_since = now()
    emit_for_asset(
        EventType.ASSET_STATUS_CHANGED,
        asset,
        {"from": str(before), "to": str(target), "operation": operation, "reason": reason},
    )


@dataclass(frozen=True, slots=True)
class _AssetOffer:
    """One act that a person may be offered: its permission, words, and the states in which it makes sense."""

    operation: str
    permission: str
    label: str
    states: tuple[AssetStatus, ...]
    otherwise: str


OFFERS = (
    _AssetOffer("update_asset", "asset.update", "Change its details", ACTIVE_STATUSES, "Its record is closed."),
    _AssetOffer(
        "answer_query",
        "asset.answer",
        "Answer the query",
        tuple(ASSET_LIFE_CYCLE.sources("answer_query")),
        "No query is open on it.",
    ),
    _AssetOffer(
        "query_asset",
        "asset.settle",
        "Ask the FSP about it",
        tuple(ASSET_LIFE_CYCLE.sources("query_asset")),
        "Questions are asked while it is Pending Validation.",
    ),
    _AssetOffer(
        "settle_query",
        "asset.settle",
        "Decide: verify, or ask again",
        tuple(ASSET_LIFE_CYCLE.sources("settle_query")),
        "A decision is possible while it is Pending Validation: once a query has been answered.",
    ),
    _AssetOffer(
        "settle_differences",
        "asset.settle",
        "Settle what differs",
        tuple(ASSET_LIFE_CYCLE.sources("settle_differences")),
        "Differences are settled while it is in review.",
    ),
    _AssetOffer(
        "request_checks",
        "asset.check",
        "Run the checks again",
        (S.PENDING_VALIDATION, S.VERIFIED),
        "Checks run while it is Pending Validation or Verified; an open query is answered first.",
    ),
    _AssetOffer(
        "deregister_asset",
        "asset.deregister",
        "De-register",
        tuple(ASSET_LIFE_CYCLE.sources("deregister_asset")),
        "It has ended already.",
    ),
)


@operation("UC-02.01", permission="asset.read", writes=False, name="allowed_actions")
def allowed_actions(actor: Actor, asset: Asset) -> list[Action]:
    """Actions on the asset as it stands now, each possible or with the reason why not. NotFound when unseen."""
    return actions_on(actor, see(Asset, actor, asset.id))


def actions_on(actor: Actor, asset: Asset) -> list[Action]:
    """The same inside an operation that has seen to it that the actor may see the asset."""
    columns = [within(Asset, actor, offer.permission, writing=True).label(offer.operation) for offer in OFFERS]
    reaches = current_session().execute(select(*columns).where(col(Asset.id) == asset.id)).one()
    return [_action(asset, offer, bool(is_reached)) for offer, is_reached in zip(OFFERS, reaches, strict=True)]


def _action(asset: Asset, offer: _AssetOffer, reached: bool) -> Action:
    why_not, blockers = None, list[Blocker]()
    if not reached:
        why_not = f"{_who(offer.permission)} can do this."
    elif asset.status not in offer.states:
        why_not = f"It is {STATUS_LABELS[asset.status]}. {offer.otherwise}"
    elif offer.operation == "deregister_asset":
        blockers = blockers_of(asset)
        why_not = f"First: {'; '.join(blocker.action for blocker in blockers)}." if blockers else None
    return Action(offer.operation, offer.label, why_not is None, why_not, reached, blockers)


def _who(permission: str) -> str:
    """Those whom the permission reaches, in words."""
    scopes = permission_table()[permission].scopes
    managing = any(scope is Scope.OWN for scope in scopes.values())
    governing = [ROLE_LABELS[role] for role, scope in scopes.items() if scope is Scope.ALL and role is not Role.SYSTEM]
    labels = (["the FSP that manages it"] if managing else []) + [f"the {label}" for label in governing]
    return f"Only {' or '.join(labels)}"


def blockers_of(asset: Asset) -> list[Blocker]:
    """Blockers of an asset's de-registration, from every area that has a say."""
    return [blocker for block in reactions().asset_blockers for blocker in block(asset)]
