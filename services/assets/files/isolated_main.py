"""The process that opens a workbook or a Parquet file for the portal: bounded in memory and time, without its secrets.

Such a file is unpacked by machine code that takes it at its word: a few kilobytes can ask for hundreds of gigabytes (two
cells in opposite corners of a sheet do), and the process that obeys is aborted. So it is this one: whatever becomes of it,
the portal goes on and says that the file can't be read.

Run as ``python -m services.assets.files.isolated_main xlsx|parquet FOLDER``. Reads ``FOLDER/given``; leaves
``told.json``, and beside it a table of text for each sheet (``0.arrow``, ...).
"""

import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

MOST_MEMORY = 4 * 1024 * 1024 * 1024
MOST_SECONDS = 300
MOST_UNPACKED = 1024 * 1024 * 1024
MOST_PARTS = 10_000
MOST_CELLS = 25_000_000
"""Between the first and the last cell that holds anything, empty ones included."""
MOST_TOLD = 20_000
MOST_DIGITS = 15
PIECE, SMALL_PIECE = 4 * 1024 * 1024, 4096
ROWS_AT_ONCE = 65_536
MOST_COLUMN_LETTERS, LAST_COLUMN = 3, 16_384
LONGEST_VALUE = 100
SAVE_AGAIN = "Type the value, or open the file in a spreadsheet and save it, then send it again."
AS_TEXT = "Format the column as text (Format Cells, Text), put the digits in again, then send it again."
OVERLAP = 64
_MARKS = (b"<f", b":f", b't="e"', b"t='e'", b"hidden=")
_LONG_VALUE = re.compile(rb"v>-?(?:[0-9]{16}|[0-9.]+[eE]\+?(?:1[5-9]|[2-9][0-9]|[0-9]{3}))")
_LONG_NUMBER = re.compile(r"-?(?:[1-9][0-9]{15,}(?:\.0*)?|[0-9.]+[eE]\+?(?:1[5-9]|[2-9][0-9]|[0-9]{3}))")
"""1,000,000,000,000,000 or more: from here on a number of a workbook no longer tells every digit that was typed."""
MOST_PERCENT_CELLS = 1_000_000
_PERCENT_FORMATS = ("9", "10")
"""Formats of every workbook that show a number as a share of a hundred."""
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Unreadable(Exception):
    """Why the file is refused: code, what was given, and a sentence."""


def main(kind: str, folder: Path) -> None:
    """Read ``given`` and leave what it holds, or why it is refused."""
    limit_process()
    try:
        answer = workbook(folder) if kind == "xlsx" else parquet(folder)
    except Unreadable as refusal:
        answer = {"refused": list(refusal.args)}
    (folder / "told.json").write_text(json.dumps(answer), encoding="utf-8")


def limit_process() -> None:
    """Limits that hold for this process: memory, seconds of computing; and it is the first to go where memory is short."""
    with suppress(ImportError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def workbook(folder: Path) -> dict[str, Any]:
    """Every sheet as a table of text; what cells that show no value hold; the day that dates count from."""
    import fastexcel

    file = folder / "given"
    try:
        with zipfile.ZipFile(file) as packed:
            _require_workbook(packed)
            outline = _parsed(packed, "xl/workbook.xml")
            parts = _sheet_parts(packed, outline)
            for name, part in parts.items():
                _require_dense(packed, name, part)
            hidden = {
                element.get("name")
                for element in outline.iter()
                if _name(element.tag) == "sheet" and element.get("state") in ("hidden", "veryHidden")
            }
            percent_styles = _percent_styles(_parsed(packed, "xl/styles.xml"))
            book = fastexcel.read_excel(str(file))
            sheets: list[dict[str, Any]] = []
            cells = 0
            for name in book.sheet_names:
                # Eagerly: cells then borrow their texts from the workbook's, and none is there twice.
                sheet = book.load_sheet_eager(name, header_row=None, skip_rows=0, dtypes="string")
                cells += sheet.num_rows * sheet.num_columns
                if cells > MOST_CELLS:
                    words = (
                        "The workbook has too many cells. Delete what isn't about the assets, or save the rows as CSV."
                    )
                    raise Unreadable("FILE-07", f"{cells:,} cells", words)
                _store_sheet(sheet, folder / f"{len(sheets)}.arrow")
                del sheet
                facts = _sheet_facts(packed, parts.get(name), percent_styles)
                sheets.append({"name": name, "visible": name not in hidden, **facts})
    except (
        zipfile.BadZipFile, fastexcel.FastExcelError, zipfile.LargeZipFile, RuntimeError, EOFError, ParseError
    ) as error:  # fmt: skip
        words = (
            "The workbook can't be opened: it is damaged or was cut short. Open it, save it anew as XLSX and send that."
        )
        raise Unreadable("FILE-03", str(error)[:200], words) from error
    old_days = any(
        element.get("date1904") in ("1", "true") for element in outline.iter() if _name(element.tag) == "workbookPr"
    )
    return {"sheets": sheets, "old_days": old_days}


def _store_sheet(sheet: "pa.RecordBatch", path: Path) -> None:
    """A sheet as a table of text, some rows at a time: as a whole it would be there once more."""
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, sheet.schema) as writer:
        for first in range(0, max(sheet.num_rows, 1), ROWS_AT_ONCE):
            writer.write_batch(sheet.slice(first, ROWS_AT_ONCE))


def _require_workbook(packed: zipfile.ZipFile) -> None:
    names = set(packed.namelist())
    if len(names) > MOST_PARTS:
        raise Unreadable("FILE-07", f"{len(names):,} parts", "The workbook has too many parts. Save the rows as CSV.")
    unpacked = sum(part.file_size for part in packed.infolist())
    if unpacked > MOST_UNPACKED:
        words = "The workbook unpacks to more than 1 GB. Save the rows as CSV and send that."
        raise Unreadable("FILE-07", f"{unpacked:,} bytes", words)
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return
    if "mimetype" in names:
        words = "This is an OpenDocument file. Save it as XLSX and send that."
    elif any(name.startswith(("word/", "ppt/")) for name in names):
        words = "This is a document and no workbook. Copy its table into a spreadsheet and save that as XLSX."
    else:
        words = "This is a ZIP archive. Unpack it and send the file inside."
    raise Unreadable("FILE-13", ", ".join(sorted(names))[:200], words)


def _parsed(packed: zipfile.ZipFile, part: str) -> Element:
    """A small part of the archive as XML; an empty element where it isn't there."""
    try:
        return fromstring(packed.read(part))  # noqa: S314  # expat bounds entities, this process memory and time
    except KeyError:
        return Element("none")


def _name(tag: str) -> str:
    """The name of an element without its namespace."""
    return tag.rpartition("}")[2]


def _sheet_parts(packed: zipfile.ZipFile, outline: Element) -> dict[str, str]:
    """Sheet name -> the part of the archive that holds it."""
    relations = _parsed(packed, "xl/_rels/workbook.xml.rels")
    targets = {element.get("Id", ""): element.get("Target", "") for element in relations.iter()}
    there = set(packed.namelist())
    parts: dict[str, str] = {}
    for element in outline.iter():
        if _name(element.tag) == "sheet":
            target = targets.get(element.get(_RELATION_ID, ""), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part in there:
                parts[element.get("name", "")] = part
    return parts


def cell_place(name: str) -> tuple[int, int] | None:
    """Column and row of a cell from 1 (``AA7``: 27, 7); None for what names no cell."""
    letters = name.rstrip("0123456789")
    digits = name[len(letters) :]
    if not (digits.isascii() and 0 < len(letters) <= MOST_COLUMN_LETTERS and 0 < len(digits) <= len("1048576")):
        return None
    if not (letters.isascii() and letters.isupper()):
        return None
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column, int(digits)


class _SheetReader:
    """Parser target for a sheet, element by element: nothing of it is kept but what is asked for.

    `reach` is the first and the last cell in use, as the sheet says; `unanswered` has row, column, cell, what it holds and
    what to do of cells that show no value, or not the one that was typed; `first` is the first column with a value;
    `hidden_rows` and `hidden_columns` are numbered from 1, `filtered` says whether a filter is set. `percent_cells` has row and
    column of the numbers whose style is one of `percent_styles`.
    """

    def __init__(self, percent_styles: frozenset[str] = frozenset()) -> None:
        self.percent_cells: list[tuple[int, int]] = []
        self._percent_styles = percent_styles
        self.reach: str | None = None
        self.begun = False
        self.first = LAST_COLUMN
        self.unanswered: list[tuple[int, int, str, str, str]] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[int] = []
        self.filtered = False
        self._row = 0
        self._cell: dict[str, str] | None = None
        self._has_formula = self._has_text = self._in_value = False
        self._value = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        match _name(tag):
            case "dimension":
                self.reach = attributes.get("ref")
            case "sheetData":
                self.begun = True
            case "row":
                self._start_row(attributes)
            case "col":
                self._start_columns(attributes)
            case "filterColumn":
                self.filtered = True
            case "c":
                self._cell, self._value = attributes, ""
                self._has_formula = self._has_text = False
            case "f":
                self._has_formula = True
            case "t":
                self._has_text = True
            case "v":
                self._in_value = True

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", "")
        self._row = int(number) if number.isascii() and number.isdigit() else self._row + 1
        if _is_hidden(attributes) and len(self.hidden_rows) < MOST_TOLD:
            self.hidden_rows.append(self._row)

    def _start_columns(self, attributes: dict[str, str]) -> None:
        first, last = attributes.get("min", ""), attributes.get("max", "")
        if _is_hidden(attributes) and first.isdigit() and last.isdigit() and len(self.hidden_columns) < LAST_COLUMN:
            # Everything to the right of the table may be hidden as one: no sheet has more columns.
            self.hidden_columns += range(int(first), min(int(last), LAST_COLUMN) + 1)

    def data(self, text: str) -> None:
        """Text stands inside an element."""
        # A cell's text comes in as many pieces as it has references (&#32;): its beginning is enough, and all of them
        # put together one by one would take minutes.
        if self._in_value and len(self._value) < LONGEST_VALUE:
            self._value += text[:LONGEST_VALUE]

    def end(self, tag: str) -> None:
        """An element ends."""
        match _name(tag):
            case "v":
                self._in_value = False
            case "c" if self._cell is not None:
                self._end_cell(self._cell)
                self._cell = None

    def close(self) -> None:
        """The sheet ends."""

    def _end_cell(self, attributes: dict[str, str]) -> None:
        name = attributes.get("r", "")
        place = cell_place(name)
        if place is None:
            return
        column, row = place
        has_value = bool(self._value) or self._has_text
        if has_value:
            self.first = min(self.first, column)
        is_number = bool(self._value) and attributes.get("t", "n") == "n"
        if is_number and attributes.get("s") in self._percent_styles and len(self.percent_cells) < MOST_PERCENT_CELLS:
            self.percent_cells.append((row, column))
        what, remedy = None, SAVE_AGAIN
        if attributes.get("t") == "e":
            what = f"the error {self._value}".strip()
        elif self._has_formula and not has_value:
            what = "a formula without a result"
        elif is_number and _LONG_NUMBER.fullmatch(self._value):
            what, remedy = f"the number {self._value}, of which a workbook keeps 15 digits", AS_TEXT
        if what and len(self.unanswered) < MOST_TOLD:
            self.unanswered.append((row, column, name, what, remedy))


def _pieces(packed: zipfile.ZipFile, part: str, size: int) -> Iterator[bytes]:
    with packed.open(part) as opened:
        while piece := opened.read(size):
            yield piece


def _require_dense(packed: zipfile.ZipFile, name: str, part: str) -> None:
    """Refuse a sheet with a cell far away from the others by name; a file that hides one meets the bound of memory."""
    reader = _SheetReader()
    parser = XMLParser(target=reader)  # noqa: S314  # expat bounds entities, this process memory and time
    for piece in _pieces(packed, part, SMALL_PIECE):
        parser.feed(piece)
        if reader.begun:
            break
    corners = [cell_place(corner) for corner in (reader.reach or "").split(":")]
    if len(corners) != 2 or corners[0] is None or corners[1] is None:
        return
    (left, first), (right, last) = corners[0], corners[1]
    width, height = right - left + 1, last - first + 1
    if width * height > MOST_CELLS:
        far = (reader.reach or "").partition(":")[2]
        words = (
            f"The sheet “{name}” reaches as far as cell {far}, {height:,} rows by {width:,} columns: a cell far away holds "
            "something. Delete the rows below the table and the columns beside it, save, and send it again."
        )
        raise Unreadable("FILE-07", far, words)


def _is_hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true")


def _percent_styles(styles: Element) -> frozenset[str]:
    """The numbers of the cell styles that show a number as a share of a hundred."""
    formats = set(_PERCENT_FORMATS)
    cell_styles: list[str] = []
    for element in styles.iter():
        if _name(element.tag) == "numFmt" and "%" in re.sub(r'"[^"]*"|\\.', "", element.get("formatCode", "")):
            formats.add(element.get("numFmtId", ""))
        if _name(element.tag) == "cellXfs":
            cell_styles = [style.get("numFmtId", "") for style in element]
    return frozenset(str(number) for number, name in enumerate(cell_styles) if name in formats)


def _is_worth_parsing(packed: zipfile.ZipFile, part: str, percent_styles: frozenset[str]) -> bool:
    """Tell whether a sheet may have a formula, an error, a long number, a share, or rows that are hidden: most have none."""
    before = b""
    marks = [*_MARKS, *(f" s={quote}{style}{quote}".encode() for style in percent_styles for quote in "\"'")]
    for piece in _pieces(packed, part, PIECE):
        seen = before + piece
        if any(mark in seen for mark in marks) or _LONG_VALUE.search(seen):
            return True
        before = piece[-OVERLAP:]
    return False


def _sheet_facts(packed: zipfile.ZipFile, part: str | None, percent_styles: frozenset[str]) -> dict[str, Any]:
    """Facts of a sheet that its values don't tell.

    `unanswered`: row (from 1), column (from 0, of the columns in use), cell, what it holds and what to do, of formulas
    without a result, errors and numbers that are longer than a number can be. `hidden_rows` (from 1), `hidden_columns` (as
    above) and whether the sheet is `filtered`. `percent_cells`: rows by column, as `unanswered` counts them.
    """
    reader = _SheetReader(percent_styles)
    if part is not None and _is_worth_parsing(packed, part, percent_styles):
        parser = XMLParser(target=reader)  # noqa: S314  # expat bounds entities, this process memory and time
        for piece in _pieces(packed, part, PIECE):
            parser.feed(piece)
        parser.close()
    percent_cells: dict[int, list[int]] = {}
    for row, column in reader.percent_cells:
        percent_cells.setdefault(column - reader.first, []).append(row)
    return {
        "percent_cells": percent_cells,
        "unanswered": [
            (row, column - reader.first, name, what, remedy) for row, column, name, what, remedy in reader.unanswered
        ],
        "hidden_rows": reader.hidden_rows,
        "hidden_columns": [column - reader.first for column in reader.hidden_columns],
        "filtered": reader.filtered,
    }


def parquet(folder: Path) -> dict[str, Any]:
    """The only table of a Parquet file, its values as they would be typed."""
    import polars as pl

    from services.assets.files.formats import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, as_text

    file = folder / "given"
    try:
        scanned = pl.scan_parquet(file)
        schema = scanned.collect_schema()
        rows = int(scanned.select(pl.len()).collect().item())
        if len(schema) <= MOST_COLUMNS and rows <= MOST_ROWS:
            read = scanned.collect()
        else:
            return {"columns": len(schema), "rows": rows}
    except (pl.exceptions.PolarsError, OSError) as error:
        words = (
            "The Parquet file can't be read: it is damaged, was cut short, or uses what isn't read here. Write it anew."
        )
        raise Unreadable("FILE-03", str(error)[:200], words) from error
    binary = [name for name, kind in read.schema.items() if kind == pl.Binary]
    if binary:
        words = f"The column “{binary[0][:100]}” holds bytes and no text. Leave it out, or write it as text."
        raise Unreadable("FILE-02", binary[0][:100], words)
    long_numbers: list[tuple[int, int, str, str, str]] = []
    for name, kind in read.schema.items():
        column = read[name]
        if kind.is_float():
            long_numbers += _long_numbers(column, read.columns.index(name))
        if kind.is_nested() or kind.is_float() or kind.is_temporal() or kind == pl.Object:
            column = pl.Series(name, [as_text(value) for value in column.to_list()], dtype=pl.String)
        # One more than a cell may hold, so that it is still seen to be too long.
        read = read.with_columns(column.cast(pl.String).str.head(MOST_CHARACTERS + 1).alias(name))
    size = sum(int(column.str.len_bytes().sum() or 0) for column in read.iter_columns())
    if size > MOST_UNPACKED:
        raise Unreadable("FILE-07", f"{size:,} bytes", "The file unpacks to more than 1 GB. Send it in parts.")
    read.write_ipc(folder / "0.arrow")
    return {"columns": len(schema), "rows": rows, "unanswered": long_numbers[:MOST_TOLD]}


def _long_numbers(column: "pl.Series", place: int) -> list[tuple[int, int, str, str, str]]:
    """Row (from 1), column, name, what it holds and what to do, of numbers that no longer tell every digit."""
    long = column.is_finite() & (column.abs() >= 10**MOST_DIGITS)
    rows = long.fill_null(False).arg_true().to_list()
    remedy = "Write the column as text, then send it again."
    return [
        (row + 1, place, f"{row + 1}", f"the number {column[row]}, of which a number keeps 15 digits", remedy)
        for row in rows[:MOST_TOLD]
    ]


if __name__ == "__main__":
    # Threads would each set memory aside; nothing that this process does is faster with many.
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    main(sys.argv[1], Path(sys.argv[2]))
