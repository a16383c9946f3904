"""Many applications at once (UC-04.02): taken, given to somebody, or withdrawn; what can't be is left, and says why.

A decision on like cases is all or none, since it can't be taken back (`qualification_assessing`). These are done as far as they
go: nobody wants to begin anew because a colleague has taken one of fifty meanwhile.
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
from services.market.qualification.assessment import ASSESS, MOST_AT_ONCE, assign, take, whom
from services.market.qualification.lifecycle import STANDING, TAKEN_FROM
from services.market.qualification.provider_actions import APPLY, withdraw
from services.market.qualification.reason_codes import said, words_finding
from services.market.qualification.records import stale
from services.market.qualification.service_windows import windows_ahead

Case = tuple[UUID, int]
"""An application, and its version as it was read."""
RECORD = "qualification"


@dataclass(frozen=True, slots=True)
class Together:
    """What became of many applications: those it was done with, and for each of the others why not and what to do."""

    done: Sequence[Qualification]
    left: Sequence[Blocker]


@operation("UC-04.02", permission=ASSESS, name="take_applications")
def take_applications(actor: Actor, cases: Sequence[Case]) -> Together:
    """Begin to assess many applications, each from the version that was read: they are the actor's from now on.

    Raises NotFound when one is unseen, Invalid for none, too many, or one twice, Refused naming each where none can be taken.
    """
    _require(cases, [])
    return _each(actor, cases, ASSESS, TAKEN_FROM, "taken", lambda one: take(actor, one))


@operation("UC-04.02", permission=ASSESS, name="assign_applications")
def assign_applications(actor: Actor, cases: Sequence[Case], person: UUID | None) -> Together:
    """Give many applications to somebody of one's own organisation, or to nobody, each from the version that was read.

    Raises NotFound when one is unseen, Invalid for a stranger, none, too many, or one twice, Refused naming each where none
    can be given.
    """
    name, findings = whom(actor, person)
    _require(cases, findings)
    return _each(actor, cases, ASSESS, STANDING, "assigned", lambda one: assign(one, person, name))


@operation("UC-04.02", permission=APPLY, name="withdraw_applications")
def withdraw_applications(actor: Actor, cases: Sequence[Case], reason: str) -> Together:
    """Withdraw many applications, or what units are qualified for, for one reason, each from the version that was read.

    Raises NotFound when one is unseen, Invalid without a reason, for none, too many, or one twice, Refused naming each where
    none can be withdrawn.
    """
    _require(cases, words_finding("Reason", reason))
    words = said(reason)
    return _each(actor, cases, APPLY, STANDING, "withdrawn", lambda one: withdraw(actor, one, words), windows_ahead)


def _require(cases: Sequence[Case], findings: Sequence[Finding]) -> None:
    found = list(findings)
    if not 1 <= len(cases) <= MOST_AT_ONCE or len({one for one, _ in cases}) < len(cases):
        expected = f"1 to {MOST_AT_ONCE} applications, each once"
        found.append(Finding("QUAL-06", "Cases", str(len(cases)), expected, f"Choose {expected}."))
    if found:
        raise Invalid(found)


def _each(
    actor: Actor,
    cases: Sequence[Case],
    permission: str,
    states: Collection[QualificationStatus],
    word: str,
    act: Callable[[Qualification], None],
    blocks: Callable[[Qualification], Sequence[Blocker]] = lambda _one: (),
) -> Together:
    """Do it with each that can be; in the order of identifiers, so that two who do so never wait for each other."""
    done: list[Qualification] = []
    left: list[Blocker] = []
    for identifier, version in sorted(cases):
        one = reach(Qualification, actor, identifier, permission)
        why_not = _why_not(one, version, states) or next(iter(blocks(one)), None)
        if why_not is None:
            act(one)
            done.append(one)
        else:
            left.append(why_not)
    if not done:
        raise Refused(f"None was {word}: none of the {len(left)} can be now.", left)
    current_session().flush()
    return Together(done, left)


def _why_not(one: Qualification, version: int, states: Collection[QualificationStatus]) -> Blocker | None:
    unit = current_session().get_one(MarketUnit, one.unit_id)
    which = f"{one.product_code}, {unit.name} ({unit.code})"
    if one.status not in states:
        return Blocker(RECORD, str(one.id), f"{which} is {QUALIFICATION_LABELS[one.status]}", "Leave it out")
    if one.version != version:
        return Blocker(RECORD, str(one.id), f"{which}: {stale(one, version).message}", "Open it, then choose again")
    return None
