"""Many queries at once (UC-02.01): answered by the FSP or settled by the operator with one text, by the rules of one.

A batch goes as far as it can: an asset that can't be answered or settled now is left as it is, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import STATUS_LABELS, Asset, AssetCheck, AssetStatus, CheckOutcome
from services.assets.checks.differences import differences_of
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.queries import IN_REVIEW, QueryDecision, answer_query, settle_query
from services.assets.checks.records import has_changed_since, newest_checks
from services.assets.checks.settlement import settle_differences
from services.assets.conversation.messages import is_asked_by_person, open_question
from services.core.errors import Finding, Invalid, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible, within
from services.core.operation import operation
from services.core.text import require_statement
from services.core.transaction import current_session

MOST_QUERIES = 500
Case = tuple[UUID, int]
"""An asset, and its version as it was read."""


class QueryAct(StrEnum):
    """Acts on many queries: the FSP's answer, and the operator's two verdicts."""

    ANSWER = "ANSWER"
    LET_STAND = "LET_STAND"
    ASK_FOR_CHANGE = "ASK_FOR_CHANGE"


PERMISSIONS = {
    QueryAct.ANSWER: "asset.answer",
    QueryAct.LET_STAND: "asset.settle",
    QueryAct.ASK_FOR_CHANGE: "asset.settle",
}


@dataclass(frozen=True, slots=True)
class QueryLine:
    """One asset of a batch: its status before and after; where it is left as it is, `obstacle` says why."""

    asset_id: UUID
    name: str
    before: AssetStatus
    after: AssetStatus
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class QueryReport:
    """Report on a batch, in the order of the assets' names."""

    done: Sequence[QueryLine]
    left: Sequence[QueryLine]


@operation("UC-02.01", permission="asset.read", writes=False, name="preview_queries")
def preview_queries(actor: Actor, act: QueryAct, cases: Sequence[Case]) -> QueryReport:
    """Tell what an act would do to each asset, and which it would leave. Raises NotFound, Invalid for none or too many."""
    return _report([_line(actor, act, asset, version) for asset, version in _assets(actor, cases)])


@operation("UC-02.01", permission="asset.answer", name="answer_queries")
def answer_queries(actor: Actor, cases: Sequence[Case], text: str) -> QueryReport:
    """Answer many queries with one text, each from the version that was read; the operator then decides on each.

    Raises NotFound when an asset is unseen, Invalid without an answer, for none, too many, or a repeated one.
    """
    return _do_each(actor, QueryAct.ANSWER, cases, require_statement("Answer", text))


@operation("UC-02.01", permission="asset.settle", name="settle_queries")
def settle_queries(actor: Actor, cases: Sequence[Case], act: QueryAct, reason: str) -> QueryReport:
    """Settle many queries for one reason: let all declared values stand, or ask the FSPs to change them.

    Raises NotFound when an asset is unseen, Invalid without a reason, for none, too many, or a repeated one.
    """
    return _do_each(actor, act, cases, require_statement("Reason", reason))


def _do_each(actor: Actor, act: QueryAct, cases: Sequence[Case], text: str) -> QueryReport:
    lines = []
    for asset, version in _assets(actor, cases):
        line = _line(actor, act, asset, version)
        if line.obstacle is None:
            after = _do(actor, act, asset, text)
            line = QueryLine(asset.id, line.name, line.before, after.status)
        lines.append(line)
    return _report(lines)


def _do(actor: Actor, act: QueryAct, asset: Asset, text: str) -> Asset:
    match act:
        case QueryAct.ANSWER:
            return answer_query(actor, asset.id, text, asset.version)
        case QueryAct.LET_STAND if not _open_differences(_checks(asset)):
            return settle_query(actor, asset.id, QueryDecision.VERIFY, text, asset.version)
        case QueryAct.LET_STAND:
            return settle_differences(actor, asset.id, DifferenceRuling.DECLARED_STANDS, text, asset.version)
        case QueryAct.ASK_FOR_CHANGE:
            return settle_differences(actor, asset.id, DifferenceRuling.THEIRS_RIGHT, text, asset.version)
        case _:
            assert_never(act)


def _assets(actor: Actor, cases: Sequence[Case]) -> list[tuple[Asset, int]]:
    """The assets with the versions that were read, in the order of their identifiers, so that batches never deadlock."""
    versions = dict(cases)
    if not 1 <= len(cases) <= MOST_QUERIES or len(versions) < len(cases):
        expected = f"1 to {MOST_QUERIES} assets, each once"
        raise Invalid([Finding("QUERY-03", "Cases", str(len(cases)), expected, f"Choose {expected}.")])
    query = select(Asset).where(col(Asset.id).in_(versions), visible(Asset, actor)).order_by(col(Asset.id))
    assets = list(current_session().scalars(query))
    if unseen := set(versions) - {asset.id for asset in assets}:
        raise NotFound("asset", min(unseen))
    return [(asset, versions[asset.id]) for asset in assets]


def _line(actor: Actor, act: QueryAct, asset: Asset, version: int) -> QueryLine:
    obstacle = _obstacle(actor, act, asset, version)
    after = asset.status if obstacle else _status_after(act, asset)
    return QueryLine(asset.id, asset.asset_name, asset.status, after, obstacle)


def _obstacle(actor: Actor, act: QueryAct, asset: Asset, version: int) -> str | None:
    """The reason for which an act isn't possible on an asset now."""
    reached = (col(Asset.id) == asset.id, within(Asset, actor, PERMISSIONS[act], writing=True))
    if current_session().scalar(select(col(Asset.id)).where(*reached)) is None:
        return "It is another organisation's to answer."
    if asset.version != version:
        return "It was changed since you opened the list: look at it again."
    if act is QueryAct.ANSWER:
        return None if asset.status is AssetStatus.QUERY else f"It is {STATUS_LABELS[asset.status]}: nothing is asked."
    if asset.status not in IN_REVIEW:
        return f"It is {STATUS_LABELS[asset.status]}: it isn't in review."
    checks = _checks(asset)
    if any(check.outcome is CheckOutcome.WAITING for check in checks) or (checks and has_changed_since(asset, checks)):
        return "Sources are being asked about it: settle it once they have answered."
    if _open_differences(checks):
        return None
    if act is QueryAct.LET_STAND and asset.status is AssetStatus.PENDING_VALIDATION:
        return None
    return "No source says otherwise: open it to decide."


def _status_after(act: QueryAct, asset: Asset) -> AssetStatus:
    if act is QueryAct.ANSWER:
        return AssetStatus.PENDING_VALIDATION
    if act is QueryAct.ASK_FOR_CHANGE:
        return AssetStatus.QUERY
    question, _answered = open_question(asset)
    asked = question is not None and asset.status is AssetStatus.QUERY and is_asked_by_person(asset, question)
    return AssetStatus.QUERY if asked else AssetStatus.VERIFIED


def _checks(asset: Asset) -> list[AssetCheck]:
    return newest_checks([asset.id]).get(asset.id, [])


def _open_differences(checks: Sequence[AssetCheck]) -> bool:
    return any(difference.open for difference in differences_of(checks))


def _report(lines: Sequence[QueryLine]) -> QueryReport:
    ordered = sorted(lines, key=lambda line: (line.name.casefold(), line.asset_id))
    return QueryReport(
        [line for line in ordered if line.obstacle is None], [line for line in ordered if line.obstacle is not None]
    )
