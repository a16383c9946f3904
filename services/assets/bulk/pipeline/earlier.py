"""What the rows of a file that went through so far are known by: the same asset in a later row is found (UC-02.01, bulk)."""

from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import BulkChunk
from services.assets.bulk.pipeline.chunks import unpack
from services.core.transaction import current_session

_SEEDS = {"one": 1, "two": 2}


class Earlier:
    """Keys and the rows that they stand for. Of each key two hashes of 64 bits are kept: texts would fill memory."""

    def __init__(self) -> None:
        self._kept = pl.DataFrame(schema={**dict.fromkeys(_SEEDS, pl.UInt64), "row": pl.Int64})

    def add(self, outcomes: pl.DataFrame) -> None:
        """Take over the ``keys`` of rows, lists of text, with the number of the ``row`` in the file."""
        keys = outcomes.select(pl.col("keys").alias("key"), pl.col("row")).explode("key").drop_nulls("key")
        if keys.height:
            self._kept = pl.concat([self._kept, _hashed(keys).select(self._kept.columns)])

    def rows_of(self, keys: pl.Series) -> dict[str, int]:
        """Those of the keys that are known, and the row that each stands for."""
        if not self._kept.height or not keys.len():
            return {}
        wanted = _hashed(keys.unique().rename("key").to_frame())
        # The few keys that are asked for are looked for among all that are known, and not the other way round.
        near = self._kept.filter(pl.col("one").is_in(wanted["one"].implode()))
        met = near.join(wanted, on=list(_SEEDS), maintain_order="left")
        return dict(met.select("key", "row").iter_rows())


def _hashed(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.with_columns(pl.col("key").hash(seed).alias(name) for name, seed in _SEEDS.items())


def earlier_rows(job_id: UUID) -> Earlier:
    """What the rows of a job that went through so far are known by. Inside an operation."""
    chosen = (
        select(col(BulkChunk.outcomes))
        .where(col(BulkChunk.job_id) == job_id, col(BulkChunk.done), col(BulkChunk.outcomes).is_not(None))
        .order_by(col(BulkChunk.number))
    )
    found = Earlier()
    for data in current_session().scalars(chosen):
        if data:
            found.add(unpack(data, ["row", "keys"]))
    return found
