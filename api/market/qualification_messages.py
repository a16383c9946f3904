"""Conversation on an application with its evidence, and the readiness of a unit (UC-04.02)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.http.conversation import (
    BYTES,
    FILE_ANSWER,
    AttachmentId,
    AttachmentOut,
    FileName,
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
from api.http.security import Caller
from api.market.qualification_schemas import MessageBody, MessageOut, Messages, ReadinessOut
from api.market.qualifications import ONE, RECORD, ROOT, Id
from models.qualifications import QualificationAttachment, QualificationMessage
from services.core.access_log import log_access
from services.core.conversation.files import Upload
from services.core.errors import NotFound
from services.market.qualification import messages as conversation
from services.market.qualification.messages import (
    EVIDENCE_KINDS,
    involved_in_application,
    read_evidence,
    said_on_application,
)
from services.market.qualification.readiness import readiness

router = APIRouter(tags=["Qualification"], route_class=ExactRoute)
FILES = f"/v1{ROOT}/attachments"


@router.get(
    f"{ROOT}/attachments/{{AttachmentId}}",
    summary="Read evidence",
    response_class=Response,
    responses={**FILE_ANSWER, **answers(404, 409)},
)
def download_evidence(caller: Caller, attachment_id: AttachmentId) -> Response:
    """The file as it was handed in. 409 when it was altered in the database since."""
    return file_response(read_evidence(caller, attachment_id))


@router.get(f"{ONE}/messages", summary="What was said", response_model=Messages, responses=answers(404))
def list_application_messages(request: Request, caller: Caller, qualification_id: Id) -> Response:
    """Questions, answers, decisions and comments. A note that another organisation keeps for itself is not among them."""
    rows = said_on_application(caller, qualification_id)
    names = involved_in_application(caller, qualification_id)
    log_access(caller, "qualification.messages", RECORD, qualification_id)
    return answer({"items": [_message(request, row.message, row.files) for row in rows], "involved": names})


@router.post(
    f"{ONE}/messages",
    status_code=201,
    summary="Comment on an application",
    response_model=MessageOut,
    responses=answers(404, 413),
)
def comment_on_application(request: Request, caller: Caller, qualification_id: Id, body: MessageBody) -> Response:
    """To everyone involved, or within your own organisation: then nobody else reads it, the FMAR administrator included."""
    message = conversation.comment_on_application(caller, qualification_id, body.text, body.audience)
    path = here(request, f"/v1{ROOT}/{qualification_id}/messages/{message.id}")
    return answer(_message(request, message, []), 201, location=path)


@router.get(
    f"{ONE}/messages/{{MessageId}}", summary="Read one message", response_model=MessageOut, responses=answers(404)
)
def get_application_message(request: Request, caller: Caller, qualification_id: Id, message_id: MessageId) -> Response:
    """One message, with its files."""
    for row in said_on_application(caller, qualification_id):
        if row.message.id == message_id:
            log_access(caller, "qualification.messages", RECORD, qualification_id)
            return answer(_message(request, row.message, row.files))
    raise NotFound("message", message_id)


@router.post(
    f"{ONE}/messages/{{MessageId}}/attachments",
    status_code=201,
    summary="Attach evidence",
    response_model=AttachmentOut,
    responses=answers(404, 413),
    openapi_extra={"requestBody": {"required": True, "description": f"The file itself: {EVIDENCE_KINDS}.", **BYTES}},
)
async def attach_evidence(
    request: Request, caller: Caller, qualification_id: Id, message_id: MessageId, file_name: FileName
) -> Response:
    """The body is the file as it is. Files go with messages of your own organisation: answers and decisions, too."""
    # The caller is known, and has a place in the queue, before a byte of the file is read.
    with place_in_queue(caller, request, LARGEST_FILE):
        upload = Upload(file_name, await request.body())
        [file] = await work_on_file(
            conversation.attach_evidence, caller, message_id, [upload], qualification_id=qualification_id
        )
    attachment = file_out(request, file, FILES)
    return answer(attachment, 201, location=attachment.href)


@router.get("/readiness", summary="Is a unit ready?", response_model=ReadinessOut, responses=answers(404))
def get_readiness(
    caller: Caller,
    unit_id: Annotated[UUID, Query(alias="UnitId")],
    product_code: Annotated[str, Query(alias="ProductCode", max_length=20)],
    operator_id: Annotated[UUID, Query(alias="AddressedTo", description="The system operator.")],
    on: Annotated[date | None, Query(alias="Date", description="Today unless told.")] = None,
) -> Response:
    """The readiness of a unit to deliver a product to an operator on a day, with everything that is missing."""
    result = readiness(caller, unit_id, product_code, operator_id, on)
    log_access(caller, "unit.readiness", "market_unit", unit_id)
    return answer(ReadinessOut.from_record(result))


def _message(request: Request, message: QualificationMessage, files: Sequence[QualificationAttachment]) -> MessageOut:
    return message_out(MessageOut, request, message, files, FILES)
