"""Separated values to a table of text, whatever wrote them (UC-02.01, bulk)."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

import polars as pl

from services.assets.files.formats import (
    BROKEN,
    DISARMED,
    HEADINGS_WITHIN,
    MOST_COLUMNS,
    MOST_ROWS,
    ROW,
    Score,
    TextTable,
    heading_row,
    numbered_from,
    refuse_file,
    require_lines,
    too_many_columns,
    too_many_rows,
)

_SEPARATORS = ",;\t"
_MOST_SEPARATORS = 40 * MOST_COLUMNS
"""In one line: far more than columns, since text inside quotes may hold them too; less than memory minds."""
_BATCH = 20_000
_AT_ONCE = 1 << 20
"""Bytes that are looked at together."""
_CUT = "FILE-05 The last row breaks off: the file seems to be cut short. Save it again and send it whole."


def read_csv(data: bytes, score: Score) -> TextTable:
    """Read separated values: the separator with which most headings are known. Raises Invalid for what can't be read."""
    require_lines(data)
    text, cut = _unicode(data)
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
    if cut or _breaks_off(text, separator, len(headings)):
        last = pl.col(ROW) == pl.col(ROW).max()
        frame = frame.with_columns(pl.when(last).then(pl.lit(_CUT)).otherwise(pl.col(BROKEN)).alias(BROKEN))
    return TextTable("csv", headings, numbered_from(frame.with_columns(_armed(frame)), place + 2))


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


def _unicode(data: bytes) -> tuple[bytes, bool]:
    """The text as UTF-8 without a mark, from UTF-8, UTF-16 with a mark, or Windows-1252, which spreadsheets still write.

    And whether the text ends inside a character. A text that is UTF-8 elsewhere isn't taken for Windows-1252 because of
    one bad byte: every accent in it would be registered as two wrong letters.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):
            return data.decode("utf-16").encode(), False
    elif b"\x00" not in data:
        fault = _fault(data)
        if fault is None:
            return data.removeprefix(codecs.BOM_UTF8), False
        text, cut = _not_quite_unicode(data, *fault)
        return text.encode(), cut
    line = data.count(b"\n", 0, max(data.find(b"\x00"), 0)) + 1
    message = f"Line {line:,} holds bytes that are no text (NUL). Save the file as CSV UTF-8, or as XLSX."
    raise refuse_file("FILE-02", f"line {line}", message)


def _fault(data: bytes) -> tuple[int, str] | None:
    """At which byte, and why, this isn't UTF-8; None where it is. A large file isn't held as text as well to find out."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _AT_ONCE):
        begun = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + _AT_ONCE], start + _AT_ONCE >= len(data))
        except UnicodeDecodeError as error:
            return start - begun + error.start, error.reason
    return None


def _not_quite_unicode(data: bytes, place: int, reason: str) -> tuple[str, bool]:
    """Decode a text that isn't UTF-8 at this byte; True where it ends inside a character. Raises Invalid for a mixture."""
    read = data.decode("utf-8-sig", "replace")
    odd = read.count("\ufffd")
    accents = len(read) - len(read.encode("ascii", "ignore")) - odd
    if accents:
        if odd == 1 and reason == "unexpected end of data":
            return read.removesuffix("\ufffd"), True
        line = data.count(b"\n", 0, place) + 1
        message = (
            f"Line {line:,} holds bytes that are no text in the encoding of the rest. Save it as CSV UTF-8, or as XLSX."
        )
        raise refuse_file("FILE-02", f"line {line}", message)
    with suppress(UnicodeDecodeError):
        return data.decode("cp1252"), False
    message = "The file is text in an encoding that isn't known here. Save it as CSV UTF-8, or as XLSX."
    raise refuse_file("FILE-02", None, message)
