"""Exports: what an actor may see and nothing else, by ontology terms, harmless in a spreadsheet, and logged."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.core import Access
from services.assets.registration.register import register_asset
from services.core.errors import Forbidden, Invalid
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.canonical import hash_of
from services.core.transaction import Stamp, unit_of_work
from services.governance.export import cell, export_to
from tests.asset_factories import battery, make_administrator, make_operator, make_provider

pytestmark = pytest.mark.use_case("UC-05.01")


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV by heading."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def accesses() -> list[tuple[str, str]]:
    """What the access log holds: (kind, whose)."""
    with unit_of_work(Stamp("look", "UC-05.01", system_actor()), writes=False) as session:
        return [(row.kind, row.actor_key) for row in session.scalars(select(Access))]


def test_an_fsp_exports_its_own_assets_by_ontology_term(register: str, tmp_path: Path) -> None:
    provider, rival = make_provider("Northgate"), make_provider("Rival")
    mine = register_asset(provider, battery(AssetName="Riverside battery", RatedCapacity="2500.5"))
    register_asset(rival, battery())
    target = tmp_path / "assets.csv"
    assert export_to(provider, "assets", target) == 1
    (row,) = rows_of(target)
    assert row["AssetId"] == str(mine.id)
    assert row["AssetName"] == "Riverside battery"
    assert row["RatedCapacity"] == "2500.50"
    assert row["ImportMPAN"] == mine.import_mpan
    assert row["StorageCapacity_kWh"] == "5000"
    assert accesses() == [("assets.export", provider.key)]


def test_json_lines_say_the_same_exactly(register: str, tmp_path: Path) -> None:
    provider = make_provider()
    assets = [register_asset(provider, battery()) for _ in range(3)]
    target = tmp_path / "assets.jsonl"
    assert export_to(provider, "assets", target) == 3
    rows = lines_of(target)
    assert [row["AssetId"] for row in rows] == [str(asset.id) for asset in assets]
    assert Decimal(rows[0]["RatedCapacity"]) == assets[0].rated_capacity
    assert rows[0]["ConsumerOwned"] is False
    assert "ExportMPAN" not in rows[0], "what is empty is left out"


def test_a_system_operator_exports_its_area_only(register: str, tmp_path: Path) -> None:
    register_asset(make_provider(), battery())
    assert export_to(make_operator("UKPN_EPN"), "assets", tmp_path / "a.csv") == 1
    assert export_to(make_operator("SPEN_SPD"), "assets", tmp_path / "b.csv") == 0


@pytest.mark.parametrize("what", ["organisations", "ledger"])
def test_what_the_administrator_exports_others_may_not(register: str, tmp_path: Path, what: str) -> None:
    target = tmp_path / f"{what}.csv"
    with pytest.raises(Forbidden):
        export_to(make_provider(), what, target)
    assert not list(tmp_path.glob(f"{what}*"))
    assert export_to(make_administrator(), what, target) > 0
    assert accesses()[-1][0] == f"{what}.export"


@pytest.mark.use_case("UC-05.06")
def test_the_exported_ledger_can_be_verified_elsewhere(register: str, tmp_path: Path) -> None:
    from datetime import datetime

    register_asset(make_provider(), battery())
    target = tmp_path / "ledger.jsonl"
    export_to(make_administrator(), "ledger", target)
    for row in lines_of(target):
        said = {name: row.get(name) for name in ("user_id", "client_id", "organisation_id", "on_behalf_of")} | row
        said["recorded_at"] = datetime.fromisoformat(row["recorded_at"])
        assert hash_of(said, row["previous_hash"]) == row["hash"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("+442079460101", "'+442079460101"),
        ("-2 °C", "'-2 °C"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=1", "a=1"),
        ("", ""),
        (None, None),
        (-1.5, -1.5),
        (Decimal("-2500.00"), Decimal("-2500.00")),
        (True, "true"),
        ([], ""),
        ([{"scheme": "ECR", "value": "1"}], '[{"scheme": "ECR", "value": "1"}]'),
    ],
)
def test_no_cell_runs_as_a_formula_and_numbers_stay_numbers(given: Any, kept: Any) -> None:
    assert cell(given) == kept


def test_a_formula_in_a_declared_value_is_harmless_in_the_file(register: str, tmp_path: Path) -> None:
    provider = make_provider()
    register_asset(provider, battery(AssetModel='=HYPERLINK("http://x","y")', AssetName="-cmd"))
    export_to(provider, "assets", tmp_path / "assets.csv")
    (row,) = rows_of(tmp_path / "assets.csv")
    assert row["AssetModel"].startswith("'=")
    assert row["AssetName"] == "'-cmd"


def test_what_can_not_be_exported_is_refused_with_what_can(register: str, tmp_path: Path) -> None:
    actor: Actor = make_administrator()
    with pytest.raises(Invalid) as refused:
        export_to(actor, "secrets", tmp_path / "all.xlsx")
    assert [finding.code for finding in refused.value.findings] == ["EXPORT-01", "EXPORT-02"]
    assert not list(tmp_path.glob("all*"))


def test_an_export_that_breaks_off_leaves_the_older_file(register: str, tmp_path: Path) -> None:
    target = tmp_path / "assets.csv"
    target.write_text("older")
    (tmp_path / "assets.part.csv").mkdir()
    with pytest.raises(OSError, match=r"assets\.part"):
        export_to(make_administrator(), "assets", target)
    assert target.read_text() == "older"
