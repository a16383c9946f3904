"""UC-02.03 and UC-02.02: changing and ending an asset - versions, conflicts, material changes, states."""

from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest

from models.assets import Asset, AssetStatus
from services.assets.reading.assets import asset_history, get_asset
from services.assets.registration.deregister import deregister_asset, deregistration_blockers
from services.assets.registration.lifecycle import ASSET_LIFE_CYCLE, allowed_actions, move
from services.assets.registration.lookup import LookupOutcome, look_up
from services.assets.registration.record import as_terms
from services.assets.registration.update import change_preview, update_asset
from services.core.errors import Blocker, Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import read_events
from services.core.register_settings import change_setting
from services.core.transaction import Stamp, unit_of_work
from tests.asset_factories import (
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
from tests.rewiring import rewired

REASON = "The site manager confirmed it on the phone."


def put(asset: Asset, status: AssetStatus, operation: str) -> Asset:
    """The asset after a step of its life cycle that another service takes."""
    with unit_of_work(Stamp(operation, "UC-02.01", system_actor()), writes=True):
        found = see(Asset, system_actor(), asset.id)
        move(found, status, operation, "Found by a test")
    return found


def verified(actor: Actor, **changes: Any) -> Asset:
    """A registered battery that was verified."""
    return put(registered(actor, **changes), AssetStatus.VERIFIED, "conclude_checks")


@pytest.mark.use_case("UC-02.03")
def test_only_the_terms_that_are_named_change_and_null_clears(register: str) -> None:
    actor = make_provider()
    asset = verified(actor, Aliases="ECR:A; REPD:B", FriendlyCode="NES-1")
    before = as_terms(asset)
    changed = update_asset(
        actor,
        asset.id,
        {"AssetName": "Weir battery", "FriendlyCode": None, "Aliases": "ECR:A; OEM:C", "RoundTripEfficiency": 88.5},
        asset.version,
    )
    after = as_terms(get_asset(actor, asset.id))
    assert changed.version == asset.version + 1
    differing = {term for term in after if after[term] != before.get(term)}
    assert differing == {"AssetName", "FriendlyCode", "Aliases", "RoundTripEfficiency", "Version", "RecordedAt"}
    assert (after["FriendlyCode"], after["StorageCapacity_kWh"], after["RoundTripEfficiency"]) == (None, 5000, 88.5)
    assert look_up(actor, alias_scheme="OEM", alias_value="C").asset_id == asset.id
    assert look_up(actor, alias_scheme="REPD", alias_value="B").outcome == LookupOutcome.NONE
    cleared = update_asset(actor, asset.id, {"CategoryAttributes": {"RoundTripEfficiency": None}}, changed.version)
    assert cleared.category_attributes == {"StorageCapacity_kWh": 5000}


@pytest.mark.use_case("UC-02.03")
def test_what_changes_nothing_makes_no_version_and_no_event(register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    events = len(read_events(actor))
    same = update_asset(actor, asset.id, {"RatedCapacity": "2500.0", "Postcode": "cb12jd"}, asset.version)
    assert same.version == asset.version == get_asset(actor, asset.id).version
    assert len(read_events(actor)) == events


@pytest.mark.use_case("UC-02.03")
@pytest.mark.both_engines
def test_every_shipped_category_can_be_changed_as_it_was_registered(register: str) -> None:
    actor = make_provider()
    for category in ("SOLAR_PV", "EV_CHARGER", "OTHER"):
        asset = registered(actor, **values_for(category, StorageCapacity_kWh=None))
        changed = update_asset(actor, asset.id, {"AssetModel": "New model"}, asset.version)
        assert changed.derived_terms == asset.derived_terms


@pytest.mark.use_case("UC-02.03")
def test_a_stale_version_is_refused_and_shows_what_the_other_change_was(register: str) -> None:
    organisation = make_organisation()
    mine, theirs = make_actor(organisation), make_actor(organisation)
    asset = registered(mine)
    update_asset(theirs, asset.id, {"AssetName": "Their name", "RoundTripEfficiency": 90}, asset.version)
    with pytest.raises(Conflict) as refused:
        update_asset(mine, asset.id, {"AssetName": "My name"}, asset.version)
    assert refused.value.changes == {
        "AssetName": (asset.asset_name, "Their name"),
        "RoundTripEfficiency": (None, 90),
    }
    assert refused.value.current["AssetName"] == "Their name"
    assert refused.value.current["Version"] == 2
    with pytest.raises(Conflict):
        deregister_asset(mine, asset.id, "Sold", asset.version)


@pytest.mark.use_case("UC-02.03")
@pytest.mark.both_engines
def test_of_two_sessions_that_change_the_same_asset_one_wins_and_the_other_is_told_what_changed(register: str) -> None:
    organisation = make_organisation()
    actors = [make_actor(organisation), make_actor(organisation)]
    asset = registered(actors[0])
    start, outcomes = Barrier(2), dict[str, object]()

    def run(actor: Actor, name: str) -> None:
        start.wait()
        try:
            outcomes[name] = update_asset(actor, asset.id, {"AssetName": name}, asset.version)
        except Exception as refused:
            outcomes[name] = refused

    threads = [Thread(target=run, args=pair) for pair in zip(actors, ("One", "Two"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = next(name for name, outcome in outcomes.items() if isinstance(outcome, Asset))
    loser = next(outcome for outcome in outcomes.values() if isinstance(outcome, Conflict))
    assert loser.changes == {"AssetName": (asset.asset_name, winner)}
    assert (get_asset(actors[0], asset.id).asset_name, get_asset(actors[0], asset.id).version) == (winner, 2)


@pytest.mark.use_case("UC-02.03")
@pytest.mark.parametrize(
    ("change", "material"),
    [
        ({"AssetModel": "AD-3"}, False),
        ({"DemandCapacity": "2200"}, False),
        ({"DemandCapacity": "2100"}, True),
        ({"GenCapacity": "0"}, True),
        ({"RatedCapacity": "2750"}, False),
        ({"RatedCapacity": "2751"}, True),
        ({"ImportMPAN": "new"}, True),
        ({"ConnectionType": "DYNAMIC"}, True),
        ({"ConnectionStatus": "PENDING"}, True),
        ({"Latitude": "52.21"}, True),
        ({"Postcode": "CB2 1TN"}, True),
        ({"Easting": "546000", "Northing": "258000"}, True),
    ],
)
def test_a_material_change_sends_a_verified_asset_back_to_its_checks(
    one_register: str, change: dict[str, Any], material: bool
) -> None:
    actor = make_provider()
    asset = verified(actor)
    change = {term: an_mpan() if value == "new" else value for term, value in change.items()}
    preview = change_preview(actor, asset.id, change)
    assert (preview.material, bool(preview.reasons)) == (material, material)
    changed = update_asset(actor, asset.id, change, asset.version, justification=REASON)
    assert changed.version == asset.version + 1
    assert changed.status == (AssetStatus.PENDING_VALIDATION if material else AssetStatus.VERIFIED)
    event = next(one for one in reversed(read_events(actor)) if one.type == "asset.changed")
    assert event.payload["material"] is material
    assert event.payload["version"] == changed.version
    assert set(event.payload["fields"]) == set(preview.changes)


@pytest.mark.use_case("UC-02.03")
def test_small_steps_that_add_up_are_material(register: str) -> None:
    actor = make_provider()
    asset = verified(actor)
    first = update_asset(actor, asset.id, {"DemandCapacity": "2200"}, asset.version)
    assert first.status == AssetStatus.VERIFIED
    assert not change_preview(actor, asset.id, {"DemandCapacity": "2400"}).material
    second = update_asset(actor, asset.id, {"DemandCapacity": "2100"}, first.version)
    assert second.status == AssetStatus.PENDING_VALIDATION
    assert "12.5 %" in str(second.status_reason)


@pytest.mark.use_case("UC-02.03")
def test_how_far_a_capacity_may_move_is_a_setting(register: str) -> None:
    actor = make_provider()
    asset = verified(actor)
    change_setting(make_administrator(), "asset.material_change_percent", "1", 0)
    assert change_preview(actor, asset.id, {"DemandCapacity": "2300"}).material


@pytest.mark.use_case("UC-02.03")
def test_values_the_register_worked_out_follow_what_changes(register: str) -> None:
    actor = make_provider()
    asset = registered(actor, Latitude=None, Longitude=None)
    assert asset.position_source == "postcode"
    moved = update_asset(actor, asset.id, {"Postcode": "NR1 3DA", "RatedCapacity": 2600}, asset.version)
    assert moved.position_source == "postcode"
    assert (moved.longitude or 0) > (asset.longitude or 9)
    assert (moved.installed_capacity, moved.rated_capacity) == (Decimal(2600), Decimal(2600))
    placed = update_asset(actor, asset.id, {"Latitude": 52.63, "Longitude": 1.3}, moved.version)
    assert (placed.position_source, "Latitude" in placed.derived_terms) == ("declared", False)

    gridded = registered(actor, Latitude=None, Longitude=None, Easting="545000", Northing="258000")
    renamed = update_asset(actor, gridded.id, {"AssetName": "Other name"}, gridded.version)
    assert (renamed.position_source, renamed.latitude) == ("eastings", gridded.latitude)
    assert renamed.derived_terms == gridded.derived_terms


@pytest.mark.use_case("UC-02.03")
def test_what_is_settled_at_registration_does_not_change(register: str) -> None:
    actor, kelvin = make_provider(), make_provider("Kelvin")
    asset = registered(actor)
    for change, code in (
        ({"AssetCategory": "SOLAR_PV", "ExportMPAN": an_mpan()}, "CAT-05"),
        ({"ServiceProviderId": str(kelvin.organisation_id)}, "OWN-05"),
        ({"ConsumerOwned": True, "ConsentReference": "C-1", "OrganisationId": None}, "CONSENT-01"),
    ):
        with pytest.raises(Invalid) as refused:
            update_asset(actor, asset.id, change, asset.version)
        assert code in {finding.code for finding in refused.value.findings}
    other = registered(actor)
    with pytest.raises(Duplicate):
        update_asset(actor, asset.id, {"SerialNumber": other.serial_number}, asset.version)


@pytest.mark.use_case("UC-02.03")
def test_a_warning_is_justified_once_and_again_only_when_what_it_concerns_changes(register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    with pytest.raises(Invalid) as warned:
        update_asset(actor, asset.id, {"RatedCapacity": "2000000"}, asset.version)
    assert warned.value.only_warnings
    changed = update_asset(actor, asset.id, {"RatedCapacity": "2000000"}, asset.version, justification=REASON)
    assert [one["code"] for one in changed.justifications] == ["CAP-04"]
    renamed = update_asset(actor, asset.id, {"AssetName": "Giant"}, changed.version)
    assert renamed.version == 3


@pytest.mark.use_case("UC-02.02")
def test_deregistering_is_final_and_needs_a_reason(register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    with pytest.raises(Invalid):
        deregister_asset(actor, asset.id, "  ", asset.version)
    ended = deregister_asset(actor, asset.id, "Taken down", asset.version)
    assert (ended.status, ended.status_reason) == (AssetStatus.DEREGISTERED, "Taken down")
    assert [event.type for event in read_events(actor)][-2:] == ["asset.status_changed", "asset.deregistered"]
    with pytest.raises(Refused):
        deregister_asset(actor, asset.id, "Again", ended.version)
    with pytest.raises(Refused):
        update_asset(actor, asset.id, {"AssetName": "Back"}, ended.version)
    assert get_asset(actor, asset.id).status == AssetStatus.DEREGISTERED
    assert asset_history(actor, asset.id)[0].changes["Status"] == ("PENDING_VALIDATION", "DEREGISTERED")


@pytest.mark.use_case("UC-02.02")
def test_other_records_that_depend_on_the_asset_keep_it_registered(one_register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    unit = Blocker("market unit", "1", "Unit 1", "take it out of Unit 1")
    with rewired(asset_blockers=[lambda _asset: [unit]]):
        assert deregistration_blockers(actor, asset.id) == [unit]
        with pytest.raises(Refused) as refused:
            deregister_asset(actor, asset.id, "Taken down", asset.version)
        assert refused.value.blockers == [unit]
        action = next(action for action in allowed_actions(actor, asset) if action.operation == "deregister_asset")
        assert action.why_not == "First: take it out of Unit 1."


@pytest.mark.use_case("UC-02.01")
def test_only_the_steps_of_the_life_cycle_are_taken(one_register: str) -> None:
    asset = registered(make_provider())
    with pytest.raises(Refused):
        put(asset, AssetStatus.SUSPENDED_QUERY_UNANSWERED, "suspend_unanswered")
    put(asset, AssetStatus.QUERY, "conclude_checks")
    with pytest.raises(Refused):
        put(asset, AssetStatus.VERIFIED, "settle_query")
    put(asset, AssetStatus.SUSPENDED_QUERY_UNANSWERED, "suspend_unanswered")
    put(asset, AssetStatus.DEREGISTERED, "deregister_asset")
    assert not [step for step in ASSET_LIFE_CYCLE.transitions if step.source == AssetStatus.DEREGISTERED]
    assert not [step for step in ASSET_LIFE_CYCLE.transitions if step.source == AssetStatus.REFUSED_NO_CONSENT]


@pytest.mark.use_case("UC-02.01")
def test_what_can_be_done_is_said_with_why_not(register: str) -> None:
    provider, administrator, operator = make_provider(), make_administrator(), make_operator("UKPN_EPN")
    asset = verified(provider)

    def offered(actor: Actor) -> dict[str, str | None]:
        return {action.operation: action.why_not for action in allowed_actions(actor, asset)}

    assert offered(provider)["update_asset"] is offered(provider)["deregister_asset"] is None
    assert "No query is open" in str(offered(provider)["answer_query"])
    assert offered(provider)["settle_query"] == "Only the FMAR administrator can do this."
    assert "Pending Validation" in str(offered(administrator)["settle_query"])
    assert all(offered(operator).values())
    with pytest.raises(NotFound):
        allowed_actions(make_provider("Kelvin"), asset)


@pytest.mark.use_case("UC-02.03")
def test_who_only_sees_an_asset_does_not_change_it(register: str) -> None:
    asset = registered(make_provider())
    operator, kelvin = make_operator("UKPN_EPN"), make_provider("Kelvin")
    for act in (
        lambda actor: update_asset(actor, asset.id, {"AssetName": "Mine"}, asset.version),
        lambda actor: deregister_asset(actor, asset.id, "Not yours", asset.version),
        lambda actor: change_preview(actor, asset.id, {}),
    ):
        with pytest.raises(Forbidden):
            act(operator)
        with pytest.raises(NotFound):
            act(kelvin)


@pytest.mark.use_case("UC-02.03")
def test_an_owner_who_does_not_manage_an_asset_sees_it_and_changes_nothing(register: str) -> None:
    owner = make_provider("Estates")
    asset = registered(make_provider(), **battery(OrganisationId=str(owner.organisation_id)))
    assert get_asset(owner, asset.id).id == asset.id
    with pytest.raises(Forbidden):
        update_asset(owner, asset.id, {"AssetName": "Mine"}, asset.version)
