"""The Renewable Energy Planning Database: projects of 150 kW or more by their way through planning, not by connection."""

from collections.abc import Sequence

import polars as pl

from services.assets.files.formats import ROW
from services.assets.sources.cells import day, note_day, postcodes, read_yes_no, tidy_table, with_power
from services.assets.sources.elsewhere import places_elsewhere
from services.assets.sources.notes import Notes
from services.assets.sources.places import note_outside, unread_metres, with_positions
from services.assets.sources.reading import (
    SourceReading,
    finish_reading,
    note_columns,
    note_garbled,
    original_rows,
    register_tables,
    skip_rows,
    skipped_rows,
)
from services.assets.sources.tables import Table
from services.assets.sources.technology import with_technology
from services.assets.sources.wording import look_up_part, read_headings, read_units, table, translate

_FIELDS = [
    "old_ref", "ref", "last_updated", "site_name", "technology_1", "source_1", "installed_mw", "chp_1", "status",
    "status_short", "address_1", "county", "country", "postcode", "easting", "northing", "latitude", "longitude",
    "region", "date_submitted", "date_connected",
]  # fmt: skip
_MOST_MW = 5_000


def read_repd(data: bytes, filename: str) -> SourceReading:
    """Read an edition of the REPD (CSV or XLSX). Rows of Northern Ireland are left out: another register's country,
    and their coordinates are of the Irish grid. Raises `Invalid` when the file is no REPD or breaks off.
    """
    return read_repd_tables(register_tables(data, filename, "REPD"))


def read_repd_tables(tables: Sequence[Table]) -> SourceReading:
    """Read the table of a REPD; of a workbook, the first sheet that holds the headings."""
    sheet = tables[0]
    positions = read_headings("REPD", sheet.headings)
    notes = Notes({field: sheet.headings[position] for field, position in positions.items()})
    left_out = skip_rows(sheet)
    raw = original_rows(sheet)
    readable = Table(sheet.headings, sheet.frame.filter(~pl.col(ROW).is_in(left_out[ROW].to_list())))
    note_columns(sheet, positions, _FIELDS, notes)
    note_garbled(sheet, positions, notes)
    frame = tidy_table(readable, positions, _FIELDS, notes).join(raw, on=ROW, maintain_order="left")
    left_out = pl.concat([left_out, _find_left_out(frame)])
    frame = frame.filter(~pl.col(ROW).is_in(left_out[ROW].to_list()))
    frame = _plain(frame, read_units("REPD", sheet.headings, positions).get("installed_mw", "M"), notes)
    frame = with_positions(postcodes(frame, notes), notes)
    frame = frame.with_columns(cogeneration_1=read_yes_no(pl.col("chp_1")), dno_code=pl.lit(None, dtype=pl.String))
    note_outside(frame, ~pl.col("region").str.to_lowercase().eq("offshore").fill_null(False), notes)
    frame = with_technology(frame, "REPD", (1,), notes).with_columns(_unread())
    return finish_reading("REPD", sheet.frame.height, frame, left_out, notes)


def _unread() -> pl.Expr:
    """The cells of which nothing could be read, as they stood."""
    given = {
        "capacity": pl.col("unread_installed_mw"),
        "connected_on": pl.when(pl.col("connected_on").is_null() & (pl.col("connection_status") == "CONNECTED")).then(
            "date_connected"
        ),
        **dict.fromkeys(("status", "export_mpan", "import_mpan"), pl.lit(None)),
        **{field: unread_metres(field) for field in ("easting", "northing")},
    }
    return pl.struct(expression.cast(pl.String).alias(name) for name, expression in given.items()).alias("unread")


def _find_left_out(frame: pl.DataFrame) -> pl.DataFrame:
    places = (*places_elsewhere(),)
    elsewhere = pl.any_horizontal(condition for condition, _code, _reason in places)
    nameless = pl.col("ref").is_null() & ~elsewhere
    again = pl.col("ref").is_not_null() & (pl.col("ref").cum_count().over("ref") > 1) & ~elsewhere
    reasons = (
        *places,
        (nameless, "NOTHING_IDENTIFIES", "No Ref ID: nothing identifies the record."),
        (again, "REFERENCE_AGAIN", "A Ref ID that stands on an earlier row."),
    )
    return pl.concat([skipped_rows(frame.filter(condition)[ROW], code, reason) for condition, code, reason in reasons])


def _plain(frame: pl.DataFrame, unit: str, notes: Notes) -> pl.DataFrame:
    """Adds what is one cell: key, status, capacity, dates, address."""
    statuses = translate(frame["status"], [line for line in table("statuses") if line["kind"] == "REPD"], "given")
    unknown = pl.col("status").is_not_null() & ~pl.col("status").is_in(list(statuses))
    notes.add(frame, unknown, "status", "STATUS_UNKNOWN", "No status of this name: read as not known.")
    odd = pl.col("chp_1").is_not_null() & read_yes_no(pl.col("chp_1")).is_null()
    notes.add(frame, odd, "chp_1", "YES_NO_UNREADABLE", "Neither yes nor no: read as not known.")
    frame = with_power(frame, "installed_mw", unit, _MOST_MW, notes)
    for field in ("last_updated", "date_connected"):
        note_day(frame, field, notes)
    installed = pl.col("installed_mw")
    operational = look_up_part("status", statuses, "connection_status") == "CONNECTED"
    return frame.with_columns(
        key=pl.format("REPD:{}", "ref"),
        site_key=pl.format("REPD:{}", "ref"),
        reference=pl.col("ref"),
        other_references=pl.concat_list("old_ref").list.drop_nulls(),
        status_given=pl.col("status"),
        connection_status=look_up_part("status", statuses, "connection_status"),
        address=pl.concat_str("address_1", "county", separator=", ", ignore_nulls=True).replace("", None),
        registered_kw=pl.when(installed > 0).then(installed),
        connected_on=pl.when(operational).then(day(pl.col("date_connected"))),
        last_updated=day(pl.col("last_updated")),
    )
