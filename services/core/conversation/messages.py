"""Messages of a conversation: written for everyone involved or within one organisation, read by their audience.

A note within an organisation raises no event, and the ledger keeps a digest of it only: nobody else, the FMAR
administrator included, reads it anywhere. Everything here runs inside an operation of the area that the subject is of.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.core.clock import now
from services.core.conversation.definition import (
    Audience,
    Conversation,
    F,
    FileRecord,
    M,
    MessageRecord,
    MessageWithFiles,
    S,
)
from services.core.conversation.files import Upload, files_by_message, store_files
from services.core.errors import Forbidden, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.transaction import current_session


def post_message(
    conversation: Conversation[S, M, F],
    actor: Actor,
    subject: S,
    kind: StrEnum,
    text: str,
    files: Sequence[Upload] = (),
    only_for: UUID | None = None,
) -> M:
    """Add a message under the actor's name, with files; `only_for` keeps it within that organisation."""
    table: Any = conversation.message
    message: M = table(
        **{conversation.subject_key: subject.id},
        kind=kind,
        text=text,
        author_name=actor.name,
        author_organisation_id=actor.organisation_id,
        sent_at=now(),
        only_for=only_for,
    )
    current_session().add(message)
    current_session().flush()
    store_files(conversation, message, files)
    return message


def post_comment(
    conversation: Conversation[S, M, F],
    actor: Actor,
    subject_id: UUID,
    text: str,
    audience: Audience,
    files: Sequence[Upload] = (),
) -> M:
    """Add a comment, for everyone involved or within the actor's own organisation.

    Raises NotFound when the subject is unseen, Forbidden where the actor may not write, Invalid without a text or for a file.
    """
    subject = conversation.reach(actor, subject_id)
    tidy_text = conversation.check_text("Text", text)
    only_for = None
    if audience is Audience.OWN_ORGANISATION:
        if actor.organisation_id is None:
            raise Forbidden("You act for no organisation: there is nobody to keep this note for.")
        only_for = actor.organisation_id
    message = post_message(conversation, actor, subject, conversation.comment_kind, tidy_text, files, only_for)
    _emit_comment(conversation, actor, subject, message, len(files))
    return message


def add_files(
    conversation: Conversation[S, M, F],
    actor: Actor,
    message_id: UUID,
    files: Sequence[Upload],
    subject_id: UUID | None = None,
) -> list[F]:
    """Add files to a message of the actor's own organisation, for the readers that the message has.

    With `subject_id`, the message must be about that subject. Raises NotFound when the message may not be read, Forbidden
    for another organisation's, Invalid for a file.
    """
    table: Any = conversation.message
    message: M = see(table, actor, message_id)
    own_subject_id: UUID = getattr(message, conversation.subject_key)
    if subject_id is not None and subject_id != own_subject_id:
        raise NotFound("message", message_id)
    subject = conversation.reach(actor, own_subject_id)
    if message.author_organisation_id is None or message.author_organisation_id != actor.organisation_id:
        raise Forbidden("Files are added by the organisation that wrote the message. Send a comment with them instead.")
    stored = store_files(conversation, message, files)
    _emit_comment(conversation, actor, subject, message, len(stored))
    return stored


def _emit_comment(
    conversation: Conversation[S, Any, Any], actor: Actor, subject: S, message: MessageRecord, files: int
) -> None:
    """Write an event for those who see the subject; none about what only one organisation may know."""
    if message.only_for is None:
        payload = {
            "by": actor.name,
            "organisation": actor.organisation_name,
            "message": str(message.id),
            "files": files,
        }
        conversation.emit(conversation.comment_event, subject, payload)


def read_messages(
    conversation: Conversation[Any, M, F], actor: Actor, subject_id: UUID, until: datetime | None = None
) -> list[MessageWithFiles[M, F]]:
    """Messages about a subject that the actor may read, oldest first, with their files; those `until` a moment, if given.

    The caller has seen to it that the actor may see the subject.
    """
    model: Any = conversation.message
    query = select(model).where(col(getattr(model, conversation.subject_key)) == subject_id, visible(model, actor))
    rows = current_session().scalars(query.order_by(col(model.id))).all()
    files = files_by_message(conversation, actor, subject_id)
    return [
        MessageWithFiles(message, [file for file in files.get(message.id, []) if until is None or _before(file, until)])
        for message in rows
        if until is None or message.sent_at <= until
    ]


def _before(file: FileRecord, moment: datetime) -> bool:
    return file.recorded_at is not None and file.recorded_at <= moment
