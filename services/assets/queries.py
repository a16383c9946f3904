"""Queries on assets (UC-02.01): asked by the checks or an administrator, answered by the FSP, settled by the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage, AssetStatus, CheckOutcome, MessageKind
from services.assets.check_judging import POSITION, differs, outcome_of
from services.assets.check_records import conversation, moved_since, newest_checks, reasons_of, say
from services.assets.checks import start_checks
from services.assets.lifecycle import move
from services.assets.reading import conflict
from services.core.actor import Actor
from services.core.clock import now
from services.core.errors import Finding, Invalid, Refused
from services.core.events import emit_for_asset
from services.core.operation import operation
from services.core.transaction import current_session
from services.core.visibility import reach, see, visible

SHORTEST_TEXT, LONGEST_TEXT = 3, 4000
DECLARED_STANDS = "DECLARED_STANDS"
"""How a difference is settled: the declared value is right, the source is behind or speaks of something else."""


class Decision(StrEnum):
    """What the operator decides on an answered query."""

    VERIFY = "VERIFY"
    ASK_AGAIN = "ASK_AGAIN"


class Awaits(StrEnum):
    """Whose turn it is with an asset in review."""

    OPERATOR = "OPERATOR"
    PROVIDER = "PROVIDER"
    SOURCES = "SOURCES"


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An asset in review: whose turn it is, since when it is in its status, what is open, and the last thing said."""

    asset: Asset
    awaits: Awaits
    since: datetime | None
    reasons: list[str]
    checks: list[AssetCheck]
    last_message: AssetMessage | None


def _text(field: str, given: str) -> str:
    said = given.replace("\x00", "").strip()
    if not SHORTEST_TEXT <= len(said) <= LONGEST_TEXT:
        expected = f"{SHORTEST_TEXT} to {LONGEST_TEXT:,} characters"
        raise Invalid([Finding("QUERY-01", field, said[:200], expected, f"Write {expected}.")])
    return said


def _reached(actor: Actor, asset_id: UUID, permission: str, version: int) -> Asset:
    asset = reach(Asset, actor, asset_id, permission)
    if asset.version != version:
        raise conflict(asset, version)
    return asset


@operation("UC-02.01", permission="asset.settle")
def query_asset(actor: Actor, asset_id: UUID, text: str, version: int) -> Asset:
    """The administrator asks the FSP about an asset in validation: it becomes Query until that is answered and settled.

    Raises Conflict when stale, Invalid without a question, Refused in another state.
    """
    asset = _reached(actor, asset_id, "asset.settle", version)
    question = _text("Question", text)
    move(asset, AssetStatus.QUERY, "query_asset", question[:1000])
    say(actor, asset, MessageKind.QUERY, question)
    return asset


@operation("UC-02.01", permission="asset.answer")
def answer_query(actor: Actor, asset_id: UUID, text: str, version: int) -> Asset:
    """The FSP answers: the asset is Pending Validation again and waits for the operator.

    Checks run again only where the FSP changed a value that they are about. Raises Conflict when stale, Invalid without
    an answer, Refused when no query is open.
    """
    asset = _reached(actor, asset_id, "asset.answer", version)
    answer = _text("Answer", text)
    move(asset, AssetStatus.PENDING_VALIDATION, "answer_query", "Answered: the operator decides.")
    say(actor, asset, MessageKind.ANSWER, answer)
    emit_for_asset("asset.query_answered", asset, {"by": actor.name})
    current_session().flush()
    checks = newest_checks([asset.id]).get(asset.id, [])
    if checks and moved_since(asset, checks):
        start_checks(asset)
    return asset


@operation("UC-02.01", permission="asset.settle")
def settle_query(
    actor: Actor,
    asset_id: UUID,
    decision: Decision,
    reason: str,
    version: int,
    settled: Sequence[str] | None = None,
) -> Asset:
    """The operator decides on an asset in validation: verify it, or ask again.

    VERIFY settles the differences in the fields named in `settled` (None: in all): they stay on the checks, marked with
    who accepted the declared value and why, and the same difference raises no query again. Raises Refused while another
    difference is left open, Conflict when stale, Invalid without a reason.
    """
    asset = _reached(actor, asset_id, "asset.settle", version)
    said = _text("Reason", reason)
    match decision:
        case Decision.VERIFY:
            _settle(actor, asset, said, settled)
            move(asset, AssetStatus.VERIFIED, "settle_query", said[:1000])
            say(actor, asset, MessageKind.DECISION, said)
        case Decision.ASK_AGAIN:
            move(asset, AssetStatus.QUERY, "settle_query", said[:1000])
            say(actor, asset, MessageKind.QUERY, said)
        case _:
            assert_never(decision)
    return asset


def _settle(actor: Actor, asset: Asset, why: str, fields: Sequence[str] | None) -> None:
    mark = {"settled_as": DECLARED_STANDS, "reason": why, "by": actor.name, "at": now().isoformat(timespec="seconds")}
    checks = newest_checks([asset.id]).get(asset.id, [])
    accepted = _accepted(checks, fields)
    left: list[AssetCheck] = []
    for check in checks:
        if check.outcome is CheckOutcome.DIFFERS:
            check.comparisons = [
                {**row, **mark} if differs(row) and row["field"] in accepted else row for row in check.comparisons
            ]
            check.outcome = outcome_of(check.comparisons)
            left += [check] if check.outcome is CheckOutcome.DIFFERS else []
        elif check.outcome is CheckOutcome.NOT_FOUND and check.evidence.get("expected"):
            check.evidence = {**check.evidence, "settled": mark}
            check.outcome = CheckOutcome.SETTLED
    if left:
        raise Refused(f"Other differences are still open. Settle these too, or ask again: {' '.join(reasons_of(left))}")


def _accepted(checks: list[AssetCheck], fields: Sequence[str] | None) -> set[str]:
    """The differing fields that are accepted; the position is one field, by either of its terms."""
    differing = {
        row["field"]
        for check in checks
        if check.outcome is CheckOutcome.DIFFERS
        for row in check.comparisons
        if differs(row)
    }
    if fields is None:
        return differing
    named = {POSITION if name in POSITION.split(", ") else name for name in fields}
    if unknown := sorted(named - differing):
        expected = f"Fields that differ: {', '.join(sorted(differing)) or 'there are none'}."
        message = f"Nothing that matters differs in {', '.join(unknown)}."
        raise Invalid([Finding("QUERY-02", "Fields", ", ".join(unknown), expected, message)])
    return named


@operation("UC-02.01", permission="asset.read", writes=False)
def messages_of(actor: Actor, asset_id: UUID) -> list[AssetMessage]:
    """What was asked, answered and decided about an asset, oldest first. NotFound when the actor may not see the asset."""
    see(Asset, actor, asset_id)
    return conversation(asset_id)


@operation("UC-02.01", permission="asset.read", writes=False)
def review_queue(actor: Actor, limit: int = 100) -> list[ReviewItem]:
    """The actor's visible assets in Pending Validation or Query, the longest waiting first; at most `limit`, up to 500."""
    in_review = (AssetStatus.PENDING_VALIDATION, AssetStatus.QUERY)
    chosen = select(Asset).where(visible(Asset, actor), col(Asset.status).in_(in_review))
    oldest = chosen.order_by(col(Asset.status_since), col(Asset.id)).limit(max(1, min(limit, 500)))
    assets = list(current_session().scalars(oldest))
    identifiers = [asset.id for asset in assets]
    checks = newest_checks(identifiers)
    said = select(AssetMessage).where(col(AssetMessage.asset_id).in_(identifiers)).order_by(col(AssetMessage.id))
    last = {message.asset_id: message for message in current_session().scalars(said)}
    return [_item(asset, checks.get(asset.id, []), last.get(asset.id)) for asset in assets]


def _item(asset: Asset, checks: list[AssetCheck], last: AssetMessage | None) -> ReviewItem:
    waiting = not checks or any(check.outcome is CheckOutcome.WAITING for check in checks)
    if asset.status is AssetStatus.QUERY:
        awaits = Awaits.PROVIDER
    elif last is not None and last.kind is MessageKind.ANSWER:
        awaits = Awaits.OPERATOR
    else:
        awaits = Awaits.SOURCES if waiting else Awaits.OPERATOR
    return ReviewItem(asset, awaits, asset.status_since, reasons_of(checks), checks, last)
