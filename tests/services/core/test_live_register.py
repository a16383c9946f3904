"""A live register stays live: it knows that it is, and a process that lost its mode does not open it."""

import tomllib
from collections.abc import Iterator

import pytest
from sqlalchemy import inspect

from services.core.db.engine import engine
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import verify_ledger
from services.core.register_settings import MADE_UP_PAST, declare, read_settings
from services.core.settings import ROOT, settings
from services.core.transaction import Stamp, unit_of_work
from services.first_data import begin
from services.governance.destroying import destroy_register, read_register_name
from services.governance.ledger import setting_history
from services.workshop.demo import reset
from tests.conftest import use_database
from tests.factories import make_organisation
from tests.processes import run_command

pytestmark = pytest.mark.use_case("UC-05.07")
SYSTEM = system_actor()


@pytest.fixture
def live(register: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A register that was opened in live mode; the process is in live mode still."""
    monkeypatch.setenv("FMAR_MODE", "live")
    use_database(register)
    begin()
    yield register
    monkeypatch.undo()
    settings.cache_clear()


def lose_mode(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process forget that it is to be live."""
    monkeypatch.delenv("FMAR_MODE")
    use_database(url)


@pytest.mark.both_engines
def test_a_register_that_was_live_once_is_closed_to_a_process_in_demo_mode(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin()
    assert [change.operation for change in setting_history(SYSTEM, "register.live")] == ["become_live"]
    make_organisation()
    lose_mode(live, monkeypatch)
    for act in (lambda: read_settings(SYSTEM), make_organisation, begin, reset):
        with pytest.raises(Refused, match=r"live since .* demo mode"):
            act()
    monkeypatch.setenv("FMAR_MODE", "live")
    use_database(live)
    assert verify_ledger(SYSTEM).faults == []


def test_commands_of_a_process_that_lost_its_mode_end_in_words(live: str) -> None:
    for command in ("reset-demo", "seed", "seal-ledger"):
        refused = run_command(command, DATABASE_URL=live, FMAR_MODE="demo")
        assert refused.returncode == 1
        assert "Set FMAR_MODE=live" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_demo_that_became_live_meanwhile_is_not_reset(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read_settings(SYSTEM)
    code = run_command("migrate", DATABASE_URL=register, FMAR_MODE="live").returncode
    assert code == 0
    with pytest.raises(Refused, match="no demo takes its place"):
        reset()
    assert inspect(engine()).has_table("asset")


def test_a_register_with_demo_data_never_becomes_live(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with unit_of_work(Stamp("seed", "WS-6", SYSTEM), writes=True):
        declare(MADE_UP_PAST, "1-9")
    monkeypatch.setenv("FMAR_MODE", "live")
    use_database(register)
    with pytest.raises(Refused, match="holds demo data"):
        begin()


@pytest.mark.both_engines
def test_a_live_register_is_destroyed_only_where_its_name_is_typed(live: str) -> None:
    make_organisation()
    name = read_register_name()
    assert name == "Elexon Limited"
    for other in ("", "elexon limited", "Another"):
        with pytest.raises(Refused, match="Nothing was changed"):
            destroy_register(other)
    assert inspect(engine()).has_table("asset")
    destroy_register(name)
    assert not inspect(engine()).has_table("asset")


def test_the_portal_listens_on_this_machine_alone_unless_it_is_told() -> None:
    configured = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert configured["server"]["address"] == "127.0.0.1"
    assert settings().host == ""
