"""Whole accounts, across organisations: closed, reopened and released by the FMAR administrator (UC-01.01, UC-01.04)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import ReasonBody
from api.http.problems import answers
from api.http.responses import answer
from api.http.security import Caller
from models.participants import UserStatus
from services.participants.accounts import account_terms, deactivate_account, reactivate_account, release_identity

router = APIRouter(prefix="/accounts", tags=["Users"], route_class=ExactRoute)
UserId = Annotated[UUID, Path(alias="UserId", description="The person, whatever organisations they belong to.")]


class AccountOut(BaseModel):
    """A person's account."""

    UserId: UUID
    FullName: str
    Email: str
    AccountStatus: UserStatus
    StatusReason: str | None
    IdentityBound: bool = Field(description="Whether it belongs to an identity of a sign-in provider.")
    Version: int
    RecordedAt: datetime | None


@router.post(
    "/{UserId}/deactivate", summary="Close an account", response_model=AccountOut, responses=answers(404, 409, 413)
)
def close(caller: Caller, user_id: UserId, body: ReasonBody) -> Response:
    """Access to every organisation ends at the next click. An organisation's last administrator can't be closed out."""
    return answer(account_terms(deactivate_account(caller, user_id, body.Reason)))


@router.post(
    "/{UserId}/reactivate", summary="Reopen an account", response_model=AccountOut, responses=answers(404, 409)
)
def reopen(caller: Caller, user_id: UserId) -> Response:
    """The person is back in the organisations that they belong to."""
    return answer(account_terms(reactivate_account(caller, user_id)))


@router.post(
    "/{UserId}/release-identity",
    summary="Release an account's identity",
    response_model=AccountOut,
    responses=answers(404, 409, 413),
)
def release(caller: Caller, user_id: UserId, body: ReasonBody) -> Response:
    """The next sign-in with the account's verified email address binds it anew. Make sure first who asks."""
    return answer(account_terms(release_identity(caller, user_id, body.Reason)))
