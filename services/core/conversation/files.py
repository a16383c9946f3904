"""Files of messages: checked by content, stored with their digest, read by whoever may read the message (UC-02.01)."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from services.core.access_log import log_access
from services.core.conversation.definition import Conversation, F, MessageRecord
from services.core.conversation.file_types import PICTURES, clean_name, kind_of, labels_of, make_thumbnail
from services.core.errors import Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.register_settings import setting
from services.core.transaction import current_session

log = logging.getLogger("fmar.files")
MOST_FILES = 10
"""With one message."""
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was handed in: what its sender calls it, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it is handed out."""

    file_name: str
    media_type: str
    content: bytes


class _FileFacts(NamedTuple):
    """The facts that a file's record keeps; its bytes stand in a table of their own."""

    file_name: str
    media_type: str
    size: int
    sha256: str


def largest_file_mb() -> int:
    """The setting asset.attachment_max_mb, for files of every kind of conversation; inside an operation."""
    return int(setting("asset.attachment_max_mb"))


def store_files(conversation: Conversation[Any, Any, F], message: MessageRecord, uploads: Sequence[Upload]) -> list[F]:
    """Store files with a message, for the same readers, in the operation that writes it.

    Raises Invalid with a finding for each file that is too large, empty, or none of the kinds that are taken.
    """
    if not uploads:
        return []
    session, model = current_session(), conversation.file
    table: Any = model
    stored = session.scalar(select(func.count()).where(col(table.message_id) == message.id)) or 0
    check_files(uploads, stored, conversation.media_types)
    inherited = {
        conversation.subject_key: getattr(message, conversation.subject_key),
        "message_id": message.id,
        "only_for": message.only_for,
    }
    files: list[F] = [table(**inherited, **_facts_of(upload)._asdict()) for upload in uploads]
    session.add_all(files)
    session.flush()
    session.add_all(
        conversation.content(attachment_id=file.id, content=upload.content)
        for file, upload in zip(files, uploads, strict=True)
    )
    session.flush()
    return files


def check_files(uploads: Sequence[Upload], stored: int, media_types: Sequence[str]) -> None:
    """Raise Invalid with a finding for each file that can't be stored with a message that has `stored` files already."""
    limit = largest_file_mb()
    findings = [finding for upload in uploads if (finding := _check_file(upload, limit, media_types)) is not None]
    if stored + len(uploads) > MOST_FILES:
        expected = f"At most {MOST_FILES} files with a message"
        findings.append(Finding("FILE-03", "Files", str(stored + len(uploads)), expected, f"{expected}: send two."))
    if findings:
        raise Invalid(findings)


def _check_file(upload: Upload, limit_mb: int, media_types: Sequence[str]) -> Finding | None:
    name = upload.name[:200]
    if len(upload.content) > limit_mb * MB:
        size = f"{len(upload.content) / MB:,.1f} MB"
        return Finding("FILE-01", "Files", size, f"At most {limit_mb} MB", f"{name} is larger than {limit_mb} MB.")
    kind = kind_of(upload.content)
    if kind is None or kind.media_type not in media_types:
        message = f"{name} is none of the kinds of file that are taken, whatever its name says."
        return Finding("FILE-02", "Files", name, f"One of {labels_of(media_types)}", message)
    return None


def _facts_of(upload: Upload) -> _FileFacts:
    """The facts of a file that `check_files` let through."""
    kind = kind_of(upload.content)
    assert kind is not None, "checked before"
    digest = hashlib.sha256(upload.content).hexdigest()
    return _FileFacts(clean_name(upload.name, kind), kind.media_type, len(upload.content), digest)


def files_by_message(conversation: Conversation[Any, Any, F], actor: Actor, subject_id: UUID) -> dict[UUID, list[F]]:
    """The files of each message about a subject that the actor may read, by message; inside an operation."""
    model: Any = conversation.file
    query = select(model).where(col(getattr(model, conversation.subject_key)) == subject_id, visible(model, actor))
    by_message: dict[UUID, list[F]] = {}
    for file in current_session().scalars(query.order_by(col(model.id))):
        by_message.setdefault(file.message_id, []).append(file)
    return by_message


def read_file(conversation: Conversation[Any, Any, Any], actor: Actor, file_id: UUID) -> Download:
    """Read a file with its content; inside an operation that writes, since the access log keeps who took it.

    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    file = see(conversation.file, actor, file_id)
    # The access log is read by others: of a private file it tells no more than of reading the conversation.
    detail = None if file.only_for else {"attachment": str(file.id)}
    subject_id = getattr(file, conversation.subject_key)
    log_access(actor, "attachment.read", conversation.subject.record_type(), subject_id, detail)
    content: bytes = current_session().get_one(conversation.content, file.id).content
    if hashlib.sha256(content).hexdigest() != file.sha256:
        log.error("Attachment %s is not the file that was handed in: its digest differs", file.id)
        raise Refused(
            f"{file.file_name} is not the file that was handed in: it was altered in the database. Tell the FMAR administrator."
        )
    return Download(file.file_name, file.media_type, content)


def read_thumbnails(
    conversation: Conversation[Any, Any, Any], actor: Actor, file_ids: Iterable[UUID]
) -> dict[UUID, bytes]:
    """Small PNG pictures of those of these files that are pictures and that the actor may read; inside an operation."""
    model = conversation.file
    pictures = (col(model.id).in_(list(file_ids)), col(model.media_type).in_(PICTURES), visible(model, actor))
    files = current_session().scalars(select(model).where(*pictures))
    return {file.id: _thumbnail(conversation, file.id, file.sha256) for file in files}


@lru_cache(maxsize=256)
def _thumbnail(conversation: Conversation[Any, Any, Any], file_id: UUID, _digest: str) -> bytes:
    return make_thumbnail(current_session().get_one(conversation.content, file_id).content)
