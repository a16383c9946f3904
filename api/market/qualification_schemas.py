"""What the routes of qualification take and give (UC-04.02)."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.http.conversation import MessageFields
from api.http.decimal_json import Exact
from api.http.parameters import PageQuery
from models.products import Family
from models.qualifications import QualificationStatus, SaidKind
from services.core.conversation.definition import Audience as Readers
from services.market.qualification.assessment import MAX_CASES, AssessmentVerdict
from services.market.qualification.assessment import AssessmentResult as Decided
from services.market.qualification.filters import SINGLE_VALUED, TERMS
from services.market.qualification.portability import ColleagueQualification
from services.market.qualification.readiness import Readiness
from services.market.qualification.sla_clock import ClockState

LONGEST = 5000


class QualificationOut(BaseModel):
    """An application of a unit for a product at a system operator, and what became of it."""

    QualificationId: UUID
    UnitId: UUID
    UnitName: str
    UnitCode: str
    ServiceProviderId: UUID
    ProductCode: str
    ProductVersion: int
    Family: Family
    AddressedTo: UUID = Field(description="The system operator that assesses it.")
    Status: QualificationStatus
    StatusSince: datetime
    StatusReason: str | None
    ReasonCode: str | None
    SubmittedAt: datetime
    DecidedAt: datetime | None
    QualifiedAt: datetime | None = Field(description="Since when it is approved: that outlives a re-assessment.")
    ValidFrom: date | None
    ValidUntil: date | None = Field(description="The last day of validity.")
    Conditions: str | None
    AssignedTo: str | None
    DueOn: date | None = Field(description="When the operator is to have decided; null while its clock stands still.")
    Clock: ClockState
    WorkingDaysLeft: int | None = Field(description="Negative once it is late.")
    Capacity: Exact = Field(description="kW in the product's direction, as assessed last.")
    GspGroup: str | None
    DataPackageId: UUID
    AcceptedFrom: UUID | None
    Justification: str | None
    Version: int
    RecordedAt: datetime | None


class QualificationList(BaseModel):
    """A page of applications."""

    items: list[QualificationOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class QualificationsMade(BaseModel):
    """Several applications at once."""

    items: list[QualificationOut]


def _filters() -> dict[str, Any]:
    text = Annotated[str, Field(max_length=60)]
    several = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")
    return {term: (text, Field(default="")) if term in SINGLE_VALUED else (list[text], several) for term in TERMS}


QualificationQuery = create_model("QualificationQuery", __base__=PageQuery, __doc__="Which applications.", **_filters())


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wanted(Body):
    """One product to apply for."""

    ProductCode: str = Field(max_length=20, examples=["SU"])
    AddressedTo: list[UUID] = Field(
        default_factory=list, max_length=50, description="Operators to ask; empty: all that buy it where the unit is."
    )


class ApplyBody(Body):
    """An application of a unit for one or many products, with one data package for all of them."""

    UnitId: UUID
    Products: list[Wanted] = Field(max_length=50)
    Justification: str | None = Field(
        default=None, max_length=LONGEST, description="What you say to what the register finds missing."
    )


class TextBody(Body):
    """A question, or a reason."""

    Text: str = Field(max_length=LONGEST, examples=["Which meter measures the delivery?"])


class AnswerBody(TextBody):
    """An answer."""

    FreshPackage: bool = Field(default=False, description="Whether the unit is frozen anew, as it stands now.")


class CodedBody(TextBody):
    """A coded reason, with words."""

    ReasonCode: str = Field(max_length=40, examples=["SAFETY"])


class DecisionBody(Body):
    """A decision."""

    Outcome: AssessmentVerdict
    Reason: str = Field(max_length=LONGEST, examples=["The test of 3 May was passed."])
    ValidFrom: date | None = Field(default=None, description="Today unless told.")
    ValidUntil: date | None = Field(default=None, description="The last day; mandatory when QUALIFIED.")
    Conditions: str | None = Field(default=None, max_length=LONGEST)
    ReasonCode: str | None = Field(default=None, max_length=40, description="Mandatory when FAILED.")

    def outcome(self) -> Decided:
        """As the services take it."""
        return Decided(self.Outcome, self.Reason, self.ValidFrom, self.ValidUntil, self.Conditions, self.ReasonCode)


class Case(Body):
    """One of many cases, at the version that you read."""

    QualificationId: UUID
    Version: int


class DecisionsBody(DecisionBody):
    """One decision on many like cases: applications for one version of one product."""

    Cases: list[Case] = Field(max_length=MAX_CASES)


class AcceptBody(Body):
    """A colleague's qualification, and the product of your own that it counts for."""

    QualificationId: UUID = Field(description="The colleague's, from /v1/qualifications/elsewhere.")
    ProductCode: str = Field(max_length=20)


class AssignBody(Body):
    """Who works on it; null for nobody."""

    UserId: UUID | None


class MessageBody(Body):
    """A comment. Who reads it has no usual value: it is said each time."""

    Text: str = Field(max_length=LONGEST)
    Audience: Readers


class MessageOut(MessageFields[SaidKind]):
    """Something said on an application."""


class Messages(BaseModel):
    """Everything said on an application that you may read, oldest first, and who everyone involved is."""

    items: list[MessageOut]
    involved: list[str] = Field(description="Who reads what is said to everyone involved, by name.")


class ElsewhereOut(BaseModel):
    """That a unit in your areas is qualified with a colleague, and for which product of your own that counts."""

    QualificationId: UUID
    UnitId: UUID
    UnitName: str
    UnitCode: str
    ProductCode: str
    Operator: str
    ValidFrom: date | None
    ValidUntil: date | None
    Conditions: str | None
    ForProduct: str
    Note: str


class ElsewhereList(BaseModel):
    """A page of what colleagues have qualified."""

    items: list[ElsewhereOut]
    Total: int = Field(description="Qualifications of colleagues that count, on all pages.")
    next: str | None = Field(description="The path of the next page; null at the end.")


class ElsewhereQuery(PageQuery):
    """Of one unit alone, or of all; `limit` is of qualifications."""

    UnitId: UUID | None = Field(default=None, description="Of one unit alone.")


class LackOut(BaseModel):
    """One thing that is missing, and the record to go to."""

    Code: str
    Words: str
    Kind: str
    Id: str


class ReadinessOut(BaseModel):
    """Whether a unit can deliver a product to an operator on a day."""

    UnitId: UUID
    ProductCode: str
    AddressedTo: UUID
    Date: date
    Ready: bool
    Missing: list[LackOut]
    Remarks: list[str] = Field(description="What doesn't stand in the way, but is worth knowing.")


def elsewhere_out(one: ColleagueQualification) -> dict[str, Any]:
    """A colleague's qualification as answered."""
    return {
        "QualificationId": one.qualification_id,
        "UnitId": one.unit_id,
        "UnitName": one.unit_name,
        "UnitCode": one.unit_code,
        "ProductCode": one.product_code,
        "Operator": one.operator,
        "ValidFrom": one.valid_from,
        "ValidUntil": one.valid_until,
        "Conditions": one.conditions,
        "ForProduct": one.for_product,
        "Note": one.note,
    }


def readiness_out(found: Readiness) -> dict[str, Any]:
    """A readiness as answered."""
    return {
        "UnitId": found.unit_id,
        "ProductCode": found.product_code,
        "AddressedTo": found.addressed_to,
        "Date": found.on,
        "Ready": found.ready,
        "Missing": [{"Code": one.code, "Words": one.words, "Kind": one.kind, "Id": one.id} for one in found.missing],
        "Remarks": list(found.remarks),
    }
