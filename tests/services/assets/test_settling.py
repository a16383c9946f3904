"""Differences are settled, answered and accepted one by one; the asset stays in its query until none is open (UC-02.01)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from models.assets import Asset, AssetStatus, CheckSource, MessageKind
from models.core import Event
from services.assets.asset_page.page import whole_asset, whole_asset_as_of
from services.assets.asset_page.provenance import Origin, provenance_of
from services.assets.asset_page.timeline import Touches, asset_timeline
from services.assets.checks.accept_source_value import accept_theirs
from services.assets.checks.differences import ABSENT, differences_of
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.queries import QueryDecision, answer_query, messages_of, settle_query
from services.assets.checks.run import checks_of, request_checks
from services.assets.checks.settlement import answer_differences, settle_differences
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.assets.sources.loading import load_source
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import read_events
from services.core.jobs.worker import work_through
from services.core.ledger.verifying import verify_ledger
from services.core.settings import settings
from tests.asset_factories import (
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
BOTH = ["Latitude, Longitude", "RatedCapacity"]


@pytest.fixture(autouse=True)
def _no_outside_systems(register: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only the connection register speaks here: it is loaded, not asked over a network."""
    for name in ("FMAR_MPAN_REGISTER_URL", "FMAR_INSTALLATION_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def load(mpan: str, megawatts: str, latitude: str, day: str = "2025-08") -> None:
    """An edition of a register with one battery."""
    row = f",{mpan},RIVERSIDE,CB1 2JD,{latitude},0.1218,{STORAGE},Connected,{megawatts}"
    load_source(system_actor(), f"{HEADINGS}\n{row}".encode(), f"ecr-{day}.csv")


def queried(actor: Actor, mpan: str | None = None) -> Asset:
    """A battery of 2,500 kW in Cambridge; the register says 1 MW, and 11 km further north: two differences."""
    mpan = mpan or an_mpan()
    load(mpan, "1.0", "52.3053")
    values = battery(ImportMPAN=mpan, GenCapacity="1000", DemandCapacity="1000")
    asset = register_asset(actor, values, justification="Accepted for this test.")
    work_through()
    asset = get_asset(actor, asset.id)
    assert asset.status is AssetStatus.QUERY
    assert sorted(one.field for one in differences_of(checks_of(actor, asset.id))) == BOTH
    return asset


def kinds(actor: Actor, asset: Asset) -> list[MessageKind]:
    """What was said, by kind."""
    return [message.kind for message in messages_of(actor, asset.id)]


def test_the_asset_stays_in_its_query_until_the_last_difference_is_settled(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    with pytest.raises(Forbidden):
        settle_differences(
            actor, asset.id, DifferenceRuling.DECLARED_STANDS, "I say so.", asset.version, ["RatedCapacity"]
        )
    with pytest.raises(Invalid):
        settle_differences(operator, asset.id, DifferenceRuling.DECLARED_STANDS, " ", asset.version, ["RatedCapacity"])
    with pytest.raises(Invalid, match="needs correcting"):
        settle_differences(
            operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Seen it.", asset.version, ["Postcode"]
        )
    half = settle_differences(
        operator,
        asset.id,
        DifferenceRuling.DECLARED_STANDS,
        "The uprating letter was shown.",
        asset.version,
        ["RatedCapacity"],
    )
    assert half.status is AssetStatus.QUERY
    assert half.version == asset.version + 1
    assert "Rated capacity" not in (half.status_reason or "")
    told = provenance_of(actor, asset.id)
    assert (told["RatedCapacity"].origin, told["Latitude"].origin) == (Origin.SETTLED, Origin.DIFFERS)
    settled = told["RatedCapacity"].statements[0].difference
    assert settled is not None
    assert (settled.by, settled.reason) == ("Ada Field", "The uprating letter was shown.")
    whole = settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "The plan shows it.", half.version, ["Latitude"]
    )
    assert whole.status is AssetStatus.VERIFIED
    assert kinds(actor, asset) == [MessageKind.QUERY, MessageKind.DECISION]
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
    assert verify_ledger(system_actor()).faults == []


def test_whoever_decides_on_an_older_version_is_told_what_was_decided(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Letter shown.", asset.version, ["RatedCapacity"]
    )
    with pytest.raises(Conflict, match="Ada Field decided on rated capacity") as stale:
        settle_differences(
            operator, asset.id, DifferenceRuling.THEIRS_RIGHT, "No letter.", asset.version, ["RatedCapacity"]
        )
    assert "StatusReason" in stale.value.changes
    with pytest.raises(Conflict, match="Letter shown"):
        answer_query(actor, asset.id, "It was uprated.", asset.version)


@pytest.mark.both_engines
def test_all_at_once_and_a_second_thought(register: str) -> None:
    """A source found right asks the FSP for a change; the operator may think better of it."""
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    asked = settle_differences(operator, asset.id, DifferenceRuling.THEIRS_RIGHT, "No proof was given.", asset.version)
    assert asked.status is AssetStatus.QUERY
    last = messages_of(actor, asset.id)[-1]
    assert last.kind is MessageKind.QUERY
    assert "says 1,000.00 kW. Please change what is declared (2,500.00 kW)." in last.text
    assert last.text.endswith("No proof was given.")
    done = settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Proof came by post.", asked.version, BOTH
    )
    assert done.status is AssetStatus.VERIFIED
    with pytest.raises(Refused, match="while it is in review"):
        settle_differences(operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Once more.", done.version)


def test_a_question_of_a_person_outlives_the_differences(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    answered = answer_query(actor, asset.id, "All of it is right.", asset.version)
    asked = settle_query(operator, asset.id, QueryDecision.ASK_AGAIN, "Who owns the land?", answered.version)
    kept = settle_differences(operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Seen the papers.", asked.version)
    assert kept.status is AssetStatus.QUERY
    assert "Who owns the land?" in (kept.status_reason or "")
    told = answer_query(actor, asset.id, "We do.", kept.version)
    assert settle_query(operator, asset.id, QueryDecision.VERIFY, "Fine.", told.version).status is AssetStatus.VERIFIED


def test_the_provider_accepts_one_and_answers_the_other(register: str) -> None:
    """The value taken over is checked again and agrees; what was answered before is still answered afterwards."""
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    half = answer_differences(actor, asset.id, {"Latitude": "The site moved last year."}, asset.version)
    assert half.status is AssetStatus.QUERY
    with pytest.raises(Invalid):
        answer_differences(actor, asset.id, {"Postcode": "It is right."}, half.version)
    taken = accept_theirs(actor, asset.id, half.version, ["RatedCapacity"], justification="Accepted for this test.")
    assert taken.rated_capacity == Decimal("1000.00")
    work_through()
    open_ones = [one for one in differences_of(checks_of(actor, asset.id)) if one.open]
    assert [(one.field, one.answer) for one in open_ones] == [("Latitude, Longitude", "The site moved last year.")]
    assert provenance_of(actor, asset.id)["RatedCapacity"].origin is Origin.VERIFIED
    whole = get_asset(actor, asset.id)
    assert whole.status is AssetStatus.PENDING_VALIDATION, "all that is open has been answered"
    verdict = settle_differences(operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Plan seen.", whole.version)
    assert verdict.status is AssetStatus.VERIFIED


def test_a_source_found_right_and_accepted_needs_nobody_else(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    asked = settle_differences(operator, asset.id, DifferenceRuling.THEIRS_RIGHT, "Please correct both.", asset.version)
    accept_theirs(actor, asset.id, asked.version, justification="Accepted for this test.")
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.VERIFIED
    assert kinds(actor, asset)[-1] is MessageKind.DECISION


def test_what_a_source_does_not_know_is_settled_too(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    load(an_mpan(), "1.0", "52.3053")
    asset = register_asset(actor, battery(), justification="Accepted for this test.")
    work_through()
    asset = get_asset(actor, asset.id)
    [absence] = differences_of(checks_of(actor, asset.id))
    assert (absence.field, absence.source) == (ABSENT, CheckSource.CONNECTION_REGISTER)
    with pytest.raises(Refused, match="can't be taken over"):
        accept_theirs(actor, asset.id, asset.version, [ABSENT])
    done = settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Too new for it.", asset.version, [ABSENT]
    )
    assert done.status is AssetStatus.VERIFIED
    [settled] = differences_of(checks_of(actor, asset.id))
    assert (settled.open, settled.by, settled.reason) == (False, "Ada Field", "Too new for it.")


def test_a_second_check_does_not_ask_again_what_was_settled_in_part(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    answered = answer_query(actor, asset.id, "Both are right.", asset.version)
    settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Seen.", answered.version, ["RatedCapacity"]
    )
    request_checks(operator, asset.id)
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.PENDING_VALIDATION
    assert [one.open for one in differences_of(checks_of(actor, asset.id))] == [False, True]
    assert kinds(actor, asset) == [MessageKind.QUERY, MessageKind.ANSWER]


def test_what_is_answered_in_part_is_asked_again_by_a_check(register: str) -> None:
    """Another change starts the checks anew: the difference that nobody answered is still a query."""
    actor = make_provider()
    asset = queried(actor)
    half = answer_differences(actor, asset.id, {"RatedCapacity": "Uprated in May."}, asset.version)
    changed = update_asset(actor, asset.id, {"Longitude": "0.1219"}, half.version)
    assert changed.status is AssetStatus.PENDING_VALIDATION
    work_through()
    assert get_asset(actor, asset.id).status is AssetStatus.QUERY


@pytest.mark.use_case("UC-05.06")
def test_the_whole_page_as_it_stood(register: str) -> None:
    """Facts, checks, query, differences and status of the day before, after everything has moved on."""
    actor, operator = make_provider(), make_administrator()
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        asset = queried(actor)
        clock.move_to(start + timedelta(days=1))
        half = settle_differences(
            operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Letter shown.", asset.version, ["RatedCapacity"]
        )
        clock.move_to(start + timedelta(days=2))
        settle_differences(operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Plan shown.", half.version)
    with pytest.raises(NotFound):
        whole_asset_as_of(actor, asset.id, start - timedelta(days=1))
    then = [whole_asset_as_of(actor, asset.id, start + timedelta(days=day, hours=1)) for day in range(3)]
    now_stands = whole_asset(actor, asset.id)
    assert [one.asset.status for one in then] == [AssetStatus.QUERY, AssetStatus.QUERY, AssetStatus.VERIFIED]
    assert [sum(one.open for one in page.differences) for page in then] == [2, 1, 0]
    assert [page.provenance["RatedCapacity"].origin for page in then] == [
        Origin.DIFFERS,
        Origin.SETTLED,
        Origin.SETTLED,
    ]
    assert [len(page.messages) for page in then] == [1, 1, 2]
    assert then[0].actions == []
    assert then[2].provenance == now_stands.provenance
    with pytest.raises(NotFound):
        whole_asset_as_of(make_provider("Rival"), asset.id, start)


@pytest.mark.use_case("UC-05.06")
def test_the_timeline_tells_every_act_once_with_who_and_what(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    half = settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Letter shown.", asset.version, ["RatedCapacity"]
    )
    answer_query(actor, asset.id, "The rest is right too.", half.version)
    told = asset_timeline(actor, asset.id)
    assert [one.operation for one in told] == [
        "answer_query",
        "settle_differences",
        "conclude_checks",
        "register_asset",
    ]
    assert [one.actor for one in told] == ["Priya Shah", "Ada Field", "The register", "Priya Shah"]
    assert told[1].checks[0].marks == ["Rated capacity: the declared value stands. Letter shown."]
    assert told[2].touches == {Touches.RECORD, Touches.STATUS, Touches.CHECKS, Touches.QUERY}
    assert told[0].messages[0].message.text == "The rest is right too."
    assert asset_timeline(operator, asset.id) == told


def test_an_event_tells_of_a_settled_difference(register: str) -> None:
    actor, operator = make_provider(), make_administrator()
    asset = queried(actor)
    settle_differences(
        operator, asset.id, DifferenceRuling.DECLARED_STANDS, "Letter.", asset.version, ["RatedCapacity"]
    )
    [told] = [event for event in read_events(actor) if event.type == "asset.difference_settled"]
    assert isinstance(told, Event)
    assert told.payload == {"fields": ["RatedCapacity"], "verdict": "DECLARED_STANDS", "left": 1}


def test_provenance_names_who_declared_a_value_and_how_one_was_worked_out(register: str) -> None:
    organisation = make_organisation("Northgate")
    actor = make_actor(organisation)
    asset = register_asset(actor, battery(), justification="Accepted for this test.")
    told = provenance_of(actor, asset.id)
    assert (told["Manufacturer"].declared_by, told["Manufacturer"].declared_for) == ("Priya Shah", "Northgate Ltd")
    assert told["StorageCapacity_kWh"].declared_at is not None
    assert told["InstalledCapacity"].origin is Origin.DERIVED
    assert "rated capacity stands for it" in (told["InstalledCapacity"].explanation or "")
    with pytest.raises(NotFound):
        provenance_of(make_provider("Rival"), asset.id)
