"""The same asset twice: against what the register holds, and against earlier rows of the same file, for all rows at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import BulkChunk
from services.assets.bulk.pipeline.chunks import unpack
from services.assets.registration.validation import ExistingAsset
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


@dataclass(slots=True)
class Others:
    """What the register says of new rows, by their place.

    `findings` in the order in which they are told; `same` the duplicates, of which those in `own` are the provider's own;
    `shared` the assets of other providers on the same meter; `beside` earlier rows of other providers on it, by place;
    `hits` every asset of others that was met.
    """

    findings: list[tuple[int, Finding]] = field(default_factory=list)
    same: list[tuple[int, str, UUID, str]] = field(default_factory=list)
    own: dict[int, UUID] = field(default_factory=dict)
    shared: list[tuple[int, UUID, str]] = field(default_factory=list)
    beside: list[tuple[int, int, str]] = field(default_factory=list)
    hits: set[UUID] = field(default_factory=set)


def asset_key(asset_id: UUID) -> str:
    """By what a row is known that speaks of an asset."""
    return f"I{_PART}{asset_id}"


_CODE = "C"
_NEW = f"N{_PART}"
MADE_KEYS = (pl.format(f"I{_PART}{{}}", "id"), pl.format(f"{_NEW}{{}}", "id"))
"""By what a row is known that made an asset, out of its ``id`` as text: that it speaks of it, and that it made it."""


def made_here(earlier: Earlier, ids: Iterable[str]) -> set[str]:
    """Those of the assets that earlier rows of the file made: the file itself knows them, so the register isn't asked."""
    wanted = pl.Series([f"{_NEW}{one}" for one in ids], dtype=pl.String)
    return {key.removeprefix(_NEW) for key in earlier.rows_of(wanted)}


def against_register(
    keys: pl.DataFrame,
    there: pl.DataFrame,
    taken: Mapping[tuple[str, str], UUID],
    earlier: Earlier,
    wrong: pl.Series,
) -> Others:
    """Hold the keys of new rows (`conforming.keys_of`) against active assets of the register, and aliases taken there.

    What the file itself made is known by the file's own keys; met here is only that another provider has a meter of it.
    `wrong` has the places of rows that are refused by their own values.
    """
    found = Others()
    mine = list(made_here(earlier, there["id"]))
    others = there.filter(~pl.col("id").is_in(mine))
    rows = keys.with_row_index("index").with_columns(pl.col("index").cast(pl.Int64))
    if others.height:
        device = rows.filter(pl.col("serial").is_not_null() & pl.col("maker").is_not_null())
        for row in device.join(others, on=["serial", "maker"], suffix="_o").sort("index", "id").iter_rows(named=True):
            _meet(found, row, "DUP-01")
            found.hits.add(UUID(row["id"]))
        coded = rows.join(others, on=["provider", "friendly_code"], suffix="_o").sort("index")
        found.findings += [(row["index"], finding("NAME-05", row["friendly_code"])) for row in coded.to_dicts()]
    warned = _meters(found, rows, there, mine) if there.height else set()
    if rows["provider"].n_unique() > 1:
        _beside(found, rows.filter(~pl.col("index").is_in(wrong.cast(pl.Int64).implode())), warned)
    if taken:
        _aliases(found, rows, taken, earlier)
    return found


def _meet(found: Others, row: dict[str, object], code: str) -> None:
    index, other = int(str(row["index"])), UUID(str(row["id"]))
    found.same.append((index, code, other, str(row["name_o"])))
    if row["provider"] == row.get("provider_o", row["provider"]):
        found.own.setdefault(index, other)


METERS = {"import_mpan": "ImportMPAN", "export_mpan": "ExportMPAN"}


def _by_meter(rows: pl.DataFrame) -> pl.DataFrame:
    known = ["index", "provider", "category", "rated"]
    return rows.unpivot(list(METERS), index=known, variable_name="term", value_name="mpan").drop_nulls("mpan")


def _meters(found: Others, rows: pl.DataFrame, there: pl.DataFrame, mine: list[str]) -> set[tuple[int, str]]:
    """The same meter: the provider's own device when category and capacity are alike, a warning when it is another's.

    Which rows were warned of which meter.
    """
    theirs = (
        there.with_columns(pl.concat_list("import_mpan", "export_mpan").list.drop_nulls().list.unique().alias("mpan"))
        .explode("mpan")
        .drop_nulls("mpan")
        .select("mpan", pl.col("id"), name_o="name", provider_o="provider", category_o="category", rated_o="rated")
    )
    met = _by_meter(rows).join(theirs, on="mpan")
    met = met.filter((pl.col("provider_o") != pl.col("provider")) | ~pl.col("id").is_in(mine))
    warned: set[tuple[int, str]] = set()
    alike: set[tuple[int, str]] = set()
    for row in met.sort("index", pl.col("term") == "export_mpan", "id").iter_rows(named=True):
        index, other = row["index"], row["id"]
        if row["provider_o"] != row["provider"]:
            found.hits.add(UUID(other))
            found.shared.append((index, UUID(other), row["mpan"]))
            _warn(found, warned, row)
        elif (row["category_o"], row["rated_o"]) == (row["category"], row["rated"]) and (index, other) not in alike:
            alike.add((index, other))
            _meet(found, row, "DUP-02")
    return warned


def _beside(found: Others, rows: pl.DataFrame, warned: set[tuple[int, str]]) -> None:
    """The same meter in an earlier row of another provider: a file may hold the assets of several."""
    meters = _by_meter(rows)
    met = meters.join(meters.select("mpan", before="index", provider_o="provider"), on="mpan")
    met = met.filter((pl.col("before") < pl.col("index")) & (pl.col("provider_o") != pl.col("provider")))
    for row in met.unique(["index", "term", "before"]).sort("index", "before", "term").iter_rows(named=True):
        found.beside.append((row["index"], row["before"], row["mpan"]))
        _warn(found, warned, row)


def _warn(found: Others, warned: set[tuple[int, str]], row: dict[str, Any]) -> None:
    if (row["index"], row["term"]) not in warned:
        warned.add((row["index"], row["term"]))
        found.findings.append((row["index"], finding("MPAN-09", row["mpan"], METERS[row["term"]])))


def _aliases(found: Others, rows: pl.DataFrame, taken: Mapping[tuple[str, str], UUID], earlier: Earlier) -> None:
    mine = made_here(earlier, {str(other) for other in taken.values()})
    for row in rows.filter(pl.col("aliases").list.len() > 0).select("index", "aliases").to_dicts():
        for pair in row["aliases"]:
            other = taken.get((pair["scheme"], pair["value"]))
            if other is not None and str(other) not in mine:
                found.findings.append((row["index"], finding("ALIAS-05", f"{pair['scheme']}:{pair['value']}")))
                found.hits.add(other)


def told(same: Sequence[tuple[int, str, UUID, str]], seen: set[UUID]) -> list[tuple[int, Finding]]:
    """The duplicates as the actor may know them, one finding each."""
    ordered = sorted(same, key=lambda one: (one[0], one[1]))
    return [
        (index, ExistingAsset(code, other if other in seen else None, name if other in seen else None).as_finding())
        for index, code, other, name in ordered
    ]


def file_keys(keys: pl.DataFrame, values: pl.DataFrame | None = None) -> pl.DataFrame:
    """What a row is known by inside its file: `KEY_SCHEMA`, in the order of rows.

    `values` are the rows themselves: one with nothing else to know it by is known by all that it says.
    """
    rows = keys.with_row_index("index").with_columns(pl.col("index").cast(pl.Int64))

    def known(kind: str, *columns: str) -> pl.DataFrame:
        # Null where any part is: then there is no such key.
        key = pl.concat_str(pl.lit(kind), *columns, separator=_PART)
        return rows.select("index", key=key).drop_nulls("key")

    meters = [known("M", "provider", mpan, "category", "rated") for mpan in METERS]
    parts = [known("D", "serial", "maker"), known(_CODE, "provider", "friendly_code"), *meters, _alias_keys(rows)]
    found = pl.concat(parts).unique(maintain_order=True)
    nameless = rows.filter(~pl.col("index").is_in(found["index"].unique().implode()))["index"]
    if values is not None and nameless.len():
        texts = [
            pl.col(name).cast(pl.String).fill_null("") for name in values.columns if name not in ("Aliases", "derived")
        ]
        said = pl.concat_str(pl.lit("B"), pl.concat_str(texts, separator="\x1e"), separator=_PART)
        alone = values.select(pl.all().gather(nameless)).select(nameless.alias("index"), said.alias("key"))
        found = pl.concat([found, alone])
    return found.sort("index", maintain_order=True)


def coded(keys: pl.DataFrame) -> pl.Series:
    """Those of the keys by which a row is known for its provider's own code."""
    return keys.filter(pl.col("key").str.starts_with(_CODE + _PART))["key"]


def _alias_keys(rows: pl.DataFrame) -> pl.DataFrame:
    pairs = rows.select("index", pl.col("aliases")).explode("aliases").drop_nulls("aliases").unnest("aliases")
    return pairs.select("index", key=pl.concat_str(pl.lit("A"), "scheme", "value", separator=_PART)).drop_nulls("key")


def inside_file(
    keys: pl.DataFrame, accepted: pl.Series, earlier: Earlier, row_numbers: pl.Series
) -> list[tuple[int, Finding]]:
    """Rows that are the same as an earlier one of the file which goes through.

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
    found: list[tuple[int, Finding]] = []
    for index, mine in rows.sort("index").iter_rows():
        clash = next((key for key in sorted(mine, reverse=True) if key in taken), None)
        if clash is None:
            taken.update(dict.fromkeys(mine, row_numbers[index]))
        elif clash.startswith("A" + _PART):
            found.append((index, finding("ALIAS-05", ":".join(clash.split(_PART)[1:]))))
        else:
            found.append((index, finding("DUP-03", taken[clash])))
    return found
