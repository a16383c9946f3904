"""What others write while a file is being registered holds for the chunks that follow (UC-02.01, UC-02.03)."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from models.assets import Asset
from models.bulk import BulkJob, JobStatus
from services.assets.bulk.pipeline.duplicates import Earlier
from services.assets.bulk.upload.results import job_findings, job_rows
from services.assets.categories.codes import code_list_entries, set_code_active
from services.assets.registration.register import register_asset
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.verifying import verify_ledger
from services.core.register_settings import change_setting
from services.participants.approval import suspend_organisation
from services.participants.reading import get_organisation
from tests.asset_factories import an_mpan, battery
from tests.bulk_files import counts, csv_of, everything, send
from tests.factories import administrator, make_fsp

CHUNK, CHUNKS = 10, 4
LATE = 2 * CHUNK + 5
"""A row of the third chunk."""
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few rows."""
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", CHUNK)


def _rows() -> Rows:
    return [battery(FriendlyCode=f"A-{number}") for number in range(CHUNK * CHUNKS)]


def _sent(monkeypatch: pytest.MonkeyPatch, actor: Actor, rows: Rows, meanwhile: Callable[[], object]) -> BulkJob:
    """Send rows, and have something done once two chunks are written."""
    acts, add = iter((lambda: None, meanwhile)), Earlier.add

    def add_and_act(self: Earlier, outcomes: pl.DataFrame) -> None:
        add(self, outcomes)
        next(acts, lambda: None)()

    # What a chunk's rows are known by is noted between its transaction and the next.
    monkeypatch.setattr(Earlier, "add", add_and_act)
    return send(actor, csv_of(rows))


def _said(actor: Actor, job: BulkJob) -> dict[int, str]:
    """The codes that rows were refused by, by place."""
    return {found["row"] - 2: found["code"] for found in job_findings(actor, job.id)}


@pytest.mark.use_case("UC-02.01")
def test_a_device_that_another_registers_meanwhile_is_found(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, rival, rows = make_fsp(), make_fsp("Rival Flex"), _rows()
    theirs = battery(SerialNumber=rows[LATE]["SerialNumber"])
    job = _sent(monkeypatch, actor, rows, lambda: register_asset(rival, theirs))
    assert _said(actor, job) == {LATE: "DUP-01"}
    assert counts(job) == {"registered": CHUNK * CHUNKS - 1, "refused": 1}


@pytest.mark.use_case("UC-02.03")
def test_an_asset_of_ones_own_that_is_registered_meanwhile_is_changed(
    register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, rows = make_fsp(), _rows()
    mine = {**rows[LATE], "AssetName": "Registered by hand"}
    job = _sent(monkeypatch, actor, rows, lambda: register_asset(actor, mine))
    assert counts(job) == {"registered": CHUNK * CHUNKS - 1, "updated": 1}
    assert "Registered by hand" not in {one.asset_name for one in everything(Asset)}
    assert verify_ledger(system_actor()).sound


@pytest.mark.use_case("UC-02.01")
def test_rules_that_change_meanwhile_hold(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, rows = make_fsp(), _rows()

    def retired() -> None:
        [entry] = [one for one in code_list_entries(administrator(), "ConnectionType") if one.code == "FIRM"]
        set_code_active(administrator(), "ConnectionType", "FIRM", False, entry.version)

    job = _sent(monkeypatch, actor, rows, retired)
    assert counts(job) == {"registered": 2 * CHUNK, "refused": 2 * CHUNK}


@pytest.mark.use_case("UC-02.01")
def test_a_setting_that_changes_meanwhile_holds(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, rows = make_fsp(), _rows()
    job = _sent(monkeypatch, actor, rows, lambda: change_setting(administrator(), "asset.large_capacity_kw", "2000", 0))
    assert counts(job) == {"registered": 2 * CHUNK, "refused": 2 * CHUNK, "warned": 2 * CHUNK}


@pytest.mark.use_case("UC-02.01")
def test_a_provider_that_is_suspended_meanwhile_registers_no_more(
    register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, rows = make_fsp(), _rows()
    assert actor.organisation_id

    def suspended() -> None:
        own = get_organisation(administrator(), actor.organisation_id)
        suspend_organisation(administrator(), own.id, "It has stopped trading.", own.version)

    monkeypatch.setattr("tests.bulk_files.get_job", lambda _actor, job_id: _job(job_id))
    job = _sent(monkeypatch, actor, rows, suspended)
    assert (job.status, job.rows_registered) == (JobStatus.FAILED, 2 * CHUNK)


def _job(job_id: object) -> BulkJob:
    [job] = everything(BulkJob)
    assert job.id == job_id
    return job


@pytest.mark.use_case("UC-02.01")
def test_a_file_of_several_providers(register: str) -> None:
    owners = [str(make_fsp(name).organisation_id) for name in ("First Flex", "Second Flex")]
    rows = [battery(ServiceProviderId=owners[number // CHUNK % 2]) for number in range(CHUNK * CHUNKS)]
    mpan = an_mpan()
    for number in (CHUNK + 3, LATE):
        rows[number]["ImportMPAN"] = mpan
    job = send(administrator(), csv_of(rows))
    findings = [(finding["row"], finding["code"]) for finding in job_findings(administrator(), job.id)]
    outcomes = [row["outcome"] for row in job_rows(administrator(), job.id)]
    assert counts(job) == {"registered": CHUNK * CHUNKS - 1, "refused": 1, "warned": 1}
    assert findings == [(LATE + 2, "MPAN-09")]
    assert [place for place, outcome in enumerate(outcomes) if outcome == "refused"] == [LATE]
