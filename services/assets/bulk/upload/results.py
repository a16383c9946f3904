"""Job results: progress, findings, positions, and the refused rows as a file to be mended (UC-02.01, bulk)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import UNFINISHED, BulkChunk, BulkJob
from models.exports import ExportJob
from services.assets.bulk.pipeline.chunks import KEPT_SCHEMA, OUTCOME_SCHEMA, TERM_PREFIX, chunk_ids, unpack
from services.assets.bulk.upload.column_mapping import CODES, REASONS
from services.assets.bulk.upload.jobs import job_of
from services.assets.files.formats import BROKEN, ROW
from services.assets.files.writer import write_table
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session

LONGEST_PAGE = 5_000
MOST_POSITIONS = 5_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a job: rows a second so far, and the seconds that the rest takes at that rate (None: not known)."""

    rows_done: int
    rows_total: int
    rows_per_second: float | None
    seconds_left: int | None


def progress(job: BulkJob | ExportJob) -> Progress:
    """Work out the progress of a job by its own counts."""
    if job.started_at is None or not job.rows_done:
        return Progress(job.rows_done, job.rows_total, None, None)
    spent = max(((job.finished_at or now()) - job.started_at).total_seconds(), 0.001)
    rate = job.rows_done / spent
    left = round((job.rows_total - job.rows_done) / rate) if job.status in UNFINISHED else None
    return Progress(job.rows_done, job.rows_total, round(rate, 1), left)


@operation("UC-02.01", permission="asset.bulk", writes=False, name="job_findings")
def job_findings(
    actor: Actor, job_id: UUID, *, after: int = 0, limit: int = 500, code: str | None = None
) -> list[dict[str, Any]]:
    """The findings of rows after the one numbered `after`, row by row: row, code, field, given, expected, message, severity.

    About `limit` of them (at most 5,000): a row is told whole. `code` picks one rule. Raises NotFound.
    """
    job = job_of(actor, job_id)
    size = max(1, min(limit, LONGEST_PAGE))
    findings = pl.DataFrame(schema=KEPT_SCHEMA)
    for part in _read_parts(job, BulkChunk.findings):
        rows = part.filter(pl.col("row") > after)
        findings = pl.concat([findings, rows.filter(pl.col("code") == code) if code else rows])
        if findings.height >= size:
            last = findings["row"][size - 1]
            return findings.filter(pl.col("row") <= last).to_dicts()
    return findings.to_dicts()


@operation("UC-02.01", permission="asset.bulk", writes=False, name="write_findings")
def write_findings(actor: Actor, job_id: UUID, path: Path) -> int:
    """Write all findings of a job to a CSV file; how many. Raises NotFound."""
    job = job_of(actor, job_id)
    parts = list(_read_parts(job, BulkChunk.findings))
    findings = pl.concat([pl.DataFrame(schema=KEPT_SCHEMA), *parts])
    named = {name: name.capitalize() for name in KEPT_SCHEMA}
    write_table(path, "csv", findings.rename(named).with_columns(pl.all().cast(pl.String)))
    return findings.height


@operation("UC-02.01", permission="asset.bulk", writes=False, name="job_rows")
def job_rows(
    actor: Actor, job_id: UUID, *, outcome: str | None = None, after: int = 0, limit: int = 500
) -> list[dict[str, Any]]:
    """List the outcomes of rows after the one numbered `after`: row, outcome, asset_id (None in a dry run of a new one), name.

    At most `limit`, up to 5,000. Raises NotFound.
    """
    job = job_of(actor, job_id)
    size = max(1, min(limit, LONGEST_PAGE))
    outcomes: list[dict[str, Any]] = []
    for part in _read_parts(job, BulkChunk.outcomes):
        rows = part.filter(pl.col("row") > after).select("row", "outcome", "asset_id", "name")
        outcomes += (
            (rows.filter(pl.col("outcome") == outcome) if outcome else rows).head(size - len(outcomes)).to_dicts()
        )
        if len(outcomes) >= size:
            break
    return outcomes


@operation("UC-02.01", permission="asset.bulk", writes=False, name="job_positions")
def job_positions(actor: Actor, job_id: UUID, limit: int = MOST_POSITIONS) -> list[dict[str, Any]]:
    """List the positions of assets that go through, for a map: row, outcome, name, category, rated_kw, latitude, longitude.

    At most `limit`, spread over the file. Every text was typed by somebody: escape it.
    """
    job = job_of(actor, job_id)
    names = ["row", "outcome", "name", "category", "rated_kw", "latitude", "longitude"]
    placed = pl.col("latitude").is_not_null() & pl.col("outcome").is_in(["registered", "updated"])
    parts = [part.filter(placed).select(names) for part in _read_parts(job, BulkChunk.outcomes)]
    positions = pl.concat(parts) if parts else pl.DataFrame(schema={name: OUTCOME_SCHEMA[name] for name in names})
    step = max(1, -(-positions.height // max(1, limit)))
    return positions.gather_every(step).to_dicts()


@operation("UC-02.01", permission="asset.bulk", writes=False, name="write_refused")
def write_refused(actor: Actor, job_id: UUID, path: Path) -> int:
    """Write the rows that were refused as the file they came in, with two columns more: codes and reasons; how many.

    The format is the job's `file_format`. What was mended can be sent again as it is. Raises NotFound.
    """
    job = job_of(actor, job_id)
    parts = [part for part in _read_refused(job) if part.height]
    headings = _headings(job.headings)
    schema = dict.fromkeys([*headings, CODES, REASONS], pl.String)
    refused_rows = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema=schema)
    write_table(path, job.file_format, refused_rows)
    return refused_rows.height


def _read_refused(job: BulkJob) -> Iterator[pl.DataFrame]:
    session = current_session()
    headings = _headings(job.headings)
    cells = [pl.col(f"c{place}").alias(name) for place, name in enumerate(headings) if name not in (CODES, REASONS)]
    for identifier in chunk_ids(job.id):
        chunk = session.get_one(BulkChunk, identifier)
        if chunk.outcomes is not None and chunk.findings is not None:
            outcomes = unpack(chunk.outcomes, ["row", "outcome"])
            refused = outcomes.filter(pl.col("outcome") == "refused").select("row")
            reasons = unpack(chunk.findings).group_by("row").agg(pl.col("code"), pl.col("message"))
            reasons = reasons.select(
                "row",
                pl.col("code").list.unique(maintain_order=True).list.join("; ").alias(CODES),
                pl.col("message").list.unique(maintain_order=True).list.join(" ").alias(REASONS),
            )
            content = unpack(chunk.content)
            content = content.drop([name for name in content.columns if name.startswith(TERM_PREFIX)])
            rows = content.join(refused, left_on=ROW, right_on="row", how="semi", maintain_order="left")
            explained = rows.join(reasons, left_on=ROW, right_on="row", how="left", maintain_order="left")
            yield explained.drop(BROKEN).select(*cells, CODES, REASONS)
        session.expunge(chunk)


def _headings(headings: list[str]) -> list[str]:
    """Headings that can stand side by side: nameless and doubled ones get a number."""
    seen: dict[str, int] = {}
    unique_headings = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        plain = heading or "Column"
        unique_headings.append(plain if seen[heading] == 1 and heading else f"{plain} ({seen[heading]})")
    return unique_headings


def _read_parts(job: BulkJob, column: Any) -> Iterator[pl.DataFrame]:
    """A kept part of every chunk that has it, in the order of the file."""
    for identifier in chunk_ids(job.id):
        data = current_session().scalar(select(col(column)).where(col(BulkChunk.id) == identifier))
        if data is not None:
            yield unpack(data)
