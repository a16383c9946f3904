"""UC-02.01: look-up before registering, and drafts of what is being typed."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from models.core import Access
from services.assets.registration.deregister import deregister_asset
from services.assets.registration.drafts import discard_draft, get_draft, list_drafts, save_draft
from services.assets.registration.lookup import LookupOutcome, LookupResult, look_up
from services.assets.registration.register import check_registration, register_asset
from services.assets.sources.loading import load_source
from services.core.clock import in_london, now
from services.core.errors import Forbidden, Invalid, NotFound, TooManyRequests
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import read_events
from services.core.register_settings import change_setting
from services.core.transaction import Stamp, current_session, unit_of_work
from tests.asset_factories import (
    an_mpan,
    battery,
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
    registered,
)


def accesses(actor: Actor, kind: str = "asset.lookup") -> list[Access]:
    """What the access log keeps of an actor's look-ups."""
    with unit_of_work(Stamp("look", "test", system_actor()), writes=False):
        kept = select(Access).where(Access.kind == kind, Access.actor_key == actor.key)  # pyright: ignore
        return list(current_session().scalars(kept))


@pytest.mark.use_case("UC-02.01")
@pytest.mark.both_engines
def test_my_own_asset_is_found_by_mpan_serial_number_and_alias(register: str) -> None:
    actor = make_provider()
    export = an_mpan()
    asset = registered(actor, ExportMPAN=export, Aliases="ECR:UKPN-7")
    found = [
        look_up(actor, mpan=asset.import_mpan),
        look_up(actor, mpan=f"00 801 000 {export}"),
        look_up(actor, serial_number=str(asset.serial_number).lower(), manufacturer=" ampere  DEVICES "),
        look_up(actor, alias_scheme="ecr", alias_value="UKPN-7"),
    ]
    assert {(one.outcome, one.asset_id) for one in found} == {(LookupOutcome.MINE, asset.id)}
    assert asset.asset_name in found[0].message
    assert len(accesses(actor)) == 4


@pytest.mark.use_case("UC-02.01")
def test_another_providers_asset_is_registered_by_another_provider_and_nothing_else(register: str) -> None:
    kelvin, actor = make_provider("Kelvin"), make_provider()
    asset = registered(kelvin)
    result = look_up(actor, mpan=asset.import_mpan)
    assert result == LookupResult(
        LookupOutcome.OTHER_PROVIDER, "Registered by another provider.", ways_on=result.ways_on
    )
    assert "switch" in result.ways_on[0]
    assert "dispute" in result.ways_on[1]
    told = read_events(kelvin)[-1]
    assert (told.type, told.record_id) == ("asset.looked_up", asset.id)
    assert str(actor.organisation_id) not in str(told.payload)
    assert "Northgate" not in str(told.payload)
    assert read_events(make_operator("UKPN_EPN"))[-1].type != "asset.looked_up"
    assert accesses(actor)[0].record_id == asset.id


@pytest.mark.use_case("UC-02.01")
def test_none_and_malformed(register: str) -> None:
    actor = make_provider()
    mpan = an_mpan()
    nothing = look_up(actor, mpan=mpan)
    assert nothing.outcome == LookupOutcome.NONE
    assert nothing.suggested_values == {"ImportMPAN": mpan, "DNOConnection": "UKPN_EPN", "GspGroup": "_A"}
    assert nothing.ways_on
    for wrong, code in (
        ({"mpan": mpan[:-1]}, "MPAN-02"),
        ({"mpan": mpan[:-1] + str((int(mpan[-1]) + 1) % 10)}, "MPAN-02"),
        ({"serial_number": "AB-1"}, "MAKE-01"),
        ({"serial_number": "a b", "manufacturer": "Ampere"}, "SERIAL-03"),
        ({"alias_scheme": "XYZ", "alias_value": "1"}, "ALIAS-02"),
        ({}, "LOOKUP-01"),
    ):
        result = look_up(actor, **wrong)
        assert result.outcome == LookupOutcome.MALFORMED
        assert [finding.code for finding in result.findings] == [code]
    logged = accesses(actor)
    assert [access.detail["outcome"] for access in logged] == ["NONE", *["MALFORMED"] * 6]


@pytest.mark.use_case("UC-02.01")
def test_an_asset_that_has_ended_is_free_to_register(register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    deregister_asset(actor, asset.id, "Taken down", asset.version)
    assert look_up(actor, mpan=asset.import_mpan).outcome == LookupOutcome.NONE


@pytest.mark.use_case("UC-02.01")
def test_a_public_register_that_knows_the_mpan_fills_in_what_it_knows(register: str) -> None:
    mpan = an_mpan()
    headings = (
        "Export MPAN / MSID,Customer Site,Postcode,Country,Licence Area,Energy Source 1,Energy Conversion Technology 1,"
        "Connection Status,Already connected Registered Capacity (MW),Location (X-coordinate):Eastings (where data is "
        "held),Location (y-coordinate):Northings (where data is held)"
    )
    row = (
        f"{mpan},Fen solar; site,CB1 2JD,UK,Eastern Power Networks (EPN),Solar,Photovoltaic,Connected,2.5,545000,258000"
    )
    load_source(system_actor(), f"{headings}\n{row}\n".encode(), "ecr-ukpn-2025-08.csv")
    known = look_up(make_provider(), mpan=mpan).suggested_values
    assert (known["ExportMPAN"], "ImportMPAN" in known) == (mpan, False)
    assert (known["AssetCategory"], known["RatedCapacity"], known["AssetName"]) == (
        "SOLAR_PV",
        "2500.00",
        "Fen solar site",
    )


@pytest.mark.use_case("UC-02.01")
def test_look_ups_are_limited_per_organisation_and_hour(register: str) -> None:
    organisation = make_organisation()
    actor, colleague, stranger = make_actor(organisation), make_actor(organisation), make_provider("Kelvin")
    change_setting(make_administrator(), "asset.lookups_per_hour", "2", 0)
    start = now()
    with time_machine.travel(start, tick=False):
        look_up(actor, mpan=an_mpan())
    with time_machine.travel(start + timedelta(minutes=20), tick=False):
        look_up(colleague, mpan="nonsense")
    with time_machine.travel(start + timedelta(minutes=30), tick=False):
        with pytest.raises(TooManyRequests) as refused:
            look_up(actor, mpan=an_mpan())
        assert refused.value.retry_after == 30 * 60
        assert f"in 30 min, at {in_london(now() + timedelta(minutes=30)):%H:%M}." in refused.value.message
        assert len(accesses(actor, "asset.lookup_refused")) == 1
        with pytest.raises(TooManyRequests):
            look_up(colleague, mpan=an_mpan())
        assert look_up(stranger, mpan=an_mpan()).outcome == LookupOutcome.NONE
    with time_machine.travel(start + timedelta(minutes=61), tick=False):
        assert look_up(actor, mpan=an_mpan()).outcome == LookupOutcome.NONE


@pytest.mark.use_case("UC-02.01")
def test_checking_and_registering_tell_no_more_than_a_look_up_and_count_as_one(register: str) -> None:
    kelvin, actor = make_provider("Kelvin"), make_provider()
    theirs, others = registered(kelvin), registered(kelvin)
    shared = battery(ImportMPAN=theirs.import_mpan)
    for _ in range(3):
        assert [found.code for found in check_registration(actor, shared)] == ["MPAN-09"]
    with pytest.raises(Invalid):
        register_asset(actor, shared)
    assert [access.record_id for access in accesses(actor)] == [theirs.id]
    told = [event for event in read_events(kelvin) if event.type == "asset.looked_up"]
    assert [event.record_id for event in told] == [theirs.id]
    change_setting(system_actor(), "asset.lookups_per_hour", "1", 0)
    hit = check_registration(actor, battery(SerialNumber=others.serial_number, Manufacturer=others.manufacturer))
    assert hit == check_registration(actor, battery())
    assert [found.code for found in hit] == ["LOOKUP-02"]
    with time_machine.travel(now() + timedelta(minutes=61)):
        assert [found.code for found in check_registration(actor, shared)] == ["MPAN-09"]


@pytest.mark.use_case("UC-02.01")
def test_who_registers_nothing_looks_nothing_up(register: str) -> None:
    with pytest.raises(Forbidden):
        look_up(make_operator("UKPN_EPN"), mpan=an_mpan())


@pytest.mark.use_case("UC-02.01")
def test_a_draft_keeps_what_was_typed_and_goes_with_the_registration(register: str) -> None:
    actor = make_provider()
    typed = {"AssetName": "", "RatedCapacity": "12,500", "Aliases": [{"scheme": "ECR", "value": "1"}]}
    draft = save_draft(actor, typed)
    assert get_draft(actor, draft.id).values == typed
    again = save_draft(actor, {**typed, "AssetName": "Weir"}, draft_id=draft.id)
    assert (again.id, [one.id for one in list_drafts(actor)]) == (draft.id, [draft.id])
    with pytest.raises(Invalid):
        register_asset(actor, typed, draft_id=draft.id)
    assert list_drafts(actor)[0].values["AssetName"] == "Weir"
    register_asset(actor, battery(), draft_id=draft.id)
    assert list_drafts(actor) == []


@pytest.mark.use_case("UC-02.01")
def test_a_draft_is_its_authors_alone(register: str) -> None:
    organisation = make_organisation()
    actor, colleague = make_actor(organisation), make_actor(organisation)
    draft = save_draft(actor, {"AssetName": "Mine"})
    assert list_drafts(colleague) == []
    with pytest.raises(NotFound):
        get_draft(colleague, draft.id)
    discard_draft(colleague, draft.id)
    register_asset(colleague, battery(), draft_id=draft.id)
    other = save_draft(colleague, {"AssetName": "Theirs"}, draft_id=draft.id)
    assert other.id != draft.id
    assert get_draft(actor, draft.id).values == {"AssetName": "Mine"}
    discard_draft(actor, draft.id)
    assert list_drafts(actor) == []
