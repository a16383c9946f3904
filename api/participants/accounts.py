"""Whole accounts, across organisations: closed, reopened and released by the FMAR administrator (UC-01.01, UC-01.04)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import ReasonBody
from api.http.problems import answers
from api.http.responses import answer
from api.http.schemas import AnswerSchema
from api.http.security import Caller
from models.participants import UserStatus
from services.participants import accounts
from services.participants.accounts import account_terms

router = APIRouter(prefix="/accounts", tags=["Users"], route_class=ExactRoute)
UserId = Annotated[UUID, Path(alias="UserId", description="The person, whatever organisations they belong to.")]


class AccountOut(AnswerSchema):
    """A person's account."""

    user_id: UUID
    full_name: str
    email: str
    account_status: UserStatus
    status_reason: str | None
    identity_bound: bool = Field(description="True when it belongs to an identity of a sign-in provider.")
    version: int
    recorded_at: datetime | None


@router.post(
    "/{UserId}/deactivate", summary="Close an account", response_model=AccountOut, responses=answers(404, 409, 413)
)
def deactivate_account(caller: Caller, user_id: UserId, body: ReasonBody) -> Response:
    """Access to every organisation ends at the next click. An organisation's last administrator can't be closed out."""
    return answer(account_terms(accounts.deactivate_account(caller, user_id, body.reason)))


@router.post(
    "/{UserId}/reactivate", summary="Reopen an account", response_model=AccountOut, responses=answers(404, 409)
)
def reactivate_account(caller: Caller, user_id: UserId) -> Response:
    """The person is back in the organisations that they belong to."""
    return answer(account_terms(accounts.reactivate_account(caller, user_id)))


@router.post(
    "/{UserId}/release-identity",
    summary="Release an account's identity",
    response_model=AccountOut,
    responses=answers(404, 409, 413),
)
def release_identity(caller: Caller, user_id: UserId, body: ReasonBody) -> Response:
    """The next sign-in with the account's verified email address binds it anew. Make sure first who asks."""
    return answer(account_terms(accounts.release_identity(caller, user_id, body.reason)))
