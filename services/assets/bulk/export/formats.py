"""Assets written to a file in each format, batch by batch, in steady memory (UC-02.04)."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from services.assets.bulk.export.rows import (
    ATTRIBUTES,
    CORE,
    DATES,
    LISTS,
    MOMENTS,
    POWERS,
    Batches,
    decode_distinct,
    empty_batch,
    power_text,
)
from services.assets.files.formats import MOST_CHARACTERS
from services.assets.files.writer import MOST_SHEET_ROWS, disarm_formulas, quoted_text
from services.core.errors import Refused

MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}
"""The formats that assets are exported in, and the media type of each."""
TOO_MANY_FOR_A_SHEET = "More rows than a sheet has. Narrow the filter, or export CSV or Parquet."
GROUP_ROWS = 8_000
KW = pl.Decimal(18, 2)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_TYPED: tuple[pl.Expr, ...] = tuple(power_text(term).cast(KW) for term in POWERS)
_MADE_BY_REGISTER = frozenset({"AssetId", "Status", "ServiceProviderId", "OrganisationId", *MOMENTS, *DATES})
"""Text that nobody typed: no cell of it can begin a formula."""


def _text(value: Any) -> str | None:
    """A value of JSON as a cell shows it: a list or object as JSON, nothing for what is empty."""
    if value is None or value == [] or value == {}:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value if type(value) is str else str(value)


def _texts_of(decoded: list[Any], rows: list[int], name: str) -> pl.Series:
    return pl.Series(name, [_text(value) for value in decoded], dtype=pl.String).gather(rows)


def _attribute_texts(texts: pl.Series, terms: list[str]) -> list[pl.Series | pl.Expr]:
    """A column of text for each attribute; one that no asset of the batch has costs nothing."""
    rows, decoded = decode_distinct(texts)
    used = {term for attributes in decoded for term in attributes}
    return [
        _texts_of([attributes_of_row.get(term) for attributes_of_row in decoded], rows, term)
        if term in used
        else pl.lit(None, dtype=pl.String).alias(term)
        for term in terms
    ]


def _list_texts(frame: pl.DataFrame, term: str) -> pl.Series:
    rows, decoded = decode_distinct(frame[term])
    return _texts_of(decoded, rows, term)


def _as_text(frame: pl.DataFrame, terms: list[str]) -> pl.DataFrame:
    """Core terms and attributes as cells show them; flags and plain numbers are left to the writer."""
    lists = [_list_texts(frame, term) for term in LISTS]
    powers = [power_text(term) for term in POWERS]
    return frame.select(*CORE).with_columns(*lists, *powers, *_attribute_texts(frame[ATTRIBUTES], terms))


def _csv(path: Path, terms: list[str], batches: Batches) -> int:
    count = 0
    with path.open("wb") as file:
        # The mark at the start is how spreadsheets know that this is UTF-8.
        file.write(b"\xef\xbb\xbf" + ",".join([*CORE, *terms]).encode() + b"\n")
        for frame in batches:
            cells = _as_text(frame, terms)
            typed = [n for n, kind in cells.schema.items() if kind == pl.String and n not in _MADE_BY_REGISTER]
            filled = [name for name in typed if name not in POWERS and cells[name].null_count() < cells.height]
            cells.with_columns(disarm_formulas(name) for name in filled).write_csv(file, include_header=False)
            count += frame.height
    return count


def _members(frame: pl.DataFrame, terms: list[str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """For every asset its core terms and its attributes, each without what is empty."""
    exported = frozenset(terms)
    rows, decoded = decode_distinct(frame[ATTRIBUTES])
    attributes = [{t: row[t] for t in sorted(row) if t in exported and row[t] not in (None, [], {})} for row in decoded]
    lists = {}
    for term in LISTS:
        places, values = decode_distinct(frame[term])
        lists[term] = [values[place] or None for place in places]
    core = frame.select(*CORE).with_columns(_TYPED)
    core = core.with_columns(pl.Series(term, values, dtype=pl.Object) for term, values in lists.items())
    for place, values in zip(rows, core.iter_rows(), strict=True):
        yield (
            {term: value for term, value in zip(CORE, values, strict=True) if value is not None},
            attributes[place],
        )


def _lines(path: Path, terms: list[str], batches: Batches) -> int:
    count = 0
    with path.open("wb") as file:
        for frame in batches:
            file.writelines(_encode(core | own) + b"\n" for core, own in _members(frame, terms))
            count += frame.height
    return count


def _geojson(path: Path, terms: list[str], batches: Batches) -> int:
    """A FeatureCollection (RFC 7946); an asset without a position is a feature without geometry."""
    count = 0
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for frame in batches:
            for core, own in _members(frame, terms):
                file.write((b",\n" if count else b"\n") + _encode(_feature(core, own)))
                count += 1
        file.write(b"\n]}\n")
    return count


def _feature(core: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    placed = "Latitude" in core and "Longitude" in core
    point = {"type": "Point", "coordinates": [core["Longitude"], core["Latitude"]]} if placed else None
    return {"type": "Feature", "id": core["AssetId"], "geometry": point, "properties": core | own}


def _xlsx(path: Path, terms: list[str], batches: Batches) -> int:
    """One sheet: powers, coordinates and counts as numbers, all else as text, which no spreadsheet runs.

    Written row by row by machine code, several times as fast as by Python, and without keeping the rows.
    """
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        # Cells are told apart by their place: every row has all of them, in the order of the headings.
        empty = dict.fromkeys([*CORE, *terms])
        for frame in batches:
            if count + frame.height > MOST_SHEET_ROWS:
                raise Refused(TOO_MANY_FOR_A_SHEET)
            for core, own in _members(frame, terms):
                yield {term: _cell(value) for term, value in (empty | core | own).items()}
            count += frame.height
        if not count:
            yield empty

    from rustpy_xlsxwriter import write_worksheet

    write_worksheet(rows(), path, "Assets", freeze_row=1, bold_headers=True)
    return count


def _cell(value: Any) -> Any:
    """A number, or text as a cell takes it."""
    kind = type(value)
    if value is None or kind is Decimal or kind is int or kind is float:
        return value
    return quoted_text(value if kind is str else _text(value) or "")[:MOST_CHARACTERS]


def _typed(frame: pl.DataFrame, terms: list[str]) -> pl.DataFrame:
    """Powers as decimals, moments, dates and flags as such; the attributes of categories as text."""
    core = frame.select(*CORE).with_columns(
        *_TYPED,
        *(pl.col(term).str.to_datetime(time_zone="UTC", time_unit="us") for term in MOMENTS),
        *(pl.col(term).str.to_date() for term in DATES),
        *(_list_texts(frame, term) for term in LISTS),
        *(pl.col(term).cast(pl.Int32) for term in ("Version", "SchemaVersion")),
    )
    return core.with_columns(_attribute_texts(frame[ATTRIBUTES], terms))


def _parquet(path: Path, terms: list[str], batches: Batches) -> int:
    """Typed columns, in groups of rows as large as readers like them."""
    import pyarrow.parquet as pq

    count = 0
    writer: pq.ParquetWriter | None = None
    try:
        for frame in _group_batches(batches, terms):
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
            count += frame.height
    finally:
        if writer is not None:
            writer.close()
    return count


def _group_batches(batches: Batches, terms: list[str]) -> Batches:
    """Typed batches put together to groups of rows; an empty one when there is no asset at all."""
    gathered: list[pl.DataFrame] = []
    none = True
    for frame in batches:
        gathered.append(_typed(frame, terms))
        if sum(part.height for part in gathered) >= GROUP_ROWS:
            yield pl.concat(gathered)
            gathered, none = [], False
    if gathered:
        yield pl.concat(gathered)
    elif none:
        yield _typed(empty_batch(), terms)


WRITERS: dict[str, Callable[[Path, list[str], Batches], int]] = {
    "csv": _csv,
    "jsonl": _lines,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "geojson": _geojson,
}
"""What assets can be exported as."""
