"""Assets: register, list, read, change, end (UC-02.01 to UC-02.03)."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, create_model

from api.http.attribute_models import answer_model, handed_in, request_model
from api.http.decimal_json import ExactRoute
from api.http.examples import ASSET
from api.http.parameters import AsOf, History, PageQuery, ReasonBody, told
from api.http.problems import FindingBody, answers
from api.http.responses import NOT_MODIFIED, IfMatch, IfNoneMatch, answer, here, page, unchanged, version_of
from api.http.security import Caller
from models.assets import Asset, AssetStatus
from services.assets.filters import FILTER_TERMS, AssetFilters, filters_from_terms
from services.assets.reading.assets import asset_as_of, asset_history, get_asset
from services.assets.reading.listing import list_assets
from services.assets.registration.deregister import deregister_asset
from services.assets.registration.record import INPUT_ONLY, as_terms
from services.assets.registration.register import check_registration, register_asset
from services.assets.registration.update import change_preview, update_asset
from services.assets.rules.schemas import CORE_ATTRIBUTES, REGISTER_TERMS
from services.core.access_log import log_access
from services.core.errors import Finding

router = APIRouter(prefix="/assets", tags=["Assets"], route_class=ExactRoute)
RECORD = "asset"
AssetId = Annotated[UUID, Path(alias="AssetId", description="The asset's identifier.")]
AssetIn = request_model(
    "AssetIn",
    "An asset to be registered. The attributes of its category (see /v1/categories) stand beside these.",
    CORE_ATTRIBUTES,
    example=ASSET,
    mandatory=True,
)
AssetChange = request_model(
    "AssetChange",
    "The attributes that change, those of the category included; null or empty text clears one.",
    CORE_ATTRIBUTES,
    example={"AssetModel": "AD-2500 S", "StorageCapacity_kWh": 5200},
    mandatory=False,
)
AssetOut = answer_model(
    "Asset",
    "An asset as it stands in the register. The attributes of its category stand beside these.",
    [attribute for attribute in CORE_ATTRIBUTES if attribute.term not in INPUT_ONLY],
    {
        "AssetId": UUID,
        "Status": AssetStatus,
        "StatusReason": str | None,
        "StatusSince": datetime | None,
        "RegisteredAt": datetime | None,
        "ManagedFrom": datetime | None,
        "SchemaVersion": int,
        "Version": int,
        "RecordedAt": datetime | None,
        "GspGroup": str | None,
        "PositionSource": str | None,
    },
)


class AssetPage(BaseModel):
    """A page of assets."""

    items: list[AssetOut]  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
    next: str | None = Field(description="The path of the next page; null at the end.")


class Findings(BaseModel):
    """What the rules say; empty: nothing stands in the way."""

    findings: list[FindingBody]


class _Ordered(PageQuery):
    """How assets are listed."""

    order: Literal["newest", "oldest"] = Field(default="newest", description="By registration.")


def filter_fields() -> dict[str, Any]:
    """A query parameter for each filter that the services know; those that take several values may be repeated."""
    text = Annotated[str, Field(max_length=255)]
    several = {one.name for one in fields(AssetFilters) if one.default == ()}
    one_of = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")
    return {
        term: (list[text], one_of) if name in several else (text, Field(default=""))
        for term, name in FILTER_TERMS.items()
    }


AssetQuery = create_model("AssetQuery", __base__=_Ordered, __doc__="Which assets.", **filter_fields())


def filters_in(query: BaseModel) -> AssetFilters:
    """The filters of a query made with `filter_fields`."""
    given = {term: getattr(query, term) for term in FILTER_TERMS}
    return filters_from_terms({term: one if isinstance(one, list) else [one] for term, one in given.items()})


@router.get("", summary="List assets", response_model=AssetPage)
def list_them(
    request: Request,
    caller: Caller,
    query: Annotated[AssetQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The assets that you may see and that pass the filters. Filters add up; values of one filter are alternatives."""
    filters = filters_in(query)
    after = None if query.after is None else str(query.after)
    found = list_assets(caller, filters, order=query.order, after=after, limit=query.limit)
    log_access(caller, "asset.list", RECORD, detail={"ids": [str(one.id) for one in found.items]})
    return answer(page(request, [as_terms(one) for one in found.items], found.next_cursor))


@router.post("", status_code=201, summary="Register an asset", response_model=AssetOut, responses=answers(409, 413))
def register(
    request: Request,
    caller: Caller,
    body: AssetIn,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
) -> Response:
    """Held against every rule at once; then it is Pending Validation while outside sources are asked in the background.

    409 with the existing `AssetId`, where you may see it, when it is registered already. Warnings alone answer 422 until the
    request carries a `Justification`.
    """
    values, justification = handed_in(body, REGISTER_TERMS, lambda given: check_registration(caller, given))
    made = register_asset(caller, values, justification=justification)
    return _one(made, 201, location=here(request, f"/v1/assets/{made.id}"))


@router.post("/validate", summary="Try a registration", response_model=Findings, responses=answers(409, 413))
def validate(
    caller: Caller,
    body: AssetIn,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
) -> Response:
    """What registering would say, without registering: errors, duplicates and warnings as findings."""
    values, _justification = handed_in(body, REGISTER_TERMS, lambda given: check_registration(caller, given))
    return answer({"findings": [finding.as_dict() for finding in check_registration(caller, values)]})


@router.get("/{AssetId}", summary="Read an asset", response_model=AssetOut, responses={**NOT_MODIFIED, **answers(404)})
def read(caller: Caller, asset_id: AssetId, if_none_match: IfNoneMatch = None, as_of: AsOf = None) -> Response:
    """One asset, with its ETag; or as it stood at a moment."""
    found = get_asset(caller, asset_id) if as_of is None else asset_as_of(caller, asset_id, as_of)
    log_access(caller, "asset.read", RECORD, asset_id, {"as_of": as_of.isoformat()} if as_of else None)
    return unchanged(if_none_match, found.version) or _one(found)


@router.patch(
    "/{AssetId}", summary="Change an asset", response_model=AssetOut, responses=answers(404, 409, 412, 413, 428)
)
def change(
    caller: Caller,
    asset_id: AssetId,
    body: AssetChange,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
    if_match: IfMatch = None,
) -> Response:
    """Attributes that aren't named stay. A material change is checked again."""
    version = version_of(if_match)

    def judge(given: Mapping[str, object]) -> list[Finding]:
        return change_preview(caller, asset_id, given).findings

    values, justification = handed_in(body, REGISTER_TERMS, judge)
    return _one(update_asset(caller, asset_id, values, version, justification=justification))


@router.get("/{AssetId}/history", summary="An asset's history", response_model=History, responses=answers(404))
def history(caller: Caller, asset_id: AssetId) -> Response:
    """Every change, newest first: who, when, under which use case, before and after."""
    changes = asset_history(caller, asset_id)
    log_access(caller, "asset.history", RECORD, asset_id)
    return answer(told(changes))


@router.post(
    "/{AssetId}/deregister",
    summary="De-register an asset",
    response_model=AssetOut,
    responses=answers(404, 409, 412, 413, 428),
)
def deregister(caller: Caller, asset_id: AssetId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final; the identifier is never used again. Refused, with `blockers`, while other records depend on it."""
    return _one(deregister_asset(caller, asset_id, body.Reason, version_of(if_match)))


def _one(asset: Asset, status: int = 200, *, location: str | None = None) -> Response:
    return answer(as_terms(asset), status, version=asset.version, location=location)
