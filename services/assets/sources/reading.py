"""Reading of a public register's file: its rows in our terms, and a note on every row and cell that is not plain."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from services.assets.sources.cells import KILOWATTS
from services.assets.sources.notes import SKIPPED_SCHEMA, Notes
from services.assets.sources.tables import ROW, Table, read_tables, refuse
from services.assets.sources.wording import KINDS, Kind, read_headings
from services.core.errors import Invalid

COLUMNS: dict[str, Any] = {
    "row": pl.Int64,
    "key": pl.String,
    "site_key": pl.String,
    "site_name": pl.String,
    "address": pl.String,
    "postcode": pl.String,
    "outcode": pl.String,
    "country": pl.String,
    "export_mpans": pl.List(pl.String),
    "import_mpans": pl.List(pl.String),
    "invalid_mpans": pl.List(pl.String),
    "easting": pl.Float64,
    "northing": pl.Float64,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "grid_supply_point": pl.String,
    "dno_code": pl.String,
    "category": pl.String,
    "energy_source": pl.String,
    "categories": pl.List(pl.String),
    "energy_sources": pl.List(pl.String),
    "technology_given": pl.String,
    "registered_kw": KILOWATTS,
    "export_kw": KILOWATTS,
    "import_kw": KILOWATTS,
    "storage_kwh": KILOWATTS,
    "connection_status": pl.String,
    "status_given": pl.String,
    "flexible": pl.Boolean,
    "connected_on": pl.Date,
    "accepted_on": pl.Date,
    "last_updated": pl.Date,
    "reference": pl.String,
    "other_references": pl.List(pl.String),
    "raw": pl.String,
}
"""The columns of `SourceReading.rows`, the same for every kind; null (or an empty list) where nothing is known.

Power in kW, storage in kWh; `easting` and `northing` in EPSG:27700 as given, `latitude` and `longitude` in WGS84 as
given or converted from them. `category` and `energy_source` are those of the first technology of a row, `categories` and
`energy_sources` those of all. `outcode` is the outward part of the postcode, also of one that is incomplete.
"""

_NEEDED: dict[Kind, tuple[tuple[str, str], ...]] = {
    "ECR": (
        ("site_name", "Customer Site"),
        ("source_1", "Energy Source 1"),
        ("status", "Connection Status"),
        ("licence_area", "Licence Area"),
    ),
    "REPD": (
        ("ref", "Ref ID"),
        ("site_name", "Site Name"),
        ("technology_1", "Technology Type"),
        ("status", "Development Status"),
        ("country", "Country"),
    ),
}
_NAMES: dict[Kind, str] = {
    "ECR": "an Embedded Capacity Register",
    "REPD": "the Renewable Energy Planning Database",
}


@dataclass(frozen=True, slots=True)
class SourceReading:
    """One file, read. `rows` has the columns of `COLUMNS`; taken and skipped rows are together the rows of the file.

    `skipped`: row, code, reason. `notes`: row (null: the whole column), column (the publisher's heading), given, code,
    message. `counts`: rows, taken, skipped and notes (each by code, in alphabetical order).
    """

    kind: Kind
    rows: pl.DataFrame
    skipped: pl.DataFrame
    notes: pl.DataFrame
    counts: dict[str, Any]


def _kind_of(headings: list[str]) -> Kind | None:
    for kind in KINDS:
        positions = read_headings(kind, headings)
        if all(field in positions for field, _ in _NEEDED[kind]):
            return kind
    return None


def detect_kind(data: bytes, filename: str) -> Kind | None:
    """Detect the register of a file by its headings; None when it is neither or can't be read as a table."""
    try:
        tables = read_tables(data, filename, lambda cells: _kind_of(cells) is not None)
    except Invalid:
        return None
    return _kind_of(tables[0].headings) if tables else None


def register_tables(data: bytes, filename: str, kind: Kind) -> list[Table]:
    """The tables of a file that must be of `kind`; raises `Invalid` naming the headings that are missing."""
    tables = read_tables(data, filename, lambda cells: _kind_of(cells) == kind)
    if tables:
        if not any(table.frame.height for table in tables):
            raise refuse("FILE-06", filename, "At least one data row.", "There are headings, but no data rows.")
        return tables
    nearest: list[str] = []
    read_tables(data, filename, lambda cells: nearest.extend(cells if not nearest and any(cells) else ()) or False)
    positions = read_headings(kind, nearest)
    missing = [heading for field, heading in _NEEDED[kind] if field not in positions]
    expected = ", ".join(heading for _, heading in _NEEDED[kind])
    other = _kind_of(nearest)
    message = (
        f"This is no edition of {_NAMES[kind]}: it has the headings of {_NAMES[other]}."
        if other and other != kind
        else f"This is no edition of {_NAMES[kind]}: no row of headings with {', '.join(missing)}."
    )
    raise refuse("FILE-04", ", ".join(nearest)[:200], f"Among the headings: {expected}.", message)


def originals(table: Table) -> pl.DataFrame:
    """`row` and `raw`: each row as JSON text, heading -> cell exactly as given, empty cells left out."""
    occurrences: dict[str, int] = {}
    members: list[pl.Expr] = []
    for position, heading in enumerate(table.headings):
        occurrences[heading] = occurrences.get(heading, 0) + 1
        name = heading if occurrences[heading] == 1 else f"{heading} ({occurrences[heading]})"
        cell = pl.col(f"c{position}")
        member = pl.struct(cell.alias(name)).struct.json_encode()
        members.append(pl.when(cell != "").then(member.str.strip_prefix("{").str.strip_suffix("}")))
    body = pl.concat_str(members, separator=",", ignore_nulls=True)
    return table.frame.select(ROW, pl.concat_str(pl.lit("{"), body, pl.lit("}")).alias("raw"))


def skip_rows(table: Table) -> pl.DataFrame:
    """The rows of a table that can't be read whatever the register: empty, uneven, or the headings once more."""
    cells = pl.all().exclude(ROW)
    empty = table.frame.filter(pl.all_horizontal(cells.str.strip_chars() == ""))
    same = pl.all_horizontal(pl.col(f"c{i}") == heading for i, heading in enumerate(table.headings))
    parts = [
        skipped(empty[ROW], "EMPTY_ROW", "Every cell is empty."),
        skipped(table.frame.filter(same)[ROW], "HEADINGS_REPEATED", "The headings once more."),
    ]
    width = len(table.headings)
    for row, count in table.uneven:
        if row not in empty[ROW]:
            parts.append(
                skipped(
                    pl.Series([row]), "UNEVEN_ROW", f"{count} cells under {width} headings: which is which is not sure."
                )
            )
    return pl.concat(parts)


def skipped(rows: pl.Series, code: str, reason: str) -> pl.DataFrame:
    """Rows left out for one reason."""
    texts = {"code": [code] * len(rows), "reason": [reason] * len(rows)}
    return pl.DataFrame({"row": rows.cast(pl.Int64), **texts}, schema=SKIPPED_SCHEMA)


def finished(kind: Kind, total: int, rows: pl.DataFrame, left_out: pl.DataFrame, notes: Notes) -> SourceReading:
    """The reading, counted; checks that every row of the file is either taken or skipped, once."""
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in COLUMNS.items() if name not in rows.columns]
    lists = [name for name, kind in COLUMNS.items() if isinstance(kind, pl.List)]
    shaped = rows.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    shaped = shaped.with_columns(pl.col(lists).fill_null(pl.lit([], dtype=pl.List(pl.String)))).sort(ROW)
    left_out = left_out.sort(ROW)
    if sorted([*shaped[ROW], *left_out[ROW]]) != list(range(1, total + 1)):
        raise AssertionError("A row of the file is neither taken nor skipped, or both.")
    odd = notes.frame(shaped[ROW])
    counts = {
        "rows": total,
        "taken": shaped.height,
        "skipped": _by_code(left_out),
        "notes": _by_code(odd),
    }
    return SourceReading(kind, shaped, left_out, odd, counts)


def _by_code(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame.group_by("code").len().sort("code").iter_rows())
