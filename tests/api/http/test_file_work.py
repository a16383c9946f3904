"""Files in a queue of their own: full, it says when to come back, and everything else goes on (UC-02.01)."""

import asyncio
import io
import time
import zipfile

import httpx
import pytest

from api.http.file_work import MOST, MOST_OF_ONE
from tests.api.conftest import Program

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>AssetName</t></is></c></row>
<row r="2"><c r="A2" t="str"><f>1</f><v>{value}</v></c></row></sheetData></worksheet>"""
PARTS = {
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="xml" ContentType="application/xml"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>""",
    "_rels/.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="Assets" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
 Target="worksheets/sheet1.xml"/></Relationships>""",
}


def bomb(value: str) -> bytes:
    """A small workbook with a cell of this value, millions of characters long."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in {**PARTS, "xl/worksheets/sheet1.xml": SHEET.format(value=value)}.items():
            archive.writestr(name, content)
    return packed.getvalue()


BOMBS = {
    "spaces": " " * 2_000_000,
    "digits": "1" * 2_000_000,
    "references": "&#32;" * 500_000,
    "digits and spaces": "1 " * 1_000_000,
    "empty tags": "<b/>" * 300_000,
    "letters": "aA" * 1_000_000,
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_no_small_file_takes_long_to_read(program: Program, name: str) -> None:
    data = bomb(BOMBS[name])
    assert len(data) < 100_000
    caller = program(None, ["fsp_user"])
    begun = time.perf_counter()
    answer = caller.post("/v1/assets/bulk?dry_run=true", content=data, headers={"Content-Type": XLSX})
    took = time.perf_counter() - begun
    assert answer.status_code in (202, 422), answer.text
    assert took < 10, f"{took:.1f} s"


def test_a_flood_of_files_leaves_the_rest_of_the_register_alone(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = program(None, ["fsp_user"])

    def slow(*_args: object, **_more: object) -> None:
        time.sleep(1.0)
        raise AssertionError("slow enough")

    monkeypatch.setattr("services.assets.bulk.upload.jobs.read_file", slow)

    async def flood() -> tuple[list[httpx.Response], float]:
        headers = {**dict(caller.headers), "Content-Type": "text/csv"}
        async with httpx.AsyncClient(base_url=caller.base_url, headers=headers, timeout=60) as many:
            sent = [asyncio.create_task(many.post("/v1/assets/bulk", content=b"AssetName\nLarch\n")) for _ in range(44)]
            await asyncio.sleep(0.3)
            begun = time.perf_counter()
            others = [await many.get("/health"), await many.get("/v1/assets"), await many.get("/v1/categories")]
            took = time.perf_counter() - begun
            assert [answer.status_code for answer in others] == [200, 200, 200]
            return await asyncio.gather(*sent), took

    answers, took = asyncio.run(flood())
    assert took < 2
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 44 - MOST_OF_ONE
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert MOST_OF_ONE < MOST
    # The queue is empty again.
    monkeypatch.undo()
    assert caller.post(
        "/v1/assets/bulk", content=b"AssetName\nLarch\n", headers={"Content-Type": "text/csv"}
    ).status_code in (
        202,
        422,
    )
