"""The look-up limit (UC-02.01): one allowance an hour for an organisation, whichever door its questions come through.

A look-up, a check of a form, a registration, a change and a file all tell that an MPAN, a device or an alias is registered
with somebody else. What is told so is counted in the access log, in the same commit, and told to the provider whose asset was
met. Once the allowance is used up, a question that meets an asset and one that meets none get the same answer: not checked.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import col

from models.assets import Asset
from models.core import Access
from models.events import EventType
from services.core.access_log import log_access
from services.core.audit_context import WRITES
from services.core.clock import now, show_time
from services.core.db.engine import is_sqlite
from services.core.errors import Finding, Severity, TooManyRequests
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session

ACCESS_KIND, REFUSED_KIND = "asset.lookup", "asset.lookup_refused"
WINDOW = timedelta(hours=1)
UNCHECKED = "LOOKUP-02"
"""Code of the finding that says that the register was not asked."""
LOCK = 0x4C4F4F4B55500000


class Question(NamedTuple):
    """Question of one candidate to the register: identifiers that only one asset may have, meters that several may share.

    The hits are the assets met by each that the actor may not see.
    """

    asks_identity: bool = False
    asks_meter: bool = False
    identity_hits: tuple[UUID, ...] = ()
    meter_hits: tuple[UUID, ...] = ()


class Reply(NamedTuple):
    """Parts of a question that are answered: those of identifiers and those of meters."""

    identity: bool
    meter: bool

    def leaves_open(self, question: Question) -> bool:
        """Tell whether a part of the question is not answered."""
        return (question.asks_identity and not self.identity) or (question.asks_meter and not self.meter)


ANSWERED = Reply(True, True)


def is_limited(actor: Actor) -> bool:
    """Tell whether the register tells the actor anything that it could not read anyway: not to who sees every asset."""
    return Scope.ALL not in scopes_of(actor, "asset.read")


def require_lookup(actor: Actor) -> None:
    """Make room for one look-up; the caller logs it with `log_question`. Raises TooManyRequests when none is left."""
    _lock(actor.organisation_id)
    limit = int(setting("asset.lookups_per_hour"))
    if _count_used(actor) >= limit:
        raise too_many(actor, limit)


def answer_questions(actor: Actor, questions: Sequence[Question], *, from_file: bool = False) -> list[Reply]:
    """Answer questions in their order while the allowance lasts; each that meets an unseen asset takes one look-up of it.

    The same asset counts once an hour. Meters that a file asks for take at most half of the allowance, so that a portfolio
    which changes hands leaves the other half. Inside a unit of work; one that only reads raises nothing and counts nothing,
    and is for questions without hits.
    """
    if not is_limited(actor):
        return [ANSWERED] * len(questions)
    limit = int(setting("asset.lookups_per_hour"))
    meter_limit = (limit + 1) // 2 if from_file else limit
    hits = any(question.identity_hits or question.meter_hits for question in questions)
    if hits:
        _lock(actor.organisation_id)
    used = _count_used(actor)
    recent = _recent_hits(actor) if hits else set[UUID]()
    replies: list[Reply] = []
    for question in questions:
        reply = Reply(used < limit, used < meter_limit)
        replies.append(reply)
        met = (question.identity_hits if reply.identity else ()) + (question.meter_hits if reply.meter else ())
        if met and (first := min(met)) not in recent:
            used += 1
            recent.add(first)
            _note_hit(actor, first, met)
    open_questions = sum(reply.leaves_open(question) for reply, question in zip(replies, questions, strict=True))
    if open_questions and current_session().info[WRITES]:
        log_access(actor, REFUSED_KIND, detail={"questions": open_questions})
    return replies


@operation("UC-02.01", permission="asset.lookup", writes=False, name="peek_lookups")
def peek_lookups(actor: Actor, questions: Sequence[Question]) -> list[Reply]:
    """Answer questions without hits, as far as the allowance lasts; nothing is counted."""
    return answer_questions(actor, questions)


@operation("UC-02.01", permission="asset.lookup", name="ask_register")
def ask_register(actor: Actor, questions: Sequence[Question]) -> list[Reply]:
    """Answer questions and count those that meet another provider's asset."""
    return answer_questions(actor, questions)


def ask_after_reading(actor: Actor, question: Question) -> Reply:
    """Answer the question of a form that was only checked, outside a unit of work."""
    if not is_limited(actor):
        return ANSWERED
    if not (question.identity_hits or question.meter_hits):
        reply = peek_lookups(actor, [question])[0]
        if not reply.leaves_open(question):
            return reply
    return ask_register(actor, [question])[0]


def require_answer(actor: Actor, question: Question, reply: Reply) -> None:
    """Count a question whose answer is a refusal, which left nothing else. Raises TooManyRequests when others were faster."""
    again = answer_questions(actor, [question])[0]
    if (reply.identity and not again.identity) or (reply.meter and not again.meter):
        raise too_many(actor, int(setting("asset.lookups_per_hour")))


def too_many(actor: Actor, limit: int) -> TooManyRequests:
    """The refusal once the allowance is used up."""
    wait = _seconds_to_wait(actor, limit)
    again = now() + timedelta(seconds=wait)
    return TooManyRequests(
        f"Your organisation has looked up {limit} assets within an hour, which is the limit. Try again in "
        f"{math.ceil(wait / 60)} min, at {show_time(again)}.",
        wait,
    )


def unchecked_finding(actor: Actor, severity: Severity = Severity.ERROR) -> Finding:
    """The finding on a candidate that was not held against other providers' assets; the same whatever it would have met."""
    limit = int(setting("asset.lookups_per_hour"))
    again = now() + timedelta(seconds=_seconds_to_wait(actor, limit))
    message = (
        "Not checked now: whether it is registered elsewhere. Your organisation's look-ups of this hour are used up. "
        f"Send it again from {show_time(again)}."
    )
    return Finding(UNCHECKED, None, None, f"At most {limit} look-ups an hour", message, severity)


def is_unchecked(question: Question, reply: Reply, *, dry_run: bool) -> bool:
    """Tell whether a row of a file is told to be unchecked.

    In a dry run, whatever was left open. A row that is registered, when it names a device or an alias, which stand once in the
    register: it is refused. A meter may be shared, so that such a row goes through, and who shares it is told later.
    """
    return reply.leaves_open(question) if dry_run else question.asks_identity and not reply.identity


def unchecked_severity(*, dry_run: bool) -> Severity:
    """Return the severity with which rows are told to be unchecked: a dry run says so and goes on."""
    return Severity.NOTICE if dry_run else Severity.ERROR


def is_used_up(actor: Actor) -> bool:
    """Tell whether the actor's organisation has no look-up left now."""
    return is_limited(actor) and _count_used(actor) >= int(setting("asset.lookups_per_hour"))


def used_up_until(actor: Actor) -> datetime:
    """The moment from which the whole allowance is free again, if nobody asks meanwhile."""
    last = current_session().scalar(select(func.max(col(Access.at))).where(_of_window(actor)))
    return (last or now()) + WINDOW


def retry_after(actor: Actor) -> int:
    """Seconds until the next look-up fits in."""
    return _seconds_to_wait(actor, int(setting("asset.lookups_per_hour")))


def _seconds_to_wait(actor: Actor, limit: int) -> int:
    # The look-up that leaves the window so that one more fits in.
    newest_first = select(col(Access.at)).where(_of_window(actor)).order_by(col(Access.at).desc())
    leaving = current_session().scalar(newest_first.offset(limit - 1))
    seconds = (leaving + WINDOW - now()).total_seconds() if leaving else WINDOW.total_seconds()
    return max(1, math.ceil(seconds))


def room_for_notices(organisation_id: UUID) -> int:
    """Return how many notices on shared meters an organisation may still be given within this hour: half of its allowance."""
    _lock(organisation_id)
    limit = int(setting("asset.lookups_per_hour"))
    used = current_session().scalar(select(func.count()).select_from(Access).where(_of_organisation(organisation_id)))
    return max(0, (limit + 1) // 2 - (used or 0))


def count_notice(organisation_id: UUID, asset_id: UUID) -> None:
    """Count a notice on a shared meter, which tells an organisation as much as a look-up."""
    access = Access(
        at=now(),
        kind=ACCESS_KIND,
        actor_key=f"organisation:{organisation_id}",
        organisation_id=organisation_id,
        record_type=Asset.record_type(),
        record_id=asset_id,
        detail={"by": ["notice"], "outcome": "OTHER_PROVIDER"},
    )
    current_session().add(access)


def _of_window(actor: Actor) -> ColumnElement[bool]:
    """Condition: the look-ups of the last hour that count for the actor's organisation, or for who acts for none."""
    if actor.organisation_id is not None:
        return _of_organisation(actor.organisation_id)
    own = and_(col(Access.organisation_id).is_(None), col(Access.actor_key) == actor.key)
    return and_(col(Access.kind) == ACCESS_KIND, own, col(Access.at) > now() - WINDOW)


def _of_organisation(organisation_id: UUID) -> ColumnElement[bool]:
    kind, organisation = col(Access.kind) == ACCESS_KIND, col(Access.organisation_id) == organisation_id
    return and_(kind, organisation, col(Access.at) > now() - WINDOW)


def _count_used(actor: Actor) -> int:
    return current_session().scalar(select(func.count()).select_from(Access).where(_of_window(actor))) or 0


def _recent_hits(actor: Actor) -> set[UUID]:
    ids = current_session().scalars(select(col(Access.record_id)).where(_of_window(actor)))
    return {record_id for record_id in ids if record_id is not None}


def _lock(organisation_id: UUID | None) -> None:
    """Let questions of one organisation follow one another on PostgreSQL until the commit; SQLite has one writer anyway."""
    if not is_sqlite():
        number = organisation_id.int if organisation_id else 0
        current_session().execute(select(func.pg_advisory_xact_lock((number ^ LOCK) & 0x7FFFFFFFFFFFFFFF)))


def _note_hit(actor: Actor, first: UUID, met: Sequence[UUID]) -> None:
    """Log one look-up, by the first of the assets that it met, and tell the providers of all of them."""
    log_question(actor, ["registration"], "OTHER_PROVIDER", first)
    for asset in current_session().scalars(select(Asset).where(col(Asset.id).in_(set(met)))):
        tell_provider(asset, ["registration"])


def log_question(actor: Actor, by: Sequence[str], outcome: str, hit: UUID | None) -> None:
    """Keep that somebody asked, by what, and with which outcome."""
    log_access(actor, ACCESS_KIND, Asset.record_type() if hit else None, hit, {"by": list(by), "outcome": outcome})


def log_refusal(actor: Actor) -> None:
    """Keep that somebody asked over the limit; it doesn't count against the limit, so that waiting ends."""
    log_access(actor, REFUSED_KIND)


def tell_provider(asset: Asset, by: Sequence[str]) -> None:
    """Tell the provider of an asset that somebody asked for it; not who, and no more than by what."""
    payload = {"by": list(by), "asset_name": asset.asset_name}
    emit(EventType.ASSET_LOOKED_UP, asset, organisation_id=asset.service_provider_id, payload=payload)
