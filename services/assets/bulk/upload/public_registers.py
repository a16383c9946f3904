"""Public registers as portfolio files: the Embedded Capacity Register and the REPD, translated without anybody mapping columns.

The readers that hold assets against these registers read them here too, so a word means the same in both places. What a
register doesn't tell (the effective date, and in the REPD how firm a connection is) is said once for the whole file. Where
it names no licence area, the position does.

The REPD lists projects by their way through planning, most of which were never built: only those that stand or are being
built can be assets, the others are told apart by a reason of their own.
"""

from dataclasses import dataclass

import polars as pl

from services.assets.bulk.pipeline.chunks import TERM_PREFIX
from services.assets.files.formats import BROKEN, ROW, TextTable
from services.assets.sources.ecr import read_ecr
from services.assets.sources.reading import detect_kind, register_tables
from services.assets.sources.repd import read_repd
from services.assets.sources.wording import Kind
from services.grid.areas import gsp_groups_at
from services.grid.distributors import dno_of_gsp_group

READERS = {"ECR": read_ecr, "REPD": read_repd}
TAKEN_OVER: dict[Kind, tuple[str, ...]] = {"REPD": ("Operational", "Under Construction")}
"""Statuses whose rows become assets; without an entry, those of all rows do."""
OTHER_STATUS = "OTHER_STATUS"


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """A register's file: which one, and its rows as they stood, with what each says by term beside them."""

    kind: Kind
    table: TextTable


def made_ready(data: bytes, filename: str, table: TextTable) -> ReadyMade | None:
    """The file translated, when it has the headings of a register; None for any other."""
    if table.file_format not in ("csv", "xlsx"):
        return None
    kind = detect_kind(data, filename)
    if kind is None:
        return None
    reading = READERS[kind](data, filename)
    sheets = register_tables(data, filename, kind)
    original = pl.concat([sheet.frame for sheet in sheets], how="diagonal").fill_null("")
    rows = reading.rows.with_columns(_licence_area(reading.rows))
    translated = rows.select(ROW, *_terms(kind, rows))
    reasons = reading.skipped.select(ROW, pl.concat_str("code", pl.lit(" "), "reason").alias(BROKEN))
    reasons = pl.concat([reasons, _not_taken(kind, rows)])
    frame = original.join(translated, on=ROW, how="left", maintain_order="left")
    frame = frame.join(reasons, on=ROW, how="left", maintain_order="left").with_columns(pl.col(ROW) + 1)
    headings = max((sheet.headings for sheet in sheets), key=len)
    return ReadyMade(kind, TextTable(table.file_format, headings, frame))


def _not_taken(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose status says that there is no asset, with the reason."""
    taken = TAKEN_OVER.get(kind)
    if taken is None:
        return pl.DataFrame(schema={ROW: pl.Int64, BROKEN: pl.String})
    status = pl.col("status_given").fill_null("none")
    others = rows.filter(~status.str.to_lowercase().is_in([status_text.lower() for status_text in taken]))
    reason = f"{OTHER_STATUS} The status is “{{}}”: of the {kind}, rows that are {' or '.join(taken)} are taken over."
    return others.select(ROW, pl.format(reason, status).alias(BROKEN))


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
        "RatedCapacity": pl.col("registered_kw").cast(pl.String),
        "EnergyConversionType": pl.col("technology_given").str.head(255),
        "FuelType_EnergySource": pl.col("energy_source"),
        "OtherDescription": pl.when(other).then(pl.col("technology_given").str.head(200)),
        "CommissioningDate": pl.col("connected_on").cast(pl.String),
        "ConnectionStatus": pl.col("connection_status"),
        "ConnectionType": firm,
        "DNOConnection": pl.col("dno_code"),
        "ImportMPAN": pl.col("import_mpans").list.first(),
        "ExportMPAN": pl.col("export_mpans").list.first(),
        "Latitude": pl.col("latitude").round(6).cast(pl.String),
        "Longitude": pl.col("longitude").round(6).cast(pl.String),
        "Postcode": pl.col("postcode"),
        "Aliases": _alias(kind, rows),
        "StorageCapacity_kWh": pl.when(pl.col("category") == "BESS").then(pl.col("storage_kwh").cast(pl.String)),
    }
    # What the register leaves open isn't given: nothing of an asset that is there already is cleared by it.
    return [expression.alias(TERM_PREFIX + term) for term, expression in columns.items()]


def _alias(kind: Kind, rows: pl.DataFrame) -> pl.Expr:
    """The register's own reference, where no other row of the file bears it."""
    twice = rows.filter(pl.col("reference").is_duplicated())["reference"].drop_nulls().unique()
    reference = pl.col("reference").str.strip_chars().str.replace_all(";", ",")
    named = pl.concat_str(pl.lit(f"{kind}:"), reference)
    return pl.when(~pl.col("reference").is_in(twice.implode()) & (reference.str.len_chars() <= 100)).then(named)
