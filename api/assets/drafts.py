"""Drafts that installers send to providers (UC-02.01): submit, mend, take back; return, decline, register."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.assets.assets import AssetChange, AssetOut, asset_answer
from api.http.attribute_models import handed_in
from api.http.decimal_json import ExactRoute
from api.http.parameters import ReasonBody
from api.http.problems import answers
from api.http.responses import answer, here
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from models.assets import AssetDraft
from services.assets.registration import drafts, submissions
from services.assets.registration.draft_board import DraftState, draft_board, draft_view
from services.assets.registration.register import register_asset
from services.assets.rules.schemas import REGISTER_TERMS
from services.core.access_log import log_access
from services.core.errors import NotFound

router = APIRouter(prefix="/asset-drafts", tags=["Drafts"], route_class=ExactRoute)
RECORD = "asset_draft"
DraftId = Annotated[UUID, Path(alias="DraftId", description="The draft's identifier.")]


class DraftIn(RequestSchema):
    """Technical data for a provider to complete."""

    addressed_to: UUID = Field(description="The FSP or Aggregator who completes and registers it: its organisation ID.")
    note: str | None = Field(default=None, max_length=1000, description="What they should know.")
    asset: AssetChange = Field(description="What is known of the asset, by term; right or wrong, whole or in part.")  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue


class DraftOut(AnswerSchema):
    """A draft as it stands."""

    id: UUID = Field(serialization_alias="DraftId")
    state: DraftState
    name: str = Field(serialization_alias="AssetName")
    category: str | None = Field(serialization_alias="AssetCategory")
    needed: int = Field(serialization_alias="MandatoryFields", description="How many fields its category needs.")
    filled: int = Field(serialization_alias="MandatoryFilled", description="How many of these hold something.")
    installer: str | None
    provider_id: UUID | None = Field(serialization_alias="AddressedTo")
    provider: str | None
    note: str | None
    reason: str | None = Field(description="Why the provider gave it back.")
    saved_at: datetime
    submitted_at: datetime | None


class DraftRead(DraftOut):
    """A draft with its data."""

    asset: dict[str, Any] = Field(description="The values, by term.")


class DraftList(BaseModel):
    """The drafts that you submitted, and those that were submitted to you; the latest first."""

    items: list[DraftOut]


@router.get("", summary="List drafts", response_model=DraftList)
def list_drafts(caller: Caller) -> Response:
    """Those of your organisation that are with providers or were given back, and those submitted to your organisation."""
    board = draft_board(caller)
    views = [*board.received, *board.submitted, *board.returned]
    log_access(caller, "draft.list", RECORD, detail={"ids": [str(view.id) for view in views]})
    return answer({"items": DraftOut.from_records(views)})


@router.post("", status_code=201, summary="Submit a draft", response_model=DraftOut, responses=answers(409, 413))
def submit_draft(request: Request, caller: Caller, body: DraftIn) -> Response:
    """As an installer: the provider sees it at once. Try the data before with `/validate`."""
    values, _justification = handed_in(body.asset, REGISTER_TERMS)
    draft = submissions.submit_draft(caller, values, body.addressed_to, body.note)
    view = draft_view(caller, draft.id)
    return answer(DraftOut.from_record(view), 201, location=here(request, f"/v1/asset-drafts/{draft.id}"))


@router.post("/validate", summary="Try a draft", response_model=dict[str, Any], responses=answers(413))
def check_draft(caller: Caller, body: AssetChange) -> Response:  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
    """The `findings` of the rules on the data; nothing of what else is registered. A draft may be submitted with any."""
    values, _justification = handed_in(body, REGISTER_TERMS)
    return answer({"findings": [finding.as_dict() for finding in submissions.check_draft(caller, values)]})


@router.get("/{DraftId}", summary="Read a draft", response_model=DraftRead, responses=answers(404))
def get_draft(caller: Caller, draft_id: DraftId) -> Response:
    """One that your organisation submitted, or that was submitted to it."""
    draft, view = drafts.get_draft(caller, draft_id), draft_view(caller, draft_id)
    log_access(caller, "draft.read", RECORD, draft_id)
    return answer(DraftRead.from_record(view, asset=_values(draft)))


@router.put("/{DraftId}", summary="Submit a draft again", response_model=DraftOut, responses=answers(404, 409, 413))
def update_draft(caller: Caller, draft_id: DraftId, body: DraftIn) -> Response:
    """In place of what was submitted before: after it was given back, or while the provider hasn't begun with it."""
    values, _justification = handed_in(body.asset, REGISTER_TERMS)
    submissions.submit_draft(caller, values, body.addressed_to, body.note, draft_id=draft_id)
    return answer(DraftOut.from_record(draft_view(caller, draft_id)))


@router.delete("/{DraftId}", status_code=204, summary="Take a draft back", responses=answers(404, 409))
def delete_draft(caller: Caller, draft_id: DraftId) -> Response:
    """For good; refused once the provider has begun to complete it."""
    if not draft_view(caller, draft_id).is_own:
        raise NotFound("draft", draft_id)
    drafts.discard_draft(caller, draft_id)
    return Response(status_code=204)


@router.post("/{DraftId}/return", status_code=204, summary="Return a draft", responses=answers(404, 413))
def return_draft(caller: Caller, draft_id: DraftId, body: ReasonBody) -> Response:
    """As the provider: the installer reads the reason, mends it and submits again."""
    submissions.return_draft(caller, draft_id, body.reason)
    return Response(status_code=204)


@router.post("/{DraftId}/decline", status_code=204, summary="Decline a draft", responses=answers(404, 413))
def decline_draft(caller: Caller, draft_id: DraftId, body: ReasonBody) -> Response:
    """As the provider, who doesn't want it: the installer reads the reason and may choose another provider."""
    submissions.return_draft(caller, draft_id, body.reason, declined=True)
    return Response(status_code=204)


@router.post(
    "/{DraftId}/register",
    status_code=201,
    summary="Complete and register a draft",
    response_model=AssetOut,
    responses=answers(404, 409, 413),
)
def register_draft(
    request: Request,
    caller: Caller,
    draft_id: DraftId,
    body: AssetChange,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
) -> Response:
    """As the provider: the draft's data with what the body adds or changes, under the rules of a registration."""
    values, justification = handed_in(body, REGISTER_TERMS)
    draft = drafts.get_draft(caller, draft_id)
    terms = {**_values(draft), **values}
    asset = register_asset(caller, terms, justification=justification, draft_id=draft_id)
    return asset_answer(asset, 201, location=here(request, f"/v1/assets/{asset.id}"))


def _values(draft: AssetDraft) -> dict[str, Any]:
    return {name: value for name, value in draft.values.items() if name not in drafts.NOTES}
