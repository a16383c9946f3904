"""What is said about an asset, to everyone involved or within one's own organisation, with its files (UC-02.01)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.assets.assets import RECORD, AssetId
from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import answer, here
from api.http.security import Caller
from models.assets import AssetMessage, Attachment, MessageKind
from services.assets.conversation.attachments import Upload, read_attachment
from services.assets.conversation.comments import Audience as Readers
from services.assets.conversation.comments import attach_files, comment_on_asset, conversation_of, involved
from services.assets.conversation.file_types import ALLOWED
from services.core.access_log import log_access
from services.core.errors import NotFound

router = APIRouter(tags=["Comments"], route_class=ExactRoute)
MessageId = Annotated[UUID, Path(alias="MessageId", description="The message's identifier.")]
FileName = Annotated[
    str, Query(alias="FileName", max_length=255, description="What the file is called. Its ending counts for nothing.")
]
BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


class AttachmentOut(BaseModel):
    """A file that came with a message."""

    AttachmentId: UUID
    FileName: str
    MediaType: str = Field(description="As judged by the file's content.")
    Size: int = Field(description="Bytes.")
    Sha256: str
    Href: str = Field(description="Where the file is.")


class CommentOut(BaseModel):
    """Something said about an asset."""

    MessageId: UUID
    Kind: MessageKind
    Audience: Readers = Field(description="Who reads it.")
    Text: str
    Author: str
    SentAt: datetime
    Attachments: list[AttachmentOut]


class Conversation(BaseModel):
    """Everything said about an asset that you may read, oldest first, and who everyone involved is."""

    items: list[CommentOut]
    involved: list[str] = Field(description="Who reads what is said to everyone involved, by name.")


class CommentBody(BaseModel):
    """A comment. Who reads it has no usual value: it is said each time."""

    model_config = ConfigDict(extra="forbid")

    Text: str = Field(max_length=5000, examples=["The network operator visits the site on Monday."])
    Audience: Readers


@router.get("/assets/{AssetId}/comments", summary="What was said", response_model=Conversation, responses=answers(404))
def list_comments(request: Request, caller: Caller, asset_id: AssetId) -> Response:
    """Questions, answers, decisions and comments. A note that another organisation keeps for itself is not among them."""
    said, names = conversation_of(caller, asset_id), involved(caller, asset_id)
    log_access(caller, "asset.comments", RECORD, asset_id)
    return answer({"items": [_message(request, one.message, one.files) for one in said], "involved": names})


@router.post(
    "/assets/{AssetId}/comments",
    status_code=201,
    summary="Comment on an asset",
    response_model=CommentOut,
    responses=answers(404, 413),
)
def comment(request: Request, caller: Caller, asset_id: AssetId, body: CommentBody) -> Response:
    """To everyone involved, or within your own organisation: then nobody else reads it, the FMAR administrator included."""
    message = comment_on_asset(caller, asset_id, body.Text, body.Audience)
    path = here(request, f"/v1/assets/{asset_id}/comments/{message.id}")
    return answer(_message(request, message, []), 201, location=path)


@router.get(
    "/assets/{AssetId}/comments/{MessageId}",
    summary="Read one message",
    response_model=CommentOut,
    responses=answers(404),
)
def read_comment(request: Request, caller: Caller, asset_id: AssetId, message_id: MessageId) -> Response:
    """One message about the asset, with its files."""
    for one in conversation_of(caller, asset_id):
        if one.message.id == message_id:
            log_access(caller, "asset.comments", RECORD, asset_id)
            return answer(_message(request, one.message, one.files))
    raise NotFound("message", message_id)


@router.post(
    "/assets/{AssetId}/comments/{MessageId}/attachments",
    status_code=201,
    summary="Attach a file",
    response_model=AttachmentOut,
    responses=answers(404, 413),
    openapi_extra={"requestBody": {"required": True, "description": f"The file itself: {ALLOWED}.", **BYTES}},
)
async def attach(
    request: Request, caller: Caller, asset_id: AssetId, message_id: MessageId, file_name: FileName
) -> Response:
    """The body is the file as it is. Files go with messages of your own organisation: answers and decisions, too.

    Whoever may read the message may read the file.
    """
    # The caller is known before a byte of the file is read.
    upload = Upload(file_name, await request.body())
    [kept] = await run_in_threadpool(attach_files, caller, message_id, [upload], asset_id=asset_id)
    return answer(_file(request, kept), 201, location=_href(request, kept))


@router.get(
    "/attachments/{AttachmentId}",
    summary="Read a file",
    response_class=Response,
    responses={200: {"description": "The file, to be saved.", **BYTES}, **answers(404, 409)},
)
def download(
    caller: Caller, attachment_id: Annotated[UUID, Path(alias="AttachmentId", description="The file's identifier.")]
) -> Response:
    """The file as it was handed in. 409 when it was altered in the database since."""
    file = read_attachment(caller, attachment_id)
    disposition = f"attachment; filename*=UTF-8''{quote(file.file_name)}"
    return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": disposition})


def _message(request: Request, message: AssetMessage, files: Sequence[Attachment]) -> dict[str, Any]:
    audience = Readers.EVERYONE if message.only_for is None else Readers.OWN_ORGANISATION
    return {
        "MessageId": message.id,
        "Kind": message.kind,
        "Audience": audience,
        "Text": message.text,
        "Author": message.author_name,
        "SentAt": message.sent_at,
        "Attachments": [_file(request, one) for one in files],
    }


def _file(request: Request, file: Attachment) -> dict[str, Any]:
    return {
        "AttachmentId": file.id,
        "FileName": file.file_name,
        "MediaType": file.media_type,
        "Size": file.size,
        "Sha256": file.sha256,
        "Href": _href(request, file),
    }


def _href(request: Request, file: Attachment) -> str:
    return here(request, f"/v1/attachments/{file.id}")
