"""The event feed: everything that happened, in order (UC-05.01)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.responses import answer, page
from api.http.schemas import AnswerSchema
from api.http.security import Caller
from services.core.access_log import log_access
from services.core.jobs.outbox import read_events

router = APIRouter(prefix="/events", tags=["Events"], route_class=ExactRoute)
LARGEST = 2**62


class EventOut(AnswerSchema):
    """Something that happened to a record."""

    seq: int = Field(serialization_alias="Number", description="Rises from event to event: what to give as `after`.")
    id: UUID = Field(serialization_alias="EventId")
    type: str = Field(examples=["asset.registered"])
    record_type: str = Field(examples=["asset"])
    record_id: UUID
    organisation_id: UUID | None = Field(description="Whose feed shows it.")
    dno_code: str | None = Field(
        serialization_alias="DNOConnection", description="The licence area whose operator sees it too."
    )
    occurred_at: datetime
    payload: dict[str, Any]


class EventPage(BaseModel):
    """Events, oldest first. At the end of the feed `next` is null: ask again later, after the last `Number` you have."""

    items: list[EventOut]
    next: str | None


class EventQuery(BaseModel):
    """From where to read."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=LARGEST, description="The number of the last event you have.")
    limit: int = Field(default=100, ge=1, le=500)


@router.get("", summary="Follow the events", response_model=EventPage)
def list_events(request: Request, caller: Caller, query: Annotated[EventQuery, Query()]) -> Response:
    """The events that concern you: your organisation's, or those of assets in your licence areas."""
    events = read_events(caller, query.after, query.limit + 1)
    listed, more = events[: query.limit], len(events) > query.limit
    if listed:
        log_access(caller, "event.list", "event", detail={"from": listed[0].seq, "to": listed[-1].seq})
    return answer(page(request, EventOut.from_records(listed), listed[-1].seq if more else None))
