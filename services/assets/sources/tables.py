"""From the bytes of a file to a table of untouched text cells, or a refusal that says what is expected."""

import codecs
import csv
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import fastexcel
import polars as pl

from services.core.errors import Finding, Invalid

ROW = "row"
"""1-based number of a data row in its file; the headings are not counted, a blank line neither."""

_HEADINGS_WITHIN = 10
"""Registers put a title, a notice or an empty line above the headings, never more than a few rows."""
_DELIMITERS = ",;\t|"
_ZIP_SIGNATURE = b"PK\x03\x04"
_MOST_BYTES = 200 * 1024 * 1024


@dataclass(slots=True)
class Table:
    """A register as it was published: `headings[i]` stands over the column ``c<i>`` of `frame`, every cell is text.

    `uneven` are the data rows whose number of cells differs from the number of headings, as (row, cells).
    """

    headings: list[str]
    frame: pl.DataFrame
    uneven: list[tuple[int, int]] = field(default_factory=list)


def refuse(code: str, value: str | None, expected: str, message: str) -> Invalid:
    """The refusal of a whole file."""
    return Invalid([Finding(code, None, value, expected, message)])


def read_tables(data: bytes, filename: str, is_heading_row: Callable[[list[str]], bool]) -> list[Table]:
    """The tables of a file: one of a CSV, one per sheet of an XLSX whose headings `is_heading_row` knows.

    An XLSX holds its headings on row 2 under a title; the rows of its sheets are numbered through. Raises `Invalid`
    for anything that can't be read as such a table.
    """
    if not data.strip():
        raise refuse(
            "FILE-01", filename, "A CSV or XLSX file with a row of headings and data rows.", "The file is empty."
        )
    if len(data) > _MOST_BYTES:
        raise refuse(
            "FILE-07",
            f"{len(data):,} bytes",
            f"At most {_MOST_BYTES:,} bytes.",
            "The file is too large to be a public register.",
        )
    workbook = data.startswith(_ZIP_SIGNATURE) or PurePath(filename).suffix.lower() in {".xlsx", ".xlsm", ".xls"}
    sheets = _workbook_rows(data) if workbook else [_csv_rows(data)]
    tables: list[Table] = []
    first_row = 1
    for rows in sheets:
        top = next((i for i, cells in enumerate(rows[:_HEADINGS_WITHIN]) if is_heading_row(cells)), None)
        if top is not None:
            tables.append(_table(rows[top], rows[top + 1 :], first_row))
            first_row += len(rows) - top - 1
    return tables


def _table(headings: list[str], rows: list[list[str]], first_row: int) -> Table:
    """The rows under their headings; a row with too few or too many cells is kept, and named in `uneven`."""
    while headings and not headings[-1].strip():
        headings = headings[:-1]
    width = len(headings)
    # Trailing empty cells say nothing, so they don't make a row uneven.
    uneven = [
        (number, len(cells))
        for number, cells in enumerate(rows, first_row)
        if len(cells) != width and (len(cells) < width or any(cell.strip() for cell in cells[width:]))
    ]
    if rows and uneven and uneven[-1][0] == first_row + len(rows) - 1 and uneven[-1][1] < width:
        raise refuse(
            "FILE-05",
            f"{uneven[-1][1]} cells in row {uneven[-1][0]:,}",
            f"{width} cells in every row.",
            "The last row breaks off: the file seems to be cut short. Download it again.",
        )
    even = [cells if len(cells) == width else (cells + [""] * width)[:width] for cells in rows]
    columns = zip(*even, strict=True) if even else ((),) * width
    data = {f"c{index}": pl.Series(list(cells), dtype=pl.String) for index, cells in enumerate(columns)}
    frame = pl.DataFrame(data).with_row_index(ROW, offset=first_row).with_columns(pl.col(ROW).cast(pl.Int64))
    return Table(headings, frame, uneven)


def _csv_rows(data: bytes) -> list[list[str]]:
    text = _decoded(data)
    first_line = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    try:
        # One parser for widths and cells: newlines inside quotes count as one row here and everywhere.
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        cut = "end of data" in str(error)
        raise refuse(
            "FILE-05" if cut else "FILE-03",
            str(error),
            "Comma-separated values; a cell with commas, quotes or new lines stands in double quotes.",
            "The file ends inside a quoted cell: it seems to be cut short. Download it again."
            if cut
            else "The file can't be read as comma-separated values.",
        ) from error
    return [cells for cells in rows if cells]


def _decoded(data: bytes) -> str:
    """UTF-8 with or without a byte order mark, else Windows-1252, which spreadsheets still write."""
    expected = "Text in UTF-8 or Windows-1252, or an XLSX workbook."
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data:
        raise refuse("FILE-02", None, expected, "The file is no text in a known encoding. Save it as CSV UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if "unexpected end of data" in error.reason:
            raise refuse(
                "FILE-05", None, "A complete file.", "The file ends inside a letter: it seems to be cut short."
            ) from error
        if not data.startswith(codecs.BOM_UTF8):
            with suppress(UnicodeDecodeError):
                return data.decode("cp1252")
    raise refuse("FILE-02", None, expected, "The file is no text in a known encoding. Save it as CSV UTF-8.")


def _workbook_rows(data: bytes) -> list[list[list[str]]]:
    """All sheets, cells as text: dates as ISO 8601, whole numbers as a reader sees them."""
    try:
        workbook = fastexcel.read_excel(data)
        frames: list[pl.DataFrame] = [
            workbook.load_sheet(name, header_row=None, dtypes="string").to_polars() for name in workbook.sheet_names
        ]
    except fastexcel.FastExcelError as error:
        raise refuse(
            "FILE-03", None, "An XLSX workbook, or comma-separated values.", "The workbook can't be opened."
        ) from error
    return [_sheet_rows(frame) for frame in frames]


def _sheet_rows(frame: pl.DataFrame) -> list[list[str]]:
    rows: list[tuple[Any, ...]] = frame.with_columns(pl.all().fill_null("")).rows()
    return [list(cells) for cells in rows]
