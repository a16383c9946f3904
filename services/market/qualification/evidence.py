"""Evidence files of messages on an application: PDF, PNG or JPEG, judged by content, for the readers of the message."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.qualifications import (
    Qualification,
    QualificationAttachment,
    QualificationAttachmentContent,
    QualificationMessage,
)
from services.assets.conversation.attachments import Download, Upload, facts_of, handed_out, require_takeable
from services.core.access_log import log_access
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session

ACCEPTED_TYPES = {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG"}
"""The media types of evidence (UC-04.02)."""
EVIDENCE_KINDS = ", ".join(ACCEPTED_TYPES.values())


def store_evidence(message: QualificationMessage, files: Sequence[Upload]) -> list[QualificationAttachment]:
    """Store files with a message, in the operation that sends it, for the same readers.

    Raises Invalid with a finding for each file that is too large, empty, or of a type that isn't accepted.
    """
    if not files:
        return []
    session = current_session()
    stored_count = session.scalar(
        select(func.count()).where(col(QualificationAttachment.message_id) == message.id)
    ) or 0  # fmt: skip
    require_takeable(files, stored_count, ACCEPTED_TYPES)
    attachments = [_build_attachment(message, file) for file in files]
    session.add_all(attachments)
    session.flush()
    session.add_all(
        QualificationAttachmentContent(attachment_id=attachment.id, content=file.content)
        for attachment, file in zip(attachments, files, strict=True)
    )
    session.flush()
    return attachments


def _build_attachment(message: QualificationMessage, file: Upload) -> QualificationAttachment:
    facts = facts_of(file)._asdict()
    return QualificationAttachment(
        qualification_id=message.qualification_id, message_id=message.id, only_for=message.only_for, **facts
    )


def load_files_by_message(actor: Actor, qualification_id: UUID) -> dict[UUID, list[QualificationAttachment]]:
    """Load the files of an application that the actor may read, by message; inside an operation."""
    files: dict[UUID, list[QualificationAttachment]] = {}
    query = select(QualificationAttachment).where(
        col(QualificationAttachment.qualification_id) == qualification_id, visible(QualificationAttachment, actor)
    )
    for attachment in current_session().scalars(query.order_by(col(QualificationAttachment.id))):
        files.setdefault(attachment.message_id, []).append(attachment)
    return files


@operation("UC-05.01", permission="qualification.read", name="read_evidence")
def read_evidence(actor: Actor, attachment_id: UUID) -> Download:
    """Return a file with its content; the access log keeps who read it, so this operation writes.


    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    file = see(QualificationAttachment, actor, attachment_id)
    # Others read the access log: of a private file it keeps no more than that the conversation was read.
    detail = None if file.only_for else {"attachment": str(file.id)}
    log_access(actor, "attachment.read", Qualification.record_type(), file.qualification_id, detail)
    content = current_session().get_one(QualificationAttachmentContent, file.id).content
    return handed_out(file.file_name, file.media_type, file.sha256, content)
