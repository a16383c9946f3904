"""Chunk results: outcomes, findings and sums that are kept of a run of rows once it has been judged."""

from typing import Any, NamedTuple

import polars as pl

from models.bulk import BulkJob
from services.assets.bulk.pipeline.chunks import KEPT_SCHEMA, LONGEST_QUOTE, OUTCOME_SCHEMA, pack
from services.assets.bulk.pipeline.outcomes import GOES_THROUGH, RowStatus, RunOutcomes

EXAMPLES = 5


class ChunkResults(NamedTuple):
    """Results of a run of rows, as frames and as they are stored."""

    findings: pl.DataFrame
    outcomes: pl.DataFrame
    packed_findings: bytes
    packed_outcomes: bytes


def collect_results(verdict: RunOutcomes) -> ChunkResults:
    """Collect the results of a run of rows, once its new assets are known."""
    findings, outcomes = numbered_findings(verdict), row_outcomes(verdict)
    return ChunkResults(findings, outcomes, pack(findings), pack(outcomes))


def numbered_findings(verdict: RunOutcomes) -> pl.DataFrame:
    """The findings with the numbers that the rows have in the file (`KEPT_SCHEMA`); long quotations are cut."""
    numbers = verdict.rows.cast(pl.Int64)
    numbered = verdict.findings.with_columns(numbers.gather(verdict.findings["row"]).alias("row"))
    cut = [pl.col(name).str.head(LONGEST_QUOTE) for name in ("given", "message")]
    return numbered.with_columns(cut).select(pl.col(name).cast(kind) for name, kind in KEPT_SCHEMA.items())


def row_outcomes(verdict: RunOutcomes) -> pl.DataFrame:
    """Outcomes of all rows (`OUTCOME_SCHEMA`), with where the asset is for those that go through."""
    fresh = verdict.values.select(
        pl.col("index"),
        name="AssetName",
        category="AssetCategory",
        rated_kw=pl.col("RatedCapacity").cast(pl.String),
        latitude="Latitude",
        longitude="Longitude",
    )
    spoken = [
        (
            row,
            c.asset.asset_name,
            c.asset.asset_category,
            str(c.asset.rated_capacity),
            c.asset.latitude,
            c.asset.longitude,
        )
        for row, c in verdict.changed.items()
    ]
    changed_assets = pl.DataFrame(spoken, schema=fresh.schema, orient="row")
    described = pl.concat([fresh.filter(~pl.col("index").is_in(changed_assets["index"].implode())), changed_assets])
    keys = verdict.keys.group_by("index").agg(pl.col("key").alias("keys"))
    rows = pl.DataFrame(
        {
            "index": pl.int_range(len(verdict.rows), eager=True),
            "row": verdict.rows,
            "outcome": [str(outcome) for outcome in verdict.outcomes],
            "asset_id": [
                str(verdict.assets[at]) if at in verdict.assets and outcome in GOES_THROUGH else None
                for at, outcome in enumerate(verdict.outcomes)
            ],
        },
        schema_overrides={"asset_id": pl.String, "outcome": pl.String},
    )
    joined = rows.join(described, on="index", how="left").join(keys, on="index", how="left").sort("index")
    return joined.select(pl.col(name).cast(kind) for name, kind in OUTCOME_SCHEMA.items())


def add_up(job: BulkJob, verdict: RunOutcomes, findings: pl.DataFrame) -> None:
    """Add what became of a run of rows to the sums of its job."""
    counts = {outcome: verdict.outcomes.count(outcome) for outcome in RowStatus}
    job.rows_registered += counts[RowStatus.REGISTERED]
    job.rows_updated += counts[RowStatus.UPDATED]
    job.rows_unchanged += counts[RowStatus.UNCHANGED]
    job.rows_refused += counts[RowStatus.REFUSED]
    job.rows_draft += counts[RowStatus.DRAFT]
    job.rows_warned += findings.filter(pl.col("severity") == "warning")["row"].n_unique()
    job.rows_done += len(verdict.outcomes)
    job.summary = _summed(job.summary, findings)


def _summed(before: dict[str, dict[str, Any]], findings: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Findings of a whole file by rule: severity, fields, rows, what is expected, and a few examples."""
    summary = {code: {**entry} for code, entry in before.items()}
    grouped = findings.group_by("code", maintain_order=True).agg(
        pl.col("severity").first(),
        pl.col("field").unique(maintain_order=True),
        pl.col("expected").first(),
        pl.col("row").n_unique().alias("rows"),
        pl.struct("row", "field", "given", "message").head(EXAMPLES).alias("examples"),
    )
    for code, severity, fields, expected, rows, examples in grouped.iter_rows():
        entry = summary.setdefault(
            code, {"severity": severity, "fields": [], "expected": expected, "rows": 0, "examples": []}
        )
        entry["rows"] += rows
        entry["fields"] = list(dict.fromkeys([*entry["fields"], *(field for field in fields if field)]))
        entry["examples"] = [*entry["examples"], *examples][:EXAMPLES]
    return summary
