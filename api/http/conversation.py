"""Messages and files of a conversation over HTTP: the schemas and answers that assets and applications share."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import Field

from api.http.files import download_headers
from api.http.responses import here
from api.http.schemas import AnswerSchema
from services.core.conversation.definition import Audience, FileRecord, MessageRecord, audience_of
from services.core.conversation.files import Download

KindT = TypeVar("KindT", bound=StrEnum)
MessageT = TypeVar("MessageT", bound=AnswerSchema)
MessageId = Annotated[UUID, Path(alias="MessageId", description="The message's identifier.")]
AttachmentId = Annotated[UUID, Path(alias="AttachmentId", description="The file's identifier.")]
FileName = Annotated[
    str, Query(alias="FileName", max_length=255, description="What the file is called. Its ending counts for nothing.")
]
BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
FILE_ANSWER: dict[int | str, dict[str, Any]] = {200: {"description": "The file, to be saved.", **BYTES}}


class AttachmentOut(AnswerSchema):
    """A file that came with a message."""

    id: UUID = Field(serialization_alias="AttachmentId")
    file_name: str
    media_type: str = Field(description="As judged by the file's content.")
    size: int = Field(description="Bytes.")
    sha256: str
    href: str = Field(description="Where the file is.")


class MessageFields(AnswerSchema, Generic[KindT]):
    """A message of any conversation; each kind of conversation has its own kinds of message."""

    id: UUID = Field(serialization_alias="MessageId")
    kind: KindT
    audience: Audience = Field(description="Who reads it.")
    text: str
    author_name: str = Field(serialization_alias="Author")
    sent_at: datetime
    attachments: list[AttachmentOut]


def message_out(
    schema: type[MessageT], request: Request, message: MessageRecord, files: Sequence[FileRecord], files_path: str
) -> MessageT:
    """A message with its readers and files; `files_path` is the path under which files are read."""
    attachments = [file_out(request, file, files_path) for file in files]
    return schema.from_record(message, audience=audience_of(message), attachments=attachments)


def file_out(request: Request, file: FileRecord, files_path: str) -> AttachmentOut:
    """A file with the path of its content."""
    return AttachmentOut.from_record(file, href=here(request, f"{files_path}/{file.id}"))


def file_response(file: Download) -> Response:
    """The bytes of a file, to be saved under its name."""
    return Response(file.content, media_type=file.media_type, headers=download_headers(file.file_name))
