"""Conversation on an application: messages with evidence, for everyone involved or one organisation (UC-04.02)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.events import EventType
from models.participants import Organisation
from models.qualifications import (
    Qualification,
    QualificationAttachment,
    QualificationAttachmentContent,
    QualificationMessage,
    SaidKind,
)
from services.core.conversation.definition import GOVERNING, Audience, Conversation, MessageWithFiles
from services.core.conversation.file_types import labels_of
from services.core.conversation.files import Download, Upload, read_file
from services.core.conversation.messages import add_files, post_comment, post_message, read_messages
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.lifecycle import emit_for_qualification
from services.market.qualification.reason_codes import require_words

EVIDENCE_TYPES = ("application/pdf", "image/png", "image/jpeg")
EVIDENCE_KINDS = labels_of(EVIDENCE_TYPES)
QualificationMessageWithFiles = MessageWithFiles[QualificationMessage, QualificationAttachment]


def _reach_application(actor: Actor, qualification_id: UUID) -> Qualification:
    return reach(Qualification, actor, qualification_id, "qualification.comment", lock=False)


QUALIFICATION_CONVERSATION: Conversation[Qualification, QualificationMessage, QualificationAttachment] = Conversation(
    subject=Qualification,
    message=QualificationMessage,
    file=QualificationAttachment,
    content=QualificationAttachmentContent,
    subject_key="qualification_id",
    comment_kind=SaidKind.COMMENT,
    comment_event=EventType.QUALIFICATION_SAID,
    reach=_reach_application,
    check_text=require_words,
    emit=emit_for_qualification,
    media_types=EVIDENCE_TYPES,
)


def add_message(
    actor: Actor,
    qualification: Qualification,
    kind: SaidKind,
    text: str,
    files: Sequence[Upload] = (),
    only_for: UUID | None = None,
) -> QualificationMessage:
    """Add a message to an application's conversation, with files; `only_for` keeps it within that organisation."""
    return post_message(QUALIFICATION_CONVERSATION, actor, qualification, kind, text, files, only_for)


@operation("UC-04.02", permission="qualification.comment", name="comment_on_application")
def comment_on_application(
    actor: Actor, qualification_id: UUID, text: str, audience: Audience, files: Sequence[Upload] = ()
) -> QualificationMessage:
    """Comment on an application, for everyone involved or within one's own organisation.

    A note within an organisation raises no event, and the ledger keeps a digest of it only: nobody else, the FMAR
    administrator included, reads it anywhere. Raises NotFound when unseen, Invalid without a text or for a file.
    """
    return post_comment(QUALIFICATION_CONVERSATION, actor, qualification_id, text, audience, files)


@operation("UC-04.02", permission="qualification.comment", name="attach_evidence")
def attach_evidence(
    actor: Actor, message_id: UUID, files: Sequence[Upload], *, qualification_id: UUID | None = None
) -> list[QualificationAttachment]:
    """Add files to a message of one's own organisation, for the readers that the message has.

    With `qualification_id`, the message must be on that application. Raises NotFound when the message may not be read,
    Forbidden for another organisation's, Invalid for a file.
    """
    return add_files(QUALIFICATION_CONVERSATION, actor, message_id, files, qualification_id)


@operation("UC-04.02", permission="qualification.read", writes=False, name="said_on_application")
def said_on_application(actor: Actor, qualification_id: UUID) -> list[QualificationMessageWithFiles]:
    """Messages on an application that the actor may read, oldest first, with their files. NotFound when unseen."""
    see(Qualification, actor, qualification_id)
    return read_messages(QUALIFICATION_CONVERSATION, actor, qualification_id)


@operation("UC-05.01", permission="qualification.read", name="read_evidence")
def read_evidence(actor: Actor, attachment_id: UUID) -> Download:
    """Read a file with its content; who took it is kept in the access log, so this operation writes.

    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    return read_file(QUALIFICATION_CONVERSATION, actor, attachment_id)


@operation("UC-04.02", permission="qualification.read", writes=False, name="involved_in_application")
def involved_in_application(actor: Actor, qualification_id: UUID) -> list[str]:
    """Names of those who may see an application: its FSP, its SO, the FMAR administrator."""
    qualification = see(Qualification, actor, qualification_id)
    name = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    parties = (qualification.service_provider_id, qualification.addressed_to)
    query = select(col(Organisation.id), name.label("name")).where(col(Organisation.id).in_(parties))
    names: dict[UUID, str] = {row.id: row.name for row in current_session().execute(query)}
    return [*(names[party] for party in parties), GOVERNING]
