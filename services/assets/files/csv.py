"""Separated values to a table of text, whatever wrote them (UC-02.01, bulk)."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import polars as pl

from services.assets.files.encoding import NAMES, SINGLE_BYTE, decode_text
from services.assets.files.formats import (
    BROKEN,
    CELL_NOTE_SCHEMA,
    DISARMED,
    HEADINGS_WITHIN,
    MOST_COLUMNS,
    MOST_ROWS,
    ROW,
    FileNotice,
    Score,
    TextTable,
    heading_row,
    no_cell_notes,
    numbered_from,
    refuse_file,
    require_lines,
    too_many_columns,
    too_many_rows,
)

_SEPARATORS = ",;\t|"
_MOST_SEPARATORS = 40 * MOST_COLUMNS
"""In one line: far more than columns, since text inside quotes may hold them too; less than memory minds."""
_BATCH = 20_000
_LATIN = 0x100
_AFTER = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_GARBLED = f"[ÂÃ][{_AFTER}]|Å[´-·]|â€[{_AFTER}]"
"""Letters of Latin alphabets and quotation marks in UTF-8, once read as Windows-1252: Ã¢ for â, â€™ for ’, Åµ for ŵ."""
_GARBLED_BYTES = ("Â".encode(), "Ã".encode(), "Å".encode(), "â€".encode())
_MOST_GARBLED = 20_000
_CUT = "FILE-05 The last row breaks off: the file seems to be cut short. Save it again and send it whole."


def read_csv(data: bytes, score: Score) -> TextTable:
    """Read separated values: the separator with which most headings are known. Raises Invalid for what can't be read."""
    require_lines(data)
    decoded = decode_text(data)
    text = decoded.text
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    separator, top = _begins(text, score)
    headings, place = heading_row([cells for cells, _line in top], score)
    if len(headings) > MOST_COLUMNS:
        raise too_many_columns(len(headings))
    try:
        frame = _quick(text, separator, len(headings), top[place][1])
    except (pl.exceptions.PolarsError, IndexError):
        frame = _thorough(text, separator, len(headings), place)
    frame = _without_blank_lines(numbered_from(frame, place + 2))
    short = _short_rows(frame, len(headings))
    last_row = int(frame[ROW].max() or 0) if frame.height else 0  # pyright: ignore[reportArgumentType]
    ends_short = last_row in short and not text.endswith(b"\n")
    if decoded.cut or ends_short or _breaks_off(text, separator, len(headings)):
        reason = pl.when(pl.col(ROW) == last_row).then(pl.lit(_CUT)).otherwise(pl.col(BROKEN))
        frame = frame.with_columns(reason.alias(BROKEN))
    frame = frame.with_columns(_armed(frame))
    return TextTable(
        "csv",
        headings,
        frame,
        notices=_encoding_notices(decoded.encoding),
        cell_notes=_garbled_cells(frame, len(headings))
        if any(mark in text for mark in _GARBLED_BYTES)
        else no_cell_notes(),
        short_rows=short,
    )


def _encoding_notices(encoding: str) -> tuple[FileNotice, ...]:
    if encoding not in SINGLE_BYTE:
        return ()
    message = (
        f"The file isn't in UTF-8: it was read as {NAMES[encoding]}. Check letters with accents before you confirm, or save "
        "it as CSV UTF-8."
    )
    return (FileNotice("FILE-18", message),)


def _without_blank_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows but for lines without any cell; rows of empty cells stay."""
    if "c0" not in frame.columns or not frame["c0"].null_count():
        return frame
    return frame.filter(pl.col("c0").is_not_null() | pl.col(BROKEN).is_not_null())


def _short_rows(frame: pl.DataFrame, width: int) -> dict[int, int]:
    """Row -> its number of cells, of rows that hold something and end before the last heading."""
    if width < 2 or not frame[f"c{width - 1}"].null_count():  # a single cell has no other to be short of
        return {}
    cells = pl.sum_horizontal(pl.col(f"c{place}").is_not_null() for place in range(width))
    counted = frame.select(ROW, cells.alias("cells")).filter(pl.col("cells").is_between(1, width - 1))
    return dict(counted.iter_rows())


def _garbled_cells(frame: pl.DataFrame, width: int) -> pl.DataFrame:
    """Notes on cells whose text was once read in the wrong encoding, with what they most likely say."""
    notes: list[dict[str, Any]] = []
    for place in range(width):
        for row, cell in frame.select(ROW, f"c{place}").filter(pl.col(f"c{place}").str.contains(_GARBLED)).iter_rows():
            likely = re.sub(_GARBLED, _mend_letter, cell)
            message = (
                f"“{cell[:100]}” has letters that were garbled before they came here, most likely “{likely[:100]}”. It is "
                "read as it stands: correct the file."
            )
            note = {"code": "FILE-21", "expected": "Text in one encoding throughout", "message": message}
            notes.append({ROW: row, "column": place, "given": cell, **note})
            if len(notes) >= _MOST_GARBLED:
                return pl.DataFrame(notes, schema=CELL_NOTE_SCHEMA)
    return pl.DataFrame(notes, schema=CELL_NOTE_SCHEMA)


def _mend_letter(match: re.Match[str]) -> str:
    octets = b"".join(bytes([ord(letter)]) if ord(letter) < _LATIN else letter.encode("cp1252") for letter in match[0])
    return octets.decode("utf-8", "replace")


def _armed(frame: pl.DataFrame) -> list[pl.Expr]:
    """Expressions that bring cells back that were disarmed for a spreadsheet; other columns aren't copied."""
    columns = [column for column in frame.iter_columns() if column.name not in (ROW, BROKEN)]
    filled = [pl.col(column.name).fill_null("") for column in columns if column.null_count()]
    disarmed = [column.name for column in columns if column.str.starts_with("'").any()]
    again = [pl.col(name).fill_null("").str.replace(DISARMED, "$1") for name in disarmed]
    return [*(cell for cell in filled if cell.meta.output_name() not in disarmed), *again]


def _begins(text: bytes, score: Score) -> tuple[str, list[tuple[list[str], int]]]:
    """The separator, and the first rows with the number of the line that each ends in."""
    start = len(text) - len(text.lstrip()) if text[:1].isspace() else 0
    end = text.find(b"\n", start)
    counts = {mark: text.count(mark.encode(), start, len(text) if end < 0 else end) for mark in _SEPARATORS}
    best: tuple[str, list[tuple[list[str], int]]] = (_SEPARATORS[0], [])
    most: tuple[int, int] | None = None
    for separator in _SEPARATORS:
        top = _top(text, separator)
        weight = (max((score(cells) for cells, _line in top), default=0), counts[separator])
        if most is None or weight > most:
            best, most = (separator, top), weight
    return best


def _top(text: bytes, separator: str) -> list[tuple[list[str], int]]:
    reader = csv.reader(_lines(text, separator), delimiter=separator)
    top: list[tuple[list[str], int]] = []
    # A cell that has no end is met again when the rows are read.
    with suppress(csv.Error):
        for cells in islice(reader, HEADINGS_WITHIN):
            top.append((cells, reader.line_num))
    return top


def _lines(text: bytes, separator: str) -> Iterator[str]:
    start, mark = 0, separator.encode()
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end + 1
        if text.count(mark, start, end) > _MOST_SEPARATORS:
            raise too_many_columns(text.count(mark, start, end) + 1)
        yield text[start:end].decode()
        start = end


def _last_line(text: bytes) -> str:
    return text[text.rfind(b"\n") + 1 :].decode()


def _breaks_off(text: bytes, separator: str, width: int) -> bool:
    """Tell whether the last line ends without a line break, and before its last cell or inside quotation marks."""
    last = _last_line(text)
    open_quotes = bool(last.count('"') % 2 and text.count(b'"') % 2)
    return open_quotes or (bool(last.strip()) and '"' not in last and last.count(separator) + 1 < width)


def _quick(text: bytes, separator: str, width: int, lines_above: int) -> pl.DataFrame:
    schema = {f"c{place}": pl.String for place in range(width)}
    read = pl.read_csv(
        text, separator=separator, has_header=False, skip_lines=lines_above, schema=schema,
        empty_string_is_null=False, raise_if_empty=False,
    )  # fmt: skip
    if b'"' in text and any(column.str.contains("\n", literal=True).any() for column in read.iter_columns()):
        # A quotation mark that has no other takes whole rows into its cell: whether this is one, only reading closely tells.
        raise pl.exceptions.ComputeError("lines inside cells")
    return read.with_row_index(ROW).with_columns(pl.lit(None, dtype=pl.String).alias(BROKEN))


def _thorough(text: bytes, separator: str, width: int, place: int) -> pl.DataFrame:
    """Row by row, for a file whose rows are uneven or badly quoted: what can't be told apart is named, the rest is read."""
    reader = csv.reader(_lines(text, separator), delimiter=separator, strict=True)
    frames: list[pl.DataFrame] = []
    rows: list[list[str]] = []
    begins = count = 0
    try:
        for at, cells in enumerate(reader):
            begins = reader.line_num
            if at > place:
                rows.append(cells)
                count += any(cells)
            if len(rows) == _BATCH:
                frames.append(_frame(rows, width))
                rows = []
            if count > MOST_ROWS:
                raise too_many_rows(count)
    except csv.Error as error:
        if reader.line_num > begins + 1 or text.endswith(b"\n") or "unexpected end" not in str(error):
            raise _unmatched(error, begins + 1) from error
        # Only the last line is open: the file was cut inside the quotes of a cell.
        frames.append(_frame(rows, width))
        last = next(csv.reader([_last_line(text)], delimiter=separator))
        frames.append(_frame([last], width).with_columns(pl.lit(_CUT).alias(BROKEN)))
        rows = []
    frames.append(_frame(rows, width))
    return pl.concat(frames).with_row_index(ROW)


def _unmatched(error: csv.Error, line: int) -> Exception:
    longer = ", or a cell holds more than 131,072 characters" if "limit" in str(error) else ""
    message = (
        f"From line {line:,} on, the rows can't be told apart: a quotation mark is missing or stands alone{longer}. "
        "Mend that line, or save the file as XLSX."
    )
    return refuse_file("FILE-03", f"line {line}: {error}", message)


def _frame(rows: Sequence[Sequence[str]], width: int) -> pl.DataFrame:
    broken: list[str | None] = []
    for cells in rows:
        extra = any(cell.strip() for cell in cells[width:])
        reason = (
            f"FILE-09 The row has {len(cells)} cells under {width} headings: which is which isn't sure. "
            "Put text that holds the separator in quotation marks."
        )
        broken.append(reason if extra else None)
    data = {
        f"c{at}": pl.Series([row[at] if at < len(row) else None for row in rows], dtype=pl.String)
        for at in range(width)
    }
    return pl.DataFrame({**data, BROKEN: pl.Series(broken, dtype=pl.String)})
