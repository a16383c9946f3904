"""Rows of a file become assets exactly as if each had been registered or changed alone (UC-02.01, UC-02.03)."""

import json
from typing import Any

import pytest

from models.assets import Asset, AssetAlias, AssetStatus
from models.bulk import BulkDraft, JobStatus
from models.core import Event, EventDelivery, LedgerEntry
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.drafts import job_drafts, register_bulk_draft
from services.assets.bulk.upload.jobs import Wishes, cancel_job, confirm_job, get_job, submit_file
from services.assets.bulk.upload.results import job_findings, job_rows
from services.assets.registration.register import check_registration, register_asset
from services.assets.registration.update import change_preview, update_asset
from services.core.errors import Refused
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.verifying import verify_ledger
from tests.asset_factories import an_mpan, battery, values_for
from tests.bulk_files import assets, counts, csv_of, entries_of, events_of, everything, how_many, jsonl_of, send
from tests.factories import administrator, make_fsp

pytestmark = pytest.mark.both_engines

ITS_OWN = {
    "id", "asset_name", "serial_number", "serial_key", "import_mpan", "export_mpan", "friendly_code", "version", "aliases",
}  # fmt: skip
MOMENTS = {"recorded_at", "status_since", "registered_at", "managed_from"}
WHY = "The network operator has confirmed these values."

SAMPLES: dict[str, dict[str, Any]] = {
    "battery": battery(Aliases="ECR:UKPN-77; OEM:X 1"),
    "of a consumer": battery(ConsumerOwned="yes", ConsentReference="CONSENT-1"),
    "placed by postcode": battery(Latitude=None, Longitude=None),
    "placed by eastings": battery(Latitude=None, Longitude=None, Easting="545000", Northing="258000"),
    "solar": values_for("SOLAR_PV"),
    "wind": values_for("WIND_TURBINE"),
    "charger": values_for("EV_CHARGER", ConnectorType="Type 2", ChargerCount="2", V2GEnabled="no"),
    "other": values_for("OTHER"),
    "bill": battery(ImportMPAN="00 123 456 " + an_mpan()),
}


def _like(values: dict[str, Any]) -> dict[str, Any]:
    """The same again as another device."""
    other = battery()
    changed = {
        "SerialNumber": other["SerialNumber"],
        "ImportMPAN": other["ImportMPAN"],
        "AssetName": other["AssetName"],
    }
    aliases = {"Aliases": "ECR:UKPN-78; OEM:X 2"} if values.get("Aliases") else {}
    export = {"ExportMPAN": an_mpan()} if values.get("ExportMPAN") else {}
    return {**values, **changed, **aliases, **export}


def _state(asset: Asset, without: set[str]) -> dict[str, Any]:
    return {name: value for name, value in asset.model_dump().items() if name not in without}


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_row_becomes_the_asset_that_registering_it_alone_gives(register: str, sample: str) -> None:
    actor = make_fsp()
    alone = register_asset(actor, _like(SAMPLES[sample]))
    job = send(actor, csv_of([SAMPLES[sample]]))
    assert counts(job) == {"registered": 1}, job.summary
    inside = next(one for one in assets() if one.id != alone.id)
    assert _state(inside, ITS_OWN | MOMENTS) == _state(alone, ITS_OWN | MOMENTS)
    assert inside.version == alone.version == 1
    assert all(getattr(inside, name) is not None for name in MOMENTS)
    mine, theirs = entries_of(inside), entries_of(alone)
    assert len(mine) == len(theirs) == 1
    assert set(json.loads(mine[0].state)) == set(json.loads(theirs[0].state))
    assert (mine[0].user_id, mine[0].use_case) == (actor.user_id, "UC-02.01")
    happened, usual = events_of(inside), events_of(alone)
    assert [(e.type, e.payload, e.organisation_id, e.dno_code) for e in happened] == [
        (e.type, e.payload, e.organisation_id, e.dno_code) for e in usual
    ]
    deliveries = [
        {d.handler for d in everything(EventDelivery) if d.event_seq == e.seq} for e in (happened[0], usual[0])
    ]
    assert deliveries[0] == deliveries[1] != set()
    named = [
        {(a.scheme) for a in everything(AssetAlias) if a.asset_id == one.id and a.active} for one in (inside, alone)
    ]
    assert named[0] == named[1]
    assert verify_ledger(system_actor()).sound


@pytest.mark.use_case("UC-02.01")
def test_every_finding_of_a_row_is_what_checking_it_alone_says(one_register: str) -> None:
    actor, rival = make_fsp(), make_fsp()
    taken = register_asset(rival, battery(Aliases="OEM:A1"))
    own = register_asset(actor, battery())
    faulty = [
        battery(AssetName=None, RatedCapacity="twelve", Latitude="10"),
        battery(AssetCategory="NONSENSE", ConnectionStatus="MAYBE"),
        battery(SerialNumber=taken.serial_number),
        battery(ImportMPAN=taken.import_mpan),
        battery(ImportMPAN=own.import_mpan, AssetName="Another name"),
        battery(Aliases="OEM:A1; NO:2"),
        battery(RatedCapacity="2000000", GenCapacity=None, DemandCapacity=None),
        battery(ServiceProviderId=str(rival.organisation_id)),
        battery(OrganisationId="0191e0c2-7a3e-7f21-9c55-1f2e3d4c5b6a"),
        battery(StorageCapacity_kWh="much", EffectiveDate="2020-01-01"),
    ]
    job = send(actor, csv_of(faulty), dry_run=True)
    told: dict[int, list[tuple[Any, ...]]] = {}
    for one in job_findings(actor, job.id):
        told.setdefault(one["row"], []).append(
            (one["code"], one["field"], one["given"], one["message"], one["severity"])
        )
    for number, values in enumerate(faulty, 2):
        alone = check_registration(actor, values)
        expected = [(f.code, f.field, f.given, f.message, str(f.severity)) for f in alone]
        assert sorted(told[number], key=str) == sorted(expected, key=str)
    assert counts(job)["refused"] == len(faulty)


@pytest.mark.use_case("UC-02.01")
def test_a_dry_run_writes_nothing_and_says_what_registering_then_does(register: str) -> None:
    actor = make_fsp()
    rows = [*(battery() for _ in range(3)), battery(AssetName="Bad!"), battery(RatedCapacity=None)]
    before = [how_many(model) for model in (Asset, LedgerEntry, Event)]
    job = send(actor, csv_of(rows), dry_run=True)
    assert job.status is JobStatus.COMPLETED
    assert counts(job) == {"registered": 3, "refused": 2}
    assert set(job.summary) == {"NAME-03", "CAP-01"}
    assert [how_many(model) for model in (Asset, LedgerEntry)] == before[:2]
    confirm_job(actor, job.id)
    work_through_jobs()
    done = get_job(actor, job.id)
    assert counts(done) == {"registered": 3, "refused": 2}
    assert done.summary == job.summary
    assert len(assets()) == 3
    assert {row["asset_id"] for row in job_rows(actor, job.id, outcome="registered")} == {str(a.id) for a in assets()}


@pytest.mark.use_case("UC-02.01")
def test_a_file_is_confirmed_once_and_each_refusal_says_what_to_do(register: str) -> None:
    actor, wishes = make_fsp(), Wishes(dry_run=True)
    job = submit_file(actor, csv_of([battery()]), "a.csv", wishes)
    with pytest.raises(Refused, match="Confirm it once"):
        confirm_job(actor, job.id)
    work_through_jobs()
    confirm_job(actor, job.id)
    with pytest.raises(Refused, match="Nothing is left to confirm"):
        confirm_job(actor, job.id)
    stopped = submit_file(actor, csv_of([battery()]), "b.csv", wishes)
    cancel_job(actor, stopped.id)
    with pytest.raises(Refused, match="Send it again"):
        confirm_job(actor, stopped.id)


@pytest.mark.use_case("UC-02.01")
def test_the_same_file_twice_does_nothing_twice(register: str) -> None:
    actor = make_fsp()
    nothing = dict.fromkeys(("Manufacturer", "SerialNumber", "ImportMPAN", "DNOConnection", "CommissioningDate"))
    bare = values_for("OTHER", ConnectionStatus="PENDING", **nothing)
    rows = [battery(FriendlyCode="A-1"), battery(), values_for("EV_CHARGER", ConnectorType="Type 2"), bare]
    assert counts(send(actor, csv_of(rows))) == {"registered": 4}
    before = {model: how_many(model) for model in (Asset, LedgerEntry)}
    again = send(actor, csv_of(rows))
    assert counts(again) == {"unchanged": 4}, again.summary
    assert counts(send(actor, csv_of(rows), dry_run=True)) == {"unchanged": 4}
    assert {model: how_many(model) for model in before} == before


@pytest.mark.use_case("UC-02.01")
def test_each_asset_once_in_a_file_the_first_row_that_goes_through_counts(register: str) -> None:
    actor = make_fsp()
    first, second = battery(FriendlyCode="A"), battery(FriendlyCode="B", Aliases="OEM:1")
    rows = [
        {**first, "AssetName": None},
        first,
        {**battery(), "SerialNumber": first["SerialNumber"]},
        {**battery(), "FriendlyCode": "A"},
        second,
        {**battery(), "ImportMPAN": second["ImportMPAN"]},
        {**battery(), "Aliases": "OEM:1"},
        first,
    ]
    for dry_run in (True, False):
        job = send(actor, csv_of(rows), dry_run=dry_run)
        assert counts(job) == {"registered": 2, "refused": 6}
        found = {one["row"]: (one["code"], one["given"]) for one in job_findings(actor, job.id)}
        assert found == {
            2: ("NAME-01", None),
            4: ("DUP-03", "3"),
            5: ("DUP-03", "3"),
            7: ("DUP-03", "6"),
            8: ("ALIAS-05", "OEM:1"),
            9: ("DUP-03", "3"),
        }


@pytest.mark.use_case("UC-02.03")
def test_rows_that_name_an_asset_update_it_as_an_update_would(register: str) -> None:
    actor = make_fsp()
    alone, inside, coded = (register_asset(actor, battery(FriendlyCode=code)) for code in ("C1", "C2", "C3"))
    change = {"RatedCapacity": "3000.00", "AssetModel": "", "StorageCapacity_kWh": "6000", "Aliases": "OEM:9"}
    one = update_asset(actor, alone.id, {**change, "Aliases": "OEM:8"}, 1)
    for row in ({"AssetId": str(inside.id), "Version": "1", **change}, {"FriendlyCode": "C3", **change, "Aliases": ""}):
        job = send(actor, csv_of([row]))
        assert counts(job) == {"updated": 1}, job.summary
    found = {asset.id: asset for asset in assets()}
    for other in (found[inside.id], found[coded.id]):
        assert _state(other, ITS_OWN | MOMENTS) == _state(one, ITS_OWN | MOMENTS)
        assert other.version == 2
        told = [(event.type, event.payload) for event in events_of(other)]
        assert told[0][0] == "asset.registered"
        assert told[1][0] == "asset.changed"
        assert told[1][1]["material"] is True
    assert events_of(found[inside.id])[1].payload == events_of(found[alone.id])[1].payload
    assert entries_of(found[inside.id])[1].use_case == "UC-02.03"
    assert verify_ledger(system_actor()).sound


@pytest.mark.use_case("UC-02.03")
def test_a_version_that_moved_on_is_told_and_nothing_is_overwritten(one_register: str) -> None:
    actor = make_fsp()
    asset = register_asset(actor, battery())
    update_asset(actor, asset.id, {"AssetModel": "Newer"}, 1)
    row = {"AssetId": str(asset.id), "Version": "1", "AssetModel": "Mine"}
    job = send(actor, csv_of([row]))
    assert counts(job) == {"refused": 1}
    found = job_findings(actor, job.id)[0]
    assert (found["code"], found["field"], found["given"]) == ("BULK-02", "Version", "1")
    assert "AssetModel" in found["message"]
    assert assets()[0].asset_model == "Newer"
    assert counts(send(actor, csv_of([{**row, "AssetModel": "Newer"}]))) == {"unchanged": 1}


@pytest.mark.use_case("UC-02.03")
def test_findings_of_an_update_are_those_of_the_form(one_register: str) -> None:
    actor, rival = make_fsp(), make_fsp()
    other = register_asset(rival, battery())
    taken = register_asset(actor, battery(FriendlyCode="T"))
    asset = register_asset(actor, battery())
    proposals = [
        {"RatedCapacity": "10"},
        {"AssetCategory": "SOLAR_PV"},
        {"ServiceProviderId": str(rival.organisation_id)},
        {"ImportMPAN": other.import_mpan},
        {"SerialNumber": taken.serial_number},
        {"FriendlyCode": "T"},
        {"EffectiveDate": "2001-01-01"},
    ]
    for change in proposals:
        expected = {(f.code, f.field, f.message) for f in change_preview(actor, asset.id, change).findings}
        job = send(actor, csv_of([{"AssetId": str(asset.id), **change}]), dry_run=True)
        found = {(one["code"], one["field"], one["message"]) for one in job_findings(actor, job.id)}
        assert found == expected != set(), change


@pytest.mark.use_case("UC-02.03")
def test_nobody_changes_assets_of_others_by_file(one_register: str) -> None:
    actor, rival = make_fsp(), make_fsp()
    theirs = register_asset(rival, battery(FriendlyCode="X"))
    job = send(
        actor, csv_of([{"AssetId": str(theirs.id), "AssetModel": "Mine"}, {"AssetId": "nonsense", "AssetModel": "x"}])
    )
    assert [one["code"] for one in job_findings(actor, job.id)] == ["BULK-01", "BULK-01"]
    unknown = csv_of([{"AssetId": "0191e0c2-7a3e-7f21-9c55-1f2e3d4c5b6a", "AssetModel": "Mine"}])
    words = [job_findings(actor, one.id)[0]["expected"] for one in (job, send(actor, unknown))]
    assert words[0] == words[1]
    assert assets()[0].asset_model == theirs.asset_model


@pytest.mark.use_case("UC-02.01")
def test_a_meter_shared_with_another_provider_warns_and_is_told_to_both(register: str) -> None:
    actor, rival = make_fsp(), make_fsp()
    theirs = register_asset(rival, battery())
    rows = [battery(ImportMPAN=theirs.import_mpan), battery()]
    refused = send(actor, csv_of(rows))
    assert counts(refused) == {"registered": 1, "refused": 1, "warned": 1}
    assert list(refused.summary) == ["MPAN-09"]
    job = send(actor, csv_of(rows), justifications={"MPAN-09": WHY})
    assert counts(job) == {"registered": 1, "unchanged": 1, "warned": 1}
    made = next(asset for asset in assets() if asset.justifications)
    told = [event for event in everything(Event) if event.type == "asset.mpan_shared"]
    alone = register_asset(actor, battery(ImportMPAN=theirs.import_mpan, RatedCapacity="2600"), justification=WHY)
    without = {"at", "given"}
    assert [{k: v for k, v in one.items() if k not in without} for one in made.justifications] == [
        {k: v for k, v in one.items() if k not in without} for one in alone.justifications
    ]
    assert {(event.record_id, event.organisation_id) for event in told} == {
        (made.id, actor.organisation_id),
        (theirs.id, rival.organisation_id),
    }
    looked = [event for event in everything(Event) if event.type == "asset.looked_up"]
    assert [event.organisation_id for event in looked] == [rival.organisation_id]


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("chunk", [1, 100])
def test_a_meter_that_two_providers_of_one_file_share_warns_and_is_told_to_both(
    register: str, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("services.assets.bulk.upload.jobs.CHUNK_ROWS", chunk)
    first, second = make_fsp("First Flex"), make_fsp("Second Flex")
    owners = [str(one.organisation_id) for one in (first, second)]
    one = battery(ServiceProviderId=owners[0])
    rows = [one, battery(ServiceProviderId=owners[1], ImportMPAN=one["ImportMPAN"])]
    register_body = administrator()
    refused = send(register_body, csv_of(rows))
    assert counts(refused) == {"registered": 1, "refused": 1, "warned": 1}
    assert list(refused.summary) == ["MPAN-09"]
    mpan = an_mpan()
    rows = [battery(ServiceProviderId=owner, ImportMPAN=mpan) for owner in owners]
    job = send(register_body, csv_of(rows), justifications={"MPAN-09": WHY})
    assert counts(job) == {"registered": 2, "warned": 1}
    told = [event for event in everything(Event) if event.type == "asset.mpan_shared"]
    assert sorted(str(event.organisation_id) for event in told) == sorted(owners)


@pytest.mark.use_case("UC-02.01")
def test_rows_that_only_lack_values_are_kept_as_drafts_and_completed(register: str) -> None:
    actor, stranger = make_fsp(), make_fsp()
    rows = [battery(ImportMPAN=None), battery(AssetName=None), battery(AssetName="Bad!", ImportMPAN=None), battery()]
    job = send(actor, csv_of(rows), keep_drafts=True)
    assert counts(job) == {"registered": 1, "draft": 2, "refused": 1}
    drafts = job_drafts(actor, job.id)
    assert [draft.row_number for draft in drafts] == [2, 3]
    assert {one["code"] for one in drafts[1].lacks} == {"NAME-01"}
    made = register_bulk_draft(actor, drafts[1].id, {"AssetName": "Named at last"})
    assert made.serial_number == rows[1]["SerialNumber"]
    assert how_many(BulkDraft) == 1
    with pytest.raises(Exception, match="you may see"):
        register_bulk_draft(stranger, drafts[0].id, {"ImportMPAN": an_mpan()})


@pytest.mark.use_case("UC-02.01")
def test_json_lines_leave_alone_what_they_do_not_name_and_null_clears(one_register: str) -> None:
    actor = make_fsp()
    first, second = (register_asset(actor, battery()) for _ in range(2))
    lines = [{"AssetId": str(first.id), "AssetModel": None}, {"AssetId": str(second.id), "Manufacturer": "Volta"}]
    assert counts(send(actor, jsonl_of(lines), "changes.jsonl")) == {"updated": 2}
    found = {asset.id: asset for asset in assets()}
    assert (found[first.id].asset_model, found[first.id].manufacturer) == (None, first.manufacturer)
    assert (found[second.id].asset_model, found[second.id].manufacturer) == (second.asset_model, "Volta")


def test_values_for_all_rows_fill_in_new_ones_only(one_register: str) -> None:
    actor = make_fsp()
    old = register_asset(actor, battery())
    rows = [
        battery(EffectiveDate=None, ConnectionType=None),
        {**battery(), "AssetId": str(old.id), "EffectiveDate": None},
    ]
    job = send(actor, csv_of(rows[:1]), constants={"EffectiveDate": "2031-05-01", "ConnectionType": "NON_FIRM"})
    assert counts(job) == {"registered": 1}
    made = next(asset for asset in assets() if asset.id != old.id)
    assert (made.effective_date.isoformat(), made.connection_type) == ("2031-05-01", "NON_FIRM")


def test_a_consumer_owned_row_waits_for_its_consent(one_register: str) -> None:
    send(make_fsp(), csv_of([battery(ConsumerOwned="true", ConsentReference="C-1")]))
    assert assets()[0].status is AssetStatus.AWAITING_CONSENT_CHECK


def test_an_administrator_registers_for_a_provider_that_each_row_names(one_register: str) -> None:
    from tests.factories import administrator

    provider: Actor = make_fsp()
    rows = [battery(ServiceProviderId=str(provider.organisation_id)), battery()]
    job = submit_file(administrator(), csv_of(rows), "a.csv", Wishes(dry_run=False))
    work_through_jobs()
    done = get_job(administrator(), job.id)
    made = assets()
    if done.rows_registered == 2:
        assert made[1].service_provider_id == administrator().organisation_id
    assert made[0].service_provider_id == provider.organisation_id
    assert made[0].submitted_by_organisation == administrator().organisation_id
