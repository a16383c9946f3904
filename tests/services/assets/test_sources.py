"""The public registers, read: the real files where they are at hand, and made-up ones with every known oddity."""

import io
import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from services.assets.rules.mpan import is_valid_mpan
from services.assets.sources import SourceReading, detect_kind, read_ecr, read_repd
from services.core.errors import Invalid

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
MADE_UP = Path(__file__).resolve().parents[2] / "data" / "sources"
OTHER_HEADINGS = (MADE_UP / "ecr-other-headings.csv").read_bytes()
REPD = (MADE_UP / "repd.csv").read_bytes()


@cache
def real(name: str) -> SourceReading:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the real registers are not at hand")
    return (read_repd if name.startswith("repd") else read_ecr)(path.read_bytes(), name)


@cache
def other_dno() -> SourceReading:
    return read_ecr(OTHER_HEADINGS, "ecr-other-headings.csv")


def row(reading: SourceReading, number: int) -> dict[str, Any]:
    return reading.rows.filter(pl.col("row") == number).row(0, named=True)


def noted(reading: SourceReading, number: int | None = None) -> set[str]:
    notes = reading.notes if number is None else reading.notes.filter(pl.col("row") == number)
    return set(notes["code"])


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("name", "rows", "skipped"),
    [
        ("ecr-ukpn-2025-08.csv", 1240, {}),
        ("ecr-ukpn-2022-02.csv", 989, {}),
        ("repd-q2-july-2024.csv", 11156, {"NORTHERN_IRELAND": 454}),
    ],
)
def test_every_row_of_a_real_register_is_taken_or_skipped_with_its_reason(
    name: str, rows: int, skipped: dict[str, int]
) -> None:
    reading = real(name)
    assert reading.counts["rows"] == rows
    assert reading.counts["skipped"] == skipped
    assert reading.rows.height + reading.skipped.height == rows
    assert sorted([*reading.rows["row"], *reading.skipped["row"]]) == list(range(1, rows + 1))
    assert reading.rows["key"].n_unique() == reading.rows.height
    assert sum(reading.counts["notes"].values()) == reading.notes.height
    assert reading.notes.select("column", "code", "message").null_count().sum_horizontal().item() == 0


def test_every_mpan_that_is_taken_is_sound_and_the_others_are_named() -> None:
    reading = real("ecr-ukpn-2025-08.csv")
    for column in ("export_mpans", "import_mpans"):
        assert all(is_valid_mpan(mpan) for mpan in reading.rows[column].explode().drop_nulls())
    unsound = set(reading.rows["invalid_mpans"].explode().drop_nulls())
    assert unsound == {"1050001044651", "1200001071622", "1200010257778", "10300004967319"}
    wrong = reading.notes.filter(pl.col("code").is_in(["MPAN_CHECK_DIGIT", "MPAN_LENGTH"]))
    assert set(wrong["given"]) == unsound


def test_a_real_row_in_our_terms() -> None:
    found = real("ecr-ukpn-2025-08.csv").rows.filter(pl.col("site_name") == "SITE OFF FORDHAM ROAD").row(0, named=True)
    assert found["export_mpans"] == ["1030083804870"]
    assert found["dno_code"] == "UKPN_EPN"
    assert (found["category"], found["energy_source"]) == ("SOLAR_PV", "SOLAR")
    assert found["registered_kw"] == found["export_kw"] == Decimal("5000.00")
    assert found["connection_status"] == "CONNECTED"
    assert found["connected_on"] == date(2014, 1, 28)
    assert json.loads(found["raw"])["Point of Connection (POC)_Voltage (kV)"] == "11.0"


def test_every_real_row_is_placed_in_one_of_the_publishers_areas_and_has_a_technology() -> None:
    for name in ("ecr-ukpn-2025-08.csv", "ecr-ukpn-2022-02.csv"):
        rows = real(name).rows
        assert set(rows["dno_code"]) == {"UKPN_EPN", "UKPN_LPN", "UKPN_SPN"}
        assert rows["category"].null_count() == rows["connection_status"].null_count() == 0
        assert "TECHNOLOGY_UNKNOWN" not in noted(real(name))
        assert "STATUS_UNKNOWN" not in noted(real(name))


def test_given_degrees_agree_with_the_metres_beside_them() -> None:
    assert "COORDINATES_DISAGREE" not in noted(real("ecr-ukpn-2025-08.csv"))
    assert real("ecr-ukpn-2025-08.csv").rows["latitude"].null_count() == 2


def test_a_newer_edition_finds_the_records_of_the_older_one_again() -> None:
    older, newer = real("ecr-ukpn-2022-02.csv").rows, real("ecr-ukpn-2025-08.csv").rows
    again = older.join(newer, on="key", how="inner")
    assert again.height >= 780
    metered = again.filter(pl.col("key").str.starts_with("MPAN:"))
    assert metered["key"].str.extract(r"MPAN:(\d{13})(?:#|$)").drop_nulls().n_unique() == 511
    # What is found again is the same thing: its technology hardly ever changes.
    assert again.filter(pl.col("category") == pl.col("category_right")).height / again.height > 0.98
    given_a_meter = older.join(newer, on="key", how="anti").join(newer, on="site_key", how="semi")
    assert given_a_meter.height > 0


def test_units_behind_one_meter_keep_their_keys_whatever_the_order_of_the_rows() -> None:
    head, *lines = OTHER_HEADINGS.decode().split("\r\n1199990000051")
    first, second = (f"\r\n1199990000051{line}" for line in lines)
    unit_2, rest = second.split("\r\n", 2)[1], second.split("\r\n", 2)[2]
    turned = read_ecr(f"{head}\r\n{unit_2}{first}\r\n{rest}".encode(), "turned.csv")
    keys = dict(turned.rows.select("site_name", "key").iter_rows())
    assert keys["Example Works Unit 1"] == "MPAN:1199990000051"
    assert keys["Example Works Unit 2"] == "MPAN:1199990000051#2"
    assert keys == dict(other_dno().rows.select("site_name", "key").iter_rows())


def test_headings_of_another_dno_and_its_cells() -> None:
    quarry = row(other_dno(), 1)
    assert quarry["export_mpans"] == ["1170000386392", "1170000386417"]
    assert quarry["address"] == "Quarry Lane, Long Example, Newark, Notts"
    assert (quarry["registered_kw"], quarry["export_kw"], quarry["import_kw"]) == (
        Decimal("12345.68"),
        Decimal("10000.00"),
        Decimal("250.00"),
    )
    assert quarry["dno_code"] == "NGED_EMID"
    assert quarry["reference"] == "EMID-0001"
    assert quarry["flexible"] is True
    assert noted(other_dno(), 1) == {"NOTHING_SAID", "LINES_JOINED", "TRIMMED", "MPAN_SEVERAL"}


def test_what_waits_for_its_connection() -> None:
    battery = row(other_dno(), 2)
    assert (battery["connection_status"], battery["category"], battery["energy_source"]) == ("PENDING", "BESS", "GRID")
    assert battery["registered_kw"] == Decimal(20_000)
    assert battery["storage_kwh"] == Decimal(40_000)
    assert battery["connected_on"] is None
    assert battery["accepted_on"] == date(2023, 5, 12)


def test_a_position_ten_times_too_far_north_is_named_and_not_moved() -> None:
    battery = row(other_dno(), 2)
    assert battery["northing"] == 3_605_000
    assert battery["latitude"] is None
    message = other_dno().notes.filter(code="POSITION_OUTSIDE_AREA")["message"].item()
    assert "the northing is ten times too large" in message


def test_odd_cells_are_noted_with_what_was_made_of_them() -> None:
    assert noted(other_dno(), 4) >= {"POSTCODE_MENDED", "CAPACITY_ZERO", "DATE_UNREADABLE", "TECHNOLOGY_SEVERAL"}
    engine = row(other_dno(), 4)
    assert engine["postcode"] == "NG32 2AN"
    assert engine["registered_kw"] == Decimal(3_000)
    assert engine["export_mpans"] == ["1199990000042"]
    assert (engine["category"], engine["categories"]) == ("CHP", ["CHP", "SOLAR_PV"])
    wind = row(other_dno(), 5)
    assert noted(other_dno(), 5) >= {"MPAN_CHECK_DIGIT", "AREA_UNKNOWN", "AREA_FROM_MPAN", "STATUS_UNKNOWN"}
    assert wind["invalid_mpans"] == ["1170000386393"]
    assert wind["registered_kw"] is wind["connection_status"] is None
    assert noted(other_dno(), 6) >= {"MPAN_AREA", "TECHNOLOGY_CONTRADICTS"}
    assert "MPAN_SHARED" in noted(other_dno(), 7)
    assert "TECHNOLOGY_UNKNOWN" in noted(other_dno(), 8)


def test_a_note_names_the_publishers_heading_and_the_cell_as_it_stood() -> None:
    note = other_dno().notes.filter(code="MPAN_SEVERAL").row(0, named=True)
    assert note["column"] == "Export MPAN / MSID"
    assert note["given"] == "1170000386392, 1170000386417"


def test_rows_that_hold_no_record_are_skipped() -> None:
    assert dict(other_dno().skipped.select("row", "code").iter_rows()) == {
        3: "NOTHING_IDENTIFIES",
        9: "EMPTY_ROW",
        10: "HEADINGS_REPEATED",
    }


def test_headings_in_snake_case_and_positions_to_the_kilometre() -> None:
    name = "ecr-snake-case.csv"
    reading = read_ecr((MADE_UP / name).read_bytes(), name)
    solar, battery = reading.rows.iter_rows(named=True)
    assert solar["dno_code"] == "SSEN_SEPD"
    assert solar["registered_kw"] == Decimal(4_990)
    assert battery["registered_kw"] == Decimal(20_000)
    assert battery["key"] != solar["site_key"]
    assert reading.notes.filter(code="POSITION_ROUNDED")["row"].to_list() == [None]


def test_windows_1252_reads_as_utf_8_does() -> None:
    text = (MADE_UP / "ecr-snake-case.csv").read_text().replace("Sample Down Solar", "Café Solar – Süd")
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        reading = read_ecr(text.encode(encoding), "ecr.csv")
        assert reading.rows["site_name"][0] == "Café Solar – Süd"


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory) as book:
        dates = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    sheet.write(number, column, cell, dates if isinstance(cell, date) else None)
    return memory.getvalue()


def test_a_workbook_with_two_parts_and_its_headings_on_the_second_row() -> None:
    headings = [
        "Export MPAN / MSID", "Customer Site", "Licence Area", "Energy Source 1", "Connection Status",
        "Already connected Registered Capacity (MW)", "Date Connected",
    ]  # fmt: skip
    large: list[list[Any]] = [
        ["Embedded Capacity Register"],
        headings,
        [1199990000051, "Example Works", "East Midlands", "Solar", "Connected", 1.25, date(2016, 10, 1)],
        ["1199990000042", "Example Mill", "East Midlands", "Wind", "Connected", 3, date(2020, 2, 29)],
    ]
    small: list[list[Any]] = [
        ["Register part 1"],
        headings,
        ["", "Example Roof", "West Midlands", "Solar", "Accepted to Connect", 0.05, ""],
    ]
    data = workbook(
        ("Read me", [["Notes on this register"]]),
        ("Register Part 1 50kW - <1MW", small),
        ("Register Part 1 - >=1MW", large),
    )
    assert detect_kind(data, "ecr.xlsx") == "ECR"
    reading = read_ecr(data, "ecr.xlsx")
    assert reading.counts["rows"] == 3
    roof, works, mill = reading.rows.iter_rows(named=True)
    assert (roof["row"], works["row"], mill["row"]) == (1, 2, 3)
    assert works["export_mpans"] == ["1199990000051"]
    assert works["connected_on"] == date(2016, 10, 1)
    assert works["registered_kw"] == Decimal(1_250)
    assert roof["dno_code"] == "NGED_WMID"


def test_the_planning_database() -> None:
    reading = read_repd(REPD, "repd.csv")
    assert dict(reading.skipped.select("row", "code").iter_rows()) == {
        2: "NORTHERN_IRELAND",
        4: "REFERENCE_AGAIN",
        5: "NOTHING_IDENTIFIES",
    }
    tip, store = reading.rows.iter_rows(named=True)
    assert (tip["key"], tip["reference"], tip["other_references"]) == ("REPD:9001", "9001", [])
    assert (tip["category"], tip["energy_source"]) == ("CHP", "BIOGAS")
    assert (tip["easting"], tip["northing"]) == (590_000, 160_000)
    assert tip["address"] == "Tip Lane, Example, Kent"
    assert tip["postcode"] == "SG12 0ES"
    assert tip["connected_on"] == date(2013, 1, 22)
    assert (store["postcode"], store["outcode"]) == (None, "DG7")
    assert (store["connection_status"], store["status_given"]) == ("DISCONNECTED", "Planning Permission Expired")
    assert store["other_references"] == ["A2"]


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("Operational", "CONNECTED"),
        ("Under Construction", "PENDING"),
        ("Planning permission Granted ", "PENDING"),
        ("Planning Application Withdrawn", "DISCONNECTED"),
        ("Decommissioned", "DISCONNECTED"),
        ("Revised", None),
    ],
)
def test_planning_statuses_as_connection_statuses(status: str, ours: str | None) -> None:
    reading = read_repd(REPD.replace(b"Operational,Tip", f"{status},Tip".encode()).replace(
        b"Yes,Operational", f"Yes,{status}".encode()), "repd.csv")  # fmt: skip
    assert row(reading, 1)["connection_status"] == ours
    assert row(reading, 1)["status_given"] == status.strip()


def test_the_original_row_is_kept_untouched() -> None:
    raw = json.loads(row(read_repd(REPD, "repd.csv"), 1)["raw"])
    assert raw["X-coordinate"] == "\t590000"
    assert raw["Address"] == "Tip Lane\n,Example"
    assert "Storage Type" not in raw


def test_kinds_are_known_by_their_headings() -> None:
    assert detect_kind(OTHER_HEADINGS, "anything.csv") == "ECR"
    assert detect_kind(REPD, "anything.csv") == "REPD"
    assert detect_kind(b"AssetId,AssetName\n1,2\n", "assets.csv") is None
    assert detect_kind(b"", "empty.csv") is None


@pytest.mark.parametrize(
    ("read", "data", "name", "code", "says"),
    [
        (read_ecr, b"", "e.csv", "FILE-01", "empty"),
        (read_ecr, b" \r\n", "e.csv", "FILE-01", "empty"),
        (read_ecr, b"\xff\xfea\x00\x00\x00", "e.csv", "FILE-02", "NUL"),
        (read_ecr, b"a,b\n\x81\x8d,2\n", "e.csv", "FILE-02", "encoding"),
        (read_ecr, b"PK\x03\x04 no workbook", "e.xlsx", "FILE-03", "workbook"),
        (read_ecr, b'Customer Site\n"a"b\n', "e.csv", "FILE-03", "can't be told apart"),
        (read_ecr, b"<html><body>Not found</body></html>", "e.csv", "FILE-13", "web page"),
        (read_ecr, b"Name,Kind\nA,B\n", "e.csv", "FILE-04", "Customer Site"),
        (read_ecr, REPD, "e.csv", "FILE-04", "Renewable Energy Planning Database"),
        (read_repd, OTHER_HEADINGS, "e.csv", "FILE-04", "Embedded Capacity Register"),
        (read_ecr, OTHER_HEADINGS[:3000], "e.csv", "FILE-05", "cut short"),
        (read_ecr, OTHER_HEADINGS[: OTHER_HEADINGS.index(b"1170000386417")], "e.csv", "FILE-05", "cut short"),
        (read_repd, REPD[: REPD.index("\u00a0".encode()) + 1], "e.csv", "FILE-05", "cut short"),
        (read_repd, REPD[: REPD.index(b"\r\n") + 2], "e.csv", "FILE-06", "no data rows"),
    ],
)
def test_a_file_that_is_no_register_is_refused_with_what_is_expected(
    read: Callable[[bytes, str], SourceReading], data: bytes, name: str, code: str, says: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read(data, name)
    (finding,) = refusal.value.findings
    assert finding.code == code
    assert says in finding.message
    assert finding.expected


def test_a_row_with_too_few_cells_is_skipped_not_guessed() -> None:
    lines = (MADE_UP / "ecr-snake-case.csv").read_text().splitlines()
    data = "\n".join([lines[0], "1170000386392,,Shifted,SO21 1AA", *lines[1:]]).encode()
    reading = read_ecr(data, "ecr.csv")
    assert dict(reading.skipped.select("row", "code").iter_rows()) == {1: "UNEVEN_ROW"}
    assert reading.counts["taken"] == 2


def test_the_documentation_gives_the_counts_as_measured_and_explains_every_code() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    codes = set(other_dno().counts["notes"]) | set(other_dno().counts["skipped"])
    codes |= set(read_repd(REPD, "repd.csv").counts["skipped"])
    assert {code for code in codes if not re.search(rf"\b{code}\b.*\|", text)} == set()
    head = next(line for line in lines if line[1:2] == ["ecr-ukpn-2022-02.csv"])
    measured = {
        line[0]: line[1:]
        for line in lines
        if line[0] in ("Rows", "Taken") or line[0].startswith(("Skipped:", "Noted:"))
    }
    for position, name in enumerate(head[1:]):
        counts = real(name).counts
        stated = {title: int(cells[position].replace(",", "")) for title, cells in measured.items()}
        assert stated.pop("Rows") == counts["rows"]
        assert stated.pop("Taken") == counts["taken"]
        found = {f"Skipped: {code}": number for code, number in counts["skipped"].items()}
        found |= {f"Noted: {code}": number for code, number in counts["notes"].items()}
        assert {title: number for title, number in stated.items() if number} == found
