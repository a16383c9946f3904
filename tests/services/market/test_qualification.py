"""Applying and assessing (UC-04.02): packages, clocks, questions, decisions, suspensions, renewals, who may what."""

import json
import zlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select, text
from sqlmodel import col

from models.assets import AssetStatus
from models.participants import Role
from models.qualifications import DataPackage, Qualification, QualificationStatus, QualificationStep
from services.core.clock import add_working_days, in_london, today
from services.core.conversation.files import Upload
from services.core.db.engine import engine
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from services.core.jobs.outbox import read_events
from services.core.register_settings import change_setting
from services.core.transaction import current_session, unit_of_work
from services.market.qualification.allowed_actions import qualification_actions
from services.market.qualification.application import apply_for_products, preview_application
from services.market.qualification.assessment import (
    AssessmentResult,
    AssessmentVerdict,
    ask_information,
    assessors,
    assign_application,
    decide_application,
    decide_like_cases,
    demand_reassessment,
    lift_suspension,
    suspend_qualification,
    take_application,
)
from services.market.qualification.counts import tally_qualifications
from services.market.qualification.data_package import package_of, read_package
from services.market.qualification.filters import QualificationFilters, parse_qualification_filters
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE, require_reassessment
from services.market.qualification.listing import get_qualification, list_qualifications, work_queue
from services.market.qualification.provider_actions import answer_information, request_renewal, withdraw_application
from services.market.qualification.records import qualification_history
from services.market.qualification.sla_clock import ClockState
from services.market.unit_changes.composition import update_composition
from services.market.unit_changes.deregistration import deregister_unit
from services.market.unit_changes.reassignment import reassign_unit
from services.market.units.units import get_unit
from tests.asset_factories import STAMP, make_actor, make_administrator, make_organisation, make_provider
from tests.market_factories import (
    BECAUSE,
    JUSTIFIED,
    apply_for,
    bad,
    good,
    make_dso,
    make_market,
    make_neso,
    make_unit,
    qualified,
    set_status,
    verified,
)

pytestmark = pytest.mark.use_case("UC-04.02")
S = QualificationStatus
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"


def at(day: int, month: int = 11, year: int = 2026) -> time_machine.travel:
    """Ten o'clock of a day."""
    return time_machine.travel(datetime(year, month, day, 10, 0, tzinfo=UTC), tick=False)


def steps(qualification: Qualification) -> list[tuple[str | None, str, int]]:
    """From, to, and the working days on the clock by then."""
    with unit_of_work(STAMP, writes=False):
        its = col(QualificationStep.qualification_id) == qualification.id
        found = current_session().scalars(select(QualificationStep).where(its).order_by(col(QualificationStep.id)))
        return [(one.from_status, one.to_status, one.working_days) for one in found]


@pytest.mark.both_engines
def test_one_package_is_frozen_for_all_products_and_each_goes_to_the_operators_who_buy_it(register: str) -> None:
    actor, operator, unit = make_market()
    make_dso("Northern Powergrid", "NPG_NE")
    preview = preview_application(actor, unit.id)
    choices = {choice.version.code: choice for choice in preview.choices}
    assert [one.id for one in choices["SU"].operators] == [operator.organisation_id]
    assert choices["PR"].operators == []
    assert "DC" not in choices, "another family"
    assert preview.blockers == []
    assert preview.summary["Unit"]["UnitId"] == str(unit.id)
    made = apply_for(actor, unit, "SU", "SAOUDA")
    assert {(one.product_code, one.status, one.addressed_to) for one in made} == {
        ("SU", S.SUBMITTED, operator.organisation_id),
        ("SAOUDA", S.SUBMITTED, operator.organisation_id),
    }
    assert len({one.package_id for one in made}) == 1
    file = read_package(operator, made[0].id)
    content = json.loads(file.content)
    assert [asset["AssetCategory"] for asset in content["Assets"]] == ["BESS"]
    assert content["ServiceProvider"]["OrganisationLegalName"] == "Northgate Flex Ltd"
    assert package_of(actor, made[1].id).sha256 == file.sha256
    assert made[0].gsp_group == "_A"
    assert made[0].capacity == 2500
    assert [event.type for event in read_events(operator)].count("qualification.submitted") == 2


def test_a_package_that_was_altered_behind_the_registers_back_is_not_handed_out(register: str) -> None:
    actor, _operator, unit = make_market()
    [made] = apply_for(actor, unit)
    with engine(writes=True).begin() as connection:
        other = zlib.compress(b"{}")
        connection.execute(text("UPDATE data_package_content SET content = :other"), {"other": other})
    with pytest.raises(Refused, match="altered"):
        read_package(actor, made.id)


def test_the_package_keeps_what_was_handed_in_while_the_unit_changes(register: str) -> None:
    actor, _operator, unit = make_market()
    [made] = apply_for(actor, unit)
    stands = get_unit(actor, unit.id).unit
    update_composition(actor, unit.id, add=[verified(actor).id], version=stands.version)
    assert json.loads(read_package(actor, made.id).content)["Unit"]["Assets"] == 1
    assert get_qualification(actor, made.id).qualification.status is S.SUBMITTED


def test_what_stands_in_the_way_of_applying(register: str) -> None:
    actor, operator, unit = make_market()
    with pytest.raises(Invalid) as refused:
        apply_for(actor, unit, "DC", "NOPE", "PR")
    assert [(one.code, one.given) for one in refused.value.findings] == [
        ("APPLY-01", "DC"),
        ("APPLY-01", "NOPE"),
        ("APPLY-03", "PR"),
    ]
    with pytest.raises(Invalid) as refused:
        apply_for(actor, unit, "SU", to=[uuid4()])
    assert [one.code for one in refused.value.findings] == ["APPLY-02"]
    apply_for(actor, unit)
    with pytest.raises(Invalid) as refused:
        apply_for(actor, unit)
    assert [one.code for one in refused.value.findings] == ["APPLY-04"]
    with pytest.raises(Invalid):
        apply_for_products(actor, unit.id, {}, version=get_unit(actor, unit.id).unit.version)
    with pytest.raises(Forbidden):
        apply_for(operator, unit)
    with pytest.raises(NotFound):
        apply_for_products(make_provider(), unit.id, {"SU": ()}, version=1)
    with pytest.raises(Conflict):
        apply_for_products(actor, unit.id, {"SAOUDA": ()}, version=99)


def test_assets_that_are_not_verified_are_named(register: str) -> None:
    actor, _operator, _unit = make_market()
    asset = verified(actor)
    unit = make_unit(actor, assets=[asset])
    set_status(asset, AssetStatus.QUERY)
    with pytest.raises(Refused) as refused:
        apply_for(actor, unit)
    assert [(one.kind, one.id) for one in refused.value.blockers] == [("asset", str(asset.id))]
    assert [one.kind for one in preview_application(actor, unit.id).blockers] == ["asset"]


def test_what_the_register_finds_missing_needs_a_justification_and_no_refusal(register: str) -> None:
    make_neso()
    actor = make_provider()
    small = verified(actor, RatedCapacity="400", GenCapacity="400", DemandCapacity=400, StorageCapacity_kWh=800)
    unit = make_unit(actor, family="RESPONSE", assets=[small])  # pyright: ignore[reportArgumentType]
    version = get_unit(actor, unit.id).unit.version
    for justification in (None, "short"):
        with pytest.raises(Invalid) as refused:
            apply_for_products(actor, unit.id, {"DC": ()}, version=version, justification=justification)
        assert refused.value.only_warnings
        assert "600" in " ".join(one.message for one in refused.value.findings)
    [made] = apply_for_products(actor, unit.id, {"DC": ()}, version=version, justification=JUSTIFIED)
    assert made.justification == JUSTIFIED


def test_the_clock_counts_working_days_and_stands_still_while_information_is_requested(register: str) -> None:
    with at(23):
        actor, operator, unit = make_market()
        [made] = apply_for(actor, unit)
        assert made.due_on == add_working_days(today(), 20)
        assert get_qualification(actor, made.id).clock.words == "20 working days left"
    with at(26):
        made = ask_information(operator, made.id, "Which meter is it?", made.version)
        assert (made.status, made.days_used, made.due_on) == (S.INFORMATION_REQUESTED, 3, None)
    with at(10, 12):
        clock = get_qualification(actor, made.id).clock
        assert (clock.state, clock.days_left) == (ClockState.PAUSED, 17)
        made = answer_information(actor, made.id, "The second one.", made.version)
        assert made.due_on == add_working_days(today(), 17)
    with at(2, 1, 2027):
        assert get_qualification(actor, made.id).clock.state is ClockState.SOON
    with at(20, 1, 2027):
        clock = get_qualification(actor, made.id).clock
        assert (clock.state, clock.days_left) == (ClockState.LATE, -9)
        made = qualified(operator, made)
        assert (made.due_on, made.clock_from) == (None, None)
        assert get_qualification(actor, made.id).clock.state is ClockState.STOPPED
    assert steps(made) == [
        (None, "SUBMITTED", 0),
        ("SUBMITTED", "IN_ASSESSMENT", 3),
        ("IN_ASSESSMENT", "INFORMATION_REQUESTED", 3),
        ("INFORMATION_REQUESTED", "IN_ASSESSMENT", 3),
        ("IN_ASSESSMENT", "QUALIFIED", 29),
    ]


def test_the_time_an_operator_has_is_a_setting(register: str) -> None:
    actor, _operator, unit = make_market()
    change_setting(make_administrator(), "qualification.sla_days", "5", 0)
    [made] = apply_for(actor, unit)
    assert made.due_on == add_working_days(today(), 5)


@pytest.mark.both_engines
def test_an_application_from_question_to_decision(register: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    made = take_application(operator, made.id, made.version)
    assert (made.status, made.assigned_name) == (S.IN_ASSESSMENT, "Owen Price")
    made = ask_information(operator, made.id, "Which meter is it?", made.version, [Upload("plan.pdf", PDF)])
    with pytest.raises(Forbidden):
        answer_information(operator, made.id, "I don't know.", made.version)
    with pytest.raises(Refused):
        decide_application(operator, made.id, good(), made.version)
    before = made.package_id
    made = answer_information(actor, made.id, "The second one.", made.version, fresh_package=True)
    assert made.package_id != before
    with pytest.raises(Forbidden):
        decide_application(actor, made.id, good(), made.version)
    made = decide_application(operator, made.id, good(conditions="Not in winter."), made.version)
    assert (made.status, made.conditions, made.valid_from) == (S.QUALIFIED, "Not in winter.", today())
    assert made.qualified_at is not None
    assert next(change.operation for change in qualification_history(actor, made.id)) == "decide_application"


def test_everything_wrong_with_a_decision_is_said_at_once(register: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    wrong = (
        (AssessmentResult(AssessmentVerdict.QUALIFIED, ""), ["QUAL-01", "QUAL-04"]),
        (AssessmentResult(AssessmentVerdict.QUALIFIED, BECAUSE, valid_until=today() - timedelta(days=1)), ["QUAL-04"]),
        (
            AssessmentResult(AssessmentVerdict.QUALIFIED, BECAUSE, valid_until=today() + timedelta(days=5000)),
            ["QUAL-04"],
        ),
        (good(conditions="x" * 2001), ["QUAL-05"]),
        (AssessmentResult(AssessmentVerdict.FAILED, "", reason_code="SAFETY"), ["QUAL-01", "QUAL-02"]),
    )
    for outcome, codes in wrong:
        with pytest.raises(Invalid) as refused:
            decide_application(operator, made.id, outcome, made.version)
        assert [one.code for one in refused.value.findings] == codes
    assert get_qualification(actor, made.id).qualification.status is S.SUBMITTED
    failed = decide_application(operator, made.id, bad(), made.version)
    assert (failed.status, failed.reason_code, failed.qualified_at) == (S.FAILED, "TEST_FAILED", None)
    assert apply_for(actor, unit)[0].id != made.id, "a failed one doesn't keep the unit from applying again"


def test_who_reads_and_who_decides(register: str) -> None:
    actor, _operator, unit = make_market()
    rival, stranger, admin = make_provider("Lumen"), make_dso("SSEN", "SSEN_SEPD"), make_administrator()
    [made] = apply_for(actor, unit)
    for somebody in (rival, stranger, make_dso("UK Power Networks South", "UKPN_SPN")):
        with pytest.raises(NotFound):
            get_qualification(somebody, made.id)
        with pytest.raises(NotFound):
            read_package(somebody, made.id)
        assert list_qualifications(somebody).items == []
        assert "qualification.submitted" not in {event.type for event in read_events(somebody)}
    with pytest.raises(NotFound):
        take_application(stranger, made.id, made.version)
    with pytest.raises(Forbidden):
        take_application(admin, made.id, made.version)
    assert get_qualification(admin, made.id).operator == "UK Power Networks Ltd"
    viewer = make_actor(make_organisation("Programme", ("Other",)), Role.VIEWER)
    with pytest.raises(Forbidden):
        list_qualifications(viewer)


def test_a_stale_version_says_what_the_other_did(register: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    read = made.version
    take_application(operator, made.id, read)
    with pytest.raises(Conflict) as refused:
        withdraw_application(actor, made.id, "Not needed any more.", read)
    assert "Status" in refused.value.changes
    assert refused.value.current["Status"] == "IN_ASSESSMENT"


def test_assigning_within_the_own_organisation(register: str) -> None:
    actor, operator, unit = make_market()
    assert operator.user_id is not None
    [made] = apply_for(actor, unit)
    assert [one.name for one in assessors(operator)] == ["Owen Price"]
    made = assign_application(operator, made.id, operator.user_id, made.version)
    assert made.assigned_name == "Owen Price"
    with pytest.raises(Invalid):
        assign_application(operator, made.id, actor.user_id, made.version)
    assert assign_application(operator, made.id, None, made.version).assigned_to is None


@pytest.mark.both_engines
def test_like_cases_are_decided_together_all_or_none(register: str) -> None:
    actor, operator, unit = make_market()
    others = [make_unit(actor, name=f"Unit {number}") for number in (1, 2)]
    made = [apply_for(actor, one)[0] for one in (unit, *others)]
    [odd] = apply_for(actor, unit, "SAOUDA")
    with pytest.raises(Invalid) as refused:
        decide_like_cases(operator, [(one.id, one.version) for one in (*made, odd)], good())
    assert [one.code for one in refused.value.findings] == ["QUAL-07"]
    with pytest.raises(Invalid):
        decide_like_cases(operator, [(made[0].id, made[0].version)] * 2, good())
    stale = [(made[0].id, made[0].version), (made[1].id, made[1].version + 1)]
    with pytest.raises(Refused) as blocked:
        decide_like_cases(operator, stale, good())
    assert [one.id for one in blocked.value.blockers] == [str(made[1].id)]
    assert get_qualification(actor, made[0].id).qualification.status is S.SUBMITTED
    done = decide_like_cases(operator, [(one.id, one.version) for one in made], good())
    assert {one.status for one in done} == {S.QUALIFIED}
    with pytest.raises(Refused) as blocked:
        decide_like_cases(operator, [(one.id, one.version) for one in done], bad())
    assert len(blocked.value.blockers) == 3


def test_suspending_lifting_and_assessing_again_keep_the_approval(register: str) -> None:
    actor, operator, unit = make_market()
    made = qualified(operator, apply_for(actor, unit)[0])
    approved = made.qualified_at
    with pytest.raises(Invalid):
        suspend_qualification(operator, made.id, "CAPACITY", "It is unsafe.", made.version)
    made = suspend_qualification(operator, made.id, "SAFETY", "It is unsafe.", made.version)
    made = lift_suspension(operator, made.id, "It is safe again.", made.version)
    assert (made.status, made.qualified_at) == (S.QUALIFIED, approved)
    made = demand_reassessment(operator, made.id, "PERIODIC", "Three years have gone.", made.version)
    assert (made.status, made.qualified_at, made.due_on) == (
        S.REASSESSMENT_REQUIRED,
        approved,
        add_working_days(today(), 20),
    )
    made = suspend_qualification(operator, made.id, "SAFETY", "It is unsafe.", made.version)
    made = lift_suspension(operator, made.id, "It is safe again.", made.version)
    assert (made.status, made.reason_code) == (S.REASSESSMENT_REQUIRED, "PERIODIC")
    made = ask_information(operator, made.id, "Is it the same meter?", made.version)
    assert made.qualified_at == approved
    made = answer_information(actor, made.id, "It is.", made.version)
    made = decide_application(operator, made.id, good(730), made.version)
    assert (made.status, made.qualified_at) == (S.QUALIFIED, approved)
    made = request_renewal(actor, made.id, "It ends in May.", made.version)
    assert (made.status, made.reason_code, made.qualified_at) == (S.REASSESSMENT_REQUIRED, "RENEWAL", approved)
    made = withdraw_application(actor, made.id, "The site closes.", made.version)
    assert (made.status, made.qualified_at) == (S.WITHDRAWN, None)
    with pytest.raises(Refused):
        withdraw_application(actor, made.id, "The site closes.", made.version)


def test_a_material_change_of_the_unit_asks_for_a_new_assessment(register: str) -> None:
    actor, operator, unit = make_market()
    made = qualified(operator, apply_for(actor, unit)[0])
    [waiting] = apply_for(actor, unit, "SAOUDA")
    version = get_unit(actor, unit.id).unit.version
    update_composition(actor, unit.id, add=[verified(actor).id], version=version)
    line = get_qualification(operator, made.id)
    assert line.qualification.status is S.REASSESSMENT_REQUIRED
    assert line.qualification.qualified_at is not None
    assert get_qualification(operator, waiting.id).qualification.status is S.SUBMITTED
    assert "qualification.unit_changed" in {event.type for event in read_events(operator)}
    taken = take_application(operator, made.id, line.qualification.version)
    assert taken.capacity == 5000, "a re-assessment rests on the unit as it is now"


def test_a_change_while_suspended_waits_for_the_suspension_to_be_lifted(register: str) -> None:
    actor, operator, unit = make_market()
    made = qualified(operator, apply_for(actor, unit)[0])
    made = suspend_qualification(operator, made.id, "SAFETY", "It is unsafe.", made.version)
    with unit_of_work(STAMP, writes=True):
        assert require_reassessment(unit.id, "UNIT_CHANGED", "An asset was added.") == []
    made = get_qualification(operator, made.id).qualification
    assert made.status is S.SUSPENDED
    made = lift_suspension(operator, made.id, "It is safe again.", made.version)
    assert (made.status, made.reason_code) == (S.REASSESSMENT_REQUIRED, "UNIT_CHANGED")


@pytest.mark.both_engines
def test_what_a_unit_is_qualified_for_ends_with_it_and_moves_with_it(register: str) -> None:
    actor, operator, unit = make_market()
    made = qualified(operator, apply_for(actor, unit)[0])
    gaining, admin = make_provider("Lumen"), make_administrator()
    assert gaining.organisation_id is not None
    version = get_unit(actor, unit.id).unit.version
    evidence = "The contract of 1 May 2026."
    reassign_unit(admin, unit.id, gaining.organisation_id, evidence, version)
    moved = get_qualification(gaining, made.id).qualification
    assert (moved.status, moved.reason_code) == (S.REASSESSMENT_REQUIRED, "REASSIGNED")
    with pytest.raises(NotFound):
        get_qualification(actor, made.id)
    version = get_unit(gaining, unit.id).unit.version
    deregister_unit(gaining, unit.id, "The site was sold.", version)
    assert get_qualification(gaining, made.id).qualification.status is S.WITHDRAWN


@pytest.mark.both_engines
def test_the_queue_goes_by_the_clock_and_its_filters_add_up(register: str) -> None:
    with at(2):
        actor, operator, unit = make_market()
        [old] = apply_for(actor, unit)
    with at(20):
        [asked] = apply_for(actor, make_unit(actor))
        [new] = apply_for(actor, make_unit(actor), "SAOUDA")
        asked = ask_information(operator, asked.id, "Which meter?", asked.version)
        decided = qualified(operator, apply_for(actor, make_unit(actor))[0])
    with at(30, 11):
        found = [line.qualification.id for line in work_queue(operator)]
        assert found == [old.id, new.id, asked.id, decided.id]

        def with_(**given: str) -> list[object]:
            filters = parse_qualification_filters({term: [value] for term, value in given.items()})
            return [line.qualification.id for line in list_qualifications(operator, filters).items]

        assert with_(Clock="SOON") == [old.id]
        assert with_(Clock="PAUSED") == [asked.id]
        assert with_(Clock="STOPPED", Status="QUALIFIED") == [decided.id]
        assert with_(ProductCode="SAOUDA") == [new.id]
        assert with_(AssignedTo="me", GspGroup="_A") == [decided.id, asked.id]
        assert with_(AssignedTo="nobody", Clock="IN_TIME") == [new.id]
        assert with_(EndsWithinDays="366") == [decided.id]
        last = decided.valid_until
        assert last is not None
        assert with_(EndsFrom=last.isoformat(), EndsUntil=last.isoformat()) == [decided.id]
        assert with_(EndsUntil=(last - timedelta(days=1)).isoformat()) == []
        day = in_london(decided.status_since).date().isoformat()
        assert with_(Became="QUALIFIED", BecameFrom=day, BecameUntil=day) == [decided.id]
        assert with_(Became="QUALIFIED", BecameFrom=today().isoformat()) == []
        assert with_(Became="INFORMATION_REQUESTED") == [asked.id]
        assert with_(Became="IN_ASSESSMENT", Status="QUALIFIED") == [decided.id], "wherever it stands now"
        assert with_(ReasonCode="TEST_FAILED") == []
        tally = tally_qualifications(operator, QualificationFilters(product=("SU",)))
        assert tally.statuses == {"SUBMITTED": 1, "INFORMATION_REQUESTED": 1, "QUALIFIED": 1}
        assert tally.clocks[ClockState.SOON] == 1
    for term, value in (
        ("Status", "GOOD"),
        ("Clock", "x"),
        ("UnitId", "x"),
        ("EndsWithinDays", "-1"),
        ("EndsFrom", "1 May"),
        ("BecameUntil", "20260501"),
        ("Became", "GOOD"),
        ("AssignedTo", "x"),
    ):
        with pytest.raises(Invalid):
            parse_qualification_filters({term: [value]})


@pytest.mark.both_engines
def test_pages_of_the_list_follow_each_other(register: str) -> None:
    actor, _operator, unit = make_market()
    made = apply_for(actor, unit, "SU", "SAOUDA") + apply_for(actor, make_unit(actor))
    first = list_qualifications(actor, limit=2)
    second = list_qualifications(actor, after=first.next_cursor, limit=2)
    assert len(first.items) == 2
    assert second.next_cursor is None
    assert {line.qualification.id for line in (*first.items, *second.items)} == {one.id for one in made}


def test_what_can_be_done_and_why_not(register: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    mine = {action.operation: action for action in qualification_actions(actor, made.id)}
    theirs = {action.operation: action for action in qualification_actions(operator, made.id)}
    assert [name for name, action in mine.items() if action.allowed] == ["withdraw_application"]
    assert mine["answer_information"].why_not == "It is Submitted. Nothing is asked."
    assert mine["take_application"].why_not == "Only the system operator it is addressed to can do this."
    allowed = {name for name, action in theirs.items() if action.allowed}
    assert allowed == {"take_application", "decide_application", "ask_information", "assign_application"}


def test_what_has_ended_stays_ended() -> None:
    for ended in (S.FAILED, S.WITHDRAWN, S.EXPIRED):
        assert not [step for step in QUALIFICATION_LIFE_CYCLE.transitions if step.source == ended]


def test_packages_are_ledgered(register: str) -> None:
    actor, _operator, unit = make_market()
    [made] = apply_for(actor, unit)
    with unit_of_work(STAMP, writes=False):
        package = current_session().get_one(DataPackage, made.package_id)
    assert (package.version, package.assets, package.composition) == (1, 1, 1)
