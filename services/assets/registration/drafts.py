"""Forms half filled, kept for the person who fills them: nothing typed is lost on a refusal or a reload (UC-02.01)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select
from sqlmodel import col

from models.assets import AssetDraft
from services.core.attributes import text_of
from services.core.clock import now
from services.core.errors import Conflict, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.text import normal_text
from services.core.transaction import current_session

KEPT_DRAFTS = 50
"""How many one person keeps in one organisation; the oldest give way."""
LARGEST_DRAFT = 64 * 1024
"""Bytes of a draft as JSON."""
RETURNED, TAKEN, FROM = "_returned", "_taken", "_from"
NOTES = (RETURNED, TAKEN, FROM)
"""What the register itself notes in a draft's values: why it was returned, who completes it, which one it is a copy of."""


def _person(actor: Actor) -> tuple[UUID, UUID]:
    """The person and the organisation acted for. Raises Refused for programs: they keep their drafts themselves."""
    if actor.user_id is None or actor.organisation_id is None:
        raise Refused("Drafts are kept for people who are signed in for an organisation.")
    return actor.user_id, actor.organisation_id


def _is_own(actor: Actor) -> ColumnElement[bool]:
    """Condition of the person's own drafts: neither sent to anybody nor sent back."""
    user_id, organisation_id = _person(actor)
    return and_(
        col(AssetDraft.user_id) == user_id,
        col(AssetDraft.organisation_id) == organisation_id,
        col(AssetDraft.addressed_to).is_(None),
    )


def storable(values: Mapping[str, object]) -> dict[str, Any]:
    """Values as a draft keeps them, without the register's own notes. Raises Refused when they are too many."""
    stored = {str(name): _plain(value) for name, value in values.items() if name not in NOTES}
    if len(json.dumps(stored, ensure_ascii=False).encode("utf-8", "ignore")) > LARGEST_DRAFT:
        raise Refused(f"A draft holds at most {LARGEST_DRAFT // 1024} kB. Shorten what was typed.")
    return stored


def _plain(value: object) -> Any:
    """A value as JSON keeps it; a number or date as the text that would have been typed."""
    if value is None or isinstance(value, str | bool | int):
        return normal_text(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return text_of(value)


@operation("UC-02.01", permission="asset.draft", name="save_draft")
def save_draft(
    actor: Actor,
    values: Mapping[str, object],
    *,
    draft_id: UUID | None = None,
    asset_id: UUID | None = None,
    asset_version: int | None = None,
    read_at: datetime | None = None,
) -> AssetDraft:
    """Keep what was typed so far, unchecked: a new draft, or `draft_id` with these values.

    `asset_id` and `asset_version` say which asset is being changed, from which version; none for a registration. `read_at` is
    `saved_at` of the draft as it was last read or saved: another tab or colleague that saved it since is a Conflict, with the
    values that it has now. Raises Refused for more than 64 kB, and for a draft that a provider has now.
    """
    session = current_session()
    stored = storable(values)
    user_id, organisation_id = _person(actor)
    draft = find_draft(actor, draft_id)
    if draft is None or draft.organisation_id != organisation_id:
        draft = AssetDraft(user_id=user_id, organisation_id=organisation_id, saved_at=now())
        session.add(draft)
    elif draft.submitted_at is not None:
        raise Refused("The provider has this draft now. It can be changed again once it has been returned.")
    elif read_at is not None and draft.saved_at != read_at and draft.values != stored | notes_of(draft):
        raise Conflict(
            "This draft was changed in another tab or by a colleague since you opened it here. Nothing is lost: choose below.",
            {name: value for name, value in draft.values.items() if name not in NOTES},
        )
    draft.values = stored | notes_of(draft)
    draft.asset_id, draft.asset_version = asset_id, asset_version
    draft.saved_at = now()
    session.flush()
    own_drafts = _is_own(actor)
    newest = select(col(AssetDraft.id)).where(own_drafts).order_by(col(AssetDraft.saved_at).desc()).limit(KEPT_DRAFTS)
    session.execute(delete(AssetDraft).where(own_drafts, col(AssetDraft.id).not_in(list(session.scalars(newest)))))
    return draft


def notes_of(draft: AssetDraft) -> dict[str, Any]:
    """The register's own notes in a draft's values."""
    return {name: draft.values[name] for name in NOTES if name in draft.values}


def find_draft(actor: Actor, draft_id: UUID | None) -> AssetDraft | None:
    """A draft that the actor may see; None when there is none."""
    if draft_id is None:
        return None
    query = select(AssetDraft).where(col(AssetDraft.id) == draft_id, visible(AssetDraft, actor))
    return current_session().scalar(query)


@operation("UC-02.01", permission="asset.draft", writes=False, name="list_drafts")
def list_drafts(actor: Actor) -> list[AssetDraft]:
    """Drafts that the actor can go on with, the latest first: own ones, and those returned to the organisation."""
    open_to_change = (
        visible(AssetDraft, actor),
        col(AssetDraft.organisation_id) == actor.organisation_id,
        col(AssetDraft.submitted_at).is_(None),
    )
    query = select(AssetDraft).where(*open_to_change).order_by(col(AssetDraft.saved_at).desc())
    return list(current_session().scalars(query))


@operation("UC-02.01", permission="asset.draft", writes=False, name="get_draft")
def get_draft(actor: Actor, draft_id: UUID) -> AssetDraft:
    """A draft of the actor's own, of its organisation's submissions, or submitted to it. NotFound for any other."""
    draft = find_draft(actor, draft_id)
    if draft is None:
        raise NotFound("draft", draft_id)
    return draft


@operation("UC-02.01", permission="asset.draft", name="discard_draft")
def discard_draft(actor: Actor, draft_id: UUID) -> None:
    """Throw a draft of the actor's own away, or take a submission back; harmless when it is gone already.

    Raises Refused once the provider has begun to complete it: only a return gives it back.
    """
    draft = find_draft(actor, draft_id)
    if draft is None or draft.organisation_id != actor.organisation_id:
        return
    if draft.submitted_at is not None and TAKEN in draft.values:
        raise Refused("The provider is completing this draft already. Ask them to return it.")
    current_session().delete(draft)


def drop_draft(actor: Actor, draft_id: UUID | None) -> None:
    """Remove the draft of what has just been recorded, in the same transaction."""
    if draft_id is not None and actor.user_id is not None:
        current_session().execute(delete(AssetDraft).where(col(AssetDraft.id) == draft_id, _is_own(actor)))
