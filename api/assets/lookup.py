"""Look-up before registering: mine, another provider's, or none (UC-02.01)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import answer
from api.http.security import Caller
from services.assets.registration.lookup import LookupOutcome, look_up
from services.core.errors import Invalid

router = APIRouter(prefix="/assets/lookup", tags=["Assets"], route_class=ExactRoute)
ABOUT = """By MPAN, by serial number with manufacturer, or by alias. Every look-up is logged and counted against a limit an
hour; a hit on another provider's asset says no more than that, and that provider is told. Prefer POST: what stands in a URL
ends in the logs of others."""


class Lookup(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"MPAN": "1099900000015"}]})

    MPAN: str | None = Field(default=None, max_length=100, description="13 digits, or the 21 of a bill.")
    SerialNumber: str | None = Field(default=None, max_length=255)
    Manufacturer: str | None = Field(default=None, max_length=255)
    AliasScheme: str | None = Field(default=None, max_length=100, examples=["ECR"])
    AliasValue: str | None = Field(default=None, max_length=255)


class LookupAnswer(BaseModel):
    """What was found."""

    Outcome: LookupOutcome
    Message: str
    AssetId: UUID | None = Field(description="The asset, where you may see it.")
    AssetIds: list[UUID]
    WaysOn: list[str] = Field(description="What to do next.")
    Known: dict[str, Any] = Field(description="What a registration can start from, by term.")


@router.get("", summary="Look an asset up", description=ABOUT, response_model=LookupAnswer)
def by_query(caller: Caller, query: Annotated[Lookup, Query()]) -> Response:
    """By query parameters."""
    return _answered(caller, query)


@router.post("", summary="Look an asset up", description=ABOUT, response_model=LookupAnswer, responses=answers(413))
def by_body(caller: Caller, body: Lookup) -> Response:
    """By a body."""
    return _answered(caller, body)


def _answered(caller: Caller, wanted: Lookup) -> Response:
    found = look_up(
        caller,
        mpan=wanted.MPAN,
        serial_number=wanted.SerialNumber,
        manufacturer=wanted.Manufacturer,
        alias_scheme=wanted.AliasScheme,
        alias_value=wanted.AliasValue,
    )
    if found.outcome is LookupOutcome.MALFORMED:
        raise Invalid(found.findings)
    return answer(
        {
            "Outcome": found.outcome,
            "Message": found.message,
            "AssetId": found.asset_id,
            "AssetIds": list(found.asset_ids),
            "WaysOn": list(found.ways_on),
            "Known": dict(found.suggested_values),
        }
    )
