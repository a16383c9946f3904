"""Many applications at once over HTTP: taken, given to somebody, or withdrawn as far as that goes (UC-04.02)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import answer
from api.http.security import Caller
from api.market.qualification_schemas import Body, Case, QualificationsMade
from services.market.qualification.assessment import MOST_AT_ONCE
from services.market.qualification.batch import (
    Together,
    assign_applications,
    take_applications,
    withdraw_applications,
)
from services.market.qualification.listing import get_qualification
from services.market.qualification.reason_codes import LONGEST


class CasesBody(Body):
    """Many applications, each at the version that you read."""

    Cases: list[Case] = Field(max_length=MOST_AT_ONCE)

    def cases(self) -> list[tuple[UUID, int]]:
        """As the services take them."""
        return [(one.QualificationId, one.Version) for one in self.Cases]


class AssignmentsBody(CasesBody):
    """Who works on many applications; null for nobody."""

    UserId: UUID | None


class WithdrawalsBody(CasesBody):
    """Why many applications are withdrawn."""

    Text: str = Field(max_length=LONGEST, examples=["The site was sold."])


class LeftAsItWas(BaseModel):
    """An application that it wasn't done with: why not, and what to do."""

    QualificationId: UUID
    Label: str
    Action: str


class QualificationsTogether(QualificationsMade):
    """What became of many applications: `items` those it was done with, `Left` the others."""

    Left: list[LeftAsItWas]


router = APIRouter(tags=["Qualification"], route_class=ExactRoute)
ROOT = "/qualifications"
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


def _together(caller: Caller, became: Together) -> Response:
    items = [get_qualification(caller, one.id).terms() for one in became.done]
    left = [{"QualificationId": one.id, "Label": one.label, "Action": one.action} for one in became.left]
    return answer({"items": items, "Left": left})
