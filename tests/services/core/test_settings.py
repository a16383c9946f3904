"""Settings of the process: mistakes name no secret, live mode takes no weak one and no open address (UC-05.01)."""

import json
import logging
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.core.db import engine as database
from services.core.settings import Settings, StartRefused, settings, weakness_of
from tests.processes import run_command

STRONG = "kW8dRz3Qn6Ys1Vb9Lx4Jt7Gm2Hc5PfEu"
PROVIDER = {
    "name": "acorn", "label": "Acorn", "client_id": "fmar", "client_secret": "swordfish",
    "server_metadata_url": "https://acorn.example.org/.well-known/openid-configuration",
}  # fmt: skip
LIVE = {
    "FMAR_MODE": "live",
    "FMAR_OIDC_PROVIDERS": json.dumps([PROVIDER]),
    "FMAR_COOKIE_SECRET": STRONG,
    "FMAR_TOKEN_SECRET": STRONG[::-1],
    "FMAR_PUBLIC_URL": "https://fmar.example.org",
}


def _read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        return settings()
    finally:
        settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql+psycopg://fmar:p@swordfish@database/fmar"),
        ("DATABASE_URL", "postgresql+psycopg://fmar:8x:swordfish@database:swordfish/fmar"),
        ("DATABASE_URL", "swordfish"),
        ("FMAR_OIDC_PROVIDERS", '[{"name": "acorn", "client_secret": "swordfish"'),
        ("FMAR_OIDC_PROVIDERS", '{"client_secret": "swordfish"}'),
        ("FMAR_OIDC_PROVIDERS", '[{"name": "Not A Name!", "client_secret": "swordfish"}]'),
        ("FMAR_OIDC_PROVIDERS", '["swordfish"]'),
        ("FMAR_TOKEN_MINUTES", "swordfish"),
        ("FMAR_MODE", "swordfish"),
        ("FMAR_MAP_TILES_URL", "https://user:swordfish@tiles.example.org/"),
    ],
)
def test_a_mistake_in_a_setting_names_the_variable_and_not_its_value(name: str, value: str) -> None:
    refused = run_command("run", "--port", "0", **{name: value})
    assert refused.returncode == 2, refused.stderr
    assert name in refused.stderr
    assert "swordfish" not in refused.stderr + refused.stdout


@pytest.mark.parametrize(
    "secret",
    [
        "sunny-days", "", "c" * 64, "abc" * 20, "0123456789abcdef" * 2, "change-me-change-me-change-me-change-me",
        "please-change-this-secret-before-use", "passwordpasswordpassword12345678", "ababababababababababababababababab",
        "1111111111111111111111111111111111112222",
    ],
)  # fmt: skip
def test_live_mode_takes_no_secret_that_can_be_guessed(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    for name in ("FMAR_COOKIE_SECRET", "FMAR_TOKEN_SECRET"):
        problems = _read(monkeypatch, **{**LIVE, name: secret}).problems()
        assert [problem for problem in problems if problem.startswith(name)], secret
        assert not secret or secret not in "".join(problems)


@pytest.mark.parametrize("secret", [STRONG, "9f86d081884c7d659a2feaa0c55ad015", "4Zx!k-2_pQ~7rT;w8yB.u3vN/m6LsD+g"])
def test_random_secrets_are_taken(secret: str) -> None:
    assert weakness_of(secret) is None


def test_live_mode_takes_no_open_address_and_no_key_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch, **LIVE).problems() == []
    for address in (
        "http://fmar.example.org",
        "ftp://fmar.example.org",
        "fmar.example.org",
        "http://localhost.evil.org",
    ):
        assert "FMAR_PUBLIC_URL" in "".join(_read(monkeypatch, **{**LIVE, "FMAR_PUBLIC_URL": address}).problems())
    open_provider = {**PROVIDER, "server_metadata_url": "http://acorn.example.org/"}
    changed = {**LIVE, "FMAR_OIDC_PROVIDERS": json.dumps([open_provider])}
    assert "acorn" in "".join(_read(monkeypatch, **changed).problems())
    changed = {**LIVE, "FMAR_MPAN_REGISTER_URL": "https://mpan.example.org"}
    assert "FMAR_MPAN_REGISTER_KEY" in "".join(_read(monkeypatch, **changed).problems())
    changed["FMAR_MPAN_REGISTER_KEY"] = "8c41c0de"
    assert _read(monkeypatch, **changed).problems() == []
    with pytest.raises(StartRefused):
        _read(monkeypatch, **{**LIVE, "FMAR_PUBLIC_URL": "http://fmar.example.org"}).require_startable()


@pytest.mark.both_engines
def test_no_value_of_a_row_reaches_a_log(register: str, caplog: pytest.LogCaptureFixture) -> None:
    value = "fishsword"[4:] + "fish"
    with database.engine(writes=True).connect() as connection:
        try:
            insert = text("INSERT INTO setting (id, key, value, version) VALUES (NULL, :key, :value, 1)")
            connection.execute(insert, {"key": value, "value": value})
        except SQLAlchemyError:
            logging.getLogger("fmar.test").exception("It failed")
    assert "It failed" in caplog.text
    assert "swordfish" not in caplog.text


@pytest.mark.both_engines
def test_no_parameter_of_a_statement_reaches_a_log(register: str, caplog: pytest.LogCaptureFixture) -> None:
    value = "fishsword"[4:] + "fish"
    with database.engine().connect() as connection:
        try:
            connection.execute(text("SELECT missing FROM setting WHERE value = :value"), {"value": value})
        except SQLAlchemyError:
            logging.getLogger("fmar.test").exception("It failed")
    assert "missing" in caplog.text
    assert "swordfish" not in caplog.text


def test_a_new_register_is_its_owners_alone_and_what_is_acknowledged_is_on_the_disk(
    tmp_path: Path, sqlite_register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.engine().connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    database.close()
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{tmp_path}/new/register.db")
    with database.engine(writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE note (words TEXT)"))
    for file in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    database.close()
    assert sqlite3.connect(tmp_path / "new" / "register.db").execute("SELECT count(*) FROM note").fetchone() == (0,)
