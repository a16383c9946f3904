"""Qualifications (PSQM): applications of units for products, what an SO assesses, what is said, the outcome (UC-04.02)."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Field

from models.base import BigSerial, Json, Kilowatts, Log, Recorded, UtcDateTime, choice
from models.products import Family


class QualificationStatus(StrEnum):
    """Where an application stands. Approval is apart: `qualified_at` outlives a re-assessment."""

    SUBMITTED = "SUBMITTED"
    IN_ASSESSMENT = "IN_ASSESSMENT"
    INFORMATION_REQUESTED = "INFORMATION_REQUESTED"
    QUALIFIED = "QUALIFIED"
    FAILED = "FAILED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    REASSESSMENT_REQUIRED = "REASSESSMENT_REQUIRED"


QUALIFICATION_LABELS: dict[QualificationStatus, str] = {
    QualificationStatus.SUBMITTED: "Submitted",
    QualificationStatus.IN_ASSESSMENT: "In Assessment",
    QualificationStatus.INFORMATION_REQUESTED: "Information Requested",
    QualificationStatus.QUALIFIED: "Qualified",
    QualificationStatus.FAILED: "Failed",
    QualificationStatus.WITHDRAWN: "Withdrawn",
    QualificationStatus.EXPIRED: "Expired",
    QualificationStatus.SUSPENDED: "Suspended",
    QualificationStatus.REASSESSMENT_REQUIRED: "Re-assessment Required",
}

QUALIFICATION_ENDED = (QualificationStatus.FAILED, QualificationStatus.WITHDRAWN, QualificationStatus.EXPIRED)
OPEN_APPLICATION = (
    QualificationStatus.SUBMITTED,
    QualificationStatus.IN_ASSESSMENT,
    QualificationStatus.INFORMATION_REQUESTED,
)
"""The SO has yet to decide."""

_STANDING = text("status NOT IN ('FAILED', 'WITHDRAWN', 'EXPIRED')")


class Qualification(Recorded, table=True):
    """One unit's application for one product at one SO, and what became of it."""

    __table_args__ = (
        Index("qualification_by_unit", "unit_id", "id"),
        Index("qualification_by_provider", "service_provider_id", "status", "id"),
        Index("qualification_queue", "addressed_to", "status", "due_on", "id"),
        Index("qualification_by_product", "product_code", "status", "id"),
        Index("qualification_by_status", "status", "due_on", "id"),
        Index("qualification_by_clock", "addressed_to", "due_on", "id"),
        Index("qualification_by_due", "due_on", "id"),
        Index("qualification_by_expiry", "status", "valid_until", "id"),
        Index(
            "qualification_once",
            "unit_id",
            "product_code",
            "addressed_to",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )
    unit_id: UUID = Field(foreign_key="market_unit.id")
    service_provider_id: UUID = Field(foreign_key="organisation.id")
    product_code: str = Field(max_length=20)
    product_version: int
    family: Family = Field(sa_type=choice(Family))
    addressed_to: UUID = Field(foreign_key="organisation.id")
    """The SO that assesses it."""
    status: QualificationStatus = Field(sa_type=choice(QualificationStatus))
    status_since: datetime = Field(sa_type=UtcDateTime)
    status_reason: str | None = Field(default=None, max_length=2000)
    reason_code: str | None = Field(default=None, max_length=40)
    """Code of data/market/qualification_reasons.csv: why it failed, was suspended or is to be assessed again."""
    submitted_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    qualified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    valid_from: date | None = None
    valid_until: date | None = None
    conditions: str | None = Field(default=None, max_length=2000)
    assigned_to: UUID | None = None
    """The person at the SO who works on it."""
    assigned_name: str | None = Field(default=None, max_length=200)

    due_on: date | None = None
    """The working day by which the SO is to decide; none while the clock stands still, or once it is decided."""
    days_used: int = 0
    """Working days that had gone when the clock was last stopped."""
    clock_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when the clock runs; none while it stands still."""

    capacity: Decimal = Field(sa_type=Kilowatts)
    """kW of the unit in the product's direction when it was assessed last: the better one where it is bought both ways."""
    gsp_group: str = Field(default="", max_length=4)
    """That of the unit's assets, or the empty text where they lie in several."""
    package_id: UUID = Field(foreign_key="data_package.id")
    accepted_from: UUID | None = None
    """The qualification with another SO, for an equivalent product, that this one was accepted from."""
    justification: str | None = Field(default=None, max_length=2000)
    """What the FSP says to what the register finds missing."""
    reassess_after: str | None = Field(default=None, max_length=40)
    """Reason code of what happened to the unit while it was suspended: lifting leads to a re-assessment."""


class DataPackage(Recorded, table=True):
    """What an application rests on, frozen when handed in: unit, assets, limits. The ledger holds the digest."""

    unit_id: UUID = Field(foreign_key="market_unit.id", index=True)
    service_provider_id: UUID = Field(foreign_key="organisation.id")
    composition: int
    made_at: datetime = Field(sa_type=UtcDateTime)
    assets: int
    sha256: str = Field(max_length=64)
    """Of the JSON text in its content."""
    summary: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Unit and capability, without the assets."""


class DataPackageContent(Log, table=True):
    """The whole package: JSON text, compressed with zlib."""

    package_id: UUID = Field(foreign_key="data_package.id", primary_key=True)
    content: bytes


class QualificationStep(Log, table=True):
    """One step of one qualification, with what charts count by: how many and how much, over time and as of any day."""

    __table_args__ = (
        Index("qualification_step_by_time", "at"),
        Index("qualification_step_by_qualification", "qualification_id", "id"),
    )
    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    qualification_id: UUID = Field(foreign_key="qualification.id")
    at: datetime = Field(sa_type=UtcDateTime)
    from_status: str | None = Field(default=None, max_length=40)
    to_status: str = Field(max_length=40)
    reason_code: str | None = Field(default=None, max_length=40)
    product_code: str = Field(max_length=20)
    addressed_to: UUID
    service_provider_id: UUID
    gsp_group: str = Field(default="", max_length=4)
    capacity: Decimal = Field(sa_type=Kilowatts)
    working_days: int = 0
    """On the SO's clock by then."""


class QualificationNotice(Log, table=True):
    """That the end of a validity was told of, so many days ahead; once for each validity and number of days."""

    qualification_id: UUID = Field(foreign_key="qualification.id", primary_key=True)
    valid_until: date = Field(primary_key=True)
    days: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


class SaidKind(StrEnum):
    """What a message on an application is."""

    QUESTION = "QUESTION"
    ANSWER = "ANSWER"
    DECISION = "DECISION"
    COMMENT = "COMMENT"


class QualificationMessage(Recorded, table=True):
    """Something said on an application: to one organisation's own people alone, or to everyone involved."""

    __table_args__ = (Index("qualification_message_by_qualification", "qualification_id", "id"),)
    qualification_id: UUID = Field(foreign_key="qualification.id")
    kind: SaidKind = Field(sa_type=choice(SaidKind))
    text: str = Field(max_length=4000)
    author_name: str = Field(max_length=200)
    author_organisation_id: UUID | None = None
    sent_at: datetime = Field(sa_type=UtcDateTime)
    only_for: UUID | None = None
    """The organisation that alone may read it; none: the FSP, the SO and the administrator."""


class QualificationAttachment(Recorded, table=True):
    """A file that came with a message on an application (PDF, PNG, JPEG)."""

    __table_args__ = (Index("qualification_attachment_by_message", "message_id"),)
    qualification_id: UUID = Field(foreign_key="qualification.id", index=True)
    message_id: UUID = Field(foreign_key="qualification_message.id")
    file_name: str = Field(max_length=200)
    media_type: str = Field(max_length=100)
    size: int
    """Bytes."""
    sha256: str = Field(max_length=64)
    only_for: UUID | None = None
    """As on its message."""


class QualificationAttachmentContent(Log, table=True):
    """The bytes of an attachment; the ledger holds their digest, not them."""

    attachment_id: UUID = Field(foreign_key="qualification_attachment.id", primary_key=True)
    content: bytes
