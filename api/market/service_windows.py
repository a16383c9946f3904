"""Service windows: the times at which an operator counts on a qualified unit (UC-03.04)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import IfMatch, answer, here, version_of
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from api.market.qualifications import ONE, RECORD, ROOT, Id
from services.core.access_log import log_access
from services.market.qualification.service_windows import call_off_window, confirm_window, windows_of

router = APIRouter(tags=["Qualification"], route_class=ExactRoute)


class WindowBody(RequestSchema):
    """When the unit is counted on."""

    starts_at: datetime = Field(description="The first moment, with its time zone.")
    ends_at: datetime = Field(description="The first moment after it, with its time zone; at most a year later.")
    note: str = Field(default="", max_length=5000, description="What the FSP is to know of it.")


class CallOffBody(RequestSchema):
    """Why it isn't counted on any more."""

    reason: str = Field(max_length=5000)


class WindowOut(AnswerSchema):
    """A period for which an operator counts on a unit."""

    id: UUID = Field(serialization_alias="ServiceWindowId")
    qualification_id: UUID
    unit_id: UUID
    starts_at: datetime
    ends_at: datetime
    note: str | None
    confirmed_at: datetime
    confirmed_by_name: str = Field(serialization_alias="ConfirmedBy")
    called_off_at: datetime | None
    called_off_reason: str | None
    version: int


class Windows(BaseModel):
    """Service windows, the latest first."""

    items: list[WindowOut]


@router.get(f"{ONE}/service-windows", summary="List service windows", response_model=Windows, responses=answers(404))
def list_service_windows(caller: Caller, qualification_id: Id) -> Response:
    """When the operator counts on the unit, those that are over or called off among them."""
    windows = windows_of(caller, qualification_id)
    log_access(caller, "qualification.read", RECORD, qualification_id)
    return answer({"items": WindowOut.from_records(windows)})


@router.post(
    f"{ONE}/service-windows",
    status_code=201,
    summary="Confirm a service window",
    response_model=WindowOut,
    responses=answers(404, 409, 413),
)
def confirm_service_window(request: Request, caller: Caller, qualification_id: Id, body: WindowBody) -> Response:
    """Until it is over or called off, neither is the unit de-registered nor what it is qualified for withdrawn."""
    window = confirm_window(caller, qualification_id, body.starts_at, body.ends_at, body.note)
    path = here(request, f"/v1{ROOT}/{qualification_id}/service-windows")
    return answer(WindowOut.from_record(window), 201, version=window.version, location=path)


@router.post(
    f"{ROOT}/service-windows/{{ServiceWindowId}}/call-off",
    summary="Call a service window off",
    response_model=WindowOut,
    responses=answers(404, 409, 412, 413, 428),
)
def call_off_service_window(
    caller: Caller,
    window_id: Annotated[UUID, Path(alias="ServiceWindowId", description="The window's identifier.")],
    body: CallOffBody,
    if_match: IfMatch = None,
) -> Response:
    """Before it is over. If-Match is the window's version."""
    window = call_off_window(caller, window_id, body.reason, version_of(if_match))
    return answer(WindowOut.from_record(window), version=window.version)
