"""Rows of a file as they are kept: small Parquet files inside the database, so that any process can go on with a job."""

import io
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import BulkChunk
from services.assets.files.formats import BROKEN, ROW
from services.core.errors import Finding, Severity
from services.core.rules import FINDINGS_SCHEMA
from services.core.text import normal_column
from services.core.transaction import current_session

CHUNK_ROWS = 10_000
"""A second or two of work: nobody waits longer for the writer's lock of SQLite."""
TERM_PREFIX = "t:"
"""Columns of a chunk that hold what a ready-made mapping made of the row, by term."""
LONGEST_QUOTE = 300
KEPT_SCHEMA: dict[str, Any] = {**FINDINGS_SCHEMA, "row": pl.Int64}
OUTCOME_SCHEMA: dict[str, Any] = {
    "row": pl.Int64,
    "outcome": pl.String,
    "asset_id": pl.String,
    "name": pl.String,
    "category": pl.String,
    "rated_kw": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "keys": pl.List(pl.String),
}


def pack(frame: pl.DataFrame) -> bytes:
    """A frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def unpack(data: bytes, columns: list[str] | None = None) -> pl.DataFrame:
    """A frame back from its bytes, whole or some of its columns."""
    return pl.read_parquet(io.BytesIO(data), columns=columns)


def chunk_ids(job_id: UUID) -> list[int]:
    """The chunks of a job in the order of the file. Inside an operation."""
    query = select(col(BulkChunk.id)).where(col(BulkChunk.job_id) == job_id).order_by(col(BulkChunk.number))
    return [identifier for identifier in current_session().scalars(query) if identifier is not None]


def rows_by_term(content: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """The rows of a chunk by term: `ROW`, `BROKEN`, and a column for each term that the file gives."""
    translated = [name for name in content.columns if name.startswith(TERM_PREFIX)]
    if translated:
        by_term = [pl.col(name).alias(name.removeprefix(TERM_PREFIX)) for name in translated]
    else:
        by_term = [pl.col(f"c{place}").alias(term) for place, term in columns.items()]
    return content.select(ROW, BROKEN, *by_term)


def plain_cells(rows: pl.DataFrame) -> pl.DataFrame:
    """The cells of rows by term, their text in its normal form."""
    cells = rows.drop(ROW, BROKEN)
    return pl.DataFrame([normal_column(column) for column in cells.iter_columns()]) if cells.width else cells


def with_constants(cells: pl.DataFrame, constants: Mapping[str, str]) -> pl.DataFrame:
    """New rows with the values that hold for every row that gives none; what is left empty isn't given."""
    cells = cells.with_columns(pl.all().replace("", None))
    filled = []
    for term, text in constants.items():
        if term in cells.columns:
            blank = pl.col(term).fill_null("").str.strip_chars() == ""
            filled.append(pl.when(blank).then(pl.lit(text)).otherwise(pl.col(term)).alias(term))
        else:
            filled.append(pl.lit(text).alias(term))
    return cells.with_columns(filled) if filled else cells


def findings_by_row(findings: pl.DataFrame) -> dict[int, list[Finding]]:
    """The findings of every row that has any, in their order."""
    by_row: dict[int, list[Finding]] = {}
    for row, code, where, quoted, expected, message, severity in findings.select(list(FINDINGS_SCHEMA)).iter_rows():
        by_row.setdefault(row, []).append(Finding(code, where, quoted, expected, message, Severity(severity)))
    return by_row
