"""Files that the portal's pages hand out: by ticket, since a browser can send no token (UC-02.04).

Left out of the API's description: tickets are made by pages only. Each file is made, or read and held against its digest, when
its ticket comes, for the holder as they stand then.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from limits import RateLimitItemPerMinute
from starlette.concurrency import run_in_threadpool

from api.assets.tiles import SIGN_IN
from api.http.conversation import file_response
from api.http.file_work import make_file
from api.http.files import MEDIA_TYPES, download_headers, send_file
from api.http.security import spend
from services.assets.bulk.export.direct import export_file
from services.assets.bulk.upload.jobs import get_job
from services.assets.bulk.upload.results import write_findings, write_refused
from services.assets.bulk.upload.template import template_workbook
from services.assets.conversation.comments import read_attachment
from services.assets.filters import load_filters
from services.assets.sources.reading_records import write_edition_findings
from services.core.clock import in_london, now
from services.core.file_signatures import PDF
from services.core.file_tickets import DownloadKind, FileRequest, open_file_ticket
from services.market.qualification.certificate import read_certificate
from services.market.qualification.data_package import read_package
from services.market.qualification.messages import read_evidence
from services.participants.reading import organisation_passport

router = APIRouter(prefix="/files", include_in_schema=False)
PER_PERSON = RateLimitItemPerMinute(60)


@router.get("/download")
async def download_file(request: Request, ticket: Annotated[str, Query()] = "") -> Response:
    """The file that a ticket opens, to be saved."""
    file_request = await run_in_threadpool(open_file_ticket, ticket, request.cookies.get(SIGN_IN))
    spend(request, f"files:{file_request.actor.key}", PER_PERSON)
    return await make_file(file_request.actor, MAKERS[file_request.kind], file_request)


def _assets(request: FileRequest) -> Response:
    file_format = str(request.values["format"])
    filters = load_filters(request.values["filters"])

    def write(path: Path) -> None:
        export_file(request.actor, file_format, path, filters)

    return send_file(file_format, f"fmar-assets-{in_london(now()):%Y-%m-%d}", write)


def _refused_rows(request: FileRequest) -> Response:
    job = get_job(request.actor, request.identifier("job"))
    name = f"refused-{Path(job.file_name).stem}"
    return send_file(job.file_format, name, lambda path: write_refused(request.actor, job.id, path))


def _findings(request: FileRequest) -> Response:
    job = get_job(request.actor, request.identifier("job"))
    name = f"findings-{Path(job.file_name).stem}"
    return send_file("csv", name, lambda path: write_findings(request.actor, job.id, path))


def _template(request: FileRequest) -> Response:
    category: str | None = request.values["category"]
    name = f"fmar-template-{(category or 'all').lower()}.xlsx"
    return Response(template_workbook(category), media_type=MEDIA_TYPES["xlsx"], headers=download_headers(name))


def _asset_attachment(request: FileRequest) -> Response:
    return file_response(read_attachment(request.actor, request.identifier("file")))


def _application_attachment(request: FileRequest) -> Response:
    return file_response(read_evidence(request.actor, request.identifier("file")))


def _data_package(request: FileRequest) -> Response:
    file = read_package(request.actor, request.identifier("application"))
    return Response(file.content, media_type="application/json", headers=download_headers(file.file_name))


def _certificate(request: FileRequest) -> Response:
    file = read_certificate(request.actor, request.identifier("application"))
    return Response(file.content, media_type=PDF, headers=download_headers(file.file_name))


def _passport(request: FileRequest) -> Response:
    identifier = request.identifier("organisation")
    document = organisation_passport(request.actor, identifier)
    text = json.dumps(document, indent=2, default=str, ensure_ascii=False)
    headers = download_headers(f"organisation-{identifier}.json")
    return Response(text.encode(), media_type="application/json", headers=headers)


def _edition_findings(request: FileRequest) -> Response:
    identifier, codes = request.identifier("edition"), request.values["codes"]
    text = str(request.values["text"])

    def write(path: Path) -> None:
        write_edition_findings(request.actor, identifier, path, codes=codes, text=text)

    return send_file("csv", f"findings-{request.values['name']}", write)


MAKERS: Mapping[DownloadKind, Callable[[FileRequest], Response]] = {
    DownloadKind.ASSETS: _assets,
    DownloadKind.REFUSED_ROWS: _refused_rows,
    DownloadKind.FINDINGS: _findings,
    DownloadKind.TEMPLATE: _template,
    DownloadKind.ASSET_ATTACHMENT: _asset_attachment,
    DownloadKind.APPLICATION_ATTACHMENT: _application_attachment,
    DownloadKind.DATA_PACKAGE: _data_package,
    DownloadKind.CERTIFICATE: _certificate,
    DownloadKind.PASSPORT: _passport,
    DownloadKind.EDITION_FINDINGS: _edition_findings,
}
