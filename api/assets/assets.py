"""Assets: register, list, read, change, end (UC-02.01 to UC-02.03)."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, create_model

from api.http.attribute_models import answer_model, handed_in, request_model
from api.http.decimal_json import ExactRoute
from api.http.examples import ASSET
from api.http.parameters import AsOf, History, PageQuery, ReasonBody, filter_fields, filter_values, history_out
from api.http.problems import FindingBody, answers
from api.http.responses import NOT_MODIFIED, IfMatch, IfNoneMatch, answer, here, page, unchanged, version_of
from api.http.security import Caller
from models.assets import Asset, AssetStatus
from services.assets.filters import FILTER_TERMS, AssetFilters, filters_from_terms
from services.assets.reading import assets, listing
from services.assets.registration import deregister, register, update
from services.assets.registration.record import INPUT_ONLY, as_terms
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
    """The findings of the rules; empty: nothing stands in the way."""

    findings: list[FindingBody]


class _Ordered(PageQuery):
    order: Literal["newest", "oldest"] = Field(default="newest", description="By registration.")


_SEVERAL = {field.name for field in fields(AssetFilters) if field.default == ()}
ASSET_FILTERS = filter_fields(FILTER_TERMS, {term for term, name in FILTER_TERMS.items() if name not in _SEVERAL}, 255)
"""A query parameter for each filter that the services know; those that take several values may be repeated."""
AssetQuery = create_model("AssetQuery", __base__=_Ordered, __doc__="Filters of assets.", **ASSET_FILTERS)


def asset_filters(query: BaseModel) -> AssetFilters:
    """The filters of a query made with `ASSET_FILTERS`."""
    return filters_from_terms(filter_values(query, FILTER_TERMS))


@router.get("", summary="List assets", response_model=AssetPage)
def list_assets(
    request: Request,
    caller: Caller,
    query: Annotated[AssetQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The assets that you may see and that pass the filters. Filters add up; values of one filter are alternatives."""
    after = None if query.after is None else str(query.after)
    result = listing.list_assets(caller, asset_filters(query), order=query.order, after=after, limit=query.limit)
    log_access(caller, "asset.list", RECORD, detail={"ids": [str(asset.id) for asset in result.items]})
    return answer(page(request, [as_terms(asset) for asset in result.items], result.next_cursor))


@router.post("", status_code=201, summary="Register an asset", response_model=AssetOut, responses=answers(409, 413))
def register_asset(
    request: Request,
    caller: Caller,
    body: AssetIn,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
) -> Response:
    """Held against every rule at once; then it is Pending Validation while outside sources are asked in the background.

    409 with the existing `AssetId`, where you may see it, when it is registered already. Warnings alone answer 422 until the
    request carries a `Justification`.
    """
    values, justification = handed_in(body, REGISTER_TERMS, lambda terms: register.check_registration(caller, terms))
    asset = register.register_asset(caller, values, justification=justification)
    return asset_answer(asset, 201, location=here(request, f"/v1/assets/{asset.id}"))


@router.post("/validate", summary="Try a registration", response_model=Findings, responses=answers(409, 413))
def check_registration(
    caller: Caller,
    body: AssetIn,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
) -> Response:
    """The findings that registering would meet, without registering: errors, duplicates and warnings."""
    values, _justification = handed_in(body, REGISTER_TERMS, lambda terms: register.check_registration(caller, terms))
    return answer({"findings": [finding.as_dict() for finding in register.check_registration(caller, values)]})


@router.get("/{AssetId}", summary="Read an asset", response_model=AssetOut, responses={**NOT_MODIFIED, **answers(404)})
def get_asset(caller: Caller, asset_id: AssetId, if_none_match: IfNoneMatch = None, as_of: AsOf = None) -> Response:
    """One asset, with its ETag; or as it stood at a moment."""
    asset = assets.get_asset(caller, asset_id) if as_of is None else assets.asset_as_of(caller, asset_id, as_of)
    log_access(caller, "asset.read", RECORD, asset_id, {"as_of": as_of.isoformat()} if as_of else None)
    return unchanged(if_none_match, asset.version) or asset_answer(asset)


@router.patch(
    "/{AssetId}", summary="Change an asset", response_model=AssetOut, responses=answers(404, 409, 412, 413, 428)
)
def update_asset(
    caller: Caller,
    asset_id: AssetId,
    body: AssetChange,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
    if_match: IfMatch = None,
) -> Response:
    """Attributes that aren't named stay. A material change is checked again."""
    version = version_of(if_match)

    def judge(terms: Mapping[str, object]) -> list[Finding]:
        return update.change_preview(caller, asset_id, terms).findings

    values, justification = handed_in(body, REGISTER_TERMS, judge)
    return asset_answer(update.update_asset(caller, asset_id, values, version, justification=justification))


@router.get("/{AssetId}/history", summary="An asset's history", response_model=History, responses=answers(404))
def list_asset_changes(caller: Caller, asset_id: AssetId) -> Response:
    """Every change, newest first: who, when, under which use case, before and after."""
    changes = assets.asset_history(caller, asset_id)
    log_access(caller, "asset.history", RECORD, asset_id)
    return answer(history_out(changes))


@router.post(
    "/{AssetId}/deregister",
    summary="De-register an asset",
    response_model=AssetOut,
    responses=answers(404, 409, 412, 413, 428),
)
def deregister_asset(caller: Caller, asset_id: AssetId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final; the identifier is never used again. Refused, with `blockers`, while other records depend on it."""
    return asset_answer(deregister.deregister_asset(caller, asset_id, body.reason, version_of(if_match)))


def asset_answer(asset: Asset, status: int = 200, *, location: str | None = None) -> Response:
    """An asset by ontology term, under its ETag."""
    return answer(as_terms(asset), status, version=asset.version, location=location)
