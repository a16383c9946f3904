"""Any table that somebody may hand in: findings of its rows or a refusal of the file, no error inside (UC-02.01, bulk)."""

import csv
import io
import json
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bulk import JobStatus
from services.assets.bulk.upload.preview import look_at_file
from services.assets.bulk.upload.results import job_findings
from services.assets.rules.template_columns import template_columns
from services.assets.sources import read_ecr, read_repd
from services.core.errors import Invalid
from services.core.identity.actor import system_actor
from tests.bulk_files import send
from tests.factories import make_fsp
from tests.thorough import times

pytestmark = pytest.mark.use_case("UC-02.01")
ECR = [
    "Export MPAN / MSID", "import_mpan", "Customer Site", "Town/ City", "Postcode", "Country", "Eastings", "Northings",
    "lat", "lon", "Licence Area", "Energy Source 1", "Energy Conversion Technology 1", "Energy Source 2", "chp_1",
    "Storage Capacity 1 (MWh)", "Storage Duration 1 (Hours)", "Reg_Cap_Energy_Source_Conv_Tech_1", "Flexible Connection",
    "Connection Status", "Already connected Registered Capacity (kW)", "Maximum Export Capacity (MW)", "Date Connected",
    "Accepted to Connect Registered Capacity (MW)", "Date Accepted", "Reference", "Last Updated",
]  # fmt: skip
REPD = [
    "Old Ref ID", "Ref ID", "Record Last Updated (dd/mm/yyyy)", "Site Name", "Technology Type", "Installed Capacity (MWelec)",
    "CHP Enabled", "Development Status", "Address", "County", "Region", "Country", "Post Code", "X-coordinate",
    "Y-coordinate", "Operational",
]  # fmt: skip
OTHERS = [
    "",
    " ",
    "Notes",
    "AssetId",
    "Version",
    "Status",
    "row",
    "broken",
    "c0",
    "t:AssetName",
    "technology",
    "RefusalCodes",
    "é" * 400,
]
CELLS = [
    "", " ", "-", "0", "-0", "1", "-1", "0.1", "2,5", "1,234", "1.234,5", "1 234", "1e3", "1E400", "-1e-400", "NaN", "inf",
    "9" * 40, "0." + "1" * 40, "9007199254740993", "9223372036854775808", "50 kW", "2.5MW", "95 %", "½", "１２",
    "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2025-02-29", "31/02/2025", "05/06/2025", "45000", "99999",
    "2025-03-30T01:30:00", "1900-01-00", "1030083804870", "1030083804871", "2.00006E+12", "#####", "S 1030083804870",
    "1030083804870; 1199990000051", "nan", "NULL", "#N/A", "#REF!", "yes", "TRUE", "BESS", "Solar PV", "SOLAR_PV", "CONNECTED",
    "Operational", "Connected", "FIRM", "UKPN_EPN", "Eastern Power Networks (EPN)", "England", "Isle of Man", "CB1 2JD",
    "C012 5NB", "BT1 1AA", "GIR 0AA", "52.2053", "-0.20080268054273454", "545000", "2580000", "=1+1", "'=1", "a;b;;c",
    "ECR:1", "ECR:", "{}", "[1]", '{"a": {"b": 1}}', "line\nbreak", 'quo"te', "BrÃ¢n", "\u200b", "\u202eabc", "😀", "\ufeff",
    "00000000-0000-0000-0000-000000000000", "x" * 300, "Total",
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(CELLS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=12),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.dates().map(str),
    st.integers(-(10**30), 10**30).map(str),
)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Headings of one kind, sometimes with some of another, and a few rows under them."""
    kind = draw(st.sampled_from([[column.term for column in template_columns(None)], ECR, REPD]))
    most = draw(st.booleans())
    headings = (
        draw(st.permutations(kind))
        if most
        else draw(st.lists(st.sampled_from(kind), min_size=1, max_size=8, unique=True))
    )
    headings = headings + draw(st.lists(st.sampled_from(OTHERS), max_size=2))
    rows = draw(st.lists(st.lists(VALUES, min_size=len(headings), max_size=len(headings)), min_size=1, max_size=4))
    return list(headings), rows


def _separated(draw: st.DrawFn, headings: list[str], rows: list[list[str]]) -> bytes:
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerows([["A title"]] * draw(st.integers(0, 2)))
    writer.writerow(headings)
    writer.writerows(rows)
    encoding = draw(
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac_roman"])
    )
    data = text.getvalue().encode(encoding, "replace")
    return data[: draw(st.integers(len(data) // 2, len(data)))] if draw(st.integers(0, 9)) == 0 else data


def _typed(cell: str) -> Any:
    """A cell as a workbook may hold it: number, date, truth or text."""
    with suppress(ValueError):
        return date.fromisoformat(cell)
    with suppress(ValueError):
        return float(cell)
    return cell == "TRUE" or cell


def _workbook(_draw: st.DrawFn, headings: list[str], rows: list[list[str]]) -> bytes:
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory, {"nan_inf_to_errors": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        days = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, headings)
        for number, cells in enumerate(rows, 1):
            for place, cell in enumerate(cells):
                typed = _typed(cell)
                if isinstance(typed, date) and typed.year >= 1900:
                    sheet.write_datetime(number, place, datetime.combine(typed, datetime.min.time()), days)
                else:
                    sheet.write(number, place, cell if isinstance(typed, date) else typed)
    return memory.getvalue()


def _parquet(draw: st.DrawFn, headings: list[str], rows: list[list[str]]) -> bytes:
    columns: dict[str, pl.Series] = {}
    for place, heading in enumerate(headings):
        texts = pl.Series([row[place] for row in rows], dtype=pl.String)
        kind = draw(st.sampled_from([pl.String, pl.Float64, pl.Int64, pl.Date, pl.Categorical]))
        columns[heading] = texts.str.to_date(strict=False) if kind is pl.Date else texts.cast(kind, strict=False)
    memory = io.BytesIO()
    pl.DataFrame(columns).write_parquet(memory)
    return memory.getvalue()


def _json_lines(_draw: st.DrawFn, headings: list[str], rows: list[list[str]]) -> bytes:
    return "\n".join(json.dumps(dict(zip(headings, row, strict=True))) for row in rows).encode()


FORMATS = {"csv": _separated, "xlsx": _workbook, "parquet": _parquet, "jsonl": _json_lines}


@st.composite
def _files(draw: st.DrawFn, formats: tuple[str, ...]) -> tuple[str, bytes]:
    """A file of one of the formats: name and bytes."""
    name = draw(st.sampled_from(formats))
    return f"a.{name}", FORMATS[name](draw, *draw(_tables()))


def _hand_in(file: tuple[str, bytes]) -> None:
    """Hand a file in by every way there is; each answers with findings or a refusal in words."""
    name, data = file
    actor = make_fsp()
    for read in (read_ecr, read_repd):
        with suppress(Invalid):
            read(data, name)
    with suppress(Invalid):
        look_at_file(actor, data, name)
    job = None
    with suppress(Invalid):
        job = send(
            actor,
            data,
            name,
            constants={"EffectiveDate": "2040-01-01"},
            keep_drafts=True,
            justifications={"*": "as it was given"},
        )
    if job is None:
        return
    assert job.status is JobStatus.COMPLETED, job.reason
    refused = job.rows_refused + job.rows_draft
    assert len({finding["row"] for finding in job_findings(system_actor(), job.id)}) >= min(1, refused)


ANY = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    "derandomize": True,
}


@pytest.mark.timeout(1200)
@settings(max_examples=times(15, 400), **ANY)
@given(_files(("csv", "jsonl")))
def test_any_text_ends_in_findings_or_a_refusal(one_register: str, file: tuple[str, bytes]) -> None:
    _hand_in(file)


@pytest.mark.timeout(1200)
@settings(max_examples=times(3, 80), **ANY)
@given(_files(("xlsx", "parquet")))
def test_any_workbook_ends_in_findings_or_a_refusal(one_register: str, file: tuple[str, bytes]) -> None:
    _hand_in(file)
