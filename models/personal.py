"""Personal working material: views of lists that somebody saved, and forms half filled."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from models.base import Json, Log, UtcDateTime, new_id


class SavedView(Log, table=True):
    """Filters and order of a list page under a name, for the person who saved them: no record, so outside the ledger."""

    __table_args__ = (UniqueConstraint("owner", "page", "name", name="saved_view_name"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    owner: str = Field(max_length=400)
    """Key of the person (`Actor.key`)."""
    page: str = Field(max_length=60)
    """Address of the page, without its parameters."""
    name: str = Field(max_length=60)
    query: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Parameters of the address: a list of texts by name."""
    pinned: bool = False
    """The page opens with it; one a page."""
    saved_at: datetime = Field(sa_type=UtcDateTime)


class FormDraft(Log, table=True):
    """A form half filled, kept for the person who fills it; assets have drafts of their own, which can be handed on."""

    __table_args__ = (Index("form_draft_by_owner", "owner", "form"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    owner: str = Field(max_length=400)
    """Key of the person (`Actor.key`)."""
    organisation_id: UUID | None = None
    """The organisation that it was filled in for; none for somebody who is about to register theirs."""
    form: str = Field(max_length=100)
    values: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    saved_at: datetime = Field(sa_type=UtcDateTime)
