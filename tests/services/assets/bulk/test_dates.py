"""Dates of files: day first where that is sure, asked about once for the file where it isn't, and remembered."""

from datetime import date
from typing import Any

import pytest

from models.bulk import BulkJob
from services.assets.bulk.upload.preview import look_at_file
from services.assets.rules.dates import read_day
from services.core.errors import Invalid
from tests.asset_factories import battery
from tests.bulk_files import assets, counts, csv_of, send, xlsx_of
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")


def _notices(job: BulkJob) -> dict[str, str]:
    return {notice["code"]: notice["message"] for notice in job.notices}


def _commissioned() -> list[date | None]:
    return [asset.commissioning_date for asset in assets()]


@pytest.mark.parametrize("write", [csv_of, xlsx_of])
@pytest.mark.parametrize("text", ["31/01/2025", "31-01-2025", "31.1.2025", "31 January 2025", "31/01/2025 00:00:00"])
def test_a_day_that_is_no_month_is_read_day_first(one_register: str, write: Any, text: str) -> None:
    actor = make_fsp()
    data = write([battery(CommissioningDate=text)])
    assert look_at_file(actor, data, "a").dates is None
    assert counts(send(actor, data)) == {"registered": 1}
    assert _commissioned() == [date(2025, 1, 31)]


@pytest.mark.parametrize(("order", "month"), [("day", 6), ("month", 5)])
def test_dates_that_could_be_two_are_asked_about_once_and_remembered(one_register: str, order: str, month: int) -> None:
    actor, other = make_fsp(), make_fsp("Bramble Flex")
    data = csv_of([battery(CommissioningDate=text) for text in ("05/06/2025", "5/6/2025", "07/08/2025", "2025-01-02")])
    question = look_at_file(actor, data, "a.csv").dates
    assert question is not None
    assert (question.cells, question.example, question.remembered) == (3, "05/06/2025", None)
    assert question.read_as(order) == date(2025, month, 11 - month)
    unsaid = send(actor, data, dry_run=True)
    assert counts(unsaid) == {"registered": 1, "refused": 3}
    assert "3 dates could be two days, such as 05/06/2025" in _notices(unsaid)["CELL-07"]
    job = send(actor, data, date_order=order)
    assert counts(job) == {"registered": 4}
    assert _commissioned()[0] == date(2025, month, 11 - month)
    assert f"3 dates are read with the {order} first" in _notices(job)["CELL-06"]
    again = csv_of([battery(CommissioningDate="03/04/2025")])
    later = look_at_file(actor, again, "b.csv").dates
    assert later is not None
    assert later.remembered == order
    following = send(actor, again)
    assert counts(following) == {"registered": 1}
    assert "CELL-06" in _notices(following), "never silently"
    assert look_at_file(other, again, "b.csv").dates.remembered is None  # pyright: ignore[reportOptionalMemberAccess]


def test_what_a_column_shows_goes_before_what_is_said(one_register: str) -> None:
    actor = make_fsp()
    rows = [battery(CommissioningDate=text) for text in ("25/06/2025", "05/06/2025")]
    assert counts(send(actor, csv_of(rows), date_order="month")) == {"registered": 2}
    assert _commissioned() == [date(2025, 6, 25), date(2025, 6, 5)]


def test_a_column_that_contradicts_itself_is_asked_about(one_register: str) -> None:
    actor = make_fsp()
    data = csv_of([battery(CommissioningDate=text) for text in ("25/06/2025", "06/25/2025", "05/06/2025")])
    question = look_at_file(actor, data, "a.csv").dates
    assert question is not None
    assert question.cells == 1
    assert counts(send(actor, data, date_order="day")) == {"registered": 3}
    assert _commissioned() == [date(2025, 6, 25), date(2025, 6, 25), date(2025, 6, 5)]


def test_an_order_that_is_none_is_refused(one_register: str) -> None:
    with pytest.raises(Invalid) as refused:
        send(make_fsp(), csv_of([battery()]), date_order="year")
    assert [finding.code for finding in refused.value.findings] == ["FILE-25"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31/02/2026", "February 2026 has 28 days"),
        ("29.02.2027", "February 2027 has 28 days"),
        ("31-4-2026", "April 2026 has 30 days"),
        ("2026-02-30", "February 2026 has 28 days"),
        ("00/01/2026", "Write the day, the month and the year"),
        ("1/2/26", "Write the day, the month and the year"),
        ("tomorrow", "Write the day, the month and the year"),
        ("01/01/0026", "The year must be between 1800 and 2199"),
    ],
)
def test_a_typed_day_that_there_is_not_is_refused_and_never_another(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_day(text, "Commissioned on")
    assert words in refused.value.findings[0].message


@pytest.mark.parametrize("text", ["5/6/2026", "05.06.2026", "2026-06-05", "5 June 2026", " 05/06/2026 "])
def test_a_typed_day_is_read_day_first(text: str) -> None:
    assert read_day(text, "Commissioned on") == date(2026, 6, 5)
