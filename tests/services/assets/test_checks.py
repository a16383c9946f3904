"""Assets are held against outside sources: MPAN register, installation registry, connection register (UC-02.01)."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetStatus, CheckOutcome, CheckSource
from models.core import LedgerEntry
from sandbox.app import create_app
from services.assets.asset_page.provenance import Origin, provenance_of
from services.assets.checks.queries import messages_of
from services.assets.checks.records import NO_SOURCE, conclude_checks, open_checks
from services.assets.checks.run import checks_of, recheck_after_edition, request_checks, run_checks
from services.assets.checks.sources import PATIENCE
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.assets.rules.mpan import mpan_check_digit
from services.assets.sources.loading import load_source
from services.assets.sources.reading_records import list_editions
from services.core.clock import now
from services.core.errors import NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.worker import work_through
from services.core.ledger.verifying import verify_ledger
from services.core.settings import settings
from services.core.transaction import current_session, unit_of_work
from tests.asset_factories import STAMP, an_mpan, battery, make_provider
from tests.servers import serve

pytestmark = pytest.mark.use_case("UC-02.01")
KEY = {"X-Api-Key": "sandbox"}


@pytest.fixture
def outside(register: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The outside systems, over HTTP, with this register pointed at them."""
    with serve(create_app(control=True)) as base:
        monkeypatch.setenv("FMAR_MPAN_REGISTER_URL", f"{base}/mpan-register")
        monkeypatch.setenv("FMAR_INSTALLATION_REGISTRY_URL", f"{base}/installations")
        settings.cache_clear()
        yield base
    settings.cache_clear()


def load(shared: Path, edition: str) -> None:
    """An edition of the real register of UK Power Networks."""
    name = f"ecr-ukpn-{edition}.csv"
    load_source(system_actor(), (shared / "data" / name).read_bytes(), name)


def pelham(**changes: Any) -> dict[str, Any]:
    """A battery that stands in the real register: 50 MW at Berden since 2017."""
    return battery(
        RatedCapacity="50000",
        GenCapacity="50000",
        DemandCapacity="50000",
        CommissioningDate="2017-11-12",
        ImportMPAN=None,
        ExportMPAN="1050001382531",
        Latitude="51.938387",
        Longitude="0.119490",
        Postcode="SG9 0JB",
        **changes,
    )


def registered(actor: Actor, values: dict[str, Any]) -> Asset:
    """Register, warnings accepted, and let the worker do what follows."""
    asset = register_asset(actor, values, justification="Accepted for this test.")
    work_through()
    return get_asset(actor, asset.id)


def by_source(actor: Actor, asset: Asset) -> dict[CheckSource, AssetCheck]:
    """The newest check of the asset against each source."""
    return {check.source: check for check in checks_of(actor, asset.id)}


def ledger_entries() -> int:
    """How many entries the ledger holds."""
    with unit_of_work(STAMP, writes=False):
        return current_session().scalar(select(func.count(col(LedgerEntry.seq)))) or 0


def test_a_battery_that_stands_in_the_register_is_verified(outside: str, shared: Path) -> None:
    """Every field says which source confirms it, with the edition and the record as evidence."""
    load(shared, "2025-08")
    actor = make_provider()
    asset = registered(actor, pelham())
    assert asset.status is AssetStatus.VERIFIED, asset.status_reason
    checks = by_source(actor, asset)
    assert [checks[source].outcome for source in CheckSource] == [
        CheckOutcome.AGREES,
        CheckOutcome.NOT_APPLICABLE,
        CheckOutcome.AGREES,
    ]
    found = checks[CheckSource.CONNECTION_REGISTER]
    assert (found.matched_by, found.source_name) == ("MPAN", "UK Power Networks, August 2025")
    assert found.evidence["record"] == "MPAN:1050001382531"
    assert found.source_record_id is not None
    told = provenance_of(actor, asset.id)
    for term in ("RatedCapacity", "ExportMPAN", "Latitude", "ConnectionStatus", "AssetCategory"):
        assert told[term].origin is Origin.VERIFIED, term
        assert "UK Power Networks, August 2025" in (told[term].source or ""), term
    assert told["AssetName"].origin is Origin.DECLARED
    assert told["GspGroup"].origin is Origin.VERIFIED
    assert told["StorageCapacity_kWh"].origin is Origin.DECLARED
    assert verify_ledger(system_actor()).faults == []


def test_what_differs_becomes_a_query_in_plain_words(outside: str, shared: Path) -> None:
    """The reasons say what was declared, which source says otherwise, and what it says."""
    load(shared, "2025-08")
    actor = make_provider()
    asset = registered(actor, pelham() | {"RatedCapacity": "70000", "ConnectionStatus": "PENDING"})
    assert asset.status is AssetStatus.QUERY
    reason = asset.status_reason or ""
    assert (
        "Rated capacity: you declared 70,000.00 kW, the connection register (UK Power Networks, August 2025) says "
        "50,000.00 kW."
    ) in reason
    assert "Connection status: you declared " in reason
    assert [message.text for message in messages_of(actor, asset.id)] == [reason]
    told = provenance_of(actor, asset.id)["RatedCapacity"]
    assert (told.origin, told.source_value) == (Origin.DIFFERS, "50,000.00 kW")


def test_a_large_battery_that_is_not_listed_is_queried_only_where_a_register_is_loaded(
    outside: str, shared: Path
) -> None:
    """1 MW or more has to stand in the register of its area; where none is loaded, that can't be said."""
    load(shared, "2025-08")
    actor = make_provider()
    missing = registered(actor, battery(Latitude="52.9000", Longitude="0.9000", Postcode=None))
    assert missing.status is AssetStatus.QUERY
    assert "no entry has its MPAN" in (missing.status_reason or "")
    assert by_source(actor, missing)[CheckSource.CONNECTION_REGISTER].outcome is CheckOutcome.NOT_FOUND
    small = registered(actor, battery(RatedCapacity="300", GenCapacity="300", DemandCapacity="300"))
    assert small.status is AssetStatus.VERIFIED
    elsewhere = battery(
        ImportMPAN=an_mpan("11"), DNOConnection="NGED_EMID", Latitude="52.95", Longitude="-1.15", Postcode=None
    )
    away = registered(actor, elsewhere)
    assert away.status is AssetStatus.VERIFIED
    check = by_source(actor, away)[CheckSource.CONNECTION_REGISTER]
    assert (check.outcome, "NGED_EMID" in (check.summary or "")) == (CheckOutcome.NOT_APPLICABLE, True)


def test_an_mpan_that_nobody_knows_is_queried(outside: str) -> None:
    """The MPAN register's word counts, whatever the size."""
    actor = make_provider()
    asset = registered(actor, battery(ImportMPAN=_reserved("404")))
    assert asset.status is AssetStatus.QUERY
    assert "does not know" in (asset.status_reason or "")
    disconnected = registered(actor, battery(ImportMPAN=_reserved("410")))
    assert "disconnected" in (disconnected.status_reason or "")


def _reserved(code: str) -> str:
    """An MPAN whose digits order an answer of the sandbox."""
    digits = f"109990000{code}"
    return f"{digits}{mpan_check_digit(digits)}"


def test_a_certificate_vouches_for_a_home_battery(outside: str) -> None:
    """Small installations are found by their certificate, and what it says otherwise is a query."""
    actor = make_provider()
    home: dict[str, Any] = {
        "RatedCapacity": "5.00", "GenCapacity": "5", "DemandCapacity": "5", "Manufacturer": "Voltkeep",
        "AssetModel": "Home 10", "SerialNumber": "VK10-230602", "CommissioningDate": "2023-06-02", "Postcode": "NR3 1AB",
        "Latitude": None, "Longitude": None, "Aliases": "MCS:MCS-20230602-B",
    }  # fmt: skip
    asset = registered(actor, battery(**home))
    assert asset.status is AssetStatus.VERIFIED, asset.status_reason
    check = by_source(actor, asset)[CheckSource.INSTALLATION_REGISTRY]
    assert (check.outcome, check.matched_by) == (CheckOutcome.AGREES, "certificate")
    other = registered(actor, battery(**home | {"Aliases": "MCS:MCS-20240220-B", "SerialNumber": "OTHER-1"}))
    assert other.status is AssetStatus.QUERY
    assert "Serial number: you declared OTHER-1" in (other.status_reason or "")


def test_an_asset_that_no_source_knows_waits_for_an_operator(register: str) -> None:
    """Without any source, nothing vouches for it, and nothing speaks against it."""
    actor = make_provider()
    asset = registered(actor, battery())
    assert (asset.status, asset.status_reason) == (AssetStatus.PENDING_VALIDATION, NO_SOURCE)
    check = by_source(actor, asset)[CheckSource.MPAN_REGISTER]
    assert (check.outcome, check.summary) == (
        CheckOutcome.NOT_APPLICABLE,
        "Not asked: no MPAN register is connected.",
    )


def test_a_source_that_is_away_is_waited_for(outside: str, shared: Path) -> None:
    """What answered is kept and not asked again; when the source is back, the asset is concluded."""
    load(shared, "2025-08")
    actor = make_provider()
    httpx.put(f"{outside}/mpan-register/_control", headers=KEY, json={"down": True}).raise_for_status()
    asset = registered(actor, pelham())
    assert asset.status is AssetStatus.PENDING_VALIDATION
    waiting = by_source(actor, asset)
    assert waiting[CheckSource.MPAN_REGISTER].outcome is CheckOutcome.WAITING
    assert "out of reach" in (waiting[CheckSource.MPAN_REGISTER].summary or "")
    answered = waiting[CheckSource.CONNECTION_REGISTER]
    assert answered.outcome is CheckOutcome.AGREES
    httpx.put(f"{outside}/mpan-register/_control", headers=KEY, json={"down": False}).raise_for_status()
    with time_machine.travel(now() + timedelta(hours=1)):
        time.sleep(PATIENCE.rest + 0.1)
        work_through()
        assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
        assert by_source(actor, asset)[CheckSource.CONNECTION_REGISTER].version == answered.version


def test_a_source_that_refuses_is_for_the_portals_operator(outside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong key is no answer either: the check waits and says who has to act."""
    monkeypatch.setenv("FMAR_MPAN_REGISTER_KEY", "wrong")
    settings.cache_clear()
    actor = make_provider()
    asset = registered(actor, battery())
    check = by_source(actor, asset)[CheckSource.MPAN_REGISTER]
    assert (asset.status, check.outcome) == (AssetStatus.PENDING_VALIDATION, CheckOutcome.WAITING)
    assert "look at its settings" in (check.summary or "")
    assert "wrong" not in (check.summary or "")


def test_handed_twice_or_killed_in_between_nothing_is_made_twice(outside: str, shared: Path) -> None:
    """The worker may hand an event over again at any point."""
    load(shared, "2025-08")
    actor = make_provider()
    asset = register_asset(actor, pelham(), justification="Accepted for this test.")
    opened = open_checks([asset.id])[0][1]
    assert {check.outcome for check in opened} == {CheckOutcome.WAITING}
    work_through()
    assert [check.id for check in checks_of(actor, asset.id)] == [check.id for check in opened]
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
    before = ledger_entries()
    run_checks([asset.id])
    run_checks([asset.id])
    assert ledger_entries() == before
    assert len(checks_of(actor, asset.id, all_versions=True)) == len(CheckSource)


def test_a_material_change_is_checked_again(outside: str, shared: Path) -> None:
    """A query goes when the value is corrected; what changed since is declared, not verified."""
    load(shared, "2025-08")
    actor = make_provider()
    asset = registered(actor, pelham() | {"RatedCapacity": "70000"})
    assert asset.status is AssetStatus.QUERY
    update_asset(actor, asset.id, {"RatedCapacity": "50000"}, asset.version, justification="It was a slip of ours.")
    assert provenance_of(actor, asset.id)["RatedCapacity"].origin is Origin.DECLARED
    work_through()
    corrected = get_asset(actor, asset.id)
    assert corrected.status is AssetStatus.VERIFIED, corrected.status_reason
    assert [message.kind for message in messages_of(actor, asset.id)] == ["QUERY", "DECISION"]
    assert provenance_of(actor, asset.id)["RatedCapacity"].origin is Origin.VERIFIED


def test_a_newer_edition_is_heard_and_history_is_kept(outside: str, shared: Path) -> None:
    """A solar park that its register has cut from 14,840 to 10,000 kW; and one that was not listed before."""
    load(shared, "2022-02")
    actor = make_provider()
    park = battery(
        AssetCategory="SOLAR_PV", RatedCapacity="14840", GenCapacity="14840", DemandCapacity="0", ImportMPAN=None,
        ExportMPAN="1050000599893", Latitude=None, Longitude=None, Postcode="NR27 9LB",
    ) | {"CommissioningDate": "2015-01-01"}  # fmt: skip
    park = {term: value for term, value in park.items() if term != "StorageCapacity_kWh"}
    asset = registered(actor, park | {"FuelType_EnergySource": "SOLAR"})
    assert asset.status is AssetStatus.VERIFIED, asset.status_reason
    later = registered(
        actor, pelham() | {"ExportMPAN": "1050003122416", "Latitude": "51.737378", "Longitude": "-0.244730"}
    )
    assert later.status is AssetStatus.QUERY
    load(shared, "2025-08")
    work_through()
    changed = get_asset(actor, asset.id)
    assert changed.status is AssetStatus.QUERY
    assert "says 10,000.00 kW" in (changed.status_reason or "")
    check = by_source(actor, asset)[CheckSource.CONNECTION_REGISTER]
    assert check.source_name == "UK Power Networks, August 2025"
    former = checks_of(actor, asset.id, all_versions=True)[-1]
    assert former.asset_version < check.asset_version
    listed = by_source(actor, later)[CheckSource.CONNECTION_REGISTER]
    assert listed.matched_by == "MPAN"
    assert recheck_after_edition(list_editions(system_actor())[0].id) == 0


def test_checks_run_anew_on_request_and_only_for_those_who_see_the_asset(outside: str) -> None:
    """A verified asset keeps its status meanwhile; a query is answered first; strangers see nothing."""
    actor = make_provider()
    asset = registered(actor, battery())
    assert asset.status is AssetStatus.VERIFIED
    request_checks(actor, asset.id)
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
    work_through()
    assert {check.outcome for check in checks_of(actor, asset.id)} <= {
        CheckOutcome.AGREES,
        CheckOutcome.NOT_APPLICABLE,
    }
    queried = registered(actor, battery(ImportMPAN=_reserved("410")))
    with pytest.raises(Refused, match="Answer the query"):
        request_checks(actor, queried.id)
    stranger = make_provider("Rival")
    for look in (checks_of, provenance_of, messages_of, request_checks):
        with pytest.raises(NotFound):
            look(stranger, asset.id)


def test_results_about_older_values_move_nothing(outside: str) -> None:
    """An answer to what the asset declared before is not an answer to what it declares now."""
    actor = make_provider()
    asset = registered(actor, battery())
    moved = update_asset(
        actor, asset.id, {"RatedCapacity": "4000"}, asset.version, justification="Extended by a string."
    )
    assert moved.status is AssetStatus.PENDING_VALIDATION
    assert conclude_checks([asset.id])[0].status is AssetStatus.PENDING_VALIDATION
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
