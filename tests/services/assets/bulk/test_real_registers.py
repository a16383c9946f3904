"""Public registers as portfolios: what becomes of every row of two real files, and that the document says so (UC-02.01)."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.bulk import BulkJob
from services.assets.bulk.upload.results import job_findings, job_rows
from services.core.identity.actor import Actor
from tests.bulk_files import assets, counts, send
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")
DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "bulk.md"
CONSTANTS = {"EffectiveDate": "2040-01-01", "ConnectionType": "FIRM"}
NO_METER = {"MPAN-06", "MPAN-07"}
REPD_HEADINGS = (
    "Ref ID,Record Last Updated,Site Name,Technology Type,Installed Capacity (MWelec),Development Status,Country,"
    "Post Code,X-coordinate,Y-coordinate,Operational"
)


def _all(page: Callable[..., list[dict[str, Any]]], actor: Actor, job: BulkJob) -> Iterator[dict[str, Any]]:
    """Every line that a paged reading gives."""
    after = 0
    while lines := page(actor, job.id, after=after, limit=5_000):
        yield from lines
        after = lines[-1]["row"]


def _statuses(data: bytes, column: str, northern: str) -> dict[int, str]:
    """What each row of a file says of itself, read without any of our own readers, by its number in a spreadsheet."""
    lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return {
        number: "Northern Ireland" if line.get("Country", "") == northern else line[column].strip()
        for number, line in enumerate(lines, 2)
    }


def _documented() -> dict[str, list[int]]:
    """The lines of the document's tables of real files: title -> numbers."""
    text = DOCUMENT.read_text(encoding="utf-8").split("## Real registers as portfolios")[1].split("\n## ")[0]
    found: dict[str, list[int]] = {}
    for line in text.splitlines():
        title, *cells = [cell.strip().replace("*", "") for cell in line.strip("|").split("|")]
        if line.startswith("|") and all(re.fullmatch(r"[\d,]+", cell) for cell in cells):
            assert title not in found
            found[title] = [int(cell.replace(",", "")) for cell in cells]
    return found


@pytest.mark.parametrize(
    ("file", "name", "column", "groups"),
    [
        ("ecr-ukpn-2025-08.csv", "ECR", "Connection Status", ("Connected", "Accepted to Connect")),
        ("repd-q2-july-2024.csv", "REPD", "Development Status (short)", ("Operational", "Under Construction")),
    ],
)
def test_what_becomes_of_every_row_is_what_the_document_says(
    one_register: str, shared: Path, file: str, name: str, column: str, groups: tuple[str, ...]
) -> None:
    actor = make_fsp()
    data = (shared / "data" / file).read_bytes()
    job = send(actor, data, file, constants=CONSTANTS, keep_drafts=True)
    assert job.ready_made == name
    said = _statuses(data, column, "Northern Ireland")
    codes: dict[int, set[str]] = {}
    for one in _all(job_findings, actor, job):
        codes.setdefault(one["row"], set()).add(one["code"])
    became = Counter()
    for row in _all(job_rows, actor, job):
        group = said[row["row"]]
        group = group if group in (*groups, "Northern Ireland") else "any other status"
        became[group, row["outcome"]] += 1
        if row["outcome"] == "draft":
            became[group, "no meter" if codes[row["row"]] & NO_METER else "else lacking"] += 1
    found = {
        f"{name}: {group}": [
            sum(became[group, outcome] for outcome in ("registered", "draft", "refused")),
            became[group, "registered"],
            became[group, "no meter"],
            became[group, "else lacking"],
            became[group, "refused"],
        ]
        for group in {group for group, _ in became}
    }
    every = [sum(column) for column in zip(*found.values(), strict=True)]
    assert every == [len(said), job.rows_registered, every[2], job.rows_draft - every[2], job.rows_refused]
    assert len(assets()) == job.rows_registered
    found[f"{name}: the whole file"] = every
    assert found == {title: cells for title, cells in _documented().items() if title.startswith(f"{name}:")}


def test_of_the_planning_database_only_what_stands_or_is_built_becomes_an_asset(one_register: str) -> None:
    actor = make_fsp()
    rows = [
        "1,02/01/2024,Tip Gas,Landfill Gas,1.2,Operational,England,CB1 2JD,545000,258000,22/01/2013",
        "2,02/01/2024,Mill Stream,Small Hydro,0.3,Under Construction,England,CB1 2JD,545100,258000,",
        "3,02/01/2024,Never Built,Landfill Gas,1.2,Planning Permission Refused,England,CB1 2JD,545200,258000,",
        "4,02/01/2024,Sunny Field,Solar Photovoltaics,5,operational,England,CB1 2JD,545300,258000,22/01/2013",
        "5,02/01/2024,Elsewhere,Small Hydro,0.3,Operational,Northern Ireland,BT1 1AA,333000,374000,22/01/2013",
    ]
    data = "\n".join((REPD_HEADINGS, *rows)).encode()
    job = send(actor, data, "repd.csv", constants=CONSTANTS, keep_drafts=True)
    assert counts(job) == {"registered": 2, "draft": 1, "refused": 2}, job.summary
    tip, mill = sorted(assets(), key=lambda one: one.asset_name, reverse=True)
    assert (tip.asset_name, tip.connection_status, tip.dno_connection) == ("Tip Gas", "CONNECTED", "UKPN_EPN")
    assert (mill.asset_name, mill.connection_status) == ("Mill Stream", "PENDING")
    told = {one["row"]: (one["code"], one["message"]) for one in job_findings(actor, job.id)}
    assert told[4][0] == "OTHER_STATUS"
    assert "“Planning Permission Refused”" in told[4][1]
    assert told[5][0] in NO_METER
    assert told[6][0] == "NORTHERN_IRELAND"
