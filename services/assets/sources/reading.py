"""Reading of a public register's file: its rows in our terms, and a note on every row and cell that is not plain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from services.assets.files.formats import ROW, refuse_file
from services.assets.sources.cells import KILOWATTS, read_text
from services.assets.sources.notes import SKIPPED_SCHEMA, Notes
from services.assets.sources.tables import Table, no_headings, read_tables
from services.assets.sources.wording import KINDS, Kind, read_headings
from services.core.errors import Invalid

UNREAD_FIELDS = ("capacity", "connected_on", "status", "export_mpan", "import_mpan", "easting", "northing")
LOST = frozenset(
    {
        "AREA_UNKNOWN", "COORDINATE_ALONE", "DATE_UNREADABLE", "MPAN_CHECK_DIGIT", "MPAN_DESTROYED", "MPAN_LENGTH",
        "MPAN_UNREADABLE", "NUMBER_AMBIGUOUS", "NUMBER_UNREADABLE", "POSTCODE_UNREADABLE", "STATUS_UNKNOWN",
        "TECHNOLOGY_UNKNOWN", "YES_NO_UNREADABLE",
    }
)  # fmt: skip
"""Codes of notes on cells that say something which wasn't read."""
EXAMPLES = 3
COLUMN_NOT_READ = "COLUMN_NOT_READ"
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
    "unread": pl.Struct(dict.fromkeys(UNREAD_FIELDS, pl.String)),
    "raw": pl.String,
}
"""The columns of `SourceReading.rows`, the same for every kind; null (or an empty list) where nothing is known.

Power in kW, storage in kWh; `easting` and `northing` in EPSG:27700 as given, `latitude` and `longitude` in WGS84 as
given or converted from them. `category` and `energy_source` are those of the first technology of a row, `categories` and
`energy_sources` those of all. `outcode` is the outward part of the postcode, also of one that is incomplete; `unread` has
the cells of which nothing could be read.
"""

_ANCHORS: dict[Kind, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ECR": (
        ("Energy Source 1 or Energy Conversion Technology 1", ("source_1", "technology_1")),
        (
            "a capacity such as Already connected Registered Capacity (MW)",
            ("connected_mw", "accepted_mw", "registered_mw_1", "connected_export_mw", "accepted_export_mw"),
        ),
        ("Connection Status or Licence Area", ("status", "licence_area")),
        (
            "Customer Site, an MPAN or a position",
            ("site_name", "export_mpan", "import_mpan", "easting", "latitude", "reference"),
        ),
    ),
    "REPD": (
        ("Ref ID", ("ref",)),
        ("Technology Type", ("technology_1",)),
        ("Development Status", ("status", "status_short")),
        ("Site Name, or a position", ("site_name", "easting", "latitude")),
    ),
}
"""A file is a register when it has one of the fields of each line: publishers leave out columns and name them anew."""
_FEWEST_FIELDS = 6
_NAMES: dict[Kind, str] = {
    "ECR": "an Embedded Capacity Register",
    "REPD": "the Renewable Energy Planning Database",
}


@dataclass(frozen=True, slots=True)
class SourceReading:
    """One file, read. `rows` has the columns of `COLUMNS`; taken and skipped rows are together the rows of the file.

    `skipped`: row, code, reason. `notes`: row (null: the whole column), column (the publisher's heading), given, code,
    message, and the reader's own name of the column. `counts`: rows, taken, skipped and notes (each by code, in
    alphabetical order), `unread` (headings of columns that aren't read) and `lost` (heading -> count and examples of values
    that couldn't be read).
    """

    kind: Kind
    rows: pl.DataFrame
    skipped: pl.DataFrame
    notes: pl.DataFrame
    counts: dict[str, Any]


def _missing(kind: Kind, headings: Sequence[str]) -> list[str]:
    """The anchors of a register that no heading holds."""
    positions = read_headings(kind, headings)
    return [name for name, fields in _ANCHORS[kind] if not any(field in positions for field in fields)]


def _is_register(kind: Kind, headings: Sequence[str]) -> bool:
    return not _missing(kind, headings) and len(read_headings(kind, headings)) >= _FEWEST_FIELDS


def _kind_of(headings: Sequence[str]) -> Kind | None:
    return next((kind for kind in KINDS if _is_register(kind, headings)), None)


def _count_known(headings: Sequence[str]) -> int:
    return max(len(read_headings(kind, headings)) for kind in KINDS)


def detect_kind(data: bytes, filename: str) -> Kind | None:
    """Detect the register of a file by its headings; None when it is neither or can't be read as a table."""
    try:
        tables, _others = read_tables(data, filename, _count_known, lambda cells: _kind_of(cells) is not None)
    except Invalid:
        return None
    return _kind_of(tables[0].headings) if tables else None


def register_tables(data: bytes, filename: str, kind: Kind) -> list[Table]:
    """The tables of a file that must be of `kind`; raises `Invalid` naming the headings that are missing."""
    tables, others = read_tables(
        data,
        filename,
        lambda cells: len(read_headings(kind, cells)),
        lambda cells: _is_register(kind, cells) and _kind_of(cells) == kind,
    )
    if tables:
        if not any(table.frame.height for table in tables):
            raise refuse_file("FILE-06", filename, "There are headings, but no data rows.", "At least one data row.")
        return tables
    other = _kind_of(others)
    expected = "; ".join(name for name, _fields in _ANCHORS[kind])
    message = (
        f"This is no edition of {_NAMES[kind]}: it has the headings of {_NAMES[other]}."
        if other and other != kind
        else f"This is no edition of {_NAMES[kind]}: no heading says {'; '.join(_missing(kind, others)) or expected}."
    )
    raise no_headings(filename, others, f"Among the headings: {expected}.", message)


def original_rows(table: Table) -> pl.DataFrame:
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
    plain = pl.all().exclude(ROW).str.replace_all(r"\s+", " ").str.strip_chars()
    same = pl.all_horizontal(pl.col(f"c{i}") == heading for i, heading in enumerate(table.headings))
    parts = [
        skipped_rows(empty[ROW], "EMPTY_ROW", "Every cell is empty."),
        skipped_rows(
            table.frame.with_columns(plain).filter(same)[ROW],
            "HEADINGS_REPEATED",
            "The headings once more.",
        ),
    ]
    passed = {*empty[ROW], *parts[1]["row"]}
    parts += [skipped_rows(pl.Series([row]), "UNEVEN_ROW", reason) for row, reason in table.uneven if row not in passed]
    return pl.concat(parts)


def skipped_rows(rows: pl.Series, code: str, reason: str) -> pl.DataFrame:
    """Rows left out for one reason."""
    texts = {"code": [code] * len(rows), "reason": [reason] * len(rows)}
    return pl.DataFrame({"row": rows.cast(pl.Int64), **texts}, schema=SKIPPED_SCHEMA)


def finish_reading(kind: Kind, total: int, rows: pl.DataFrame, left_out: pl.DataFrame, notes: Notes) -> SourceReading:
    """The reading, counted; checks that every row of the file is either taken or skipped, once."""
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in COLUMNS.items() if name not in rows.columns]
    lists = [name for name, kind in COLUMNS.items() if isinstance(kind, pl.List)]
    shaped = rows.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    shaped = shaped.with_columns(pl.col(lists).fill_null(pl.lit([], dtype=pl.List(pl.String)))).sort(ROW)
    left_out = left_out.sort(ROW)
    if sorted([*shaped[ROW], *left_out[ROW]]) != list(range(1, total + 1)):
        raise AssertionError("A row of the file is neither taken nor skipped, or both.")
    odd = notes.frame(shaped[ROW])
    unread = odd.filter(pl.col("code") == COLUMN_NOT_READ)["column"].unique(maintain_order=True).to_list()
    counts = {
        "rows": total,
        "taken": shaped.height,
        "skipped": _by_code(left_out),
        "notes": _by_code(odd),
        "unread": unread,
        "lost": _lost(odd),
    }
    return SourceReading(kind, shaped, left_out, odd, counts)


def note_columns(table: Table, positions: Mapping[str, int], fields: Sequence[str], notes: Notes) -> None:
    """Note the columns that hold something, and of which nothing is read."""
    read = {position for field, position in positions.items() if field in fields}
    for place, heading in enumerate(table.headings):
        filled = table.frame.select(read_text(pl.col(f"c{place}"))).to_series().drop_nulls()
        if place not in read and len(filled):
            message = f"Not read: kept with the row as it was given ({len(filled):,} cells)."
            notes.add_for_file(heading or f"column {place + 1}", COLUMN_NOT_READ, message, filled[0][:100])


def note_garbled(table: Table, positions: Mapping[str, int], notes: Notes) -> None:
    """Note the cells whose letters were garbled before they were written to the file."""
    rows = dict(zip(table.file_rows, table.frame[ROW], strict=True))
    fields = {position: field for field, position in positions.items()}
    for line, place, given, message in table.cell_notes.select(ROW, "column", "given", "message").iter_rows():
        if line in rows:
            cell = pl.DataFrame({ROW: [rows[line]], "given": [given]}, schema={ROW: pl.Int64, "given": pl.String})
            field = fields[place] if place in fields else table.headings[place]
            notes.add(cell, pl.lit(True), field, "TEXT_GARBLED", message, pl.col("given"))


def _lost(notes: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Heading -> how many values couldn't be read, and a few of them."""
    lost = notes.filter(pl.col("code").is_in(list(LOST)) & pl.col("given").is_not_null())
    grouped = lost.group_by("column", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("given").unique(maintain_order=True).head(EXAMPLES).str.head(100)
    )
    return {column: {"count": count, "examples": examples} for column, count, examples in grouped.iter_rows()}


def _by_code(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame.group_by("code").len().sort("code").iter_rows())
