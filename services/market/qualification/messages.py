"""Messages on an application: to everyone involved, or within one's own organisation (UC-04.02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.participants import Organisation
from models.qualifications import Qualification, QualificationAttachment, QualificationMessage, SaidKind
from services.assets.conversation.attachments import Upload
from services.assets.conversation.comments import GOVERNING, Audience
from services.core.clock import now
from services.core.errors import Forbidden, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.evidence import load_files_by_message, store_evidence
from services.market.qualification.lifecycle import emit_for_qualification
from services.market.qualification.reason_codes import require_words

SAID = "qualification.said"


@dataclass(frozen=True, slots=True)
class MessageWithFiles:
    """A message on an application, with the files that came with it."""

    message: QualificationMessage
    files: Sequence[QualificationAttachment]

    @property
    def audience(self) -> Audience:
        """The readers of the message. One for a single organisation is only ever shown to that one."""
        return Audience.EVERYONE if self.message.only_for is None else Audience.OWN_ORGANISATION


def add_message(
    actor: Actor,
    qualification: Qualification,
    kind: SaidKind,
    text: str,
    files: Sequence[Upload] = (),
    only_for: UUID | None = None,
) -> QualificationMessage:
    """Add a message under the actor's name, with files; `only_for` keeps it within that organisation."""
    message = QualificationMessage(
        qualification_id=qualification.id,
        kind=kind,
        text=text,
        author_name=actor.name,
        author_organisation_id=actor.organisation_id,
        sent_at=now(),
        only_for=only_for,
    )
    current_session().add(message)
    current_session().flush()
    store_evidence(message, files)
    return message


@operation("UC-04.02", permission="qualification.comment", name="comment_on_application")
def comment_on_application(
    actor: Actor, qualification_id: UUID, text: str, audience: Audience, files: Sequence[Upload] = ()
) -> QualificationMessage:
    """Comment on an application, for everyone involved or within one's own organisation.

    A note within an organisation raises no event, and the ledger keeps only a digest of it: nobody else, the FMAR
    administrator included, reads it anywhere. Raises NotFound when unseen, Invalid without a text or for a file.
    """
    qualification = reach(Qualification, actor, qualification_id, "qualification.comment", lock=False)
    comment = require_words("Text", text)
    only_for = None
    if audience is Audience.OWN_ORGANISATION:
        if actor.organisation_id is None:
            raise Forbidden("You act for no organisation: there is nobody to keep this note for.")
        only_for = actor.organisation_id
    message = add_message(actor, qualification, SaidKind.COMMENT, comment, files, only_for)
    _emit_message(actor, qualification, message, len(files))
    return message


@operation("UC-04.02", permission="qualification.comment", name="attach_evidence")
def attach_evidence(
    actor: Actor, message_id: UUID, files: Sequence[Upload], *, qualification_id: UUID | None = None
) -> list[QualificationAttachment]:
    """Add files to a message of one's own organisation, for the readers that the message has.

    With `qualification_id`, the message must be on that application. Raises NotFound when the message may not be read,
    Forbidden for another organisation's, Invalid for a file.
    """
    message = see(QualificationMessage, actor, message_id)
    if qualification_id is not None and qualification_id != message.qualification_id:
        raise NotFound("message", message_id)
    qualification = reach(Qualification, actor, message.qualification_id, "qualification.comment", lock=False)
    if message.author_organisation_id is None or message.author_organisation_id != actor.organisation_id:
        raise Forbidden("Files are added by the organisation that wrote the message. Send a comment with them instead.")
    attachments = store_evidence(message, files)
    _emit_message(actor, qualification, message, len(attachments))
    return attachments


def _emit_message(actor: Actor, qualification: Qualification, message: QualificationMessage, files: int) -> None:
    """Emit an event for those who see the application; none about a note within one organisation."""
    if message.only_for is None:
        subject = {"by": actor.name, "organisation": actor.organisation_name}
        emit_for_qualification(SAID, qualification, {**subject, "message": str(message.id), "files": files})


@operation("UC-04.02", permission="qualification.read", writes=False, name="said_on_application")
def said_on_application(actor: Actor, qualification_id: UUID) -> list[MessageWithFiles]:
    """List the messages on an application that the actor may read, oldest first, with files. Raises NotFound when unseen."""
    see(Qualification, actor, qualification_id)
    query = select(QualificationMessage).where(
        col(QualificationMessage.qualification_id) == qualification_id, visible(QualificationMessage, actor)
    )
    files = load_files_by_message(actor, qualification_id)
    messages = current_session().scalars(query.order_by(col(QualificationMessage.id)))
    return [MessageWithFiles(message, files.get(message.id, [])) for message in messages]


@operation("UC-04.02", permission="qualification.read", writes=False, name="involved_in_application")
def involved_in_application(actor: Actor, qualification_id: UUID) -> list[str]:
    """List the parties who may see an application, by name: its FSP, its SO, the FMAR administrator."""
    qualification = see(Qualification, actor, qualification_id)
    name = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    parties = (qualification.service_provider_id, qualification.addressed_to)
    rows = current_session().execute(select(col(Organisation.id), name).where(col(Organisation.id).in_(parties)))
    names: dict[UUID, str] = dict(rows.tuples().all())
    return [*(names[party] for party in parties), GOVERNING]
