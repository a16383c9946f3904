"""Spreadsheet fixes: a table of assets put right where it is sure, and named where it isn't (UC-02.01, bulk)."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from services.assets.bulk.upload.column_mapping import ASSET_ID
from services.assets.files.formats import BROKEN, ROW, TextTable, refuse_file
from services.assets.rules.schemas import CORE

DAYS = r"^[1-9][0-9]{4}$"
"""Days since 1900 as a workbook counts them, from 1927 to 2173."""
TOTALS = r"(?i)^\s*(grand|sub|over)?[\s-]*(all[\s-]*)?(totals?|sums?)(\s+of\s.*)?\s*:?\s*$"
_NAMES = ("AssetName", "AssetCategory", ASSET_ID)
_NUMBER = r"^[\s£]*-?[0-9][0-9,.\s]*(kW|MW|kWh)?\s*$"


def fix_spreadsheet_rows(table: TextTable, read: Mapping[int, str]) -> TextTable:
    """The table with dates for numbers of days (in a workbook), and its rows that are no assets, or whose cells show no
    value, marked as such. `read` says which column holds which term. Raises Invalid where two sheets hold assets.
    """
    if table.rivals:
        names = ", ".join(f"“{name}”" for name in (table.sheet or "", *table.rivals))
        message = f"The sheets {names} all hold assets, and one is read. Put them on one sheet, or send each as a file."
        raise refuse_file("FILE-17", names[:200], message)
    frame = table.frame
    if table.file_format == "xlsx":
        frame = _dated(frame, table, read)
    if table.file_format in ("csv", "xlsx"):
        totals = _totals(frame, read)
        words = "FILE-14 The row seems to be a total of others and no asset. Leave it out."
        frame = _mark(frame, pl.col(ROW).is_in(totals), words) if totals else frame
    for row, words in _unanswered(table, read).items():
        frame = _mark(frame, pl.col(ROW) == row, words)
    return replace(table, frame=frame)


def _mark(frame: pl.DataFrame, where: pl.Expr, words: str) -> pl.DataFrame:
    reason = pl.when(pl.col(BROKEN).is_null() & where).then(pl.lit(words)).otherwise(pl.col(BROKEN))
    return frame.with_columns(reason.alias(BROKEN))


def _dated(frame: pl.DataFrame, table: TextTable, read: Mapping[int, str]) -> pl.DataFrame:
    """Dates whose cells weren't formatted as dates: in a workbook, such a number can mean nothing else."""
    places = [place for place, term in read.items() if term in CORE and CORE[term].kind == "date"]
    zero = pl.lit(table.day_zero)
    dates = []
    for place in places:
        text = pl.col(f"c{place}").str.strip_chars()
        days = pl.when(text.str.contains(DAYS)).then(text).cast(pl.Int64, strict=False)
        day = (zero + pl.duration(days=days)).dt.strftime("%Y-%m-%d")
        dates.append(pl.when(days.is_not_null()).then(day).otherwise(pl.col(f"c{place}")).alias(f"c{place}"))
    return frame.with_columns(dates) if dates else frame


def _totals(frame: pl.DataFrame, read: Mapping[int, str]) -> list[int]:
    """The numbers of rows that leave most cells empty and begin with the word; or the last, where it has numbers alone."""
    cells = [name for name in frame.columns if name not in (ROW, BROKEN)]
    sparse = pl.sum_horizontal(pl.col(cells).str.len_bytes() > 0) * 2 <= len(cells)
    rows = frame.filter(sparse)
    if not rows.height:
        return []
    filled = {name: pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in cells}
    named = [column for name, column in filled.items() if read.get(int(name[1:])) in _NAMES]
    anonymous = pl.all_horizontal(column.is_null() for column in named) if named else pl.lit(False)
    numbers = pl.all_horizontal(column.str.contains(_NUMBER).fill_null(True) for column in filled.values())
    last = (pl.col(ROW) == frame[ROW].max()) & pl.lit(frame.height > 1)
    is_total = pl.coalesce(list(filled.values())).str.contains(TOTALS).fill_null(False)
    return rows.filter(is_total | (anonymous & numbers & last))[ROW].to_list()


def _unanswered(table: TextTable, read: Mapping[int, str]) -> dict[int, str]:
    """Rows in which a column that is read holds no value but a formula or an error: left empty, it would clear a value."""
    reasons: dict[int, str] = {}
    for cell in table.unanswered:
        if cell.column in read:
            message = f"FILE-16 The cell {cell.cell} under {read[cell.column]} holds {cell.what}. {cell.remedy}"
            reasons.setdefault(cell.row, message)
    return reasons
