"""Workbooks and Parquet files to tables of text, opened by a process of their own: see `isolated_main` (UC-02.01, bulk)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from services.assets.files.formats import (
    BROKEN,
    DAY_ZERO,
    DISARMED,
    HEADINGS_WITHIN,
    MOST_COLUMNS,
    MOST_ROWS,
    ROW,
    FileNotice,
    Score,
    TextTable,
    Unanswered,
    heading_row,
    numbered_from,
    refuse_file,
    too_many_columns,
    too_many_rows,
)
from services.core.settings import ROOT

MOST_WAITED = 600
"""Seconds by the clock, on a machine that is busy."""
_DAY_ZERO_OF_OLD_MACS = date(1904, 1, 1)
_SMALLER = {
    "xlsx": "Delete what stands far away from the table, or save the rows as CSV and send that.",
    "parquet": "Send it in parts, or as CSV.",
}
_MOST_NAMED = 10
CHOICES_SHEET = "Lists"
"""The hidden sheet of our own template, from which cells are chosen: nobody misses it."""
_NO_REASON = pl.lit(None, dtype=pl.String)


def read_workbook(data: bytes, score: Score) -> list[TextTable]:
    """Read the visible sheets, in their order. Raises Invalid for what can't be opened."""
    with tempfile.TemporaryDirectory(prefix="fmar-") as place:
        folder = Path(place)
        answer = _run_isolated("xlsx", data, folder)
        sheets = [
            _sheet(pl.read_ipc(folder / f"{at}.arrow"), sheet_facts, score)
            for at, sheet_facts in enumerate(answer["sheets"])
            if sheet_facts["visible"]
        ]
    if not sheets:
        raise refuse_file("FILE-06", None, "The workbook has no sheet that can be seen.")
    day_zero = _DAY_ZERO_OF_OLD_MACS if answer["old_days"] else DAY_ZERO
    hidden = [sheet["name"] for sheet in answer["sheets"] if not sheet["visible"] and sheet["name"] != CHOICES_SHEET]
    notices = _hidden_sheets(hidden)
    return [replace(sheet, day_zero=day_zero, notices=(*notices, *sheet.notices)) for sheet in sheets]


def _hidden_sheets(names: list[str]) -> tuple[FileNotice, ...]:
    if not names:
        return ()
    quoted = ", ".join(f"“{name[:60]}”" for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    subject = "The sheet" if len(names) == 1 else "The sheets"
    verbs = "is hidden and isn't read" if len(names) == 1 else "are hidden and aren't read"
    return (FileNotice("FILE-20", f"{subject} {quoted}{more} {verbs}. Unhide what belongs to the file."),)


def _hidden_parts(facts: dict[str, Any], headings: list[str], frame: pl.DataFrame) -> tuple[FileNotice, ...]:
    """Notices of rows and columns of a sheet that are hidden, and read all the same."""
    notices = []
    numbers = frame.filter(pl.any_horizontal(pl.col("^c[0-9]+$").str.strip_chars() != ""))[ROW]
    rows = numbers.filter(numbers.is_in(facts["hidden_rows"])).to_list()
    if rows:
        named = ", ".join(map(str, rows[:_MOST_NAMED])) + (", …" if len(rows) > _MOST_NAMED else "")
        cause = "by a filter" if facts["filtered"] else "by hand or by a filter"
        subject = "1 row is" if len(rows) == 1 else f"{len(rows):,} rows are"
        message = f"{subject} hidden {cause} and read like the others: {named}. Delete what doesn't belong to the file."
        notices.append(FileNotice("FILE-19", message))
    columns = [headings[place] for place in facts["hidden_columns"] if 0 <= place < len(headings) and headings[place]]
    if columns:
        quoted = ", ".join(f"“{heading[:60]}”" for heading in columns[:_MOST_NAMED])
        message = f"Columns that are hidden are read like the others: {quoted}. Delete what doesn't belong to the file."
        notices.append(FileNotice("FILE-19", message))
    return tuple(notices)


def _with_percents(frame: pl.DataFrame, percent_cells: Mapping[str, list[int]]) -> pl.DataFrame:
    """The rows of a sheet with 95% where a cell shows that and holds 0.95."""
    for column, rows in percent_cells.items():
        name = f"c{column}"
        if name in frame.columns:
            number = pl.col(name).cast(pl.Float64, strict=False)
            shown = pl.concat_str((number * 100).round(10).cast(pl.String).str.strip_suffix(".0"), pl.lit("%"))
            marked = pl.col(ROW).is_in(rows) & number.is_not_null()
            frame = frame.with_columns(pl.when(marked).then(shown).otherwise(pl.col(name)).alias(name))
    return frame


def _sheet(read: pl.DataFrame, facts: dict[str, Any], score: Score) -> TextTable:
    top = [["" if cell is None else str(cell) for cell in row] for row in read.head(HEADINGS_WITHIN).rows()]
    if not top:
        return TextTable("xlsx", [], pl.DataFrame(schema={ROW: pl.Int64, BROKEN: pl.String}), facts["name"])
    headings, place = heading_row(top, score)
    body = read.slice(place + 1).select(
        pl.col(column).fill_null("").str.replace(DISARMED, "$1").alias(f"c{at}")
        for at, column in enumerate(read.columns[: len(headings)])
    )
    frame = body.with_row_index(ROW).with_columns(_NO_REASON.alias(BROKEN))
    frame = _with_percents(numbered_from(frame, place + 2), facts["percent_cells"])
    unanswered = tuple(Unanswered(*cell_facts) for cell_facts in facts["unanswered"])
    notices = _hidden_parts(facts, headings, frame) if headings else ()
    return TextTable("xlsx", headings, frame, facts["name"], unanswered=unanswered, notices=notices)


def read_parquet(data: bytes) -> TextTable:
    """Read a Parquet file; null is an empty cell. Raises Invalid for what can't be read."""
    with tempfile.TemporaryDirectory(prefix="fmar-") as place:
        answer = _run_isolated("parquet", data, Path(place))
        if answer["columns"] > MOST_COLUMNS:
            raise too_many_columns(answer["columns"])
        if answer["rows"] > MOST_ROWS:
            raise too_many_rows(answer["rows"])
        read = pl.read_ipc(Path(place) / "0.arrow")
    cells = [pl.col(name).fill_null("").alias(f"c{at}") for at, name in enumerate(read.columns)]
    frame = read.select(cells).with_row_index(ROW).with_columns(_NO_REASON.alias(BROKEN))
    unanswered = tuple(Unanswered(*cell_facts) for cell_facts in answer["unanswered"])
    return TextTable("parquet", list(read.columns), numbered_from(frame, 1), unanswered=unanswered)


def _run_isolated(kind: str, data: bytes, folder: Path) -> dict[str, Any]:
    """Run the isolated process on a file; it gets no variable of the environment that may hold a secret."""
    (folder / "given").write_bytes(data)
    command = [sys.executable, "-m", "services.assets.files.isolated_main", kind, str(folder)]
    passed = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  # our own module, and a folder that we made
            command, cwd=ROOT, env={**passed, "POLARS_MAX_THREADS": "2"}, capture_output=True, timeout=MOST_WAITED,
            check=False,
        )  # fmt: skip
        failed = done.returncode
    except subprocess.TimeoutExpired:
        failed = -1
    if failed < 0:
        message = f"Opening the file takes more memory or time than one file may. {_SMALLER[kind]}"
        raise refuse_file("FILE-07", None, message)
    if failed:
        raise refuse_file(
            "FILE-03", None, "The file can't be opened: it is damaged. Open it, save it anew, and send that."
        )
    answer = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    if "refused" in answer:
        raise refuse_file(*answer["refused"])
    return answer
