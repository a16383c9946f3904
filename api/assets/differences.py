"""Differences between declared values and those of sources: read, settle, answer, accept one by one (UC-02.01)."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.assets.assets import RECORD, AssetId, AssetOut, asset_answer
from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import IfMatch, answer, version_of
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from models.assets import CheckSource
from services.assets.checks import settlement
from services.assets.checks.accept_source_value import accept_theirs
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.settlement import differences_on
from services.core.access_log import log_access

router = APIRouter(prefix="/assets/{AssetId}/differences", tags=["Asset checks"], route_class=ExactRoute)
REFUSALS = answers(404, 409, 412, 413, 428)
FIELD = "The terms in which they differ, such as `RatedCapacity`; `NotFound` for a source that doesn't know the asset."


class DifferenceOut(AnswerSchema):
    """One thing that matters and that a source says otherwise, and what people said of it."""

    source: CheckSource
    source_name: str | None
    field: str
    label: str
    declared: str | None
    source_value: str | None = Field(serialization_alias="Theirs")
    in_words: str
    found_at: datetime | None
    open: bool = Field(description="Whether it still has to be settled.")
    verdict: DifferenceRuling | None
    reason: str | None
    by: str | None = Field(serialization_alias="DecidedBy")
    decided_at: datetime | None
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


class Differences(BaseModel):
    """Every difference that matters, settled ones too."""

    items: list[DifferenceOut]


class _Selection(RequestSchema):
    fields: list[str] | None = Field(default=None, max_length=100, description=f"{FIELD} All open ones when left out.")
    source: CheckSource | None = Field(default=None, description="Only what this source says.")


class VerdictBody(_Selection):
    """A verdict of an operator on differences."""

    verdict: DifferenceRuling = Field(
        description="`DECLARED_STANDS`: the declared value stays. `THEIRS_RIGHT`: the FSP is asked to change it."
    )
    reason: str = Field(max_length=5000, examples=["The uprating certificate was shown."])


class AcceptanceBody(_Selection):
    """Values of the sources that are taken over."""

    justification: str | None = Field(default=None, max_length=4000, description="Where the change raises warnings.")


class AnswersBody(RequestSchema):
    """Answers by field."""

    answers: dict[str, str] = Field(
        max_length=100, description=FIELD, examples=[{"RatedCapacity": "It was uprated in May."}]
    )


@router.get("", summary="What sources say otherwise", response_model=Differences, responses=answers(404))
def list_differences(caller: Caller, asset_id: AssetId) -> Response:
    """Both sides of every difference, the operator's verdict and the FSP's answer."""
    differences = differences_on(caller, asset_id)
    log_access(caller, "asset.differences", RECORD, asset_id)
    return answer({"items": DifferenceOut.from_records(differences)})


@router.post("/settle", summary="Settle differences", response_model=AssetOut, responses=REFUSALS)
def settle_differences(caller: Caller, asset_id: AssetId, body: VerdictBody, if_match: IfMatch = None) -> Response:
    """One by one or all at once, with a reason. Once none is open the asset is Verified. For the FMAR administrator."""
    asset = settlement.settle_differences(
        caller, asset_id, body.verdict, body.reason, version_of(if_match), body.fields, source=body.source
    )
    return asset_answer(asset)


@router.post("/answer", summary="Answer differences", response_model=AssetOut, responses=REFUSALS)
def answer_differences(caller: Caller, asset_id: AssetId, body: AnswersBody, if_match: IfMatch = None) -> Response:
    """Field by field. Once every open one is answered the operator decides. For the FSP that manages the asset."""
    asset = settlement.answer_differences(caller, asset_id, body.answers, version_of(if_match))
    return asset_answer(asset)


@router.post("/accept", summary="Accept what sources say", response_model=AssetOut, responses=REFUSALS)
def accept_source_values(caller: Caller, asset_id: AssetId, body: AcceptanceBody, if_match: IfMatch = None) -> Response:
    """The asset is changed to their values, by the rules of any change, and checked again. For the FSP that manages it."""
    asset = accept_theirs(
        caller,
        asset_id,
        version_of(if_match),
        body.fields,
        source=body.source,
        justification=body.justification,
    )
    return asset_answer(asset)
