"""What a system operator does with applications addressed to it: take, assign, ask, decide, one or many (UC-04.02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, Role, User, UserStatus
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus, SaidKind
from services.assets.conversation.attachments import Upload
from services.core.clock import now, today
from services.core.errors import Blocker, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, within
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.data_package import assess_as_it_stands
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE, TAKEN_FROM, move
from services.market.qualification.messages import say_on
from services.market.qualification.reason_codes import (
    LONGEST,
    ReasonKind,
    code_finding,
    said,
    words_finding,
    words_given,
)
from services.market.qualification.records import as_read, stale

S = QualificationStatus
ASSESS = "qualification.assess"
DECIDED_FROM = (*TAKEN_FROM, S.IN_ASSESSMENT)
LONGEST_VALIDITY_YEARS = 10
MOST_AT_ONCE = 500


class Verdict(StrEnum):
    """How an assessment ends."""

    QUALIFIED = "QUALIFIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision: the same whether it is on one application or on many like cases.

    Qualified: valid from a day (today when None) to a day, both included, with conditions if any. Failed: a coded reason.
    """

    verdict: Verdict
    reason: str
    valid_from: date | None = None
    valid_until: date | None = None
    conditions: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the SO who may be given an application."""

    user_id: UUID
    name: str


@operation("UC-04.02", permission=ASSESS, name="take_application")
def take_application(actor: Actor, qualification_id: UUID, version: int) -> Qualification:
    """Begin to assess an application, or a unit that is to be assessed again: it is the actor's from now on.

    A re-assessment rests on a fresh data package. Raises Conflict when stale, Refused in another state.
    """
    qualification = as_read(actor, qualification_id, ASSESS, version)
    take(actor, qualification)
    return qualification


def take(actor: Actor, qualification: Qualification) -> None:
    """Begin to assess it; inside an operation that has seen to it that the actor may. Refused in another state."""
    again = qualification.status is S.REASSESSMENT_REQUIRED
    move(qualification, S.IN_ASSESSMENT, "take_application", reason_code=qualification.reason_code if again else None)
    if again:
        assess_as_it_stands(qualification)
    if actor.user_id is not None:
        qualification.assigned_to, qualification.assigned_name = actor.user_id, actor.name
    current_session().flush()


@operation("UC-04.02", permission=ASSESS, writes=False, name="assessors")
def assessors(actor: Actor) -> list[Colleague]:
    """The people of the actor's organisation who assess applications, by name."""
    return _assessors(actor)


def _assessors(actor: Actor) -> list[Colleague]:
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
    return [Colleague(*row) for row in current_session().execute(people)]


@operation("UC-04.02", permission=ASSESS, name="assign_application")
def assign_application(actor: Actor, qualification_id: UUID, person: UUID | None, version: int) -> Qualification:
    """Give an application to somebody of one's own organisation, or to nobody. Raises Conflict, Invalid for a stranger."""
    qualification = as_read(actor, qualification_id, ASSESS, version)
    name, findings = whom(actor, person)
    if findings:
        raise Invalid(findings)
    assign(qualification, person, name)
    return qualification


def whom(actor: Actor, person: UUID | None) -> tuple[str | None, list[Finding]]:
    """The name of who is to work on an application (None: nobody), and what is wrong with a stranger."""
    names = {one.user_id: one.name for one in _assessors(actor)}
    if person is None or person in names:
        return None if person is None else names[person], []
    expected = f"One of {', '.join(names.values()) or 'nobody: no one of your organisation assesses'}"
    words = "Applications are given to people of your own organisation who assess them."
    return None, [Finding("QUAL-03", "AssignedTo", str(person), expected, words)]


def assign(qualification: Qualification, person: UUID | None, name: str | None) -> None:
    """Give it to somebody; inside an operation that has seen to it that this is somebody who assesses."""
    qualification.assigned_to, qualification.assigned_name = person, name
    current_session().flush()


@operation("UC-04.02", permission=ASSESS, name="ask_information")
def ask_information(
    actor: Actor, qualification_id: UUID, question: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Ask the FSP: the clock stands still until it answers. Takes the application first, where nobody has.

    Raises Conflict when stale, Invalid without a question, Refused in another state.
    """
    qualification = as_read(actor, qualification_id, ASSESS, version)
    asked = words_given("Question", question)
    if qualification.status in TAKEN_FROM:
        take(actor, qualification)
    move(qualification, S.INFORMATION_REQUESTED, "ask_information", reason=asked)
    say_on(actor, qualification, SaidKind.QUESTION, asked, files)
    return qualification


@operation("UC-04.02", permission=ASSESS, name="decide_application")
def decide_application(
    actor: Actor, qualification_id: UUID, outcome: Outcome, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Qualify a unit or fail it, with reason and evidence. Takes the application first, where nobody has.

    Raises Conflict when stale, Invalid with every finding, Refused in a state in which nothing is decided.
    """
    qualification = as_read(actor, qualification_id, ASSESS, version)
    if findings := findings_in(outcome):
        raise Invalid(findings)
    _decide(actor, qualification, outcome, files)
    return qualification


def findings_in(outcome: Outcome) -> list[Finding]:
    """What is wrong with a decision, whatever it is about."""
    found = words_finding("Reason", outcome.reason)
    if outcome.verdict is Verdict.FAILED:
        return found + code_finding(ReasonKind.FAIL, outcome.reason_code or "")
    begin, end = outcome.valid_from or today(), outcome.valid_until
    last = begin.replace(year=begin.year + LONGEST_VALIDITY_YEARS, day=min(begin.day, 28))
    expected = f"a day from {max(begin, today())} to {last}"
    if end is None or not max(begin, today()) <= end <= last:
        given = None if end is None else str(end)
        found.append(Finding("QUAL-04", "ValidUntil", given, expected, f"Say until when it is valid: {expected}."))
    if len(said(outcome.conditions or "")) > LONGEST:
        words = f"Conditions have at most {LONGEST:,} characters."
        found.append(Finding("QUAL-05", "Conditions", None, f"at most {LONGEST:,} characters", words))
    return found


def _decide(actor: Actor, qualification: Qualification, outcome: Outcome, files: Sequence[Upload] = ()) -> None:
    if qualification.status in TAKEN_FROM:
        take(actor, qualification)
    reason = said(outcome.reason)
    if outcome.verdict is Verdict.FAILED:
        move(qualification, S.FAILED, "fail_application", reason_code=outcome.reason_code, reason=reason)
    else:
        approve(qualification, outcome.valid_from or today(), outcome.valid_until, said(outcome.conditions or ""))
        move(qualification, S.QUALIFIED, "qualify_application", reason=reason)
    qualification.decided_at = now()
    say_on(actor, qualification, SaidKind.DECISION, reason, files)


def approve(qualification: Qualification, begin: date, end: date | None, conditions: str) -> None:
    """The approval itself: from when to when, and under which conditions; the first day of approval stays."""
    qualification.qualified_at = qualification.qualified_at or now()
    qualification.valid_from, qualification.valid_until = begin, end
    qualification.conditions = conditions or None
    qualification.reassess_after = None


@operation("UC-04.02", permission=ASSESS, name="decide_like_cases")
def decide_like_cases(actor: Actor, cases: Sequence[tuple[UUID, int]], outcome: Outcome) -> list[Qualification]:
    """Decide many applications for one version of one product alike, each from the version that was read: all or none.

    Raises NotFound when one is unseen, Invalid for what is wrong with the decision or where they are not alike, Refused
    naming each that has moved on or isn't to be decided.
    """
    findings = findings_in(outcome)
    if not 1 <= len(cases) <= MOST_AT_ONCE or len({one for one, _ in cases}) < len(cases):
        expected = f"1 to {MOST_AT_ONCE} applications, each once"
        findings.append(Finding("QUAL-06", "Cases", str(len(cases)), expected, f"Choose {expected}."))
        raise Invalid(findings)
    found = [reach(Qualification, actor, identifier, ASSESS) for identifier, _ in cases]
    kinds = sorted({f"{one.product_code} version {one.product_version}" for one in found})
    if len(kinds) > 1:
        words = "Like cases are applications for one version of one product. Choose fewer."
        findings.append(Finding("QUAL-07", "Cases", ", ".join(kinds), "One product, one version", words))
    if findings:
        raise Invalid(findings)
    in_the_way = [
        blocker
        for one, (_, version) in zip(found, cases, strict=True)
        if (blocker := _not_now(one, version)) is not None
    ]
    if in_the_way:
        raise Refused(f"None was decided: {len(in_the_way)} of {len(found)} can't be decided now.", in_the_way)
    for one in found:
        _decide(actor, one, outcome)
    return found


def _not_now(qualification: Qualification, version: int) -> Blocker | None:
    if qualification.version != version:
        label = f"{qualification.product_code}: {stale(qualification, version).message}"
        return Blocker("qualification", str(qualification.id), label, "Open it, then choose again")
    if qualification.status not in DECIDED_FROM:
        label = f"An application is {QUALIFICATION_LABELS[qualification.status]}"
        return Blocker("qualification", str(qualification.id), label, "Leave it out")
    return None


@operation("UC-04.02", permission=ASSESS, name="suspend_qualification")
def suspend_qualification(
    actor: Actor, qualification_id: UUID, reason_code: str, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Suspend what a unit is qualified for, with a coded reason: it can't deliver until that is lifted."""
    qualification = _coded(actor, qualification_id, version, ReasonKind.SUSPEND, reason_code, reason)
    if qualification.status is S.REASSESSMENT_REQUIRED:
        qualification.reassess_after = qualification.reason_code
    move(qualification, S.SUSPENDED, "suspend_qualification", reason_code=reason_code, reason=said(reason))
    say_on(actor, qualification, SaidKind.DECISION, said(reason), files)
    return qualification


@operation("UC-04.02", permission=ASSESS, name="lift_suspension")
def lift_suspension(
    actor: Actor, qualification_id: UUID, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Lift a suspension: Qualified again, or Re-assessment Required where the unit changed meanwhile."""
    qualification = as_read(actor, qualification_id, ASSESS, version)
    words = words_given("Reason", reason)
    QUALIFICATION_LIFE_CYCLE.require(qualification.status, S.QUALIFIED, "lift_suspension")
    waiting = qualification.reassess_after
    qualification.reassess_after = None
    target = S.REASSESSMENT_REQUIRED if waiting else S.QUALIFIED
    move(qualification, target, "lift_suspension", reason_code=waiting, reason=words)
    say_on(actor, qualification, SaidKind.DECISION, words, files)
    return qualification


@operation("UC-04.02", permission=ASSESS, name="demand_reassessment")
def demand_reassessment(
    actor: Actor, qualification_id: UUID, reason_code: str, reason: str, version: int, files: Sequence[Upload] = ()
) -> Qualification:
    """Have a qualified unit assessed again, with a coded reason. The approval stands until that is decided."""
    qualification = _coded(actor, qualification_id, version, ReasonKind.REASSESS, reason_code, reason)
    move(qualification, S.REASSESSMENT_REQUIRED, "demand_reassessment", reason_code=reason_code, reason=said(reason))
    say_on(actor, qualification, SaidKind.DECISION, said(reason), files)
    return qualification


def _coded(
    actor: Actor, qualification_id: UUID, version: int, kind: ReasonKind, reason_code: str, reason: str
) -> Qualification:
    qualification = as_read(actor, qualification_id, ASSESS, version)
    findings = code_finding(kind, reason_code) + words_finding("Reason", reason)
    if findings:
        raise Invalid(findings)
    return qualification


def assessed_by(actor: Actor) -> Any:
    """The SQL condition for the applications that the actor assesses."""
    return within(Qualification, actor, ASSESS, writing=True)
