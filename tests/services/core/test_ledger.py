"""The ledger: it writes itself, can't be changed through the database, and shows any change made behind its back."""

import json
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from models.base import new_id
from models.core import LedgerEntry, Setting
from services.core.clock import now
from services.core.db.engine import engine, is_sqlite
from services.core.errors import Conflict
from services.core.identity.actor import system_actor
from services.core.ledger.history import as_of, history
from services.core.ledger.sealing import merkle_root, seal_ledger
from services.core.ledger.verifying import FaultKind, verify_ledger
from services.core.operation import operation
from services.core.register_settings import change_setting
from services.core.settings import settings
from services.core.transaction import NoTransaction, current_session
from services.governance.sealing import seal_and_anchor
from tests.databases import behind_its_back
from tests.factories import administrator
from tests.processes import die_at_moment, run_process

pytestmark = pytest.mark.both_engines

KEY = "asset.query_answer_days"
OTHER = "asset.pending_notice_days"
SYSTEM = system_actor()


def change(value: str, version: int, key: str = KEY) -> Setting:
    """One recorded change."""
    return change_setting(SYSTEM, key, value, version)


def three_changes() -> Setting:
    """A record with three versions, and another with one."""
    change("21", 0)
    change("22", 1)
    change("9", 0, OTHER)
    return change("23", 2)


def faults() -> set[FaultKind]:
    """The kinds of fault that verification finds."""
    return {fault.kind for fault in verify_ledger(SYSTEM).faults}


@pytest.mark.use_case("UC-05.06")
def test_every_change_is_recorded_with_before_and_after_who_and_why(register: str) -> None:
    setting = three_changes()

    @operation("UC-05.06", permission="ledger.verify", writes=False, name="read_history_of_setting")
    def read_history_of_setting(actor: object) -> object:
        return history("setting", setting.id)

    told = read_history_of_setting(SYSTEM)
    assert isinstance(told, list)
    assert [change.version for change in told] == [3, 2, 1]
    assert told[0].changes == {"value": ("22", "23")}
    assert told[0].operation == "change_setting"
    assert told[0].use_case == "UC-02.01"
    assert told[2].changes == {"key": (None, KEY), "value": (None, "21")}
    assert verify_ledger(SYSTEM).sound


@pytest.mark.use_case("UC-05.06")
@pytest.mark.parametrize("table", ["ledger_entry", "ledger_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET version = 9", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_the_ledger(register: str, table: str, statement: str) -> None:
    three_changes()
    seal_ledger(SYSTEM)
    with pytest.raises(DBAPIError, match="append-only"), engine(writes=True).begin() as connection:
        connection.execute(text(statement.format(table)))
    assert verify_ledger(SYSTEM).sound


@pytest.mark.use_case("UC-05.06")
@pytest.mark.parametrize("same", ["seq, record_type, record_id, version", "-7, record_type, record_id, version"])
def test_nothing_takes_the_place_of_an_entry(sqlite_register: str, same: str) -> None:
    three_changes()
    columns = "operation, use_case, recorded_at, state, previous_hash, hash"
    replace = f"INSERT OR REPLACE INTO ledger_entry (seq, record_type, record_id, version, {columns}) "
    with pytest.raises(DBAPIError, match="append-only"), engine(writes=True).begin() as connection:
        connection.execute(text(f"{replace} SELECT {same}, {columns} FROM ledger_entry WHERE version = 2"))
    assert verify_ledger(SYSTEM).sound


@pytest.mark.use_case("UC-05.06")
def test_a_seal_that_a_killed_process_left_unanchored_is_anchored_next_time(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "anchor_file", str(tmp_path / "anchors.jsonl"))
    change("21", 0)
    assert seal_and_anchor() == 1
    change("22", 1)
    seal_ledger(SYSTEM)
    assert verify_ledger(SYSTEM).anchors == 1
    assert seal_and_anchor() == 0
    assert verify_ledger(SYSTEM).anchors == 2


LAST = "(SELECT max(seq) FROM ledger_entry WHERE record_type = 'setting')"
FIRST_OF_KEY = f"(SELECT min(seq) FROM ledger_entry WHERE state LIKE '%{KEY}%')"
ALTERED = [
    pytest.param(
        [f"UPDATE ledger_entry SET state = replace(state, '21', '29') WHERE seq = {FIRST_OF_KEY}"],
        {FaultKind.ENTRY_ALTERED},
        id="an old entry altered",
    ),
    pytest.param(
        [f"UPDATE ledger_entry SET operation = 'approve_organisation' WHERE seq = {LAST}"],
        {FaultKind.ENTRY_ALTERED},
        id="who did it altered",
    ),
    pytest.param(
        [f"DELETE FROM ledger_entry WHERE seq = {FIRST_OF_KEY}"],
        {FaultKind.CHAIN_BROKEN, FaultKind.SEAL_BROKEN},
        id="an old entry deleted",
    ),
    pytest.param(
        [f"DELETE FROM ledger_entry WHERE seq = {LAST}"],
        {FaultKind.RECORD_ALTERED, FaultKind.SEAL_BROKEN},
        id="the end cut off",
    ),
    pytest.param(
        [
            f"DELETE FROM ledger_entry WHERE state LIKE '%{OTHER}%'",
            f"DELETE FROM setting WHERE key = '{OTHER}'",
        ],
        {FaultKind.SEAL_BROKEN},
        id="a record and all its entries removed together",
    ),
    pytest.param(["DELETE FROM ledger_seal"], {FaultKind.RECORD_MISSING}, id="the seal removed"),
    pytest.param(
        ["UPDATE ledger_seal SET entry_count = entry_count - 1"],
        {FaultKind.SEAL_BROKEN, FaultKind.RECORD_ALTERED},
        id="the seal altered",
    ),
    pytest.param(
        ["UPDATE setting SET value = '99' WHERE key = '" + KEY + "'"], {FaultKind.RECORD_ALTERED}, id="a record altered"
    ),
    pytest.param(["DELETE FROM setting WHERE key = '" + KEY + "'"], {FaultKind.RECORD_MISSING}, id="a record deleted"),
]


@pytest.mark.use_case("UC-05.06")
@pytest.mark.parametrize(("statements", "expected"), ALTERED)
def test_verification_finds_what_was_done_behind_its_back(
    register: str, statements: list[str], expected: set[FaultKind]
) -> None:
    three_changes()
    seal_ledger(SYSTEM)
    behind_its_back(*statements)
    assert expected <= faults()


@pytest.mark.use_case("UC-05.06")
def test_an_inserted_entry_is_found(register: str) -> None:
    three_changes()
    seal_ledger(SYSTEM)
    columns = "record_type, record_id, operation, use_case, user_id, client_id, organisation_id, on_behalf_of, "
    columns += "recorded_at, state"
    behind_its_back(
        f"INSERT INTO ledger_entry (version, previous_hash, hash, {columns}) "
        f"SELECT 4, hash, hash, {columns} FROM ledger_entry WHERE seq = {LAST}"
    )
    assert {FaultKind.ENTRY_ALTERED, FaultKind.RECORD_ALTERED} <= faults()


@pytest.mark.use_case("UC-05.06")
def test_two_entries_swapped_are_found(register: str) -> None:
    three_changes()
    seal_ledger(SYSTEM)
    one, two = f"(SELECT seq FROM ledger_entry WHERE version = 1 AND state LIKE '%{KEY}%')", LAST
    with engine().connect() as connection:
        first, second = connection.execute(text(f"SELECT {one}, {two}")).one()
    behind_its_back(
        f"UPDATE ledger_entry SET seq = -1 WHERE seq = {first}",
        f"UPDATE ledger_entry SET seq = {first} WHERE seq = {second}",
        f"UPDATE ledger_entry SET seq = {second} WHERE seq = -1",
    )
    assert FaultKind.SEAL_BROKEN in faults()


@pytest.mark.use_case("UC-05.06")
def test_a_record_made_behind_its_back_is_found(register: str) -> None:
    change("21", 0)
    empty = "'0190a8f0-0000-7000-8000-000000000000'"
    identifier = empty.replace("-", "") if is_sqlite() else empty
    behind_its_back(
        "INSERT INTO setting (id, version, recorded_at, key, value) "
        f"SELECT {identifier}, 1, recorded_at, 'made.up', '1' FROM setting WHERE key = '{KEY}'"
    )
    assert faults() == {FaultKind.RECORD_UNKNOWN}


@pytest.mark.use_case("UC-05.06")
def test_a_ledger_cut_back_to_an_earlier_day_is_found_by_the_anchor_file(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "anchor_file", str(tmp_path / "anchors.jsonl"))
    change("21", 0)
    assert seal_and_anchor() == 1
    change("22", 1)
    assert seal_and_anchor() == 1
    assert verify_ledger(SYSTEM).sound
    behind_its_back(
        "DELETE FROM ledger_entry WHERE seq >= (SELECT first_seq FROM ledger_seal WHERE number = 2)",
        "DELETE FROM ledger_seal WHERE number = 2",
        f"UPDATE setting SET value = '21', version = 1 WHERE key = '{KEY}'",
    )
    found = verify_ledger(SYSTEM)
    assert any(fault.kind is FaultKind.SEAL_MISSING and "anchor file" in fault.message for fault in found.faults)


@pytest.mark.use_case("UC-05.06")
def test_verification_is_not_alarmed_by_what_is_registered_and_sealed_meanwhile(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "anchor_file", str(tmp_path / "anchors.jsonl"))
    three_changes()
    assert seal_and_anchor() == 1

    person, versions = administrator(), iter(range(3, 99))

    def work_goes_on() -> None:
        version = next(versions)
        change(str(21 + version), version)
        seal_and_anchor()

    def progress(_share: float, doing: str) -> None:
        if doing.startswith("Seals") or doing.endswith(": setting"):
            in_a_thread(work_goes_on)

    found = verify_ledger(person, progress)
    assert (found.faults, found.anchors) == ([], 1)
    later = verify_ledger(person)
    assert (later.faults, later.anchors, later.entries > found.entries) == ([], 3, True)


def in_a_thread(act: Callable[[], object]) -> None:
    """Do something as another session does it, to its end."""
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


@pytest.mark.use_case("UC-05.06")
def test_an_anchor_that_a_killed_process_left_unfinished_spoils_no_other(
    one_register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    monkeypatch.setattr(settings(), "anchor_file", str(anchors))
    change("21", 0)
    assert seal_and_anchor() == 1
    anchors.write_text(anchors.read_text() + '{"register": "01')
    change("22", 1)
    assert seal_and_anchor() == 1
    found = verify_ledger(SYSTEM)
    assert (found.faults, found.anchors) == ([], 2)


@pytest.mark.use_case("UC-05.06")
def test_sealing_covers_everything_once_and_rests_when_nothing_is_new(register: str) -> None:
    three_changes()
    first = seal_ledger(SYSTEM)
    assert first is not None
    assert seal_ledger(SYSTEM) is None
    change("24", 3)
    second = seal_ledger(SYSTEM)
    assert second is not None
    assert (second.number, second.previous_hash) == (2, first.hash)
    found = verify_ledger(SYSTEM)
    assert found.sound
    assert found.sealed_entries == found.entries - 1


@pytest.mark.use_case("UC-05.06")
def test_a_record_can_be_read_as_of_any_moment(register: str) -> None:
    start = now()
    with time_machine.travel(start + timedelta(days=1), tick=False):
        setting = change("21", 0)
    with time_machine.travel(start + timedelta(days=9), tick=False):
        change("22", 1)

    @operation("UC-05.06", permission="ledger.verify", writes=False, name="read_setting_as_of")
    def read_setting_as_of(actor: object, days: int) -> str | None:
        found = as_of(Setting, setting.id, start + timedelta(days=days))
        return found.value if found else None

    assert [read_setting_as_of(SYSTEM, days) for days in (0, 1, 8, 9, 99)] == [None, "21", "21", "22", "22"]


@pytest.mark.use_case("UC-05.06")
def test_nothing_is_written_outside_an_operation_or_past_the_ledger(register: str) -> None:
    setting = change("21", 0)

    @operation("UC-05.06", permission="setting.read", writes=False, name="write_while_reading")
    def write_while_reading(actor: object) -> None:
        current_session().add(Setting(key="x", value="1"))
        current_session().flush()

    @operation("UC-05.06", permission="setting.change", name="delete_a_record")
    def delete_a_record(actor: object) -> None:
        current_session().delete(current_session().get_one(Setting, setting.id))
        current_session().flush()

    @operation("UC-05.06", permission="setting.change", name="update_set_wise")
    def update_set_wise(actor: object) -> None:
        from sqlalchemy import update

        current_session().execute(update(Setting).values(value="7"))

    @operation("UC-05.06", permission="setting.change", name="insert_set_wise")
    def insert_set_wise(actor: object) -> None:
        from sqlalchemy import insert

        row = {"id": new_id(), "version": 1, "recorded_at": now(), "key": "x", "value": "1"}
        current_session().execute(insert(Setting), [row])

    forbidden: list[Callable[..., None]] = [write_while_reading, delete_a_record, update_set_wise, insert_set_wise]
    for act in forbidden:
        with pytest.raises(NoTransaction):
            act(SYSTEM)
    with pytest.raises(NoTransaction):
        current_session()
    assert verify_ledger(SYSTEM).sound


@pytest.mark.use_case("UC-05.06")
def test_two_sessions_write_one_record_and_the_later_is_told_what_changed(register: str) -> None:
    change("20", 0)
    start = threading.Barrier(2)
    outcomes: list[object] = []

    def write(value: str) -> None:
        start.wait()
        try:
            outcomes.append(change(value, 1).value)
        except Conflict as conflict:
            outcomes.append(conflict)

    threads = [threading.Thread(target=write, args=(value,)) for value in ("31", "32")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    conflicts = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    winners = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(conflicts) == len(winners) == 1
    assert conflicts[0].current["value"] == winners[0]
    assert verify_ledger(SYSTEM).sound


def _change_until(fatal: int) -> None:
    """Change a setting, and die at the given moment of those before and after each statement."""
    die_at_moment(fatal)
    change_setting(system_actor(), "asset.query_answer_days", "21", 0)


FEWEST_MOMENTS = 6
"""Before and after the record and its entry are written, and at the commit; what is read first comes on top."""


@pytest.mark.use_case("UC-05.06")
def test_killed_between_any_two_statements_leaves_both_record_and_entry_or_neither(register: str) -> None:
    """`kill -9` before and after each statement of one operation, until it runs through."""
    for fatal in range(1, 60):
        code = run_process(_change_until, register, fatal)
        assert code in (0, -signal.SIGKILL)
        with engine().connect() as connection:
            records = connection.scalar(select(Setting.value).where(col(Setting.key) == KEY))
            states = connection.scalars(select(LedgerEntry.state).where(col(LedgerEntry.state).contains(KEY))).all()
        assert [json.loads(state)["value"] for state in states] == ([records] if records else [])
        assert verify_ledger(SYSTEM).sound
        if code == 0:
            assert records == "21"
            assert fatal > FEWEST_MOMENTS, "it was killed before and after each statement"
            return
    pytest.fail("The operation never ran through.")


def test_a_merkle_root_depends_on_each_leaf_and_on_their_order() -> None:
    leaves = [f"{number:064x}" for number in range(5)]
    roots = {merkle_root(leaves), merkle_root(leaves[::-1]), merkle_root(leaves[:4]), merkle_root([*leaves, leaves[4]])}
    assert len(roots) == 4
