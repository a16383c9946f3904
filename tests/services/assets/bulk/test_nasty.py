"""Files that real people send, and some that nobody sends by mistake: a clear answer, and no harm (UC-02.01, bulk)."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.assets import Asset
from models.bulk import BulkChunk, BulkDraft, BulkJob, BulkMapping, JobStatus
from models.core import Event, LedgerEntry
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.results import job_findings, write_refused
from services.core.errors import Invalid
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import verify_ledger
from services.core.settings import ROOT
from tests.bulk_files import assets, how_many, send
from tests.data.bulk.make import FILES, HERE, nasty
from tests.factories import make_fsp

DOCUMENT = ROOT / "docs" / "bulk.md"
WRITTEN = (Asset, BulkJob, BulkChunk, BulkDraft, BulkMapping, LedgerEntry, Event)


@dataclass(frozen=True)
class Answer:
    """What becomes of a file: how many assets, the codes of the rows that are refused, and what is said to do.

    `whole` is the code by which the file is refused as one.
    """

    registered: int = 0
    rows: dict[int, set[str]] = field(default_factory=dict)
    does: str = ""
    whole: str | None = None

    @property
    def codes(self) -> set[str]:
        """All codes that are told."""
        return {self.whole} if self.whole else {code for codes in self.rows.values() for code in codes}


def _each(*codes: str) -> dict[int, set[str]]:
    return {row: set(codes) for row in (2, 3, 4)}


ALL = Answer(3)
DAY = "write the year first"
AGAIN = "save it anew"
ANSWERS = {
    "merged_headings.xlsx": ALL,
    "title_rows_above.csv": ALL,
    "totals_row.xlsx": Answer(3, {5: {"FILE-14"}}, "Leave it out"),
    "serial_dates.xlsx": ALL,
    "serial_dates.csv": Answer(0, _each("DATE-02", "DATE-05"), "format the column as YYYY-MM-DD"),
    "dates_day_first.csv": Answer(3),
    "dates_month_first.csv": Answer(3),
    "mpan_exponent.csv": Answer(0, _each("MPAN-01"), "format the column as text first (Format Cells, Text)"),
    "mpan_zeros_lost.csv": Answer(0, _each("MPAN-01"), "give the last 13 digits alone"),
    "mpan_with_spaces.csv": ALL,
    "non_breaking_spaces.csv": ALL,
    "byte_order_mark.csv": ALL,
    "utf16.txt": ALL,
    "windows_1252.csv": ALL,
    "two_encodings.csv": Answer(whole="FILE-02", does="Save it as CSV UTF-8"),
    "mixed_line_ends.csv": ALL,
    "decimal_commas.csv": Answer(3),
    "thousands_separators.csv": Answer(3),
    "units_in_cells.csv": Answer(3),
    "empty_rows.xlsx": ALL,
    "empty.csv": Answer(whole="FILE-01", does="Check that it was saved"),
    "headings_only.csv": Answer(whole="FILE-06", does="which sheet holds the rows"),
    "doubled_headings.csv": Answer(whole="FILE-10", does="Leave one out"),
    "headings_in_lines.xlsx": ALL,
    "two_thousand_columns.csv": Answer(whole="FILE-08", does="Leave out what isn't about the asset"),
    "zip_bomb.xlsx": Answer(whole="FILE-07", does="Save the rows as CSV"),
    "zip_bomb_that_lies.xlsx": Answer(whole="FILE-03", does=AGAIN),
    "far_cell.xlsx": Answer(whole="FILE-07", does="Delete the rows below the table"),
    "far_cell_unsaid.xlsx": Answer(whole="FILE-07", does="Delete what stands far away"),
    "macros.xlsm": ALL,
    "formulas.csv": Answer(1, {2: {"NAME-03"}, 4: {"NAME-03"}}, "put its result in its place"),
    "formula_without_result.xlsx": Answer(1, {2: {"FILE-16"}, 3: {"FILE-16"}}, "Type the value"),
    "emoji.csv": Answer(1, {2: {"NAME-03"}, 4: {"NAME-03"}}, "Leave it out: letters, digits"),
    "ten_megabyte_cell.csv": Answer(2, {3: {"FILE-15"}}, "Shorten it"),
    "workbook_called.csv": ALL,
    "values_called.xlsx": ALL,
    "web_page_called.xls": Answer(whole="FILE-13", does="save it as XLSX"),
    "old_workbook.xls": Answer(whole="FILE-03", does="save it as XLSX"),
    "printed.pdf": Answer(whole="FILE-13", does="Ask whoever made it for the spreadsheet"),
    "protected.xlsx": Answer(whole="FILE-03", does="Take the password off"),
    "zipped.zip": Answer(whole="FILE-13", does="Unpack it and send the file inside"),
    "open_document.ods": Answer(whole="FILE-13", does="Save it as XLSX"),
    "truncated.xlsx": Answer(whole="FILE-03", does=AGAIN),
    "truncated.parquet": Answer(whole="FILE-03", does="Write it anew"),
    "truncated_in_quotes.csv": Answer(2, {4: {"FILE-05"}}, "send it whole"),
    "unbalanced_quotes.csv": Answer(whole="FILE-03", does="From line 3 on"),
    "several_sheets.xlsx": Answer(whole="FILE-17", does="Put them on one sheet"),
    "hidden_sheet.xlsx": ALL,
    "list.json": ALL,
    "nested.jsonl": Answer(2, {3: {"CAP-02"}}, "Give the number itself"),
    "places.geojson": Answer(whole="FILE-13", does="Export as CSV or JSON lines"),
    "odd_types.parquet": ALL,
    "bytes.parquet": Answer(whole="FILE-02", does="write it as text"),
    "repeated_text.parquet": Answer(whole="FILE-07", does="Send it in parts"),
    "nul_bytes.csv": Answer(whole="FILE-02", does="Save the file as CSV UTF-8"),
    "ragged_rows.csv": Answer(2, {3: {"FILE-09"}}, "Put text that holds the separator in quotation marks"),
    "very_long_line.csv": Answer(whole="FILE-08", does="Leave out what isn't about the asset"),
    "external_entity.xlsx": Answer(whole="FILE-03", does=AGAIN),
}
NAMES = {
    "windows_1252.csv": ["Café", "Zürich", "Señor"],
    "formulas.csv": ["Depot battery 2"],
    "emoji.csv": ["Depot battery 2"],
    "formula_without_result.xlsx": ["Depot battery 3"],
    "ten_megabyte_cell.csv": ["Depot battery 1", "Depot battery 3"],
    "ragged_rows.csv": ["Depot battery 1", "Depot battery 3"],
}


def test_the_set_is_whole_and_every_file_has_its_answer() -> None:
    assert len(FILES) >= 40
    assert set(ANSWERS) == set(FILES)
    kept = {path.name for path in HERE.iterdir() if path.is_file() and path.suffix != ".py"}
    assert kept == {name for name, file in FILES.items() if file.kept}
    assert sum((HERE / name).stat().st_size for name in kept) < 500_000


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".csv", ".txt", ".json", ".jsonl"))])
def test_what_is_kept_is_what_the_script_makes(name: str) -> None:
    if FILES[name].kept and name != "workbook_called.csv":
        assert (HERE / name).read_bytes() == FILES[name].make()


@pytest.mark.timeout(120)
@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("name", FILES)
def test_every_file_gets_a_clear_answer_and_leaves_nothing_half_done(one_register: str, name: str) -> None:
    actor, answer, data = make_fsp(), ANSWERS[name], nasty(name)
    before = {model: how_many(model) for model in WRITTEN}
    if answer.whole:
        with pytest.raises(Invalid) as refusal:
            send(actor, data, name)
        assert [finding.code for finding in refusal.value.findings] == [answer.whole]
        assert answer.does in refusal.value.findings[0].message
        assert "root:" not in str(refusal.value.findings)
        work_through_jobs()
        assert {model: how_many(model) for model in WRITTEN} == before
        return
    job = send(actor, data, name)
    assert (job.status, job.reason) == (JobStatus.COMPLETED, None)
    assert (job.rows_registered, job.rows_refused) == (answer.registered, len(answer.rows))
    assert job.rows_total == answer.registered + len(answer.rows)
    told: dict[int, set[str]] = {}
    for finding in job_findings(actor, job.id):
        told.setdefault(finding["row"], set()).add(finding["code"])
    assert told == answer.rows
    messages = " ".join(finding["message"] for finding in job_findings(actor, job.id))
    assert answer.does in messages
    _require_values(name, answer.registered)
    assert how_many(LedgerEntry) - before[LedgerEntry] >= answer.registered
    assert verify_ledger(system_actor()).sound


def _require_values(name: str, registered: int) -> None:
    """What is registered says what the file says: nothing of it was lost, moved or made up."""
    made = sorted(assets(), key=lambda asset: asset.serial_number or "")
    assert len(made) == registered
    expected = NAMES.get(name, [f"Depot battery {number}" for number in (1, 2, 3)][:registered])
    assert [asset.asset_name for asset in made] == expected
    for asset in made:
        rated = "2500.50" if name == "decimal_commas.csv" else "2500.00"
        assert (str(asset.rated_capacity), str(asset.effective_date)) == (rated, "2090-01-01")
        assert (str(asset.commissioning_date), asset.postcode) == ("2020-06-30", _postcode(name, asset))
        assert (asset.latitude, asset.longitude) == (52.2053, 0.1218)
        assert re.fullmatch(r"1000000070\d\d\d", asset.import_mpan or "")


def _postcode(name: str, asset: Asset) -> str | None:
    """A row that ends early leaves its last cells empty."""
    return None if name == "ragged_rows.csv" and asset.asset_name == "Depot battery 3" else "CB1 2JD"


@pytest.mark.use_case("UC-02.01")
def test_what_looks_like_a_formula_comes_back_disarmed(one_register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    data = nasty("formulas.csv").replace(b"AssetModel", b"=cmd|'/C calc'!A0")
    job = send(actor, data, "formulas.csv")
    back = tmp_path / "refused.csv"
    assert write_refused(actor, job.id, back) == 2
    cells = back.read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK(" in cells
    assert "'@SUM(1+1)" in cells
    assert not re.search(r"""(^|[,"\n])[=+@]""", cells)
    mended = cells.replace('\'=HYPERLINK(""http://example.org"",""Depot"")', "Depot battery 1")
    assert send(actor, mended.replace("'+1 Depot", "Depot battery 3").encode()).rows_registered == 2


@pytest.mark.use_case("UC-02.01")
def test_rows_keep_the_numbers_that_the_spreadsheet_shows(one_register: str) -> None:
    actor = make_fsp()
    data = nasty("title_rows_above.csv").replace(b"Depot battery 2", b"Depot battery!")
    assert [one["row"] for one in job_findings(actor, send(actor, data).id)] == [6]


MEASURE = """
import json, resource, sys, time
from services.assets.bulk.upload.jobs import read_file
from services.assets.rules.check import AssetReference
from services.core.errors import Invalid
from tests.data.bulk.make import FILES, nasty
told = {}
for name in FILES:
    data = nasty(name)
    begun = time.process_time()
    try:
        read_file(data, name, AssetReference(), {}, {})
        code = None
    except Invalid as refusal:
        code = refusal.findings[0].code
    told[name] = (code, time.process_time() - begun)
# What `getrusage` tells of a process itself begins with what its parent had when it was made.
own = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
apart = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(json.dumps({"told": told, "own": own, "apart": apart}))
"""


@pytest.mark.timeout(300)
@pytest.mark.use_case("UC-02.01")
def test_no_file_takes_the_portal_more_than_a_little_memory_and_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr[-2000:]
    measured = json.loads(done.stdout.splitlines()[-1])
    assert {name: code for name, (code, _seconds) in measured["told"].items()} == {
        name: answer.whole for name, answer in ANSWERS.items()
    }
    assert max(seconds for _code, seconds in measured["told"].values()) < 5
    assert measured["own"] < 700, "MB of the process that serves the portal"
    assert measured["apart"] < 4096, "MB of the process that opens a file"


def test_the_document_names_every_file_once_with_what_becomes_of_it() -> None:
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    said = [row for row in cells if len(row) == 4 and row[2].isdigit()]
    assert sorted(row[0].strip("`") for row in said) == sorted(FILES)
    for name, _what, registered, answered in said:
        answer = ANSWERS[name.strip("`")]
        assert registered == str(answer.registered), name
        assert set(re.findall(r"`([A-Z]+-\d+)`", answered)) == answer.codes, name


def test_every_code_of_a_file_is_documented() -> None:
    folders = [ROOT / "services" / "assets" / name for name in ("bulk", "files")]
    code = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    text = DOCUMENT.read_text(encoding="utf-8")
    codes = set(re.findall(r"FILE-\d\d", code))
    assert codes
    assert {one for one in codes if f"`{one}`" not in text} == set()
