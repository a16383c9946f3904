"""Organisations: register, read, change (UC-01.02, UC-01.03)."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.http.attribute_models import answer_model, handed_in, request_model
from api.http.decimal_json import ExactRoute
from api.http.examples import ORGANISATION
from api.http.parameters import AsOf, History, PageQuery, history_out
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, IfMatch, IfNoneMatch, answer, here, page, unchanged, version_of
from api.http.security import Caller
from models.participants import Organisation, OrganisationStatus
from services.core.access_log import log_access
from services.core.ledger.history import RecordChange
from services.participants import organisations, reading
from services.participants.reading import (
    as_terms,
    organisation_as_of,
    organisation_history,
    organisation_passport,
    terms_of_columns,
)
from services.participants.rules import ORGANISATION_ATTRIBUTES, REGISTER_TERMS

router = APIRouter(prefix="/organisations", tags=["Organisations"], route_class=ExactRoute)
RECORD = "organisation"
INTERNAL = frozenset({"approved_values"})
OrganisationId = Annotated[UUID, Path(alias="FmarOrganisationId", description="The organisation's identifier.")]
OrganisationIn = request_model(
    "OrganisationIn", "An organisation to be registered.", ORGANISATION_ATTRIBUTES, example=ORGANISATION, mandatory=True
)
OrganisationChange = request_model(
    "OrganisationChange",
    "The attributes that change; null or empty text clears one.",
    ORGANISATION_ATTRIBUTES,
    example={"OrganisationEmail": "flexibility@northgate.example"},
    mandatory=False,
)
OrganisationOut = answer_model(
    "Organisation",
    "An organisation as it stands in the register.",
    ORGANISATION_ATTRIBUTES,
    {
        "FmarOrganisationId": UUID,
        "OrganisationStatus": OrganisationStatus,
        "StatusReason": str | None,
        "ApprovedAt": datetime | None,
        "LicenceAreas": list[str],
        "Version": int,
        "RecordedAt": datetime | None,
    },
)


class OrganisationPage(BaseModel):
    """A page of organisations, oldest first."""

    items: list[OrganisationOut]  # pyright: ignore[reportInvalidTypeForm]  # made from the attribute catalogue
    next: str | None = Field(description="The path of the next page; null at the end.")


class OrganisationQuery(PageQuery):
    """Filters of organisations."""

    organisation_status: OrganisationStatus | None = None
    organisation_roles: str | None = Field(default=None, max_length=100, description="One of the roles it holds.")
    text: str | None = Field(default=None, max_length=255, description="Part of a name or registration number.")


@router.get("", summary="List organisations", response_model=OrganisationPage)
def list_organisations(request: Request, caller: Caller, query: Annotated[OrganisationQuery, Query()]) -> Response:
    """The organisations that you may see: your own, or all for the administrator."""
    result = reading.list_organisations(
        caller,
        status=query.organisation_status,
        role=query.organisation_roles,
        text=query.text,
        after=query.after,
        limit=query.limit,
    )
    log_access(
        caller, "organisation.list", RECORD, detail={"ids": [str(organisation.id) for organisation in result.items]}
    )
    return answer(page(request, [as_terms(organisation) for organisation in result.items], result.next_cursor))


@router.post(
    "", status_code=201, summary="Register an organisation", response_model=OrganisationOut, responses=answers(409, 413)
)
def register_organisation(request: Request, caller: Caller, body: OrganisationIn) -> Response:  # pyright: ignore[reportInvalidTypeForm]
    """It waits as Pending Approval until the FMAR administrator decides."""
    values, justification = handed_in(body, REGISTER_TERMS)
    organisation = organisations.register_organisation(caller, values, justification=justification)
    return organisation_answer(organisation, 201, location=here(request, f"/v1/organisations/{organisation.id}"))


@router.get(
    "/{FmarOrganisationId}",
    summary="Read an organisation",
    response_model=OrganisationOut,
    responses={**NOT_MODIFIED, **answers(404)},
)
def get_organisation(
    caller: Caller, organisation_id: OrganisationId, if_none_match: IfNoneMatch = None, as_of: AsOf = None
) -> Response:
    """One organisation, with its ETag; or as it stood at a moment."""
    if as_of is None:
        organisation = reading.get_organisation(caller, organisation_id)
    else:
        organisation = organisation_as_of(caller, organisation_id, as_of)
    log_access(caller, "organisation.read", RECORD, organisation_id, _moment(as_of))
    return unchanged(if_none_match, organisation.version) or organisation_answer(organisation)


@router.patch(
    "/{FmarOrganisationId}",
    summary="Change an organisation",
    response_model=OrganisationOut,
    responses=answers(404, 409, 412, 413, 428),
)
def update_organisation(
    caller: Caller,
    organisation_id: OrganisationId,
    body: OrganisationChange,  # pyright: ignore[reportInvalidTypeForm]
    if_match: IfMatch = None,
) -> Response:
    """Attributes that aren't named stay. A new legal name, registration number or role needs approval again."""
    version = version_of(if_match)
    values, justification = handed_in(body, REGISTER_TERMS)
    organisation = organisations.update_organisation(
        caller, organisation_id, values, version, justification=justification
    )
    return organisation_answer(organisation)


@router.get(
    "/{FmarOrganisationId}/history", summary="An organisation's history", response_model=History, responses=answers(404)
)
def list_organisation_changes(caller: Caller, organisation_id: OrganisationId) -> Response:
    """Every change, newest first: who, when, under which use case, before and after."""
    changes = organisation_history(caller, organisation_id)
    log_access(caller, "organisation.history", RECORD, organisation_id)
    return answer(history_out(map(_by_term, changes)))


@router.get(
    "/{FmarOrganisationId}/passport",
    summary="An organisation's passport",
    response_model=dict[str, Any],
    responses=answers(404),
)
def get_organisation_passport(caller: Caller, organisation_id: OrganisationId) -> Response:
    """Everything a platform needs to onboard the organisation; attributes without a value are left out."""
    return answer(organisation_passport(caller, organisation_id))


def organisation_answer(organisation: Organisation, status: int = 200, *, location: str | None = None) -> Response:
    """An organisation by ontology term, under its ETag."""
    return answer(as_terms(organisation), status, version=organisation.version, location=location)


def _moment(as_of: datetime | None) -> dict[str, str]:
    return {"as_of": as_of.isoformat()} if as_of else {}


def _by_term(change: RecordChange) -> RecordChange:
    """Columns by their ontology terms; the register's own columns in the same spelling."""
    terms = terms_of_columns(change.changes)
    named = {
        terms.get(name) or "".join(part.title() for part in name.split("_")): pair
        for name, pair in change.changes.items()
        if name not in INTERNAL
    }
    return replace(change, changes=named)
