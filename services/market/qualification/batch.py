"""Batches of applications (UC-04.02): take, assign or withdraw many; those that can't be are left out, with the reason.

A decision on like cases is all or none, since it can't be undone (`decide_like_cases` in `assessment`). A batch goes as far
as it can: nobody wants to start again because a colleague has taken one of fifty meanwhile.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from models.units import MarketUnit
from services.core.errors import Blocker, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.assessment import ASSESS, MAX_CASES, assign, begin_assessment, find_assignee
from services.market.qualification.lifecycle import NOT_ENDED, TAKEN_FROM
from services.market.qualification.provider_actions import APPLY, withdraw
from services.market.qualification.reason_codes import check_words, clean_text
from services.market.qualification.records import stale_conflict
from services.market.qualification.service_windows import find_window_blockers

Case = tuple[UUID, int]
"""An application, and its version as it was read."""
RECORD = "qualification"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of a batch: the applications done, and a blocker with its remedy for each of the others."""

    done: Sequence[Qualification]
    left: Sequence[Blocker]


@operation("UC-04.02", permission=ASSESS, name="take_applications")
def take_applications(actor: Actor, cases: Sequence[Case]) -> BatchResult:
    """Take many applications, each from the version that was read: they are assigned to the actor.

    Raises NotFound when an application is unseen, Invalid for none, too many, or a repeated one, Refused naming each where
    none can be taken.
    """
    _require_cases(cases, [])
    return _apply_to_each(
        actor, cases, ASSESS, TAKEN_FROM, "taken", lambda application: begin_assessment(actor, application)
    )


@operation("UC-04.02", permission=ASSESS, name="assign_applications")
def assign_applications(actor: Actor, cases: Sequence[Case], person: UUID | None) -> BatchResult:
    """Assign many applications to a person of the actor's organisation, or to nobody, each from the version that was read.

    Raises NotFound when an application is unseen, Invalid for somebody who doesn't assess, for none, too many, or a repeated
    one, Refused naming each where none can be assigned.
    """
    name, findings = find_assignee(actor, person)
    _require_cases(cases, findings)
    return _apply_to_each(
        actor, cases, ASSESS, NOT_ENDED, "assigned", lambda application: assign(application, person, name)
    )


@operation("UC-04.02", permission=APPLY, name="withdraw_applications")
def withdraw_applications(actor: Actor, cases: Sequence[Case], reason: str) -> BatchResult:
    """Withdraw many applications or qualifications for one reason, each from the version that was read.

    Raises NotFound when an application is unseen, Invalid without a reason, for none, too many, or a repeated one, Refused
    naming each where none can be withdrawn.
    """
    _require_cases(cases, check_words("Reason", reason))
    words = clean_text(reason)
    return _apply_to_each(
        actor,
        cases,
        APPLY,
        NOT_ENDED,
        "withdrawn",
        lambda application: withdraw(actor, application, words),
        find_window_blockers,
    )


def _require_cases(cases: Sequence[Case], findings: Sequence[Finding]) -> None:
    all_findings = list(findings)
    if not 1 <= len(cases) <= MAX_CASES or len({identifier for identifier, _ in cases}) < len(cases):
        expected = f"1 to {MAX_CASES} applications, each once"
        all_findings.append(Finding("QUAL-06", "Cases", str(len(cases)), expected, f"Choose {expected}."))
    if all_findings:
        raise Invalid(all_findings)


def _apply_to_each(
    actor: Actor,
    cases: Sequence[Case],
    permission: str,
    states: Collection[QualificationStatus],
    word: str,
    act: Callable[[Qualification], None],
    blocks: Callable[[Qualification], Sequence[Blocker]] = lambda _application: (),
) -> BatchResult:
    """Apply an action to each application that allows it, in the order of identifiers, so that batches never deadlock."""
    done: list[Qualification] = []
    blockers: list[Blocker] = []
    for identifier, version in sorted(cases):
        application = reach(Qualification, actor, identifier, permission)
        blocker = _find_blocker(application, version, states) or next(iter(blocks(application)), None)
        if blocker is None:
            act(application)
            done.append(application)
        else:
            blockers.append(blocker)
    if not done:
        raise Refused(f"None was {word}: none of the {len(blockers)} can be now.", blockers)
    current_session().flush()
    return BatchResult(done, blockers)


def _find_blocker(application: Qualification, version: int, states: Collection[QualificationStatus]) -> Blocker | None:
    unit = current_session().get_one(MarketUnit, application.unit_id)
    name = f"{application.product_code}, {unit.name} ({unit.code})"
    if application.status not in states:
        return Blocker(
            RECORD, str(application.id), f"{name} is {QUALIFICATION_LABELS[application.status]}", "Leave it out"
        )
    if application.version != version:
        return Blocker(
            RECORD,
            str(application.id),
            f"{name}: {stale_conflict(application, version).message}",
            "Open it, then choose again",
        )
    return None
