"""The table of equivalences and the stacking matrix, in editions (UC-04.01, UC-04.03)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, IfMatch, IfNoneMatch, answer, here, unchanged, version_of
from api.http.security import Caller
from api.market.product_schemas import (
    EditionOut,
    Editions,
    Equivalences,
    EquivalencesBody,
    StackingBody,
    StackingMatrix,
    TogetherOut,
    table_out,
)
from models.products import MarketTable, MarketTableKind
from services.core.identity.actor import Actor
from services.market.products.market_table_editions import market_table, publish_table, table_editions
from services.market.products.stacking import can_be_held

router = APIRouter(tags=["Products"], route_class=ExactRoute)
EQUIVALENCES, STACKING = MarketTableKind.EQUIVALENCES, MarketTableKind.STACKING
Edition = Annotated[int, Path(alias="Edition", ge=1, le=1_000_000, description="Which edition; they count from 1.")]
CODES = Annotated[
    list[str], Query(alias="ProductCode", min_length=2, max_length=50, description="Two products or more: repeat it.")
]
PUBLISHED = answers(409, 412, 413, 428)
READ = {**NOT_MODIFIED, **answers(404)}


@router.get("/equivalences", summary="The table of equivalences", response_model=Equivalences, responses=READ)
def get_equivalences(caller: Caller, if_none_match: IfNoneMatch = None) -> Response:
    """The edition in force. A unit qualified for the one product may apply for the other: indicative, all else is checked."""
    return _table(market_table(caller, EQUIVALENCES), if_none_match)


@router.post(
    "/equivalences",
    status_code=201,
    summary="Publish equivalences",
    response_model=Equivalences,
    responses=PUBLISHED,
)
def publish_equivalences(
    request: Request, caller: Caller, body: EquivalencesBody, if_match: IfMatch = None
) -> Response:
    """The next edition, in force at once. For the FMAR administrator."""
    return _published(request, caller, EQUIVALENCES, "equivalences", body, if_match)


@router.get("/equivalences/editions", summary="Editions of the equivalences", response_model=Editions)
def list_equivalence_editions(caller: Caller) -> Response:
    """The newest first."""
    return answer({"items": EditionOut.from_records(table_editions(caller, EQUIVALENCES))})


@router.get(
    "/equivalences/editions/{Edition}",
    summary="An edition of the equivalences",
    response_model=Equivalences,
    responses=READ,
)
def get_equivalence_edition(caller: Caller, edition: Edition, if_none_match: IfNoneMatch = None) -> Response:
    """As it was published."""
    return _table(market_table(caller, EQUIVALENCES, edition), if_none_match)


@router.get("/stacking", summary="The stacking matrix", response_model=StackingMatrix, responses=READ)
def get_stacking(caller: Caller, if_none_match: IfNoneMatch = None) -> Response:
    """The edition in force, by stacking code. ND: nobody has said, ask the system operator; it is never a yes."""
    return _table(market_table(caller, STACKING), if_none_match)


@router.post(
    "/stacking", status_code=201, summary="Publish a matrix", response_model=StackingMatrix, responses=PUBLISHED
)
def publish_stacking(request: Request, caller: Caller, body: StackingBody, if_match: IfMatch = None) -> Response:
    """The next edition, in force at once. For the FMAR administrator."""
    return _published(request, caller, STACKING, "stacking", body, if_match)


@router.get("/stacking/together", summary="Held together?", response_model=TogetherOut, responses=answers(404))
def check_stacking(caller: Caller, codes: CODES) -> Response:
    """The modes in which these products can be held together, pair by pair and as a whole."""
    return answer(TogetherOut.from_record(can_be_held(caller, codes)))


@router.get("/stacking/editions", summary="Editions of the matrix", response_model=Editions)
def list_stacking_editions(caller: Caller) -> Response:
    """The newest first."""
    return answer({"items": EditionOut.from_records(table_editions(caller, STACKING))})


@router.get(
    "/stacking/editions/{Edition}", summary="An edition of the matrix", response_model=StackingMatrix, responses=READ
)
def get_stacking_edition(caller: Caller, edition: Edition, if_none_match: IfNoneMatch = None) -> Response:
    """As it was published."""
    return _table(market_table(caller, STACKING, edition), if_none_match)


def _table(table: MarketTable, if_none_match: str | None) -> Response:
    return unchanged(if_none_match, table.edition) or answer(table_out(table), version=table.edition)


def _published(
    request: Request,
    caller: Actor,
    kind: MarketTableKind,
    name: str,
    body: EquivalencesBody | StackingBody,
    if_match: str | None,
) -> Response:
    table = publish_table(
        caller,
        kind,
        [row.model_dump(by_alias=True) for row in body.items],
        source=body.source,
        source_date=body.source_date,
        reason=body.reason,
        edition=version_of(if_match),
    )
    path = here(request, f"/v1/{name}/editions/{table.edition}")
    return answer(table_out(table), 201, version=table.edition, location=path)
