"""Authenticity checks of an asset, the query they may raise, its answer and its settlement (UC-02.01)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.assets.assets import RECORD, AssetId, AssetOut
from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import Actions, IfMatch, answer, version_of
from api.http.security import Caller
from models.assets import Asset, AssetCheck, AssetMessage, CheckOutcome, CheckSource, MessageKind
from services.assets.asset_page.provenance import Origin as ValueOrigin
from services.assets.asset_page.provenance import Statement, provenance_of
from services.assets.checks.queries import QueryDecision as QueryDecision
from services.assets.checks.queries import answer_query, messages_of, query_asset, settle_query
from services.assets.checks.run import checks_of, request_checks
from services.assets.reading.assets import get_asset
from services.assets.registration.lifecycle import allowed_actions
from services.assets.registration.record import as_terms
from services.core.access_log import log_access

router = APIRouter(prefix="/assets/{AssetId}", tags=["Asset checks"], route_class=ExactRoute)
REFUSALS = answers(404, 409, 412, 413, 428)


class CheckOut(BaseModel):
    """What one source says of the asset."""

    CheckId: UUID
    Source: CheckSource
    SourceName: str | None = Field(description="The edition or system that answered.")
    Outcome: CheckOutcome
    Summary: str | None
    MatchedBy: str | None = Field(description="How the source's record was found.")
    AssetVersion: int = Field(description="The version of the asset whose values were checked.")
    RequestedAt: datetime
    CompletedAt: datetime | None
    Comparisons: list[dict[str, Any]] = Field(description="Field by field: declared, theirs, outcome, message.")


class MessageOut(BaseModel):
    """What was asked, answered or decided."""

    Kind: MessageKind
    Text: str
    Author: str
    SentAt: datetime


class Checks(BaseModel):
    """The newest check against each source, and the conversation about them."""

    items: list[CheckOut]
    messages: list[MessageOut]


class StatementOut(BaseModel):
    """What one source says of one attribute."""

    Source: CheckSource
    SourceName: str
    At: datetime | None
    Origin: ValueOrigin
    Theirs: str | None
    Message: str | None


class ProvenanceOut(BaseModel):
    """Where the value of one attribute comes from, and how it stands up."""

    Term: str
    Value: Any
    Origin: ValueOrigin
    Source: str | None
    At: datetime | None
    Theirs: str | None = Field(description="What the source says, where it differs.")
    Message: str | None
    DeclaredBy: str | None = Field(description="Who gave the value that stands.")
    DeclaredFor: str | None = Field(description="For which organisation.")
    DeclaredAt: datetime | None
    How: str | None = Field(description="How a derived value came about.")
    Statements: list[StatementOut] = Field(description="What each source says.")


class ProvenanceList(BaseModel):
    """Every attribute of the asset."""

    items: list[ProvenanceOut]


class AnswerBody(BaseModel):
    """An answer to a query."""

    model_config = ConfigDict(extra="forbid")

    Answer: str = Field(max_length=5000, examples=["The register is behind: the export limit was raised in October."])


class QuestionBody(BaseModel):
    """A question to the FSP."""

    model_config = ConfigDict(extra="forbid")

    Question: str = Field(max_length=5000, examples=["Which of the two MPANs does the battery import through?"])


class SettlementBody(BaseModel):
    """A decision on an asset in validation."""

    model_config = ConfigDict(extra="forbid")

    Decision: QueryDecision
    Reason: str = Field(max_length=5000, examples=["The connection agreement that was handed in shows the new limit."])
    Fields: list[str] | None = Field(
        default=None, max_length=100, description="Differences that are accepted, by term; all of them when left out."
    )


@router.get("/checks", summary="An asset's checks", response_model=Checks, responses=answers(404))
def list_checks(caller: Caller, asset_id: AssetId) -> Response:
    """The newest check against each source, field by field, and what was asked and answered about them."""
    checks, messages = checks_of(caller, asset_id), messages_of(caller, asset_id)
    log_access(caller, "asset.checks", RECORD, asset_id)
    return answer({"items": [_check(one) for one in checks], "messages": [_message(one) for one in messages]})


@router.post(
    "/checks", status_code=202, summary="Run the checks again", response_model=Checks, responses=answers(404, 409)
)
def run_again(caller: Caller, asset_id: AssetId) -> Response:
    """The sources are asked in the background; the asset keeps its status until they have answered."""
    checks = request_checks(caller, asset_id)
    return answer({"items": [_check(one) for one in checks], "messages": []}, 202)


@router.get("/provenance", summary="Where its values come from", response_model=ProvenanceList, responses=answers(404))
def provenance(caller: Caller, asset_id: AssetId) -> Response:
    """Every attribute: declared, derived, verified by a source, or differing from it."""
    found = provenance_of(caller, asset_id)
    log_access(caller, "asset.provenance", RECORD, asset_id)
    items = [
        {
            "Term": one.term,
            "Value": one.value,
            "Origin": one.origin,
            "Source": one.source,
            "At": one.at,
            "Theirs": one.source_value,
            "Message": one.message,
            "DeclaredBy": one.declared_by,
            "DeclaredFor": one.declared_for,
            "DeclaredAt": one.declared_at,
            "How": one.explanation,
            "Statements": [_statement(said) for said in one.statements],
        }
        for one in found.values()
    ]
    return answer({"items": items})


@router.get("/actions", summary="What can be done with it now", response_model=Actions, responses=answers(404))
def actions(caller: Caller, asset_id: AssetId) -> Response:
    """What you can do with the asset as it stands; what can't be done says why not."""
    found = allowed_actions(caller, get_asset(caller, asset_id))
    items = [
        {"Operation": one.operation, "Label": one.label, "Allowed": one.allowed, "WhyNot": one.why_not} for one in found
    ]
    return answer({"items": items})


@router.post("/answer", summary="Answer a query", response_model=AssetOut, responses=REFUSALS)
def answer_it(caller: Caller, asset_id: AssetId, body: AnswerBody, if_match: IfMatch = None) -> Response:
    """The asset is Pending Validation again, until the operator decides. For the FSP that manages it."""
    return _one(answer_query(caller, asset_id, body.Answer, version_of(if_match)))


@router.post("/query", summary="Ask about an asset", response_model=AssetOut, responses=REFUSALS)
def ask(caller: Caller, asset_id: AssetId, body: QuestionBody, if_match: IfMatch = None) -> Response:
    """The asset becomes Query until the FSP has answered. For the FMAR administrator."""
    return _one(query_asset(caller, asset_id, body.Question, version_of(if_match)))


@router.post("/settle", summary="Settle a query", response_model=AssetOut, responses=REFUSALS)
def settle(caller: Caller, asset_id: AssetId, body: SettlementBody, if_match: IfMatch = None) -> Response:
    """Verify the asset, accepting differences with a reason, or ask again. For the FMAR administrator."""
    version = version_of(if_match)
    return _one(settle_query(caller, asset_id, body.Decision, body.Reason, version, body.Fields))


def _one(asset: Asset) -> Response:
    return answer(as_terms(asset), version=asset.version)


def _check(check: AssetCheck) -> dict[str, Any]:
    return {
        "CheckId": check.id,
        "Source": check.source,
        "SourceName": check.source_name,
        "Outcome": check.outcome,
        "Summary": check.summary,
        "MatchedBy": check.matched_by,
        "AssetVersion": check.asset_version,
        "RequestedAt": check.requested_at,
        "CompletedAt": check.completed_at,
        "Comparisons": check.comparisons,
    }


def _statement(said: Statement) -> dict[str, Any]:
    return {
        "Source": said.source,
        "SourceName": said.source_name,
        "At": said.at,
        "Origin": said.origin,
        "Theirs": said.source_value,
        "Message": said.message,
    }


def _message(message: AssetMessage) -> dict[str, Any]:
    return {"Kind": message.kind, "Text": message.text, "Author": message.author_name, "SentAt": message.sent_at}
