"""Files that come with messages on an application: PDF, PNG or JPEG, judged by content, read by whom the message is for."""

import hashlib
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
from services.assets.attachments import MB, MOST_FILES, Download, Upload
from services.assets.file_kinds import clean_name, kind_of
from services.core.access_log import log_access
from services.core.actor import Actor
from services.core.errors import Finding, Invalid, Refused
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.core.visibility import see, visible

TAKEN = ("application/pdf", "image/png", "image/jpeg")
ALLOWED_HERE = "PDF, PNG, JPEG"
SIZE_SETTING = "asset.attachment_max_mb"


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
    limit = int(setting(SIZE_SETTING))
    findings = [found for file in files if (found := _problem(file, limit)) is not None]
    if there + len(files) > MOST_FILES:
        expected = f"At most {MOST_FILES} files with a message"
        findings.append(Finding("FILE-03", "Files", str(there + len(files)), expected, f"{expected}: send two."))
    if findings:
        raise Invalid(findings)
    kept = [_kept(message, file) for file in files]
    session.add_all(kept)
    session.flush()
    session.add_all(
        QualificationAttachmentContent(attachment_id=one.id, content=file.content)
        for one, file in zip(kept, files, strict=True)
    )
    session.flush()
    return kept


def _problem(file: Upload, limit_mb: int) -> Finding | None:
    name = file.name[:200]
    if len(file.content) > limit_mb * MB:
        size = f"{len(file.content) / MB:,.1f} MB"
        return Finding("FILE-01", "Files", size, f"At most {limit_mb} MB", f"{name} is larger than {limit_mb} MB.")
    kind = kind_of(file.content)
    if kind is None or kind.media_type not in TAKEN:
        message = f"{name} is none of the kinds of file that are taken, whatever its name says."
        return Finding("FILE-02", "Files", name, f"One of {ALLOWED_HERE}", message)
    return None


def _kept(message: QualificationMessage, file: Upload) -> QualificationAttachment:
    kind = kind_of(file.content)
    assert kind is not None, "looked at before"
    return QualificationAttachment(
        qualification_id=message.qualification_id,
        message_id=message.id,
        file_name=clean_name(file.name, kind),
        media_type=kind.media_type,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        only_for=message.only_for,
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


@operation("UC-05.01", permission="qualification.read")
def read_evidence(actor: Actor, attachment_id: UUID) -> Download:
    """A file with its content; who took it is kept in the access log, so this operation writes.

    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    file = see(QualificationAttachment, actor, attachment_id)
    # The access log is read by others: of a private file it tells no more than of reading the conversation.
    detail = None if file.only_for else {"attachment": str(file.id)}
    log_access(actor, "attachment.read", Qualification.record_type(), file.qualification_id, detail)
    content = current_session().get_one(QualificationAttachmentContent, file.id).content
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Refused(
            f"{file.file_name} is not the file that was handed in: it was altered in the database. Tell the FMAR "
            "administrator."
        )
    return Download(file.file_name, file.media_type, content)
