"""Exports of assets: small ones at once, large ones as jobs whose file is fetched when it is made (UC-02.04)."""

from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from limits import RateLimitItemPerMinute
from pydantic import BeforeValidator, ConfigDict, Field, create_model
from starlette.concurrency import run_in_threadpool

from api.assets.assets import ASSET_FILTERS, asset_filters
from api.assets.tiles import SIGN_IN
from api.http.decimal_json import ExactRoute
from api.http.file_work import make_file
from api.http.files import file_content, send_file
from api.http.problems import answers
from api.http.responses import answer, here
from api.http.schemas import AnswerSchema
from api.http.security import Caller, spend
from models.bulk import JobStatus
from models.exports import ExportJob
from services.assets.bulk.export.direct import export_file
from services.assets.bulk.export.jobs import begin_export, fetch_export, get_export, open_export_ticket
from services.assets.bulk.upload.results import progress
from services.assets.filters import AssetFilters
from services.core.identity.actor import Actor

router = APIRouter(prefix="/assets", tags=["Files of assets"], route_class=ExactRoute)
tickets = APIRouter(prefix="/files", include_in_schema=False)
"""Files for browsers, which can send no token: left out of the description, as tickets are made by the portal's pages only."""
PER_PERSON = RateLimitItemPerMinute(30)


class ExportOut(AnswerSchema):
    """A large export, and how far it has come."""

    id: Annotated[str, BeforeValidator(str)] = Field(serialization_alias="JobId")
    kind: Literal["export"]
    status: JobStatus
    file_format: Literal["csv", "jsonl", "xlsx", "parquet", "geojson"]
    filters: dict[str, Any] = Field(description="What was filtered by.")
    reason: str | None = Field(description="Why it failed or was cancelled.")
    rows_total: int = Field(description="About how many assets it will have; 0 until they are counted.")
    rows_done: int
    rows_per_second: float | None
    seconds_left: int | None
    file: str | None = Field(description="Where the file is, once the job is Completed; until it is removed.")
    size: int | None = Field(description="Bytes.")
    sha256: str | None = Field(description="Digest of the whole file, in hexadecimal.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def export_out(request: Request, job: ExportJob) -> ExportOut:
    """An export with its pace, and the path of its file once it is made."""
    pace = progress(job)
    path = here(request, f"/v1/jobs/{job.id}/file") if job.status is JobStatus.COMPLETED else None
    return ExportOut.from_record(
        job, kind="export", rows_per_second=pace.rows_per_second, seconds_left=pace.seconds_left, file=path
    )


ExportQuery = create_model(
    "ExportQuery",
    __config__=ConfigDict(extra="forbid"),
    __doc__="Filters of assets, and the format of the file.",
    format=(
        Literal["csv", "jsonl", "xlsx", "parquet", "geojson"],
        Field(default="csv", description="A CSV file can be edited and handed in again: it changes what was edited."),
    ),
    **ASSET_FILTERS,
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
async def export_assets(
    request: Request,
    caller: Caller,
    query: Annotated[ExportQuery, Query()],  # pyright: ignore[reportInvalidTypeForm]  # made from the filters
) -> Response:
    """The assets that you may see and that pass the filters of the list. Headings are ontology terms.

    More than the setting export.direct_rows (50,000) become a job, answered with 202: GET /v1/jobs/{JobId} tells how far it is
    and, once it is Completed, where the file is.
    """
    return await make_file(caller, _export, request, caller, query.format, asset_filters(query))


def _export(request: Request, caller: Actor, file_format: Any, filters: AssetFilters) -> Response:
    """The file, or the job that makes it."""
    job = begin_export(caller, file_format, filters)
    if job is not None:
        return answer(export_out(request, job), 202, location=here(request, f"/v1/jobs/{job.id}"))
    return send_file(file_format, "fmar-assets", lambda path: export_file(caller, file_format, path, filters))


def send_export(actor: Actor, job: ExportJob) -> Response:
    """An answer with the file of a finished export."""

    def write(path: FilePath) -> None:
        fetch_export(actor, job.id, path)

    return send_file(job.file_format, f"fmar-assets-{job.created_at:%Y-%m-%d}", write)


@tickets.get("/export")
async def fetch_export_by_ticket(request: Request, ticket: Annotated[str, Query()] = "") -> Response:
    """The file that a ticket of the portal opens, to the person and browser that it was made for."""
    actor, job_id = await run_in_threadpool(open_export_ticket, ticket, request.cookies.get(SIGN_IN))
    spend(request, f"files:{actor.key}", PER_PERSON)
    return await make_file(actor, lambda: send_export(actor, get_export(actor, job_id)))
