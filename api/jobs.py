"""Jobs that files of assets become: how far they are, what they found, and what came of each row (UC-02.01, UC-02.03)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.answers import answer, page
from api.exact import ExactRoute
from api.files import file_content, sent_file
from api.problems import answers
from api.security import Caller
from models.bulk import BulkJob, JobStatus
from services.assets.bulk.drafts import job_drafts
from services.assets.bulk.jobs import cancel_job, confirm_job, delete_job, get_job, list_jobs
from services.assets.bulk.judging import EVERY_CODE
from services.assets.bulk.results import job_findings, job_rows, progress, write_findings, write_refused

router = APIRouter(prefix="/jobs", tags=["Files of assets"], route_class=ExactRoute)
JobId = Annotated[UUID, Path(alias="JobId", description="The job's identifier.")]
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

    items: list[JobOut]


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


def told_job(job: BulkJob) -> dict[str, Any]:
    """A job as the API answers it."""
    at = progress(job)
    read = {job.headings[int(place)]: term for place, term in job.columns.items()}
    return {
        "JobId": job.id,
        "Status": job.status,
        "DryRun": job.dry_run,
        "FileName": job.file_name,
        "FileFormat": job.file_format,
        "ReadyMade": job.ready_made,
        "Reason": job.reason,
        "RowsTotal": job.rows_total,
        "RowsDone": job.rows_done,
        "RowsRegistered": job.rows_registered,
        "RowsUpdated": job.rows_updated,
        "RowsUnchanged": job.rows_unchanged,
        "RowsRefused": job.rows_refused,
        "RowsDraft": job.rows_draft,
        "RowsWarned": job.rows_warned,
        "RowsPerSecond": at.rows_per_second,
        "SecondsLeft": at.seconds_left,
        "Columns": read,
        "UnknownColumns": job.unknown,
        "Findings": [{"code": code, **said} for code, said in sorted(job.summary.items())],
        "CreatedAt": job.created_at,
        "StartedAt": job.started_at,
        "FinishedAt": job.finished_at,
    }


@router.get("", summary="List jobs", response_model=JobList)
def list_them(caller: Caller, query: Annotated[JobsQuery, Query()]) -> Response:
    """Your organisation's jobs, the latest first."""
    return answer({"items": [told_job(job) for job in list_jobs(caller, query.limit)]})


@router.get("/{JobId}", summary="Read a job", response_model=JobOut, responses=answers(404))
def read(caller: Caller, job_id: JobId) -> Response:
    """How far it is, and what its rules found so far."""
    return answer(told_job(get_job(caller, job_id)))


@router.get(
    "/{JobId}/findings",
    summary="What was found in each row",
    response_model=RowFindings,
    responses={
        200: {"description": "Findings.", "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}},
        **answers(404),
    },
)
def findings(request: Request, caller: Caller, job_id: JobId, query: Annotated[FindingQuery, Query()]) -> Response:
    """As JSON page by page, or all of them as a CSV file."""
    if query.format == "csv":
        return sent_file("csv", f"findings-{job_id}", lambda path: write_findings(caller, job_id, path))
    found = job_findings(caller, job_id, after=query.after, limit=query.limit, code=query.code)
    more = found[-1]["row"] if len(found) >= query.limit else None
    return answer(page(request, found, more))


@router.get("/{JobId}/rows", summary="What became of each row", response_model=RowOutcomes, responses=answers(404))
def rows(request: Request, caller: Caller, job_id: JobId, query: Annotated[OutcomeQuery, Query()]) -> Response:
    """Each row with the identifier of its asset; in a dry run new ones have none yet."""
    found = job_rows(caller, job_id, outcome=query.outcome, after=query.after, limit=query.limit)
    return answer(page(request, found, found[-1]["row"] if len(found) == query.limit else None))


@router.get("/{JobId}/drafts", summary="Rows kept as drafts", response_model=Drafts, responses=answers(404))
def drafts(request: Request, caller: Caller, job_id: JobId, query: Annotated[RowQuery, Query()]) -> Response:
    """Complete them by registering the values with what was missing."""
    found = job_drafts(caller, job_id, after=query.after, limit=query.limit)
    names = ("code", "field", "expected", "message")
    items = [
        {
            "DraftId": one.id,
            "Row": one.row_number,
            "Values": one.values,
            "Lacks": [{name: lack.get(name) for name in names} for lack in one.lacks],
        }
        for one in found
    ]
    return answer(page(request, items, found[-1].row_number if len(found) == query.limit else None))


@router.get(
    "/{JobId}/refused",
    summary="The refused rows as a file",
    response_class=Response,
    responses={**file_content("csv", "xlsx", "jsonl", "parquet"), **answers(404)},
)
def refused(caller: Caller, job_id: JobId) -> Response:
    """In the format and with the columns in which they came, and two more: RefusalCodes and RefusalReasons."""
    job = get_job(caller, job_id)
    return sent_file(job.file_format, f"refused-{job_id}", lambda path: write_refused(caller, job_id, path))


@router.post(
    "/{JobId}/confirm", status_code=202, summary="Confirm a dry run", response_model=JobOut, responses=answers(404, 409)
)
def confirm(caller: Caller, job_id: JobId, query: Annotated[ConfirmQuery, Query()]) -> Response:
    """The rows are judged again, as things stand then, and registered. 409 unless the dry run is complete."""
    reasons = {EVERY_CODE: query.justification} if query.justification else None
    return answer(told_job(confirm_job(caller, job_id, justifications=reasons, keep_drafts=query.keep_drafts)), 202)


@router.post("/{JobId}/cancel", summary="Cancel a job", response_model=JobOut, responses=answers(404, 409))
def cancel(caller: Caller, job_id: JobId) -> Response:
    """It stops before its next chunk; what is registered by then stays."""
    return answer(told_job(cancel_job(caller, job_id)))


@router.delete(
    "/{JobId}", status_code=204, summary="Remove a job", response_class=Response, responses=answers(404, 409)
)
def remove(caller: Caller, job_id: JobId) -> Response:
    """With its file, results and drafts; the assets stay. 409 while it is under way."""
    delete_job(caller, job_id)
    return Response(status_code=204)
