"""When an operator counts on a qualified unit: service windows (UC-03.04)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import IfMatch, answer, here, version_of
from api.http.security import Caller
from api.market.qualifications import ONE, RECORD, ROOT, Id
from models.service_windows import ServiceWindow
from services.core.access_log import log_access
from services.market.qualification.service_windows import call_off_window, confirm_window, windows_of

router = APIRouter(tags=["Qualification"], route_class=ExactRoute)


class WindowBody(BaseModel):
    """When the unit is counted on."""

    model_config = ConfigDict(extra="forbid")
    StartsAt: datetime = Field(description="The first moment, with its time zone.")
    EndsAt: datetime = Field(description="The first moment after it, with its time zone; at most a year later.")
    Note: str = Field(default="", max_length=5000, description="What the FSP is to know of it.")


class CallOffBody(BaseModel):
    """Why it isn't counted on any more."""

    model_config = ConfigDict(extra="forbid")
    Reason: str = Field(max_length=5000)


class WindowOut(BaseModel):
    """A period for which an operator counts on a unit."""

    ServiceWindowId: UUID
    QualificationId: UUID
    UnitId: UUID
    StartsAt: datetime
    EndsAt: datetime
    Note: str | None
    ConfirmedAt: datetime
    ConfirmedBy: str
    CalledOffAt: datetime | None
    CalledOffReason: str | None
    Version: int


class Windows(BaseModel):
    """Service windows, the latest first."""

    items: list[WindowOut]


def window_out(one: ServiceWindow) -> dict[str, Any]:
    """A window as answered."""
    return {
        "ServiceWindowId": one.id,
        "QualificationId": one.qualification_id,
        "UnitId": one.unit_id,
        "StartsAt": one.starts_at,
        "EndsAt": one.ends_at,
        "Note": one.note,
        "ConfirmedAt": one.confirmed_at,
        "ConfirmedBy": one.confirmed_by_name,
        "CalledOffAt": one.called_off_at,
        "CalledOffReason": one.called_off_reason,
        "Version": one.version,
    }


@router.get(f"{ONE}/service-windows", summary="List service windows", response_model=Windows, responses=answers(404))
def windows(caller: Caller, qualification_id: Id) -> Response:
    """When the operator counts on the unit, those that are over or called off among them."""
    found = windows_of(caller, qualification_id)
    log_access(caller, "qualification.read", RECORD, qualification_id)
    return answer({"items": [window_out(one) for one in found]})


@router.post(
    f"{ONE}/service-windows",
    status_code=201,
    summary="Confirm a service window",
    response_model=WindowOut,
    responses=answers(404, 409, 413),
)
def confirm(request: Request, caller: Caller, qualification_id: Id, body: WindowBody) -> Response:
    """Until it is over or called off, neither is the unit de-registered nor what it is qualified for withdrawn."""
    made = confirm_window(caller, qualification_id, body.StartsAt, body.EndsAt, body.Note)
    path = here(request, f"/v1{ROOT}/{qualification_id}/service-windows")
    return answer(window_out(made), 201, version=made.version, location=path)


@router.post(
    f"{ROOT}/service-windows/{{ServiceWindowId}}/call-off",
    summary="Call a service window off",
    response_model=WindowOut,
    responses=answers(404, 409, 412, 413, 428),
)
def call_off(
    caller: Caller,
    window_id: Annotated[UUID, Path(alias="ServiceWindowId", description="The window's identifier.")],
    body: CallOffBody,
    if_match: IfMatch = None,
) -> Response:
    """Before it is over. If-Match is the window's version."""
    done = call_off_window(caller, window_id, body.Reason, version_of(if_match))
    return answer(window_out(done), version=done.version)
