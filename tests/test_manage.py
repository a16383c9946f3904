"""The operator's commands do what they say, and refuse in words."""

import json
import shutil
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from manage import cli
from services.assets.registration.register import register_asset
from services.core.settings import ROOT, settings
from services.workshop.demo import is_empty
from tests.asset_factories import battery, make_provider
from tests.conftest import use_database
from tests.databases import behind_its_back
from tests.factories import organisation_values
from tests.processes import run_command

ECR = ROOT / "data" / "demo" / "ecr-demo.csv"


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli, words, catch_exceptions=False)


@pytest.mark.use_case("WS-6")
def test_seed_fills_an_empty_register_once(one_register: str) -> None:
    first = run("seed")
    assert first.exit_code == 0
    assert "organisations and 2,0" in first.output
    assert not is_empty()
    assert (
        run("seed").output.strip() == "The register isn't empty: nothing was laid down. reset-demo puts the demo back."
    )


@pytest.mark.use_case("UC-05.06")
def test_verify_ledger_tells_a_sound_register_from_one_that_was_tampered_with(one_register: str) -> None:
    register_asset(make_provider(), battery(AssetName="Riverside battery"))
    assert "1 seals were made." in run("seal-ledger").output
    sound = run("verify-ledger")
    assert sound.exit_code == 0
    assert "The ledger is sound." in sound.output
    behind_its_back("UPDATE asset SET rated_capacity = 1 WHERE asset_name = 'Riverside battery'")
    broken = run("verify-ledger")
    assert broken.exit_code == 1
    assert "rated_capacity" in broken.output
    assert "The ledger is sound." not in broken.output


@pytest.mark.use_case("UC-02.01")
def test_load_source_tells_what_became_of_the_rows(one_register: str, tmp_path: Path) -> None:
    file = tmp_path / "ecr-2026-01.csv"
    shutil.copyfile(ECR, file)
    loaded = run("load-source", str(file))
    assert loaded.exit_code == 0, loaded.output
    assert "rows 94" in loaded.output
    assert "taken 94" in loaded.output


@pytest.mark.use_case("UC-02.01")
def test_load_source_takes_a_real_register_whole(one_register: str, shared: Path) -> None:
    loaded = run("load-source", str(shared / "data" / "ecr-ukpn-2025-08.csv"))
    assert loaded.exit_code == 0, loaded.output
    assert "rows 1240" in loaded.output.replace(",", "", 1).replace("1,240", "1240")


def test_a_file_that_is_no_register_is_refused_in_words(one_register: str, tmp_path: Path) -> None:
    file = tmp_path / "shopping-2026-01.csv"
    file.write_text("item,count\nmilk,2\n")
    refused = run_command("load-source", str(file))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "neither register" in refused.stderr


@pytest.mark.use_case("UC-05.01")
def test_export_writes_a_file(one_register: str, tmp_path: Path) -> None:
    register_asset(make_provider(), battery())
    target = tmp_path / "assets.csv"
    exported = run("export", str(target))
    assert exported.exit_code == 0
    assert "1 rows" in exported.output
    assert target.read_text(encoding="utf-8-sig").startswith("AssetId,")
    assert run("export", str(tmp_path / "assets.xlsx")).exit_code == 0
    refused = run_command("export", str(tmp_path / "assets.docx"))
    assert refused.returncode == 1
    assert ".csv or .jsonl or .xlsx" in refused.stderr


@pytest.mark.use_case("UC-01.01")
def test_the_first_administrator_of_a_register_is_invited_once(one_register: str, tmp_path: Path) -> None:
    file = tmp_path / "elexon.json"
    file.write_text(json.dumps(organisation_values("Elexon Limited", ("Market Facilitator",))))
    invited = run("first-administrator", "ada@elexon.example.org", "Ada Field", str(file))
    assert invited.exit_code == 0, invited.output
    assert "may now sign in as FMAR administrator of Elexon Limited" in invited.output
    again = run_command("first-administrator", "bob@elexon.example.org", "Bob Field", str(file))
    assert again.returncode == 1
    assert "has an FMAR administrator already" in again.stderr


@pytest.mark.use_case("UC-01.02")
def test_what_is_missing_of_the_first_organisation_is_told_all_at_once(one_register: str, tmp_path: Path) -> None:
    file = tmp_path / "elexon.json"
    file.write_text('{"OrganisationLegalName": "Elexon Limited"}')
    refused = run_command("first-administrator", "ada@elexon.example.org", "Ada Field", str(file))
    assert refused.returncode == 1
    for code in ("TYPE-01", "ORGROLE-01", "ADDR-01", "CONTACT-04"):
        assert code in refused.stderr


def test_live_mode_says_all_that_is_missing_before_it_starts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'live.db'}"
    refused = run_command("run", "--port", "0", FMAR_MODE="live", DATABASE_URL=url)
    assert refused.returncode == 2
    for name in ("FMAR_OIDC_PROVIDERS", "FMAR_COOKIE_SECRET", "FMAR_TOKEN_SECRET"):
        assert name in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "live.db").exists(), "nothing is touched"


def test_a_port_that_is_taken_is_said_so_before_anything_happens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run_command("run", "--port", str(port), DATABASE_URL=f"sqlite:///{tmp_path / 'demo.db'}")
    assert refused.returncode == 2
    assert f"make run PORT={port + 100}" in refused.stderr
    assert not (tmp_path / "demo.db").exists()


@pytest.mark.parametrize("command", ["seed", "reset-demo"])
def test_a_live_register_takes_no_demo_data(one_register: str, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("FMAR_MODE", "live")
    settings.cache_clear()
    refused = run(command)
    assert refused.exit_code == 2
    monkeypatch.undo()
    use_database(one_register)
    assert is_empty()


@pytest.mark.use_case("UC-05.06")
def test_the_commands_of_the_ledger_say_what_they_did(
    one_register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMAR_ANCHOR_FILE", str(tmp_path / "anchors.jsonl"))
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", str(tmp_path / "key.pem"))
    settings.cache_clear()
    assert "1 seals were made." in run("seal-ledger").output
    key = (tmp_path / "key.pem").read_bytes()
    assert "Copy the list of public keys elsewhere" in run("rotate-seal-key").output
    assert (tmp_path / "key.pem").read_bytes() != key
    assert "Deadlines go on." in run("confirm-clock").output
    assert "1 seals were made." in run("seal-ledger").output
    verified = run("verify-ledger")
    assert "2 seals held against the anchor file, 2 signatures verified." in verified.output
    (tmp_path / "anchors.jsonl").unlink()
    assert "anchors broken" in run("verify-ledger").output
    refused = run_command("restart-anchors", "another")
    assert (refused.returncode, "Nothing was changed" in refused.stderr) == (1, True)
    assert run_command("destroy-register", "another").returncode == 1
    monkeypatch.undo()
    settings.cache_clear()


def test_a_database_that_is_not_there_is_told_in_words() -> None:
    refused = run_command("migrate", DATABASE_URL="postgresql+psycopg://nobody:x@127.0.0.1:1/none")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "DATABASE_URL" in refused.stderr
    assert ":x@" not in refused.stderr, "no password is shown"
