"""A whole register moves between SQLite and PostgreSQL and back, or not at all; nothing of it changes on the way."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, text

from models import metadata
from services.assets.conversation.comments import attach_files, comment_on_asset
from services.assets.reading.assets import asset_history, get_asset
from services.assets.registration.drafts import save_draft
from services.assets.registration.register import register_asset
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.db import engine as database
from services.core.db.engine import engine
from services.core.db.exclusive import alone_with
from services.core.db.migrate import migrate
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.jobs.outbox import read_events
from services.core.jobs.worker import work_through
from services.core.ledger.verifying import verify_ledger
from services.core.settings import settings
from services.first_data import begin
from services.governance.moving import move_register
from services.governance.sealing import read_register_id, restart_anchors, seal_and_anchor
from services.workshop.demo import seed_demo
from tests.asset_factories import battery, make_provider
from tests.conftest import use_database
from tests.databases import fresh_postgres, fresh_sqlite, sqlite_template
from tests.processes import run_command

pytestmark = pytest.mark.use_case("UC-05.06")
SYSTEM = system_actor()
FEW = 150


def _build(url: str) -> None:
    """A demo register with something in every kind of column: files as bytes, drafts, names beyond ASCII."""
    use_database(url)
    migrate()
    begin()
    seed_demo(FEW)
    actor = make_provider("Ysgol Tŷ Gwyn – Ynni")
    asset = register_asset(actor, battery())
    message = comment_on_asset(actor, asset.id, "Tab\there, two\nlines, \\N and a 🔋.", Audience.EVERYONE)
    attach_files(actor, message.id, [Upload("a.pdf", b"%PDF-1.4\n\x00\xff\\x\n%%EOF")])
    save_draft(actor, {"AssetName": "Half-done"})
    work_through()
    database.close()


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A sealed register on SQLite, with an anchor file of its own; nobody has it open."""
    monkeypatch.setenv("FMAR_ANCHOR_FILE", str(tmp_path / "anchors.jsonl"))
    url = fresh_sqlite(tmp_path, sqlite_template("moving", _build))
    use_database(url)
    restart_anchors(read_register_id())
    seal_and_anchor()
    database.close()
    yield url
    database.close()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def empty() -> Iterator[str]:
    """A PostgreSQL database without tables."""
    with fresh_postgres() as url:
        yield url
        database.close()


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the register reads it, in the order of the keys."""
    use_database(url)
    with engine().connect() as connection:
        found = {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            ]
            for table in metadata.sorted_tables
        }
    database.close()
    return found


def tables_in(url: str) -> list[str]:
    """The tables of a database."""
    looking = create_engine(url)
    names = inspect(looking).get_table_names()
    looking.dispose()
    return names


def at(url: str, statement: str) -> Any:
    """Somebody works on a database with a tool: the first value of the answer, if it has one."""
    tool = create_engine(url)
    with tool.begin() as connection:
        answer = connection.execute(text(statement))
        value = answer.scalar() if answer.returns_rows else None
    tool.dispose()
    return value


def test_a_register_moves_to_postgresql_and_back_without_a_difference(demo: str, empty: str, tmp_path: Path) -> None:
    before = rows_of(demo)
    assert all(before[name] for name in ("attachment_content", "asset_draft", "event_delivery", "asset_cell_tally"))
    there = move_register(demo, empty)
    assert rows_of(empty) == before
    assert {table.name: table.arrived for table in there.tables} == {name: len(rows) for name, rows in before.items()}
    assert there.ledger is not None
    assert (there.ledger.sound, there.ledger.anchors) == (True, there.ledger.seals)
    assert there.ledger.seals
    back = f"sqlite:///{tmp_path / 'back.sqlite'}"
    again = move_register(empty, back)
    assert rows_of(back) == before
    assert again.rows == there.rows
    assert again.ledger == there.ledger or (again.ledger and again.ledger.sound)
    # Not only read alike: also stored as the portal stores it.
    for column, table in (("id", "asset"), ("recorded_at", "asset"), ("payload", "event"), ("consumer_owned", "asset")):
        key = "seq" if table == "event" else "id"
        order = f"SELECT typeof({column}) || length({column}) FROM {table} ORDER BY {key} LIMIT 1"
        assert at(back, order) == at(demo, order)


@pytest.mark.use_case("UC-02.01")
def test_work_goes_on_where_the_register_moved_to(demo: str, empty: str, tmp_path: Path) -> None:
    for source, target in ((demo, empty), (empty, f"sqlite:///{tmp_path / 'back.sqlite'}")):
        move_register(source, target)
        use_database(target)
        seen = len(read_events(SYSTEM, limit=1000))
        actor = make_provider()
        asset = register_asset(actor, battery())
        assert get_asset(actor, asset.id).asset_name == asset.asset_name
        assert [step.version for step in asset_history(actor, asset.id)][:1] == [1]
        assert len(read_events(SYSTEM, limit=1000)) == seen + 1
        assert seal_and_anchor() == 1
        verified = verify_ledger(SYSTEM)
        assert (verified.faults, verified.anchors) == ([], verified.seals)
        database.close()


def test_a_move_that_fails_half_way_leaves_the_target_empty_and_the_source_as_it_was(
    demo: str, empty: str, tmp_path: Path
) -> None:
    before = rows_of(demo)
    # SQLite takes any length; PostgreSQL doesn't.
    at(demo, f"UPDATE source_key SET value = '{'x' * 101}' WHERE id = (SELECT max(id) FROM source_key)")
    failed = run_command("move", "--from", demo, "--to", empty)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "A row of source_key" in failed.stderr
    assert "too long" in failed.stderr
    assert tables_in(empty) == []
    assert {name: len(rows) for name, rows in rows_of(demo).items()} == {n: len(r) for n, r in before.items()}


def test_a_ledger_that_was_tampered_with_arrives_as_it_is_and_says_so(demo: str, empty: str) -> None:
    at(demo, "UPDATE asset SET asset_name = 'Another name' WHERE id = (SELECT max(id) FROM asset)")
    moved = run_command("move", "--from", demo, "--to", empty)
    assert moved.returncode == 0, moved.stderr
    assert "It has 1 faults, the same as in the source" in moved.stderr
    assert "Another name" in moved.stderr


def test_nothing_is_moved_over_what_is_there(demo: str, empty: str) -> None:
    use_database(empty)
    migrate()
    database.close()
    move_register(demo, empty)
    with pytest.raises(Refused, match="is not empty: it holds"):
        move_register(demo, empty)
    at(empty, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE shopping (item text)")
    with pytest.raises(Refused, match="tables of something else"):
        move_register(demo, empty)


def test_a_register_with_its_first_data_is_not_empty(demo: str, empty: str) -> None:
    use_database(empty)
    migrate()
    begin()
    database.close()
    with pytest.raises(Refused, match="first data included"):
        move_register(demo, empty)


def test_schemas_have_to_be_the_present_one(demo: str, empty: str) -> None:
    use_database(empty)
    migrate()
    database.close()
    at(empty, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Refused, match=r"The target has schema 0001.*python manage.py migrate"):
        move_register(demo, empty)
    at(demo, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Refused, match=r"The source has schema 0001.*Migrate it first: DATABASE_URL=sqlite"):
        move_register(demo, empty)


def test_a_register_that_a_portal_has_open_is_not_moved(demo: str, empty: str, tmp_path: Path) -> None:
    use_database(demo)
    assert read_events(SYSTEM)
    with pytest.raises(Refused, match="in use by another process"):
        move_register(demo, empty)
    database.close()
    move_register(demo, empty)
    use_database(empty)
    assert read_events(SYSTEM)
    with pytest.raises(Refused, match=r"is in use: fmar \(1\) connected. Stop the portal"):
        move_register(empty, f"sqlite:///{tmp_path / 'back.sqlite'}")
    assert not (tmp_path / "back.sqlite").exists()


def test_nobody_writes_while_a_register_is_held_alone(demo: str) -> None:
    another = sqlite3.connect(demo.removeprefix("sqlite:///"), timeout=0.1)
    with alone_with(demo, changes=False), pytest.raises(sqlite3.OperationalError, match="locked"):
        another.execute("SELECT count(*) FROM asset").fetchone()
    another.close()


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("{demo}", "both source and target"),
        ("sqlite:////tmp/nowhere-else.sqlite", "manage.py backup"),
        ("mysql://fmar:hidden@host/fmar", "is no register"),
    ],
)
def test_what_can_not_be_moved_is_said_in_words(demo: str, to: str, words: str) -> None:
    refused = run_command("move", "--from", demo, "--to", to.format(demo=demo))
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hidden" not in refused.stderr + refused.stdout


def test_the_command_tells_counts_on_both_sides_and_shows_no_password(demo: str, empty: str) -> None:
    told = run_command("move", DATABASE_URL=demo, FMAR_MOVE_TO=empty)
    assert told.returncode == 0, told.stderr
    lines = {line.split()[0]: line.split() for line in told.stdout.splitlines() if line.strip()}
    assert lines["asset"][1] == lines["asset"][2]
    assert int(lines["asset"][1].replace(",", "")) > FEW / 2
    assert "The ledger was verified in the target" in told.stdout
    assert "rows/s" not in told.stderr
