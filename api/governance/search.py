"""One search over the whole register, within what the caller may see (UC-05.01)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.responses import answer
from api.http.schemas import AnswerSchema
from api.http.security import Caller
from services.core.access_log import log_access
from services.governance.search import search
from services.governance.search_hits import LONGEST, Found

router = APIRouter(prefix="/search", tags=["Search"], route_class=ExactRoute)


class SearchQuery(BaseModel):
    """The words to search for."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(
        max_length=LONGEST,
        description="An asset's ID, MPAN (13 digits, or the 21 of a bill), serial number, own code, other identifier, postcode "
        "or name; a market unit's, product's or category's name or code; an application's product or unit; an organisation's "
        "name or number; a person's name; words of a draft; a GSP group. Beginnings are enough.",
        examples=["Riverside"],
    )


class HitOut(AnswerSchema):
    """One result, and why it was found."""

    kind: Found = Field(description="PARTICIPANT: an organisation of which you see name and roles only.")
    identifier: str = Field(
        serialization_alias="Id",
        description="The record's identifier; of a category, product or GSP group its code; of a person the organisation's.",
    )
    title: str
    about: str
    field: str = Field(serialization_alias="MatchedField", description="The field that matched.")
    value: str = Field(serialization_alias="MatchedValue", description="What stands in it.")
    start: int = Field(
        serialization_alias="MatchedStart", description="Where in the value the part that matched begins."
    )
    length: int = Field(serialization_alias="MatchedLength")
    exact: bool = Field(description="An identifier was given whole.")


class SearchOut(BaseModel):
    """The results, exact ones first, then by kind with the best of each first; at most 20 of a kind."""

    items: list[HitOut]
    complete: bool = Field(description="False: the search was ended before all names were looked through.")


@router.get("", summary="Search", response_model=SearchOut)
def search_register(caller: Caller, query: Annotated[SearchQuery, Query()]) -> Response:
    """Within what you may see: only a look-up tells whether another provider has registered an asset."""
    results = search(caller, query.q)
    assets = [hit.identifier for hit in results.of(Found.ASSET)]
    log_access(caller, "search", detail={"text": results.text, "assets": assets})
    return answer({"items": HitOut.from_records(results.hits), "complete": results.complete})
