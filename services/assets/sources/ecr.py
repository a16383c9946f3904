"""The Embedded Capacity Register that every DNO publishes: generation, storage and demand of 50 kW or more."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from services.assets.files.formats import ROW
from services.assets.rules.mpan import mpan_dno_expr
from services.assets.sources.cells import day, note_day, postcodes, read_text, read_yes_no, tidy_table, with_power
from services.assets.sources.keys import with_keys
from services.assets.sources.mpans import FIELDS as MPAN_FIELDS
from services.assets.sources.mpans import with_mpans
from services.assets.sources.notes import Notes
from services.assets.sources.numbers import read_number_column
from services.assets.sources.places import note_outside, rounded_to_km, unread_metres, with_positions
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

_RANKS = (1, 2, 3)
_MWH = tuple(f"storage_mwh_{rank}" for rank in _RANKS)
_MW = (
    "connected_mw", "connected_export_mw", "connected_import_mw", "accepted_mw", "accepted_export_mw",
    "accepted_import_mw", *(f"registered_mw_{rank}" for rank in _RANKS),
)  # fmt: skip
_DATES = ("date_connected", "date_accepted", "date_target", "last_updated")
_FIELDS = [
    "export_mpan", "import_mpan", "site_name", "address_1", "address_2", "town", "county", "postcode", "country",
    "easting", "northing", "latitude", "longitude", "grid_supply_point", "licence_area", "flexible", "status",
    "reference", *(f"{part}_{rank}" for rank in _RANKS for part in ("source", "technology", "chp", "storage_hours")),
    *_MW, *_MWH, *_DATES,
]  # fmt: skip
_MOST_MW = 2_000
_MOST_MWH = 20_000
_MOST_HOURS = 1_000
_REACH = 3
"""Columns to both sides in which a status is looked for that has left its own."""


def read_ecr(data: bytes, filename: str) -> SourceReading:
    """Read an edition of a DNO's ECR, of a workbook all sheets that hold the headings.

    Raises `Invalid` when the file is no such register or breaks off.
    """
    return read_ecr_tables(register_tables(data, filename, "ECR"))


def read_ecr_tables(tables: Sequence[Table]) -> SourceReading:
    """Read the tables of an ECR."""
    readings = [_read_table(sheet) for sheet in tables]
    left_out = pl.concat([reading[1] for reading in readings])
    rows = pl.concat([reading[0] for reading in readings])
    notes = readings[0][2]
    for reading in readings[1:]:
        notes.extend(reading[2])
    keyed = with_keys(rows)
    nameless = keyed.filter(pl.col("key").is_null())
    reason = "No MPAN, no reference, no position and no site name: nothing identifies it."
    left_out = pl.concat([left_out, skipped_rows(nameless[ROW], "NOTHING_IDENTIFIES", reason)])
    total = sum(sheet.frame.height for sheet in tables)
    return finish_reading("ECR", total, keyed.filter(pl.col("key").is_not_null()), left_out, notes)


def _read_table(sheet: Table) -> tuple[pl.DataFrame, pl.DataFrame, Notes]:
    positions = read_headings("ECR", sheet.headings)
    notes = Notes({field: sheet.headings[position] for field, position in positions.items()})
    left_out = pl.concat([skip_rows(sheet), _shifted_rows(sheet, positions)]).unique("row", keep="first")
    raw = original_rows(sheet)
    readable = Table(sheet.headings, sheet.frame.filter(~pl.col(ROW).is_in(left_out[ROW].to_list())))
    note_columns(sheet, positions, _FIELDS, notes)
    note_garbled(sheet, positions, notes)
    frame = tidy_table(readable, positions, _FIELDS, notes).join(raw, on=ROW, maintain_order="left")
    frame = _plain(_area(frame, notes), read_units("ECR", sheet.headings, positions), notes)
    frame = with_positions(postcodes(frame, notes), notes)
    note_outside(frame, pl.lit(True), notes)
    if rounded_to_km(frame):
        notes.add_for_file("easting", "POSITION_ROUNDED", "All positions are rounded to 1 km: kept as given.")
    frame = with_mpans(frame, notes)
    cogeneration = [read_yes_no(pl.col(f"chp_{rank}")).alias(f"cogeneration_{rank}") for rank in _RANKS]
    frame = with_technology(frame.with_columns(cogeneration), "ECR", _RANKS, notes)
    return frame.with_columns(_unread()), left_out, notes


def _shifted_rows(sheet: Table, positions: Mapping[str, int]) -> pl.DataFrame:
    """Rows whose cells stand beside their headings: the status is none, and one stands in a column near by."""
    place = positions.get("status")
    if place is None:
        return skipped_rows(pl.Series([], dtype=pl.Int64), "SHIFTED_ROW", "")
    near = [at for at in range(place - _REACH, place + _REACH + 1) if 0 <= at < len(sheet.headings)]
    texts = sheet.frame.select(ROW, *(read_text(pl.col(f"c{at}")).alias(f"c{at}") for at in near))
    statuses = [line for line in table("statuses") if line["kind"] == "ECR"]
    known = {at: pl.col(f"c{at}").is_in(list(translate(texts[f"c{at}"], statuses, "given"))) for at in near}
    beside = pl.any_horizontal(known[at].fill_null(False) for at in near if at != place)
    lost = pl.col(f"c{place}").is_not_null() & ~known[place].fill_null(False)
    reason = "The cells stand under the wrong headings: a cell was put in or left out. Which is which is not sure."
    return skipped_rows(texts.filter(lost & beside)[ROW], "SHIFTED_ROW", reason)


def _unread() -> pl.Expr:
    """The cells of which nothing could be read, as they stood."""
    given = {
        "capacity": pl.coalesce("unread_connected_mw", "unread_accepted_mw"),
        "connected_on": pl.when(pl.col("connected_on").is_null()).then("date_connected"),
        "status": pl.when(pl.col("connection_status").is_null()).then("status_given"),
        **{field: pl.when(pl.col(f"{field}s").list.len() == 0).then(pl.col(field)) for field in MPAN_FIELDS},
        **{field: unread_metres(field) for field in ("easting", "northing")},
    }
    return pl.struct(expression.cast(pl.String).alias(name) for name, expression in given.items()).alias("unread")


def _area(frame: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Adds `dno_code` from the licence area in any spelling, else from the first MPAN."""
    areas = translate(frame["licence_area"], table("licence_areas"))
    named = look_up_part("licence_area", areas, "dno_code")
    first = pl.coalesce("export_mpan", "import_mpan").str.extract(r"(\d{13})", 1)
    frame = frame.with_columns(named=named, dno_code=pl.coalesce(named, mpan_dno_expr(first)))
    unknown = pl.col("licence_area").is_not_null() & pl.col("named").is_null()
    notes.add(frame, unknown, "licence_area", "AREA_UNKNOWN", "No licence area of this name.")
    derived = pl.col("named").is_null() & pl.col("dno_code").is_not_null()
    message = pl.format("Read as {} from the MPAN.", "dno_code")
    notes.add(frame, derived, "licence_area", "AREA_FROM_MPAN", message)
    return frame


def _note_plain(frame: pl.DataFrame, statuses: Mapping[str, Mapping], notes: Notes) -> None:
    unknown = pl.col("status").is_not_null() & ~pl.col("status").is_in(list(statuses))
    notes.add(frame, unknown, "status", "STATUS_UNKNOWN", "No status of this name: read as not known.")
    odd = pl.col("flexible").is_not_null() & read_yes_no(pl.col("flexible")).is_null()
    notes.add(frame, odd, "flexible", "YES_NO_UNREADABLE", "Neither yes nor no: read as not known.")
    for rank in _RANKS:
        _note_hours(frame, f"storage_hours_{rank}", notes)
    for field in _DATES:
        note_day(frame, field, notes)
    meter = pl.col("reference").str.contains(r"^\d{13}$")
    notes.add(frame, meter, "reference", "REFERENCE_IS_MPAN", "An MPAN in place of a reference: kept as given.")


def _plain(frame: pl.DataFrame, units: Mapping[str, str], notes: Notes) -> pl.DataFrame:
    """Adds what is one cell, or a choice between two: status, capacities, dates, yes or no, address."""
    statuses = translate(frame["status"], [line for line in table("statuses") if line["kind"] == "ECR"], "given")
    _note_plain(frame, statuses, notes)
    for field in (*_MW, *_MWH):
        most = _MOST_MWH if field in _MWH else _MOST_MW
        frame = with_power(frame, field, units.get(field, "M"), most, notes)
    status = look_up_part("status", statuses, "connection_status")
    address = ("address_1", "address_2", "town", "county")
    frame = frame.with_columns(
        status_given=pl.col("status"),
        connection_status=status,
        address=pl.concat_str(address, separator=", ", ignore_nulls=True),
        connected_on=day(pl.col("date_connected")),
        accepted_on=day(pl.col("date_accepted")),
        last_updated=day(pl.col("last_updated")),
        flexible=read_yes_no(pl.col("flexible")),
        other_references=pl.lit([], dtype=pl.List(pl.String)),
        storage_kwh=_sum_or_null(_MWH),
        registered_kw=_capacity("connected_mw", "accepted_mw"),
        export_kw=_capacity("connected_export_mw", "accepted_export_mw"),
        import_kw=_capacity("connected_import_mw", "accepted_import_mw"),
    )
    is_zero = pl.col("registered_kw") == 0
    field = "connected_mw"
    notes.add(frame, is_zero, field, "CAPACITY_ZERO", "A registered capacity of 0: read as not known.", pl.lit("0"))
    total = _sum_or_null(f"registered_mw_{rank}" for rank in _RANKS)
    registered = pl.when(pl.col("registered_kw") > 0).then("registered_kw")
    return frame.with_columns(
        registered_kw=pl.coalesce(registered, total),
        address=pl.when(pl.col("address") != "").then("address"),
    )


def _capacity(connected: str, accepted: str) -> pl.Expr:
    """kW of what is connected, or of what is accepted to connect, by the status of the row; else of whichever is there."""
    connected_kw, accepted_kw = pl.col(connected), pl.col(accepted)
    waiting = pl.col("status").str.to_lowercase().str.starts_with("accepted").fill_null(False)
    return (
        pl.when(waiting).then(pl.coalesce(accepted_kw, connected_kw)).otherwise(pl.coalesce(connected_kw, accepted_kw))
    )


def _sum_or_null(fields: Iterable[str]) -> pl.Expr:
    parts = [pl.col(field) for field in fields]
    any_given = pl.any_horizontal(part.is_not_null() for part in parts)
    total = pl.sum_horizontal(part.fill_null(0) for part in parts)
    return pl.when(any_given & (total > 0)).then(total)


def _note_hours(frame: pl.DataFrame, field: str, notes: Notes) -> None:
    read = read_number_column(frame[field]).numbers
    plausible = [text for text, number in read.items() if 0 <= number <= _MOST_HOURS]
    odd = pl.col(field).is_not_null() & ~pl.col(field).is_in(plausible)
    notes.add(
        frame, odd, field, "DURATION_UNLIKELY", f"No storage runs {_MOST_HOURS:,} hours: kept in the original only."
    )
