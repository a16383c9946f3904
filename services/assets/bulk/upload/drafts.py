"""Rows that only lacked mandatory values, kept with their job until somebody completes them (UC-02.01, bulk)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import delete, insert, select
from sqlmodel import col

from models.assets import Asset
from models.base import new_id
from models.bulk import BulkDraft, BulkJob
from services.assets.bulk.pipeline.chunk_results import numbered_findings
from services.assets.bulk.pipeline.outcomes import RowStatus, RunOutcomes
from services.assets.bulk.upload.jobs import job_of
from services.assets.files.formats import BROKEN, ROW
from services.assets.registration.register import register_asset
from services.core.clock import now
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session


def keep_drafts(job: BulkJob, cells: pl.DataFrame, verdict: RunOutcomes) -> None:
    """Keep the rows of a run that lack nothing but mandatory values. Inside an operation that writes."""
    places = [row for row, outcome in enumerate(verdict.outcomes) if outcome is RowStatus.DRAFT]
    if not places:
        return
    findings = numbered_findings(verdict)
    lacks: dict[int, list[dict[str, Any]]] = {}
    for row in findings.to_dicts():
        lacks.setdefault(row.pop("row"), []).append(row)
    moment = now()
    rows = cells.select(pl.all().gather(places)).to_dicts()
    drafts = [
        {
            "id": new_id(),
            "job_id": job.id,
            "organisation_id": job.organisation_id,
            "row_number": row[ROW],
            "values": job.constants | {t: v for t, v in row.items() if v and t not in (ROW, BROKEN)},
            "lacks": lacks.get(row[ROW], []),
            "saved_at": moment,
        }
        for row in rows
    ]
    current_session().execute(insert(BulkDraft), drafts)


@operation("UC-02.01", permission="asset.bulk", writes=False, name="job_drafts")
def job_drafts(actor: Actor, job_id: UUID, *, after: int = 0, limit: int = 500) -> list[BulkDraft]:
    """The drafts of a job from the row after the one numbered `after` on; at most `limit`, up to 5,000. NotFound."""
    job = job_of(actor, job_id)
    query = select(BulkDraft).where(col(BulkDraft.job_id) == job.id, col(BulkDraft.row_number) > after)
    ordered = query.order_by(col(BulkDraft.row_number)).limit(max(1, min(limit, 5_000)))
    return list(current_session().scalars(ordered))


def _draft(actor: Actor, draft_id: UUID) -> BulkDraft:
    query = select(BulkDraft).where(col(BulkDraft.id) == draft_id, visible(BulkDraft, actor))
    draft = current_session().scalar(query.with_for_update())
    if draft is None:
        raise NotFound("draft", draft_id)
    return draft


@operation("UC-02.01", permission="asset.bulk", name="register_bulk_draft")
def register_bulk_draft(
    actor: Actor, draft_id: UUID, values: Mapping[str, str | None], *, justification: str | None = None
) -> Asset:
    """Register a draft with what was missing; it goes in the same transaction.

    Raises what `register_asset` raises; the draft then stays as it was.
    """
    draft = _draft(actor, draft_id)
    asset = register_asset(actor, {**draft.values, **values}, justification=justification)
    current_session().execute(delete(BulkDraft).where(col(BulkDraft.id) == draft.id))
    return asset
