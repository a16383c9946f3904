"""What is decided about organisations: approve, refuse, suspend, reinstate, withdraw (UC-01.02, UC-01.04)."""

from fastapi import APIRouter, Response

from api.http.decimal_json import ExactRoute
from api.http.parameters import ReasonBody
from api.http.problems import answers
from api.http.responses import IfMatch, answer, version_of
from api.http.security import Caller
from api.participants.organisations import OrganisationId, OrganisationOut
from models.participants import Organisation
from services.participants.approval import (
    approve_organisation,
    refuse_organisation,
    reinstate_organisation,
    suspend_organisation,
)
from services.participants.ending import withdraw_organisation
from services.participants.reading import as_terms

router = APIRouter(prefix="/organisations/{FmarOrganisationId}", tags=["Organisations"], route_class=ExactRoute)
REFUSALS = answers(404, 409, 412, 413, 428)


def _one(organisation: Organisation) -> Response:
    return answer(as_terms(organisation), version=organisation.version)


@router.post("/approve", summary="Approve an organisation", response_model=OrganisationOut, responses=REFUSALS)
def approve(caller: Caller, organisation_id: OrganisationId, if_match: IfMatch = None) -> Response:
    """A new or changed organisation becomes Active. For the FMAR administrator."""
    return _one(approve_organisation(caller, organisation_id, version_of(if_match)))


@router.post("/refuse", summary="Refuse an organisation", response_model=OrganisationOut, responses=REFUSALS)
def refuse(caller: Caller, organisation_id: OrganisationId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """A new organisation becomes Refused, finally; the change of an approved one is undone. For the FMAR administrator."""
    return _one(refuse_organisation(caller, organisation_id, body.Reason, version_of(if_match)))


@router.post("/suspend", summary="Suspend an organisation", response_model=OrganisationOut, responses=REFUSALS)
def suspend(caller: Caller, organisation_id: OrganisationId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Its people and programs are out at their next click or call; its records are kept. For the FMAR administrator."""
    return _one(suspend_organisation(caller, organisation_id, body.Reason, version_of(if_match)))


@router.post("/reinstate", summary="End a suspension", response_model=OrganisationOut, responses=REFUSALS)
def reinstate(caller: Caller, organisation_id: OrganisationId, if_match: IfMatch = None) -> Response:
    """Everything is as it was before. For the FMAR administrator."""
    return _one(reinstate_organisation(caller, organisation_id, version_of(if_match)))


@router.post("/withdraw", summary="De-register an organisation", response_model=OrganisationOut, responses=REFUSALS)
def withdraw(caller: Caller, organisation_id: OrganisationId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final. Refused, with `blockers`, while assets and the like depend on it."""
    return _one(withdraw_organisation(caller, organisation_id, body.Reason, version_of(if_match)))
