"""Decisions on organisations: approve, refuse, suspend, reinstate, withdraw (UC-01.02, UC-01.04)."""

from fastapi import APIRouter, Response

from api.http.decimal_json import ExactRoute
from api.http.parameters import ReasonBody
from api.http.problems import answers
from api.http.responses import IfMatch, version_of
from api.http.security import Caller
from api.participants.organisations import OrganisationId, OrganisationOut, organisation_answer
from services.participants import approval, ending

router = APIRouter(prefix="/organisations/{FmarOrganisationId}", tags=["Organisations"], route_class=ExactRoute)
REFUSALS = answers(404, 409, 412, 413, 428)


@router.post("/approve", summary="Approve an organisation", response_model=OrganisationOut, responses=REFUSALS)
def approve_organisation(caller: Caller, organisation_id: OrganisationId, if_match: IfMatch = None) -> Response:
    """A new or changed organisation becomes Active. For the FMAR administrator."""
    organisation = approval.approve_organisation(caller, organisation_id, version_of(if_match))
    return organisation_answer(organisation)


@router.post("/refuse", summary="Refuse an organisation", response_model=OrganisationOut, responses=REFUSALS)
def refuse_organisation(
    caller: Caller, organisation_id: OrganisationId, body: ReasonBody, if_match: IfMatch = None
) -> Response:
    """A new organisation becomes Refused, finally; the change of an approved one is undone. For the FMAR administrator."""
    organisation = approval.refuse_organisation(caller, organisation_id, body.reason, version_of(if_match))
    return organisation_answer(organisation)


@router.post("/suspend", summary="Suspend an organisation", response_model=OrganisationOut, responses=REFUSALS)
def suspend_organisation(
    caller: Caller, organisation_id: OrganisationId, body: ReasonBody, if_match: IfMatch = None
) -> Response:
    """Its people and programs are out at their next click or call; its records are kept. For the FMAR administrator."""
    organisation = approval.suspend_organisation(caller, organisation_id, body.reason, version_of(if_match))
    return organisation_answer(organisation)


@router.post("/reinstate", summary="End a suspension", response_model=OrganisationOut, responses=REFUSALS)
def reinstate_organisation(caller: Caller, organisation_id: OrganisationId, if_match: IfMatch = None) -> Response:
    """Everything is as it was before. For the FMAR administrator."""
    organisation = approval.reinstate_organisation(caller, organisation_id, version_of(if_match))
    return organisation_answer(organisation)


@router.post("/withdraw", summary="De-register an organisation", response_model=OrganisationOut, responses=REFUSALS)
def withdraw_organisation(
    caller: Caller, organisation_id: OrganisationId, body: ReasonBody, if_match: IfMatch = None
) -> Response:
    """Final. Refused, with `blockers`, while assets and the like depend on it."""
    organisation = ending.withdraw_organisation(caller, organisation_id, body.reason, version_of(if_match))
    return organisation_answer(organisation)
