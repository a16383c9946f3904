"""What a workbook hides, and digits that its numbers can't keep: told before anything is confirmed (UC-02.01, bulk)."""

import io
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from services.assets.bulk.upload.preview import look_at_file
from services.assets.bulk.upload.results import job_findings
from services.assets.bulk.upload.template import template_workbook
from services.core.errors import Invalid
from tests.asset_factories import battery
from tests.bulk_files import assets, counts, csv_of, frame_of, send
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")


def _workbook(rows: list[dict[str, Any]], change: Callable[[Any, Any], None] = lambda _book, _sheet: None) -> bytes:
    """Batteries in a workbook; numbers stay numbers."""
    memory = io.BytesIO()
    names = list(frame_of(rows).columns)
    with xlsxwriter.Workbook(memory) as book:
        sheet = book.add_worksheet("Portfolio")
        sheet.write_row(0, 0, names)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, [row.get(name, "") for name in names])
        change(book, sheet)
    return memory.getvalue()


def _hide_row(_book: Any, sheet: Any) -> None:
    sheet.set_row(2, None, None, {"hidden": True})


def _filter(_book: Any, sheet: Any) -> None:
    sheet.autofilter(0, 0, 3, 0)
    sheet.filter_column(0, "x == Other")
    for row in (1, 2):
        sheet.set_row(row, None, None, {"hidden": True})


def _hide_column(_book: Any, sheet: Any) -> None:
    sheet.set_column(1, 1, None, None, {"hidden": True})


def _hide_sheet(book: Any, _sheet: Any) -> None:
    book.add_worksheet("Last year").hide()


def _hide_sheet_well(book: Any, _sheet: Any) -> None:
    book.add_worksheet("Workings").very_hidden()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (_hide_row, "FILE-19", "1 row is hidden by hand or by a filter and read like the others: 3."),
        (_filter, "FILE-19", "2 rows are hidden by a filter and read like the others: 2, 3."),
        (_hide_column, "FILE-19", "Columns that are hidden are read like the others"),
        (_hide_sheet, "FILE-20", "“Last year” is hidden and isn't read"),
        (_hide_sheet_well, "FILE-20", "“Workings” is hidden and isn't read"),
    ],
)
def test_hidden_parts_are_told_before_confirming(
    one_register: str, change: Callable[[Any, Any], None], code: str, words: str
) -> None:
    actor = make_fsp()
    data = _workbook([battery(), battery(), battery()], change)
    (notice,) = look_at_file(actor, data, "a.xlsx").notices
    assert (notice.code, words in notice.message) == (code, True)
    job = send(actor, data, "a.xlsx", dry_run=True)
    assert job.notices == [{"code": notice.code, "message": notice.message}]
    assert (counts(job), assets()) == ({"registered": 3}, [])


def test_the_hidden_lists_of_our_own_template_are_no_news(one_register: str) -> None:
    with pytest.raises(Invalid) as refusal:
        send(make_fsp(), template_workbook("BESS"), "template.xlsx")
    assert [finding.code for finding in refusal.value.findings] == ["FILE-06"]


@pytest.mark.parametrize(
    ("serial", "goes"), [(12345678, True), (123456789012345, True), (1234567890123456789, False), (1.5e18, False)]
)
def test_a_number_of_more_digits_than_a_workbook_keeps_is_refused(one_register: str, serial: float, goes: bool) -> None:
    actor = make_fsp()
    job = send(actor, _workbook([battery(SerialNumber=serial)]), "a.xlsx")
    assert counts(job) == {"registered" if goes else "refused": 1}
    messages = [finding["message"] for finding in job_findings(actor, job.id, code="FILE-16")]
    assert ["Format the column as text" in message for message in messages] == ([] if goes else [True])


def test_an_mpan_in_a_numeric_cell_is_fine(one_register: str) -> None:
    row = battery()
    job = send(make_fsp(), _workbook([row | {"ImportMPAN": int(row["ImportMPAN"])}]), "a.xlsx")
    assert counts(job) == {"registered": 1}
    assert assets()[0].import_mpan == row["ImportMPAN"]


def test_a_number_of_more_digits_than_a_parquet_file_keeps_is_refused(one_register: str) -> None:
    actor, memory = make_fsp(), io.BytesIO()
    frame_of([battery()]).with_columns(pl.lit(1234567890123456789.0).alias("SerialNumber")).write_parquet(memory)
    job = send(actor, memory.getvalue(), "a.parquet")
    assert [finding["code"] for finding in job_findings(actor, job.id)] == ["FILE-16"]


def test_an_encoding_that_was_guessed_and_letters_that_were_garbled_are_told(one_register: str) -> None:
    actor = make_fsp()
    data = csv_of([battery(AssetModel="Modèle Zürich"), battery(AssetModel="BrÃ¢n")]).decode().encode("cp1252")
    job = send(actor, data, "a.csv")
    assert [notice["code"] for notice in job.notices] == ["FILE-18"]
    (finding,) = job_findings(actor, job.id, code="FILE-21")
    assert (finding["row"], finding["field"], finding["given"]) == (3, "AssetModel", "BrÃ¢n")
    assert {asset.asset_model for asset in assets()} == {"Modèle Zürich", "BrÃ¢n"}


def test_the_refusal_of_unknown_headings_says_how_far_they_are_looked_for(one_register: str) -> None:
    with pytest.raises(Invalid) as refusal:
        send(make_fsp(), b"Title\n" * 12 + csv_of([battery()]), "a.csv")
    assert "first 10 rows" in refusal.value.findings[0].message
