"""Exports of assets: small ones at once, large ones as jobs whose file is fetched when it is made (UC-02.04)."""

from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from limits import RateLimitItemPerMinute
from pydantic import BaseModel, ConfigDict, Field, create_model

from api.assets.assets import filter_fields, filters_in
from api.assets.tiles import SIGN_IN
from api.http.decimal_json import ExactRoute
from api.http.files import file_content, sent_file
from api.http.problems import answers
from api.http.responses import answer, here
from api.http.security import Caller, spend
from models.bulk import JobStatus
from models.exports import ExportJob
from services.assets.bulk.export.direct import export_file
from services.assets.bulk.export.jobs import begin_export, fetch_export, get_export, open_export_ticket
from services.assets.bulk.upload.results import progress
from services.core.identity.actor import Actor

router = APIRouter(prefix="/assets", tags=["Files of assets"], route_class=ExactRoute)
tickets = APIRouter(prefix="/files", include_in_schema=False)
"""Files for browsers, which can send no token: left out of the description, as tickets are made by the portal's pages only."""
PER_PERSON = RateLimitItemPerMinute(30)


class ExportOut(BaseModel):
    """A large export, and how far it has come."""

    JobId: str
    Kind: Literal["export"]
    Status: JobStatus
    FileFormat: Literal["csv", "jsonl", "xlsx", "parquet", "geojson"]
    Filters: dict[str, Any] = Field(description="What was filtered by.")
    Reason: str | None = Field(description="Why it failed or was cancelled.")
    RowsTotal: int = Field(description="About how many assets it will have; 0 until they are counted.")
    RowsDone: int
    RowsPerSecond: float | None
    SecondsLeft: int | None
    File: str | None = Field(description="Where the file is, once the job is Completed; until it is removed.")
    Size: int | None = Field(description="Bytes.")
    Sha256: str | None = Field(description="Digest of the whole file, in hexadecimal.")
    CreatedAt: datetime
    StartedAt: datetime | None
    FinishedAt: datetime | None


def told_export(request: Request, job: ExportJob) -> dict[str, Any]:
    """An export as the API answers it."""
    at = progress(job)
    done = job.status is JobStatus.COMPLETED
    return {
        "JobId": job.id,
        "Kind": "export",
        "Status": job.status,
        "FileFormat": job.file_format,
        "Filters": job.filters,
        "Reason": job.reason,
        "RowsTotal": job.rows_total,
        "RowsDone": job.rows_done,
        "RowsPerSecond": at.rows_per_second,
        "SecondsLeft": at.seconds_left,
        "File": here(request, f"/v1/jobs/{job.id}/file") if done else None,
        "Size": job.size,
        "Sha256": job.sha256,
        "CreatedAt": job.created_at,
        "StartedAt": job.started_at,
        "FinishedAt": job.finished_at,
    }


ExportQuery = create_model(
    "ExportQuery",
    __config__=ConfigDict(extra="forbid"),
    __doc__="Which assets, and as what.",
    format=(
        Literal["csv", "jsonl", "xlsx", "parquet", "geojson"],
        Field(default="csv", description="A CSV file can be edited and handed in again: it changes what was edited."),
    ),
    **filter_fields(),
)
LATER: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "So many that the file is made by a job: follow Location.",
        "model": ExportOut,
        "headers": {"Location": {"description": "The job.", "schema": {"type": "string"}}},
    }
}


@router.get(
    "/export",
    summary="Export assets",
    response_class=Response,
    responses={**file_content("csv", "jsonl", "xlsx", "parquet", "geojson"), **LATER, **answers(409)},
)
def export(
    request: Request,
    caller: Caller,
    query: Annotated[ExportQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The assets that you may see and that pass the filters of the list. Headings are ontology terms.

    More than the setting export.direct_rows (50,000) become a job, answered with 202: GET /v1/jobs/{JobId} tells how far it is
    and, once it is Completed, where the file is.
    """
    file_format: Any = query.format
    filters = filters_in(query)
    job = begin_export(caller, file_format, filters)
    if job is not None:
        return answer(told_export(request, job), 202, location=here(request, f"/v1/jobs/{job.id}"))
    return sent_file(file_format, "fmar-assets", lambda path: export_file(caller, file_format, path, filters))


def sent_export(actor: Actor, job: ExportJob) -> Response:
    """An answer with the file of a finished export."""

    def write(path: FilePath) -> None:
        fetch_export(actor, job.id, path)

    return sent_file(job.file_format, f"fmar-assets-{job.created_at:%Y-%m-%d}", write)


@tickets.get("/export")
def by_ticket(request: Request, ticket: Annotated[str, Query()] = "") -> Response:
    """The file that a ticket of the portal opens, to the person and browser that it was made for."""
    actor, job_id = open_export_ticket(ticket, request.cookies.get(SIGN_IN))
    spend(request, f"files:{actor.key}", PER_PERSON)
    return sent_export(actor, get_export(actor, job_id))
