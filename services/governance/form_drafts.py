"""Drafts of forms: what was typed is there again after a reload or the next day, for the person alone (UC-05.01)."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import col

from models.personal import FormDraft
from services.core.clock import now
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

LARGEST_DRAFT = 64 * 1024
"""Bytes of a draft as JSON."""


def _draft_of(actor: Actor, form: str) -> ColumnElement[bool]:
    organisation = col(FormDraft.organisation_id)
    same = organisation.is_(None) if actor.organisation_id is None else organisation == actor.organisation_id
    return and_(visible(FormDraft, actor), same, col(FormDraft.form) == form)


@operation("UC-05.01", permission="personal.keep", writes=False, name="read_form_draft")
def read_form_draft(actor: Actor, form: str) -> FormDraft | None:
    """The actor's draft of a form for the organisation acted for; None when there is none."""
    return current_session().scalar(select(FormDraft).where(_draft_of(actor, form)))


@operation("UC-05.01", permission="personal.keep", name="keep_form_draft")
def keep_form_draft(actor: Actor, form: str, values: Mapping[str, Any]) -> None:
    """Keep what was typed so far, unchecked; without values the draft goes. Raises Refused for more than 64 kB."""
    if len(json.dumps(values, ensure_ascii=False).encode("utf-8", "ignore")) > LARGEST_DRAFT:
        raise Refused(f"A draft holds at most {LARGEST_DRAFT // 1024} kB. Shorten what was typed.")
    session = current_session()
    draft = session.scalar(select(FormDraft).where(_draft_of(actor, form)))
    if not values:
        if draft is not None:
            session.delete(draft)
        return
    if draft is None:
        draft = FormDraft(owner=actor.key, organisation_id=actor.organisation_id, form=form, saved_at=now())
        session.add(draft)
    draft.values, draft.saved_at = dict(values), now()
