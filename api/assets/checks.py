"""Authenticity checks of an asset, the query they may raise, its answer and its settlement (UC-02.01)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.assets.assets import RECORD, AssetId, AssetOut, asset_answer
from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import ActionOut, Actions, IfMatch, answer, version_of
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from models.assets import CheckOutcome, CheckSource, MessageKind
from services.assets.asset_page.provenance import Origin, provenance_of
from services.assets.checks import queries, take_back
from services.assets.checks.queries import QueryDecision, messages_of
from services.assets.checks.run import checks_of, request_checks
from services.assets.reading.assets import get_asset
from services.assets.registration.lifecycle import allowed_actions
from services.core.access_log import log_access

router = APIRouter(prefix="/assets/{AssetId}", tags=["Asset checks"], route_class=ExactRoute)
REFUSALS = answers(404, 409, 412, 413, 428)


class CheckOut(AnswerSchema):
    """The check of an asset against one source."""

    id: UUID = Field(serialization_alias="CheckId")
    source: CheckSource
    source_name: str | None = Field(description="The edition or system that answered.")
    outcome: CheckOutcome
    summary: str | None
    matched_by: str | None = Field(description="How the source's record was found.")
    asset_version: int = Field(description="The version of the asset whose values were checked.")
    requested_at: datetime
    completed_at: datetime | None
    comparisons: list[dict[str, Any]] = Field(description="Field by field: declared, theirs, outcome, message.")


class MessageOut(AnswerSchema):
    """A question, an answer or a decision."""

    kind: MessageKind
    text: str
    author_name: str = Field(serialization_alias="Author")
    sent_at: datetime


class Checks(BaseModel):
    """The newest check against each source, and the conversation about them."""

    items: list[CheckOut]
    messages: list[MessageOut]


class StatementOut(AnswerSchema):
    """The statement of one source on one attribute."""

    source: CheckSource
    source_name: str
    at: datetime | None
    origin: Origin
    source_value: str | None = Field(serialization_alias="Theirs")
    message: str | None


class ProvenanceOut(AnswerSchema):
    """The provenance of the value of one attribute, and how it stands up."""

    term: str
    value: Any
    origin: Origin
    source: str | None
    at: datetime | None
    source_value: str | None = Field(
        serialization_alias="Theirs", description="What the source says, where it differs."
    )
    message: str | None
    declared_by: str | None = Field(description="Who gave the value that stands.")
    declared_for: str | None = Field(description="For which organisation.")
    declared_at: datetime | None
    explanation: str | None = Field(serialization_alias="How", description="How a derived value came about.")
    statements: list[StatementOut] = Field(description="What each source says.")


class ProvenanceList(BaseModel):
    """Every attribute of the asset."""

    items: list[ProvenanceOut]


class AnswerBody(RequestSchema):
    """An answer to a query."""

    answer: str = Field(max_length=5000, examples=["The register is behind: the export limit was raised in October."])


class QuestionBody(RequestSchema):
    """A question to the FSP."""

    question: str = Field(max_length=5000, examples=["Which of the two MPANs does the battery import through?"])


class SettlementBody(RequestSchema):
    """A decision on an asset in validation."""

    decision: QueryDecision
    reason: str = Field(max_length=5000, examples=["The connection agreement that was handed in shows the new limit."])
    fields: list[str] | None = Field(
        default=None, max_length=100, description="Differences that are accepted, by term; all of them when left out."
    )


@router.get("/checks", summary="An asset's checks", response_model=Checks, responses=answers(404))
def list_checks(caller: Caller, asset_id: AssetId) -> Response:
    """The newest check against each source, field by field, and what was asked and answered about them."""
    checks, messages = checks_of(caller, asset_id), messages_of(caller, asset_id)
    log_access(caller, "asset.checks", RECORD, asset_id)
    return answer({"items": CheckOut.from_records(checks), "messages": MessageOut.from_records(messages)})


@router.post(
    "/checks", status_code=202, summary="Run the checks again", response_model=Checks, responses=answers(404, 409)
)
def run_asset_checks(caller: Caller, asset_id: AssetId) -> Response:
    """The sources are asked in the background; the asset keeps its status until they have answered."""
    checks = request_checks(caller, asset_id)
    return answer({"items": CheckOut.from_records(checks), "messages": []}, 202)


@router.get("/provenance", summary="Where its values come from", response_model=ProvenanceList, responses=answers(404))
def list_provenance(caller: Caller, asset_id: AssetId) -> Response:
    """Every attribute: declared, derived, verified by a source, or differing from it."""
    provenance = provenance_of(caller, asset_id)
    log_access(caller, "asset.provenance", RECORD, asset_id)
    return answer({"items": ProvenanceOut.from_records(provenance.values())})


@router.get("/actions", summary="What can be done with it now", response_model=Actions, responses=answers(404))
def list_asset_actions(caller: Caller, asset_id: AssetId) -> Response:
    """The actions that are open to you now; what can't be done says why not."""
    actions = allowed_actions(caller, get_asset(caller, asset_id))
    return answer({"items": ActionOut.from_records(actions)})


@router.post("/answer", summary="Answer a query", response_model=AssetOut, responses=REFUSALS)
def answer_query(caller: Caller, asset_id: AssetId, body: AnswerBody, if_match: IfMatch = None) -> Response:
    """The asset is Pending Validation again, until the operator decides. For the FSP that manages it."""
    return asset_answer(queries.answer_query(caller, asset_id, body.answer, version_of(if_match)))


@router.post("/query", summary="Ask about an asset", response_model=AssetOut, responses=REFUSALS)
def query_asset(caller: Caller, asset_id: AssetId, body: QuestionBody, if_match: IfMatch = None) -> Response:
    """The asset becomes Query until the FSP has answered. For the FMAR administrator."""
    return asset_answer(queries.query_asset(caller, asset_id, body.question, version_of(if_match)))


@router.post("/take-back", summary="Take a decision back", response_model=AssetOut, responses=REFUSALS)
def take_back_decision(caller: Caller, asset_id: AssetId, if_match: IfMatch = None) -> Response:
    """Your own last one, for a minute, while nothing has changed since: the asset stands as before. For a person."""
    return asset_answer(take_back.take_back_decision(caller, asset_id, version_of(if_match)))


@router.post("/settle", summary="Settle a query", response_model=AssetOut, responses=REFUSALS)
def settle_query(caller: Caller, asset_id: AssetId, body: SettlementBody, if_match: IfMatch = None) -> Response:
    """Verify the asset, accepting differences with a reason, or ask again. For the FMAR administrator."""
    version = version_of(if_match)
    return asset_answer(queries.settle_query(caller, asset_id, body.decision, body.reason, version, body.fields))
