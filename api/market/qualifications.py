"""Qualification: apply, list, read, assess, say, accept, and whether a unit is ready (UC-04.02)."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.parameters import History, told
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, Actions, IfMatch, IfNoneMatch, answer, here, page, unchanged, version_of
from api.http.security import Caller
from api.market.qualification_schemas import (
    AcceptBody,
    AnswerBody,
    ApplyBody,
    AssignBody,
    Body,
    Case,
    CodedBody,
    DecisionBody,
    DecisionsBody,
    ElsewhereList,
    ElsewhereQuery,
    QualificationList,
    QualificationOut,
    QualificationQuery,
    QualificationsMade,
    TextBody,
    elsewhere_out,
)
from models.qualifications import Qualification
from services.core.access_log import log_access
from services.core.errors import Finding, Invalid
from services.market.qualification.allowed_actions import qualification_actions
from services.market.qualification.application import apply_for_products
from services.market.qualification.assessment import (
    MAX_CASES,
    ask_information,
    assign_application,
    decide_application,
    decide_like_cases,
    demand_reassessment,
    lift_suspension,
    suspend_qualification,
    take_application,
)
from services.market.qualification.batch import (
    BatchResult,
    assign_applications,
    take_applications,
    withdraw_applications,
)
from services.market.qualification.data_package import read_package
from services.market.qualification.filters import TERMS, parse_qualification_filters
from services.market.qualification.listing import get_qualification, list_qualifications
from services.market.qualification.portability import accept_colleague, qualified_elsewhere
from services.market.qualification.provider_actions import answer_information, request_renewal, withdraw_application
from services.market.qualification.reason_codes import MAX_LENGTH
from services.market.qualification.records import qualification_history

router = APIRouter(tags=["Qualification"], route_class=ExactRoute)
RECORD = "qualification"
ROOT = "/qualifications"
ONE = f"{ROOT}/{{QualificationId}}"
Id = Annotated[UUID, Path(alias="QualificationId", description="The application's identifier.")]
CHANGED: dict[str, Any] = {"response_model": QualificationOut, "responses": answers(404, 409, 412, 413, 428)}


@router.get(ROOT, summary="List applications", response_model=QualificationList)
def list_them(
    request: Request,
    caller: Caller,
    query: Annotated[QualificationQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The applications that you may see and that pass the filters, the newest first: your own, or those addressed to you."""
    given = {term: getattr(query, term) for term in TERMS}
    filters = parse_qualification_filters(
        {term: one if isinstance(one, list) else [one] for term, one in given.items()}
    )
    found = list_qualifications(caller, filters, after=query.after, limit=query.limit)
    shown = [str(line.qualification.id) for line in found.items]
    log_access(caller, "qualification.list", RECORD, detail={"ids": shown})
    return answer(page(request, [line.terms() for line in found.items], found.next_cursor))


@router.post(
    ROOT,
    status_code=201,
    summary="Apply for products",
    response_model=QualificationsMade,
    responses=answers(404, 409, 412, 413, 428),
)
def apply(request: Request, caller: Caller, body: ApplyBody, if_match: IfMatch = None) -> Response:
    """For one or many at once: one data package is frozen, and each product goes to the operators that buy it there.

    If-Match is the ETag of the market unit. What the register finds missing answers 422 until there is a `Justification`.
    """
    asked = [one.ProductCode for one in body.Products]
    if twice := sorted({code for code in asked if asked.count(code) > 1}):
        words = "Name each product once, with all the operators that it is addressed to."
        raise Invalid([Finding("APPLY-05", "ProductCode", ", ".join(twice), "Each product once", words)])
    products = {one.ProductCode: one.AddressedTo for one in body.Products}
    made = apply_for_products(
        caller, body.UnitId, products, version=version_of(if_match), justification=body.Justification
    )
    items = [get_qualification(caller, one.id).terms() for one in made]
    return answer({"items": items}, 201, location=here(request, f"/v1{ROOT}?UnitId={body.UnitId}"))


@router.post(
    f"{ROOT}/decisions",
    summary="Decide like cases",
    response_model=QualificationsMade,
    responses=answers(404, 409, 413),
)
def decide_many(caller: Caller, body: DecisionsBody) -> Response:
    """All of them or none; each from the version that you read. 409 names those that can't be decided now."""
    cases = [(one.QualificationId, one.Version) for one in body.Cases]
    done = decide_like_cases(caller, cases, body.outcome())
    return answer({"items": [get_qualification(caller, one.id).terms() for one in done]})


@router.get(f"{ROOT}/elsewhere", summary="Qualified with colleagues", response_model=ElsewhereList)
def elsewhere(request: Request, caller: Caller, query: Annotated[ElsewhereQuery, Query()]) -> Response:
    """Units in your areas that another operator has qualified for an equivalent of a product of your own."""
    found = qualified_elsewhere(caller, query.UnitId, after=query.after, limit=query.limit)
    ids = [str(one.qualification_id) for one in found.items]
    log_access(caller, "qualification.list", RECORD, detail={"ids": ids})
    items = [elsewhere_out(one) for one in found.items]
    return answer({**page(request, items, found.next_cursor), "Total": found.total})


@router.post(
    f"{ROOT}/accept",
    status_code=201,
    summary="Accept a colleague's qualification",
    response_model=QualificationOut,
    responses=answers(404, 409, 413),
)
def accept(request: Request, caller: Caller, body: AcceptBody) -> Response:
    """With the same validity and conditions. An application under way is decided by it."""
    made = accept_colleague(caller, body.QualificationId, body.ProductCode)
    return _one(caller, made, 201, location=here(request, f"/v1{ROOT}/{made.id}"))


@router.get(
    ONE, summary="Read an application", response_model=QualificationOut, responses={**NOT_MODIFIED, **answers(404)}
)
def read(caller: Caller, qualification_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """One application, with its ETag and how its clock stands."""
    found = get_qualification(caller, qualification_id)
    log_access(caller, "qualification.read", RECORD, qualification_id)
    version = found.qualification.version
    return unchanged(if_none_match, version) or answer(found.terms(), version=version)


@router.get(f"{ONE}/actions", summary="What can be done", response_model=Actions, responses=answers(404))
def actions(caller: Caller, qualification_id: Id) -> Response:
    """Every act, and why not what can't be done now."""
    items = [
        {"Operation": one.operation, "Label": one.label, "Allowed": one.allowed, "WhyNot": one.why_not}
        for one in qualification_actions(caller, qualification_id)
    ]
    return answer({"items": items})


@router.get(f"{ONE}/history", summary="An application's history", response_model=History, responses=answers(404))
def history(caller: Caller, qualification_id: Id) -> Response:
    """Every change, newest first: who, when, under which use case, before and after."""
    changes = qualification_history(caller, qualification_id)
    log_access(caller, "qualification.history", RECORD, qualification_id)
    return answer(told(changes))


@router.get(
    f"{ONE}/package",
    summary="Read the data package",
    response_class=Response,
    responses={
        200: {"description": "The package.", "content": {"application/json": {"schema": {"type": "object"}}}},
        **answers(404, 409),
    },
)
def package(caller: Caller, qualification_id: Id) -> Response:
    """Unit, assets and limits as they were handed in, with nothing changed since. 409 when it was altered in the database."""
    file = read_package(caller, qualification_id)
    return Response(file.content, media_type="application/json", headers=named(file.file_name))


@router.post(f"{ONE}/take", summary="Take an application", **CHANGED)
def take(caller: Caller, qualification_id: Id, if_match: IfMatch = None) -> Response:
    """Begin to assess it. A re-assessment rests on a fresh data package."""
    return _one(caller, take_application(caller, qualification_id, version_of(if_match)))


@router.post(f"{ONE}/assign", summary="Assign an application", **CHANGED)
def assign(caller: Caller, qualification_id: Id, body: AssignBody, if_match: IfMatch = None) -> Response:
    """To somebody of your own organisation, or to nobody."""
    return _one(caller, assign_application(caller, qualification_id, body.UserId, version_of(if_match)))


@router.post(f"{ONE}/ask", summary="Ask the FSP", **CHANGED)
def ask(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """The clock stands still until it answers."""
    return _one(caller, ask_information(caller, qualification_id, body.Text, version_of(if_match)))


@router.post(f"{ONE}/answer", summary="Answer the operator", **CHANGED)
def reply(caller: Caller, qualification_id: Id, body: AnswerBody, if_match: IfMatch = None) -> Response:
    """The clock runs on."""
    version = version_of(if_match)
    return _one(
        caller,
        answer_information(caller, qualification_id, body.Text, version, fresh_package=body.FreshPackage),
    )


@router.post(f"{ONE}/decide", summary="Decide an application", **CHANGED)
def decide(caller: Caller, qualification_id: Id, body: DecisionBody, if_match: IfMatch = None) -> Response:
    """Qualified with validity and conditions, or failed with a coded reason."""
    return _one(caller, decide_application(caller, qualification_id, body.outcome(), version_of(if_match)))


@router.post(f"{ONE}/suspend", summary="Suspend a qualification", **CHANGED)
def suspend(caller: Caller, qualification_id: Id, body: CodedBody, if_match: IfMatch = None) -> Response:
    """With a coded reason: the unit can't deliver until it is lifted."""
    version = version_of(if_match)
    return _one(caller, suspend_qualification(caller, qualification_id, body.ReasonCode, body.Text, version))


@router.post(f"{ONE}/lift", summary="Lift a suspension", **CHANGED)
def lift(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """Qualified again, or to be assessed again where the unit changed meanwhile."""
    return _one(caller, lift_suspension(caller, qualification_id, body.Text, version_of(if_match)))


@router.post(f"{ONE}/reassess", summary="Require a re-assessment", **CHANGED)
def reassess(caller: Caller, qualification_id: Id, body: CodedBody, if_match: IfMatch = None) -> Response:
    """With a coded reason. The approval stands until it is decided."""
    version = version_of(if_match)
    return _one(caller, demand_reassessment(caller, qualification_id, body.ReasonCode, body.Text, version))


@router.post(f"{ONE}/renew", summary="Ask for renewal", **CHANGED)
def renew(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """For another period of validity. The approval stands until it is decided."""
    return _one(caller, request_renewal(caller, qualification_id, body.Text, version_of(if_match)))


@router.post(f"{ONE}/withdraw", summary="Withdraw an application", **CHANGED)
def withdraw(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """Final: what the unit is qualified for ends with it."""
    return _one(caller, withdraw_application(caller, qualification_id, body.Text, version_of(if_match)))


def named(file_name: str) -> dict[str, str]:
    """The header under which a file is saved."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name)}"}


def _one(caller: Caller, found: Qualification, status: int = 200, *, location: str | None = None) -> Response:
    line = get_qualification(caller, found.id)
    return answer(line.terms(), status, version=found.version, location=location)


class CasesBody(Body):
    """Many applications, each at the version that you read."""

    Cases: list[Case] = Field(max_length=MAX_CASES)

    def cases(self) -> list[tuple[UUID, int]]:
        """As the services take them."""
        return [(one.QualificationId, one.Version) for one in self.Cases]


class AssignmentsBody(CasesBody):
    """Who works on many applications; null for nobody."""

    UserId: UUID | None


class WithdrawalsBody(CasesBody):
    """Why many applications are withdrawn."""

    Text: str = Field(max_length=MAX_LENGTH, examples=["The site was sold."])


class LeftAsItWas(BaseModel):
    """An application that it wasn't done with: why not, and what to do."""

    QualificationId: UUID
    Label: str
    Action: str


class QualificationsTogether(QualificationsMade):
    """What became of many applications: `items` those it was done with, `Left` the others."""

    Left: list[LeftAsItWas]


DONE: dict[str, Any] = {"response_model": QualificationsTogether, "responses": answers(404, 409, 413)}


@router.post(f"{ROOT}/take", summary="Take many applications", **DONE)
def take_many(caller: Caller, body: CasesBody) -> Response:
    """They are yours from now on. `Left` says which weren't taken, and why; 409 where none was."""
    return _together(caller, take_applications(caller, body.cases()))


@router.post(f"{ROOT}/assign", summary="Assign many applications", **DONE)
def assign_many(caller: Caller, body: AssignmentsBody) -> Response:
    """To somebody of your organisation, or to nobody. `Left` says which weren't, and why; 409 where none was."""
    return _together(caller, assign_applications(caller, body.cases(), body.UserId))


@router.post(f"{ROOT}/withdraw", summary="Withdraw many applications", **DONE)
def withdraw_many(caller: Caller, body: WithdrawalsBody) -> Response:
    """Final, for one reason. `Left` says which weren't withdrawn, and why; 409 where none was."""
    return _together(caller, withdraw_applications(caller, body.cases(), body.Text))


def _together(caller: Caller, became: BatchResult) -> Response:
    items = [get_qualification(caller, one.id).terms() for one in became.done]
    left = [{"QualificationId": one.id, "Label": one.label, "Action": one.action} for one in became.left]
    return answer({"items": items, "Left": left})
