"""Exports of assets (UC-02.04): what the ledger keeps of each, and files that take a while, which are made as jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field

from models.base import BigSerial, Json, Log, Recorded, UtcDateTime, choice, new_id
from models.bulk import JobStatus


class AssetExport(Recorded, table=True):
    """One file of assets that was made for somebody: which ones, how many, and what the file is known by.

    Who it was made for and when, its ledger entry says.
    """

    __table_args__ = (Index("asset_export_by_organisation", "organisation_id", "id"),)

    organisation_id: UUID | None = None
    file_format: str = Field(max_length=10)
    filters: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Filter -> its values as text; what was not filtered by is left out."""
    rows: int
    size: int = Field(sa_type=BigInteger)
    """Bytes."""
    sha256: str = Field(max_length=64)
    job_id: UUID | None = None


class ExportJob(Log, table=True):
    """A large export under way, or done and kept for a while. Made by one process at a time, which holds the lease."""

    __table_args__ = (
        Index("export_job_by_organisation", "organisation_id", "id"),
        Index("export_job_waiting", "status", "leased_until"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID | None = None
    user_id: UUID | None = None
    client_id: str | None = Field(default=None, max_length=80)
    submitted_by: str = Field(max_length=200)
    file_format: str = Field(max_length=10)
    filters: dict[str, Any] = Field(default_factory=dict, sa_type=Json)

    status: JobStatus = Field(default=JobStatus.QUEUED, sa_type=choice(JobStatus))
    reason: str | None = Field(default=None, max_length=1000)
    """Why it failed or was cancelled."""
    rows_total: int = 0
    """0: not counted yet."""
    rows_done: int = 0
    size: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = Field(default=None, max_length=64)
    seen_by: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """How far its maker could see when the file was made: whoever sees less doesn't get it."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease: UUID | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    """How often it was begun."""

    @classmethod
    def record_type(cls) -> str:
        """The name under which events know it."""
        return "export_job"


class ExportPart(Log, table=True):
    """A run of bytes of a finished file, compressed: in the database, so that every process can hand it out."""

    __table_args__ = (UniqueConstraint("job_id", "number", name="export_part_once"),)

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    job_id: UUID = Field(foreign_key="export_job.id", index=True)
    number: int
    content: bytes
