"""People and what they may do in organisations (UC-01.01, UC-01.04)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import PageQuery, ReasonBody
from api.http.problems import answers
from api.http.responses import IfMatch, answer, here, page, version_of
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from models.participants import ASSIGNABLE_ROLES, MembershipStatus, Role
from services.core.access_log import log_access
from services.core.errors import NotFound
from services.participants import users
from services.participants.users import UserView

router = APIRouter(prefix="/users", tags=["Users"], route_class=ExactRoute)
RECORD = "membership"
ROLE_WORDS = f"From: {', '.join(ASSIGNABLE_ROLES)}. Which fit follows from what the organisation is."
MembershipId = Annotated[UUID, Path(alias="MembershipId", description="A person in an organisation.")]


class UserOut(AnswerSchema):
    """A person in one organisation."""

    user_id: UUID | None = Field(description="The account; null until an invitation is accepted.")
    membership_id: UUID = Field(description="The person in this organisation: what changes name.")
    fmar_organisation_id: UUID
    organisation_legal_name: str
    full_name: str
    name_warning: str | None = Field(description="When the name mixes letters of scripts that look alike; else null.")
    email: str
    roles: list[Role]
    user_status: MembershipStatus
    status_reason: str | None
    version: int
    recorded_at: datetime | None


class UserPage(BaseModel):
    """A page of people, in the order of their invitation."""

    items: list[UserOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class UserQuery(PageQuery):
    """Filters of people."""

    fmar_organisation_id: UUID | None = None
    user_status: MembershipStatus | None = None
    text: str | None = Field(default=None, max_length=255, description="Part of a name or email address.")


class Invitation(RequestSchema):
    """Somebody to be invited."""

    fmar_organisation_id: UUID | None = Field(
        default=None, description="Your own organisation unless you name another."
    )
    full_name: str = Field(max_length=1000, examples=["Priya Raman"])
    email: str = Field(max_length=1000, examples=["priya.raman@northgate.example"])
    roles: list[str] = Field(max_length=50, description=ROLE_WORDS, examples=[["fsp_user"]])


class RolesBody(RequestSchema):
    """The roles that somebody shall hold from now on."""

    roles: list[str] = Field(max_length=50, description=ROLE_WORDS, examples=[["fsp_user", "viewer"]])


@router.get("", summary="List users", response_model=UserPage)
def list_users(request: Request, caller: Caller, query: Annotated[UserQuery, Query()]) -> Response:
    """The people of your organisation; of all for the administrator."""
    views = users.list_users(
        caller,
        query.fmar_organisation_id,
        status=query.user_status,
        text=query.text,
        after=query.after,
        limit=query.limit + 1,
    )
    listed, more = views[: query.limit], len(views) > query.limit
    log_access(caller, "user.list", RECORD, detail={"ids": [str(view.membership_id) for view in listed]})
    return answer(page(request, [view.as_terms() for view in listed], listed[-1].membership_id if more else None))


@router.post("", status_code=201, summary="Invite a user", response_model=UserOut, responses=answers(404, 409, 413))
def invite_user(request: Request, caller: Caller, body: Invitation) -> Response:
    """The invitation is accepted by the first sign-in with that verified email address."""
    organisation_id = body.fmar_organisation_id or caller.organisation_id or UUID(int=0)
    view = users.invite_user(caller, organisation_id, body.full_name, body.email, body.roles)
    return _answer(view, 201, location=here(request, f"/v1/users/{view.membership_id}"))


@router.get("/{MembershipId}", summary="Read a user", response_model=UserOut, responses=answers(404))
def get_user(caller: Caller, membership_id: MembershipId) -> Response:
    """One person in an organisation, with the ETag that changes name."""
    # The page of one that begins just before it: the list is in the order of these identifiers.
    views = users.list_users(caller, after=UUID(int=max(0, membership_id.int - 1)), limit=1)
    if not views or views[0].membership_id != membership_id:
        raise NotFound(RECORD, membership_id)
    log_access(caller, "user.read", RECORD, membership_id)
    return _answer(views[0])


@router.patch(
    "/{MembershipId}", summary="Change roles", response_model=UserOut, responses=answers(404, 409, 412, 413, 428)
)
def change_user_roles(
    caller: Caller, membership_id: MembershipId, body: RolesBody, if_match: IfMatch = None
) -> Response:
    """They hold at the next click. Refused when the organisation would be without an administrator."""
    return _answer(users.change_roles(caller, membership_id, body.roles, version_of(if_match)))


@router.post(
    "/{MembershipId}/deactivate",
    summary="Deactivate a user",
    response_model=UserOut,
    responses=answers(404, 409, 412, 413, 428),
)
def deactivate_user(
    caller: Caller, membership_id: MembershipId, body: ReasonBody, if_match: IfMatch = None
) -> Response:
    """Access to this organisation ends at the next click. The last administrator can't be deactivated."""
    return _answer(users.deactivate_user(caller, membership_id, body.reason, version_of(if_match)))


@router.post(
    "/{MembershipId}/reactivate",
    summary="Reactivate a user",
    response_model=UserOut,
    responses=answers(404, 409, 412, 428),
)
def reactivate_user(caller: Caller, membership_id: MembershipId, if_match: IfMatch = None) -> Response:
    """With the roles held before, where those still fit."""
    return _answer(users.reactivate_user(caller, membership_id, version_of(if_match)))


def _answer(view: UserView, status: int = 200, *, location: str | None = None) -> Response:
    return answer(view.as_terms(), status, version=view.version, location=location)
