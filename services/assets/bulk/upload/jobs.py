"""Handing in a file of assets, and what its owner can do with the job that it becomes (UC-02.01, UC-02.03, bulk)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from uuid import UUID

import polars as pl
from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from models.bulk import UNFINISHED, BulkChunk, BulkDraft, BulkJob, JobStatus
from services.assets.bulk.pipeline.cell_spelling import kept_spelling
from services.assets.bulk.pipeline.chunks import CHUNK_ROWS, pack
from services.assets.bulk.pipeline.notices import with_notices
from services.assets.bulk.upload.column_mapping import (
    heading_keys,
    read_mapping,
    remembered_date_order,
    require_terms,
    resolve_columns,
    store_mapping,
)
from services.assets.bulk.upload.public_registers import translate_register
from services.assets.bulk.upload.spellings import (
    UNSTATED,
    DateOrder,
    DateQuestion,
    date_notice,
    find_date_question,
    find_spellings,
    spelling_notices,
)
from services.assets.bulk.upload.spreadsheet_fixes import fix_spreadsheet_rows
from services.assets.files.formats import HEADINGS_WITHIN, TextTable, refuse_file
from services.assets.files.reader import read_table
from services.assets.registration.parties import active_parties, require_provider
from services.assets.registration.record import is_justification
from services.assets.rules import dates
from services.assets.rules.check import AssetReference, finding
from services.assets.rules.numbers import heading_unit
from services.assets.rules.reference import catalogue
from services.assets.rules.spelling import ColumnSpelling
from services.assets.sources.wording import squash
from services.core.clock import now
from services.core.errors import Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, require, scopes_of
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

Headings = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Wishes that come with a file: `columns` heading -> term (None: pass it over), `constants` term -> the value of rows that
    give none, `justifications` rule code (``*``: every) -> why its warnings are right, `keep_drafts` for rows that only lack
    mandatory values, `idempotency_key` for programs that may send the same request twice, `date_order` (``day`` or ``month``)
    for what stands first in dates that could be two, such as 05/06/2025.
    """

    dry_run: bool = True
    columns: Headings = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    justifications: Mapping[str, str] = field(default_factory=dict)
    keep_drafts: bool = False
    idempotency_key: str | None = None
    date_order: str | None = None


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that has been read: its table, what its columns hold and how they are spelled, and from which register it was
    translated, if any.
    """

    table: TextTable
    columns: dict[int, str]
    unknown: list[str]
    ready_made: str | None
    spellings: Mapping[str, ColumnSpelling] = field(default_factory=dict)
    dates: DateQuestion | None = None


def submit_file(
    actor: Actor, data: bytes, filename: str, wishes: Wishes | None = None, *, media_type: str | None = None
) -> BulkJob:
    """Hand in a file; it becomes a job that the worker takes up. Nothing is registered by this call.

    The file is read before the transaction begins, so that nobody waits for it. Raises Invalid for a file that can't be
    read, has no column that the register knows, or more than it takes; Refused when the organisation may not register
    assets, or when an idempotency key comes back with another file or other wishes.
    """
    wishes = wishes or Wishes()
    require(actor, "asset.bulk")
    reference, remembered, last_order = read_vocabulary(actor)
    _require_reasons(wishes.justifications)
    require_terms(wishes.constants, reference)
    _require_order(wishes.date_order)
    order = DateOrder(wishes.date_order, last_order)
    read = read_file(data, filename, reference, {**wishes.columns}, remembered, media_type, order)
    facts = (filename.replace("\x00", "")[:200] or "file", hashlib.sha256(data).hexdigest(), len(data))
    return keep_job(actor, read, facts, wishes)


@operation("UC-02.01", permission="asset.bulk", writes=False, name="what_is_known")
def read_vocabulary(actor: Actor) -> tuple[AssetReference, dict[str, str | None], str | None]:
    """Read the attributes there are, and the mapping of headings that the actor's organisation gave before."""
    return catalogue().reference, read_mapping(actor), remembered_date_order(actor)


def read_file(
    data: bytes,
    filename: str,
    reference: AssetReference,
    chosen_terms: Headings,
    remembered: Headings,
    media_type: str | None = None,
    order: DateOrder = UNSTATED,
) -> ReadFile:
    """Read a file and find out what its columns hold. Raises Invalid for what can't be used."""
    headings_known = heading_keys(reference, (squash(heading) for heading in {**remembered, **chosen_terms}))
    table = read_table(
        data,
        filename,
        lambda cells: sum(
            squash(cell) in headings_known or squash(heading_unit(cell)[0]) in headings_known for cell in cells
        ),
        media_type,
    )
    columns = resolve_columns(table.headings, reference, chosen_terms, remembered)
    if "AssetName" not in columns.read.values() and "AssetId" not in columns.read.values() and not chosen_terms:
        ready = translate_register(data, filename, table)
        if ready is not None:
            rows = with_notices(ready.table.frame, ready.notices)
            return ReadFile(replace(ready.table, frame=rows), {}, [], ready.kind)
    if not columns.read:
        headings = ", ".join(heading for heading in table.headings if heading)[:200]
        message = (
            "No column of the file is headed by an attribute. Use the template, or say what the columns hold. The headings "
            f"are looked for in the first {HEADINGS_WITHIN} rows: delete what stands above them."
        )
        raise refuse_file("FILE-04", headings, message)
    fixed = fix_spreadsheet_rows(table, columns.read)
    rows = with_notices(fixed.frame, _row_notices(table.cell_notes, columns.read))
    spellings = find_spellings(fixed, columns.read, reference, order)
    question = find_date_question(fixed, columns.read, reference, order.remembered)
    notices = (*fixed.notices, *spelling_notices(fixed, columns.read, spellings, reference))
    if question is not None and not (order.stated or order.remembered):
        notices = (*notices, date_notice(question))
    return ReadFile(
        replace(fixed, frame=rows, notices=notices), columns.read, columns.unknown, None, spellings, question
    )


def _row_notices(cell_notes: pl.DataFrame, columns: Mapping[int, str]) -> pl.DataFrame:
    """The notes on cells that are read, as notices of their rows."""
    read = cell_notes.filter(pl.col("column").is_in(list(columns)))
    return read.with_columns(pl.col("column").replace_strict(columns, return_dtype=pl.String).alias("field"))


def _require_reasons(justifications: Mapping[str, str]) -> None:
    short = [finding("JUST-01", text) for text in justifications.values() if not is_justification(text)]
    if short:
        raise Invalid(short)


def _require_order(order: str | None) -> None:
    if order not in (None, dates.DAY_FIRST, dates.MONTH_FIRST):
        expected = "day or month"
        message = f"The part that stands first in dates is day or month, and not {order}."
        raise Invalid([Finding("FILE-25", "date_order", order, expected, message)])


def _request_digest(name: str, wishes: Wishes) -> str:
    """SHA-256 of a request beside its file: all that its address and query say."""
    said = {**asdict(wishes), "idempotency_key": None, "file_name": name, "request": "POST /v1/assets/bulk"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=dict).encode()).hexdigest()


@operation("UC-02.01", permission="asset.bulk", name="keep_job")
def keep_job(actor: Actor, read: ReadFile, facts: tuple[str, str, int], wishes: Wishes) -> BulkJob:
    """Keep a file that has been read as a job with its rows in chunks: the part of `submit_file` that writes."""
    session = current_session()
    name, digest, size = facts
    owner = actor.key if wishes.idempotency_key else None
    if owner is not None:
        before = session.scalar(
            select(BulkJob).where(
                col(BulkJob.idempotency_owner) == owner, col(BulkJob.idempotency_key) == wishes.idempotency_key
            )
        )
        if before is not None:
            if before.sha256 != digest or before.idempotency_request not in (None, _request_digest(name, wishes)):
                raise Refused(
                    "This Idempotency-Key came with another file, or other wishes, before. Use a new key for a new request."
                )
            return before
    if Scope.ALL not in scopes_of(actor, "asset.register"):
        require_provider(actor, active_parties(actor.organisation_id))
    store_mapping(actor, wishes.columns, wishes.date_order)
    job = BulkJob(
        organisation_id=actor.organisation_id,
        organisation_name=actor.organisation_name,
        user_id=actor.user_id,
        client_id=actor.client_id,
        submitted_by=actor.name[:200],
        file_name=name,
        file_format=read.table.file_format,
        sha256=digest,
        size=size,
        headings=read.table.headings,
        columns={str(place): term for place, term in read.columns.items()},
        spellings={term: kept_spelling(spelling) for term, spelling in read.spellings.items()},
        constants=dict(wishes.constants),
        unknown=read.unknown,
        notices=[{"code": notice.code, "message": notice.message} for notice in read.table.notices],
        ready_made=read.ready_made,
        dry_run=wishes.dry_run,
        keep_drafts=wishes.keep_drafts,
        justifications=dict(wishes.justifications),
        rows_total=read.table.frame.height,
        created_at=now(),
        idempotency_owner=owner,
        idempotency_key=wishes.idempotency_key,
        idempotency_request=_request_digest(name, wishes) if wishes.idempotency_key else None,
    )
    session.add(job)
    session.flush()
    for number, part in enumerate(read.table.frame.iter_slices(CHUNK_ROWS)):
        _keep_chunk(job, number, part)
    return job


def _keep_chunk(job: BulkJob, number: int, part: pl.DataFrame) -> None:
    row = {"job_id": job.id, "number": number, "row_count": part.height, "content": pack(part), "done": False}
    current_session().execute(insert(BulkChunk), [row])


def job_of(actor: Actor, job_id: UUID, *, lock: bool = False) -> BulkJob:
    """A job that the actor may see; NotFound otherwise. Inside an operation."""
    query = select(BulkJob).where(col(BulkJob.id) == job_id, visible(BulkJob, actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    job = current_session().scalar(query)
    if job is None:
        raise NotFound("job", job_id)
    return job


@operation("UC-02.01", permission="asset.bulk", writes=False, name="get_job")
def get_job(actor: Actor, job_id: UUID) -> BulkJob:
    """A job of the actor's organisation, as far as it has come. Raises NotFound."""
    return job_of(actor, job_id)


@operation("UC-02.01", permission="asset.bulk", writes=False, name="list_jobs")
def list_jobs(actor: Actor, limit: int = 50) -> list[BulkJob]:
    """The jobs that the actor may see, the latest first; at most `limit`, up to 500."""
    query = select(BulkJob).where(visible(BulkJob, actor)).order_by(col(BulkJob.id).desc())
    return list(current_session().scalars(query.limit(max(1, min(limit, 500)))))


@operation("UC-02.01", permission="asset.bulk", name="confirm_job")
def confirm_job(
    actor: Actor,
    job_id: UUID,
    *,
    justifications: Mapping[str, str] | None = None,
    keep_drafts: bool | None = None,
) -> BulkJob:
    """Register what a dry run has shown: the same rows are judged again, as things stand then, and written.

    Raises Refused unless the dry run is complete, Invalid for a justification that says too little.
    """
    job = job_of(actor, job_id, lock=True)
    if not job.dry_run:
        raise Refused("Nothing is left to confirm: this file was started before. Its page says how it stands.")
    if job.status in UNFINISHED:
        raise Refused("This file is still being tried. Confirm it once that has ended.")
    if job.status is not JobStatus.COMPLETED:
        raise Refused("This file was not tried to its end. Send it again.")
    _require_reasons(justifications or {})
    job.justifications = {**job.justifications, **(justifications or {})}
    job.keep_drafts = job.keep_drafts if keep_drafts is None else keep_drafts
    job.dry_run = False
    job.status, job.reason = JobStatus.QUEUED, None
    job.rows_done = job.rows_registered = job.rows_updated = job.rows_unchanged = 0
    job.rows_refused = job.rows_draft = job.rows_warned = 0
    job.summary = {}
    job.started_at = job.finished_at = None
    again = update(BulkChunk).where(col(BulkChunk.job_id) == job.id)
    current_session().execute(
        again.values(done=False, outcomes=None, findings=None), execution_options={"synchronize_session": False}
    )
    return job


@operation("UC-02.01", permission="asset.bulk", name="cancel_job")
def cancel_job(actor: Actor, job_id: UUID) -> BulkJob:
    """Stop a job before its next chunk; what is registered by then stays. Raises Refused when it has ended."""
    job = job_of(actor, job_id, lock=True)
    if job.status not in UNFINISHED:
        raise Refused(f"The job is {job.status.lower()} already: there is nothing to cancel.")
    job.status, job.finished_at = JobStatus.CANCELLED, now()
    job.reason = f"Cancelled by {actor.name}."[:1000]
    return job


@operation("UC-02.01", permission="asset.bulk", name="delete_job")
def delete_job(actor: Actor, job_id: UUID) -> None:
    """Remove a job with its file, results and drafts before its time; the records that came of it stay.

    Raises Refused while it is under way.
    """
    job = job_of(actor, job_id, lock=True)
    if job.status in UNFINISHED:
        raise Refused("The job is under way. Cancel it first.")
    remove_jobs([job.id])


def remove_jobs(job_ids: list[UUID]) -> None:
    """Take jobs away with all that belongs to them; inside an operation that writes."""
    session = current_session()
    for model in (BulkDraft, BulkChunk):
        session.execute(delete(model).where(col(model.job_id).in_(job_ids)))
    session.execute(delete(BulkJob).where(col(BulkJob.id).in_(job_ids)))
