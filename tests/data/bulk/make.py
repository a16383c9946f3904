"""Files that real people send, made so that anybody can see what is wrong with each: ``python -m tests.data.bulk.make``.

Every file holds the same three batteries. What is small is kept beside this file; what would be large or harmful is made
when a test asks for it. The same call makes the same bytes (of workbooks and Parquet: with the same libraries).
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from tests.data.bulk.workbooks import (
    SERIAL,
    Row,
    batteries,
    bomb,
    broken_headings,
    compound,
    empty_rows,
    entity,
    far_cell,
    hidden_far_cell,
    hidden_sheet,
    macros,
    merged_headings,
    mpan,
    no_result,
    plain,
    serial,
    serial_dates,
    several_sheets,
    totals,
    zipped,
)  # fmt: skip

HERE = Path(__file__).parent


def text(rows: Sequence[Row], separator: str = ",", ends: str = "\n", headings: Sequence[str] = ()) -> str:
    """Rows as separated values."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=ends)
    writer.writerow(headings or rows[0])
    writer.writerows(row.values() for row in rows)
    return buffer.getvalue()


def separated(rows: Sequence[Row], separator: str = ",") -> bytes:
    """Rows as separated values in UTF-8."""
    return text(rows, separator).encode()


def lists_of_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """JSON lines."""
    return b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in rows) + b"\n"


def nested() -> bytes:
    """Objects inside objects; one where a number belongs."""
    rows: list[dict[str, Any]] = [dict(row) for row in batteries()]
    for row in rows:
        row["CategoryAttributes"] = {"StorageCapacity_kWh": int(row.pop("StorageCapacity_kWh"))}
        row["Aliases"] = [{"scheme": "OEM", "value": row["SerialNumber"]}]
    rows[2]["RatedCapacity"] = {"value": 2500, "unit": "kW"}
    return lists_of_lines(rows)


def odd_types() -> bytes:
    """A Parquet file whose columns are decimals, moments, categories and structures."""
    frame = pl.DataFrame(batteries()).with_columns(
        pl.col("RatedCapacity").cast(pl.Decimal(18, 4)),
        pl.col("GenCapacity").cast(pl.Float32),
        pl.col("DemandCapacity").cast(pl.UInt64),
        pl.col("EffectiveDate").str.to_date(),
        pl.col("CommissioningDate").str.to_datetime("%Y-%m-%d", time_zone="UTC"),
        pl.col("AssetCategory").cast(pl.Categorical),
        pl.col("DNOConnection").cast(pl.Enum(["UKPN_EPN"])),
        pl.struct(StorageCapacity_kWh=pl.col("StorageCapacity_kWh").cast(pl.Int16)).alias("CategoryAttributes"),
        pl.Series("Our times", [time(8), None, time(9, 30)]),
        pl.Series("Our spans", [timedelta(hours=1), None, timedelta(days=2)]),
        pl.Series("Our amounts", [Decimal("1.50"), None, Decimal("2.25")]),
        pl.lit(None).alias("Our nothing"),
    )
    buffer = io.BytesIO()
    frame.drop("StorageCapacity_kWh").write_parquet(buffer, compression="uncompressed")
    return buffer.getvalue()


def bytes_in_parquet() -> bytes:
    """A Parquet file with a column of bytes."""
    buffer = io.BytesIO()
    names = pl.Series("AssetName", [b"\xff\xfe\x00", b"\x01", b"\x02"], dtype=pl.Binary)
    pl.DataFrame(batteries()).with_columns(names).write_parquet(buffer, compression="uncompressed")
    return buffer.getvalue()


def repeated_text() -> bytes:
    """A Parquet file of some kilobytes with one long text that 400,000 rows repeat: 40 GB when it is written out."""
    buffer = io.BytesIO()
    only = pl.Enum(["x" * 100_000])
    names = pl.Series("AssetName", only.categories, dtype=only).new_from_index(0, 400_000)
    names.to_frame().write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def ragged() -> bytes:
    """A row with cells beyond the headings, and one that ends early."""
    lines = text(batteries()).splitlines()
    return "\n".join(
        [lines[0], lines[1], f"{lines[2]},see note,2", lines[3].removesuffix(",CB1 2JD,5000"), ""]
    ).encode()


def mixed_line_ends() -> bytes:
    """One line end of each kind, as files pasted together have."""
    first, *rows = text(batteries()).splitlines()
    return (first + "\r\n" + rows[0] + "\n" + rows[1] + "\r" + rows[2] + "\r\n").encode()


@dataclass(frozen=True)
class Nasty:
    """A file: how it is made, and whether it is kept or made anew each time."""

    make: Callable[[], bytes]
    kept: bool = True


def _with(term: str, *values: str) -> list[dict[str, str]]:
    """The batteries with other values of a term."""
    return [{**row, term: said} for row, said in zip(batteries(), values, strict=True)]


def _doubled() -> bytes:
    rows = batteries()
    return text([{**row, "Name": row["AssetName"]} for row in rows], headings=[*rows[0], "Asset name"]).encode()


LONG = "0012345619"
FILES: dict[str, Nasty] = {
    "merged_headings.xlsx": Nasty(merged_headings),
    "title_rows_above.csv": Nasty(
        lambda: b"Northgate Flex, our portfolio,\nAs of 1 June; confidential,,\n\n" + separated(batteries())
    ),
    "totals_row.xlsx": Nasty(totals),
    "serial_dates.xlsx": Nasty(serial_dates),
    "serial_dates.csv": Nasty(
        lambda: separated(batteries(EffectiveDate=str(serial(SERIAL["EffectiveDate"])), CommissioningDate="44012"))
    ),
    "dates_day_first.csv": Nasty(
        lambda: separated(batteries(EffectiveDate="01/01/2090", CommissioningDate="30.6.2020"))
    ),
    "dates_month_first.csv": Nasty(
        lambda: separated(batteries(EffectiveDate="01/01/2090", CommissioningDate="6/30/2020"))
    ),
    "mpan_exponent.csv": Nasty(lambda: separated(batteries(ImportMPAN="1.09999E+12"))),
    "mpan_zeros_lost.csv": Nasty(lambda: separated(_with("ImportMPAN", *(LONG[2:] + mpan(n)[1:] for n in (1, 2, 3))))),
    "mpan_with_spaces.csv": Nasty(
        lambda: separated([{**row, "ImportMPAN": " ".join(_in_fours(row["ImportMPAN"]))} for row in batteries()])
    ),
    "non_breaking_spaces.csv": Nasty(
        lambda: text([{term: f"\u00a0{said}\u00a0" for term, said in row.items()} for row in batteries()]).encode()
    ),
    "byte_order_mark.csv": Nasty(lambda: b"\xef\xbb\xbf" + separated(batteries())),
    "utf16.txt": Nasty(lambda: b"\xff\xfe" + text(batteries(), "\t", "\r\n").encode("utf-16-le")),
    "windows_1252.csv": Nasty(
        lambda: text(_with("AssetName", "Café", "Zürich", "Señor"), ",", "\r\n").encode("cp1252")
    ),
    "two_encodings.csv": Nasty(
        lambda: separated(_with("AssetName", "Café", "Zürich", "Depot")) + "Señor,BESS\n".encode("cp1252")
    ),
    "mixed_line_ends.csv": Nasty(mixed_line_ends),
    "decimal_commas.csv": Nasty(lambda: separated(batteries(RatedCapacity="2500,50", Latitude="52,2053"), ";")),
    "thousands_separators.csv": Nasty(lambda: separated(batteries(RatedCapacity="2,500.00"))),
    "units_in_cells.csv": Nasty(lambda: separated(batteries(RatedCapacity="2500 kW"))),
    "empty_rows.xlsx": Nasty(empty_rows),
    "empty.csv": Nasty(lambda: b""),
    "headings_only.csv": Nasty(lambda: text(batteries()).splitlines()[0].encode()),
    "doubled_headings.csv": Nasty(_doubled),
    "headings_in_lines.xlsx": Nasty(broken_headings),
    "two_thousand_columns.csv": Nasty(
        lambda: text(
            [{**row, **{f"Reading {n}": "1" for n in range(2000 - len(row))}} for row in batteries()],
        ).encode()
    ),
    "zip_bomb.xlsx": Nasty(bomb, kept=False),
    "zip_bomb_that_lies.xlsx": Nasty(lambda: bomb(1000), kept=False),
    "far_cell.xlsx": Nasty(far_cell),
    "far_cell_unsaid.xlsx": Nasty(hidden_far_cell),
    "macros.xlsm": Nasty(macros),
    "formulas.csv": Nasty(
        lambda: separated(
            [
                {**row, "AssetName": name, "Manufacturer": maker}
                for row, name, maker in zip(
                    batteries(),
                    ('=HYPERLINK("http://example.org","Depot")', "Depot battery 2", "+1 Depot"),
                    ("Ampere Devices", "=cmd|'/C calc'!A0", "@SUM(1+1)"),
                    strict=True,
                )
            ]
        )
    ),
    "formula_without_result.xlsx": Nasty(no_result),
    "emoji.csv": Nasty(lambda: separated(_with("AssetName", "Depot 🔋", "Depot battery 2", "👩‍🔧 Depot"))),
    "ten_megabyte_cell.csv": Nasty(
        lambda: separated(_with("AssetModel", "AD-2500", "x" * (10 << 20), "AD-2500")), kept=False
    ),
    "workbook_called.csv": Nasty(plain),
    "values_called.xlsx": Nasty(lambda: separated(batteries())),
    "web_page_called.xls": Nasty(
        lambda: b"\r\n<html><head><meta charset=utf-8></head><table><tr><td>AssetName</td></tr></table></html>"
    ),
    "old_workbook.xls": Nasty(lambda: compound("Workbook", "\x05SummaryInformation")),
    "printed.pdf": Nasty(lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"),
    "protected.xlsx": Nasty(lambda: compound("EncryptionInfo", "EncryptedPackage")),
    "zipped.zip": Nasty(lambda: zipped("portfolio.csv", separated(batteries()))),
    "open_document.ods": Nasty(lambda: zipped("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
    "truncated.xlsx": Nasty(lambda: plain()[:3000]),
    "truncated.parquet": Nasty(lambda: odd_types()[:3000]),
    "truncated_in_quotes.csv": Nasty(lambda: separated(batteries(2)) + b'Depot battery 3,BESS,2500,2500,2400,"2090'),
    "unbalanced_quotes.csv": Nasty(
        lambda: separated(_with("AssetModel", "AD", "§", "AD")).replace("§".encode(), b'"AD')
    ),
    "several_sheets.xlsx": Nasty(several_sheets),
    "hidden_sheet.xlsx": Nasty(hidden_sheet),
    "list.json": Nasty(lambda: json.dumps(batteries(), indent=1).encode()),
    "nested.jsonl": Nasty(nested),
    "places.geojson": Nasty(
        lambda: json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature"}]}).encode()
    ),
    "odd_types.parquet": Nasty(odd_types),
    "bytes.parquet": Nasty(bytes_in_parquet),
    "repeated_text.parquet": Nasty(repeated_text, kept=False),
    "nul_bytes.csv": Nasty(lambda: separated(batteries()).replace(b"Ampere", b"Amp\x00ere")),
    "ragged_rows.csv": Nasty(ragged),
    "very_long_line.csv": Nasty(lambda: separated(batteries()) + b"x," * 30_000_000, kept=False),
    "external_entity.xlsx": Nasty(entity),
}
"""Every file of the set by its name."""


def _in_fours(digits: str) -> list[str]:
    return [digits[:2], digits[2:6], digits[6:10], digits[10:]]


def nasty(name: str) -> bytes:
    """A file of the set: as it is kept, else made."""
    kept = HERE / name
    return kept.read_bytes() if FILES[name].kept else FILES[name].make()


def main() -> None:
    """Write the files that are kept."""
    for name, file in FILES.items():
        if file.kept:
            (HERE / name).write_bytes(file.make())


if __name__ == "__main__":
    main()
