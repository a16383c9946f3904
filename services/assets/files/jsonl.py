"""JSON lines to a table of text: an object a line, or a list of objects as other programs write them (UC-02.01, bulk).

What is decoded is up to thirty times as large as its text, so only one line, or a short list, is ever held decoded.
"""

import codecs
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
import polars as pl

from services.assets.files.formats import (
    BROKEN,
    MOST_COLUMNS,
    MOST_ROWS,
    ROW,
    TextTable,
    as_text,
    refuse_file,
    require_lines,
    too_many_columns,
    too_many_rows,
    wide_encoding,
)
from services.core.json_names import find_repeated_name

MOST_OF_A_LINE = 1024 * 1024
MOST_OF_A_LIST = 16 * 1024 * 1024
_BATCH = 20_000
_DECODER = msgspec.json.Decoder(float_hook=str)
_NO_OBJECT = "holds no object with the attributes of an asset by name."
Row = tuple[int, dict[str, str], str | None]
"""Number, cells by name, and why it can't be read."""


def read_lines(data: bytes) -> TextTable:
    """Read JSON lines, or one list of objects (whose rows are numbered by their place). Raises Invalid for anything else."""
    require_lines(data)
    encoding = wide_encoding(data)
    if encoding is not None:
        data = data.decode(encoding, "replace").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    whole = _read_single_value(data)
    rows = iter(_lines(data) if whole is None else whole)
    headings: dict[str, int] = {}
    frames: list[pl.DataFrame] = []
    count = 0
    while batch := list(islice(rows, _BATCH)):
        count += len(batch)
        if count > MOST_ROWS:
            raise too_many_rows(count)
        frames.append(_frame(batch, headings))
    _refuse_broken(frames, headings)
    frame = pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema={ROW: pl.Int64, BROKEN: pl.String})
    return TextTable("jsonl", list(headings), frame)


def _refuse_broken(frames: list[pl.DataFrame], headings: dict[str, int]) -> None:
    """Raise Invalid where no line holds an object: with the reason of the first."""
    reasons = [reason for frame in frames for reason in frame[BROKEN].drop_nulls().head(1)]
    if reasons and not headings:
        code, _, message = reasons[0].partition(" ")
        raise refuse_file(code, None, message)


def _frame(batch: list[Row], headings: dict[str, int]) -> pl.DataFrame:
    """Some rows, null where a row doesn't name a member; `headings` grows by the members that no row had before."""
    names = dict.fromkeys(name for _number, cells, _reason in batch for name in cells)
    for name in names:
        headings.setdefault(name, len(headings))
    if len(headings) > MOST_COLUMNS:
        raise too_many_columns(len(headings))
    columns = {
        f"c{headings[name]}": pl.Series([cells.get(name) for _number, cells, _reason in batch], dtype=pl.String)
        for name in names
    }
    facts = {
        ROW: pl.Series([number for number, _cells, _reason in batch], dtype=pl.Int64),
        BROKEN: pl.Series([reason for _number, _cells, reason in batch], dtype=pl.String),
    }
    return pl.DataFrame({**facts, **columns})


def _lines(data: bytes) -> Iterator[Row]:
    start, number = 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end].strip()
        start, number = end + 1, number + 1
        if len(line) > MOST_OF_A_LINE:
            yield number, {}, f"FILE-15 The line has {len(line):,} bytes; 1 MB is the most for one asset."
        elif line:
            yield _read(number, line)


def _read(number: int, line: bytes) -> Row:
    try:
        document = _DECODER.decode(line)
    except UnicodeDecodeError:
        return number, {}, "FILE-09 The line holds bytes that are no text in UTF-8. Save the file in UTF-8."
    except (msgspec.DecodeError, RecursionError) as error:
        return number, {}, f"FILE-09 The line isn't JSON that can be read: {error}. Mend it, or leave it out."
    if not isinstance(document, dict):
        return number, {}, f"FILE-09 The line {_NO_OBJECT}"
    return number, _cells(document), _repeated_name_fault(line, document)


def _repeated_name_fault(text: bytes, value: Any) -> str | None:
    """Why an object with a name that it has twice can't be read."""
    name = find_repeated_name(text, value)
    return name and f"FILE-09 “{name[:100]}” is given twice: which value counts isn't sure. Leave one out."


def _cells(document: dict[str, Any]) -> dict[str, str]:
    """Members as text; empty text where a member is null."""
    return {name: as_text(value) or "" for name, value in document.items()}


def _read_single_value(data: bytes) -> Iterable[Row] | None:
    """The rows of a text that is one JSON value, be it over several lines; None where every line stands for itself."""
    begins = data.lstrip()
    end = begins.find(b"\n")
    first, rest = (begins, b"") if end < 0 else (begins[:end], begins[end:].strip())
    if rest and _decoded(first[:MOST_OF_A_LINE]) is not None:
        return None
    if len(begins) > MOST_OF_A_LIST:
        if begins.startswith(b"["):
            message = (
                "A list of assets may have 16 MB. Send one asset a line (JSON lines), without brackets and commas."
            )
            raise refuse_file("FILE-07", f"{len(data):,} bytes", message)
        return None
    document = _decoded(begins)
    if isinstance(document, dict):
        _refuse_wrapped(document)
        return [(1, _cells(document), _repeated_name_fault(begins, document))]
    if not isinstance(document, list):
        return None
    if (reason := _repeated_name_fault(begins, document)) is not None:
        raise refuse_file("FILE-09", None, reason.removeprefix("FILE-09 "))
    words = f"FILE-09 The member of the list {_NO_OBJECT}"
    return [
        (at, _cells(member), None) if isinstance(member, dict) else (at, {}, words)
        for at, member in enumerate(document, 1)
    ]


def _decoded(text: bytes) -> Any:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _refuse_wrapped(document: dict[str, Any]) -> None:
    """An object that holds lists of objects is no asset: GeoJSON, or the answer of some program."""
    inside = [
        name for name, value in document.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    if document.get("type") == "FeatureCollection":
        message = (
            "This is GeoJSON, which holds places and not all that an asset needs. Export as CSV or JSON lines instead."
        )
        raise refuse_file("FILE-13", None, message)
    if inside and "AssetName" not in document and "AssetId" not in document:
        message = f"The assets stand inside the member {inside[0][:100]}. Send that list alone, or one asset a line."
        raise refuse_file("FILE-13", inside[0][:100], message)
