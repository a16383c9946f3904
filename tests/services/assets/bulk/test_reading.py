"""What is read closely: quotation marks, lines that break off, what spreadsheets did to numbers (UC-02.01, bulk)."""

import codecs
from typing import Any

import pytest

from models.bulk import JobStatus
from services.assets.bulk.upload.results import job_findings
from services.assets.bulk.upload.template import template_workbook
from services.assets.files.reader import read_table
from services.core.errors import Invalid
from tests.asset_factories import battery
from tests.bulk_files import csv_of, jsonl_of, send
from tests.factories import make_fsp

HEADINGS = b"AssetName,AssetModel,AssetCategory\n"


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (b'"12 inch pump,a,BESS\nb,b,BESS\n"14 inch pump,c,BESS\n', "FILE-03", "From line 2 on"),
        (b'a,"b\nb,c,BESS\n', "FILE-03", "From line 2 on"),
        (b"a," + b"x" * 200_000 + b',BESS\nb,c "d" e,BESS,,more\n', "FILE-03", "131,072 characters"),
    ],
)
def test_a_quotation_mark_never_swallows_rows(one_register: str, lines: bytes, code: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        send(make_fsp(), HEADINGS + lines)
    assert (refusal.value.findings[0].code, words in refusal.value.findings[0].message) == (code, True)


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("shift", range(3))
def test_the_encoding_of_a_large_file_is_told_to_the_byte(shift: int) -> None:
    """Characters of several bytes stand across every place at which a reader that goes in steps might cut the file."""
    lines = [f"{'x' * shift}{number},{'€' * 9_000},BESS" for number in range(1, 101)]
    data = HEADINGS + "\r\n".join(lines).encode()
    table = read_table(codecs.BOM_UTF8 + data, "a.csv", len)
    assert [",".join(row) for row in table.frame.select("c0", "c1", "c2").iter_rows()] == lines
    with pytest.raises(Invalid) as refusal:
        read_table(data.replace(b"\n" + b"x" * shift + b"90,", b"\n\xff90,"), "a.csv", len)
    assert (refusal.value.findings[0].code, refusal.value.findings[0].given) == ("FILE-02", "line 91")


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (HEADINGS + b'a,"two\nlines",BESS\nb,c,"BE', "a.csv", {3: "FILE-05"}),
        (HEADINGS + b"a,caf\xc3\xa9,BESS\nb,c,BESS\nd,e,caf\xc3", "a.csv", {4: "FILE-05"}),
        (HEADINGS + b"a,b,BESS\nTotal,,\n", "a.csv", {3: "FILE-14"}),
        (HEADINGS.replace(b"Model", b"Name2") + b"Total Energy,,BESS\n", "a.csv", {}),
        (b'{"AssetName": "caf\xe9"}\n{"AssetName": "a"}\n', "a.jsonl", {1: "FILE-09"}),
        (b'{"AssetName": "' + b"x" * 1_100_000 + b'"}\n{"AssetName": "a"}\n', "a.jsonl", {1: "FILE-15"}),
        (b'[{"AssetName": "a"}, 7]', "a.json", {2: "FILE-09"}),
        ('{"AssetName": "a"}\n{"AssetName"\n'.encode("utf-16"), "a.jsonl", {2: "FILE-09"}),
        (b'{"AssetName": "a", "Our\\u0000notes": "\\u0000"}\n', "a.jsonl", {}),
    ],
)
def test_single_rows_that_cannot_be_read_are_named(register: str, data: bytes, name: str, told: dict[int, str]) -> None:
    actor = make_fsp()
    job = send(actor, data, name, dry_run=True)
    found = {one["row"]: one["code"] for one in job_findings(actor, job.id) if one["code"].startswith("FILE")}
    assert (job.status, found) == (JobStatus.COMPLETED, told)


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("term", "given", "words"),
    [
        ("ImportMPAN", "120380120001234000000", "keeps 15 digits"),
        ("ImportMPAN", "100000000001", "One digit is missing"),
        ("SerialNumber", "1.2E+15", "format the column as text first"),
        ("RatedCapacity", "1.5e300", "without an exponent"),
        ("RatedCapacity", "25 00", "no thousands separator"),
        ("RatedCapacity", "2,500", "a thousand or one"),
        ("Longitude", "0.12 W", "with a minus in front"),
    ],
)
def test_what_a_spreadsheet_did_is_told_with_how_to_undo_it(
    one_register: str, term: str, given: str, words: str
) -> None:
    actor = make_fsp()
    job = send(actor, jsonl_of([battery(**{term: given})]), "a.jsonl")
    found = {one["field"]: one["message"] for one in job_findings(actor, job.id)}
    assert words in found[term]


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("last", "told"),
    [
        ({"AssetName": "Grand total:", "RatedCapacity": "7,500.00"}, {4: "FILE-14"}),
        ({"AssetCategory": "Sum of capacity", "RatedCapacity": "5000"}, {4: "FILE-14"}),
        ({"RatedCapacity": "5000 kW", "StorageCapacity_kWh": "10000"}, {4: "FILE-14"}),
        (battery(AssetName="Total"), {}),
        ({"AssetName": "Total Energy depot", "RatedCapacity": "5000"}, {}),
    ],
)
def test_a_total_is_told_from_an_asset(one_register: str, last: dict[str, Any], told: dict[int, str]) -> None:
    actor = make_fsp()
    job = send(actor, csv_of([battery(), battery(), last]), dry_run=True)
    found = {one["row"]: one["code"] for one in job_findings(actor, job.id) if one["code"].startswith("FILE")}
    assert found == told


@pytest.mark.use_case("UC-02.01")
def test_the_template_filled_in_is_one_sheet_of_assets_though_its_explanations_name_them_too(
    one_register: str,
) -> None:
    with pytest.raises(Invalid) as refusal:
        send(make_fsp(), template_workbook("BESS"), "template.xlsx")
    assert [one.code for one in refusal.value.findings] == ["FILE-06"]
