"""From the bytes of a file to a table of text (UC-02.01, bulk)."""

from dataclasses import replace

import polars as pl

from services.assets.files.csv import read_csv
from services.assets.files.formats import (
    BROKEN,
    MOST_CHARACTERS,
    MOST_COLUMNS,
    MOST_ROWS,
    Score,
    TextTable,
    format_of,
    refuse_file,
    too_many_columns,
    too_many_rows,
)
from services.assets.files.isolated import read_parquet, read_workbook
from services.assets.files.jsonl import read_lines
from services.core.text import clean_line

LONGEST_HEADING = 300
_FEWEST_HEADINGS = 3
"""So many headings that are known make a second sheet one of assets too."""


def read_sheets(data: bytes, filename: str, score: Score, media_type: str | None = None) -> list[TextTable]:
    """Read a file: every visible sheet of a workbook, the only table of any other.

    `score` says how many headings of a row it knows: the row that it knows best holds the headings. Rows are as they stand,
    empty ones included. Raises Invalid for what can't be read or is too large.
    """
    match format_of(data, filename, media_type):
        case "csv":
            return [read_csv(data, score)]
        case "xlsx":
            return read_workbook(data, score)
        case "parquet":
            return [read_parquet(data)]
        case _:
            return [read_lines(data)]


def read_table(data: bytes, filename: str, score: Score, media_type: str | None = None) -> TextTable:
    """Read the one table of a file: of a workbook, the sheet whose headings `score` knows best.

    Rows of nothing but empty cells are left out. Raises Invalid for what can't be read, is too large, or has no rows.
    """
    table = _best_sheet(read_sheets(data, filename, score, media_type), score)
    if len(table.headings) > MOST_COLUMNS:
        raise too_many_columns(len(table.headings))
    frame = _drop_empty_rows(table.frame, len(table.headings))
    if not frame.height:
        message = (
            "There are headings, but no rows under them. Check that it was saved whole, and which sheet holds the rows."
        )
        raise refuse_file("FILE-06", filename, message)
    if frame.height > MOST_ROWS:
        raise too_many_rows(frame.height)
    headings = [clean_line(heading)[:LONGEST_HEADING] for heading in table.headings]
    return replace(table, headings=headings, frame=_shorten_cells(frame, headings))


def _drop_empty_rows(frame: pl.DataFrame, width: int) -> pl.DataFrame:
    """The rows that hold something: the very same frame where all do, as in most files, since it may be a large one."""
    filled = frame[BROKEN].is_not_null()
    for place in range(width):
        if filled.all():
            return frame
        filled |= (frame[f"c{place}"].str.strip_chars() != "").fill_null(False)
    return frame.filter(filled)


def _best_sheet(sheets: list[TextTable], score: Score) -> TextTable:
    """The sheet whose headings are known best, with the names of others that are known about as well."""
    best = max(sheets, key=lambda sheet: (score(sheet.headings), sheet.frame.height > 0))
    enough = max(_FEWEST_HEADINGS, score(best.headings) // 2)
    rivals = [
        other.sheet or ""
        for other in sheets
        if other is not best and other.frame.height and score(other.headings) >= enough
    ]
    return replace(best, rivals=tuple(rivals))


def _shorten_cells(frame: pl.DataFrame, headings: list[str]) -> pl.DataFrame:
    """Rows with a cell that no spreadsheet could hold are refused, and the cell is kept as far as one could."""
    for place, heading in enumerate(headings):
        column = frame[f"c{place}"]
        if (column.str.len_bytes().max() or 0) <= MOST_CHARACTERS:  # pyright: ignore[reportOperatorIssue]
            continue
        long = column.str.len_chars().fill_null(0) > MOST_CHARACTERS
        words = f"FILE-15 The cell under “{heading[:100]}” holds more than {MOST_CHARACTERS:,} characters. Shorten it."
        frame = frame.with_columns(
            column.str.head(MOST_CHARACTERS).alias(f"c{place}"),
            pl.when(pl.col(BROKEN).is_null() & long).then(pl.lit(words)).otherwise(pl.col(BROKEN)).alias(BROKEN),
        )
    return frame
