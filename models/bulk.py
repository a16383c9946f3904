"""Bulk registration (UC-02.01, UC-02.03): a file that was handed in, its rows in chunks, and what became of them.

Working material, outside the ledger: the records that come of it are in the ledger, each with its own entry.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field

from models.base import BigSerial, Json, Log, UtcDateTime, choice, new_id


class JobStatus(StrEnum):
    """Where a job stands; the words that the API answers with."""

    QUEUED = "Queued"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


class BulkJob(Log, table=True):
    """One file of assets, and how far it has come. Worked by one process at a time, which holds the lease."""

    __table_args__ = (
        Index("bulk_job_by_organisation", "organisation_id", "id"),
        Index("bulk_job_waiting", "status", "leased_until"),
        UniqueConstraint("idempotency_owner", "idempotency_key", name="bulk_job_once"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID | None = None
    organisation_name: str | None = Field(default=None, max_length=255)
    user_id: UUID | None = None
    client_id: str | None = Field(default=None, max_length=80)
    submitted_by: str = Field(max_length=200)
    file_name: str = Field(max_length=200)
    file_format: str = Field(max_length=10)
    """csv, xlsx, jsonl or parquet: also the format in which refused rows come back."""
    sha256: str = Field(max_length=64)
    size: int
    """Bytes."""
    headings: list[str] = Field(default_factory=list, sa_type=Json)
    """The file's own headings, in its order."""
    columns: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """Heading -> ontology term, for the columns that are read."""
    spellings: dict[str, dict[str, str | None]] = Field(default_factory=dict, sa_type=Json)
    """Ontology term -> decimal mark, unit and first part of dates of its column, where its cells or heading show them."""
    constants: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """Ontology term -> the value that every row has which gives none."""
    unknown: list[str] = Field(default_factory=list, sa_type=Json)
    """Headings that were passed over."""
    notices: list[dict[str, str]] = Field(default_factory=list, sa_type=Json)
    """About the file as a whole: code and message of each notice."""
    ready_made: str | None = Field(default=None, max_length=10)
    """The public register whose mapping was used: ECR or REPD."""
    dry_run: bool = True
    keep_drafts: bool = False
    justifications: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """Rule code -> why its warnings are right to be accepted; ``*`` stands for every code."""

    status: JobStatus = Field(default=JobStatus.QUEUED, sa_type=choice(JobStatus))
    reason: str | None = Field(default=None, max_length=1000)
    """Why it failed or was cancelled."""
    rows_total: int = 0
    rows_done: int = 0
    rows_registered: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_refused: int = 0
    rows_draft: int = 0
    rows_warned: int = 0
    summary: dict[str, dict[str, Any]] = Field(default_factory=dict, sa_type=Json)
    """Rule code -> severity, rows, words and a few examples."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease: UUID | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    """How often in a row the chunk that is next has failed."""
    idempotency_owner: str | None = Field(default=None, max_length=80)
    idempotency_key: str | None = Field(default=None, max_length=255)
    idempotency_request: str | None = Field(default=None, max_length=64)
    """SHA-256 of what came with the key beside the file: another request under the same key is refused."""

    @classmethod
    def record_type(cls) -> str:
        """The name under which events know it."""
        return "bulk_job"


class BulkChunk(Log, table=True):
    """A run of rows of a file: as they were handed in, and what became of them. All three are Parquet files."""

    __table_args__ = (UniqueConstraint("job_id", "number", name="bulk_chunk_once"),)

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    job_id: UUID = Field(foreign_key="bulk_job.id", index=True)
    number: int
    row_count: int
    content: bytes
    """``row`` (1-based, as people count them) and the cells as text under ``c0``, ``c1``, ...: one for each heading."""
    done: bool = False
    """Set in the very transaction in which the rows are registered: what is done is never done again."""
    outcomes: bytes | None = None
    """What became of each row: outcome, identifier of the asset, position, and what duplicates are known by."""
    findings: bytes | None = None
    """What the rules said: row, code, field, given, expected, message, severity."""


class BulkDraft(Log, table=True):
    """A row that lacks nothing but mandatory values, kept to be completed."""

    __table_args__ = (UniqueConstraint("job_id", "row_number", name="bulk_draft_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    job_id: UUID = Field(foreign_key="bulk_job.id", index=True)
    organisation_id: UUID | None = Field(default=None, index=True)
    row_number: int
    values: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    lacks: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """The findings: what is missing."""
    saved_at: datetime = Field(sa_type=UtcDateTime)


class BulkMapping(Log, table=True):
    """What an organisation's own headings mean, remembered from the last file that had them."""

    __table_args__ = (UniqueConstraint("organisation_id", "heading_key", name="bulk_mapping_once"),)

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    organisation_id: UUID
    heading_key: str = Field(max_length=200)
    """Lower-cased letters and digits of the heading."""
    term: str | None = Field(default=None, max_length=80)
    """None: the column is passed over."""
