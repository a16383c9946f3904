"""Messages and files of a conversation over HTTP: the schemas and answers that assets and applications share."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.http.responses import here
from services.core.conversation.definition import Audience as Readers
from services.core.conversation.definition import FileRecord, MessageRecord, audience_of
from services.core.conversation.files import Download

KindT = TypeVar("KindT", bound=StrEnum)
MessageId = Annotated[UUID, Path(alias="MessageId", description="The message's identifier.")]
AttachmentId = Annotated[UUID, Path(alias="AttachmentId", description="The file's identifier.")]
FileName = Annotated[
    str, Query(alias="FileName", max_length=255, description="What the file is called. Its ending counts for nothing.")
]
BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
FILE_ANSWER: dict[int | str, dict[str, Any]] = {200: {"description": "The file, to be saved.", **BYTES}}


class AttachmentOut(BaseModel):
    """A file that came with a message."""

    AttachmentId: UUID
    FileName: str
    MediaType: str = Field(description="As judged by the file's content.")
    Size: int = Field(description="Bytes.")
    Sha256: str
    Href: str = Field(description="Where the file is.")


class MessageFields(BaseModel, Generic[KindT]):
    """A message of any conversation; each kind of conversation has its own kinds of message."""

    MessageId: UUID
    Kind: KindT
    Audience: Readers = Field(description="Who reads it.")
    Text: str
    Author: str
    SentAt: datetime
    Attachments: list[AttachmentOut]


def message_out(
    request: Request, message: MessageRecord, files: Sequence[FileRecord], files_path: str
) -> dict[str, Any]:
    """A message as answered; `files_path` is the path under which its files are read."""
    return {
        "MessageId": message.id,
        "Kind": message.kind,
        "Audience": audience_of(message),
        "Text": message.text,
        "Author": message.author_name,
        "SentAt": message.sent_at,
        "Attachments": [file_out(request, file, files_path) for file in files],
    }


def file_out(request: Request, file: FileRecord, files_path: str) -> dict[str, Any]:
    """A file as answered."""
    return {
        "AttachmentId": file.id,
        "FileName": file.file_name,
        "MediaType": file.media_type,
        "Size": file.size,
        "Sha256": file.sha256,
        "Href": here(request, f"{files_path}/{file.id}"),
    }


def file_response(file: Download) -> Response:
    """The bytes of a file, to be saved under its name."""
    disposition = f"attachment; filename*=UTF-8''{quote(file.file_name)}"
    return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": disposition})
