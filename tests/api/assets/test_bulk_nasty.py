"""Files that real people send, through the API: each is taken or refused in words, and the API goes on (UC-02.01)."""

import pytest

from models.bulk import BulkJob
from services.assets.bulk.pipeline.worker import work_through_jobs
from tests.api.conftest import Program
from tests.bulk_files import how_many
from tests.data.bulk.make import nasty
from tests.factories import make_organisation
from tests.services.assets.bulk.test_nasty import ANSWERS

SENT = (
    "merged_headings.xlsx", "totals_row.xlsx", "mpan_exponent.csv", "utf16.txt", "empty.csv", "zip_bomb.xlsx", "far_cell.xlsx",
    "far_cell_unsaid.xlsx", "formulas.csv", "ten_megabyte_cell.csv", "workbook_called.csv", "web_page_called.xls",
    "protected.xlsx", "truncated.parquet", "truncated_in_quotes.csv", "several_sheets.xlsx", "list.json", "nul_bytes.csv",
    "very_long_line.csv", "external_entity.xlsx",
)  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.use_case("UC-02.01")
def test_every_file_is_answered_in_words_and_the_api_goes_on(program: Program) -> None:
    for name in SENT:
        fsp, answer = program(make_organisation()), ANSWERS[name]
        jobs = how_many(BulkJob)
        told = fsp.post("/v1/assets/bulk", content=nasty(name), params={"file_name": name, "dry_run": True})
        if answer.whole:
            assert told.status_code == 422, name
            assert told.headers["Content-Type"].startswith("application/problem+json")
            found = told.json()["findings"]
            assert [one["code"] for one in found] == [answer.whole]
            assert answer.does in found[0]["message"]
            assert how_many(BulkJob) == jobs
        else:
            assert told.status_code == 202, name
            work_through_jobs()
            job = fsp.get(told.headers["Location"].removeprefix("/api")).json()
            assert (job["Status"], job["RowsRegistered"]) == ("Completed", answer.registered), name
            assert {one["code"] for one in job["Findings"]} == answer.codes
        assert fsp.get("/v1/assets").json()["items"] == []
