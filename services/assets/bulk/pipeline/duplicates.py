"""The same asset twice in one file: what rows are known by, and earlier rows of the file that are the same."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import BulkChunk
from services.assets.bulk.pipeline.chunks import unpack
from services.assets.registration.duplicates import AssetKeys
from services.assets.rules.check import finding
from services.core.errors import Finding
from services.core.transaction import current_session

_PART = "\x1f"
KEY_SCHEMA = {"index": pl.Int64, "key": pl.String}
_SEEDS = {"one": 1, "two": 2}


class Earlier:
    """Keys and the rows that they stand for. Of each key two hashes of 64 bits are kept: texts would fill memory."""

    def __init__(self) -> None:
        self._kept = pl.DataFrame(schema={**dict.fromkeys(_SEEDS, pl.UInt64), "row": pl.Int64})

    def add(self, outcomes: pl.DataFrame) -> None:
        """Take over the ``keys`` of rows, lists of text, with the number of the ``row`` in the file."""
        keys = outcomes.select(pl.col("keys").alias("key"), pl.col("row")).explode("key").drop_nulls("key")
        if keys.height:
            self._kept = pl.concat([self._kept, _hash_keys(keys).select(self._kept.columns)])

    def rows_of(self, keys: pl.Series) -> dict[str, int]:
        """Those of the keys that are known, and the row that each stands for."""
        if not self._kept.height or not keys.len():
            return {}
        hashes = _hash_keys(keys.unique().rename("key").to_frame())
        # The few keys that are asked for are looked for among all that are known, and not the other way round.
        near = self._kept.filter(pl.col("one").is_in(hashes["one"].implode()))
        met = near.join(hashes, on=list(_SEEDS), maintain_order="left")
        return dict(met.select("key", "row").iter_rows())


def _hash_keys(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.with_columns(pl.col("key").hash(seed).alias(name) for name, seed in _SEEDS.items())


def read_earlier_rows(job_id: UUID) -> Earlier:
    """Read the keys of the rows of a job that went through so far. Inside an operation."""
    query = (
        select(col(BulkChunk.outcomes))
        .where(col(BulkChunk.job_id) == job_id, col(BulkChunk.done), col(BulkChunk.outcomes).is_not(None))
        .order_by(col(BulkChunk.number))
    )
    earlier = Earlier()
    for data in current_session().scalars(query):
        if data:
            earlier.add(unpack(data, ["row", "keys"]))
    return earlier


def asset_key(asset_id: UUID) -> str:
    """By what a row is known that speaks of an asset."""
    return f"I{_PART}{asset_id}"


def new_asset_key(asset_id: UUID) -> str:
    """By what a row is known that made an asset."""
    return f"N{_PART}{asset_id}"


def find_made(earlier: Earlier, asset_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Find the assets that earlier rows of the file made: the file itself knows them, so the register isn't asked."""
    by_key = {new_asset_key(asset_id): asset_id for asset_id in asset_ids}
    return frozenset(by_key[key] for key in earlier.rows_of(pl.Series(list(by_key), dtype=pl.String)))


def file_keys(candidate: AssetKeys) -> list[str]:
    """Keys of a row inside its file, each once; none where it says nothing to know it by."""
    provider, category = candidate.provider, candidate.category
    parts: list[tuple[str | None, ...]] = [
        ("D", candidate.serial, candidate.maker),
        ("C", provider, candidate.friendly_code),
        *(("M", provider, mpan, category, _text(candidate)) for _term, mpan in candidate.meters),
        *(("A", scheme, value) for scheme, value in candidate.aliases),
    ]
    # Where any part is missing, there is no such key.
    return list(dict.fromkeys(_PART.join(map(str, key)) for key in parts if None not in key))


def _text(candidate: AssetKeys) -> str | None:
    return None if candidate.rated is None else f"{candidate.rated:.2f}"


def keys_of_rows(candidates: Sequence[AssetKeys], values: pl.DataFrame) -> pl.DataFrame:
    """Keys of all rows inside their file: `KEY_SCHEMA`, in the order of rows.

    `values` are the rows themselves: one with nothing else to know it by is known by all that it says.
    """
    keys = [file_keys(candidate) for candidate in candidates]
    nameless = [row for row, row_keys in enumerate(keys) if not row_keys]
    if nameless:
        texts = [
            pl.col(name).cast(pl.String).fill_null("") for name in values.columns if name not in ("Aliases", "derived")
        ]
        whole = pl.concat_str(pl.lit("B"), pl.concat_str(texts, separator="\x1e"), separator=_PART)
        contents = values.select(pl.all().gather(nameless)).select(whole.alias("key"))["key"]
        for row, key in zip(nameless, contents, strict=True):
            keys[row] = [key]
    pairs = [(row, key) for row, row_keys in enumerate(keys) for key in row_keys]
    return pl.DataFrame(pairs, schema=KEY_SCHEMA, orient="row")


def find_repeats(
    keys: pl.DataFrame, accepted: pl.Series, earlier: Earlier, row_numbers: pl.Series
) -> list[tuple[int, Finding]]:
    """Find rows that are the same as an earlier one of the file which goes through.

    `keys` has ``index`` and ``key`` in the order of rows, `accepted` says for each place whether the row would go through,
    `earlier` knows those of earlier runs. A row that is refused stands in nobody's way.
    """
    living = keys.filter(pl.col("index").is_in(accepted.arg_true().cast(pl.Int64).implode()))
    twice = living.filter(pl.col("key").is_duplicated())["key"]
    taken = earlier.rows_of(living["key"])
    doubtful = pl.concat([twice, pl.Series("key", list(taken), dtype=pl.String)]).unique()
    if not doubtful.len():
        return []
    rows = living.filter(pl.col("key").is_in(doubtful.implode())).group_by("index", maintain_order=True).agg("key")
    duplicates: list[tuple[int, Finding]] = []
    for index, mine in rows.sort("index").iter_rows():
        clash = next((key for key in sorted(mine, reverse=True) if key in taken), None)
        if clash is None:
            taken.update(dict.fromkeys(mine, row_numbers[index]))
        elif clash.startswith("A" + _PART):
            duplicates.append((index, finding("ALIAS-05", ":".join(clash.split(_PART)[1:]))))
        else:
            duplicates.append((index, finding("DUP-03", taken[clash])))
    return duplicates
