"""What happened, in order: the event feed (UC-05.01)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.responses import answer, page
from api.http.security import Caller
from models.core import Event
from services.core.access_log import log_access
from services.core.jobs.outbox import read_events

router = APIRouter(prefix="/events", tags=["Events"], route_class=ExactRoute)
LARGEST = 2**62


class EventOut(BaseModel):
    """Something that happened to a record."""

    Number: int = Field(description="Rises from event to event: what to give as `after`.")
    EventId: UUID
    Type: str = Field(examples=["asset.registered"])
    RecordType: str = Field(examples=["asset"])
    RecordId: UUID
    OrganisationId: UUID | None = Field(description="Whose feed shows it.")
    DNOConnection: str | None = Field(description="The licence area whose operator sees it too.")
    OccurredAt: datetime
    Payload: dict[str, Any]


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
def follow(request: Request, caller: Caller, query: Annotated[EventQuery, Query()]) -> Response:
    """The events that concern you: your organisation's, or those of assets in your licence areas."""
    found = read_events(caller, query.after, query.limit + 1)
    shown, more = found[: query.limit], len(found) > query.limit
    if shown:
        log_access(caller, "event.list", "event", detail={"from": shown[0].seq, "to": shown[-1].seq})
    return answer(page(request, [_event(one) for one in shown], shown[-1].seq if more else None))


def _event(event: Event) -> dict[str, Any]:
    return {
        "Number": event.seq,
        "EventId": event.id,
        "Type": event.type,
        "RecordType": event.record_type,
        "RecordId": event.record_id,
        "OrganisationId": event.organisation_id,
        "DNOConnection": event.dno_code,
        "OccurredAt": event.occurred_at,
        "Payload": event.payload,
    }
