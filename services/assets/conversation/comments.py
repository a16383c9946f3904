"""Conversation on an asset: comments and files, for everyone involved or one organisation, and who is involved (UC-02.01)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlmodel import col

from models.assets import Asset, AssetMessage, Attachment, AttachmentContent, MessageKind
from models.events import EventType
from models.participants import Organisation, OrganisationStatus
from services.core.conversation.definition import GOVERNING, Audience, Conversation, MessageWithFiles
from services.core.conversation.files import Download, Upload, read_file, read_thumbnails
from services.core.conversation.messages import add_files, post_comment, post_message, read_messages
from services.core.errors import Forbidden
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, within
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import operation
from services.core.text import require_statement
from services.core.transaction import current_session

NATIONAL = "System Operator"
AssetMessageWithFiles = MessageWithFiles[AssetMessage, Attachment]


def _reach_asset(actor: Actor, asset_id: UUID) -> Asset:
    asset = see(Asset, actor, asset_id)
    is_reached = select(col(Asset.id)).where(col(Asset.id) == asset.id, within(Asset, actor, "asset.comment"))
    if current_session().scalar(is_reached) is None:
        raise Forbidden("You may see this asset but not comment on it.")
    return asset


ASSET_CONVERSATION: Conversation[Asset, AssetMessage, Attachment] = Conversation(
    subject=Asset,
    message=AssetMessage,
    file=Attachment,
    content=AttachmentContent,
    subject_key="asset_id",
    comment_kind=MessageKind.COMMENT,
    comment_event=EventType.ASSET_COMMENTED,
    reach=_reach_asset,
    check_text=require_statement,
    emit=emit_for_asset,
)


def post_asset_message(
    actor: Actor, asset: Asset, kind: MessageKind, text: str, files: Sequence[Upload] = (), only_for: UUID | None = None
) -> AssetMessage:
    """Add a message to an asset's conversation, with files; `only_for` keeps it within that organisation."""
    return post_message(ASSET_CONVERSATION, actor, asset, kind, text, files, only_for)


@operation("UC-02.01", permission="asset.comment", name="comment_on_asset")
def comment_on_asset(
    actor: Actor, asset_id: UUID, text: str, audience: Audience, files: Sequence[Upload] = ()
) -> AssetMessage:
    """Comment on an asset, for everyone involved or within one's own organisation.

    A note within an organisation raises no event, and the ledger keeps a digest of it only: nobody else, the FMAR
    administrator included, reads it anywhere. Raises NotFound when unseen, Invalid without a text or for a file.
    """
    return post_comment(ASSET_CONVERSATION, actor, asset_id, text, audience, files)


@operation("UC-02.01", permission="asset.comment", name="attach_files")
def attach_files(
    actor: Actor, message_id: UUID, files: Sequence[Upload], *, asset_id: UUID | None = None
) -> list[Attachment]:
    """Add files to a message of one's own organisation, for the readers that the message has.

    With `asset_id`, the message must be about that asset. Raises NotFound when the message may not be read, Forbidden for
    another organisation's, Invalid for a file.
    """
    return add_files(ASSET_CONVERSATION, actor, message_id, files, asset_id)


@operation("UC-02.01", permission="asset.read", writes=False, name="conversation_of")
def conversation_of(actor: Actor, asset_id: UUID) -> list[AssetMessageWithFiles]:
    """Messages about an asset that the actor may read, oldest first, with their files. NotFound when unseen."""
    see(Asset, actor, asset_id)
    return messages_about(actor, asset_id)


def messages_about(actor: Actor, asset_id: UUID, until: datetime | None = None) -> list[AssetMessageWithFiles]:
    """Messages about an asset that the actor may see, inside an operation; those `until` a moment, if given."""
    return read_messages(ASSET_CONVERSATION, actor, asset_id, until)


@operation("UC-05.01", permission="asset.read", name="read_attachment")
def read_attachment(actor: Actor, attachment_id: UUID) -> Download:
    """Read a file with its content; who took it is kept in the access log, so this operation writes.

    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    return read_file(ASSET_CONVERSATION, actor, attachment_id)


@operation("UC-05.01", permission="asset.read", writes=False, name="small_pictures")
def small_pictures(actor: Actor, attachment_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Small PNG pictures of those of these files that are pictures and that the actor may read."""
    return read_thumbnails(ASSET_CONVERSATION, actor, attachment_ids)


@operation("UC-02.01", permission="asset.read", writes=False, name="involved")
def involved(actor: Actor, asset_id: UUID) -> list[str]:
    """Names of those who may see an asset: its FSP first, then owner, installer and operators, the FMAR administrator last."""
    return names_involved(see(Asset, actor, asset_id))


_PARTIES = ("service_provider_id", "organisation_id", "submitted_by_organisation")


_NAME = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))


def _list_contains(column: object, value: str) -> ColumnElement[bool]:
    """Condition that a stored list has this value."""
    return cast(column, String).contains(f'"{value}"', autoescape=True)


class _Party(NamedTuple):
    """An organisation that may see an asset; `is_national`: a system operator for all of Great Britain."""

    id: UUID
    name: str
    is_national: bool


def names_involved(asset: Asset) -> list[str]:
    """Names of those who may see an asset (`involved`), inside an operation, for an asset that the actor may see."""
    parties = [party for name in _PARTIES if (party := getattr(asset, name)) is not None]
    is_national = _list_contains(col(Organisation.organisation_roles), NATIONAL)
    reasons = [col(Organisation.id).in_(parties), is_national]
    if asset.dno_connection:
        reasons.append(_list_contains(col(Organisation.licence_areas), asset.dno_connection))
    active = col(Organisation.organisation_status) == OrganisationStatus.ACTIVE
    query = select(col(Organisation.id), _NAME, is_national.label("is_national")).where(active, or_(*reasons))
    order = {identifier: rank for rank, identifier in enumerate(parties)}
    readers = sorted(
        (_Party(*row) for row in current_session().execute(query)),
        key=lambda party: (order.get(party.id, len(parties)), bool(party.is_national), party.name),
    )
    return [*(party.name for party in readers), GOVERNING]
