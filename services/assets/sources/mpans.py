"""MPAN cells: one, several, with a wrong check digit, with 14 digits, or in the long form of a bill."""

import polars as pl

from services.assets.files.formats import ROW
from services.assets.rules.mpan import CORE_LENGTH, mpan_core_expr, mpan_dno_expr, mpan_valid_expr
from services.assets.sources.notes import Notes

_TEXTS = pl.List(pl.String)
FIELDS = ("export_mpan", "import_mpan")
_DESTROYED = r"^(?:[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+|#{2,}|[0-9]{15}0+|[1-9][0-9]{0,6}0{6,})$"
"""2.00006E+12, #####, more than 15 digits of which those after the fifteenth are noughts, 2000060000000."""


def with_mpans(frame: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Adds `export_mpans`, `import_mpans` (cores whose check digit holds) and `invalid_mpans` (digits as given).

    Needs `export_mpan`, `import_mpan` and `dno_code`; each list is in the order of the cell, without repetition.
    """
    numbers = pl.concat([_numbers(frame, field) for field in FIELDS])
    lists = (
        numbers.group_by(ROW, maintain_order=True)
        .agg(
            pl.col("core").filter(pl.col("sound") & (pl.col("field") == "export_mpan")).unique(maintain_order=True)
            .alias("export_mpans"),
            pl.col("core").filter(pl.col("sound") & (pl.col("field") == "import_mpan")).unique(maintain_order=True)
            .alias("import_mpans"),
            pl.col("digits").filter(~pl.col("sound")).unique(maintain_order=True).alias("invalid_mpans"),
        )
    )  # fmt: skip
    names = ("export_mpans", "import_mpans", "invalid_mpans")
    joined = frame.join(lists, on=ROW, how="left", maintain_order="left")
    joined = joined.with_columns(pl.col(name).fill_null(pl.lit([], dtype=_TEXTS)) for name in names)
    for field in FIELDS:
        _note_cells(frame, numbers.filter(pl.col("field") == field), field, notes)
    _note_shared(frame, numbers, notes)
    on_both_sides = pl.col("export_mpans").list.set_intersection("import_mpans").list.len() > 0
    message = "The same MPAN for export and import: kept on both sides."
    notes.add(joined, on_both_sides, "import_mpan", "MPAN_BOTH_SIDES", message)
    return joined


def _numbers(frame: pl.DataFrame, field: str) -> pl.DataFrame:
    """One line per number in the cells of `field`: row, field, given, digits, core, sound."""
    # A spreadsheet writes a number as 1234567890123.0; a space inside a number is for the reader only.
    text = pl.when(~is_destroyed(pl.col(field))).then(pl.col(field).str.replace_all(r"\.0+(\D|$)", "${1}"))
    digits = pl.col("digits").str.replace_all(" ", "")
    run = pl.col("digits").str.len_chars()
    several = (run > CORE_LENGTH) & (run % CORE_LENGTH == 0)
    cut = pl.when(several).then(pl.col("digits").str.extract_all(r"\d{13}")).otherwise(pl.concat_list("digits"))
    numbers = (
        frame.filter(pl.col(field).is_not_null())
        .select(ROW, pl.lit(field).alias("field"), pl.col(f"given_{field}").alias("given"), text.alias("digits"))
        .with_columns(pl.col("digits").str.extract_all(r"\d(?: ?\d)*"))
        .explode("digits")
        .with_columns(digits)
        .with_columns(cut)
        .explode("digits")
        .with_columns(core=mpan_core_expr("digits"))
    )
    return numbers.with_columns(sound=mpan_valid_expr("core").fill_null(False)).filter(pl.col("digits") != "0")


def is_destroyed(text: pl.Expr) -> pl.Expr:
    """Tell whether a spreadsheet has taken digits of an identifier away: an exponent, zeros at its end, or hash signs."""
    compact = text.str.replace_all(r"[\s\u00a0']", "").str.replace(r"\.0+$", "")
    return compact.str.contains(_DESTROYED).fill_null(False)


def _note_cells(frame: pl.DataFrame, numbers: pl.DataFrame, field: str, notes: Notes) -> None:
    cell = pl.col("given")
    length = pl.col("digits").str.len_chars()
    message = pl.format("{} has {} digits, an MPAN has 13: not taken as an MPAN.", pl.col("digits"), length)
    notes.add(numbers, pl.col("core").is_null(), field, "MPAN_LENGTH", message, cell)
    wrong = pl.col("core").is_not_null() & ~pl.col("sound")
    message = pl.format("The check digit of {} doesn't hold: not taken as an MPAN.", pl.col("digits"))
    notes.add(numbers, wrong, field, "MPAN_CHECK_DIGIT", message, cell)
    count = pl.len().over(ROW)
    first = pl.col("digits").cum_count().over(ROW) == 1
    message = pl.format("{} MPANs in one cell: all taken.", count)
    with_counts = numbers.with_columns(message=message, several=(count > 1) & first)
    notes.add(with_counts, pl.col("several"), field, "MPAN_SEVERAL", pl.col("message"), cell)
    destroyed = is_destroyed(pl.col(f"given_{field}"))
    message = (
        "A spreadsheet has taken digits away: this identifies nothing. Format the column as text, and put the numbers in "
        "again."
    )
    notes.add(frame, destroyed, field, "MPAN_DESTROYED", message)
    silent = pl.col(field).is_not_null() & ~destroyed & ~pl.col(ROW).is_in(numbers[ROW].unique().to_list())
    notes.add(frame, silent, field, "MPAN_UNREADABLE", "No MPAN in this cell: read as not known.")
    areas = frame.select(ROW, "dno_code").join(numbers.filter("sound"), on=ROW, maintain_order="left")
    area = mpan_dno_expr("core")
    message = pl.format("MPAN {} is of {}, the row says {}: both kept.", pl.col("core"), area, pl.col("dno_code"))
    notes.add(areas, area != pl.col("dno_code"), field, "MPAN_AREA", message, cell)


def _note_shared(frame: pl.DataFrame, numbers: pl.DataFrame, notes: Notes) -> None:
    """Units behind one meter stand on a row each: the first row is named with the others."""
    meters = numbers.filter("sound").unique([ROW, "core"], maintain_order=True)
    rows = pl.col(ROW).n_unique().over("core")
    named = pl.col(ROW).cast(pl.String).unique(maintain_order=True).implode().over("core").list.join(", ")
    shared = meters.with_columns(
        sharing=rows, message=pl.format("MPAN {} on rows {}: units behind one meter.", "core", named)
    )
    for field in FIELDS:
        is_shared = (pl.col("sharing") > 1) & (pl.col("field") == field)
        notes.add(shared, is_shared, field, "MPAN_SHARED", pl.col("message"), pl.col("given"))
