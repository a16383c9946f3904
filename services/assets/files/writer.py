"""Writing rows of text to a file in the format in which they came, harmless in a spreadsheet."""

import json
import re
from pathlib import Path

import polars as pl

RISKY = r"^'*[=+\-@\t\r\n]"
"""Text that a spreadsheet would run; also what has apostrophes before that, of which reading takes one off again."""
_QUOTED = re.compile(r"'+[=+\-@\t\r\n]")
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"
MOST_SHEET_ROWS = 1_048_575


def disarm_formulas(column: str) -> pl.Expr:
    """Text that no spreadsheet runs: an apostrophe in front of what begins like a formula and is no number."""
    cell = pl.col(column)
    runs = cell.str.contains(RISKY) & ~cell.str.contains(_NUMBER)
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), cell)).otherwise(cell).alias(column)


def quoted_text(text: str) -> str:
    """Text for a cell that is text already: with one more apostrophe where reading would take one off."""
    return f"'{text}" if _QUOTED.match(text) else text


def write_table(path: Path, file_format: str, rows: pl.DataFrame) -> None:
    """Write rows of text under their headings; null is an empty cell, or no member in JSON lines."""
    match file_format:
        case "csv":
            with path.open("wb") as file:
                disarmed_rows = rows.select(disarm_formulas(name) for name in rows.columns)
                disarmed_rows.columns = (
                    pl.DataFrame({"heading": rows.columns}).select(disarm_formulas("heading"))["heading"].to_list()
                )
                disarmed_rows.write_csv(file, include_bom=True)
        case "xlsx":
            _write_workbook(path, rows)
        case "jsonl":
            with path.open("w", encoding="utf-8") as file:
                for row in rows.iter_rows(named=True):
                    members = {name: text for name, text in row.items() if text is not None}
                    file.write(json.dumps(members, ensure_ascii=False) + "\n")
        case "parquet":
            rows.write_parquet(path)
        case _:
            raise ValueError(file_format)


def _write_workbook(path: Path, rows: pl.DataFrame) -> None:
    """One sheet of text cells: text is never run."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Assets")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for place, heading in enumerate(rows.columns):
            sheet.write_string(0, place, heading, bold)
        for number, row in enumerate(rows.iter_rows(), 1):
            for place, text in enumerate(row):
                if text:
                    sheet.write_string(number, place, quoted_text(text))
