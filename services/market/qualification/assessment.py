"""Assessment of applications by the addressed system operator: take, assign, ask, decide, one or many (UC-04.02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, cast, select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, Role, User, UserStatus
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus, SaidKind
from services.core.clock import now, today
from services.core.conversation.files import Upload
from services.core.errors import Blocker, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.data_package import refresh_package
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE, TAKEN_FROM, change_status
from services.market.qualification.messages import add_message
from services.market.qualification.reason_codes import (
    MAX_LENGTH,
    ReasonKind,
    check_reason_code,
    check_words,
    clean_text,
    require_words,
)
from services.market.qualification.records import reach_at_version, stale_conflict

S = QualificationStatus
ASSESS = "qualification.assess"
DECIDED_FROM = (*TAKEN_FROM, S.IN_ASSESSMENT)
MAX_VALIDITY_YEARS = 10
MAX_CASES = 500


class AssessmentVerdict(StrEnum):
    """The verdict of an assessment."""

    QUALIFIED = "QUALIFIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class AssessmentResult:
    """A decision on one application or on many like cases.

    Qualified: valid from a day (today when None) to a day, both included, with conditions if any. Failed: a coded reason.
    """

    verdict: AssessmentVerdict
    reason: str
    valid_from: date | None = None
    valid_until: date | None = None
    conditions: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class Assessor:
    """A person of the SO to whom applications can be assigned."""

    user_id: UUID
    name: str


@operation("UC-04.02", permission=ASSESS, name="take_application")
def take_application(actor: Actor, qualification_id: UUID, version: int) -> Qualification:
    """Take an application, or a unit that is to be assessed again: it is assigned to the actor.

    A re-assessment rests on a fresh data package. Raises Conflict when stale, Refused in another state.
    """
    qualification = reach_at_version(actor, qualification_id, ASSESS, version)
    begin_assessment(actor, qualification)
    return qualification


def begin_assessment(actor: Actor, qualification: Qualification) -> None:
    """Begin the assessment; the caller, an operation, has checked that the actor may. Raises Refused in another state."""
    is_reassessment = qualification.status is S.REASSESSMENT_REQUIRED
    change_status(
        qualification,
        S.IN_ASSESSMENT,
        "take_application",
        reason_code=qualification.reason_code if is_reassessment else None,
    )
    if is_reassessment:
        refresh_package(qualification)
    if actor.user_id is not None:
        qualification.assigned_to, qualification.assigned_name = actor.user_id, actor.name
    current_session().flush()


@operation("UC-04.02", permission=ASSESS, writes=False, name="assessors")
def assessors(actor: Actor) -> list[Assessor]:
    """List the people of the actor's organisation who assess applications, by name."""
    return _list_assessors(actor)


def _list_assessors(actor: Actor) -> list[Assessor]:
    people = (
        select(col(User.id), col(User.full_name))
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            col(Membership.organisation_id) == actor.organisation_id,
            col(Membership.status) == MembershipStatus.ACTIVE,
            col(User.status) == UserStatus.ACTIVE,
            cast(col(Membership.roles), String).contains(f'"{Role.SO_USER}"'),
        )
        .order_by(col(User.full_name), col(User.id))
    )
    return [Assessor(*row) for row in current_session().execute(people)]


@operation("UC-04.02", permission=ASSESS, name="assign_application")
def assign_application(actor: Actor, qualification_id: UUID, person: UUID | None, version: int) -> Qualification:
    """Assign an application to a person of the actor's organisation, or to nobody (None).

    Raises Conflict when stale, Invalid for somebody who doesn't assess there.
    """
    qualification = reach_at_version(actor, qualification_id, ASSESS, version)
    name, findings = find_assignee(actor, person)
    if findings:
        raise Invalid(findings)
    assign(qualification, person, name)
    return qualification


def find_assignee(actor: Actor, person: UUID | None) -> tuple[str | None, list[Finding]]:
    """Find the name of the person to assign (None: nobody); return it with a finding for somebody who doesn't assess."""
    names = {assessor.user_id: assessor.name for assessor in _list_assessors(actor)}
    if person is None or person in names:
        return None if person is None else names[person], []
    expected = f"One of {', '.join(names.values()) or 'nobody: no one of your organisation assesses'}"
    words = "Applications are given to people of your own organisation who assess them."
    return None, [Finding("QUAL-03", "AssignedTo", str(person), expected, words)]


def assign(qualification: Qualification, person: UUID | None, name: str | None) -> None:
    """Assign an application; the caller, an operation, has checked that the person assesses."""
    qualification.assigned_to, qualification.assigned_name = person, name
    current_session().flush()


@operation("UC-04.02", permission=ASSESS, name="ask_information")
def ask_information(
    actor: Actor, qualification_id: UUID, question: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Ask the FSP a question: the SLA clock pauses until it answers. Takes the application first, where nobody has.


    Raises Conflict when stale, Invalid without a question, Refused in another state.
    """
    qualification = reach_at_version(actor, qualification_id, ASSESS, version)
    question_text = require_words("Question", question)
    if qualification.status in TAKEN_FROM:
        begin_assessment(actor, qualification)
    change_status(qualification, S.INFORMATION_REQUESTED, "ask_information", reason=question_text)
    add_message(actor, qualification, SaidKind.QUESTION, question_text, files)
    return qualification


@operation("UC-04.02", permission=ASSESS, name="decide_application")
def decide_application(
    actor: Actor, qualification_id: UUID, outcome: AssessmentResult, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Qualify a unit or fail it, with reason and evidence. Takes the application first, where nobody has.

    Raises Conflict when stale, Invalid with every finding, Refused in a state in which nothing is decided.
    """
    qualification = reach_at_version(actor, qualification_id, ASSESS, version)
    if findings := check_outcome(outcome):
        raise Invalid(findings)
    _decide(actor, qualification, outcome, files)
    return qualification


def check_outcome(outcome: AssessmentResult) -> list[Finding]:
    """Check a decision, whatever it is on; return every finding."""
    findings = check_words("Reason", outcome.reason)
    if outcome.verdict is AssessmentVerdict.FAILED:
        return findings + check_reason_code(ReasonKind.FAIL, outcome.reason_code or "")
    begin, end = outcome.valid_from or today(), outcome.valid_until
    last = begin.replace(year=begin.year + MAX_VALIDITY_YEARS, day=min(begin.day, 28))
    expected = f"a day from {max(begin, today())} to {last}"
    if end is None or not max(begin, today()) <= end <= last:
        value = None if end is None else str(end)
        findings.append(Finding("QUAL-04", "ValidUntil", value, expected, f"Say until when it is valid: {expected}."))
    if len(clean_text(outcome.conditions or "")) > MAX_LENGTH:
        words = f"Conditions have at most {MAX_LENGTH:,} characters."
        findings.append(Finding("QUAL-05", "Conditions", None, f"at most {MAX_LENGTH:,} characters", words))
    return findings


def _decide(
    actor: Actor, qualification: Qualification, outcome: AssessmentResult, files: Sequence[Upload] = ()
) -> None:
    if qualification.status in TAKEN_FROM:
        begin_assessment(actor, qualification)
    reason = clean_text(outcome.reason)
    if outcome.verdict is AssessmentVerdict.FAILED:
        change_status(qualification, S.FAILED, "fail_application", reason_code=outcome.reason_code, reason=reason)
    else:
        approve(qualification, outcome.valid_from or today(), outcome.valid_until, clean_text(outcome.conditions or ""))
        change_status(qualification, S.QUALIFIED, "qualify_application", reason=reason)
    qualification.decided_at = now()
    add_message(actor, qualification, SaidKind.DECISION, reason, files)


def approve(qualification: Qualification, begin: date, end: date | None, conditions: str) -> None:
    """Approve for a period (both days included) under conditions; the first moment of approval stays."""
    qualification.qualified_at = qualification.qualified_at or now()
    qualification.valid_from, qualification.valid_until = begin, end
    qualification.conditions = conditions or None
    qualification.reassess_after = None


@operation("UC-04.02", permission=ASSESS, name="decide_like_cases")
def decide_like_cases(
    actor: Actor, cases: Sequence[tuple[UUID, int]], outcome: AssessmentResult
) -> list[Qualification]:
    """Decide many applications for one version of one product alike, each from the version that was read: all or none.

    Raises NotFound when an application is unseen, Invalid for a faulty decision or applications that aren't alike, Refused
    naming each that is stale or can't be decided in its state.
    """
    findings = check_outcome(outcome)
    if not 1 <= len(cases) <= MAX_CASES or len({identifier for identifier, _ in cases}) < len(cases):
        expected = f"1 to {MAX_CASES} applications, each once"
        findings.append(Finding("QUAL-06", "Cases", str(len(cases)), expected, f"Choose {expected}."))
        raise Invalid(findings)
    applications = [reach(Qualification, actor, identifier, ASSESS) for identifier, _ in cases]
    kinds = sorted(
        {f"{application.product_code} version {application.product_version}" for application in applications}
    )
    if len(kinds) > 1:
        words = "Like cases are applications for one version of one product. Choose fewer."
        findings.append(Finding("QUAL-07", "Cases", ", ".join(kinds), "One product, one version", words))
    if findings:
        raise Invalid(findings)
    blockers = [
        blocker
        for application, (_, version) in zip(applications, cases, strict=True)
        if (blocker := _find_decision_blocker(application, version)) is not None
    ]
    if blockers:
        raise Refused(f"None was decided: {len(blockers)} of {len(applications)} can't be decided now.", blockers)
    for application in applications:
        _decide(actor, application, outcome)
    return applications


def _find_decision_blocker(qualification: Qualification, version: int) -> Blocker | None:
    if qualification.version != version:
        label = f"{qualification.product_code}: {stale_conflict(qualification, version).message}"
        return Blocker("qualification", str(qualification.id), label, "Open it, then choose again")
    if qualification.status not in DECIDED_FROM:
        label = f"An application is {QUALIFICATION_LABELS[qualification.status]}"
        return Blocker("qualification", str(qualification.id), label, "Leave it out")
    return None


@operation("UC-04.02", permission=ASSESS, name="suspend_qualification")
def suspend_qualification(
    actor: Actor, qualification_id: UUID, reason_code: str, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Suspend a qualification, with a coded reason: the unit can't deliver until the suspension is lifted."""
    qualification = _require_coded_reason(actor, qualification_id, version, ReasonKind.SUSPEND, reason_code, reason)
    if qualification.status is S.REASSESSMENT_REQUIRED:
        qualification.reassess_after = qualification.reason_code
    change_status(
        qualification, S.SUSPENDED, "suspend_qualification", reason_code=reason_code, reason=clean_text(reason)
    )
    add_message(actor, qualification, SaidKind.DECISION, clean_text(reason), files)
    return qualification


@operation("UC-04.02", permission=ASSESS, name="lift_suspension")
def lift_suspension(
    actor: Actor, qualification_id: UUID, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Lift a suspension: Qualified again, or Re-assessment Required where the unit changed meanwhile."""
    qualification = reach_at_version(actor, qualification_id, ASSESS, version)
    words = require_words("Reason", reason)
    QUALIFICATION_LIFE_CYCLE.require(qualification.status, S.QUALIFIED, "lift_suspension")
    waiting = qualification.reassess_after
    qualification.reassess_after = None
    target = S.REASSESSMENT_REQUIRED if waiting else S.QUALIFIED
    change_status(qualification, target, "lift_suspension", reason_code=waiting, reason=words)
    add_message(actor, qualification, SaidKind.DECISION, words, files)
    return qualification


@operation("UC-04.02", permission=ASSESS, name="demand_reassessment")
def demand_reassessment(
    actor: Actor, qualification_id: UUID, reason_code: str, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Demand the re-assessment of a qualified unit, with a coded reason. The approval stands until the decision."""
    qualification = _require_coded_reason(actor, qualification_id, version, ReasonKind.REASSESS, reason_code, reason)
    change_status(
        qualification,
        S.REASSESSMENT_REQUIRED,
        "demand_reassessment",
        reason_code=reason_code,
        reason=clean_text(reason),
    )
    add_message(actor, qualification, SaidKind.DECISION, clean_text(reason), files)
    return qualification


def _require_coded_reason(
    actor: Actor, qualification_id: UUID, version: int, kind: ReasonKind, reason_code: str, reason: str
) -> Qualification:
    qualification = reach_at_version(actor, qualification_id, ASSESS, version)
    findings = check_reason_code(kind, reason_code) + check_words("Reason", reason)
    if findings:
        raise Invalid(findings)
    return qualification
