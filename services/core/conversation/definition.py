"""Conversations on records: the description of one kind, and what its messages and files have in common.

Messages and files of each kind have tables of their own. An area describes its kind once (`Conversation`), and its
operations, with their permissions and use cases, call `services.core.conversation.messages` and `files`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from models.base import Recorded
from services.core.conversation.file_types import KINDS
from services.core.identity.actor import Actor

GOVERNING = "FMAR administrator"
"""The name of the governing party among those involved."""


class Audience(StrEnum):
    """Readers of a message: everyone involved with its subject, or the writer's own organisation alone."""

    EVERYONE = "EVERYONE"
    OWN_ORGANISATION = "OWN_ORGANISATION"


class MessageRecord(Protocol):
    """A message as every kind of conversation keeps it. `only_for`: the organisation that alone may read it."""

    id: UUID
    text: str
    author_name: str
    author_organisation_id: UUID | None
    sent_at: datetime
    only_for: UUID | None

    @property
    def kind(self) -> StrEnum:
        """The kind of message: a question, an answer, a decision, a comment."""
        ...


class FileRecord(Protocol):
    """A file of a message as every kind of conversation keeps it; `only_for` is that of its message."""

    id: UUID
    message_id: UUID
    file_name: str
    media_type: str
    size: int
    sha256: str
    only_for: UUID | None
    recorded_at: datetime | None


S = TypeVar("S", bound=Recorded)
M = TypeVar("M", bound=MessageRecord)
F = TypeVar("F", bound=FileRecord)


@dataclass(frozen=True, eq=False, slots=True)
class Conversation(Generic[S, M, F]):
    """One kind of conversation: its tables, who may write in it, and the files that it takes.

    `subject_key` is the column of messages and files that names the subject. `reach` finds a subject that the actor may
    write about, or raises NotFound or Forbidden. `check_text` tidies a comment or raises Invalid; `emit` writes an event
    about the subject for those who see it. `content` holds a file's bytes under `attachment_id`.
    """

    subject: type[S]
    message: type[M]
    file: type[F]
    content: type[Any]
    subject_key: str
    comment_kind: StrEnum
    comment_event: str
    reach: Callable[[Actor, UUID], S]
    check_text: Callable[[str, str], str]
    emit: Callable[[str, S, dict[str, Any]], object]
    media_types: Sequence[str] = tuple(KINDS)


@dataclass(frozen=True, slots=True)
class MessageWithFiles(Generic[M, F]):
    """A message with the files that came with it."""

    message: M
    files: Sequence[F]

    @property
    def audience(self) -> Audience:
        """The message's readers. A note within an organisation is only ever shown to that organisation."""
        return audience_of(self.message)


def audience_of(message: MessageRecord) -> Audience:
    """The readers of a message."""
    return Audience.EVERYONE if message.only_for is None else Audience.OWN_ORGANISATION
