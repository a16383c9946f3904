"""Look-up before registering: mine, another provider's, or none (UC-02.01)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import answer
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from services.assets.registration.lookup import LookupOutcome, look_up
from services.core.errors import Invalid

router = APIRouter(prefix="/assets/lookup", tags=["Assets"], route_class=ExactRoute)
ABOUT = """By MPAN, by serial number with manufacturer, or by alias. Every look-up is logged and counted against a limit an
hour; a hit on another provider's asset says no more than that, and that provider is told. Prefer POST: what stands in a URL
ends in the logs of others."""


class Lookup(RequestSchema):
    """The identifiers to look for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"MPAN": "1099900000015"}]})

    mpan: str | None = Field(default=None, max_length=100, description="13 digits, or the 21 of a bill.")
    serial_number: str | None = Field(default=None, max_length=255)
    manufacturer: str | None = Field(default=None, max_length=255)
    alias_scheme: str | None = Field(default=None, max_length=100, examples=["ECR"])
    alias_value: str | None = Field(default=None, max_length=255)


class LookupAnswer(AnswerSchema):
    """The result of a look-up."""

    outcome: LookupOutcome
    message: str
    asset_id: UUID | None = Field(description="The asset, where you may see it.")
    asset_ids: list[UUID]
    ways_on: list[str] = Field(description="What to do next.")
    suggested_values: dict[str, Any] = Field(
        serialization_alias="Known", description="What a registration can start from, by term."
    )


@router.get("", summary="Look an asset up", description=ABOUT, response_model=LookupAnswer)
def look_up_asset_by_query(caller: Caller, query: Annotated[Lookup, Query()]) -> Response:
    """By query parameters."""
    return _answer(caller, query)


@router.post("", summary="Look an asset up", description=ABOUT, response_model=LookupAnswer, responses=answers(413))
def look_up_asset(caller: Caller, body: Lookup) -> Response:
    """By a body."""
    return _answer(caller, body)


def _answer(caller: Caller, lookup: Lookup) -> Response:
    result = look_up(
        caller,
        mpan=lookup.mpan,
        serial_number=lookup.serial_number,
        manufacturer=lookup.manufacturer,
        alias_scheme=lookup.alias_scheme,
        alias_value=lookup.alias_value,
    )
    if result.outcome is LookupOutcome.MALFORMED:
        raise Invalid(result.findings)
    return answer(LookupAnswer.from_record(result))
