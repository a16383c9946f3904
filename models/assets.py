"""Assets (ARM): assets, their checks, the categories that shape them, and the public registers they are held to."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import DERIVED, BigSerial, Json, Kilowatts, Log, Recorded, UtcDateTime, choice, new_id


class AssetStatus(StrEnum):
    """Life cycle of an asset."""

    AWAITING_CONSENT_CHECK = "AWAITING_CONSENT_CHECK"
    PENDING_VALIDATION = "PENDING_VALIDATION"
    VERIFIED = "VERIFIED"
    QUERY = "QUERY"
    SUSPENDED_QUERY_UNANSWERED = "SUSPENDED_QUERY_UNANSWERED"
    SUSPENDED_CONSENT_REVOKED = "SUSPENDED_CONSENT_REVOKED"
    REFUSED_NO_CONSENT = "REFUSED_NO_CONSENT"
    DEREGISTERED = "DEREGISTERED"


ENDED_STATUSES = (AssetStatus.DEREGISTERED, AssetStatus.REFUSED_NO_CONSENT)
"""An asset in one of these is no longer active: its MPAN, serial number and aliases are free again."""

STATUS_LABELS: dict[AssetStatus, str] = {
    AssetStatus.AWAITING_CONSENT_CHECK: "Awaiting Consent Check",
    AssetStatus.PENDING_VALIDATION: "Pending Validation",
    AssetStatus.VERIFIED: "Verified",
    AssetStatus.QUERY: "Query",
    AssetStatus.SUSPENDED_QUERY_UNANSWERED: "Suspended - Query Unanswered",
    AssetStatus.SUSPENDED_CONSENT_REVOKED: "Suspended - Consent Revoked",
    AssetStatus.REFUSED_NO_CONSENT: "Refused - No Consent",
    AssetStatus.DEREGISTERED: "De-registered",
}

OF_A_CELL = ("status", "asset_category", "rated_capacity", "dno_connection", "gsp_group", "service_provider_id")
"""What the map counts within a cell, or filters by: read from the index alone."""

_ACTIVE = text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')")


def _once(name: str, *columns: str) -> Index:
    """An index that lets a value stand once among active assets."""
    return Index(name, *columns, unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)


class Asset(Recorded, table=True):
    """One uniquely identifiable device or installation at one accounting point (UC-02.01).

    Terms and rules: docs/data-dictionary.md.
    """

    __table_args__ = (
        Index("asset_by_provider", "service_provider_id", "id"),
        Index("asset_by_owner", "organisation_id", "id"),
        Index("asset_by_dno", "dno_connection", "id"),
        Index("asset_by_submitter", "submitted_by_organisation", "id"),
        Index("asset_by_status", "status", "id", "dno_connection", "asset_category"),
        Index("asset_by_category", "asset_category", "id", "dno_connection", "status"),
        Index("asset_newest", "id", "dno_connection", "status", "asset_category"),
        Index("asset_by_name", "asset_name", "id", "dno_connection", "status", "asset_category"),
        Index("asset_by_capacity", "rated_capacity", "id", "dno_connection", "status", "asset_category"),
        Index("asset_by_status_since", "status_since", "id", "dno_connection", "status", "asset_category"),
        Index("asset_waiting", "status", "status_since", "id", "dno_connection", "asset_category"),
        Index("asset_by_cell", "cell", *OF_A_CELL),
        Index("asset_by_gsp_group", "gsp_group", "id"),
        Index("asset_by_import_mpan", "import_mpan"),
        Index("asset_by_export_mpan", "export_mpan"),
        Index("asset_by_serial_number", "serial_key"),
        Index("asset_by_friendly_code", "service_provider_id", "friendly_code"),
        _once("asset_serial_once", "serial_key", "manufacturer_key"),
        _once("asset_friendly_code_once", "service_provider_id", "friendly_code"),
    )
    status: AssetStatus = Field(default=AssetStatus.PENDING_VALIDATION, sa_type=choice(AssetStatus))
    status_reason: str | None = Field(default=None, max_length=1000)
    status_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    registered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    submitted_by_organisation: UUID | None = None

    asset_name: str = Field(max_length=255)
    friendly_code: str | None = Field(default=None, max_length=40)
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id")
    service_provider_id: UUID = Field(foreign_key="organisation.id")
    managed_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    asset_category: str = Field(max_length=40)
    schema_version: int = 1
    rated_capacity: Decimal = Field(sa_type=Kilowatts)
    gen_capacity: Decimal | None = Field(default=None, sa_type=Kilowatts)
    demand_capacity: Decimal | None = Field(default=None, sa_type=Kilowatts)
    installed_capacity: Decimal | None = Field(default=None, sa_type=Kilowatts)
    effective_date: date
    commissioning_date: date | None = None
    energy_conversion_type: str | None = Field(default=None, max_length=255)
    fuel_type_energy_source: str | None = Field(default=None, max_length=40)
    fuel_type_demand_tech_type: str | None = Field(default=None, max_length=40)
    other_description: str | None = Field(default=None, max_length=200)
    manufacturer: str | None = Field(default=None, max_length=255)
    asset_model: str | None = Field(default=None, max_length=100)
    serial_number: str | None = Field(default=None, max_length=64)
    serial_key: str | None = Field(default=None, max_length=64)
    """Serial number and manufacturer, upper-cased, as duplicates and look-ups compare them."""
    manufacturer_key: str | None = Field(default=None, max_length=255)
    connection_status: str = Field(max_length=40)
    connection_type: str = Field(max_length=40)
    dno_connection: str | None = Field(default=None, max_length=40)
    import_mpan: str | None = Field(default=None, max_length=13)
    export_mpan: str | None = Field(default=None, max_length=13)
    latitude: float | None = None
    longitude: float | None = None
    cell: int | None = Field(default=None, sa_type=BigInteger, sa_column_kwargs={"info": DERIVED})
    """The H3 cell (resolution 11) of the position: derived, so no part of what the ledger keeps."""
    position_source: str | None = Field(default=None, max_length=20)
    postcode: str | None = Field(default=None, max_length=10)
    gsp_group: str | None = Field(default=None, max_length=4)
    consumer_owned: bool = False
    consent_reference: str | None = Field(default=None, max_length=255)
    category_attributes: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    aliases: list[dict[str, str]] = Field(default_factory=list, sa_type=Json)
    derived_terms: list[str] = Field(default_factory=list, sa_type=Json)
    """Ontology terms whose value the register worked out; all others were declared."""
    justifications: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Why warnings were accepted: code, field, text, who, when."""


class AssetAlias(Log, table=True):
    """Look-up index over `Asset.aliases`: a pair of scheme and value is unique across active assets."""

    __table_args__ = (
        Index("asset_alias_by_value", "value"),
        Index(
            "asset_alias_once",
            "scheme",
            "value",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    asset_id: UUID = Field(foreign_key="asset.id", index=True)
    scheme: str = Field(max_length=20)
    value: str = Field(max_length=100)
    active: bool = True


class CheckSource(StrEnum):
    """Outside sources that an asset is held against (UC-02.01)."""

    MPAN_REGISTER = "MPAN_REGISTER"
    INSTALLATION_REGISTRY = "INSTALLATION_REGISTRY"
    CONNECTION_REGISTER = "CONNECTION_REGISTER"


CHECK_SOURCE_LABELS: dict[CheckSource, str] = {
    CheckSource.MPAN_REGISTER: "MPAN register",
    CheckSource.INSTALLATION_REGISTRY: "Installation registry",
    CheckSource.CONNECTION_REGISTER: "Connection register",
}


class CheckOutcome(StrEnum):
    """What a source said of an asset."""

    WAITING = "WAITING"
    AGREES = "AGREES"
    DIFFERS = "DIFFERS"
    NOT_FOUND = "NOT_FOUND"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    SETTLED = "SETTLED"


class AssetCheck(Recorded, table=True):
    """One authenticity check of one asset version against one source, with evidence (UC-02.01)."""

    __table_args__ = (
        UniqueConstraint("asset_id", "asset_version", "source", name="asset_check_once"),
        Index("asset_check_by_asset", "asset_id", "id"),
    )
    asset_id: UUID = Field(foreign_key="asset.id")
    asset_version: int
    """The version of the asset whose values were checked."""
    source: CheckSource = Field(sa_type=choice(CheckSource))
    outcome: CheckOutcome = Field(default=CheckOutcome.WAITING, sa_type=choice(CheckOutcome))
    requested_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    summary: str | None = Field(default=None, max_length=1000)
    matched_by: str | None = Field(default=None, max_length=60)
    source_name: str | None = Field(default=None, max_length=200)
    source_record_id: UUID | None = None
    comparisons: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Field by field: field, declared, theirs, outcome, message; once settled also settled_as, reason, by."""
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class MessageKind(StrEnum):
    """What a message in an asset's query says."""

    QUERY = "QUERY"
    ANSWER = "ANSWER"
    DECISION = "DECISION"
    COMMENT = "COMMENT"


class AssetMessage(Recorded, table=True):
    """A message in the query of an asset: what was asked, what was answered, what was decided (UC-02.01)."""

    __table_args__ = (Index("asset_message_by_asset", "asset_id", "id"),)
    asset_id: UUID = Field(foreign_key="asset.id")
    kind: MessageKind = Field(sa_type=choice(MessageKind))
    text: str = Field(max_length=4000)
    author_name: str = Field(max_length=200)
    author_organisation_id: UUID | None = None
    sent_at: datetime = Field(sa_type=UtcDateTime)
    only_for: UUID | None = None
    """The organisation that alone may read it; none: everyone involved, that is whoever may see the asset."""


class Attachment(Recorded, table=True):
    """A file that came with a message: what it is called, what it is, and the digest of its content."""

    __table_args__ = (Index("attachment_by_message", "message_id"), Index("attachment_by_asset", "asset_id"))
    asset_id: UUID = Field(foreign_key="asset.id")
    message_id: UUID = Field(foreign_key="asset_message.id")
    file_name: str = Field(max_length=200)
    media_type: str = Field(max_length=100)
    size: int
    """Bytes."""
    sha256: str = Field(max_length=64)
    only_for: UUID | None = None
    """As on its message."""


class AttachmentContent(Log, table=True):
    """The bytes of an attachment; the ledger holds their digest, not them."""

    attachment_id: UUID = Field(foreign_key="attachment.id", primary_key=True)
    content: bytes


class AssetDraft(Log, table=True):
    """A form half filled, kept for the person who fills it: working material, no record yet, so outside the ledger."""

    __table_args__ = (
        Index("asset_draft_by_user", "user_id", "organisation_id"),
        Index("asset_draft_by_addressee", "addressed_to", "submitted_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    user_id: UUID
    organisation_id: UUID
    asset_id: UUID | None = None
    """The asset being updated; none for a registration."""
    asset_version: int | None = None
    values: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    saved_at: datetime = Field(sa_type=UtcDateTime)
    addressed_to: UUID | None = None
    """The FSP that an installer prepared it for; from `submitted_at` on it is theirs to complete."""
    submitted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    author_name: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=1000)
    """What the installer says to the FSP."""


class WithheldNotice(Log, table=True):
    """A notice on a shared meter that the provider of an asset has yet to get, since its look-ups were used up."""

    __table_args__ = (Index("withheld_notice_by_organisation", "organisation_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    organisation_id: UUID
    asset_id: UUID = Field(foreign_key="asset.id")
    mpan: str = Field(max_length=13)
    withheld_at: datetime = Field(sa_type=UtcDateTime)


class SchemaStatus(StrEnum):
    """Life cycle of one version of a category's schema (UC-05.07)."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    DEPRECATED = "DEPRECATED"
    DISCARDED = "DISCARDED"
    """A draft that was given up: the next draft of the category takes its place."""


class CategorySchema(Recorded, table=True):
    """One version of an asset category: a JSON Schema document from which form, API, validation and legend are made."""

    __table_args__ = (UniqueConstraint("category", "schema_version", name="category_schema_version"),)
    category: str = Field(max_length=40)
    schema_version: int
    status: SchemaStatus = Field(default=SchemaStatus.DRAFT, sa_type=choice(SchemaStatus))
    document: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """As text on both databases: the order of its attributes is that of form and template."""
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CodeListEntry(Recorded, table=True):
    """One code of a code list (UC-05.07)."""

    __table_args__ = (UniqueConstraint("list_name", "code", name="code_list_entry_once"),)
    list_name: str = Field(max_length=40)
    code: str = Field(max_length=60)
    label: str = Field(max_length=200)
    applies_to: str | None = Field(default=None, max_length=40)
    active: bool = True
    position: int = 0
