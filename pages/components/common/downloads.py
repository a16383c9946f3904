"""Rows as a CSV file to download, in which no cell can be run as a spreadsheet formula."""

import csv
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

RUNS = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """UTF-8 with a byte order mark, which spreadsheets ask for; headings from the first row."""
    text = io.StringIO()
    writer = csv.writer(text)
    if rows:
        writer.writerow(list(rows[0]))
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(RUNS) else value


def file_maker(write: Callable[[Path], object], ending: str) -> Callable[[], bytes]:
    """Deferred content of a download button: bytes of the file that `write` writes, made when the button is pressed."""

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file.{ending}"
            write(path)
            return path.read_bytes()

    return make
