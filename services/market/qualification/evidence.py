"""Files that come with messages on an application: PDF, PNG or JPEG, judged by content, read by whom the message is for."""

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

TAKEN = {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG"}
"""What evidence may be (UC-04.02)."""
EVIDENCE_KINDS = ", ".join(TAKEN.values())


def keep_evidence(message: QualificationMessage, files: Sequence[Upload]) -> list[QualificationAttachment]:
    """Keep files with a message, in the operation that says it, for the same readers.

    Raises Invalid with a finding for each file that is too large, empty, or none of the kinds that are taken.
    """
    if not files:
        return []
    session = current_session()
    there = session.scalar(
        select(func.count()).where(col(QualificationAttachment.message_id) == message.id)
    ) or 0  # fmt: skip
    require_takeable(files, there, TAKEN)
    kept = [_kept(message, file) for file in files]
    session.add_all(kept)
    session.flush()
    session.add_all(
        QualificationAttachmentContent(attachment_id=one.id, content=file.content)
        for one, file in zip(kept, files, strict=True)
    )
    session.flush()
    return kept


def _kept(message: QualificationMessage, file: Upload) -> QualificationAttachment:
    facts = facts_of(file)._asdict()
    return QualificationAttachment(
        qualification_id=message.qualification_id, message_id=message.id, only_for=message.only_for, **facts
    )


def files_of(actor: Actor, qualification_id: UUID) -> dict[UUID, list[QualificationAttachment]]:
    """The files that came with each message of an application, for those who may read it; inside an operation."""
    found: dict[UUID, list[QualificationAttachment]] = {}
    chosen = select(QualificationAttachment).where(
        col(QualificationAttachment.qualification_id) == qualification_id, visible(QualificationAttachment, actor)
    )
    for one in current_session().scalars(chosen.order_by(col(QualificationAttachment.id))):
        found.setdefault(one.message_id, []).append(one)
    return found


@operation("UC-05.01", permission="qualification.read", name="read_evidence")
def read_evidence(actor: Actor, attachment_id: UUID) -> Download:
    """A file with its content; who took it is kept in the access log, so this operation writes.

    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    file = see(QualificationAttachment, actor, attachment_id)
    # The access log is read by others: of a private file it tells no more than of reading the conversation.
    detail = None if file.only_for else {"attachment": str(file.id)}
    log_access(actor, "attachment.read", Qualification.record_type(), file.qualification_id, detail)
    content = current_session().get_one(QualificationAttachmentContent, file.id).content
    return handed_out(file.file_name, file.media_type, file.sha256, content)
