"""Attacks on the register by whoever controls its database, alone or with the anchor file: verification finds each.

An attacker with the database's password can take guards away, write what he likes, and work every hash out anew. He has neither
the key that signs seals nor, unless a test says so, the anchor file.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, text
from sqlalchemy import update as sql_update
from sqlmodel import col, select

from models import metadata
from models.assets import Attachment
from models.base import new_id
from models.core import LedgerEntry, LedgerSeal, Setting
from models.participants import User
from services.assets.conversation.comments import attach_files, comment_on_asset
from services.assets.registration.register import register_asset
from services.core.access_log import log_access
from services.core.canonical_json import canonical
from services.core.clock import now
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.db import engine as database
from services.core.db.engine import engine, is_sqlite
from services.core.db.migrate import migrate
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.jobs.worker import work_through
from services.core.ledger.canonical import GENESIS, entry_hash
from services.core.ledger.coverage import CoverageKind, table_coverage, uncovered_tables
from services.core.ledger.faults import FaultKind, Verification
from services.core.ledger.keys import SealKeyRefused
from services.core.ledger.sealing import merkle_root, seal_hash, seal_ledger
from services.core.ledger.verifying import verify_ledger
from services.core.register_settings import REGISTER_ID, change_setting
from services.core.settings import settings
from services.core.transaction import Stamp, reading_over
from services.first_data import begin
from services.governance.sealing import read_register_id, restart_anchors, rotate_seal_key, seal_and_anchor
from services.workshop.demo import seed_demo
from tests.asset_factories import battery, make_provider
from tests.conftest import use_database
from tests.databases import DATABASES, behind_its_back, fresh_database, run_folder

pytestmark = pytest.mark.use_case("UC-05.06")
BOTH = pytest.mark.both_engines
SYSTEM = system_actor()
FEW = 60
KEY = "asset.query_answer_days"


def _vault(kind: str) -> Path:
    """The folder of key and anchors of the register that is made once."""
    return run_folder() / f"attacked-{kind}"


def _use_vault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMAR_ANCHOR_FILE", str(folder / "anchors.jsonl"))
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", str(folder / "key.pem"))
    settings.cache_clear()


def _build(url: str) -> None:
    """A small demo register with something in every table that verification covers, sealed and anchored."""
    vault = _vault("sqlite" if url.startswith("sqlite") else "postgres")
    with pytest.MonkeyPatch.context() as patched:
        _use_vault(vault, patched)
        use_database(url)
        migrate()
        begin()
        seed_demo(FEW)
        actor = make_provider("Bramble Energy Trading Ltd")
        asset = register_asset(actor, battery(Aliases="ECR:SITE-1"))
        message = comment_on_asset(actor, asset.id, "As built.", Audience.EVERYONE)
        attach_files(actor, message.id, [Upload("a.pdf", b"%PDF-1.4\nas built\n%%EOF")])
        log_access(actor, "asset.read", "asset", asset.id)
        work_through()
        seal_and_anchor()
        database.close()
    settings.cache_clear()


@pytest.fixture
def vault(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A sealed register of its own, and the folder with its key and anchors."""
    kind = request.param
    with fresh_database(tmp_path, "attacked", _build, kind) as url:
        folder = tmp_path / "vault"
        shutil.copytree(_vault(kind), folder)
        _use_vault(folder, monkeypatch)
        use_database(url)
        yield folder
        database.close()
    monkeypatch.undo()
    settings.cache_clear()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what has a vault on the first of the databases; marked `both_engines`, on each."""
    if "vault" in metafunc.fixturenames:
        everywhere = metafunc.definition.get_closest_marker("both_engines")
        metafunc.parametrize("vault", DATABASES if everywhere else DATABASES[:1], indirect=True)


def verified() -> Verification:
    """What verification finds."""
    return verify_ledger(SYSTEM)


def kinds() -> set[FaultKind]:
    """The kinds of fault that verification finds."""
    return {fault.kind for fault in verified().faults}


def change(value: str, version: int) -> Setting:
    """One recorded change."""
    return change_setting(SYSTEM, KEY, value, version)


@BOTH
def test_the_register_that_is_attacked_is_sound_before(vault: Path) -> None:
    result = verified()
    assert result.faults == []
    assert result.signed_seals == result.anchors == result.seals >= 2
    assert (vault / "key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_each_table_is_covered_or_says_why_not(table: str) -> None:
    coverage = table_coverage()[table]
    assert (coverage.kind is CoverageKind.OUTSIDE) == bool(coverage.reason)
    assert uncovered_tables() == set()


def wrong(column: str) -> str:
    """SQL for other bytes of the same length."""
    return f"zeroblob(length({column}))" if is_sqlite() else f"decode(repeat('00', length({column})), 'hex')"


OTHER_ORGANISATION = "(SELECT id FROM organisation ORDER BY id LIMIT 1)"
OFF_THE_LEDGER: list[tuple[str, Callable[[], Sequence[str]], FaultKind]] = [
    (
        "an access is deleted",
        lambda: ["DELETE FROM access WHERE id = (SELECT min(id) FROM access)"],
        FaultKind.LOG_ALTERED,
    ),
    (
        "an access is somebody else's",
        lambda: [f"UPDATE access SET organisation_id = {OTHER_ORGANISATION} WHERE id = (SELECT min(id) FROM access)"],
        FaultKind.LOG_ALTERED,
    ),
    ("the access log is emptied", lambda: ["DELETE FROM access"], FaultKind.LOG_ALTERED),
    (
        "an attachment has other bytes",
        lambda: [f"UPDATE attachment_content SET content = {wrong('content')}"],
        FaultKind.CONTENT_ALTERED,
    ),
    ("the bytes of an attachment are gone", lambda: ["DELETE FROM attachment_content"], FaultKind.CONTENT_ALTERED),
    (
        "a data package has other bytes",
        lambda: [f"UPDATE data_package_content SET content = {wrong('content')}"],
        FaultKind.CONTENT_ALTERED,
    ),
    (
        "another operator sees a unit",
        lambda: [
            "UPDATE unit_area SET dno_code = 'ELSEWHERE' "
            "WHERE unit_id = (SELECT unit_id FROM unit_area ORDER BY unit_id LIMIT 1)"
        ],
        FaultKind.DERIVED_ALTERED,
    ),
    (
        "an operator sees a unit no more",
        lambda: ["DELETE FROM unit_area WHERE unit_id = (SELECT unit_id FROM unit_area ORDER BY unit_id LIMIT 1)"],
        FaultKind.DERIVED_ALTERED,
    ),
    ("a unit can do more", lambda: ['UPDATE unit_capability SET "up" = "up" + 100000'], FaultKind.DERIVED_ALTERED),
    (
        "a unit's numbers are said to be stale",
        lambda: ["UPDATE unit_capability SET stale = 1"],
        FaultKind.DERIVED_ALTERED,
    ),
    (
        "a public register said something else",
        lambda: [
            "UPDATE source_record SET latitude = 51.0 WHERE id = (SELECT id FROM source_record ORDER BY id LIMIT 1)"
        ],
        FaultKind.LOG_ALTERED,
    ),
    (
        "a public register's site is hidden",
        lambda: ["UPDATE source_record SET valid_to = '2026-01-01'"],
        FaultKind.LOG_ALTERED,
    ),
    (
        "a public register's site is found by another number",
        lambda: ["UPDATE source_key SET value = '1' WHERE id = (SELECT min(id) FROM source_key)"],
        FaultKind.LOG_ALTERED,
    ),
    ("an alias leads nowhere", lambda: ["DELETE FROM asset_alias"], FaultKind.DERIVED_ALTERED),
    ("an alias leads elsewhere", lambda: ["UPDATE asset_alias SET value = value || 'x'"], FaultKind.DERIVED_ALTERED),
    ("an alias is free again", lambda: ["UPDATE asset_alias SET active = false"], FaultKind.DERIVED_ALTERED),
    ("an asset is elsewhere on the map", lambda: ["UPDATE asset SET cell = cell + 1"], FaultKind.DERIVED_ALTERED),
    (
        "an event never happened",
        lambda: [
            "DELETE FROM event_delivery WHERE event_seq = (SELECT max(seq) FROM event WHERE type LIKE 'asset%')",
            "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event WHERE type LIKE 'asset%')",
        ],
        FaultKind.LOG_ALTERED,
    ),
    (
        "an event is told to others",
        lambda: ["UPDATE event SET dno_code = 'ELSEWHERE' WHERE seq = (SELECT min(seq) FROM event)"],
        FaultKind.LOG_ALTERED,
    ),
    ("a count of assets", lambda: ["UPDATE asset_tally SET assets = assets + 1"], FaultKind.DERIVED_ALTERED),
    ("a count of the map", lambda: ["DELETE FROM asset_cell_tally"], FaultKind.DERIVED_ALTERED),
    ("a count of a month", lambda: ["UPDATE asset_month_tally SET assets = 1000"], FaultKind.DERIVED_ALTERED),
    ("a count of providers", lambda: ["UPDATE asset_provider_tally SET assets = 1000"], FaultKind.DERIVED_ALTERED),
    ("a count of qualifications", lambda: ["UPDATE qualified_tally SET kw = kw + 1"], FaultKind.DERIVED_ALTERED),
    ("a figure of the market", lambda: ["UPDATE market_figure SET providers = 9"], FaultKind.DERIVED_ALTERED),
    ("what a unit counts for", lambda: ["DELETE FROM unit_counted"], FaultKind.DERIVED_ALTERED),
    ("a unit's past", lambda: ["UPDATE unit_history SET assets = 1000"], FaultKind.LOG_ALTERED),
    ("a step of a qualification", lambda: ["DELETE FROM qualification_step WHERE id = 1"], FaultKind.LOG_ALTERED),
    (
        "an access before the first",
        lambda: [
            "INSERT INTO access (id, at, kind, actor_key, detail) SELECT -5, at, kind, actor_key, detail FROM access "
            "WHERE id = (SELECT min(id) FROM access)"
        ],
        FaultKind.LOG_ALTERED,
    ),
]


@BOTH
def test_each_change_beside_the_ledger_is_found(vault: Path) -> None:
    """Each in a transaction of its own, which is taken back once it was verified."""
    missed: list[tuple[str, set[FaultKind]]] = []
    for attack, statements, expected in OFF_THE_LEDGER:
        with engine(writes=True).connect() as connection:
            _take_guards_away(connection)
            for statement in statements():
                connection.execute(text(statement))
            _give_guards_back(connection)
            with reading_over(connection, Stamp("look", "UC-05.06", SYSTEM)):
                result = {fault.kind for fault in verified().faults}
            connection.rollback()
        if expected not in result:
            missed.append((attack, result))
    assert missed == []
    assert verified().faults == [], "all was taken back"


def test_a_finished_export_with_other_bytes_is_found(vault: Path) -> None:
    job, moment = new_id(), now()
    with engine(writes=True).begin() as connection:
        tables = metadata.tables
        queued = {"id": job, "submitted_by": "x", "file_format": "csv", "status": "Completed", "created_at": moment}
        numbers = {"rows_total": 0, "rows_done": 0, "attempts": 0, "filters": {}, "seen_by": {}}
        connection.execute(tables["export_job"].insert(), [{**queued, **numbers}])
        connection.execute(tables["export_part"].insert(), [{"job_id": job, "number": 0, "content": b"x"}])
    assert kinds() == {FaultKind.CONTENT_ALTERED}


def triggers() -> list[tuple[str, str]]:
    """Name and table of each trigger of the database."""
    query = (
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
        if is_sqlite()
        else "SELECT tgname, relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal"
    )
    with engine().connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text(query))]


@BOTH
def test_a_guard_that_is_missing_off_or_foreign_is_found(vault: Path) -> None:
    name, table = triggers()[0]
    drop = f"DROP TRIGGER {name}" if is_sqlite() else f"ALTER TABLE {table} DISABLE TRIGGER {name}"
    with engine(writes=True).begin() as connection:
        connection.execute(text(drop))
    assert [(fault.kind, fault.where) for fault in verified().faults] == [(FaultKind.GUARD_MISSING, name)]
    if is_sqlite():
        with engine(writes=True).begin() as connection:
            connection.execute(
                text(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN 0 BEGIN SELECT RAISE(ABORT, 'never'); END")
            )
            connection.execute(text("CREATE TRIGGER quiet AFTER INSERT ON access BEGIN DELETE FROM access; END"))
        assert {fault.where for fault in verified().faults} == {name, "quiet"}


@BOTH
def test_a_guard_whose_function_does_nothing_is_found(vault: Path) -> None:
    if is_sqlite():
        pytest.skip("SQLite's triggers have no functions.")
    with engine(writes=True).begin() as connection:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            )
        )
    assert kinds() == {FaultKind.GUARD_MISSING}


# The whole ledger, worked out anew.


def rewrite(*, register: str | None = None, signature: str = "kept", edit: Callable[[Any], None] | None = None) -> None:
    """Work every chain and seal out anew, as an attacker does with this very code, but for the key.

    `register` is another identifier of the register; `signature`: kept as it was, or taken away from every seal.
    """
    identifier = register or read_register_id()
    with engine(writes=True).begin() as connection:
        _take_guards_away(connection)
        if edit:
            edit(connection)
        if register:
            row = connection.execute(select(Setting.id).where(col(Setting.key) == REGISTER_ID)).one()
            connection.execute(sql_update(Setting).where(col(Setting.id) == row.id).values(value=register))
            state = connection.scalar(select(LedgerEntry.state).where(col(LedgerEntry.record_id) == row.id))
            document = canonical({**json.loads(state or "{}"), "value": register})
            connection.execute(
                sql_update(LedgerEntry).where(col(LedgerEntry.record_id) == row.id).values(state=document)
            )
        _chain_anew(connection)
        _seal_anew(connection, identifier, signature)
        _give_guards_back(connection)


_GUARDS: list[str] = []


def _take_guards_away(connection: Any) -> None:
    _GUARDS.clear()
    if not is_sqlite():
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    for name, made in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all():
        _GUARDS.append(made)
        connection.execute(text(f"DROP TRIGGER {name}"))


def _give_guards_back(connection: Any) -> None:
    for made in _GUARDS:
        connection.execute(text(made))


def _chain_anew(connection: Any, record_type: str | None = None) -> None:
    last: dict[Any, str] = {}
    query = select(LedgerEntry.__table__).order_by(col(LedgerEntry.version), col(LedgerEntry.seq))  # pyright: ignore
    if record_type:
        query = query.where(col(LedgerEntry.record_type) == record_type)
    for row in connection.execute(query).all():
        entry = LedgerEntry(**row._mapping)
        entry.previous_hash = last.get((entry.record_type, entry.record_id), GENESIS)
        entry.hash = entry_hash(entry)
        last[entry.record_type, entry.record_id] = entry.hash
        values = {"previous_hash": entry.previous_hash, "hash": entry.hash}
        connection.execute(sql_update(LedgerEntry).where(col(LedgerEntry.seq) == entry.seq).values(**values))


def _seal_anew(connection: Any, identifier: str, signature: str) -> None:
    before, after = GENESIS, 0
    for row in connection.execute(select(LedgerSeal.__table__).order_by(col(LedgerSeal.number))).all():  # pyright: ignore
        seal = LedgerSeal(**row._mapping)
        covered = (col(LedgerEntry.seq) > after, col(LedgerEntry.seq) <= seal.last_seq)
        hashes = connection.scalars(select(LedgerEntry.hash).where(*covered).order_by(col(LedgerEntry.seq))).all()
        seal.entry_count, seal.merkle_root, seal.previous_hash = len(hashes), merkle_root(list(hashes)), before
        if signature == "taken away":
            seal.signature = seal.signing_key = None
        if signature == "none, as before there were any":
            seal.signature = seal.signing_key = seal.sealed_at = seal.log_digests = None
        seal.hash = seal_hash(seal, identifier)
        names = (
            "entry_count",
            "merkle_root",
            "previous_hash",
            "hash",
            "signature",
            "signing_key",
            "sealed_at",
            "log_digests",
        )
        values = {name: getattr(seal, name) for name in names}
        connection.execute(sql_update(LedgerSeal).where(col(LedgerSeal.id) == seal.id).values(**values))
        # Its own entry says the same.
        entry = col(LedgerEntry.record_id) == seal.id
        state = json.loads(connection.scalar(select(LedgerEntry.state).where(entry)))
        state |= {name: values[name] for name in names if name not in ("sealed_at",)}
        if seal.sealed_at is None:
            state["sealed_at"] = None
        document = canonical({name: value for name, value in state.items() if value is not None})
        connection.execute(sql_update(LedgerEntry).where(entry).values(state=document))
        _chain_anew(connection, "ledger_seal")
        before, after = seal.hash, seal.last_seq


def rename_somebody(connection: Any) -> None:
    """Have everything that anybody did be the deed of one person."""
    person = connection.scalar(select(User.id).order_by(col(User.id).desc()).limit(1))
    connection.execute(sql_update(LedgerEntry).where(col(LedgerEntry.use_case) == "UC-02.01").values(user_id=person))


@BOTH
def test_what_an_attacker_works_out_is_right_but_for_what_he_does_not_have(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anchors and key the rewritten register would verify: the tests below find it by these alone."""
    rewrite(signature="taken away", edit=rename_somebody)
    monkeypatch.setenv("FMAR_ANCHOR_FILE", "")
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", "")
    settings.cache_clear()
    assert verified().faults == []


@BOTH
@pytest.mark.parametrize("signature", ["kept", "taken away", "none, as before there were any"])
def test_a_rewritten_ledger_is_found_by_anchors_and_signatures(vault: Path, signature: str) -> None:
    rewrite(signature=signature, edit=rename_somebody)
    result = verified()
    assert {FaultKind.SEAL_MISSING, FaultKind.SIGNATURE_BROKEN} <= {fault.kind for fault in result.faults}
    assert result.signed_seals == 0
    (vault / "anchors.jsonl").unlink()
    assert {FaultKind.ANCHORS_BROKEN, FaultKind.SIGNATURE_BROKEN} <= kinds()


@pytest.mark.parametrize("signature", ["kept", "taken away", "none, as before there were any"])
def test_a_rewritten_ledger_of_a_register_with_another_identifier_is_found(
    vault: Path, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(register=str(new_id()), signature=signature, edit=rename_somebody)
    result = verified()
    assert {FaultKind.ANCHORS_BROKEN, FaultKind.SIGNATURE_BROKEN} <= {fault.kind for fault in result.faults}
    assert result.anchors == result.signed_seals == 0
    # Nothing heals it: neither a start of the portal nor sealing.
    before = (vault / "anchors.jsonl").read_bytes(), (vault / "key.public.jsonl").read_bytes()
    begin()
    change("21", 0)
    with pytest.raises(SealKeyRefused):
        seal_and_anchor()
    assert ((vault / "anchors.jsonl").read_bytes(), (vault / "key.public.jsonl").read_bytes()) == before
    # The anchor file alone is enough to find it.
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", "")
    settings.cache_clear()
    assert FaultKind.ANCHORS_BROKEN in kinds()


def test_a_register_whose_identifier_was_deleted_is_not_taken_for_a_new_one(vault: Path) -> None:
    behind_its_back(f"DELETE FROM setting WHERE key = '{REGISTER_ID}'")
    with pytest.raises(Refused, match="has lost its identifier"):
        begin()


# One forged entry, consistent in itself.


def forge(seq: int, at: datetime) -> None:
    """A new setting with an entry of its own, as another person's, at a moment and under a number of the attacker's choice."""
    with engine(writes=True).begin() as connection:
        _take_guards_away(connection)
        person = connection.scalar(select(User.id).limit(1))
        setting = {"id": new_id(), "version": 1, "recorded_at": at, "recorded_by": person, "key": "a.b", "value": "1"}
        plain = {name: value for name, value in setting.items() if value is not None}
        entry = LedgerEntry(
            seq=seq, record_type="setting", record_id=setting["id"], version=1, operation="change_setting",
            use_case="UC-02.01", user_id=person, recorded_at=at, state=canonical(plain), previous_hash=GENESIS, hash="",
        )  # fmt: skip
        entry.hash = entry_hash(entry)
        connection.execute(metadata.tables["setting"].insert(), [setting])
        connection.execute(metadata.tables["ledger_entry"].insert(), [entry.model_dump()])
        _give_guards_back(connection)


def last_number() -> int:
    """The highest number of an entry."""
    with engine().connect() as connection:
        return connection.scalar(select(func.max(col(LedgerEntry.seq)))) or 0


NINE_MONTHS = timedelta(days=270)


@BOTH
@pytest.mark.parametrize("seq", [-5, 0])
def test_an_entry_numbered_before_the_first_is_found(vault: Path, seq: int) -> None:
    forge(seq, now() - NINE_MONTHS)
    assert FaultKind.SEQUENCE_BROKEN in kinds()


@pytest.mark.parametrize("at", [-NINE_MONTHS, timedelta(hours=-1), timedelta(hours=1)])
def test_an_entry_dated_back_or_ahead_is_found_before_it_is_sealed_and_after(vault: Path, at: timedelta) -> None:
    with time_machine.travel(now() + timedelta(hours=2)):
        change("21", 0)
        seal_and_anchor()
        forge(last_number() + 1, now() + at)
        assert kinds() == {FaultKind.TIME_BROKEN}
        seal_and_anchor()
        assert FaultKind.TIME_BROKEN in kinds()


def test_entries_dated_back_one_after_the_other_are_found(vault: Path) -> None:
    with time_machine.travel(now() + timedelta(hours=2)):
        change("21", 0)
        seal_and_anchor()
        first = last_number() + 1
        for place in range(3):
            forge_at = now() - NINE_MONTHS + timedelta(minutes=place)
            change("22" if place % 2 else "23", place + 1)
            with engine(writes=True).begin() as connection:
                _take_guards_away(connection)
                number = col(LedgerEntry.seq) == last_number()
                connection.execute(sql_update(LedgerEntry).where(number).values(recorded_at=forge_at))
                _give_guards_back(connection)
        faults = [fault for fault in verified().faults if fault.kind is FaultKind.TIME_BROKEN]
        assert {fault.where for fault in faults} == {f"entry {number}" for number in range(first, first + 3)}


def test_a_gap_behind_the_last_seal_is_found_on_sqlite(sqlite_register: str) -> None:
    change("21", 0)
    seal_and_anchor()
    forge(last_number() + 5, now())
    assert kinds() == {FaultKind.SEQUENCE_BROKEN}


def test_a_forged_entry_under_a_seal_worked_out_anew_is_found(vault: Path) -> None:
    def date_back(connection: Any) -> None:
        moment = now() - NINE_MONTHS
        newest = connection.scalar(
            select(func.max(col(LedgerEntry.seq))).where(col(LedgerEntry.record_type) == "attachment")
        )
        connection.execute(sql_update(LedgerEntry).where(col(LedgerEntry.seq) == newest).values(recorded_at=moment))

    rewrite(edit=date_back)
    assert {FaultKind.SIGNATURE_BROKEN, FaultKind.SEAL_MISSING, FaultKind.TIME_BROKEN} <= kinds()


@BOTH
def test_a_seal_added_without_the_key_is_found(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change("21", 0)
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", "")
    settings.cache_clear()
    assert seal_ledger(SYSTEM) is not None
    _use_vault(vault, monkeypatch)
    assert kinds() == {FaultKind.SIGNATURE_BROKEN}


def test_a_seal_signed_with_another_key_is_found(vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    change("21", 0)
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", str(mine / "key.pem"))
    settings.cache_clear()
    with pytest.raises(SealKeyRefused):
        seal_ledger(SYSTEM)
    rotate_seal_key()
    assert seal_ledger(SYSTEM) is not None
    _use_vault(vault, monkeypatch)
    assert kinds() == {FaultKind.SIGNATURE_BROKEN}


def test_a_made_up_past_declared_in_a_live_register_is_found(register: str) -> None:
    change("21", 0)
    with engine(writes=True).begin() as connection:
        for key, value in (("register.live", "2026-01-01"), ("demo.past", "1-999")):
            row = {"id": new_id(), "version": 1, "recorded_at": now(), "key": key, "value": value}
            connection.execute(metadata.tables["setting"].insert(), [row])
    assert FaultKind.TIME_BROKEN in kinds()


# The anchor file.


def edit_anchors(vault: Path, edit: Callable[[list[str]], list[str]]) -> None:
    """Change the lines of the anchor file."""
    path = vault / "anchors.jsonl"
    path.write_text("".join(f"{line}\n" for line in edit(path.read_text("utf-8").splitlines())), "utf-8")


def altered(line: str, **changes: Any) -> str:
    """A line of the anchor file that says something else."""
    return json.dumps({**json.loads(line), **changes})


ANCHORS: list[tuple[str, Callable[[list[str]], list[str]], str]] = [
    ("emptied of all but the last", lambda lines: lines[-1:], "lines were removed"),
    ("an unreadable line", lambda lines: [*lines, "\x00\x00\x00"], "can't be read"),
    ("an unreadable line in the middle", lambda lines: [lines[0], "{}", *lines[1:]], "can't be read"),
    ("half a line", lambda lines: [*lines[:-1], lines[-1][:60]], "can't be read"),
    ("a line that is no object", lambda lines: ["7", *lines], "can't be read"),
    (
        "a second line for a seal",
        lambda lines: [*lines, altered(lines[0], hash="ab" * 32)],
        "another hash than the first",
    ),
    (
        "dated ahead",
        lambda lines: [*lines, altered(lines[0], number=99, at="2099-01-01T00:00:00+00:00")],
        "dated ahead",
    ),
    ("all dated ahead", lambda lines: [altered(line, at="2099-01-01T00:00:00+00:00") for line in lines], "dated ahead"),
    ("a line of another register", lambda lines: [*lines, altered(lines[0], register="x")], "of another register"),
    ("all of another register", lambda lines: [altered(line, register="x") for line in lines], "of another register"),
]


def test_an_anchor_file_that_was_worked_on_is_told(vault: Path) -> None:
    before = (vault / "anchors.jsonl").read_bytes()
    for attack, edit, words in ANCHORS:
        edit_anchors(vault, edit)
        faults = [fault for fault in verified().faults if fault.kind is FaultKind.ANCHORS_BROKEN]
        assert any(words in fault.message for fault in faults), (attack, verified().faults)
        (vault / "anchors.jsonl").write_bytes(before)
    assert verified().faults == []


def test_of_two_anchors_for_a_seal_the_first_counts(vault: Path) -> None:
    first = (vault / "anchors.jsonl").read_text("utf-8").splitlines()
    rewrite(signature="kept", edit=rename_somebody)
    with engine().connect() as connection:
        hashes = dict(connection.execute(select(LedgerSeal.number, LedgerSeal.hash)).tuples().all())
    edit_anchors(
        vault, lambda lines: lines + [altered(line, hash=hashes[json.loads(line)["number"]]) for line in first]
    )
    assert {FaultKind.SEAL_MISSING, FaultKind.ANCHORS_BROKEN} <= kinds()


def test_a_missing_anchor_file_is_told_and_not_begun_anew_by_itself(vault: Path) -> None:
    anchors = vault / "anchors.jsonl"
    anchors.unlink()
    change("21", 0)
    assert seal_and_anchor() == 1
    assert not anchors.exists()
    assert kinds() == {FaultKind.ANCHORS_BROKEN}
    with pytest.raises(Refused, match="Nothing was changed"):
        restart_anchors("another register")
    count, former = restart_anchors(read_register_id())
    assert (count, former) == (verified().seals, None)
    assert verified().faults == []


# The key.


def test_a_key_that_is_lost_stops_sealing_until_it_is_replaced(vault: Path) -> None:
    (vault / "key.pem").unlink()
    change("21", 0)
    with pytest.raises(SealKeyRefused, match="rotate-seal-key"):
        seal_and_anchor()
    assert verified().faults == [], "what is sealed verifies by the list of public keys alone"
    rotate_seal_key()
    assert seal_and_anchor() == 1
    result = verified()
    assert (result.faults, result.signed_seals) == ([], result.seals)


def test_old_keys_verify_old_seals_and_no_new_ones(vault: Path) -> None:
    old = (vault / "key.pem").read_bytes()
    rotate_seal_key()
    assert (vault / "key.pem").read_bytes() != old
    change("21", 0)
    assert seal_and_anchor() == 1
    assert verified().faults == []
    (vault / "key.pem").write_bytes(old)
    change("22", 1)
    with pytest.raises(SealKeyRefused, match="is not the one that signs"):
        seal_and_anchor()


def test_a_list_of_public_keys_that_is_gone_or_spoilt_is_told(vault: Path) -> None:
    public = vault / "key.public.jsonl"
    public.write_text(public.read_text("utf-8") + "scribble\n", "utf-8")
    assert kinds() == {FaultKind.SIGNATURE_BROKEN}
    public.unlink()
    assert kinds() == {FaultKind.SIGNATURE_BROKEN}


@BOTH
def test_a_register_from_before_signatures_is_signed_from_its_first_start_on(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change("21", 0)
    assert seal_and_anchor() == 1
    _use_vault(tmp_path, monkeypatch)
    begin()
    restart_anchors(read_register_id())
    change("22", 1)
    assert seal_and_anchor() == 1
    result = verified()
    assert (result.faults, result.unsigned_seals, result.signed_seals) == ([], 1, 1)
    # Once there is a signed seal, no later one may be without.
    behind_its_back("UPDATE ledger_seal SET signature = NULL WHERE number = 2")
    assert FaultKind.SIGNATURE_BROKEN in kinds()


def test_seals_of_a_version_that_neither_signed_nor_dated_them_are_accepted_up_to_the_first_start(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(now() - NINE_MONTHS):
        change("21", 0)
    assert seal_and_anchor() == 1
    rewrite(signature="none, as before there were any")
    monkeypatch.setenv("FMAR_SEAL_KEY_FILE", str(tmp_path / "key.pem"))
    settings.cache_clear()
    begin()
    change("22", 1)
    assert seal_and_anchor() == 1
    result = verified()
    assert (result.faults, result.unsigned_seals, result.signed_seals) == ([], 1, 1)
    monkeypatch.undo()
    settings.cache_clear()


def test_the_attachments_table_is_ledgered(vault: Path) -> None:
    behind_its_back(f"UPDATE {Attachment.record_type()} SET sha256 = '00'")
    assert {FaultKind.RECORD_ALTERED, FaultKind.CONTENT_ALTERED} <= kinds()
