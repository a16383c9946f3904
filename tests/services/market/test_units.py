"""Market units through the services: made, composed, counted anew, re-assigned and ended, on both databases."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select
from sqlmodel import col

from models.base import new_id
from models.core import Event, LedgerEntry
from models.participants import Role
from models.units import UnitMember, UnitStatus, UnitType
from services.assets.filters import AssetFilters
from services.assets.reading.assets import get_asset
from services.assets.registration.deregister import deregister_asset, deregistration_blockers
from services.assets.registration.update import update_asset
from services.core.clock import now
from services.core.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.jobs.worker import work_through
from services.core.transaction import current_session, unit_of_work
from services.market.unit_changes.asset_events import recount_unit
from services.market.unit_changes.composition import create_unit, preview_composition, preview_unit, update_composition
from services.market.unit_changes.deregistration import deregister_unit, unit_actions
from services.market.unit_changes.reassignment import reassign_unit, reassignment_blockers
from services.market.units.listing import ORDERS, UnitFilters, count_units, list_units, parse_unit_filters
from services.market.units.members import list_members, units_of_asset
from services.market.units.units import get_unit, unit_as_of, unit_changes, unit_history
from services.participants.ending import withdrawal_blockers
from tests.asset_factories import (
    STAMP,
    an_mpan,
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
    registered,
)
from tests.unit_factories import make_unit, suspend, verified

pytestmark = pytest.mark.usefixtures("register")


def ids(*assets: object) -> list[UUID]:
    """Their identifiers."""
    return [one.id for one in assets]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.use_case("UC-03.01")
def test_a_unit_is_made_of_verified_assets_and_counted() -> None:
    actor = make_provider()
    first, second = (
        verified(actor),
        verified(
            actor,
            Latitude=None,
            Longitude=None,
            RatedCapacity="1000",
            GenCapacity=900,
            DemandCapacity=800,
            StorageCapacity_kWh=450,
            ResponseTime_s=2,
        ),
    )
    made = create_unit(actor, name="  Riverside   group ", code="RIV-1", family="DSO", asset_ids=ids(first, second))
    assert (made.unit.name, made.unit.code, made.unit.status, made.unit.composition) == (
        "Riverside group", "RIV-1", UnitStatus.ACTIVE, 1,
    )  # fmt: skip
    counted = made.capability
    assert (counted.unit_type, counted.assets, counted.accounting_points) == (UnitType.SPG, 2, 2)
    assert (counted.up, counted.down, counted.rated) == (Decimal(3400), Decimal(3200), Decimal(3500))
    assert counted.energy_kwh == Decimal(5450)
    assert counted.duration_min == 30, "450 kWh at 900 kW"
    assert counted.response_s is None, "the first one doesn't say"
    assert counted.limits["response"]["silent"] == [str(first.id)]
    assert counted.limits["duration"]["assets"][0] == str(second.id)
    assert [(one.dno_code, one.gsp_group, one.assets) for one in made.areas] == [("UKPN_EPN", "_A", 2)]
    members = list_members(actor, made.unit.id)
    assert [one.asset_id for one in members.items] == sorted(ids(first, second))
    assert unit_history(actor, made.unit.id)[0].added == 2


@pytest.mark.use_case("UC-03.01")
def test_assets_at_one_accounting_point_make_an_spu() -> None:
    actor, mpan, export = make_provider(), an_mpan(), an_mpan()
    first = verified(actor, ImportMPAN=mpan, ExportMPAN=export)
    second = verified(
        actor, ImportMPAN=None, ExportMPAN=export, RatedCapacity="700", GenCapacity=700, DemandCapacity=700
    )
    made = make_unit(actor, first, second)
    assert (made.capability.unit_type, made.capability.accounting_points) == (UnitType.SPU, 1)


@pytest.mark.use_case("UC-03.01")
def test_everything_that_stands_in_the_way_is_said_at_once() -> None:
    actor, rival = make_provider(), make_provider("Kelvin")
    pending, strange, unknown = registered(actor), verified(rival), uuid4()
    with pytest.raises(Invalid) as refused:
        create_unit(actor, name=" ", code="no spaces", family="HEAT", asset_ids=[pending.id, strange.id, unknown])
    said = {(one.code, one.field) for one in refused.value.findings}
    assert said == {
        ("UNIT-01", "UnitCode"), ("UNIT-03", "UnitName"), ("UNIT-10", "Family"), ("UNIT-05", "Assets"),
        ("UNIT-06", "Assets"),
    }  # fmt: skip
    unseen = [one.message for one in refused.value.findings if one.code == "UNIT-05"]
    assert [text.replace(str(strange.id), "X") for text in unseen[:1]] == [unseen[1].replace(str(unknown), "X")]
    assert strange.asset_name not in str([one.message for one in refused.value.findings])
    assert count_units(actor) == 0
    with pytest.raises(Invalid, match="1 value"):
        create_unit(actor, name="Empty", code="E-1", family="DSO")


@pytest.mark.use_case("UC-03.01")
def test_an_asset_is_in_one_unit_of_a_family_at_a_time() -> None:
    actor = make_provider()
    asset = verified(actor)
    there = make_unit(actor, asset)
    with pytest.raises(Refused) as refused:
        make_unit(actor, asset, verified(actor), code="RIV-2")
    blocker = refused.value.blockers[0]
    assert (blocker.kind, blocker.id) == ("market_unit", str(there.unit.id))
    assert "Riverside (RIV-1)" in blocker.label
    assert make_unit(actor, asset, code="RIV-3", family="RESERVE").capability.assets == 1, "another family"
    inside = units_of_asset(actor, asset.id)
    assert {one.code for one in inside} == {"RIV-1", "RIV-3"}


@pytest.mark.use_case("UC-03.01")
def test_a_code_is_used_once_in_an_fsp_and_again_by_another() -> None:
    actor = make_provider()
    there = make_unit(actor)
    with pytest.raises(Duplicate) as refused:
        make_unit(actor)
    assert (refused.value.kind, refused.value.existing_id) == ("market_unit", str(there.unit.id))
    assert make_unit(make_provider("Kelvin")).unit.code == "RIV-1"


@pytest.mark.use_case("UC-03.01")
def test_who_may_make_and_who_may_see_units() -> None:
    actor = make_provider()
    made = make_unit(actor)
    east, north = make_operator("UKPN_EPN"), make_operator("NPG_NE")
    assert get_unit(east, made.unit.id).unit.code == "RIV-1"
    assert [one.code for one in list_units(east).items] == ["RIV-1"]
    for stranger in (north, make_provider("Kelvin")):
        with pytest.raises(NotFound):
            get_unit(stranger, made.unit.id)
        with pytest.raises(NotFound):
            list_members(stranger, made.unit.id)
        assert count_units(stranger) == 0
    with pytest.raises(Forbidden):
        create_unit(east, name="Theirs", code="T-1", family="DSO", asset_ids=[])
    with pytest.raises(Forbidden):
        reassign_unit(actor, made.unit.id, uuid4(), "A letter of 3 May 2026", made.unit.version)
    assert [one.operation for one in unit_actions(actor, made.unit.id) if one.allowed] == [
        "update_composition", "deregister_unit",
    ]  # fmt: skip


@pytest.mark.use_case("UC-03.03")
def test_an_operator_sees_of_a_unit_the_assets_in_its_areas() -> None:
    actor = make_provider()
    here = verified(actor)
    there = verified(actor, DNOConnection="NPG_NE", ImportMPAN=an_mpan("15"), Latitude="54.9", Longitude="-1.6",
                     Postcode="NE1 4ST")  # fmt: skip
    made = make_unit(actor, here, there)
    page = list_members(make_operator("NPG_NE"), made.unit.id)
    assert ([one.asset_id for one in page.items], page.unseen) == ([there.id], 1)


@pytest.mark.use_case("UC-03.03")
def test_composition_changes_with_dates_and_is_told_as_of_any_moment() -> None:
    actor = make_provider()
    first, second = verified(actor), verified(actor)
    made = make_unit(actor, first)
    before = now()
    with time_machine.travel(before + timedelta(days=3), tick=True):
        preview = preview_composition(actor, made.unit.id, add=[second.id], remove=[first.id])
        assert (preview.added, preview.removed, preview.findings) == (1, 1, [])
        changed = update_composition(actor, made.unit.id, made.unit.version, add=[second.id], remove=[first.id])
        assert changed.unit.composition == 2
        assert [one.asset_id for one in list_members(actor, made.unit.id).items] == [second.id]
    assert [one.asset_id for one in list_members(actor, made.unit.id, moment=before).items] == [first.id]
    stood = unit_as_of(actor, made.unit.id, before)
    assert stood.unit.composition == 1
    assert stood.history is not None
    assert stood.history.assets == 1
    with pytest.raises(NotFound):
        unit_as_of(actor, made.unit.id, before - timedelta(days=1))
    steps = [(one.added, one.removed) for one in unit_history(actor, made.unit.id)]
    assert steps == [(1, 0), (1, 1)]
    assert unit_changes(actor, made.unit.id)[0].changes["Composition"] == (1, 2)


@pytest.mark.use_case("UC-03.03")
def test_what_a_change_means_is_said_before_it_is_made() -> None:
    actor = make_provider()
    first = verified(actor)
    made = make_unit(actor, first)
    preview = preview_composition(actor, made.unit.id, add=[verified(actor).id])
    assert preview.before is not None
    assert preview.after is not None
    assert (preview.before.up, preview.after.up) == (Decimal(2500), Decimal(5000))
    assert preview.material
    assert any("SPU to SPG" in one for one in preview.reasons)
    assert any("capacity up moves by 100.0 %, more than 10 %" in one for one in preview.reasons)
    assert preview.areas == [("UKPN_EPN", "_A", 2)]
    small = verified(actor, ImportMPAN=str(first.import_mpan), RatedCapacity="100", GenCapacity=100, DemandCapacity=100)
    assert not preview_composition(actor, made.unit.id, add=[small.id]).material
    basket = preview_unit(actor, "RESERVE", asset_ids=[first.id, small.id])
    assert basket.after is not None
    assert (basket.after.unit_type, basket.after.up, basket.before) == (UnitType.SPU, Decimal(2600), None)


@pytest.mark.use_case("UC-03.03")
def test_the_last_asset_stays_and_strangers_cant_be_taken_out() -> None:
    actor = make_provider()
    asset, other = verified(actor), verified(actor)
    made = make_unit(actor, asset)
    with pytest.raises(Refused, match="De-register the unit instead"):
        update_composition(actor, made.unit.id, made.unit.version, remove=[asset.id])
    assert [one.code for one in preview_composition(actor, made.unit.id, remove=[asset.id]).findings] == ["UNIT-11"]
    with pytest.raises(Invalid) as refused:
        update_composition(actor, made.unit.id, made.unit.version, remove=[other.id])
    assert [one.code for one in refused.value.findings] == ["UNIT-12"]
    with pytest.raises(Conflict):
        update_composition(actor, made.unit.id, made.unit.version + 1, add=[other.id])
    named = update_composition(actor, made.unit.id, made.unit.version, name="Weirside")
    assert (named.unit.name, named.unit.composition) == ("Weirside", 1)
    with pytest.raises(Conflict, match="UnitName"):
        update_composition(actor, made.unit.id, made.unit.version - 1, add=[other.id])


@pytest.mark.use_case("UC-03.01")
def test_all_that_pass_a_filter_go_in_at_once() -> None:
    actor = make_provider()
    inside = [verified(actor) for _ in range(3)]
    make_unit(actor, inside[0])
    registered(actor)
    verified(actor, RatedCapacity="5000", GenCapacity=5000, DemandCapacity=5000)
    filters = AssetFilters(capacity_max=Decimal(3000))
    assert preview_unit(actor, "DSO", filters=filters).added == 2
    made = create_unit(actor, name="Small ones", code="S", family="DSO", filters=filters)
    assert [one.asset_id for one in list_members(actor, made.unit.id).items] == sorted(ids(*inside[1:]))
    with pytest.raises(Invalid, match="1 value"):
        create_unit(actor, name="None", code="N", family="DSO", filters=filters)


@pytest.mark.use_case("UC-03.01")
def test_too_many_assets_at_once_are_refused_with_the_way_on() -> None:
    actor = make_provider()
    with pytest.raises(Invalid) as refused:
        create_unit(actor, name="Too many", code="M", family="DSO", asset_ids=[new_id() for _ in range(10_001)])
    assert [one.code for one in refused.value.findings] == ["UNIT-09"]
    assert "Put in 10,000, then add the others" in refused.value.findings[0].message


@pytest.mark.use_case("UC-02.02")
def test_an_asset_in_a_unit_stays_registered_and_a_provider_with_units_stays() -> None:
    actor = make_provider()
    asset = verified(actor)
    made = make_unit(actor, asset)
    assert [one.id for one in deregistration_blockers(actor, asset.id)] == [str(made.unit.id)]
    with pytest.raises(Refused):
        deregister_asset(actor, asset.id, "Dismantled", asset.version)
    assert actor.organisation_id is not None
    blockers = withdrawal_blockers(make_administrator(), actor.organisation_id)
    assert [blocker.label for blocker in blockers if blocker.kind == "market_units"] == ["1 active market unit"]
    deregister_unit(actor, made.unit.id, "Not offered any more", made.unit.version)
    assert deregister_asset(actor, asset.id, "Dismantled", asset.version).status == "DEREGISTERED"


@pytest.mark.use_case("UC-03.04")
def test_a_unit_ends_with_a_reason_and_sets_its_assets_free() -> None:
    actor = make_provider()
    asset = verified(actor)
    made = make_unit(actor, asset)
    with pytest.raises(Invalid) as refused:
        deregister_unit(actor, made.unit.id, " ", made.unit.version)
    assert [one.code for one in refused.value.findings] == ["UNIT-20"]
    ended = deregister_unit(actor, made.unit.id, "Not offered any more", made.unit.version)
    assert ended.unit.status is UnitStatus.DEREGISTERED
    assert not list_members(actor, made.unit.id).items
    assert get_asset(actor, asset.id).status == "VERIFIED", "assets stay registered"
    for act in (
        lambda: deregister_unit(actor, made.unit.id, "Once more", ended.unit.version),
        lambda: update_composition(actor, made.unit.id, ended.unit.version, add=[asset.id]),
        lambda: preview_composition(actor, made.unit.id, add=[asset.id]),
    ):
        with pytest.raises(Refused):
            act()
    assert make_unit(actor, asset, code="RIV-2").capability.assets == 1
    assert get_unit(make_operator("UKPN_EPN"), made.unit.id).unit.code == "RIV-1", "its operator still sees what it was"


@pytest.mark.use_case("UC-02.03")
def test_a_unit_is_counted_anew_once_however_often_its_assets_change() -> None:
    actor = make_provider()
    first, second = verified(actor, StorageCapacity_kWh=5000), verified(actor)
    made = make_unit(actor, first, second)
    work_through()
    for power in ("2400", "2300"):
        asset = get_asset(actor, first.id)
        first = update_asset(actor, asset.id, {"GenCapacity": power}, asset.version)
    suspend(second)
    assert get_unit(actor, made.unit.id).being_counted
    with unit_of_work(STAMP, writes=False):
        told = [one for one in current_session().scalars(select(Event)) if one.type == "market_unit.assets_changed"]
    assert len(told) == 1
    work_through()
    stands = get_unit(actor, made.unit.id)
    assert not stands.being_counted
    assert (stands.capability.up, stands.capability.not_verified) == (Decimal(2300), 1)
    assert not recount_unit(made.unit.id), "nobody marked it"
    assert len(unit_history(actor, made.unit.id)) == 2


@pytest.mark.use_case("UC-03.02")
def test_a_unit_moves_to_another_fsp_whole_on_evidence() -> None:
    actor, admin = make_provider(), make_administrator()
    gaining = make_actor(make_organisation("Kelvin"))
    asset = verified(actor, FriendlyCode="B-1")
    verified(gaining, FriendlyCode="B-1")
    made = make_unit(actor, asset)
    to = gaining.organisation_id
    assert to is not None
    with pytest.raises(Invalid) as refused:
        reassign_unit(admin, made.unit.id, make_organisation("Owner", ("Asset Owner",)).id, "short", made.unit.version)
    assert {one.code for one in refused.value.findings} == {"UNIT-30", "UNIT-31"}
    assert reassignment_blockers(admin, made.unit.id, to) == []
    moved = reassign_unit(admin, made.unit.id, to, "Contract of sale, 3 May 2026", made.unit.version)
    assert (moved.unit.service_provider_id, moved.unit.reassigned_from) == (to, actor.organisation_id)
    theirs = get_asset(gaining, asset.id)
    assert (theirs.service_provider_id, theirs.friendly_code) == (to, None), "the gaining FSP uses the code already"
    assert [one.asset_id for one in list_members(gaining, made.unit.id).items] == [asset.id]
    with pytest.raises(NotFound):
        get_unit(actor, made.unit.id)


@pytest.mark.use_case("UC-03.02")
def test_what_stands_in_the_way_of_a_reassignment_is_named() -> None:
    actor, admin, gaining = make_provider(), make_administrator(), make_provider("Kelvin")
    asset = verified(actor)
    made = make_unit(actor, asset)
    other = make_unit(actor, asset, code="RIV-2", family="RESERVE")
    make_unit(gaining, code="RIV-1")
    with pytest.raises(Refused) as refused:
        reassign_unit(admin, made.unit.id, gaining.organisation_id, "Contract of sale, 3 May 2026", made.unit.version)  # pyright: ignore
    assert str(other.unit.id) in [one.id for one in refused.value.blockers]
    assert any("has used the code RIV-1" in one.label for one in refused.value.blockers)


@pytest.mark.use_case("UC-05.01")
def test_lists_are_filtered_and_paged_in_every_order() -> None:
    actor = make_provider()
    for number in range(5):
        make_unit(actor, code=f"R-{number}", family="DSO" if number % 2 else "RESERVE", name=f"Unit {number % 3}")
    every = {one.id for one in list_units(actor).items}
    assert len(every) == count_units(actor) == 5
    for order in ORDERS:
        found, after = [], None
        while True:
            page = list_units(actor, order=order, after=after, limit=2)
            found += [one.id for one in page.items]
            after = page.next_cursor
            if after is None:
                break
        assert set(found) == every
        assert len(found) == 5
    filters = parse_unit_filters({"Family": ["DSO"], "GspGroup": ["_A"], "UpCapacityMin": ["2500"], "Text": ["r-"]})
    assert len(list_units(actor, filters).items) == 2
    assert count_units(actor, UnitFilters(unit_type=["SPG"])) == 0
    for wrong in ({"Famly": ["DSO"]}, {"Family": ["HEAT"]}, {"UpCapacityMin": ["1.234"]}):
        with pytest.raises(Invalid):
            parse_unit_filters(wrong)
    for given in ({"after": "nonsense"}, {"order": "sideways"}):
        with pytest.raises(Invalid):
            list_units(actor, **given)


@pytest.mark.use_case("UC-03.01")
def test_a_large_unit_is_written_with_an_entry_for_each_membership() -> None:
    actor = make_provider()
    assets = [verified(actor) for _ in range(30)]
    made = make_unit(actor, *assets)
    with unit_of_work(STAMP, writes=False):
        session = current_session()
        members = set(session.scalars(select(col(UnitMember.id)).where(col(UnitMember.unit_id) == made.unit.id)))
        entries = select(col(LedgerEntry.record_id)).where(col(LedgerEntry.record_type) == UnitMember.record_type())
        assert set(session.scalars(entries)) == members
    assert len(members) == 30


def test_an_actor_of_a_withdrawn_role_makes_no_units() -> None:
    owner: Actor = make_actor(make_organisation("Owner", ("Asset Owner",)), Role.FSP_USER)
    with pytest.raises(Refused, match="neither the role FSP"):
        create_unit(owner, name="Mine", code="M-1", family="DSO", asset_ids=[])
