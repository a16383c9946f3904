"""Drafts that installers send to providers (UC-02.01): submit, mend, take back; return, decline, register."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.assets.assets import AssetChange, AssetOut
from api.http.attribute_models import handed_in
from api.http.decimal_json import ExactRoute
from api.http.parameters import ReasonBody
from api.http.problems import answers
from api.http.responses import answer, here
from api.http.security import Caller
from services.assets.registration.draft_board import DraftState, DraftView, draft_board, draft_view
from services.assets.registration.drafts import NOTES, discard_draft, get_draft
from services.assets.registration.record import as_terms
from services.assets.registration.register import register_asset
from services.assets.registration.submissions import check_draft, return_draft, submit_draft
from services.assets.rules.schemas import REGISTER_TERMS
from services.core.access_log import log_access
from services.core.errors import NotFound

router = APIRouter(prefix="/asset-drafts", tags=["Drafts"], route_class=ExactRoute)
RECORD = "asset_draft"
DraftId = Annotated[UUID, Path(alias="DraftId", description="The draft's identifier.")]


class DraftIn(BaseModel):
    """Technical data for a provider to complete."""

    model_config = ConfigDict(extra="forbid")

    AddressedTo: UUID = Field(description="The FSP or Aggregator who completes and registers it: its organisation ID.")
    Note: str | None = Field(default=None, max_length=1000, description="What they should know.")
    Asset: AssetChange = Field(description="What is known of the asset, by term; right or wrong, whole or in part.")  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue


class DraftOut(BaseModel):
    """A draft as it stands."""

    DraftId: UUID
    State: DraftState
    AssetName: str
    AssetCategory: str | None
    MandatoryFields: int = Field(description="How many fields its category needs.")
    MandatoryFilled: int = Field(description="How many of these hold something.")
    Installer: str | None
    AddressedTo: UUID | None
    Provider: str | None
    Note: str | None
    Reason: str | None = Field(description="Why the provider gave it back.")
    SavedAt: datetime
    SubmittedAt: datetime | None


class DraftRead(DraftOut):
    """A draft with its data."""

    Asset: dict[str, Any] = Field(description="The values, by term.")


class DraftList(BaseModel):
    """The drafts that you submitted, and those that were submitted to you; the latest first."""

    items: list[DraftOut]


@router.get("", summary="List drafts", response_model=DraftList)
def list_them(caller: Caller) -> Response:
    """Those of your organisation that are with providers or were given back, and those submitted to your organisation."""
    board = draft_board(caller)
    shown = [*board.received, *board.submitted, *board.returned]
    log_access(caller, "draft.list", RECORD, detail={"ids": [str(one.id) for one in shown]})
    return answer({"items": [_told(one) for one in shown]})


@router.post("", status_code=201, summary="Submit a draft", response_model=DraftOut, responses=answers(409, 413))
def submit(request: Request, caller: Caller, body: DraftIn) -> Response:
    """As an installer: the provider sees it at once. Try the data before with `/validate`."""
    values, _justification = handed_in(body.Asset, REGISTER_TERMS)
    draft = submit_draft(caller, values, body.AddressedTo, body.Note)
    view = draft_view(caller, draft.id)
    return answer(_told(view), 201, location=here(request, f"/v1/asset-drafts/{draft.id}"))


@router.post("/validate", summary="Try a draft", response_model=dict[str, Any], responses=answers(413))
def validate(caller: Caller, body: AssetChange) -> Response:  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
    """What the rules say of the data, as `findings`; nothing of what else is registered. A draft may be submitted with any."""
    values, _justification = handed_in(body, REGISTER_TERMS)
    return answer({"findings": [finding.as_dict() for finding in check_draft(caller, values)]})


@router.get("/{DraftId}", summary="Read a draft", response_model=DraftRead, responses=answers(404))
def read(caller: Caller, draft_id: DraftId) -> Response:
    """One that your organisation submitted, or that was submitted to it."""
    draft, view = get_draft(caller, draft_id), draft_view(caller, draft_id)
    log_access(caller, "draft.read", RECORD, draft_id)
    values = {name: one for name, one in draft.values.items() if name not in NOTES}
    return answer({**_told(view), "Asset": values})


@router.put("/{DraftId}", summary="Submit a draft again", response_model=DraftOut, responses=answers(404, 409, 413))
def submit_again(caller: Caller, draft_id: DraftId, body: DraftIn) -> Response:
    """In place of what was submitted before: after it was given back, or while the provider hasn't begun with it."""
    values, _justification = handed_in(body.Asset, REGISTER_TERMS)
    submit_draft(caller, values, body.AddressedTo, body.Note, draft_id=draft_id)
    return answer(_told(draft_view(caller, draft_id)))


@router.delete("/{DraftId}", status_code=204, summary="Take a draft back", responses=answers(404, 409))
def take_back(caller: Caller, draft_id: DraftId) -> Response:
    """For good; refused once the provider has begun to complete it."""
    if not draft_view(caller, draft_id).is_own:
        raise NotFound("draft", draft_id)
    discard_draft(caller, draft_id)
    return Response(status_code=204)


@router.post("/{DraftId}/return", status_code=204, summary="Return a draft", responses=answers(404, 413))
def give_back(caller: Caller, draft_id: DraftId, body: ReasonBody) -> Response:
    """As the provider: the installer reads the reason, mends it and submits again."""
    return_draft(caller, draft_id, body.Reason)
    return Response(status_code=204)


@router.post("/{DraftId}/decline", status_code=204, summary="Decline a draft", responses=answers(404, 413))
def decline(caller: Caller, draft_id: DraftId, body: ReasonBody) -> Response:
    """As the provider, who doesn't want it: the installer reads the reason and may choose another provider."""
    return_draft(caller, draft_id, body.Reason, declined=True)
    return Response(status_code=204)


@router.post(
    "/{DraftId}/register",
    status_code=201,
    summary="Complete and register a draft",
    response_model=AssetOut,
    responses=answers(404, 409, 413),
)
def register(
    request: Request,
    caller: Caller,
    draft_id: DraftId,
    body: AssetChange,  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
) -> Response:
    """As the provider: the draft's data with what the body adds or changes, under the rules of a registration."""
    values, justification = handed_in(body, REGISTER_TERMS)
    draft = get_draft(caller, draft_id)
    known = {name: one for name, one in draft.values.items() if name not in NOTES}
    made = register_asset(caller, {**known, **values}, justification=justification, draft_id=draft_id)
    return answer(as_terms(made), 201, version=made.version, location=here(request, f"/v1/assets/{made.id}"))


def _told(view: DraftView) -> dict[str, Any]:
    return {
        "DraftId": view.id,
        "State": view.state,
        "AssetName": view.name,
        "AssetCategory": view.category,
        "MandatoryFields": view.needed,
        "MandatoryFilled": view.filled,
        "Installer": view.installer,
        "AddressedTo": view.provider_id,
        "Provider": view.provider,
        "Note": view.note,
        "Reason": view.reason,
        "SavedAt": view.saved_at,
        "SubmittedAt": view.submitted_at,
    }
