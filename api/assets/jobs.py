"""Jobs: files that were handed in and large exports; how far they are and what came of them (UC-02.01, UC-02.03, UC-02.04)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.assets.exports import ExportOut, export_out, send_export
from api.assets.job_schemas import (
    ConfirmQuery,
    DraftOut,
    Drafts,
    FindingQuery,
    JobList,
    JobOut,
    JobsQuery,
    OutcomeQuery,
    RowFindings,
    RowOutcomes,
    RowQuery,
)
from api.http.decimal_json import ExactRoute
from api.http.file_work import make_file
from api.http.files import file_content, send_file
from api.http.problems import answers
from api.http.responses import answer, page
from api.http.security import Caller
from models.bulk import BulkJob
from models.exports import ExportJob
from services.assets.bulk.export.jobs import any_job, any_jobs, cancel_any_job, delete_any_job, get_export
from services.assets.bulk.pipeline.outcomes import EVERY_CODE
from services.assets.bulk.upload import jobs
from services.assets.bulk.upload.drafts import job_drafts
from services.assets.bulk.upload.results import job_findings, job_rows, progress, write_findings, write_refused
from services.core.identity.actor import Actor

router = APIRouter(prefix="/jobs", tags=["Files of assets"], route_class=ExactRoute)
JobId = Annotated[UUID, Path(alias="JobId", description="The job's identifier.")]


def upload_out(job: BulkJob) -> JobOut:
    """An uploaded file with its pace, its columns by heading and its findings by rule."""
    pace = progress(job)
    return JobOut.from_record(
        job,
        kind="upload",
        rows_per_second=pace.rows_per_second,
        seconds_left=pace.seconds_left,
        columns={job.headings[int(place)]: term for place, term in job.columns.items()},
        summary=[{"code": code, **findings} for code, findings in sorted(job.summary.items())],
    )


def job_out(request: Request, job: BulkJob | ExportJob) -> JobOut | ExportOut:
    """A job of either kind."""
    return export_out(request, job) if isinstance(job, ExportJob) else upload_out(job)


@router.get("", summary="List jobs", response_model=JobList)
def list_jobs(request: Request, caller: Caller, query: Annotated[JobsQuery, Query()]) -> Response:
    """Your organisation's jobs, the latest first: files that were handed in, and large exports."""
    return answer({"items": [job_out(request, job) for job in any_jobs(caller, query.limit)]})


@router.get("/{JobId}", summary="Read a job", response_model=JobOut | ExportOut, responses=answers(404))
def get_job(request: Request, caller: Caller, job_id: JobId) -> Response:
    """Its progress; of a file that was handed in the findings so far, of an export where its file is."""
    return answer(job_out(request, any_job(caller, job_id)))


@router.get(
    "/{JobId}/file",
    summary="The file of an export",
    response_class=Response,
    responses={**file_content("csv", "jsonl", "xlsx", "parquet", "geojson"), **answers(404, 409)},
)
async def download_export(caller: Caller, job_id: JobId) -> Response:
    """Kept for the days of the setting bulk.keep_days. 409 until it is made, 403 when you see fewer assets than are in it."""
    return await make_file(caller, lambda: send_export(caller, get_export(caller, job_id)))


@router.get(
    "/{JobId}/findings",
    summary="What was found in each row",
    response_model=RowFindings,
    responses={
        200: {"description": "Findings.", "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}},
        **answers(404),
    },
)
async def list_job_findings(
    request: Request, caller: Caller, job_id: JobId, query: Annotated[FindingQuery, Query()]
) -> Response:
    """As JSON page by page, or all of them as a CSV file."""
    if query.format == "csv":
        name = f"findings-{job_id}"
        return await make_file(caller, send_file, "csv", name, lambda path: write_findings(caller, job_id, path))
    findings = await run_in_threadpool(
        job_findings, caller, job_id, after=query.after, limit=query.limit, code=query.code
    )
    return answer(page(request, findings, findings[-1]["row"] if len(findings) >= query.limit else None))


@router.get("/{JobId}/rows", summary="What became of each row", response_model=RowOutcomes, responses=answers(404))
def list_job_rows(request: Request, caller: Caller, job_id: JobId, query: Annotated[OutcomeQuery, Query()]) -> Response:
    """Each row with the identifier of its asset; in a dry run new ones have none yet."""
    rows = job_rows(caller, job_id, outcome=query.outcome, after=query.after, limit=query.limit)
    return answer(page(request, rows, rows[-1]["row"] if len(rows) == query.limit else None))


@router.get("/{JobId}/drafts", summary="Rows kept as drafts", response_model=Drafts, responses=answers(404))
def list_job_drafts(request: Request, caller: Caller, job_id: JobId, query: Annotated[RowQuery, Query()]) -> Response:
    """Complete them by registering the values with what was missing."""
    drafts = job_drafts(caller, job_id, after=query.after, limit=query.limit)
    following = drafts[-1].row_number if len(drafts) == query.limit else None
    return answer(page(request, DraftOut.from_records(drafts), following))


@router.get(
    "/{JobId}/refused",
    summary="The refused rows as a file",
    response_class=Response,
    responses={**file_content("csv", "xlsx", "jsonl", "parquet"), **answers(404)},
)
async def download_refused_rows(caller: Caller, job_id: JobId) -> Response:
    """In the format and with the columns in which they came, and two more: RefusalCodes and RefusalReasons."""
    return await make_file(caller, _send_refused, caller, job_id)


def _send_refused(caller: Actor, job_id: UUID) -> Response:
    job = jobs.get_job(caller, job_id)
    return send_file(job.file_format, f"refused-{job_id}", lambda path: write_refused(caller, job_id, path))


@router.post(
    "/{JobId}/confirm", status_code=202, summary="Confirm a dry run", response_model=JobOut, responses=answers(404, 409)
)
def confirm_job(caller: Caller, job_id: JobId, query: Annotated[ConfirmQuery, Query()]) -> Response:
    """The rows are judged again, as things stand then, and registered. 409 unless the dry run is complete."""
    reasons = {EVERY_CODE: query.justification} if query.justification else None
    job = jobs.confirm_job(caller, job_id, justifications=reasons, keep_drafts=query.keep_drafts)
    return answer(upload_out(job), 202)


@router.post("/{JobId}/cancel", summary="Cancel a job", response_model=JobOut | ExportOut, responses=answers(404, 409))
def cancel_job(request: Request, caller: Caller, job_id: JobId) -> Response:
    """A file that was handed in stops before its next chunk; what is registered by then stays. Of an export nothing is kept."""
    return answer(job_out(request, cancel_any_job(caller, job_id)))


@router.delete(
    "/{JobId}", status_code=204, summary="Remove a job", response_class=Response, responses=answers(404, 409)
)
def delete_job(caller: Caller, job_id: JobId) -> Response:
    """With its file, results and drafts; the assets stay. 409 while it is under way."""
    delete_any_job(caller, job_id)
    return Response(status_code=204)
