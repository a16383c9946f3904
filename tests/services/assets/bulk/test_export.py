"""What goes out comes back: exports in every format, and the template (UC-02.01, UC-02.04)."""

import io
import json
import zipfile
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from models.core import Access
from services.assets.bulk.export.direct import WRITERS, export_file
from services.assets.bulk.upload.template import template_workbook
from services.assets.filters import AssetFilters
from services.assets.registration.register import register_asset
from services.assets.rules.schemas import shipped_schemas
from services.assets.rules.template_columns import template_columns
from services.core.errors import Invalid
from tests.asset_factories import battery, values_for
from tests.bulk_files import assets, counts, everything, send
from tests.factories import make_fsp

pytestmark = pytest.mark.both_engines


def _portfolio(actor: object) -> None:
    register_asset(actor, battery(FriendlyCode="-A1", Aliases="ECR:UKPN-1; OEM:=2+3", AssetName="-1 Depot"))  # pyright: ignore
    register_asset(actor, values_for("EV_CHARGER", ConnectorType="Type 2", V2GEnabled="yes"))  # pyright: ignore
    register_asset(actor, values_for("OTHER", Latitude=None, Longitude=None))  # pyright: ignore
    register_asset(actor, battery(ConsumerOwned="yes", ConsentReference="@C-1"))  # pyright: ignore


@pytest.mark.use_case("UC-02.04")
@pytest.mark.parametrize("file_format", ["csv", "xlsx", "jsonl", "parquet"])
def test_an_export_comes_back_with_no_changes_and_with_those_that_were_made(
    register: str, tmp_path: Path, file_format: str
) -> None:
    actor = make_fsp()
    _portfolio(actor)
    path = tmp_path / f"assets.{file_format}"
    assert export_file(actor, file_format, path) == 4
    back = send(actor, path.read_bytes(), path.name)
    assert (counts(back), back.unknown) == ({"unchanged": 4}, []), back.summary
    if file_format == "csv":
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(text.replace("AD-2500,", "AD-3000,", 1), encoding="utf-8")
        assert counts(send(actor, path.read_bytes(), path.name)) == {"updated": 1, "unchanged": 3}
        assert [asset.asset_model for asset in assets()].count("AD-3000") == 1


@pytest.mark.use_case("UC-02.04")
def test_exports_hold_what_one_may_see_as_filtered_and_are_logged(one_register: str, tmp_path: Path) -> None:
    actor, stranger = make_fsp(), make_fsp()
    _portfolio(actor)
    register_asset(stranger, battery())
    path = tmp_path / "some.jsonl"
    assert export_file(actor, "jsonl", path, AssetFilters(asset_category=("BESS",))) == 2
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert {row["AssetCategory"] for row in rows} == {"BESS"}
    assert rows[0]["RatedCapacity"] == 2500
    kept = [access for access in everything(Access) if access.kind == "assets.export"]
    assert kept[0].detail["rows"] == 2
    assert kept[0].detail["filter"] == {"asset_category": ["BESS"]}
    assert len(kept[0].detail["sha256"]) == 64
    with pytest.raises(Invalid):
        export_file(actor, "pdf", path)


@pytest.mark.use_case("UC-02.04")
def test_no_cell_runs_as_a_formula_and_places_are_geojson(one_register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    _portfolio(actor)
    for file_format in WRITERS:
        assert export_file(actor, file_format, tmp_path / f"a.{file_format}") == 4
    cells = (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert "'-1 Depot" in cells
    assert "'@C-1" in cells
    typed = pl.read_parquet(tmp_path / "a.parquet")
    assert typed.schema["RatedCapacity"] == pl.Decimal(18, 2)
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [0.1218, 52.2053]}
    assert features[0]["properties"]["AssetName"] == "-1 Depot"
    assert fastexcel.read_excel(tmp_path / "a.xlsx").sheet_names == ["Assets"]
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<t>-1 Depot</t>" in sheet, "text stays as it is where no spreadsheet runs it"
    assert not [part for part in (b"<f>", b"<f ", b"<hyperlink") if part in sheet]


@pytest.mark.use_case("UC-02.04")
def test_a_file_is_the_same_however_many_batches_it_is_read_in(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_fsp()
    _portfolio(actor)

    def made(name: str) -> dict[str, Path]:
        paths = {one: tmp_path / f"{name}.{one}" for one in WRITERS}
        assert [export_file(actor, one, path) for one, path in paths.items()] == [4] * len(WRITERS)
        return paths

    whole = made("whole")
    monkeypatch.setattr("services.assets.bulk.export.rows.BATCH", 1)
    monkeypatch.setattr("services.assets.bulk.export.formats.GROUP_ROWS", 2)
    parts = made("parts")
    for file_format in ("csv", "jsonl", "geojson"):
        assert parts[file_format].read_bytes() == whole[file_format].read_bytes()
    assert pl.read_parquet(parts["parquet"]).equals(pl.read_parquet(whole["parquet"]))
    sheets = [fastexcel.read_excel(one["xlsx"]).load_sheet("Assets").to_polars() for one in (parts, whole)]
    assert sheets[0].equals(sheets[1])
    typed, lines = pl.read_parquet(whole["parquet"]), whole["jsonl"].read_text().splitlines()
    said = [json.loads(line) for line in lines]
    assert typed["AssetId"].to_list() == [one["AssetId"] for one in said] == sorted(one["AssetId"] for one in said)
    assert [one.isoformat() for one in typed["RegisteredAt"]] == [one["RegisteredAt"] for one in said]
    assert [float(one) for one in typed["RatedCapacity"]] == [one["RatedCapacity"] for one in said]
    assert said[0]["Aliases"] == [{"scheme": "ECR", "value": "UKPN-1"}, {"scheme": "OEM", "value": "=2+3"}]
    assert all(None not in one.values() and [] not in one.values() for one in said), "what is empty is left out"


@pytest.mark.use_case("UC-02.04")
@pytest.mark.parametrize("file_format", list(WRITERS))
def test_an_export_of_nothing_is_a_file_too(one_register: str, tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"none.{file_format}"
    assert export_file(make_fsp(), file_format, path) == 0
    match file_format:
        case "csv":
            assert path.read_text(encoding="utf-8-sig").startswith("AssetId,Status,")
        case "parquet":
            assert pl.read_parquet(path).schema["RatedCapacity"] == pl.Decimal(18, 2)
        case "geojson":
            assert json.loads(path.read_text())["features"] == []
        case "xlsx":
            assert fastexcel.read_excel(path).load_sheet("Assets").to_polars().columns[0] == "AssetId"
        case _:
            assert path.read_bytes() == b""


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("category", [None, *shipped_schemas()])
def test_a_template_explains_its_columns_and_what_is_filled_in_registers(
    one_register: str, category: str | None
) -> None:
    actor = make_fsp()
    data = template_workbook(category)
    book = fastexcel.read_excel(data)
    assert book.sheet_names == ["Assets", "Columns", "Lists"]
    columns = template_columns(category)
    explained = book.load_sheet("Columns", dtypes="string").to_polars()
    assert explained["Column"].to_list() == [column.term for column in columns]
    headings = book.load_sheet("Assets", header_row=None, dtypes="string").to_polars().row(0)
    assert list(headings) == [column.term for column in columns]
    row = values_for(category or "BESS")
    filled = pl.DataFrame({term: [None if row.get(term) is None else str(row[term])] for term in headings})
    buffer = io.BytesIO()
    filled.write_excel(buffer)
    job = send(actor, buffer.getvalue(), "filled.xlsx")
    assert counts(job) == {"registered": 1}, job.summary
