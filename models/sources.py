"""Public registers (ARM): their editions as loaded, what each said of a site, and the identifiers to find it by."""

from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field

from models.base import BigSerial, Json, Log, Recorded, choice, new_id


class SourceKind(StrEnum):
    """Kinds of public register that the administrator loads."""

    ECR = "ECR"
    REPD = "REPD"


class SourceEdition(Recorded, table=True):
    """One edition of a public register as loaded: where it came from, its digest, and what became of every row."""

    __table_args__ = (UniqueConstraint("kind", "publisher", "sha256", name="source_edition_once"),)
    kind: SourceKind = Field(sa_type=choice(SourceKind))
    publisher: str = Field(max_length=100)
    name: str = Field(max_length=200)
    edition_date: date
    licence: str = Field(default="", max_length=200)
    sha256: str = Field(max_length=64)
    counts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """rows, taken, skipped by reason, notes by code, new, changed, unchanged, gone."""
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Every skipped row and odd cell: row, column, given, code, message."""


class SourceRecord(Log, table=True):
    """What one public register says of one site, from one edition until the edition that said otherwise.

    History is kept: a newer edition closes the row (`valid_to`) and adds another. Rows are content of an edition, whose
    digest the ledger holds.
    """

    __table_args__ = (
        Index("source_record_current", "kind", "publisher", "record_key", "valid_to"),
        Index("source_record_by_position", "valid_to", "latitude", "longitude"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: SourceKind = Field(sa_type=choice(SourceKind))
    publisher: str = Field(max_length=100)
    record_key: str = Field(max_length=200)
    first_edition_id: UUID = Field(foreign_key="source_edition.id")
    last_edition_id: UUID = Field(foreign_key="source_edition.id")
    """The newest edition that says exactly this."""
    valid_from: date
    valid_to: date | None = None
    content_hash: str = Field(max_length=64)
    latitude: float | None = None
    longitude: float | None = None
    values: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """The normalised row: site_name, mpans, capacities (kW as text), category, status, dates."""
    raw: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class SourceKey(Log, table=True):
    """Look-up index over source records: by MPAN, reference, or any other identifier they carry."""

    __table_args__ = (Index("source_key_lookup", "scheme", "value"),)

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    source_record_id: UUID = Field(foreign_key="source_record.id", index=True)
    scheme: str = Field(max_length=20)
    value: str = Field(max_length=100)
