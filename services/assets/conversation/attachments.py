"""Files that come with messages about an asset: kept with their digest, read by whoever may read the message (UC-02.01)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlmodel import col

from models.assets import Asset, AssetMessage, Attachment, AttachmentContent
from services.assets.conversation.file_types import ALLOWED, PICTURES, clean_name, kind_of, small_picture
from services.core.access_log import log_access
from services.core.db.statements import PreparedRecords
from services.core.errors import Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import View, see, view_of, visible
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_connection, current_session

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


def keep_files(actor: Actor, message: AssetMessage, files: Sequence[Upload]) -> list[Attachment]:
    """Keep files with a message, in the operation that says it, for the same readers.

    Raises Invalid with a finding for each file that is too large, empty, or none of the kinds that are taken.
    """
    if not files:
        return []
    session = current_session()
    there = list(session.scalars(select(col(Attachment.id)).where(col(Attachment.message_id) == message.id)))
    require_takeable(files, len(there))
    kept = [_kept(message, file) for file in files]
    session.add_all(kept)
    session.flush()
    session.add_all(
        AttachmentContent(attachment_id=one.id, content=file.content) for one, file in zip(kept, files, strict=True)
    )
    session.flush()
    return kept


def require_takeable(files: Sequence[Upload], there: int, only: Mapping[str, str] | None = None) -> None:
    """Raise Invalid with a finding for each file that can't be kept with a message that has `there` files already.

    `only`: the media types that are taken, with what people call them; without it every kind of `file_kinds`.
    """
    limit = int(setting("asset.attachment_max_mb"))
    findings = [found for file in files if (found := _problem(file, limit, only)) is not None]
    if there + len(files) > MOST_FILES:
        expected = f"At most {MOST_FILES} files with a message"
        findings.append(Finding("FILE-03", "Files", str(there + len(files)), expected, f"{expected}: send two."))
    if findings:
        raise Invalid(findings)


def _problem(file: Upload, limit_mb: int, only: Mapping[str, str] | None) -> Finding | None:
    name = file.name[:200]
    if len(file.content) > limit_mb * MB:
        size = f"{len(file.content) / MB:,.1f} MB"
        return Finding("FILE-01", "Files", size, f"At most {limit_mb} MB", f"{name} is larger than {limit_mb} MB.")
    kind = kind_of(file.content)
    if kind is None or (only is not None and kind.media_type not in only):
        message = f"{name} is none of the kinds of file that are taken, whatever its name says."
        allowed = ALLOWED if only is None else ", ".join(only.values())
        return Finding("FILE-02", "Files", name, f"One of {allowed}", message)
    return None


class FileFacts(NamedTuple):
    """What the record of a file says of it; its bytes stand elsewhere."""

    file_name: str
    media_type: str
    size: int
    sha256: str


def facts_of(file: Upload) -> FileFacts:
    """Of a file that `require_takeable` let through."""
    kind = kind_of(file.content)
    assert kind is not None, "looked at before"
    digest = hashlib.sha256(file.content).hexdigest()
    return FileFacts(clean_name(file.name, kind), kind.media_type, len(file.content), digest)


def _kept(message: AssetMessage, file: Upload) -> Attachment:
    facts = facts_of(file)._asdict()
    return Attachment(asset_id=message.asset_id, message_id=message.id, only_for=message.only_for, **facts)


def attachments_of(actor: Actor, asset_id: UUID) -> dict[UUID, list[Attachment]]:
    """The files that came with each message of an asset, for those who may read it; inside an operation."""
    view, seen = view_of(actor)
    found: dict[UUID, list[Attachment]] = {}
    for one in _of_asset(view).records(current_connection(), {**seen, "asset": asset_id}):
        found.setdefault(one.message_id, []).append(one)
    return found


@lru_cache(maxsize=100)
def _of_asset(view: View) -> PreparedRecords[Attachment]:
    of_asset = col(Attachment.asset_id) == bindparam("asset", type_=Uuid())
    return PreparedRecords(Attachment, of_asset, view.visible(Attachment), order=(col(Attachment.id),))


@operation("UC-05.01", permission="asset.read", name="read_attachment")
def read_attachment(actor: Actor, attachment_id: UUID) -> Download:
    """A file with its content; who took it is kept in the access log, so this operation writes.

    Raises NotFound when the actor may not read its message, Refused when the content is no longer what was handed in.
    """
    attachment = see(Attachment, actor, attachment_id)
    # The access log is read by others: of a private file it tells no more than of reading the conversation.
    detail = None if attachment.only_for else {"attachment": str(attachment.id)}
    log_access(actor, "attachment.read", Asset.record_type(), attachment.asset_id, detail)
    content = current_session().get_one(AttachmentContent, attachment.id).content
    return handed_out(attachment.file_name, attachment.media_type, attachment.sha256, content)


@operation("UC-05.01", permission="asset.read", writes=False, name="small_pictures")
def small_pictures(actor: Actor, attachment_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Small PNG pictures of those of these files that are pictures and that the actor may read."""
    wanted = (col(Attachment.id).in_(list(attachment_ids)), col(Attachment.media_type).in_(PICTURES))
    found = current_session().scalars(select(Attachment).where(*wanted, visible(Attachment, actor)))
    return {one.id: _small(one.id, one.sha256) for one in found}


@lru_cache(maxsize=256)
def _small(attachment_id: UUID, _digest: str) -> bytes:
    stored = current_session().get_one(AttachmentContent, attachment_id)
    return small_picture(stored.content)


def handed_out(file_name: str, media_type: str, sha256: str, content: bytes) -> Download:
    """A file as its record has it. Raises Refused when the content is no longer what was handed in."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused(
            f"{file_name} is not the file that was handed in: it was altered in the database. Tell the FMAR administrator."
        )
    return Download(file_name, media_type, content)
