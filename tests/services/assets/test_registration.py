"""UC-02.01: registering one asset - conformance, warnings, duplicates, consent, and who may."""

from decimal import Decimal
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from models.assets import Asset, AssetStatus
from models.participants import OrganisationStatus, Role
from services.assets.reading.assets import count_assets, get_asset
from services.assets.registration.deregister import deregister_asset
from services.assets.registration.record import as_terms
from services.assets.registration.register import check_registration, register_asset
from services.assets.registration.update import update_asset
from services.core.errors import Duplicate, Forbidden, Invalid, Refused, Severity
from services.core.identity.actor import Actor
from services.core.jobs.outbox import read_events
from tests.asset_factories import (
    OF_CATEGORY,
    an_mpan,
    battery,
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
    registered,
    values_for,
)

REASON = "The site manager confirmed it on the phone."


def refusal(actor: Actor, values: dict[str, Any], **more: Any) -> dict[str, str | None]:
    """The findings of a registration that is refused: code -> field."""
    with pytest.raises(Invalid) as refused:
        register_asset(actor, values, **more)
    return {finding.code: finding.field for finding in refused.value.findings}


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("category", sorted(OF_CATEGORY))
@pytest.mark.both_engines
def test_an_asset_of_each_category_registers_and_waits_for_its_checks(register: str, category: str) -> None:
    actor = make_provider()
    values = values_for(category)
    assert check_registration(actor, values) == []
    asset = register_asset(actor, values)
    stored = as_terms(get_asset(actor, asset.id))
    assert stored["Status"] == AssetStatus.PENDING_VALIDATION
    assert (stored["Version"], stored["GspGroup"], stored["RatedCapacity"]) == (1, "_A", Decimal("2500.00"))
    assert stored["ServiceProviderId"] == stored["OrganisationId"] == str(actor.organisation_id)
    assert {"ServiceProviderId", "OrganisationId", "GspGroup"} <= set(asset.derived_terms)
    event = read_events(actor)[-1]
    assert (event.type, event.record_id, event.payload["version"]) == ("asset.registered", asset.id, 1)


@pytest.mark.use_case("UC-02.01")
def test_all_errors_are_told_at_once_with_what_the_register_itself_knows(register: str) -> None:
    actor = make_provider()
    taken = registered(actor, FriendlyCode="NES-1", Aliases="ECR:UKPN-1")
    suspended = make_organisation("Gone", ("Asset Owner",), status=OrganisationStatus.SUSPENDED)
    found = refusal(
        actor,
        battery(
            AssetName="",
            RatedCapacity="12,500",
            ImportMPAN="1099900000012",
            ConnectionStatus="SUSPENDED",
            StorageCapacity_kWh="many",
            FriendlyCode="NES-1",
            Aliases="ECR:UKPN-1",
            OrganisationId=str(suspended.id),
            Colour="red",
        ),
    )
    assert (
        found.items()
        >= {
            "NAME-01": "AssetName",
            "CAP-02": "RatedCapacity",
            "MPAN-02": "ImportMPAN",
            "CONN-03": "ConnectionStatus",
            "SCHEMA-02": "StorageCapacity_kWh",
            "NAME-05": "FriendlyCode",
            "ALIAS-05": "Aliases",
            "OWN-02": "OrganisationId",
            "FIELD-01": "Colour",
        }.items()
    )
    assert count_assets(actor) == 1
    assert get_asset(actor, taken.id).version == 1


@pytest.mark.use_case("UC-02.01")
def test_a_warning_needs_a_justification_which_stays_with_the_record(register: str) -> None:
    actor = make_provider()
    values = battery(RatedCapacity="1500000", InstalledCapacity="1500000")
    assert refusal(actor, values) == {"CAP-04": "RatedCapacity"}
    assert set(refusal(actor, values, justification="too short")) == {"CAP-04", "JUST-01"}
    asset = register_asset(actor, values, justification=REASON)
    kept = get_asset(actor, asset.id).justifications
    assert [(one["code"], one["text"], one["by"]) for one in kept] == [("CAP-04", REASON, actor.name)]


@pytest.mark.use_case("UC-02.01")
def test_an_mpan_of_another_organisation_warns_and_never_refuses(register: str) -> None:
    mpan = an_mpan()
    kelvin, actor = make_provider("Kelvin"), make_provider()
    theirs = registered(kelvin, ExportMPAN=mpan)
    values = battery(ImportMPAN=mpan)
    findings = check_registration(actor, values)
    assert [(one.code, one.field, one.severity) for one in findings] == [("MPAN-09", "ImportMPAN", Severity.WARNING)]
    mine = register_asset(actor, values, justification=REASON)
    assert mine.import_mpan == mpan

    def told(one: Actor) -> list[tuple[UUID, dict[str, Any]]]:
        return [(event.record_id, event.payload) for event in read_events(one) if event.type == "asset.mpan_shared"]

    assert told(actor) == [(mine.id, {"mpan": mpan})]
    assert told(kelvin) == [(theirs.id, {"mpan": mpan})]
    update_asset(actor, mine.id, {"AssetName": "Riverside north"}, mine.version, justification=REASON)
    assert len(told(kelvin)) == 1, "nothing moved on the meter"
    update_asset(actor, mine.id, {"ImportMPAN": None, "ExportMPAN": mpan}, mine.version + 1, justification=REASON)
    assert len(told(kelvin)) == 2


@pytest.mark.use_case("UC-02.01")
def test_a_device_registered_by_the_actor_is_named_in_the_refusal(register: str) -> None:
    actor = make_provider()
    first = registered(actor, SerialNumber="ab-1", Manufacturer="Ampere  devices")
    values = battery(SerialNumber="AB-1", Manufacturer="AMPERE DEVICES")
    with pytest.raises(Duplicate) as refused:
        register_asset(actor, values)
    assert refused.value.existing_id == str(first.id)
    assert first.asset_name in refused.value.message
    assert [finding.code for finding in check_registration(actor, values)] == ["DUP-01"]


@pytest.mark.use_case("UC-02.01")
def test_a_device_of_another_provider_is_not_named_but_the_ways_on_are(register: str) -> None:
    first = registered(make_provider("Kelvin"))
    actor = make_provider()
    values = battery(SerialNumber=first.serial_number)
    with pytest.raises(Duplicate) as refused:
        register_asset(actor, values)
    assert refused.value.existing_id is None
    told = refused.value.message + str(check_registration(actor, values))
    assert first.asset_name not in told
    assert str(first.id) not in told
    assert "switch" in refused.value.message
    assert "dispute" in refused.value.message


@pytest.mark.use_case("UC-02.01")
def test_the_same_mpan_category_and_capacity_in_one_provider_is_a_duplicate(register: str) -> None:
    actor = make_provider()
    first = registered(actor, SerialNumber=None)
    again = battery(SerialNumber=None, ImportMPAN=first.import_mpan)
    with pytest.raises(Duplicate) as refused:
        register_asset(actor, again)
    assert refused.value.existing_id == str(first.id)
    assert register_asset(actor, {**again, "RatedCapacity": "2600"}).version == 1


@pytest.mark.use_case("UC-02.02")
@pytest.mark.both_engines
def test_a_deregistered_asset_frees_its_mpan_serial_number_code_and_aliases(register: str) -> None:
    actor = make_provider()
    values = battery(FriendlyCode="NES-1", Aliases=[{"scheme": "ECR", "value": "UKPN-1"}])
    first = register_asset(actor, values)
    deregister_asset(actor, first.id, "Sold for scrap", first.version)
    second = register_asset(actor, values)
    assert second.id != first.id


@pytest.mark.use_case("UC-02.01")
def test_an_asset_that_a_consumer_owns_waits_for_its_consent(register: str) -> None:
    actor = make_provider()
    assert refusal(actor, battery(ConsumerOwned=True)) == {"CONSENT-02": "ConsentReference"}
    asset = register_asset(actor, battery(ConsumerOwned="yes", ConsentReference="CONSENT-1"))
    assert asset.status == AssetStatus.AWAITING_CONSENT_CHECK
    assert "CONSENT-1" in (asset.status_reason or "")
    assert asset.organisation_id is None


@pytest.mark.use_case("UC-02.01")
def test_only_an_active_provider_registers_and_only_for_itself(register: str) -> None:
    kelvin = make_provider("Kelvin")
    owner = make_actor(make_organisation("Estates", ("Asset Owner",)))
    with pytest.raises(Refused, match="FSP nor Aggregator"):
        register_asset(owner, battery())
    waiting = make_actor(make_organisation("New", status=OrganisationStatus.PENDING_APPROVAL))
    with pytest.raises(Refused, match="approve"):
        register_asset(waiting, battery())
    found = refusal(make_provider(), battery(ServiceProviderId=str(kelvin.organisation_id)))
    assert found == {"OWN-05": "ServiceProviderId"}
    for actor in (make_operator("UKPN_EPN"), make_actor(make_organisation("Watch"), Role.VIEWER)):
        with pytest.raises(Forbidden):
            register_asset(actor, battery())


@pytest.mark.use_case("UC-02.01")
def test_the_administrator_registers_on_behalf_of_a_provider(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    assert refusal(administrator, battery()) == {"OWN-05": "ServiceProviderId"}
    asset = register_asset(administrator, battery(ServiceProviderId=str(provider.organisation_id)))
    assert get_asset(provider, asset.id).organisation_id == provider.organisation_id
    assert asset.submitted_by_organisation == administrator.organisation_id


@pytest.mark.use_case("UC-02.01")
@pytest.mark.both_engines
def test_text_that_no_database_keeps_does_no_harm(register: str) -> None:
    asset = registered(
        make_provider(), Manufacturer="Am\x00pere \ud800", Aliases=[{"scheme": "OEM", "value": "a\x00b"}]
    )
    assert (asset.manufacturer, asset.aliases) == ("Ampere", [{"scheme": "OEM", "value": "ab"}])


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("given", [Decimal("5E+3"), 5e3, 5000, "5000"])
def test_a_number_of_an_attribute_is_the_same_however_it_is_written(one_register: str, given: object) -> None:
    asset = registered(make_provider(), StorageCapacity_kWh=given, ResponseTime_s=0.00005)
    assert asset.category_attributes == {"StorageCapacity_kWh": 5000, "ResponseTime_s": 0.00005}


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("device", [{"SerialNumber": "ONE-1"}, {"SerialNumber": None, "ImportMPAN": an_mpan()}])
@pytest.mark.both_engines
def test_of_two_sessions_that_register_the_same_device_one_wins(register: str, device: dict[str, Any]) -> None:
    organisation = make_organisation()
    outcomes = race([make_actor(organisation), make_actor(organisation)], battery(**device))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Asset", "Duplicate"]
    winner = next(outcome for outcome in outcomes if isinstance(outcome, Asset))
    loser = next(outcome for outcome in outcomes if isinstance(outcome, Duplicate))
    assert loser.existing_id == str(winner.id)


def race(actors: list[Actor], values: dict[str, Any]) -> list[object]:
    """What each of them gets who registers the same values at the same moment."""
    start, outcomes = Barrier(len(actors)), []

    def run(actor: Actor) -> None:
        start.wait()
        try:
            outcomes.append(register_asset(actor, values))
        except Exception as refused:
            outcomes.append(refused)

    threads = [Thread(target=run, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
