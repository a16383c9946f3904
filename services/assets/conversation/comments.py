"""Comments on an asset, for everyone involved or for one's own organisation only, and who everyone is (UC-02.01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, String, Uuid, bindparam, cast, func, or_, select
from sqlmodel import col

from models.assets import Asset, AssetMessage, Attachment, MessageKind
from models.participants import Organisation, OrganisationStatus
from services.assets.conversation.attachments import Upload, attachments_of, keep_files
from services.assets.conversation.messages import say
from services.core.db.statements import Prepared, PreparedRecords
from services.core.errors import Forbidden, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import View, see, view_of, within
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import operation
from services.core.text import text_given
from services.core.transaction import current_connection, current_session

COMMENTED = "asset.commented"
NATIONAL = "System Operator"
GOVERNING = "FMAR administrator"


class Audience(StrEnum):
    """Who reads a comment: everyone involved with the asset, or the writer's own organisation alone."""

    EVERYONE = "EVERYONE"
    OWN_ORGANISATION = "OWN_ORGANISATION"


@dataclass(frozen=True, slots=True)
class Said:
    """A message with the files that came with it."""

    message: AssetMessage
    files: Sequence[Attachment]

    @property
    def audience(self) -> Audience:
        """Who reads it. One that is for an organisation alone is only ever shown to that one."""
        return Audience.EVERYONE if self.message.only_for is None else Audience.OWN_ORGANISATION


@operation("UC-02.01", permission="asset.comment", name="comment_on_asset")
def comment_on_asset(
    actor: Actor, asset_id: UUID, text: str, audience: Audience, files: Sequence[Upload] = ()
) -> AssetMessage:
    """Say something about an asset, to everyone involved or within one's own organisation.

    A note within an organisation raises no event, and the ledger keeps a digest of it only: nobody else, the FMAR
    administrator included, reads it anywhere. Raises NotFound when unseen, Invalid without a text or for a file.
    """
    asset = see(Asset, actor, asset_id)
    _require_reach(actor, asset)
    said = text_given("Text", text)
    only_for = None
    if audience is Audience.OWN_ORGANISATION:
        if actor.organisation_id is None:
            raise Forbidden("You act for no organisation: there is nobody to keep this note for.")
        only_for = actor.organisation_id
    message = say(actor, asset, MessageKind.COMMENT, said, only_for)
    kept = keep_files(actor, message, files)
    _tell(actor, asset, message, len(kept))
    return message


@operation("UC-02.01", permission="asset.comment", name="attach_files")
def attach_files(
    actor: Actor, message_id: UUID, files: Sequence[Upload], *, asset_id: UUID | None = None
) -> list[Attachment]:
    """Add files to a message of one's own organisation, for the readers that the message has.

    With `asset_id`, the message must be about that asset. Raises NotFound when the message may not be read, Forbidden for
    another organisation's, Invalid for a file.
    """
    message = see(AssetMessage, actor, message_id)
    if asset_id is not None and asset_id != message.asset_id:
        raise NotFound("message", message_id)
    asset = see(Asset, actor, message.asset_id)
    _require_reach(actor, asset)
    if message.author_organisation_id is None or message.author_organisation_id != actor.organisation_id:
        raise Forbidden("Files are added by the organisation that wrote the message. Send a comment with them instead.")
    kept = keep_files(actor, message, files)
    _tell(actor, asset, message, len(kept))
    return kept


def _require_reach(actor: Actor, asset: Asset) -> None:
    reached = select(col(Asset.id)).where(col(Asset.id) == asset.id, within(Asset, actor, "asset.comment"))
    if current_session().scalar(reached) is None:
        raise Forbidden("You may see this asset but not comment on it.")


def _tell(actor: Actor, asset: Asset, message: AssetMessage, files: int) -> None:
    """An event for those who see the asset; none about what only one organisation may know."""
    if message.only_for is None:
        told = {"by": actor.name, "organisation": actor.organisation_name, "message": str(message.id), "files": files}
        emit_for_asset(COMMENTED, asset, told)


@operation("UC-02.01", permission="asset.read", writes=False, name="conversation_of")
def conversation_of(actor: Actor, asset_id: UUID) -> list[Said]:
    """Everything said about an asset that the actor may read, oldest first, with its files. NotFound when unseen."""
    see(Asset, actor, asset_id)
    return said_about(actor, asset_id)


def said_about(actor: Actor, asset_id: UUID, until: datetime | None = None) -> list[Said]:
    """The same inside an operation that has seen to it that the actor may see the asset; what was said `until` a moment."""
    view, seen = view_of(actor)
    messages = _messages(view).records(current_connection(), {**seen, "asset": asset_id})
    files = attachments_of(actor, asset_id)
    return [
        Said(message, [one for one in files.get(message.id, []) if until is None or _before(one, until)])
        for message in messages
        if until is None or message.sent_at <= until
    ]


@lru_cache(maxsize=100)
def _messages(view: View) -> PreparedRecords[AssetMessage]:
    of_asset = col(AssetMessage.asset_id) == bindparam("asset", type_=Uuid())
    return PreparedRecords(AssetMessage, of_asset, view.visible(AssetMessage), order=(col(AssetMessage.id),))


def _before(attachment: Attachment, moment: datetime) -> bool:
    return attachment.recorded_at is not None and attachment.recorded_at <= moment


@operation("UC-02.01", permission="asset.read", writes=False, name="involved")
def involved(actor: Actor, asset_id: UUID) -> list[str]:
    """Who may see an asset, by name: its FSP first, then owner, installer and operators, the FMAR administrator last."""
    return names_involved(see(Asset, actor, asset_id))


_PARTIES = ("service_provider_id", "organisation_id", "submitted_by_organisation")


def _lists(column: object, name: str) -> ColumnElement[bool]:
    return cast(column, String).like(bindparam(name, type_=String()), escape="/")


_INVOLVED = Prepared(
    select(
        col(Organisation.id),
        func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name)),
        _lists(col(Organisation.organisation_roles), "national").label("is_national"),
    ).where(
        col(Organisation.organisation_status) == bindparam("active", OrganisationStatus.ACTIVE),
        or_(
            col(Organisation.id).in_([bindparam(name, type_=Uuid()) for name in _PARTIES]),
            _lists(col(Organisation.organisation_roles), "national"),
            _lists(col(Organisation.licence_areas), "area"),
        ),
    )
)


def names_involved(asset: Asset) -> list[str]:
    """The same inside an operation, for an asset that the actor may see."""
    parties = {name: getattr(asset, name) for name in _PARTIES}
    area = asset.dno_connection and _listing(asset.dno_connection)
    found = _INVOLVED.all(current_connection(), {**parties, "national": _listing(NATIONAL), "area": area})
    order = {identifier: place for place, identifier in enumerate(parties.values()) if identifier is not None}
    found.sort(key=lambda row: (order.get(row[0], len(parties)), bool(row[2]), row[1]))
    return [*(row[1] for row in found), GOVERNING]


def _listing(value: str) -> str:
    """The pattern of a list, as it is kept, that has this value."""
    escaped = value.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f'%"{escaped}"%'
