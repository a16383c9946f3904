"""The process that opens a workbook or a Parquet file for the portal: bounded in memory and time, without its secrets.

Such a file is unpacked by machine code that takes it at its word: a few kilobytes can ask for hundreds of gigabytes (two
cells in opposite corners of a sheet do), and the process that obeys is aborted. So it is this one: whatever becomes of it,
the portal goes on and says that the file can't be read.

Run as ``python -m services.assets.bulk.files.isolated_main xlsx|parquet FOLDER``. Reads ``FOLDER/given``; leaves
``told.json``, and beside it a table of text for each sheet (``0.arrow``, ...).
"""

import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

MOST_MEMORY = 4 * 1024 * 1024 * 1024
MOST_SECONDS = 300
MOST_UNPACKED = 1024 * 1024 * 1024
MOST_PARTS = 10_000
MOST_CELLS = 25_000_000
"""Between the first and the last cell that holds anything, empty ones included."""
MOST_TOLD = 20_000
PIECE = 4 * 1024 * 1024
ROWS_AT_ONCE = 65_536
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_CELL = re.compile(rb"<c\s([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_VALUE = re.compile(rb"<v[^>]*>([^<]+)</v>|<t[\s>]")
_DIMENSION = re.compile(rb'<dimension\s[^>]*ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')


class Unreadable(Exception):
    """Why the file is refused: code, what was given, and a sentence."""


def main(kind: str, folder: Path) -> None:
    """Read ``given`` and leave what it holds, or why it is refused."""
    bound()
    try:
        told = workbook(folder) if kind == "xlsx" else parquet(folder)
    except Unreadable as refusal:
        told = {"refused": list(refusal.args)}
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


def bound() -> None:
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

    given = folder / "given"
    try:
        with zipfile.ZipFile(given) as packed:
            _require_workbook(packed)
            parts = _sheet_parts(packed)
            _require_dense(packed, parts)
            old_days = re.search(r'date1904="(1|true)"', _text(packed, "xl/workbook.xml")) is not None
            book = fastexcel.read_excel(str(given))
            sheets: list[dict[str, Any]] = []
            cells = 0
            hidden = _hidden(packed)
            for name in book.sheet_names:
                # Eagerly: cells then borrow their texts from the workbook's, and none is there twice.
                sheet = book.load_sheet_eager(name, header_row=None, skip_rows=0, dtypes="string")
                cells += sheet.num_rows * sheet.num_columns
                if cells > MOST_CELLS:
                    words = (
                        "The workbook has too many cells. Delete what isn't about the assets, or save the rows as CSV."
                    )
                    raise Unreadable("FILE-07", f"{cells:,} cells", words)
                _keep(sheet, folder / f"{len(sheets)}.arrow")
                del sheet
                unanswered = list(_unanswered(packed, parts.get(name)))
                sheets.append({"name": name, "visible": name not in hidden, "unanswered": unanswered})
    except (zipfile.BadZipFile, fastexcel.FastExcelError, zipfile.LargeZipFile, RuntimeError, EOFError) as error:
        words = (
            "The workbook can't be opened: it is damaged or was cut short. Open it, save it anew as XLSX and send that."
        )
        raise Unreadable("FILE-03", str(error)[:200], words) from error
    return {"sheets": sheets, "old_days": old_days}


def _keep(sheet: "pa.RecordBatch", path: Path) -> None:
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


def _text(packed: zipfile.ZipFile, name: str) -> str:
    try:
        return packed.read(name).decode("utf-8", "replace")
    except KeyError:
        return ""


def _said(element: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', element)
    return unescape(found.group(1)) if found else ""


def _sheet_parts(packed: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> the part of the archive that holds it."""
    relations = _RELATION.findall(_text(packed, "xl/_rels/workbook.xml.rels"))
    targets = {_said(one, "Id"): _said(one, "Target") for one in relations}
    there = set(packed.namelist())
    found: dict[str, str] = {}
    for one in _SHEET.findall(_text(packed, "xl/workbook.xml")):
        target = targets.get(_said(one, "r:id"), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in there:
            found[_said(one, "name")] = part
    return found


def _hidden(packed: zipfile.ZipFile) -> set[str]:
    """The names of the sheets that nobody sees."""
    sheets = _SHEET.findall(_text(packed, "xl/workbook.xml"))
    return {_said(one, "name") for one in sheets if _said(one, "state") in ("hidden", "veryHidden")}


def _require_dense(packed: zipfile.ZipFile, parts: dict[str, str]) -> None:
    """Refuse a sheet with a cell far away from the others by name; a file that hides one meets the bound of memory."""
    for name, part in parts.items():
        with packed.open(part) as opened:
            found = _DIMENSION.search(opened.read(4096))
        if found is None:
            continue
        left, first, right, last = found.groups()
        width, height = column_number(right) - column_number(left) + 1, int(last) - int(first) + 1
        if width * height > MOST_CELLS:
            far = f"{right.decode()}{last.decode()}"
            words = (
                f"The sheet “{name}” reaches as far as cell {far}, {height:,} rows by {width:,} columns: a cell far away holds "
                "something. Delete the rows below the table and the columns beside it, save, and send it again."
            )
            raise Unreadable("FILE-07", far, words)


def column_number(letters: bytes) -> int:
    """A -> 1, Z -> 26, AA -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _asks(packed: zipfile.ZipFile, part: str) -> bool:
    """Whether a sheet has any formula or error: most have none, and are not looked through."""
    before = b""
    with packed.open(part) as opened:
        while piece := opened.read(PIECE):
            if b"<f" in (seen := before + piece) or b't="e"' in seen:
                return True
            before = piece[-4:]
    return False


def _cells(packed: zipfile.ZipFile, part: str) -> Iterator[re.Match[bytes]]:
    """The cells of a sheet, of which a few megabytes are in memory at once."""
    left = b""
    with packed.open(part) as opened:
        while piece := opened.read(PIECE):
            left += piece
            # What stands before the last cell that begins is whole.
            end = left.rfind(b"<c ")
            if end > 0:
                yield from _CELL.finditer(left[:end])
                left = left[end:]
    yield from _CELL.finditer(left)


def _unanswered(packed: zipfile.ZipFile, part: str | None) -> Iterator[tuple[int, int, str, str]]:
    """Row (from 1), column (from 0, of the columns in use), cell and what it holds: a formula without a result, or an error."""
    if part is None or not _asks(packed, part):
        return
    found: list[tuple[int, int, str, str]] = []
    first = 16_384
    for cell in _cells(packed, part):
        attributes, content = cell.group(1), cell.group(2) or b""
        place = _PLACE.search(attributes)
        if place is None:
            continue
        value = _VALUE.search(content)
        if value is not None:
            first = min(first, column_number(place.group(1)))
        what = None
        if b't="e"' in attributes:
            what = f"the error {value.group(1).decode('utf-8', 'replace') if value and value.group(1) else ''}".strip()
        elif value is None and b"<f" in content:
            what = "a formula without a result"
        if what and len(found) < MOST_TOLD:
            name = b"".join(place.groups()).decode()
            found.append((int(place.group(2)), column_number(place.group(1)), name, what))
    for row, column, name, what in found:
        yield row, column - first, name, what


def parquet(folder: Path) -> dict[str, Any]:
    """The only table of a Parquet file, its values as they would be typed."""
    import polars as pl

    from services.assets.bulk.files.formats import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, as_text

    given = folder / "given"
    try:
        scanned = pl.scan_parquet(given)
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
    for name, kind in read.schema.items():
        column = read[name]
        if kind.is_nested() or kind.is_float() or kind.is_temporal() or kind == pl.Object:
            column = pl.Series(name, [as_text(one) for one in column.to_list()], dtype=pl.String)
        # One more than a cell may hold, so that it is still seen to be too long.
        read = read.with_columns(column.cast(pl.String).str.head(MOST_CHARACTERS + 1).alias(name))
    size = sum(int(column.str.len_bytes().sum() or 0) for column in read.iter_columns())
    if size > MOST_UNPACKED:
        raise Unreadable("FILE-07", f"{size:,} bytes", "The file unpacks to more than 1 GB. Send it in parts.")
    read.write_ipc(folder / "0.arrow")
    return {"columns": len(schema), "rows": rows}


if __name__ == "__main__":
    # Threads would each set memory aside; nothing that this process does is faster with many.
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    main(sys.argv[1], Path(sys.argv[2]))
