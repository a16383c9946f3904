"""Files of assets: handed in, made from a template (UC-02.01, UC-02.03): see docs/bulk.md."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.assets.job_schemas import JobOut
from api.assets.jobs import upload_out
from api.http.decimal_json import ExactRoute
from api.http.file_work import make_file, place_in_queue, work_on_file
from api.http.files import MEDIA_TYPES, file_content
from api.http.problems import UnsupportedMedia, answers
from api.http.responses import answer, here
from api.http.schemas import RequestSchema
from api.http.security import Caller
from services.assets.bulk.pipeline.outcomes import EVERY_CODE
from services.assets.bulk.upload.jobs import Wishes, submit_file
from services.assets.bulk.upload.template import template_workbook
from services.assets.files.formats import FORMATS, MOST_BYTES
from services.core.errors import Finding, Invalid

router = APIRouter(prefix="/assets", tags=["Files of assets"], route_class=ExactRoute)
BODY = {
    "required": True,
    "description": "The file itself, up to 500,000 rows or 200 MB: CSV, XLSX, JSON lines or Parquet.",
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FORMATS},
}
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="The same key with the same query and file is the same job, however often it is sent; with others it is "
        "refused.",
    ),
]


class BulkQuery(BaseModel):
    """Words and wishes that go with a file."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(default=False, description="Judge every row and register none; confirm the job to do so.")
    justification: str | None = Field(
        default=None, max_length=4000, description="Why warnings are right to be accepted; kept on each record."
    )
    keep_drafts: bool = Field(default=False, description="Keep rows that lack nothing but mandatory values as drafts.")
    file_name: str = Field(default="upload", max_length=200, description="What the file is called.")
    column: list[str] = Field(
        default_factory=list,
        max_length=500,
        description="`Heading=Term` says what a column holds, `Heading=` passes it over; remembered for your organisation.",
    )
    date_order: Literal["day", "month"] | None = Field(
        default=None,
        description="What stands first in dates that could be two, such as 05/06/2025; remembered for your organisation. "
        "Without it such rows are refused, unless other dates of the file or its last answer settle it.",
    )
    constant: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="`Term=Value` for all new rows that give none, such as `EffectiveDate=2027-01-01`.",
    )


def _pairs(name: str, texts: list[str]) -> dict[str, str]:
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        expected = "A name, an equals sign and a value"
        raise Invalid([Finding("QUERY-PAIR", name, text, expected, f"“{text}” is no pair.") for text in wrong])
    return {left.strip(): right.strip() for left, _, right in (text.rpartition("=") for text in texts)}


@router.post(
    "/bulk",
    status_code=202,
    summary="Hand in a file of assets",
    response_model=JobOut,
    responses=answers(409, 413, 415),
    openapi_extra={"requestBody": BODY},
)
async def upload_assets(
    request: Request, caller: Caller, query: Annotated[BulkQuery, Query()], idempotency_key: Key = None
) -> Response:
    """The file is the body, under its media type; it becomes a job that registers new assets and changes those it names.

    What can't be used at all answers 422 with findings; what is wrong with single rows is told by the job.
    """
    wishes = Wishes(
        dry_run=query.dry_run,
        columns={heading: term or None for heading, term in _pairs("column", query.column).items()},
        constants=_pairs("constant", query.constant),
        justifications={EVERY_CODE: query.justification} if query.justification else {},
        keep_drafts=query.keep_drafts,
        idempotency_key=idempotency_key or None,
        date_order=query.date_order,
    )
    kind = request.headers.get("Content-Type")
    _require_file_type(kind)
    # The caller is known, and has a place in the queue, before a byte of the file is read.
    with place_in_queue(caller, request, MOST_BYTES):
        data = await request.body()
        job = await work_on_file(submit_file, caller, data, query.file_name, wishes, media_type=kind)
    return answer(upload_out(job), 202, location=here(request, f"/v1/jobs/{job.id}"))


def _require_file_type(media_type: str | None) -> None:
    """Raise UnsupportedMedia for the types that forms are sent as: their fields would be passed over unseen."""
    name = (media_type or "").partition(";")[0].strip().lower()
    if name in FORM_TYPES:
        raise UnsupportedMedia(
            f"{name} is the type of a form, and this address takes the file itself as the body. With curl: "
            "--data-binary @assets.csv -H 'Content-Type: text/csv', and wishes such as dry_run=true in the address."
        )


class TemplateQuery(RequestSchema):
    """The category of a template."""

    asset_category: str | None = Field(default=None, max_length=40, description="None: for assets of all categories.")


@router.get(
    "/template",
    summary="A workbook to fill in",
    response_class=Response,
    responses={**file_content("xlsx"), **answers(404)},
)
async def download_template(caller: Caller, query: Annotated[TemplateQuery, Query()]) -> Response:
    """With a sheet that explains every column and lists to choose codes from; made from the schemas in force."""
    data = await make_file(caller, template_workbook, query.asset_category)
    name = f"fmar-template-{(query.asset_category or 'all').lower()}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=MEDIA_TYPES["xlsx"], headers=headers)
