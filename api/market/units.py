"""Market units: made of assets, composed over time, re-assigned, ended (UC-03.01 to UC-03.04)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from api.http.decimal_json import ExactRoute
from api.http.parameters import EARLIEST, LATEST, AsOf, History, ReasonBody, told
from api.http.problems import answers
from api.http.responses import IfMatch, answer, here, page, version_of
from api.http.security import Caller
from api.market.unit_schemas import (
    CompositionOut,
    MarketUnitOut,
    MemberOut,
    UnitLineOut,
    UnitStepOut,
    line_out,
    preview_out,
)
from models.products import Family
from services.assets.filters import AssetFilters, filters_from_terms
from services.core.access_log import log_access
from services.market.unit_changes.composition import create_unit, preview_composition, preview_unit, update_composition
from services.market.unit_changes.deregistration import deregister_unit
from services.market.unit_changes.reassignment import reassign_unit
from services.market.units.listing import UNIT_FILTER_TERMS, list_units, parse_unit_filters
from services.market.units.members import list_members
from services.market.units.units import (
    UnitDetails,
    get_unit,
    snapshot_terms,
    unit_as_of,
    unit_changes,
    unit_history,
    unit_terms,
)

router = APIRouter(prefix="/market-units", tags=["Market units"], route_class=ExactRoute)
RECORD = "market_unit"
UnitId = Annotated[UUID, Path(alias="UnitId", description="The market unit's identifier.")]
CHANGED = answers(404, 409, 412, 413, 428)
MOST = 10_000
_SINGLE = ("UpCapacityMin", "DownCapacityMin", "Text")


class _Paged(BaseModel):
    """How a list is paged: its cursors belong to its order."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(default=None, max_length=300, description="Taken from the `next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page.")


class _Ordered(_Paged):
    """How units are listed."""

    order: Literal["newest", "oldest", "name", "up", "down"] = Field(
        default="newest", description="By registration, by name, or the most kW up or down first."
    )


class MembersQuery(_Paged):
    """Which assets of a unit."""

    as_of: AwareDatetime | None = Field(default=None, ge=EARLIEST, le=LATEST, description="Those in it at this moment.")


def _filters() -> dict[str, Any]:
    text = Annotated[str, Field(max_length=255)]
    several = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")
    return {term: (text, Field(default="")) if term in _SINGLE else (list[text], several) for term in UNIT_FILTER_TERMS}


UnitQuery = create_model("UnitQuery", __base__=_Ordered, __doc__="Which units.", **_filters())


class _Assets(BaseModel):
    model_config = ConfigDict(extra="forbid")

    Assets: list[UUID] = Field(default_factory=list, max_length=MOST, description="AssetId of each; all are Verified.")
    AssetFilter: dict[str, list[str]] | None = Field(
        default=None,
        description="Besides, all of your Verified assets that pass this filter and are free in the family: "
        "term -> values, as the list of assets is filtered. At most 10,000 at once.",
        examples=[{"AssetCategory": ["BESS"], "GspGroup": ["_A"]}],
    )


class UnitBody(_Assets):
    """A market unit to be made."""

    UnitName: str = Field(max_length=1000, examples=["Riverside batteries"])
    UnitCode: str = Field(max_length=1000, description="Your own, once for all time.", examples=["RIV-DSO"])
    Family: str = Field(max_length=40, description=f"One of {', '.join(Family)}.", examples=["DSO"])


class UnitTry(_Assets):
    """Assets that might make a unit."""

    Family: str = Field(max_length=40, description=f"One of {', '.join(Family)}.", examples=["DSO"])


class CompositionBody(BaseModel):
    """Assets that go in and come out, from now on."""

    model_config = ConfigDict(extra="forbid")

    Add: list[UUID] = Field(default_factory=list, max_length=MOST)
    Remove: list[UUID] = Field(default_factory=list, max_length=MOST)
    AddFilter: dict[str, list[str]] | None = Field(default=None, description="As `AssetFilter` of a new unit.")


class UnitChange(CompositionBody):
    """What changes; what isn't named stays."""

    UnitName: str | None = Field(default=None, max_length=1000)


class ReassignBody(BaseModel):
    """To whom a unit goes, and what that rests on."""

    model_config = ConfigDict(extra="forbid")

    ServiceProviderId: UUID = Field(description="The gaining FSP.")
    Evidence: str = Field(max_length=4000, examples=["Contract of sale of 3 May 2026, sent by both parties."])


class UnitPageOut(BaseModel):
    """A page of market units."""

    items: list[UnitLineOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class MemberPageOut(BaseModel):
    """A page of the assets of a unit."""

    items: list[MemberOut]
    next: str | None
    Unseen: int = Field(description="Assets of the unit beyond what you may see; with the first page.")


class Steps(BaseModel):
    """What a unit came to after each change, oldest first."""

    items: list[UnitStepOut]


def _chosen(given: dict[str, list[str]] | None) -> AssetFilters | None:
    return None if given is None else filters_from_terms(given)


@router.get("", summary="List market units", response_model=UnitPageOut)
def list_them(
    request: Request,
    caller: Caller,
    query: Annotated[UnitQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The units that you may see and that pass the filters. Filters add up; values of one filter are alternatives."""
    given = {term: getattr(query, term) for term in UNIT_FILTER_TERMS}
    filters = parse_unit_filters({t: one if isinstance(one, list) else [one] for t, one in given.items()})
    found = list_units(caller, filters, order=query.order, after=query.after, limit=query.limit)
    log_access(caller, "unit.list", RECORD, detail={"ids": [str(one.id) for one in found.items]})
    return answer(page(request, [line_out(one) for one in found.items], found.next_cursor))


@router.post("", status_code=201, summary="Make a unit", response_model=MarketUnitOut, responses=answers(409, 413))
def create(request: Request, caller: Caller, body: UnitBody) -> Response:
    """Of your Verified assets. 409 with the `blockers` where a unit of the family has some, and for a code used before."""
    made = create_unit(
        caller,
        name=body.UnitName,
        code=body.UnitCode,
        family=body.Family,
        asset_ids=body.Assets,
        filters=_chosen(body.AssetFilter),
    )
    return _one(made, 201, location=here(request, f"/v1/market-units/{made.unit.id}"))


@router.post("/preview", summary="Try a unit", response_model=CompositionOut, responses=answers(413))
def try_unit(caller: Caller, body: UnitTry) -> Response:
    """What a unit of these assets would come to, and what stands in the way, without making it."""
    seen = preview_unit(caller, body.Family, asset_ids=body.Assets, filters=_chosen(body.AssetFilter))
    return answer(preview_out(seen))


@router.get("/{UnitId}", summary="Read a unit", response_model=MarketUnitOut, responses=answers(404))
def read(caller: Caller, unit_id: UnitId, as_of: AsOf = None) -> Response:
    """One unit with its capability and its ETag; or as it stood at a moment, with what it came to then."""
    if as_of is not None:
        stood = unit_as_of(caller, unit_id, as_of)
        log_access(caller, "unit.read", RECORD, unit_id, {"as_of": as_of.isoformat()})
        return answer(snapshot_terms(stood), version=stood.unit.version)
    found = get_unit(caller, unit_id)
    log_access(caller, "unit.read", RECORD, unit_id)
    return _one(found)


@router.patch("/{UnitId}", summary="Change a unit", response_model=MarketUnitOut, responses=CHANGED)
def change(caller: Caller, unit_id: UnitId, body: UnitChange, if_match: IfMatch = None) -> Response:
    """Puts assets in, takes others out, names it anew. A material change makes its qualifications Re-assessment Required."""
    changed = update_composition(
        caller,
        unit_id,
        version_of(if_match),
        add=body.Add,
        remove=body.Remove,
        filters=_chosen(body.AddFilter),
        name=body.UnitName,
    )
    return _one(changed)


@router.post(
    "/{UnitId}/preview", summary="Try a change", response_model=CompositionOut, responses=answers(404, 409, 413)
)
def try_change(caller: Caller, unit_id: UnitId, body: CompositionBody) -> Response:
    """What a change would do: before and after, and at which SOs the unit would be assessed again, and why."""
    filters = _chosen(body.AddFilter)
    return answer(preview_out(preview_composition(caller, unit_id, add=body.Add, remove=body.Remove, filters=filters)))


@router.get("/{UnitId}/assets", summary="A unit's assets", response_model=MemberPageOut, responses=answers(404))
def members(request: Request, caller: Caller, unit_id: UnitId, query: Annotated[MembersQuery, Query()]) -> Response:
    """Those that you may see, now or as of a moment, each with the times of its membership."""
    found = list_members(caller, unit_id, moment=query.as_of, after=query.after, limit=query.limit)
    log_access(caller, "unit.assets", RECORD, unit_id)
    items = [
        {
            "AssetId": one.asset_id,
            "AssetName": one.name,
            "AssetCategory": one.category,
            "Status": one.status,
            "RatedCapacity": one.rated_kw,
            "GspGroup": one.gsp_group,
            "DNOConnection": one.dno,
            "FromAt": one.from_at,
            "UntilAt": one.until_at,
        }
        for one in found.items
    ]
    return answer({**page(request, items, found.next_cursor), "Unseen": found.unseen})


@router.get("/{UnitId}/steps", summary="A unit over time", response_model=Steps, responses=answers(404))
def steps(caller: Caller, unit_id: UnitId) -> Response:
    """What it came to after each change of its assets."""
    found = unit_history(caller, unit_id)
    log_access(caller, "unit.history", RECORD, unit_id)
    items = [
        {
            "At": one.at,
            "Composition": one.composition,
            "UnitType": one.unit_type,
            "Assets": one.assets,
            "Added": one.added,
            "Removed": one.removed,
            "UpCapacity": one.up,
            "DownCapacity": one.down,
        }
        for one in found
    ]
    return answer({"items": items})


@router.get("/{UnitId}/history", summary="A unit's history", response_model=History, responses=answers(404))
def history(caller: Caller, unit_id: UnitId) -> Response:
    """Every change of its record, newest first: who, when, under which use case, before and after."""
    changes = unit_changes(caller, unit_id)
    log_access(caller, "unit.history", RECORD, unit_id)
    return answer(told(changes))


@router.post("/{UnitId}/deregister", summary="De-register a unit", response_model=MarketUnitOut, responses=CHANGED)
def deregister(caller: Caller, unit_id: UnitId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final: what it is qualified for ends, its assets are free for other units, its code is never used again."""
    return _one(deregister_unit(caller, unit_id, body.Reason, version_of(if_match)))


@router.post("/{UnitId}/reassign", summary="Re-assign a unit", response_model=MarketUnitOut, responses=CHANGED)
def reassign(caller: Caller, unit_id: UnitId, body: ReassignBody, if_match: IfMatch = None) -> Response:
    """To another FSP, whole, with its assets. For the FMAR administrator; refused with what stands in the way."""
    return _one(reassign_unit(caller, unit_id, body.ServiceProviderId, body.Evidence, version_of(if_match)))


def _one(found: UnitDetails, status: int = 200, *, location: str | None = None) -> Response:
    return answer(unit_terms(found), status, version=found.unit.version, location=location)
