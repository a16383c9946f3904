"""From the bytes of a file to a table of text: CSV, XLSX, Parquet or JSON lines (UC-02.01, bulk).

Nothing is guessed beyond what the file says: the encoding, the separator and the row of headings are looked for, cells stay
as they were typed. A cell of null was not given at all; empty text was left empty.
"""

import codecs
import csv
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import fastexcel
import msgspec
import polars as pl

from services.assets.rules_prepare import text_of
from services.core.errors import Finding, Invalid

ROW = "row"
"""Number of a row as a spreadsheet counts: the first is 1, headings and empty rows included; of JSON lines, the line."""
BROKEN = "broken"
"""Why a row can't be read, as ``CODE message``; null where it can."""
MOST_BYTES = 200 * 1024 * 1024
MOST_ROWS = 500_000
MOST_COLUMNS = 500
MOST_UNPACKED = 1024 * 1024 * 1024
_HEADINGS_WITHIN = 10
_SEPARATORS = ",;\t"
_ZIP, _PARQUET, _OLD_EXCEL = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
FORMATS = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}
"""Media type -> format."""
_EXPECTED = "A CSV, XLSX, Parquet or JSON lines file with a row of headings and one asset a row."
# A spreadsheet runs no cell that begins so; exports put an apostrophe in front, and here it is taken off again.
_DISARMED = r"^'([=+\-@\t\r\n])"
Score = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file as text: `headings[i]` stands over the column ``c<i>`` of `frame`, beside `ROW` and `BROKEN`."""

    file_format: str
    headings: list[str]
    frame: pl.DataFrame


def refuse_file(code: str, given: str | None, message: str, expected: str = _EXPECTED) -> Invalid:
    """The refusal of a whole file."""
    return Invalid([Finding(code, None, given, expected, message)])


def format_of(data: bytes, filename: str, media_type: str | None = None) -> str:
    """csv, xlsx, jsonl or parquet: by what the file holds, whatever its name says. Raises Invalid for anything else."""
    if not data.strip():
        raise refuse_file("FILE-01", filename, "The file is empty.")
    if len(data) > MOST_BYTES:
        size = f"{len(data):,} bytes"
        raise refuse_file("FILE-07", size, "The file is larger than 200 MB. Send it in parts.", "At most 200 MB.")
    if data.startswith(_PARQUET):
        return "parquet"
    if data.startswith(_ZIP):
        return "xlsx"
    if data.startswith(_OLD_EXCEL):
        raise refuse_file(
            "FILE-03", filename, "This is a workbook of the old kind (or one with a password). Save it as XLSX."
        )
    named = FORMATS.get((media_type or "").partition(";")[0].strip().lower())
    first = data.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if named == "jsonl" or PurePath(filename).suffix.lower() in (".jsonl", ".ndjson") or first == b"{":
        return "jsonl"
    return "csv"


def read_table(data: bytes, filename: str, score: Score, media_type: str | None = None) -> TextTable:
    """Read a file. `score` says how many headings of a row it knows: the row that it knows best holds the headings.

    Raises Invalid for what can't be read, is too large, or has no rows.
    """
    kind = format_of(data, filename, media_type)
    readers = {"csv": _csv, "xlsx": _xlsx, "jsonl": _lines, "parquet": _parquet}
    try:
        table = readers[kind](data, score)
    except pl.exceptions.PolarsError as error:
        raise refuse_file("FILE-03", str(error)[:200], "The file can't be read as what it seems to be.") from error
    if len(table.headings) > MOST_COLUMNS:
        message = f"The file has {len(table.headings):,} columns. Leave out what isn't about the asset."
        raise refuse_file("FILE-08", str(len(table.headings)), message, f"At most {MOST_COLUMNS} columns.")
    cells = [f"c{place}" for place in range(len(table.headings))]
    filled = pl.any_horizontal(pl.col(cells).str.strip_chars() != "") if cells else pl.lit(False)
    frame = table.frame.filter(filled.fill_null(False) | pl.col(BROKEN).is_not_null())
    if not frame.height:
        raise refuse_file("FILE-06", filename, "There are headings, but no rows under them.")
    if frame.height > MOST_ROWS:
        message = f"The file has {frame.height:,} rows. Send it in parts."
        raise refuse_file("FILE-07", str(frame.height), message, f"At most {MOST_ROWS:,} rows.")
    return TextTable(kind, table.headings, frame)


def _csv(data: bytes, score: Score) -> TextTable:
    text = _decoded(data)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    top: list[tuple[list[str], int]] = []
    with suppress(csv.Error):
        top = [(cells, reader.line_num) for cells in itertools.islice(reader, _HEADINGS_WITHIN)]
    place = _heading_row([cells for cells, _line in top], score)
    headings = _headings(top[place][0]) if top else []
    try:
        frame = _csv_quick(text, separator, len(headings), top[place][1])
    except (pl.exceptions.PolarsError, IndexError):
        frame = _csv_thorough(text, separator, len(headings), place)
    if _breaks_off(text, separator, len(headings)):
        words = pl.lit("FILE-05 The last row breaks off: the file seems to be cut short.")
        last = pl.col(ROW) == pl.col(ROW).max()
        frame = frame.with_columns(pl.when(last).then(words).otherwise(pl.col(BROKEN)).alias(BROKEN))
    cells = pl.all().exclude(ROW, BROKEN).fill_null("").str.replace(_DISARMED, "$1")
    return TextTable("csv", headings, _numbered_from(frame.with_columns(cells), place + 2))


def _breaks_off(text: str, separator: str, width: int) -> bool:
    """Whether the last line ends without a line break and before its last cell."""
    last = text[max(text.rfind("\n"), text.rfind("\r")) + 1 :]
    return bool(last.strip()) and '"' not in last and last.count(separator) + 1 < width


def _csv_quick(text: str, separator: str, width: int, lines_above: int) -> pl.DataFrame:
    schema = {f"c{place}": pl.String for place in range(width)}
    read = pl.read_csv(
        text.encode(), separator=separator, has_header=False, skip_lines=lines_above, schema=schema,
        empty_string_is_null=False, raise_if_empty=False,
    )  # fmt: skip
    return read.with_row_index(ROW).with_columns(pl.lit(None, dtype=pl.String).alias(BROKEN))


def _csv_thorough(text: str, separator: str, width: int, place: int) -> pl.DataFrame:
    """Row by row, for a file whose rows are uneven or badly quoted: what can't be told apart is named, the rest is read."""
    rows: list[list[str | None]] = []
    broken: list[str | None] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for cells in itertools.islice(reader, place + 1, None):
            extra = any(cell.strip() for cell in cells[width:])
            reason = f"FILE-09 The row has {len(cells)} cells under {width} headings: which is which isn't sure."
            rows.append([*cells, *[None] * width][:width])
            broken.append(reason if extra else None)
    except csv.Error as error:
        message = "The rows can't be told apart: a quotation mark is missing or stands alone."
        raise refuse_file("FILE-03", str(error), message) from error
    data = {f"c{i}": pl.Series([row[i] for row in rows], dtype=pl.String) for i in range(width)}
    frame = pl.DataFrame({**data, BROKEN: pl.Series(broken, dtype=pl.String)})
    return frame.with_row_index(ROW)


def _decoded(data: bytes) -> str:
    """UTF-8 with or without a mark, else Windows-1252, which spreadsheets still write."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):
            return data.decode("utf-16")
    if b"\x00" not in data:
        for encoding in ("utf-8-sig", "cp1252"):
            with suppress(UnicodeDecodeError):
                return data.decode(encoding)
    message = "The file is no text that can be read. Save it as CSV UTF-8, or as XLSX."
    raise refuse_file("FILE-02", None, message)


def _xlsx(data: bytes, score: Score) -> TextTable:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_UNPACKED:
            message = "The workbook unpacks to more than 1 GB. Save the rows as CSV."
            raise refuse_file("FILE-07", f"{unpacked:,} bytes", message)
        workbook = fastexcel.read_excel(data)
        sheets = [_sheet(workbook, name, score) for name in workbook.sheet_names]
    except (fastexcel.FastExcelError, zipfile.BadZipFile) as error:
        message = "The workbook can't be opened: it is damaged, or protected by a password. Save it anew as XLSX."
        raise refuse_file("FILE-03", None, message) from error
    if not sheets:
        raise refuse_file("FILE-06", None, "The workbook has no sheet.")
    return max(sheets, key=lambda sheet: score(sheet.headings))


def _sheet(workbook: fastexcel.ExcelReader, name: str, score: Score) -> TextTable:
    read = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    top = [["" if cell is None else str(cell) for cell in row] for row in read.head(_HEADINGS_WITHIN).rows()]
    if not top:
        return TextTable("xlsx", [], pl.DataFrame(schema={ROW: pl.Int64, BROKEN: pl.String}))
    place = _heading_row(top, score)
    headings = _headings(top[place])
    body = read.slice(place + 1).select(
        pl.col(column).fill_null("").str.replace(_DISARMED, "$1").alias(f"c{at}")
        for at, column in enumerate(read.columns[: len(headings)])
    )
    frame = body.with_row_index(ROW).with_columns(pl.lit(None, dtype=pl.String).alias(BROKEN))
    return TextTable("xlsx", headings, _numbered_from(frame, place + 2))


def _lines(data: bytes, _score: Score) -> TextTable:
    decoder = msgspec.json.Decoder(float_hook=str)
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    broken: list[str | None] = []
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        if line.strip():
            reason = None
            try:
                said = decoder.decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                said, reason = {}, f"FILE-09 The line isn't JSON that can be read: {error}."
            if not isinstance(said, dict):
                said, reason = {}, "FILE-09 The line holds no object with the attributes of an asset by name."
            rows.append(said)
            numbers.append(number)
            broken.append(reason)
    headings = list(dict.fromkeys(name for row in rows for name in row))
    columns = {
        f"c{at}": pl.Series([_said(row, name) for row in rows], dtype=pl.String) for at, name in enumerate(headings)
    }
    frame = pl.DataFrame({ROW: numbers, BROKEN: pl.Series(broken, dtype=pl.String), **columns})
    return TextTable("jsonl", headings, frame.with_columns(pl.col(ROW).cast(pl.Int64)))


def _said(row: dict[str, Any], name: str) -> str | None:
    """A member as text; null where the row doesn't name it, empty text where it says null."""
    return as_text(row[name]) or "" if name in row else None


def as_text(value: Any) -> str | None:
    """A value as it would have been typed into a cell: a list of texts with semicolons, anything nested as JSON."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return text_of(value)


def _parquet(data: bytes, _score: Score) -> TextTable:
    read = pl.read_parquet(data)
    columns: list[pl.Series] = []
    for at, name in enumerate(read.columns):
        column, kind = read[name], read.schema[name]
        if kind.is_nested() or kind.is_float() or kind.is_temporal() or kind == pl.Object:
            column = pl.Series([as_text(one) for one in column.to_list()], dtype=pl.String)
        columns.append(column.cast(pl.String).fill_null("").alias(f"c{at}"))
    frame = pl.DataFrame(columns).with_row_index(ROW).with_columns(pl.lit(None, dtype=pl.String).alias(BROKEN))
    return TextTable("parquet", list(read.columns), _numbered_from(frame, 1))


def _numbered_from(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    return frame.with_columns(pl.col(ROW).cast(pl.Int64) + first)


def _heading_row(top: Sequence[Sequence[str]], score: Score) -> int:
    """The row that is known best; where none is, the first that says anything."""
    best = max(range(len(top)), key=lambda at: (score(top[at]), -at), default=0)
    if top and score(top[best]):
        return best
    return next((at for at, cells in enumerate(top) if any(cell.strip() for cell in cells)), 0)


def _headings(cells: Sequence[str]) -> list[str]:
    """Headings without white space around them; those after the last that says anything are no columns."""
    tidy = [" ".join(cell.split()) for cell in cells]
    while tidy and not tidy[-1]:
        tidy.pop()
    return tidy
