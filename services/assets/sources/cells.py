"""One cell at a time, for whole columns: text, numbers, dates, postcodes, yes and no."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from services.assets.files.formats import ROW
from services.assets.sources.notes import Notes
from services.assets.sources.numbers import LoneGroup, NumberColumn, read_number_column
from services.assets.sources.tables import Table
from services.assets.sources.wording import empty_words, squash_column
from services.grid.geography import place_elsewhere

KILOWATTS = pl.Decimal(14, 2)
_HUNDREDTH = Decimal("0.01")
_MOST = Decimal(10) ** 9
"""No number of a register reaches this, in whichever unit."""
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%Y/%m/%d")
_POSTCODE = r"^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$"
_OUTCODE = r"^([A-Z]{1,2}[0-9][A-Z0-9]?)"
_EXCEL_ZERO = r"^(?:0?[0-3]/01/1900|1900-01-0[0-3])"
"""What a spreadsheet shows for a date cell that holds 0, 1, 2 or 3: nobody's date."""

_ERROR_OF_SHEET = r"^(?:#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!))$"
_DAYS = r"^[2-5][0-9]{4}$"
"""Days since 1900 as a spreadsheet counts them, from 1954 to 2064."""

ZERO_IS_NOTHING = frozenset(
    {"export_mpan", "import_mpan", "site_name", "address_1", "address_2", "town", "county", "postcode", "country"}
)
"""Fields in which a bare 0 is a way of saying nothing."""


def read_text(cell: pl.Expr) -> pl.Expr:
    """The text of a cell: white space of every kind trimmed and joined, new lines as commas, null when it says nothing."""
    text = cell.str.strip_chars().str.replace_all(r"[\s\u00a0,]*[\r\n][\s\u00a0,]*", ", ")
    text = text.str.replace_all(r"[\s\u00a0]+", " ").str.strip_chars(" ,")
    word = squash_column(text)
    return pl.when((word != "") & ~word.is_in(empty_words()) & ~text.str.contains(_ERROR_OF_SHEET)).then(text)


def tidy_table(table: Table, positions: dict[str, int], fields: list[str], notes: Notes) -> pl.DataFrame:
    """`row`, and for each field its text and, as ``given_<field>``, the cell as it stood; null where the file has none.

    Notes every cell, read or not, that is filled without saying anything, and every one that had to be trimmed.
    """
    read = {position: field for field, position in positions.items()}
    frame = table.frame
    columns: list[pl.Expr] = [pl.col(ROW)]
    for field in fields:
        cell = pl.col(f"c{positions[field]}") if field in positions else pl.lit(None, dtype=pl.String)
        text = read_text(cell)
        if field in ZERO_IS_NOTHING:
            text = pl.when(~text.str.contains(r"^0(?:\.0+)?$")).then(text)
        columns += [text.alias(field), pl.when(cell != "").then(cell).alias(f"given_{field}")]
    tidy = frame.select(columns)
    for position, heading in enumerate(table.headings):
        _note_column(frame, tidy, f"c{position}", read.get(position), heading, notes)
    return tidy


def _note_column(
    frame: pl.DataFrame, tidy: pl.DataFrame, column: str, field: str | None, heading: str, notes: Notes
) -> None:
    cell = pl.col(column)
    if not frame.select((cell != "").any()).item():
        return
    blank = cell.str.contains(r"^[\s\u00a0]+$")
    notes.add(frame, blank, heading, "BLANK", "White space only: read as empty.", cell)
    text = tidy[field] if field in tidy.columns else frame.select(read_text(cell)).to_series()
    paired = frame.select(ROW, column).with_columns(text.alias("text"))
    empty = pl.col("text").is_null() & (cell != "") & ~blank
    notes.add(paired, empty, heading, "NOTHING_SAID", "Blank value: treated as blank.", cell)
    junk = cell.str.strip_chars().str.contains(_EXCEL_ZERO)
    notes.add(frame, junk, heading, "DATE_JUNK", "An empty date cell of a spreadsheet: read as not known.", cell)
    if field is not None:
        lines = cell.str.contains(r"[\r\n]") & ~blank
        notes.add(frame, lines, heading, "LINES_JOINED", "Several lines in one cell: joined with commas.", cell)
        padded = cell.str.contains(r"^[\s\u00a0]|[\s\u00a0]$") & ~blank & ~lines & ~empty
        notes.add(paired, padded, heading, "TRIMMED", "White space around the value: trimmed.", cell)


def with_numbers(frame: pl.DataFrame, field: str, notes: Notes, *, lone_group: LoneGroup = "ambiguous") -> pl.DataFrame:
    """The frame with a field as numbers; notes what is none, and what may be off by a thousand."""
    read = read_number_column(frame[field], lone_group=lone_group)
    values = {text: float(number) for text, number in read.numbers.items() if abs(number) < _MOST}
    _note_unread(frame, field, list(values), read, notes, "No number: read as not known.")
    text = pl.col(field)
    unread = pl.when(text.is_not_null() & ~text.is_in(list(values))).then(text).alias(f"unread_{field}")
    return frame.with_columns(unread, replaced(frame[field], values, pl.Float64).alias(field))


def with_power(frame: pl.DataFrame, field: str, unit: str, most: int, notes: Notes) -> pl.DataFrame:
    """The frame with a field in kW or kWh, to two places; a cell that says its own unit is read in that.

    `unit` of the others is ``k`` or ``M``. Notes what is no number of 0 or more, and what is over `most` MW or MWh.
    """
    symbol = "MWh" if "mwh" in field else "MW"
    base = f"k{symbol[1:]}"
    read = read_number_column(frame[field], unit=symbol if unit == "M" else base, target=base)
    values = {text: number.quantize(_HUNDREDTH) for text, number in read.numbers.items() if 0 <= number < _MOST}
    text = pl.col(field)
    _note_unread(frame, field, list(values), read, notes, "No number of 0 or more: read as not known.")
    message = "The cell says its own unit: read in that."
    notes.add(frame, text.is_in(sorted(read.converted & set(values))), field, "UNIT_IN_CELL", message)
    large = [text for text, value in values.items() if value > most * 1000]
    message = f"Over {most:,} {symbol}: kept; probably meant in {base}."
    notes.add(frame, pl.col(field).is_in(large), field, "CAPACITY_UNLIKELY", message)
    unread = pl.when(text.is_not_null() & ~text.is_in(list(values))).then(text)
    return frame.with_columns(unread.alias(f"unread_{field}"), replaced(frame[field], values, KILOWATTS).alias(field))


def replaced(texts: pl.Series, values: Mapping[str, Any], kind: Any) -> pl.Series:
    """A column of texts with the value of each; null for a text that has none."""
    return texts.replace_strict(
        pl.Series(list(values), dtype=pl.String), pl.Series(list(values.values()), dtype=kind), default=None
    ).cast(kind)


def _note_unread(
    frame: pl.DataFrame, field: str, values: list[str], read: NumberColumn, notes: Notes, message: str
) -> None:
    text = pl.col(field)
    ambiguous = text.is_in(list(read.ambiguous))
    notes.add(frame, text.is_not_null() & ~text.is_in(values) & ~ambiguous, field, "NUMBER_UNREADABLE", message)
    message = "The comma may part thousands or decimals: read as not known. Write decimals after a point."
    notes.add(frame, ambiguous, field, "NUMBER_AMBIGUOUS", message)


def day(text: pl.Expr) -> pl.Expr:
    """A date in the formats that registers use, time of day dropped; null for junk, which is 1900 and before."""
    plain = text.str.replace(r"[ T]\d{1,2}:\d{2}.*$", "")
    value = pl.coalesce(plain.str.to_date(form, strict=False) for form in _DATE_FORMATS)
    days = pl.when(plain.str.contains(_DAYS)).then(plain).cast(pl.Int64, strict=False)
    counted = pl.lit(date(1899, 12, 30)) + pl.duration(days=days)
    # A year of other than four digits is a slip that some formats would still read.
    whole = plain.str.contains(r"(?:^|\D)\d{4}(?:\D|$)")
    return pl.when(days.is_not_null()).then(counted).when(whole & value.dt.year().is_between(1901, 2100)).then(value)


def note_day(frame: pl.DataFrame, field: str, notes: Notes) -> None:
    """Note what is no date."""
    unread = pl.col(field).is_not_null() & day(pl.col(field)).is_null() & ~pl.col(field).str.contains(_EXCEL_ZERO)
    notes.add(frame, unread, field, "DATE_UNREADABLE", "No date: read as not known.")
    message = pl.format("A number of days, as spreadsheets keep dates: read as {}.", day(pl.col(field)))
    notes.add(frame, pl.col(field).str.contains(_DAYS), field, "DATE_AS_NUMBER", message)


def read_yes_no(text: pl.Expr) -> pl.Expr:
    """Yes and no in all their spellings; null otherwise."""
    word = squash_column(text)
    return (
        pl.when(word.is_in(["yes", "y", "true", "1"]))
        .then(True)
        .when(word.is_in(["no", "n", "false", "0"]))
        .then(False)
    )


def postcodes(frame: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Adds `outcode`, and `postcode` normalised: upper case, one space before the last three, letters O and zeros mended.

    A zero stands for the letter O in front of the outward code (C012 5NB) and the letter O for a zero at the start of
    the inward code (SG12 OES). A postcode that stays incomplete gives its outward code only.
    """
    compact = pl.col("postcode").str.to_uppercase().str.replace_all(r"[\s.,;:-]", "")
    mended = compact.str.replace(r"^([A-Z])0([0-9])", "${1}O${2}").str.replace(r"O([A-Z]{2})$", "0${1}")
    whole = pl.when(compact.str.contains(_POSTCODE)).then(compact).when(mended.str.contains(_POSTCODE)).then(mended)
    worked = frame.with_columns(whole=whole, compact=compact)
    elsewhere = {text: words for text in worked["compact"].drop_nulls().unique() if (words := place_elsewhere(text))}
    worked = worked.with_columns(replaced(worked["compact"], elsewhere, pl.String).alias("elsewhere"))
    message = pl.format("{} is {}.", pl.col("postcode"), pl.col("elsewhere"))
    is_elsewhere = pl.col("compact").is_in(list(elsewhere))
    notes.add(worked, is_elsewhere, "postcode", "POSTCODE_ELSEWHERE", message)
    spaced = pl.col("whole").str.replace(r"^(.*)(...)$", "${1} ${2}")
    # Without an inward code, the last digit may start one (PE37 7): only what stands before the space is sure.
    first = pl.col("postcode").str.to_uppercase().str.extract(_OUTCODE + r"(?:\s|$)", 1)
    worked = worked.with_columns(new=spaced, outcode=pl.coalesce(pl.col("whole").str.replace(r"...$", ""), first))
    respaced = pl.col("new") != pl.col("postcode").str.to_uppercase()
    message = pl.format("Read as {}.", pl.col("new"))
    notes.add(worked, respaced, "postcode", "POSTCODE_MENDED", message)
    partial = pl.col("postcode").is_not_null() & pl.col("new").is_null() & ~is_elsewhere
    message = pl.format("Only the outward code {} can be read.", pl.col("outcode"))
    notes.add(worked, partial & pl.col("outcode").is_not_null(), "postcode", "POSTCODE_PARTIAL", message)
    message = "No postcode: read as not known."
    notes.add(worked, partial & pl.col("outcode").is_null(), "postcode", "POSTCODE_UNREADABLE", message)
    return worked.with_columns(postcode=pl.col("new")).drop("whole", "compact", "new", "elsewhere")
