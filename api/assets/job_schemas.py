"""Schemas of jobs: uploaded files and large exports (UC-02.01, UC-02.03, UC-02.04)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.assets.exports import ExportOut
from api.http.schemas import AnswerSchema
from models.bulk import JobStatus

LARGEST = 2**31


class Example(BaseModel):
    """A row that a rule found something in."""

    row: int
    field: str | None
    given: str | None
    message: str


class RuleFindings(BaseModel):
    """The findings of one rule in the whole file."""

    code: str
    severity: Literal["error", "warning", "notice"]
    fields: list[str]
    expected: str
    rows: int
    examples: list[Example]


class FileNoticeOut(BaseModel):
    """One thing to know of a file as a whole before it is confirmed."""

    code: str
    message: str


class JobOut(AnswerSchema):
    """A file of assets, and how far it has come. In a dry run the counts say what would become of the rows."""

    id: UUID = Field(serialization_alias="JobId")
    kind: Literal["upload"]
    status: JobStatus
    dry_run: bool
    file_name: str
    file_format: Literal["csv", "xlsx", "jsonl", "parquet"]
    ready_made: str | None = Field(description="The public register whose file it is: ECR or REPD.")
    reason: str | None = Field(description="Why it failed or was cancelled, or what it waits for.")
    rows_total: int
    rows_done: int
    rows_registered: int
    rows_updated: int
    rows_unchanged: int
    rows_refused: int
    rows_draft: int
    rows_warned: int = Field(description="Rows with warnings, whatever became of them.")
    rows_per_second: float | None
    seconds_left: int | None
    columns: dict[str, str] = Field(description="Heading -> the term that is read from it.")
    unknown: list[str] = Field(serialization_alias="UnknownColumns")
    notices: list[FileNoticeOut] = Field(
        description="About the file as a whole: hidden rows and sheets, its encoding, columns that were left out."
    )
    summary: list[RuleFindings] = Field(serialization_alias="Findings", description="By rule, with a few examples.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


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
    severity: Literal["error", "warning", "notice"]


class RowFindings(BaseModel):
    """Findings row by row; a row is told whole."""

    items: list[RowFinding]
    next: str | None


class RowOutcome(BaseModel):
    """The outcome of a row."""

    row: int
    outcome: Literal["registered", "updated", "unchanged", "refused", "draft"]
    asset_id: str | None
    name: str | None


class RowOutcomes(BaseModel):
    """The outcomes of the rows, in their order."""

    items: list[RowOutcome]
    next: str | None


class RowLack(BaseModel):
    """A mandatory value that a draft lacks."""

    code: str
    field: str | None
    expected: str
    message: str


class DraftOut(AnswerSchema):
    """A row that lacks nothing but mandatory values."""

    id: UUID = Field(serialization_alias="DraftId")
    row_number: int = Field(serialization_alias="Row")
    values: dict[str, Any]
    lacks: list[RowLack] = Field(description="What is missing.")


class Drafts(BaseModel):
    """The drafts of a job, by row."""

    items: list[DraftOut]
    next: str | None


class RowQuery(BaseModel):
    """A span of rows."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=LARGEST, description="The last row you have.")
    limit: int = Field(default=500, ge=1, le=5000)


class FindingQuery(RowQuery):
    """Filters of findings, and their format."""

    format: Literal["json", "csv"] = Field(default="json", description="csv: all of them, as a file.")
    code: str | None = Field(default=None, max_length=40, description="Only those of one rule.")


class OutcomeQuery(RowQuery):
    """Rows of which outcome."""

    outcome: Literal["registered", "updated", "unchanged", "refused", "draft"] | None = None


class ConfirmQuery(BaseModel):
    """Words and wishes that go with a confirmation."""

    model_config = ConfigDict(extra="forbid")

    justification: str | None = Field(default=None, max_length=4000)
    keep_drafts: bool | None = Field(default=None, description="As said before, unless said anew.")


class JobsQuery(BaseModel):
    """The number of jobs to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200)
