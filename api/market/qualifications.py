"""Qualification: apply, list, read, assess, accept (UC-04.02)."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.http.decimal_json import ExactRoute
from api.http.files import download_headers
from api.http.parameters import History, filter_values, history_out
from api.http.problems import answers
from api.http.responses import (
    NOT_MODIFIED,
    ActionOut,
    Actions,
    IfMatch,
    IfNoneMatch,
    answer,
    here,
    page,
    unchanged,
    version_of,
)
from api.http.schemas import AnswerSchema, RequestSchema
from api.http.security import Caller
from api.market.qualification_schemas import (
    AcceptBody,
    AnswerBody,
    ApplyBody,
    AssignBody,
    Case,
    CodedBody,
    DecisionBody,
    DecisionsBody,
    ElsewhereList,
    ElsewhereOut,
    ElsewhereQuery,
    QualificationList,
    QualificationOut,
    QualificationQuery,
    QualificationsMade,
    TextBody,
)
from models.qualifications import Qualification
from services.core.access_log import log_access
from services.core.errors import Finding, Invalid
from services.core.file_signatures import PDF
from services.market.qualification import assessment, batch, listing, portability, provider_actions
from services.market.qualification.allowed_actions import qualification_actions
from services.market.qualification.application import apply_for_products
from services.market.qualification.assessment import MAX_CASES
from services.market.qualification.batch import BatchResult
from services.market.qualification.certificate import read_certificate
from services.market.qualification.data_package import read_package
from services.market.qualification.filters import TERMS, parse_qualification_filters
from services.market.qualification.portability import qualified_elsewhere
from services.market.qualification.reason_codes import MAX_LENGTH
from services.market.qualification.records import qualification_history

router = APIRouter(tags=["Qualification"], route_class=ExactRoute)
RECORD = "qualification"
ROOT = "/qualifications"
ONE = f"{ROOT}/{{QualificationId}}"
Id = Annotated[UUID, Path(alias="QualificationId", description="The application's identifier.")]
CHANGED: dict[str, Any] = {"response_model": QualificationOut, "responses": answers(404, 409, 412, 413, 428)}


@router.get(ROOT, summary="List applications", response_model=QualificationList)
def list_qualifications(
    request: Request,
    caller: Caller,
    query: Annotated[QualificationQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The applications that you may see and that pass the filters, the newest first: your own, or those addressed to you."""
    filters = parse_qualification_filters(filter_values(query, TERMS))
    result = listing.list_qualifications(caller, filters, after=query.after, limit=query.limit)
    ids = [str(line.qualification.id) for line in result.items]
    log_access(caller, "qualification.list", RECORD, detail={"ids": ids})
    return answer(page(request, [line.terms() for line in result.items], result.next_cursor))


@router.post(
    ROOT,
    status_code=201,
    summary="Apply for products",
    response_model=QualificationsMade,
    responses=answers(404, 409, 412, 413, 428),
)
def apply_for_qualification(request: Request, caller: Caller, body: ApplyBody, if_match: IfMatch = None) -> Response:
    """For one or many at once: one data package is frozen, and each product goes to the operators that buy it there.

    If-Match is the ETag of the market unit. What the register finds missing answers 422 until there is a `Justification`.
    """
    codes = [product.product_code for product in body.products]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        words = "Name each product once, with all the operators that it is addressed to."
        raise Invalid([Finding("APPLY-05", "ProductCode", ", ".join(twice), "Each product once", words)])
    products = {product.product_code: product.addressed_to for product in body.products}
    applications = apply_for_products(
        caller, body.unit_id, products, version=version_of(if_match), justification=body.justification
    )
    location = here(request, f"/v1{ROOT}?UnitId={body.unit_id}")
    return answer({"items": _terms(caller, applications)}, 201, location=location)


@router.post(
    f"{ROOT}/decisions",
    summary="Decide like cases",
    response_model=QualificationsMade,
    responses=answers(404, 409, 413),
)
def decide_applications(caller: Caller, body: DecisionsBody) -> Response:
    """All of them or none; each from the version that you read. 409 names those that can't be decided now."""
    cases = [(case.qualification_id, case.version) for case in body.cases]
    applications = assessment.decide_like_cases(caller, cases, body.outcome())
    return answer({"items": _terms(caller, applications)})


@router.get(f"{ROOT}/elsewhere", summary="Qualified with colleagues", response_model=ElsewhereList)
def list_qualified_elsewhere(request: Request, caller: Caller, query: Annotated[ElsewhereQuery, Query()]) -> Response:
    """Units in your areas that another operator has qualified for an equivalent of a product of your own."""
    result = qualified_elsewhere(caller, query.unit_id, after=query.after, limit=query.limit)
    ids = [str(item.qualification_id) for item in result.items]
    log_access(caller, "qualification.list", RECORD, detail={"ids": ids})
    items = ElsewhereOut.from_records(result.items)
    return answer({**page(request, items, result.next_cursor), "Total": result.total})


@router.post(
    f"{ROOT}/accept",
    status_code=201,
    summary="Accept a colleague's qualification",
    response_model=QualificationOut,
    responses=answers(404, 409, 413),
)
def accept_qualification(request: Request, caller: Caller, body: AcceptBody) -> Response:
    """With the same validity and conditions. An application under way is decided by it."""
    qualification = portability.accept_colleague(caller, body.qualification_id, body.product_code)
    return _answer(caller, qualification, 201, location=here(request, f"/v1{ROOT}/{qualification.id}"))


@router.get(
    ONE, summary="Read an application", response_model=QualificationOut, responses={**NOT_MODIFIED, **answers(404)}
)
def get_qualification(caller: Caller, qualification_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """One application, with its ETag and how its clock stands."""
    line = listing.get_qualification(caller, qualification_id)
    log_access(caller, "qualification.read", RECORD, qualification_id)
    version = line.qualification.version
    return unchanged(if_none_match, version) or answer(line.terms(), version=version)


@router.get(f"{ONE}/actions", summary="What can be done", response_model=Actions, responses=answers(404))
def list_qualification_actions(caller: Caller, qualification_id: Id) -> Response:
    """Every act, and why not what can't be done now."""
    return answer({"items": ActionOut.from_records(qualification_actions(caller, qualification_id))})


@router.get(f"{ONE}/history", summary="An application's history", response_model=History, responses=answers(404))
def list_qualification_changes(caller: Caller, qualification_id: Id) -> Response:
    """Every change, newest first: who, when, under which use case, before and after."""
    changes = qualification_history(caller, qualification_id)
    log_access(caller, "qualification.history", RECORD, qualification_id)
    return answer(history_out(changes))


@router.get(
    f"{ONE}/package",
    summary="Read the data package",
    response_class=Response,
    responses={
        200: {"description": "The package.", "content": {"application/json": {"schema": {"type": "object"}}}},
        **answers(404, 409),
    },
)
def download_data_package(caller: Caller, qualification_id: Id) -> Response:
    """Unit, assets and limits as they were handed in, with nothing changed since. 409 when it was altered in the database."""
    file = read_package(caller, qualification_id)
    return Response(file.content, media_type="application/json", headers=download_headers(file.file_name))


@router.get(
    f"{ONE}/certificate",
    summary="Read the certificate",
    response_class=Response,
    responses={
        200: {"description": "The certificate.", "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}},
        **answers(404, 409),
    },
)
def download_certificate(caller: Caller, qualification_id: Id) -> Response:
    """A PDF of one page for a qualification in force. 409 while there is none."""
    file = read_certificate(caller, qualification_id)
    return Response(file.content, media_type=PDF, headers=download_headers(file.file_name))


@router.post(f"{ONE}/take", summary="Take an application", **CHANGED)
def take_application(caller: Caller, qualification_id: Id, if_match: IfMatch = None) -> Response:
    """Begin to assess it. A re-assessment rests on a fresh data package."""
    return _answer(caller, assessment.take_application(caller, qualification_id, version_of(if_match)))


@router.post(f"{ONE}/assign", summary="Assign an application", **CHANGED)
def assign_application(caller: Caller, qualification_id: Id, body: AssignBody, if_match: IfMatch = None) -> Response:
    """To somebody of your own organisation, or to nobody."""
    return _answer(caller, assessment.assign_application(caller, qualification_id, body.user_id, version_of(if_match)))


@router.post(f"{ONE}/ask", summary="Ask the FSP", **CHANGED)
def ask_for_information(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """The clock stands still until it answers."""
    return _answer(caller, assessment.ask_information(caller, qualification_id, body.text, version_of(if_match)))


@router.post(f"{ONE}/answer", summary="Answer the operator", **CHANGED)
def answer_information_request(
    caller: Caller, qualification_id: Id, body: AnswerBody, if_match: IfMatch = None
) -> Response:
    """The clock runs on."""
    version = version_of(if_match)
    return _answer(
        caller,
        provider_actions.answer_information(
            caller, qualification_id, body.text, version, fresh_package=body.fresh_package
        ),
    )


@router.post(f"{ONE}/decide", summary="Decide an application", **CHANGED)
def decide_application(caller: Caller, qualification_id: Id, body: DecisionBody, if_match: IfMatch = None) -> Response:
    """Qualified with validity and conditions, or failed with a coded reason."""
    return _answer(
        caller, assessment.decide_application(caller, qualification_id, body.outcome(), version_of(if_match))
    )


@router.post(f"{ONE}/suspend", summary="Suspend a qualification", **CHANGED)
def suspend_qualification(caller: Caller, qualification_id: Id, body: CodedBody, if_match: IfMatch = None) -> Response:
    """With a coded reason: the unit can't deliver until it is lifted."""
    version = version_of(if_match)
    return _answer(
        caller, assessment.suspend_qualification(caller, qualification_id, body.reason_code, body.text, version)
    )


@router.post(f"{ONE}/lift", summary="Lift a suspension", **CHANGED)
def lift_suspension(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """Qualified again, or to be assessed again where the unit changed meanwhile."""
    return _answer(caller, assessment.lift_suspension(caller, qualification_id, body.text, version_of(if_match)))


@router.post(f"{ONE}/reassess", summary="Require a re-assessment", **CHANGED)
def require_reassessment(caller: Caller, qualification_id: Id, body: CodedBody, if_match: IfMatch = None) -> Response:
    """With a coded reason. The approval stands until it is decided."""
    version = version_of(if_match)
    return _answer(
        caller, assessment.demand_reassessment(caller, qualification_id, body.reason_code, body.text, version)
    )


@router.post(f"{ONE}/renew", summary="Ask for renewal", **CHANGED)
def request_renewal(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """For another period of validity. The approval stands until it is decided."""
    return _answer(caller, provider_actions.request_renewal(caller, qualification_id, body.text, version_of(if_match)))


@router.post(f"{ONE}/withdraw", summary="Withdraw an application", **CHANGED)
def withdraw_application(caller: Caller, qualification_id: Id, body: TextBody, if_match: IfMatch = None) -> Response:
    """Final: what the unit is qualified for ends with it."""
    return _answer(
        caller, provider_actions.withdraw_application(caller, qualification_id, body.text, version_of(if_match))
    )


def _terms(caller: Caller, qualifications: Iterable[Qualification]) -> list[dict[str, Any]]:
    return [listing.get_qualification(caller, qualification.id).terms() for qualification in qualifications]


def _answer(
    caller: Caller, qualification: Qualification, status: int = 200, *, location: str | None = None
) -> Response:
    [terms] = _terms(caller, [qualification])
    return answer(terms, status, version=qualification.version, location=location)


class CasesBody(RequestSchema):
    """Many applications, each at the version that you read."""

    cases: list[Case] = Field(max_length=MAX_CASES)

    def versions(self) -> list[tuple[UUID, int]]:
        """The cases as the services take them: identifier and version."""
        return [(case.qualification_id, case.version) for case in self.cases]


class AssignmentsBody(CasesBody):
    """The person who works on many applications; null for nobody."""

    user_id: UUID | None


class WithdrawalsBody(CasesBody):
    """Why many applications are withdrawn."""

    text: str = Field(max_length=MAX_LENGTH, examples=["The site was sold."])


class LeftAsItWas(AnswerSchema):
    """An application that it wasn't done with: why not, and what to do."""

    id: UUID = Field(serialization_alias="QualificationId")
    label: str
    action: str


class QualificationsTogether(QualificationsMade):
    """The result for many applications: `items` those it was done with, `Left` the others."""

    left: list[LeftAsItWas]


DONE: dict[str, Any] = {"response_model": QualificationsTogether, "responses": answers(404, 409, 413)}


@router.post(f"{ROOT}/take", summary="Take many applications", **DONE)
def take_applications(caller: Caller, body: CasesBody) -> Response:
    """They are yours from now on. `Left` says which weren't taken, and why; 409 where none was."""
    return _together(caller, batch.take_applications(caller, body.versions()))


@router.post(f"{ROOT}/assign", summary="Assign many applications", **DONE)
def assign_applications(caller: Caller, body: AssignmentsBody) -> Response:
    """To somebody of your organisation, or to nobody. `Left` says which weren't, and why; 409 where none was."""
    return _together(caller, batch.assign_applications(caller, body.versions(), body.user_id))


@router.post(f"{ROOT}/withdraw", summary="Withdraw many applications", **DONE)
def withdraw_applications(caller: Caller, body: WithdrawalsBody) -> Response:
    """Final, for one reason. `Left` says which weren't withdrawn, and why; 409 where none was."""
    return _together(caller, batch.withdraw_applications(caller, body.versions(), body.text))


def _together(caller: Caller, result: BatchResult) -> Response:
    return answer({"items": _terms(caller, result.done), "Left": LeftAsItWas.from_records(result.left)})
