"""File formats of assets: detection by content, the table that a file is read to, and refusals (UC-02.01, bulk).

Nothing is guessed beyond what the file says: the encoding, the separator and the row of headings are looked for, cells stay
as they were typed. A cell of null was not given at all; empty text was left empty.
"""

import codecs
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath
from typing import Any

import polars as pl

from services.core.attributes import text_of
from services.core.errors import Finding, Invalid
from services.core.file_signatures import JPEG, OLD_OFFICE, PARQUET, PDF, PNG, ZIP, signature_of

ROW = "row"
"""Number of a row as a spreadsheet counts: the first is 1, headings and empty rows included; of JSON lines, the line."""
BROKEN = "broken"
"""Why a row can't be read, as ``CODE message``; null where it can."""
MOST_BYTES = 200 * 1024 * 1024
MOST_ROWS = 500_000
MOST_COLUMNS = 500
MOST_LINES = 5_000_000
"""Lines of a text, empty ones included."""
MOST_CHARACTERS = 32_767
"""What a cell of a spreadsheet can hold."""
HEADINGS_WITHIN = 10
FORMATS = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}
"""Media type -> format."""
DISARMED = r"^'('*[=+\-@\t\r\n])"
"""A spreadsheet runs no cell that begins so; exports put an apostrophe in front, and reading takes it off again."""
DAY_ZERO = date(1899, 12, 30)
"""The day from which workbooks count days, unless they say otherwise."""
_EXPECTED = "A CSV, XLSX, Parquet or JSON lines file with a row of headings and one asset a row."
_OTHERS = {
    PDF: "a PDF document. Ask whoever made it for the spreadsheet that it was printed from",
    "application/rtf": "a text document. Copy its table into a spreadsheet and save it as XLSX",
    "application/gzip": "a compressed file. Unpack it and send the file inside",
    "application/x-7z-compressed": "a 7z archive. Unpack it and send the file inside",
    "application/vnd.rar": "a RAR archive. Unpack it and send the file inside",
    PNG: "a picture. Send the table itself",
    JPEG: "a picture. Send the table itself",
    "application/vnd.sqlite3": "a database. Export its table as CSV",
}
_PAGE = "a web page or another XML document, whatever its name says. Open it in a spreadsheet and save it as XLSX"
_FORM = (
    "the body of a form with several parts. Send the file alone as the body, under its own Content-Type, and what is said "
    "with it in the address"
)
_PASSWORD = "EncryptedPackage".encode("utf-16-le")  # what a protected workbook calls the part that holds it
_NUL_SHARE = 0.3
"""Of every second byte in UTF-16 without a mark: most letters, digits and separators have an upper byte of nought."""
Score = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A cell that shows no value, or not the one that was typed: `column` counts as headings do, `cell` is its name (B7),
    `what` it holds, `remedy` a sentence.
    """

    row: int
    column: int
    cell: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FileNotice:
    """One thing to know of a file as a whole before its rows are taken over."""

    code: str
    message: str


CELL_NOTE_SCHEMA: dict[str, Any] = {
    ROW: pl.Int64,
    "column": pl.Int64,
    "given": pl.String,
    "code": pl.String,
    "expected": pl.String,
    "message": pl.String,
}
"""Notes on single cells: `column` counts as headings do."""


def no_cell_notes() -> pl.DataFrame:
    """No notes on cells."""
    return pl.DataFrame(schema=CELL_NOTE_SCHEMA)


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file as text: `headings[i]` stands over the column ``c<i>`` of `frame`, beside `ROW` and `BROKEN`.

    Of a workbook: the `sheet` that was read, `rivals` (other sheets that seem to hold assets too), cells that are
    `unanswered`, and the day from which it counts days. `notices` are about the file, `cell_notes` about odd cells that are
    read all the same (`CELL_NOTE_SCHEMA`); `short_rows` are rows of fewer cells than headings, with their number.
    """

    file_format: str
    headings: list[str]
    frame: pl.DataFrame
    sheet: str | None = None
    rivals: tuple[str, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    day_zero: date = DAY_ZERO
    notices: tuple[FileNotice, ...] = ()
    cell_notes: pl.DataFrame = field(default_factory=no_cell_notes)
    short_rows: Mapping[int, int] = field(default_factory=dict)


def refuse_file(code: str, quoted: str | None, message: str, expected: str = _EXPECTED) -> Invalid:
    """The refusal of a whole file."""
    return Invalid([Finding(code, None, quoted, expected, message)])


def too_many_columns(count: int) -> Invalid:
    """The refusal of a file that is wider than any portfolio."""
    message = f"The file has {count:,} columns. Leave out what isn't about the asset."
    return refuse_file("FILE-08", str(count), message, f"At most {MOST_COLUMNS} columns.")


def too_many_rows(count: int) -> Invalid:
    """The refusal of a file with more rows than one job takes."""
    message = f"The file has {count:,} rows. Send it in parts of {MOST_ROWS:,} rows at most."
    return refuse_file("FILE-07", str(count), message, f"At most {MOST_ROWS:,} rows.")


def require_lines(data: bytes) -> None:
    """Raise Invalid for a text of more lines than are looked at."""
    lines = data.count(b"\n") + data.count(b"\r")
    if lines > 2 * MOST_LINES:
        message = f"The file has {lines:,} lines, empty ones included. Delete the empty lines, or send it in parts."
        raise refuse_file("FILE-07", str(lines), message, f"At most {MOST_LINES:,} lines.")


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark, or UTF-16 by where its bytes of nought stand; None for other texts."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:4096]
    pairs = len(start) // 2
    if pairs < 2 or b"\x00" not in start:
        return None
    upper, lower = start[0::2].count(0), start[1::2].count(0)
    if lower > pairs * _NUL_SHARE and upper * 10 < lower:
        return "utf-16-le"
    return "utf-16-be" if upper > pairs * _NUL_SHARE and lower * 10 < upper else None


def format_of(data: bytes, filename: str, media_type: str | None = None) -> str:
    """csv, xlsx, jsonl or parquet: by what the file holds, whatever its name says. Raises Invalid for anything else."""
    begins = data[:4096].removeprefix(codecs.BOM_UTF8)
    encoding = wide_encoding(data)
    if encoding is not None:
        begins = begins.decode(encoding, "ignore").encode("utf-8", "ignore").removeprefix(codecs.BOM_UTF8)
    begins = begins.lstrip()
    if not begins and not data.removeprefix(codecs.BOM_UTF8).strip():
        raise refuse_file("FILE-01", filename, "The file is empty. Check that it was saved before it was sent.")
    if len(data) > MOST_BYTES:
        size = f"{len(data):,} bytes"
        raise refuse_file("FILE-07", size, "The file is larger than 200 MB. Send it in parts.", "At most 200 MB.")
    signature = signature_of(data)
    if signature == PARQUET:
        return "parquet"
    if signature == ZIP:
        return "xlsx"
    _refuse_others(signature, data, begins, filename)
    named = FORMATS.get((media_type or "").partition(";")[0].strip().lower())
    if named == "jsonl" or PurePath(filename).suffix.lower() in (".jsonl", ".ndjson") or begins[:1] in (b"{", b"["):
        return "jsonl"
    return "csv"


def _refuse_others(signature: str | None, data: bytes, begins: bytes, filename: str) -> None:
    if signature == OLD_OFFICE:
        protected = "The workbook is protected by a password. Take the password off (File, Info, Protect Workbook)"
        old = "This is a workbook of the old kind (XLS). Open it and save it as XLSX"
        raise refuse_file("FILE-03", filename, f"{protected if _PASSWORD in data else old}, then send it again.")
    description = _PAGE if begins.startswith(b"<") else _OTHERS.get(signature or "")
    if begins.startswith(b"--") and b"content-disposition: form-data" in begins.lower():
        description = _FORM
    if description is not None:
        raise refuse_file("FILE-13", filename, f"This is {description}.")


def as_text(value: Any) -> str | None:
    """A value as it would have been typed into a cell: a list of texts with semicolons, anything nested as JSON."""
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return text_of(value)


def heading_row(top: Sequence[Sequence[str]], score: Score) -> tuple[list[str], int]:
    """The headings among the first rows, and the place of the last row that they stand in.

    The row that is known best holds them; where none is, the first that says anything. Where cells were merged, a heading
    may stand one row above or below the others: it is taken where it is known and the one beside the others isn't.
    """
    if not top:
        return [], 0
    place = max(range(len(top)), key=lambda at: (score(top[at]), -at))
    if not score(top[place]):
        place = next((at for at, cells in enumerate(top) if any(cell.strip() for cell in cells)), 0)
        return tidy_headings(top[place]), place
    cells, last = list(top[place]), place
    for beside in (place + 1, place - 1):
        others = {at: cell for at, cell in enumerate(top[beside]) if cell.strip()} if 0 <= beside < len(top) else {}
        free = all(at >= len(cells) or not score((cells[at],)) for at in others)
        if others and free and score(tuple(others.values())) == len(others):
            cells += [""] * (max(others) + 1 - len(cells))
            for at, cell in others.items():
                cells[at] = cell
            last = max(last, beside)
    return tidy_headings(cells), last


def tidy_headings(cells: Sequence[str]) -> list[str]:
    """Headings without white space around them; those after the last that says anything are no columns."""
    tidy = [" ".join(cell.split()) for cell in cells]
    while tidy and not tidy[-1]:
        tidy.pop()
    return tidy


def numbered_from(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    """The frame with its rows, which count from nought, counted from `first`."""
    return frame.with_columns(pl.col(ROW).cast(pl.Int64) + first)
