"""Large exports as jobs: asked for, followed, fetched and removed by those who may see what is in the file (UC-02.04)."""

import hashlib
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlmodel import col

from models.bulk import UNFINISHED, BulkJob, JobStatus
from models.exports import ExportJob, ExportPart
from services.assets.bulk.export.direct import require_format
from services.assets.bulk.upload.jobs import cancel_job, delete_job, get_job, list_jobs
from services.assets.filters import AssetFilters, dump_filters
from services.assets.reading.assets import count_assets
from services.core.access_log import log_access
from services.core.clock import now
from services.core.errors import Forbidden, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.holders import issue_to, open_for_holder
from services.core.identity.permissions import Scope, may, scopes_of
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session

log = logging.getLogger("fmar.files")
PURPOSE = "export"
MOST_WAITING = 10
"""Exports that one organisation may have under way at once."""


@operation("UC-02.04", permission="asset.export", writes=False, name="is_large_export")
def is_large_export(actor: Actor, filters: AssetFilters | None = None) -> bool:
    """Tell whether an export by these filters becomes a job: more assets than setting export.direct_rows."""
    most = int(setting("export.direct_rows"))
    count = count_assets(actor, filters, most=most)
    return count.more or count > most


def begin_export(actor: Actor, file_format: str, filters: AssetFilters | None = None) -> ExportJob | None:
    """The job that a large export becomes; None for so few assets that `export_file` makes the file at once.

    Raises Invalid for a format that there isn't, Refused while the organisation has too many exports under way.
    """
    require_format(file_format)
    return submit_export(actor, file_format, filters) if is_large_export(actor, filters) else None


@operation("UC-02.04", permission="asset.export", name="submit_export")
def submit_export(actor: Actor, file_format: str, filters: AssetFilters | None = None) -> ExportJob:
    """Have a file made by the worker. The same wish of the same person, while it is under way, is the same job."""
    require_format(file_format)
    session = current_session()
    filter_document = dump_filters(filters or AssetFilters())
    theirs = col(ExportJob.organisation_id) == actor.organisation_id
    if actor.organisation_id is None:
        theirs = col(ExportJob.organisation_id).is_(None)
    under_way = list(session.scalars(select(ExportJob).where(theirs, col(ExportJob.status).in_(UNFINISHED))))
    for job in under_way:
        same = (job.user_id, job.client_id, job.file_format) == (actor.user_id, actor.client_id, file_format)
        if same and job.filters == filter_document:
            return job
    if len(under_way) >= MOST_WAITING:
        raise Refused(f"{MOST_WAITING} exports of your organisation are under way. Wait for one, or cancel it.")
    job = ExportJob(
        organisation_id=actor.organisation_id,
        user_id=actor.user_id,
        client_id=actor.client_id,
        submitted_by=actor.name[:200],
        file_format=file_format,
        filters=filter_document,
        created_at=now(),
    )
    session.add(job)
    session.flush()
    return job


def export_of(actor: Actor, job_id: UUID, *, lock: bool = False) -> ExportJob:
    """An export that the actor may see; NotFound otherwise. Inside an operation."""
    query = select(ExportJob).where(col(ExportJob.id) == job_id, visible(ExportJob, actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    job = current_session().scalar(query)
    if job is None:
        raise NotFound("job", job_id)
    return job


@operation("UC-02.04", permission="asset.export", writes=False, name="get_export")
def get_export(actor: Actor, job_id: UUID) -> ExportJob:
    """An export of the actor's organisation, as far as it has come. Raises NotFound."""
    return export_of(actor, job_id)


@operation("UC-02.04", permission="asset.export", writes=False, name="list_exports")
def list_exports(actor: Actor, limit: int = 50) -> list[ExportJob]:
    """The exports that the actor's organisation had made as jobs, the latest first; at most `limit`, up to 500."""
    query = select(ExportJob).where(visible(ExportJob, actor)).order_by(col(ExportJob.id).desc())
    return list(current_session().scalars(query.limit(max(1, min(limit, 500)))))


@operation("UC-02.04", permission="asset.export", writes=False, name="kept_days")
def kept_days(actor: Actor) -> int:
    """For how many days the file of an export can be fetched after it was made."""
    return int(setting("bulk.keep_days"))


def any_job(actor: Actor, job_id: UUID) -> BulkJob | ExportJob:
    """A job of either kind. Raises NotFound when there is none that the actor may see."""
    if may(actor, "asset.export"):
        try:
            return get_export(actor, job_id)
        except NotFound:
            if not may(actor, "asset.bulk"):
                raise
    return get_job(actor, job_id)


def any_jobs(actor: Actor, limit: int = 50) -> list[BulkJob | ExportJob]:
    """Jobs of both kinds, as far as the actor's roles reach, the latest first."""
    jobs: list[BulkJob | ExportJob] = []
    if may(actor, "asset.export"):
        jobs += list_exports(actor, limit)
    if may(actor, "asset.bulk") or not jobs:
        jobs += list_jobs(actor, limit)
    return sorted(jobs, key=lambda job: job.id, reverse=True)[:limit]


def cancel_any_job(actor: Actor, job_id: UUID) -> BulkJob | ExportJob:
    """Cancel a job of either kind. Raises NotFound, or Refused when it has ended."""
    job = any_job(actor, job_id)
    return cancel_export(actor, job_id) if isinstance(job, ExportJob) else cancel_job(actor, job_id)


def delete_any_job(actor: Actor, job_id: UUID) -> None:
    """Remove a job of either kind. Raises NotFound, or Refused while it is under way."""
    job = any_job(actor, job_id)
    delete_export(actor, job_id) if isinstance(job, ExportJob) else delete_job(actor, job_id)


def describe_visibility(actor: Actor) -> dict[str, Any]:
    """Visibility of an actor among assets, as it is kept with a file."""
    return {
        "scopes": sorted(scopes_of(actor, "asset.read")),
        "areas": sorted(actor.areas),
        "all_areas": actor.all_areas,
    }


def require_visibility(actor: Actor, job: ExportJob) -> None:
    """Raise Forbidden where the actor sees less now than whoever the file was made for saw then."""
    maker_sight = job.seen_by
    scopes = scopes_of(actor, "asset.read")
    if Scope.ALL in scopes:
        return
    areas = actor.all_areas or (not maker_sight.get("all_areas") and set(maker_sight.get("areas", ())) <= actor.areas)
    if not (set(maker_sight.get("scopes", ())) <= scopes and areas):
        raise Forbidden("The file holds assets that you may not see now. Export again: you get those that you may see.")


@operation("UC-02.04", permission="asset.export", writes=False, name="copy_export")
def copy_export(actor: Actor, job_id: UUID, path: Path) -> ExportJob:
    """The part of `fetch_export` that reads."""
    job = export_of(actor, job_id)
    if job.status is not JobStatus.COMPLETED:
        raise Refused(f"There is no file yet: the export is {job.status.lower()}.")
    require_visibility(actor, job)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for part in _content(job_id):
            digest.update(part)
            file.write(part)
    if digest.hexdigest() != job.sha256:
        log.error("The file of export %s is not the one that was made: its digest differs", job_id)
        raise Refused("The file is not the one that was made: it was altered in the database. Export again.")
    return job


def _content(job_id: UUID) -> Iterator[bytes]:
    number = 0
    while True:
        query = select(col(ExportPart.content)).where(
            col(ExportPart.job_id) == job_id, col(ExportPart.number) == number
        )
        part = current_session().scalar(query)
        if part is None:
            return
        yield zlib.decompress(part)
        number += 1


def fetch_export(actor: Actor, job_id: UUID, path: Path) -> ExportJob:
    """Write the finished file of an export to `path`; who took it is kept in the access log.

    Raises NotFound for what the actor's organisation didn't ask for, Refused before it is complete, Forbidden when the actor
    sees less than is in it.
    """
    job = copy_export(actor, job_id, path)
    log_access(actor, "assets.export_taken", "export_job", job_id, {"format": job.file_format, "sha256": job.sha256})
    return job


@operation("UC-02.04", permission="asset.export", writes=False, name="export_ticket")
def export_ticket(actor: Actor, job_id: UUID, browser: str | None = None) -> str:
    """A ticket by which this person's browser, which `browser` names, fetches the file: for five to ten minutes."""
    job = export_of(actor, job_id)
    return issue_to(actor, PURPOSE, {"job": str(job.id)}, browser)


def open_export_ticket(ticket: str, browser: str | None = None) -> tuple[Actor, UUID]:
    """Resolve a ticket to its holder, as they stand in the register at this moment, and the job whose file it opens.

    Raises Unauthenticated when it was changed or has ended, or its holder's access or session has; Forbidden in another
    browser.
    """
    actor, claims = open_for_holder(PURPOSE, ticket, browser, "Open the page in this one.")
    return actor, UUID(claims["job"])


@operation("UC-02.04", permission="asset.export", name="cancel_export")
def cancel_export(actor: Actor, job_id: UUID) -> ExportJob:
    """Stop an export that is under way; no file is kept of it. Raises Refused when it has ended."""
    job = export_of(actor, job_id, lock=True)
    if job.status not in UNFINISHED:
        raise Refused(f"The export is {job.status.lower()} already: there is nothing to cancel.")
    job.status, job.finished_at = JobStatus.CANCELLED, now()
    job.reason = f"Cancelled by {actor.name}."[:1000]
    return job


@operation("UC-02.04", permission="asset.export", name="delete_export")
def delete_export(actor: Actor, job_id: UUID) -> None:
    """Remove an export and its file before its time. Raises Refused while it is under way."""
    job = export_of(actor, job_id, lock=True)
    if job.status in UNFINISHED:
        raise Refused("The export is under way. Cancel it first.")
    remove_exports([job.id])


def remove_exports(job_ids: list[UUID]) -> None:
    """Take exports away with their files; inside an operation that writes. What the ledger says of them stays."""
    session = current_session()
    session.execute(delete(ExportPart).where(col(ExportPart.job_id).in_(job_ids)))
    session.execute(delete(ExportJob).where(col(ExportJob.id).in_(job_ids)))
