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
from models.events import EventType
from services.assets.checks.differences import answer_mark, select_differences, verdict_mark, write_mark
from services.assets.checks.guards import reach_at_version
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.records import has_changed_since, newest_checks, reasons_of
from services.assets.checks.run import start_checks
from services.assets.conversation.comments import post_asset_message
from services.assets.conversation.messages import query_messages
from services.assets.filters import AssetFilters, condition
from services.assets.registration.lifecycle import move
from services.core.conversation.files import Upload
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import operation
from services.core.text import require_statement
from services.core.transaction import current_session

IN_REVIEW = (AssetStatus.PENDING_VALIDATION, AssetStatus.QUERY)
"""The states in which somebody has yet to say something."""


class QueryDecision(StrEnum):
    """Operator's decision on an answered query."""

    VERIFY = "VERIFY"
    ASK_AGAIN = "ASK_AGAIN"


class Awaits(StrEnum):
    """The party whose turn it is with an asset in review."""

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


@operation("UC-02.01", permission="asset.settle", name="query_asset")
def query_asset(actor: Actor, asset_id: UUID, text: str, version: int, files: Sequence[Upload] = ()) -> Asset:
    """The administrator asks the FSP about an asset in validation: it becomes Query until that is answered and settled.

    Raises Conflict when stale, Invalid without a question, Refused in another state.
    """
    asset = reach_at_version(actor, asset_id, "asset.settle", version)
    question = require_statement("Question", text)
    move(asset, AssetStatus.QUERY, "query_asset", question[:1000])
    post_asset_message(actor, asset, MessageKind.QUERY, question, files)
    return asset


@operation("UC-02.01", permission="asset.answer", name="answer_query")
def answer_query(actor: Actor, asset_id: UUID, text: str, version: int, files: Sequence[Upload] = ()) -> Asset:
    """The FSP answers: the asset is Pending Validation again and waits for the operator.

    Checks run again only where the FSP changed a value that they are about. Raises Conflict when stale, Invalid without
    an answer, Refused when no query is open.
    """
    asset = reach_at_version(actor, asset_id, "asset.answer", version)
    answer = require_statement("Answer", text)
    move(asset, AssetStatus.PENDING_VALIDATION, "answer_query", "Answered. FMAR decides.")
    post_asset_message(actor, asset, MessageKind.ANSWER, answer, files)
    emit_for_asset(EventType.ASSET_QUERY_ANSWERED, asset, {"by": actor.name})
    checks = newest_checks([asset.id]).get(asset.id, [])
    unanswered = [difference for difference in select_differences(checks, None) if difference.answer is None]
    write_mark(checks, unanswered, answer_mark(actor, answer))
    current_session().flush()
    if checks and has_changed_since(asset, checks):
        start_checks(asset)
    return asset


@operation("UC-02.01", permission="asset.settle", name="settle_query")
def settle_query(
    actor: Actor,
    asset_id: UUID,
    decision: QueryDecision,
    reason: str,
    version: int,
    settled: Sequence[str] | None = None,
    files: Sequence[Upload] = (),
) -> Asset:
    """The operator decides on an asset in validation: verify it, or ask again.

    VERIFY settles the differences in the fields named in `settled` (None: in all): they stay on the checks, marked with
    who accepted the declared value and why, and the same difference raises no query again. Raises Refused while another
    difference is left open (`settle_differences` settles in part), Conflict when stale, Invalid without a reason.
    """
    asset = reach_at_version(actor, asset_id, "asset.settle", version)
    text = require_statement("Reason", reason)
    match decision:
        case QueryDecision.VERIFY:
            _settle(actor, asset, text, settled)
            move(asset, AssetStatus.VERIFIED, "settle_query", text[:1000])
            kind = MessageKind.DECISION
        case QueryDecision.ASK_AGAIN:
            _forget_answers(asset)
            move(asset, AssetStatus.QUERY, "settle_query", text[:1000])
            kind = MessageKind.QUERY
        case _:
            assert_never(decision)
    post_asset_message(actor, asset, kind, text, files)
    return asset


def _settle(actor: Actor, asset: Asset, reason: str, fields: Sequence[str] | None) -> None:
    checks = newest_checks([asset.id]).get(asset.id, [])
    differences = select_differences(checks, fields)
    write_mark(checks, differences, verdict_mark(actor, DifferenceRuling.DECLARED_STANDS, reason))
    if open_reasons := reasons_of(checks):
        raise Refused(f"Other differences are still open. Settle these too, or ask again: {' '.join(open_reasons)}")


def _forget_answers(asset: Asset) -> None:
    """Reopen the answered differences: each waits for another answer. The messages keep the old ones."""
    checks = newest_checks([asset.id]).get(asset.id, [])
    write_mark(checks, select_differences(checks, None), {}, forget=("answer",))


@operation("UC-02.01", permission="asset.read", writes=False, name="messages_of")
def messages_of(actor: Actor, asset_id: UUID) -> list[AssetMessage]:
    """Queries, answers and decisions on an asset, oldest first, without comments. NotFound when it is unseen."""
    see(Asset, actor, asset_id)
    return query_messages(asset_id)


@operation("UC-02.01", permission="asset.read", writes=False, name="review_queue")
def review_queue(actor: Actor, limit: int = 100, filters: AssetFilters | None = None) -> list[ReviewItem]:
    """The actor's visible assets in Pending Validation or Query, the longest waiting first; at most `limit`, up to 500."""
    conditions = (visible(Asset, actor), col(Asset.status).in_(IN_REVIEW), *condition(filters or AssetFilters()))
    query = select(Asset).where(*conditions)
    page = query.order_by(col(Asset.status_since), col(Asset.id)).limit(max(1, min(limit, 500)))
    assets = list(current_session().scalars(page))
    identifiers = [asset.id for asset in assets]
    checks = newest_checks(identifiers)
    asked_of = (col(AssetMessage.asset_id).in_(identifiers), col(AssetMessage.kind) != MessageKind.COMMENT)
    messages = select(AssetMessage).where(*asked_of).order_by(col(AssetMessage.id))
    last = {message.asset_id: message for message in current_session().scalars(messages)}
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
