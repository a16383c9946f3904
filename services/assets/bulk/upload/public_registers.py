"""Public registers as portfolio files: the Embedded Capacity Register and the REPD, translated without anybody mapping columns.

The readers that hold assets against these registers read them here too, so a word means the same in both places. What a
register doesn't tell (the effective date, and in the REPD how firm a connection is) is said once for the whole file. Where
it names no licence area, the position does.

The REPD lists projects by their way through planning, most of which were never built: only those that stand or are being
built can be assets, the others are told apart by a reason of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from services.assets.bulk.pipeline.chunks import TERM_PREFIX
from services.assets.files.formats import BROKEN, ROW, FileNotice, TextTable
from services.assets.sources.ecr import read_ecr_tables
from services.assets.sources.elsewhere import reason_elsewhere
from services.assets.sources.reading import SourceReading, detect_kind, register_tables
from services.assets.sources.repd import read_repd_tables
from services.assets.sources.tables import Table
from services.assets.sources.wording import Kind
from services.grid.areas import gsp_groups_at
from services.grid.distributors import dno_of_gsp_group

TAKEN_OVER: dict[Kind, tuple[str, ...]] = {"REPD": ("Operational", "Under Construction")}
"""Statuses whose rows become assets; without an entry, those of all rows do."""
OTHER_STATUS = "OTHER_STATUS"
SEA = r"offshore|tidal|wave"
AT_SEA = (
    "AT_SEA The site is at sea, in no distribution network's area. If its cable lands in one, register the asset by itself, "
    "with that network as DNOConnection and the position of the landing point."
)
OUTSIDE_AREAS = (
    "OUTSIDE_AREAS The position is in no distribution network's area: at sea, on an island, or abroad. Check it, or register "
    "the asset by itself with its DNOConnection."
)


UNREMARKABLE = frozenset({"NOTHING_SAID", "BLANK", "TRIMMED", "LINES_JOINED", "TECHNOLOGY_SPELLING", "DATE_JUNK"})
"""Notes of the reader that change nothing of what a cell says: they are no notices of a row."""
MOST_NAMED = 40
EXPECTED = "One plain value, as the register is published"
_TERM_OF = {
    "export_mpan": "ExportMPAN",
    "import_mpan": "ImportMPAN",
    "site_name": "AssetName",
    "postcode": "Postcode",
    "licence_area": "DNOConnection",
    "easting": "Easting",
    "northing": "Northing",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "source_1": "FuelType_EnergySource",
    "technology_1": "EnergyConversionType",
    "status": "ConnectionStatus",
    "connected_mw": "RatedCapacity",
    "accepted_mw": "RatedCapacity",
    "installed_mw": "RatedCapacity",
    "date_connected": "CommissioningDate",
    "flexible": "ConnectionType",
    "reference": "Aliases",
    "ref": "Aliases",
}


@dataclass(frozen=True, slots=True)
class TranslatedFile:
    """A register's file: which one, and its rows as they stood, with what each says by term beside them.

    `notices` of single rows: `ROW`, code, field, given, expected, message.
    """

    kind: Kind
    table: TextTable
    notices: pl.DataFrame


def translate_register(data: bytes, filename: str, table: TextTable) -> TranslatedFile | None:
    """Translate the file, when it has the headings of a register; None for any other."""
    kind = detect_kind(data, filename)
    if kind is None:
        return None
    sheets = register_tables(data, filename, kind)
    reading = read_ecr_tables(sheets) if kind == "ECR" else read_repd_tables(sheets)
    original = pl.concat([sheet.frame for sheet in sheets], how="diagonal").fill_null("")
    rows = reading.rows.with_columns(_licence_area(reading.rows))
    translated = rows.select(ROW, *_terms(kind, rows))
    reasons = reading.skipped.select(ROW, pl.concat_str("code", pl.lit(" "), "reason").alias(BROKEN))
    reasons = pl.concat([reasons, _find_skipped(kind, rows)])
    frame = original.join(translated, on=ROW, how="left", maintain_order="left")
    frame = frame.join(reasons, on=ROW, how="left", maintain_order="left")
    numbers = _file_rows(sheets)
    renumbered = pl.col(ROW).replace_strict(numbers, return_dtype=pl.Int64)
    notices = _row_notices(reading.notes).with_columns(renumbered)
    headings = max((sheet.headings for sheet in sheets), key=len)
    about_file = (*sheets[0].notices, *_which_sheets(sheets, numbers), *_columns_left_out(reading))
    ready = TextTable(table.file_format, headings, frame.with_columns(renumbered), notices=about_file)
    return TranslatedFile(kind, ready, notices)


def _file_rows(sheets: Sequence[Table]) -> dict[int, int]:
    """Row of a reading -> its number in the file; those of a second sheet go on behind the first."""
    numbers: dict[int, int] = {}
    behind = 0
    for sheet in sheets:
        numbers |= {row: behind + line for row, line in zip(sheet.frame[ROW], sheet.file_rows, strict=True)}
        behind = max(numbers.values(), default=0)
    return numbers


def _which_sheets(sheets: Sequence[Table], numbers: Mapping[int, int]) -> Iterator[FileNotice]:
    """The sheets that were read, and how their rows are numbered, where there are several."""
    if len(sheets) > 1:
        spans = [
            f"“{sheet.sheet}” ({sheet.frame.height:,} rows, from row {numbers[sheet.frame[ROW][0]]:,} on)"
            for sheet in sheets
            if sheet.frame.height
        ]
        yield FileNotice("FILE-22", f"The rows of these sheets were read, numbered through: {', '.join(spans)}.")


def _columns_left_out(reading: SourceReading) -> Iterator[FileNotice]:
    """The columns from which nothing was read, and those of which values were lost."""
    names = reading.counts["unread"]
    if names:
        quoted = ", ".join(f"“{name[:80]}”" for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        yield FileNotice("FILE-23", f"Nothing is read from these columns: {quoted}{more}.")
    for heading, facts in reading.counts["lost"].items():
        examples = ", ".join(f"“{example[:40]}”" for example in facts["examples"])
        count = "1 value" if facts["count"] == 1 else f"{facts['count']:,} values"
        words = f"{count} under “{heading[:80]}” couldn't be read, such as {examples}."
        yield FileNotice("FILE-24", words)


def _row_notices(notes: pl.DataFrame) -> pl.DataFrame:
    """The remarkable notes on cells, as notices of their rows: under the attribute that the cell is read for."""
    cells = notes.filter(pl.col(ROW).is_not_null() & ~pl.col("code").is_in(list(UNREMARKABLE)))
    term = pl.col("field").replace_strict(_TERM_OF, default=None, return_dtype=pl.String)
    return cells.select(ROW, "code", term.alias("field"), "given", pl.lit(EXPECTED).alias("expected"), "message")


def _find_skipped(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose status says that there is no asset, with the reason."""
    abroad = rows.filter(pl.col("dno_code").is_null()).select(ROW, reason_elsewhere().alias(BROKEN)).drop_nulls()
    taken = TAKEN_OVER.get(kind)
    if taken is None:
        return abroad
    status = pl.col("status_given").fill_null("none")
    is_other = ~status.str.to_lowercase().is_in([status_text.lower() for status_text in taken])
    reason = f"{OTHER_STATUS} The status is “{{}}”: of the {kind}, rows that are {' or '.join(taken)} are taken over."
    others = rows.filter(is_other).select(ROW, pl.format(reason, status).alias(BROKEN))
    return pl.concat([abroad, others, _outside_areas(rows)]).unique(ROW, keep="first", maintain_order=True)


def _outside_areas(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose position is in no licence area, with the reason: at sea by their technology, else wherever it lies."""
    placed = pl.col("latitude").is_not_null() | pl.col("easting").is_not_null()
    outside = rows.filter(pl.col("dno_code").is_null() & placed)
    at_sea = pl.col("technology_given").fill_null("").str.to_lowercase().str.contains(SEA)
    return outside.select(ROW, pl.when(at_sea).then(pl.lit(AT_SEA)).otherwise(pl.lit(OUTSIDE_AREAS)).alias(BROKEN))


def _licence_area(rows: pl.DataFrame) -> pl.Series:
    """The licence area as the register names it, else the one that the position is in; null out at sea."""
    groups = pl.Series(gsp_groups_at(rows["latitude"], rows["longitude"]), dtype=pl.String)
    areas = groups.replace_strict(
        {group: dno_of_gsp_group(group) for group in groups.drop_nulls().unique()}, default=None
    )
    return rows["dno_code"].fill_null(areas.cast(pl.String)).alias("dno_code")


def _terms(kind: Kind, rows: pl.DataFrame) -> list[pl.Expr]:
    """Columns of text by term, out of a register's own columns."""
    name = pl.coalesce("site_name", "address", "key")
    other = (pl.col("category") == "OTHER") | (pl.col("energy_source") == "OTHER")
    firm = pl.when(pl.col("flexible")).then(pl.lit("NON_FIRM")).when(~pl.col("flexible")).then(pl.lit("FIRM"))
    columns = {
        "AssetName": name.str.replace_all(r"[^\p{L}0-9 \-_/()]+", " ").str.replace_all(r"\s+", " ").str.strip_chars(),
        "AssetCategory": pl.col("category"),
        "RatedCapacity": pl.coalesce(pl.col("registered_kw").cast(pl.String), _unread("capacity")),
        "EnergyConversionType": pl.col("technology_given").str.head(255),
        "FuelType_EnergySource": pl.col("energy_source"),
        "OtherDescription": pl.when(other).then(pl.col("technology_given").str.head(200)),
        "CommissioningDate": pl.coalesce(pl.col("connected_on").cast(pl.String), _unread("connected_on")),
        "ConnectionStatus": pl.coalesce("connection_status", _unread("status")),
        "ConnectionType": firm,
        "DNOConnection": pl.col("dno_code"),
        "ImportMPAN": pl.coalesce(pl.col("import_mpans").list.first(), _unread("import_mpan")),
        "ExportMPAN": pl.coalesce(pl.col("export_mpans").list.first(), _unread("export_mpan")),
        "Easting": _unread("easting"),
        "Northing": _unread("northing"),
        "Latitude": pl.col("latitude").round(6).cast(pl.String),
        "Longitude": pl.col("longitude").round(6).cast(pl.String),
        "Postcode": pl.col("postcode"),
        "Aliases": _alias(kind, rows),
        "StorageCapacity_kWh": pl.when(pl.col("category") == "BESS").then(pl.col("storage_kwh").cast(pl.String)),
    }
    # What the register leaves open isn't given: nothing of an asset that is there already is cleared by it.
    return [expression.alias(TERM_PREFIX + term) for term, expression in columns.items()]


def _unread(name: str) -> pl.Expr:
    """The cell as it stood where it couldn't be read: the rules then say what is the matter with it, as in any file."""
    return pl.col("unread").struct.field(name).str.strip_chars().replace("", None)


def _alias(kind: Kind, rows: pl.DataFrame) -> pl.Expr:
    """The register's own reference, where no other row of the file bears it."""
    twice = rows.filter(pl.col("reference").is_duplicated())["reference"].drop_nulls().unique()
    reference = pl.col("reference").str.strip_chars().str.replace_all(";", ",")
    named = pl.concat_str(pl.lit(f"{kind}:"), reference)
    return pl.when(~pl.col("reference").is_in(twice.implode()) & (reference.str.len_chars() <= 100)).then(named)
