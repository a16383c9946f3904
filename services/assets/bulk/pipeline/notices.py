"""Notices of a file's reader about single cells, kept with the rows until they are findings (UC-02.01, bulk)."""

import polars as pl

from services.assets.bulk.pipeline.outcomes import RunOutcomes
from services.assets.files.formats import ROW
from services.core.errors import Severity
from services.core.rules import FINDINGS_SCHEMA, sorted_findings

NOTICES = "notices"
"""The column of a chunk that holds them: a list for each row, null where there is none."""
NOTICE_SCHEMA = {
    "code": pl.String,
    "field": pl.String,
    "given": pl.String,
    "expected": pl.String,
    "message": pl.String,
}
_ROW_NOTICES = pl.List(pl.Struct(NOTICE_SCHEMA))


def with_notices(frame: pl.DataFrame, notices: pl.DataFrame) -> pl.DataFrame:
    """The rows of a file with their notices beside them. `notices`: `ROW` and the columns of `NOTICE_SCHEMA`."""
    if not notices.height:
        return frame
    by_row = notices.group_by(ROW, maintain_order=True).agg(pl.struct(list(NOTICE_SCHEMA)).alias(NOTICES))
    return frame.join(by_row.cast({NOTICES: _ROW_NOTICES}), on=ROW, how="left", maintain_order="left")


def add_notices(verdict: RunOutcomes, content: pl.DataFrame) -> None:
    """Add the notices of a chunk to the findings of its rows: they tell, and change no outcome."""
    if NOTICES not in content.columns:
        return
    notices = content.select(pl.int_range(pl.len()).alias("row"), NOTICES).drop_nulls().explode(NOTICES).unnest(NOTICES)
    if not notices.height:
        return
    findings = notices.with_columns(pl.lit(Severity.NOTICE.value).alias("severity"))
    typed = findings.select(pl.col(name).cast(kind) for name, kind in FINDINGS_SCHEMA.items())
    # A rule that refuses the very cell says it already, and how to put it right.
    typed = typed.join(verdict.findings, on=["row", "field", "given"], how="anti")
    verdict.findings = sorted_findings([verdict.findings, typed])
