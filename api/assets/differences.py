"""Differences between what is declared and what sources say: read, settled, answered, accepted one by one (UC-02.01)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from api.assets.assets import RECORD, AssetId, AssetOut
from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import IfMatch, answer, version_of
from api.http.security import Caller
from models.assets import CheckSource
from services.assets.checks.accept_source_value import accept_theirs
from services.assets.checks.differences import Difference
from services.assets.checks.outcomes import DifferenceRuling as VerdictOf
from services.assets.checks.settlement import answer_differences, differences_on, settle_differences
from services.assets.registration.record import as_terms
from services.core.access_log import log_access

router = APIRouter(prefix="/assets/{AssetId}/differences", tags=["Asset checks"], route_class=ExactRoute)
REFUSALS = answers(404, 409, 412, 413, 428)
FIELD = "The terms in which they differ, such as `RatedCapacity`; `NotFound` for a source that doesn't know the asset."


class DifferenceOut(BaseModel):
    """One thing that matters and that a source says otherwise, and what people said of it."""

    Source: CheckSource
    SourceName: str | None
    Field: str
    Label: str
    Declared: str | None
    Theirs: str | None
    InWords: str
    FoundAt: datetime | None
    Open: bool = Described(description="Whether it still has to be settled.")
    Verdict: VerdictOf | None
    Reason: str | None
    DecidedBy: str | None
    DecidedAt: datetime | None
    Answer: str | None
    AnsweredBy: str | None
    AnsweredAt: datetime | None


class Differences(BaseModel):
    """Every difference that matters, settled ones too."""

    items: list[DifferenceOut]


class _Which(BaseModel):
    model_config = ConfigDict(extra="forbid")

    Fields: list[str] | None = Described(
        default=None, max_length=100, description=f"{FIELD} All open ones when left out."
    )
    Source: CheckSource | None = Described(default=None, description="Only what this source says.")


class VerdictBody(_Which):
    """What an operator says of differences."""

    Verdict: VerdictOf = Described(
        description="`DECLARED_STANDS`: the declared value stays. `THEIRS_RIGHT`: the FSP is asked to change it."
    )
    Reason: str = Described(max_length=5000, examples=["The uprating certificate was shown."])


class AcceptanceBody(_Which):
    """Which values of the sources are taken over."""

    Justification: str | None = Described(
        default=None, max_length=4000, description="Where the change raises warnings."
    )


class AnswersBody(BaseModel):
    """Answers by field."""

    model_config = ConfigDict(extra="forbid")

    Answers: dict[str, str] = Described(
        max_length=100, description=FIELD, examples=[{"RatedCapacity": "It was uprated in May."}]
    )


@router.get("", summary="What sources say otherwise", response_model=Differences, responses=answers(404))
def list_differences(caller: Caller, asset_id: AssetId) -> Response:
    """Both sides of every difference, the operator's verdict and the FSP's answer."""
    found = differences_on(caller, asset_id)
    log_access(caller, "asset.differences", RECORD, asset_id)
    return answer({"items": [_difference(one) for one in found]})


@router.post("/settle", summary="Settle differences", response_model=AssetOut, responses=REFUSALS)
def settle(caller: Caller, asset_id: AssetId, body: VerdictBody, if_match: IfMatch = None) -> Response:
    """One by one or all at once, with a reason. Once none is open the asset is Verified. For the FMAR administrator."""
    asset = settle_differences(
        caller, asset_id, body.Verdict, body.Reason, version_of(if_match), body.Fields, source=body.Source
    )
    return answer(as_terms(asset), version=asset.version)


@router.post("/answer", summary="Answer differences", response_model=AssetOut, responses=REFUSALS)
def answer_them(caller: Caller, asset_id: AssetId, body: AnswersBody, if_match: IfMatch = None) -> Response:
    """Field by field. Once every open one is answered the operator decides. For the FSP that manages the asset."""
    asset = answer_differences(caller, asset_id, body.Answers, version_of(if_match))
    return answer(as_terms(asset), version=asset.version)


@router.post("/accept", summary="Accept what sources say", response_model=AssetOut, responses=REFUSALS)
def accept(caller: Caller, asset_id: AssetId, body: AcceptanceBody, if_match: IfMatch = None) -> Response:
    """The asset is changed to their values, by the rules of any change, and checked again. For the FSP that manages it."""
    asset = accept_theirs(
        caller,
        asset_id,
        version_of(if_match),
        body.Fields,
        source=body.Source,
        justification=body.Justification,
    )
    return answer(as_terms(asset), version=asset.version)


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "Source": one.source,
        "SourceName": one.source_name,
        "Field": one.field,
        "Label": one.label,
        "Declared": one.declared,
        "Theirs": one.source_value,
        "InWords": one.in_words,
        "FoundAt": one.found_at,
        "Open": one.open,
        "Verdict": one.verdict,
        "Reason": one.reason,
        "DecidedBy": one.by,
        "DecidedAt": one.decided_at,
        "Answer": one.answer,
        "AnsweredBy": one.answered_by,
        "AnsweredAt": one.answered_at,
    }
