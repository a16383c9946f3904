"""Market units: made of assets, composed over time, re-assigned, ended (UC-03.01 to UC-03.04)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api.http.decimal_json import ExactRoute
from api.http.parameters import AsOf, History, ReasonBody, filter_values, history_out
from api.http.problems import answers
from api.http.responses import IfMatch, answer, here, page, version_of
from api.http.security import Caller
from api.market.unit_schemas import (
    CompositionBody,
    CompositionOut,
    MarketUnitOut,
    MemberOut,
    MemberPageOut,
    MembersQuery,
    ReassignBody,
    Steps,
    UnitBody,
    UnitChange,
    UnitLineOut,
    UnitPageOut,
    UnitQuery,
    UnitStepOut,
    UnitTry,
)
from services.assets.filters import AssetFilters, filters_from_terms
from services.core.access_log import log_access
from services.market.unit_changes import composition, deregistration, reassignment
from services.market.units import listing, units
from services.market.units.listing import UNIT_FILTER_TERMS, parse_unit_filters
from services.market.units.members import list_members
from services.market.units.units import UnitDetails, snapshot_terms, unit_as_of, unit_changes, unit_history, unit_terms

router = APIRouter(prefix="/market-units", tags=["Market units"], route_class=ExactRoute)
RECORD = "market_unit"
UnitId = Annotated[UUID, Path(alias="UnitId", description="The market unit's identifier.")]
CHANGED = answers(404, 409, 412, 413, 428)


@router.get("", summary="List market units", response_model=UnitPageOut)
def list_units(
    request: Request,
    caller: Caller,
    query: Annotated[UnitQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The units that you may see and that pass the filters. Filters add up; values of one filter are alternatives."""
    filters = parse_unit_filters(filter_values(query, UNIT_FILTER_TERMS))
    result = listing.list_units(caller, filters, order=query.order, after=query.after, limit=query.limit)
    log_access(caller, "unit.list", RECORD, detail={"ids": [str(line.id) for line in result.items]})
    return answer(page(request, UnitLineOut.from_records(result.items), result.next_cursor))


@router.post("", status_code=201, summary="Make a unit", response_model=MarketUnitOut, responses=answers(409, 413))
def create_unit(request: Request, caller: Caller, body: UnitBody) -> Response:
    """Of your Verified assets. 409 with the `blockers` where a unit of the family has some, and for a code used before."""
    whole = composition.create_unit(
        caller,
        name=body.unit_name,
        code=body.unit_code,
        family=body.family,
        asset_ids=body.assets,
        filters=_asset_filters(body.asset_filter),
    )
    return _answer(whole, 201, location=here(request, f"/v1/market-units/{whole.unit.id}"))


@router.post("/preview", summary="Try a unit", response_model=CompositionOut, responses=answers(413))
def preview_unit(caller: Caller, body: UnitTry) -> Response:
    """The sums of a unit of these assets, and what stands in the way, without making it."""
    filters = _asset_filters(body.asset_filter)
    preview = composition.preview_unit(caller, body.family, asset_ids=body.assets, filters=filters)
    return answer(CompositionOut.from_record(preview))


@router.get("/{UnitId}", summary="Read a unit", response_model=MarketUnitOut, responses=answers(404))
def get_unit(caller: Caller, unit_id: UnitId, as_of: AsOf = None) -> Response:
    """One unit with its capability and its ETag; or as it stood at a moment, with what it came to then."""
    if as_of is not None:
        then = unit_as_of(caller, unit_id, as_of)
        log_access(caller, "unit.read", RECORD, unit_id, {"as_of": as_of.isoformat()})
        return answer(snapshot_terms(then), version=then.unit.version)
    whole = units.get_unit(caller, unit_id)
    log_access(caller, "unit.read", RECORD, unit_id)
    return _answer(whole)


@router.patch("/{UnitId}", summary="Change a unit", response_model=MarketUnitOut, responses=CHANGED)
def update_unit(caller: Caller, unit_id: UnitId, body: UnitChange, if_match: IfMatch = None) -> Response:
    """Put assets in, take others out, name it anew. A material change makes its qualifications Re-assessment Required."""
    whole = composition.update_composition(
        caller,
        unit_id,
        version_of(if_match),
        add=body.add,
        remove=body.remove,
        filters=_asset_filters(body.add_filter),
        name=body.unit_name,
    )
    return _answer(whole)


@router.post(
    "/{UnitId}/preview", summary="Try a change", response_model=CompositionOut, responses=answers(404, 409, 413)
)
def preview_unit_change(caller: Caller, unit_id: UnitId, body: CompositionBody) -> Response:
    """The effect of a change: before and after, and at which SOs the unit would be assessed again, and why."""
    filters = _asset_filters(body.add_filter)
    preview = composition.preview_composition(caller, unit_id, add=body.add, remove=body.remove, filters=filters)
    return answer(CompositionOut.from_record(preview))


@router.get("/{UnitId}/assets", summary="A unit's assets", response_model=MemberPageOut, responses=answers(404))
def list_unit_assets(
    request: Request, caller: Caller, unit_id: UnitId, query: Annotated[MembersQuery, Query()]
) -> Response:
    """Those that you may see, now or as of a moment, each with the times of its membership."""
    result = list_members(caller, unit_id, moment=query.as_of, after=query.after, limit=query.limit)
    log_access(caller, "unit.assets", RECORD, unit_id)
    return answer({**page(request, MemberOut.from_records(result.items), result.next_cursor), "Unseen": result.unseen})


@router.get("/{UnitId}/steps", summary="A unit over time", response_model=Steps, responses=answers(404))
def list_unit_steps(caller: Caller, unit_id: UnitId) -> Response:
    """The unit after each change of its assets."""
    steps = unit_history(caller, unit_id)
    log_access(caller, "unit.history", RECORD, unit_id)
    return answer({"items": UnitStepOut.from_records(steps)})


@router.get("/{UnitId}/history", summary="A unit's history", response_model=History, responses=answers(404))
def list_unit_changes(caller: Caller, unit_id: UnitId) -> Response:
    """Every change of its record, newest first: who, when, under which use case, before and after."""
    changes = unit_changes(caller, unit_id)
    log_access(caller, "unit.history", RECORD, unit_id)
    return answer(history_out(changes))


@router.post("/{UnitId}/deregister", summary="De-register a unit", response_model=MarketUnitOut, responses=CHANGED)
def deregister_unit(caller: Caller, unit_id: UnitId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final: what it is qualified for ends, its assets are free for other units, its code is never used again."""
    return _answer(deregistration.deregister_unit(caller, unit_id, body.reason, version_of(if_match)))


@router.post("/{UnitId}/reassign", summary="Re-assign a unit", response_model=MarketUnitOut, responses=CHANGED)
def reassign_unit(caller: Caller, unit_id: UnitId, body: ReassignBody, if_match: IfMatch = None) -> Response:
    """To another FSP, whole, with its assets. For the FMAR administrator; refused with what stands in the way."""
    version = version_of(if_match)
    return _answer(reassignment.reassign_unit(caller, unit_id, body.service_provider_id, body.evidence, version))


def _answer(whole: UnitDetails, status: int = 200, *, location: str | None = None) -> Response:
    return answer(unit_terms(whole), status, version=whole.unit.version, location=location)


def _asset_filters(values: dict[str, list[str]] | None) -> AssetFilters | None:
    return None if values is None else filters_from_terms(values)
