"""Registers as distributors publish them: headings, encodings, units, destroyed identifiers, and editions held together."""

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from services.assets.bulk.upload.results import job_findings
from services.assets.files.reader import read_table
from services.assets.sources import SourceReading, detect_kind, read_ecr, read_repd
from services.assets.sources.loading import load_source
from services.assets.sources.reading_records import edition_findings, list_editions
from services.core.errors import Invalid
from services.core.identity.actor import system_actor
from tests.asset_factories import an_mpan
from tests.bulk_files import assets, counts, send
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")
CONSTANTS = {"EffectiveDate": "2040-01-01", "ConnectionType": "FIRM"}
UKPN = [
    "Export MPAN / MSID",
    "Import MPAN / MSID",
    "Customer Site",
    "Postcode",
    "Location (X-coordinate):_Eastings (where data is held)",
    "Location (y-coordinate):_Northings (where data is held)",
    "Licence Area",
    "Energy Source 1",
    "Energy Conversion Technology 1",
    "Connection Status",
    "Already connected Registered Capacity (MW)",
    "Date Connected",
]
SSEN = [
    "export_mpan___msid",
    "import_mpan___msid",
    "Customer Site",
    "Postcode",
    "location__x_coordinate___eastings__where_data_is_held_",
    "location__y_coordinate___northings__where_data_is_held_",
    "Licence Area",
    "Energy Source 1",
    "Energy Conversion Technology 1",
    "Connection Status",
    "already_connected_registered_capacity__mw_",
    "Date Connected",
]
NGED_2024 = [
    "Export MPAN_MSID",
    "Import MPAN_MSID",
    "Customer_Site",
    "Postcode",
    "Eastings",
    "Northings",
    "Licence Area",
    "Energy_Source_1",
    "Conv_Tech_1",
    "Connection_Status",
    "Already connected Registered Capacity (MW)",
    "Date_Connected",
]
NGED_2026 = [
    "export_mpan/msid",
    "import_mpan/msid",
    "customer_site",
    "postcode",
    "location(x-coordinate):_eastings_(where_data_is_held)",
    "location(y-coordinate):_northings_(where_data_is_held)",
    "licence_area",
    "energy_source_1",
    "Energy Conversion Technology 1",
    "connection_status",
    "already_connected_registered_capacity(mw)",
    "date_connected",
]
OPEN_DATA = [
    "export_mpan_msid",
    "import_mpan_msid",
    "customer_site",
    "postcode",
    "location_x_coordinate_eastings_where_data_is_held",
    "location_y_coordinate_northings_where_data_is_held",
    "licence_area",
    "energy_source_1",
    "energy_conversion_technology_1",
    "connection_status",
    "already_connected_registered_capacity_mw",
    "date_connected",
]
ROW = [
    "1030083804870",
    "",
    "Café Farm – £5",
    "CB8 7LG",
    "563071",
    "267321",
    "Eastern Power Networks (EPN)",
    "Solar",
    "Photovoltaic",
    "Connected",
    "5.25",
    "2014-01-28",
]


def table_of(*rows: list[str], headings: list[str] = UKPN, separator: str = ",", above: int = 0) -> str:
    """A register as text, with lines of a title above its headings."""
    title = [["Embedded Capacity Register"], ["As of August"], *([[""]] * above)][:above]
    return "".join(separator.join(cells) + "\r\n" for cells in (*title, headings, *rows))


def only(reading: SourceReading) -> dict[str, Any]:
    """The one row of a reading."""
    (row,) = reading.rows.iter_rows(named=True)
    return row


def codes(reading: SourceReading) -> dict[str, int]:
    """How often each code is noted, but for columns that aren't read."""
    return {code: number for code, number in reading.counts["notes"].items() if code != "COLUMN_NOT_READ"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_source_reads_every_encoding_and_separator(encoding: str, separator: str) -> None:
    data = table_of(ROW, separator=separator, above=2).encode(encoding)
    row = only(read_ecr(data, "ecr.txt"))
    assert (row["site_name"], row["export_mpans"], row["registered_kw"]) == ("Café Farm – £5", [ROW[0]], Decimal(5250))
    table = read_table(data, "ecr.txt", lambda cells: sum(cell in UKPN for cell in cells))
    assert (table.headings, table.frame["c2"].to_list()) == (UKPN, ["Café Farm – £5"])


def _workbook(rows: list[list[Any]]) -> bytes:
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory) as book:
        sheet = book.add_worksheet("Register")
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)
    return memory.getvalue()


def _parquet(rows: list[list[Any]]) -> bytes:
    memory = io.BytesIO()
    pl.DataFrame(rows[1:], schema=rows[0], orient="row").write_parquet(memory)
    return memory.getvalue()


def _json_lines(rows: list[list[Any]]) -> bytes:
    return pl.DataFrame(rows[1:], schema=rows[0], orient="row").write_ndjson().encode()


@pytest.mark.parametrize("write", [_workbook, _parquet, _json_lines])
def test_sources_and_uploads_read_the_same_formats(
    one_register: str, write: Callable[[list[list[Any]]], bytes]
) -> None:
    data = write([UKPN, ROW])
    assert only(read_ecr(data, "ecr.bin"))["export_mpans"] == [ROW[0]]
    job = send(make_fsp(), data, "ecr.bin", constants=CONSTANTS, dry_run=True)
    assert (job.ready_made, counts(job)) == ("ECR", {"registered": 1})


@pytest.mark.parametrize("headings", [UKPN, SSEN, NGED_2024, NGED_2026, OPEN_DATA])
def test_every_distributors_headings_are_read(headings: list[str]) -> None:
    data = table_of(ROW, headings=headings).encode()
    assert detect_kind(data, "a.csv") == "ECR"
    row = only(read_ecr(data, "a.csv"))
    assert (row["easting"], row["northing"], row["dno_code"]) == (563071, 267321, "UKPN_EPN")
    assert (row["category"], row["connection_status"]) == ("SOLAR_PV", "CONNECTED")
    assert (row["registered_kw"], row["connected_on"]) == (Decimal(5250), date(2014, 1, 28))


@pytest.mark.parametrize(
    ("heading", "cell", "kilowatts"),
    [
        ("energy_source___energy_conversion_technology_1___registered_", "10.38", "10380"),
        ("energy_source_&_conversion_tech_1_reg_capacity_mw", "4.7", "4700"),
        ("Reg_Cap_Energy_Source_Conv_Tech_1", "4.7", "4700"),
        ("energy_source_energy_conversion_technology_1_registered_capacity_kw", "99.9", "99.9"),
        ("energy_source_energy_conversion_technology_1_registered_capacit", "0.5", "500"),
        ("Already connected Registered Capacity (kW)", "500", "500"),
        ("Already connected Registered Capacity (MW)", "500 kW", "500"),
        ("Already connected Registered Capacity (MW)", "2,5", "2500"),
        ("Already connected Registered Capacity (MW)", "1,020.5", "1020500"),
        ("Already connected Registered Capacity (MW)", "1.5E-1", "150"),
    ],
)
def test_capacities_are_read_in_the_unit_that_heading_or_cell_says(heading: str, cell: str, kilowatts: str) -> None:
    headings = [heading if name.startswith("Already") else name for name in UKPN]
    row = [f'"{cell}"' if name == heading else given for name, given in zip(headings, ROW, strict=True)]
    assert only(read_ecr(table_of(row, headings=headings).encode(), "a.csv"))["registered_kw"] == Decimal(kilowatts)


def test_a_heading_cut_before_its_unit_takes_the_unit_of_the_others() -> None:
    headings = [
        *UKPN[:-2],
        "energy_source_energy_conversion_technology_1_registered_capacit",
        "maximum_export_capacity_kw",
    ]
    row = only(read_ecr(table_of([*ROW[:-2], "99.9", "90"], headings=headings).encode(), "a.csv"))
    assert (row["registered_kw"], row["export_kw"]) == (Decimal("99.9"), Decimal(90))


def test_a_comma_that_may_part_thousands_or_decimals_is_named_unless_other_cells_decide() -> None:
    def capacities(*cells: str) -> list[Decimal | None]:
        rows = [[*ROW[:10], f'"{cell}"', f"2014-01-{day:02}"] for day, cell in enumerate(cells, 1)]
        reading = read_ecr(table_of(*rows).encode(), "a.csv")
        assert ("NUMBER_AMBIGUOUS" in codes(reading)) == (None in reading.rows["registered_kw"])
        return reading.rows["registered_kw"].to_list()

    assert capacities("1,234") == [None]
    assert capacities("1,234", "2,5") == [Decimal(1234), Decimal(2500)]
    assert capacities("1,234", "2.5") == [Decimal(1_234_000), Decimal(2500)]


def test_what_is_not_read_is_named_with_counts_and_examples() -> None:
    headings = [*UKPN, "Bulk Supply Point", "Empty"]
    rows = [[*ROW, "Melksham", ""], [*ROW[:10], "five", "31-Feb-2015", "data not available", ""]]
    reading = read_ecr(table_of(*rows, headings=headings).encode(), "a.csv")
    assert reading.counts["unread"] == ["Bulk Supply Point"]
    assert reading.counts["lost"] == {
        "Already connected Registered Capacity (MW)": {"count": 1, "examples": ["five"]},
        "Date Connected": {"count": 1, "examples": ["31-Feb-2015"]},
    }


def test_headings_that_are_not_a_registers_are_refused_with_where_they_are_looked_for() -> None:
    with pytest.raises(Invalid) as refusal:
        read_ecr(("Title\n" * 12 + table_of(ROW)).encode(), "a.csv")
    assert (refusal.value.findings[0].code, "first 10 rows" in refusal.value.findings[0].message) == ("FILE-04", True)


@pytest.mark.parametrize("cell", ["2.00006E+12", "#####", "2000060000000", "120380120001234000000", "1,03008E+12"])
def test_a_destroyed_identifier_identifies_nothing(cell: str) -> None:
    row = only(reading := read_ecr(table_of([f'"{cell}"', *ROW[1:]]).encode(), "a.csv"))
    assert (row["export_mpans"], row["invalid_mpans"], codes(reading).pop("MPAN_DESTROYED")) == ([], [], 1)
    assert row["key"] == "PLACE:563071,267321:SOLAR_PV"


def _site(name: str, day: int, kilometre: int = 387, mpan: str = "2.00006E+12", capacity: str = "5") -> list[str]:
    place = [str(kilometre * 1000), "163000"]
    area = "Southern Electric Power Distribution plc"
    return [mpan, "", name, "", *place, area, "Solar", "Photovoltaic", "Connected", capacity, f"2020-01-{day:02}"]


@pytest.mark.parametrize(
    "rows",
    [
        [_site("Highfield", 1), _site("Low Lane", 2), _site("Glen More", 3, 388)],
        [_site("Highfield", 5), _site("Highfield", 6, capacity="7")],
        [_site("", 5), _site("", 6), _site("", 7, capacity="8")],
        [_site("Works", 5, mpan="1030083804870"), _site("Works 2", 6, mpan="1030083804870")],
    ],
)
def test_a_later_edition_with_one_more_project_is_one_new_and_the_rest_unchanged(
    one_register: str, rows: list[list[str]]
) -> None:
    more = [_site(rows[0][2], 1, mpan=rows[0][0], capacity="99"), *rows]
    names = ("new", "changed", "unchanged", "gone")
    for month, edition in enumerate((rows, more, rows[1:]), 1):
        loaded = load_source(system_actor(), table_of(*edition, headings=SSEN).encode(), f"ecr-2026-0{month}.csv")
        expected = {1: (len(rows), 0, 0, 0), 2: (1, 0, len(rows), 0), 3: (0, 0, len(rows) - 1, 2)}[month]
        assert tuple(loaded.counts[name] for name in names) == expected


def test_a_date_of_publication_alone_changes_no_project(one_register: str) -> None:
    for month in ("01", "02"):
        data = table_of([*ROW, f"2026-{month}-01"], headings=[*UKPN, "Last Updated"]).encode()
        loaded = load_source(system_actor(), data, f"ecr-2026-{month}.csv")
    assert (loaded.counts["unchanged"], loaded.counts["changed"], len(list_editions(system_actor()))) == (1, 0, 2)
    assert {finding["code"] for finding in edition_findings(system_actor(), loaded.id)} == set()


def test_a_row_whose_cells_left_their_headings_is_refused() -> None:
    shifted = [*ROW[:3], "Put in", *ROW[3:-1]]
    reading = read_ecr(table_of(ROW, shifted).encode(), "a.csv")
    assert dict(reading.skipped.select("row", "code").iter_rows()) == {2: "SHIFTED_ROW"}


@pytest.mark.parametrize(
    ("easting", "northing", "cause"),
    [
        ("563071", "2673210", "the northing is ten times too large"),
        ("5630710", "267321", "easting is ten times too large"),
    ],
)
def test_a_position_ten_times_too_large_is_kept_and_its_cause_named(easting: str, northing: str, cause: str) -> None:
    headings = [*UKPN, "lon", "lat"]
    row = [*ROW[:4], easting, northing, *ROW[6:]]
    for degrees in (["", ""], ["0.3826", "52.2796"]):
        reading = read_ecr(table_of([*row, *degrees], headings=headings).encode(), "a.csv")
        assert (only(reading)["easting"], only(reading)["northing"]) == (float(easting), float(northing))
        assert cause in reading.notes.filter(code="POSITION_OUTSIDE_AREA")["message"].item()


REPD = (
    "Ref ID,Site Name,Technology Type,Installed Capacity (MWelec),Development Status,Country,X-coordinate,Y-coordinate,"
    "Address,Operational"
)


def test_a_windows_file_with_a_few_garbled_cells_is_read_and_they_are_named(one_register: str) -> None:
    line = "{},Made up site {},Landfill Gas,2,Operational,England,545000,258000,Otter’s Lane,01/05/2007\n"
    text = REPD + "\n" + "".join(line.format(number, number) for number in range(1, 9))
    text += "9,Pen y BrÃ¢n,Landfill Gas,2,Operational,England,545000,258000,Moor,01/05/2007\n"
    data = text.encode("cp1252")
    reading = read_repd(data, "repd.csv")
    assert reading.notes.filter(code="TEXT_GARBLED").select("row", "given").rows() == [(9, "Pen y BrÃ¢n")]
    actor = make_fsp()
    job = send(actor, data, "repd.csv", constants=CONSTANTS, dry_run=True)
    assert [notice["code"] for notice in job.notices] == ["FILE-18"]
    assert "Windows-1252" in job.notices[0]["message"]
    (finding,) = job_findings(actor, job.id, code="TEXT_GARBLED")
    assert (finding["row"], finding["field"], finding["severity"]) == (10, "AssetName", "notice")
    assert "Pen y Brân" in finding["message"]


def test_what_the_reader_notes_is_a_finding_of_the_row(one_register: str) -> None:
    actor, other = make_fsp(), an_mpan("10")
    rows = [
        ["1088800000991", *ROW[1:11], "31-Feb-2015"],
        [f"{ROW[0]}; {other}", *ROW[1:3], "RM9", *ROW[4:]],
        ["2.00006E+12", *ROW[1:10], "five", ROW[11]],
        [*ROW[:4], "563071", "2673210", *ROW[6:9], "Energised soon", *ROW[10:]],
    ]
    job = send(actor, table_of(*rows).encode(), "ecr.csv", constants=CONSTANTS, keep_drafts=True)
    findings = job_findings(actor, job.id)
    given = {(finding["row"], finding["field"]): finding["given"] for finding in findings}
    assert given[2, "ExportMPAN"] == "1088800000991"
    assert given[2, "CommissioningDate"] == "31-Feb-2015"
    assert given[3, "Postcode"] == "RM9"
    assert given[3, "ExportMPAN"] == f"{ROW[0]}; {other}"
    assert given[4, "ExportMPAN"] == "2.00006E+12"
    assert given[4, "RatedCapacity"] == "five"
    assert given[5, "ConnectionStatus"] == "Energised soon"
    assert given[5, "Northing"] == "2673210"
    assert not [finding for finding in findings if "needed" in finding["message"] and not finding["given"]]
    assert counts(job) == {"registered": 1, "refused": 3}
    (asset,) = assets()
    assert (asset.export_mpan, asset.postcode) == (ROW[0], None)


def _project(number: int, **cells: str) -> str:
    """A line of the planning database."""
    usual = {
        "site": f"Site {number}", "technology": "Landfill Gas", "status": "Operational", "country": "England",
        "x": str(545_000 + 10 * number), "y": "258000",
    }  # fmt: skip
    row = {**usual, **cells}
    line = (
        row["site"],
        row["technology"],
        "2",
        row["status"],
        row["country"],
        row["x"],
        row["y"],
        "Lane",
        "01/05/2007",
    )
    return ",".join((str(number), *line)) + "\n"


@pytest.mark.parametrize(
    ("technology", "category", "source"),
    [
        ("Ground Source Heat Pumps", "HEAT_PUMP", None),
        ("Air Source Heat Pump", "HEAT_PUMP", None),
        ("Gas CHP", "CHP", "NATURAL_GAS"),
        ("Tidal Stream", "OTHER", "OTHER"),
        ("Tidal Barrage and Tidal Stream", "OTHER", "OTHER"),
        ("Tidal Lagoon", "OTHER", "OTHER"),
        ("Offshore Wind (floating)", "WIND_TURBINE", "WIND"),
        ("Hydrogen (electrolysis)", "OTHER", "HYDROGEN"),
        ("Biomass (co-firing)", "OTHER", "BIOMASS"),
        ("Solar PV", "SOLAR_PV", "SOLAR"),
    ],
)
def test_technologies_of_the_planning_database(technology: str, category: str, source: str | None) -> None:
    reading = read_repd((REPD + "\n" + _project(1, technology=technology)).encode(), "repd.csv")
    row = only(reading)
    assert (row["category"], row["energy_source"]) == (category, source)
    assert "TECHNOLOGY_UNKNOWN" not in codes(reading)


def test_sites_outside_the_networks_get_the_right_reason(one_register: str) -> None:
    actor = make_fsp()
    lines = [
        _project(1, country="Northern Ireland"),
        _project(2, country="Isle of Man", x="238000", y="476000"),
        _project(3, country="England", x="238000", y="476000"),
        _project(4, country="Jersey"),
        _project(5, technology="Wind Offshore", x="685500", y="257000"),
        _project(6, technology="Tidal Stream", x="335503", y="984335"),
        _project(7, technology="Battery", country="Wales", x="321972", y="164932"),
        _project(8),
    ]
    data = (REPD + "\n" + "".join(lines)).encode()
    job = send(actor, data, "repd.csv", constants=CONSTANTS)
    refused = {
        finding["row"]: finding["code"] for finding in job_findings(actor, job.id) if finding["severity"] == "error"
    }
    reasons = ("NORTHERN_IRELAND", "ISLE_OF_MAN", "ISLE_OF_MAN", "CHANNEL_ISLANDS", "AT_SEA", "AT_SEA", "OUTSIDE_AREAS")
    assert refused == dict(enumerate(reasons, 2))
    assert counts(job) == {"registered": 1, "refused": 7}


@pytest.mark.parametrize(
    ("postcode", "place"),
    [("BT1 1AA", "Northern Ireland"), ("IM1 1AA", "Isle of Man"), ("JE2 3AB", "Jersey"), ("GY1 1AA", "Guernsey"),
     ("ZZ99 3CZ", "tests"), ("BX1 1LT", "without a place"), ("GIR 0AA", "without a place")],
)  # fmt: skip
def test_postcodes_of_other_places_are_named_for_what_they_are(postcode: str, place: str) -> None:
    reading = read_ecr(table_of([*ROW[:3], postcode, *ROW[4:]]).encode(), "a.csv")
    assert place in reading.notes.filter(code="POSTCODE_ELSEWHERE")["message"].item()
