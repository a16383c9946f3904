"""Values as files hold them: placeholders, spellings, units and dates are read right or named, never silently otherwise."""

import io
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter

from models.assets import Asset
from models.bulk import BulkJob
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.drafts import job_drafts, register_bulk_draft
from services.assets.bulk.upload.jobs import confirm_job
from services.assets.bulk.upload.preview import look_at_file
from services.assets.bulk.upload.results import job_findings
from services.assets.registration.register import register_asset
from services.core.errors import Invalid
from tests.asset_factories import an_mpan, battery
from tests.bulk_files import assets, counts, csv_of, jsonl_of, parquet_of, send, xlsx_of
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")
WHY = "The values have been read off the nameplate."


def _notices(job: BulkJob) -> dict[str, str]:
    return {notice["code"]: notice["message"] for notice in job.notices}


def _by_name() -> dict[str, Asset]:
    return {asset.asset_name: asset for asset in assets()}


@pytest.mark.parametrize("write", [csv_of, xlsx_of, jsonl_of, parquet_of])
def test_a_placeholder_identifies_and_overwrites_no_asset(one_register: str, write: Any) -> None:
    actor = make_fsp()
    texts = ["NaN", "NULL", "#N/A", "None", "n/a", "-", "0", "tbc", "unknown"]
    rows = [
        battery(
            AssetName=f"Battery {place}", AssetId=text, FriendlyCode=text, Manufacturer=text, AssetModel=text,
            SerialNumber=text, ExportMPAN=text, Aliases=f"ECR:{text}; OEM:X {place}",
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip
    first = send(actor, write(rows[:5]))
    assert counts(first) == {"registered": 5}, first.summary
    second = send(actor, write(rows[5:]))
    assert counts(second) == {"registered": len(rows) - 5}, second.summary
    for place in range(len(rows)):
        asset = _by_name()[f"Battery {place}"]
        values = asset.friendly_code, asset.manufacturer, asset.asset_model, asset.serial_number, asset.export_mpan
        assert values == (None,) * 5
        assert asset.aliases == [{"scheme": "OEM", "value": f"X {place}"}]
    assert "FriendlyCode" in _notices(first)["CELL-01"] or "read as empty" in _notices(first)["CELL-01"]


def test_the_columns_with_placeholders_are_told_with_how_many(one_register: str) -> None:
    rows = [battery(FriendlyCode=text, OtherDescription="NULL") for text in ("nan", "NULL", "NES-1")]
    job = send(make_fsp(), csv_of(rows), dry_run=True)
    messages = [notice["message"] for notice in job.notices]
    assert any("“FriendlyCode”: 2 cells stand for no value (nan, NULL)" in message for message in messages)
    assert any("“OtherDescription”: 3 cells" in message for message in messages)


@pytest.mark.parametrize("text", ["NULL", "nan", "#N/A", "n/a", "-", "?", "0", "TBC"])
@pytest.mark.parametrize("term", ["FriendlyCode", "Manufacturer", "AssetModel", "Aliases"])
def test_a_placeholder_in_a_form_is_refused_with_how_to_leave_it_out(one_register: str, term: str, text: str) -> None:
    given = f"ECR:{text}" if term == "Aliases" else text
    with pytest.raises(Invalid) as refused:
        register_asset(make_fsp(), battery(**{term: given}))
    [finding] = refused.value.findings
    assert (finding.field, "eave" in finding.message) == (term, True)


def test_a_placeholder_of_former_times_comes_back_unchanged(one_register: str) -> None:
    actor = make_fsp()
    asset = register_asset(actor, battery(EnergyConversionType="n/a", OtherDescription="Unknown"))
    row = {"AssetId": str(asset.id), "EnergyConversionType": "n/a", "OtherDescription": "Unknown"}
    assert counts(send(actor, csv_of([row]))) == {"unchanged": 1}
    assert counts(send(actor, csv_of([row | {"AssetModel": "New"}]))) == {"updated": 1}


def test_an_option_that_reads_like_a_placeholder_is_an_option(one_register: str) -> None:
    job = send(make_fsp(), csv_of([battery(ConnectionStatus="Connected", FuelType_EnergySource="Grid Electricity")]))
    assert counts(job) == {"registered": 1}, job.summary


@pytest.mark.parametrize("text", ["Eastern", "UK Power Networks Eastern", "ukpn_epn", "UKPN EPN"])
def test_a_network_is_known_by_the_name_of_its_licence_area(one_register: str, text: str) -> None:
    job = send(make_fsp(), csv_of([battery(DNOConnection=text)]))
    assert counts(job) == {"registered": 1}
    assert [asset.dno_connection for asset in assets()][-1] == "UKPN_EPN"


@pytest.mark.parametrize("text", ["½", "²", "①", "£"])
def test_a_sign_that_says_something_is_named_and_never_taken_for_nothing(one_register: str, text: str) -> None:
    actor = make_fsp()
    job = send(actor, csv_of([battery(GenCapacity=text)]))
    [finding] = job_findings(actor, job.id)
    assert (finding["field"], finding["given"]) == ("GenCapacity", text)


@pytest.mark.parametrize(
    "heading", ["Rated capacity (MW)", "rated_capacity_mw", "RatedCapacity [MW]", "RatedCapacityMW"]
)
def test_a_heading_in_megawatts_is_converted_and_told_before_confirming(one_register: str, heading: str) -> None:
    actor = make_fsp()
    rows = [battery(RatedCapacity=None, GenCapacity=None, DemandCapacity=None) for _ in range(2)]
    rows = [{heading: capacity} | row for row, capacity in zip(rows, ("2.5", "750 kW"), strict=True)]
    for row in rows:
        row.pop("RatedCapacity")
    look = look_at_file(actor, csv_of(rows), "a.csv")
    assert look.columns[heading] == "RatedCapacity"
    assert any("2.5 is read as 2500" in notice.message for notice in look.notices)
    job = send(actor, csv_of(rows), dry_run=True)
    assert "in MW" in _notices(job)["CELL-02"]
    confirm_job(actor, job.id)
    work_through_jobs()
    assert {asset.rated_capacity for asset in assets()} == {Decimal("2500.00"), Decimal("750.00")}


def test_a_column_in_megawatts_beside_one_in_kilowatts_is_passed_over(one_register: str) -> None:
    row = {"Rated capacity (MW)": "2.5"} | battery()
    job = send(make_fsp(), csv_of([row]))
    assert (counts(job), job.unknown) == ({"registered": 1}, ["Rated capacity (MW)"])


def test_a_mapped_column_in_megawatts_stays_so_with_the_mapping(one_register: str) -> None:
    actor = make_fsp()
    for _ in range(2):
        row = battery(GenCapacity=None, DemandCapacity=None)
        row = {"Leistung (MW)": "2,5"} | {term: value for term, value in row.items() if term != "RatedCapacity"}
        wishes = {"columns": {"Leistung (MW)": "RatedCapacity"}} if not assets() else {}
        job = send(actor, csv_of([row]), **wishes)
        assert counts(job) == {"registered": 1}, job.summary
        assert "in MW" in _notices(job)["CELL-02"]
    assert {asset.rated_capacity for asset in assets()} == {Decimal("2500.00")}


def test_a_unit_that_can_t_be_converted_is_named_in_each_row(one_register: str) -> None:
    row = battery(GenCapacity=None, DemandCapacity=None)
    row = {"Rated capacity (kVA)": "30"} | {term: value for term, value in row.items() if term != "RatedCapacity"}
    job = send(make_fsp(), csv_of([row]))
    assert (counts(job), list(job.summary)) == ({"refused": 1}, ["CAP-02"])
    assert "apparent power" in job.summary["CAP-02"]["examples"][0]["message"]


def test_a_draft_and_refused_rows_keep_the_unit(one_register: str) -> None:
    actor = make_fsp()
    row = battery(GenCapacity=None, DemandCapacity=None, EffectiveDate=None)
    row = {"Rated capacity (MW)": "2.5"} | {term: value for term, value in row.items() if term != "RatedCapacity"}
    job = send(actor, csv_of([row]), keep_drafts=True)
    assert counts(job) == {"draft": 1}, job.summary
    [draft] = job_drafts(actor, job.id)
    assert register_bulk_draft(actor, draft.id, {"EffectiveDate": "2030-01-01"}).rated_capacity == Decimal("2500.00")


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1,234", "2,5", "500"], ["1.23", "2.5", "500"]),
        (["1,234", "2.5", "500"], ["1234", "2.5", "500"]),
        (["1.234", "2,5", "500"], ["1234", "2.5", "500"]),
        (["1,234", "1,234.5"], ["1234", "1234.5"]),
        (["1,234", "500"], [None, "500"]),
        (["1,234", "2,5", "2.5"], [None, "2.5", "2.5"]),
        (["1.5E3", "+20", "50 kW"], ["1500", "20", "50"]),
    ],
)
def test_the_other_cells_of_a_column_decide_what_a_comma_is(
    one_register: str, cells: list[str], read: list[str | None]
) -> None:
    rows = [
        battery(AssetName=f"Battery {place}", RatedCapacity=cell, GenCapacity=None, DemandCapacity=None)
        for place, cell in enumerate(cells)
    ]
    job = send(make_fsp(), csv_of(rows))
    there = _by_name()
    capacities = [there.get(f"Battery {place}") for place in range(len(cells))]
    assert [asset and asset.rated_capacity for asset in capacities] == [text and Decimal(text) for text in read]
    assert set(job.summary) <= {"CAP-02"}


def test_a_share_of_a_workbook_is_what_its_cell_shows(one_register: str) -> None:
    rows = [battery(AssetName=f"Battery {place}") for place in range(3)]
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        shares = [book.add_format({"num_format": text}) for text in ("0%", "0.0 %", '0" % of rated"')]
        for place, (row, share) in enumerate(zip(rows, shares, strict=True), 1):
            for column, (term, value) in enumerate(row.items()):
                sheet.write_string(0, column, term)
                sheet.write_string(place, column, str(value))
            sheet.write_string(0, len(row), "RoundTripEfficiency")
            sheet.write_number(place, len(row), 0.875 if place < len(rows) else 87.5, share)
    job = send(make_fsp(), buffer.getvalue(), "a.xlsx")
    assert counts(job) == {"registered": 3}, job.summary
    assert {asset.category_attributes["RoundTripEfficiency"] for asset in assets()} == {87.5}


def test_a_share_is_no_power(one_register: str) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet, share = book.add_worksheet(), book.add_format({"num_format": "0%"})
        for column, (term, value) in enumerate(battery().items()):
            sheet.write_string(0, column, term)
            _ = (
                sheet.write_number(1, column, 0.95, share)
                if term == "GenCapacity"
                else sheet.write_string(1, column, str(value))
            )
    job = send(make_fsp(), buffer.getvalue(), "a.xlsx")
    assert list(job.summary) == ["GEN-02"]
    assert "not a share" in job.summary["GEN-02"]["examples"][0]["message"]


def test_long_decimals_are_rounded_and_told(one_register: str) -> None:
    job = send(make_fsp(), csv_of([battery(Latitude="52.20530000000000123", Longitude="0.12180268054273454")]))
    assert counts(job) == {"registered": 1}, job.summary
    [asset] = assets()
    assert (asset.latitude, asset.longitude) == (52.2053, 0.121803)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["31/01/2025", "05/06/2025"], ["2025-01-31", "2025-06-05"]),
        (["01/31/2025", "05/06/2025"], ["2025-01-31", "2025-05-06"]),
        (["05/06/2025", "07/08/2025"], [None, None]),
        (["31/01/2025", "01/31/2025", "05/06/2025"], ["2025-01-31", "2025-01-31", None]),
        (["31/02/2025", "5 Jun 2025"], [None, "2025-06-05"]),
    ],
)
def test_the_other_cells_of_a_column_decide_what_the_day_is(
    one_register: str, cells: list[str], read: list[str | None]
) -> None:
    rows = [battery(AssetName=f"Battery {place}", CommissioningDate=cell) for place, cell in enumerate(cells)]
    job = send(make_fsp(), csv_of(rows))
    there = {name: asset.commissioning_date for name, asset in _by_name().items()}
    dates = [there.get(f"Battery {place}") for place in range(len(cells))]
    assert [day and day.isoformat() for day in dates] == read, job.summary


def test_duplicates_are_found_by_the_normal_form(one_register: str) -> None:
    actor = make_fsp()
    register_asset(actor, battery(FriendlyCode="NES-42", SerialNumber="AD-99", Manufacturer="Müller Söhne"))
    alike = battery(SerialNumber="AD\u201199", Manufacturer="Mu\u0308ller\u00a0So\u0308hne")
    job = send(actor, csv_of([alike, battery(AssetName="Renamed", FriendlyCode="NES\u201042\u200b")]))
    assert set(job.summary) == {"DUP-01"}
    assert counts(job) == {"refused": 1, "updated": 1}
    assert [asset.asset_name for asset in assets()] == ["Renamed"]


def test_a_mixed_script_in_a_code_is_warned_of(one_register: str) -> None:
    job = send(make_fsp(), csv_of([battery(FriendlyCode="\u0410B-1"), battery(ImportMPAN="S " + an_mpan())]))
    assert (counts(job), list(job.summary)) == ({"registered": 1, "refused": 1, "warned": 1}, ["TEXT-02"])
