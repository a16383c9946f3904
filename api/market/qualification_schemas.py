"""Schemas of qualification (UC-04.02)."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from api.http.conversation import MessageFields
from api.http.decimal_json import Exact
from api.http.parameters import PageQuery, filter_fields
from api.http.schemas import AnswerSchema, RequestSchema
from models.products import Family
from models.qualifications import QualificationStatus, SaidKind
from services.core.conversation.definition import Audience
from services.market.qualification.assessment import MAX_CASES, AssessmentResult, AssessmentVerdict
from services.market.qualification.filters import SINGLE_VALUED, TERMS
from services.market.qualification.sla_clock import ClockState

LONGEST = 5000


class QualificationOut(AnswerSchema):
    """An application of a unit for a product at a system operator, and what became of it."""

    qualification_id: UUID
    unit_id: UUID
    unit_name: str
    unit_code: str
    service_provider_id: UUID
    product_code: str
    product_version: int
    family: Family
    addressed_to: UUID = Field(description="The system operator that assesses it.")
    status: QualificationStatus
    status_since: datetime
    status_reason: str | None
    reason_code: str | None
    submitted_at: datetime
    decided_at: datetime | None
    qualified_at: datetime | None = Field(description="Since when it is approved: that outlives a re-assessment.")
    valid_from: date | None
    valid_until: date | None = Field(description="The last day of validity.")
    conditions: str | None
    assigned_to: str | None
    due_on: date | None = Field(description="When the operator is to have decided; null while its clock stands still.")
    clock: ClockState
    working_days_left: int | None = Field(description="Negative once it is late.")
    capacity: Exact = Field(description="kW in the product's direction, as assessed last.")
    gsp_group: str | None
    data_package_id: UUID
    accepted_from: UUID | None
    justification: str | None
    version: int
    recorded_at: datetime | None


class QualificationList(BaseModel):
    """A page of applications."""

    items: list[QualificationOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class QualificationsMade(AnswerSchema):
    """Several applications at once."""

    items: list[QualificationOut]


QualificationQuery = create_model(
    "QualificationQuery",
    __base__=PageQuery,
    __doc__="Filters of applications.",
    **filter_fields(TERMS, SINGLE_VALUED, 60),
)


class Wanted(RequestSchema):
    """One product to apply for."""

    product_code: str = Field(max_length=20, examples=["SU"])
    addressed_to: list[UUID] = Field(
        default_factory=list, max_length=50, description="Operators to ask; empty: all that buy it where the unit is."
    )


class ApplyBody(RequestSchema):
    """An application of a unit for one or many products, with one data package for all of them."""

    unit_id: UUID
    products: list[Wanted] = Field(max_length=50)
    justification: str | None = Field(
        default=None, max_length=LONGEST, description="What you say to what the register finds missing."
    )


class TextBody(RequestSchema):
    """A question, or a reason."""

    text: str = Field(max_length=LONGEST, examples=["Which meter measures the delivery?"])


class AnswerBody(TextBody):
    """An answer."""

    fresh_package: bool = Field(default=False, description="Whether the unit is frozen anew, as it stands now.")


class CodedBody(TextBody):
    """A coded reason, with words."""

    reason_code: str = Field(max_length=40, examples=["SAFETY"])


class DecisionBody(RequestSchema):
    """A decision."""

    verdict: AssessmentVerdict = Field(alias="Outcome")
    reason: str = Field(max_length=LONGEST, examples=["The test of 3 May was passed."])
    valid_from: date | None = Field(default=None, description="Today unless told.")
    valid_until: date | None = Field(default=None, description="The last day; mandatory when QUALIFIED.")
    conditions: str | None = Field(default=None, max_length=LONGEST)
    reason_code: str | None = Field(default=None, max_length=40, description="Mandatory when FAILED.")

    def outcome(self) -> AssessmentResult:
        """As the services take it."""
        return AssessmentResult(
            self.verdict, self.reason, self.valid_from, self.valid_until, self.conditions, self.reason_code
        )


class Case(RequestSchema):
    """One of many cases, at the version that you read."""

    qualification_id: UUID
    version: int


class DecisionsBody(DecisionBody):
    """One decision on many like cases: applications for one version of one product."""

    cases: list[Case] = Field(max_length=MAX_CASES)


class AcceptBody(RequestSchema):
    """A colleague's qualification, and the product of your own that it counts for."""

    qualification_id: UUID = Field(description="The colleague's, from /v1/qualifications/elsewhere.")
    product_code: str = Field(max_length=20)


class AssignBody(RequestSchema):
    """The person who works on it; null for nobody."""

    user_id: UUID | None


class MessageBody(RequestSchema):
    """A comment. Who reads it has no usual value: it is said each time."""

    text: str = Field(max_length=LONGEST)
    audience: Audience


class MessageOut(MessageFields[SaidKind]):
    """Something said on an application."""


class Messages(BaseModel):
    """Everything said on an application that you may read, oldest first, and who everyone involved is."""

    items: list[MessageOut]
    involved: list[str] = Field(description="Who reads what is said to everyone involved, by name.")


class ElsewhereOut(AnswerSchema):
    """That a unit in your areas is qualified with a colleague, and for which product of your own that counts."""

    qualification_id: UUID
    unit_id: UUID
    unit_name: str
    unit_code: str
    product_code: str
    operator: str
    valid_from: date | None
    valid_until: date | None
    conditions: str | None
    for_product: str
    note: str


class ElsewhereList(AnswerSchema):
    """A page of what colleagues have qualified."""

    items: list[ElsewhereOut]
    total: int = Field(description="Qualifications of colleagues that count, on all pages.")
    next: str | None = Field(description="The path of the next page; null at the end.")


class ElsewhereQuery(PageQuery):
    """Of one unit alone, or of all; `limit` is of qualifications."""

    unit_id: UUID | None = Field(default=None, description="Of one unit alone.")


class LackOut(AnswerSchema):
    """One thing that is missing, and the record to go to."""

    code: str
    words: str
    kind: str
    id: str


class ReadinessOut(AnswerSchema):
    """A unit's readiness to deliver a product to an operator on a day."""

    unit_id: UUID
    product_code: str
    addressed_to: UUID
    on: date = Field(serialization_alias="Date")
    ready: bool
    missing: list[LackOut]
    remarks: list[str] = Field(description="What doesn't stand in the way, but is worth knowing.")
