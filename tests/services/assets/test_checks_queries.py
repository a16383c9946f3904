"""Queries are asked, answered and settled, and deadlines are kept (UC-02.01)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset, AssetStatus, CheckOutcome, CheckSource, MessageKind
from models.core import Event
from models.events import EventType
from models.participants import Role
from services.assets.asset_page.provenance import Origin, provenance_of
from services.assets.checks.deadlines import BATCH, keep_deadlines, note_long_pending
from services.assets.checks.queries import (
    Awaits,
    QueryDecision,
    answer_query,
    messages_of,
    query_asset,
    review_queue,
    settle_query,
)
from services.assets.checks.run import checks_of, request_checks, run_checks
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.assets.sources.loading import load_source
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.worker import work_through
from services.core.ledger.verifying import verify_ledger
from services.core.settings import settings
from services.core.transaction import current_session, unit_of_work
from tests.asset_factories import (
    STAMP,
    an_mpan,
    battery,
    make_actor,
    make_administrator,
    make_organisation,
    make_provider,
)

pytestmark = pytest.mark.use_case("UC-02.01")
HEADINGS = (
    "Export MPAN / MSID,Import MPAN / MSID,Customer Site,Postcode,Latitude,Longitude,Licence Area,Energy Source 1,"
    "Energy Conversion Technology 1,Connection Status,Already connected Registered Capacity (MW)"
)
STORAGE = "Eastern Power Networks (EPN),Stored Energy,Storage - Electrochemical (Batteries)"
MONDAY = datetime(2026, 6, 1, 10, 0, tzinfo=ZoneInfo("Europe/London"))


@pytest.fixture(autouse=True)
def _no_outside_systems(register: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only the connection register speaks here: it is loaded, not asked over a network."""
    for name in ("FMAR_MPAN_REGISTER_URL", "FMAR_INSTALLATION_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def load(mpan: str, megawatts: str, day: str = "2025-08", status: str = "Connected") -> None:
    """An edition of a register with one battery in Cambridge."""
    row = f",{mpan},RIVERSIDE,CB1 2JD,52.2053,0.1218,{STORAGE},{status},{megawatts}"
    load_source(system_actor(), f"{HEADINGS}\n{row}".encode(), f"ecr-{day}.csv")


def queried(actor: Actor, mpan: str) -> Asset:
    """A battery of 2,500 kW of which the register says 1 MW: Query."""
    load(mpan, "1.0")
    asset = register_asset(actor, battery(ImportMPAN=mpan), justification="Accepted for this test.")
    work_through()
    asset = get_asset(actor, asset.id)
    assert asset.status is AssetStatus.QUERY
    assert "you declared 2,500.00 kW" in (asset.status_reason or "")
    return asset


def test_answered_then_settled(register: str) -> None:
    """The FSP answers, the operator accepts the declared value, and says so on the field; all of it is kept."""
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor, an_mpan())
    with pytest.raises(Invalid):
        answer_query(actor, asset.id, " ", asset.version)
    with pytest.raises(Conflict):
        answer_query(actor, asset.id, "The register is behind.", asset.version - 1)
    with pytest.raises(Refused):
        settle_query(operator, asset.id, QueryDecision.VERIFY, "Not answered yet.", asset.version)
    answered = answer_query(actor, asset.id, "Extended last month; the register is behind.", asset.version)
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.PENDING_VALIDATION
    with pytest.raises(Refused, match="still open"):
        settle_query(operator, asset.id, QueryDecision.VERIFY, "Seen the letter.", answered.version, [])
    with pytest.raises(Invalid, match="needs correcting"):
        settle_query(operator, asset.id, QueryDecision.VERIFY, "Seen the letter.", answered.version, ["AssetName"])
    with pytest.raises(Forbidden):
        settle_query(actor, asset.id, QueryDecision.VERIFY, "I say so myself.", answered.version)
    settled = settle_query(operator, asset.id, QueryDecision.VERIFY, "Seen the DNO's letter.", answered.version)
    assert settled.status is AssetStatus.VERIFIED
    assert [message.kind for message in messages_of(actor, asset.id)] == [
        MessageKind.QUERY,
        MessageKind.ANSWER,
        MessageKind.DECISION,
    ]
    told = provenance_of(actor, asset.id)["RatedCapacity"]
    assert (told.origin, told.source_value, told.message) == (Origin.SETTLED, "1,000.00 kW", "Seen the DNO's letter.")
    request_checks(actor, asset.id)
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
    assert _connection(actor, asset) is CheckOutcome.SETTLED


def _connection(actor: Actor, asset: Asset) -> CheckOutcome:
    return {check.source: check.outcome for check in checks_of(actor, asset.id)}[CheckSource.CONNECTION_REGISTER]


def test_another_difference_is_another_question(register: str) -> None:
    """What was settled stays settled only as long as both sides say the same."""
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor, mpan := an_mpan())
    answered = answer_query(actor, asset.id, "The register is behind.", asset.version)
    settle_query(operator, asset.id, QueryDecision.VERIFY, "Agreed.", answered.version)
    load(mpan, "0.5", "2025-10")
    work_through()
    again = get_asset(actor, asset.id)
    assert again.status is AssetStatus.QUERY
    assert "says 500.00 kW" in (again.status_reason or "")


def test_a_newer_edition_can_answer_for_the_provider(register: str) -> None:
    """When the register catches up, the query goes without anybody's doing."""
    actor = make_provider()
    asset = queried(actor, mpan := an_mpan())
    load(mpan, "2.5", "2025-10")
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED


@pytest.mark.both_engines
def test_four_workers_at_once_ask_once(register: str) -> None:
    """Several processes may be handed events of the same asset at the same moment."""
    actor = make_provider()
    load(mpan := an_mpan(), "1.0")
    asset = register_asset(actor, battery(ImportMPAN=mpan), justification="Accepted for this test.")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run_checks, [[asset.id]] * 4))
    assert get_asset(actor, asset.id).status is AssetStatus.QUERY
    assert len(checks_of(actor, asset.id, all_versions=True)) == len(CheckSource)
    assert len(messages_of(actor, asset.id)) == 1
    assert verify_ledger(system_actor()).faults == []


def test_the_planning_database_vouches_by_its_reference(register: str) -> None:
    """An asset that names its REPD entry is held against it; one that isn't there is a question."""
    head = "Old Ref ID,Ref ID,Site Name,Technology Type,Installed Capacity (MWelec),Development Status,Country,Postcode"
    row = ",4711,Riverside,Battery,2.5,Operational,England,CB1 2JD"
    load_source(system_actor(), f"{head}\n{row}".encode(), "repd-2025-07.csv")
    actor = make_provider()
    outcomes = []
    for reference in ("4711", "4712"):
        asset = register_asset(actor, battery(Aliases=f"REPD:{reference}"), justification="Accepted for this test.")
        work_through()
        outcomes.append((get_asset(actor, asset.id).status, _connection(actor, asset)))
    assert outcomes == [
        (AssetStatus.VERIFIED, CheckOutcome.AGREES),
        (AssetStatus.QUERY, CheckOutcome.NOT_FOUND),
    ]


def test_the_operator_asks_again_and_asks_by_itself(register: str) -> None:
    """A question that a person asked is never lifted by a check."""
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor, mpan := an_mpan())
    answered = answer_query(actor, asset.id, "It just is.", asset.version)
    asked = settle_query(operator, asset.id, QueryDecision.ASK_AGAIN, "Please name the agreement.", answered.version)
    assert (asked.status, asked.status_reason) == (AssetStatus.QUERY, "Please name the agreement.")
    load(mpan, "2.5", "2025-10")
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.QUERY
    other = register_asset(actor, battery(RatedCapacity="30", GenCapacity="30", DemandCapacity="30"))
    work_through()
    waiting = get_asset(actor, other.id)
    with pytest.raises(Forbidden):
        query_asset(actor, other.id, "Is it there?", waiting.version)
    assert query_asset(operator, other.id, "Is it there?", waiting.version).status is AssetStatus.QUERY


def test_the_queue_says_whose_turn_it_is(register: str) -> None:
    """The longest waiting first; only what the actor may see."""
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor, an_mpan())
    unknown = register_asset(actor, battery(RatedCapacity="30", GenCapacity="30", DemandCapacity="30"))
    fresh_reader = make_actor(make_organisation("Rival"), Role.FSP_USER)
    assert [item.awaits for item in review_queue(operator)] == [Awaits.PROVIDER, Awaits.SOURCES]
    work_through()
    answer_query(actor, asset.id, "The register is behind.", asset.version)
    queue = review_queue(operator)
    assert {(item.asset.id, item.awaits) for item in queue} == {
        (asset.id, Awaits.OPERATOR),
        (unknown.id, Awaits.OPERATOR),
    }
    assert [item.since for item in queue] == sorted(item.since for item in queue if item.since)
    answered = next(item for item in queue if item.asset.id == asset.id)
    assert any("Rated capacity" in reason for reason in answered.reasons)
    assert answered.last_message is not None
    assert len(review_queue(actor)) == 2
    assert review_queue(fresh_reader) == []
    with pytest.raises(NotFound):
        answer_query(fresh_reader, asset.id, "Mine now.", asset.version)


def test_a_query_unanswered_for_twenty_working_days_suspends(register: str) -> None:
    """The twentieth working day still counts as in time; bank holidays and weekends don't count."""
    actor = make_provider()
    with time_machine.travel(MONDAY, tick=False) as clock:
        asset = queried(actor, an_mpan())
        clock.move_to(MONDAY + timedelta(days=28))
        keep_deadlines()
        assert get_asset(actor, asset.id).status is AssetStatus.QUERY
        clock.move_to(MONDAY + timedelta(days=29))
        keep_deadlines()
        suspended = get_asset(actor, asset.id)
    assert suspended.status is AssetStatus.SUSPENDED_QUERY_UNANSWERED
    assert "20 working days" in (suspended.status_reason or "")


def test_pending_for_too_long_is_told_once(register: str) -> None:
    """More than five working days in Pending Validation: one event, however often the job runs."""
    actor = make_provider()
    with time_machine.travel(MONDAY, tick=False) as clock:
        register_asset(actor, battery(RatedCapacity="30", GenCapacity="30", DemandCapacity="30"))
        work_through()
        clock.move_to(MONDAY + timedelta(days=7))
        assert note_long_pending() == 0
        clock.move_to(MONDAY + timedelta(days=8))
        assert note_long_pending() == 1 < BATCH
        keep_deadlines()
        clock.move_to(MONDAY + timedelta(days=30))
        keep_deadlines()
    with unit_of_work(STAMP, writes=False):
        told = select(func.count(col(Event.seq))).where(col(Event.type) == EventType.ASSET_PENDING_TOO_LONG)
        assert current_session().scalar(told) == 1
