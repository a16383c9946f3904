"""One cell at a time, for whole columns: text, numbers, dates, postcodes, yes and no."""

import polars as pl

from services.assets.sources.notes import Notes
from services.assets.sources.tables import ROW, Table
from services.assets.sources.wording import squashed, ways_of_saying_nothing

KILOWATTS = pl.Decimal(14, 2)
_FINE = pl.Decimal(24, 8)
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%Y/%m/%d")
_POSTCODE = r"^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$"
_OUTCODE = r"^([A-Z]{1,2}[0-9][A-Z0-9]?)"
_EXCEL_ZERO = r"^(?:0?[0-3]/01/1900|1900-01-0[0-3])"
"""What a spreadsheet shows for a date cell that holds 0, 1, 2 or 3: nobody's date."""

ZERO_IS_NOTHING = frozenset(
    {"export_mpan", "import_mpan", "site_name", "address_1", "address_2", "town", "county", "postcode", "country"}
)
"""Fields in which a bare 0 is a way of saying nothing."""


def said(cell: pl.Expr) -> pl.Expr:
    """The text of a cell: white space of every kind trimmed and joined, new lines as commas, null when it says nothing."""
    text = cell.str.strip_chars().str.replace_all(r"[\s\u00a0,]*[\r\n][\s\u00a0,]*", ", ")
    text = text.str.replace_all(r"[\s\u00a0]+", " ").str.strip_chars(" ,")
    word = squashed(text)
    return pl.when((word != "") & ~word.is_in(ways_of_saying_nothing())).then(text)


def tidied(table: Table, positions: dict[str, int], fields: list[str], notes: Notes) -> pl.DataFrame:
    """`row`, and for each field its text and, as ``given_<field>``, the cell as it stood; null where the file has none.

    Notes every cell, read or not, that is filled without saying anything, and every one that had to be trimmed.
    """
    read = {position: field for field, position in positions.items()}
    frame = table.frame
    columns: list[pl.Expr] = [pl.col(ROW)]
    for field in fields:
        cell = pl.col(f"c{positions[field]}") if field in positions else pl.lit(None, dtype=pl.String)
        text = said(cell)
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
    text = tidy[field] if field in tidy.columns else frame.select(said(cell)).to_series()
    paired = frame.select(ROW, column).with_columns(text.alias("text"))
    empty = pl.col("text").is_null() & (cell != "") & ~blank
    notes.add(paired, empty, heading, "NOTHING_SAID", "A way of saying nothing: read as not known.", cell)
    junk = cell.str.strip_chars().str.contains(_EXCEL_ZERO)
    notes.add(frame, junk, heading, "DATE_JUNK", "An empty date cell of a spreadsheet: read as not known.", cell)
    if field is not None:
        lines = cell.str.contains(r"[\r\n]") & ~blank
        notes.add(frame, lines, heading, "LINES_JOINED", "Several lines in one cell: joined with commas.", cell)
        padded = cell.str.contains(r"^[\s\u00a0]|[\s\u00a0]$") & ~blank & ~lines & ~empty
        notes.add(paired, padded, heading, "TRIMMED", "White space around the value: trimmed.", cell)


def number(text: pl.Expr) -> pl.Expr:
    """A number written with or without thousands commas; null when it is none."""
    return text.str.replace_all(r"[, ]", "").cast(pl.Float64, strict=False).fill_nan(None)


def kilo(text: pl.Expr) -> pl.Expr:
    """MW to kW, MWh to kWh: exact decimals to two places; null when the cell holds no number or a negative one."""
    digits = text.str.replace_all(r"[, ]", "")
    plain = digits.str.extract(r"^(\d+(?:\.\d{0,8})?)", 1)
    value = plain.str.strip_suffix(".").cast(_FINE, strict=False)
    return pl.when(digits.str.contains(r"^\d+(?:\.\d*)?$")).then((value * 1000).round(2).cast(KILOWATTS, strict=False))


def note_kilo(frame: pl.DataFrame, field: str, most: int, unit: str, notes: Notes) -> None:
    """Note what is no number, and what can hardly be meant in MW or MWh (`unit`)."""
    text = pl.col(field)
    unread = text.is_not_null() & kilo(text).is_null()
    notes.add(frame, unread, field, "NUMBER_UNREADABLE", "No number of 0 or more: read as not known.")
    large = kilo(text) > most * 1000
    notes.add(frame, large, field, "CAPACITY_UNLIKELY", f"Over {most:,} {unit}: kept; probably meant in k{unit[1:]}.")


def day(text: pl.Expr) -> pl.Expr:
    """A date in the formats that registers use, time of day dropped; null for junk, which is 1900 and before."""
    plain = text.str.replace(r"[ T]\d{1,2}:\d{2}.*$", "")
    value = pl.coalesce(plain.str.to_date(form, strict=False) for form in _DATE_FORMATS)
    # A year of other than four digits is a slip that some formats would still read.
    whole = plain.str.contains(r"(?:^|\D)\d{4}(?:\D|$)")
    return pl.when(whole & value.dt.year().is_between(1901, 2100)).then(value)


def note_day(frame: pl.DataFrame, field: str, notes: Notes) -> None:
    """Note what is no date."""
    unread = pl.col(field).is_not_null() & day(pl.col(field)).is_null() & ~pl.col(field).str.contains(_EXCEL_ZERO)
    notes.add(frame, unread, field, "DATE_UNREADABLE", "No date: read as not known.")


def yes(text: pl.Expr) -> pl.Expr:
    """Yes and no in all their spellings; null otherwise."""
    word = squashed(text)
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
    spaced = pl.col("whole").str.replace(r"^(.*)(...)$", "${1} ${2}")
    # Without an inward code, the last digit may start one (PE37 7): only what stands before the space is sure.
    first = pl.col("postcode").str.to_uppercase().str.extract(_OUTCODE + r"(?:\s|$)", 1)
    worked = worked.with_columns(new=spaced, outcode=pl.coalesce(pl.col("whole").str.replace(r"...$", ""), first))
    respaced = pl.col("new") != pl.col("postcode").str.to_uppercase()
    message = pl.format("Read as {}.", pl.col("new"))
    notes.add(worked, respaced, "postcode", "POSTCODE_MENDED", message)
    partial = pl.col("postcode").is_not_null() & pl.col("new").is_null()
    message = pl.format("Only the outward code {} can be read.", pl.col("outcode"))
    notes.add(worked, partial & pl.col("outcode").is_not_null(), "postcode", "POSTCODE_PARTIAL", message)
    message = "No postcode: read as not known."
    notes.add(worked, partial & pl.col("outcode").is_null(), "postcode", "POSTCODE_UNREADABLE", message)
    return worked.with_columns(postcode=pl.col("new")).drop("whole", "compact", "new")
