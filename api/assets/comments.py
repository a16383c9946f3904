"""Conversation on an asset: messages and files, for everyone involved or within one's own organisation (UC-02.01)."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.assets.assets import RECORD, AssetId
from api.http.conversation import (
    BYTES,
    FILE_ANSWER,
    AttachmentId,
    AttachmentOut,
    FileName,
    MessageFields,
    MessageId,
    file_out,
    file_response,
    message_out,
)
from api.http.decimal_json import ExactRoute
from api.http.file_work import place_in_queue, work_on_file
from api.http.middleware import LARGEST_FILE
from api.http.problems import answers
from api.http.responses import answer, here
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from models.assets import AssetMessage, Attachment, MessageKind
from services.assets.conversation import comments
from services.assets.conversation.comments import conversation_of, involved, read_attachment
from services.core.access_log import log_access
from services.core.conversation.definition import Audience
from services.core.conversation.file_types import KINDS, labels_of
from services.core.conversation.files import Upload
from services.core.errors import NotFound

router = APIRouter(tags=["Comments"], route_class=ExactRoute)
FILES = "/v1/attachments"
ALLOWED = labels_of(KINDS)


class CommentOut(MessageFields[MessageKind]):
    """Something said about an asset."""


class Conversation(AnswerSchema):
    """Everything said about an asset that you may read, oldest first, and who everyone involved is."""

    items: list[CommentOut]
    involved: list[str] = Field(description="Who reads what is said to everyone involved, by name.")


class CommentBody(RequestSchema):
    """A comment. Who reads it has no usual value: it is said each time."""

    text: str = Field(max_length=5000, examples=["The network operator visits the site on Monday."])
    audience: Audience


@router.get("/assets/{AssetId}/comments", summary="What was said", response_model=Conversation, responses=answers(404))
def list_comments(request: Request, caller: Caller, asset_id: AssetId) -> Response:
    """Questions, answers, decisions and comments. A note that another organisation keeps for itself is not among them."""
    messages, names = conversation_of(caller, asset_id), involved(caller, asset_id)
    log_access(caller, "asset.comments", RECORD, asset_id)
    return answer({"items": [_comment(request, row.message, row.files) for row in messages], "involved": names})


@router.post(
    "/assets/{AssetId}/comments",
    status_code=201,
    summary="Comment on an asset",
    response_model=CommentOut,
    responses=answers(404, 413),
)
def comment_on_asset(request: Request, caller: Caller, asset_id: AssetId, body: CommentBody) -> Response:
    """To everyone involved, or within your own organisation: then nobody else reads it, the FMAR administrator included."""
    message = comments.comment_on_asset(caller, asset_id, body.text, body.audience)
    path = here(request, f"/v1/assets/{asset_id}/comments/{message.id}")
    return answer(_comment(request, message, []), 201, location=path)


@router.get(
    "/assets/{AssetId}/comments/{MessageId}",
    summary="Read one message",
    response_model=CommentOut,
    responses=answers(404),
)
def get_comment(request: Request, caller: Caller, asset_id: AssetId, message_id: MessageId) -> Response:
    """One message about the asset, with its files."""
    for row in conversation_of(caller, asset_id):
        if row.message.id == message_id:
            log_access(caller, "asset.comments", RECORD, asset_id)
            return answer(_comment(request, row.message, row.files))
    raise NotFound("message", message_id)


@router.post(
    "/assets/{AssetId}/comments/{MessageId}/attachments",
    status_code=201,
    summary="Attach a file",
    response_model=AttachmentOut,
    responses=answers(404, 413),
    openapi_extra={"requestBody": {"required": True, "description": f"The file itself: {ALLOWED}.", **BYTES}},
)
async def attach_file(
    request: Request, caller: Caller, asset_id: AssetId, message_id: MessageId, file_name: FileName
) -> Response:
    """The body is the file as it is. Files go with messages of your own organisation: answers and decisions, too.

    Whoever may read the message may read the file.
    """
    # The caller is known, and has a place in the queue, before a byte of the file is read.
    with place_in_queue(caller, request, LARGEST_FILE):
        upload = Upload(file_name, await request.body())
        [file] = await work_on_file(comments.attach_files, caller, message_id, [upload], asset_id=asset_id)
    attachment = file_out(request, file, FILES)
    return answer(attachment, 201, location=attachment.href)


@router.get(
    "/attachments/{AttachmentId}",
    summary="Read a file",
    response_class=Response,
    responses={**FILE_ANSWER, **answers(404, 409)},
)
def download_attachment(caller: Caller, attachment_id: AttachmentId) -> Response:
    """The file as it was handed in. 409 when it was altered in the database since."""
    return file_response(read_attachment(caller, attachment_id))


def _comment(request: Request, message: AssetMessage, files: Sequence[Attachment]) -> CommentOut:
    return message_out(CommentOut, request, message, files, FILES)
