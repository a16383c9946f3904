"""People and what they may do in organisations (UC-01.01, UC-01.04)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import PageQuery, ReasonBody
from api.http.problems import answers
from api.http.responses import IfMatch, answer, here, page, version_of
from api.http.security import Caller
from models.participants import ASSIGNABLE_ROLES, MembershipStatus, Role
from services.core.access_log import log_access
from services.core.errors import NotFound
from services.participants.users import (
    UserView,
    change_roles,
    deactivate_user,
    invite_user,
    list_users,
    reactivate_user,
)

router = APIRouter(prefix="/users", tags=["Users"], route_class=ExactRoute)
RECORD = "membership"
ROLE_WORDS = f"From: {', '.join(ASSIGNABLE_ROLES)}. Which fit follows from what the organisation is."
MembershipId = Annotated[UUID, Path(alias="MembershipId", description="A person in an organisation.")]


class UserOut(BaseModel):
    """A person in one organisation."""

    UserId: UUID
    MembershipId: UUID = Field(description="The person in this organisation: what changes name.")
    FmarOrganisationId: UUID
    OrganisationLegalName: str
    FullName: str
    Email: str
    Roles: list[Role]
    UserStatus: MembershipStatus
    StatusReason: str | None
    Version: int
    RecordedAt: datetime | None


class UserPage(BaseModel):
    """A page of people, in the order of their invitation."""

    items: list[UserOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class UserQuery(PageQuery):
    """Which people."""

    FmarOrganisationId: UUID | None = None
    UserStatus: MembershipStatus | None = None
    Text: str | None = Field(default=None, max_length=255, description="Part of a name or email address.")


class Invitation(BaseModel):
    """Somebody to be invited."""

    model_config = ConfigDict(extra="forbid")

    FmarOrganisationId: UUID | None = Field(default=None, description="Your own organisation unless you name another.")
    FullName: str = Field(max_length=1000, examples=["Priya Raman"])
    Email: str = Field(max_length=1000, examples=["priya.raman@northgate.example"])
    Roles: list[str] = Field(max_length=50, description=ROLE_WORDS, examples=[["fsp_user"]])


class RolesBody(BaseModel):
    """The roles that somebody shall hold from now on."""

    model_config = ConfigDict(extra="forbid")

    Roles: list[str] = Field(max_length=50, description=ROLE_WORDS, examples=[["fsp_user", "viewer"]])


@router.get("", summary="List users", response_model=UserPage)
def list_them(request: Request, caller: Caller, query: Annotated[UserQuery, Query()]) -> Response:
    """The people of your organisation; of all for the administrator."""
    found = list_users(
        caller,
        query.FmarOrganisationId,
        status=query.UserStatus,
        text=query.Text,
        after=query.after,
        limit=query.limit + 1,
    )
    shown, more = found[: query.limit], len(found) > query.limit
    log_access(caller, "user.list", RECORD, detail={"ids": [str(one.membership_id) for one in shown]})
    return answer(page(request, [one.as_terms() for one in shown], shown[-1].membership_id if more else None))


@router.post("", status_code=201, summary="Invite a user", response_model=UserOut, responses=answers(404, 409, 413))
def invite(request: Request, caller: Caller, body: Invitation) -> Response:
    """The invitation is accepted by the first sign-in with that verified email address."""
    organisation_id = body.FmarOrganisationId or caller.organisation_id or UUID(int=0)
    made = invite_user(caller, organisation_id, body.FullName, body.Email, body.Roles)
    return _one(made, 201, location=here(request, f"/v1/users/{made.membership_id}"))


@router.get("/{MembershipId}", summary="Read a user", response_model=UserOut, responses=answers(404))
def read(caller: Caller, membership_id: MembershipId) -> Response:
    """One person in an organisation, with the ETag that changes name."""
    # The page of one that begins just before it: the list is in the order of these identifiers.
    found = list_users(caller, after=UUID(int=max(0, membership_id.int - 1)), limit=1)
    if not found or found[0].membership_id != membership_id:
        raise NotFound(RECORD, membership_id)
    log_access(caller, "user.read", RECORD, membership_id)
    return _one(found[0])


@router.patch(
    "/{MembershipId}", summary="Change roles", response_model=UserOut, responses=answers(404, 409, 412, 413, 428)
)
def change(caller: Caller, membership_id: MembershipId, body: RolesBody, if_match: IfMatch = None) -> Response:
    """They hold at the next click. Refused when the organisation would be without an administrator."""
    return _one(change_roles(caller, membership_id, body.Roles, version_of(if_match)))


@router.post(
    "/{MembershipId}/deactivate",
    summary="Deactivate a user",
    response_model=UserOut,
    responses=answers(404, 409, 412, 413, 428),
)
def deactivate(caller: Caller, membership_id: MembershipId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Access to this organisation ends at the next click. The last administrator can't be deactivated."""
    return _one(deactivate_user(caller, membership_id, body.Reason, version_of(if_match)))


@router.post(
    "/{MembershipId}/reactivate",
    summary="Reactivate a user",
    response_model=UserOut,
    responses=answers(404, 409, 412, 428),
)
def reactivate(caller: Caller, membership_id: MembershipId, if_match: IfMatch = None) -> Response:
    """With the roles held before, where those still fit."""
    return _one(reactivate_user(caller, membership_id, version_of(if_match)))


def _one(view: UserView, status: int = 200, *, location: str | None = None) -> Response:
    return answer(view.as_terms(), status, version=view.version, location=location)
