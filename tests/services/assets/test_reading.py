"""UC-05.01, UC-05.02, UC-05.06: reading assets - who sees what, filters, pages, history, as of, numbers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine

from models.base import new_id
from models.participants import Role
from services.assets.counters.figures import register_in_numbers
from services.assets.filters import AssetFilters, filters_from_terms
from services.assets.reading.assets import (
    asset_as_of,
    asset_history,
    count_assets,
    explain_term,
    get_asset,
)
from services.assets.reading.listing import list_assets, list_lines
from services.assets.registration.deregister import deregister_asset, deregistration_blockers
from services.assets.registration.drafts import save_draft
from services.assets.registration.lifecycle import allowed_actions
from services.assets.registration.record import as_terms
from services.assets.registration.update import update_asset
from services.core.clock import now
from services.core.errors import Invalid, NotFound
from services.core.identity.actor import Actor
from tests.asset_factories import (
    an_mpan,
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
    registered,
    values_for,
)

LONDON = {"DNOConnection": "UKPN_LPN", "Latitude": "51.5072", "Longitude": "-0.1276", "Postcode": "SW1A 1AA"}


def in_london(**changes: Any) -> dict[str, Any]:
    """Changes that put a battery in London's licence area."""
    return {**LONDON, "ImportMPAN": an_mpan("12"), **changes}


def names(actor: Actor, **filters: Any) -> list[str]:
    """Names of the assets that pass a filter, by all doors: list, lines and count agree."""
    chosen = AssetFilters(**filters)
    found = [asset.asset_name for asset in list_assets(actor, chosen).items]
    assert count_assets(actor, chosen) == len(found)
    assert [line.name for line in list_lines(actor, chosen).items] == found
    return found


@pytest.mark.use_case("UC-05.01")
def test_an_asset_of_another_organisation_answers_as_one_that_does_not_exist(register: str) -> None:
    asset = registered(make_provider("Kelvin"))
    for stranger in (make_provider(), make_operator("NGED_EMID"), make_actor(make_organisation("Watch"), Role.VIEWER)):
        may_read = Role.VIEWER not in stranger.roles
        for read in (
            lambda one, actor=stranger: get_asset(actor, one),
            lambda one, actor=stranger: asset_history(actor, one),
            lambda one, actor=stranger: asset_as_of(actor, one, now()),
            lambda one, actor=stranger: deregistration_blockers(actor, one),
        ):
            answers = [answer_of(read, identifier) for identifier in (asset.id, new_id())]
            assert answers[0] == answers[1] == ("NotFound" if may_read else "Forbidden")
        if may_read:
            assert names(stranger) == []
            assert names(stranger, text=str(asset.id)) == names(stranger, text=str(asset.serial_number)) == []
            assert register_in_numbers(stranger).total.count == 0
            with pytest.raises(NotFound):
                allowed_actions(stranger, asset)


def answer_of(read: Any, identifier: UUID) -> str:
    """How a read refuses."""
    with pytest.raises(Exception) as refused:  # noqa: PT011  # which refusal it is, is what the caller compares
        read(identifier)
    return type(refused.value).__name__


@pytest.mark.use_case("UC-05.01")
def test_operators_see_their_licence_areas_and_owners_what_they_own(register: str) -> None:
    provider, owner = make_provider(), make_actor(make_organisation("Estates", ("Asset Owner",)), Role.ASSET_OWNER)
    registered(provider, AssetName="East")
    registered(provider, AssetName="London", **in_london(OrganisationId=str(owner.organisation_id)))
    assert names(make_operator("UKPN_EPN")) == ["East"]
    assert names(make_operator("UKPN_EPN", "UKPN_LPN")) == ["London", "East"]
    assert names(owner) == ["London"]
    neso = make_actor(make_organisation("NESO", ("System Operator",)), Role.SO_USER)
    assert names(neso) == ["London", "East"]
    assert names(make_administrator()) == ["London", "East"]


SAFFRON_WALDEN = {"Postcode": "CB10 1AA", "Latitude": "52.0236", "Longitude": "0.2399"}


@pytest.mark.use_case("UC-05.01")
@pytest.mark.both_engines
def test_filters_by_term(register: str) -> None:
    actor = make_provider()
    kelvin = make_provider("Kelvin")
    east = registered(actor, AssetName="East", AssetModel="100%_solid", FriendlyCode="NES-1", **SAFFRON_WALDEN)
    registered(actor, AssetName="London", **in_london(RatedCapacity=5000, InstalledCapacity=5000))
    registered(kelvin, **values_for("HEAT_PUMP", AssetName="Pump"), StorageCapacity_kWh=None)
    everyone = make_administrator()
    assert names(everyone, asset_category=("HEAT_PUMP", "CHP")) == ["Pump"]
    assert names(everyone, status=("PENDING_VALIDATION",), dno_connection=("UKPN_LPN",)) == ["London"]
    assert names(everyone, gsp_group=("_A",)) == ["Pump", "East"]
    assert names(everyone, service_provider_id=(kelvin.organisation_id,)) == ["Pump"]
    assert names(everyone, organisation_id=(actor.organisation_id,)) == ["London", "East"]
    assert names(everyone, capacity_min=Decimal("2500.01")) == ["London"]
    assert names(everyone, capacity_min=Decimal(2500), capacity_max=Decimal(2500)) == ["Pump", "East"]
    assert names(everyone, postcode="cb1") == ["Pump"]
    assert names(everyone, postcode="CB10 1") == ["East"]
    assert names(everyone, import_mpan=(str(east.import_mpan),), serial_number=(str(east.serial_number),)) == ["East"]
    assert names(everyone, friendly_code=("NES-1",), connection_type=(east.connection_type,)) == ["East"]
    for text in ("100%", "%_s", "nes-1", str(east.serial_number).lower(), str(east.import_mpan)[:13], str(east.id)):
        assert names(everyone, text=text) == ["East"], text


@pytest.mark.use_case("UC-05.01")
def test_filters_from_the_terms_of_a_request(one_register: str) -> None:
    provider = new_id()
    given = {
        "AssetCategory": ["BESS", "CHP"],
        "Status": ["verified"],
        "ServiceProviderId": [str(provider)],
        "RatedCapacityMin": ["10.5"],
        "Text": [" weir "],
        "GspGroup": [""],
    }
    assert filters_from_terms(given) == AssetFilters(
        asset_category=("BESS", "CHP"),
        status=("VERIFIED",),
        service_provider_id=(provider,),
        capacity_min=Decimal("10.5"),
        text="weir",
    )
    with pytest.raises(Invalid) as refused:
        filters_from_terms(
            {"Colour": ["red"], "Status": ["GONE"], "RatedCapacityMin": ["1e99"], "OrganisationId": ["x"]}
        )
    assert [(one.code, one.field) for one in refused.value.findings] == [
        ("FILTER-01", "Colour"),
        ("FILTER-02", "Status"),
        ("FILTER-02", "RatedCapacityMin"),
        ("FILTER-02", "OrganisationId"),
    ]


@pytest.mark.use_case("UC-05.01")
@pytest.mark.both_engines
def test_pages_follow_one_another_while_assets_are_added(register: str) -> None:
    actor = make_provider()
    ids = [registered(actor).id for _ in range(5)]
    first = list_assets(actor, limit=2)
    registered(actor)
    second = list_assets(actor, limit=2, after=first.next_cursor)
    third = list_assets(actor, limit=2, after=second.next_cursor)
    assert [one.id for page in (first, second, third) for one in page.items] == ids[::-1]
    assert third.next_cursor is None
    oldest = list_assets(actor, order="oldest", limit=3)
    assert [one.id for one in oldest.items] == ids[:3]
    with pytest.raises(Invalid):
        list_assets(actor, after="page2")


@pytest.mark.use_case("UC-05.06")
@pytest.mark.both_engines
def test_the_history_tells_before_and_after_and_the_asset_as_it_stood(register: str) -> None:
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        actor = make_provider()
        asset = registered(actor)
    with time_machine.travel(start + timedelta(days=10), tick=False):
        changed = update_asset(actor, asset.id, {"RatedCapacity": "3000", "RoundTripEfficiency": 90}, asset.version)
    with time_machine.travel(start + timedelta(days=20), tick=False):
        deregister_asset(actor, asset.id, "Taken down", changed.version)
    told = asset_history(actor, asset.id)
    assert [(entry.operation, entry.use_case, entry.actor) for entry in told] == [
        ("deregister_asset", "UC-02.02", actor.name),
        ("update_asset", "UC-02.03", actor.name),
        ("register_asset", "UC-02.01", actor.name),
    ]
    assert told[1].changes["RatedCapacity"] == ("2500.00", "3000.00")
    assert told[1].changes["RoundTripEfficiency"] == (None, 90)
    then = asset_as_of(actor, asset.id, start + timedelta(days=5))
    assert as_terms(then) == as_terms(asset)
    assert asset_as_of(actor, asset.id, start + timedelta(days=15)).rated_capacity == Decimal(3000)
    assert asset_as_of(actor, asset.id, now()).status_reason == "Taken down"
    with pytest.raises(NotFound):
        asset_as_of(actor, asset.id, start - timedelta(days=1))


@pytest.mark.use_case("UC-05.01")
def test_where_a_value_comes_from(one_register: str) -> None:
    asset = registered(make_provider(), Latitude=None, Longitude=None)
    assert "outward code" in explain_term(asset, "Latitude")
    assert "rated capacity" in explain_term(asset, "InstalledCapacity")
    assert explain_term(asset, "AssetName") == "Declared by the provider."
    assert explain_term(asset, "FuelType_EnergySource").startswith("The usual value")
    assert explain_term(asset, "Version") == "Kept by the register."


def populate() -> tuple[Actor, Actor, Actor]:
    """Three providers: 6 batteries in the east of all three, 3 in London of two, one heat pump."""
    providers = (make_provider("One"), make_provider("Two"), make_provider("Three"))
    for provider in providers:
        for _ in range(2):
            registered(provider)
    for provider in (*providers[:2], providers[0]):
        registered(provider, **in_london())
    registered(providers[0], **values_for("HEAT_PUMP", StorageCapacity_kWh=None))
    return providers


@pytest.mark.use_case("UC-05.02")
@pytest.mark.both_engines
def test_the_register_in_numbers_for_those_who_see_its_assets(register: str) -> None:
    with time_machine.travel(datetime(2026, 5, 10, tzinfo=UTC), tick=False):
        first, *_others = populate()
        save_draft(first, {"AssetName": "Half"})
    with time_machine.travel(datetime(2026, 7, 1, tzinfo=UTC), tick=False):
        gone = registered(first)
        deregister_asset(first, gone.id, "Sold", gone.version)
        numbers = register_in_numbers(make_administrator())
        own = register_in_numbers(first)
        area = register_in_numbers(make_operator("UKPN_LPN"))
    assert (numbers.total.count, numbers.total.rated_kw, numbers.anonymised) == (10, Decimal("25000.00"), False)
    assert [(cell.code, cell.count) for cell in numbers.by_category] == [("BESS", 9), ("HEAT_PUMP", 1)]
    assert [(cell.code, cell.count) for cell in numbers.by_gsp_group] == [("_A", 7), ("_C", 3)]
    assert [(cell.label, cell.count) for cell in numbers.by_status] == [
        ("Pending Validation", 10),
        ("De-registered", 1),
    ]
    assert len(numbers.growth) == 18
    assert [(month.month.month, month.registered, month.total) for month in numbers.growth[-3:]] == [
        (5, 10, 10),
        (6, 0, 10),
        (7, 1, 11),
    ]
    assert numbers.waiting.pending_validation == 10
    assert (own.total.count, own.waiting.drafts) == (5, 1)
    assert (area.total.count, area.waiting.drafts) == (3, 0)


@pytest.mark.use_case("UC-05.02")
@pytest.mark.parametrize("role", [Role.REGULATOR, Role.VIEWER])
def test_who_sees_no_single_asset_gets_no_small_cell_nor_what_it_could_be_worked_out_from(
    register: str, role: Role
) -> None:
    watcher = make_actor(make_organisation("Ofgem", ("Regulator",)), role)
    registered(make_provider("Zero"))
    populate()
    numbers = register_in_numbers(watcher)
    assert (numbers.total.count, numbers.anonymised) == (10, True), "11, rounded"
    # 3 in London are too few; the rest alone would tell them, so it is withheld too.
    assert [(cell.count, cell.rated_kw, cell.withheld) for cell in numbers.by_gsp_group] == [(None, None, True)] * 2
    assert all(cell.withheld for cell in numbers.by_category)
    assert [cell.count for cell in numbers.by_status] == [10]
    assert numbers.waiting.pending_validation == 0
    assert numbers.growth[-1].total == 10


@pytest.mark.use_case("UC-05.02")
def test_a_register_of_a_few_assets_is_withheld_whole(register: str) -> None:
    registered(make_provider("Zero"))
    assert register_in_numbers(make_actor(make_organisation("Ofgem", ("Regulator",)), Role.VIEWER)).total.withheld


@pytest.mark.use_case("UC-05.02")
def test_no_difference_between_two_totals_tells_a_small_cell(register: str) -> None:
    watcher = make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)
    providers = [make_provider(f"Provider {number}") for number in range(3)]
    for provider in providers:
        ending, *_staying = [registered(provider) for _ in range(3)]
        deregister_asset(provider, ending.id, "Sold", ending.version)
    for category in ("HEAT_PUMP", "EV_CHARGER"):
        for _ in range(5):
            registered(providers[0], **values_for(category, StorageCapacity_kWh=None))
    numbers = register_in_numbers(watcher)
    assert (numbers.total.count, numbers.growth[-1].total) == (15, 15), "16, rounded"
    assert [(cell.code, cell.count) for cell in numbers.by_status] == [
        ("PENDING_VALIDATION", 15),
        ("DEREGISTERED", None),
    ]
    # Heat pumps and chargers are one provider's: their sum would be too, so the batteries are withheld with them.
    assert [cell.count for cell in numbers.by_category] == [None, None, None]
