"""Drafts as people read them: how far each is, whose it is, and where it stands between installer and provider (UC-02.01)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetDraft
from services.assets.registration.drafts import FROM, RETURNED, TAKEN, find_draft
from services.assets.registration.submissions import name_of, organisation_names
from services.assets.rules.reference import CATEGORY_LIST, RuleCatalogue, catalogue
from services.assets.rules.required import required_terms
from services.assets.rules.schemas import CORE_ATTRIBUTES, form_fields
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

EMPTY: tuple[Any, ...] = (None, "", [], False)


class DraftState(StrEnum):
    """State of a draft between installer and provider."""

    OPEN = "OPEN"
    SUBMITTED = "SUBMITTED"
    TAKEN_UP = "TAKEN_UP"
    RETURNED = "RETURNED"
    DECLINED = "DECLINED"


DRAFT_LABELS: dict[DraftState, str] = {
    DraftState.OPEN: "Incomplete",
    DraftState.SUBMITTED: "With the provider",
    DraftState.TAKEN_UP: "The provider completes it",
    DraftState.RETURNED: "Returned",
    DraftState.DECLINED: "Declined",
}


@dataclass(frozen=True, slots=True)
class DraftView:
    """One draft, of the actor's organisation (`is_own`) or submitted to it.

    `filled` of `needed` mandatory fields hold something. `asset_id`: the asset that is being changed, none for a
    registration. `submission_id`: the submitted draft that this one is, or is a copy of. `completed_by`: who in the
    provider's organisation has begun to complete it, for their colleagues.
    """

    id: UUID
    is_own: bool
    state: DraftState
    name: str
    category: str | None
    category_label: str
    filled: int
    needed: int
    saved_at: datetime
    submitted_at: datetime | None
    asset_id: UUID | None
    author: str | None
    installer: str | None
    provider_id: UUID | None
    provider: str | None
    note: str | None
    reason: str | None
    submission_id: UUID | None
    completed_by: str | None

    @property
    def progress(self) -> str:
        """The progress of the draft, in words."""
        return f"{self.filled} of {self.needed} mandatory fields"


@dataclass(frozen=True, slots=True)
class DraftBoard:
    """All drafts that concern the actor, the latest first.

    `own`: to go on with (those returned by a provider included); `submitted`: one's organisation's, with providers now;
    `received`: those that installers submitted to one's organisation; `registered`: the newest assets made from one's own.
    """

    own: list[DraftView]
    submitted: list[DraftView]
    received: list[DraftView]
    registered: list[Asset]

    @property
    def returned(self) -> list[DraftView]:
        """Those that a provider gave back."""
        return [view for view in self.own if view.state in (DraftState.RETURNED, DraftState.DECLINED)]


LAST_REGISTERED = 20


@operation("UC-02.01", permission="asset.draft", writes=False, name="draft_board")
def draft_board(actor: Actor) -> DraftBoard:
    """The actor's drafts, those its organisation submitted, and those submitted to it."""
    session = current_session()
    query = select(AssetDraft).where(visible(AssetDraft, actor)).order_by(col(AssetDraft.saved_at).desc())
    drafts = list(session.scalars(query))
    views = list(zip(drafts, _views(actor, drafts), strict=True))
    own_views = [(draft, view) for draft, view in views if draft.organisation_id == actor.organisation_id]
    registered: list[Asset] = []
    if may(actor, "asset.submit_draft"):
        submitted_by_own = (visible(Asset, actor), col(Asset.submitted_by_organisation) == actor.organisation_id)
        newest = select(Asset).where(*submitted_by_own).order_by(col(Asset.id).desc()).limit(LAST_REGISTERED)
        registered = list(session.scalars(newest))
    return DraftBoard(
        own=[view for draft, view in own_views if draft.submitted_at is None],
        submitted=[view for draft, view in own_views if draft.submitted_at is not None],
        received=[view for draft, view in views if draft.organisation_id != actor.organisation_id],
        registered=registered,
    )


@operation("UC-02.01", permission="asset.draft", writes=False, name="draft_view")
def draft_view(actor: Actor, draft_id: UUID) -> DraftView:
    """One draft that the actor may see, as people read it. Raises NotFound."""
    draft = find_draft(actor, draft_id)
    if draft is None:
        raise NotFound("draft", draft_id)
    return _views(actor, [draft])[0]


def _views(actor: Actor, drafts: list[AssetDraft]) -> list[DraftView]:
    names = organisation_names(
        actor, [party for draft in drafts for party in (draft.organisation_id, draft.addressed_to)]
    )
    current = catalogue()
    origins = {origin for draft in drafts if (origin := draft.values.get(FROM))}
    submissions = [draft for draft in drafts if str(draft.id) in origins]
    missing = {UUID(str(origin)) for origin in origins} - {draft.id for draft in submissions}
    if missing:
        more = select(AssetDraft).where(col(AssetDraft.id).in_(missing), visible(AssetDraft, actor))
        others = list(current_session().scalars(more))
        names |= organisation_names(actor, [draft.organisation_id for draft in others])
        submissions += others
    submission_of = {str(draft.id): draft for draft in submissions}
    return [_view(actor, draft, submission_of.get(str(draft.values.get(FROM))), current, names) for draft in drafts]


def _view(
    actor: Actor, draft: AssetDraft, submission: AssetDraft | None, current: RuleCatalogue, names: Mapping[UUID, str]
) -> DraftView:
    values, returned = draft.values, draft.values.get(RETURNED) or {}
    category = values.get("AssetCategory")
    filled, needed = progress_of(values, current)
    is_own = draft.organisation_id == actor.organisation_id
    sender = submission or (draft if draft.addressed_to else None)
    label = current.reference.code_lists.get(CATEGORY_LIST, {}).get(str(category))
    return DraftView(
        id=draft.id,
        is_own=is_own,
        state=_state(draft),
        name=name_of(draft),
        category=str(category) if category else None,
        category_label=label.label if label else "No category yet",
        filled=filled,
        needed=needed,
        saved_at=draft.saved_at,
        submitted_at=draft.submitted_at,
        asset_id=draft.asset_id,
        author=draft.author_name,
        installer=names.get(sender.organisation_id) if sender else None,
        provider_id=draft.addressed_to,
        provider=names.get(draft.addressed_to) if draft.addressed_to else None,
        note=draft.note,
        reason=returned.get("reason"),
        submission_id=sender.id if sender and sender.submitted_at else None,
        # Who at the provider's completes it is the provider's own affair.
        completed_by=None if is_own else (values.get(TAKEN) or {}).get("by"),
    )


def _state(draft: AssetDraft) -> DraftState:
    if draft.submitted_at is not None:
        return DraftState.TAKEN_UP if TAKEN in draft.values else DraftState.SUBMITTED
    returned = draft.values.get(RETURNED)
    if returned is None:
        return DraftState.OPEN
    return DraftState.DECLINED if returned.get("declined") else DraftState.RETURNED


def progress_of(values: Mapping[str, Any], current: RuleCatalogue) -> tuple[int, int]:
    """Count the mandatory fields of the chosen category: those filled, and all of them.

    Fields that are mandatory under these values count too. A group of which one is needed counts as one field, and what the
    register fills in by itself as none; before a category is chosen, it is the fields that every category needs.
    """
    document = current.reference.schemas.get(str(values.get("AssetCategory")))
    fields = form_fields(document, current.reference.code_lists) if document else CORE_ATTRIBUTES
    by_itself = (document or {}).get("x-defaults", {})
    required = required_terms(values, document)
    groups: list[Iterable[str]] = [
        [field.term] for field in fields if (field.mandatory or field.term in required) and field.term not in by_itself
    ]
    groups += (document or {}).get("x-mandatory-any", [])
    filled = sum(1 for group in groups if any(values.get(term) not in EMPTY for term in group))
    return filled, len(groups)
