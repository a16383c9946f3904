"""Forms half filled, kept for the person who fills them: nothing typed is lost on a refusal or a reload (UC-02.01)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select
from sqlmodel import col

from models.assets import AssetDraft
from services.assets.rules_prepare import text_of
from services.core.actor import Actor
from services.core.clock import now
from services.core.errors import NotFound, Refused
from services.core.operation import operation
from services.core.transaction import current_session

KEPT_DRAFTS = 50
"""How many one person keeps in one organisation; the oldest give way."""


def _person(actor: Actor) -> tuple[UUID, UUID]:
    """The person and the organisation acted for. Raises Refused for programs: they keep their drafts themselves."""
    if actor.user_id is None or actor.organisation_id is None:
        raise Refused("Drafts are kept for people who are signed in for an organisation.")
    return actor.user_id, actor.organisation_id


def _own(actor: Actor) -> ColumnElement[bool]:
    user_id, organisation_id = _person(actor)
    return and_(col(AssetDraft.user_id) == user_id, col(AssetDraft.organisation_id) == organisation_id)


def _plain(value: object) -> Any:
    """A value as JSON keeps it; a number or date as the text that would have been typed."""
    if value is None or isinstance(value, str | bool | int):
        return value.replace("\x00", "") if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return text_of(value)


@operation("UC-02.01", permission="asset.draft")
def save_draft(
    actor: Actor,
    values: Mapping[str, object],
    *,
    draft_id: UUID | None = None,
    asset_id: UUID | None = None,
    asset_version: int | None = None,
) -> AssetDraft:
    """Keep what was typed so far, unchecked: a new draft, or `draft_id` with these values.

    `asset_id` and `asset_version` say which asset is being changed, from which version; none for a registration.
    """
    session = current_session()
    mine = _own(actor)
    draft = session.scalar(select(AssetDraft).where(col(AssetDraft.id) == draft_id, mine)) if draft_id else None
    if draft is None:
        user_id, organisation_id = _person(actor)
        draft = AssetDraft(user_id=user_id, organisation_id=organisation_id, saved_at=now())
        session.add(draft)
    draft.values = _plain(values)
    draft.asset_id, draft.asset_version = asset_id, asset_version
    draft.saved_at = now()
    session.flush()
    kept = select(col(AssetDraft.id)).where(mine).order_by(col(AssetDraft.saved_at).desc()).limit(KEPT_DRAFTS)
    session.execute(delete(AssetDraft).where(mine, col(AssetDraft.id).not_in(list(session.scalars(kept)))))
    return draft


@operation("UC-02.01", permission="asset.draft", writes=False)
def list_drafts(actor: Actor) -> list[AssetDraft]:
    """The actor's own drafts, the latest first."""
    chosen = select(AssetDraft).where(_own(actor)).order_by(col(AssetDraft.saved_at).desc())
    return list(current_session().scalars(chosen))


@operation("UC-02.01", permission="asset.draft", writes=False)
def get_draft(actor: Actor, draft_id: UUID) -> AssetDraft:
    """One of the actor's own drafts. Raises NotFound for anybody else's."""
    draft = current_session().scalar(select(AssetDraft).where(col(AssetDraft.id) == draft_id, _own(actor)))
    if draft is None:
        raise NotFound("draft", draft_id)
    return draft


@operation("UC-02.01", permission="asset.draft")
def discard_draft(actor: Actor, draft_id: UUID) -> None:
    """Throw one of the actor's own drafts away; harmless when it is gone already."""
    drop_draft(actor, draft_id)


def drop_draft(actor: Actor, draft_id: UUID | None) -> None:
    """Remove the draft of what has just been recorded, in the same transaction."""
    if draft_id is not None:
        current_session().execute(delete(AssetDraft).where(col(AssetDraft.id) == draft_id, _own(actor)))
