"""Large exports are jobs: made by the worker, whole or not at all, handed to those who may see what is in them (UC-02.04)."""

import hashlib
import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import time_machine

from models.bulk import JobStatus
from models.core import Access, Event, LedgerEntry
from models.exports import AssetExport, ExportJob, ExportPart
from models.participants import Role
from services.assets.bulk.export import worker as export_working
from services.assets.bulk.export.direct import export_file
from services.assets.bulk.export.jobs import (
    any_job,
    any_jobs,
    begin_export,
    cancel_export,
    delete_export,
    fetch_export,
    get_export,
    is_large_export,
    list_exports,
    require_visibility,
    submit_export,
)
from services.assets.bulk.export.worker import EXPORTS, forget_old_exports, work_on_exports, work_through_exports
from services.assets.filters import AssetFilters
from services.assets.registration.register import register_asset
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_for_user
from services.core.ledger.verifying import verify_ledger
from services.core.register_settings import change_setting
from services.participants.accounts import deactivate_account
from services.participants.organisations import set_licence_areas
from tests.asset_factories import battery, values_for
from tests.bulk_files import counts, everything, send
from tests.factories import administrator, make_actor, make_fsp, make_organisation

pytestmark = pytest.mark.use_case("UC-02.04")


def every_export_is_large() -> None:
    """From here on two assets are too many to be written at once."""
    change_setting(administrator(), "export.direct_rows", "1", 0)


def a_portfolio(actor: Actor, count: int = 3) -> None:
    """Some batteries."""
    for number in range(count):
        register_asset(actor, battery(FriendlyCode=f"F-{number}", AssetName="Depot"))


def finished(actor: Actor, file_format: str, path: Path, filters: AssetFilters | None = None) -> ExportJob:
    """A large export from the wish to the file."""
    job = begin_export(actor, file_format, filters)
    assert job is not None
    work_through_exports()
    return fetch_export(actor, job.id, path)


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "xlsx", "parquet"])
def test_a_large_export_is_made_by_the_worker_and_comes_back_unchanged(
    register: str, tmp_path: Path, file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_working, "PART_BYTES", 700)
    actor = make_fsp()
    register_asset(
        actor,
        battery(
            FriendlyCode="-A1", Aliases="ECR:UKPN-1; OEM:=2+3", AssetName="-1 Depot", OtherDescription="Dépôt “B”, x"
        ),
    )
    register_asset(actor, values_for("EV_CHARGER", ConnectorType="Type 2", V2GEnabled="yes"))
    register_asset(actor, values_for("OTHER", Latitude=None, Longitude=None))
    assert begin_export(actor, file_format) is None, "few assets are exported at once"
    every_export_is_large()
    path = tmp_path / f"out.{file_format}"
    job = finished(actor, file_format, path)
    assert (job.status, job.rows_done, job.rows_total) == (JobStatus.COMPLETED, 3, 3)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == job.sha256
    assert path.stat().st_size == job.size
    assert len(everything(ExportPart)) > 1
    straight = tmp_path / f"straight.{file_format}"
    assert export_file(actor, file_format, straight) == 3
    if file_format != "xlsx":  # a workbook tells when it was made
        assert straight.read_bytes() == path.read_bytes()
    back = send(actor, path.read_bytes(), path.name)
    assert (counts(back), back.unknown) == ({"unchanged": 3}, []), back.summary


def test_every_export_is_in_the_ledger_with_who_filter_rows_and_digest(register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    a_portfolio(actor)
    export_file(actor, "csv", tmp_path / "a.csv", AssetFilters(text="Depot", asset_category=("BESS",)))
    every_export_is_large()
    job = finished(actor, "geojson", tmp_path / "a.geojson")
    entries = [entry for entry in everything(LedgerEntry) if entry.record_type == "asset_export"]
    assert [(e.operation, e.use_case, e.user_id, e.organisation_id) for e in entries] == [
        ("keep_export", "UC-02.04", actor.user_id, actor.organisation_id)
    ] * 2
    first, second = (json.loads(entry.state) for entry in entries)
    assert (first["rows"], first["file_format"]) == (3, "csv")
    assert first["filters"] == {"text": "Depot", "asset_category": ["BESS"]}
    assert first["sha256"] == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    assert (second["sha256"], second["job_id"]) == (job.sha256, str(job.id))
    assert [one.rows for one in everything(AssetExport)] == [3, 3]
    kinds = [access.kind for access in everything(Access) if access.actor_key == actor.key]
    assert kinds == ["assets.export", "assets.export", "assets.export_taken"]
    assert verify_ledger(system_actor()).sound
    told = [event.payload for event in everything(Event) if event.type == "export.completed"]
    assert [(one["rows_done"], one["sha256"]) for one in told] == [(3, job.sha256)]


def test_only_those_who_see_as_much_get_the_file(register: str, tmp_path: Path) -> None:
    fsp, stranger = make_fsp(), make_fsp()
    wires = make_organisation("Eastern Wires plc", ("DNO",), licence_areas=["UKPN_EPN", "UKPN_SPN"])
    operator = make_actor(wires)
    a_portfolio(fsp)
    every_export_is_large()
    theirs, wide = begin_export(fsp, "csv"), begin_export(operator, "csv")
    assert theirs is not None
    assert wide is not None
    with pytest.raises(Refused, match="no file yet"):
        fetch_export(fsp, theirs.id, tmp_path / "early.csv")
    work_through_exports()
    path = tmp_path / "out.csv"
    for other in (stranger, operator):
        for act in (get_export, cancel_export, delete_export, any_job):
            with pytest.raises(NotFound):
                act(other, theirs.id)
        with pytest.raises(NotFound):
            fetch_export(other, theirs.id, path)
    assert not path.exists()
    assert [job.id for job in list_exports(stranger)] == []
    assert [job.id for job in any_jobs(operator)] == [wide.id]
    assert fetch_export(operator, wide.id, path).rows_done == 3
    owner = replace(operator, roles=frozenset({Role.ASSET_OWNER}), areas=frozenset())
    with pytest.raises(Forbidden):
        require_visibility(owner, get_export(operator, wide.id))
    set_licence_areas(administrator(), wires.id, ["UKPN_EPN"], wires.version)
    with pytest.raises(Forbidden, match="Export again"):
        fetch_export(actor_for_user(cast(UUID, operator.user_id), wires.id), wide.id, path)
    assert fetch_export(administrator(), wide.id, path).rows_done == 3


def test_a_wish_said_twice_is_one_job_and_what_is_over_can_be_cancelled_and_removed(
    register: str, tmp_path: Path
) -> None:
    actor = make_fsp()
    a_portfolio(actor)
    every_export_is_large()
    assert is_large_export(actor)
    assert not is_large_export(actor, AssetFilters(friendly_code=("F-1",)))
    job = submit_export(actor, "csv", AssetFilters(text="Depot"))
    assert submit_export(actor, "csv", AssetFilters(text="Depot")).id == job.id
    assert submit_export(actor, "jsonl", AssetFilters(text="Depot")).id != job.id
    with pytest.raises(Refused, match="Cancel it first"):
        delete_export(actor, job.id)
    assert cancel_export(actor, job.id).status is JobStatus.CANCELLED
    with pytest.raises(Refused, match="nothing to cancel"):
        cancel_export(actor, job.id)
    work_through_exports()
    assert [one.status for one in list_exports(actor)] == [JobStatus.COMPLETED, JobStatus.CANCELLED]
    with pytest.raises(Refused, match="cancelled"):
        fetch_export(actor, job.id, tmp_path / "a.csv")
    delete_export(actor, job.id)
    assert [one.file_format for one in list_exports(actor)] == ["jsonl"]
    with pytest.raises(Invalid):
        begin_export(actor, "pdf")
    for number in range(10):
        submit_export(actor, "csv", AssetFilters(text=str(number)))
    with pytest.raises(Refused, match="under way"):
        submit_export(actor, "csv")


def test_files_are_kept_for_the_days_of_the_setting(register: str, tmp_path: Path) -> None:
    actor = make_fsp()
    a_portfolio(actor)
    every_export_is_large()
    job = finished(actor, "csv", tmp_path / "a.csv")
    assert job.finished_at is not None
    with time_machine.travel(job.finished_at + timedelta(days=89)):
        forget_old_exports()
        assert everything(ExportPart)
    with time_machine.travel(job.finished_at + timedelta(days=91)):
        forget_old_exports()
    assert everything(ExportPart) == []
    assert len(everything(AssetExport)) == 1, "the ledger keeps that it was made"


def test_an_export_whose_owner_lost_access_fails_and_says_so(register: str) -> None:
    actor = make_fsp()
    a_portfolio(actor)
    job = submit_export(actor, "csv")
    deactivate_account(administrator(), actor.user_id, "Left the company for good.")  # pyright: ignore[reportArgumentType]
    work_through_exports()
    (failed,) = everything(ExportJob)
    assert (failed.id, failed.status) == (job.id, JobStatus.FAILED)
    assert "access has ended" in failed.reason


def test_a_mistake_of_ours_is_tried_again_and_then_given_up(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_fsp()
    a_portfolio(actor)
    job = submit_export(actor, "csv")

    def broken(*_: Any) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr(export_working, "write_assets", broken)
    moment = job.created_at
    for _ in range(10):
        moment += timedelta(minutes=30)
        with time_machine.travel(moment):
            work_through_exports()
    failed = get_export(actor, job.id)
    assert (failed.status, failed.attempts) == (JobStatus.FAILED, 5)
    assert "OSError" in (failed.reason or "")
    assert "No space" not in (failed.reason or "")


def test_a_cancelled_export_stops_and_leaves_nothing(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_working, "PULSE_SECONDS", 0.05)
    actor = make_fsp()
    a_portfolio(actor)
    job = submit_export(actor, "csv")
    whole = export_working.write_assets

    def cancelled_meanwhile(*given: Any) -> int:
        cancel_export(actor, job.id)
        time.sleep(0.5)
        return whole(*given)

    monkeypatch.setattr(export_working, "write_assets", cancelled_meanwhile)
    work_through_exports()
    assert get_export(actor, job.id).status is JobStatus.CANCELLED
    assert everything(ExportPart) == everything(AssetExport) == []


def test_the_worker_makes_it_in_a_thread_of_its_own(register: str) -> None:
    actor = make_fsp()
    a_portfolio(actor)
    job = submit_export(actor, "csv")
    work_on_exports()
    deadline = time.monotonic() + 60
    while get_export(actor, job.id).status is not JobStatus.COMPLETED and time.monotonic() < deadline:
        time.sleep(0.05)
    assert get_export(actor, job.id).rows_done == 3
    assert EXPORTS.claim() is None
