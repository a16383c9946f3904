"""Tables of registers: what the one reader of files makes of them, every cell untouched, every row numbered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from services.assets.files.formats import (
    BROKEN,
    HEADINGS_WITHIN,
    MOST_ROWS,
    ROW,
    FileNotice,
    TextTable,
    refuse_file,
    too_many_rows,
)
from services.assets.files.reader import read_sheets

CUT_SHORT = "FILE-05"


@dataclass(slots=True)
class Table:
    """A register as it was published: `headings[i]` stands over the column ``c<i>`` of `frame`, every cell is text.

    `ROW` counts data rows from 1 (neither headings nor blank lines), through all sheets of a workbook. `uneven` are those
    whose number of cells differs from the number of headings, as (row, reason). `file_rows` are the numbers of the rows of
    `frame` as a spreadsheet shows them; `notices` are about the file as a whole, `cell_notes` numbered as in the file.
    """

    headings: list[str]
    frame: pl.DataFrame
    uneven: list[tuple[int, str]] = field(default_factory=list)
    file_rows: list[int] = field(default_factory=list)
    sheet: str | None = None
    notices: tuple[FileNotice, ...] = ()
    cell_notes: pl.DataFrame = field(default_factory=pl.DataFrame)


def read_tables(
    data: bytes, filename: str, score: Callable[[Sequence[str]], int], is_register: Callable[[Sequence[str]], bool]
) -> tuple[list[Table], list[str]]:
    """Read the tables of a file whose headings `is_register` knows, and the headings that were found in the others.

    `score` says how many headings of a row are known. The rows of several sheets are numbered through. Raises `Invalid`
    for a file that can't be read as a table, or breaks off.
    """
    tables: list[Table] = []
    others: list[str] = []
    first_row = 1
    for sheet in read_sheets(data, filename, score):
        if is_register(sheet.headings):
            tables.append(_table(sheet, first_row))
            first_row += tables[-1].frame.height
        else:
            others += sheet.headings
    if first_row - 1 > MOST_ROWS:
        raise too_many_rows(first_row - 1)
    return tables, others


def no_headings(filename: str, headings: Sequence[str], expected: str, message: str) -> Exception:
    """The refusal of a file without the headings of a register, with where they are looked for."""
    where = f"The headings are looked for in the first {HEADINGS_WITHIN} rows: delete what stands above them."
    quoted = ", ".join(heading for heading in headings if heading)[:200] or filename
    return refuse_file("FILE-04", quoted, f"{message} {where}", expected)


def _table(sheet: TextTable, first_row: int) -> Table:
    """The rows of a sheet down to the last that holds anything, numbered from `first_row`."""
    width = len(sheet.headings)
    cells = [f"c{place}" for place in range(width)]
    kept = _without_empty_end(sheet.frame.with_columns(pl.col(cells).fill_null("")), cells)
    numbers = {row: place for place, row in enumerate(kept[ROW].to_list(), first_row)}
    uneven = [
        (numbers[row], f"{count} cells under {width} headings: which is which is not sure.")
        for row, count in sheet.short_rows.items()
        if row in numbers
    ]
    for row, reason in kept.filter(pl.col(BROKEN).is_not_null()).select(ROW, BROKEN).iter_rows():
        code, _, words = reason.partition(" ")
        if code == CUT_SHORT:
            raise refuse_file(CUT_SHORT, f"row {row:,}", words, f"{width} cells in every row.")
        uneven.append((numbers[row], words))
    frame = kept.select(pl.Series(ROW, list(numbers.values()), dtype=pl.Int64), *cells)
    return Table(sheet.headings, frame, uneven, list(numbers), sheet.sheet, sheet.notices, sheet.cell_notes)


def _without_empty_end(frame: pl.DataFrame, cells: list[str]) -> pl.DataFrame:
    filled = frame.select(pl.any_horizontal(pl.col(cells).str.strip_chars() != "") | pl.col(BROKEN).is_not_null())
    places = filled.to_series().arg_true()
    return frame.head(places[-1] + 1 if len(places) else 0)
