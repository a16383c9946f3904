"""Shapes of what the routes of jobs ask for and answer."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.assets.exports import ExportOut
from models.bulk import JobStatus

LARGEST = 2**31


class Example(BaseModel):
    """A row that a rule found something in."""

    row: int
    field: str | None
    given: str | None
    message: str


class RuleFindings(BaseModel):
    """What one rule found in the whole file."""

    code: str
    severity: Literal["error", "warning"]
    fields: list[str]
    expected: str
    rows: int
    examples: list[Example]


class JobOut(BaseModel):
    """A file of assets, and how far it has come. In a dry run the counts say what would become of the rows."""

    JobId: UUID
    Kind: Literal["upload"]
    Status: JobStatus
    DryRun: bool
    FileName: str
    FileFormat: Literal["csv", "xlsx", "jsonl", "parquet"]
    ReadyMade: str | None = Field(description="The public register whose file it is: ECR or REPD.")
    Reason: str | None = Field(description="Why it failed or was cancelled.")
    RowsTotal: int
    RowsDone: int
    RowsRegistered: int
    RowsUpdated: int
    RowsUnchanged: int
    RowsRefused: int
    RowsDraft: int
    RowsWarned: int = Field(description="Rows with warnings, whatever became of them.")
    RowsPerSecond: float | None
    SecondsLeft: int | None
    Columns: dict[str, str] = Field(description="Heading -> the term that is read from it.")
    UnknownColumns: list[str]
    Findings: list[RuleFindings] = Field(description="By rule, with a few examples.")
    CreatedAt: datetime
    StartedAt: datetime | None
    FinishedAt: datetime | None


class JobList(BaseModel):
    """Jobs, the latest first."""

    items: list[JobOut | ExportOut]


class RowFinding(BaseModel):
    """One thing that a rule found in a row."""

    row: int = Field(description="As a spreadsheet counts rows: the headings are row 1.")
    code: str
    field: str | None
    given: str | None
    expected: str
    message: str
    severity: Literal["error", "warning"]


class RowFindings(BaseModel):
    """Findings row by row; a row is told whole."""

    items: list[RowFinding]
    next: str | None


class RowOutcome(BaseModel):
    """What became of a row."""

    row: int
    outcome: Literal["registered", "updated", "unchanged", "refused", "draft"]
    asset_id: str | None
    name: str | None


class RowOutcomes(BaseModel):
    """What became of the rows, in their order."""

    items: list[RowOutcome]
    next: str | None


class RowLack(BaseModel):
    """What a draft lacks."""

    code: str
    field: str | None
    expected: str
    message: str


class DraftOut(BaseModel):
    """A row that lacks nothing but mandatory values."""

    DraftId: UUID
    Row: int
    Values: dict[str, Any]
    Lacks: list[RowLack] = Field(description="What is missing.")


class Drafts(BaseModel):
    """The drafts of a job, by row."""

    items: list[DraftOut]
    next: str | None


class RowQuery(BaseModel):
    """Which rows."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=LARGEST, description="The last row you have.")
    limit: int = Field(default=500, ge=1, le=5000)


class FindingQuery(RowQuery):
    """Which findings, and as what."""

    format: Literal["json", "csv"] = Field(default="json", description="csv: all of them, as a file.")
    code: str | None = Field(default=None, max_length=40, description="Only those of one rule.")


class OutcomeQuery(RowQuery):
    """Rows of which outcome."""

    outcome: Literal["registered", "updated", "unchanged", "refused", "draft"] | None = None


class ConfirmQuery(BaseModel):
    """What is said with a confirmation."""

    model_config = ConfigDict(extra="forbid")

    justification: str | None = Field(default=None, max_length=4000)
    keep_drafts: bool | None = Field(default=None, description="As said before, unless said anew.")


class JobsQuery(BaseModel):
    """How many jobs."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200)
