"""One search over the whole register, within what the caller may see (UC-05.01)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.responses import answer
from api.http.security import Caller
from services.core.access_log import log_access
from services.governance.search import LONGEST, Found, Hit, search

router = APIRouter(prefix="/search", tags=["Search"], route_class=ExactRoute)


class SearchQuery(BaseModel):
    """What to search for."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(
        max_length=LONGEST,
        description="An asset's ID, MPAN (13 digits, or the 21 of a bill), serial number, own code, other identifier, postcode "
        "or name; an organisation's name or number; words of a draft; a category. Beginnings are enough.",
        examples=["Riverside"],
    )


class HitOut(BaseModel):
    """One result, and why it was found."""

    Kind: Found = Field(description="PARTICIPANT: an organisation of which you see name and roles only.")
    Id: str = Field(description="The record's identifier; of a category its code.")
    Title: str
    About: str
    MatchedField: str = Field(description="The field that matched.")
    MatchedValue: str = Field(description="What stands in it.")
    MatchedStart: int = Field(description="Where in the value the part that matched begins.")
    MatchedLength: int
    Exact: bool = Field(description="An identifier was given whole.")


class SearchOut(BaseModel):
    """The results, exact ones first, then by kind with the best of each first; at most 20 of a kind."""

    items: list[HitOut]
    complete: bool = Field(description="False: the search was ended before all names were looked through.")


@router.get("", summary="Search", response_model=SearchOut)
def search_everything(caller: Caller, query: Annotated[SearchQuery, Query()]) -> Response:
    """What isn't yours to see isn't found: whether another provider has registered an asset, only a look-up tells."""
    found = search(caller, query.q)
    shown = [hit.identifier for hit in found.of(Found.ASSET)]
    log_access(caller, "search", detail={"text": found.text, "assets": shown})
    return answer({"items": [_told(hit) for hit in found.hits], "complete": found.complete})


def _told(hit: Hit) -> dict[str, Any]:
    return {
        "Kind": hit.kind,
        "Id": hit.identifier,
        "Title": hit.title,
        "About": hit.about,
        "MatchedField": hit.field,
        "MatchedValue": hit.value,
        "MatchedStart": hit.start,
        "MatchedLength": hit.length,
        "Exact": hit.exact,
    }
