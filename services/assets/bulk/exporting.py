"""Exports of assets as filtered, in the format that is wanted, in steady memory (UC-02.04).

Headings are ontology terms. A CSV file that is exported, edited and handed in again changes what was edited and nothing else.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import polars as pl
import xlsxwriter
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from services.assets.bulk.tables import MOST_SHEET_ROWS, disarmed
from services.assets.catalogue import catalogue
from services.assets.filters import AssetFilters, condition
from services.assets.reading import REGISTER_COLUMNS
from services.assets.recording import STORED_TERMS
from services.assets.schemas import ATTRIBUTES_TERM
from services.core.access_log import log_access
from services.core.actor import Actor
from services.core.errors import Finding, Invalid, Refused
from services.core.operation import operation
from services.core.permissions import require
from services.core.transaction import current_session
from services.core.visibility import visible

BATCH = 5_000
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}
"""The formats that assets are exported in, and the media type of each."""
_encode = msgspec.json.Encoder(decimal_format="number").encode
_CORE: dict[str, str] = {**REGISTER_COLUMNS, **{t: c for t, c in STORED_TERMS.items() if t != ATTRIBUTES_TERM}}
Batches = Iterator[list[dict[str, Any]]]


def export_file(actor: Actor, file_format: str, path: Path, filters: AssetFilters | None = None) -> int:
    """Write the assets that the actor may see and that pass the filters to `path`, by registration; how many.

    `file_format` is csv, jsonl, xlsx, parquet or geojson. Who exported what, by which filter, how many rows and the digest
    of the file are kept in the access log before the file is handed over. Raises Invalid for another format, Refused for more
    rows than a sheet has.
    """
    if file_format not in WRITERS:
        expected = f"One of {', '.join(WRITERS)}"
        message = f"Assets can't be exported as {file_format}."
        raise Invalid([Finding("EXPORT-03", "format", file_format, expected, message)])
    require(actor, "asset.export")
    count = write_assets(actor, file_format, path, filters or AssetFilters())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    chosen = {
        name: _said(value) for name, value in asdict(filters or AssetFilters()).items() if value not in (None, ())
    }
    log_access(
        actor, "assets.export", detail={"format": file_format, "filter": chosen, "rows": count, "sha256": digest}
    )
    return count


@operation("UC-02.04", permission="asset.export", writes=False)
def write_assets(actor: Actor, file_format: str, path: Path, filters: AssetFilters) -> int:
    """The part of `export_file` that reads and writes; how many assets."""
    terms = [*_CORE, *sorted(catalogue().reference.attribute_terms)]
    return WRITERS[file_format](path, terms, _batches(actor, filters))


def _said(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, tuple | list) else str(value)


def _batches(actor: Actor, filters: AssetFilters) -> Batches:
    """Assets by term, some thousand at a time, without an object for each."""
    columns = [getattr(Asset, column) for column in _CORE.values()]
    chosen = select(*(col(column) for column in columns), col(Asset.category_attributes))
    chosen = chosen.where(visible(Asset, actor), *condition(filters)).order_by(col(Asset.id))
    found = current_session().execute(chosen, execution_options={"yield_per": BATCH})
    for rows in found.partitions():
        yield [dict(zip(_CORE, row[:-1], strict=True)) | row[-1] for row in rows]


def _text(value: Any) -> str | None:
    """A value as a cell shows it: a list or object as JSON, nothing for what is empty."""
    if value is None or value == [] or value == {}:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if type(value) is str else str(value)


def _frame(terms: list[str], rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame({t: pl.Series([_text(row.get(t)) for row in rows], dtype=pl.String) for t in terms})


def _csv(path: Path, terms: list[str], batches: Batches) -> int:
    count = 0
    with path.open("wb") as file:
        # The mark at the start is how spreadsheets know that this is UTF-8.
        file.write(b"\xef\xbb\xbf" + ",".join(terms).encode() + b"\n")
        for rows in batches:
            _frame(terms, rows).select(disarmed(term) for term in terms).write_csv(file, include_header=False)
            count += len(rows)
    return count


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value


def _members(terms: list[str], row: dict[str, Any]) -> dict[str, Any]:
    return {term: _plain(row[term]) for term in terms if row.get(term) not in (None, [], {})}


def _lines(path: Path, terms: list[str], batches: Batches) -> int:
    count = 0
    with path.open("wb") as file:
        for rows in batches:
            file.writelines(_encode(_members(terms, row)) + b"\n" for row in rows)
            count += len(rows)
    return count


def _geojson(path: Path, terms: list[str], batches: Batches) -> int:
    """A FeatureCollection (RFC 7946); an asset without a position is a feature without geometry."""
    count = 0
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for rows in batches:
            for row in rows:
                file.write((b",\n" if count else b"\n") + _encode(_feature(terms, row)))
                count += 1
        file.write(b"\n]}\n")
    return count


def _feature(terms: list[str], row: dict[str, Any]) -> dict[str, Any]:
    placed = row["Latitude"] is not None and row["Longitude"] is not None
    point = {"type": "Point", "coordinates": [row["Longitude"], row["Latitude"]]} if placed else None
    return {"type": "Feature", "id": str(row["AssetId"]), "geometry": point, "properties": _members(terms, row)}


def _xlsx(path: Path, terms: list[str], batches: Batches) -> int:
    count = 0
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Assets")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for place, term in enumerate(terms):
            sheet.write_string(0, place, term, bold)
        for rows in batches:
            if count + len(rows) > MOST_SHEET_ROWS:
                raise Refused("More rows than a sheet has. Narrow the filter, or export CSV or Parquet.")
            for row in rows:
                count += 1
                _sheet_row(sheet, count, terms, row)
    return count


def _sheet_row(sheet: Any, number: int, terms: list[str], row: dict[str, Any]) -> None:
    """Powers, coordinates and counts as numbers, all else as text, which no spreadsheet runs."""
    for place, term in enumerate(terms):
        value = row.get(term)
        if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
            sheet.write_number(number, place, float(value))
        elif (text := _text(value)) is not None:
            sheet.write_string(number, place, text)


_TYPES: dict[str, Any] = {
    **dict.fromkeys(("RatedCapacity", "GenCapacity", "DemandCapacity", "InstalledCapacity"), pl.Decimal(18, 2)),
    **dict.fromkeys(("Latitude", "Longitude"), pl.Float64),
    **dict.fromkeys(("EffectiveDate", "CommissioningDate"), pl.Date),
    **dict.fromkeys(("StatusSince", "RegisteredAt", "ManagedFrom", "RecordedAt"), pl.Datetime("us", "UTC")),
    **dict.fromkeys(("Version", "SchemaVersion"), pl.Int32),
    "ConsumerOwned": pl.Boolean,
}


def _parquet(path: Path, terms: list[str], batches: Batches) -> int:
    """Typed columns; the attributes of categories as text. Batch by batch, then put together without loading them all."""
    count = 0
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        for number, rows in enumerate(batches):
            _typed(terms, rows).write_parquet(folder / f"{number:06d}.parquet")
            count += len(rows)
        if not count:
            _typed(terms, []).write_parquet(folder / "none.parquet")
        pl.scan_parquet(folder / "*.parquet").sink_parquet(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return count


def _typed(terms: list[str], rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            term: pl.Series([row.get(term) for row in rows], dtype=_TYPES[term])
            if term in _TYPES
            else pl.Series([_text(row.get(term)) for row in rows], dtype=pl.String)
            for term in terms
        }
    )


WRITERS: dict[str, Callable[[Path, list[str], Batches], int]] = {
    "csv": _csv,
    "jsonl": _lines,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "geojson": _geojson,
}
"""What assets can be exported as."""
